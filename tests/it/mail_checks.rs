//! Our mails, judged by others: two verifiers of signatures, a spam filter, and a lint of what the standards say.
//!
//! The verifiers ask a zone that is a file here. `scripts/test` installs what is missing; where it is missing all the same,
//! these tests fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use postrider::config::{self, Config, Environment};
use postrider::dispatch::{MailKind, blueprint};
use postrider::domain::{Cadence, EditionId, EmailAddress, Keyring, SubscriptionId};
use postrider::ingest::{Ingest, open_cache};
use postrider::mail::{self, Composed, ConfirmationInput, EditionInput, Recipient};
use postrider::store::Store;
use postrider::template::Templates;
use tempfile::TempDir;

mod delivered;
mod lint;

const CONFIG: &str = r#"
[site]
title = "Field Notes"
url = "https://example.org"
language = "en"
timezone = "Europe/Berlin"
description = "Short notes on making things and on looking closely."
[server]
public_url = "https://news.example.org"
[mail]
from = "Field Notes <news@example.org>"
reply_to = "Jörg Meadow <joerg@example.org>"
address = "Field Notes, 1 River Lane, 10115 Berlin"
bounce_address = "bounces@b.example.org"
unsubscribe_mailto = "leave@example.org"
feedback_id = "fieldnotes"
encoding = "8bit"
[mail.servers.main]
url = "smtp://127.0.0.1:2525"
[newsletters.weekly]
title = "Field Notes weekly"
cadences = { instant = true, weekly = "0 7 * * MON" }
"#;

/// More configuration, at the end: what signs.
const KEYS: &str = r#"
[[mail.dkim]]
domain = "example.org"
selector = "ed"
key_file = "secrets/ed25519.pem"
[[mail.dkim]]
domain = "example.org"
selector = "rsa"
key_file = "secrets/rsa.pem"
"#;

const POSTS: [(&str, &str); 4] = [
    (
        "river.md",
        "---\ntitle: A walk along the river\ndate: 2026-11-19\n---\n\nThe path begins behind the mill, where the water \
         is slow enough to hold a reflection. I went there to look at [the new bridge](https://example.org/bridge/), and \
         stayed for the herons.\n\n![A heron](https://example.org/heron.jpg)\n\n## What to bring\n\n- boots\n- bread\n\n\
         Nobody hurries there. That is the whole point of the walk, and of this note.\n",
    ),
    (
        "knife.md",
        "---\ntitle: Sharpening a kitchen knife\ndate: 2026-11-18\n---\n\nHold the angle. Count the strokes, the same \
         number on each side, and stop sooner than you think.\n\n```sh\n# keep    the  spaces   \nprintf 'sharp\\n'\n```\n",
    ),
    (
        "kawa.md",
        "---\ntitle: 川沿いの散歩\ndate: 2026-11-17\nlang: ja\n---\n\n川沿いを歩いて、石を拾った。水はとても冷たくて、\
         鷺が一羽だけ立っていた。橋のそばで少し休んで、それから家に帰った。夕方にはまた雨が降り始めた。\n",
    ),
    (
        "odd.md",
        "---\ntitle: \"=?utf-8?q?Bcc?= \\u202e\\u05e9\\u05dc\\u05d5\\u05dd 👩‍🚀 & <b>\\u0007\\r\\nBcc: x\"\ndate: 2026-11-16\n---\n\nFrom here \
         on:\n\n.\n\n..\n\nFrom there   on. =3D = =\n",
    ),
];

/// A finished mail and what to call it.
type Mail = (String, Vec<u8>);

/// A project with keys, and every kind of mail that it sends.
struct Golden {
    folder: TempDir,
    config: std::sync::Arc<Config>,
    mails: Vec<Mail>,
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The private keys that `KEYS` names.
fn put_keys(folder: &Path) {
    write(folder, "secrets/rsa.pem", include_str!("../fixtures/dkim/rsa.pem"));
    write(folder, "secrets/ed25519.pem", include_str!("../fixtures/dkim/ed25519.pem"));
}

fn configured(folder: &Path) -> std::sync::Arc<Config> {
    let file = folder.join("config/postrider.toml");
    std::sync::Arc::new(config::load(&file, &Environment::default()).unwrap().config)
}

fn now() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

impl Golden {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "config/postrider.toml", &format!("{CONFIG}{KEYS}"));
        put_keys(folder.path());
        for (name, text) in POSTS {
            write(folder.path(), &format!("posts/{name}"), text);
        }
        let config = configured(folder.path());
        let mails = mails(&config).await;
        assert_eq!(mails.len(), 2 * (1 + POSTS.len() + 1));
        Self { folder, config, mails }
    }

    /// The mails as files.
    fn files(&self) -> Vec<PathBuf> {
        let write = |(name, bytes): &Mail| {
            let path = self.folder.path().join(format!("{name}.eml"));
            fs::write(&path, bytes).unwrap();
            path
        };
        self.mails.iter().map(write).collect()
    }

    /// The mails as files, and what dkimpy says of them.
    fn verified(&self) -> (Vec<PathBuf>, String) {
        let files = self.files();
        let mut command = Command::new(python());
        let said = says(command.arg(script("dkimpy.py")).arg(self.zone()).args(&files));
        (files, said)
    }

    /// What the verifiers find in the DNS, as a file.
    fn zone(&self) -> PathBuf {
        let records: BTreeMap<_, _> = self
            .config
            .mail
            .dkim
            .iter()
            .map(|key| {
                let name = format!("{}._domainkey.{}", key.selector, key.domain);
                (name, key.key.public_key().dns_record())
            })
            .collect();
        let path = self.folder.path().join("zone.json");
        fs::write(&path, serde_json::to_string(&records).unwrap()).unwrap();
        path
    }
}

async fn mails(config: &std::sync::Arc<Config>) -> Vec<Mail> {
    let store = Store::open(&config.store, now()).await.unwrap();
    let cache = open_cache(config, &store).unwrap();
    let with = (std::sync::Arc::clone(config), store.clone());
    let mut ingest = Ingest::open(with.0, with.1, cache.clone()).await.unwrap();
    ingest.rescan(now()).await.unwrap();
    let catalog = ingest.catalog();
    let written = |known: &std::sync::Arc<postrider::domain::CatalogPost>| {
        cache.written(&known.post, known.body).unwrap()
    };
    let posts: Vec<_> = catalog.posts.iter().map(written).collect();
    assert_eq!(posts.len(), POSTS.len());
    store.close().await;

    let templates = Templates::load(None).unwrap();
    let compose = |cadence, posts: &[_]| {
        let input = EditionInput {
            language: None,
            site: &config.site,
            newsletter: &config.newsletters["weekly"],
            cadence,
            posts,
            public_url: &config.server.public_url,
            postal_address: &config.mail.address,
            page_url: None,
            sealed_at: now(),
        };
        mail::compose_edition(&templates, &input).unwrap()
    };
    let confirmation = ConfirmationInput {
        language: None,
        site: &config.site,
        newsletter: &config.newsletters["weekly"],
        confirm_url: "https://news.example.org/confirm/c2FtcGxlLXRva2VuLW9mLWZvcnR5LXRocmVlLWxldHR",
        postal_address: &config.mail.address,
    };
    let confirmation = mail::compose_confirmation(&templates, &confirmation).unwrap();
    let mut mails = finished(config, "digest", &compose(Cadence::Weekly, &posts));
    for post in &posts {
        let composed = compose(Cadence::Instant, std::slice::from_ref(post));
        mails.extend(finished(config, &post.post.slug, &composed));
    }
    mails.extend(finished(config, "confirmation", &confirmation));
    mails
}

/// In both forms, for servers with and without 8BITMIME.
fn finished(config: &Config, name: &str, composed: &Composed) -> Vec<Mail> {
    let is_list_mail = composed.hole.is_some();
    let kind = if is_list_mail { MailKind::Edition(Some(EditionId(17))) } else { MailKind::Letter };
    let blueprint = blueprint((config, "weekly"), composed, now(), kind).unwrap();
    let token = Keyring::new(b"a key").unsubscribe_token(SubscriptionId(7));
    let to: EmailAddress = "ann@bücher.example".parse().unwrap();
    let fill = |eight_bit| {
        blueprint.fill(&Recipient {
            to: &to,
            message_id: "d1-0123456789abcdef@example.org",
            unsubscribe_token: is_list_mail.then_some(&*token),
            signed_at: Some(now()),
            eight_bit,
        })
    };
    vec![(name.to_owned(), fill(false)), (format!("{name}-8bit"), fill(true))]
}

/// Runs a checker that must be there, and returns what it says.
fn says(command: &mut Command) -> String {
    let done = command.stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| {
        let program = command.get_program().display();
        panic!("`{program}` is not installed ({error}); scripts/test does that")
    });
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed; scripts/test installs it\n{errors}");
    // Reports quote from mails, and may cut inside a character.
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A Python that has dkimpy: the first one in the path, or else the system's, for which there are packages.
fn python() -> &'static str {
    let knows = |python: &&str| {
        let asked = Command::new(python).args(["-c", "import dkim, nacl"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(knows)
        .expect("no Python has dkimpy and PyNaCl; scripts/test installs them")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_checks").join(name)
}

/// `algorithms`, verified in each of the mails.
fn assert_all_pass(said: &str, files: &[PathBuf], algorithms: &[&str]) {
    let expected: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let line = |algorithm: &&str| format!("{} {algorithm} pass", file.display());
            algorithms.iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn every_mail_is_as_the_standards_say() {
    for (name, eml) in Golden::new().await.mails {
        assert_eq!(lint::lint(&eml), [""; 0], "{name}\n{}", String::from_utf8_lossy(&eml));
        assert_eq!(eml.is_ascii(), !eml.windows(5).any(|it| it == b" 8bit"), "{name}");
    }
}

#[tokio::test]
async fn dkimpy_believes_every_signature() {
    let golden = Golden::new().await;
    let (files, said) = golden.verified();
    assert_all_pass(&said, &files, &["rsa-sha256", "ed25519-sha256"]);
}

#[tokio::test]
async fn perls_mail_dkim_believes_every_signature_that_it_knows() {
    let golden = Golden::new().await;
    let files = golden.files();
    let said =
        says(Command::new("perl").arg(script("mail_dkim.pl")).arg(golden.zone()).args(&files));
    // Debian's knows no Ed25519, and must not mind.
    let known: Vec<_> = said.lines().filter(|line| !line.contains(" ed25519-sha256 ")).collect();
    assert_all_pass(&known.join("\n"), &files, &["rsa-sha256"]);
}

#[tokio::test]
async fn a_verifier_notices_a_mail_that_was_changed() {
    let mut golden = Golden::new().await;
    golden.mails.truncate(1);
    let text = String::from_utf8(golden.mails[0].1.clone()).unwrap();
    golden.mails[0].1 = text.replacen("One-Click", "Two-Click", 1).into_bytes();
    let (_, said) = golden.verified();
    assert_eq!(said.matches(" fail").count() + said.matches(" error").count(), 2, "{said}");
}

/// The points and the names of the rules in the spam filter's report.
fn judged(report: &str) -> (f64, Vec<String>) {
    let (_, details) = report.rsplit_once("Content analysis details:").unwrap();
    let points = details.split_once('(').unwrap().1.split_once(" points").unwrap().0;
    let rules = details.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next()?.parse::<f64>().ok()?;
        Some(words.next()?.to_owned())
    });
    (points.trim().parse().unwrap(), rules.collect())
}

#[tokio::test]
async fn spamassassin_finds_nothing_to_mind() {
    let mut golden = Golden::new().await;
    // It sees the decoded texts, and those are the same in both forms.
    golden.mails.retain(|(name, _)| !name.ends_with("-8bit"));
    std::thread::scope(|scope| {
        let judge = |file: &PathBuf| {
            let mut command = Command::new("spamassassin");
            // Without the network, and without a user's preferences and state.
            let state = file.with_extension("state");
            command.args(["-L", "-t", "-x", "--siteconfigpath=/etc/spamassassin"]).arg(file);
            command.env("HOME", &state);
            (file.clone(), judged(&says(&mut command)))
        };
        let files = golden.files();
        let half = files.len() / 2;
        let judges: Vec<_> = files
            .chunks(half)
            .map(|files| {
                let files = files.to_vec();
                scope.spawn(move || files.iter().map(judge).collect::<Vec<_>>())
            })
            .collect();
        for (file, (points, rules)) in judges.into_iter().flat_map(|it| it.join().unwrap()) {
            assert!(points < 2.0, "{}: {points} {rules:?}", file.display());
            let minded = ["MPART_ALT_DIFF", "MISSING_", "MIME_", "HTML_IMAGE_ONLY", "BASE64"];
            for rule in &rules {
                let is_minded = minded.iter().any(|it| rule.contains(it));
                assert!(!is_minded, "{}: {rules:?}", file.display());
            }
        }
    });
}
