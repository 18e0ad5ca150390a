//! One feed of some posts: which they are, and what it says of itself.

use url::Url;

use super::Key;
use crate::config::{FeedAbout, FeedSelection};
use crate::content::slugify;
use crate::domain::{Author, FeedTopic, FeedWindow, LivePost};
use crate::feed::archive;
use crate::feed::{FeedSpec, FeedUrls, Neighbours, Publication};

/// A feed of some posts.
#[derive(Debug)]
pub struct Selection {
    pub title: String,
    pub urls: FeedUrls,
    description: String,
    language: String,
    author: Option<Author>,
    window: FeedWindow,
    full_text: bool,
    neighbours: Option<Neighbours>,
    is_podcast: bool,
    /// Where it is not what all feeds say.
    about: Option<FeedAbout>,
    /// All of them, newest first.
    pub(super) posts: Vec<LivePost>,
}

impl Selection {
    /// The feed of `key`.
    pub(super) fn new(publication: &Publication, key: &Key, posts: Vec<LivePost>) -> Self {
        let site = &publication.site;
        let plain = Self {
            title: site.title.clone(),
            urls: FeedUrls::within(&publication.folder(&key.folder())),
            description: site.description.clone(),
            language: site.language.clone(),
            author: site.author.clone(),
            window: publication.feeds.window,
            full_text: publication.feeds.full_text,
            neighbours: None,
            is_podcast: *key == Key::Podcast,
            about: publication.about(key),
            posts,
        };
        match key {
            Key::Topic(topic, slug) => plain.about(*topic, slug),
            Key::Named(name) => match publication.feeds.selections.get(&**name) {
                Some(chosen) => plain.chosen(name, chosen),
                None => plain,
            },
            Key::Podcast => plain.podcast(publication),
            Key::Archive(document) => {
                let window = FeedWindow { items: usize::MAX, bytes: None };
                let neighbours = Some(archive::around(publication, *document));
                Self { window, neighbours, ..plain }
            }
        }
    }

    /// Each kind of feed has its own kind of title, so that no two are called the same.
    fn about(self, topic: FeedTopic, slug: &str) -> Self {
        let name = self.spelled(topic, slug);
        let site = &self.title;
        let title = match topic {
            FeedTopic::Tag => format!("{site} #{name}"),
            FeedTopic::Category => format!("{site}: {name}"),
            FeedTopic::Author => format!("{site} — {name}"),
            FeedTopic::Language => format!("{site} ({name})"),
            FeedTopic::Section => format!("{site} / {name}"),
        };
        match topic {
            FeedTopic::Language => Self { title, language: name, ..self },
            FeedTopic::Author => {
                let wrote = self.posts.iter().flat_map(|it| &it.post.authors);
                let author = wrote.rev().find(|author| author.name == name).cloned();
                Self { title, author: author.or(self.author.clone()), ..self }
            }
            FeedTopic::Tag | FeedTopic::Category | FeedTopic::Section => Self { title, ..self },
        }
    }

    /// As the first post spells it that has it: later ones do not rename the feed.
    fn spelled(&self, topic: FeedTopic, slug: &str) -> String {
        let oldest = self.posts.last().map(|it| &*it.post);
        let names = oldest.map(|post| topic.names_in(post)).unwrap_or_default();
        let site_author = self.author.as_ref().filter(|_| topic == FeedTopic::Author);
        let names = names.into_iter().chain(site_author.map(|author| author.name.as_str()));
        let mut names = names.filter(|name| topic_slug(topic, name) == slug);
        names.next().unwrap_or(slug).to_owned()
    }

    fn chosen(self, name: &str, chosen: &FeedSelection) -> Self {
        Self {
            title: chosen.title.clone().unwrap_or_else(|| format!("{} [{name}]", self.title)),
            description: chosen.description.clone(),
            window: chosen.window,
            full_text: chosen.full_text,
            ..self
        }
    }

    fn podcast(self, publication: &Publication) -> Self {
        let about = publication.feeds.podcast.as_ref();
        let title = about.and_then(|it| it.title.clone());
        let description = about.and_then(|it| it.description.clone());
        let rss = publication.public_url.join("podcast.xml");
        Self {
            title: title.unwrap_or_else(|| format!("{} ♪", self.title)),
            description: description.unwrap_or(self.description),
            urls: FeedUrls { rss: rss.unwrap_or(self.urls.rss.clone()), ..self.urls },
            // It has no archive, and its posts are notes beside recordings.
            window: FeedWindow { bytes: None, ..self.window },
            ..self
        }
    }

    pub(super) fn spec<'a>(&'a self, publication: &'a Publication) -> FeedSpec<'a> {
        FeedSpec {
            title: &self.title,
            description: &self.description,
            site_url: &publication.site.url,
            language: &self.language,
            author: self.author.as_ref(),
            urls: &self.urls,
            full_text: self.full_text,
            about: self.about.as_ref().unwrap_or(&publication.feeds.about),
            podcast: publication.feeds.podcast.as_ref().filter(|_| self.is_podcast),
            neighbours: self.neighbours.as_ref(),
            gone: &[],
            ids: &publication.ids,
        }
    }

    /// Those that are in its documents.
    pub fn newest(&self) -> &[LivePost] {
        let sizes = self.posts.iter().map(|it| it.post.size_in_feed(self.full_text));
        &self.posts[..self.window.fits(sizes)]
    }

    /// How many posts it has, in its documents or not.
    pub fn count(&self) -> usize {
        self.posts.len()
    }

    pub fn rss_url(&self) -> &Url {
        &self.urls.rss
    }
}

/// What stands for `name` in addresses. Two names that differ in more than letters' case and space hardly ever share one:
/// `C`, `C++` and `C#` don't.
pub(super) fn topic_slug(topic: FeedTopic, name: &str) -> String {
    let spoken = name.replace('+', "plus").replace('#', "sharp");
    let slug = if topic == FeedTopic::Section && name.contains('/') {
        // A folder within a folder stays one part of the address.
        slugify(&spoken.replace('/', "-"))
    } else {
        slugify(&spoken)
    };
    if slug.is_empty() {
        // A name of signs only: its characters' numbers.
        let numbers = name.chars().take(20).map(|c| format!("u{:x}", u32::from(c)));
        return numbers.collect::<Vec<_>>().join("-");
    }
    slug
}
