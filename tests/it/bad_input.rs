//! Bad input and bad weather: each is told with its place or with host and reply, and nothing beside it suffers.
//!
//! Told elsewhere: replies of mail servers and webhooks in `deliveries`, silence at each step of an SMTP dialogue in
//! `smtp::faults`, a second daemon and kills in `crash`, schedules that never fire in `cli::faults`.

mod disk;
mod operators;
mod outages;
mod posts;
mod restarts;
