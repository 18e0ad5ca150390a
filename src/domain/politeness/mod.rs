//! Politeness: how fast, how many at once and when a server or a destination domain may be spoken to.
//!
//! Pure. Every decision takes `now`; the dispatcher holds the state and asks.

mod breaker;
mod congestion;
mod pace;
mod warm_up;
mod window;

pub use breaker::{Breaker, Passage};
pub use congestion::{Congestion, DomainLimits};
pub use pace::{Pace, Rate};
pub use warm_up::WarmUp;
pub use window::SendWindow;
