//! A backup is restored, a database copied: nothing goes out twice because of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use postrider::clock::Clock as _;
use postrider::domain::Cadence;
use postrider::ingest::{Ingest, open_cache};
use postrider::planner::Planner;
use postrider::store::Fenced;
use sqlx::Connection as _;

use crate::harness::daemon::{Daemon, add_subscribers, configuration, log, logged, project, until};
use crate::harness::engine::{Database, Engine};
use crate::harness::world::{Setting, World, post};

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const CHAT: &str = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"";

async fn fenced(world: &World) -> Option<Fenced> {
    world.store.read().await.unwrap().fenced().await.unwrap()
}

/// The program of this name that belongs to the newest server at hand.
fn postgres_program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

fn backup(database: &Database, to: &Path) {
    if let Some(file) = database.file() {
        fs::copy(file, to).unwrap();
        return;
    }
    let dump = Command::new(postgres_program("pg_dump"))
        .args(["--clean", "--if-exists", "--no-owner", "-f"])
        .arg(to)
        .arg(&database.text)
        .status()
        .unwrap();
    assert!(dump.success());
}

/// As people do it: over the file that is there, which keeps its inode; into the database that is there.
fn restore(database: &Database, from: &Path) {
    match database.file() {
        Some(file) => {
            fs::copy(from, file).unwrap();
        }
        None => read_in(&database.text, from),
    }
}

fn read_in(url: &str, dump: &Path) {
    let read = Command::new(postgres_program("psql"))
        .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(dump)
        .arg(url)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(read.success());
}

/// What `postrider fence release --skip` does.
async fn skip(world: &World) {
    let config = world.state.config.load_full();
    let now = world.clock.now();
    let (store, cache) = (world.store.clone(), open_cache(&config, &world.store).unwrap());
    let mut ingest = Ingest::open(Arc::clone(&config), store.clone(), cache.clone()).await.unwrap();
    ingest.rescan(now).await.unwrap();
    let templates = (**world.state.templates.load()).clone();
    let planner = Planner::open(config, templates, (store, cache), now).await.unwrap();
    let later = now + SignedDuration::from_micros(1);
    planner.begin_anew(&ingest.catalog(), later).await.unwrap();
}

async fn resume(world: &World) {
    let mut tx = world.store.write().await.unwrap();
    assert!(tx.lift_fence("resume", world.clock.now()).await.unwrap());
    tx.commit().await.unwrap();
}

/// A backup is taken, mail goes out, and the backup is restored.
async fn restored(engine: Engine) -> World {
    let mut world = Setting::new(engine).config(CHAT).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.subscriber("bob@example.org", Cadence::Daily).await;
    let saved = world.path("backup");
    world.restarts_after(async |database| backup(database, &saved)).await;
    world.author_saves("today.md", post("Today", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.outbox_mail().len(), 1, "{engine:?}");
    assert_eq!(world.outbox_calls().len(), 1);
    world.restarts_after(async |database| restore(database, &saved)).await;
    world.passes(5).await;
    world.jumps_to("2026-03-10T06:00:05Z").await;
    world.passes(2).await;
    world
}

#[tokio::test]
async fn after_a_restore_feeds_are_served_and_nothing_goes_out() {
    for engine in Engine::all() {
        let world = restored(engine).await;
        let why = fenced(&world).await.expect("it is noticed").why;
        assert!(why.contains("restored"), "{engine:?}: {why}");
        assert!(world.deliveries().await.is_empty(), "nothing is planned either");
        assert_eq!(world.feed_titles().await, ["Today"]);
        assert_eq!(world.gets("/readyz").await.status, 200, "a person is needed, not a restart");
        let status = world.gets("/status").await.text();
        assert!(status.contains("nothing goes out: the "), "{status}");
        assert!(world.gets("/metrics").await.text().contains("postrider_fenced 1"));
        let form = "email=cleo%40example.org&cadence=instant";
        world.posts("/subscribe/weekly", form).await;
        world.passes(2).await;
        assert_eq!(world.outbox_mail().len(), 1, "a confirmation waits as well");
    }
}

#[tokio::test]
async fn with_skip_only_what_is_new_from_then_on_goes_out() {
    for engine in Engine::all() {
        let world = restored(engine).await;
        skip(&world).await;
        world
            .eventually("a look at the posts", async || {
                world.passes(1).await;
                fenced(&world).await.is_none().then_some(())
            })
            .await;
        world.passes(4).await;
        world.is_quiet().await;
        assert_eq!(world.outbox_mail().len(), 1, "{engine:?}: nothing old");
        world.author_saves("new.md", post("New", "2026-03-10")).await;
        world.passes(4).await;
        world.is_quiet().await;
        world.jumps_to("2026-03-11T06:00:05Z").await;
        world.is_quiet().await;
        let subjects: Vec<String> = world
            .outbox_mail()
            .into_iter()
            .map(|(to, subject)| format!("{to}: {subject}"))
            .collect();
        assert_eq!(
            subjects,
            ["ann@example.org: New", "ann@example.org: Today", "bob@example.org: New"],
            "{engine:?}"
        );
        assert_eq!(world.outbox_calls().len(), 2);
    }
}

#[tokio::test]
async fn with_skip_what_was_corrected_updated_and_retracted_before_is_not_told_again() {
    let chat = format!("{CHAT}\non_update = \"update\"\non_delete = \"retract\"");
    let corrected = |text: &str| {
        format!("---\ntitle: Hello\ndate: 2026-03-09\nnotify: correction\n---\n\n{text}\n")
    };
    let fair = post("Fair", "2026-03-09")
        .replace("---\ntitle", "---\nexpires: 2026-03-09T14:00:00+01:00\ntitle");
    for engine in Engine::all() {
        let mut world = Setting::new(engine).config(&chat).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.author_saves("gone.md", post("Gone", "2026-03-09")).await;
        world.author_saves("fair.md", &fair).await;
        world.passes(4).await;
        world.is_quiet().await;
        let saved = world.path("backup");
        world.restarts_after(async |database| backup(database, &saved)).await;

        world.author_saves("hello.md", corrected("Better.")).await;
        world.author_deletes("gone.md").await;
        world.jumps_to("2026-03-09T13:00:01Z").await;
        world.passes(4).await;
        world.is_quiet().await;
        let told = (world.outbox_mail().len(), world.outbox_calls().len());
        assert_eq!(told, (4, 6), "{engine:?}: three published, one corrected, all changed");

        world.restarts_after(async |database| restore(database, &saved)).await;
        world.passes(2).await;
        assert!(fenced(&world).await.is_some(), "{engine:?}");
        skip(&world).await;
        world.passes(5).await;
        world.is_quiet().await;
        assert_eq!((world.outbox_mail().len(), world.outbox_calls().len()), told, "{engine:?}");

        world.author_saves("hello.md", corrected("Best.")).await;
        world.passes(5).await;
        world.is_quiet().await;
        let told = (world.outbox_mail().len(), world.outbox_calls().len());
        assert_eq!(told, (5, 7), "{engine:?}: an edit from then on is told");
    }
}

#[tokio::test]
async fn a_fence_that_a_person_puts_up_stops_what_is_under_way() {
    for engine in Engine::all() {
        let world = Setting::new(engine).config(CHAT).start().await;
        let by_hand = "it was put up by hand";
        assert!(world.store.raise_fence(by_hand, world.clock.now()).await.unwrap());
        assert!(!world.store.raise_fence("again", world.clock.now()).await.unwrap());
        assert_eq!(fenced(&world).await.unwrap().why, by_hand, "{engine:?}");
        world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
        world.passes(4).await;
        assert!(world.deliveries().await.is_empty(), "{engine:?}");
        resume(&world).await;
        world.passes(4).await;
        world.is_quiet().await;
        let rows = world.deliveries().await;
        assert!(rows[0].id.0 > 1_000_000, "{engine:?}: numbers that nobody had");
    }
}

#[tokio::test]
async fn with_resume_everything_that_waits_goes_out() {
    for engine in Engine::all() {
        let world = restored(engine).await;
        resume(&world).await;
        world
            .eventually("the daily digest", async || {
                world.passes(1).await;
                (world.outbox_mail().len() == 3).then_some(())
            })
            .await;
        world.is_quiet().await;
        assert_eq!(world.outbox_calls().len(), 2, "{engine:?}: again, as the person wanted");
    }
}

#[tokio::test]
async fn a_database_that_is_only_started_again_is_not_doubted() {
    for engine in Engine::all() {
        let database = engine.database().await;
        for _ in 0..3 {
            let store = database.open(NOW).await;
            add_subscribers(&store, 1).await;
            let mut watchman = store.recognise(NOW).await.unwrap();
            watchman.look(NOW).await.unwrap();
            // Another node, or a reload.
            let beside = store.recognise(NOW).await.unwrap();
            watchman.look(NOW).await.unwrap();
            assert_eq!((watchman.fenced(), beside.fenced()), (None, None), "{engine:?}");
            store.close().await;
        }
    }
}

/// A database with a past, and the folder it lies in.
async fn with_a_past() -> Database {
    let database = Engine::Sqlite.database().await;
    let store = database.open(NOW).await;
    let address = "ann@example.org".parse().unwrap();
    let letter = postrider::store::NewLetter {
        kind: "test",
        owner: None,
        address: &address,
        newsletter: "weekly",
        content: "{}",
        channel: "mail:weekly",
    };
    let mut tx = store.write().await.unwrap();
    tx.plan_letter(&letter, NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.recognise(NOW).await.unwrap().fenced(), None, "what was there is adopted");
    store.close().await;
    database
}

async fn why(url: &Path) -> Option<String> {
    let url = postrider::config::StoreUrl::Sqlite(url.to_owned());
    let store = postrider::store::Store::open(&url, NOW).await.unwrap();
    let told = store.doubt().await.unwrap().map(|doubt| doubt.why().to_owned());
    let watchman = store.recognise(NOW).await.unwrap();
    let why = watchman.fenced().map(|fenced| fenced.why.clone());
    assert!(told.is_none() || why.is_some(), "what is told before is done");
    store.close().await;
    why
}

#[tokio::test]
async fn a_copied_file_is_noticed_with_its_record_and_without_it() {
    let database = with_a_past().await;
    let file = database.file().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let copied = copy.path().join("postrider.db");
    fs::copy(file, &copied).unwrap();
    assert!(why(&copied).await.unwrap().contains("no record of it"));
    let with_record = tempfile::tempdir().unwrap();
    for name in ["postrider.db", "postrider.db.seen"] {
        fs::copy(file.with_file_name(name), with_record.path().join(name)).unwrap();
    }
    let copied = with_record.path().join("postrider.db");
    assert!(why(&copied).await.unwrap().contains("not the file"));
    assert!(why(&copied).await.is_some(), "starting it again changes nothing");
    assert_eq!(why(file).await, None, "what becomes of a copy is nothing to the original");
}

#[tokio::test]
async fn a_backup_from_before_the_upgrade_is_noticed_and_a_new_beginning_is_not() {
    let database = with_a_past().await;
    let file = database.file().unwrap();
    let mut raw = sqlx::SqliteConnection::connect(&database.text).await.unwrap();
    sqlx::raw_sql("UPDATE instance SET database_id = '', moves = 0, place = ''")
        .execute(&mut raw)
        .await
        .unwrap();
    raw.close().await.unwrap();
    assert!(why(file).await.unwrap().contains("upgrade"));
    fs::remove_file(file).unwrap();
    assert_eq!(why(file).await, None, "nothing can go out twice from an empty one");
}

#[tokio::test]
async fn a_dump_that_is_read_in_elsewhere_is_noticed() {
    if !Engine::all().contains(&Engine::Postgres) {
        return;
    }
    let world = Setting::new(Engine::Postgres).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("today.md", post("Today", "2026-03-09")).await;
    world.passes(4).await;
    world.is_quiet().await;
    let saved = world.path("dump");
    let elsewhere = Engine::Postgres.database().await;
    let original = world.database_name().unwrap();
    let url = elsewhere.text.rsplit_once('/').unwrap().0.to_owned();
    let dump = Command::new(postgres_program("pg_dump"))
        .args(["--no-owner", "-f"])
        .arg(&saved)
        .arg(format!("{url}/{original}"))
        .status()
        .unwrap();
    assert!(dump.success());
    read_in(&elsewhere.text, &saved);
    let store = elsewhere.open(NOW).await;
    let watchman = store.recognise(NOW).await.unwrap();
    assert!(watchman.fenced().unwrap().why.contains("another one on its server"));
    assert_eq!(fenced(&world).await, None, "the original goes on");
}

/// The real daemon with two posts sent, of which a backup knows one. Nothing runs.
async fn restored_project() -> tempfile::TempDir {
    let folder = project(&configuration("sqlite:var/postrider.db", "url = \"outbox:var/outbox\""));
    let root = folder.path();
    let url = postrider::config::StoreUrl::Sqlite(root.join("var/postrider.db"));
    let store = postrider::store::Store::open(&url, NOW).await.unwrap();
    add_subscribers(&store, 1).await;
    store.close().await;
    for (number, name) in ["one", "two"].into_iter().enumerate() {
        let daemon = Daemon::start(root);
        fs::write(root.join(format!("posts/{name}.md")), post(name, "2026-03-09")).unwrap();
        until("mail", async || mails(root) == number + 1).await;
        assert_eq!(daemon.terminate().await, Some(0));
        if number == 0 {
            fs::copy(root.join("var/postrider.db"), root.join("backup.db")).unwrap();
        }
    }
    fs::remove_file(root.join("var/postrider.db")).unwrap();
    fs::copy(root.join("backup.db"), root.join("var/postrider.db")).unwrap();
    folder
}

fn mails(root: &Path) -> usize {
    fs::read_dir(root.join("var/outbox/mail")).map_or(0, |mails| {
        mails.flatten().filter(|mail| mail.path().extension().is_some_and(|it| it == "eml")).count()
    })
}

fn cli(root: &Path, line: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_postrider"))
        .args(line.split_whitespace())
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_running_daemon_is_told_to_skip_and_sends_what_is_new() {
    let folder = restored_project().await;
    let root = folder.path();
    let mut daemon = Daemon::start(root);
    logged(root, "nothing goes out, no mail", 1).await;
    assert!(daemon.is_running());
    for command in ["status", "plan", "fence"] {
        let (code, text) = cli(root, command);
        assert_eq!((code, text.contains("Nothing goes out")), (0, true), "{command}: {text}");
    }
    let (code, text) = cli(root, "send edition weekly");
    assert_eq!((code, text.contains("nothing goes out")), (1, true), "{text}");
    let (code, text) = cli(root, "fence release --skip");
    assert_eq!((code, text.contains("Nothing was changed")), (1, true), "{text}");
    let (code, text) = cli(root, "fence release --skip --yes");
    assert_eq!(code, 0, "{text}");
    logged(root, "the fence is gone", 1).await;
    fs::write(root.join("posts/three.md"), post("three", "2026-03-10")).unwrap();
    until("the new mail", async || mails(root) == 3).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let json: serde_json::Value =
        serde_json::from_str(&cli(root, "fence --format json").1).unwrap();
    assert!(json["fenced"].is_null() && json["due"] == serde_json::json!([]), "{json}");
    assert_eq!(mails(root), 3);
}

#[tokio::test]
async fn a_stopped_daemon_can_be_released_before_it_starts() {
    for (how, sent) in [("--resume", 3), ("--skip", 2)] {
        let folder = restored_project().await;
        let root = folder.path();
        let (code, text) = cli(root, "fence");
        assert_eq!((code, text.contains("restored")), (0, true), "{text}");
        let (code, text) = cli(root, &format!("fence release {how} --yes"));
        assert_eq!(code, 0, "{text}");
        let daemon = Daemon::start(root);
        until("what was to go", async || mails(root) == sent).await;
        fs::write(root.join("posts/three.md"), post("three", "2026-03-10")).unwrap();
        until("the new mail", async || mails(root) == sent + 1).await;
        assert_eq!(daemon.terminate().await, Some(0));
        assert!(!log(root).contains("nothing goes out"), "{}", log(root));
    }
}
