//! An edition one of whose posts is gone.

use std::sync::Arc;

use super::*;
use crate::harness::world::{Setting, World, post};
use postrider::clock::Clock as _;
use postrider::ingest::{Ingest, open_cache};
use postrider::planner::Planner;
use postrider::store::{Due, Houses, PostUnderWay, Whose, Withdrawn};

async fn seal_two(store: &Store) -> EditionId {
    let ids = [PostId::pinned("urn:1"), PostId::pinned("urn:2")];
    let revision = Revision::of(["x"]);
    let edition = NewEdition {
        newsletter: "weekly",
        cadence: Cadence::Daily,
        language: None,
        subject: "Hello",
        content: "{}",
        posts: &[(&ids[0], &revision), (&ids[1], &revision)],
        lane: Lane::Digest,
        channel: "mail:weekly",
        samples: &[],
    };
    write(store, async |tx| {
        tx.note_news("weekly", &[&ids[0], &ids[1]], NOW).await?;
        Ok(seal_to_all(tx, &edition, 2, NOW).await?.id)
    })
    .await
}

/// What subscribers of the daily cadence are owed of what is behind them.
async fn owed(store: &Store) -> Vec<Vec<i64>> {
    let mut tx = store.read().await.unwrap();
    let (whose, houses) = (Whose::Cadence(Cadence::Daily), Houses::new());
    let due = Due { newsletter: "weekly", whose, audience: None, houses: &houses };
    let profiles = tx.profiles(due, NOW).await.unwrap();
    profiles.into_iter().map(|profile| profile.owed).collect()
}

#[tokio::test]
async fn a_post_is_gone_since_somebody_saw_it_first() {
    for engine in Engine::all() {
        let world =
            Setting::new(engine).post("hello.md", post("Hello", "2026-03-01")).start().await;
        world.author_deletes("hello.md").await;
        let known = world.store.read().await.unwrap().known_posts().await.unwrap().remove(0);
        let seen_at = known.gone_at.unwrap();
        assert_eq!(seen_at, world.clock.now(), "{engine:?}");
        let mut tx = world.store.write().await.unwrap();
        let later = seen_at + SignedDuration::from_mins(1);
        assert_eq!(tx.post_is_gone(&known.id, later).await.unwrap(), seen_at, "{engine:?}");
    }
}

#[tokio::test]
async fn a_digest_that_some_have_is_paused_once_and_explained() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        subscribe(&store, "bob").await;
        let id = seal_two(&store).await;
        let claimed = claim(&store, "one", NOW).await.unwrap();
        let first = due(&store, &claimed, NOW).await[0];
        intend(&store, &claimed, first).await.unwrap();
        let outcome = Outcome::Accepted(reply(250));
        record(&store, recorded(&claimed, first, outcome, Next::Final(DeliveryState::Accepted)))
            .await;

        let posts = store.read().await.unwrap().posts_under_way().await.unwrap();
        assert_eq!(posts.len(), 2, "{engine:?}");
        let gone = posts[0].clone();
        let withdraw = async |post: PostUnderWay| {
            write(&store, async |tx| tx.withdraw_from_edition(&post, "hello", NOW).await).await
        };
        assert_eq!(withdraw(gone).await, Withdrawn::Paused, "{engine:?}");
        let row = store.read().await.unwrap().edition(id).await.unwrap().unwrap();
        assert_eq!(row.state, EditionState::Paused);
        assert!(row.why.contains("1 have it"), "{}", row.why);
        assert!(write(&store, async |tx| tx.resume_edition(id, NOW).await).await);
        let left = store.read().await.unwrap().posts_under_way().await.unwrap();
        assert_eq!(left, posts[1..], "{engine:?}: the person has decided about the other");
        assert_eq!(
            owed(&store).await,
            [Vec::<i64>::new()],
            "nothing is given back that somebody has"
        );
    }
}

#[tokio::test]
async fn a_digest_that_nobody_has_gives_its_posts_back() {
    for engine in Engine::all() {
        let database = engine.database().await;
        let store = database.open(NOW).await;
        subscribe(&store, "ann").await;
        let id = seal_two(&store).await;
        let posts = store.read().await.unwrap().posts_under_way().await.unwrap();
        let done =
            write(&store, async |tx| tx.withdraw_from_edition(&posts[0], "hello", NOW).await);
        assert_eq!(done.await, Withdrawn::Whole, "{engine:?}");
        assert_eq!(edition_state(&store, id).await, EditionState::Cancelled);
        assert_eq!(owed(&store).await, [vec![1, 2]], "{engine:?}");
        let again =
            write(&store, async |tx| tx.withdraw_from_edition(&posts[1], "hello", NOW).await);
        assert_eq!(again.await, Withdrawn::Nothing);
    }
}

/// What a daemon would plan, of a world whose daemon stands still.
async fn desk(world: &World) -> (Ingest, Planner) {
    let config = world.state.config.load_full();
    let (store, cache) = (world.store.clone(), open_cache(&config, &world.store).unwrap());
    let ingest = Ingest::open(Arc::clone(&config), store.clone(), cache.clone()).await.unwrap();
    let templates = (**world.state.templates.load()).clone();
    let planner = Planner::open(config, templates, (store, cache), world.clock.now()).await;
    (ingest, planner.unwrap())
}

#[tokio::test]
async fn a_post_that_expires_while_it_is_being_announced_is_retracted() {
    let chat = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\n\
                on_delete = \"retract\"";
    let calls = Queue { channel: "destination:chat", lanes: (Lane::Letter, Lane::Announcement) };
    for engine in Engine::all() {
        let mut world = Setting::new(engine).config(chat).start().await;
        world.stop().await;
        let text = post("Fair", "2026-03-09")
            .replace("---\ntitle", "---\nexpires: 2026-03-09T13:00:00+01:00\ntitle");
        std::fs::write(world.path("posts/fair.md"), text).unwrap();
        let store = &world.store;
        let (mut ingest, mut planner) = desk(&world).await;
        let now = world.clock.now() + SignedDuration::from_mins(1);
        ingest.rescan(now).await.unwrap();
        let settled = now + SignedDuration::from_mins(3);
        planner.plan(&ingest.catalog(), settled).await;
        assert_eq!(states(store).await, [DeliveryState::Planned], "{engine:?}");
        let until = settled + SignedDuration::from_hours(8);
        let claimed =
            write(store, async |tx| tx.claim_batch(calls, "one", (settled, until), false).await);
        let claimed = claimed.await.unwrap();
        let call = due(store, &claimed, settled).await[0];
        intend(store, &claimed, call).await.unwrap();

        let over: Timestamp = "2026-03-09T12:00:01Z".parse().unwrap();
        planner.plan(&ingest.catalog(), over).await;
        assert_eq!(states(store).await, [DeliveryState::Sending], "{engine:?}: it is on its way");
        let outcome = Outcome::Accepted(reply(204));
        record(store, recorded(&claimed, call, outcome, Next::Final(DeliveryState::Accepted)))
            .await;
        for _ in 0..2 {
            planner.plan(&ingest.catalog(), over).await;
            let both = [DeliveryState::Accepted, DeliveryState::Planned];
            assert_eq!(states(store).await, both, "{engine:?}: it is retracted once");
        }
    }
}
