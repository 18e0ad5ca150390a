//! Runs of mails over one connection: what is said when, in each gear.

use super::script::{Script, reader};
use super::*;
use crate::harness::smtp::LENIENT;

fn courier_in(gear: Gear, server: &SmtpServer) -> SmtpCourier {
    geared_courier(&transport(server, Tls::None), 100, Deadlines::default(), gear)
}

fn count(server: &SmtpServer, word: &str) -> usize {
    server.commands().iter().filter(|command| *command == word).count()
}

#[tokio::test]
async fn a_run_goes_over_one_connection_in_order_and_is_durable_at_its_end() {
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let mut script = Script::of(20, &server);
        let mut courier = courier_in(gear, &server);
        assert_eq!(script.run(&mut courier).await, 1, "{gear:?}");
        script.check(&server, gear.window());
        assert_eq!(script.words(), ["accepted"; 20], "{gear:?}");
        let to: Vec<_> = server.letters().into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, (1..=20).map(reader).collect::<Vec<_>>());
        assert_eq!((server.connections(), count(&server, "EHLO")), (1, 1));
        courier.close().await;
        server.heard("QUIT", 1).await;
    }
}

#[tokio::test]
async fn the_end_of_a_mail_and_the_beginning_of_the_next_leave_together() {
    let server = SmtpServer::start(Wrapping::Plain, Gear::OneAhead.offers()).await;
    // While the answer to the first dot is out, the second mail is begun already.
    server.fail_after(0, At::Dot, Hang);
    let mut script = Script::of(2, &server);
    let mut courier = courier_in(Gear::OneAhead, &server);
    tokio::select! {
        () = script.run_once(&mut courier) => panic!("the server never answers"),
        () = server.heard(".", 1) => {}
    }
    assert_eq!(server.commands(), ["EHLO", "MAIL", "RCPT", "DATA", "."]);
    assert_eq!((script.word(1), script.word(2)), ("uncertain", "unreachable"));
    assert!(text(script.outcome(1)).starts_with("stopped while"), "{:?}", script.outcome(1));
    script.check(&server, 1);
}

#[tokio::test]
async fn a_rejected_recipient_costs_no_connection_and_no_other_mail() {
    for gear in Gear::ALL {
        for lenient in [false, true] {
            let offers = [gear.offers(), if lenient { &[LENIENT] } else { &[] }].concat();
            let server = SmtpServer::start(Wrapping::Plain, &offers).await;
            let gone = [1, 2, 7, 8, 9, 16, 20];
            for number in gone {
                let to: &'static str = reader(number).leak();
                server.fail_for(to, At::Rcpt, Say("550 5.1.1 unknown"));
            }
            let mut script = Script::of(20, &server);
            let mut courier = courier_in(gear, &server);
            assert_eq!(script.run(&mut courier).await, 1);
            script.check(&server, gear.window());
            for number in 1..=20 {
                let expected = if gone.contains(&number) { "rejected" } else { "accepted" };
                assert_eq!(script.word(number), expected, "{gear:?} {lenient} {number}");
            }
            assert_eq!(server.connections(), 1, "{gear:?} {lenient}");
            assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        }
    }
}

#[tokio::test]
async fn a_354_without_a_recipient_is_answered_with_a_lone_dot() {
    let offers = [Gear::OneAhead.offers(), &[LENIENT]].concat();
    let server = SmtpServer::start(Wrapping::Plain, &offers).await;
    server.fail_for("reader2@example.org", At::Rcpt, Say("550 5.1.1 unknown"));
    let mut script = Script::of(3, &server);
    script.run(&mut courier_in(Gear::OneAhead, &server)).await;
    assert_eq!(script.words(), ["accepted", "rejected", "accepted"]);
    assert_eq!((count(&server, "."), count(&server, "RSET")), (3, 0));
    assert_eq!(server.letters().len(), 2);
}

#[tokio::test]
async fn a_delivery_that_somebody_else_has_is_not_completed() {
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let mut script = Script::of(4, &server);
        script.lost = [DeliveryId(2), DeliveryId(4)].into();
        script.run(&mut courier_in(gear, &server)).await;
        script.check(&server, gear.window());
        assert_eq!(script.words(), ["accepted", "not-ours", "accepted", "not-ours"], "{gear:?}");
        // A window asks before it says anything; DATA cannot be taken back but by hanging up.
        let connections = if gear == Gear::Windows { 1 } else { 2 };
        assert_eq!(server.connections(), connections, "{gear:?}");
    }
}

#[tokio::test]
async fn a_connection_carries_its_share_and_what_is_left_stays_in_the_round() {
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let mut script = Script::of(10, &server);
        let here = transport(&server, Tls::None);
        let mut courier = geared_courier(&here, 4, Deadlines::default(), gear);
        assert_eq!(script.run(&mut courier).await, 3, "{gear:?}");
        script.check(&server, gear.window());
        assert_eq!(script.words(), ["accepted"; 10]);
        assert_eq!(server.connections(), 3);
        assert_eq!(count(&server, "QUIT"), 2);
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced_unnoticed_in_every_gear() {
    for gear in Gear::ALL {
        for goodbye in [Say("421 4.4.2 idle for too long"), SayAndClose("421 4.4.2 idle"), Close] {
            let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
            let mut courier = courier_in(gear, &server);
            assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
            let at = if gear == Gear::Windows { At::Rset } else { At::Mail };
            server.fail_once(at, goodbye.clone());
            let mut script = Script::of(3, &server);
            script.run(&mut courier).await;
            assert_eq!(script.words(), ["accepted"; 3], "{gear:?} {goodbye:?}");
            assert_eq!(server.connections(), 2);
        }
    }
}

#[tokio::test]
async fn a_connection_that_takes_no_8_bit_texts_though_the_one_before_did_gets_them_in_seven() {
    for (gear, fewer) in [
        (Gear::InStep, "250-mail.test\r\n250 HELP"),
        (Gear::OneAhead, "250-mail.test\r\n250 PIPELINING"),
        (Gear::Windows, "250-mail.test\r\n250-PIPELINING\r\n250 CHUNKING"),
    ] {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let mut courier = courier_in(gear, &server);
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        assert!(courier.takes_eight_bit());
        let at = if gear == Gear::Windows { At::Rset } else { At::Mail };
        server.fail_once(at, SayAndClose("421 4.4.2 idle for too long"));
        server.fail_once(At::Ehlo, Say(fewer));
        let mails =
            (1..=3).map(|number| mail_with(number, &reader(number), "\u{fc}\r\n".as_bytes()));
        let mut script = Script::with(mails.collect(), &server);
        script.run(&mut courier).await;
        assert_eq!(script.words(), ["accepted"; 3], "{gear:?}");
        assert_eq!(server.connections(), 2);
        for letter in server.letters() {
            assert!(letter.message.is_ascii(), "{gear:?}");
            assert_eq!(letter.from, "<bounce@example.org>", "{gear:?}");
        }
    }
}

#[tokio::test]
async fn what_this_server_cannot_take_is_told_and_the_rest_goes_on() {
    for gear in Gear::ALL {
        let offers = [gear.offers(), &["SIZE 100"]].concat();
        let server = SmtpServer::start(Wrapping::Plain, &offers).await;
        let (key, body) = ("k".to_owned(), "{}".to_owned());
        let parcels = vec![
            Parcel::Call(CallParcel { delivery: DeliveryId(1), key, body }),
            numbered(2, "j\u{f6}rg@example.org"),
            numbered(3, &reader(3)),
            mail_with(4, &reader(4), &[b'x'; 200]),
            numbered(5, "ann@b\u{fc}cher.example"),
            mail_with(6, &reader(6), b"a\n.\nMAIL FROM:<x>\r\n"),
            numbered(7, &reader(7)),
        ];
        let mut script = Script::with(parcels, &server);
        script.run(&mut courier_in(gear, &server)).await;
        let (no, yes) = ("rejected", "accepted");
        assert_eq!(script.words(), [no, no, yes, no, yes, no, yes], "{gear:?}");
        assert_eq!(script.outcome(2).reason(), Some(Reason::Message));
        let to: Vec<_> = server.letters().into_iter().map(|letter| letter.to).collect();
        assert_eq!(to, [&reader(3), "ann@xn--bcher-kva.example", &reader(7)]);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_message_arrives_byte_for_byte_in_every_gear() {
    let texts =
        ["Subject: a\r\n\r\n.\r\n..\r\n.x\r\n\r\n\r\n", "", ".", "\r\n", "no end", "a\r\n.\r\n"];
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let parcels = (1..).zip(texts).map(|(n, text)| mail_with(n, &reader(n), text.as_bytes()));
        let mut script = Script::with(parcels.collect(), &server);
        script.run(&mut courier_in(gear, &server)).await;
        for (letter, text) in server.letters().into_iter().zip(texts) {
            let end = if text.ends_with("\r\n") { "" } else { "\r\n" };
            assert_eq!(String::from_utf8(letter.message).unwrap(), format!("{text}{end}"));
        }
        assert_eq!(script.words(), ["accepted"; 6]);
    }
}

#[tokio::test]
async fn large_messages_fill_a_window_before_it_is_full() {
    let server = SmtpServer::start(Wrapping::Plain, Gear::Windows.offers()).await;
    let message = b"0123456789abcde\r\n".repeat(20_000);
    let parcels = (1..=4).map(|number| mail_with(number, &reader(number), &message));
    let mut script = Script::with(parcels.collect(), &server);
    script.run(&mut courier_in(Gear::Windows, &server)).await;
    script.check(&server, 2);
    assert_eq!(script.words(), ["accepted"; 4]);
}

#[tokio::test]
async fn a_run_that_is_stopped_tells_the_truth_about_each_mail() {
    // 16 MB don't fit between two processes: the end of the first message has not left.
    let large = b"0123456789abcde\r\n".repeat(1024 * 1024);
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        server.fail_for("reader1@example.org", At::Body, Hang);
        let parcels = vec![mail_with(1, &reader(1), &large), numbered(2, &reader(2))];
        let mut script = Script::with(parcels, &server);
        let mut courier = courier_in(gear, &server);
        let begun = if gear == Gear::Windows { "BDAT" } else { "DATA" };
        tokio::select! {
            () = script.run_once(&mut courier) => panic!("the server never reads"),
            () = server.heard(begun, 1) => {}
        }
        assert_eq!(script.word(1), "unreachable", "{gear:?}");
        script.check(&server, gear.window());
        assert_eq!(send(&mut courier, "ann@example.org").await.word(), "accepted");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_parcel_that_comes_while_the_last_one_is_answered_goes_over_the_same_connection() {
    for gear in Gear::ALL {
        let server = SmtpServer::start(Wrapping::Plain, gear.offers()).await;
        let mut courier = courier_in(gear, &server);
        let mut script = Script::of(1, &server);
        script.run(&mut courier).await;
        script.add(numbered(2, &reader(2)));
        script.add(numbered(3, &reader(3)));
        script.run(&mut courier).await;
        assert_eq!(script.words(), ["accepted"; 3]);
        assert_eq!(server.connections(), 1, "{gear:?}");
    }
}

#[tokio::test]
async fn chunking_is_left_alone_where_nobody_asked_for_it() {
    let server = SmtpServer::start(Wrapping::Plain, Gear::Windows.offers()).await;
    let mut script = Script::of(3, &server);
    script.run(&mut courier_in(Gear::OneAhead, &server)).await;
    assert_eq!((count(&server, "BDAT"), count(&server, "DATA")), (0, 3));
    script.check(&server, 1);
}
