//! `postrider doctor` against name servers and mail servers of the tests' own.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;

use postrider::domain::SigningKey;
use serde_json::Value;

use crate::harness::dns::DnsServer;
use crate::harness::program::{Ended, Project};
use crate::harness::smtp::{At, Fault, SmtpServer, Wrapping};

const GOOD: &str = "
    good.test TXT v=spf1 ip4:192.0.2.10 include:_spf.relay.test -all
    good.test TXT some-site-verification=abc
    _spf.relay.test TXT v=spf1 ip4:198.51.100.0/24 -all
    good.test MX 10 mx.good.test.
    mx.good.test A 192.0.2.20
    _dmarc.good.test TXT v=DMARC1; p=quarantine; rua=mailto:dmarc@good.test
    10.2.0.192.in-addr.arpa PTR mail.good.test.
    mail.good.test A 192.0.2.10
    news.good.test A 192.0.2.30
    _smtp._tls.good.test TXT v=TLSRPTv1; rua=mailto:tls@good.test";

fn write_secret(project: &Project, name: &str, text: &str) {
    project.write(name, text);
    let owner_only = fs::Permissions::from_mode(0o600);
    fs::set_permissions(project.path(name), owner_only).expect("it is our file");
}

/// A project that sends from `domain` over `server`, whose certificate it trusts.
fn project(domain: &str, server: &SmtpServer) -> Project {
    let project = Project::empty();
    write_secret(&project, "secrets/mail", "hunter2");
    project.write("posts/hello.md", "---\ntitle: Hello\ndate: 2026-03-01\n---\nHello.\n");
    server.certificate().save(&project.path("secrets"));
    let address = server.address;
    project.write(
        "config/postrider.toml",
        &format!(
            r#"[site]
title = "Field Notes"
url = "https://{domain}"
[server]
public_url = "https://news.{domain}"
[mail]
from = "Field Notes <news@{domain}>"
reply_to = "Robin <robin@{domain}>"
address = "1 Example Lane, 12345 Sampleton"
[mail.servers.main]
url = "smtp://news@{address}"
password_file = "secrets/mail"
ca_file = "secrets/ca.pem"
tls = "starttls"
hello_name = "mail.{domain}"
[newsletters.weekly]
[newsletters.weekly.cadences]
weekly = "0 7 * * MON"
"#
        ),
    );
    project
}

async fn mail_server() -> SmtpServer {
    SmtpServer::start(Wrapping::StartTls, &["AUTH PLAIN LOGIN"]).await
}

fn doctor(project: &Project, dns: &DnsServer, more: &str) -> Ended {
    let resolver = dns.address;
    tokio::task::block_in_place(|| {
        project.runs(&format!("doctor --resolver {resolver} --outgoing 192.0.2.10 {more}"))
    })
}

/// The output with the port that the server happened to get written as `PORT`.
fn steady(out: &str, server: &SmtpServer) -> String {
    out.replace(&server.address.to_string(), "127.0.0.1:PORT")
}

/// The codes of all findings of a grade.
fn codes(ended: &Ended, grade: &str) -> Vec<String> {
    let json = ended.json();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let findings = list(&json["chapters"]).into_iter().flat_map(|it| list(&it["findings"]));
    let of_grade = findings.filter(|finding| finding["grade"] == grade);
    of_grade.map(|finding| finding["code"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_is_set_up_well_is_told_so() {
    let (server, dns) = (mail_server().await, DnsServer::serving(GOOD));
    let project = project("good.test", &server);
    let before = project.files();
    let ended = doctor(&project, &dns, "").well();
    insta::assert_snapshot!(steady(&ended.out, &server));
    assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
    assert!(!ended.out.contains("hunter2") && ended.err.is_empty(), "{}", ended.err);
    assert_eq!(project.files(), before, "nothing is written");
    assert!(server.letters().is_empty(), "nothing is sent");
    server.heard("QUIT", 1).await;
    let words = server.commands();
    assert_eq!(words, ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT", "EOF"][..words.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_with_nothing_is_given_every_record_that_it_lacks() {
    let (server, dns) = (mail_server().await, DnsServer::serving("bad.test A 192.0.2.99"));
    server.fail(At::Auth, Fault::Say("535 5.7.8 hunter2 is not the password"));
    let project = project("bad.test", &server);
    project.edit("config/postrider.toml", "https://news.bad.test", "http://127.0.0.1:8080");
    project.edit("config/postrider.toml", "mail.bad.test", "localhost");
    let ended = doctor(&project, &dns, "").with(3);
    insta::assert_snapshot!(steady(&ended.out, &server));
    assert!(!ended.out.contains("hunter2"), "{}", ended.out);

    let json = doctor(&project, &dns, "weekly --format json").with(3);
    assert_eq!(
        codes(&json, "error"),
        [
            "spf-missing",
            "dmarc-missing",
            "login-refused",
            "ehlo-localhost",
            "ptr-missing",
            "links-private"
        ]
    );
    assert_eq!(codes(&json, "warning"), ["mx-implicit"]);
    let zone: Vec<_> = json.json()["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["zone"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        zone,
        [
            "bad.test. IN TXT \"v=spf1 ip4:192.0.2.10 ~all\"",
            "_dmarc.bad.test. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@bad.test\"",
            "bad.test. IN MX 10 mail.bad.test."
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_records_are_named_with_what_belongs_in_their_place() {
    let wrong = GOOD
        .replace(
            "v=spf1 ip4:192.0.2.10 include:_spf.relay.test -all",
            "v=spf1 a:old.good.test ?all",
        )
        .replace("p=quarantine", "p=strict")
        .replace("10 mx.good.test.", "0 .")
        .replace("PTR mail.good.test", "PTR host-10.isp.test");
    let (server, dns) = (mail_server().await, DnsServer::serving(&wrong));
    let project = project("good.test", &server);
    let ended = doctor(&project, &dns, "").with(3);
    insta::assert_snapshot!(steady(&ended.out, &server));
}

/// The key in `pem` as it belongs into the zone of `good.test`.
fn published(selector: &str, pem: &str) -> String {
    let record = SigningKey::from_pem(pem).expect("a key").public_key().dns_record();
    format!("{selector}._domainkey.good.test TXT {record}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_signs_is_ours_in_the_dns_or_missing_or_another() {
    const RSA: &str = include_str!("../fixtures/dkim/rsa.pem");
    const ED25519: &str = include_str!("../fixtures/dkim/ed25519.pem");
    let server = mail_server().await;
    let project = project("good.test", &server);
    for (selector, pem) in [("rsa", RSA), ("ed", ED25519)] {
        let file = format!("secrets/{selector}.pem");
        write_secret(&project, &file, pem);
        let key = format!(
            "[[mail.dkim]]\ndomain = \"good.test\"\nselector = \"{selector}\"\nkey_file = \"{file}\"\n"
        );
        project.edit("config/postrider.toml", "[newsletters", &format!("{key}[newsletters"));
    }
    let (rsa, ed25519) = (published("rsa", RSA), published("ed", ED25519));
    // One digit is enough to be another key.
    let (start, end) = rsa.split_at(rsa.len() / 2);
    let other = [start, if end.starts_with('A') { "B" } else { "A" }, &end[1..]].concat();
    let good = |selector, kind| {
        format!("  ✓ DKIM       `{selector}._domainkey.good.test` is our key ({kind})\n")
    };
    let both = DnsServer::serving(&format!("{GOOD}\n{rsa}\n{ed25519}"));

    let ended = doctor(&project, &both, "").well();
    assert!(ended.out.contains(&good("rsa", "rsa, 2048 bits")), "{}", ended.out);
    assert!(ended.out.contains(&good("ed", "ed25519")), "{}", ended.out);
    assert!(!ended.out.contains("records to add"), "{}", ended.out);

    for (zone, code, told, right) in [
        (&ed25519, "dkim-missing", "there is no key at `rsa._domainkey.good.test`", &rsa),
        (&rsa, "dkim-missing", "there is no key at `ed._domainkey.good.test`", &ed25519),
        (
            &format!("{other}\n{ed25519}"),
            "dkim-other-key",
            "`rsa._domainkey.good.test` is another key than ours",
            &rsa,
        ),
    ] {
        let dns = DnsServer::serving(&format!("{GOOD}\n{zone}"));
        let ended = doctor(&project, &dns, "").with(3);
        assert!(ended.out.contains(&format!("  ✗ DKIM       {told}\n")), "{}", ended.out);
        assert_eq!(ended.out.matches(" is our key (").count(), 1, "the other one is fine");

        let json = doctor(&project, &dns, "--format json").with(3);
        assert_eq!(codes(&json, "error"), [code]);
        let record = &json.json()["records"][0];
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        assert_eq!(format!("{} {} {}", text("name"), text("type"), text("value")), **right);
        let heading = ended.out.find("DNS records to add\n").unwrap();
        assert!(ended.out[heading..].contains(&format!("\n{}\n", text("zone"))), "{}", ended.out);
        let takes_a_place = ended.out[heading..].contains("; in place of \"v=DKIM1; k=rsa; p=");
        assert_eq!(takes_a_place, code == "dkim-other-key", "{}", ended.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_cannot_be_used_is_told_with_the_reason() {
    let dns = DnsServer::serving(GOOD);
    for (wrapping, at, fault, expected) in [
        (Wrapping::StartTls, At::Greeting, Fault::SayAndClose("554 go away"), "server-unreachable"),
        (Wrapping::StartTls, At::Greeting, Fault::Say("SSH-2.0-OpenSSH"), "server-unreachable"),
        (Wrapping::Plain, At::Dot, Fault::Close, "tls-missing"),
        (Wrapping::StartTls, At::Handshake, Fault::Close, "tls-certificate"),
        (Wrapping::StartTls, At::Auth, Fault::Say("535 5.7.8 no"), "login-refused"),
    ] {
        let server = SmtpServer::start(wrapping, &["AUTH PLAIN"]).await;
        server.fail(at, fault);
        let project = project("good.test", &server);
        let ended = doctor(&project, &dns, "--format json").with(3);
        assert_eq!(codes(&ended, "error"), [expected]);
    }
    let server = mail_server().await;
    let project = project("good.test", &server);
    project.edit("config/postrider.toml", "ca_file = \"secrets/ca.pem\"\n", "");
    let stranger = doctor(&project, &dns, "--format json").with(3);
    assert_eq!(codes(&stranger, "error"), ["tls-certificate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_that_fails_is_no_fault_of_the_domain() {
    let failing = GOOD.replace("_dmarc.good.test TXT", "_dmarc.good.test FAIL\n    x.test TXT");
    let failing = failing.replace("mx.good.test A 192.0.2.20", "mx.good.test FAIL");
    let (server, dns) = (mail_server().await, DnsServer::serving(&failing));
    let project = project("good.test", &server);
    let ended = doctor(&project, &dns, "--format json").with(75);
    assert_eq!(codes(&ended, "unknown"), ["dmarc-unanswered", "mx-unanswered"]);
    assert!(ended.out.contains("SERVFAIL"), "{}", ended.out);
    assert!(codes(&ended, "error").is_empty() && codes(&ended, "warning").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_server_everything_is_open_and_nothing_is_blamed() {
    let server = mail_server().await;
    let project = project("good.test", &server);
    // It takes questions and never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = silent.local_addr().unwrap();
    let line = format!("doctor --resolver {resolver} --outgoing 192.0.2.10");
    let ended = tokio::task::block_in_place(|| project.runs(&line)).with(75);
    insta::assert_snapshot!(steady(&ended.out, &server));
}

#[test]
fn wrong_usage_is_answered_with_what_would_be_right() {
    let project = Project::new();
    let unknown = project.runs("doctor wekly").with(1);
    assert!(unknown.err.contains("did you mean `weekly`?"), "{}", unknown.err);
    project.runs("doctor --resolver nowhere").with(2);
    project.runs("doctor --outgoing mail.example.org").with(2);
    let project = Project::empty();
    project.write("config/postrider.toml", "[site]\ntitle = \"x\"\nurl = \"https://good.test\"\n");
    project.write("posts/hello.md", "Hello.\n");
    let none = project.runs("doctor").well();
    assert!(none.err.contains("No newsletter is configured"), "{}", none.err);
    assert!(none.out.is_empty());
    let unknown = project.runs("doctor weekly").with(1);
    assert!(unknown.err.contains("there is no newsletter"), "{}", unknown.err);
}
