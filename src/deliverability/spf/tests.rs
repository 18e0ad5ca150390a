use std::net::IpAddr;

use super::*;
use crate::deliverability::providers::Provider;
use crate::deliverability::tests::{faults, settled};

fn here() -> Origin {
    Origin::Here(vec!["192.0.2.10".parse().unwrap()])
}

fn judged(zone: &str, origin: &Origin) -> Vec<Finding> {
    settled(zone, |notes| judge("a.example", &[Relay { name: "main", origin }], notes))
}

/// The codes for a record of `a.example` in a world with further records.
fn codes(record: &str, others: &str) -> Vec<String> {
    faults(&judged(&format!("a.example TXT {record}\n{others}"), &here()))
}

const ALL: &str = "b.example TXT v=spf1 ip4:192.0.2.0/24 -all";

#[test]
fn a_record_that_covers_the_sender_is_good_however_it_says_so() {
    for (record, others) in [
        ("v=spf1 ip4:192.0.2.10 -all", ""),
        ("V=spf1 IP4:192.0.2.0/28 ~ALL", ""),
        ("v=spf1 a -all", "a.example A 192.0.2.10"),
        ("v=spf1 a:c.example/24 -all", "c.example A 192.0.2.99"),
        ("v=spf1 mx ~all", "a.example MX 1 c.example\nc.example A 192.0.2.10"),
        ("v=spf1 include:b.example -all", ALL),
        ("v=spf1 redirect=b.example", ALL),
        (
            "v=spf1 include:c.example -all",
            &format!("c.example TXT v=spf1 redirect=b.example\n{ALL}"),
        ),
        ("v=spf1 exp=why.%{d} ip4:192.0.2.10 -all", ""),
    ] {
        assert_eq!(codes(record, others), [""; 0], "{record}");
    }
}

#[test]
fn each_fault_has_its_own_code() {
    for (record, others, expected) in [
        ("v=spf1 ip4:192.0.2.10", "", "warning spf-open"),
        ("v=spf1 ip4:192.0.2.10 ?all", "", "warning spf-open"),
        ("v=spf1 ip4:192.0.2.10 +all", "", "error spf-everybody"),
        ("v=spf1 ip4:192.0.2.10 all", "", "error spf-everybody"),
        ("v=spf1 ip4:198.51.100.1 -all", "", "error spf-relay"),
        ("v=spf1 -ip4:192.0.2.10 -all", "", "error spf-relay"),
        ("v=spf1 -all ip4:192.0.2.10", "", "error spf-relay"),
        ("v=spf1 ip4:192.0.2.10 ptr -all", "", "warning spf-ptr"),
        ("v=spf1 ipv4:192.0.2.10 -all", "", "error spf-syntax"),
        ("v=spf1 include:b.example -all", "b.example TXT v=spf1 what", "error spf-syntax"),
        ("v=spf1 include:b.example -all", "", "error spf-include-missing"),
        ("v=spf1 include:b.example -all", "b.example TXT hello", "error spf-include-missing"),
        (
            "v=spf1 include:b.example -all",
            "b.example TXT v=spf1 a\nb.example TXT v=spf1 mx",
            "error spf-include-several",
        ),
        ("v=spf1 include:a.example -all", "", "error spf-loop"),
        (
            "v=spf1 include:b.example -all",
            "b.example TXT v=spf1 redirect=a.example",
            "error spf-loop",
        ),
        ("v=spf1 ip4:192.0.2.10 a mx a:x.example -all", "", "error spf-void"),
        (
            "v=spf1 ip4:192.0.2.10 include:b.example -all",
            "b.example TXT ?",
            "unknown spf-unanswered",
        ),
        ("v=spf1 ip4:192.0.2.10 a -all", "a.example A ?", "unknown spf-unanswered"),
        ("?", "", "unknown spf-unanswered"),
    ] {
        assert_eq!(codes(record, others), [expected], "{record} with {others}");
    }
    let twice = "a.example TXT v=spf1 a -all\na.example TXT v=spf1 mx ~all";
    assert_eq!(faults(&judged(twice, &here())), ["error spf-several"]);
    assert_eq!(faults(&judged("a.example TXT v=spf10 -all", &here())), ["error spf-missing"]);
}

#[test]
fn look_ups_are_counted_through_everything_that_is_included() {
    use std::fmt::Write as _;
    let mut others = String::new();
    for index in 0..9 {
        writeln!(others, "n{index}.example TXT v=spf1 include:n{}.example -all", index + 1)
            .unwrap();
    }
    others.push_str("n9.example TXT v=spf1 ip4:192.0.2.10 -all\n");
    assert_eq!(codes("v=spf1 include:n0.example -all", &others), [""; 0], "ten are allowed");
    assert_eq!(
        codes("v=spf1 include:n0.example exists:%{i}.x.example -all", &others),
        ["error spf-lookups"]
    );
    let deep = judged(
        &format!("a.example TXT v=spf1 include:n0.example a -all\na.example A 192.0.2.1\n{others}"),
        &here(),
    );
    assert!(deep[0].message.contains("takes 11 look-ups; 10 are allowed"), "{}", deep[0].message);
}

#[test]
fn a_record_without_end_is_not_followed_for_ever() {
    use std::fmt::Write as _;
    // Each level includes the next one twice: 2^20 look-ups for a receiver that would follow them all.
    let mut others = String::new();
    for level in 0..20 {
        let next = level + 1;
        writeln!(
            others,
            "l{level}.example TXT v=spf1 include:l{next}.example include:l{next}.example"
        )
        .unwrap();
    }
    assert!(
        codes("v=spf1 include:l0.example -all", &others).contains(&"error spf-lookups".to_owned())
    );
}

#[test]
fn the_record_that_mends_it_is_given_whole() {
    for (record, expected) in [
        ("v=spf1 +all", "v=spf1 ip4:192.0.2.10 ~all"),
        ("v=spf1 mx -all", "v=spf1 mx ip4:192.0.2.10 -all"),
        ("v=spf1 ip4:192.0.2.10 ptr ?all", "v=spf1 ip4:192.0.2.10 ~all"),
        ("v=spf1 redirect=b.example", "v=spf1 ip4:192.0.2.10 redirect=b.example"),
        ("v=spf1 ip4:192.0.2.10", "v=spf1 ip4:192.0.2.10 ~all"),
    ] {
        let zone = format!(
            "a.example TXT {record}\na.example MX 1 c.example\nc.example A 192.0.2.9\nb.example TXT v=spf1 -all"
        );
        let findings = judged(&zone, &here());
        let given = findings.iter().find_map(|finding| finding.record.as_ref()).unwrap();
        assert_eq!(given.value, expected, "{record}");
        assert_eq!(given.replaces, [record]);
    }
    let twice = "a.example TXT v=spf1 a mx -all\na.example TXT v=spf1 mx ~all";
    let record = judged(twice, &here())[0].record.clone().unwrap();
    assert_eq!(record.value, "v=spf1 a mx ip4:192.0.2.10 -all");
    assert_eq!(record.replaces.len(), 2);
    let record = judged("", &here())[0].record.clone().unwrap();
    assert_eq!(record.zone_line(), "a.example. IN TXT \"v=spf1 ip4:192.0.2.10 ~all\"");
    assert_eq!(judged("", &Origin::Unknown)[0].record, None, "nothing is made up");
}

#[test]
fn a_relay_is_covered_by_its_include_or_its_address() {
    let mailgun = Origin::Provider(Provider::of("smtp.eu.mailgun.org").unwrap());
    let included = "mailgun.org TXT v=spf1 ip4:198.51.100.0/24 -all";
    let zone = format!("a.example TXT v=spf1 include:mailgun.org ~all\n{included}");
    assert_eq!(faults(&judged(&zone, &mailgun)), [""; 0]);
    let nested = format!(
        "a.example TXT v=spf1 include:b.example ~all\nb.example TXT v=spf1 include:mailgun.org ~all\n{included}"
    );
    assert_eq!(faults(&judged(&nested, &mailgun)), [""; 0]);
    let without = judged("a.example TXT v=spf1 ~all", &mailgun);
    assert_eq!(faults(&without), ["warning spf-relay"]);
    assert_eq!(without[0].record.as_ref().unwrap().value, "v=spf1 include:mailgun.org ~all");
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    let relay = judged("a.example TXT v=spf1 ~all", &Origin::Relay(vec![address]));
    assert_eq!(faults(&relay), ["warning spf-relay"]);
    assert_eq!(relay[0].record.as_ref().unwrap().value, "v=spf1 ip6:2001:db8::1 ~all");
}
