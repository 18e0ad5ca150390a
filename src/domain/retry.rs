//! The retry policy: what follows an attempt. Data in, verdict out.

use jiff::{SignedDuration, Timestamp};

use super::Outcome;

/// How often and how long to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub first_delay: SignedDuration,
    pub max_delay: SignedDuration,
    /// Attempts that reached the other side; unreachable servers don't use them up.
    pub max_attempts: u32,
    /// After this long since planning the delivery is worthless and expires.
    pub give_up_after: SignedDuration,
    /// Whether a delivery in doubt goes out again (with the same id) or waits for a person.
    pub resend_uncertain: bool,
}

/// The attempt that just ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The first is 1.
    pub number: u32,
    /// When the delivery was planned: its time limit counts from there.
    pub planned_at: Timestamp,
    pub ended_at: Timestamp,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    RetryAt(Timestamp),
    GiveUp,
    /// Its time is over: `expired`.
    TooLate,
    /// In doubt, and the policy wants a person to decide.
    Hold,
    /// The lease is gone: record nothing.
    Drop,
}

impl RetryPolicy {
    /// Decides what follows `attempt`, which came out as `outcome`.
    ///
    /// `spread` in `0.0..=1.0` scatters retries by ±20 %, so a mended server does not meet all of us at once.
    #[must_use]
    pub fn verdict(&self, attempt: Attempt, outcome: &Outcome, spread: f64) -> Verdict {
        let now = attempt.ended_at;
        let wish = match outcome {
            Outcome::Accepted(_) => return Verdict::Done,
            Outcome::Rejected { .. } => return Verdict::GiveUp,
            Outcome::NotOurs => return Verdict::Drop,
            Outcome::Uncertain(_) if !self.resend_uncertain => return Verdict::Hold,
            Outcome::Deferred { not_before, .. } => not_before.unwrap_or(now),
            Outcome::Uncertain(_) | Outcome::Unreachable(_) => now,
        };
        let counts = !matches!(outcome, Outcome::Unreachable(_));
        if counts && attempt.number >= self.max_attempts {
            return Verdict::GiveUp;
        }
        let doublings = attempt.number.saturating_sub(1).min(16);
        let delay = self.first_delay.saturating_mul(1 << doublings).min(self.max_delay);
        let scattered = delay.mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0));
        let at = now.saturating_add(scattered).unwrap_or(Timestamp::MAX).max(wish);
        let end = attempt.planned_at.saturating_add(self.give_up_after).unwrap_or(Timestamp::MAX);
        if at > end { Verdict::TooLate } else { Verdict::RetryAt(at) }
    }
}
