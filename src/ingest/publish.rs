//! From the catalog to the feeds that `web` hands out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::{Catalog, PostId, QueuedRelease};
use crate::feed::{self, Document, FeedSpec, Format, Shelf};
use crate::store::{PostCache, StoreError};
use crate::telemetry;

/// Where each format is served.
const PATHS: [(&str, Format); 3] =
    [("/feed.xml", Format::Rss), ("/atom.xml", Format::Atom), ("/feed.json", Format::Json)];

/// Renders the feeds of `catalog` as they are at `now`, and says when they change by themselves. A document that
/// cannot be rendered keeps its predecessor; unchanged bytes keep their validators.
pub fn publish_feeds(
    (config, cache): (&Config, &PostCache),
    catalog: &Catalog,
    taken: &HashMap<PostId, QueuedRelease>,
    previous: &Shelf,
    now: Timestamp,
) -> Result<(Shelf, Option<Timestamp>), StoreError> {
    let (live, changes_at) = catalog.live(&config.releases, taken, now);
    let newest = live.iter().take(config.feeds.items);
    let selected: Vec<_> =
        newest.map(|it| cache.written(&it.post, it.body)).collect::<Result<_, _>>()?;
    let spec = FeedSpec {
        title: &config.site.title,
        description: &config.site.description,
        site_url: &config.site.url,
        language: &config.site.language,
        author: config.site.author.as_ref(),
        rss_url: &own_url(config, "feed.xml"),
        atom_url: &own_url(config, "atom.xml"),
        json_url: &own_url(config, "feed.json"),
        full_text: config.feeds.full_text,
    };
    let mut documents = BTreeMap::new();
    for (path, format) in PATHS {
        let before = previous.documents.get(path);
        match feed::render(format, &spec, &selected) {
            Ok(document) => {
                documents.insert(path, succeed(document, before));
            }
            Err(error) => {
                tracing::error!(
                    feed = path,
                    error = %telemetry::causes(&error),
                    "a feed cannot be rendered; the one before stays"
                );
                if let Some(before) = before {
                    documents.insert(path, Arc::clone(before));
                }
            }
        }
    }
    let shelf = Shelf {
        documents,
        problems: catalog.problems.clone(),
        moved: Arc::clone(&catalog.moved),
        live_posts: live.len(),
        drafts: catalog.drafts,
    };
    Ok((shelf, changes_at))
}

fn succeed(document: Document, before: Option<&Arc<Document>>) -> Arc<Document> {
    match before {
        Some(before) if before.etag == document.etag => Arc::clone(before),
        Some(before) => Arc::new(document.succeeding(before)),
        None => Arc::new(document),
    }
}

fn own_url(config: &Config, path: &str) -> url::Url {
    config.server.public_url.join(path).expect("a plain file name joins any base")
}
