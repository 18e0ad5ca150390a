//! A worker: owns one connection and hands over one delivery after the other.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::breaker::Breaker;
use super::queue::{Content, Job, Jobs};
use super::{ChannelSpec, Dispatch};
use crate::courier::{CallParcel, Courier, Intent, LeaseLost, MailParcel, Parcel};
use crate::domain::{
    Attempt, DeliveryState, EmailAddress, Outcome, Reason, Reply, Target, Verdict, random_spread,
};
use crate::mail::Recipient;
use crate::store::{IntentRefusal, LedgerError, Next, Recorded};
use crate::telemetry;

pub(crate) struct Worker {
    pub(crate) dispatch: Dispatch,
    pub(crate) channel: Arc<ChannelSpec>,
    pub(crate) jobs: Jobs,
    pub(crate) breaker: Arc<Breaker>,
}

/// What the intent came to, told by the closure that committed it.
#[derive(Debug, Default)]
enum IntentState {
    #[default]
    NotAsked,
    Durable,
    Refused(LedgerError),
}

impl Worker {
    pub(crate) async fn run(self) {
        let mut courier = (self.channel.courier)();
        let stop = self.dispatch.stop.clone();
        loop {
            let job = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                job = self.jobs.next() => job,
            };
            let Some(job) = job else { break };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.breaker.wait(&*self.dispatch.clock) => {}
            }
            self.handle(&mut courier, job).await;
        }
        // What waits in the queue holds its batch open; it stays planned.
        self.jobs.close();
        courier.close().await;
    }

    #[tracing::instrument(skip_all, fields(
        channel = %self.channel.name, delivery.id = %job.due.id, delivery.attempt = job.due.attempts + 1,
        edition.id = edition_of(job.due.target)
    ))]
    async fn handle(&self, courier: &mut Box<dyn Courier>, job: Job) {
        let now = self.dispatch.clock.now();
        if let Some(next) = self.needless(&job, now) {
            tracing::info!(?next, "not sent");
            self.record(&job, now, None, next).await;
            return;
        }
        let Some(parcel) = self.parcel(&job) else {
            self.record(&job, now, Some(no_recipient()), Next::Final(DeliveryState::Rejected))
                .await;
            return;
        };
        let (outcome, intent) = self.attempt(courier, &job, &parcel).await;
        let ended_at = self.dispatch.clock.now();
        let seconds = ended_at.duration_since(now).as_secs_f64();
        telemetry::delivery(&self.channel.name, outcome.word(), seconds);
        let Some(next) = self.next(&job, &outcome, &intent, ended_at) else {
            tracing::debug!(?intent, "left as it is");
            return;
        };
        report(&outcome, next);
        let outcome = (!matches!(outcome, Outcome::NotOurs)).then_some(outcome);
        self.record(&job, now, outcome, next).await;
    }

    /// What is not worth an attempt.
    fn needless(&self, job: &Job, now: Timestamp) -> Option<Next> {
        if job.due.recipient_left {
            return Some(Next::Final(DeliveryState::Skipped));
        }
        let end = job.due.planned_at.saturating_add(self.channel.retry.give_up_after);
        (end.unwrap_or(Timestamp::MAX) < now).then_some(Next::Final(DeliveryState::Expired))
    }

    fn parcel(&self, job: &Job) -> Option<Parcel> {
        let keyring = self.dispatch.store.keyring();
        let key = keyring.delivery_key(job.due.id);
        match &job.content {
            Content::Call(body) => {
                Some(Parcel::Call(CallParcel { delivery: job.due.id, key, body: body.to_string() }))
            }
            Content::Mail(content) => {
                let to = job.due.address.clone()?;
                let message_id = format!("{key}@{}", content.from.domain());
                let token = match job.due.target {
                    Target::Edition { subscription, .. } => {
                        Some(keyring.unsubscribe_token(subscription))
                    }
                    Target::Letter { .. } | Target::Announcement { .. } => None,
                };
                let message = content.blueprint.fill(&Recipient {
                    to: &to,
                    message_id: &message_id,
                    unsubscribe_token: token.as_deref(),
                    signed_at: content.is_signed.then(|| self.dispatch.clock.now()),
                    eight_bit: false,
                });
                let from = content.return_path.for_delivery(keyring, job.due.id);
                Some(Parcel::Mail(MailParcel {
                    delivery: job.due.id,
                    from,
                    to,
                    message_id,
                    message,
                }))
            }
        }
    }

    async fn attempt(
        &self,
        courier: &mut Box<dyn Courier>,
        job: &Job,
        parcel: &Parcel,
    ) -> (Outcome, IntentState) {
        let state = Mutex::new(IntentState::NotAsked);
        let commit = async {
            let at = self.dispatch.clock.now();
            let answer = self.dispatch.ledger.intent(job.lease, job.due.id, at).await;
            let (new, verdict) = match answer {
                Ok(()) => (IntentState::Durable, Ok(())),
                Err(error) => (IntentState::Refused(error), Err(LeaseLost)),
            };
            *state.lock().expect("nothing panics while it holds the intent") = new;
            verdict
        };
        let carried =
            AssertUnwindSafe(courier.deliver(parcel, Intent::new(commit))).catch_unwind().await;
        let state = state.into_inner().expect("nothing panics while it holds the intent");
        let outcome = carried.unwrap_or_else(|_| {
            *courier = (self.channel.courier)();
            after_panic(&state)
        });
        (outcome, state)
    }

    /// Where the delivery stands now; none when that is for somebody else to say.
    fn next(
        &self,
        job: &Job,
        outcome: &Outcome,
        intent: &IntentState,
        now: Timestamp,
    ) -> Option<Next> {
        let spread = random_spread();
        let again =
            if job.due.was_uncertain { DeliveryState::Uncertain } else { DeliveryState::Deferred };
        if let Outcome::Unreachable(_) = outcome {
            let at = self.breaker.unreachable(now, spread);
            return Some(Next::Again(again, at));
        }
        self.breaker.reached();
        if let Outcome::NotOurs = outcome {
            return match intent {
                IntentState::Refused(LedgerError::Refused(IntentRefusal::RecipientLeft)) => {
                    Some(Next::Final(DeliveryState::Skipped))
                }
                _ => None,
            };
        }
        let attempt =
            Attempt { number: job.due.attempts + 1, planned_at: job.due.planned_at, ended_at: now };
        let again = match outcome {
            Outcome::Uncertain(_) => DeliveryState::Uncertain,
            _ => again,
        };
        match self.channel.retry.verdict(attempt, outcome, spread) {
            Verdict::Done => Some(Next::Final(DeliveryState::Accepted)),
            Verdict::GiveUp => Some(Next::Final(DeliveryState::Rejected)),
            Verdict::TooLate => Some(Next::Final(DeliveryState::Expired)),
            Verdict::RetryAt(at) => Some(Next::Again(again, at)),
            Verdict::Hold => Some(Next::Held),
            Verdict::Drop => None,
        }
    }

    async fn record(&self, job: &Job, started_at: Timestamp, outcome: Option<Outcome>, next: Next) {
        let bad = matches!(outcome, Some(Outcome::Rejected { reason: Reason::Address, .. }));
        let recorded = Recorded {
            lease: job.lease,
            delivery: job.due.id,
            started_at,
            ended_at: self.dispatch.clock.now(),
            outcome,
            next,
            suppress: job.due.address.clone().filter(|_: &EmailAddress| bad),
        };
        if let Err(error) = self.dispatch.ledger.outcome(recorded).await {
            tracing::error!(
                error = %telemetry::causes(&error),
                "an outcome could not be noted; after a restart this delivery counts as uncertain"
            );
        }
    }
}

fn edition_of(target: Target) -> Option<i64> {
    match target {
        Target::Edition { edition, .. } => Some(edition.0),
        Target::Letter { .. } | Target::Announcement { .. } => None,
    }
}

fn report(outcome: &Outcome, next: Next) {
    let reply = outcome.reply();
    let code = reply.and_then(|reply| reply.code);
    let text = reply.map_or("", |reply| reply.text.as_str());
    let server = reply.map_or("", |reply| reply.server.as_str());
    match outcome {
        Outcome::Accepted(_) => tracing::info!(server, code, "accepted"),
        Outcome::Deferred { .. } => tracing::info!(server, code, text, ?next, "deferred"),
        Outcome::Rejected { .. } => tracing::warn!(server, code, text, "rejected"),
        Outcome::Uncertain(_) => {
            tracing::warn!(server, text, ?next, "handed over without an answer");
        }
        Outcome::Unreachable(_) => tracing::warn!(server, code, text, ?next, "unreachable"),
        Outcome::NotOurs => tracing::info!("not sent: the recipient has left"),
    }
}

fn our_fault(text: &str) -> Reply {
    Reply { server: "postrider".to_owned(), code: None, text: text.to_owned() }
}

fn no_recipient() -> Outcome {
    Outcome::Rejected {
        reply: our_fault("the recipient is no longer known"),
        reason: Reason::System,
    }
}

fn after_panic(intent: &IntentState) -> Outcome {
    let reply = our_fault("internal error: this is a bug in Postrider, please report it");
    match intent {
        IntentState::Durable => Outcome::Uncertain(reply),
        IntentState::NotAsked | IntentState::Refused(_) => {
            Outcome::Deferred { reply, reason: Reason::System, not_before: None }
        }
    }
}
