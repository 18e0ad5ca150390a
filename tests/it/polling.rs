//! Feeds as those meet them who poll: across restarts, outages and nodes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::harness::daemon::{self, Daemon};
use crate::harness::engine::Engine;
use crate::harness::world::{Answer, Setting, World, post};

const PATHS: [&str; 3] = ["/feed.xml", "/atom.xml", "/feed.json"];

async fn polls(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.asks(request.body(Body::empty()).unwrap()).await
}

fn started(engine: Engine) -> Setting {
    Setting::new(engine)
        .post("one.md", post("One", "2026-03-01"))
        .post("two.md", post("Two", "2026-03-02"))
}

/// Statement 5, and the time as well.
#[tokio::test]
async fn a_restart_tells_readers_nothing_new() {
    for engine in Engine::all() {
        let mut world = started(engine).start().await;
        // Another edit without a new date: its time is made up, and must be the same afterwards.
        world.author_saves("two.md", post("Two", "2026-03-02") + "\nA word.\n").await;
        let mut before = Vec::new();
        for path in PATHS {
            let answer = polls(&world, path, &[]).await;
            before.push((
                answer.header("etag").to_owned(),
                answer.header("last-modified").to_owned(),
            ));
        }
        world.restarts().await;
        for (path, (etag, last_modified)) in PATHS.into_iter().zip(&before) {
            let answer = polls(&world, path, &[]).await;
            assert_eq!(
                (answer.header("etag"), answer.header("last-modified")),
                (&**etag, &**last_modified)
            );
            for validator in [("if-none-match", etag), ("if-modified-since", last_modified)] {
                let again = polls(&world, path, &[(validator.0, validator.1)]).await;
                assert_eq!(
                    again.status,
                    StatusCode::NOT_MODIFIED,
                    "{engine:?} {path} {validator:?}"
                );
            }
        }
    }
}

/// Statement 6: neither an edit nor the file's own times nor a restart moves a date of publication, only its author.
#[tokio::test]
async fn a_post_was_published_when_its_author_says() {
    let mut world = started(Engine::Sqlite).start().await;
    let published = async |world: &World| {
        let mut all = Vec::new();
        for path in PATHS {
            let feed = feed_rs::parser::parse(&*polls(world, path, &[]).await.body).unwrap();
            all.push(
                feed.entries
                    .iter()
                    .map(|it| it.published.unwrap().date_naive().to_string())
                    .collect::<Vec<_>>(),
            );
        }
        all
    };
    let first = published(&world).await;
    assert_eq!(first[0].len(), 2);
    world.author_saves("two.md", post("Two", "2026-03-02") + "\nA word.\n").await;
    let file = std::fs::File::options().write(true).open(world.path("posts/one.md")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    world.passes(1).await;
    assert_eq!(published(&world).await, first);
    world.restarts().await;
    assert_eq!(published(&world).await, first);
    world.author_saves("two.md", post("Two", "2026-03-04")).await;
    let moved = published(&world).await;
    assert!(moved.iter().zip(&first).all(|(now, then)| now[0] > then[0] && now[1] == then[1]));
}

fn text_of(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// Statement 26: what was deleted, or is a draft again, or whose time is over, is in no feed, and Atom says what is gone.
#[tokio::test]
async fn a_post_that_is_gone_leaves_the_feeds_and_a_tombstone_until_it_is_back() {
    for engine in Engine::all() {
        let expiring =
            "---\ntitle: Three\ndate: 2026-03-03\nexpires: 2026-03-10T09:10:00Z\n---\n\nx\n";
        let mut world = started(engine).post("three.md", expiring).start().await;
        let before = feed_rs::parser::parse(&*polls(&world, "/atom.xml", &[]).await.body).unwrap();
        let id = |title: &str| {
            let has_title = |entry: &&feed_rs::model::Entry| {
                entry.title.as_ref().is_some_and(|it| it.content == title)
            };
            before.entries.iter().find(has_title).unwrap().id.clone()
        };
        let told = async |world: &World| -> Vec<bool> {
            let atom = text_of(&polls(world, "/atom.xml", &[]).await);
            let told = ["One", "Two", "Three"].map(|title| {
                let entry = format!("<id>{}</id>", id(title));
                let tombstone = format!("<at:deleted-entry ref=\"{}\" when=", id(title));
                let (is_there, is_told) = (atom.contains(&entry), atom.contains(&tombstone));
                assert_ne!(is_there, is_told, "{engine:?} {title}: {atom}");
                is_told
            });
            told.into()
        };
        assert_eq!(told(&world).await, [false; 3]);
        world.author_deletes("one.md").await;
        assert_eq!(told(&world).await, [true, false, false]);
        for path in PATHS {
            assert!(!text_of(&polls(&world, path, &[]).await).contains("/posts/one/"), "{path}");
        }
        assert_eq!(world.gets("/posts/one/").await.status, StatusCode::GONE);
        world.jumps_to("2026-03-10T10:00:00Z").await;
        assert_eq!(told(&world).await, [true, false, true]);
        let etag = polls(&world, "/atom.xml", &[]).await.header("etag").to_owned();
        world.restarts().await;
        assert_eq!(polls(&world, "/atom.xml", &[]).await.header("etag"), etag, "{engine:?}");
        world.author_saves("one.md", post("One", "2026-03-01")).await;
        assert_eq!(told(&world).await, [false, false, true]);
    }
}

/// Statement 35, with a restart in between.
#[tokio::test]
async fn a_change_while_nobody_was_there_is_seen_by_who_only_knows_the_time() {
    let mut world = started(Engine::Sqlite).start().await;
    let before = polls(&world, "/feed.xml", &[]).await;
    let since = before.header("last-modified").to_owned();
    world.stop().await;
    std::fs::remove_file(world.path("posts/one.md")).unwrap();
    world.restarts().await;
    world.passes(3).await;
    let after = polls(&world, "/feed.xml", &[("if-modified-since", &since)]).await;
    assert_eq!(after.status, StatusCode::OK);
    assert_ne!(after.header("last-modified"), since);
}

/// Statement 32.
#[tokio::test]
async fn a_reader_that_can_gets_only_what_it_lacks_even_after_a_restart() {
    let mut world = started(Engine::Sqlite).start().await;
    let mut tags = Vec::new();
    for path in PATHS {
        tags.push(polls(&world, path, &[]).await.header("etag").to_owned());
    }
    world.author_saves("three.md", post("Three", "2026-03-03")).await;
    world.restarts().await;
    world.author_saves("two.md", post("Two, again", "2026-03-02")).await;
    for (path, tag) in PATHS.into_iter().zip(&tags) {
        let delta = polls(&world, path, &[("a-im", "feed"), ("if-none-match", tag)]).await;
        assert_eq!(delta.status.as_u16(), 226, "{path}");
        assert_eq!((delta.header("im"), delta.header("delta-base")), ("feed", tag.as_str()));
        let feed = feed_rs::parser::parse(&delta.body[..]).unwrap();
        let titles: Vec<String> =
            feed.entries.into_iter().filter_map(|entry| Some(entry.title?.content)).collect();
        assert_eq!(titles, ["Three", "Two, again"], "{path}");
    }
}

#[tokio::test]
async fn feeds_go_on_without_the_database_and_are_noted_later() {
    let mut world = started(Engine::Sqlite).start().await;
    let before = polls(&world, "/feed.xml", &[]).await.header("etag").to_owned();
    world.author_saves("three.md", post("Three", "2026-03-03")).await;
    world.store.close().await;
    let answer = polls(&world, "/feed.xml", &[("a-im", "feed"), ("if-none-match", &before)]).await;
    assert_eq!(answer.status.as_u16(), 226);
    world.restarts().await;
    let answer = polls(&world, "/feed.xml", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Statement 34, with a rescan after each edit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_in_a_loop_never_sees_a_torn_an_empty_or_a_missing_feed() {
    let world = started(Engine::Sqlite).start().await;
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let edits = async {
        for edit in 0..100 {
            let text = post("Two", "2026-03-02") + &format!("\nEdit {edit}.\n");
            world.author_saves("two.md", text).await;
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let reads = async {
        let mut seen: std::collections::HashMap<String, Vec<u8>> = std::collections::HashMap::new();
        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
            for path in PATHS {
                let answer = polls(&world, path, &[]).await;
                assert_eq!(answer.status, StatusCode::OK, "{path}");
                let bytes = answer.body.clone();
                let before = seen.insert(answer.header("etag").to_owned(), answer.body);
                if let Some(before) = before {
                    assert!(before == bytes, "{path}: one tag, two documents");
                } else {
                    let feed = feed_rs::parser::parse(&bytes[..]).unwrap();
                    assert_eq!(feed.entries.len(), 2, "{path}");
                }
            }
            tokio::task::yield_now().await;
        }
        seen.len()
    };
    let ((), versions) = tokio::join!(edits, reads);
    assert!(versions > 10, "the reader was there all the time: {versions} versions");
}

/// Statement 34, as a script saves and a reader polls over the network.
#[tokio::test]
async fn during_a_thousand_saves_no_answer_is_torn_empty_or_another_version_than_it_says() {
    let outbox = "url = \"outbox:var/outbox\"";
    let basic = daemon::configuration("sqlite:var/postrider.db", outbox);
    let folder = daemon::project(&(basic + "[watch]\ndebounce = \"10ms\"\n"));
    let saves = |name: &str, text: &str| {
        std::fs::write(folder.path().join("posts").join(name), text).unwrap();
    };
    saves("one.md", &post("One", "2026-03-01"));
    saves("two.md", &post("Two", "2026-03-02"));
    let _daemon = Daemon::start(folder.path());
    let address = Daemon::address(folder.path(), 1).await;
    daemon::until("the first feed", async || {
        daemon::get(address, "/feed.xml").await.is_some_and(|(status, _)| status == 200)
    })
    .await;
    let mut seen: std::collections::HashMap<String, String> = std::collections::HashMap::new();
    let mut looks = async |path: &str, said: &str| {
        let (status, answer) = daemon::get(address, path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let told = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(key, _)| *key == name).unwrap().1.to_owned()
        };
        assert_eq!(told("content-length"), body.len().to_string(), "{path}");
        if let Some(before) = seen.insert(told("etag"), body.to_owned()) {
            assert!(before == body, "{path}: one tag, two documents");
        } else {
            let feed = feed_rs::parser::parse(body.as_bytes()).unwrap();
            assert_eq!(feed.entries.len(), 2, "{path}");
        }
        (body.contains(said), seen.len())
    };
    let two = |said: &str| saves("two.md", &(post("Two", "2026-03-02") + &format!("\n{said}\n")));
    for edit in 0..1_000 {
        let said = format!("Edit {edit}.");
        two(&said);
        let (_, versions) = looks(PATHS[edit % PATHS.len()], &said).await;
        // Who saves faster than anybody looks has made one version of many saves. Here and there somebody looks.
        if edit % 50 == 49 {
            daemon::until("the edit", async || looks("/feed.xml", &said).await.0).await;
            assert!(versions >= edit / 50, "{versions} versions in {edit} saves");
        }
    }
}
