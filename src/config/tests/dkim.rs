//! The keys that sign mail, and what else is written onto it.

use super::*;
use crate::domain::SigningAlgorithm;

const RSA: &str = include_str!("../../../tests/fixtures/dkim/rsa.pem");
const RSA_SHORT: &str = include_str!("../../../tests/fixtures/dkim/rsa-1024.pem");
const ED25519: &str = include_str!("../../../tests/fixtures/dkim/ed25519.pem");

fn project(sections: &str) -> Project {
    let project = Project::new(&format!("{WITH_MAIL}{sections}"))
        .with("rsa.pem", RSA)
        .with("short.pem", RSA_SHORT)
        .with("ed25519.pem", ED25519);
    for file in ["rsa.pem", "short.pem", "ed25519.pem"] {
        restrict(&project.0.path().join(file));
    }
    project
}

fn key(domain: &str, selector: &str, file: &str, more: &str) -> String {
    format!(
        "[[mail.dkim]]\ndomain = \"{domain}\"\nselector = \"{selector}\"\nkey_file = \"{file}\"\n{more}\n"
    )
}

#[test]
fn keys_are_read_with_their_dates() {
    let sections = key("Example.ORG", "Old", "rsa.pem", "")
        + &key("example.org", "new", "rsa.pem", "from = 2026-12-01")
        + &key("example.org", "ed", "ed25519.pem", "");
    let loaded = project(&sections).loaded();
    assert_eq!(shown(&loaded.warnings), "");
    let keys = &loaded.config.mail.dkim;
    let told = |at: usize| (keys[at].domain.as_str(), keys[at].selector.as_str());
    assert_eq!([told(0), told(1)], [("example.org", "old"), ("example.org", "new")]);
    assert_eq!(keys[0].from, None);
    assert_eq!(keys[1].from, Some("2026-11-30T23:00:00Z".parse().unwrap()));
    assert_eq!(keys[2].key.algorithm(), SigningAlgorithm::Ed25519Sha256);
}

#[test]
fn a_bad_key_says_which_file_and_what_to_do() {
    let sections = key("example.org", "a", "short.pem", "")
        + &key("example.org", "b", "config/postrider.toml", "")
        + &key("example.org", "c", "gone.pem", "")
        + &key("localhost", "d e", "rsa.pem", "from = \"soon\"")
        + "[[mail.dkim]]\ndomain = \"example.org\"\n";
    let project = project(&sections);
    restrict(&project.0.path().join("config/postrider.toml"));
    insta::assert_snapshot!(project.errors(&[]));
}

#[test]
fn two_keys_for_one_moment_or_of_one_name_are_refused() {
    let sections = key("example.org", "a", "rsa.pem", "")
        + &key("example.org", "b", "rsa.pem", "")
        + &key("example.org", "a", "ed25519.pem", "");
    insta::assert_snapshot!(project(&sections).errors(&[]));
}

#[test]
fn a_key_that_others_can_read_or_that_signs_nothing_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = project(&key("example.com", "a", "rsa.pem", ""));
    let file = project.0.path().join("rsa.pem");
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    insta::assert_snapshot!(shown(&project.loaded().warnings));
}

#[test]
fn what_is_written_onto_mail_is_checked() {
    let text = WITH_MAIL.replace(
        "[mail.servers.main]\n",
        "bounce_address = \"b+x@example.org\"\nunsubscribe_mailto = \"leave\"\nfeedback_id = \"no\"\n\
         encoding = \"7bit\"\n[mail.servers.main]\ndkim = \"no\"\n",
    );
    let project = Project::new(&text);
    insta::assert_snapshot!(project.errors(&[]));
}
