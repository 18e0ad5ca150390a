//! What is in the head, and the archive that has all the rest (statements 9, 24 and 25).

use proptest::prelude::*;

use super::*;

/// Statement 24.
#[test]
fn from_the_head_through_the_archive_there_is_every_post() {
    for count in 0..40 {
        let mut desk = Desk::new(publication());
        desk.see((0..count).map(post));
        let mut found: BTreeSet<String> = desk.head().into_iter().collect();
        assert!(found.len() <= 4);
        for path in desk.archive() {
            found.extend(desk.posts(&path));
            for format in Format::ALL {
                let twin = path.replace("feed.xml", format.file_name());
                assert!(desk.document(&twin).is_some(), "{twin}");
            }
        }
        assert_eq!(found, (0..count).map(|number| format!("p{number}")).collect(), "{count}");
    }
}

/// Statement 24: RSS and Atom say what they are, JSON Feed leads on.
#[test]
fn a_document_of_the_archive_says_where_the_feed_is_and_what_was_before() {
    let mut desk = Desk::new(publication());
    desk.see((0..12).map(post));
    let last = desk.archive().remove(0);
    for format in [Format::Rss, Format::Atom] {
        let text = desk.text(&last.replace("feed.xml", format.file_name()));
        assert!(text.contains("<fh:archive>"), "{text}");
        let feed = feed_rs::parser::parse(text.as_bytes()).unwrap();
        let of = |rel: &str| {
            let link = feed.links.iter().find(|link| link.rel.as_deref() == Some(rel));
            link.map(|link| link.href.clone())
        };
        if format == Format::Atom {
            assert_eq!(of("current").as_deref(), Some("https://post.example.org/news/atom.xml"));
            assert!(of("prev-archive").unwrap().ends_with("/atom.xml"));
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&desk.text(&last.replace("feed.xml", "feed.json"))).unwrap();
    assert_ne!(json["next_url"], json["feed_url"]);
    let first = desk.archive().pop().unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&desk.text(&first.replace("feed.xml", "feed.json"))).unwrap();
    assert!(json.get("next_url").is_none(), "{json}");
}

/// Statement 25.
#[test]
fn closed_documents_of_the_archive_never_change_by_new_posts() {
    let mut desk = Desk::new(publication());
    let mut closed: BTreeMap<String, String> = BTreeMap::new();
    for count in 1..30 {
        // Every third is dated long before.
        let dated = |number: i64| Post {
            published_at: at(if number % 3 == 0 { number - 100 } else { number }),
            ..post(number)
        };
        desk.see((0..count).map(dated));
        let head = desk.head();
        assert!(head.contains(&format!("p{}", count - 1)), "{count}: {head:?}");
        let archive = desk.archive();
        for path in &archive {
            let etag = desk.document(path).unwrap().etag.clone();
            let before = closed.entry(path.clone()).or_insert_with(|| etag.clone());
            assert_eq!(*before, etag, "{path}");
        }
        assert_eq!(archive.len(), closed.len(), "what once was in the archive stays there");
    }
}

/// Statement 25: also where the operator lets feeds hold more, or fewer.
#[test]
fn documents_stay_where_they_are_when_feeds_hold_more_or_fewer() {
    let mut desk = Desk::new(publication());
    desk.see((0..30).map(post));
    let etags = |desk: &Desk, paths: &[String]| -> Vec<Option<String>> {
        paths.iter().map(|path| desk.document(path).map(|it| it.etag.clone())).collect()
    };
    let archive = desk.archive();
    let before = etags(&desk, &archive);
    for items in [20, 2, 4] {
        desk.publication.feeds.window.items = items;
        desk.see((0..30).map(post));
        assert_eq!(etags(&desk, &archive), before, "{items}");
        let mut found: BTreeSet<String> = desk.head().into_iter().collect();
        for path in desk.archive() {
            found.extend(desk.posts(&path));
        }
        assert_eq!(found.len(), 30, "{items}");
    }
}

/// Statement 25: and deletion leaves a hole.
#[test]
fn an_edit_reappears_in_the_head_and_a_deletion_moves_nothing() {
    let mut publication = publication();
    publication.feeds.window.items = 10;
    let mut desk = Desk::new(publication);
    desk.see((0..40).map(post));
    let archive = desk.archive();
    assert!(!desk.head().contains(&"p3".to_owned()));
    let edited = Post { updated_at: Some(at(50)), ..post(3) };
    let others = || (0..40).filter(|number| *number != 3).map(post);
    desk.see(others().chain([edited]));
    let head = desk.head();
    assert_eq!(head.len(), 10);
    assert_eq!(head.last().map(String::as_str), Some("p3"), "{head:?}");
    desk.see(others());
    assert_eq!(desk.archive(), archive);
    assert_eq!(desk.posts(archive.last().unwrap()), ["p4", "p2", "p1", "p0"]);
}

/// A post of so many bytes.
fn long(number: i64, size: u32) -> Post {
    Post { size, ..post(number) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Statements 24 and 25, with posts of all lengths.
    #[test]
    fn long_posts_make_the_head_shorter_and_the_archive_has_the_rest(
        sizes in prop::collection::vec(prop_oneof![0_u32..9_000, 0_u32..120_000], 1..70),
    ) {
        let mut publication = publication();
        let window = FeedWindow { items: 50, bytes: Some(250_000) };
        publication.feeds.window = window;
        let mut desk = Desk::new(publication);
        let all: Vec<Post> = sizes.iter().zip(0..).map(|(size, number)| long(number, *size)).collect();
        let mut before: BTreeSet<String> = BTreeSet::new();
        let mut closed: BTreeMap<String, String> = BTreeMap::new();
        for count in 1..=all.len() {
            desk.see(all[..count].to_vec());
            let head: Vec<&Post> = all[..count].iter().rev().take(desk.head().len()).collect();
            prop_assert_eq!(desk.head(), head.iter().map(|it| it.slug.clone()).collect::<Vec<_>>());
            prop_assert!(head.len() >= count.min(10) && head.len() <= 50);
            let bytes: u64 = head.iter().map(|it| it.size_in_feed(true)).sum();
            // What came last is there however long it is, beside a document that is not closed.
            let last: u64 = head.iter().take(4).map(|it| it.size_in_feed(true)).sum();
            let is_bounded = head.len() <= 10 || bytes <= 250_000 || bytes - last <= 125_000;
            prop_assert!(is_bounded, "{} posts, {bytes} bytes", head.len());
            // What is left out would have been too much.
            let next = all[..count].iter().rev().nth(head.len());
            let is_full = |next: &Post| head.len() == 50 || bytes + next.size_in_feed(true) > 250_000;
            prop_assert!(next.is_none_or(is_full), "{} posts, {bytes} bytes", head.len());
            let head: BTreeSet<String> = desk.head().into_iter().collect();
            let come: Vec<&String> = head.difference(&before).collect();
            prop_assert_eq!(come, [&all[count - 1].slug], "none comes back");
            let mut found = head.clone();
            for path in desk.archive() {
                found.extend(desk.posts(&path));
                let etag = desk.document(&path).unwrap().etag.clone();
                let known = closed.entry(path.clone()).or_insert_with(|| etag.clone());
                prop_assert_eq!(&*known, &etag, "{} is closed", path);
            }
            prop_assert_eq!(found.len(), count);
            before = head;
        }
    }
}

/// Statement 24: a feed that leaves nothing behind it for readers to find goes by its posts alone.
#[test]
fn feeds_of_topics_are_bounded_by_bytes_too_and_the_podcast_is_not() {
    let mut publication = publication();
    publication.feeds.window = FeedWindow { items: 50, bytes: Some(250_000) };
    publication.feeds.podcast = Some(podcast());
    let mut desk = Desk::new(publication);
    let episode = |number| Post {
        tags: vec!["long".to_owned()],
        enclosure: Some(Box::new(spoken())),
        ..long(number, 20_000)
    };
    desk.see((0..30).map(episode));
    assert_eq!(desk.posts("/tags/long/feed.xml").len(), 12);
    assert_eq!(desk.posts("/podcast.xml").len(), 30);
}

/// Statement 24: the chain does not break where all posts of a document are gone, also for who starts anew.
#[test]
fn a_document_whose_posts_are_all_gone_still_leads_on() {
    let mut desk = Desk::new(publication());
    desk.see((0..20).map(post));
    let archive = desk.archive();
    let rest = || [0, 1].into_iter().chain(6..20).map(post);
    desk.see(rest());
    assert_eq!(desk.archive(), archive);
    desk.selections = Selections::default();
    desk.see(rest());
    assert_eq!(desk.archive(), archive, "after a restart");
    assert_eq!(desk.posts(archive.last().unwrap()), ["p1", "p0"]);
}

/// Statement 9: while the database gives no places.
#[test]
fn a_new_post_that_is_dated_long_ago_is_in_the_head_before_it_has_a_place() {
    let mut desk = Desk::new(publication());
    desk.see((0..20).map(post));
    let mut posts: Vec<LivePost> = (0..20).map(post).map(live).collect();
    posts.push(live(Post { published_at: at(-100), ..post(77) }));
    posts.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
    let (publication, before) = (desk.publication.clone(), &desk.selections);
    desk.selections = Selections::of(publication, posts, &desk.places, texts(), before);
    assert!(desk.head().contains(&"p77".to_owned()), "{:?}", desk.head());
}
