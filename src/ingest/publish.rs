//! From the catalog to the feeds that `web` hands out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::effect::Checked;
use crate::config::Config;
use crate::domain::{
    Catalog, Diagnostic, FeedCheck, FeedIds, Live, LivePost, PostId, QueuedRelease, Revision,
    Tombstone, Written,
};
use crate::feed::{
    self, Document, Effect, FeedSpec, Format, Places, Publication, Selections, Shelf, Texts,
};
use crate::store::{PostCache, SavedFeed, StoreError};
use crate::telemetry;

/// Where each format is served.
pub const PATHS: [(&str, Format); 3] =
    [("/feed.xml", Format::Rss), ("/atom.xml", Format::Atom), ("/feed.json", Format::Json)];

/// So many posts that are gone are told of: who polls so rarely that more went meanwhile has to look at the feed itself.
const TOMBSTONES: usize = 20;

/// What became of the feeds.
#[derive(Debug)]
pub struct Published {
    pub shelf: Shelf,
    /// When the feeds change by themselves.
    pub changes_at: Option<Timestamp>,
    /// Posts whose text cannot be read: while there are any, the feeds stay as they were.
    pub unread: Vec<(String, StoreError)>,
    /// Posts that are in feeds for the first time, oldest first, with their bytes: the archive has no place for them yet.
    pub unplaced: Vec<(PostId, u64)>,
    /// What the change does to readers of the feeds before.
    pub effect: Effect,
}

/// What feeds are made with.
#[derive(Clone, Copy, Debug)]
pub struct Press<'a> {
    pub config: &'a Config,
    pub cache: &'a PostCache,
    pub places: &'a Places,
    /// Ids that posts had in an earlier feed.
    pub ids: &'a Arc<FeedIds>,
}

/// Renders the feeds of `catalog` as they are at `now`, unless they are of the same posts as before. A document that
/// cannot be rendered keeps its predecessor; unchanged bytes keep their validators.
pub fn publish_feeds(
    Press { config, cache, places, ids }: Press<'_>,
    catalog: &Catalog,
    taken: &HashMap<PostId, QueuedRelease>,
    previous: &Shelf,
    now: Timestamp,
) -> Published {
    let live = Live::of(catalog, (&config.releases, taken), &previous.live, now);
    let changes_at = live.changes_at;
    let publication = Publication::of(config, ids);
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
    let head = selections.head();
    let gone = tombstones(catalog, (&live, places), &head);
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
        gone: &gone,
        ids,
    };
    let mut unread = Vec::new();
    let main = main_feed((&spec, config), &head, (cache, previous), &mut unread);
    let Main { documents, made_of, mut problems } = main;
    let checked = Checked { previous, documents: &documents, head: &head, live: selections.live() };
    let effect = checked.effect(config.feeds.self_check, places);
    problems.extend(catalog.problems.iter().cloned());
    let shelf = Shelf {
        is_from_before: false,
        documents,
        made_of,
        selections: Arc::new(selections),
        problems,
        held: None,
        moved: Arc::clone(&catalog.moved),
        live,
        drafts: catalog.drafts,
    };
    Published { shelf, changes_at, unread, unplaced, effect }
}

/// The posts that are gone since the oldest in the feed came: who has no older copy than that may have them. What has no place in
/// the archive was in no feed.
fn tombstones(
    catalog: &Catalog,
    (live, places): (&Live, &Places),
    head: &[LivePost],
) -> Vec<Tombstone> {
    let Some(since) = head.iter().map(|it| it.post.published_at).min() else { return Vec::new() };
    let expired = live.expired().filter_map(|known| {
        Some(Tombstone { id: known.post.id.clone(), gone_at: known.expires_at? })
    });
    let gone = catalog.gone.iter().cloned().chain(expired);
    let told = gone.filter(|it| it.gone_at >= since && places.of(&it.id).is_some());
    let mut told: Vec<Tombstone> = told.collect();
    told.sort_by(|a, b| b.gone_at.cmp(&a.gone_at).then_with(|| a.id.cmp(&b.id)));
    told.truncate(TOMBSTONES);
    told
}

/// A document of the main feed as it was served. None: it is something else by now.
pub fn restored(saved: &SavedFeed) -> Option<Arc<Document>> {
    let (_, format) = PATHS.into_iter().find(|(path, _)| *path == saved.path)?;
    let document = Document::restored(format, &saved.packed, saved.size, saved.last_modified)?;
    (document.etag == saved.etag).then(|| Arc::new(document))
}

/// The main feed.
struct Main {
    documents: BTreeMap<String, Arc<Document>>,
    /// What all documents are made of.
    made_of: Option<Revision>,
    problems: Vec<Diagnostic>,
}

fn main_feed(
    (spec, config): (&FeedSpec<'_>, &Config),
    posts: &[LivePost],
    (cache, previous): (&PostCache, &Shelf),
    unread: &mut Vec<(String, StoreError)>,
) -> Main {
    let made_of = made_of(spec, posts);
    let before =
        |made_of| Main { documents: previous.documents.clone(), made_of, problems: Vec::new() };
    if previous.made_of.as_ref() == Some(&made_of) {
        return before(Some(made_of));
    }
    let written = posts.iter().filter_map(|it| {
        let written = cache.written(&it.post, it.body);
        written.map_err(|error| unread.push((it.post.source.clone(), error))).ok()
    });
    let selected: Vec<_> = written.collect();
    if !unread.is_empty() {
        // A post that is missing would look deleted.
        return before(None);
    }
    let is_checked = config.feeds.self_check != FeedCheck::Off;
    let mut documents = documents(spec, &selected, previous, is_checked);
    let made_of = documents.is_whole.then_some(made_of);
    let problems = std::mem::take(&mut documents.problems);
    Main { documents: documents.by_path, made_of, problems }
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
    problems: Vec<Diagnostic>,
}

fn documents(
    spec: &FeedSpec<'_>,
    posts: &[Written],
    previous: &Shelf,
    is_checked: bool,
) -> Documents {
    let mut made = Documents { by_path: BTreeMap::new(), is_whole: true, problems: Vec::new() };
    for (path, format) in PATHS {
        let before = previous.documents.get(path);
        let problem = match feed::render(format, spec, posts) {
            Ok(document) => {
                let document = document.in_place_of(before);
                let is_new = before.is_none_or(|before| before.etag != document.etag);
                let fault =
                    if is_checked && is_new { feed::ill_formed(path, &document) } else { None };
                if fault.is_none() {
                    made.by_path.insert(path.to_owned(), document);
                    continue;
                }
                fault
            }
            Err(error) => {
                tracing::error!(
                    feed = path,
                    error = %telemetry::causes(&error),
                    "a feed cannot be rendered; the one before stays"
                );
                None
            }
        };
        made.problems.extend(problem);
        made.is_whole = false;
        made.by_path.extend(before.map(|before| (path.to_owned(), Arc::clone(before))));
    }
    made
}
