//! All feeds but the one with everything: per tag, category, author, language and section, those of the configuration, the
//! podcast, the archive, and the list of them.
//!
//! What is held is which posts each has; a document is made when somebody asks for it, and kept while there is room. A change
//! of posts touches the feeds they are in, and shares all others with the index before.

mod groups;
mod kept;
mod selection;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use self::groups::{Change, Groups};
use self::kept::Kept;
pub use self::selection::Selection;
use super::archive::{self, Places};
use super::{Document, FeedError, Format, Neighbours, Publication, opml, render};
use crate::config::{FeedAbout, Feeds};
use crate::content::percent_decoded;
use crate::domain::{FeedTopic, LivePost, Post, PostId, Revision, Written};

/// Where the texts of posts are. `None`: this one cannot be read, and somebody was told.
#[derive(Clone)]
pub struct Texts(Arc<Read>);

type Read = dyn Fn(&LivePost) -> Option<Written> + Send + Sync;

impl Texts {
    pub fn new(read: impl Fn(&LivePost) -> Option<Written> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub fn of(&self, post: &LivePost) -> Option<Written> {
        (self.0)(post)
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts")
    }
}

/// By what a feed's posts belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Podcast,
    /// With the name as addresses have it.
    Topic(FeedTopic, Arc<str>),
    /// `[feeds.selections.NAME]`.
    Named(Arc<str>),
    /// A document of the archive, also one that is not closed.
    Archive(u32),
}

impl Key {
    /// Below the public URL, with `/` at its end.
    fn folder(&self) -> String {
        match self {
            Self::Topic(topic, slug) => format!("{}/{slug}/", topic.folder()),
            Self::Named(name) => format!("feeds/{name}/"),
            Self::Podcast => "feeds/podcast/".to_owned(),
            Self::Archive(document) => archive::folder(*document),
        }
    }
}

/// A document that exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted(What);

/// `path` with its percent escapes in upper case, which mean the same in either (RFC 3986 section 6.2.2.1).
pub fn usual_escapes(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut parts = path.split('%');
    let mut usual = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        usual.extend(["%", &digits.to_ascii_uppercase(), rest]);
    }
    Cow::Owned(usual)
}

/// Whether all hubs are told when the feed at `path` changes, and it names them: so that what is made on demand need not be
/// made for hubs that nobody asked for it, ours alone hears of feeds of topics and of the archive.
pub fn is_for_all_hubs(path: &str) -> bool {
    let folder = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    match folder {
        None => path != OPML,
        Some(("feeds", rest)) => !rest.starts_with("archive/"),
        Some(_) => false,
    }
}

impl Publication {
    /// What a feed says of the site, where that is not what all feeds say.
    fn about(&self, key: &Key) -> Option<FeedAbout> {
        let is_other = matches!(key, Key::Topic(..) | Key::Archive(_));
        if !is_other || self.feeds.others_hubs().next().is_none() {
            return None;
        }
        let hubs = self.feeds.hub.iter().map(|hub| hub.url.clone()).collect();
        Some(FeedAbout { hubs, ..self.feeds.about.clone() })
    }
}

/// Where the list of all feeds is.
pub const OPML: &str = "/feeds.opml";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum What {
    Feed(Key, Format),
    Opml,
}

/// Why there is no document now.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("the text of a post cannot be read")]
    Unread,
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// The index of all feeds. Replaced as a whole with the shelf; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Selections {
    about: Option<About>,
    live: Arc<[LivePost]>,
    groups: Groups,
    /// So many documents of the archive get no more posts, and so many of them the head can do without.
    complete: u32,
    closed: u32,
    /// Posts without a place yet.
    unplaced: Vec<LivePost>,
    kept: Arc<Kept>,
    opml: Arc<OnceLock<Arc<Document>>>,
}

#[derive(Clone, Debug)]
struct About {
    publication: Arc<Publication>,
    /// Of the publication.
    stamp: Revision,
    places: Arc<()>,
    texts: Texts,
}

impl Selections {
    /// The feeds of `live`, newest first. What did not change is shared with `previous`.
    pub fn of(
        publication: Publication,
        live: impl Into<Arc<[LivePost]>>,
        places: &Places,
        texts: Texts,
        previous: &Self,
    ) -> Self {
        let live = live.into();
        let about = About {
            stamp: publication.stamp(),
            publication: Arc::new(publication),
            places: Arc::clone(&places.identity),
            texts,
        };
        let nothing = Self::default();
        let is_alike =
            |old: &About| old.stamp == about.stamp && Arc::ptr_eq(&old.places, &about.places);
        let before =
            previous.about.as_ref().filter(|old| is_alike(old)).map_or(&nothing, |_| previous);
        let (complete, closed) = (places.complete(), places.closed(about.publication.feeds.window));
        let change = Change {
            before: &before.live,
            after: &live,
            complete: (before.complete, complete),
            unplaced: &before.unplaced,
            places,
        };
        let (groups, unplaced) = change.apply(&about.publication, &before.groups);
        let is_listed_alike = previous.about.as_ref().is_some_and(|old| old.stamp == about.stamp)
            && listed(&groups).eq(listed(&previous.groups));
        Self {
            about: Some(about),
            live,
            groups,
            complete,
            closed,
            unplaced,
            kept: Arc::clone(&previous.kept),
            opml: if is_listed_alike { Arc::clone(&previous.opml) } else { Arc::default() },
        }
    }

    /// Posts that are in feeds for the first time, oldest first, with their bytes: the archive has no place for them yet.
    pub fn unplaced(&self) -> Vec<(PostId, u64)> {
        let full_text = self.about.as_ref().is_none_or(|about| about.publication.feeds.full_text);
        let with_bytes = |it: &LivePost| (it.post.id.clone(), it.post.size_in_feed(full_text));
        self.unplaced.iter().rev().map(with_bytes).collect()
    }

    /// Nobody has looked yet which feeds there are.
    pub fn is_unknown(&self) -> bool {
        self.about.is_none()
    }

    /// All posts that are live, newest first.
    pub fn live(&self) -> &Arc<[LivePost]> {
        &self.live
    }

    /// Where all documents are, percent-encoded.
    pub fn paths(&self) -> Vec<String> {
        if self.about.is_none() {
            return Vec::new();
        }
        let mut paths = vec![OPML.to_owned()];
        paths.extend(self.groups.iter().flat_map(|group| self.paths_of(group)));
        // The last document of the archive is in the main feed.
        paths.retain(|path| self.find(path).is_some());
        paths
    }

    /// Where feeds are that are made on demand and that all hubs hear of.
    pub fn paths_for_all_hubs(&self) -> Vec<String> {
        let groups = self.groups.iter();
        let wanted = groups.filter(|(key, _)| matches!(key, Key::Podcast | Key::Named(_)));
        wanted.flat_map(|group| self.paths_of(group)).collect()
    }

    fn paths_of(&self, (key, selection): (&Key, &Arc<Selection>)) -> Vec<String> {
        let formats = if *key == Key::Podcast { &[Format::Rss][..] } else { &Format::ALL[..] };
        let places = formats.iter().filter_map(|format| self.path_of(selection, *format));
        places.map(str::to_owned).collect()
    }

    /// Below the public URL, with `/` in front.
    fn path_of<'s>(&self, selection: &'s Selection, format: Format) -> Option<&'s str> {
        let public = self.about.as_ref()?.publication.public_url.path().trim_end_matches('/');
        selection.urls.of(format).path().strip_prefix(public)
    }

    /// All feeds but the main one and its archive.
    pub fn feeds(&self) -> impl Iterator<Item = &Selection> {
        let listed = self.groups.iter().filter(|(key, _)| !matches!(key, Key::Archive(_)));
        listed.map(|(_, selection)| &**selection)
    }

    /// What is at `path`, such as `/tags/ponds/feed.xml`. Each document has one address: as it is written in feeds.
    pub fn find(&self, path: &str) -> Option<Wanted> {
        let path = &*usual_escapes(path);
        if path == OPML {
            return self.about.is_some().then_some(Wanted(What::Opml));
        }
        let decoded = percent_decoded(path.strip_prefix('/')?);
        let (key, format) = if decoded == "podcast.xml" {
            (Key::Podcast, Format::Rss)
        } else {
            let (folder, file) = decoded.rsplit_once('/')?;
            let format = Format::ALL.into_iter().find(|format| format.file_name() == file)?;
            (self.key(folder)?, format)
        };
        let selection = self.groups.get(&key)?;
        let is_it = self.path_of(selection, format) == Some(path);
        is_it.then_some(Wanted(What::Feed(key, format)))
    }

    fn key(&self, folder: &str) -> Option<Key> {
        if let Some(name) = folder.strip_prefix("feeds/archive/") {
            // Also one that a larger window has taken into the head again: others have its address.
            return archive::named(name).filter(|it| *it < self.complete).map(Key::Archive);
        }
        let (outer, name) = folder.split_once('/')?;
        if outer == "feeds" {
            return Some(Key::Named(name.into()));
        }
        let topic = FeedTopic::ALL.into_iter().find(|topic| topic.folder() == outer)?;
        Some(Key::Topic(topic, name.into()))
    }

    /// The feed that `wanted` is a document of. None: it is the list of all feeds.
    pub fn feed_of(&self, wanted: &Wanted) -> Option<&Selection> {
        match &wanted.0 {
            What::Feed(key, _) => self.groups.get(key).map(|selection| &**selection),
            What::Opml => None,
        }
    }

    /// The feed of the posts that have `name` in common, if there is one.
    pub fn of_topic(&self, topic: FeedTopic, name: &str) -> Option<&Selection> {
        let key = Key::Topic(topic, selection::topic_slug(topic, name).into());
        self.groups.get(&key).map(|selection| &**selection)
    }

    /// The document, if it is made already. Takes no time.
    pub fn ready(&self, wanted: &Wanted) -> Option<Arc<Document>> {
        match &wanted.0 {
            What::Opml => self.opml.get().cloned(),
            What::Feed(key, _) => {
                let (made_of, document) = self.kept.get(wanted)?;
                Arc::ptr_eq(self.groups.get(key)?, &made_of).then_some(document)
            }
        }
    }

    /// Keeps `document`, made of what is wanted, with the time and the history that it has got.
    pub fn keep(&self, wanted: &Wanted, document: &Arc<Document>) {
        let What::Feed(key, _) = &wanted.0 else { return };
        if let Some(selection) = self.groups.get(key) {
            self.kept.put(wanted.clone(), Arc::clone(selection), Arc::clone(document));
        }
    }

    /// The document, made if it must be. Blocks for as long as reading and compressing its posts takes.
    pub fn make(&self, wanted: &Wanted) -> Result<Arc<Document>, MakeError> {
        let about = self.about.as_ref().ok_or(MakeError::Unread)?;
        let _one = self.kept.one_at_a_time();
        if let Some(document) = self.ready(wanted) {
            return Ok(document);
        }
        let What::Feed(key, format) = &wanted.0 else {
            let document = Arc::new(opml::write(&about.publication, self.feeds(), &self.live));
            return Ok(Arc::clone(self.opml.get_or_init(|| document)));
        };
        let selection = self.groups.get(key).ok_or(MakeError::Unread)?;
        let read = |it| about.texts.of(it).ok_or(MakeError::Unread);
        let posts = selection.newest().iter().map(read).collect::<Result<Vec<_>, _>>();
        let before = self.kept.get(wanted).map(|(_, before)| before);
        let (posts, before) = match (posts, before) {
            // A post that is missing would look deleted.
            (Err(_), Some(before)) => return Ok(before),
            (posts, before) => (posts?, before),
        };
        let document = render(*format, &selection.spec(&about.publication), &posts)?;
        let document = document.in_place_of(before.as_ref());
        self.kept.put(wanted.clone(), Arc::clone(selection), Arc::clone(&document));
        Ok(document)
    }

    /// The posts of the main feed, newest first: those that no closed document of the archive holds, whatever their dates and
    /// however many; for which there is room besides, some that were edited lately, so that who has them sees it, and the newest.
    pub fn head(&self) -> Vec<LivePost> {
        let Some(About { publication, .. }) = &self.about else { return Vec::new() };
        let Feeds { window, full_text, .. } = &publication.feeds;
        let sizes = |posts: &mut dyn Iterator<Item = &LivePost>| {
            window.fits(posts.map(|it| it.post.size_in_feed(*full_text)))
        };
        let (newest, older) = self.live.split_at(sizes(&mut self.live.iter()));
        let Some(last) = newest.last().filter(|_| !older.is_empty()) else {
            return newest.to_vec();
        };
        let open = self.groups.range(Key::Archive(self.closed)..);
        let open: Vec<&LivePost> = open.flat_map(|(_, selection)| &selection.posts).collect();
        let must = open.len();
        let since = last.post.published_at;
        let later = older.iter().filter(|it| it.post.changed_at() > since);
        let mut edited: Vec<&LivePost> = later.collect();
        edited.sort_by_key(|it| std::cmp::Reverse(it.post.changed_at()));
        edited.truncate(window.items / 5);
        let wanted = self.unplaced.iter().chain(open).chain(edited).chain(newest);
        let mut head: Vec<LivePost> = wanted.cloned().collect();
        let mut seen = HashSet::new();
        head.retain(|it| seen.insert(it.post.id.clone()));
        let fits = sizes(&mut head.iter());
        head.truncate(fits.max(must));
        head.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
        head
    }

    /// Where the posts are that the main feed has no more.
    pub fn before_head(&self) -> Option<Neighbours> {
        let publication = &self.about.as_ref()?.publication;
        let last = self.closed.checked_sub(1)?;
        Some(Neighbours { current: None, previous: Some(archive::urls(publication, last)) })
    }
}

/// Where feeds are and what they are called.
fn listed(groups: &BTreeMap<Key, Arc<Selection>>) -> impl Iterator<Item = (&Key, &str)> {
    let listed = groups.iter().filter(|(key, _)| !matches!(key, Key::Archive(_)));
    listed.map(|(key, selection)| (key, selection.title.as_str()))
}
