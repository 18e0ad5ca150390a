use super::*;
use crate::domain::Reason;
use Stage::{Data, Dot, Mail, Rcpt};

fn judged(stage: Stage, line: &str) -> String {
    let (code, text) = line.split_at(3);
    let said = Said { code: code.parse().unwrap(), text: text[1..].to_owned() };
    let outcome = outcome(stage, &said, Reply::new("mx.test:25", Some(said.code), text));
    match outcome.reason() {
        Some(reason) => format!("{} {}", outcome.word(), reason.as_str()),
        None => outcome.word().to_owned(),
    }
}

fn check(table: &[(Stage, &str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .filter_map(|(stage, line, expected)| {
            let judged = judged(*stage, line);
            (judged != *expected)
                .then(|| format!("{stage:?}: {line}\n  is {judged}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_neither_yes_nor_no_blames_nobody() {
    check(&[
        (Dot, "250 2.0.0 OK: queued as 4F2A", "accepted"),
        (Dot, "250 ", "accepted"),
        (Dot, "354 go on", "uncertain"),
        (Mail, "421 4.3.2 System not accepting network messages", "unreachable"),
        (Mail, "334 what", "unreachable"),
        (Data, "250 what", "unreachable"),
        (Mail, "530 5.7.0 Must issue a STARTTLS command first", "unreachable"),
        (
            Mail,
            "530 5.7.57 Client not authenticated to send mail. [FR2P281CA01.DEUP]",
            "unreachable",
        ),
        (Mail, "535 5.7.8 Authentication credentials invalid", "unreachable"),
        (Rcpt, "530 Authentication required", "unreachable"),
    ]);
}

#[test]
fn a_mailbox_that_does_not_exist_is_told_from_one_that_takes_nothing_now() {
    check(&[
        (
            Rcpt,
            "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking",
            "rejected address",
        ),
        (Rcpt, "550-5.1.1 no such user", "rejected address"),
        (
            Rcpt,
            "550 5.1.1 <a@b>: Recipient address rejected: User unknown in virtual mailbox table",
            "rejected address",
        ),
        (
            Rcpt,
            "550 5.1.1 <a@b>: Recipient address rejected: User unknown in local recipient table",
            "rejected address",
        ),
        (
            Rcpt,
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            "rejected address",
        ),
        (
            Rcpt,
            "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)",
            "rejected address",
        ),
        (
            Dot,
            "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [-9]",
            "rejected address",
        ),
        (
            Dot,
            "554 delivery error: dd Requested mail action aborted, mailbox not found",
            "rejected address",
        ),
        (Rcpt, "550 5.1.1 unknown or illegal alias: a@icloud.com", "rejected address"),
        (Rcpt, "550 5.1.6 recipient no longer on server: a@b", "rejected address"),
        (Rcpt, "550 #5.1.1 Address rejected.", "rejected address"),
        (Rcpt, "550 5.1.2 Host unknown", "rejected address"),
        (Rcpt, "501 5.1.3 Bad recipient address syntax", "rejected address"),
        (
            Rcpt,
            "550 5.2.1 The email account that you tried to reach is disabled",
            "rejected address",
        ),
        (Rcpt, "550 5.2.1 a@b: inactive account", "rejected address"),
        (Dot, "550 5.1.1 User unknown", "rejected address"),
        (Rcpt, "550 No such user here", "rejected address"),
        (Rcpt, "550 Unrouteable address", "rejected address"),
        (Rcpt, "550 unknown user", "rejected address"),
        (Rcpt, "550 Requested action not taken: mailbox unavailable", "rejected address"),
        (Rcpt, "551 User not local; please try <elsewhere>", "rejected address"),
        (Rcpt, "553 sorry, that mailbox name is not allowed", "rejected address"),
        (
            Rcpt,
            "553 5.1.2 The recipient address <a> is not a valid RFC-5321 address",
            "rejected address",
        ),
        (Rcpt, "556 5.1.10 Recipient address has null MX", "rejected address"),
        (Rcpt, "556 domain does not accept mail", "rejected address"),
        (Rcpt, "550 5.7.17 Mailbox owner has changed", "rejected address"),
        (Rcpt, "550 5.7.18 Domain owner has changed", "rejected address"),
        (Rcpt, "550 User not found: a@b", "rejected address"),
        (Dot, "550 no such user (0)", "rejected address"),
        (Rcpt, "552 5.2.2 Mailbox full", "rejected mailbox"),
        (Rcpt, "552 mailbox full", "rejected mailbox"),
        (
            Rcpt,
            "552-5.2.2 The email account that you tried to reach is over quota and inactive.",
            "rejected mailbox",
        ),
        (Dot, "552 1 Requested mail action aborted, mailbox over quota", "rejected mailbox"),
        (Rcpt, "550 4.2.2 Over quota", "rejected mailbox"),
        (
            Rcpt,
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
            "rejected mailbox",
        ),
        (
            Rcpt,
            "452 4.2.2 The email account that you tried to reach is over quota",
            "deferred mailbox",
        ),
        (Dot, "452 4.2.2 <a@b> Mailbox is full / Blocks limit exceeded", "deferred mailbox"),
        (Rcpt, "452 Mailbox is full", "deferred mailbox"),
        (
            Rcpt,
            "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
            "deferred mailbox",
        ),
        (
            Rcpt,
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages",
            "rejected mailbox",
        ),
        (Rcpt, "450 4.2.0 mailbox busy", "deferred mailbox"),
        (Rcpt, "450 Requested mail action not taken: mailbox unavailable", "deferred mailbox"),
        (
            Rcpt,
            "450 4.1.1 <a@b>: Recipient address rejected: unverified address",
            "deferred mailbox",
        ),
        (
            Rcpt,
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)",
            "rejected mailbox",
        ),
        (Dot, "550 5.4.310 DNS domain b.example does not exist", "rejected mailbox"),
        (Dot, "554 5.4.6 Too many hops", "rejected mailbox"),
        (Dot, "554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "rejected mailbox"),
        (Rcpt, "550 #5.1.0 Address rejected.", "rejected mailbox"),
        (Rcpt, "550 5.0.0 User unknown", "rejected address"),
    ]);
}

#[test]
fn a_server_that_wants_less_of_us_is_told_from_one_that_wants_to_see_us_again() {
    check(&[
        (
            Dot,
            "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address",
            "deferred throttle",
        ),
        (
            Dot,
            "421-4.7.28 Gmail has detected an unusual rate of mail. To protect our users from spam",
            "deferred throttle",
        ),
        (
            Dot,
            "550 5.7.28 Our system has detected an unusual rate of unsolicited mail",
            "rejected throttle",
        ),
        (Rcpt, "421 4.7.0 Try again later, closing connection. (EHLO)", "deferred throttle"),
        (
            Dot,
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
            "deferred throttle",
        ),
        (
            Rcpt,
            "421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred",
            "deferred throttle",
        ),
        (
            Dot,
            "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)",
            "deferred throttle",
        ),
        (
            Rcpt,
            "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.",
            "deferred throttle",
        ),
        (
            Rcpt,
            "451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited",
            "deferred throttle",
        ),
        (
            Rcpt,
            "421 RP-001 (COL004-MC1F24) Unfortunately, some messages from 192.0.2.1 weren't sent",
            "deferred throttle",
        ),
        (Rcpt, "421 RP-002 The mail server IP has exceeded the rate limit", "deferred throttle"),
        (Rcpt, "450 4.7.1 Error: too much mail from 192.0.2.1", "deferred throttle"),
        (Rcpt, "421 4.7.0 mx.b Error: too many connections from 192.0.2.1", "deferred throttle"),
        (
            Rcpt,
            "450 4.7.1 Requested action not taken: mail receiving rate limit exceeded",
            "deferred throttle",
        ),
        (
            Rcpt,
            "421 Too many concurrent SMTP connections; please try again later.",
            "deferred throttle",
        ),
        (
            Dot,
            "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing",
            "deferred throttle",
        ),
        (Rcpt, "452 4.5.3 Error: too many recipients", "deferred throttle"),
        (Rcpt, "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", "deferred throttle"),
        (Dot, "421 4.4.5 Server busy, try again later", "deferred throttle"),
        (Rcpt, "421 Service not available, closing transmission channel", "deferred throttle"),
        (Dot, "450 4.2.0 Sending limit exceeded, slow down", "deferred throttle"),
        (Dot, "454 Throttling failure: Maximum sending rate exceeded.", "deferred throttle"),
        (Dot, "454 4.7.0 Throttling failure: Daily message quota exceeded.", "deferred throttle"),
        (
            Rcpt,
            "450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.html",
            "deferred greylist",
        ),
        (
            Rcpt,
            "450 4.7.1 <a@b>: Recipient address rejected: Greylisted for 5 minutes",
            "deferred greylist",
        ),
        (
            Rcpt,
            "451 4.7.1 Greylisting in action, please come back in 00:04:59",
            "deferred greylist",
        ),
        (Rcpt, "451 Greylisted, please try again in 300 seconds", "deferred greylist"),
        (Rcpt, "450 greylisted, see https://postgrey.example", "deferred greylist"),
        (Data, "451 4.7.1 Please try again later", "deferred greylist"),
        (Rcpt, "450 4.7.1 Service temporarily unavailable", "deferred greylist"),
        (Rcpt, "451 4.3.0 graylisting in effect", "deferred greylist"),
        (Rcpt, "451 4.4.4 Temporary: Grey-listed", "deferred greylist"),
    ]);
}

#[test]
fn a_rule_that_we_break_is_nobodys_address() {
    check(&[
        (
            Dot,
            "550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level.",
            "rejected policy",
        ),
        (
            Dot,
            "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
            "rejected policy",
        ),
        (
            Dot,
            "550 5.7.25 The IP address sending this message does not have a PTR record setup",
            "rejected policy",
        ),
        (
            Dot,
            "550 5.7.1 Our system has detected that this message is likely unsolicited mail.",
            "rejected policy",
        ),
        (
            Mail,
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. block list (S3140).",
            "rejected policy",
        ),
        (
            Rcpt,
            "550 SC-001 (BAY004-MC1F) Unfortunately, messages from 192.0.2.1 weren't sent: spam",
            "rejected policy",
        ),
        (Rcpt, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "rejected policy"),
        (Rcpt, "550 5.7.511 Access denied, banned sender[192.0.2.1]", "rejected policy"),
        (
            Dot,
            "421 4.7.32 Your email has been rate limited because the From: header isn't aligned with SPF or DKIM",
            "deferred throttle",
        ),
        (
            Dot,
            "421 4.7.26 This mail is unauthenticated, which poses a security risk",
            "deferred policy",
        ),
        (Dot, "421 4.7.29 This message was not sent over a TLS connection", "deferred policy"),
        (Dot, "451 4.7.32 From: header isn't aligned", "deferred policy"),
        (
            Dot,
            "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
            "rejected policy",
        ),
        (
            Rcpt,
            "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list",
            "rejected policy",
        ),
        (
            Dot,
            "550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
            "rejected policy",
        ),
        (Dot, "554 5.7.1 [HM08] Message rejected due to local policy.", "rejected policy"),
        (Rcpt, "554 5.7.1 <a@b>: Relay access denied", "rejected policy"),
        (
            Rcpt,
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            "rejected policy",
        ),
        (
            Rcpt,
            "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
            "deferred policy",
        ),
        (
            Rcpt,
            "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
            "deferred policy",
        ),
        (Rcpt, "450 4.7.1 <news>: Helo command rejected: Host not found", "deferred policy"),
        (Rcpt, "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", "rejected policy"),
        (Rcpt, "550 Relaying denied", "rejected policy"),
        (Rcpt, "550 relay not permitted", "rejected policy"),
        (Rcpt, "550 Your address is listed at a blocklist", "rejected policy"),
        (Rcpt, "550 Verification failed for sender", "rejected policy"),
        (Rcpt, "521 5.2.1 : (CON:B1) https://postmaster.aol.com", "rejected policy"),
        (Dot, "541 Recipient rejected the message", "rejected policy"),
        (Mail, "550 5.1.8 Sender address rejected: Domain not found", "rejected policy"),
        (Rcpt, "550 5.1.8 Sender address rejected", "rejected policy"),
        (Mail, "550 5.1.7 Invalid sender address", "rejected policy"),
        (Mail, "550 5.1.1 who are you", "rejected policy"),
        (Mail, "550 no such sender", "rejected policy"),
        (Dot, "554 Denied (Mode: normal)", "rejected policy"),
        (Dot, "550 High probability of spam", "rejected policy"),
        (Dot, "554 5.7.1 Message cannot be accepted, virus found", "rejected policy"),
        (Dot, "550 5.7.0 Local Policy Violation", "rejected policy"),
    ]);
}

#[test]
fn trouble_and_messages_that_are_not_to_their_taste_have_their_own_words() {
    check(&[
        (Mail, "451 4.3.0 Temporary lookup failure", "deferred system"),
        (Rcpt, "451 4.3.0 <a@b>: Temporary lookup failure", "deferred system"),
        (Dot, "451 4.3.0 Error: queue file write error", "deferred system"),
        (Mail, "452 4.3.1 Insufficient system storage", "deferred system"),
        (Rcpt, "452 4.3.1 Insufficient system resources", "deferred system"),
        (Dot, "421 4.4.2 mx.b Error: timeout exceeded", "deferred system"),
        (Rcpt, "421 mx.b: SMTP command timeout - closing connection", "deferred system"),
        (Rcpt, "421 4.3.2 Service shutting down", "deferred system"),
        (Rcpt, "450 4.1.2 <a@b>: Recipient address rejected: Domain not found", "deferred system"),
        (Rcpt, "451 4.4.3 Temporary server error. Please try again later ATTR1", "deferred system"),
        (Dot, "451 4.7.0 Temporary server error. Please try again later. PRX4", "deferred system"),
        (Rcpt, "451 Temporary local problem - please try later", "deferred system"),
        (Rcpt, "454 4.7.0 TLS not available due to local problem", "deferred system"),
        (Rcpt, "450 4.4.316 Connection refused", "deferred system"),
        (Dot, "451 Requested action aborted: local error in processing", "deferred system"),
        (Data, "554 no valid recipients", "rejected system"),
        (Data, "503 5.5.1 Error: need RCPT command", "rejected system"),
        (Rcpt, "500 5.5.2 Error: bad syntax", "rejected system"),
        (Dot, "550 Message refused", "rejected system"),
        (Dot, "554 Transaction failed", "rejected system"),
        (Dot, "554 5.3.0 Error: transport error", "rejected system"),
        (Dot, "552 5.3.4 Message too big for system", "rejected message"),
        (Mail, "552 5.3.4 Message size exceeds fixed limit", "rejected message"),
        (Dot, "552 5.2.3 Message exceeds local size limit", "rejected message"),
        (Dot, "552 message size exceeds maximum", "rejected message"),
        (Dot, "550 5.6.0 Lone CR or LF in body", "rejected message"),
        (Mail, "553 5.6.7 SMTPUTF8 not supported", "rejected message"),
        (Dot, "550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal", "rejected message"),
        (Dot, "554 5.6.1 Body type not supported by Remote Host", "rejected message"),
        (Mail, "555 unsupported parameters", "rejected message"),
    ]);
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
    fn no_reply_makes_us_panic_and_none_to_mail_blames_the_recipient(
        code in 0_u16..1_000, text in "[45][.][0-9][.][0-9]{1,3} \\PC*|\\PC*",
    ) {
        let said = Said { code, text };
        for stage in [Mail, Rcpt, Data, Dot] {
            let outcome = outcome(stage, &said, Reply::new("mx", Some(code), &said.text));
            let blamed = outcome.reason() == Some(Reason::Address);
            proptest::prop_assert!(!blamed || (stage != Mail && code >= 500));
        }
        redact(&said.text, &"ann@example.org".parse().unwrap());
    }
}
