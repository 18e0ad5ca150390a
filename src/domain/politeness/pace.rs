//! A rate, and keeping to it: a token bucket.

use jiff::{SignedDuration, Timestamp};

/// So many in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: SignedDuration,
}

/// Keeps to a `Rate`. As many as fall into one second may go at once, and always one.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Microseconds that one takes.
    cost: i64,
    /// Microseconds' worth that may be saved up.
    depth: i64,
    /// When the bucket is full again, in microseconds since 1970.
    full_at: i64,
}

const SECOND: i64 = 1_000_000;

impl Pace {
    pub fn new(rate: Rate) -> Self {
        let per = i64::try_from(rate.per.as_micros()).unwrap_or(i64::MAX / 4);
        let cost = (per / i64::from(rate.count.max(1))).max(1);
        Self { cost, depth: cost.max(SECOND), full_at: i64::MIN / 2 }
    }

    /// When the next one may go: at `now` or later.
    pub fn next_at(&self, now: Timestamp) -> Timestamp {
        let now_at = now.as_microsecond();
        // Whatever a clock that was set back says, nobody waits longer than the bucket is deep.
        let full_at = self.full_at.min(now_at.saturating_add(self.depth));
        let free_at = full_at.saturating_add(self.cost).saturating_sub(self.depth);
        if free_at <= now_at { now } else { Timestamp::from_microsecond(free_at).unwrap_or(now) }
    }

    /// One went at `now`.
    pub fn take(&mut self, now: Timestamp) {
        let now = now.as_microsecond();
        let full_at = self.full_at.clamp(now, now.saturating_add(self.depth));
        self.full_at = full_at.saturating_add(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap()
    }

    /// How many go in `seconds` when somebody always wants to.
    fn count(rate: Rate, seconds: i64) -> u32 {
        let mut pace = Pace::new(rate);
        let mut now = at(0);
        let mut gone = 0;
        loop {
            now = pace.next_at(now);
            if now >= at(seconds * SECOND) {
                return gone;
            }
            pace.take(now);
            gone += 1;
        }
    }

    #[test]
    fn a_rate_is_kept_to_after_a_second_of_its_worth() {
        let per = SignedDuration::from_secs(1);
        assert_eq!(count(Rate { count: 10, per }, 60), 10 + 590 + 9);
        let slow = Rate { count: 6, per: SignedDuration::from_mins(1) };
        assert_eq!(count(slow, 60), 6);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_span_of_time_sees_more_than_the_rate_and_its_burst(
            wanted in 1..500_u32, per in 1..100_000_i64, waits in prop::collection::vec(0..5_000_000_i64, 1..200),
        ) {
            let rate = Rate { count: wanted, per: SignedDuration::from_millis(per) };
            let mut pace = Pace::new(rate);
            let mut now = at(0);
            let mut gone = Vec::new();
            for wait in waits {
                now = pace.next_at(now + SignedDuration::from_micros(wait));
                pace.take(now);
                gone.push(now.as_microsecond());
            }
            let cost = (per * 1_000 / i64::from(wanted)).max(1);
            let depth = cost.max(SECOND);
            for (first, from) in gone.iter().enumerate() {
                for (last, to) in gone.iter().enumerate().skip(first) {
                    let count = i64::try_from(last - first + 1).unwrap();
                    prop_assert!(count * cost <= to - from + depth + cost);
                }
            }
        }

        #[test]
        fn a_clock_that_jumps_makes_nobody_wait_for_long(jump in -1_000_000_000_000_i64..1_000_000_000_000) {
            let mut pace = Pace::new(Rate { count: 10, per: SignedDuration::from_secs(1) });
            for _ in 0..10 {
                pace.take(at(0));
            }
            let now = at(jump);
            prop_assert!(pace.next_at(now) <= now + SignedDuration::from_secs(1));
        }
    }
}
