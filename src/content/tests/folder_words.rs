//! What a folder of posts says for all of them: words of its own, defaults, where dates come from.

use serde_json::json;

use super::super::*;
use super::Folder;
use crate::domain::EmailWish;

fn speaking(words: &[(Field, &[&str])]) -> Folder {
    let names = words
        .iter()
        .map(|(field, keys)| (*field, keys.iter().map(|key| (*key).to_owned()).collect()));
    Folder { names: names.collect(), ..Folder::new() }
}

fn with_defaults(defaults: &serde_json::Value) -> Folder {
    Folder { preset: Preset::of(defaults), ..Folder::new() }
}

#[test]
fn authors_may_use_words_of_their_own() {
    let folder = speaking(&[
        (Field::Title, &["Überschrift"]),
        (Field::Published, &["veröffentlicht"]),
        (Field::Tags, &["schlagworte", "meta.worte"]),
        (Field::Authors, &["autoren"]),
        (Field::Image, &["bild.datei"]),
        (Field::Email, &["rundbrief"]),
        (Field::Draft, &["entwurf"]),
    ]);
    let text = "---\nüberschrift: Titel\nveröffentlicht: 2024-03-01\ndate: 2020-01-01\n\
        schlagworte: [a, b]\ntags: [c]\nautoren: [Ann]\nbild: {datei: /a.png}\nrundbrief: skip\n---\n";
    let post = folder.post_at("a.md", text);
    assert_eq!(post.title, "Titel");
    assert_eq!(post.published_at.to_string(), "2024-02-29T23:00:00Z");
    assert_eq!(post.tags, ["a", "b"]);
    assert_eq!(post.authors[0].name, "Ann");
    assert_eq!(post.image.unwrap().path(), "/a.png");
    assert_eq!(post.wishes.email, EmailWish::Skip);
    let nested = "---\ntitle: T\ndate: 2024-03-01\nmeta: {worte: [x]}\n---\n";
    assert_eq!(folder.post_at("a.md", nested).tags, ["x"]);
    let usual = "---\ntitle: T\ndate: 2024-03-01\ntags: [c]\n---\n";
    assert_eq!(folder.post_at("a.md", usual).tags, ["c"], "the usual names still count");
    let draft = "---\ntitle: T\nentwurf: ja\n---\n";
    assert_ne!(folder.read("a.md", draft.as_bytes()).ok().map(|it| it.0), Some(Verdict::Draft));
    let draft = draft.replace("ja", "true");
    assert_eq!(folder.read("a.md", draft.as_bytes()).unwrap().0, Verdict::Draft);
}

#[test]
fn what_is_wrong_under_a_word_of_their_own_is_told_under_that_word() {
    let folder = speaking(&[(Field::Published, &["datum"])]);
    let found = folder.read("a.md", b"---\ntitle: T\ndatum: bald\n---\n").unwrap_err();
    assert!(found[0].message.contains("`datum`"), "{}", found[0]);
}

#[test]
fn defaults_of_a_folder_stand_in_for_posts_that_do_not_say() {
    let folder = with_defaults(&json!({
        "authors": ["Ann <ann@example.org>"], "tags": ["notes"], "categories": ["Log"],
        "section": "log", "email": "digest", "crosspost": "skip", "social": "New note",
    }));
    let silent = folder.post_at("a.md", "---\ntitle: T\ndate: 2024-01-15\n---\n");
    assert_eq!(silent.authors[0].name, "Ann");
    assert_eq!((silent.tags.join(""), silent.categories.join("")), ("notes".into(), "Log".into()));
    assert_eq!(silent.section.as_deref(), Some("log"));
    assert_eq!(silent.wishes.email, EmailWish::Digest);
    assert_eq!(silent.wishes.crosspost.as_deref(), Some(&[][..]));
    assert_eq!(silent.wishes.text_for("chat"), Some("New note"));
    let lines = "author: Bob\ntags: [b]\ncategory: C\nemail: true\ncrosspost: [chat]\nsocial: S";
    let own = folder.post_at("a.md", &format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\n"));
    assert_eq!(own.authors[0].name, "Bob");
    assert_eq!((own.tags.join(""), own.categories.join("")), ("b".into(), "C".into()));
    assert_eq!(own.wishes.email, EmailWish::Normal);
    assert_eq!(own.wishes.crosspost.as_deref(), Some(&["chat".to_owned()][..]));
    assert_eq!(own.wishes.text_for("chat"), Some("S"));
    let nearer = folder.post_at("essays/a.md", "---\ntitle: T\ndate: 2024-01-15\n---\n");
    assert_eq!(nearer.section.as_deref(), Some("essays"));
}

#[test]
fn a_folder_of_drafts_holds_back_what_does_not_say_otherwise() {
    let folder = with_defaults(&json!({"draft": true}));
    let verdict = |lines: &str| {
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\n");
        folder.read("a.md", text.as_bytes()).unwrap().0 == Verdict::Draft
    };
    assert!(verdict(""));
    assert!(!verdict("draft: false"));
    assert!(!verdict("published: true"));
    assert!(!verdict("status: published"));
    assert!(verdict("draft: true"));
}

#[test]
fn a_language_in_the_name_goes_before_that_of_the_folder() {
    let folder = with_defaults(&json!({"lang": "de"}));
    let language =
        |within: &str| folder.post_at(within, "---\ntitle: T\ndate: 2024-01-15\n---\n").language;
    assert_eq!(language("a.md"), "de");
    assert_eq!(language("a.fr.md"), "fr");
}

#[test]
fn dates_come_from_where_the_folder_says() {
    use DateSource::{FileName, FrontMatter, Git, Mtime};
    let at = |day: &str| Some(format!("2024-{day}T00:00:00Z").parse().unwrap());
    let dated = |sources: &[DateSource], within: &str, lines: &str| {
        let folder = Folder {
            dates_from: sources.to_vec(),
            committed_at: at("05-05"),
            modified_at: at("06-06"),
            ..Folder::new()
        };
        let text = format!("---\ntitle: T\n{lines}\n---\n");
        let read = folder.read(within, text.as_bytes());
        read.ok().and_then(|(verdict, _)| match verdict {
            Verdict::Post(post) => Some(post.published_at.to_string()[5..10].to_owned()),
            Verdict::Draft | Verdict::NotAPost => None,
        })
    };
    let date = "date: 2024-03-03T12:00:00Z";
    let named = "2024-02-02-a.md";
    let day = |text: &str| Some(text.to_owned());
    assert_eq!(dated(&[FrontMatter, FileName, Git], named, date), day("03-03"));
    assert_eq!(dated(&[FileName, FrontMatter], named, date), day("02-01"));
    assert_eq!(dated(&[FrontMatter, FileName, Git, Mtime], named, ""), day("02-01"));
    assert_eq!(dated(&[FrontMatter, FileName, Git, Mtime], "a.md", ""), day("05-05"));
    assert_eq!(dated(&[FrontMatter, Mtime, Git], "a.md", ""), day("06-06"));
    assert_eq!(dated(&[FrontMatter, FileName], "a.md", ""), None);
    assert_eq!(dated(&[FrontMatter, Git], "a.md", "date: soon"), None, "a broken date is told");
}
