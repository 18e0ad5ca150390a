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

/// Each outcome stands above the replies that come to it, which stand behind what they answer.
fn check(table: &str) {
    let mut expected = "";
    let mut wrong = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let line = line.strip_prefix("        ").unwrap();
        let Some(row) = line.strip_prefix("    ") else {
            expected = line;
            continue;
        };
        let (stage, said) = row.split_once(' ').unwrap();
        let stage = match stage {
            "mail" => Mail,
            "rcpt" => Rcpt,
            "data" => Data,
            "dot" => Dot,
            other => panic!("{other}"),
        };
        let judged = judged(stage, said);
        if judged != expected {
            wrong.push(format!("{row}\n  is {judged}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_neither_yes_nor_no_blames_nobody() {
    check(
        r"
        accepted
            dot 250 2.0.0 OK: queued as 4F2A
            dot 250 
        uncertain
            dot 354 go on
        unreachable
            mail 421 4.3.2 System not accepting network messages
            mail 334 what
            data 250 what
            mail 530 5.7.0 Must issue a STARTTLS command first
            mail 530 5.7.57 Client not authenticated to send mail. [FR2P281CA01.DEUP]
            mail 535 5.7.8 Authentication credentials invalid
            rcpt 530 Authentication required
        ",
    );
}

#[test]
fn a_mailbox_that_does_not_exist_is_told_from_one_that_takes_nothing_now() {
    check(
        r"
        rejected address
            rcpt 550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking
            rcpt 550-5.1.1 no such user
            rcpt 550 5.1.1 <a@b>: Recipient address rejected: User unknown in virtual mailbox table
            rcpt 550 5.1.1 <a@b>: Recipient address rejected: User unknown in local recipient table
            rcpt 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
            rcpt 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)
            dot 554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [-9]
            dot 554 delivery error: dd Requested mail action aborted, mailbox not found
            rcpt 550 5.1.1 unknown or illegal alias: a@icloud.com
            rcpt 550 5.1.6 recipient no longer on server: a@b
            rcpt 550 #5.1.1 Address rejected.
            rcpt 550 5.1.2 Host unknown
            rcpt 501 5.1.3 Bad recipient address syntax
            rcpt 550 5.2.1 The email account that you tried to reach is disabled
            rcpt 550 5.2.1 a@b: inactive account
            dot 550 5.1.1 User unknown
            rcpt 550 No such user here
            rcpt 550 Unrouteable address
            rcpt 550 unknown user
            rcpt 550 Requested action not taken: mailbox unavailable
            rcpt 551 User not local; please try <elsewhere>
            rcpt 553 sorry, that mailbox name is not allowed
            rcpt 553 5.1.2 The recipient address <a> is not a valid RFC-5321 address
            rcpt 556 5.1.10 Recipient address has null MX
            rcpt 556 domain does not accept mail
            rcpt 550 5.7.17 Mailbox owner has changed
            rcpt 550 5.7.18 Domain owner has changed
            rcpt 550 User not found: a@b
            dot 550 no such user (0)
            rcpt 550 5.0.0 User unknown
        rejected mailbox
            rcpt 552 5.2.2 Mailbox full
            rcpt 552 mailbox full
            rcpt 552-5.2.2 The email account that you tried to reach is over quota and inactive.
            dot 552 1 Requested mail action aborted, mailbox over quota
            rcpt 550 4.2.2 Over quota
            rcpt 554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException
            rcpt 550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages
            rcpt 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
            dot 550 5.4.310 DNS domain b.example does not exist
            dot 554 5.4.6 Too many hops
            dot 554 5.4.14 Hop count exceeded - possible mail loop ATTR34
            rcpt 550 #5.1.0 Address rejected.
        deferred mailbox
            rcpt 452 4.2.2 The email account that you tried to reach is over quota
            dot 452 4.2.2 <a@b> Mailbox is full / Blocks limit exceeded
            rcpt 452 Mailbox is full
            rcpt 450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages
            rcpt 450 4.2.0 mailbox busy
            rcpt 450 Requested mail action not taken: mailbox unavailable
            rcpt 450 4.1.1 <a@b>: Recipient address rejected: unverified address
        ",
    );
}

#[test]
fn a_server_that_wants_less_of_us_is_told_from_one_that_wants_to_see_us_again() {
    check(
        r"
        deferred throttle
            dot 421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address
            dot 421-4.7.28 Gmail has detected an unusual rate of mail. To protect our users from spam
            rcpt 421 4.7.0 Try again later, closing connection. (EHLO)
            dot 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints
            rcpt 421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred
            dot 451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)
            rcpt 451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.
            rcpt 451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited
            rcpt 421 RP-001 (COL004-MC1F24) Unfortunately, some messages from 192.0.2.1 weren't sent
            rcpt 421 RP-002 The mail server IP has exceeded the rate limit
            rcpt 450 4.7.1 Error: too much mail from 192.0.2.1
            rcpt 421 4.7.0 mx.b Error: too many connections from 192.0.2.1
            rcpt 450 4.7.1 Requested action not taken: mail receiving rate limit exceeded
            rcpt 421 Too many concurrent SMTP connections; please try again later.
            dot 421 4.3.2 The maximum number of concurrent connections has exceeded a limit, closing
            rcpt 452 4.5.3 Error: too many recipients
            rcpt 432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded
            dot 421 4.4.5 Server busy, try again later
            rcpt 421 Service not available, closing transmission channel
            dot 450 4.2.0 Sending limit exceeded, slow down
            dot 454 Throttling failure: Maximum sending rate exceeded.
            dot 454 4.7.0 Throttling failure: Daily message quota exceeded.
        rejected throttle
            dot 550 5.7.28 Our system has detected an unusual rate of unsolicited mail
        deferred greylist
            rcpt 450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.html
            rcpt 450 4.7.1 <a@b>: Recipient address rejected: Greylisted for 5 minutes
            rcpt 451 4.7.1 Greylisting in action, please come back in 00:04:59
            rcpt 451 Greylisted, please try again in 300 seconds
            rcpt 450 greylisted, see https://postgrey.example
            data 451 4.7.1 Please try again later
            rcpt 450 4.7.1 Service temporarily unavailable
            rcpt 451 4.3.0 graylisting in effect
            rcpt 451 4.4.4 Temporary: Grey-listed
        ",
    );
}

#[test]
fn a_rule_that_we_break_is_nobodys_address() {
    check(
        r"
        rejected policy
            dot 550 5.7.515 Access denied, sending domain example.org does not meet the required authentication level.
            dot 550 5.7.26 This mail has been blocked because the sender is unauthenticated.
            dot 550 5.7.25 The IP address sending this message does not have a PTR record setup
            dot 550 5.7.1 Our system has detected that this message is likely unsolicited mail.
            mail 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. block list (S3140).
            rcpt 550 SC-001 (BAY004-MC1F) Unfortunately, messages from 192.0.2.1 weren't sent: spam
            rcpt 550 5.7.606 Access denied, banned sending IP [192.0.2.1]
            rcpt 550 5.7.511 Access denied, banned sender[192.0.2.1]
            dot 554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes
            rcpt 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list
            dot 550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137
            dot 554 5.7.1 [HM08] Message rejected due to local policy.
            rcpt 554 5.7.1 <a@b>: Relay access denied
            rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org
            rcpt 550 5.7.1 RESOLVER.RST.AuthRequired; authentication required
            rcpt 550 Relaying denied
            rcpt 550 relay not permitted
            rcpt 550 Your address is listed at a blocklist
            rcpt 550 Verification failed for sender
            rcpt 521 5.2.1 : (CON:B1) https://postmaster.aol.com
            dot 541 Recipient rejected the message
            mail 550 5.1.8 Sender address rejected: Domain not found
            rcpt 550 5.1.8 Sender address rejected
            mail 550 5.1.7 Invalid sender address
            mail 550 5.1.1 who are you
            mail 550 no such sender
            dot 554 Denied (Mode: normal)
            dot 550 High probability of spam
            dot 554 5.7.1 Message cannot be accepted, virus found
            dot 550 5.7.0 Local Policy Violation
        deferred throttle
            dot 421 4.7.32 Your email has been rate limited because the From: header isn't aligned with SPF or DKIM
        deferred policy
            dot 421 4.7.26 This mail is unauthenticated, which poses a security risk
            dot 421 4.7.29 This message was not sent over a TLS connection
            dot 451 4.7.32 From: header isn't aligned
            rcpt 450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]
            rcpt 450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]
            rcpt 450 4.7.1 <news>: Helo command rejected: Host not found
        ",
    );
}

#[test]
fn trouble_and_messages_that_are_not_to_their_taste_have_their_own_words() {
    check(
        r"
        deferred system
            mail 451 4.3.0 Temporary lookup failure
            rcpt 451 4.3.0 <a@b>: Temporary lookup failure
            dot 451 4.3.0 Error: queue file write error
            mail 452 4.3.1 Insufficient system storage
            rcpt 452 4.3.1 Insufficient system resources
            dot 421 4.4.2 mx.b Error: timeout exceeded
            rcpt 421 mx.b: SMTP command timeout - closing connection
            rcpt 421 4.3.2 Service shutting down
            rcpt 450 4.1.2 <a@b>: Recipient address rejected: Domain not found
            rcpt 451 4.4.3 Temporary server error. Please try again later ATTR1
            dot 451 4.7.0 Temporary server error. Please try again later. PRX4
            rcpt 451 Temporary local problem - please try later
            rcpt 454 4.7.0 TLS not available due to local problem
            rcpt 450 4.4.316 Connection refused
            dot 451 Requested action aborted: local error in processing
        rejected system
            data 554 no valid recipients
            data 503 5.5.1 Error: need RCPT command
            rcpt 500 5.5.2 Error: bad syntax
            dot 550 Message refused
            dot 554 Transaction failed
            dot 554 5.3.0 Error: transport error
        rejected message
            dot 552 5.3.4 Message too big for system
            mail 552 5.3.4 Message size exceeds fixed limit
            dot 552 5.2.3 Message exceeds local size limit
            dot 552 message size exceeds maximum
            dot 550 5.6.0 Lone CR or LF in body
            mail 553 5.6.7 SMTPUTF8 not supported
            dot 550 5.6.11 SMTPSEND.BareLinefeedsAreIllegal
            dot 554 5.6.1 Body type not supported by Remote Host
            mail 555 unsupported parameters
        ",
    );
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
