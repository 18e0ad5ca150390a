//! The retry policy: what follows an attempt. Data in, verdict out.
//!
//! | the other side | what follows |
//! |---|---|
//! | has it | done |
//! | cannot be reached, or ended before our turn | again, as long as there is time; no attempt is used up |
//! | says 4xx, or breaks off in mid-message | again after a delay that doubles, while there are attempts and time |
//! | greylists us | again after five to ten minutes: sooner it will not have us (RFC 6647 section 4.3), and later is for nothing |
//! | rations us | again, with doubling delays, as long as there is time: that it is busy says nothing about this delivery |
//! | says 5xx | never again for this delivery, whatever the reason |
//! | may have it and does not say | again with the same id, or a person decides |
//!
//! A 5xx of policy or of the server's own trouble might well be a 2xx tomorrow, and is final all the same: RFC 5321 section
//! 4.2.1 asks not to repeat what was refused for good, and senders who knock on after "blocked" are blocked for longer. It
//! is never held against the address ([`super::Bounce`]), so the next edition tries again.

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Reason};

/// When a greylister will have us: after `.0` and, so that many of us don't come at once, before `.1`.
const GREYLIST: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(5), SignedDuration::from_mins(10));

/// How often and how long to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub first_delay: SignedDuration,
    pub max_delay: SignedDuration,
    /// Attempts that reached the other side; unreachable and busy servers don't use them up.
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
        if uses_up_attempts(outcome) && attempt.number >= self.max_attempts {
            return Verdict::GiveUp;
        }
        let delay = self.delay(attempt.number, outcome.reason(), spread);
        let at = now.saturating_add(delay).unwrap_or(Timestamp::MAX).max(wish);
        let end = attempt.planned_at.saturating_add(self.give_up_after).unwrap_or(Timestamp::MAX);
        if at > end { Verdict::TooLate } else { Verdict::RetryAt(at) }
    }
}

impl RetryPolicy {
    /// The time to wait after attempt `number`, scattered.
    fn delay(&self, number: u32, reason: Option<Reason>, spread: f64) -> SignedDuration {
        let doublings = number.saturating_sub(1).min(16);
        let rule = self.first_delay.saturating_mul(1 << doublings).min(self.max_delay);
        let rule = scatter(rule, spread);
        match reason {
            Some(Reason::Greylist) => {
                let greylist = between(GREYLIST, spread);
                if number <= 1 { greylist } else { rule.max(greylist) }
            }
            Some(
                Reason::Address
                | Reason::Mailbox
                | Reason::Throttle
                | Reason::Policy
                | Reason::Message
                | Reason::System,
            )
            | None => rule,
        }
    }
}

/// Whether the attempt says anything about this delivery. What does not is bounded by the time limit alone: else an hour of
/// a busy server would leave no attempts for the mailbox that is full after it.
fn uses_up_attempts(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Unreachable(_) => false,
        Outcome::Deferred { reason, .. } => *reason != Reason::Throttle,
        Outcome::Accepted(_)
        | Outcome::Rejected { .. }
        | Outcome::Uncertain(_)
        | Outcome::NotOurs => true,
    }
}

fn between((from, to): (SignedDuration, SignedDuration), spread: f64) -> SignedDuration {
    let share = if spread.is_nan() { 0.5 } else { spread.clamp(0.0, 1.0) };
    from + SignedDuration::try_from_secs_f64((to - from).as_secs_f64() * share).unwrap_or_default()
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

    fn deferred_by(reason: Reason) -> Outcome {
        Outcome::Deferred { reply: reply(), reason, not_before: None }
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
    fn a_greylister_sees_us_again_after_five_to_ten_minutes() {
        for first_delay in [SignedDuration::from_secs(1), SignedDuration::from_hours(1)] {
            let policy = RetryPolicy { first_delay, ..policy() };
            let attempt = Attempt { number: 1, planned_at: minute(0), ended_at: minute(1) };
            for (spread, at) in [(0.0, minute(6)), (1.0, minute(11)), (7.0, minute(11))] {
                let verdict = policy.verdict(attempt, &deferred_by(Reason::Greylist), spread);
                assert_eq!(verdict, Verdict::RetryAt(at));
            }
        }
        let impatient = RetryPolicy { first_delay: SignedDuration::from_secs(1), ..policy() };
        let second = verdict(&impatient, 2, &deferred_by(Reason::Greylist));
        assert_eq!(second, Verdict::RetryAt(minute(1) + SignedDuration::from_secs(450)));
        assert_eq!(verdict(&policy(), 5, &deferred_by(Reason::Greylist)), Verdict::GiveUp);
    }

    #[test]
    fn a_busy_server_uses_up_time_and_no_attempts() {
        let throttled = deferred_by(Reason::Throttle);
        assert_eq!(verdict(&policy(), 2, &throttled), Verdict::RetryAt(minute(3)));
        assert_eq!(verdict(&policy(), 50, &throttled), Verdict::RetryAt(minute(11)));
        let late = Attempt { number: 50, planned_at: minute(0), ended_at: minute(48 * 60) };
        assert_eq!(policy().verdict(late, &throttled, 0.5), Verdict::TooLate);
    }

    #[test]
    fn a_no_for_good_is_never_repeated() {
        for reason in Reason::ALL {
            let rejected = Outcome::Rejected { reply: reply(), reason };
            assert_eq!(verdict(&policy(), 1, &rejected), Verdict::GiveUp);
        }
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
        for reason in Reason::ALL {
            for spread in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, f64::MAX] {
                let last = Attempt {
                    number: u32::MAX,
                    planned_at: Timestamp::MIN,
                    ended_at: Timestamp::MAX,
                };
                let verdict = endless.verdict(last, &deferred_by(reason), spread);
                assert!(matches!(verdict, Verdict::RetryAt(_) | Verdict::GiveUp), "{verdict:?}");
            }
        }
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
            (prop::sample::select(&Reason::ALL), prop::option::of(0..20_000_i64)).prop_map(
                |(reason, wish)| Outcome::Deferred {
                    reply: reply(),
                    reason,
                    not_before: wish.map(minute),
                }
            ),
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
                if uses_up_attempts(&outcome) {
                    prop_assert!(attempt.number < policy.max_attempts);
                }
            }
        }

        #[test]
        fn what_says_nothing_about_the_delivery_uses_up_time_but_no_attempts(
            policy in any_policy(), attempt in any_attempt(), busy in any::<bool>(), spread in 0.0..=1.0_f64,
        ) {
            let outcome = if busy { deferred_by(Reason::Throttle) } else { Outcome::Unreachable(reply()) };
            let verdict = policy.verdict(attempt, &outcome, spread);
            prop_assert!(matches!(verdict, Verdict::RetryAt(_) | Verdict::TooLate), "{verdict:?}");
        }

        #[test]
        fn what_was_given_up_stays_given_up_with_more_attempts_and_less_time(
            policy in any_policy(), attempt in any_attempt(), outcome in any_retryable(),
            more in 0..10_u32, later in 0..5_000_i64, spread in 0.0..=1.0_f64,
        ) {
            let before = policy.verdict(attempt, &outcome, spread);
            let worse = Attempt {
                number: attempt.number + more,
                ended_at: attempt.ended_at + SignedDuration::from_mins(later),
                ..attempt
            };
            let after = policy.verdict(worse, &outcome, spread);
            match (before, after) {
                (Verdict::RetryAt(before), Verdict::RetryAt(after)) => prop_assert!(before <= after),
                (Verdict::GiveUp, after) => prop_assert_eq!(after, Verdict::GiveUp),
                (Verdict::TooLate, after) => {
                    prop_assert!(matches!(after, Verdict::TooLate | Verdict::GiveUp), "{after:?}");
                }
                (Verdict::Hold, after) => prop_assert_eq!(after, Verdict::Hold),
                (Verdict::RetryAt(_), _) => {}
                (before, after) => prop_assert!(false, "{before:?} {after:?}"),
            }
        }

        #[test]
        fn delays_grow_with_the_attempts_and_stay_within_a_fifth_of_the_rule(
            policy in any_policy(), number in 1..40_u32, reason in prop::sample::select(&Reason::ALL),
            spread in 0.0..=1.0_f64,
        ) {
            let policy = RetryPolicy { max_attempts: 100, give_up_after: SignedDuration::from_hours(9_999), ..policy };
            let delay = |number| match policy.verdict(
                Attempt { number, planned_at: minute(0), ended_at: minute(0) }, &deferred_by(reason), spread,
            ) {
                Verdict::RetryAt(at) => at.duration_since(minute(0)),
                other => panic!("{other:?}"),
            };
            let rule = policy.first_delay.saturating_mul(1 << (number - 1).min(16)).min(policy.max_delay);
            prop_assert!(delay(number) <= delay(number + 1));
            if reason == Reason::Greylist {
                prop_assert!(delay(number) >= GREYLIST.0);
                prop_assert!(delay(number) <= GREYLIST.1.max(rule * 6 / 5));
            } else {
                prop_assert!(delay(number) >= rule * 4 / 5 && delay(number) <= rule * 6 / 5);
            }
        }
    }
}
