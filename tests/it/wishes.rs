//! What authors say of their posts is obeyed: in front matter, in files for whole folders, in the configuration.

use postrider::domain::Cadence;

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\n\
    [destinations.board]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"";

fn wishing(title: &str, lines: &str) -> String {
    post(title, "2026-03-09").replacen("---\n", &format!("---\n{lines}\n"), 1)
}

/// Who got which mail, by address and subject.
fn mail(world: &World) -> Vec<String> {
    let mut mail: Vec<String> = world
        .outbox_mail()
        .iter()
        .map(|(to, subject)| format!("{}: {subject}", to.split('@').next().unwrap_or_default()))
        .collect();
    mail.sort();
    mail
}

#[tokio::test]
async fn an_author_decides_which_mails_carry_a_post() {
    for engine in Engine::all() {
        let world = Setting::new(engine)
            .cadences("instant = true, daily = \"0 13 * * *\"")
            .config(CHAT)
            .start()
            .await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.subscriber("bob@example.org", Cadence::Daily).await;
        world.author_saves("silent.md", wishing("Silent", "email: skip")).await;
        world.author_saves("quick.md", wishing("Quick", "email: instant")).await;
        world.author_saves("slow.md", wishing("Slow", "email: digest")).await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(mail(&world), ["ann: Quick"], "{engine:?}");
        world.jumps_to("2026-03-09T12:00:01Z").await;
        world.is_quiet().await;
        let sent = mail(&world);
        assert_eq!(sent.len(), 2, "{engine:?}: {sent:?}");
        assert!(sent[1].starts_with("bob: ") && sent[1].contains("Slow"), "{engine:?}: {sent:?}");
        assert_eq!(world.outbox_calls().len(), 6, "two destinations heard of all three");
        assert_eq!(world.feed_titles().await.len(), 3, "feeds have them all");
    }
}

#[tokio::test]
async fn an_author_decides_where_a_post_is_announced_and_in_which_words() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.author_saves("nowhere.md", wishing("Nowhere", "crosspost: skip")).await;
    let lines = "crosspost: [chat]\nsocial: All of you\ntext: {chat: Hello chat}";
    world.author_saves("chat.md", wishing("Chat", lines)).await;
    world.author_saves("all.md", wishing("All", "social: All of you")).await;
    world.passes(4).await;
    world.is_quiet().await;
    let said = |call: &serde_json::Value| {
        let body = call["body"].as_str().expect("a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("a body is JSON");
        format!("{}: {}", body["data"]["title"], body["data"]["text"])
    };
    let mut texts: Vec<String> = world.outbox_calls().iter().map(said).collect();
    texts.sort();
    let all = "\"All\": \"All of you\"";
    assert_eq!(texts, [all, all, "\"Chat\": \"Hello chat\""]);
}

#[tokio::test]
async fn mail_waits_for_the_time_that_its_author_wishes_and_feeds_do_not() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let lines = "send_at: 2026-03-09T13:30:00+01:00\nsubject: Tea is ready";
    world.author_saves("tea.md", wishing("Tea", lines)).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Tea"]);
    assert!(mail(&world).is_empty() && world.outbox_calls().is_empty());
    world.jumps_to("2026-03-09T12:30:01Z").await;
    world.is_quiet().await;
    assert_eq!(mail(&world), ["ann: Tea is ready"]);
    assert_eq!(world.outbox_calls().len(), 2);
}

#[tokio::test]
async fn a_doubtful_wish_keeps_a_post_from_going_anywhere() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("slip.md", wishing("Slip", "email: skpi")).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert!(world.feed_titles().await.is_empty() && mail(&world).is_empty());
    world.author_saves("slip.md", wishing("Slip", "email: skip")).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Slip"]);
    assert!(mail(&world).is_empty());
}

#[tokio::test]
async fn what_a_section_says_of_its_posts_is_heard_when_it_changes() {
    let mut world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("essays/_index.md", "---\ncascade: {draft: true}\n---\n").await;
    world.author_saves("essays/long.md", post("Long", "2026-03-09")).await;
    world.author_saves("short.md", post("Short", "2026-03-09")).await;
    assert_eq!(world.feed_titles().await, ["Short"]);
    world.author_saves("essays/_index.md", "---\ncascade: {draft: true\n---\n").await;
    assert_eq!(world.feed_titles().await, ["Short"], "nobody knows whether they are drafts");
    let told = world.state.shelf.load().problems.iter().filter(|it| it.is_error()).count();
    assert_eq!(told, 1);
    world.author_saves("essays/_index.md", "---\ncascade: {author: Ann}\n---\n").await;
    assert_eq!(world.feed_titles().await.len(), 2);
    world.author_saves("essays/_index.md", "---\ncascade: {draft: true}\n---\n").await;
    world.restarts().await;
    assert_eq!(world.feed_titles().await, ["Short"], "a restart takes nothing old for true");
}

#[tokio::test]
async fn a_date_may_come_from_the_first_commit_of_a_file() {
    let lines = "dates_from = [\"front-matter\", \"git\"]";
    let world = Setting::new(Engine::Sqlite).posts_with(lines).start().await;
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
            .args(arguments)
            .current_dir(world.path(""))
            .status();
        assert!(done.expect("git is installed").success(), "{arguments:?}");
    };
    world.author_saves("plain.md", "# Plain\n\nNo front matter at all.\n").await;
    assert!(world.feed_titles().await.is_empty());
    let told = world.state.shelf.load().problems.iter().any(|problem| problem.code == "git");
    assert!(told, "there is no repository");
    git(&["init", "-q"]);
    git(&["add", "posts"]);
    git(&["commit", "-q", "-m", "A post", "--date", "2026-03-08T10:00:00Z"]);
    world.rescans().await;
    assert_eq!(world.feed_titles().await, ["Plain"]);
    let feed = world.gets("/feed.json").await.text();
    assert!(feed.contains("2026-03-08T10:00:00"), "{feed}");
}

#[tokio::test]
async fn a_folder_speaks_for_posts_that_say_nothing_themselves() {
    let lines = "fields = { published = \"veröffentlicht\" }\n\
        defaults = { email = \"skip\", crosspost = [\"chat\"] }";
    let world = Setting::new(Engine::Sqlite).posts_with(lines).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let own = "---\ntitle: Eins\nveröffentlicht: 2026-03-09\n---\nText\n";
    world.author_saves("eins.md", own).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Eins"]);
    assert!(mail(&world).is_empty());
    assert_eq!(world.outbox_calls().len(), 1);
}

#[tokio::test]
async fn a_call_carries_no_words_that_are_for_mails_alone() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let text =
        format!("{}\n:::email-only\nReply to this mail.\n:::\n", post("Hello", "2026-03-09"));
    world.author_saves("hello.md", text).await;
    world.passes(4).await;
    world.is_quiet().await;
    let calls = world.outbox_calls();
    assert_eq!((mail(&world).len(), calls.len()), (1, 2));
    for call in calls {
        let told = call.to_string();
        assert!(told.contains("has a *body*") || told.contains("has a body"), "{told}");
        assert!(!told.contains("Reply"), "{told}");
    }
}

#[tokio::test]
async fn of_a_post_in_several_languages_its_readers_get_one_version() {
    let world = Setting::new(Engine::Sqlite).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let in_spanish = |title: &str| wishing(title, &format!("lang: es\npermalink: /es/{title}/"));
    world.author_saves("tea.md", post("Tea", "2026-03-09")).await;
    world.author_saves("tea.es.md", in_spanish("Té")).await;
    world.author_saves("sol.es.md", in_spanish("Sol")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(
        mail(&world),
        ["ann: Sol", "ann: Tea"],
        "what is there in one language only goes to all"
    );
    world.author_saves("sol.md", post("Sun", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(
        mail(&world),
        ["ann: Sol", "ann: Tea"],
        "a translation is no news to who had the post"
    );
    assert_eq!(world.feed_titles().await.len(), 4);
}

#[tokio::test]
async fn a_translation_of_a_post_of_the_baseline_is_no_news() {
    let world =
        Setting::new(Engine::Sqlite).post("tea.md", post("Tea", "2026-03-01")).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("tea.es.md", wishing("Té", "lang: es\npermalink: /es/te/")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert!(mail(&world).is_empty());
    assert_eq!(world.feed_titles().await.len(), 2);
}
