use super::*;
use crate::deliverability::key::{DkimKey, DkimPublicKey};
use crate::deliverability::tests::{faults, sender, settled};

fn codes(sender: &Sender, zone: &str) -> Vec<String> {
    faults(&settled(zone, |notes| judge(sender, notes)))
}

fn of(domain: &str, record: &str) -> Vec<String> {
    codes(&sender(domain), &format!("_dmarc.a.example TXT {record}"))
}

const GOOD: &str = "v=DMARC1; p=none; rua=mailto:d@a.example";

#[test]
fn a_record_is_good_in_every_spelling() {
    for record in [
        GOOD,
        "v=DMARC1;p=REJECT;rua=mailto:d@a.example!10m;",
        "v = DMARC1; p = quarantine; rua=mailto:d@b.a.example",
    ] {
        assert_eq!(of("a.example", record), [""; 0], "{record}");
    }
}

#[test]
fn each_fault_has_its_own_code() {
    for (record, expected) in [
        ("v=DMARC1; rua=mailto:d@a.example", "error dmarc-policy"),
        ("v=DMARC1; p=nothing; rua=mailto:d@a.example", "error dmarc-policy"),
        ("v=DMARC1; p=none; whatever", "error dmarc-syntax"),
        ("v=DMARC1 p=none", "error dmarc-missing"),
        ("v=dmarc1; p=none", "error dmarc-missing"),
        ("hello", "error dmarc-missing"),
        ("v=DMARC1; p=none\n_dmarc.a.example TXT v=DMARC1; p=reject", "error dmarc-several"),
        ("v=DMARC1; p=none", "advice dmarc-rua"),
        ("v=DMARC1; p=none; rua=", "advice dmarc-rua"),
        ("v=DMARC1; p=none; rua=mailto:x@reports.example", "advice dmarc-reports"),
        ("?", "unknown dmarc-unanswered"),
    ] {
        assert_eq!(of("a.example", record), [expected], "{record}");
    }
    assert_eq!(codes(&sender("a.example"), ""), ["error dmarc-missing"]);
    let consents = "_dmarc.a.example TXT v=DMARC1; p=none; rua=mailto:x@reports.example\n\
         a.example._report._dmarc.reports.example TXT v=DMARC1";
    assert_eq!(codes(&sender("a.example"), consents), [""; 0]);
}

#[test]
fn the_records_to_add_keep_what_was_right() {
    let record = |text: &str| {
        let zone = format!("_dmarc.a.example TXT {text}");
        let findings = settled(&zone, |notes| judge(&sender("a.example"), notes));
        findings.into_iter().find_map(|finding| finding.record).unwrap()
    };
    assert_eq!(record("v=DMARC1; p=nothing; sp=reject").value, "v=DMARC1; p=none; sp=reject");
    let advised = record("v=DMARC1; p=none; sp=reject");
    assert_eq!(advised.value, "v=DMARC1; p=none; rua=mailto:postmaster@a.example; sp=reject");
    assert_eq!(advised.replaces, ["v=DMARC1; p=none; sp=reject"]);
    assert_eq!(
        record("no").zone_line(),
        "_dmarc.a.example. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@a.example\""
    );
}

#[test]
fn a_subdomain_inherits_from_above() {
    assert_eq!(of("news.a.example", GOOD), [""; 0]);
    let shown = |record: &str| {
        let zone = format!("_dmarc.a.example TXT {record}");
        settled(&zone, |notes| judge(&sender("x.news.a.example"), notes))[0].message.clone()
    };
    let from_above = "`x.news.a.example` has p=quarantine, from `_dmarc.a.example`";
    assert_eq!(shown("v=DMARC1; p=none; sp=quarantine; rua=mailto:d@a.example"), from_above);
    assert_eq!(of("news.a.example", "v=DMARC1; p=none; sp=odd"), ["error dmarc-policy"]);
    // A registry's record is nobody's policy.
    assert_eq!(of("news.a.example", "v=DMARC1; p=none; psd=y"), ["error dmarc-missing"]);
    // Above a record that was found, silence is no matter.
    let zone = format!("_dmarc.b.a.example TXT {GOOD}\n_dmarc.a.example TXT ?");
    assert_eq!(codes(&sender("b.a.example"), &zone), [""; 0]);
}

#[test]
fn a_long_name_is_not_asked_for_at_every_label() {
    let names = upwards("a.b.c.d.e.f.g.h.i.j.k.example");
    assert_eq!(names.len(), 9);
    assert_eq!(names[0], "a.b.c.d.e.f.g.h.i.j.k.example");
    assert_eq!(names[1], "d.e.f.g.h.i.j.k.example");
    assert_eq!(names[8], "k.example");
    assert_eq!(upwards("a.example"), ["a.example"]);
}

#[test]
fn what_counts_as_the_same_domain_depends_on_the_mode() {
    let key = |domain: &str| DkimKey {
        domain: domain.to_owned(),
        selector: "s1".to_owned(),
        public_key: DkimPublicKey::Ed25519([7; 32]),
    };
    for (from, signer, bounce, modes, expected) in [
        ("a.example", "a.example", "a.example", "", None),
        ("news.a.example", "a.example", "b.a.example", "", None),
        ("a.example", "mail.a.example", "b.a.example", "adkim=r; aspf=r", None),
        ("a.example", "a.example", "b.other.example", "", Some("advice dmarc-spf-unaligned")),
        ("a.example", "a.example", "b.a.example", "aspf=s", Some("advice dmarc-spf-unaligned")),
        ("a.example", "other.example", "a.example", "", Some("error dmarc-unaligned")),
        ("news.a.example", "a.example", "news.a.example", "adkim=s", Some("error dmarc-unaligned")),
        ("a.example", "", "b.a.example", "", None),
        ("a.example", "", "b.other.example", "", Some("warning dmarc-unaligned")),
        ("a.example", "", "nota.example", "", Some("warning dmarc-unaligned")),
    ] {
        let keys = if signer.is_empty() { Vec::new() } else { vec![key(signer)] };
        let sender = Sender { keys, bounce_domain: bounce.to_owned(), ..sender(from) };
        let zone = format!("_dmarc.a.example TXT {GOOD}; {modes}");
        let found = codes(&sender, &zone);
        assert_eq!(found.first().map(String::as_str), expected, "{from} {signer} {bounce} {modes}");
    }
}
