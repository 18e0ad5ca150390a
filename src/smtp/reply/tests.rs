use super::*;

fn judged(stage: Stage, line: &str) -> &'static str {
    let (code, text) = line.split_once(' ').unwrap();
    let said = Said { code: code.parse().unwrap(), text: text.to_owned() };
    match outcome(stage, &said, Reply::new("mx.test:25", Some(said.code), text)) {
        Outcome::Accepted(_) => "accepted",
        Outcome::Deferred { .. } => "deferred",
        Outcome::Rejected { reason: Reason::Address, .. } => "bad address",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Uncertain(_) => "uncertain",
        Outcome::Unreachable(_) => "unreachable",
        Outcome::NotOurs => "not ours",
    }
}

#[test]
fn replies_that_servers_really_send_are_understood() {
    let table = [
        (Stage::Dot, "250 2.0.0 OK: queued as 4F2A", "accepted"),
        (Stage::Dot, "250 ", "accepted"),
        (Stage::Dot, "354 go on", "uncertain"),
        (Stage::Rcpt, "421 4.7.0 Try again later, closing connection", "deferred"),
        (Stage::Mail, "421 4.3.2 System not accepting network messages", "unreachable"),
        (Stage::Dot, "421 4.4.2 Error: timeout exceeded", "deferred"),
        (Stage::Mail, "451 4.3.0 Temporary lookup failure", "deferred"),
        (Stage::Rcpt, "450 4.2.0 Recipient address rejected: Greylisted", "deferred"),
        (Stage::Rcpt, "451 4.7.1 Greylisting in action, please come back later", "deferred"),
        (Stage::Rcpt, "450 greylisted, see https://postgrey.example", "deferred"),
        (Stage::Rcpt, "452 4.2.2 The email account is over quota", "deferred"),
        (Stage::Dot, "421 4.7.28 Our system has detected an unusual rate", "deferred"),
        (Stage::Dot, "451 4.7.500 Server busy", "deferred"),
        (Stage::Dot, "421 4.7.0 [TSS04] Messages temporarily deferred", "deferred"),
        (Stage::Rcpt, "550 5.1.1 The email account does not exist", "bad address"),
        (Stage::Rcpt, "550-5.1.1 no such user", "bad address"),
        (Stage::Rcpt, "550 #5.1.0 Address rejected.", "rejected"),
        (Stage::Rcpt, "550 #5.1.1 Address rejected.", "bad address"),
        (Stage::Rcpt, "550 5.1.2 Host unknown", "bad address"),
        (Stage::Rcpt, "501 5.1.3 Bad recipient address syntax", "bad address"),
        (Stage::Rcpt, "550 5.1.6 Mailbox has moved", "bad address"),
        (Stage::Rcpt, "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "bad address"),
        (Stage::Rcpt, "550 5.2.1 The email account is disabled", "bad address"),
        (Stage::Dot, "550 5.1.1 User unknown", "bad address"),
        (Stage::Rcpt, "550 No such user here", "bad address"),
        (Stage::Rcpt, "551 User not local; please try <elsewhere>", "bad address"),
        (Stage::Rcpt, "553 sorry, that mailbox name is not allowed", "bad address"),
        (Stage::Dot, "550 Message refused", "rejected"),
        (Stage::Data, "554 no valid recipients", "rejected"),
        (Stage::Rcpt, "550 Relaying denied", "rejected"),
        (Stage::Rcpt, "550 Your address is listed at a blocklist", "rejected"),
        (Stage::Rcpt, "554 5.7.1 Relay access denied", "rejected"),
        (Stage::Rcpt, "550 5.7.1 Service unavailable, client host blocked", "rejected"),
        (Stage::Dot, "550 5.7.515 Access denied, sending domain fails DMARC", "rejected"),
        (Stage::Dot, "550 5.7.26 Unauthenticated email is not accepted", "rejected"),
        (Stage::Mail, "550 5.1.8 Sender address rejected: Domain not found", "rejected"),
        (Stage::Rcpt, "550 5.1.8 Sender address rejected", "rejected"),
        (Stage::Mail, "550 5.1.1 who are you", "rejected"),
        (Stage::Mail, "550 no such sender", "rejected"),
        (Stage::Rcpt, "552 5.2.2 Mailbox full", "rejected"),
        (Stage::Rcpt, "552 mailbox full", "rejected"),
        (Stage::Dot, "552 5.3.4 Message too big", "rejected"),
        (Stage::Rcpt, "550 4.2.2 Over quota", "rejected"),
        (Stage::Data, "250 what", "unreachable"),
        (Stage::Mail, "334 what", "unreachable"),
    ];
    for (stage, line, expected) in table {
        let line = line.replacen('-', " ", usize::from(line.as_bytes()[3] == b'-'));
        assert_eq!(judged(stage, &line), expected, "{stage:?}: {line}");
    }
}

#[test]
fn an_enhanced_code_is_not_found_in_addresses_and_versions() {
    for text in ["192.0.2.1 is blocked", "5.1 x", "5.1.1.1 x", "6.1.1 x", "5.1.1234 x", "", "5..1"]
    {
        assert_eq!(Enhanced::find(text), None, "{text}");
    }
    let some = Some(Enhanced { class: 5, subject: 1, detail: 1 });
    for text in ["5.1.1 x", "[5.1.1] x", "5.1.1: x", "Error: 5.1.1 x"] {
        assert_eq!(Enhanced::find(text), some, "{text}");
    }
}

#[test]
fn the_recipient_is_named_nowhere_in_what_is_kept() {
    let ann = "Ann.Smith@example.org".parse().unwrap();
    let kept = redact("5.1.1 <ann.smith@EXAMPLE.org>: ANN.SMITH@example.org unknown", &ann);
    assert_eq!(kept, "5.1.1 <recipient>: <recipient> unknown");
    let jörg = "jörg@example.org".parse().unwrap();
    assert_eq!(redact("no j??rg@example.org here", &jörg), "no <recipient> here");
}

proptest::proptest! {
    #[test]
    fn no_reply_makes_us_panic(code in 0_u16..1_000, text in "\\PC*") {
        let said = Said { code, text };
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
            outcome(stage, &said, Reply::new("mx", Some(code), &said.text));
        }
        redact(&said.text, &"ann@example.org".parse().unwrap());
    }
}
