//! Our own `WebSub` hub at work: asks callbacks whether they meant it, and sends subscribers feeds that changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::pushes::{CALLS, Push, verdict};
use crate::config::Config;
use crate::crosspost::{Content, Pusher, Question};
use crate::domain::{HubMode, Outcome, Reason, RetryPolicy, Verdict, random_token};
use crate::feed::Document;
use crate::store::{DueFeed, DueRequest, StoreError, Tx};
use crate::telemetry;
use crate::web::{WebState, feed_document, feed_url, why_retired};

/// A callback that cannot be reached may be starting; one that says no is not asked again.
const ASK: RetryPolicy = RetryPolicy {
    first_delay: SignedDuration::from_secs(30),
    max_delay: SignedDuration::from_mins(10),
    max_attempts: 3,
    give_up_after: SignedDuration::from_mins(30),
    resend_uncertain: true,
};

/// A subscriber that is away for a weekend gets what it missed; after that it has to look itself.
const SEND: RetryPolicy = RetryPolicy {
    first_delay: SignedDuration::from_mins(1),
    max_delay: SignedDuration::from_hours(6),
    max_attempts: 40,
    give_up_after: SignedDuration::from_hours(72),
    resend_uncertain: true,
};

/// What both halves work with.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) state: WebState,
    pub(super) config: Arc<Config>,
    /// Where the hub is.
    pub(super) url: Url,
    pub(super) pusher: Pusher,
}

/// Asks callbacks whether they meant it (section 5.3), and tells those that get nothing any more (section 5.2).
pub(super) struct Questions(pub(super) Hub);

impl Push for Questions {
    async fn round(&self, now: Timestamp, until: Timestamp) -> Result<usize, StoreError> {
        let store = &self.0.state.store;
        let due = store.claim_hub_requests(now, until).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let count = due.len();
        let calls = due.into_iter().map(|due| async move {
            let answer = self.ask(&due).await;
            (due, answer)
        });
        let answers: Vec<_> =
            futures_util::stream::iter(calls).buffer_unordered(CALLS).collect().await;
        let mut tx = store.write().await?;
        for (due, answer) in answers {
            take(&mut tx, &due, answer, self.0.state.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(count)
    }

    async fn next(&self) -> Result<Option<Timestamp>, StoreError> {
        self.0.state.store.read().await?.next_hub_request().await
    }
}

impl Questions {
    async fn ask(&self, due: &DueRequest) -> Result<Heard, Outcome> {
        let request = &due.request;
        let Ok(callback) = request.callback.parse() else { return Ok(Heard::No) };
        let topic = &feed_url(&self.0.config, &request.topic);
        // It may have been retired since the request was taken.
        let why = why_retired(&self.0.config, &request.topic).map(|(_, why)| why);
        let denial = match request.mode {
            HubMode::Denied => Some(why.unwrap_or_else(|| "Please subscribe again.".to_owned())),
            HubMode::Subscribe => why,
            HubMode::Unsubscribe => None,
        };
        if let Some(why) = denial {
            return self.0.pusher.deny(&callback, topic, &why).await.map(|()| Heard::Denial);
        }
        let question = Question {
            mode: request.mode,
            topic,
            challenge: &random_token(),
            lease_seconds: request.lease.as_secs(),
        };
        let meant = self.0.pusher.ask(&callback, &question).await?;
        Ok(if meant { Heard::Yes } else { Heard::No })
    }
}

/// What came of a call.
enum Heard {
    Yes,
    No,
    /// It was told that there is nothing to subscribe to.
    Denial,
}

async fn take(
    tx: &mut Tx,
    due: &DueRequest,
    answer: Result<Heard, Outcome>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (request, kind) = (&due.request, "verification");
    match answer {
        Ok(Heard::Yes) => {
            telemetry::pushed(kind, "accepted");
            tracing::info!(?request, "a subscriber of a feed has confirmed");
            tx.grant_hub_request(due, now).await
        }
        Ok(Heard::Denial) => {
            telemetry::pushed(kind, "accepted");
            tracing::info!(?request, "a callback was told that there is nothing to subscribe to");
            tx.end_hub_request(due).await.map(|_| ())
        }
        Ok(Heard::No) => {
            telemetry::pushed(kind, "rejected");
            tracing::info!(?request, "the callback does not want what the hub was asked for");
            tx.end_hub_request(due).await.map(|_| ())
        }
        Err(outcome) => match verdict(&ASK, (due.attempt, due.asked_at), &outcome, now) {
            Verdict::RetryAt(at) if due.attempt < i64::from(ASK.max_attempts) => {
                telemetry::pushed(kind, "deferred");
                tx.delay_hub_request(due, at).await
            }
            _ => {
                telemetry::pushed(kind, "rejected");
                tracing::info!(?request, ?outcome, "the callback cannot be asked");
                tx.end_hub_request(due).await.map(|_| ())
            }
        },
    }
}

/// Sends subscribers what changed (section 7).
pub(super) struct Distribution(pub(super) Hub);

impl Push for Distribution {
    async fn round(&self, now: Timestamp, until: Timestamp) -> Result<usize, StoreError> {
        let hub = &self.0;
        let topics = hub.state.store.hub_topics(now).await?;
        if topics.is_empty() {
            return Ok(0);
        }
        // Feeds that are made on demand are noted by being made.
        let mut documents = BTreeMap::new();
        for topic in topics {
            if why_retired(&hub.config, &topic).is_some() {
                hub.state.store.deny_subscriptions(&topic, now).await?;
                hub.state.wake_hub();
                continue;
            }
            if let Some(document) = feed_document(&hub.state, &topic).await {
                documents.insert(topic, document);
            }
        }
        let ready: Vec<(&str, &str)> =
            documents.iter().map(|(topic, it)| (topic.as_str(), it.etag.as_str())).collect();
        let due = hub.state.store.claim_owed_feeds(&ready, now, until).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let (count, documents) = (due.len(), &documents);
        // Both are there: nothing else is taken, and nothing else was let in.
        let calls = due.into_iter().filter_map(|due| {
            let (document, callback) = (documents.get(&due.topic)?, due.callback.parse().ok()?);
            Some(async move {
                let outcome = self.send(&due, &callback, document).await;
                (due, outcome)
            })
        });
        let sent: Vec<_> =
            futures_util::stream::iter(calls).buffer_unordered(CALLS).collect().await;
        let mut tx = hub.state.store.write().await?;
        for (due, outcome) in sent {
            settle(&mut tx, &due, outcome, hub.state.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(count)
    }

    async fn next(&self) -> Result<Option<Timestamp>, StoreError> {
        self.0.state.store.read().await?.next_owed_feed().await
    }
}

impl Distribution {
    async fn send(&self, due: &DueFeed, callback: &Url, document: &Document) -> Outcome {
        let content = Content {
            body: Arc::clone(&document.bytes),
            content_type: document.content_type,
            hub: &self.0.url,
            topic: &feed_url(&self.0.config, &due.topic),
            secret: due.secret.as_deref(),
        };
        self.0.pusher.distribute(callback, &content).await
    }
}

async fn settle(
    tx: &mut Tx,
    due: &DueFeed,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (feed, kind) = (&due.topic, "feed");
    if let Outcome::Rejected { reply, .. } = &outcome
        && reply.code == Some(410)
    {
        telemetry::pushed(kind, "rejected");
        tracing::info!(feed, server = reply.server, "a subscriber is gone");
        return tx.end_subscription(due).await;
    }
    // A subscriber that was there may well be there again.
    let outcome = match outcome {
        Outcome::Rejected { reply, reason: _ } => {
            Outcome::Deferred { reply, reason: Reason::System, not_before: None }
        }
        outcome => outcome,
    };
    match verdict(&SEND, (due.attempt, due.owed_at), &outcome, now) {
        Verdict::Done => {
            telemetry::pushed(kind, "accepted");
            tx.settle_owed_feed(due, now).await
        }
        Verdict::RetryAt(at) => {
            telemetry::pushed(kind, "deferred");
            tracing::debug!(feed, ?outcome, retry.at = %at, "a subscriber gets the feed later");
            tx.delay_owed_feed(due, at).await
        }
        Verdict::GiveUp | Verdict::TooLate | Verdict::Hold | Verdict::Drop => {
            telemetry::pushed(kind, "rejected");
            tracing::info!(feed, ?outcome, "a subscriber does not get this version of the feed");
            tx.settle_owed_feed(due, now).await
        }
    }
}
