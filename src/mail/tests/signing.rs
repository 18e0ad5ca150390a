//! Signatures, encodings and list headers, seen from the finished bytes.

use std::sync::Arc;

use super::*;
use crate::config::DkimKey;
use crate::domain::{SigningAlgorithm, SigningKey, VerifyingKey};

const RSA: &str = include_str!("../../../tests/fixtures/dkim/rsa.pem");
const ED25519: &str = include_str!("../../../tests/fixtures/dkim/ed25519.pem");

fn key(domain: &str, selector: &str, pem: &str, from: Option<&str>) -> DkimKey {
    DkimKey {
        domain: domain.to_owned(),
        selector: selector.to_owned(),
        key: Arc::new(SigningKey::from_pem(pem).unwrap()),
        from: from.map(|from| from.parse().unwrap()),
    }
}

fn both() -> [DkimKey; 2] {
    [key("example.org", "ed", ED25519, None), key("example.org", "rsa", RSA, None)]
}

fn public(keys: &[DkimKey]) -> Vec<VerifyingKey> {
    keys.iter().map(|key| key.key.public_key()).collect()
}

fn signed_at(composed: &Composed, keys: &[DkimKey], now: &str) -> Vec<u8> {
    let list = composed.hole.is_some().then(list);
    let from = sender();
    let envelope = Envelope { list, dkim: keys, ..envelope(&from) };
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let recipient = Recipient { signed_at: Some(now.parse().unwrap()), ..recipient(&to) };
    Blueprint::new(composed, &envelope).unwrap().fill(&recipient)
}

fn signed(composed: &Composed, keys: &[DkimKey]) -> Vec<u8> {
    signed_at(composed, keys, "2026-11-23T06:00:07Z")
}

/// The tags `a` and `s` of each signature, in order.
fn signers(eml: &[u8]) -> Vec<(String, String)> {
    let message = parse(eml);
    let tag = |value: &str, name: &str| {
        let tag = value.split(';').map(str::trim).find_map(|tag| tag.strip_prefix(name));
        tag.unwrap().to_owned()
    };
    let signatures = message.headers_raw().filter(|(name, _)| *name == "DKIM-Signature");
    signatures.map(|(_, value)| (tag(value, "a="), tag(value, "s="))).collect()
}

#[test]
fn every_mail_is_signed_with_both_algorithms_rsa_first() {
    let keys = both();
    for composed in [digest(), compose(Cadence::Instant, vec![odd()]), confirmation()] {
        let eml = signed(&composed, &keys);
        assert_is_clean_smtp(&eml);
        assert_eq!(verify(&eml, &public(&keys)), Ok(2));
        let pair = |a: &str, s: &str| (a.to_owned(), s.to_owned());
        assert_eq!(signers(&eml), [pair("rsa-sha256", "rsa"), pair("ed25519-sha256", "ed")]);
        assert_eq!(bodies(&eml), with_token(&composed));
    }
}

#[test]
fn a_signed_mail_looks_as_it_should() {
    let eml = String::from_utf8(signed(&digest(), &both())).unwrap().replace("\r\n", "\n");
    let (head, _) = eml.split_once("\n\n").unwrap();
    insta::assert_snapshot!("signed-head", head);
}

#[test]
fn a_signature_holds_two_weeks_and_its_lines_are_short() {
    let eml = String::from_utf8(signed(&digest(), &both())).unwrap();
    assert_eq!(eml.matches("t=1795413607; x=1796623207;").count(), 2, "{eml}");
    let head = eml.split("\r\nTo: ").next().unwrap();
    assert!(head.split("\r\n").all(|line| line.len() <= 78), "{head}");
    assert!(!head.contains("l="), "part of a body would be open to additions");
}

#[test]
fn a_change_of_anything_that_counts_is_noticed() {
    let keys = both();
    let eml = signed(&digest(), &keys);
    let text = String::from_utf8(eml.clone()).unwrap();
    let public = public(&keys);
    for (old, new) in [
        ("To: ann@", "To: bob@"),
        ("Subject: ", "Subject: Re: "),
        ("unsubscribe/c2F", "unsubscribe/c3F"),
        ("One-Click", "Two-Click"),
        ("Message-ID: <4", "Message-ID: <5"),
        ("multipart/alternative", "multipart/mixed"),
        ("06:00:00 +0000", "06:00:01 +0000"),
        ("List-Post: NO", "List-Post: <mailto:a@example.org>"),
        ("FIELD NOTES WEEKLY", "FIELD NOTES MONTHLY"),
        ("t=1795413607", "t=1795413608"),
        ("\r\nSubject: ", "\r\nSubject: Buy this\r\nSubject: "),
        ("\r\nFrom: ", "\r\nFrom: eve@example.org\r\nFrom: "),
    ] {
        let forged = text.replacen(old, new, 1);
        assert_ne!(forged, text, "{old}");
        assert!(verify(forged.as_bytes(), &public).is_err(), "{old}");
    }
    // What servers on the way may do.
    for (old, new) in [
        ("Subject: ", "Subject:   "),
        ("FIELD NOTES WEEKLY\r\n", "FIELD NOTES WEEKLY \t\r\n"),
        ("Precedence: bulk\r\n", ""),
        ("To: ", "Received: by relay.example\r\nTo: "),
    ] {
        let relayed = text.replacen(old, new, 1);
        assert_eq!(verify(relayed.as_bytes(), &public), Ok(2), "{old}");
    }
}

#[test]
fn the_newest_key_whose_time_has_come_signs() {
    let keys = [
        key("example.org", "old", RSA, None),
        key("example.org", "new", RSA, Some("2026-12-01T00:00:00Z")),
        key("example.org", "next", RSA, Some("2027-12-01T00:00:00Z")),
    ];
    for (now, selector) in [
        ("2026-11-30T23:59:59Z", "old"),
        ("2026-12-01T00:00:00Z", "new"),
        ("2027-11-30T00:00:00Z", "new"),
        ("2030-01-01T00:00:00Z", "next"),
    ] {
        let eml = signed_at(&digest(), &keys, now);
        assert_eq!(signers(&eml), [("rsa-sha256".to_owned(), selector.to_owned())], "{now}");
        assert_eq!(verify(&eml, &public(&keys)), Ok(1));
    }
    assert_eq!(signers(&signed_at(&digest(), &keys[2..], "2026-11-23T06:00:00Z")), []);
}

#[test]
fn only_keys_of_the_senders_domain_or_one_above_it_sign() {
    for (domain, signs) in [
        ("example.org", true),
        ("xample.org", false),
        ("news.example.org", false),
        ("example.com", false),
    ] {
        let eml = signed(&digest(), &[key(domain, "s", RSA, None)]);
        assert_eq!(!signers(&eml).is_empty(), signs, "{domain}");
    }
    let from = Mailbox { address: "a@news.example.org".parse().unwrap(), ..sender() };
    let keys = [
        key("example.org", "above", RSA, None),
        key("news.example.org", "own", RSA, None),
        key("example.org", "ed", ED25519, None),
    ];
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let recipient = Recipient { signed_at: Some(Timestamp::UNIX_EPOCH), ..recipient(&to) };
    let envelope = Envelope { dkim: &keys, ..envelope(&from) };
    let eml = Blueprint::new(&digest(), &envelope).unwrap().fill(&recipient);
    let selectors: Vec<_> = signers(&eml).into_iter().map(|(_, selector)| selector).collect();
    assert_eq!(selectors, ["own", "ed"]);
}

#[test]
fn a_server_that_signs_itself_gets_the_mail_unsigned() {
    let keys = both();
    let from = sender();
    let envelope = Envelope { dkim: &keys, ..envelope(&from) };
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let eml = Blueprint::new(&confirmation(), &envelope).unwrap().fill(&recipient(&to));
    assert_eq!(signers(&eml), []);
}

#[test]
fn mail_without_a_token_and_mail_to_an_address_outside_ascii_are_signed_too() {
    let keys = both();
    let from = sender();
    let envelope = Envelope { dkim: &keys, list: Some(list()), ..envelope(&from) };
    let blueprint = Blueprint::new(&digest(), &envelope).unwrap();
    for (to, token) in [("ann@example.net", None), ("jörg@bücher.example", Some(TOKEN))] {
        let to: EmailAddress = to.parse().unwrap();
        let recipient = Recipient {
            unsubscribe_token: token,
            signed_at: Some(Timestamp::UNIX_EPOCH),
            ..recipient(&to)
        };
        assert_eq!(verify(&blueprint.fill(&recipient), &public(&keys)), Ok(2));
    }
}

#[test]
fn a_list_says_all_that_is_true_of_it() {
    let mailbox: EmailAddress = "leave+us%now@example.org".parse().unwrap();
    let owner: EmailAddress = "robin@example.org".parse().unwrap();
    let list = ListHeaders {
        title: "Jörg, every week",
        unsubscribe_mailto: Some(&mailbox),
        owner: Some(&owner),
        ..list()
    };
    let feedback =
        FeedbackId { campaign: "17", newsletter: "weekly", kind: "edition", sender: "fieldnotes" };
    let keys = both();
    let from = sender();
    let envelope =
        Envelope { list: Some(list), feedback: Some(feedback), dkim: &keys, ..envelope(&from) };
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let recipient = Recipient { signed_at: Some(Timestamp::UNIX_EPOCH), ..recipient(&to) };
    let eml = Blueprint::new(&digest(), &envelope).unwrap().fill(&recipient);
    assert_is_clean_smtp(&eml);
    assert_eq!(verify(&eml, &public(&keys)), Ok(2));
    let text = String::from_utf8(eml).unwrap();
    for line in [
        &format!(
            "List-Unsubscribe: <https://news.example.org/unsubscribe/{TOKEN}>, \
             <mailto:leave%2Bus%25now@example.org?subject={TOKEN}>"
        ),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Id: =?utf-8?q?J=C3=B6rg=2C_every_week?= <weekly.example.org>",
        "List-Post: NO",
        "List-Owner: <mailto:robin@example.org>",
        "List-Archive: <https://example.org/>",
        "List-Subscribe: <https://news.example.org/subscribe/weekly>",
        "Feedback-ID: 17:weekly:edition:fieldnotes",
    ] {
        assert_eq!(text.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}\n{text}");
    }
    let signed = parse(text.as_bytes()).header_raw("DKIM-Signature").unwrap().to_owned();
    let signed: String = signed.split_whitespace().collect();
    for name in
        ["list-unsubscribe", "list-unsubscribe-post", "feedback-id", "list-id", "message-id"]
    {
        assert!(signed.contains(&format!(":{name}:")), "{signed}");
    }
}

/// A post in a script that quoted-printable makes three times as long.
fn in_japanese() -> Composed {
    let html = "<p>川沿いを歩いて、石を拾った。</p>".repeat(40);
    let text = "川沿いを歩いて、石を拾った。\n\n".repeat(40);
    let one = written(post("kawa", "川沿いの散歩"), &html, &text);
    compose(Cadence::Instant, vec![one])
}

#[test]
fn a_text_in_other_letters_travels_in_base64_and_keeps_its_token() {
    let composed = in_japanese();
    let eml = signed(&composed, &both());
    assert_is_clean_smtp(&eml);
    assert_eq!(bodies(&eml), with_token(&composed));
    assert_eq!(verify(&eml, &public(&both())), Ok(2));
    let text = String::from_utf8(eml).unwrap();
    assert!(text.contains("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64"));
    // Wherever the hole falls, and with nothing or nearly nothing between two.
    for before in 0..7 {
        for between in 0..5 {
            let hole = composed.hole.clone().unwrap();
            let (before, between) = ("é".repeat(before) + "x", "y".repeat(between));
            let text =
                format!("川川川川{before}{hole}{between}{hole}\n川川{}{hole}", "川".repeat(99));
            let composed = Composed { text, ..composed.clone() };
            let eml = fill(&composed);
            assert_is_clean_smtp(&eml);
            assert_eq!(bodies(&eml).0, with_token(&composed).0);
        }
    }
}

#[test]
fn eight_bit_mail_is_for_servers_that_take_it_and_for_texts_that_survive_it() {
    let keys = both();
    let from = sender();
    let to: EmailAddress = "ann@example.net".parse().unwrap();
    let at = Some(Timestamp::UNIX_EPOCH);
    let make = |composed: &Composed, encoding, eight_bit| {
        let envelope = Envelope { list: Some(list()), dkim: &keys, encoding, ..envelope(&from) };
        let blueprint = Blueprint::new(composed, &envelope).unwrap();
        let eml = blueprint.fill(&Recipient { signed_at: at, eight_bit, ..recipient(&to) });
        assert_eq!(verify(&eml, &public(&keys)), Ok(2));
        assert_eq!(bodies(&eml), with_token(composed));
        String::from_utf8(eml).unwrap()
    };
    let composed = in_japanese();
    let eight = make(&composed, MailEncoding::EightBit, true);
    assert!(eight.contains("Content-Transfer-Encoding: 8bit") && eight.contains("石を拾った"));
    assert!(eight.split("\r\n").all(|line| line.len() <= 998));
    assert!(eight.split("\r\n\r\n").next().unwrap().is_ascii());
    for (encoding, offered) in [
        (MailEncoding::EightBit, false),
        (MailEncoding::QuotedPrintable, true),
        (MailEncoding::QuotedPrintable, false),
    ] {
        let eml = make(&composed, encoding, offered);
        assert!(eml.is_ascii() && !eml.contains("8bit"));
    }
    for harmed in [format!("{}é", "x".repeat(998)), "é \nx".to_owned(), "é\nFrom here".to_owned()]
    {
        let composed = Composed { text: harmed, ..composed.clone() };
        let eml = make(&composed, MailEncoding::EightBit, true);
        assert!(!eml.contains("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit"));
    }
}

#[test]
fn signing_asks_for_memory_for_the_message_once() {
    let keys = both();
    let eml = signed(&digest(), &keys);
    assert!(eml.capacity() - eml.len() < 1_500, "{} of {}", eml.len(), eml.capacity());
    assert_eq!(keys[0].key.algorithm(), SigningAlgorithm::Ed25519Sha256);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_a_post_says_its_signature_holds(
        title in "(\\PC|[\\x00-\\x20\u{202e}👩‍🚀]){0,80}",
        text in "(\\PC|[\\x00-\\x20=.\t]){0,400}",
        name in "(\\PC|[\\x00-\\x20\"=?]){0,60}",
        eight_bit: bool,
    ) {
        let html = format!("<pre>{}</pre>", text.replace(['<', '&'], ""));
        let one = written(post("slug", &title), &html, &text);
        let composed = compose(Cadence::Instant, vec![one]);
        let keys = [key("example.org", "ed", ED25519, None)];
        let from = Mailbox { name: Some(name.clone()), ..sender() };
        let list = ListHeaders { title: &name, ..list() };
        let envelope = Envelope {
            reply_to: Some(&from),
            list: Some(list),
            dkim: &keys,
            encoding: MailEncoding::EightBit,
            ..envelope(&from)
        };
        let to: EmailAddress = "ann@example.net".parse().unwrap();
        let recipient =
            Recipient { signed_at: Some(Timestamp::UNIX_EPOCH), eight_bit, ..recipient(&to) };
        let eml = Blueprint::new(&composed, &envelope).unwrap().fill(&recipient);
        prop_assert_eq!(verify(&eml, &public(&keys)), Ok(1));
        prop_assert_eq!(bodies(&eml), with_token(&composed));
        let message = parse(&eml);
        prop_assert_eq!(message.subject().unwrap_or_default(), composed.subject.as_str());
        prop_assert_eq!(message.headers_raw().count(), 18);
    }
}
