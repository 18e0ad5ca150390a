use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::deliverability::tests::{faults, sender, settled};

/// The key in RFC 6376's appendix C, of 1024 bits.
const RFC_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt\
    IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9\
    tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(u8::try_from(length).unwrap()),
        _ => out.extend([
            0x82,
            u8::try_from(length >> 8).unwrap(),
            u8::try_from(length & 0xff).unwrap(),
        ]),
    }
    out.extend_from_slice(contents);
    out
}

/// An `RSAPublicKey` whose modulus has `bits` bits, and the `SubjectPublicKeyInfo` around it.
fn rsa(bits: usize) -> (Vec<u8>, Vec<u8>) {
    let modulus = [&[0][..], &vec![0xff; bits / 8]].concat();
    let bare = der(0x30, &[der(0x02, &modulus), der(0x02, &[1, 0, 1])].concat());
    let algorithm = der(0x30, &[0x06, 0x01, 0x2a, 0x05, 0x00]);
    let info = der(0x30, &[algorithm, der(0x03, &[&[0][..], &bare].concat())].concat());
    (bare, info)
}

fn key(bits: usize) -> DkimKey {
    DkimKey {
        domain: "a.example".to_owned(),
        selector: "s1".to_owned(),
        public_key: DkimPublicKey::Rsa(rsa(bits).1),
    }
}

fn judged(keys: Vec<DkimKey>, zone: &str) -> Vec<Finding> {
    let sender = Sender { keys, ..sender("a.example") };
    settled(zone, |notes| judge(&sender, true, notes))
}

#[test]
fn a_key_that_is_published_as_it_is_is_good() {
    let key = key(2048);
    let right = key.public_key.record();
    let p = right.rsplit_once("p=").unwrap().1.to_owned();
    let bare = STANDARD.encode(rsa(2048).0);
    for text in [
        right.clone(),
        format!("p={p}"),
        format!("v=DKIM1; h=sha1:sha256; s=*; t=s; n=note; p={p};"),
        format!("v = DKIM1 ; K=rsa; p= {} {}", &p[..100], &p[100..]),
        format!("v=DKIM1; p={}", p.trim_end_matches('=')),
        format!("v=DKIM1; p={bare}"),
    ] {
        let findings = judged(vec![key.clone()], &format!("s1._domainkey.a.example TXT {text}"));
        assert_eq!(faults(&findings), [""; 0], "{text}");
        assert!(findings[0].message.contains("rsa, 2048 bits"), "{}", findings[0].message);
    }
}

#[test]
fn each_fault_has_its_own_code_and_the_record_that_mends_it() {
    let key = key(2048);
    let p = key.public_key.record().rsplit_once("p=").unwrap().1.to_owned();
    let other = STANDARD.encode(rsa(3072).1);
    for (text, expected) in [
        (format!("v=DKIM2; p={p}"), "error dkim-version"),
        (format!("v=DKIM1; k=ed25519; p={p}"), "error dkim-kind"),
        ("v=DKIM1; k=rsa; p=".to_owned(), "error dkim-revoked"),
        ("v=DKIM1; k=rsa".to_owned(), "error dkim-revoked"),
        (format!("v=DKIM1; p={other}"), "error dkim-other-key"),
        ("v=DKIM1; p=?nonsense?".to_owned(), "error dkim-broken"),
        (format!("v=DKIM1; h=sha1; p={p}"), "error dkim-hash"),
        (format!("v=DKIM1; s=tlsrpt; p={p}"), "error dkim-service"),
        (format!("v=DKIM1; t=y:s; p={p}"), "warning dkim-testing"),
        ("our dkim key".to_owned(), "error dkim-syntax"),
        (format!("v=DKIM1; p={p}\ns1._domainkey.a.example TXT p={p}"), "error dkim-several"),
    ] {
        let findings = judged(vec![key.clone()], &format!("s1._domainkey.a.example TXT {text}"));
        assert_eq!(faults(&findings), [expected], "{text}");
        let record = findings[0].record.as_ref().unwrap();
        assert_eq!(record.value, key.public_key.record());
        assert_eq!(record.replaces.len(), text.lines().count());
    }
    let missing = judged(vec![key.clone()], "");
    assert_eq!(faults(&missing), ["error dkim-missing"]);
    assert_eq!(missing[0].record.as_ref().unwrap().name, "s1._domainkey.a.example");
    let silent = judged(vec![key], "s1._domainkey.a.example TXT ?");
    assert_eq!(faults(&silent), ["unknown dkim-unanswered"]);
}

#[test]
fn short_keys_are_told_apart() {
    for (bits, expected) in [
        (768, vec!["error dkim-short"]),
        (1024, vec!["warning dkim-weak"]),
        (2040, vec!["warning dkim-weak"]),
        (2048, vec![]),
        (4096, vec![]),
    ] {
        let key = key(bits);
        let zone = format!("s1._domainkey.a.example TXT {}", key.public_key.record());
        assert_eq!(faults(&judged(vec![key], &zone)), expected, "{bits}");
    }
    let published = DkimPublicKey::Rsa(STANDARD.decode(RFC_KEY).unwrap());
    assert_eq!(published.bits(), Some(1024));
    assert_eq!(DkimPublicKey::Rsa(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).bits(), None);
    assert_eq!(DkimPublicKey::Rsa(Vec::new()).bits(), None);
}

#[test]
fn ed25519_is_good_beside_rsa_and_not_alone() {
    let edwards = DkimKey {
        selector: "e1".to_owned(),
        public_key: DkimPublicKey::Ed25519([7; 32]),
        ..key(2048)
    };
    let record = edwards.public_key.record();
    assert_eq!(record, "v=DKIM1; k=ed25519; p=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
    let zone = format!(
        "e1._domainkey.a.example TXT {record}\ns1._domainkey.a.example TXT {}",
        key(2048).public_key.record()
    );
    assert_eq!(faults(&judged(vec![edwards.clone()], &zone)), ["error dkim-no-rsa"]);
    assert_eq!(faults(&judged(vec![key(2048), edwards], &zone)), [""; 0]);
}

#[test]
fn without_a_key_it_depends_on_whether_anything_is_signed_here() {
    assert_eq!(faults(&judged(Vec::new(), "")), ["error dkim-no-key"]);
    let elsewhere = settled("", |notes| judge(&sender("a.example"), false, notes));
    assert_eq!(faults(&elsewhere), ["advice dkim-elsewhere"]);
}

#[test]
fn a_key_can_be_read_from_its_own_record() {
    for key in [key(2048).public_key, DkimPublicKey::Ed25519([7; 32])] {
        assert_eq!(DkimPublicKey::from_record(&key.record()), Some(key));
    }
    for text in ["", "v=DKIM1; k=rsa", "v=DKIM1; p=", "k=ed25519; p=AAAA", "k=dsa; p=AAAA", "p=?"] {
        assert_eq!(DkimPublicKey::from_record(text), None, "{text}");
    }
}
