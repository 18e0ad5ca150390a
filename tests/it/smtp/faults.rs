//! What becomes of a mail when the server fails, for each stage of the dialogue and each way to fail.

use postrider::domain::{Outcome, Reason};
use postrider::smtp::Deadlines;

use super::{Tls, courier_of, hasty_at, send, transport};
use crate::harness::smtp::Fault::{Close, Hang, Say, SayAndClose};
use crate::harness::smtp::{At, Fault, SmtpServer};

use Kept::{Dropped, Kept as KeptOpen};

/// How a mail comes out when the server fails once in the given way, and whether the connection is used again.
struct Case(At, Fault, &'static str, Kept);

#[derive(PartialEq)]
enum Kept {
    Kept,
    Dropped,
}

const BEFORE_THE_RECIPIENT: [Case; 19] = [
    Case(At::Greeting, Say("554 5.7.1 you are on a list"), "unreachable", Dropped),
    Case(At::Greeting, SayAndClose("421 4.7.0 busy"), "unreachable", Dropped),
    Case(At::Greeting, Say("HTTP/1.1 400 Bad Request"), "unreachable", Dropped),
    Case(At::Greeting, Say("220 mail.test\r\n250 early"), "unreachable", Dropped),
    Case(At::Greeting, Close, "unreachable", Dropped),
    Case(At::Greeting, Hang, "unreachable", Dropped),
    Case(At::Ehlo, Say("502 5.5.1 what?"), "unreachable", Dropped),
    Case(At::Ehlo, Say("250-a\r\n251 b"), "unreachable", Dropped),
    Case(At::Ehlo, Say("250-mail.test\r\n250- \r\n250-\r\n250"), "accepted", KeptOpen),
    Case(At::Ehlo, Say("250 mail.test\r\n250 and more"), "unreachable", Dropped),
    Case(At::Ehlo, Close, "unreachable", Dropped),
    Case(At::Ehlo, Hang, "unreachable", Dropped),
    Case(At::Mail, Say("451 4.3.0 later"), "deferred", KeptOpen),
    Case(At::Mail, Say("550 5.1.8 who are you"), "rejected", KeptOpen),
    Case(At::Mail, SayAndClose("421 4.3.2 going down"), "unreachable", Dropped),
    Case(At::Mail, Say("banana"), "unreachable", Dropped),
    Case(At::Mail, Say("354 what"), "unreachable", Dropped),
    Case(At::Mail, Close, "unreachable", Dropped),
    Case(At::Mail, Hang, "unreachable", Dropped),
];

const BEFORE_THE_DOT: [Case; 16] = [
    Case(At::Rcpt, Say("450 4.2.0 greylisted"), "deferred", KeptOpen),
    Case(At::Rcpt, Say("550 5.1.1 no such user"), "bad address", KeptOpen),
    Case(At::Rcpt, Say("550-no such\r\n550 user"), "bad address", KeptOpen),
    Case(At::Rcpt, Say("550 5.7.1 relaying denied"), "rejected", KeptOpen),
    Case(At::Rcpt, Say("552 5.2.2 mailbox full"), "rejected", KeptOpen),
    Case(At::Rcpt, Say("421 4.7.0 too much from you"), "deferred", Dropped),
    Case(At::Rcpt, Say("\u{0}\u{1}"), "deferred", Dropped),
    Case(At::Rcpt, Close, "deferred", Dropped),
    Case(At::Rcpt, Hang, "deferred", Dropped),
    Case(At::Data, Say("451 4.3.0 disk full"), "deferred", KeptOpen),
    Case(At::Data, Say("554 5.5.1 no valid recipients"), "rejected", KeptOpen),
    Case(At::Data, Say("250 what"), "deferred", Dropped),
    // Else the second reply would count as the answer to the dot.
    Case(At::Data, Say("354 go on\r\n250 queued"), "deferred", Dropped),
    Case(At::Data, Say("banana"), "deferred", Dropped),
    Case(At::Data, Close, "deferred", Dropped),
    Case(At::Data, Hang, "deferred", Dropped),
];

const AFTER_THE_DOT: [Case; 12] = [
    Case(At::Body, Close, "uncertain", Dropped),
    Case(At::Body, Hang, "uncertain", Dropped),
    Case(At::Dot, Say("250"), "accepted", KeptOpen),
    Case(At::Dot, Say("250 größer"), "accepted", KeptOpen),
    Case(At::Dot, Say("451 4.7.1 later"), "deferred", KeptOpen),
    Case(At::Dot, Say("550 5.7.1 that is spam"), "rejected", KeptOpen),
    Case(At::Dot, Say("550 5.1.1 no such user"), "bad address", KeptOpen),
    Case(At::Dot, SayAndClose("421 4.4.2 timeout"), "deferred", Dropped),
    Case(At::Dot, Say("354 what"), "uncertain", Dropped),
    Case(At::Dot, Say("banana"), "uncertain", Dropped),
    Case(At::Dot, Close, "uncertain", Dropped),
    Case(At::Dot, Hang, "uncertain", Dropped),
];

async fn check(cases: &'static [Case]) {
    for Case(at, fault, expected, kept) in cases {
        let server = SmtpServer::plain().await;
        server.fail_once(*at, fault.clone());
        let deadlines = match fault {
            Hang => hasty_at(*at),
            Say(_) | SayAndClose(_) | Close => Deadlines::default(),
        };
        let mut courier = courier_of(&transport(&server, Tls::None), 100, deadlines);
        let outcome = send(&mut courier, "ann@example.org").await;
        let word = match &outcome {
            Outcome::Rejected { reason: Reason::Address, .. } => "bad address",
            other => other.word(),
        };
        assert_eq!(word, *expected, "{at:?} {fault:?}: {outcome:?}");
        let next = send(&mut courier, "bob@example.org").await;
        assert_eq!(next.word(), "accepted", "after {at:?} {fault:?}: {next:?}");
        let kept_open = server.connections() == 1;
        assert_eq!(kept_open, *kept == KeptOpen, "connection after {at:?} {fault:?}");
        let last = server.letters().pop().unwrap();
        assert_eq!(
            (last.from.as_str(), last.to.as_str()),
            ("<bounce@example.org>", "bob@example.org")
        );
    }
}

#[tokio::test]
async fn a_server_that_fails_before_it_hears_of_the_recipient_says_nothing_about_him() {
    check(&BEFORE_THE_RECIPIENT).await;
}

#[tokio::test]
async fn a_server_that_fails_before_the_dot_does_not_have_the_mail() {
    check(&BEFORE_THE_DOT).await;
}

#[tokio::test]
async fn a_server_that_is_silent_after_the_dot_leaves_the_mail_uncertain() {
    check(&AFTER_THE_DOT).await;
}
