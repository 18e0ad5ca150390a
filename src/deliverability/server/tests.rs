use super::*;
use crate::deliverability::tests::{faults, settled};

fn smtp(host: &str, hello: &str) -> Smtp {
    Smtp {
        host: host.to_owned(),
        port: 587,
        protection: Protection::Verified,
        has_user: true,
        hello: hello.to_owned(),
    }
}

fn codes(smtp: Smtp, origin: &Origin, contact: &Contact, zone: &str) -> Vec<String> {
    let server = Server { name: "main".to_owned(), smtp: Some(smtp) };
    let subject = Subject {
        senders: Vec::new(),
        servers: Vec::new(),
        signs: false,
        public_url: "https://a.example/".parse().unwrap(),
        postal_address: String::new(),
        outgoing: vec!["192.0.2.10".parse().unwrap()],
    };
    faults(&settled(zone, |notes| {
        notes.contacts.learn("main".to_owned(), Lookup::Found(contact.clone()));
        judge(&server, origin, &subject, notes)
    }))
}

fn here() -> Origin {
    Origin::Here(vec!["192.0.2.10".parse().unwrap()])
}

const GOOD: &str = "192.0.2.10 PTR mail.a.example\nmail.a.example A 192.0.2.10";

#[test]
fn what_a_connection_foundered_on_is_told_apart() {
    for (trouble, expected) in [
        (Trouble::Reach, "error server-unreachable"),
        (Trouble::NoTls, "error tls-missing"),
        (Trouble::Handshake, "error tls-certificate"),
        (Trouble::Login, "error login-refused"),
    ] {
        let contact = Contact::Failed { trouble, text: "no".to_owned() };
        let smtp = smtp("mail.a.example", "mail.a.example");
        assert_eq!(codes(smtp, &here(), &contact, GOOD), [expected]);
    }
}

#[test]
fn a_certificate_that_nobody_checks_is_fine_on_this_machine_only() {
    for (host, expected) in [
        ("127.0.0.1", vec![]),
        ("::1", vec![]),
        ("localhost", vec![]),
        ("mail.a.example", vec!["warning tls-unverified"]),
    ] {
        let smtp = Smtp { protection: Protection::Unverified, ..smtp(host, "mail.a.example") };
        assert_eq!(codes(smtp, &here(), &Contact::Ready, GOOD), expected, "{host}");
    }
}

#[test]
fn the_greeting_has_to_be_a_real_name() {
    for (hello, expected) in [
        ("mail.a.example", None),
        ("other.a.example", None),
        ("localhost", Some("error ehlo-localhost")),
        ("box.localhost", Some("error ehlo-localhost")),
        ("newsbox", Some("error ehlo-bare")),
        ("[192.0.2.10]", Some("warning ehlo-address")),
        ("192.0.2.10", Some("warning ehlo-address")),
        ("[IPv6:2001:db8::1]", Some("warning ehlo-address")),
    ] {
        let smtp = smtp("mail.a.example", hello);
        let found = codes(smtp, &here(), &Contact::Ready, GOOD);
        assert_eq!(found.first().map(String::as_str), expected, "{hello}");
    }
}

#[test]
fn the_address_that_mail_leaves_from_has_a_name_that_leads_back() {
    for (zone, expected) in [
        (GOOD, None),
        ("", Some("error ptr-missing")),
        ("192.0.2.10 PTR mail.a.example", Some("error ptr-unconfirmed")),
        (
            "192.0.2.10 PTR mail.a.example\nmail.a.example A 192.0.2.11",
            Some("error ptr-unconfirmed"),
        ),
        ("192.0.2.10 PTR ?", Some("unknown ptr-unanswered")),
        ("192.0.2.10 PTR mail.a.example\nmail.a.example A ?", Some("unknown ptr-unanswered")),
    ] {
        let smtp = smtp("127.0.0.1", "mail.a.example");
        let found = codes(smtp, &here(), &Contact::Ready, zone);
        assert_eq!(found.first().map(String::as_str), expected, "{zone}");
    }
}

#[test]
fn a_provider_looks_after_its_own_addresses() {
    let provider = super::super::providers::Provider::of("smtp.postmarkapp.com").unwrap();
    let smtp = smtp("smtp.postmarkapp.com", "mail.a.example");
    assert_eq!(codes(smtp, &Origin::Provider(provider), &Contact::Ready, ""), [""; 0]);
}

#[test]
fn an_address_is_written_backwards_for_its_name() {
    assert_eq!(reversed("192.0.2.10".parse().unwrap()), "10.2.0.192.in-addr.arpa");
    let v6 = reversed("2001:db8::1".parse().unwrap());
    assert!(v6.starts_with("1.0.0.0.") && v6.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"), "{v6}");
    assert_eq!(v6.len(), 64 + "ip6.arpa".len());
}
