//! The author's control panel.

use super::super::*;
use super::{post_at, post_with, problems};
use crate::domain::{EmailWish, Notify, Wishes};

fn wishes(lines: &str) -> Wishes {
    post_with(lines).wishes
}

fn told(lines: &str) -> String {
    problems("a.md", format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\n").as_bytes())
}

#[test]
fn posts_that_wish_nothing_go_everywhere() {
    assert!(wishes("").is_empty());
}

#[test]
fn an_author_says_how_a_post_is_mailed() {
    let cases = [
        ("email: skip", EmailWish::Skip),
        ("email: false", EmailWish::Skip),
        ("email: no", EmailWish::Skip),
        ("email: Instant", EmailWish::Instant),
        ("email: digest", EmailWish::Digest),
        ("email: true", EmailWish::Normal),
        ("email:", EmailWish::Normal),
        ("postrider: {email: skip}", EmailWish::Skip),
        ("postrider: {email: skip}\nemail: digest", EmailWish::Skip),
        ("email: ann@example.org", EmailWish::Normal),
        ("email: 'Ann <ann@example.org>'", EmailWish::Normal),
        ("email: ann@example.org\npostrider: {email: skip}", EmailWish::Skip),
        ("extra: {email: skip}", EmailWish::Skip),
    ];
    for (lines, email) in cases {
        assert_eq!(wishes(lines).email, email, "{lines}");
    }
}

#[test]
fn an_author_says_where_a_post_is_announced() {
    let cases: [(&str, Option<&[&str]>); 12] = [
        ("crosspost: skip", Some(&[])),
        ("crosspost: false", Some(&[])),
        ("crosspost: []", Some(&[])),
        ("crosspost: chat", Some(&["chat"])),
        ("crosspost: chat, mastodon", Some(&["chat", "mastodon"])),
        ("crosspost: [chat]", Some(&["chat"])),
        ("crosspost: [destination:chat]", Some(&["chat"])),
        ("crosspost: true", None),
        ("crosspost: all", None),
        ("crosspost:", None),
        ("postrider: {crosspost: [mastodon]}", Some(&["mastodon"])),
        ("postrider:\n  crosspost: skip", Some(&[])),
    ];
    for (lines, names) in cases {
        let names = names.map(|names| names.iter().map(ToString::to_string).collect());
        assert_eq!(wishes(lines).crosspost, names, "{lines}");
    }
}

#[test]
fn an_author_gives_words_to_single_channels() {
    let texts = |lines: &str| {
        let texts = wishes(lines).texts;
        texts.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join("|")
    };
    assert_eq!(texts("social: 'New: knives'"), "social=New: knives");
    assert_eq!(texts("text: {mastodon: Toot, chat: Hi}"), "chat=Hi|mastodon=Toot");
    assert_eq!(texts("social: All\ntext: {chat: Hi}"), "chat=Hi|social=All");
    assert_eq!(texts("social: {mastodon: Toot}"), "mastodon=Toot");
    assert_eq!(texts("social: {github: ann, site: x}"), "", "a theme's own map is none of ours");
    assert_eq!(texts("text: some engine's"), "");
    assert_eq!(texts("postrider: {social: All, text: {chat: Hi}}"), "chat=Hi|social=All");
    let mail = wishes("subject: A *sharp* knife\npreheader: Ten minutes");
    assert_eq!(mail.subject.as_deref(), Some("A sharp knife"));
    assert_eq!(mail.preheader.as_deref(), Some("Ten minutes"));
    let ours = wishes("postrider: {subject: S, preheader: P}");
    assert_eq!((ours.subject.as_deref(), ours.preheader.as_deref()), (Some("S"), Some("P")));
}

#[test]
fn an_author_says_when_mails_go_out_and_whom_a_correction_concerns() {
    let at: Timestamp = "2024-03-01T07:00:00Z".parse().unwrap();
    for lines in [
        "send_at: 2024-03-01 08:00",
        "sendAt: 2024-03-01T08:00",
        "send time: 2024-03-01 08:00",
        "postrider: {send_at: 2024-03-01 08:00}",
    ] {
        assert_eq!(wishes(lines).send_at, Some(at), "{lines}");
    }
    let cases = [
        ("notify: correction", Notify::Correction(None)),
        ("notify: {correction: Wrong *name*}", Notify::Correction(Some("Wrong name".to_owned()))),
        ("notify: {correction: true}", Notify::Correction(None)),
        ("notify: false", Notify::Nothing),
        ("notify:", Notify::Nothing),
        ("postrider: {notify: correction}", Notify::Correction(None)),
    ];
    for (lines, notify) in cases {
        assert_eq!(wishes(lines).notify, notify, "{lines}");
    }
}

#[test]
fn a_doubtful_wish_is_an_error_because_mail_cannot_be_taken_back() {
    let cases = [
        "email: skpi",
        "email: tomorrow",
        "crosspost: {chat: true}",
        "send_at: soon",
        "notify: corection",
        "notify: everybody",
        "postrider: {emial: skip}",
        "postrider: {email: [skip]}",
        "postrider: {email: ann@example.org}",
        "postrider: {colour: red}",
        "postrider: skip",
    ];
    let shown: Vec<String> = cases.iter().map(|lines| told(lines)).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
    let long = told(&format!("subject: {}", "x".repeat(300)));
    assert!(long.contains("300 characters"), "{long}");
}

#[test]
fn a_destination_that_is_not_there_is_told_and_the_post_goes_to_no_other() {
    let text = b"---\ntitle: T\ndate: 2024-01-15\ncrosspost: [chta]\ntext: {mastodn: Hi}\n---\n";
    let (verdict, found) = super::read("a.md", text).unwrap();
    let Verdict::Post(post) = verdict else { panic!("no post") };
    assert_eq!(post.wishes.crosspost.unwrap(), ["chta"]);
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "posts/a.md:4:12: `crosspost`: there is no destination `chta` (did you mean `chat`?)",
            "posts/a.md:5:8: there is no destination `mastodn` to say this at (did you mean `mastodon`?)",
        ]
    );
}

#[test]
fn words_for_mail_make_a_new_revision_and_other_wishes_do_not() {
    let revision = |lines: &str| post_with(lines).revision;
    let plain = revision("");
    for lines in ["email: skip", "crosspost: chat", "send_at: 2024-03-01", "notify: correction"] {
        assert_eq!(plain, revision(lines), "{lines}");
    }
    for lines in ["subject: S", "preheader: P", "social: S", "text: {chat: T}"] {
        assert_ne!(plain, revision(lines), "{lines}");
    }
    assert_ne!(revision("subject: A"), revision("preheader: A"));
}

#[test]
fn what_an_engine_calls_expires_and_canonical_may_stand_among_the_wishes_too() {
    let ours = "expires: 2024-03-01, canonical: 'https://a.example/b', topics: [a], draft: no";
    let text = format!("---\ntitle: T\ndate: 2024-01-15\npostrider: {{{ours}}}\n---\n");
    let post = post_at("a.md", &text);
    assert_eq!(post.expires_at.unwrap().to_string(), "2024-02-29T23:00:00Z");
    assert_eq!(post.canonical.unwrap().as_str(), "https://a.example/b");
    assert_eq!(post.tags, ["a"]);
}
