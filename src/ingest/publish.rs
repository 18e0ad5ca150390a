//! From the catalog to the feeds that `web` hands out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::{Catalog, Live, LivePost, PostId, QueuedRelease, Revision, Written};
use crate::feed::{
    self, Document, FeedSpec, Format, Places, Publication, Selections, Shelf, Texts,
};
use crate::store::{LastFeed, LastFeeds, PostCache, StoreError};
use crate::telemetry;

/// Where each format is served.
const PATHS: [(&str, Format); 3] =
    [("/feed.xml", Format::Rss), ("/atom.xml", Format::Atom), ("/feed.json", Format::Json)];

/// What became of the feeds.
#[derive(Debug)]
pub struct Published {
    pub shelf: Shelf,
    /// When the feeds change by themselves.
    pub changes_at: Option<Timestamp>,
    /// Posts whose text cannot be read: while there are any, the feeds stay as they were.
    pub unread: Vec<(String, StoreError)>,
    /// Posts that are in feeds for the first time, oldest first: the archive has no place for them yet.
    pub unplaced: Vec<PostId>,
}

/// What feeds are made with.
#[derive(Clone, Copy, Debug)]
pub struct Press<'a> {
    pub config: &'a Config,
    pub cache: &'a PostCache,
    pub places: &'a Places,
}

/// Renders the feeds of `catalog` as they are at `now`, unless they are of the same posts as before. A document that
/// cannot be rendered keeps its predecessor; unchanged bytes keep their validators.
pub fn publish_feeds(
    Press { config, cache, places }: Press<'_>,
    catalog: &Catalog,
    taken: &HashMap<PostId, QueuedRelease>,
    previous: &Shelf,
    now: Timestamp,
) -> Published {
    let live = Live::of(catalog, (&config.releases, taken), &previous.live, now);
    let changes_at = live.changes_at;
    let publication = Publication::of(config);
    let urls = publication.main_urls();
    let selections = Selections::of(
        publication,
        Arc::clone(&live.posts),
        places,
        texts(cache),
        &previous.selections,
    );
    let unplaced = selections.unplaced();
    let neighbours = selections.before_head();
    let spec = FeedSpec {
        title: &config.site.title,
        description: &config.site.description,
        site_url: &config.site.url,
        language: &config.site.language,
        author: config.site.author.as_ref(),
        urls: &urls,
        full_text: config.feeds.full_text,
        about: &config.feeds.about,
        podcast: None,
        neighbours: neighbours.as_ref(),
    };
    let mut unread = Vec::new();
    let (documents, made_of) = main_feed(&spec, &selections.head(), (cache, previous), &mut unread);
    let shelf = Shelf {
        is_of_before: false,
        documents,
        made_of,
        selections: Arc::new(selections),
        problems: catalog.problems.clone(),
        moved: Arc::clone(&catalog.moved),
        live,
        drafts: catalog.drafts,
    };
    Published { shelf, changes_at, unread, unplaced }
}

/// What was served last under this configuration: readers have that until everything was looked at.
pub fn last_shelf(config: &Config) -> Option<Shelf> {
    let last = LastFeeds::read(&config.last_feeds())?;
    if last.stamp != Publication::of(config).stamp() {
        return None;
    }
    let documents = last.feeds.into_iter().filter_map(|LastFeed { path, last_modified, text }| {
        let (_, format) = PATHS.into_iter().find(|(known, _)| *known == path)?;
        Some((path, Arc::new(Document::served_before(format, text, last_modified))))
    });
    let documents: BTreeMap<_, _> = documents.collect();
    let is_whole = documents.len() == PATHS.len();
    is_whole.then(|| Shelf { is_of_before: true, documents, ..Shelf::default() })
}

/// Keeps the documents of `shelf` for the next start, if they are others than those of `previous`.
pub fn keep_last(config: &Config, shelf: &Shelf, previous: &Shelf) {
    let is_kept = |(path, document): (&String, &Arc<Document>)| {
        previous.documents.get(path).is_some_and(|it| it.etag == document.etag)
    };
    if shelf.documents.iter().all(is_kept) {
        return;
    }
    let feed = |(path, document): (&String, &Arc<Document>)| {
        let text = String::from_utf8(document.bytes.to_vec()).ok()?;
        Some(LastFeed { path: path.clone(), last_modified: document.last_modified, text })
    };
    let feeds: Option<Vec<LastFeed>> = shelf.documents.iter().map(feed).collect();
    let Some(feeds) = feeds else { return };
    let last = LastFeeds { stamp: Publication::of(config).stamp(), feeds };
    if let Err(error) = last.write(&config.last_feeds()) {
        tracing::warn!(
            %error,
            "the feeds cannot be kept for the next start; readers will have to wait then until all posts were looked at"
        );
    }
}

/// The documents of the main feed, and what they are made of, if all could be made.
fn main_feed(
    spec: &FeedSpec<'_>,
    posts: &[LivePost],
    (cache, previous): (&PostCache, &Shelf),
    unread: &mut Vec<(String, StoreError)>,
) -> (BTreeMap<String, Arc<Document>>, Option<Revision>) {
    let made_of = made_of(spec, posts);
    if previous.made_of.as_ref() == Some(&made_of) {
        return (previous.documents.clone(), Some(made_of));
    }
    let written = posts.iter().filter_map(|it| {
        let written = cache.written(&it.post, it.body);
        written.map_err(|error| unread.push((it.post.source.clone(), error))).ok()
    });
    let selected: Vec<_> = written.collect();
    if unread.is_empty() {
        let documents = documents(spec, &selected, previous);
        let all = documents.is_whole.then_some(made_of);
        (documents.by_path, all)
    } else {
        // A post that is missing would look deleted.
        (previous.documents.clone(), None)
    }
}

/// Where documents that are made later find what they need.
fn texts(cache: &PostCache) -> Texts {
    let texts = cache.texts();
    Texts::new(move |it| {
        let written = texts.written(&it.post, it.body);
        written
            .inspect_err(|error| {
                tracing::warn!(
                    post.source = it.post.source,
                    error = %telemetry::causes(error),
                    "the text of this post cannot be read for a feed now"
                );
            })
            .ok()
    })
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
                documents.by_path.insert(path.to_owned(), document.in_place_of(before));
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
