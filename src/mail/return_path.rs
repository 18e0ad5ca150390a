//! The envelope sender: where bounces go.

use crate::domain::{DeliveryId, EmailAddress, Keyring};

/// Whom the servers on the way tell that a mail could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnPath {
    /// The sender's own mailbox; a bounce says in words what it is about.
    Sender(EmailAddress),
    /// `bounces+TOKEN@b.example.org`: the token names the delivery, whatever the bounce says (VERP).
    PerDelivery(EmailAddress),
}

impl ReturnPath {
    /// `base`: the configured address for bounces. Its local part has room for a `+` and a token.
    pub fn new(base: Option<&EmailAddress>, sender: &EmailAddress) -> Self {
        match base {
            Some(base) => Self::PerDelivery(base.clone()),
            None => Self::Sender(sender.clone()),
        }
    }

    pub fn for_delivery(&self, keyring: &Keyring, delivery: DeliveryId) -> EmailAddress {
        match self {
            Self::Sender(sender) => sender.clone(),
            Self::PerDelivery(base) => {
                let (local, domain) = (base.local_part(), base.domain());
                let address = format!("{local}+{}@{domain}", keyring.bounce_token(delivery));
                // Without room for the token a bounce is anonymous, and the mail goes all the same.
                address.parse().unwrap_or_else(|_| base.clone())
            }
        }
    }

    /// The delivery that a bounce to `address` is about; none if we never sent from it.
    pub fn delivery(&self, keyring: &Keyring, address: &EmailAddress) -> Option<DeliveryId> {
        let Self::PerDelivery(base) = self else { return None };
        let (local, token) = address.local_part().rsplit_once('+')?;
        let ours =
            local.eq_ignore_ascii_case(base.local_part()) && address.domain() == base.domain();
        ours.then(|| keyring.delivery_of_bounce_token(token)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    #[test]
    fn a_bounce_finds_its_delivery_and_a_forged_one_finds_none() {
        let keys = Keyring::new(b"a key");
        let base = address("bounces@b.example.org");
        let path = ReturnPath::new(Some(&base), &address("news@example.org"));
        for id in [1, i64::MAX] {
            let sender = path.for_delivery(&keys, DeliveryId(id));
            assert!(sender.local_part().starts_with("bounces+") && sender.local_part().len() <= 64);
            assert_eq!(sender.domain(), "b.example.org");
            assert_eq!(path.delivery(&keys, &sender), Some(DeliveryId(id)));
            let shouted = address(&sender.as_str().to_uppercase());
            assert_eq!(path.delivery(&keys, &shouted), Some(DeliveryId(id)));
        }
        for forged in [
            "bounces@b.example.org",
            "bounces+1-000000000000000000000000@b.example.org",
            "news@example.org",
        ] {
            assert_eq!(path.delivery(&keys, &address(forged)), None, "{forged}");
        }
        let elsewhere =
            path.for_delivery(&keys, DeliveryId(1)).as_str().replace("b.example", "c.example");
        assert_eq!(path.delivery(&keys, &address(&elsewhere)), None);
    }

    #[test]
    fn without_an_address_for_bounces_they_go_to_the_sender() {
        let keys = Keyring::new(b"a key");
        let sender = address("news@example.org");
        let path = ReturnPath::new(None, &sender);
        assert_eq!(path.for_delivery(&keys, DeliveryId(1)), sender);
        assert_eq!(path.delivery(&keys, &sender), None);
    }
}
