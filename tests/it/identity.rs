//! A post keeps its id for life, and what is doubtful waits for a person.

use std::fmt::Write as _;

use axum::http::StatusCode;
use postrider::domain::{Cadence, Hold};
use postrider::ingest::{Ingest, open_cache};
use postrider::store::HeldPost;

use crate::harness::engine::Engine;
use crate::harness::world::{START, Setting, World};

const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"";

/// Words that `seed` makes: two seeds have next to none in common.
fn words(seed: u64, count: u64) -> String {
    let mut text = String::new();
    for n in 0..count {
        let word =
            (seed + 1).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n * 1_442_695_041);
        write!(text, "w{} ", (word >> 20) % 50_000).expect("a string takes every character");
    }
    text
}

fn post(title: &str, text: &str) -> String {
    format!("---\ntitle: {title}\ndate: 2026-03-09\n---\n\n{text}\n")
}

async fn held(world: &World) -> Vec<HeldPost> {
    let mut tx = world.store.read().await.expect("the database answers");
    tx.held_posts().await.expect("the database answers")
}

async fn release(world: &World, post: &HeldPost) {
    let mut tx = world.store.write().await.expect("the database answers");
    assert!(tx.release_post(&post.id, post.first_seen_at).await.expect("the database answers"));
    tx.commit().await.expect("the database answers");
}

async fn dismiss(world: &World, post: &HeldPost) {
    let mut tx = world.store.write().await.expect("the database answers");
    assert!(tx.dismiss_post(&post.id, post.first_seen_at).await.expect("the database answers"));
    tx.commit().await.expect("the database answers");
}

fn subjects(world: &World) -> Vec<String> {
    let mut subjects: Vec<_> =
        world.outbox_mail().into_iter().map(|(_, subject)| subject).collect();
    subjects.sort();
    subjects
}

async fn guid(world: &World) -> String {
    let feed = feed_rs::parser::parse(&world.gets("/feed.xml").await.body[..]).expect("a feed");
    feed.entries[0].id.clone()
}

#[tokio::test]
async fn a_post_with_another_file_slug_title_and_some_other_words_is_the_same_post() {
    for engine in Engine::all() {
        let mut world = Setting::new(engine).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("hello.md", post("Hello", &words(1, 200))).await;
        world.passes(4).await;
        world.is_quiet().await;
        let before = guid(&world).await;
        std::fs::remove_file(world.path("posts/hello.md")).expect("the file is there");
        let edited = format!("{} and a few words more than there were", words(1, 195));
        world.author_saves("2026/goodbye.md", post("Goodbye", &edited)).await;
        assert_eq!(guid(&world).await, before, "{engine:?}: for readers of feeds it is the same");
        world.restarts().await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(subjects(&world), ["Hello"], "{engine:?}: nobody is told again");
        assert_eq!(world.feed_titles().await, ["Goodbye"]);
        let answer = world.gets("/posts/hello/").await;
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
        assert_eq!(answer.header("location"), "https://example.org/posts/goodbye/");
        assert_eq!(world.gets("/posts/goodbye/").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_post_that_is_half_like_one_that_is_gone_waits_for_a_person() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("walk.md", post("A walk", &words(1, 200))).await;
    world.passes(4).await;
    world.author_deletes("walk.md").await;
    let half = format!("{}{}", words(1, 140), words(2, 60));
    world.author_saves("stroll.md", post("A stroll", &half)).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["A stroll"], "feeds can be corrected");
    assert_eq!(subjects(&world), ["A walk"], "mail cannot");
    let waiting = held(&world).await;
    assert_eq!((waiting.len(), waiting[0].hold), (1, Hold::Likeness));
    assert_eq!(waiting[0].detail, "posts/walk.md");
    release(&world, &waiting[0]).await;
    world.passes(2).await;
    world.is_quiet().await;
    assert_eq!(subjects(&world), ["A stroll", "A walk"]);
}

#[tokio::test]
async fn another_text_under_a_name_that_was_used_before_is_another_post() {
    let world = Setting::new(Engine::Sqlite).config("[guard]\nnew_posts = 0").start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("2025/notes.md", post("Old notes\nurl: /2025/notes/", &words(1, 200))).await;
    world.passes(4).await;
    world.author_deletes("2025/notes.md").await;
    world.passes(1).await;
    world.author_saves("2026/notes.md", post("New notes\nurl: /2026/notes/", &words(2, 200))).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(subjects(&world), ["New notes", "Old notes"]);
}

#[tokio::test]
async fn more_new_posts_than_an_author_writes_at_once_wait_for_a_person() {
    for engine in Engine::all() {
        let mut world =
            Setting::new(engine).config(CHAT).config("[guard]\nnew_posts = 2").start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        for number in 0..2 {
            let text = post(&format!("First {number}"), &words(number, 50));
            world.author_saves(&format!("first-{number}.md"), text).await;
        }
        // Another branch is checked out: two more, while nothing of the first two has gone out.
        for number in 0..2 {
            let text = post(&format!("Branch {number}"), &words(number + 10, 50));
            std::fs::write(world.path(&format!("posts/branch-{number}.md")), text)
                .expect("written");
        }
        world.passes(6).await;
        world.is_quiet().await;
        assert_eq!(world.feed_titles().await.len(), 4, "feeds can be corrected");
        let waiting = held(&world).await;
        assert!(waiting.iter().all(|it| it.hold == Hold::Burst), "{waiting:?}");
        assert!(waiting.iter().any(|it| it.title == "Branch 0"), "{waiting:?}");
        assert!(waiting.iter().any(|it| it.title == "Branch 1"), "{waiting:?}");
        let sent = subjects(&world);
        assert!(!sent.iter().any(|subject| subject.starts_with("Branch")), "{sent:?}");
        world.restarts().await;
        world.passes(6).await;
        world.is_quiet().await;
        assert_eq!(subjects(&world), sent, "{engine:?}: a restart releases nothing");
        let find = |title: &str| waiting.iter().find(|it| it.title == title).expect("held");
        release(&world, find("Branch 0")).await;
        dismiss(&world, find("Branch 1")).await;
        world.passes(6).await;
        world.is_quiet().await;
        let sent = subjects(&world);
        assert!(sent.contains(&"Branch 0".to_owned()), "{engine:?}: {sent:?}");
        assert!(!sent.contains(&"Branch 1".to_owned()), "{engine:?}: {sent:?}");
        assert!(world.feed_titles().await.contains(&"Branch 1".to_owned()));
    }
}

#[tokio::test]
async fn a_mass_edit_of_dates_waits_for_a_person() {
    let world = Setting::new(Engine::Sqlite).config("[guard]\nnew_posts = 3").start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let dated = |number: u64, date: &str| {
        format!("---\ntitle: Post {number}\ndate: {date}\n---\n\n{}\n", words(number, 50))
    };
    for number in 0..5 {
        world.author_saves(&format!("{number}.md"), dated(number, "2027-01-01")).await;
        world.passes(11).await;
    }
    assert!(held(&world).await.is_empty(), "one after the other");
    for number in 0..5 {
        let file = world.path(&format!("posts/{number}.md"));
        std::fs::write(file, dated(number, "2026-03-01")).expect("written");
    }
    world.passes(6).await;
    world.is_quiet().await;
    assert_eq!(held(&world).await.len(), 5);
    assert!(subjects(&world).is_empty());
}

#[tokio::test]
async fn a_disk_that_is_not_mounted_at_the_start_takes_no_post_down() {
    let mut world =
        Setting::new(Engine::Sqlite).post("old.md", post("Old", "Old it is.")).start().await;
    world.stop().await;
    std::fs::rename(world.path("posts"), world.path("disk")).expect("the folder is there");
    std::fs::create_dir(world.path("posts")).expect("a mount point");
    world.restarts().await;
    world.passes(2).await;
    assert_eq!(world.feed_titles().await, ["Old"], "as it was last seen");
    std::fs::write(world.path("posts/.postriderignore"), "").expect("written");
    world.passes(2).await;
    assert!(world.feed_titles().await.is_empty(), "the author says that it is meant");
}

#[tokio::test]
async fn a_start_with_nothing_changed_reads_no_file() {
    let mut world =
        Setting::new(Engine::Sqlite).post("old.md", post("Old", "Old it is.")).start().await;
    world.stop().await;
    let file = world.state.config.load().post_cache();
    let cache = rusqlite::Connection::open(&file).expect("the cache");
    let changed = cache.execute("UPDATE files SET reading = replace(reading, 'Old', 'Cached')", ());
    assert_eq!(changed.expect("the cache can be written"), 1);
    drop(cache);
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["Cached"], "not from the file");
    world.author_saves("old.md", post("Newer", "Now it is new.")).await;
    assert_eq!(world.feed_titles().await, ["Newer"]);
    world.stop().await;
    std::fs::write(&file, "no database").expect("written");
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["Newer"], "a damaged cache is made anew");
}

#[tokio::test]
async fn an_edit_after_the_release_updates_the_feeds_and_mails_nobody() {
    for engine in Engine::all() {
        let mut world = Setting::new(engine).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("hello.md", post("Hello", "There is a tpyo.")).await;
        world.passes(4).await;
        world.is_quiet().await;
        let updated = async |world: &World| {
            let atom = world.gets("/atom.xml").await;
            let feed = feed_rs::parser::parse(&atom.body[..]).expect("a feed");
            feed.entries[0].updated.expect("Atom wants it").timestamp()
        };
        let released = updated(&world).await;
        world.author_saves("hello.md", post("Hello", "There is a typo.")).await;
        let edited = updated(&world).await;
        assert!(edited > released, "{engine:?}");
        world.restarts().await;
        world.passes(6).await;
        world.is_quiet().await;
        assert_eq!(updated(&world).await, edited, "{engine:?}: a restart is no edit");
        assert_eq!(subjects(&world), ["Hello"]);
    }
}

#[tokio::test]
async fn a_checkout_that_is_seen_in_two_pieces_is_held_as_a_whole() {
    let world = Setting::new(Engine::Sqlite).config("[guard]\nnew_posts = 3").start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let save = |number: u64| {
        let text = post(&format!("Post {number}"), &words(number, 50));
        std::fs::write(world.path(&format!("posts/{number}.md")), text).expect("written");
    };
    (0..5).for_each(save);
    world.rescans().await;
    assert_eq!(held(&world).await.len(), 5);
    (5..7).for_each(save);
    world.passes(6).await;
    world.is_quiet().await;
    assert_eq!(held(&world).await.len(), 7, "few, but of the same checkout");
    assert!(subjects(&world).is_empty());
}

#[tokio::test]
async fn few_posts_that_come_just_before_many_are_held_with_them() {
    let world = Setting::new(Engine::Sqlite).config("[guard]\nnew_posts = 3").start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let save = |number: u64| {
        let text = post(&format!("Post {number}"), &words(number, 50));
        std::fs::write(world.path(&format!("posts/{number}.md")), text).expect("written");
    };
    (0..2).for_each(save);
    world.rescans().await;
    assert!(held(&world).await.is_empty());
    (2..7).for_each(save);
    world.rescans().await;
    world.passes(6).await;
    world.is_quiet().await;
    assert_eq!(held(&world).await.len(), 7, "all of one checkout");
    assert!(subjects(&world).is_empty());
}

#[tokio::test]
async fn a_file_that_broke_while_nobody_watched_keeps_its_last_version_live() {
    const BROKEN: &str = "---\ntitle: \"Broken\ndate: 2026-03-09\n---\nx";
    let mut world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("hello.md", post("First", "One.")).await;
    world.stop().await;
    std::fs::write(world.path("posts/hello.md"), BROKEN).expect("written");
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["First"]);
    world.author_saves("hello.md", post("Second", "Two.")).await;
    world.author_saves("hello.md", BROKEN).await;
    world.author_saves("hello.md", post("Third", "Three.")).await;
    world.stop().await;
    std::fs::write(world.path("posts/hello.md"), BROKEN).expect("written");
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["Third"], "not what was kept of an earlier break");
}

#[tokio::test]
async fn a_redirect_to_a_post_that_is_gone_is_gone_with_it_and_comes_back_with_it() {
    let world = Setting::new(Engine::Sqlite).start().await;
    let at =
        |slug: &str| format!("---\ntitle: Hello\ndate: 2026-03-09\nslug: {slug}\n---\n\nHello.\n");
    world.author_saves("hello.md", at("old")).await;
    world.author_saves("hello.md", at("new")).await;
    assert_eq!(
        world.gets("/posts/old/").await.header("location"),
        "https://example.org/posts/new/"
    );
    world.author_deletes("hello.md").await;
    assert_eq!(world.gets("/posts/old/").await.status, StatusCode::NOT_FOUND);
    world.author_saves("hello.md", at("new")).await;
    assert_eq!(world.gets("/posts/old/").await.status, StatusCode::MOVED_PERMANENTLY);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_an_error_and_no_standstill() {
    let mut world = Setting::new(Engine::Sqlite).start().await;
    world.stop().await;
    let config = world.state.config.load_full();
    let cache = open_cache(&config, &world.store).expect("a cache");
    let other = rusqlite::Connection::open(config.post_cache()).expect("the same file");
    other.execute("DROP TABLE bodies", ()).expect("it can be damaged");
    for number in 0..300 {
        let text = post(&format!("Post {number}"), "Words.");
        std::fs::write(world.path(&format!("posts/{number}.md")), text).expect("written");
    }
    let opened = Ingest::open(config, world.store.clone(), cache).await;
    let mut ingest = opened.expect("the database answers");
    assert!(ingest.rescan(START).await.is_err());
    assert!(ingest.catalog().posts.is_empty());
}

#[tokio::test]
async fn a_text_that_is_lost_is_made_anew_and_no_post_leaves_the_feeds_meanwhile() {
    let world =
        Setting::new(Engine::Sqlite).post("old.md", post("Old", "Old it is.")).start().await;
    let file = world.state.config.load().post_cache();
    let other = rusqlite::Connection::open(file).expect("the cache");
    other.execute("DELETE FROM bodies", ()).expect("it can be damaged");
    world.author_saves("new.md", post("New", "New it is.")).await;
    assert!(world.feed_titles().await.contains(&"Old".to_owned()), "it is gone meanwhile");
    world.rescans().await;
    let mut titles = world.feed_titles().await;
    titles.sort();
    assert_eq!(titles, ["New", "Old"]);
}

#[tokio::test]
async fn a_text_that_a_page_or_a_feed_of_a_topic_misses_is_made_anew_within_a_minute() {
    let tagged = post("Old", "2026-03-09").replacen("---\n", "---\ntags: [ponds]\n", 1);
    let world = Setting::new(Engine::Sqlite).post("old.md", tagged).start().await;
    let file = world.state.config.load().post_cache();
    let other = rusqlite::Connection::open(file).expect("the cache");
    other.execute("DELETE FROM bodies", ()).expect("it can be damaged");
    for path in ["/tags/ponds/feed.xml", "/posts/old/"] {
        assert!(world.gets(path).await.status.is_server_error(), "{path}");
    }
    world.rescans().await;
    for path in ["/tags/ponds/feed.xml", "/posts/old/"] {
        assert_eq!(world.gets(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn an_id_that_comes_after_the_post_is_no_new_post() {
    for engine in Engine::all() {
        let mut world = Setting::new(engine).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        let pinned = |id: &str| {
            let post = post("Hello", "2026-03-09");
            post.replacen("---\n", &format!("---\nguid: urn:uuid:{id}\n"), 1)
        };
        let (first, later) =
            ("5f0c3a52-6a3e-4d0e-9d3f-0a1b2c3d4e5f", "00000000-6a3e-4d0e-9d3f-0a1b2c3d4e5f");
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        let before = guid(&world).await;
        world.author_saves("hello.md", pinned(first)).await;
        world.passes(4).await;
        assert_eq!(guid(&world).await, before, "{engine:?}: readers know it by another");
        world.author_deletes("hello.md").await;
        world.author_saves("moved/hello.md", pinned(later)).await;
        world.restarts().await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(guid(&world).await, before, "{engine:?}");
        assert_eq!(subjects(&world).len(), 1, "{engine:?}: nobody gets it again");
    }
}
