//! Mail over SMTP, to servers that behave and servers that don't.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postrider::config::{Credentials, MailServer, Secret, SmtpTransport, Tls, Transport};
use postrider::courier::{CallParcel, Courier as _, Intent, LeaseLost, MailParcel, Parcel};
use postrider::domain::{DeliveryId, Outcome, Reason};
use postrider::smtp::{Deadlines, SmtpCourier};

use crate::harness::smtp::Fault::{Close, Hang, Say, SayAndClose};
use crate::harness::smtp::{At, SmtpServer, Wrapping};

mod faults;
mod gears;
mod script;

const HASTY: Duration = Duration::from_millis(500);

fn transport(server: &SmtpServer, tls: Tls) -> SmtpTransport {
    let host = "127.0.0.1".to_owned();
    SmtpTransport { host, port: server.address.port(), tls, credentials: None, ca_file: None }
}

fn courier_of(transport: &SmtpTransport, messages: usize, deadlines: Deadlines) -> SmtpCourier {
    geared_courier(transport, messages, deadlines, Gear::OneAhead)
}

/// How mails follow each other over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gear {
    /// No PIPELINING.
    InStep,
    OneAhead,
    /// CHUNKING, and the operator wants it.
    Windows,
}

impl Gear {
    const ALL: [Self; 3] = [Self::InStep, Self::OneAhead, Self::Windows];

    /// What a server offers that allows it, and lets the courier do no better.
    fn offers(self) -> &'static [&'static str] {
        match self {
            Self::InStep => &["8BITMIME", "AUTH PLAIN LOGIN"],
            Self::OneAhead => &["8BITMIME", "AUTH PLAIN LOGIN", "PIPELINING"],
            Self::Windows => &["8BITMIME", "AUTH PLAIN LOGIN", "PIPELINING", "CHUNKING"],
        }
    }

    /// Mails in flight at most.
    fn window(self) -> usize {
        match self {
            Self::InStep | Self::OneAhead => 1,
            Self::Windows => 8,
        }
    }
}

fn geared_courier(
    transport: &SmtpTransport,
    messages: usize,
    deadlines: Deadlines,
    gear: Gear,
) -> SmtpCourier {
    let server = MailServer {
        name: "main".to_owned(),
        transport: Transport::Smtp(transport.clone()),
        connections: 1,
        messages_per_connection: messages,
        weight: 1,
        rate: None,
        daily_quota: None,
        domains: Vec::new(),
        chunking: gear == Gear::Windows,
        window: 8,
        hello_name: "news.example.org".to_owned(),
        dkim: true,
    };
    SmtpCourier::new(transport, &server, deadlines).unwrap()
}

fn courier(server: &SmtpServer) -> SmtpCourier {
    courier_of(&transport(server, Tls::None), 100, Deadlines::default())
}

fn mail_with(number: i64, to: &str, message: &[u8]) -> Parcel {
    Parcel::Mail(MailParcel {
        delivery: DeliveryId(number),
        from: "bounce@example.org".parse().unwrap(),
        to: to.parse().unwrap(),
        message_id: format!("{number}@example.org"),
        message: message.to_vec(),
    })
}

fn numbered(number: i64, to: &str) -> Parcel {
    mail_with(number, to, b"Subject: hello\r\n\r\nHello.\r\n")
}

fn mail(to: &str) -> Parcel {
    numbered(1, to)
}

fn willing() -> Intent<'static> {
    Intent::new(async { Ok(()) })
}

async fn send(courier: &mut SmtpCourier, to: &str) -> Outcome {
    courier.deliver(&mail(to), willing()).await
}

fn text(outcome: &Outcome) -> &str {
    &outcome.reply().unwrap().text
}

/// Patient everywhere but where the server hangs, so that a slow machine does not change the outcome.
fn hasty_at(at: At) -> Deadlines {
    let mut deadlines = Deadlines::default();
    match at {
        At::Greeting => deadlines.greeting = HASTY,
        At::Data => deadlines.data = HASTY,
        At::Body | At::Dot => deadlines.dot = HASTY,
        At::Handshake => deadlines.connect = HASTY,
        At::Ehlo | At::StartTls | At::Auth | At::Mail | At::Rcpt | At::Rset => {
            deadlines.command = HASTY;
        }
    }
    deadlines
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_a_message_did_not_deliver_it() {
    let server = SmtpServer::plain().await;
    let message = b"0123456789abcde\r\n".repeat(1024 * 1024);
    let large = mail_with(1, "ann@example.org", &message);

    server.fail_once(At::Body, Close);
    let outcome = courier(&server).deliver(&large, willing()).await;
    assert_eq!(outcome.word(), "deferred", "{outcome:?}");

    server.fail_once(At::Body, Hang);
    let bytes_per_second = std::num::NonZeroU64::MAX;
    let deadlines = Deadlines { message: HASTY, bytes_per_second, ..Deadlines::default() };
    let mut hasty = courier_of(&transport(&server, Tls::None), 100, deadlines);
    let outcome = hasty.deliver(&large, willing()).await;
    assert_eq!(outcome.word(), "deferred", "{outcome:?}");
}

#[tokio::test]
async fn one_connection_carries_many_mails_and_a_rejected_recipient_does_not_end_it() {
    let server = SmtpServer::plain().await;
    server.fail_for("gone@example.org", At::Rcpt, Say("550 5.1.1 <GONE@example.org> unknown"));
    let mut courier = courier(&server);
    for _ in 0..5 {
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        let outcome = send(&mut courier, "gone@example.org").await;
        assert_eq!(text(&outcome), "5.1.1 <recipient> unknown");
    }
    courier.close().await;
    server.heard("QUIT", 1).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(server.letters().len(), 5);
    assert_eq!(server.commands().iter().filter(|word| *word == "EHLO").count(), 1);
}

#[tokio::test]
async fn a_connection_is_replaced_after_its_share_of_messages_and_after_a_rest() {
    let server = SmtpServer::plain().await;
    let mut courier = courier_of(&transport(&server, Tls::None), 2, Deadlines::default());
    for _ in 0..5 {
        send(&mut courier, "ann@example.org").await;
    }
    assert_eq!(server.connections(), 3);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    send(&mut courier, "ann@example.org").await;
    assert_eq!(server.connections(), 4);
    assert_eq!(server.letters().len(), 6);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_replaced_unnoticed() {
    let server = SmtpServer::plain().await;
    let mut courier = courier(&server);
    server.fail_once(At::Dot, SayAndClose("250 2.0.0 queued, and bye"));
    assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
    server.heard("EOF", 1).await;
    assert_eq!(send(&mut courier, "bob@example.org").await.word(), "accepted");
    server.fail_once(At::Mail, SayAndClose("421 4.4.2 idle for too long"));
    assert_eq!(send(&mut courier, "cem@example.org").await.word(), "accepted");
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn the_intent_is_made_durable_after_the_354_and_before_the_message() {
    let server = SmtpServer::plain().await;
    let durable = AtomicBool::new(false);
    let parcel = mail("ann@example.org");
    let intent = Intent::new(async {
        assert_eq!(server.commands(), ["EHLO", "MAIL", "RCPT", "DATA"]);
        durable.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(courier(&server).deliver(&parcel, intent).await.word(), "accepted");
    assert!(durable.load(Ordering::SeqCst));

    server.fail(At::Data, Say("451 4.3.0 not now"));
    let never = Intent::new(async { panic!("nothing was handed over") });
    assert_eq!(courier(&server).deliver(&parcel, never).await.word(), "deferred");
}

#[tokio::test]
async fn a_lost_lease_leaves_the_server_without_the_mail() {
    let server = SmtpServer::plain().await;
    let mut courier = courier(&server);
    let lost = Intent::new(async { Err(LeaseLost) });
    assert_eq!(courier.deliver(&mail("ann@example.org"), lost).await, Outcome::NotOurs);
    server.heard("EOF", 1).await;
    assert_eq!(server.commands(), ["EHLO", "MAIL", "RCPT", "DATA", "EOF"]);
    assert!(server.letters().is_empty());
    assert_eq!(send(&mut courier, "bob@example.org").await.word(), "accepted");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_cancelled_delivery_takes_its_connection_with_it() {
    let server = SmtpServer::plain().await;
    let mut courier = courier(&server);
    server.fail_once(At::Dot, Hang);
    let parcel = mail("ann@example.org");
    tokio::select! {
        outcome = courier.deliver(&parcel, willing()) => panic!("{outcome:?}"),
        () = server.heard(".", 1) => {}
    }
    assert_eq!(send(&mut courier, "bob@example.org").await.word(), "accepted");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn the_message_arrives_byte_for_byte() {
    let server = SmtpServer::plain().await;
    let mut courier = courier(&server);
    let texts =
        ["Subject: a\r\n\r\n.\r\n..\r\n.x\r\n\r\n\r\n", "", ".", "\r\n", "no end", "a\r\n.\r\n"];
    for text in texts {
        let outcome =
            courier.deliver(&mail_with(1, "ann@example.org", text.as_bytes()), willing()).await;
        assert_eq!(outcome.word(), "accepted");
        let mut expected = text.to_owned();
        if !expected.ends_with("\r\n") {
            expected.push_str("\r\n");
        }
        let letter = server.letters().pop().unwrap();
        assert_eq!(String::from_utf8(letter.message).unwrap(), expected);
    }
    let smuggled = mail_with(1, "ann@example.org", b"a\n.\nMAIL FROM:<x>\r\n");
    assert_eq!(courier.deliver(&smuggled, willing()).await.word(), "rejected");
}

#[tokio::test]
async fn what_a_server_cannot_take_is_not_tried_there() {
    let server = SmtpServer::start(Wrapping::Plain, &["SIZE 100"]).await;
    let mut courier = courier(&server);
    let outcome = send(&mut courier, "jörg@example.org").await;
    assert_eq!(text(&outcome), "this server does not take international addresses");
    let outcome = courier.deliver(&mail_with(1, "a@example.org", &[b'x'; 101]), willing()).await;
    assert_eq!(text(&outcome), "the message has 101 bytes; this server takes 100");
    let outcome =
        courier.deliver(&mail_with(1, "a@example.org", "ü\r\n".as_bytes()), willing()).await;
    assert_eq!(text(&outcome), "this server does not take 8-bit messages");
    assert_eq!((outcome.word(), server.connections()), ("rejected", 1));
    assert_eq!(server.commands(), ["EHLO"]);

    let modern = SmtpServer::start(Wrapping::Plain, &["SMTPUTF8", "8bitmime", "SIZE"]).await;
    let parcel = mail_with(1, "jörg@example.org", "ü\r\n".as_bytes());
    let mut courier = courier_of(&transport(&modern, Tls::None), 1, Deadlines::default());
    assert_eq!(courier.deliver(&parcel, willing()).await.word(), "accepted");
    let letter = modern.letters().pop().unwrap();
    assert_eq!(letter.from, "<bounce@example.org> SIZE=4 SMTPUTF8 BODY=8BITMIME");
    assert_eq!((letter.to.as_str(), letter.message), ("jörg@example.org", "ü\r\n".into()));
}

#[tokio::test]
async fn mail_goes_over_tls_to_a_server_whose_certificate_is_trusted_and_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for (wrapping, tls) in
        [(Wrapping::Implicit, Tls::Implicit), (Wrapping::StartTls, Tls::StartTls)]
    {
        let server = SmtpServer::start(wrapping, &[]).await;
        let mut trusting = transport(&server, tls);
        trusting.ca_file = Some(server.certificate().save(folder.path()));
        let mut courier = courier_of(&trusting, 100, Deadlines::default());
        for _ in 0..3 {
            assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        }
        assert_eq!(server.connections(), 1);

        let mut wary = courier_of(&transport(&server, tls), 100, Deadlines::default());
        let outcome = send(&mut wary, "ann@example.org").await;
        assert_eq!(outcome.word(), "unreachable");
        assert!(text(&outcome).starts_with("the TLS handshake failed: "), "{outcome:?}");
    }
}

#[tokio::test]
async fn starttls_that_is_missing_or_tampered_with_stops_the_mail() {
    let folder = tempfile::tempdir().unwrap();
    let bare = SmtpServer::plain().await;
    let mut courier = courier_of(&transport(&bare, Tls::StartTls), 1, Deadlines::default());
    let outcome = send(&mut courier, "ann@example.org").await;
    assert!(text(&outcome).starts_with("the server does not offer STARTTLS"), "{outcome:?}");

    let faults = [
        (
            At::StartTls,
            Say("220 go\r\n250-mail.test\r\n250 AUTH PLAIN"),
            "something was sent in plain",
        ),
        (At::StartTls, Say("220 go\r\n2"), "something was sent in plain"),
        (At::StartTls, Say("454 4.7.0 not now"), "STARTTLS was refused: 454 4.7.0 not now"),
        (At::StartTls, Hang, "no answer to STARTTLS within"),
        (At::Handshake, Hang, "no answer to the TLS handshake within"),
        (At::Handshake, Close, "the TLS handshake failed"),
        (At::Handshake, Say("250 injected a moment later"), "the TLS handshake failed"),
    ];
    for (at, fault, expected) in faults {
        let server = SmtpServer::start(Wrapping::StartTls, &[]).await;
        let mut trusting = transport(&server, Tls::StartTls);
        trusting.ca_file = Some(server.certificate().save(folder.path()));
        server.fail_once(at, fault.clone());
        let deadlines = faults::deadlines_for(at, &fault);
        let mut courier = courier_of(&trusting, 100, deadlines);
        let outcome = send(&mut courier, "ann@example.org").await;
        assert_eq!(outcome.word(), "unreachable");
        assert!(text(&outcome).starts_with(expected), "{at:?} {fault:?}: {outcome:?}");
        assert!(server.letters().is_empty());
    }
}

#[tokio::test]
async fn opportunistic_tls_takes_any_certificate_and_none() {
    for wrapping in [Wrapping::StartTls, Wrapping::Plain] {
        let server = SmtpServer::start(wrapping, &[]).await;
        let open = transport(&server, Tls::Opportunistic);
        let mut courier = courier_of(&open, 100, Deadlines::default());
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        let encrypted = server.commands().contains(&"STARTTLS".to_owned());
        assert_eq!(encrypted, wrapping == Wrapping::StartTls);
    }
}

#[tokio::test]
async fn a_server_that_wants_a_password_gets_it_and_may_refuse_it() {
    let known = Credentials { user: "news".to_owned(), password: Secret::new("sesame") };
    for mechanisms in ["AUTH PLAIN", "AUTH LOGIN", "AUTH=LOGIN"] {
        let server = SmtpServer::start(Wrapping::Plain, &[mechanisms]).await;
        let credentials = Some(known.clone());
        let here = SmtpTransport { credentials, ..transport(&server, Tls::None) };
        let mut courier = courier_of(&here, 100, Deadlines::default());
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        assert!(server.commands().contains(&"AUTH".to_owned()));

        server.fail(At::Auth, Say("535 5.7.8 bad credentials"));
        let mut courier = courier_of(&here, 100, Deadlines::default());
        let outcome = send(&mut courier, "ann@example.org").await;
        assert_eq!(outcome.word(), "unreachable");
        assert_eq!(outcome.reply().unwrap().code, Some(535));
        assert!(text(&outcome).ends_with("5.7.8 bad credentials"), "{outcome:?}");
    }
    let server = SmtpServer::start(Wrapping::Plain, &["AUTH GSSAPI"]).await;
    let here = SmtpTransport { credentials: Some(known), ..transport(&server, Tls::None) };
    let outcome = send(&mut courier_of(&here, 1, Deadlines::default()), "ann@example.org").await;
    assert_eq!(text(&outcome), "the server takes neither AUTH PLAIN nor AUTH LOGIN");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = SmtpServer::plain().await;
    let mut courier = courier(&server);
    let address = server.address;
    drop(server);
    let outcome = loop {
        // The port closes as soon as the server's task has ended.
        match send(&mut courier, "ann@example.org").await {
            Outcome::Accepted(_) => tokio::task::yield_now().await,
            outcome => break outcome,
        }
    };
    let Outcome::Unreachable(reply) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reply.server, address.to_string());
    assert_eq!(reply.code, None);
}

#[tokio::test]
async fn a_mail_server_carries_no_calls() {
    let server = SmtpServer::plain().await;
    let (key, body) = ("k".to_owned(), "{}".to_owned());
    let call = Parcel::Call(CallParcel { delivery: DeliveryId(1), key, body });
    let outcome = courier(&server).deliver(&call, willing()).await;
    assert_eq!((outcome.word(), server.connections()), ("rejected", 0));
}

#[tokio::test]
async fn many_couriers_do_not_disturb_each_other() {
    let server = Arc::new(SmtpServer::plain().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..10 {
        let server = Arc::clone(&server);
        tasks.spawn(async move {
            let mut courier = courier(&server);
            for mail in 0..20 {
                let to = format!("reader{number}-{mail}@example.org");
                assert_eq!(send(&mut courier, &to).await.word(), "accepted");
            }
        });
    }
    tasks.join_all().await;
    let mut readers: Vec<_> = server.letters().into_iter().map(|letter| letter.to).collect();
    readers.sort();
    readers.dedup();
    assert_eq!((readers.len(), server.connections()), (200, 10));
}
