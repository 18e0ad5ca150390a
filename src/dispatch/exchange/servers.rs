//! The servers of a group as the exchange sees them: whether each can be spoken to, how fast, and whose turn it is.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::{ChannelSpec, Limits, ServerSpec};
use super::Filling;
use crate::domain::{Breaker, Congestion, Outcome, Pace, Passage, Reason};
use crate::telemetry;

/// Failures in a row after which a server counts as down, if it has so many connections.
const FAILURES: usize = 3;
/// A server that takes nothing for so long, although it could, does not keep others from going ahead.
const STANDSTILL: SignedDuration = SignedDuration::from_secs(2);
/// Mails by which a server may be ahead of its share, so that none waits for each single one of the others.
const LEAD: f64 = 8.0;
/// Reserved mails below which more are asked for.
const LOW: i64 = 100;

pub(super) struct Servers(Vec<Server>);

struct Server {
    name: String,
    weight: u32,
    /// The domains that it is only for, if it has such a list.
    only: Vec<String>,
    pace: Option<Pace>,
    breaker: Breaker,
    purse: Option<Purse>,
    congestion: HashMap<Arc<str>, Congestion>,
    /// How much it has carried for its weight.
    share: f64,
    took_at: Timestamp,
}

/// Part of a day's allowance, reserved in the database.
pub(crate) struct Purse {
    /// None: not limited (any more).
    left: Option<i64>,
    owed: i64,
    hour: i64,
    ask_at: Timestamp,
}

impl Purse {
    /// One that must be filled before it can be spent from.
    pub(super) fn limited() -> Self {
        Self { left: Some(0), owed: 0, hour: 0, ask_at: Timestamp::MIN }
    }

    pub(super) fn may_spend(&self, now: Timestamp) -> Result<(), Option<Timestamp>> {
        match self.left {
            None | Some(1..) => Ok(()),
            Some(_) => Err(Some(self.ask_at.max(now)).filter(|at| *at > now)),
        }
    }

    /// Letters are spent without asking; what was not reserved for them is owed.
    pub(super) fn spend(&mut self) {
        match &mut self.left {
            Some(left) if *left > 0 => *left -= 1,
            Some(_) => self.owed += 1,
            None => {}
        }
    }

    pub(super) fn is_low(&self, now: Timestamp) -> bool {
        self.owed > 0 || (self.left.is_some_and(|left| left < LOW) && self.ask_at <= now)
    }

    pub(super) fn owed(&self) -> i64 {
        self.owed
    }

    pub(super) fn fill(&mut self, filling: Filling) {
        self.owed -= filling.settled;
        self.hour = filling.hour;
        self.left = filling.granted.map(|granted| self.left.unwrap_or(0) + granted);
        self.ask_at = match filling.granted {
            // Enough for now; it is asked again when it runs low.
            Some(1..) => Timestamp::MIN,
            Some(_) | None => filling.ask_again_at,
        };
    }

    pub(super) fn empty(&mut self) -> i64 {
        self.left.replace(0).unwrap_or(0)
    }

    pub(super) fn hour(&self) -> i64 {
        self.hour
    }
}

impl Servers {
    pub(super) fn new(specs: &[ServerSpec]) -> Self {
        for spec in specs {
            telemetry::server_reachable(&spec.name, true);
        }
        let servers = specs.iter().map(|spec| Server {
            name: spec.name.clone(),
            weight: spec.weight,
            only: spec.domains.clone(),
            pace: spec.rate.map(Pace::new),
            breaker: Breaker::new(u32::try_from(spec.connections.min(FAILURES)).unwrap_or(1)),
            purse: spec.daily_quota.map(|_| Purse::limited()),
            congestion: HashMap::new(),
            share: 0.0,
            took_at: Timestamp::MIN,
        });
        Self(servers.collect())
    }

    /// Whether the server can be spoken to at all; else when.
    pub(super) fn may_speak(&self, server: usize, now: Timestamp) -> Result<(), Option<Timestamp>> {
        let server = &self.0[server];
        if let Some(until) = server.breaker.open_until(now) {
            return Err(Some(until));
        }
        if server.breaker.is_probed() {
            return Err(None);
        }
        let at = server.pace.as_ref().map_or(now, |pace| pace.next_at(now));
        if at > now { Err(Some(at)) } else { Ok(()) }
    }

    pub(super) fn has_allowance(
        &self,
        server: usize,
        now: Timestamp,
    ) -> Result<(), Option<Timestamp>> {
        self.0[server].purse.as_ref().map_or(Ok(()), |purse| purse.may_spend(now))
    }

    pub(super) fn is_available(&self, server: usize, now: Timestamp) -> bool {
        let open = self.0[server].breaker.open_until(now).is_none();
        open && self.has_allowance(server, now).is_ok()
    }

    /// Whether `server` may have the next job of `channel` before the others that could carry it.
    pub(super) fn is_its_turn(
        &self,
        server: usize,
        channel: &ChannelSpec,
        now: Timestamp,
    ) -> Result<(), Option<Timestamp>> {
        if channel.servers.len() < 2 {
            return Ok(());
        }
        let own = &self.0[server];
        let ahead = channel.servers.iter().filter(|&&other| other != server).any(|&other| {
            let rival = &self.0[other];
            let idle_for = now.duration_since(rival.took_at.min(now));
            let keeps_up = idle_for < STANDSTILL || own.weight == 0;
            let can = rival.weight > 0
                && rival.breaker.is_closed()
                && self.may_speak(other, now).is_ok()
                && self.has_allowance(other, now).is_ok();
            let behind = || rival.share + LEAD / f64::from(rival.weight) < own.share;
            can && keeps_up && (own.weight == 0 || behind())
        });
        // Whoever is behind rings when it takes one; if it takes none, it does not keep up.
        let soon = now.saturating_add(STANDSTILL).unwrap_or(Timestamp::MAX);
        if ahead { Err(Some(soon)) } else { Ok(()) }
    }

    /// Whether mail for `domain` may go through `server`; else when.
    pub(super) fn may_carry(
        &self,
        server: usize,
        (channel, domain): (&ChannelSpec, &Arc<str>),
        now: Timestamp,
    ) -> Result<(), Option<Timestamp>> {
        let own = &self.0[server];
        let lists = |server: &Server| server.only.iter().any(|only| **only == **domain);
        if !own.only.is_empty() && !lists(own) {
            return Err(None);
        }
        // A server that is meant for this domain goes first, while it is there.
        let meant = |&other: &usize| other != server && lists(&self.0[other]);
        if own.only.is_empty()
            && channel.servers.iter().any(|other| meant(other) && self.is_available(*other, now))
        {
            return Err(None);
        }
        match own.congestion.get(domain).map(|congestion| congestion.next_at(now)) {
            None => Ok(()),
            Some(Some(at)) if at <= now => Ok(()),
            Some(until) => Err(until),
        }
    }

    /// `server` takes a job for `domain`.
    pub(super) fn begin(
        &mut self,
        server: usize,
        (domain, limits): (&Arc<str>, &Limits),
        now: Timestamp,
    ) {
        let least = self.0.iter().filter(|it| it.breaker.is_closed() && it.weight > 0);
        let least = least.map(|it| it.share).fold(f64::INFINITY, f64::min);
        let own = &mut self.0[server];
        if own.breaker.pass(now) == Passage::Probe {
            tracing::info!(server = %own.name, "trying the server again");
        }
        if let Some(pace) = &mut own.pace {
            pace.take(now);
        }
        if let Some(purse) = &mut own.purse {
            purse.spend();
        }
        // Whoever was away does not make up for it.
        if least.is_finite() && own.took_at < now.saturating_sub(STANDSTILL).unwrap_or(now) {
            own.share = own.share.max(least);
        }
        own.share += 1.0 / f64::from(own.weight.max(1));
        own.took_at = now;
        if limits.is_limited() {
            let congestion = own.congestion.entry(Arc::clone(domain));
            congestion.or_insert_with(|| Congestion::new(limits.of(domain))).begin(now);
        }
    }

    /// Until when the server is left alone, if it is; and whether somebody who waits may go now.
    pub(super) fn told(
        &mut self,
        server: usize,
        (domain, outcome): (&Arc<str>, &Outcome),
        (now, spread): (Timestamp, f64),
    ) -> (Option<Timestamp>, bool) {
        let own = &mut self.0[server];
        let was_closed = own.breaker.is_closed();
        let mut frees = false;
        if let Some(congestion) = own.congestion.get_mut(domain) {
            frees = congestion.next_at(now).is_none();
            match outcome {
                Outcome::Accepted(_) => congestion.taken(),
                _ if outcome.reason() == Some(Reason::Throttle) => congestion.throttled(now),
                Outcome::Deferred { .. }
                | Outcome::Rejected { .. }
                | Outcome::Uncertain(_)
                | Outcome::Unreachable(_)
                | Outcome::NotOurs => congestion.ended(),
            }
            // There are as many domains as there are companies.
            if congestion.is_at_rest() {
                own.congestion.remove(domain);
            }
        }
        match outcome {
            Outcome::Unreachable(_) => {
                let until = own.breaker.failed(now, spread);
                if until.is_some() {
                    telemetry::server_reachable(&own.name, false);
                    tracing::warn!(server = %own.name, ?until, "the server cannot be reached and is left alone");
                }
                (until, true)
            }
            Outcome::NotOurs => {
                own.breaker.abandoned(now);
                (None, true)
            }
            Outcome::Accepted(_)
            | Outcome::Deferred { .. }
            | Outcome::Rejected { .. }
            | Outcome::Uncertain(_) => {
                own.breaker.reached();
                if !was_closed {
                    telemetry::server_reachable(&own.name, true);
                    tracing::info!(server = %own.name, "the server answers again");
                }
                (None, frees || !was_closed)
            }
        }
    }

    pub(super) fn untried(&mut self, server: usize, domain: &Arc<str>, now: Timestamp) {
        let own = &mut self.0[server];
        own.breaker.abandoned(now);
        if let Some(congestion) = own.congestion.get_mut(domain) {
            congestion.ended();
        }
    }

    pub(super) fn purses(&self) -> impl Iterator<Item = (String, &Purse)> {
        self.0.iter().filter_map(|server| {
            server.purse.as_ref().map(|purse| (format!("server:{}", server.name), purse))
        })
    }

    pub(super) fn purses_mut(&mut self) -> impl Iterator<Item = (String, &mut Purse)> {
        self.0.iter_mut().filter_map(|server| {
            server.purse.as_mut().map(|purse| (format!("server:{}", server.name), purse))
        })
    }

    pub(super) fn purse(&mut self, name: &str) -> Option<&mut Purse> {
        let name = name.strip_prefix("server:")?;
        self.0.iter_mut().find(|server| server.name == name)?.purse.as_mut()
    }
}
