//! Bounces: what a refusal says about an address, and when an address has had enough of them.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What a refusal says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bounce {
    /// There is no such mailbox: never mail it again.
    Hard,
    /// It takes nothing now: held against it, and forgotten with time.
    Soft,
}

/// A score of this much suppresses the address.
pub const SUPPRESSING_SCORE: f64 = 5.0;

const HALF_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The score after one more soft bounce: the old one, halved for each 30 days that it is old, and one.
#[must_use]
pub fn score_after_soft_bounce(score: f64, age: SignedDuration) -> f64 {
    let half_lives = age.as_secs_f64().max(0.0) / HALF_LIFE.as_secs_f64();
    score * (-half_lives).exp2() + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_that_is_full_once_a_month_is_never_suppressed() {
        let mut score = 0.0;
        for _ in 0..1_000 {
            score = score_after_soft_bounce(score, HALF_LIFE);
        }
        assert!(score < SUPPRESSING_SCORE, "{score}");
    }

    #[test]
    fn a_mailbox_that_is_full_every_day_is_suppressed_within_a_week() {
        let mut score = 0.0;
        for _ in 0..7 {
            score = score_after_soft_bounce(score, SignedDuration::from_hours(24));
        }
        assert!(score >= SUPPRESSING_SCORE, "{score}");
    }
}
