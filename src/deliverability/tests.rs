//! A world of DNS records for the tables beside each check, and the judgement as a whole.

use super::*;

/// Judges in a world of `name TYPE value` lines. What is not in it is missing; `name TYPE ?` gets no answer.
pub(super) fn settled<T>(zone: &str, judge: impl Fn(&mut Notes) -> T) -> T {
    let mut notes = Notes::default();
    for _ in 0..100 {
        let judged = judge(&mut notes);
        if notes.are_complete() {
            return judged;
        }
        answer(zone, &mut notes);
    }
    panic!("the questions have no end: {notes:?}");
}

fn answer(zone: &str, notes: &mut Notes) {
    let texts: Vec<_> = notes.txt.open().cloned().collect();
    for name in texts {
        let answer = found(zone, &name, &["TXT"], str::to_owned);
        notes.txt.learn(name, answer);
    }
    let exchanges: Vec<_> = notes.mx.open().cloned().collect();
    for name in exchanges {
        let answer = found(zone, &name, &["MX"], |value| {
            let (preference, host) = value.split_once(' ').unwrap();
            Exchange { preference: preference.parse().unwrap(), host: notes::canonical(host) }
        });
        notes.mx.learn(name, answer);
    }
    let hosts: Vec<_> = notes.addresses.open().cloned().collect();
    for name in hosts {
        let answer = found(zone, &name, &["A", "AAAA"], |value| value.parse().unwrap());
        notes.addresses.learn(name, answer);
    }
    let addresses: Vec<_> = notes.names.open().copied().collect();
    for address in addresses {
        let answer = found(zone, &address.to_string(), &["PTR"], str::to_owned);
        notes.names.learn(address, answer);
    }
    let policies: Vec<_> = notes.policies.open().cloned().collect();
    for domain in policies {
        let answer = found(zone, &domain, &["POLICY"], |value| value.replace('|', "\n"));
        let answer = match answer {
            Lookup::Found(mut policies) => Lookup::Found(policies.remove(0)),
            Lookup::Missing => Lookup::Missing,
            Lookup::Unanswered(why) => Lookup::Unanswered(why),
        };
        notes.policies.learn(domain, answer);
    }
    let servers: Vec<_> = notes.contacts.open().cloned().collect();
    for name in servers {
        notes.contacts.learn(name, Lookup::Found(Contact::Ready));
    }
}

fn found<T>(zone: &str, name: &str, kinds: &[&str], read: impl Fn(&str) -> T) -> Lookup<Vec<T>> {
    let mut values = Vec::new();
    for line in zone.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [owner, kind, value] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        if owner == name && kinds.contains(&kind) {
            if value == "?" {
                return Lookup::Unanswered("SERVFAIL".to_owned());
            }
            values.push(read(value));
        }
    }
    if values.is_empty() { Lookup::Missing } else { Lookup::Found(values) }
}

/// The codes of what is not good, the worst grade in front of each.
pub(super) fn faults(findings: &[Finding]) -> Vec<String> {
    let faults = findings.iter().filter(|finding| finding.grade > Grade::Good);
    faults.map(|finding| format!("{:?} {}", finding.grade, finding.code).to_lowercase()).collect()
}

pub(super) fn sender(domain: &str) -> Sender {
    Sender {
        domain: domain.to_owned(),
        newsletters: vec!["weekly".to_owned()],
        bounce_domain: domain.to_owned(),
        reply_domains: Vec::new(),
        keys: Vec::new(),
        servers: vec!["main".to_owned()],
    }
}

fn smtp(host: &str) -> Smtp {
    Smtp {
        host: host.to_owned(),
        port: 587,
        protection: Protection::Verified,
        has_user: true,
        hello: "mail.a.example".to_owned(),
    }
}

fn subject(host: &str) -> Subject {
    Subject {
        senders: vec![sender("a.example")],
        servers: vec![Server { name: "main".to_owned(), smtp: Some(smtp(host)) }],
        signs: false,
        public_url: "https://news.a.example/".parse().unwrap(),
        postal_address: "1 Example Lane".to_owned(),
        outgoing: Vec::new(),
    }
}

const GOOD: &str = "
    a.example TXT v=spf1 ip4:192.0.2.10 -all
    a.example TXT google-site-verification=1
    a.example MX 10 mx.a.example
    mx.a.example A 192.0.2.20
    _dmarc.a.example TXT v=DMARC1; p=reject; rua=mailto:d@a.example
    relay.example A 192.0.2.10
    192.0.2.10 PTR mail.a.example
    mail.a.example A 192.0.2.10
    news.a.example A 192.0.2.30
    _smtp._tls.a.example TXT v=TLSRPTv1; rua=mailto:d@a.example
    _mta-sts.a.example TXT v=STSv1; id=1
    a.example POLICY version: STSv1|mode: enforce|mx: *.a.example|max_age: 86400
    default._bimi.a.example TXT v=BIMI1; l=https://a.example/logo.svg";

fn codes(subject: &Subject, zone: &str) -> Vec<String> {
    let chapters = settled(zone, |notes| judge(subject, notes));
    chapters.iter().flat_map(|chapter| faults(&chapter.findings)).collect()
}

#[test]
fn a_domain_with_everything_has_nothing_against_it() {
    assert_eq!(codes(&subject("relay.example"), GOOD), ["advice dkim-elsewhere"]);
}

#[test]
fn each_record_that_is_missing_is_a_finding_of_its_own() {
    for (gone, expected) in [
        ("a.example TXT v=spf1", "error spf-missing"),
        ("a.example MX", "error mx-missing"),
        ("mx.a.example A", "error mx-dangling"),
        ("_dmarc.a.example", "error dmarc-missing"),
        ("news.a.example A", "error links-unknown"),
        ("_smtp._tls", "advice tls-rpt-none"),
        ("_mta-sts", "advice mta-sts-none"),
        ("a.example POLICY", "warning mta-sts-no-policy"),
        ("default._bimi", "advice bimi-none"),
        // Whether mail leaves from the relay's own address is a guess, so nobody is blamed.
        ("192.0.2.10 PTR", "advice ptr-missing"),
        ("mail.a.example A", "advice ptr-unconfirmed"),
    ] {
        let lines = GOOD.lines().filter(|line| !line.trim().starts_with(gone));
        let zone = lines.collect::<Vec<_>>().join("\n");
        let codes = codes(&subject("relay.example"), &zone);
        assert!(codes.contains(&expected.to_owned()), "without {gone}: {codes:?}");
    }
}

#[test]
fn silence_is_never_held_against_the_domain() {
    // Each name in turn gives no answer: there is a question without answer, and neither error nor warning.
    let names: std::collections::BTreeSet<_> = GOOD
        .lines()
        .filter_map(|line| line.trim().rsplit_once(' ').map(|_| line.trim()))
        .map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(names.len(), 12);
    for name in names {
        let lines = GOOD.lines().filter(|line| !line.trim().starts_with(&name));
        let zone = format!("{}\n{name} ?", lines.collect::<Vec<_>>().join("\n"));
        let codes = codes(&subject("relay.example"), &zone);
        let blamed = codes.iter().any(|it| it.starts_with("error") || it.starts_with("warning"));
        assert!(!blamed, "{name}: {codes:?}");
        let is_optional =
            ["_smtp", "_mta-sts", "a.example POLICY", "default", "192", "mail.a", "relay"]
                .iter()
                .any(|optional| name.starts_with(optional));
        let is_asked_again = codes.iter().any(|code| code.starts_with("unknown"));
        assert!(is_asked_again || is_optional, "{name}: {codes:?}");
    }
}

#[test]
fn nobody_may_send_from_a_mailbox_providers_domain() {
    let mut subject = subject("relay.example");
    subject.senders = vec![sender("gmail.com")];
    let chapters = settled(GOOD, |notes| judge(&subject, notes));
    assert_eq!(faults(&chapters[0].findings), ["error from-freemail"]);
    assert_eq!(chapters[0].findings[0].record, None);
}

#[test]
fn a_bounce_domain_has_to_stand_on_its_own_feet() {
    let mut subject = subject("relay.example");
    subject.senders[0].bounce_domain = "b.a.example".to_owned();
    let found = codes(&subject, GOOD);
    assert_eq!(&found[..2], ["error spf-missing", "advice dkim-elsewhere"]);
    assert!(found.contains(&"error mx-missing".to_owned()), "{found:?}");
    let zone = format!(
        "{GOOD}\nb.a.example TXT v=spf1 ip4:192.0.2.10 -all\nb.a.example MX 10 mx.a.example"
    );
    assert_eq!(codes(&subject, &zone), ["advice dkim-elsewhere"]);
    subject.senders[0].bounce_domain = "b.other.example".to_owned();
    let zone = zone.replace("b.a.example", "b.other.example");
    let found = codes(&subject, &zone);
    assert!(found.contains(&"warning dmarc-unaligned".to_owned()), "{found:?}");
}

#[test]
fn replies_go_where_reply_to_says() {
    let mut subject = subject("relay.example");
    subject.senders[0].reply_domains = vec!["silent.example".to_owned()];
    let zone = format!("{GOOD}\nsilent.example MX 0 .");
    assert!(codes(&subject, &zone).contains(&"error mx-null".to_owned()));
    let zone = format!("{GOOD}\nsilent.example A 192.0.2.40");
    assert!(codes(&subject, &zone).contains(&"warning mx-implicit".to_owned()));
}

#[test]
fn readers_and_providers_must_reach_the_unsubscribe_page() {
    for (url, expected) in [
        ("http://127.0.0.1:8080/", Some("links-private")),
        ("https://10.0.0.1/", Some("links-private")),
        ("https://[::1]/", Some("links-private")),
        ("https://newsbox/", Some("links-private")),
        ("https://newsbox.local/", Some("links-private")),
        ("https://inside.a.example/", Some("links-private")),
        ("https://192.0.2.30/", Some("links-address")),
        ("http://news.a.example/", Some("links-plain")),
        ("https://nowhere.a.example/", Some("links-unknown")),
        ("https://news.a.example/", None),
    ] {
        let mut subject = subject("relay.example");
        subject.public_url = url.parse().unwrap();
        let zone = format!("{GOOD}\ninside.a.example A 192.168.1.1");
        let chapters = settled(&zone, |notes| judge(&subject, notes));
        let found = faults(&chapters[2].findings);
        let code = found.first().and_then(|code| code.split(' ').nth(1));
        assert_eq!(code, expected, "{url}: {found:?}");
    }
    let mut subject = subject("relay.example");
    subject.postal_address = " ".to_owned();
    assert!(codes(&subject, GOOD).contains(&"error address-missing".to_owned()));
}

#[test]
fn the_policy_for_mail_to_the_domain_must_let_its_own_servers_in() {
    for (policy, expected) in [
        ("version: STSv1|mode: enforce|mx: mx.a.example|max_age: 1", None),
        ("version: STSv1|mode: none|max_age: 1", None),
        ("version: STSv1|mode: enforce|mx: other.example|max_age: 1", Some("warning mta-sts-mx")),
        ("version: STSv1|mode: strict|mx: *.a.example|max_age: 1", Some("warning mta-sts-syntax")),
        ("version: STSv1|mode: enforce|mx: *.a.example", Some("warning mta-sts-syntax")),
        ("<html>", Some("warning mta-sts-syntax")),
    ] {
        let lines = GOOD.lines().filter(|line| !line.contains("POLICY"));
        let zone = format!("{}\na.example POLICY {policy}", lines.collect::<Vec<_>>().join("\n"));
        let found = codes(&subject("relay.example"), &zone);
        assert_eq!(
            found.iter().find(|code| code.contains("mta-sts")).map(String::as_str),
            expected
        );
    }
}
