//! The circuit breaker of a server: closed while it answers, open when it does not, half-open for one to try.

use jiff::{SignedDuration, Timestamp};

const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Whether a connection may speak to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Free,
    /// As the only one: what comes of it decides for all.
    Probe,
    /// Not before this time. None: somebody is trying right now.
    Wait(Option<Timestamp>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen,
}

/// Opens after so many failures in a row. Each opening lasts twice as long as the one before, until the server answers.
#[derive(Clone, Debug)]
pub struct Breaker {
    threshold: u32,
    state: State,
    openings: u32,
}

impl Breaker {
    /// `threshold`: failures in a row that open it; a server that refuses one connection too many is not down.
    pub fn new(threshold: u32) -> Self {
        Self { threshold: threshold.max(1), state: State::Closed { failures: 0 }, openings: 0 }
    }

    /// What whoever wants to speak to the server may do at `now`. A `Probe` must be followed by `reached`, `failed` or
    /// `abandoned`.
    pub fn pass(&mut self, now: Timestamp) -> Passage {
        match self.state {
            State::Closed { .. } => Passage::Free,
            State::Open { until } if until <= now => {
                self.state = State::HalfOpen;
                Passage::Probe
            }
            State::Open { until } => Passage::Wait(Some(until)),
            State::HalfOpen => Passage::Wait(None),
        }
    }

    /// The server answered.
    pub fn reached(&mut self) {
        self.state = State::Closed { failures: 0 };
        self.openings = 0;
    }

    /// Whoever was to probe did not get to it.
    pub fn abandoned(&mut self, now: Timestamp) {
        if self.state == State::HalfOpen {
            self.state = State::Open { until: now };
        }
    }

    /// The server could not be reached at `now`. Says since when on: until when nobody tries, if that is so.
    /// `spread` in `0.0..=1.0` scatters the pause by ±20 %.
    pub fn failed(&mut self, now: Timestamp, spread: f64) -> Option<Timestamp> {
        let failures = match self.state {
            State::Closed { failures } => failures + 1,
            State::HalfOpen => self.threshold,
            // Connections that fail together are one failure.
            State::Open { until } => return Some(until),
        };
        if failures < self.threshold {
            self.state = State::Closed { failures };
            return None;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.openings.min(8)).min(LONGEST_PAUSE);
        let pause = pause.mul_f64(0.8 + 0.4 * spread.clamp(0.0, 1.0));
        let until = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.openings = self.openings.saturating_add(1);
        self.state = State::Open { until };
        Some(until)
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Somebody is trying right now.
    pub fn is_probed(&self) -> bool {
        self.state == State::HalfOpen
    }

    /// Until when nobody tries. None: it may be tried.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Open { until } if until > now => Some(until),
            State::Open { .. } | State::Closed { .. } | State::HalfOpen => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_try() {
        let mut breaker = Breaker::new(3);
        assert_eq!(breaker.failed(at(0), 0.5), None);
        breaker.reached();
        assert_eq!(breaker.failed(at(0), 0.5), None);
        assert_eq!(breaker.failed(at(0), 0.5), None);
        assert_eq!(breaker.failed(at(0), 0.5), Some(at(2)));
        assert_eq!(
            breaker.failed(at(1), 0.5),
            Some(at(2)),
            "the same failure, seen by a neighbour"
        );
        assert_eq!(breaker.pass(at(1)), Passage::Wait(Some(at(2))));
        assert_eq!(breaker.pass(at(2)), Passage::Probe);
        assert_eq!(breaker.pass(at(2)), Passage::Wait(None));
        assert_eq!(breaker.failed(at(3), 0.5), Some(at(7)));
        assert_eq!(breaker.pass(at(7)), Passage::Probe);
        breaker.abandoned(at(8));
        assert_eq!(breaker.pass(at(8)), Passage::Probe);
        breaker.reached();
        assert!(breaker.is_closed());
        assert_eq!(breaker.pass(at(8)), Passage::Free);
    }

    #[test]
    fn no_pause_is_longer_than_five_minutes() {
        let mut breaker = Breaker::new(1);
        let mut now = at(0);
        for _ in 0..30 {
            let until = breaker.failed(now, 1.0).unwrap();
            assert!(until.duration_since(now) <= SignedDuration::from_secs(360));
            assert_eq!(breaker.pass(until), Passage::Probe);
            now = until;
        }
    }
}
