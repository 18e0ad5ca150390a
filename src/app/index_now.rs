//! Tells search engines which pages are new, changed or gone (IndexNow): the host's own pages only.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;
use url::Url;

use crate::config::{self, Config};
use crate::crosspost::Pusher;
use crate::domain::{LivePost, Outcome};
use crate::store::{Store, StoreError};
use crate::web::WebState;

/// Pages in one call, as the protocol has it.
pub(super) const MOST_PAGES: usize = 10_000;

/// Looks for pages that changed, and tells of them.
pub(super) struct IndexNow {
    state: WebState,
    pusher: Pusher,
    config: config::IndexNow,
    public_url: Url,
    /// The posts that were looked at last.
    looked_at: Mutex<Option<Arc<[LivePost]>>>,
}

impl IndexNow {
    /// None: nobody is to be told.
    pub(super) fn new(state: &WebState, config: &Config, pusher: &Pusher) -> Option<Self> {
        Some(Self {
            state: state.clone(),
            pusher: pusher.clone(),
            config: config.archive.index_now.clone()?,
            public_url: config.server.public_url.clone(),
            looked_at: Mutex::default(),
        })
    }

    /// Notes what changed since the last look, of this process or another.
    pub(super) async fn look(&self, now: Timestamp) -> Result<(), StoreError> {
        let now_served = self.state.shelf.load_full();
        if now_served.awaits_posts() {
            return Ok(());
        }
        let live = Arc::clone(&now_served.live.posts);
        let mut looked_at = self.looked_at.lock().await;
        if looked_at.as_ref().is_some_and(|before| is_same(before, &live)) {
            return Ok(());
        }
        let pages = pages(&self.public_url, &live);
        match &*looked_at {
            Some(before) => {
                let known = self::pages(&self.public_url, before);
                note(&self.state.store, &changes(&known, &pages), now).await?;
            }
            None => {
                if let Some(known) = self.state.store.index_pages().await? {
                    let known = known.iter().map(|(url, it)| (url.as_str(), it.as_str()));
                    // Those that are gone have no revision.
                    let known = known.filter(|(_, revision)| !revision.is_empty()).collect();
                    note(&self.state.store, &changes(&known, &pages), now).await?;
                } else {
                    let all = changes(&BTreeMap::new(), &pages);
                    self.state.store.note_index_pages(&all, true, now).await?;
                }
            }
        }
        *looked_at = Some(live);
        Ok(())
    }

    /// Tells of what is owed. No outcome: nothing is.
    pub(super) async fn tell(
        &self,
    ) -> Result<(Option<Outcome>, Vec<(String, String)>), StoreError> {
        let limit = i64::try_from(MOST_PAGES).unwrap_or(i64::MAX);
        let pages = self.state.store.owed_index_pages(limit).await?;
        if pages.is_empty() {
            return Ok((None, pages));
        }
        let config::IndexNow { key, endpoint } = &self.config;
        let urls: Vec<&str> = pages.iter().map(|(url, _)| url.as_str()).collect();
        let call = serde_json::json!({
            "host": self.public_url.host_str(),
            "key": key,
            "keyLocation": format!("{}{key}.txt", self.public_url),
            "urlList": urls,
        });
        Ok((Some(self.pusher.tell_index(endpoint, call.to_string()).await), pages))
    }
}

async fn note(
    store: &Store,
    changes: &[(&str, Option<&str>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    store.note_index_pages(changes, false, now).await
}

fn is_same(before: &[LivePost], live: &[LivePost]) -> bool {
    before.len() == live.len() && before.iter().zip(live).all(|(a, b)| a.is(b))
}

/// The pages of posts that are ours to speak of, with their revisions: the key opens what is below its own folder.
fn pages<'a>(public_url: &Url, posts: &'a [LivePost]) -> BTreeMap<&'a str, &'a str> {
    let pages = posts.iter().map(|it| {
        let url = it.post.canonical.as_deref().unwrap_or(&it.post.link);
        (url.as_str(), it.post.revision.as_str())
    });
    pages.filter(|(url, _)| url.starts_with(public_url.as_str())).collect()
}

/// What of `pages` is new or changed since `known`, and what is gone.
fn changes<'a>(
    known: &BTreeMap<&'a str, &str>,
    pages: &BTreeMap<&'a str, &'a str>,
) -> Vec<(&'a str, Option<&'a str>)> {
    let changed = pages.iter().filter(|(url, revision)| known.get(*url) != Some(*revision));
    let gone = known.keys().filter(|url| !pages.contains_key(*url));
    let changed = changed.map(|(url, revision)| (*url, Some(*revision)));
    changed.chain(gone.map(|url| (*url, None))).collect()
}
