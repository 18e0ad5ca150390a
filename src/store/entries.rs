//! The rows of a group as they travel to the database, and what of an outcome goes into which.

use jiff::Timestamp;
use serde::Serialize;

use super::Event;
use super::outcomes::{Next, Recorded};
use crate::domain::{DeliveryState, Outcome, Reason};

#[derive(Serialize)]
pub(super) struct OutcomeRow {
    pub(super) delivery: i64,
    pub(super) next: &'static str,
    pub(super) held: bool,
    pub(super) again: Option<i64>,
    pub(super) counts: i64,
    pub(super) at: i64,
    /// The states that this may be said of.
    pub(super) origins: String,
}

#[derive(Serialize)]
pub(super) struct AttemptEntry<'a> {
    pub(super) delivery: i64,
    pub(super) started: i64,
    pub(super) ended: i64,
    pub(super) outcome: &'static str,
    pub(super) server: &'a str,
    pub(super) code: Option<u16>,
    pub(super) reply: &'a str,
    pub(super) reason: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct IntentRow {
    pub(super) delivery: i64,
    pub(super) version: Option<i64>,
}

pub(super) fn outcome_row(recorded: &Recorded, next: Next, is_late: bool) -> OutcomeRow {
    let (state, held, again) = next.columns();
    let counts = match &recorded.outcome {
        None | Some(Outcome::Unreachable(_) | Outcome::NotOurs) => 0,
        // The doubt was counted as the attempt that this is the answer to.
        Some(_) if is_late => 0,
        Some(_) => 1,
    };
    let origins = if is_late {
        DeliveryState::Uncertain.as_str().to_owned()
    } else {
        let origins = DeliveryState::ALL.into_iter().filter(|one| one.may_become(state));
        // What a person tries again is theirs alone to take up: an answer never brings a final state back.
        let origins = origins.filter(|one| !one.is_final()).map(DeliveryState::as_str);
        origins.collect::<Vec<_>>().join(" ")
    };
    OutcomeRow {
        delivery: recorded.delivery.0,
        next: state.as_str(),
        held,
        again: again.map(Timestamp::as_microsecond),
        counts,
        at: recorded.ended_at.as_microsecond(),
        origins,
    }
}

pub(super) fn attempt_of(recorded: &Recorded) -> Option<AttemptEntry<'_>> {
    let outcome = recorded.outcome.as_ref()?;
    let reply = outcome.reply()?;
    Some(AttemptEntry {
        delivery: recorded.delivery.0,
        started: recorded.started_at.as_microsecond(),
        ended: recorded.ended_at.as_microsecond(),
        outcome: outcome.word(),
        server: &reply.server,
        code: reply.code,
        reply: &reply.text,
        reason: outcome.reason().map(Reason::as_str),
    })
}

/// The event of an outcome. Acceptances and delays have none: their attempts are the record.
pub(super) fn event_of(recorded: &Recorded, next: Next) -> Option<Event<'_>> {
    let (state, held, _) = next.columns();
    let kind = match state {
        DeliveryState::Uncertain if held => "delivery.held",
        DeliveryState::Uncertain => match recorded.outcome {
            // Still in doubt, and nothing new about it.
            Some(Outcome::Uncertain(_)) => "delivery.uncertain",
            _ => return None,
        },
        DeliveryState::Rejected => "delivery.rejected",
        DeliveryState::Skipped => "delivery.skipped",
        DeliveryState::Expired => "delivery.expired",
        DeliveryState::Cancelled => "delivery.cancelled",
        DeliveryState::Planned
        | DeliveryState::Sending
        | DeliveryState::Accepted
        | DeliveryState::Deferred => return None,
    };
    let reply = recorded.outcome.as_ref().and_then(Outcome::reply);
    let event = Event::new(kind, recorded.ended_at).delivery(recorded.delivery);
    Some(event.detail(reply.map_or("", |reply| &reply.text)))
}
