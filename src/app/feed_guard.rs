//! Keeps feeds that would flood their readers back until a person has looked, across restarts and nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::{Diagnostic, FeedCheck};
use crate::feed::{Coding, Document, Effect, Shelf};
use crate::ingest::restored;
use crate::store::{Doubtful, SavedFeed, Store, StoreError};
use crate::telemetry;

/// What is told of a change until the next one.
const LASTING: [&str; 4] = ["feed-marked-new", "feed-dates-moved", "feed-shrunk", "feed-grown"];

/// What was served last, as the database knows it.
pub(super) struct FeedGuard {
    /// The `ETag` of what the database has, by path.
    saved: BTreeMap<String, String>,
    /// The database says that the feeds are held, or a person's word was used: to be taken back once they are served.
    is_owing: bool,
}

impl FeedGuard {
    /// And what was served before a restart.
    pub(super) async fn open(
        store: &Store,
    ) -> Result<(Self, BTreeMap<String, Arc<Document>>), StoreError> {
        let mut tx = store.read().await?;
        let is_owing = tx.held_feeds().await?.is_some();
        let found = tx.saved_feeds().await?;
        drop(tx);
        let saved = found.iter().map(|it| (it.path.clone(), it.etag.clone())).collect();
        let documents = found.iter().filter_map(|it| Some((it.path.clone(), restored(it)?)));
        Ok((Self { saved, is_owing }, documents.collect()))
    }

    /// Leaves `next` as it is, or puts what is held back to where it was.
    pub(super) async fn judge(
        &mut self,
        (store, config): (&Store, &Config),
        (next, previous): (&mut Shelf, &Shelf),
        effect: &Effect,
        now: Timestamp,
    ) {
        let most = config.feeds.most_marked_new;
        let mut found = effect.warnings(most);
        if effect.marked_new > most {
            let wants_to = config.feeds.self_check == FeedCheck::Hold;
            let is_held = wants_to && holds(store, next, effect, now).await;
            if is_held || !wants_to {
                found.extend(effect.flood(most, is_held));
            }
            if is_held {
                found.retain(Diagnostic::is_error);
                next.documents.clone_from(&previous.documents);
                next.made_of.clone_from(&previous.made_of);
                next.selections = Arc::clone(&previous.selections);
                next.held = Some(effect.sentence());
            }
            self.is_owing = true;
        }
        telemetry::feeds_held(next.held.is_some());
        if found.is_empty() && tags(next).eq(tags(previous)) {
            let told = previous.problems.iter().filter(|it| LASTING.contains(&&*it.code));
            found.extend(told.cloned());
        }
        next.problems.extend(found);
    }

    /// Tells the database what is served now.
    pub(super) async fn served(&mut self, store: &Store, next: &Arc<Shelf>) {
        let is_free = next.held.is_none();
        let is_new =
            |path: &String, document: &Document| self.saved.get(path) != Some(&document.etag);
        let fresh = next.documents.iter().filter(|(path, document)| is_new(path, document));
        let fresh: Vec<(String, Arc<Document>)> =
            fresh.map(|(path, document)| (path.clone(), Arc::clone(document))).collect();
        if !is_free || (fresh.is_empty() && !self.is_owing) {
            return;
        }
        let packed = tokio::task::spawn_blocking(move || packed(&fresh)).await;
        let packed = match packed {
            Ok(packed) => packed,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let kept = async {
            let mut tx = store.write().await?;
            tx.save_feeds(&packed).await?;
            if self.is_owing {
                tx.feeds_are_free().await?;
            }
            tx.commit().await
        };
        match kept.await {
            Ok(()) => {
                self.is_owing = false;
                self.saved.extend(packed.into_iter().map(|it| (it.path, it.etag)));
            }
            Err(error) => tracing::warn!(
                error = %telemetry::causes(&error),
                "what is served in the feeds cannot be noted; trying again with the next change"
            ),
        }
    }
}

/// What is at each path.
fn tags(shelf: &Shelf) -> impl Iterator<Item = (&str, &str)> {
    shelf.documents.iter().map(|(path, it)| (path.as_str(), it.etag.as_str()))
}

/// Without the database nobody can have let it through.
async fn holds(store: &Store, shelf: &Shelf, effect: &Effect, now: Timestamp) -> bool {
    let etags: Vec<(&str, &str)> = tags(shelf).collect();
    let why = effect.sentence();
    let doubtful = Doubtful { marked: effect.marked_new, why: &why, etags: &etags };
    match store.holds_feeds(doubtful, now).await {
        Ok(holds) => holds,
        Err(error) => {
            tracing::warn!(
                error = %telemetry::causes(&error),
                "whether held feeds were let through cannot be asked; they stay as they were"
            );
            true
        }
    }
}

fn packed(documents: &[(String, Arc<Document>)]) -> Vec<SavedFeed> {
    let packed = documents.iter().filter_map(|(path, document)| {
        Some(SavedFeed {
            path: path.clone(),
            etag: document.etag.clone(),
            last_modified: document.last_modified,
            size: document.bytes.len(),
            packed: document.encoded(Coding::Zstd)?.to_vec(),
        })
    });
    packed.collect()
}
