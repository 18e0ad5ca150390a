//! What the posts as they are now would do to readers of the feeds as they are served.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::Config;
use crate::domain::{Catalog, Diagnostic, FeedCheck, PostId, QueuedRelease};
use crate::feed::{Places, Shelf};
use crate::ingest::{Press, publish_feeds, restored};
use crate::store::{PostCache, Store};

/// What the daemon would say of the feeds. Nothing while it has never served any.
pub(in crate::cli) async fn findings(
    store: &Store,
    config: &Config,
    (catalog, cache): (&Catalog, &PostCache),
    taken: &HashMap<PostId, QueuedRelease>,
) -> anyhow::Result<Vec<Diagnostic>> {
    let mut tx = store.read().await?;
    let mut documents = BTreeMap::new();
    for saved in tx.saved_feeds().await? {
        documents.extend(restored(&saved).map(|it| (saved.path, it)));
    }
    let mut places = Places::default();
    places.extend(tx.feed_places(0).await?);
    let ids = Arc::new(tx.feed_ids().await?);
    drop(tx);
    let previous = Shelf { documents, ..Shelf::default() };
    let with = Press { config, cache, places: &places, ids: &ids };
    let now = crate::cli::project::now();
    let effect = publish_feeds(with, catalog, taken, &previous, now).effect;
    let most = config.feeds.most_marked_new;
    let mut found = effect.warnings(most);
    found.extend(effect.flood(most, config.feeds.self_check == FeedCheck::Hold));
    Ok(found)
}
