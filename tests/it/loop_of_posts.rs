//! The main loop: a folder of posts becomes feeds, mail and cross-posts, once.

use postrider::domain::{Cadence, DeliveryState, Diagnostic};
use postrider::ingest::{Ingest, open_cache};

use crate::harness::engine::Engine;
use crate::harness::world::{START, Setting, World, post};

const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"";

#[tokio::test]
async fn a_new_post_is_in_the_feeds_at_once_and_in_the_mail_when_it_has_settled() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config(CHAT).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        assert_eq!(world.feed_titles().await, ["Hello"]);
        assert!(world.deliveries().await.is_empty(), "{engine:?}: it has not settled");
        world.passes(3).await;
        world.is_quiet().await;
        assert_eq!(
            world.outbox_mail(),
            [("ann@example.org".to_owned(), "Hello".to_owned())],
            "{engine:?}"
        );
        assert_eq!(world.outbox_calls().len(), 1);
        world.passes(5).await;
        assert_eq!(world.deliveries().await.len(), 2, "nothing is sent twice");
    }
}

/// Statement 8.
#[tokio::test]
async fn drafts_future_dates_and_broken_files_go_nowhere() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world
        .author_saves("draft.md", "---\ntitle: Draft\ndate: 2026-03-01\ndraft: true\n---\nx")
        .await;
    world.author_saves("future.md", post("Future", "2026-03-12T10:00:00+01:00")).await;
    world.author_saves("broken.md", "---\ntitle: [unclosed\ndate: 2026-03-01\n---\nx").await;
    world.author_saves("dateless.md", "---\ntitle: No date\n---\nx").await;
    world.author_saves("_index.md", "---\ntitle: A section\n---\nx").await;
    world.author_saves("good.md", post("Good", "2026-03-09")).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Good"]);
    assert_eq!(world.outbox_mail().len(), 1);
    let shelf = world.state.shelf.load();
    assert_eq!(shelf.drafts, 1, "a section's page is no draft");
    let broken: Vec<&str> = shelf
        .problems
        .iter()
        .filter(|problem| problem.is_error())
        .filter_map(|problem| problem.file.as_deref())
        .collect();
    assert_eq!(broken, ["posts/broken.md", "posts/dateless.md"]);
}

/// Statement 8.
#[tokio::test]
async fn a_future_post_goes_live_on_its_date_without_a_file_event() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("future.md", post("Future", "2026-03-09T13:00:00+01:00")).await;
    assert!(world.feed_titles().await.is_empty());
    world.jumps_to("2026-03-09T12:00:01Z").await;
    assert_eq!(world.feed_titles().await, ["Future"]);
}

#[tokio::test]
async fn posts_of_the_first_scan_are_in_the_feeds_and_never_mailed() {
    let mut world = Setting::new(Engine::Sqlite)
        .post("old.md", post("Old", "2026-03-08"))
        .post("broken.md", "---\ntitle: Old and broken\n---\nx")
        .config(CHAT)
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.subscriber("bob@example.org", Cadence::Daily).await;
    world.author_saves("broken.md", post("Old and mended", "2026-03-07")).await;
    world.passes(5).await;
    world.restarts().await;
    world.jumps_to("2026-03-10T06:00:30Z").await;
    world.passes(3).await;
    assert_eq!(world.feed_titles().await, ["Old", "Old and mended"]);
    assert!(world.deliveries().await.is_empty());
}

#[tokio::test]
async fn a_baseline_date_makes_later_posts_news_on_the_first_run() {
    let world = Setting::new(Engine::Sqlite)
        .baseline("\"2026-03-01\"")
        .post("old.md", post("Old", "2026-02-08"))
        .post("new.md", post("New", "2026-03-08"))
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail(), [("ann@example.org".to_owned(), "New".to_owned())]);
}

#[tokio::test]
async fn a_digest_carries_what_is_new_and_is_not_sent_when_nothing_is() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Daily).await;
    for day in ["one", "two", "three"] {
        world.author_saves(&format!("{day}.md"), post(&format!("Post {day}"), "2026-03-09")).await;
    }
    world.jumps_to("2026-03-10T06:00:05Z").await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail().len(), 1);
    let tx = &mut world.store.read().await.expect("the database answers");
    let editions = tx.latest_editions(5).await.expect("the database answers");
    assert_eq!(editions.len(), 1);
    world.jumps_to("2026-03-11T06:00:05Z").await;
    world.passes(2).await;
    assert_eq!(world.outbox_mail().len(), 1, "nothing new, no mail");
}

#[tokio::test]
async fn restarting_at_any_moment_repeats_nothing_and_forgets_nothing() {
    for engine in Engine::all() {
        let mut world = Setting::new(engine).config(CHAT).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.subscriber("bob@example.org", Cadence::Daily).await;
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.restarts().await;
        world.passes(1).await;
        world.restarts().await;
        world.passes(3).await;
        world.is_quiet().await;
        world.restarts().await;
        world.jumps_to("2026-03-10T06:00:05Z").await;
        world.is_quiet().await;
        world.restarts().await;
        world.passes(2).await;
        let mails = world.outbox_mail();
        let to: Vec<&str> = mails.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(to, ["ann@example.org", "bob@example.org"], "{engine:?}");
        assert_eq!(world.outbox_calls().len(), 1);
        assert!(all_accepted(&world).await);
    }
}

#[tokio::test]
async fn an_edit_after_the_release_changes_the_feeds_and_mails_nobody() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    let before = world.gets("/atom.xml").await.text();
    world.author_saves("hello.md", post("Hello again", "2026-03-09")).await;
    world.passes(4).await;
    assert_eq!(world.feed_titles().await, ["Hello again"]);
    let id = |feed: &str| feed.split("<id>").nth(2).map(|rest| rest[..50].to_owned());
    assert_eq!(id(&before), id(&world.gets("/atom.xml").await.text()), "the same post");
    assert_eq!(world.outbox_mail().len(), 1);
    assert_eq!(world.outbox_calls().len(), 1);
}

#[tokio::test]
async fn a_post_that_changes_before_it_has_settled_is_mailed_once_as_it_is_then() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    for version in 1..=4 {
        world.author_saves("hello.md", post(&format!("Version {version}"), "2026-03-09")).await;
    }
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail(), [("ann@example.org".to_owned(), "Version 4".to_owned())]);
}

/// Statement 43.
#[tokio::test]
async fn a_file_that_breaks_keeps_its_last_good_post_live_even_over_a_restart() {
    let mut world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.author_saves("other.md", post("Other", "2026-03-08")).await;
    world.author_saves("hello.md", "---\ntitle: \"Hello\ndate: 2026-03-09\n---\nx").await;
    assert_eq!(world.feed_titles().await, ["Hello", "Other"]);
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["Hello", "Other"]);
    assert!(world.state.shelf.load().problems.iter().any(Diagnostic::is_error));
    world.author_saves("hello.md", post("Hello, mended", "2026-03-09")).await;
    assert_eq!(world.feed_titles().await, ["Hello, mended", "Other"]);
    world.author_deletes("hello.md").await;
    assert_eq!(world.feed_titles().await, ["Other"]);
}

#[tokio::test]
async fn a_renamed_file_is_the_same_post() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let text = "---\ntitle: Hello\ndate: 2026-03-09\nslug: hello\n---\nHello.\n";
    world.author_saves("hello.md", text).await;
    world.passes(4).await;
    world.is_quiet().await;
    std::fs::rename(world.path("posts/hello.md"), world.path("posts/2026-03-09-hello.md"))
        .expect("the file is there");
    world.passes(5).await;
    assert_eq!(world.feed_titles().await, ["Hello"]);
    assert_eq!(world.outbox_mail().len(), 1, "not news");
}

#[tokio::test]
async fn two_files_at_one_address_are_an_error_that_names_both() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("a.md", "---\ntitle: A\ndate: 2026-03-09\nslug: same\n---\nx").await;
    world.author_saves("b.md", "---\ntitle: B\ndate: 2026-03-09\nslug: same\n---\nx").await;
    assert_eq!(world.feed_titles().await, ["A"]);
    let shelf = world.state.shelf.load();
    let problem = shelf.problems.iter().find(|one| one.is_error()).expect("a problem");
    assert_eq!(problem.file.as_deref(), Some("posts/b.md"));
    assert!(problem.message.contains("posts/a.md"), "{problem}");
}

#[tokio::test]
async fn a_vanished_folder_takes_no_post_down() {
    let world =
        Setting::new(Engine::Sqlite).post("old.md", post("Old", "2026-03-08")).start().await;
    std::fs::rename(world.path("posts"), world.path("elsewhere")).expect("the folder is there");
    world.passes(2).await;
    assert_eq!(world.feed_titles().await, ["Old"]);
    assert!(world.state.shelf.load().problems.iter().any(Diagnostic::is_error));
    std::fs::rename(world.path("elsewhere"), world.path("posts")).expect("the folder is there");
    world.passes(1).await;
    assert!(world.state.shelf.load().problems.is_empty());
}

#[tokio::test]
async fn an_event_from_a_vanished_folder_takes_no_post_down() {
    let mut world =
        Setting::new(Engine::Sqlite).post("old.md", post("Old", "2026-03-08")).start().await;
    world.stop().await;
    let config = world.state.config.load_full();
    let cache = open_cache(&config, &world.store).expect("a cache");
    let mut ingest =
        Ingest::open(config, world.store.clone(), cache).await.expect("the database answers");
    ingest.rescan(START).await.expect("the database answers");
    let file = world.path("posts/old.md");
    std::fs::rename(world.path("posts"), world.path("elsewhere")).expect("the folder is there");
    ingest.refresh(std::slice::from_ref(&file), START).await.expect("the database answers");
    assert_eq!(ingest.catalog().posts.len(), 1, "unmounted, not deleted");
    std::fs::create_dir(world.path("posts")).expect("a folder can be made");
    ingest.refresh(&[file], START).await.expect("the database answers");
    assert!(ingest.catalog().posts.is_empty(), "deleted, not unmounted");
}

#[tokio::test]
async fn a_scheduled_release_holds_a_post_back_on_its_channels() {
    let releases =
        "[[release]]\npost = \"hello\"\nat = 2026-03-09T15:00:00\nchannels = [\"mail\"]\n";
    let world = Setting::new(Engine::Sqlite)
        .file("config/releases.toml", releases)
        .config(CHAT)
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Hello"]);
    assert_eq!(world.outbox_calls().len(), 1, "the destination is not held back");
    assert!(world.outbox_mail().is_empty());
    world.jumps_to("2026-03-09T14:00:01Z").await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail().len(), 1);
}

#[tokio::test]
async fn a_queue_releases_its_posts_one_at_a_time_in_order() {
    let releases = "[[queue]]\nname = \"evergreen\"\nschedule = \"0 9 * * *\"\ntake = 1\n\
                    posts = [\"b\", \"a\"]\n";
    let mut world =
        Setting::new(Engine::Sqlite).file("config/releases.toml", releases).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("a.md", post("A", "2026-03-01")).await;
    world.author_saves("b.md", post("B", "2026-03-02")).await;
    world.passes(4).await;
    assert!(world.feed_titles().await.is_empty());
    world.jumps_to("2026-03-10T08:00:05Z").await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["B"]);
    world.restarts().await;
    world.passes(3).await;
    assert_eq!(world.feed_titles().await, ["B"], "a restart releases nothing");
    world.jumps_to("2026-03-11T08:00:05Z").await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["A", "B"]);
    assert_eq!(world.outbox_mail().len(), 2);
}

#[tokio::test]
async fn an_old_post_goes_out_where_its_author_scheduled_it_by_name_and_nowhere_else() {
    let releases = "[[queue]]\nname = \"archive\"\nschedule = \"0 9 * * *\"\ntake = 1\n\
                    posts = [\"old\"]\nchannels = [\"chat\"]\n\n\
                    [[release]]\npost = \"older\"\nat = 2026-01-01T08:00:00\n";
    let world = Setting::new(Engine::Sqlite)
        .post("old.md", post("Old", "2026-03-01"))
        .post("older.md", post("Older", "2025-03-01"))
        .file("config/releases.toml", releases)
        .config(CHAT)
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.passes(5).await;
    assert!(world.deliveries().await.is_empty(), "a release in the past makes no news");
    world.jumps_to("2026-03-10T08:00:05Z").await;
    world.passes(1).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_calls().len(), 1);
    assert!(world.outbox_mail().is_empty());
}

#[tokio::test]
async fn a_run_that_was_missed_for_too_long_does_not_fire() {
    let mut world = Setting::new(Engine::Sqlite)
        .cadences("daily = \"0 7 * * *\"")
        .config("missed_runs = \"skip\"")
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Daily).await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.stop().await;
    world.clock.set("2026-03-10T08:00:00Z".parse().expect("an instant"));
    world.restarts().await;
    world.passes(2).await;
    assert!(world.outbox_mail().is_empty(), "two hours late");
    world.jumps_to("2026-03-11T06:00:05Z").await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail().len(), 1, "the post waited for the next run");
}

async fn all_accepted(world: &World) -> bool {
    world.deliveries().await.iter().all(|row| row.state == DeliveryState::Accepted)
}

#[tokio::test]
async fn a_destination_can_have_a_template_of_its_own() {
    let world = Setting::new(Engine::Sqlite)
        .file("templates/crosspost/short.json", "{\"text\": {{ data.title|tojson }}}")
        .config(&format!("{CHAT}\ntemplate = \"short\""))
        .start()
        .await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    let calls = world.outbox_calls();
    assert_eq!(calls[0]["body"], "{\"text\": \"Hello\"}");
}
