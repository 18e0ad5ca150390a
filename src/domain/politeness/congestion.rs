//! How much a destination domain takes from us: learned from its answers, as Postfix and TCP do.
//!
//! While it accepts, one more at a time may be under way for each round of answers; when it says that we are too fast
//! (`Reason::Throttle`), half as many, and below one at a time, a pause between two that doubles. What was learned is
//! forgotten again the same way, by accepting.

use jiff::{SignedDuration, Timestamp};

use super::pace::{Pace, Rate};

/// What a domain is granted at most, by configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainLimits {
    /// Deliveries under way at once.
    pub connections: u32,
    pub rate: Option<Rate>,
}

impl Default for DomainLimits {
    fn default() -> Self {
        Self { connections: 1_000, rate: None }
    }
}

const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// A pause shorter than this is none.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_millis(100);

/// How one domain takes our mail through one server.
#[derive(Clone, Debug)]
pub struct Congestion {
    most: f64,
    /// How many may be under way; grows by one for each round of that many.
    window: f64,
    under_way: u32,
    /// Between two, when even one at a time is too fast.
    pause: SignedDuration,
    not_before: Timestamp,
    pace: Option<Pace>,
    changed_at: Timestamp,
}

impl Congestion {
    pub fn new(limits: DomainLimits) -> Self {
        let most = f64::from(limits.connections.max(1));
        Self {
            most,
            window: most,
            under_way: 0,
            pause: SignedDuration::ZERO,
            not_before: Timestamp::MIN,
            pace: limits.rate.map(Pace::new),
            changed_at: Timestamp::MIN,
        }
    }

    /// When one more may begin. None: when one of those under way has ended.
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        if f64::from(self.under_way) >= self.window.max(1.0) {
            return None;
        }
        let paced = self.pace.as_ref().map_or(now, |pace| pace.next_at(now));
        // A pause that a clock set back would stretch is cut to the longest there is.
        let latest = now.saturating_add(LONGEST_PAUSE).unwrap_or(Timestamp::MAX);
        Some(paced.max(self.not_before.min(latest)).max(now))
    }

    /// One begins at `now`.
    pub fn begin(&mut self, now: Timestamp) {
        self.under_way += 1;
        if let Some(pace) = &mut self.pace {
            pace.take(now);
        }
        if self.pause > SignedDuration::ZERO {
            self.not_before = now.saturating_add(self.pause).unwrap_or(Timestamp::MAX);
        }
    }

    /// One ended without saying anything about our speed.
    pub fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// One ended and was taken: a little more, please.
    pub fn taken(&mut self) {
        self.ended();
        if self.pause > SignedDuration::ZERO {
            self.pause = self.pause * 3 / 4;
            if self.pause < SHORTEST_PAUSE {
                self.pause = SignedDuration::ZERO;
            }
        } else {
            self.window = (self.window + 1.0 / self.window).min(self.most);
        }
    }

    /// One ended because we are too fast. Those that were under way together say it only once.
    pub fn throttled(&mut self, now: Timestamp) {
        let under_way = f64::from(self.under_way.max(1));
        self.ended();
        let together = self.pause.max(FIRST_PAUSE);
        if now >= self.changed_at && now.duration_since(self.changed_at) < together {
            return;
        }
        self.changed_at = now;
        if self.window > 1.0 {
            // Half of what was too much, which may be far less than what would be allowed.
            self.window = (self.window.min(under_way) / 2.0).max(1.0);
        } else {
            self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        }
        self.not_before = now.saturating_add(self.pause.max(FIRST_PAUSE)).unwrap_or(Timestamp::MAX);
    }

    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Nothing would be lost by forgetting it.
    pub fn is_at_rest(&self) -> bool {
        self.under_way == 0 && self.pace.is_none() && !self.is_slowed()
    }

    /// Less than was configured is granted now.
    pub fn is_slowed(&self) -> bool {
        self.window < self.most || self.pause > SignedDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn ten() -> Congestion {
        Congestion::new(DomainLimits { connections: 10, rate: None })
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let mut domain = ten();
        for _ in 0..10 {
            assert_eq!(domain.next_at(at(0)), Some(at(0)));
            domain.begin(at(0));
        }
        assert_eq!(domain.next_at(at(0)), None);
        domain.taken();
        assert_eq!(domain.next_at(at(0)), Some(at(0)));
    }

    #[test]
    fn complaints_that_come_together_halve_once() {
        let mut domain = ten();
        for _ in 0..10 {
            domain.begin(at(0));
        }
        for _ in 0..10 {
            domain.throttled(at(5));
        }
        assert!((domain.window - 5.0).abs() < 1e-9 && domain.is_slowed());
        assert_eq!(domain.next_at(at(5)), Some(at(2_005)));
    }

    #[test]
    fn a_domain_that_takes_one_a_minute_gets_about_one_a_minute_and_recovers() {
        let mut domain = ten();
        let (mut now, mut last_taken, mut refused) = (at(0), at(-60_000), 0);
        for _ in 0..500 {
            now = domain.next_at(now).expect("nothing is under way");
            domain.begin(now);
            if now.duration_since(last_taken) >= SignedDuration::from_mins(1) {
                domain.taken();
                last_taken = now;
            } else {
                domain.throttled(now);
                refused += 1;
            }
        }
        let minutes = now.duration_since(at(0)).as_mins();
        assert!(minutes > 200, "500 tries took {minutes} minutes");
        assert!(refused < 400, "{refused} of 500 were refused");
        for _ in 0..200 {
            now = domain.next_at(now).expect("nothing is under way");
            domain.begin(now);
            domain.taken();
        }
        assert!(!domain.is_slowed());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_it_answers_it_is_never_given_up_and_never_given_more_than_allowed(
            answers in prop::collection::vec((0..3_u8, 0..100_000_i64), 1..300), connections in 1..20_u32,
        ) {
            let mut domain = Congestion::new(DomainLimits { connections, rate: None });
            let mut now = at(0);
            for (answer, wait) in answers {
                now += SignedDuration::from_millis(wait);
                match domain.next_at(now) {
                    Some(next) => {
                        prop_assert!(next >= now && next <= now + LONGEST_PAUSE);
                        now = next;
                        domain.begin(now);
                        prop_assert!(domain.under_way() <= connections);
                    }
                    None => prop_assert!(domain.under_way() > 0),
                }
                match answer {
                    0 => domain.taken(),
                    1 => domain.throttled(now),
                    _ => domain.ended(),
                }
            }
        }
    }
}
