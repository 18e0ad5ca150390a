//! From the catalog to the feeds that `web` hands out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::{Catalog, LivePost, PostId, QueuedRelease, Revision, Written};
use crate::feed::{self, Document, FeedSpec, Format, Shelf};
use crate::store::{PostCache, StoreError};
use crate::telemetry;

/// Where each format is served.
const PATHS: [(&str, Format); 3] =
    [("/feed.xml", Format::Rss), ("/atom.xml", Format::Atom), ("/feed.json", Format::Json)];

/// What became of the feeds.
#[derive(Debug)]
pub struct Published {
    pub shelf: Shelf,
    /// The posts that readers see, newest first.
    pub live: Vec<LivePost>,
    /// When the feeds change by themselves.
    pub changes_at: Option<Timestamp>,
    /// Posts whose text cannot be read: while there are any, the feeds stay as they were.
    pub unread: Vec<(String, StoreError)>,
}

/// Renders the feeds of `catalog` as they are at `now`, unless they are of the same posts as before. A document that
/// cannot be rendered keeps its predecessor; unchanged bytes keep their validators.
pub fn publish_feeds(
    (config, cache): (&Config, &PostCache),
    catalog: &Catalog,
    taken: &HashMap<PostId, QueuedRelease>,
    previous: &Shelf,
    now: Timestamp,
) -> Published {
    let (live, changes_at) = catalog.live(&config.releases, taken, now);
    let newest = &live[..live.len().min(config.feeds.items)];
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
    let made_of = made_of(&spec, newest);
    let mut unread = Vec::new();
    let (documents, made_of) = if previous.made_of.as_ref() == Some(&made_of) {
        (previous.documents.clone(), Some(made_of))
    } else {
        let written = newest.iter().filter_map(|it| {
            let written = cache.written(&it.post, it.body);
            written.map_err(|error| unread.push((it.post.source.clone(), error))).ok()
        });
        let selected: Vec<_> = written.collect();
        if unread.is_empty() {
            let documents = documents(&spec, &selected, previous);
            let all = documents.is_whole.then_some(made_of);
            (documents.by_path, all)
        } else {
            // A post that is missing would look deleted.
            (previous.documents.clone(), None)
        }
    };
    let shelf = Shelf {
        documents,
        made_of,
        problems: catalog.problems.clone(),
        moved: Arc::clone(&catalog.moved),
        live_posts: live.len(),
        drafts: catalog.drafts,
    };
    Published { shelf, live, changes_at, unread }
}

/// All that the documents depend on.
fn made_of(spec: &FeedSpec<'_>, posts: &[LivePost]) -> Revision {
    let posts = posts.iter().map(|LivePost { post, .. }| {
        let (published_at, updated_at) = (post.published_at, post.updated_at);
        format!("{} {} {published_at} {updated_at:?}", post.id, post.revision.as_str())
    });
    let parts: Vec<String> = std::iter::once(format!("{spec:?}")).chain(posts).collect();
    Revision::of(parts.iter().map(String::as_str))
}

struct Documents {
    by_path: BTreeMap<String, Arc<Document>>,
    /// Every one of them is of these posts.
    is_whole: bool,
}

fn documents(spec: &FeedSpec<'_>, posts: &[Written], previous: &Shelf) -> Documents {
    let mut documents = Documents { by_path: BTreeMap::new(), is_whole: true };
    for (path, format) in PATHS {
        let before = previous.documents.get(path);
        match feed::render(format, spec, posts) {
            Ok(document) => {
                documents.by_path.insert(path.to_owned(), succeed(document, before));
            }
            Err(error) => {
                tracing::error!(
                    feed = path,
                    error = %telemetry::causes(&error),
                    "a feed cannot be rendered; the one before stays"
                );
                documents.is_whole = false;
                let kept = before.map(|before| (path.to_owned(), Arc::clone(before)));
                documents.by_path.extend(kept);
            }
        }
    }
    documents
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
