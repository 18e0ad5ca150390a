//! A reader's whole way through the pages, in a real browser, by keyboard: `tests/people/walk.mjs` walks, axe looks on.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::harness::browser::Browser;
use crate::harness::daemon::{Daemon, configuration, log, project};

/// What is behind the pages: topics, two languages, two newsletters, digests, a welcome with the reader's own links, and room
/// for more sign-ups than one visitor has.
const MORE: &str = r#"description = "New notes in your inbox."
ask_name = true
languages = ["de"]
topics = { making = { title = "Making things" }, tea = { title = "Tea" } }
welcome = [{ post = "start" }]
[newsletters.weekly.fields.drink]
title = "Tea or coffee?"
type = "choice"
options = ["tea", "coffee"]
[newsletters.letters]
title = "Letters"
cadences = { instant = true }
default_cadence = "instant"
[watch]
rescan = "1s"
[signup]
fastest = "0s"
per_address = "1000/h"
per_visitor = "1000/h"
per_network = "1000/h"
per_domain = "1000/h"
overall = "1000/m"
"#;

const START: &str =
    "---\ntitle: Start here\ndate: 2026-03-01\nemail: skip\n---\n\nWhat this is about.\n";

/// Where the walk's packages are, and what brings them.
const PACKAGES: &str = "node_modules/puppeteer-core";
const HOW: &str = "scripts/test does it, or by hand: install nodejs (18 or newer) and npm, then `npm ci --ignore-scripts` in tests/people";

/// A walk that takes longer hangs. Before nextest would end us, so that we can say where.
const LONGEST: Duration = Duration::from_mins(7);

/// Its links lead to where it listens itself, and there is another site with its forms.
fn settings(other_site: u16, challenge_above: u32) -> String {
    let text = configuration("sqlite:var/postrider.db", "url = \"outbox:var/outbox\"");
    let listen = text.split("listen = \"").nth(1).and_then(|rest| rest.split('"').next());
    let listen = listen.expect("it listens somewhere").to_owned();
    let text = text.replace("http://127.0.0.1:8080", &format!("http://{listen}")).replace(
        "{ instant = true }",
        "{ instant = true, daily = \"0 7 * * *\", weekly = \"0 7 * * MON\" }",
    );
    format!(
        "{text}{MORE}origins = [\"http://localhost:{other_site}\"]\nchallenge_above = {challenge_above}\n"
    )
}

fn people() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/people")
}

/// Walks against a daemon of its own, and tells how far it came where it does not come to the end.
async fn walks(way: &str, mode: &str, challenge_above: u32) {
    let browser = Browser::find();
    let browser = browser.expect("no browser to walk with: install chromium; scripts/test does it");
    assert!(people().join(PACKAGES).is_dir(), "the packages of the walk are missing. {HOW}");
    let other_site = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = other_site.local_addr().expect("it is bound").port();
    let project = project(&settings(port, challenge_above));
    let folder = project.path();
    std::fs::write(folder.join("posts/start.md"), START).expect("a file can be written");
    let _daemon = Daemon::start(folder);
    let address = Daemon::address(folder, 1).await;

    let mut walk = Command::new("node");
    walk.args(["walk.mjs", way, mode])
        .current_dir(people())
        .env("BASE", format!("http://{address}/"))
        .env("OUTBOX", folder.join("var/outbox"))
        .env("FILES", folder.join("var"))
        .env("CHROMIUM", browser.program())
        .stdin(OwnedFd::from(other_site));
    let said = folder.join("walk.log");
    let ended = to_the_end(walk, &said).await;
    let said = std::fs::read_to_string(said).unwrap_or_default();
    let how = match ended {
        Some(status) if status.success() => return,
        Some(_) => "did not go well",
        None => "does not end",
    };
    panic!("the walk {how}:\n{said}\nThe daemon said:\n{}", log(folder));
}

/// What it says is in the file even when it is ended. None: it had to be.
async fn to_the_end(mut walk: Command, said: &Path) -> Option<ExitStatus> {
    let file = File::create(said).expect("a file can be written");
    walk.stdout(file.try_clone().expect("a file can be shared")).stderr(Stdio::from(file));
    let mut walk = walk.kill_on_drop(true).spawn().unwrap_or_else(|error| {
        panic!("`node` cannot be run: {error}. {HOW}");
    });
    let ended = tokio::time::timeout(LONGEST, walk.wait()).await;
    ended.ok().map(|ended| ended.expect("a child can be waited for"))
}

/// So many sign-ups a minute that there is never a crowd.
const QUIET: u32 = 1_000;

#[tokio::test]
async fn a_reader_at_a_desk_gets_everywhere_by_keyboard() {
    walks("reader", "desk", QUIET).await;
}

#[tokio::test]
async fn a_reader_with_a_phone_without_scripts_gets_everywhere_by_keyboard() {
    walks("reader", "phone-without-scripts", QUIET).await;
}

#[tokio::test]
async fn a_reader_with_a_phone_by_day_gets_everywhere_by_keyboard() {
    walks("reader", "phone-by-day", QUIET).await;
}

#[tokio::test]
async fn a_reader_at_a_desk_by_night_without_scripts_gets_everywhere_by_keyboard() {
    walks("reader", "desk-by-night", QUIET).await;
}

#[tokio::test]
async fn in_a_crowd_the_browser_does_the_work_here_and_on_other_sites() {
    walks("crowd", "desk", 0).await;
}

#[tokio::test]
async fn in_a_crowd_whoever_has_no_scripts_is_told_to_wait() {
    walks("crowd", "phone-without-scripts", 0).await;
}
