//! Mail that the real daemon sent, as its receivers see it: envelope, signatures, and the way out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use postrider::domain::DeliveryId;
use postrider::mail::ReturnPath;
use postrider::store::{DeliveryFilter, DeliveryRow};
use url::Url;

use super::*;
use crate::harness::daemon::{
    Daemon, add_subscribers, configuration, project, smtp, submit, until,
};
use crate::harness::engine::{Database, Engine};
use crate::harness::smtp::{Letter, SmtpServer};

const READERS: usize = 3;
const BOUNCES: &str = "bounces@b.example.org";

/// A project that signs its mail and asks for bounces, and whose links lead to its own daemon.
fn signing_project(database: &Database, sink: &SmtpServer) -> TempDir {
    let plain = configuration(&database.text, &smtp(sink.address, 2));
    let listen = plain.split("listen = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let own = plain
        .replace("http://127.0.0.1:8080", &format!("http://{listen}"))
        .replace("[mail]\n", &format!("[mail]\nbounce_address = \"{BOUNCES}\"\n"));
    let folder = project(&format!("{own}{KEYS}"));
    put_keys(folder.path());
    folder
}

async fn publish(folder: &Path, title: &str, sink: &SmtpServer, letters: usize) {
    let text = format!("---\ntitle: {title}\ndate: 2026-03-01\n---\n\nHello.\n");
    write(folder, &format!("posts/{title}.md"), &text);
    until("the edition", async || sink.letters().len() >= letters).await;
}

async fn deliveries(store: &Store) -> BTreeMap<DeliveryId, DeliveryRow> {
    let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
    let rows = store.read().await.unwrap().deliveries(filter).await.unwrap();
    rows.into_iter().map(|row| (row.id, row)).collect()
}

/// The mails as a verifier gets them, with `from` replaced by `to` in each header.
fn changed(
    config: &std::sync::Arc<Config>,
    letters: &[Letter],
    (from, to): (&str, &str),
) -> Golden {
    let change = |letter: &Letter| {
        let text = String::from_utf8(letter.message.clone()).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.contains(from), "{header}");
        let header = header.replacen(from, to, 1);
        (letter.to.clone(), format!("{header}\r\n\r\n{body}").into_bytes())
    };
    let mails = letters.iter().map(change).collect();
    Golden { folder: tempfile::tempdir().unwrap(), config: std::sync::Arc::clone(config), mails }
}

/// The address in `MAIL FROM:<…>`.
fn envelope_sender(letter: &Letter) -> EmailAddress {
    letter.from.split(['<', '>']).nth(1).unwrap().parse().unwrap()
}

/// Does what a mail program does when its user wants no more of this (RFC 8058): nothing but what the header says.
async fn clicks_once(letter: &Letter) {
    let mail = mail_parser::MessageParser::default().parse(&letter.message).unwrap();
    let link = mail.header_raw("List-Unsubscribe").unwrap();
    let url = Url::parse(link.trim().trim_matches(['<', '>'])).unwrap();
    let form = mail.header_raw("List-Unsubscribe-Post").unwrap().trim();
    let host: SocketAddr = url.socket_addrs(|| None).unwrap()[0];
    let (status, answer) = submit(host, url.path(), form).await.expect("the daemon answers");
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_is_signed_names_its_deliveries_and_lets_a_reader_go_with_one_click() {
    let sink = SmtpServer::plain().await;
    let database = Engine::Sqlite.database().await;
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, READERS).await;
    let folder = signing_project(&database, &sink);
    let _daemon = Daemon::start(folder.path());
    Daemon::address(folder.path(), 1).await;
    publish(folder.path(), "first", &sink, READERS).await;
    let letters = sink.letters();

    let config = configured(folder.path());
    let algorithms = ["rsa-sha256", "ed25519-sha256"];
    let (files, said) = changed(&config, &letters, ("", "")).verified();
    assert_all_pass(&said, &files, &algorithms);
    for change in [
        ("/unsubscribe/", "/unsubscribe/x"),
        ("=One-Click", "=Two-Click"),
        ("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click", ""),
    ] {
        let (files, said) = changed(&config, &letters, change).verified();
        assert_eq!(said.lines().count(), files.len() * algorithms.len(), "{said}");
        assert!(!said.contains(" pass"), "{change:?} is covered by every signature: {said}");
    }

    let owed = deliveries(&store).await;
    let sender = "news@example.org".parse().unwrap();
    let return_path = ReturnPath::new(Some(&BOUNCES.parse().unwrap()), &sender);
    let mut named = BTreeSet::new();
    for letter in &letters {
        let delivery = return_path.delivery(store.keyring(), &envelope_sender(letter));
        let delivery = delivery.unwrap_or_else(|| panic!("{} names no delivery", letter.from));
        assert_eq!(owed[&delivery].recipient, letter.to);
        named.insert(delivery);
    }
    assert_eq!(named, owed.keys().copied().collect(), "to each its own");

    let leaver = letters.iter().find(|letter| letter.to == "reader1@example.org").unwrap();
    clicks_once(leaver).await;
    publish(folder.path(), "second", &sink, 2 * READERS - 1).await;
    let mut second = deliveries(&store).await;
    second.retain(|id, _| !owed.contains_key(id));
    let recipients: BTreeSet<_> = second.values().map(|row| row.recipient.as_str()).collect();
    assert_eq!(recipients, BTreeSet::from(["reader0@example.org", "reader2@example.org"]));
    assert!(sink.letters()[READERS..].iter().all(|letter| letter.to != leaver.to));
}
