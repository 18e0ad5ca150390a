//! A worker's round: the ledger's side of its connection. Where parcels are made, intents asked for and outcomes noted.

use std::fmt;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::job::{Content, Job};
use super::worker::Worker;
use crate::courier::{CallParcel, MailParcel, Parcel, Round};
use crate::domain::{
    Attempt, Bounce, DeliveryId, DeliveryState, Outcome, Reason, Reply, Target, Verdict,
    random_spread,
};
use crate::mail::Recipient;
use crate::store::{IntentRefusal, IntentRequest, Next, Recorded};
use crate::telemetry;

/// So often a job goes to another connection before its delivery is put off in the ledger.
const PUT_BACKS: u32 = 3;

/// The deliveries that are under way on a connection, and what is not durable yet.
pub(crate) struct WorkerRound<'a> {
    worker: &'a Worker,
    open: Vec<Open>,
    /// Outcomes on their way to the ledger. Their jobs are kept until they are durable: the batch is not done before.
    told: Vec<(Recorded, Job)>,
    reached: bool,
    /// The server takes texts as they are (8BITMIME), as far as is known from the connection before.
    eight_bit: bool,
}

struct Open {
    job: Job,
    started_at: Timestamp,
    intent: Intent,
}

/// What the ledger said to the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    NotAsked,
    Durable,
    Refused(IntentRefusal),
}

impl<'a> WorkerRound<'a> {
    pub(crate) fn new(worker: &'a Worker, eight_bit: bool) -> Self {
        Self { worker, open: Vec::new(), told: Vec::new(), reached: true, eight_bit }
    }

    /// The server answered, as far as it was asked.
    pub(crate) fn reached(&self) -> bool {
        self.reached
    }

    /// The parcel of a job that was taken; none where there is nothing to send, which is noted.
    pub(crate) fn begin(&mut self, job: Job) -> Option<Parcel> {
        let now = self.now();
        if let Some(next) = needless(&job, now) {
            tracing::info!(delivery.id = %job.due.id, ?next, "not sent");
            self.unsent(job, None, next, now);
            return None;
        }
        let Some(parcel) = self.parcel(&job) else {
            let next = Next::Final(DeliveryState::Rejected);
            self.unsent(job, Some(no_recipient()), next, now);
            return None;
        };
        self.open.push(Open { job, started_at: now, intent: Intent::NotAsked });
        Some(parcel)
    }

    /// The courier panicked: what had its intent may have gone, the rest has not.
    pub(crate) fn panicked(&mut self) {
        let open: Vec<_> = self.open.iter().map(|open| (open.job.due.id, open.intent)).collect();
        for (delivery, intent) in open {
            let reply = our_fault("internal error: this is a bug in Postrider, please report it");
            let outcome = match intent {
                Intent::Durable => Outcome::Uncertain(reply),
                Intent::NotAsked => {
                    Outcome::Deferred { reply, reason: Reason::System, not_before: None }
                }
                Intent::Refused(_) => Outcome::NotOurs,
            };
            self.tell(delivery, outcome);
        }
    }

    fn now(&self) -> Timestamp {
        self.worker.dispatch.clock.now()
    }

    fn unsent(&mut self, job: Job, outcome: Option<Outcome>, next: Next, now: Timestamp) {
        self.worker.exchange.untried(self.worker.server, &job, now);
        self.told.push((recorded(&job, (now, now), outcome, next), job));
    }

    fn parcel(&self, job: &Job) -> Option<Parcel> {
        let keyring = self.worker.dispatch.store.keyring();
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
                    signed_at: self.worker.spec.signs.then(|| self.now()),
                    eight_bit: self.eight_bit,
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

    /// Writes what was told, and the intents of `deliveries`. Those that may go.
    async fn step(&mut self, deliveries: &[DeliveryId]) -> Vec<DeliveryId> {
        let told = std::mem::take(&mut self.told);
        let (outcomes, jobs): (Vec<Recorded>, Vec<Job>) = told.into_iter().unzip();
        let intents = self.intents(deliveries);
        let asked = intents.len();
        let now = self.now();
        let answers = match self.worker.dispatch.ledger.step(outcomes, intents, now).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(
                    error = %telemetry::causes(&error),
                    "outcomes could not be noted; after a restart these deliveries count as uncertain"
                );
                Vec::new()
            }
        };
        drop(jobs);
        let mut may_go = Vec::with_capacity(asked);
        for (delivery, answer) in answers {
            if answer.is_ok() {
                may_go.push(delivery);
            }
            if let Some(open) = self.open.iter_mut().find(|open| open.job.due.id == delivery) {
                open.intent = answer.map_or_else(Intent::Refused, |()| Intent::Durable);
            }
        }
        may_go
    }

    fn intents(&self, deliveries: &[DeliveryId]) -> Vec<IntentRequest> {
        let wanted = self.open.iter().filter(|open| deliveries.contains(&open.job.due.id));
        wanted
            .map(|open| IntentRequest {
                lease: open.job.lease,
                delivery: open.job.due.id,
                content_version: open.job.content.version(),
            })
            .collect()
    }

    /// Nothing was handed over: another connection may do better, now. False: it is for the ledger to put it off.
    fn may_be_put_back(&self, open: &Open, until: Option<Timestamp>, now: Timestamp) -> bool {
        let untouched = open.intent == Intent::NotAsked && open.job.put_back < PUT_BACKS;
        let other = || self.worker.exchange.has_other_way(self.worker.server, &open.job, now);
        untouched && (until.is_none() || other())
    }

    /// The ledger does not want it sent. It may be that everything of its edition is not to be sent.
    fn refused(&mut self, open: Open, refusal: IntentRefusal, now: Timestamp) {
        match refusal {
            IntentRefusal::RecipientLeft => {
                let next = Next::Final(DeliveryState::Skipped);
                self.told.push((recorded(&open.job, (open.started_at, now), None, next), open.job));
            }
            IntentRefusal::Paused | IntentRefusal::Superseded => {
                if let Some(edition) = open.job.edition() {
                    self.worker.exchange.drop_edition(edition);
                }
            }
            IntentRefusal::LeaseLost
            | IntentRefusal::Fenced
            | IntentRefusal::NotWaiting
            | IntentRefusal::Unavailable => {
                tracing::debug!(delivery.id = %open.job.due.id, %refusal, "left as it is");
            }
        }
    }
}

impl Round for WorkerRound<'_> {
    fn next(&mut self) -> Option<Parcel> {
        loop {
            if self.worker.dispatch.stop.is_cancelled() {
                return None;
            }
            let taken = self.worker.exchange.take(self.worker.server, self.now());
            let super::exchange::Taken::Job(job) = taken else { return None };
            if let Some(parcel) = self.begin(*job) {
                return Some(parcel);
            }
        }
    }

    fn in_seven_bit(&mut self, delivery: DeliveryId) -> Option<MailParcel> {
        self.eight_bit = false;
        let open = self.open.iter().find(|open| open.job.due.id == delivery)?;
        match self.parcel(&open.job)? {
            Parcel::Mail(mail) => Some(mail),
            Parcel::Call(_) => None,
        }
    }

    fn intend<'a>(&'a mut self, deliveries: &'a [DeliveryId]) -> BoxFuture<'a, Vec<DeliveryId>> {
        Box::pin(self.step(deliveries))
    }

    fn tell(&mut self, delivery: DeliveryId, outcome: Outcome) {
        let Some(at) = self.open.iter().position(|open| open.job.due.id == delivery) else {
            return;
        };
        let open = self.open.remove(at);
        let (now, spread) = (self.now(), random_spread());
        let worker = self.worker;
        let until = worker.exchange.told(worker.server, &open.job, &outcome, (now, spread));
        let seconds = now.duration_since(open.started_at).as_secs_f64();
        telemetry::delivery(&open.job.channel.name, &worker.spec.name, outcome.word(), seconds);
        if let Outcome::NotOurs = outcome {
            if let Intent::Refused(refusal) = open.intent {
                self.refused(open, refusal, now);
            }
            return;
        }
        self.reached = !matches!(outcome, Outcome::Unreachable(_));
        if !self.reached && self.may_be_put_back(&open, until, now) {
            report(&open.job, &outcome, "tried again at once over another connection");
            worker.exchange.put_back(open.job);
            return;
        }
        let Some((next, bounce)) = next(&open.job, &outcome, (now, spread), until) else { return };
        report(&open.job, &outcome, format!("{next:?}"));
        let mut recorded = recorded(&open.job, (open.started_at, now), Some(outcome), next);
        recorded.bounce = bounce;
        self.told.push((recorded, open.job));
    }

    fn settle(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.told.is_empty() {
                self.step(&[]).await;
            }
        })
    }
}

/// What is not worth an attempt.
fn needless(job: &Job, now: Timestamp) -> Option<Next> {
    if job.due.recipient_left {
        return Some(Next::Final(DeliveryState::Skipped));
    }
    let end = job.might_go_at().saturating_add(job.channel.retry.give_up_after);
    (end.unwrap_or(Timestamp::MAX) < now).then_some(Next::Final(DeliveryState::Expired))
}

/// Where the delivery stands now, and what that says about its address; none when it is for somebody else to say.
/// `until`: when its server is tried again.
fn next(
    job: &Job,
    outcome: &Outcome,
    (now, spread): (Timestamp, f64),
    until: Option<Timestamp>,
) -> Option<(Next, Bounce)> {
    let again =
        if job.due.was_uncertain { DeliveryState::Uncertain } else { DeliveryState::Deferred };
    if let Outcome::Unreachable(_) = outcome {
        return Some((Next::Again(again, until.unwrap_or(now)), Bounce::None));
    }
    let attempt =
        Attempt { number: job.due.attempts + 1, planned_at: job.might_go_at(), ended_at: now };
    let again = match outcome {
        Outcome::Uncertain(_) => DeliveryState::Uncertain,
        _ => again,
    };
    let verdict = job.channel.retry.verdict(attempt, outcome, spread);
    let next = match verdict {
        Verdict::Done => Next::Final(DeliveryState::Accepted),
        Verdict::GiveUp => Next::Final(DeliveryState::Rejected),
        Verdict::TooLate => Next::Final(DeliveryState::Expired),
        Verdict::RetryAt(at) => Next::Again(again, at),
        Verdict::Hold => Next::Held,
        Verdict::Drop => return None,
    };
    Some((next, Bounce::of(outcome, verdict)))
}

fn recorded(
    job: &Job,
    (started_at, ended_at): (Timestamp, Timestamp),
    outcome: Option<Outcome>,
    next: Next,
) -> Recorded {
    let (lease, delivery) = (job.lease, job.due.id);
    Recorded { lease, delivery, started_at, ended_at, outcome, next, bounce: Bounce::None }
}

fn report(job: &Job, outcome: &Outcome, next: impl fmt::Display) {
    let reply = outcome.reply();
    let code = reply.and_then(|reply| reply.code);
    let text = reply.map_or("", |reply| reply.text.as_str());
    let server = reply.map_or("", |reply| reply.server.as_str());
    let (delivery, edition) = (job.due.id.0, job.edition().map(|id| id.0));
    let (channel, attempt) = (job.channel.name.as_str(), job.due.attempts + 1);
    macro_rules! say {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                channel, delivery.id = delivery, delivery.attempt = attempt, edition.id = edition,
                server, code, text, %next, $message
            )
        };
    }
    match outcome {
        Outcome::Accepted(_) => tracing::debug!(
            channel,
            delivery.id = delivery,
            edition.id = edition,
            server,
            code,
            "accepted"
        ),
        Outcome::Deferred { .. } => say!(info, "deferred"),
        Outcome::Rejected { .. } => say!(warn, "rejected"),
        Outcome::Uncertain(_) => say!(warn, "handed over without an answer"),
        Outcome::Unreachable(_) => say!(warn, "unreachable"),
        Outcome::NotOurs => {}
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
