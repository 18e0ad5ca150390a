//! The real daemon is told to read its configuration again, by systemd's rules.

use std::path::Path;
use std::time::Duration;

use postrider::clock::{Clock as _, SystemClock};
use postrider::domain::{Cadence, Choice, SubscriptionState};
use postrider::store::AddSubscriber;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixDatagram};

use crate::harness::daemon::{Daemon, project};
use crate::harness::engine::{Database, Engine};
use crate::harness::smtp::{At, Fault, SmtpServer};
use crate::harness::world::post;

const PATIENCE: Duration = Duration::from_secs(30);

fn configuration(
    title: &str,
    more: &str,
    (database, sink): (&Database, &SmtpServer),
    port: u16,
) -> String {
    format!(
        r#"[site]
title = "{title}"
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
from = "Reload <news@example.org>"
address = "1 Reload Lane"
[mail.servers.main]
url = "smtp://{address}"
tls = "none"
{more}
[newsletters.weekly]
title = "Weekly"
cadences = {{ instant = true }}
default_cadence = "instant"
"#,
        store = database.text,
        address = sink.address,
    )
}

async fn subscriber(database: &Database) {
    let now = SystemClock.now();
    let store = database.open(now).await;
    let wish = AddSubscriber {
        address: &"ann@example.org".parse().expect("an address"),
        newsletter: "weekly",
        choice: &Choice::of(Cadence::Instant),
        state: SubscriptionState::Active,
        source: "test",
    };
    let mut tx = store.write().await.expect("the database answers");
    tx.add_subscriber(&wish, store.keyring(), now).await.expect("the database answers");
    tx.commit().await.expect("the database answers");
    store.close().await;
}

async fn feed(port: u16) -> String {
    let asking = async {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = b"GET /feed.xml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        socket.write_all(request).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    asking.await.unwrap_or_default()
}

async fn feed_has(port: u16, text: &str) {
    let waiting = async {
        while !feed(port).await.contains(text) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("`{text}` never came into the feed"));
}

/// The next news for systemd.
async fn news(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 512];
    let length = tokio::time::timeout(PATIENCE, socket.recv(&mut bytes)).await;
    let length = length.expect("systemd is told").expect("the socket works");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

async fn reloads(daemon: &Daemon, socket: &UnixDatagram) {
    daemon.signal("HUP").await;
    let reloading = news(socket).await;
    assert!(reloading.contains("RELOADING=1"), "{reloading}");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(news(socket).await.contains("READY=1"));
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("daemon.log")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_waits_for_no_mail_and_a_bad_one_changes_nothing() {
    let sink = SmtpServer::plain().await;
    sink.fail(At::Dot, Fault::Hang);
    let database = Engine::Sqlite.database().await;
    subscriber(&database).await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = free.local_addr().expect("a bound socket has an address").port();
    drop(free);
    let both = (&database, &sink);
    let folder = project(&configuration("Before", "", both, port));
    let file = folder.path().join("config/postrider.toml");
    let save = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    save("posts/first.md", post("First", "2026-03-09"));
    let systemd = UnixDatagram::bind(folder.path().join("notify")).expect("a socket can be made");
    let daemon = Daemon::start_under_systemd(folder.path(), &folder.path().join("notify"));
    assert!(news(&systemd).await.contains("READY=1"));
    feed_has(port, "First").await;
    sink.heard("DATA", 1).await;

    save("posts/second.md", post("Second", "2026-03-09"));
    std::fs::write(&file, configuration("After", "", both, port)).expect("a file can be written");
    reloads(&daemon, &systemd).await;
    feed_has(port, "<title>After</title>").await;
    feed_has(port, "Second").await;

    save("no-certificate.pem", "nothing to trust".to_owned());
    let bad = configuration("Never", "ca_file = \"no-certificate.pem\"", both, port);
    std::fs::write(&file, bad).expect("a file can be written");
    reloads(&daemon, &systemd).await;
    assert!(feed(port).await.contains("<title>After</title>"), "{}", log(folder.path()));
    assert!(log(folder.path()).contains("the old one stays in force"), "{}", log(folder.path()));
    daemon.kill().await;
}
