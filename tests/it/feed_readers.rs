//! The feeds of posts that no editor leaves so, as programs read them that are not ours (statements 10 to 12, 26 and 42).

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod programs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use postrider::config::FeedAbout;
use postrider::content::{self, FolderRules, SourceFile, Verdict};
use postrider::domain::{Author, Body, FeedIds, PostId, Tombstone, Written};
use postrider::feed::{FeedSpec, FeedUrls, Format, render};
use serde_json::Value;

const ODD: [&str; 5] = [
    "Vec<T> & AT&T",
    "]]> &amp;lt; \u{202E}שלום\u{202C} 👩\u{200D}🚀 \u{2028} e\u{301}",
    "bell\u{7}, \u{B}tab and \u{FFFE} end",
    "\"Quotes\" and <b>bold</b> <!-- -->",
    "plain",
];

fn posts() -> Vec<Written> {
    let site_url = "https://example.org/".parse().unwrap();
    let rules = FolderRules::of_site(&site_url, "/posts/{slug}/");
    let long = "a<b ]]> & ünï 🐎 ".repeat(60_000);
    let post = |(number, odd): (usize, &&str)| {
        let units: Vec<String> = odd.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let escaped = units.concat();
        let body = if number == 4 { &long } else { *odd };
        let file = format!(
            "{{\"title\": \"{escaped}\", \"date\": \"2026-11-0{}\", \"tags\": [\"{escaped}\"], \"author\": \"Ada & Co\"}}\n\n\
             {odd}\n\n```\n{body}\n```\n\n[over there](../there)\n",
            9 - number
        );
        let name = format!("p{number}.md");
        let read = content::parse(&SourceFile::new(&name, &name, file.as_bytes()), &rules);
        let Ok((Verdict::Post(parsed), _)) = read else { panic!("{read:?}") };
        let body = Body { html: parsed.html.clone(), ..Body::default() };
        let id = PostId::mint(&parsed.link);
        Written { post: Arc::new(parsed.into_post(id)), body: Arc::new(body) }
    };
    ODD.iter().enumerate().map(post).collect()
}

/// The RSS and Atom documents of the posts, as files.
fn files(folder: &Path, posts: &[Written]) -> Vec<PathBuf> {
    let author = Author { name: "Ada Moss".to_owned(), email: None, url: None };
    let gone = ["urn:uuid:1", "https://old.example/?p=1&q=2"];
    let gone =
        gone.map(|id| Tombstone { id: PostId::pinned(id), gone_at: posts[0].post.published_at });
    let spec = FeedSpec {
        title: "Field Notes <&>",
        description: "Odd posts",
        site_url: &"https://example.org/".parse().unwrap(),
        language: "en",
        author: Some(&author),
        urls: &FeedUrls::within(&"https://post.example.org/".parse().unwrap()),
        full_text: true,
        about: &FeedAbout::default(),
        podcast: None,
        neighbours: None,
        gone: &gone,
        ids: FeedIds::none(),
    };
    let write = |format: Format| {
        let path = folder.join(format.file_name());
        fs::write(&path, &*render(format, &spec, posts).unwrap().bytes).unwrap();
        path
    };
    [Format::Rss, Format::Atom].map(write).into()
}

#[test]
fn feedparser_reads_what_the_author_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let posts = posts();
    let files = files(folder.path(), &posts);
    let said = says(Command::new(python()).arg(script("read_feeds.py")).args(files));
    let feeds: Vec<Value> = serde_json::from_str(&said).unwrap();
    for feed in feeds {
        assert_eq!(feed["fault"], Value::Null);
        assert_eq!(feed["title"], "Field Notes <&>");
        let entries = feed["entries"].as_array().unwrap();
        assert_eq!(entries.len(), posts.len());
        for (entry, Written { post, body }) in entries.iter().zip(&posts) {
            assert_eq!(entry["id"], post.id.as_str());
            assert_eq!(entry["title"], post.title);
            assert_eq!(entry["link"], post.link.as_str());
            assert_eq!(entry["author"], "Ada & Co");
            assert_eq!(entry["published"], post.published_at.as_second());
            assert_eq!(entry["tags"][0], post.tags[0]);
            assert_eq!(entry["content"].as_str().unwrap().trim(), body.html.trim());
        }
    }
}

#[test]
fn xmllint_finds_every_feed_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    let said = says(Command::new("xmllint").arg("--noout").args(files(folder.path(), &posts())));
    assert_eq!(said, "");
}

fn says(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be run ({error}); scripts/test installs it")
    });
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed; scripts/test installs it\n{errors}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// The Python that has the readers.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/feed-readers/bin/python")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/feed_readers").join(name)
}
