//! Deliveries: one thing owed to one recipient or destination, and what the other side answered.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AnnouncementId, EditionId, LetterId, SubscriptionId, UnknownWord};

/// Which queue a delivery waits in. Earlier lanes go first: a confirmation never waits behind a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Confirmations and test mail: a person is waiting.
    Letter,
    /// Editions of one post.
    Instant,
    /// Digests.
    Digest,
    /// Cross-posts; they share no connection with mail.
    Announcement,
}

impl Lane {
    pub const ALL: [Self; 4] = [Self::Letter, Self::Instant, Self::Digest, Self::Announcement];

    /// The lane with this number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.number() == number)
    }

    /// The number in the database; claims go up from 0.
    pub fn number(self) -> i64 {
        match self {
            Self::Letter => 0,
            Self::Instant => 1,
            Self::Digest => 2,
            Self::Announcement => 3,
        }
    }
}

/// What a delivery delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Target {
    Edition { edition: EditionId, subscription: SubscriptionId },
    Letter { letter: LetterId },
    Announcement { announcement: AnnouncementId },
}

/// Where a delivery stands. `leased` is a fact of its batch, not of the row.
///
/// `planned → sending → accepted | deferred | rejected | uncertain`; `deferred` and `uncertain` may go to `sending`
/// again; whatever is not final may become `skipped`, `expired` or `cancelled`. [`DeliveryState::may_become`] is the whole
/// of it, and the database refuses the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    Planned,
    /// The intent is durable; the other side may have it. A crash here makes it uncertain.
    Sending,
    Accepted,
    /// Will be tried again.
    Deferred,
    /// Given up: the other side said no for good, or too often.
    Rejected,
    /// Handed over without an answer: the other side may or may not have it.
    Uncertain,
    /// Not sent because the recipient left or is suppressed.
    Skipped,
    /// Not sent because its time was over.
    Expired,
    /// Not sent because a person stopped it.
    Cancelled,
}

impl DeliveryState {
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Sending,
        Self::Accepted,
        Self::Deferred,
        Self::Rejected,
        Self::Uncertain,
        Self::Skipped,
        Self::Expired,
        Self::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Rejected => "rejected",
            Self::Uncertain => "uncertain",
            Self::Skipped => "skipped",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a delivery may go from this state to `next` in one write. Triggers in the database say the same, and a test
    /// holds them to it.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            // Refused, throttled or unreachable before the intent: nothing was handed over.
            Self::Planned => matches!(
                next,
                Self::Sending
                    | Self::Deferred
                    | Self::Rejected
                    | Self::Skipped
                    | Self::Expired
                    | Self::Cancelled
            ),
            // Not to `sending`: a second intent would be a second mail. `cancelled` when its answer was "not now" and its
            // edition was cancelled meanwhile.
            Self::Sending => matches!(
                next,
                Self::Accepted
                    | Self::Deferred
                    | Self::Rejected
                    | Self::Uncertain
                    | Self::Expired
                    | Self::Cancelled
            ),
            Self::Deferred => matches!(
                next,
                Self::Sending
                    | Self::Deferred
                    | Self::Rejected
                    | Self::Skipped
                    | Self::Expired
                    | Self::Cancelled
            ),
            // `accepted` by a late answer or by a person who asked the other side; `deferred` when a person wants it resent.
            Self::Uncertain => matches!(
                next,
                Self::Sending
                    | Self::Accepted
                    | Self::Deferred
                    | Self::Rejected
                    | Self::Uncertain
                    | Self::Skipped
                    | Self::Expired
                    | Self::Cancelled
            ),
            // A person tries again.
            Self::Rejected | Self::Expired => matches!(next, Self::Deferred),
            Self::Accepted | Self::Skipped | Self::Cancelled => false,
        }
    }

    /// Nothing more will happen by itself.
    pub fn is_final(self) -> bool {
        match self {
            Self::Accepted | Self::Rejected | Self::Skipped | Self::Expired | Self::Cancelled => {
                true
            }
            Self::Planned | Self::Sending | Self::Deferred | Self::Uncertain => false,
        }
    }
}

impl FromStr for DeliveryState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "the states of a delivery"))
    }
}

/// What the other side said, kept with the attempt. Never holds an address or a secret of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Host and port that was spoken to, or the outbox folder.
    pub server: String,
    /// SMTP reply code or HTTP status; none when there was no reply.
    pub code: Option<u16>,
    /// The reply's text, or what went wrong on our side. At most 2,000 bytes are kept.
    pub text: String,
}

impl Reply {
    /// Most bytes of text that are kept.
    pub const TEXT_BYTES: usize = 2_000;

    /// Makes a reply fit to be kept and shown: control characters and runs of white space become one space,
    /// and what is longer than [`Self::TEXT_BYTES`] is cut. Hiding addresses and secrets is up to the caller.
    pub fn new(server: impl Into<String>, code: Option<u16>, text: &str) -> Self {
        let mut kept = String::with_capacity(text.len().min(Self::TEXT_BYTES));
        for c in text.chars() {
            let blank = c.is_control() || c.is_whitespace();
            if blank && (kept.is_empty() || kept.ends_with(' ')) {
                continue;
            }
            if kept.len() + c.len_utf8() > Self::TEXT_BYTES {
                break;
            }
            kept.push(if blank { ' ' } else { c });
        }
        kept.truncate(kept.trim_end().len());
        Self { server: server.into(), code, text: kept }
    }
}

/// Whom a refusal speaks of, as far as its codes and words tell. Decides how soon to try again, whom to slow down for,
/// and whether it is held against the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The mailbox does not exist (RFC 3463 X.1.1 and kin): hard.
    Address,
    /// The mailbox is there but takes nothing now, such as a full one (X.2.2): soft.
    Mailbox,
    /// We come too fast or too often (421, 4.7.x of rate limits): this destination is to be slowed down.
    Throttle,
    /// A server that wants to see us a second time (RFC 6647).
    Greylist,
    /// Policy or reputation (X.7.x): it speaks of the sender, never of the recipient.
    Policy,
    /// The message itself: too large, not to their taste in form (X.3.4, X.6.x).
    Message,
    /// Trouble on either side (X.3.x, X.4.x, a time-out, a broken connection), and whatever is not clear.
    System,
}

impl Reason {
    pub const ALL: [Self; 7] = [
        Self::Address,
        Self::Mailbox,
        Self::Throttle,
        Self::Greylist,
        Self::Policy,
        Self::Message,
        Self::System,
    ];

    /// The word kept with the attempt and used as metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Mailbox => "mailbox",
            Self::Throttle => "throttle",
            Self::Greylist => "greylist",
            Self::Policy => "policy",
            Self::Message => "message",
            Self::System => "system",
        }
    }
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// The other side has it and said so.
    Accepted(Reply),
    /// Not now: 4xx, 421, 429, 5xx of a web server. `not_before` is the other side's own wish.
    Deferred { reply: Reply, reason: Reason, not_before: Option<Timestamp> },
    /// Not ever, for this delivery.
    Rejected { reply: Reply, reason: Reason },
    /// Handed over, and no answer: only the other side knows.
    Uncertain(Reply),
    /// Nothing was handed over because the server could not be reached or spoke nonsense before our turn.
    /// Says nothing about the recipient and does not count as an attempt.
    Unreachable(Reply),
    /// Nothing was handed over: the lease was lost before the intent was durable. Somebody else has it.
    NotOurs,
}

impl Outcome {
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Accepted(reply)
            | Self::Deferred { reply, .. }
            | Self::Rejected { reply, .. }
            | Self::Uncertain(reply)
            | Self::Unreachable(reply) => Some(reply),
            Self::NotOurs => None,
        }
    }

    /// Why it was refused, if it was.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Deferred { reason, .. } | Self::Rejected { reason, .. } => Some(*reason),
            Self::Accepted(_) | Self::Uncertain(_) | Self::Unreachable(_) | Self::NotOurs => None,
        }
    }

    /// The word kept with the attempt and used as metric label.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Deferred { .. } => "deferred",
            Self::Rejected { .. } => "rejected",
            Self::Uncertain(_) => "uncertain",
            Self::Unreachable(_) => "unreachable",
            Self::NotOurs => "not-ours",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_reply_has_no_control_characters_and_is_short() {
        let reply = Reply::new("mx:25", Some(550), "\r\n no\u{1b}[31m  such\0user\r\n");
        assert_eq!(reply.text, "no [31m such user");
        let long = Reply::new("mx:25", None, &"ü".repeat(5_000));
        assert_eq!(long.text.len(), Reply::TEXT_BYTES);
    }
}
