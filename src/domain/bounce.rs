//! What a refusal says about an address: nothing, something that adds up, or all there is to say.

use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Reason, Verdict};

/// What the end of a delivery is held against its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// Nothing: it went well, will be tried again, or speaks of us, the message or a server.
    None,
    /// Takes nothing for now, such as a full mailbox: [`SoftBounces`] counts.
    Soft,
    /// Does not exist: suppress it at once.
    Hard,
}

impl Bounce {
    /// Judges `outcome`, on which `verdict` followed.
    ///
    /// A delivery counts once, when it is over: not each of its attempts. Only what a server said of this mailbox counts: a
    /// bad fortnight of our own relay must not cost us our readers.
    #[must_use]
    pub fn of(outcome: &Outcome, verdict: Verdict) -> Self {
        let over = matches!(verdict, Verdict::GiveUp | Verdict::TooLate);
        match outcome {
            Outcome::Rejected { reason: Reason::Address, .. } => Self::Hard,
            Outcome::Rejected { reason: Reason::Mailbox, .. } => Self::Soft,
            Outcome::Deferred { reason: Reason::Address | Reason::Mailbox, .. } if over => {
                Self::Soft
            }
            Outcome::Accepted(_)
            | Outcome::Deferred { .. }
            | Outcome::Rejected { .. }
            | Outcome::Uncertain(_)
            | Outcome::Unreachable(_)
            | Outcome::NotOurs => Self::None,
        }
    }
}

/// Soft bounces of one address, the old ones half forgotten.
///
/// A score above [`Self::TOO_MANY`] takes five bounces over 16 days or longer. Weekly mail gets there with its fifth
/// bounce, daily mail after 18 days, monthly mail after eight months.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftBounces {
    /// As it was at `at`; 0 for none.
    pub score: f64,
    /// When the last one was counted.
    pub at: Timestamp,
}

impl SoftBounces {
    /// In this time half of the score is forgotten.
    pub const HALF_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

    /// A bounce counts in full when it comes so long after the one before, and less when it comes sooner: ten bounces of one
    /// bad day are one bad day.
    pub const FULL_WEIGHT_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

    /// From this score on the address is to be suppressed. Less than five, because the first are partly forgotten when the
    /// fifth comes.
    pub const TOO_MANY: f64 = 4.0;

    /// The first one.
    #[must_use]
    pub fn first(now: Timestamp) -> Self {
        Self { score: 1.0, at: now }
    }

    /// Counts one that happened `now`. A score that is no number counts as none.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a time is no number of bounces")]
    pub fn add(self, now: Timestamp) -> Self {
        let score = if self.score.is_finite() { self.score.max(0.0) } else { 0.0 };
        if score == 0.0 {
            return Self::first(now);
        }
        // A clock that went back must not make the old ones count for more.
        let since = now.duration_since(self.at).max(SignedDuration::ZERO).as_secs_f64();
        let kept = score * (-since / Self::HALF_LIFE.as_secs_f64()).exp2();
        let weight = (since / Self::FULL_WEIGHT_AFTER.as_secs_f64()).min(1.0);
        Self { score: kept + weight, at: now.max(self.at) }
    }

    /// Whether the address is to be suppressed.
    #[must_use]
    pub fn is_too_many(self) -> bool {
        self.score >= Self::TOO_MANY
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Reply;

    fn reply() -> Reply {
        Reply::new("mx.test:25", Some(550), "no")
    }

    fn day(days: f64) -> Timestamp {
        let seconds = SignedDuration::from_secs_f64(days * 86_400.0);
        Timestamp::from_second(1_800_000_000).unwrap() + seconds
    }

    /// On which day bounces every `every` days are too many, and how many those were.
    fn too_many(every: f64) -> (f64, u32) {
        let mut bounces = SoftBounces::first(day(0.0));
        let (mut today, mut count) = (0.0, 1);
        while !bounces.is_too_many() {
            today += every;
            count += 1;
            bounces = bounces.add(day(today));
        }
        (today, count)
    }

    #[test]
    fn only_what_a_server_said_of_the_mailbox_counts_and_only_once_a_delivery() {
        let again = Verdict::RetryAt(day(1.0));
        for reason in Reason::ALL {
            let rejected = Outcome::Rejected { reply: reply(), reason };
            let deferred = Outcome::Deferred { reply: reply(), reason, not_before: None };
            let (hard, soft) = match reason {
                Reason::Address => (Bounce::Hard, Bounce::Soft),
                Reason::Mailbox => (Bounce::Soft, Bounce::Soft),
                Reason::Throttle
                | Reason::Greylist
                | Reason::Policy
                | Reason::Message
                | Reason::System => (Bounce::None, Bounce::None),
            };
            assert_eq!(Bounce::of(&rejected, Verdict::GiveUp), hard);
            assert_eq!(Bounce::of(&deferred, Verdict::GiveUp), soft);
            assert_eq!(Bounce::of(&deferred, Verdict::TooLate), soft);
            assert_eq!(Bounce::of(&deferred, again), Bounce::None);
        }
        for outcome in [
            Outcome::Accepted(reply()),
            Outcome::Uncertain(reply()),
            Outcome::Unreachable(reply()),
            Outcome::NotOurs,
        ] {
            for verdict in [Verdict::Done, Verdict::GiveUp, Verdict::TooLate, again] {
                assert_eq!(Bounce::of(&outcome, verdict), Bounce::None);
            }
        }
    }

    #[test]
    fn newsletters_of_any_cadence_notice_in_the_end() {
        assert_eq!(too_many(7.0), (28.0, 5));
        assert_eq!(too_many(30.0), (210.0, 8));
        let (days, count) = too_many(1.0);
        assert_eq!((days, count), (18.0, 19));
    }

    #[test]
    fn half_of_it_is_forgotten_in_a_season() {
        let bounces = SoftBounces { score: 3.0, at: day(0.0) }.add(day(90.0));
        assert!((bounces.score - 2.5).abs() < 1e-9);
        let never = SoftBounces { score: 0.0, at: day(0.0) };
        assert_eq!(never.add(day(1.0)), SoftBounces::first(day(1.0)));
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        for score in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let bounces = SoftBounces { score, at: Timestamp::MAX }.add(Timestamp::MIN);
            assert_eq!(bounces, SoftBounces::first(Timestamp::MIN));
        }
        let back = SoftBounces { score: 2.0, at: Timestamp::MAX }.add(Timestamp::MIN);
        assert_eq!(back, SoftBounces { score: 2.0, at: Timestamp::MAX });
        let far = SoftBounces { score: f64::MAX, at: Timestamp::MIN }.add(Timestamp::MAX);
        assert!((far.score - 1.0).abs() < 1e-9);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_takes_five_bounces_and_two_weeks(gaps in prop::collection::vec(0.0..40.0_f64, 0..60)) {
            let mut bounces = SoftBounces::first(day(0.0));
            let (mut count, mut today) = (1, 0.0);
            for gap in gaps {
                prop_assert!(bounces.score >= 0.0);
                if bounces.is_too_many() {
                    prop_assert!(count >= 5, "{count}");
                    prop_assert!(today >= 14.0, "{today}");
                    break;
                }
                today += gap;
                count += 1;
                bounces = bounces.add(day(today));
            }
        }

        #[test]
        fn one_more_never_makes_it_better_than_the_time_alone_would(
            score in 0.1..10.0_f64, gap in 0.0..400.0_f64,
        ) {
            let bounces = SoftBounces { score, at: day(0.0) }.add(day(gap));
            let forgotten = score * (-gap / 90.0).exp2();
            prop_assert!(bounces.score >= forgotten - 1e-6 && bounces.score <= forgotten + 1.0 + 1e-6);
        }
    }
}
