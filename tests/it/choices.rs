//! Each subscriber gets what they chose, when they chose it: topics, languages, hours, and a cadence that they change.

use std::process::Output;

use jiff::SignedDuration;
use postrider::clock::{Clock as _, SystemClock};
use postrider::domain::{Cadence, Choice};
use tokio::process::Command;

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

const TOPICS: &str = "[newsletters.weekly.topics]\nmaking = { title = \"Making things\" }\n\
    looking = { title = \"Looking\", terms = [\"birds\"] }";

fn of(title: &str, lines: &str) -> String {
    post(title, "2026-03-09").replacen("---\n", &format!("---\n{lines}\n"), 1)
}

/// Who got a mail with which of these titles in it, in order.
fn had(world: &World, titles: &[&str]) -> Vec<String> {
    let mut had = Vec::new();
    for (to, text) in world.outbox_texts() {
        let name = to.split('@').next().unwrap_or_default();
        let inside: Vec<_> =
            titles.iter().filter(|title| text.contains(**title)).copied().collect();
        had.push(format!("{name}: {}", inside.join(" + ")));
    }
    had.sort();
    had
}

fn daily() -> Choice {
    Choice::of(Cadence::Daily)
}

#[tokio::test]
async fn a_digest_has_what_its_reader_wants_to_read_of() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config(TOPICS).start().await;
        world.chooses("all@example.org", daily()).await;
        let making = Choice { topics: ["making"].into_iter().collect(), ..daily() };
        world.chooses("making@example.org", making).await;
        let looking = Choice { topics: ["looking"].into_iter().collect(), ..daily() };
        world.chooses("looking@example.org", looking).await;
        world.author_saves("chair.md", of("A chair", "topics: [Making]")).await;
        world.author_saves("heron.md", of("A heron", "tags: [Birds]")).await;
        world.author_saves("tea.md", of("A tea", "tags: [tea]")).await;
        world.passes(4).await;
        world.jumps_to("2026-03-10T06:00:01Z").await;
        world.is_quiet().await;
        let titles = ["A chair", "A heron", "A tea"];
        let first = ["all: A chair + A heron + A tea", "looking: A heron", "making: A chair"];
        assert_eq!(had(&world, &titles), first, "{engine:?}");
        // Nobody gets an empty one.
        world.author_saves("oak.md", of("An oak", "topics: [making]")).await;
        world.passes(4).await;
        world.jumps_to("2026-03-11T06:00:01Z").await;
        world.is_quiet().await;
        let second = had(&world, &["An oak"]);
        let second: Vec<_> = second.iter().filter(|mail| mail.ends_with("An oak")).collect();
        assert_eq!(second, ["all: An oak", "making: An oak"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_digest_comes_at_the_readers_own_hour_across_the_change_of_clocks() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        world.chooses("home@example.org", daily()).await;
        let tokyo = Choice {
            timezone: Some("Asia/Tokyo".to_owned()),
            send_time: Some("21:00".parse().expect("an hour")),
            ..daily()
        };
        world.chooses("tokyo@example.org", tokyo).await;
        let new_york = Choice { timezone: Some("America/New_York".to_owned()), ..daily() };
        world.chooses("york@example.org", new_york).await;
        world.passes(2).await;
        world.author_saves("tea.md", post("Tea", "2026-03-09")).await;
        world.passes(4).await;
        // 21:00 in Tokyo is noon in UTC; New York has just gone over to summer time.
        world.jumps_to("2026-03-09T11:59:00Z").await;
        world.is_quiet().await;
        assert!(had(&world, &["Tea"]).is_empty(), "{engine:?}");
        world.jumps_to("2026-03-09T12:00:01Z").await;
        world.is_quiet().await;
        assert_eq!(had(&world, &["Tea"]), ["tokyo: Tea"], "{engine:?}");
        world.jumps_to("2026-03-10T06:00:01Z").await;
        world.is_quiet().await;
        assert_eq!(had(&world, &["Tea"]), ["home: Tea", "tokyo: Tea"], "{engine:?}");
        world.jumps_to("2026-03-10T11:00:01Z").await;
        world.is_quiet().await;
        assert_eq!(had(&world, &["Tea"]), ["home: Tea", "tokyo: Tea", "york: Tea"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_change_of_cadence_neither_repeats_nor_skips_a_post() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        world.chooses("ann@example.org", Choice::of(Cadence::Weekly)).await;
        world.chooses("bob@example.org", Choice::of(Cadence::Instant)).await;
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.author_saves("two.md", post("Two", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        let titles = ["One", "Two", "Three"];
        assert_eq!(had(&world, &titles), ["bob: One", "bob: Two"], "{engine:?}");
        // She does not wait for Monday any more: what she has not had comes at once, in one mail.
        world.changes("ann@example.org", Choice::of(Cadence::Instant)).await;
        world.changes("bob@example.org", Choice::of(Cadence::Weekly)).await;
        world.passes(1).await;
        world.is_quiet().await;
        assert_eq!(had(&world, &titles), ["ann: One + Two", "bob: One", "bob: Two"], "{engine:?}");
        world.author_saves("three.md", post("Three", "2026-03-09")).await;
        world.passes(4).await;
        world.jumps_to("2026-03-16T07:00:01Z").await;
        world.is_quiet().await;
        let all = ["ann: One + Two", "ann: Three", "bob: One", "bob: Three", "bob: Two"];
        assert_eq!(had(&world, &titles), all, "{engine:?}");
    }
}

#[tokio::test]
async fn a_newsletter_may_be_for_some_of_its_subscribers() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config("audience = '\"def\" < email'").start().await;
        world.chooses("ann@example.org", Choice::of(Cadence::Instant)).await;
        world.chooses("eve@example.org", Choice::of(Cadence::Instant)).await;
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(had(&world, &["One"]), ["eve: One"], "{engine:?}");
    }
}

#[tokio::test]
async fn nothing_comes_in_a_pause_and_nothing_is_made_up_for() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        world.chooses("ann@example.org", Choice::of(Cadence::Instant)).await;
        world.pauses("ann@example.org", "2026-03-12T00:00:00Z").await;
        world.author_saves("one.md", post("One", "2026-03-09")).await;
        world.passes(4).await;
        world.jumps_to("2026-03-12T01:00:00Z").await;
        world.author_saves("two.md", post("Two", "2026-03-12")).await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(had(&world, &["One", "Two"]), ["ann: Two"], "{engine:?}");
    }
}

#[tokio::test]
async fn each_reads_a_post_in_their_language_or_the_first_and_never_twice() {
    for engine in Engine::all() {
        let only = "languages = [\"es\"]\nonly_in_language = true";
        for strict in [false, true] {
            let more = if strict { only } else { "languages = [\"es\"]" };
            let setting = Setting::new(engine).config(more);
            let world = setting.start().await;
            world.chooses("english@example.org", daily()).await;
            let spanish = Choice { language: Some("es".to_owned()), ..daily() };
            world.chooses("spanish@example.org", spanish).await;
            world.author_saves("tea.md", of("Tea", "lang: en")).await;
            world
                .author_saves("tea.es.md", of("Infusiones", "lang: es\npermalink: /es/tea/"))
                .await;
            world.author_saves("only.md", of("Otherwise", "lang: en")).await;
            world.passes(4).await;
            world.jumps_to("2026-03-10T06:00:01Z").await;
            world.is_quiet().await;
            let spanish =
                if strict { "spanish: Infusiones" } else { "spanish: Infusiones + Otherwise" };
            let both = ["english: Tea + Otherwise", spanish];
            assert_eq!(had(&world, &["Tea", "Infusiones", "Otherwise"]), both, "{engine:?}");
        }
    }
}

/// Runs the program beside the daemon of the story.
async fn runs(world: &World, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postrider"))
        .args(line.split_whitespace())
        .current_dir(world.path(""))
        .output()
        .await
        .expect("the program runs")
}

/// The welcome mails that `plan` foretells.
async fn planned(world: &World, more: &str) -> Vec<String> {
    let shown = runs(world, &format!("plan --format json{more}")).await;
    assert!(shown.status.success(), "{shown:?}");
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    let rows = shown.get("rows").unwrap_or(&shown).as_array().expect("rows");
    let mails = rows.iter().filter(|row| row["channel"] == "welcome:weekly");
    let named = |row: &serde_json::Value| {
        format!("{} to {}", row["posts"][0].as_str().expect("a slug"), row["recipients"])
    };
    mails.map(named).collect()
}

#[tokio::test]
async fn newcomers_are_welcomed_one_mail_after_the_other() {
    for engine in Engine::all() {
        let welcome = "welcome = [{ post = \"start\" }, { after = \"2d\", post = \"best\" }, \
            { after = \"1d\", template = \"hello\" }]\n\
            audience = 'email != \"eve@example.org\"'";
        let world = Setting::new(engine)
            .config(welcome)
            .post("start.md", post("Start here", "2020-01-01"))
            .post("best.md", post("The best of it", "2020-01-01"))
            .start()
            .await;
        let page =
            world.posts("/subscribe/weekly", "address=ann%40example.org&cadence=weekly").await;
        assert_eq!(page.status, 303, "{}", page.text());
        // Whoever is not of the audience gets none, and holds up nobody.
        world.posts("/subscribe/weekly", "address=eve%40example.org&cadence=weekly").await;
        world.confirms("eve@example.org").await;
        world.passes(2).await;
        world.confirms("ann@example.org").await;
        let titles =
            ["Start here", "The best of it", "From now on Field Notes weekly comes to you"];
        let welcomed = |world: &World| {
            let mut mails = had(world, &titles);
            mails.retain(|mail| !mail.ends_with(": "));
            mails
        };
        // The clock stands still: no minute has to pass before she is welcome.
        let is_welcome = async || (!welcomed(&world).is_empty()).then_some(());
        world.eventually("a welcome", is_welcome).await;
        assert_eq!(welcomed(&world), ["ann: Start here"], "{engine:?}");
        // Eve gets none as long as she is not of the audience.
        assert_eq!(planned(&world, "").await, ["best to 1"], "{engine:?}");
        assert_eq!(planned(&world, " --for ann@example.org").await, ["best to 1"], "{engine:?}");
        world.jumps_to("2026-03-11T12:30:00Z").await;
        world.is_quiet().await;
        assert_eq!(welcomed(&world), ["ann: Start here", "ann: The best of it"], "{engine:?}");
        assert_eq!(planned(&world, " --for ann@example.org").await, ["hello to 1"], "{engine:?}");
        world.jumps_to("2026-03-12T12:31:00Z").await;
        world.is_quiet().await;
        let mails = welcomed(&world);
        assert_eq!(mails.len(), 3, "{engine:?}: {mails:?}");
        assert!(mails.contains(&format!("ann: {}", titles[2])), "{engine:?}: {mails:?}");
        assert_eq!(
            planned(&world, " --for ann@example.org").await,
            Vec::<String>::new(),
            "{engine:?}"
        );
        let hello = world.outbox_texts().into_iter().find(|(_, text)| text.contains(titles[2]));
        let (_, hello) = hello.unwrap();
        for link in ["/unsubscribe/", "/preferences/"] {
            let token = hello.split(link).nth(1).and_then(|rest| rest.split_whitespace().next());
            let page = world.gets(&format!("{link}{}", token.unwrap())).await;
            assert_eq!(page.status, 200, "{engine:?}: {hello}");
        }
    }
}

#[tokio::test]
async fn an_edition_goes_to_those_who_are_meant_first_and_to_the_others_when_it_is_due() {
    for engine in Engine::all() {
        let world = Setting::new(engine).start().await;
        for name in ["ann", "bo", "cy"] {
            world.chooses(&format!("{name}@example.org"), daily()).await;
        }
        world.author_saves("tea.md", of("A tea", "tags: [tea]")).await;
        world.passes(4).await;
        world.is_quiet().await;
        let send =
            async |more: &str| runs(&world, &format!("send edition weekly --yes {more}")).await;
        let refused = send("--cadence instant --where name==\"x\"").await;
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("for digests only"), "{said}");
        let nobody = send("--cadence daily --where email==\"eve@example.org\"").await;
        let said = String::from_utf8_lossy(&nobody.stderr);
        assert!(said.contains("Nobody of those who are meant"), "{engine:?}: {said}");
        for _ in 0..2 {
            let ended = send("--cadence daily --where email!=\"bo@example.org\"").await;
            assert!(
                ended.status.success(),
                "{engine:?}: {}",
                String::from_utf8_lossy(&ended.stderr)
            );
        }
        // The program goes by the clock on the wall, which is months ahead of this story.
        assert_eq!(world.deliveries().await.len(), 2, "{engine:?}");
        world.jumps_to("2026-03-10T06:00:01Z").await;
        let has_his = async || (had(&world, &["A tea"]) == ["bo: A tea"]).then_some(());
        world.eventually("the digest of the one who was not meant", has_his).await;
        let wall = SystemClock.now() + SignedDuration::from_secs(5);
        world.jumps_to(&wall.to_string()).await;
        world.is_quiet().await;
        let all = ["ann: A tea", "bo: A tea", "cy: A tea"];
        assert_eq!(had(&world, &["A tea"]), all, "{engine:?}: each once");
    }
}
