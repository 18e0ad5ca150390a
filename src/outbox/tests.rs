use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::clock::ManualClock;
use crate::config::{Endpoint, Secret, Webhook};
use crate::courier::{LeaseLost, MailParcel};
use crate::domain::RetryPolicy;

fn mail(number: i64, message: &str) -> Parcel {
    Parcel::Mail(MailParcel {
        delivery: DeliveryId(number),
        from: "news@example.org".parse().unwrap(),
        to: "ann@example.org".parse().unwrap(),
        message_id: "0123456789abcdef@example.org".to_owned(),
        message: message.as_bytes().to_vec(),
    })
}

fn call() -> Parcel {
    let body = r#"{"type":"post.published"}"#.to_owned();
    Parcel::Call(CallParcel { delivery: DeliveryId(7), key: "dlv_7".to_owned(), body })
}

fn willing() -> Intent<'static> {
    Intent::new(async { Ok(()) })
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn destination(dir: &Path) -> Destination {
    Destination {
        name: "chat".to_owned(),
        kind: DestinationKind::Webhook(Webhook {
            endpoint: Endpoint::Outbox(dir.to_owned()),
            secrets: vec![Arc::new(SecretBytes::new(b"a key of 24 bytes or more".to_vec()))],
            headers: BTreeMap::from([("X-Token".to_owned(), Secret::new("hush"))]),
            template: None,
            timeout: SignedDuration::from_secs(30),
        }),
        retracts: false,
        updates: false,
        retry: RetryPolicy {
            first_delay: SignedDuration::from_secs(60),
            max_delay: SignedDuration::from_hours(1),
            max_attempts: 5,
            give_up_after: SignedDuration::from_hours(24),
            resend_uncertain: true,
        },
    }
}

#[tokio::test]
async fn a_mail_sent_again_replaces_the_first_and_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut courier = OutboxCourier::for_mail(dir.path());
    courier.deliver(&mail(42, "first"), willing()).await;
    let outcome = courier.deliver(&mail(42, "second"), willing()).await;
    assert_eq!(outcome.reply().unwrap().text, "written to `000042-0123456789ab.eml`");
    assert_eq!(outcome.word(), "accepted");
    courier.deliver(&mail(43, "other"), willing()).await;
    courier.close().await;

    let outbox = Outbox::new(dir.path());
    let mut names: Vec<_> =
        outbox.list_mail().await.unwrap().into_iter().map(|entry| entry.name).collect();
    names.sort();
    assert_eq!(names, ["000042-0123456789ab.eml", "000043-0123456789ab.eml"]);
    assert_eq!(outbox.read_mail(&names[0]).await.unwrap(), b"second");
    assert_eq!(files(&dir.path().join("mail")), names);
}

#[tokio::test]
async fn nothing_is_seen_before_the_intent_is_durable_and_nothing_stays_when_the_lease_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mail");
    let mut courier = OutboxCourier::for_mail(dir.path());
    let outbox = Outbox::new(dir.path());
    let parcel = mail(1, "hello");
    let intent = Intent::new(async {
        assert_eq!(outbox.list_mail().await.unwrap(), []);
        assert!(files(&folder)[0].ends_with(".unfinished"));
        Err(LeaseLost)
    });
    assert_eq!(courier.deliver(&parcel, intent).await, Outcome::NotOurs);
    assert_eq!(files(&folder), [""; 0]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_says_why_and_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let outcome = OutboxCourier::for_mail(&file).deliver(&mail(1, "x"), willing()).await;
    let Outcome::Unreachable(reply) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.text, "Not a directory (os error 20)");
    assert_eq!(reply.server, file.join("mail").display().to_string());
}

#[tokio::test]
async fn a_call_lands_as_it_would_be_sent_with_its_secrets_masked() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::constant(1_800_000_000, 0)));
    let ours = Url::parse("https://news.example.org/").unwrap();
    let mut courier = OutboxCourier::for_calls(dir.path(), &destination(dir.path()), &ours, clock);
    assert_eq!(courier.deliver(&call(), willing()).await.word(), "accepted");
    let outbox = Outbox::new(dir.path());
    let entries = outbox.list_calls().await.unwrap();
    assert_eq!(entries[0].name, "000007-dlv_7.json");
    let text = String::from_utf8(outbox.read_call(&entries[0].name).await.unwrap()).unwrap();
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_parcel_of_the_wrong_kind_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = OutboxCourier::for_mail(dir.path()).deliver(&call(), willing()).await;
    assert_eq!(outcome.word(), "rejected");
    assert_eq!(outcome.reply().unwrap().text, "this outbox takes mail, not calls");
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(dir.path());
    assert_eq!(outbox.list_mail().await.unwrap(), []);
    fs::create_dir_all(dir.path().join("mail")).unwrap();
    fs::write(dir.path().join("secret.eml"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.eml", dir.path().join("mail/000001-link.eml")).unwrap();
    for name in ["../secret.eml", "..", "", ".eml", "a/b.eml", "a.json", "a\0.eml", "a.eml.eml"] {
        let error = outbox.read_mail(name).await.unwrap_err();
        assert!(matches!(error, OutboxError::Name(_)), "{name}");
    }
    for name in ["000001-link.eml", "000002-none.eml"] {
        let error = outbox.read_mail(name).await.unwrap_err();
        assert!(matches!(error, OutboxError::NotFound(_)), "{name}");
    }
}
