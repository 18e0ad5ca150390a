//! The real daemon: the binary, in a project folder, as a process that can be killed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use postrider::domain::{Cadence, Choice, DeliveryState, SubscriptionState};
use postrider::store::{AddSubscriber, DeliveryFilter, Store};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A project folder with a configuration and nothing else.
pub(crate) fn project(configuration: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["config", "posts"] {
        std::fs::create_dir_all(folder.path().join(name)).expect("a folder can be made");
    }
    std::fs::write(folder.path().join("config/postrider.toml"), configuration)
        .expect("a file can be written");
    folder
}

/// A port for one configuration: below those that outgoing connections take, and another in each test's process. A daemon
/// that is started again must have the same, because by that it knows what its predecessor left.
fn own_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(16);
    let mut ports =
        std::iter::from_fn(|| Some(TAKEN.fetch_add(1, Ordering::Relaxed))).map(|taken| {
            10_000 + u16::try_from(begin.wrapping_add(taken) % 10_000).expect("it is small")
        });
    ports
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one is free")
}

/// A configuration for `store`, with `mail` as the table of its mail server. Every post since March 2026 is news at once.
pub(crate) fn configuration(store: &str, mail: &str) -> String {
    let port = own_port();
    format!(
        r#"[site]
title = "Field Notes"
url = "https://example.org"
language = "en"
timezone = "UTC"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:8080"
[store]
url = "{store}"
[[posts]]
path = "posts"
permalink = "/posts/{{slug}}/"
settle = "0s"
baseline = 2026-01-01
[mail]
from = "Field Notes <news@example.org>"
address = "1 Field Lane"
[mail.servers.main]
{mail}
[newsletters.weekly]
title = "Weekly"
cadences = {{ instant = true }}
default_cadence = "instant"
"#
    )
}

/// The table of a mail server at `address`.
pub(crate) fn smtp(address: SocketAddr, connections: usize) -> String {
    format!("url = \"smtp://{address}\"\ntls = \"none\"\nconnections = {connections}")
}

/// Readers `reader0@example.org` and so on, who take everything at once.
pub(crate) async fn add_subscribers(store: &Store, count: usize) {
    let mut tx = store.write().await.expect("the database answers");
    for number in 0..count {
        let address = format!("reader{number}@example.org").parse().expect("an address");
        let wish = AddSubscriber {
            address: &address,
            newsletter: "weekly",
            choice: &Choice::of(Cadence::Instant),
            state: SubscriptionState::Active,
            source: "test",
        };
        let now = Timestamp::UNIX_EPOCH;
        tx.add_subscriber(&wish, store.keyring(), now).await.expect("the database answers");
    }
    tx.commit().await.expect("the database answers");
}

/// How many deliveries are in each state.
pub(crate) async fn states(store: &Store) -> HashMap<DeliveryState, usize> {
    let filter = DeliveryFilter { limit: 10_000, ..DeliveryFilter::default() };
    let mut tx = store.read().await.expect("the database answers");
    let mut counts = HashMap::new();
    for row in tx.deliveries(filter).await.expect("the database answers") {
        *counts.entry(row.state).or_default() += 1;
    }
    counts
}

/// Waits for something that must happen.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what} did not happen"));
}

/// What the daemons in `folder` have logged so far, one after the other.
pub(crate) fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("daemon.log")).unwrap_or_default()
}

/// Waits until the log has `text` so many times, and returns it.
pub(crate) async fn logged(folder: &Path, text: &str, times: usize) -> String {
    let waiting = async {
        while log(folder).matches(text).count() < times {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    waited.unwrap_or_else(|_| panic!("`{text}` is not in the log: {}", log(folder)));
    log(folder)
}

/// The status and the whole answer to a GET of `path`; nothing when nobody answers.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    ask(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")).await
}

/// The same for a POST of a form.
pub(crate) async fn submit(address: SocketAddr, path: &str, form: &str) -> Option<(u16, String)> {
    let length = form.len();
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
    );
    ask(address, &request).await
}

async fn ask(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts the daemon in `folder`. What it says goes to `daemon.log` there.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::started_by(folder, Command::new(env!("CARGO_BIN_EXE_postrider")))
    }

    /// The same, as one of several nodes: each has a port of its own.
    pub(crate) fn start_at(folder: &Path, address: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        command.env("POSTRIDER__SERVER__LISTEN", address.to_string());
        Self::started_by(folder, command)
    }

    /// The same, in the shell in which `setup` was run.
    pub(crate) fn start_after(folder: &Path, setup: &str) -> Self {
        let mut shell = Command::new("sh");
        let line = format!("{setup}; exec \"$0\"");
        shell.args(["-c", &line, env!("CARGO_BIN_EXE_postrider")]);
        Self::started_by(folder, shell)
    }

    /// The same, where the operating system has no file events left.
    pub(crate) fn start_without_watches(folder: &Path) -> Self {
        let mut command = Command::new("unshare");
        let line = "echo 0 >/proc/sys/user/max_inotify_instances && exec \"$0\"";
        command.args(["-Ur", "sh", "-c", line, env!("CARGO_BIN_EXE_postrider")]);
        Self::started_by(folder, command)
    }

    /// Whether this system lets us make one of its kind.
    pub(crate) async fn can_start_without_watches() -> bool {
        let line = "echo 0 >/proc/sys/user/max_inotify_instances";
        let tried = Command::new("unshare").args(["-Ur", "sh", "-c", line]).status().await;
        tried.is_ok_and(|status| status.success())
    }

    /// The same, and it tells its news to the socket at `notify`.
    pub(crate) fn start_under_systemd(folder: &Path, notify: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        command.env("NOTIFY_SOCKET", notify);
        Self::started_by(folder, command)
    }

    fn started_by(folder: &Path, mut command: Command) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("daemon.log"))
            .expect("a log can be written");
        let child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        Self(child)
    }

    /// SIGKILL: no chance to finish anything.
    pub(crate) async fn kill(mut self) {
        self.0.kill().await.expect("a running process can be killed");
    }

    /// SIGSTOP, and waits until no thread of it does anything any more.
    pub(crate) async fn pause(&self) {
        self.signal("STOP").await;
        let tasks = format!("/proc/{}/task", self.id());
        until("a standstill", async || {
            let mut tasks = std::fs::read_dir(&tasks).expect("it runs").flatten();
            tasks.all(|task| {
                let state = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                state.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
            })
        })
        .await;
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id().expect("it runs")
    }

    /// Sends `TERM`, `HUP` …
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.0.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill runs");
        assert!(sent.success());
    }

    /// SIGTERM, and the exit code that follows.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        self.signal("TERM").await;
        self.wait().await
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("a child can be asked").is_none()
    }

    /// Where the daemon that was started last in `folder` listens.
    pub(crate) async fn address(folder: &Path, starts: usize) -> SocketAddr {
        let log = logged(folder, "\"listening\"", starts).await;
        let line = log.lines().rfind(|line| line.contains("\"listening\"")).expect("it is there");
        let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        line["address"].as_str().expect("an address").parse().expect("an address")
    }

    /// The exit code of a daemon that ends by itself.
    pub(crate) async fn wait(&mut self) -> Option<i32> {
        self.0.wait().await.expect("a child can be waited for").code()
    }
}
