//! Dispatch: claim a batch, hand each delivery to a connection, record what became of it.
//!
//! A channel is one mail server or one destination. It has feeders, which lease batches and push jobs, and workers,
//! each of which owns one connection for its whole life. Channels share nothing but the ledger, so that a sick one
//! delays no other. No transaction is open while anybody waits for the network.

mod breaker;
mod content;
mod feeder;
mod queue;
mod worker;

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::config::Config;
use crate::courier::Courier;
use crate::domain::{Lane, RetryPolicy};
use crate::store::{Ledger, Store};
pub use content::{MailKind, blueprint};

use breaker::Breaker;
use feeder::Feeder;
use worker::Worker;

/// Opens a connection's courier. Called again when one has panicked.
pub type CourierFactory = Arc<dyn Fn() -> Box<dyn Courier> + Send + Sync>;

/// One mail server or destination, ready to be run.
#[derive(Clone)]
pub struct ChannelSpec {
    /// `mail:SERVER` or `destination:NAME`.
    pub name: String,
    /// How many connections may be open at once.
    pub connections: usize,
    pub retry: RetryPolicy,
    pub courier: CourierFactory,
}

/// What all channels share.
#[derive(Clone)]
pub struct Dispatch {
    pub config: Arc<Config>,
    pub store: Store,
    pub ledger: Ledger,
    pub clock: SharedClock,
    /// This process, in leases.
    pub owner: String,
    /// Rung when something was planned.
    pub planned: Arc<Notify>,
    /// Stop claiming, finish what is in flight, give leases back.
    pub stop: CancellationToken,
}

impl Dispatch {
    /// Runs a channel until it is stopped and drained.
    pub async fn run_channel(self, channel: ChannelSpec) {
        let (sender, jobs) = queue::jobs(channel.connections);
        let breaker = Arc::new(Breaker::default());
        let channel = Arc::new(channel);
        let mut tasks = JoinSet::new();
        for _ in 0..channel.connections {
            let worker = Worker {
                dispatch: self.clone(),
                channel: Arc::clone(&channel),
                jobs: jobs.clone(),
                breaker: Arc::clone(&breaker),
            };
            tasks.spawn(worker.run());
        }
        drop(jobs);
        for lanes in feeders(&channel.name) {
            let feeder = Feeder {
                dispatch: self.clone(),
                channel: Arc::clone(&channel),
                lanes,
                jobs: sender.clone(),
            };
            tasks.spawn(feeder.run());
        }
        drop(sender);
        // A panic in a worker or feeder is a bug that must end the process, not one connection silently.
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

/// Which lanes each feeder of a channel looks after. Three do nothing but letters, so that no digest is ahead of them and
/// one letter to a server that hangs is not ahead of the others; three share the rest, so that a batch with one slow
/// recipient at its end leaves no connection idle.
fn feeders(channel: &str) -> Vec<(Lane, Lane)> {
    if channel.starts_with("mail:") {
        let letters = (Lane::Letter, Lane::Letter);
        let bulk = (Lane::Instant, Lane::Digest);
        vec![letters, letters, letters, bulk, bulk, bulk]
    } else {
        vec![(Lane::Announcement, Lane::Announcement)]
    }
}
