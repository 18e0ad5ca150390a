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
    /// The first is 1. Tries that never reached the other side are not counted: otherwise a server that was down for a
    /// day would leave no attempts to its recipients.
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
        let scattered = scatter(delay, spread);
        let at = now.saturating_add(scattered).unwrap_or(Timestamp::MAX).max(wish);
        let end = attempt.planned_at.saturating_add(self.give_up_after).unwrap_or(Timestamp::MAX);
        if at > end { Verdict::TooLate } else { Verdict::RetryAt(at) }
    }
}

/// `delay` ± 20 %. A delay too long to be scattered, or a `spread` that is no number, leaves it as it is.
fn scatter(delay: SignedDuration, spread: f64) -> SignedDuration {
    let factor = 0.8 + 0.4 * spread.clamp(0.0, 1.0);
    SignedDuration::try_from_secs_f64(delay.as_secs_f64() * factor).unwrap_or(delay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Reason, Reply};

    fn reply() -> Reply {
        Reply { server: "mx.example:25".to_owned(), code: None, text: String::new() }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            first_delay: SignedDuration::from_mins(1),
            max_delay: SignedDuration::from_mins(10),
            max_attempts: 5,
            give_up_after: SignedDuration::from_hours(48),
            resend_uncertain: true,
        }
    }

    /// The verdict on attempt `number`, which ended a minute after the delivery was planned, without scattering.
    fn verdict(policy: &RetryPolicy, number: u32, outcome: &Outcome) -> Verdict {
        let attempt = Attempt { number, planned_at: minute(0), ended_at: minute(1) };
        policy.verdict(attempt, outcome, 0.5)
    }

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + n * 60).unwrap()
    }

    fn deferred(not_before: Option<Timestamp>) -> Outcome {
        Outcome::Deferred { reply: reply(), reason: Reason::System, not_before }
    }

    #[test]
    fn each_outcome_has_its_consequence() {
        let accepted = Outcome::Accepted(reply());
        let rejected = Outcome::Rejected { reply: reply(), reason: Reason::Address };
        let uncertain = Outcome::Uncertain(reply());
        let waits = RetryPolicy { resend_uncertain: false, ..policy() };
        let retry = Verdict::RetryAt(minute(2));
        assert_eq!(verdict(&policy(), 1, &accepted), Verdict::Done);
        assert_eq!(verdict(&policy(), 1, &rejected), Verdict::GiveUp);
        assert_eq!(verdict(&policy(), 1, &Outcome::NotOurs), Verdict::Drop);
        assert_eq!(verdict(&policy(), 1, &uncertain), retry);
        assert_eq!(verdict(&waits, 1, &uncertain), Verdict::Hold);
        assert_eq!(verdict(&policy(), 1, &Outcome::Unreachable(reply())), retry);
        assert_eq!(verdict(&policy(), 1, &deferred(None)), retry);
    }

    #[test]
    fn delays_double_up_to_a_limit_and_end_with_the_last_attempt() {
        let after = |number| verdict(&policy(), number, &deferred(None));
        assert_eq!(after(1), Verdict::RetryAt(minute(2)));
        assert_eq!(after(2), Verdict::RetryAt(minute(3)));
        assert_eq!(after(3), Verdict::RetryAt(minute(5)));
        assert_eq!(after(4), Verdict::RetryAt(minute(9)));
        assert_eq!(after(5), Verdict::GiveUp);
        let patient = RetryPolicy { max_attempts: 100, ..policy() };
        assert_eq!(verdict(&patient, 5, &deferred(None)), Verdict::RetryAt(minute(11)));
        assert_eq!(verdict(&patient, 99, &deferred(None)), Verdict::RetryAt(minute(11)));
    }

    #[test]
    fn a_wish_of_the_other_side_delays_and_never_hastens() {
        assert_eq!(
            verdict(&policy(), 1, &deferred(Some(minute(30)))),
            Verdict::RetryAt(minute(30))
        );
        assert_eq!(verdict(&policy(), 1, &deferred(Some(minute(0)))), Verdict::RetryAt(minute(2)));
        let tomorrow_and_more = deferred(Some(minute(60 * 24 * 3)));
        assert_eq!(verdict(&policy(), 1, &tomorrow_and_more), Verdict::TooLate);
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        let endless = RetryPolicy {
            first_delay: SignedDuration::MAX,
            max_delay: SignedDuration::MAX,
            max_attempts: u32::MAX,
            give_up_after: SignedDuration::MAX,
            resend_uncertain: true,
        };
        assert_eq!(
            verdict(&endless, u32::MAX - 1, &deferred(None)),
            Verdict::RetryAt(Timestamp::MAX)
        );
        let attempt = Attempt { number: 1, planned_at: minute(0), ended_at: minute(1) };
        let no_number = policy().verdict(attempt, &deferred(None), f64::NAN);
        assert_eq!(no_number, Verdict::RetryAt(minute(2)));
        let nothing = RetryPolicy { max_attempts: 0, ..policy() };
        assert_eq!(verdict(&nothing, 1, &deferred(None)), Verdict::GiveUp);
    }

    fn any_policy() -> impl Strategy<Value = RetryPolicy> {
        (1..7_200_i64, 1..200_000_i64, 1..20_u32, 60..1_000_000_i64, any::<bool>()).prop_map(
            |(first, most, max_attempts, give_up, resend_uncertain)| RetryPolicy {
                first_delay: SignedDuration::from_secs(first),
                max_delay: SignedDuration::from_secs(most),
                max_attempts,
                give_up_after: SignedDuration::from_secs(give_up),
                resend_uncertain,
            },
        )
    }

    fn any_attempt() -> impl Strategy<Value = Attempt> {
        (1..40_u32, 0..20_000_i64).prop_map(|(number, minutes)| Attempt {
            number,
            planned_at: minute(0),
            ended_at: minute(minutes),
        })
    }

    fn any_retryable() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            prop::option::of(0..20_000_i64).prop_map(|wish| deferred(wish.map(minute))),
            Just(Outcome::Uncertain(reply())),
            Just(Outcome::Unreachable(reply())),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_retry_is_in_the_future_not_before_the_wish_and_not_after_the_end(
            policy in any_policy(), attempt in any_attempt(), outcome in any_retryable(), spread in 0.0..=1.0_f64,
        ) {
            if let Verdict::RetryAt(at) = policy.verdict(attempt, &outcome, spread) {
                prop_assert!(at > attempt.ended_at);
                prop_assert!(at <= attempt.planned_at + policy.give_up_after);
                if let Outcome::Deferred { not_before: Some(wish), .. } = outcome {
                    prop_assert!(at >= wish);
                }
                if !matches!(outcome, Outcome::Unreachable(_)) {
                    prop_assert!(attempt.number < policy.max_attempts);
                }
            }
        }

        #[test]
        fn a_server_that_cannot_be_reached_uses_up_time_but_no_attempts(
            policy in any_policy(), attempt in any_attempt(), spread in 0.0..=1.0_f64,
        ) {
            let verdict = policy.verdict(attempt, &Outcome::Unreachable(reply()), spread);
            prop_assert!(matches!(verdict, Verdict::RetryAt(_) | Verdict::TooLate), "{verdict:?}");
        }

        #[test]
        fn delays_grow_with_the_attempts_and_stay_within_a_fifth_of_the_rule(
            policy in any_policy(), number in 1..40_u32, spread in 0.0..=1.0_f64,
        ) {
            let policy = RetryPolicy { max_attempts: 100, give_up_after: SignedDuration::from_hours(9_999), ..policy };
            let delay = |number| match policy.verdict(
                Attempt { number, planned_at: minute(0), ended_at: minute(0) }, &deferred(None), spread,
            ) {
                Verdict::RetryAt(at) => at.duration_since(minute(0)),
                other => panic!("{other:?}"),
            };
            let rule = policy.first_delay.saturating_mul(1 << (number - 1).min(16)).min(policy.max_delay);
            prop_assert!(delay(number) <= delay(number + 1));
            prop_assert!(delay(number) >= rule * 4 / 5 && delay(number) <= rule * 6 / 5);
        }
    }
}
