//! Dispatch: claim a batch, hand each delivery to a connection, record what became of it.
//!
//! A channel is where deliveries wait: the mail of a newsletter, the calls to a destination. A group is the channels that
//! share servers, and those servers: all mail is one group, each destination one of its own. Feeders lease batches of a
//! channel and put jobs on the group's exchange; workers, each of which owns one connection to one server for its whole
//! life, take them. Groups share nothing but the ledger, so that a sick one delays no other. No transaction is open while
//! anybody waits for the network.

mod allowance;
mod content;
mod exchange;
mod feeder;
mod job;
mod rollout;
mod round;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::config::Config;
use crate::courier::Courier;
use crate::domain::{DomainLimits, Lane, Rate, RetryPolicy, SendWindow, WarmUp};
use crate::store::{Ledger, Store};
pub use content::{Contents, MailKind, blueprint};

use exchange::Exchange;
use feeder::Feeder;
use worker::Worker;

/// Opens a connection's courier. Called again when one has panicked.
pub type CourierFactory = Arc<dyn Fn() -> Box<dyn Courier> + Send + Sync>;

/// Where deliveries of one kind wait.
#[derive(Clone, Debug)]
pub struct ChannelSpec {
    /// `mail:NEWSLETTER` or `destination:NAME`.
    pub name: String,
    pub retry: RetryPolicy,
    /// Which of the group's servers may carry it.
    pub servers: Vec<usize>,
    /// When editions may go out; letters don't wait.
    pub send_window: Option<SendWindow>,
    /// The sending domain, if it is being warmed up.
    pub warm_up: Option<String>,
}

/// One mail server or destination, ready to be spoken to.
///
/// A server is a smarthost today; a group of MX hosts will be one as well: what carries, and how much of it at once.
#[derive(Clone)]
pub struct ServerSpec {
    pub name: String,
    /// How many connections may be open at once.
    pub connections: usize,
    /// Share beside others; 0 only stands in.
    pub weight: u32,
    pub rate: Option<Rate>,
    /// Mails within 24 hours.
    pub daily_quota: Option<i64>,
    /// Only for recipients at these domains. Empty: for all.
    pub domains: Vec<String>,
    /// Whether mail is signed (DKIM) before it goes there; else the server does.
    pub signs: bool,
    pub courier: CourierFactory,
}

/// What destination domains are granted, through each server.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub domains: BTreeMap<String, DomainLimits>,
    /// None: no domain is limited, as with calls.
    pub others: Option<DomainLimits>,
}

impl Limits {
    fn is_limited(&self) -> bool {
        self.others.is_some()
    }

    fn of(&self, domain: &str) -> DomainLimits {
        self.domains.get(domain).copied().or(self.others).unwrap_or_default()
    }
}

/// Channels and the servers that carry for them.
#[derive(Clone, Default)]
pub struct GroupSpec {
    pub channels: Vec<ChannelSpec>,
    pub servers: Vec<ServerSpec>,
    pub limits: Limits,
    /// By sending domain.
    pub warm_ups: BTreeMap<String, WarmUp>,
}

/// What all groups share.
#[derive(Clone)]
pub struct Dispatch {
    pub config: Arc<Config>,
    pub store: Store,
    pub ledger: Ledger,
    pub clock: SharedClock,
    pub contents: Arc<Contents>,
    /// This process, in leases.
    pub owner: String,
    /// Rung when something was planned.
    pub planned: Arc<Notify>,
    /// Stop claiming, finish what is in flight, give leases back.
    pub stop: CancellationToken,
}

impl Dispatch {
    /// Runs a group until it is stopped and drained.
    pub async fn run_group(self, group: GroupSpec) {
        let exchange = Arc::new(Exchange::new(&group));
        let mut workers = JoinSet::new();
        for (server, spec) in group.servers.iter().enumerate() {
            let spec = Arc::new(spec.clone());
            for _ in 0..spec.connections {
                let worker = Worker {
                    dispatch: self.clone(),
                    server,
                    spec: Arc::clone(&spec),
                    exchange: Arc::clone(&exchange),
                };
                workers.spawn(worker.run());
            }
        }
        let mut tasks = JoinSet::new();
        for channel in group.channels {
            let channel = Arc::new(channel);
            for (lanes, batches) in feeders(&channel.name) {
                let feeder = Feeder {
                    dispatch: self.clone(),
                    channel: Arc::clone(&channel),
                    lanes,
                    batches,
                    exchange: Arc::clone(&exchange),
                };
                tasks.spawn(feeder.run());
            }
        }
        let steward = allowance::Steward {
            dispatch: self.clone(),
            exchange: Arc::clone(&exchange),
            quotas: group
                .servers
                .iter()
                .filter_map(|spec| Some((spec.name.clone(), spec.daily_quota?)))
                .collect(),
            warm_ups: group.warm_ups,
        };
        if steward.has_work() {
            tasks.spawn(steward.run());
        }
        // A panic in a worker or feeder is a bug that must end the process, not one connection silently.
        while let Some(ended) = workers.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        // What waits holds its batch open; it stays planned.
        exchange.close();
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    /// Rolls editions out stage by stage until it is stopped.
    pub async fn run_rollout(self) {
        rollout::run(self).await;
    }
}

/// Which lanes each feeder of a channel looks after, and how many batches it has under way. One does nothing but letters,
/// so that no digest is ahead of them and a letter to a server that hangs is not ahead of the others; one looks after the
/// rest, several batches at once, so that a batch with one slow recipient at its end leaves no connection idle.
fn feeders(channel: &str) -> Vec<((Lane, Lane), usize)> {
    if channel.starts_with("mail:") {
        vec![((Lane::Letter, Lane::Letter), 8), ((Lane::Instant, Lane::Digest), 4)]
    } else {
        // One after the other, so that posts arrive in order.
        vec![((Lane::Announcement, Lane::Announcement), 1)]
    }
}
