//! Canary rollout: an edition goes to a few first, and to the rest when those few did not object.
//!
//! Pure. The store counts, the dispatcher asks, `Canary::judge` decides.

use jiff::{SignedDuration, Timestamp};

/// How editions are rolled out.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    /// Shares of the audience that have it after each step, growing, each below 1. Empty: everybody at once.
    pub steps: Vec<f64>,
    /// Smaller audiences get it at once: too few to tell anything.
    pub min_audience: i64,
    /// How long a step is watched after its last delivery was tried.
    pub soak: SignedDuration,
    pub limits: CanaryLimits,
}

impl Default for Canary {
    /// Everybody at once.
    fn default() -> Self {
        let limits = CanaryLimits { rejected: 1.0, deferred: 1.0, complained: 1.0 };
        Self { steps: Vec::new(), min_audience: 0, soak: SignedDuration::ZERO, limits }
    }
}

/// Shares above which an edition pauses itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanaryLimits {
    pub rejected: f64,
    pub deferred: f64,
    pub complained: f64,
}

/// Where the deliveries of an edition's released stages stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub accepted: i64,
    pub rejected: i64,
    pub deferred: i64,
    pub uncertain: i64,
    /// Not tried yet.
    pub waiting: i64,
    /// Recipients who called it spam.
    pub complained: i64,
}

impl Counts {
    fn tried(&self) -> i64 {
        self.accepted + self.rejected + self.deferred + self.uncertain
    }
}

/// What follows for an edition of which not everything is released.
#[derive(Clone, Debug, PartialEq)]
pub enum Gate {
    /// Not decided yet. A time: nothing changes before, unless an answer does.
    Wait(Option<Timestamp>),
    /// On to the next stage.
    Release,
    /// Stop, and say why.
    Pause(String),
}

/// Fewer than this tell nothing about a share.
const FEW: i64 = 20;

impl Canary {
    /// How many recipients each stage has before the last, which has whoever is left. Empty: everybody at once.
    pub fn samples(&self, audience: i64) -> Vec<i64> {
        let mut samples = Vec::new();
        if audience < self.min_audience {
            return samples;
        }
        let mut begun = 0;
        for share in &self.steps {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "shares are below 1, and audiences far below 2^52"
            )]
            let end = ((audience as f64 * share).ceil() as i64).clamp(begun, audience);
            if end > begun && end < audience {
                samples.push(end - begun);
                begun = end;
            }
        }
        samples
    }

    /// What follows for an edition whose latest stage was last worked on at `tried_at`.
    pub fn judge(&self, counts: &Counts, tried_at: Timestamp, now: Timestamp) -> Gate {
        let limits = [
            ("were rejected", counts.rejected, self.limits.rejected),
            ("were deferred", counts.deferred, self.limits.deferred),
            ("were called spam", counts.complained, self.limits.complained),
        ];
        let tried = counts.tried();
        // Deferred mail is often taken at the second try: its share says something only when the stage is through.
        for (what, bad, limit) in limits {
            let hasty = what != "were deferred" && tried >= FEW && surely_above(bad, tried, limit);
            if hasty {
                return Gate::Pause(why(what, bad, tried, limit));
            }
        }
        if counts.waiting > 0 {
            return Gate::Wait(None);
        }
        let until = tried_at.saturating_add(self.soak).unwrap_or(Timestamp::MAX);
        if now < until {
            return Gate::Wait(Some(until));
        }
        for (what, bad, limit) in limits {
            if tried > 0 && share(bad, tried) > limit {
                return Gate::Pause(why(what, bad, tried, limit));
            }
        }
        Gate::Release
    }
}

fn why(what: &str, bad: i64, tried: i64, limit: f64) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    format!(
        "{bad} of the first {tried} mails {what}: {}, and the limit is {}",
        percent(share(bad, tried)),
        percent(limit)
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails are far below 2^52")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Whether the true share is above `limit` with a probability of about 97.5 %: the lower bound of Wilson's interval.
#[expect(clippy::cast_precision_loss, reason = "counts of mails are far below 2^52")]
fn surely_above(part: i64, whole: i64, limit: f64) -> bool {
    const Z: f64 = 1.96;
    let (p, n) = (share(part, whole), whole.max(1) as f64);
    let z2n = Z * Z / n;
    let lower = (p + z2n / 2.0 - Z * (p * (1.0 - p) / n + z2n / (4.0 * n)).sqrt()) / (1.0 + z2n);
    lower > limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canary() -> Canary {
        Canary {
            steps: vec![0.01, 0.1],
            min_audience: 1_000,
            soak: SignedDuration::from_mins(15),
            limits: CanaryLimits { rejected: 0.05, deferred: 0.3, complained: 0.003 },
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn counts(accepted: i64, rejected: i64, deferred: i64, waiting: i64) -> Counts {
        Counts { accepted, rejected, deferred, waiting, ..Counts::default() }
    }

    #[test]
    fn one_percent_then_ten_then_all() {
        assert_eq!(canary().samples(100_000), [1_000, 9_000]);
        assert_eq!(canary().samples(1_000), [10, 90]);
        assert!(canary().samples(999).is_empty());
        assert!(Canary { steps: vec![], ..canary() }.samples(5_000).is_empty());
    }

    #[test]
    fn a_stage_that_went_well_is_followed_by_the_next_after_its_soak() {
        let done = counts(980, 20, 0, 0);
        assert_eq!(canary().judge(&counts(500, 0, 0, 500), at(0), at(0)), Gate::Wait(None));
        assert_eq!(canary().judge(&done, at(0), at(1)), Gate::Wait(Some(at(15))));
        assert_eq!(canary().judge(&done, at(0), at(15)), Gate::Release);
    }

    #[test]
    fn it_pauses_at_once_when_it_is_sure_and_at_the_end_when_in_doubt() {
        let Gate::Pause(why) = canary().judge(&counts(40, 20, 0, 940), at(0), at(0)) else {
            panic!("a third was rejected");
        };
        assert_eq!(why, "20 of the first 60 mails were rejected: 33.3 %, and the limit is 5.0 %");
        assert_eq!(canary().judge(&counts(18, 1, 0, 981), at(0), at(0)), Gate::Wait(None));
        assert!(matches!(canary().judge(&counts(94, 6, 0, 0), at(0), at(15)), Gate::Pause(_)));
        assert!(matches!(canary().judge(&counts(60, 0, 40, 0), at(0), at(15)), Gate::Pause(_)));
        assert_eq!(canary().judge(&counts(60, 0, 40, 10), at(0), at(15)), Gate::Wait(None));
        let spam = Counts { complained: 30, ..counts(1_000, 0, 0, 0) };
        assert!(matches!(canary().judge(&spam, at(0), at(0)), Gate::Pause(_)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_samples_leave_somebody_for_the_last_stage(
            audience in 0..10_000_000_i64, steps in prop::collection::vec(0.0..1.0_f64, 0..5),
        ) {
            let mut steps = steps;
            steps.sort_by(f64::total_cmp);
            let samples = Canary { steps, ..canary() }.samples(audience);
            prop_assert!(audience == 0 || samples.iter().sum::<i64>() < audience);
            prop_assert!(samples.iter().all(|size| *size > 0));
        }

        #[test]
        fn more_rejections_never_turn_a_pause_into_a_release(
            accepted in 0..5_000_i64, rejected in 0..500_i64, more in 0..500_i64,
        ) {
            let late = at(60);
            let pauses = |rejected| matches!(
                canary().judge(&counts(accepted, rejected, 0, 0), at(0), late), Gate::Pause(_)
            );
            prop_assert!(!pauses(rejected) || pauses(rejected + more));
        }
    }
}
