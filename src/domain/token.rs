//! Tokens and names that must not be guessable: keyed hashes over ids, and random bytes.

use std::sync::Arc;

use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{DeliveryId, EmailAddress, SubscriptionId};

/// Length of every token in characters: 32 bytes in unpadded base64url (RFC 4648 section 5).
pub const TOKEN_LENGTH: usize = 43;

/// Length of a bounce token in characters at most: a delivery's id and 96 bits in hexadecimal, and a hyphen.
pub const BOUNCE_TOKEN_LENGTH: usize = 41;

/// The installation's key. Everything derived from it stays valid for as long as the database lives. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<hmac::Key>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl Keyring {
    pub fn new(secret_key: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret_key)))
    }

    /// The token of a subscription's unsubscribe link: names the subscription, needs no look-up, never expires.
    pub fn unsubscribe_token(&self, subscription: SubscriptionId) -> String {
        let id = subscription.0.to_be_bytes();
        let tag = self.tag("unsubscribe", &id);
        let mut token = [0; 32];
        token[..8].copy_from_slice(&id);
        token[8..].copy_from_slice(&tag.as_ref()[..24]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The subscription that `token` speaks for; none if this key never made it.
    pub fn subscription_of(&self, token: &str) -> Option<SubscriptionId> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (id, claimed) = bytes.split_at(8);
        let tag = self.tag("unsubscribe", id);
        constant_time::verify_slices_are_equal(&tag.as_ref()[..24], claimed).ok()?;
        Some(SubscriptionId(i64::from_be_bytes(id.try_into().ok()?)))
    }

    /// What a delivery is called outside: the left part of its Message-ID, its `webhook-id`, its file in the outbox.
    /// The same on every attempt; says nothing about the recipient.
    pub fn delivery_key(&self, delivery: DeliveryId) -> String {
        let tag = self.tag("delivery", &delivery.0.to_be_bytes());
        let short: [u8; 8] = tag.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes");
        format!("d{delivery}-{:016x}", u64::from_be_bytes(short))
    }

    /// What stands behind the `+` of a delivery's envelope sender, so that a bounce names the delivery (VERP). Hexadecimal,
    /// because some servers write local parts in small letters; at most `BOUNCE_TOKEN_LENGTH` characters.
    pub fn bounce_token(&self, delivery: DeliveryId) -> String {
        let tag = self.tag("bounce", &delivery.0.to_be_bytes());
        format!("{:x}-{}", delivery.0, hex(&tag.as_ref()[..12]))
    }

    /// The delivery that `token` speaks for; none if this key never made it.
    pub fn delivery_of_bounce_token(&self, token: &str) -> Option<DeliveryId> {
        let token = token.to_ascii_lowercase();
        let (id, _) = token.split_once('-')?;
        // Parsed as what `{:x}` of a negative number would be, too; only the comparison below decides.
        let delivery = DeliveryId(u64::from_str_radix(id, 16).ok()?.cast_signed());
        let made = self.bounce_token(delivery);
        constant_time::verify_slices_are_equal(made.as_bytes(), token.as_bytes()).ok()?;
        Some(delivery)
    }

    /// What a form carries that was handed out at `issued_at`: it cannot be made up, and each is another.
    pub fn form_stamp(&self, issued_at: Timestamp) -> String {
        let mut stamp = [0; 32];
        stamp[..8].copy_from_slice(&issued_at.as_microsecond().to_be_bytes());
        stamp[8..16].copy_from_slice(&random_bytes()[..8]);
        let tag = self.tag("form", &stamp[..16]);
        stamp[16..].copy_from_slice(&tag.as_ref()[..16]);
        URL_SAFE_NO_PAD.encode(stamp)
    }

    /// When the form was handed out that carries `stamp`; none if this key never made it.
    pub fn stamped_at(&self, stamp: &str) -> Option<Timestamp> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(stamp).ok()?.try_into().ok()?;
        let (subject, claimed) = bytes.split_at(16);
        let tag = self.tag("form", subject);
        constant_time::verify_slices_are_equal(&tag.as_ref()[..16], claimed).ok()?;
        Timestamp::from_microsecond(i64::from_be_bytes(subject[..8].try_into().ok()?)).ok()
    }

    /// What challenges are signed with.
    pub fn challenge_key(&self) -> String {
        hex(self.tag("challenge", b"").as_ref())
    }

    /// What is kept of an address that must never be mailed again.
    pub fn address_hash(&self, address: &EmailAddress) -> String {
        URL_SAFE_NO_PAD.encode(self.tag("address", address.key().as_bytes()))
    }

    fn tag(&self, purpose: &str, subject: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(b"\0");
        context.update(subject);
        context.sign()
    }
}

/// A fresh random token of `TOKEN_LENGTH` characters: 256 bits.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes())
}

/// 32 bytes nobody can guess.
#[expect(clippy::disallowed_methods, reason = "this is the room where randomness enters")]
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A number in `0.0..1.0` to scatter retries with.
pub fn random_spread() -> f64 {
    let bytes = random_bytes();
    f64::from(u16::from_be_bytes([bytes[0], bytes[1]])) / 65536.0
}

/// What is stored of a token that opens something: its SHA-256.
pub fn token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// Hexadecimal, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    // Without `fmt`, and by bytes: each post has three hashes and a sketch.
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    let mut digits = vec![0; 2 * bytes.len()];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0xF)];
    }
    String::from_utf8(digits).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsubscribe_token_names_its_subscription_and_nothing_else_does() {
        let keys = Keyring::new(b"a key");
        let token = keys.unsubscribe_token(SubscriptionId(7));
        assert_eq!(token.len(), TOKEN_LENGTH);
        assert_eq!(keys.subscription_of(&token), Some(SubscriptionId(7)));
        assert_eq!(Keyring::new(b"another").subscription_of(&token), None);
        let mut forged = token.clone().into_bytes();
        forged[3] = if forged[3] == b'A' { b'B' } else { b'A' };
        assert_eq!(keys.subscription_of(std::str::from_utf8(&forged).unwrap()), None);
        assert_eq!(keys.subscription_of(""), None);
        assert_eq!(keys.subscription_of("ü"), None);
    }

    #[test]
    fn a_delivery_keeps_its_key_and_shares_it_with_no_other() {
        let keys = Keyring::new(b"a key");
        assert_eq!(keys.delivery_key(DeliveryId(3)), keys.delivery_key(DeliveryId(3)));
        assert_ne!(keys.delivery_key(DeliveryId(3)), keys.delivery_key(DeliveryId(4)));
        assert!(!keys.delivery_key(DeliveryId(3)).contains('.'));
    }

    #[test]
    fn a_bounce_token_names_its_delivery_in_either_case_and_nothing_else_does() {
        let keys = Keyring::new(b"a key");
        for id in [0, 1, 7_000_000, i64::MAX, -1] {
            let token = keys.bounce_token(DeliveryId(id));
            assert!(token.len() <= BOUNCE_TOKEN_LENGTH, "{token}");
            assert_eq!(keys.delivery_of_bounce_token(&token), Some(DeliveryId(id)));
            assert_eq!(keys.delivery_of_bounce_token(&token.to_uppercase()), Some(DeliveryId(id)));
            assert_eq!(Keyring::new(b"another").delivery_of_bounce_token(&token), None);
        }
        let token = keys.bounce_token(DeliveryId(7));
        let tag = token.split_once('-').unwrap().1;
        for forged in
            ["", "-", "7", "7-", &format!("8-{tag}"), &format!("+7-{tag}"), &tag[..9], "7-\u{fc}"]
        {
            assert_eq!(keys.delivery_of_bounce_token(forged), None, "{forged}");
        }
        assert_eq!(keys.delivery_of_bounce_token(&format!("07-{tag}")), None, "one spelling each");
    }

    #[test]
    fn a_form_knows_when_it_was_handed_out() {
        let keys = Keyring::new(b"a key");
        let then = Timestamp::from_second(1_790_000_000).unwrap();
        let stamp = keys.form_stamp(then);
        assert_eq!(keys.stamped_at(&stamp), Some(then));
        assert_ne!(keys.form_stamp(then), stamp);
        assert_eq!(Keyring::new(b"another").stamped_at(&stamp), None);
        for forged in
            ["", "AAAA", &format!("A{}", &stamp[1..43]), &keys.unsubscribe_token(SubscriptionId(7))]
        {
            assert_eq!(keys.stamped_at(forged).filter(|_| *forged != stamp), None, "{forged}");
        }
    }

    #[test]
    fn spellings_of_one_address_share_a_hash() {
        let keys = Keyring::new(b"a key");
        let hash = |text: &str| keys.address_hash(&text.parse().unwrap());
        assert_eq!(hash("Ann@Example.org"), hash("ann@example.org"));
        assert_ne!(hash("ann@example.org"), hash("bob@example.org"));
    }
}
