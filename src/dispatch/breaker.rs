//! The circuit breaker of one channel: after a server could not be reached, everybody waits, then tries again.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(300);

/// Closed while the server answers. Shared by the connections of a channel.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
}

impl Breaker {
    /// The server answered.
    pub(crate) fn reached(&self) {
        *self.lock() = State::default();
    }

    /// The server could not be reached at `now`. Returns when to try again: later each time, scattered by `spread`.
    pub(crate) fn unreachable(&self, now: Timestamp, spread: f64) -> Timestamp {
        let mut state = self.lock();
        // Connections that fail together are one failure.
        if let Some(until) = state.open_until.filter(|until| *until > now) {
            return until;
        }
        let doublings = state.failures.min(8);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let until = now.saturating_add(pause.mul_f64(0.8 + 0.4 * spread)).unwrap_or(Timestamp::MAX);
        *state = State { failures: state.failures.saturating_add(1), open_until: Some(until) };
        until
    }

    /// Resolves when the server may be tried.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        let until = self.lock().open_until;
        if let Some(until) = until {
            clock.sleep_until(until).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no code panics while it holds the breaker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn pauses_grow_until_the_server_answers() {
        let breaker = Breaker::default();
        assert_eq!(breaker.unreachable(at(0), 0.5), at(2));
        assert_eq!(breaker.unreachable(at(1), 0.5), at(2), "the same failure, seen by a neighbour");
        assert_eq!(breaker.unreachable(at(2), 0.5), at(6));
        breaker.reached();
        assert_eq!(breaker.unreachable(at(10), 0.5), at(12));
    }

    #[test]
    fn no_pause_is_longer_than_five_minutes() {
        let breaker = Breaker::default();
        let mut now = at(0);
        for _ in 0..30 {
            let until = breaker.unreachable(now, 1.0);
            assert!(until.duration_since(now) <= SignedDuration::from_secs(360));
            now = until;
        }
    }
}
