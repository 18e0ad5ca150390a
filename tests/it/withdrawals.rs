//! A post is taken down, goes back to draft or expires: what has not gone out does not go, and who was told is told.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use postrider::domain::{Cadence, DeliveryState, EditionState};
use postrider::store::EditionRow;

use crate::harness::engine::Engine;
use crate::harness::http::{Answer, HttpServer};
use crate::harness::world::{Setting, World, post};

/// Nobody listens there: what is sent to it waits.
const NOWHERE: &str = "127.0.0.1:9";
const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\n\
                    on_delete = \"retract\"\non_update = \"update\"";

async fn editions(world: &World) -> Vec<EditionRow> {
    let mut editions = world.store.read().await.unwrap().latest_editions(10).await.unwrap();
    editions.reverse();
    editions
}

async fn states(world: &World) -> Vec<EditionState> {
    editions(world).await.into_iter().map(|edition| edition.state).collect()
}

async fn posts_of(world: &World, edition: &EditionRow) -> usize {
    world.store.read().await.unwrap().posts_of_edition(edition.id).await.unwrap().len()
}

fn told(world: &World) -> Vec<String> {
    let calls = world.outbox_calls();
    let body = |call: &serde_json::Value| match &call["body"] {
        serde_json::Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    let said = |body: serde_json::Value| {
        format!("{} {}", body["type"].as_str().unwrap(), body["data"]["title"].as_str().unwrap())
    };
    calls.iter().map(|call| said(body(call))).collect()
}

#[tokio::test]
async fn a_post_that_is_taken_down_before_anybody_had_it_goes_out_when_it_is_back() {
    for engine in Engine::all() {
        let world = Setting::new(engine).mailing_to(NOWHERE.parse().unwrap()).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        assert_eq!(states(&world).await, [EditionState::Sealed], "{engine:?}");

        world.author_deletes("hello.md").await;
        world
            .author_saves(
                "moved.md",
                post("Hello", "2026-03-09").replace("---\ntitle", "---\nslug: hello\ntitle"),
            )
            .await;
        world.passes(4).await;
        assert_eq!(states(&world).await, [EditionState::Sealed], "gone for a moment only");

        world.author_deletes("moved.md").await;
        world.passes(4).await;
        assert_eq!(states(&world).await, [EditionState::Cancelled], "{engine:?}");
        let left = world.deliveries().await;
        assert!(left.iter().all(|row| row.state == DeliveryState::Cancelled), "{left:?}");
        assert!(editions(&world).await[0].why.contains("`hello` was taken down"));

        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        assert_eq!(states(&world).await, [EditionState::Cancelled, EditionState::Sealed]);
    }
}

#[tokio::test]
async fn a_digest_that_nobody_has_is_made_anew_without_the_post_that_is_gone() {
    for engine in Engine::all() {
        let world = Setting::new(engine).mailing_to(NOWHERE.parse().unwrap()).start().await;
        world.subscriber("ann@example.org", Cadence::Daily).await;
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.author_saves("two.md", post("Two", "2026-03-09")).await;
        world.jumps_to("2026-03-10T06:00:05Z").await;
        assert_eq!(posts_of(&world, &editions(&world).await[0]).await, 2, "{engine:?}");
        let draft = "---\ntitle: Two\ndate: 2026-03-09\ndraft: true\n---\nx";
        world.author_saves("two.md", draft).await;
        world.passes(4).await;
        let both = editions(&world).await;
        assert_eq!(states(&world).await, [EditionState::Cancelled, EditionState::Sealed]);
        assert_eq!(posts_of(&world, &both[1]).await, 1);
        assert_eq!(both[1].audience, 1, "{engine:?}");
    }
}

#[tokio::test]
async fn a_destination_is_told_of_the_latest_text_and_of_the_end() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config(CHAT).start().await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(told(&world), ["post.published Hello"], "{engine:?}");
        world.author_saves("hello.md", post("Hello two", "2026-03-09")).await;
        world.author_saves("hello.md", post("Hello three", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        world.author_saves("hello.md", post("Hello two", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        world.passes(3).await;
        let so_far = ["post.published Hello", "post.updated Hello three", "post.updated Hello two"];
        assert_eq!(told(&world), so_far, "{engine:?}");
        world.author_deletes("hello.md").await;
        assert_eq!(told(&world).len(), 3, "it may come back");
        world.passes(4).await;
        world.is_quiet().await;
        world.passes(4).await;
        assert_eq!(told(&world)[3..], ["post.removed Hello two"]);
    }
}

#[tokio::test]
async fn a_post_that_expires_is_retracted() {
    let mut world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    let text = post("Fair", "2026-03-09")
        .replace("---\ntitle", "---\nexpires: 2026-03-09T13:00:00+01:00\ntitle");
    world.author_saves("fair.md", text).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(told(&world), ["post.published Fair"]);
    world.jumps_to("2026-03-09T12:00:01Z").await;
    world.is_quiet().await;
    world.restarts().await;
    world.passes(2).await;
    world.is_quiet().await;
    assert_eq!(told(&world), ["post.published Fair", "post.removed Fair"]);
}

#[tokio::test]
async fn a_slip_in_the_day_on_which_a_post_expires_can_be_mended() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    let until = |year: u16| {
        let line = format!("---\nexpires: {year}-12-01\ntitle");
        post("Fair", "2026-03-09").replace("---\ntitle", &line)
    };
    world.author_saves("fair.md", until(2026)).await;
    world.passes(4).await;
    world.is_quiet().await;
    world.author_saves("fair.md", until(2025)).await;
    world.author_saves("fair.md", until(2026)).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(told(&world), ["post.published Fair"]);
    world.author_saves("fair.md", until(2025)).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(told(&world), ["post.published Fair", "post.removed Fair"]);
}

#[tokio::test]
async fn what_a_destination_was_not_told_yet_it_is_not_told() {
    for engine in Engine::all() {
        let chat = CHAT.replace("outbox:var/outbox", "http://127.0.0.1:9/");
        let world = Setting::new(engine).config(&chat).start().await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(3).await;
        assert_eq!(world.deliveries().await.len(), 1, "{engine:?}");
        world.author_deletes("hello.md").await;
        world.passes(5).await;
        let rows = world.deliveries().await;
        let states: Vec<_> = rows.iter().map(|row| row.state).collect();
        assert_eq!(states, [DeliveryState::Cancelled], "{engine:?}: and nothing is retracted");
    }
}

#[tokio::test]
async fn without_a_wish_destinations_are_left_alone() {
    let chat = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"";
    let world = Setting::new(Engine::Sqlite).config(chat).start().await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(4).await;
    world.author_saves("hello.md", post("Hello two", "2026-03-09")).await;
    world.passes(4).await;
    world.author_deletes("hello.md").await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(told(&world), ["post.published Hello"]);
}

#[tokio::test]
async fn a_folder_that_is_suddenly_empty_stops_nothing_for_an_hour() {
    let world = Setting::new(Engine::Sqlite).mailing_to(NOWHERE.parse().unwrap()).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    for number in 0..6 {
        let text = post(&format!("Post {number}"), "2026-03-09");
        std::fs::write(world.path("posts").join(format!("{number}.md")), text).unwrap();
    }
    world.passes(4).await;
    assert_eq!(states(&world).await, [EditionState::Sealed; 6]);
    for number in 0..6 {
        std::fs::remove_file(world.path("posts").join(format!("{number}.md"))).unwrap();
    }
    world.passes(10).await;
    assert_eq!(states(&world).await, [EditionState::Sealed; 6], "it may be mounted again");
    world.jumps_to("2026-03-09T12:30:00Z").await;
    world.passes(1).await;
    assert_eq!(states(&world).await, [EditionState::Cancelled; 6]);
}

#[tokio::test]
async fn a_digest_that_is_made_anew_holds_only_what_may_go_out_now() {
    for engine in Engine::all() {
        let world = Setting::new(engine).mailing_to(NOWHERE.parse().unwrap()).start().await;
        world.subscriber("ann@example.org", Cadence::Daily).await;
        for title in ["One", "Two", "Three"] {
            world
                .author_saves(&format!("{title}.md").to_lowercase(), post(title, "2026-03-09"))
                .await;
        }
        world.jumps_to("2026-03-10T06:00:05Z").await;
        assert_eq!(posts_of(&world, &editions(&world).await[0]).await, 3, "{engine:?}");
        let kept_back = post("One", "2026-03-09").replace("---\ntitle", "---\nemail: skip\ntitle");
        world.author_saves("one.md", &kept_back).await;
        world.author_deletes("two.md").await;
        world.passes(4).await;
        let both = editions(&world).await;
        assert_eq!(states(&world).await, [EditionState::Cancelled, EditionState::Sealed]);
        assert_eq!(posts_of(&world, &both[1]).await, 1, "{engine:?}: its author wishes no mail");

        world.author_saves("one.md", kept_back.replace("email: skip\n", "")).await;
        world.jumps_to("2026-03-11T06:00:05Z").await;
        let all = editions(&world).await;
        assert_eq!(posts_of(&world, &all[2]).await, 1, "{engine:?}: it waited for the next run");
    }
}

/// A server that answers 503 from now on, as far as a story goes.
fn is_down(server: &HttpServer) {
    for _ in 0..100 {
        server.will(Answer::status(503));
    }
}

fn chat_at(server: &HttpServer, wishes: &str) -> String {
    format!(
        "[destinations.chat]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         allow = [\"127.0.0.0/8\"]\n{wishes}",
        server.address
    )
}

/// Minutes pass, and none with a call on its way: those are not taken back.
async fn calm_minutes(world: &World, minutes: usize) {
    for _ in 0..minutes {
        world.is_quiet().await;
        world.passes(1).await;
    }
}

async fn delivery_states(world: &World) -> Vec<DeliveryState> {
    world.is_quiet().await;
    let mut rows = world.deliveries().await;
    rows.sort_by_key(|row| row.id.0);
    rows.into_iter().map(|row| row.state).collect()
}

#[tokio::test]
async fn a_post_that_a_destination_refused_to_hear_of_is_told_when_it_is_back() {
    for engine in Engine::all() {
        let server = HttpServer::plain().await;
        is_down(&server);
        let chat = chat_at(&server, "on_delete = \"retract\"");
        let world = Setting::new(engine).config(&chat).start().await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(3).await;
        assert_eq!(delivery_states(&world).await, [DeliveryState::Deferred], "{engine:?}");
        world.author_deletes("hello.md").await;
        calm_minutes(&world, 4).await;
        assert_eq!(delivery_states(&world).await, [DeliveryState::Cancelled], "{engine:?}");
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        calm_minutes(&world, 4).await;
        let both = [DeliveryState::Cancelled, DeliveryState::Deferred];
        assert_eq!(delivery_states(&world).await, both, "{engine:?}: nobody was told of it");
    }
}

#[tokio::test]
async fn a_post_that_comes_back_after_it_was_retracted_is_told_again() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config(CHAT).start().await;
        for _ in 0..2 {
            world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
            world.passes(4).await;
            world.is_quiet().await;
            world.author_deletes("hello.md").await;
            world.passes(4).await;
            world.is_quiet().await;
        }
        let all = ["post.published Hello", "post.removed Hello"].repeat(2);
        assert_eq!(told(&world), all, "{engine:?}");
    }
}

#[tokio::test]
async fn an_update_that_was_taken_back_is_told_when_the_post_is_back() {
    for engine in Engine::all() {
        let server = HttpServer::plain().await;
        let chat = chat_at(&server, "on_update = \"update\"");
        let world = Setting::new(engine).config(&chat).start().await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        assert_eq!(delivery_states(&world).await, [DeliveryState::Accepted], "{engine:?}");
        is_down(&server);
        world.author_saves("hello.md", post("Hello two", "2026-03-09")).await;
        world.passes(4).await;
        let so_far = [DeliveryState::Accepted, DeliveryState::Deferred];
        assert_eq!(delivery_states(&world).await, so_far, "{engine:?}");
        world.author_deletes("hello.md").await;
        calm_minutes(&world, 4).await;
        world.author_saves("hello.md", post("Hello two", "2026-03-09")).await;
        world.passes(4).await;
        let all = [DeliveryState::Accepted, DeliveryState::Cancelled, DeliveryState::Deferred];
        assert_eq!(delivery_states(&world).await, all, "{engine:?}");
    }
}
