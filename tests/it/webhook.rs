//! Calls to webhooks, and what the answers mean.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use postrider::clock::ManualClock;
use postrider::config::{Destination, DestinationKind, Endpoint, Secret, SecretBytes, Webhook};
use postrider::courier::{CallParcel, Courier as _, Intent, LeaseLost, Parcel};
use postrider::crosspost::{WebhookCourier, WebhookSetupError};
use postrider::domain::{DeliveryId, Outcome, RetryPolicy};
use postrider::tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::harness::http::{Answer, HttpServer};
use crate::harness::tls::Certificate;

/// The instant, key, secret and signature of the vector that Standard Webhooks publishes.
const NOW: Timestamp = Timestamp::constant(1_649_367_553, 0);
const KEY: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;
const SECRET: &str = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

fn webhook(url: &str, allow: &[&str]) -> Webhook {
    Webhook {
        endpoint: Endpoint::Http {
            url: Url::parse(url).unwrap(),
            allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
        },
        secrets: vec![Arc::new(SecretBytes::new(STANDARD.decode(SECRET).unwrap()))],
        headers: BTreeMap::new(),
        template: None,
        timeout: SignedDuration::from_secs(30),
    }
}

fn destination(webhook: Webhook) -> Destination {
    let retry = RetryPolicy {
        first_delay: SignedDuration::from_secs(60),
        max_delay: SignedDuration::from_hours(1),
        max_attempts: 5,
        give_up_after: SignedDuration::from_hours(24),
        resend_uncertain: true,
    };
    Destination {
        name: "chat".to_owned(),
        kind: DestinationKind::Webhook(webhook),
        retracts: false,
        updates: false,
        retry,
    }
}

fn courier_of(webhook: Webhook) -> WebhookCourier {
    let ours = Url::parse("https://news.example.org/").unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    WebhookCourier::new(&destination(webhook), &ours, clock).unwrap()
}

/// To a server of the harness, which is on this machine and therefore has to be allowed.
fn local(address: SocketAddr) -> Webhook {
    webhook(&format!("http://{address}/in"), &["127.0.0.0/8"])
}

fn hasty(webhook: Webhook) -> Webhook {
    Webhook { timeout: SignedDuration::from_secs(1), ..webhook }
}

async fn call(webhook: Webhook) -> Outcome {
    let parcel = Parcel::Call(CallParcel {
        delivery: DeliveryId(1),
        key: KEY.to_owned(),
        body: BODY.to_owned(),
    });
    courier_of(webhook).deliver(&parcel, Intent::new(async { Ok(()) })).await
}

fn text(outcome: &Outcome) -> &str {
    &outcome.reply().unwrap().text
}

#[tokio::test]
async fn a_call_is_signed_as_standard_webhooks_wants_it() {
    let server = HttpServer::plain().await;
    server.will(Answer::status(202).body("thank you"));
    let old = Arc::new(SecretBytes::new(b"the secret before".to_vec()));
    let mut to = local(server.address);
    to.secrets.push(old);
    to.headers.insert("X-Token".to_owned(), Secret::new("sesame"));
    let outcome = call(to).await;
    assert_eq!((outcome.word(), text(&outcome)), ("accepted", "thank you"));
    assert_eq!(outcome.reply().unwrap().server, server.address.to_string());

    let request = server.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/in"));
    assert_eq!(request.body, BODY);
    assert_eq!(request.header("webhook-id"), KEY);
    assert_eq!(request.header("idempotency-key"), KEY);
    assert_eq!(request.header("webhook-timestamp"), "1649367553");
    let (current, old) = request.header("webhook-signature").split_once(' ').unwrap();
    assert_eq!(current, SIGNATURE);
    assert!(old.starts_with("v1,"));
    assert_eq!(request.header("content-type"), "application/json");
    let agent = concat!("Postrider/", env!("CARGO_PKG_VERSION"), " (+https://news.example.org/)");
    assert_eq!(request.header("user-agent"), agent);
    assert_eq!(request.header("x-token"), "sesame");
}

#[tokio::test]
async fn a_redirect_is_named_and_never_followed() {
    let inside = HttpServer::plain().await;
    for status in [301, 302, 303, 307, 308] {
        let server = HttpServer::plain().await;
        let to = format!("http://{}/secret", inside.address);
        server.will(Answer::status(status).header("location", &to));
        let outcome = call(local(server.address)).await;
        assert_eq!(outcome.word(), "rejected");
        assert_eq!(text(&outcome), format!("a redirect to `{to}`, which is not followed"));
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn a_busy_server_names_the_time_and_a_gone_one_ends_it() {
    let server = HttpServer::plain().await;
    server.will(Answer::status(503).header("retry-after", "120"));
    let outcome = call(local(server.address)).await;
    let Outcome::Deferred { reply, not_before, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((reply.code, reply.text.as_str()), (Some(503), "Service Unavailable"));
    assert_eq!(not_before, Some(NOW + SignedDuration::from_secs(120)));

    server.will(Answer::status(429).header("retry-after", "Thu, 07 Apr 2022 22:39:13 GMT"));
    let outcome = call(local(server.address)).await;
    let Outcome::Deferred { not_before, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(not_before, Some(NOW + SignedDuration::from_mins(60)));

    server.will(Answer::status(410));
    assert_eq!(call(local(server.address)).await.word(), "rejected");
}

#[tokio::test]
async fn what_a_server_says_is_cut_off_and_its_end_is_not_needed() {
    let server = HttpServer::plain().await;
    server.will(Answer::status(400).body("x".repeat(10_000_000)));
    let outcome = call(local(server.address)).await;
    assert_eq!((outcome.word(), text(&outcome).len()), ("rejected", 2_000));

    server.will(Answer::status(200).body("so far").without_end());
    let outcome = call(hasty(local(server.address))).await;
    assert_eq!((outcome.word(), text(&outcome)), ("accepted", "so far"));
}

#[tokio::test]
async fn secrets_that_a_server_repeats_are_not_kept() {
    let server = HttpServer::plain().await;
    server.will(Answer::status(404).body("no POST /services/T0/B0 for sesame-open"));
    let url = format!("http://{}/services/T0/B0", server.address);
    let mut to = webhook(&url, &["127.0.0.0/8"]);
    to.headers.insert("authorization".to_owned(), Secret::new("sesame-open"));
    assert_eq!(text(&call(to).await), "no POST … for …");
}

#[tokio::test]
async fn silence_after_the_request_is_uncertain_and_silence_before_it_is_not() {
    let server = HttpServer::plain().await;
    server.will(Answer::never());
    let outcome = call(hasty(local(server.address))).await;
    assert_eq!(outcome.word(), "uncertain", "{outcome:?}");
    assert!(!text(&outcome).contains("/in"), "{outcome:?}");

    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = rude.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = rude.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        socket.shutdown().await.unwrap();
        drop(rude);
    });
    let outcome = call(local(address)).await;
    assert_eq!(outcome.word(), "uncertain", "{outcome:?}");

    // Nobody listens there any more.
    let outcome = call(local(address)).await;
    assert_eq!(outcome.word(), "unreachable", "{outcome:?}");
    let outcome = call(webhook("https://nowhere.invalid/", &[])).await;
    assert_eq!(outcome.word(), "unreachable", "{outcome:?}");
}

#[tokio::test]
async fn a_tls_server_is_called_when_its_certificate_is_trusted() {
    let certificate = Certificate::new();
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::tls(&certificate).await;
    let to = webhook(&format!("https://localhost:{}/", server.address.port()), &["127.0.0.0/8"]);
    let outcome = call(to.clone()).await;
    assert_eq!(outcome.word(), "unreachable", "{outcome:?}");

    let tls = tls::client_config(Some(&certificate.save(folder.path()))).unwrap();
    let (ours, clock) = (Url::parse("https://a.test/").unwrap(), Arc::new(ManualClock::at(NOW)));
    let mut courier = WebhookCourier::with_tls(&destination(to), &ours, clock, &tls).unwrap();
    for _ in 0..2 {
        let (key, body) = ("k".to_owned(), "{}".to_owned());
        let parcel = Parcel::Call(CallParcel { delivery: DeliveryId(1), key, body });
        let outcome = courier.deliver(&parcel, Intent::new(async { Ok(()) })).await;
        assert_eq!(outcome.word(), "accepted", "{outcome:?}");
    }
    courier.close().await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn no_call_goes_into_a_private_network_unless_it_is_allowed() {
    let server = HttpServer::plain().await;
    let port = server.address.port();
    let closed = [
        format!("https://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/"),
        format!("https://LOCALHOST:{port}/"),
        format!("http://localhost:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://user:pass@localhost:{port}/"),
    ];
    for url in &closed {
        let outcome = call(webhook(url, &[])).await;
        assert_eq!(outcome.word(), "rejected", "{url}: {outcome:?}");
        let outcome = call(webhook(url, &["10.0.0.0/8"])).await;
        assert_eq!(outcome.word(), "rejected", "{url}: {outcome:?}");
    }
    assert!(server.requests().is_empty());
    for host in ["localhost", "127.1", "[::ffff:127.0.0.1]"] {
        let outcome = call(webhook(&format!("http://{host}:{port}/"), &["127.0.0.0/8"])).await;
        assert_eq!(outcome.word(), "accepted", "{host}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_lost_lease_or_an_impossible_key_sends_nothing() {
    let server = HttpServer::plain().await;
    let mut courier = courier_of(local(server.address));
    let parcel = |key: &str| {
        let (key, body) = (key.to_owned(), "{}".to_owned());
        Parcel::Call(CallParcel { delivery: DeliveryId(1), key, body })
    };
    let lost = Intent::new(async { Err(LeaseLost) });
    assert_eq!(courier.deliver(&parcel("k"), lost).await, Outcome::NotOurs);
    let never = Intent::new(async { panic!("nothing is sent") });
    assert_eq!(courier.deliver(&parcel("a\r\nb"), never).await.word(), "rejected");
    assert!(server.requests().is_empty());
}

#[test]
fn a_header_that_cannot_be_sent_is_named_before_the_first_call() {
    let mut bad = webhook("https://hooks.example.org/", &[]);
    bad.headers.insert("X-Token".to_owned(), Secret::new("a\nb"));
    let ours = Url::parse("https://news.example.org/").unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let error = WebhookCourier::new(&destination(bad), &ours, clock).err().unwrap();
    assert!(matches!(&error, WebhookSetupError::Header { .. }));
    assert_eq!(error.to_string(), "destination `chat`: header `X-Token` cannot be sent");
}
