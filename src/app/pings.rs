//! Tells hubs of feeds that changed and search engines of pages, and again until they have heard it.

use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::index_now::{IndexNow, MOST_PAGES};
use super::pushes::{CALLS, Push, verdict};
use crate::config::Config;
use crate::crosspost::Pusher;
use crate::domain::{Outcome, RetryPolicy, Verdict};
use crate::store::{DuePing, INDEX_NOW, StoreError, Tx};
use crate::telemetry;
use crate::web::{WebState, feed_document, feed_url};

/// Within a day the feed will have been polled: then the news is old.
const RETRY: RetryPolicy = RetryPolicy {
    first_delay: SignedDuration::from_secs(30),
    max_delay: SignedDuration::from_hours(1),
    max_attempts: 40,
    give_up_after: SignedDuration::from_hours(24),
    resend_uncertain: true,
};

/// Pings.
pub(super) struct Pings {
    state: WebState,
    config: Arc<Config>,
    pusher: Pusher,
    index: Option<IndexNow>,
}

/// What somebody was told, and what came of it. No outcome: nobody is to be told any more.
struct Told {
    ping: DuePing,
    outcome: Option<Outcome>,
    /// Of which a search engine was told.
    pages: Vec<(String, String)>,
}

impl Pings {
    pub(super) fn new(state: WebState, config: Arc<Config>, pusher: Pusher) -> Self {
        let index = IndexNow::new(&state, &config, &pusher);
        Self { state, config, pusher, index }
    }

    /// Feeds that are made when somebody asks, and that hubs want to hear of: to see whether they changed they must be made.
    async fn look_at_feeds(&self) {
        if self.config.feeds.others_hubs().next().is_none() {
            return;
        }
        let current = self.state.shelf.load_full();
        for path in current.selections.paths_for_all_hubs() {
            feed_document(&self.state, &path).await;
        }
    }

    async fn tell(&self, ping: DuePing) -> Result<Told, StoreError> {
        if ping.target == INDEX_NOW {
            let (outcome, pages) = match &self.index {
                Some(index) => index.tell().await?,
                None => (None, Vec::new()),
            };
            return Ok(Told { ping, outcome, pages });
        }
        let mut hubs = self.config.feeds.others_hubs();
        let outcome = match hubs.find(|hub| hub.as_str() == ping.target) {
            Some(hub) => Some(self.pusher.ping(hub, &feed_url(&self.config, &ping.path)).await),
            None => None,
        };
        Ok(Told { ping, outcome, pages: Vec::new() })
    }
}

impl Push for Pings {
    async fn round(&self, now: Timestamp, until: Timestamp) -> Result<usize, StoreError> {
        self.look_at_feeds().await;
        if let Some(index) = &self.index {
            index.look(now).await?;
        }
        let store = &self.state.store;
        let due = store.claim_pings(now, until).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let count = due.len();
        let calls = due.into_iter().map(|ping| self.tell(ping));
        let told: Vec<_> =
            futures_util::stream::iter(calls).buffer_unordered(CALLS).collect().await;
        let mut tx = store.write().await?;
        for told in told {
            settle(&mut tx, &told?, self.state.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(count)
    }

    async fn next(&self) -> Result<Option<Timestamp>, StoreError> {
        self.state.store.read().await?.next_ping().await
    }
}

async fn settle(
    tx: &mut Tx,
    Told { ping, outcome, pages }: &Told,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(outcome) = outcome else { return tx.end_ping(ping).await };
    let (target, feed) = (&ping.target, &ping.path);
    let kind = if ping.target == INDEX_NOW { "index" } else { "ping" };
    match verdict(&RETRY, (ping.attempt, ping.owed_at), outcome, now) {
        Verdict::RetryAt(at) => {
            telemetry::pushed(kind, "deferred");
            tracing::info!(target, feed, ?outcome, retry.at = %at, "the news is told again later");
            tx.delay_ping(ping, at).await
        }
        Verdict::Done => {
            telemetry::pushed(kind, "accepted");
            tracing::info!(target, feed, pages = pages.len(), "the news is told");
            tx.settle_index_pages(pages).await?;
            // There may be more of them than one call takes.
            if pages.len() == MOST_PAGES {
                tx.delay_ping(ping, now).await
            } else {
                tx.end_ping(ping).await
            }
        }
        Verdict::GiveUp | Verdict::TooLate | Verdict::Hold | Verdict::Drop => {
            telemetry::pushed(kind, "rejected");
            tracing::warn!(target, feed, ?outcome, "nobody takes the news there");
            tx.end_ping(ping).await
        }
    }
}
