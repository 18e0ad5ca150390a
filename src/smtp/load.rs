//! The parcels that are on a connection, and the ledger's side of them: what was taken is told exactly once.

use super::letter::Letter;
use super::wire::Outbound;
use crate::courier::{MailParcel, Parcel, Round};
use crate::domain::{DeliveryId, Outcome, Reason, Reply};

/// Takes parcels from a round and keeps those of which nothing was told yet.
///
/// Dropped half-way, because the work was cancelled, it tells of each what is true: that the server cannot have it, or
/// that nobody knows. A panic tells nothing, lest it become two: who catches it knows what was intended.
pub(super) struct Load<'r> {
    round: &'r mut dyn Round,
    server: String,
    open: Vec<Open>,
}

struct Open {
    delivery: DeliveryId,
    /// The connection and number of the message, once it was handed over.
    message: Option<(Outbound, usize)>,
}

impl<'r> Load<'r> {
    pub(super) fn new(round: &'r mut dyn Round, server: String) -> Self {
        Self { round, server, open: Vec::new() }
    }

    /// Takes on `parcel`, if it is a mail.
    pub(super) fn take(&mut self, parcel: Parcel) -> Option<MailParcel> {
        self.open.push(Open { delivery: parcel.delivery(), message: None });
        match parcel {
            Parcel::Mail(mail) => Some(mail),
            Parcel::Call(call) => {
                let reply = Reply::new(&self.server, None, "a mail server carries no calls");
                self.tell(call.delivery, Outcome::Rejected { reply, reason: Reason::System });
                None
            }
        }
    }

    /// The next mail, if one is waiting.
    pub(super) fn next(&mut self) -> Option<MailParcel> {
        loop {
            let parcel = self.round.next()?;
            if let Some(mail) = self.take(parcel) {
                return Some(mail);
            }
        }
    }

    /// `mail` without 8-bit texts, if there is such a form of it.
    pub(super) fn in_seven_bit(&mut self, mail: MailParcel) -> MailParcel {
        self.round.in_seven_bit(mail.delivery).unwrap_or(mail)
    }

    /// Makes the intent durable. False: the letter is somebody else's now, and that was told.
    pub(super) async fn intend(&mut self, letter: &Letter) -> bool {
        let delivery = letter.delivery();
        let may_go = self.round.intend(&[delivery]).await.contains(&delivery);
        if !may_go {
            self.tell(delivery, Outcome::NotOurs);
        }
        may_go
    }

    /// Makes the intents durable, and returns the letters that may go.
    pub(super) async fn intend_all(&mut self, mut letters: Vec<Letter>) -> Vec<Letter> {
        let deliveries: Vec<_> = letters.iter().map(Letter::delivery).collect();
        let may_go = self.round.intend(&deliveries).await;
        letters.retain(|letter| may_go.contains(&letter.delivery()));
        for delivery in deliveries.into_iter().filter(|delivery| !may_go.contains(delivery)) {
            self.tell(delivery, Outcome::NotOurs);
        }
        letters
    }

    /// The message of `delivery` is on its way as number `message` of a connection.
    pub(super) fn handed_over(&mut self, delivery: DeliveryId, outbound: Outbound, message: usize) {
        if let Some(open) = self.open.iter_mut().find(|open| open.delivery == delivery) {
            open.message = Some((outbound, message));
        }
    }

    pub(super) fn tell(&mut self, delivery: DeliveryId, outcome: Outcome) {
        self.open.retain(|open| open.delivery != delivery);
        self.round.tell(delivery, outcome);
    }

    /// Resolves when all that was told is durable.
    pub(super) async fn settle(&mut self) {
        self.round.settle().await;
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for Open { delivery, message } in std::mem::take(&mut self.open) {
            let reply = |text| Reply::new(&self.server, None, text);
            let may_have_left =
                message.is_some_and(|(outbound, number)| outbound.ends_left() >= number);
            let outcome = if may_have_left {
                Outcome::Uncertain(reply("stopped while waiting for the answer to the message"))
            } else {
                Outcome::Unreachable(reply("stopped before the message was complete"))
            };
            self.round.tell(delivery, outcome);
        }
    }
}
