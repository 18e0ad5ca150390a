//! One sick thing holds back no other: a post, a letter, a file at somebody else's address.

use postrider::clock::Clock as _;
use postrider::domain::Cadence;
use postrider::store::NewLetter;

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, post};

#[tokio::test]
async fn a_post_that_a_template_chokes_on_holds_back_no_other() {
    let fussy = r#"{% if "Poison" in data.title %}{{ nothing.here }}{% endif %}{ "title": {{ data.title }} }"#;
    let subject = "{% if \"Poison\" in post.title %}{{ nothing.here }}{% endif %}{{ post.title }}";
    let chat = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\ntemplate = \"fussy\"";
    let world = Setting::new(Engine::Sqlite)
        .config(chat)
        .file("templates/crosspost/fussy.json", fussy)
        .file("templates/mail/single/subject.txt", subject)
        .start()
        .await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("a.md", post("Poison", "2026-03-08")).await;
    world.author_saves("b.md", post("Hello", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail(), [("ann@example.org".to_owned(), "Hello".to_owned())]);
    assert_eq!(world.outbox_calls().len(), 1);
    world.author_saves("a.md", post("Antidote", "2026-03-08")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail().len(), 2, "it was not forgotten");
    assert_eq!(world.outbox_calls().len(), 2);
}

#[tokio::test]
async fn a_letter_that_cannot_be_read_back_holds_back_no_other() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        let letter = NewLetter {
            kind: "test",
            owner: None,
            address: &"ann@example.org".parse().expect("an address"),
            newsletter: "weekly",
            content: "of a version that nobody has any more",
            channel: "mail:weekly",
        };
        let mut tx = world.store.write().await.expect("the database answers");
        tx.plan_letter(&letter, world.clock.now()).await.expect("the database answers");
        tx.commit().await.expect("the database answers");
        let answer = world.posts("/subscribe/weekly", "address=bob%40example.org").await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{}", answer.text());
        let mails = world
            .eventually("the confirmation", async || {
                Some(world.outbox_mail()).filter(|mails| !mails.is_empty())
            })
            .await;
        assert_eq!(mails[0].0, "bob@example.org", "{engine:?}");
    }
}

#[tokio::test]
async fn of_two_files_at_one_address_either_can_be_mended() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("a.md", "---\ntitle: A\ndate: 2026-03-09\nslug: same\n---\nx").await;
    world.author_saves("b.md", "---\ntitle: B\ndate: 2026-03-08\nslug: same\n---\nx").await;
    assert_eq!(world.feed_titles().await, ["A"]);
    world.author_saves("a.md", "---\ntitle: A\ndate: 2026-03-09\nslug: other\n---\nx").await;
    assert_eq!(world.feed_titles().await, ["A", "B"], "nobody touched the other file");
    assert!(world.state.shelf.load().problems.is_empty());
}

#[tokio::test]
async fn a_newcomer_takes_nobodys_address_even_over_a_restart() {
    let mut world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("b.md", "---\ntitle: First\ndate: 2026-03-09\nslug: same\n---\nx").await;
    world.author_saves("a.md", "---\ntitle: Newcomer\ndate: 2026-03-09\nslug: same\n---\nx").await;
    assert_eq!(world.feed_titles().await, ["First"]);
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["First"]);
}
