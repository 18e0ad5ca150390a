//! Time as a thing that is handed around: the real one, and one that tests move by hand.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::watch;

/// Where loops get the time from. Pure code takes `now` instead.
pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> Timestamp;

    /// Resolves when `now()` has reached `at`.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// A clock that is shared by everything that runs.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the system clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // Short sleeps: a suspended laptop or a stepped clock must not delay a tick by hours.
            loop {
                let left = at.duration_since(self.now());
                let Ok(left) = Duration::try_from(left) else { return };
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(Duration::from_secs(30))).await;
            }
        })
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    at: Mutex<Timestamp>,
    moved: watch::Sender<Timestamp>,
}

impl ManualClock {
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(Hands { at: Mutex::new(start), moved: watch::Sender::new(start) }))
    }

    /// Moves the clock to `at`, waking whoever sleeps until then.
    pub fn set(&self, at: Timestamp) {
        *self.0.at.lock().expect("no code panics while it holds the clock") = at;
        self.0.moved.send_replace(at);
    }

    /// Moves the clock on by `by`.
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.set(self.now().saturating_add(by).expect("tests stay within jiff's range"));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.at.lock().expect("no code panics while it holds the clock")
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut moved = self.0.moved.subscribe();
        Box::pin(async move {
            while *moved.borrow_and_update() < at {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        })
    }
}
