//! The exchange: where the jobs of a group of channels wait, and where the connections of all its servers take them.
//!
//! Taking is pulling: a connection that is free asks for the most urgent job that its server may carry now. So a server
//! that is slow, down or out of its quota holds up nothing that another one could carry, and a domain that wants to be
//! spoken to slowly holds up nobody else's mail.

mod flows;
mod servers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::{GroupSpec, Limits};
use crate::clock::Clock;
use crate::domain::{EditionId, Lane, Outcome};

use flows::Flows;
pub(crate) use servers::Purse;
use servers::Servers;

/// A batch of which nothing could be taken for so long goes back, so that others can be claimed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Shared by the feeders and connections of a group.
pub(crate) struct Exchange {
    state: Mutex<State>,
    /// Rung when a job may have become takeable.
    bell: Notify,
}

struct State {
    flows: Flows,
    servers: Servers,
    /// Allowances of sending domains that are being warmed up.
    warm_ups: HashMap<String, Purse>,
    batches: HashMap<i64, Progress>,
    limits: Limits,
    /// A server that is ahead of its share waits for another to take something.
    turn_awaited: bool,
    is_closed: bool,
}

/// How far a batch has come here.
struct Progress {
    waiting: usize,
    moved_at: Instant,
    /// When something of it may go, as far as was found out.
    next_at: Option<Timestamp>,
}

/// What a connection gets that asks for work.
pub(crate) enum Taken {
    Job(Box<Job>),
    /// Nothing now. A time: not before, unless the bell rings.
    Nothing(Option<Timestamp>),
    /// And there will be nothing any more.
    Closed,
}

impl Exchange {
    pub(crate) fn new(group: &GroupSpec) -> Self {
        let warm_ups = group.warm_ups.keys().map(|name| (name.clone(), Purse::limited()));
        let state = State {
            flows: Flows::default(),
            servers: Servers::new(&group.servers),
            warm_ups: warm_ups.collect(),
            batches: HashMap::new(),
            limits: group.limits.clone(),
            turn_awaited: false,
            is_closed: false,
        };
        Self { state: Mutex::new(state), bell: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the exchange")
    }

    /// Puts jobs of one batch on offer. Once the exchange is closed they are dropped: the deliveries stay as they are.
    pub(crate) fn offer(&self, jobs: Vec<Job>) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        for job in jobs {
            let batch = state.batches.entry(job.lease.batch).or_insert_with(Progress::new);
            batch.waiting += 1;
            state.flows.push_back(job);
        }
        drop(state);
        self.bell.notify_waiters();
    }

    /// Gives a job back that was taken and not tried.
    pub(crate) fn put_back(&self, mut job: Job) {
        job.put_back += 1;
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        state.batches.entry(job.lease.batch).or_insert_with(Progress::new).waiting += 1;
        state.flows.push_front(job);
        drop(state);
        self.bell.notify_waiters();
    }

    /// The next job for a connection of `server`, when there is one. None: there will be none any more.
    pub(crate) async fn next(
        &self,
        server: usize,
        clock: &dyn Clock,
        stop: &CancellationToken,
    ) -> Option<Box<Job>> {
        loop {
            let mut rung = std::pin::pin!(self.bell.notified());
            rung.as_mut().enable();
            // What waits stays as it is.
            if stop.is_cancelled() {
                return None;
            }
            let until = match self.take(server, clock.now()) {
                Taken::Job(job) => return Some(job),
                Taken::Closed => return None,
                Taken::Nothing(until) => until,
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                () = rung => {}
                () = clock.sleep_until(until.unwrap_or(Timestamp::MAX)) => {}
            }
        }
    }

    /// The most urgent job that `server` may carry at `now`. Whoever takes one must `told` what became of it, or put it back.
    pub(crate) fn take(&self, server: usize, now: Timestamp) -> Taken {
        let mut state = self.lock();
        if state.is_closed {
            return Taken::Closed;
        }
        let taken = state.take(server, now);
        let rings = matches!(taken, Taken::Job(_)) && std::mem::take(&mut state.turn_awaited);
        drop(state);
        if rings {
            self.bell.notify_waiters();
        }
        taken
    }

    /// What became of a job that `server` carried. Says until when the server is left alone, when it could not be reached
    /// too often.
    pub(crate) fn told(
        &self,
        server: usize,
        job: &Job,
        outcome: &Outcome,
        (now, spread): (Timestamp, f64),
    ) -> Option<Timestamp> {
        let mut state = self.lock();
        let (until, frees) = state.servers.told(server, (&job.domain, outcome), (now, spread));
        drop(state);
        if frees {
            self.bell.notify_waiters();
        }
        until
    }

    /// Whether another server could carry `job` at `now`.
    pub(crate) fn has_other_way(&self, server: usize, job: &Job, now: Timestamp) -> bool {
        let state = self.lock();
        job.channel
            .servers
            .iter()
            .any(|&other| other != server && state.servers.is_available(other, now))
    }

    /// A job of `server` ended without the server having been asked.
    pub(crate) fn untried(&self, server: usize, job: &Job, now: Timestamp) {
        let mut state = self.lock();
        state.servers.untried(server, &job.domain, now);
        drop(state);
        self.bell.notify_waiters();
    }

    /// Takes the jobs of `batch` back if nothing of it has moved for a while.
    pub(crate) fn take_back_stuck(&self, batch: i64) -> Option<Stuck> {
        let mut state = self.lock();
        let progress = state.batches.get(&batch)?;
        if progress.waiting == 0 || progress.moved_at.elapsed() < PATIENCE {
            return None;
        }
        let next_at = progress.next_at;
        state.remove(|job| job.lease.batch == batch);
        Some(Stuck { next_at })
    }

    /// Drops what waits of `edition`: it was paused, or its text is an old one.
    pub(crate) fn drop_edition(&self, edition: EditionId) {
        self.lock().remove(|job| job.edition() == Some(edition));
    }

    /// Forgets a batch that is settled.
    pub(crate) fn forget(&self, batch: i64) {
        self.lock().batches.remove(&batch);
    }

    /// Takes no more jobs and throws away what waits: the deliveries stay as they are. A job that slipped in after the
    /// last worker had gone would hold its batch open, and with it the process.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.remove(|_| true);
        drop(state);
        self.bell.notify_waiters();
    }

    /// The allowances that are running low: what each is called and how many were used without having been reserved.
    pub(crate) fn low_purses(&self, now: Timestamp) -> Vec<(String, i64)> {
        let state = self.lock();
        let warm_ups =
            state.warm_ups.iter().map(|(name, purse)| (format!("warm-up:{name}"), purse));
        let low = state.servers.purses().chain(warm_ups).filter(|(_, purse)| purse.is_low(now));
        low.map(|(name, purse)| (name, purse.owed())).collect()
    }

    /// Fills the allowance called `name`.
    pub(crate) fn fill_purse(&self, name: &str, filling: Filling) {
        let mut state = self.lock();
        let purse = match name.strip_prefix("warm-up:") {
            Some(domain) => state.warm_ups.get_mut(domain),
            None => state.servers.purse(name),
        };
        if let Some(purse) = purse {
            purse.fill(filling);
        }
        drop(state);
        self.bell.notify_waiters();
    }

    /// What is left of each allowance, to be given back at the end.
    pub(crate) fn empty_purses(&self) -> Vec<(String, i64, i64)> {
        let mut state = self.lock();
        let State { servers, warm_ups, .. } = &mut *state;
        let warm_ups = warm_ups.iter_mut().map(|(name, purse)| (format!("warm-up:{name}"), purse));
        let all = servers.purses_mut().chain(warm_ups);
        all.map(|(name, purse)| (name, purse.empty(), purse.hour())).collect()
    }
}

/// A batch of which nothing could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// When something of it may go, as far as is known.
    pub(crate) next_at: Option<Timestamp>,
}

/// What an allowance is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    /// None: there is no limit (any more).
    pub(crate) granted: Option<i64>,
    pub(crate) hour: i64,
    /// How many of those that were owed are booked now.
    pub(crate) settled: i64,
    /// When to ask again if nothing was granted.
    pub(crate) ask_again_at: Timestamp,
}

impl Progress {
    fn new() -> Self {
        Self { waiting: 0, moved_at: Instant::now(), next_at: None }
    }
}

impl State {
    fn take(&mut self, server: usize, now: Timestamp) -> Taken {
        if let Err(until) = self.servers.may_speak(server, now) {
            return Taken::Nothing(until);
        }
        let mut soonest: Option<Timestamp> = None;
        let Self { flows, servers, warm_ups, batches, turn_awaited, .. } = self;
        let taken = flows.take(|flow, job| {
            let is_letter = job.lane == Lane::Letter;
            let verdict = if !flow.channel.servers.contains(&server) {
                Err(None)
            } else if is_letter {
                servers.may_carry(server, (&flow.channel, &job.domain), now)
            } else {
                flow.may_go(now)
                    .and_then(|()| servers.has_allowance(server, now))
                    .and_then(|()| warmed(warm_ups, &job.channel, now))
                    .and_then(|()| servers.may_carry(server, (&flow.channel, &job.domain), now))
                    .and_then(|()| {
                        let turn = servers.is_its_turn(server, &flow.channel, now);
                        *turn_awaited |= turn.is_err();
                        turn
                    })
            };
            if let Err(until) = verdict {
                soonest = earlier(soonest, until);
                if let (Some(batch), Some(until)) = (batches.get_mut(&job.lease.batch), until) {
                    batch.next_at = Some(until);
                }
            }
            verdict.is_ok()
        });
        let Some(job) = taken else { return Taken::Nothing(soonest) };
        let is_counted = matches!(job.lane, Lane::Letter | Lane::Instant | Lane::Digest);
        if is_counted && let Some(name) = &job.channel.warm_up {
            self.warm_ups.get_mut(name).map(Purse::spend);
        }
        self.servers.begin(server, (&job.domain, &self.limits), now);
        if let Some(batch) = self.batches.get_mut(&job.lease.batch) {
            batch.waiting = batch.waiting.saturating_sub(1);
            batch.moved_at = Instant::now();
        }
        Taken::Job(Box::new(job))
    }

    fn remove(&mut self, unwanted: impl Fn(&Job) -> bool) {
        for job in self.flows.remove(unwanted) {
            if let Some(batch) = self.batches.get_mut(&job.lease.batch) {
                batch.waiting = batch.waiting.saturating_sub(1);
            }
        }
    }
}

fn warmed(
    warm_ups: &HashMap<String, Purse>,
    channel: &super::ChannelSpec,
    now: Timestamp,
) -> Result<(), Option<Timestamp>> {
    let purse = channel.warm_up.as_ref().and_then(|name| warm_ups.get(name));
    purse.map_or(Ok(()), |purse| purse.may_spend(now))
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    [a, b].into_iter().flatten().min()
}
