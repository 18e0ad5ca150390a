//! What becomes of a mail, and of the one behind it, when the server fails: each stage of the dialogue, each way to fail,
//! each gear.

use postrider::config::{Credentials, Secret};
use postrider::domain::{Outcome, Reason};

use super::script::{Script, reader};
use super::*;
use crate::harness::smtp::Fault::{Drip, Flood, HalfClose, Wait};
use crate::harness::smtp::{At, Fault, SmtpServer};

use Kept::{Dropped, Kept as KeptOpen};

/// How a mail comes out when the server fails once in the given way, and whether the connection is used again.
struct Case(At, Fault, &'static str, Kept);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Kept,
    Dropped,
}

/// The first mail comes out like this, and nothing is known of any recipient.
fn before_the_recipient() -> Vec<Case> {
    vec![
        Case(At::Greeting, Say("554 5.7.1 you are on a list"), "unreachable", Dropped),
        Case(At::Greeting, SayAndClose("421 4.7.0 busy"), "unreachable", Dropped),
        Case(At::Greeting, Say("HTTP/1.1 400 Bad Request"), "unreachable", Dropped),
        Case(At::Greeting, Say("220 mail.test\r\n250 early"), "unreachable", Dropped),
        Case(At::Greeting, Say(many_lines()), "unreachable", Dropped),
        Case(At::Greeting, Drip("220 mail.test slow"), "accepted", KeptOpen),
        Case(At::Greeting, Flood, "unreachable", Dropped),
        Case(At::Greeting, Close, "unreachable", Dropped),
        Case(At::Greeting, HalfClose, "unreachable", Dropped),
        Case(At::Greeting, Hang, "unreachable", Dropped),
        Case(At::Ehlo, Say("502 5.5.1 what?"), "unreachable", Dropped),
        Case(At::Ehlo, Say("421 4.3.2 not now"), "unreachable", Dropped),
        Case(At::Ehlo, Say("250-a\r\n251 b"), "unreachable", Dropped),
        Case(At::Ehlo, Say("250-mail.test\r\n250- \r\n250-\r\n250"), "accepted", KeptOpen),
        Case(At::Ehlo, Say("250 mail.test\r\n250 and more"), "unreachable", Dropped),
        Case(At::Ehlo, Say(many_lines()), "unreachable", Dropped),
        Case(At::Ehlo, Drip("250-mail.test\r\n250 8BITMIME"), "accepted", KeptOpen),
        Case(At::Ehlo, Flood, "unreachable", Dropped),
        Case(At::Ehlo, Close, "unreachable", Dropped),
        Case(At::Ehlo, HalfClose, "unreachable", Dropped),
        Case(At::Ehlo, Hang, "unreachable", Dropped),
    ]
}

/// The second mail of three comes out like this: first without chunks, then in a window.
struct Second(At, Fault, &'static str, &'static str, Kept);

fn at_mail() -> Vec<Second> {
    use At::Mail;
    vec![
        Second(Mail, Say("451 4.3.0 later"), "deferred", "deferred", KeptOpen),
        Second(Mail, Say("452 4.3.1 disk full"), "deferred", "deferred", KeptOpen),
        Second(Mail, Say("550 5.1.8 who are you"), "rejected", "rejected", KeptOpen),
        Second(Mail, Say("554 5.7.1 not you"), "rejected", "rejected", KeptOpen),
        Second(
            Mail,
            Say("530 5.7.0 Authentication required"),
            "unreachable",
            "unreachable",
            Dropped,
        ),
        Second(Mail, Say("535 5.7.8 no longer"), "unreachable", "unreachable", Dropped),
        Second(Mail, SayAndClose("421 4.3.2 going down"), "unreachable", "unreachable", Dropped),
        Second(Mail, Say("banana"), "unreachable", "uncertain", Dropped),
        Second(Mail, Say("354 what"), "unreachable", "uncertain", Dropped),
        Second(Mail, Say(many_lines()), "unreachable", "uncertain", Dropped),
        Second(Mail, Drip("250 2.1.0 slow"), "accepted", "accepted", KeptOpen),
        Second(Mail, Say(long_line()), "accepted", "accepted", KeptOpen),
        Second(Mail, Flood, "unreachable", "uncertain", Dropped),
        Second(Mail, Close, "unreachable", "uncertain", Dropped),
        Second(Mail, HalfClose, "unreachable", "uncertain", Dropped),
        Second(Mail, Hang, "unreachable", "uncertain", Dropped),
    ]
}

fn at_rcpt() -> Vec<Second> {
    use At::Rcpt;
    vec![
        Second(Rcpt, Say("450 4.2.0 greylisted"), "deferred", "deferred", KeptOpen),
        Second(Rcpt, Say("550 5.1.1 no such user"), "bad address", "bad address", KeptOpen),
        Second(Rcpt, Say("550-no such\r\n550 user"), "bad address", "bad address", KeptOpen),
        Second(Rcpt, Say("550 5.7.1 relaying denied"), "rejected", "rejected", KeptOpen),
        Second(Rcpt, Say("552 5.2.2 mailbox full"), "rejected", "rejected", KeptOpen),
        Second(Rcpt, SayAndClose("421 4.7.0 too much from you"), "deferred", "deferred", Dropped),
        Second(Rcpt, Say("\u{0}\u{1}"), "deferred", "uncertain", Dropped),
        Second(Rcpt, Say("354 what"), "deferred", "uncertain", Dropped),
        Second(Rcpt, Drip("250 2.1.5 slow"), "accepted", "accepted", KeptOpen),
        Second(Rcpt, Flood, "deferred", "uncertain", Dropped),
        Second(Rcpt, Close, "deferred", "uncertain", Dropped),
        Second(Rcpt, HalfClose, "deferred", "uncertain", Dropped),
        Second(Rcpt, Hang, "deferred", "uncertain", Dropped),
    ]
}

/// A window has no DATA.
fn at_data() -> Vec<Second> {
    use At::Data;
    vec![
        Second(Data, Say("451 4.3.0 disk full"), "deferred", "", KeptOpen),
        Second(Data, Say("554 5.5.1 no valid recipients"), "rejected", "", KeptOpen),
        Second(Data, SayAndClose("421 4.3.2 going down"), "deferred", "", Dropped),
        Second(Data, Say("250 what"), "deferred", "", Dropped),
        // Else the second reply would count as the answer to the dot.
        Second(Data, Say("354 go on\r\n250 queued"), "deferred", "", Dropped),
        Second(Data, Say("banana"), "deferred", "", Dropped),
        Second(Data, Flood, "deferred", "", Dropped),
        Second(Data, Close, "deferred", "", Dropped),
        Second(Data, HalfClose, "deferred", "", Dropped),
        Second(Data, Hang, "deferred", "", Dropped),
    ]
}

fn after_the_end() -> Vec<Second> {
    use At::{Body, Dot};
    vec![
        Second(Body, Close, "uncertain", "uncertain", Dropped),
        Second(Body, HalfClose, "uncertain", "uncertain", Dropped),
        Second(Body, Hang, "uncertain", "uncertain", Dropped),
        Second(Dot, Say("250"), "accepted", "accepted", KeptOpen),
        Second(Dot, Say("250 größer"), "accepted", "accepted", KeptOpen),
        Second(Dot, Drip("250 2.0.0 slow"), "accepted", "accepted", KeptOpen),
        Second(Dot, Say("451 4.7.1 later"), "deferred", "deferred", KeptOpen),
        Second(Dot, Say("452 4.3.1 disk full"), "deferred", "deferred", KeptOpen),
        Second(Dot, Say("550 5.7.1 that is spam"), "rejected", "rejected", KeptOpen),
        Second(Dot, Say("550 5.1.1 no such user"), "bad address", "bad address", KeptOpen),
        Second(Dot, SayAndClose("421 4.4.2 timeout"), "deferred", "deferred", Dropped),
        Second(Dot, Say("354 what"), "uncertain", "uncertain", Dropped),
        Second(Dot, Say("banana"), "uncertain", "uncertain", Dropped),
        Second(Dot, Say(many_lines()), "uncertain", "uncertain", Dropped),
        Second(Dot, Flood, "uncertain", "uncertain", Dropped),
        Second(Dot, Close, "uncertain", "uncertain", Dropped),
        Second(Dot, HalfClose, "uncertain", "uncertain", Dropped),
        Second(Dot, Hang, "uncertain", "uncertain", Dropped),
    ]
}

/// More than anybody has to say.
fn many_lines() -> &'static str {
    format!("{}250 end", "250-and another thing that goes without saying\r\n".repeat(300)).leak()
}

fn long_line() -> &'static str {
    format!("250 {}", "x".repeat(20_000)).leak()
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected { reason: Reason::Address, .. } => "bad address",
        other => other.word(),
    }
}

pub(super) fn deadlines_for(at: At, fault: &Fault) -> Deadlines {
    match fault {
        Hang => hasty_at(at),
        Say(_) | SayAndClose(_) | Drip(_) | Close | Flood | HalfClose | Wait(_) => {
            Deadlines::default()
        }
    }
}

async fn check(cases: Vec<Second>) {
    for Second(at, fault, alone, in_a_window, kept) in cases {
        for gear in Gear::ALL {
            let expected = if gear == Gear::Windows { in_a_window } else { alone };
            if !expected.is_empty() {
                check_second(gear, at, &fault, (expected, kept)).await;
            }
        }
    }
}

async fn check_second(gear: Gear, at: At, fault: &Fault, (expected, kept): (&str, Kept)) {
    let context = format!("{gear:?}: {at:?} {fault:?}");
    let context = context.get(..120).unwrap_or(&context);
    let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
    server.fail_after(1, at, fault.clone());
    let here = transport(&server, Tls::None);
    let mut courier = geared_courier(&here, 100, deadlines_for(at, fault), gear);
    let mut script = Script::of(3, &server);
    script.run(&mut courier).await;
    script.check(&server, gear.window());
    assert_eq!(script.word(1), "accepted", "{context}: {:?}", script.outcome(1));
    assert_eq!(word(script.outcome(2)), expected, "{context}: {:?}", script.outcome(2));
    let said_closing = matches!(fault, SayAndClose(_));
    let said_no = matches!(fault, Say(text) if text.starts_with("53"));
    let said_twice = matches!(fault, Say(text) if text.starts_with("354 go on\r\n"));
    let third = match gear {
        _ if kept == KeptOpen => "accepted",
        // It was begun behind the end of the second, or would have been.
        Gear::OneAhead if matches!(at, At::Body | At::Dot) || said_twice => "unreachable",
        // It waited for a connection.
        Gear::OneAhead | Gear::InStep => "accepted",
        Gear::Windows if said_no => "accepted",
        Gear::Windows if said_closing => "unreachable",
        Gear::Windows => "uncertain",
    };
    assert_eq!(script.word(3), third, "{context}: third: {:?}", script.outcome(3));
    let next = send(&mut courier, "bob@example.org").await;
    assert_eq!(next.word(), "accepted", "after {context}: {next:?}");
    let last = server.letters().pop().unwrap();
    assert_eq!((last.from.as_str(), last.to.as_str()), ("<bounce@example.org>", "bob@example.org"));
    assert_eq!(server.connections() == 1, kept == KeptOpen, "connection after {context}");
}

#[tokio::test]
async fn a_server_that_fails_before_it_hears_of_the_recipient_says_nothing_about_him() {
    for gear in Gear::ALL {
        for Case(at, fault, expected, kept) in before_the_recipient() {
            let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
            server.fail_once(at, fault.clone());
            let here = transport(&server, Tls::None);
            let mut courier = geared_courier(&here, 100, deadlines_for(at, &fault), gear);
            let mut script = Script::of(2, &server);
            script.run(&mut courier).await;
            script.check(&server, gear.window());
            assert_eq!(script.words(), [expected, "accepted"], "{gear:?} {at:?}");
            assert_eq!(server.connections() == 1, kept == KeptOpen, "{gear:?} {at:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_fails_at_mail_says_nothing_about_the_recipient() {
    check(at_mail()).await;
}

#[tokio::test]
async fn a_server_that_fails_before_the_dot_does_not_have_the_mail() {
    check(at_rcpt()).await;
    check(at_data()).await;
}

#[tokio::test]
async fn a_server_that_is_silent_after_the_end_leaves_the_mail_uncertain() {
    check(after_the_end()).await;
}

#[tokio::test]
async fn a_421_for_one_mail_of_a_window_does_not_hide_what_became_of_the_others() {
    let server = SmtpServer::start(Wrapping::Plain, Gear::Windows.offers()).await;
    server.fail_for("reader2@example.org", At::Rcpt, Say("421 4.7.0 not so fast"));
    let here = transport(&server, Tls::None);
    let mut courier = geared_courier(&here, 100, Deadlines::default(), Gear::Windows);
    let mut script = Script::of(4, &server);
    script.run(&mut courier).await;
    script.check(&server, 8);
    assert_eq!(script.words(), ["accepted", "deferred", "accepted", "accepted"]);
    assert_eq!(script.outcome(2).reason(), Some(Reason::Throttle));
}

#[tokio::test]
async fn a_reset_that_is_refused_costs_the_connection_and_no_mail() {
    for gear in Gear::ALL {
        for refusal in [Say("500 what?"), SayAndClose("421 4.3.2 going down"), Say("banana"), Close]
        {
            let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
            server.fail_for("reader1@example.org", At::Rcpt, Say("550 5.1.1 unknown"));
            server.fail_once(At::Rset, refusal.clone());
            let here = transport(&server, Tls::None);
            let mut courier = geared_courier(&here, 100, Deadlines::default(), gear);
            let mut script = Script::of(2, &server);
            script.run(&mut courier).await;
            script.check(&server, gear.window());
            let second = match (gear, &refusal) {
                (Gear::Windows, Say(_) | Close) => "uncertain",
                _ => "unreachable",
            };
            assert_eq!(script.words(), ["rejected", second], "{gear:?} {refusal:?}");
            assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
            assert_eq!(server.connections(), 2);
        }
    }
}

#[tokio::test]
async fn a_login_that_is_revoked_in_mid_run_blames_no_recipient() {
    let known = Credentials { user: "news".to_owned(), password: Secret::new("sesame") };
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        server.fail_after(2, At::Mail, Say("530 5.7.0 Authentication required"));
        server.fail_after(1, At::Auth, Say("535 5.7.8 revoked"));
        let here =
            SmtpTransport { credentials: Some(known.clone()), ..transport(&server, Tls::None) };
        let mut courier = geared_courier(&here, 100, Deadlines::default(), gear);
        let mut script = Script::of(3, &server);
        script.run(&mut courier).await;
        assert_eq!(script.words(), ["accepted", "accepted", "unreachable"], "{gear:?}");
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "unreachable");
    }
}

#[tokio::test]
async fn tls_that_is_cut_in_mid_message_is_like_a_connection_that_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    for gear in Gear::ALL {
        for (wrapping, tls) in
            [(Wrapping::Implicit, Tls::Implicit), (Wrapping::StartTls, Tls::StartTls)]
        {
            let large = b"0123456789abcde\r\n".repeat(1024 * 1024);
            for (message, expected) in [(b"a\r\n".to_vec(), "uncertain"), (large, "deferred")] {
                let server = SmtpServer::start(wrapping, gear.offers()).await;
                let mut here = transport(&server, tls);
                here.ca_file = Some(server.certificate().save(folder.path()));
                server.fail_after(1, At::Body, Close);
                let mut courier = geared_courier(&here, 100, Deadlines::default(), gear);
                let mut script = Script::with(
                    vec![numbered(1, &reader(1)), mail_with(2, &reader(2), &message)],
                    &server,
                );
                script.run(&mut courier).await;
                script.check(&server, gear.window());
                assert_eq!(script.words(), ["accepted", expected], "{gear:?} {tls:?}");
                assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
            }
        }
    }
}
