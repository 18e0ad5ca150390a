//! Feeds that would flood their readers are held until somebody has looked.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::fs;

use axum::http::StatusCode;
use postrider::store::HeldFeeds;

use crate::harness::engine::Engine;
use crate::harness::program::Ended;
use crate::harness::world::{Setting, World, post};

const PATHS: [&str; 3] = ["/feed.xml", "/atom.xml", "/feed.json"];

/// Twenty posts of these days.
fn started(engine: Engine) -> Setting {
    (1..=20).fold(Setting::new(engine), |setting, number| {
        let text = post(&format!("Post {number}"), &format!("2026-02-{number:02}"));
        setting.post(&format!("p{number}.md"), text.replace("---\n\n", "tags: [ponds]\n---\n\n"))
    })
}

/// Somebody copies fifteen old posts into the folder.
async fn imports(world: &World) {
    // Other systems say when a post was changed last.
    let old = |number: u8| {
        let text = post("Old", &format!("2020-01-{number:02}"));
        text.replacen("---\n", "---\nupdated: 2020-03-01\n", 1)
    };
    for number in 1..15 {
        fs::write(world.path(&format!("posts/old{number}.md")), old(number)).unwrap();
    }
    world.author_saves("old15.md", old(15)).await;
}

async fn held(world: &World) -> Option<HeldFeeds> {
    world.store.read().await.unwrap().held_feeds().await.unwrap()
}

async fn tags(world: &World) -> Vec<String> {
    let mut tags = Vec::new();
    for path in PATHS {
        let answer = world.gets(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        tags.push(format!("{} {}", answer.header("etag"), answer.header("last-modified")));
    }
    tags
}

#[tokio::test]
async fn old_posts_that_would_look_new_are_held_until_a_person_lets_them_through() {
    for engine in Engine::all() {
        let mut world = started(engine).start().await;
        let before = tags(&world).await;
        imports(&world).await;
        assert_eq!(tags(&world).await, before, "{engine:?}: readers have what they had");
        let why = held(&world).await.unwrap();
        assert_eq!(why.marked, 15, "{engine:?}");
        assert!(why.why.starts_with("this would mark 15 posts as new: “Old”"), "{}", why.why);
        let ponds = world.gets("/tags/ponds/feed.xml").await;
        assert_eq!(ponds.status, StatusCode::OK);
        let status = world.gets("/status").await.text();
        assert!(status.contains("would mark 15 posts as new"), "{status}");

        world.restarts().await;
        world.rescans().await;
        assert_eq!(tags(&world).await, before, "{engine:?}: also after a restart");
        assert_eq!(held(&world).await.unwrap().since, why.since, "{engine:?}: since the same time");
        let ponds = world.gets("/tags/ponds/feed.xml").await;
        assert_eq!(ponds.status, StatusCode::SERVICE_UNAVAILABLE, "{engine:?}: not another one");

        let mut tx = world.store.write().await.unwrap();
        tx.let_feeds_pass(why.marked, postrider::clock::Clock::now(&world.clock)).await.unwrap();
        tx.commit().await.unwrap();
        world.rescans().await;
        assert_eq!(world.feed_titles().await.len(), 35, "{engine:?}: let through");
        assert_eq!(held(&world).await, None, "{engine:?}");
        assert_eq!(world.gets("/tags/ponds/feed.xml").await.status, StatusCode::OK);
        let after = tags(&world).await;
        world.restarts().await;
        assert_eq!(tags(&world).await, after, "{engine:?}: and stays so");
    }
}

#[tokio::test]
async fn who_mends_the_cause_need_not_let_anything_through() {
    for engine in Engine::all() {
        let world = started(engine).start().await;
        let before = tags(&world).await;
        imports(&world).await;
        for number in 1..15 {
            fs::remove_file(world.path(&format!("posts/old{number}.md"))).unwrap();
        }
        world.author_deletes("old15.md").await;
        assert_eq!(held(&world).await, None, "{engine:?}");
        assert_eq!(tags(&world).await, before);
        world.author_saves("new.md", post("New", "2026-03-09")).await;
        assert_eq!(world.feed_titles().await[0], "New");
    }
}

#[tokio::test]
async fn posts_that_are_new_and_posts_that_are_gone_pass() {
    let world = started(Engine::Sqlite).start().await;
    for number in 1..=20 {
        fs::write(world.path(&format!("posts/n{number}.md")), post("New", "2026-03-08")).unwrap();
    }
    world.rescans().await;
    assert_eq!(world.feed_titles().await.len(), 40);
    for number in 1..=20 {
        fs::remove_file(world.path(&format!("posts/n{number}.md"))).unwrap();
    }
    world.rescans().await;
    assert_eq!(world.feed_titles().await.len(), 20);
    assert_eq!(held(&world).await, None);
}

#[tokio::test]
async fn an_author_who_wants_only_a_word_or_none_gets_that() {
    for (mode, is_told) in [("warn", true), ("off", false)] {
        let setting = started(Engine::Sqlite).config(&format!("[feeds]\nself_check = \"{mode}\""));
        let world = setting.start().await;
        imports(&world).await;
        assert_eq!(world.feed_titles().await.len(), 35, "{mode}");
        let shelf = world.state.shelf.load_full();
        let told = shelf.problems.iter().any(|it| it.code == "feed-marked-new");
        assert_eq!(told, is_told, "{mode}: {:?}", shelf.problems);
    }
}

#[tokio::test]
async fn an_author_sees_beforehand_what_would_be_held() {
    let mut world = started(Engine::Sqlite).start().await;
    world.stop().await;
    for number in 1..=15 {
        fs::write(
            world.path(&format!("posts/old{number}.md")),
            post("Old", &format!("2020-01-{number:02}")),
        )
        .unwrap();
    }
    let folder = world.path("");
    let runs = |line: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postrider"));
        Ended::of(command.args(line.split_whitespace()).current_dir(&folder))
    };
    let plan = runs("plan").well();
    assert!(plan.out.contains("this would mark 15 posts as new"), "{}", plan.out);
    let check = runs("check").with(3);
    assert!(check.out.contains("this would mark 15 posts as new"), "{}", check.out);
    assert!(runs("feeds release").well().err.contains("are not held"));
    world.restarts().await;
    let status = runs("status").well();
    assert!(status.out.contains("The feeds are held: this would mark 15"), "{}", status.out);
    let release = runs("feeds release").with(1);
    assert!(release.err.contains("this would mark 15"), "{}", release.err);
    runs("feeds release --yes").well();
    world.rescans().await;
    assert_eq!(world.feed_titles().await.len(), 35);
}
