//! Feeds of some posts, as those who ask for them get them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::config::{FeedSelection, Feeds, Podcast, Site};
use crate::domain::{Author, Body, BodyId, Enclosure, FeedPlace, FeedWindow, OpenDocument};

mod archive;

fn at(day: i64) -> Timestamp {
    "2020-01-01T08:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
}

fn person(name: &str) -> Author {
    Author { name: name.to_owned(), email: None, url: None }
}

fn publication() -> Publication {
    let site = Site {
        title: "Field Notes".to_owned(),
        description: "Small things".to_owned(),
        url: "https://example.org/".parse().unwrap(),
        language: "en".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        author: Some(person("Ada Moss")),
    };
    let window = FeedWindow { items: 4, bytes: None };
    let feeds = Feeds { window, per: FeedTopic::ALL.to_vec(), ..Feeds::default() };
    Publication {
        site,
        public_url: "https://post.example.org/news/".parse().unwrap(),
        feeds,
        ids: Arc::default(),
    }
}

fn podcast() -> Podcast {
    Podcast {
        title: None,
        description: None,
        category: ("Technology".to_owned(), None),
        explicit: false,
        image: None,
        owner: None,
        guid: None,
    }
}

fn spoken() -> Enclosure {
    Enclosure {
        url: "https://example.org/1.mp3".parse().unwrap(),
        media_type: Some("audio/mpeg".to_owned()),
        length: Some(7),
        duration: None,
    }
}

fn live(post: Post) -> LivePost {
    LivePost { post: Arc::new(post), body: BodyId(1) }
}

/// Post `number`, of day `number`.
fn post(number: i64) -> Post {
    Post {
        tags: vec![format!("tag {}", number % 3)],
        ..Post::bare(&format!("p{number}"), at(number))
    }
}

fn texts() -> Texts {
    Texts::new(|it| {
        let html = format!("<p>{}</p>", it.post.title);
        let body = Arc::new(Body { html, ..Body::default() });
        Some(Written { post: Arc::clone(&it.post), body })
    })
}

/// A desk that looks again and again.
struct Desk {
    publication: Publication,
    places: Places,
    open: OpenDocument,
    selections: Selections,
}

impl Desk {
    fn new(publication: Publication) -> Self {
        Self {
            publication,
            places: Places::default(),
            open: OpenDocument::default(),
            selections: Selections::default(),
        }
    }

    fn see(&mut self, posts: impl IntoIterator<Item = Post>) {
        let mut posts: Vec<LivePost> = posts.into_iter().map(live).collect();
        posts.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
        self.look(&posts);
    }

    fn look(&mut self, posts: &[LivePost]) {
        for _ in 0..2 {
            self.selections = Selections::of(
                self.publication.clone(),
                posts.to_vec(),
                &self.places,
                texts(),
                &self.selections,
            );
            let new = self.selections.unplaced().into_iter().zip(self.places.taken()..);
            let placed = new.map(|((post, size), place)| {
                let document = self.open.take(size, self.publication.feeds.window);
                FeedPlace { post, place, document, size }
            });
            let placed: Vec<FeedPlace> = placed.collect();
            self.places.extend(placed);
        }
    }

    fn document(&self, path: &str) -> Option<Arc<Document>> {
        self.selections.find(path).map(|wanted| self.selections.make(&wanted).unwrap())
    }

    fn text(&self, path: &str) -> String {
        let document = self.document(path).unwrap_or_else(|| panic!("nothing is at {path}"));
        String::from_utf8(document.bytes.to_vec()).unwrap()
    }

    /// The slugs of the posts in a document.
    fn posts(&self, path: &str) -> Vec<String> {
        let feed = feed_rs::parser::parse(&self.document(path).unwrap().bytes[..]).unwrap();
        feed.entries.iter().map(|entry| slug(&entry.links[0].href)).collect()
    }

    fn head(&self) -> Vec<String> {
        self.selections.head().iter().map(|it| it.post.slug.clone()).collect()
    }

    /// The path of the document of the archive that `document` leads to: of the head, without one.
    fn previous(&self, document: Option<&str>) -> Option<String> {
        let url = match document {
            None => self.selections.before_head()?.previous?.rss.to_string(),
            Some(path) => {
                let text = self.text(&path.replace("feed.xml", "feed.json"));
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                json.get("next_url")?.as_str()?.replace("feed.json", "feed.xml")
            }
        };
        Some(url.strip_prefix("https://post.example.org/news").unwrap().to_owned())
    }

    /// The documents of the archive, newest first.
    fn archive(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut next = self.previous(None);
        while let Some(path) = next {
            next = self.previous(Some(&path));
            paths.push(path);
        }
        paths
    }
}

fn slug(link: &str) -> String {
    link.trim_end_matches('/').rsplit('/').next().unwrap().to_owned()
}

/// Statement 38.
#[test]
fn each_tag_category_author_language_and_section_has_its_own_feeds() {
    let mut desk = Desk::new(publication());
    let rich = Post {
        tags: vec!["C++".to_owned(), "Grüße aus Köln".to_owned()],
        categories: vec!["Log/Book".to_owned()],
        authors: vec![person("Mira Holm")],
        language: "pt-BR".to_owned(),
        section: Some("essays".to_owned()),
        ..post(1)
    };
    desk.see([rich, post(2)]);
    let mut titles = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for folder in [
        "tags/cplusplus",
        "tags/gr%C3%BC%C3%9Fe-aus-k%c3%b6ln",
        "tags/tag-2",
        "categories/log-book",
        "authors/mira-holm",
        "authors/ada-moss",
        "languages/pt-br",
        "languages/en",
        "sections/essays",
    ] {
        for format in Format::ALL {
            let path = format!("/{folder}/{}", format.file_name());
            let document = desk.document(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(document.content_type, format.content_type());
            let feed = feed_rs::parser::parse(&document.bytes[..]).unwrap();
            assert_eq!(feed.entries.len(), 1, "{path}");
            if format == Format::Atom {
                assert!(titles.insert(feed.title.unwrap().content), "{path}");
                assert!(ids.insert(feed.id), "{path}");
                let link = feed.links.iter().find(|link| link.rel.as_deref() == Some("self"));
                let upper = folder.replace("%c3%b6", "%C3%B6");
                let wanted = format!("https://post.example.org/news/{upper}/atom.xml");
                assert_eq!(link.unwrap().href, wanted);
            }
        }
    }
    assert!(titles.contains("Field Notes #C++") && titles.contains("Field Notes — Mira Holm"));
    for path in [
        "/tags/none/feed.xml",
        "/tags/tag-2/",
        "/tags/tag-2/index.xml",
        "/tags//feed.xml",
        "/feeds/x/feed.xml",
        "/feeds/archive/1/feed.xml",
        "/feeds/archive/2-1/feed.xml",
        "/podcast.xml",
        "/tags/%ff/feed.xml",
        "feed.xml",
        "",
    ] {
        assert!(desk.selections.find(path).is_none(), "{path}");
    }
}

#[test]
fn a_selection_has_one_of_each_list() {
    let mut publication = publication();
    let wanted = BTreeMap::from([
        (FeedTopic::Tag, vec!["Tools".to_owned(), "craft".to_owned()]),
        (FeedTopic::Language, vec!["en".to_owned()]),
    ]);
    let slow = FeedSelection {
        title: Some("Slow tools".to_owned()),
        description: String::new(),
        wanted,
        window: FeedWindow { items: 2, bytes: None },
        full_text: false,
    };
    publication.feeds.selections.insert("slow".to_owned(), slow);
    let mut desk = Desk::new(publication);
    let tagged = |number, tag: &str, language: &str| Post {
        tags: vec![tag.to_owned()],
        language: language.to_owned(),
        ..post(number)
    };
    desk.see([
        tagged(1, "craft", "en"),
        tagged(2, "tools", "en-GB"),
        tagged(3, "Tools", "de"),
        tagged(4, "other", "en"),
        tagged(5, "CRAFT", "en"),
    ]);
    assert_eq!(desk.posts("/feeds/slow/feed.xml"), ["p5", "p2"]);
    let text = desk.text("/feeds/slow/feed.xml");
    assert!(text.contains("<title>Slow tools</title>") && !text.contains("content:encoded>"));
}

#[test]
fn a_change_touches_the_feeds_that_the_post_is_in_and_no_other() {
    let mut desk = Desk::new(publication());
    desk.see((1..=9).map(post));
    let (zero, one) = ("/tags/tag-0/atom.xml", "/tags/tag-1/atom.xml");
    let before = [zero, one].map(|path| desk.document(path).unwrap());
    let edited = Post { title: "Another".to_owned(), revision: Revision::of(["x"]), ..post(9) };
    desk.see((1..=8).map(post).chain([edited]));
    assert!(desk.selections.ready(&desk.selections.find(zero).unwrap()).is_none());
    let untouched = desk.selections.ready(&desk.selections.find(one).unwrap()).unwrap();
    assert!(Arc::ptr_eq(&untouched, &before[1]));
    let after = desk.document(zero).unwrap();
    assert_ne!(after.etag, before[0].etag);
    assert!(after.last_modified > before[0].last_modified, "who asks by date alone sees it too");
    desk.see((1..=9).map(post).filter(|it| it.tags[0] != "tag 0"));
    assert!(desk.selections.find(zero).is_none(), "a feed without posts is none");
}

#[test]
fn however_posts_came_the_feeds_are_those_of_a_fresh_start() {
    let mut desk = Desk::new(publication());
    for count in [3, 7, 2, 12, 12, 0, 5] {
        desk.see((0..count).map(|number| post(number * 5 % 12)));
        let mut fresh = Desk::new(publication());
        fresh.see((0..count).map(|number| post(number * 5 % 12)));
        let of = |desk: &Desk| -> Vec<(String, Vec<String>)> {
            let slugs =
                |feed: &Selection| feed.posts.iter().map(|it| it.post.slug.clone()).collect();
            desk.selections.feeds().map(|feed| (feed.title.clone(), slugs(feed))).collect()
        };
        assert_eq!(of(&desk), of(&fresh), "{count}");
    }
}

#[test]
fn a_document_is_made_once_and_again_only_when_its_posts_change() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let counting = Texts::new(|it| {
        MADE.fetch_add(1, Ordering::Relaxed);
        texts().of(it)
    });
    let posts: Vec<LivePost> = (1..=3).rev().map(|number| live(post(number))).collect();
    let none = (Places::default(), Selections::default());
    let first = Selections::of(publication(), posts.clone(), &none.0, counting.clone(), &none.1);
    let wanted = first.find("/tags/tag-1/feed.xml").unwrap();
    let made = first.make(&wanted).unwrap();
    let second = Selections::of(publication(), posts, &none.0, counting, &first);
    assert!(Arc::ptr_eq(&second.make(&wanted).unwrap(), &made));
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

#[test]
fn a_text_that_cannot_be_read_makes_no_feed_with_a_hole() {
    let none = (Places::default(), Selections::default());
    let blind = Texts::new(|_| None);
    let selections = Selections::of(publication(), vec![live(post(1))], &none.0, blind, &none.1);
    let wanted = selections.find("/tags/tag-1/feed.xml").unwrap();
    assert!(matches!(selections.make(&wanted), Err(MakeError::Unread)));
}

#[test]
fn posts_with_audio_are_a_podcast() {
    let mut publication = publication();
    publication.feeds.podcast = Some(podcast());
    let mut desk = Desk::new(publication);
    let with = |kind: &str, number| Post {
        enclosure: Some(Box::new(Enclosure { media_type: Some(kind.to_owned()), ..spoken() })),
        ..post(number)
    };
    desk.see([with("audio/mpeg", 1), post(2), with("application/pdf", 3)]);
    assert_eq!(desk.posts("/podcast.xml"), ["p1"]);
    let text = desk.text("/podcast.xml");
    assert!(text.contains("href=\"https://post.example.org/news/podcast.xml\""), "{text}");
    assert!(text.contains("<itunes:category text=\"Technology\""), "{text}");
    assert!(desk.document("/feeds/podcast/feed.xml").is_none(), "it has one address");
}

/// Statement 39.
#[test]
fn the_list_of_feeds_has_exactly_those_that_exist() {
    let mut desk = Desk::new(publication());
    let odd = Post { tags: vec!["R&D \"<x>\"".to_owned()], ..post(4) };
    desk.see((1..=3).map(post).chain([odd]));
    let opml = desk.text("/feeds.opml");
    let listed = opml.split("xmlUrl=\"").skip(1);
    let listed: Vec<&str> = listed.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(listed[0], "https://post.example.org/news/feed.xml");
    for url in &listed[1..] {
        let path = url.strip_prefix("https://post.example.org/news").unwrap();
        assert!(desk.selections.find(path).is_some(), "{path}");
    }
    assert_eq!(listed.len() - 1, desk.selections.feeds().count());
    let unique: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(unique.len(), listed.len());
    assert!(opml.contains("text=\"Field Notes #R&amp;D &quot;&lt;x&gt;&quot;\""), "{opml}");
    let before = desk.document("/feeds.opml").unwrap();
    desk.see((1..=2).map(post));
    assert_ne!(desk.document("/feeds.opml").unwrap().etag, before.etag);
}

#[test]
fn a_document_has_one_address() {
    let mut desk = Desk::new(publication());
    desk.see((0..20).map(post));
    assert!(desk.document("/tags/tag-1/feed.xml").is_some());
    for other in [
        "/tags/%74ag-1/feed.xml",
        "/tags%2Ftag-1%2Ffeed.xml",
        "/tags/TAG-1/feed.xml",
        "/%66eeds.opml",
        "//tags/tag-1/feed.xml",
    ] {
        assert!(desk.document(other).is_none(), "{other}");
    }
}
