//! The `Courier` trait: a parcel goes in, an `Outcome` comes out, and the intent is durable in between.
//!
//! SMTP, HTTP and the outbox folder implement it, and so do scripts in tests. A courier owns one connection and is used
//! by one task for its whole life; it never retries: that is for the retry policy.

use std::fmt;
use std::future::Future;

use futures_util::future::BoxFuture;

use crate::domain::{DeliveryId, EmailAddress, Outcome};

/// What a courier carries. `key` identifies the delivery to the other side and stays the same on every attempt.
#[derive(Clone)]
pub enum Parcel {
    Mail(MailParcel),
    Call(CallParcel),
}

/// One mail to one recipient.
#[derive(Clone)]
pub struct MailParcel {
    pub delivery: DeliveryId,
    /// Envelope sender (RFC 5321 `MAIL FROM`).
    pub from: EmailAddress,
    /// The only envelope recipient.
    pub to: EmailAddress,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// The whole message, CRLF line ends, not dot-stuffed.
    pub message: Vec<u8>,
}

/// One call to one destination.
#[derive(Clone)]
pub struct CallParcel {
    pub delivery: DeliveryId,
    /// `webhook-id` (Standard Webhooks): no `.` in it.
    pub key: String,
    /// The request body, byte for byte as signed.
    pub body: String,
}

impl Parcel {
    pub fn delivery(&self) -> DeliveryId {
        match self {
            Self::Mail(mail) => mail.delivery,
            Self::Call(call) => call.delivery,
        }
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel({})", self.delivery())
    }
}

/// The lease was lost before the intent was durable: somebody else has this delivery now. Send nothing.
#[derive(Debug, thiserror::Error)]
#[error("the lease on this delivery was lost")]
pub struct LeaseLost;

/// Makes the intent durable. A courier awaits it exactly once, as late as its protocol allows: after SMTP's 354 and
/// before the first byte of the message; before the first byte of an HTTP request.
pub struct Intent<'a>(BoxFuture<'a, Result<(), LeaseLost>>);

impl<'a> Intent<'a> {
    pub fn new(commit: impl Future<Output = Result<(), LeaseLost>> + Send + 'a) -> Self {
        Self(Box::pin(commit))
    }

    /// Resolves when the intent is durable.
    pub async fn commit(self) -> Result<(), LeaseLost> {
        self.0.await
    }
}

/// The ledger's side of a connection: where the next parcels come from, and where intents and outcomes go.
///
/// What makes the promise: nothing is handed over whose intent is not durable, and no parcel's end is sent while the
/// outcome of an earlier one over the same connection is not durable. `intend` does both with one commit.
pub trait Round: Send {
    /// The next parcel for this connection, if one is waiting. Never waits itself.
    fn next(&mut self) -> Option<Parcel>;

    /// A mail that was taken, composed anew without 8-bit texts, as are those that follow: this connection does not take
    /// them, though the one before did. None: there is no such form.
    fn in_seven_bit(&mut self, _delivery: DeliveryId) -> Option<MailParcel> {
        None
    }

    /// Makes durable that these are about to be handed over, and with it every outcome that was told before. Returns those
    /// that may go; the others are somebody else's now, and their outcome is `NotOurs`.
    fn intend<'a>(&'a mut self, deliveries: &'a [DeliveryId]) -> BoxFuture<'a, Vec<DeliveryId>>;

    /// What became of a parcel; once for each. Durable with the next `intend` or `settle`.
    fn tell(&mut self, delivery: DeliveryId, outcome: Outcome);

    /// Resolves when every outcome that was told is durable.
    fn settle(&mut self) -> BoxFuture<'_, ()>;
}

/// Carries parcels over one connection, one after the other.
///
/// An implementation returns `Outcome::NotOurs` when `intent.commit()` fails, `Outcome::Unreachable` when nothing of the
/// parcel was handed over because of the server, and `Outcome::Uncertain` whenever the other side may have it and did not say.
pub trait Courier: Send {
    fn deliver<'a>(&'a mut self, parcel: &'a Parcel, intent: Intent<'a>) -> BoxFuture<'a, Outcome>;

    /// Carries `first` and then whatever `round` has next, until it has nothing more or the connection is no longer good
    /// for it. Every parcel that was taken from the round is told an outcome, and all of them are settled at the end.
    ///
    /// One after the other here; a courier whose protocol lets it speak of the next parcel while the answer to this one is
    /// under way does better.
    fn carry_all<'a>(&'a mut self, first: Parcel, round: &'a mut dyn Round) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut parcel = Some(first);
            while let Some(carried) = parcel {
                let delivery = carried.delivery();
                let intent = Intent::new(async {
                    let may_go = round.intend(&[delivery]).await;
                    if may_go.is_empty() { Err(LeaseLost) } else { Ok(()) }
                });
                let outcome = self.deliver(&carried, intent).await;
                round.tell(delivery, outcome);
                parcel = round.next();
            }
            round.settle().await;
        })
    }

    /// Whether the other side takes texts that are not ASCII, as far as is known from the last connection.
    fn takes_eight_bit(&self) -> bool {
        false
    }

    /// Says goodbye to the other side. Never waits long.
    fn close(&mut self) -> BoxFuture<'_, ()>;
}
