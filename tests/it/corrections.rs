//! A post that was mailed is corrected, and those are told who had it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::sync::Arc;

use postrider::clock::Clock as _;
use postrider::domain::{Cadence, Correction, Revision};
use postrider::ingest::{Ingest, open_cache};
use postrider::planner::Planner;
use postrider::store::Added;

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

/// What the planner does about a post whose author wishes a correction.
async fn corrected(world: &World, slug: &str, note: &str) -> bool {
    let config = world.state.config.load_full();
    let now = world.clock.now();
    let (store, cache) = (world.store.clone(), open_cache(&config, &world.store).unwrap());
    let mut ingest = Ingest::open(Arc::clone(&config), store.clone(), cache.clone()).await.unwrap();
    ingest.rescan(now).await.unwrap();
    let templates = (**world.state.templates.load()).clone();
    let planner = Planner::open(Arc::clone(&config), templates, (store, cache), now).await.unwrap();
    let catalog = ingest.catalog();
    let known = catalog.find(slug).unwrap();
    let correction = Correction { note: Some(note.to_owned()) };
    planner.correct(&config.newsletters["weekly"], known, &correction, now).await.unwrap()
}

fn corrections(world: &World) -> Vec<String> {
    let mails = world.outbox_mail().into_iter();
    mails.filter(|(_, subject)| subject.starts_with("Correction: ")).map(|(to, _)| to).collect()
}

/// Of all posts, in the order of their slugs.
async fn revisions(world: &World) -> Vec<Revision> {
    let mut known = world.store.read().await.unwrap().known_posts().await.unwrap();
    known.sort_by(|a, b| a.slug.cmp(&b.slug));
    known.into_iter().map(|post| post.revision).collect()
}

#[tokio::test]
async fn those_who_had_a_post_are_told_of_its_correction_once() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.subscriber("bob@example.org", Cadence::Daily).await;
        let left = world.subscriber("cleo@example.org", Cadence::Instant).await;
        let Added::Subscribed(left) = left else { panic!("she is new") };
        world.subscriber("weekly@example.org", Cadence::Weekly).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        world.jumps_to("2026-03-10T06:00:05Z").await;
        world.is_quiet().await;
        assert_eq!(world.outbox_mail().len(), 3, "{engine:?}");
        assert!(!corrected(&world, "hello", "Nothing").await, "they have this very text");

        world.subscriber("dan@example.org", Cadence::Instant).await;
        let mut tx = world.store.write().await.unwrap();
        tx.unsubscribe(left, "test", world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        world.author_saves("hello.md", post("Hello again", "2026-03-09")).await;
        world.passes(4).await;
        assert!(corrected(&world, "hello", "It is two, not three").await);
        world.passes(1).await;
        world.is_quiet().await;
        assert_eq!(corrections(&world), ["ann@example.org", "bob@example.org"], "{engine:?}");
        assert!(!corrected(&world, "hello", "It is two, not three").await, "once a revision");

        world.author_saves("hello.md", post("Hello at last", "2026-03-09")).await;
        world.passes(4).await;
        assert!(corrected(&world, "hello", "It is four").await);
        world.passes(1).await;
        world.is_quiet().await;
        assert_eq!(
            corrections(&world).len(),
            4,
            "{engine:?}: the next revision is told of as well"
        );
        world.passes(4).await;
        assert_eq!(world.outbox_mail().len(), 7, "and nobody gets the post anew");
    }
}

#[tokio::test]
async fn an_author_wishes_a_correction_in_the_front_matter_and_those_who_had_the_post_are_told() {
    let wishing = |text: &str| {
        format!(
            "---\ntitle: Hello\ndate: 2026-03-09\nnotify:\n  correction: The bridge is closed on Mondays.\n---\n\n{text}\n"
        )
    };
    for engine in Engine::all() {
        let mut world = Setting::new(engine).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.subscriber("bob@example.org", Cadence::Weekly).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        world.author_saves("hello.md", wishing("It is closed on Mondays.")).await;
        assert!(corrections(&world).is_empty(), "{engine:?}: it has not settled");
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(corrections(&world), ["ann@example.org"], "{engine:?}");
        world.restarts().await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(corrections(&world), ["ann@example.org"], "{engine:?}: once for each edit");
        for text in ["It is closed on Tuesdays.", "It is closed on Mondays."] {
            world.author_saves("hello.md", wishing(text)).await;
            world.passes(4).await;
            world.is_quiet().await;
        }
        assert_eq!(corrections(&world).len(), 3, "{engine:?}: whoever read of Tuesdays is told");
    }
}

#[tokio::test]
async fn a_post_that_only_looks_different_is_no_correction_and_no_update() {
    let chat = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\non_update = \"update\"";
    let code = "```rust\nfn main() {}\n```\n";
    let wishing = format!(
        "---\ntitle: Hello\ndate: 2026-03-09\nnotify: correction\n---\n\nBetter:\n\n{code}"
    );
    for engine in Engine::all() {
        let mut world = Setting::new(engine).config(chat).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("plain.md", post("Plain", "2026-03-09") + code).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09") + code).await;
        world.passes(4).await;
        world.is_quiet().await;
        world.author_saves("hello.md", &wishing).await;
        world.passes(4).await;
        world.is_quiet().await;
        let told = (corrections(&world).len(), world.outbox_calls().len());
        assert_eq!(told, (1, 3), "{engine:?}: both are published, one is corrected");

        let before = revisions(&world).await;
        let file = world.path("config/postrider.toml");
        let config = std::fs::read_to_string(&file).unwrap();
        let plainly = config.replace("[watch]", "[posts.markdown]\nhighlight = false\n\n[watch]");
        std::fs::write(&file, plainly).unwrap();
        world.restarts().await;
        world.passes(4).await;
        world.is_quiet().await;
        let after = revisions(&world).await;
        assert!(
            before.iter().zip(&after).all(|(before, after)| before != after),
            "it looks different"
        );
        let told = (corrections(&world).len(), world.outbox_calls().len());
        assert_eq!(told, (1, 3), "{engine:?}: nobody edited anything");

        world.author_saves("hello.md", wishing.replace("Better", "Best")).await;
        world.passes(4).await;
        world.is_quiet().await;
        let told = (corrections(&world).len(), world.outbox_calls().len());
        assert_eq!(told, (2, 4), "{engine:?}: an edit is told of");
    }
}
