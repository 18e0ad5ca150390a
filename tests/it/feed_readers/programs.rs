//! The feeds of a running daemon, as the programs show them that people read with (statement 42).

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

use super::{python, says, script};
use crate::harness::daemon::{Daemon, configuration, get, project, until};

struct Item {
    title: &'static str,
    author: &'static str,
    published: &'static str,
    tag: &'static str,
    /// As it is in the file, and as it is in the feeds.
    body: (&'static str, &'static str),
    recording: Option<&'static str>,
}

/// Newest first.
const ITEMS: [Item; 3] = [
    Item {
        title: "Vec<T> & AT&T",
        author: "Ada & Co",
        published: "2026-03-03T10:00:00Z",
        tag: "ponds",
        body: (
            "A *pond* & [more](../there).",
            "<p>A <em>pond</em> &amp; <a href=\"https://example.org/posts/there\">more</a>.</p>",
        ),
        recording: None,
    },
    Item {
        title: "]]> שלום 👩‍🚀 \"é\"",
        author: "Bea Élan",
        published: "2026-03-02T10:00:00Z",
        tag: "ponds",
        body: ("Listen ]]> well.", "<p>Listen ]]&gt; well.</p>"),
        recording: Some("https://example.org/talk.mp3"),
    },
    Item {
        title: "Plain",
        author: "Ada & Co",
        published: "2026-03-01T10:00:00Z",
        tag: "hills",
        body: ("Words.", "<p>Words.</p>"),
        recording: None,
    },
];

type Choice = fn(&Item) -> bool;

/// Our feeds by format: everything, a tag, the podcast; with what is in each.
const RSS: [(&str, Choice); 3] = [
    ("feed.xml", |_| true),
    ("tags/ponds/feed.xml", |item| item.tag == "ponds"),
    ("podcast.xml", |item| item.recording.is_some()),
];
const ATOM: [(&str, Choice); 2] =
    [("atom.xml", |_| true), ("tags/ponds/atom.xml", |item| item.tag == "ponds")];
const JSON: [(&str, Choice); 2] =
    [("feed.json", |_| true), ("tags/ponds/feed.json", |item| item.tag == "ponds")];

const MORE: &str = r#"
[feeds]
per = ["tag"]
logo = "/logo.png"
icon = "/icon.png"
ttl = "1h"
hubs = ["https://hub.example.net/"]
[feeds.podcast]
category = "Technology"
"#;

struct House {
    folder: TempDir,
    address: SocketAddr,
    _daemon: Daemon,
}

impl House {
    async fn open() -> Self {
        let basic = configuration("sqlite:var/postrider.db", "url = \"outbox:var/outbox\"");
        let folder = project(&(basic + MORE));
        for (number, item) in ITEMS.iter().enumerate() {
            let recording = item.recording.map_or_else(String::new, |url| {
                format!(", \"audio\": \"{url}\", \"audio_length\": 1234, \"duration\": \"12:34\"")
            });
            let text = format!(
                "{{\"title\": {}, \"date\": \"{}\", \"author\": \"{}\", \"tags\": [\"{}\"], \
                 \"image\": \"/cover.jpg\"{recording}}}\n\n{}\n",
                Value::from(item.title),
                item.published,
                item.author,
                item.tag,
                item.body.0
            );
            fs::write(folder.path().join(format!("posts/p{number}.md")), text).unwrap();
        }
        let daemon = Daemon::start(folder.path());
        let address = Daemon::address(folder.path(), 1).await;
        let house = Self { folder, address, _daemon: daemon };
        until("the feed", async || house.gets("podcast.xml").await.is_some()).await;
        house
    }

    async fn gets(&self, path: &str) -> Option<String> {
        let (status, answer) = get(self.address, &format!("/{path}")).await?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        (status == 200).then(|| body.to_owned())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How often somebody was told that nothing is new.
    async fn unchanged(&self) -> u64 {
        let metrics = self.gets("metrics").await.unwrap();
        let counts = metrics.lines().filter(|line| {
            line.starts_with("postrider_feed_requests_total") && line.contains("status=\"304\"")
        });
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// What `program` makes of `feeds`, which it asks for until it is told that nothing is new.
    async fn asked_by(&self, program: &str, feeds: &[(&str, Choice)]) -> Vec<Value> {
        let before = self.unchanged().await;
        let urls = feeds.iter().map(|(path, _)| self.url(path));
        let mut command = Command::new(python());
        command.arg(script(program)).arg(self.folder.path()).args(urls);
        let said: Vec<Value> = serde_json::from_str(&says(&mut command)).unwrap();
        assert_eq!(said.len(), feeds.len());
        let unchanged = self.unchanged().await - before;
        assert_eq!(unchanged, feeds.len() as u64, "{program} is told so once for each feed");
        said
    }

    /// The id of a post, as our JSON Feed has it.
    async fn id(&self, title: &str) -> String {
        let feed: Value = serde_json::from_str(&self.gets("feed.json").await.unwrap()).unwrap();
        let items = feed["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["title"] == title).unwrap();
        item["id"].as_str().unwrap().to_owned()
    }

    /// Holds what was shown of `feeds` to the posts. A text may be within a page.
    async fn holds(&self, shown: &[Value], feeds: &[(&str, Choice)]) {
        for (feed, (path, is_in)) in shown.iter().zip(feeds) {
            let expected: Vec<&Item> = ITEMS.iter().filter(|item| is_in(item)).collect();
            let entries = feed["entries"].as_array().unwrap();
            let titles: Vec<&Value> = entries.iter().map(|entry| &entry["title"]).collect();
            let wanted: Vec<&str> = expected.iter().map(|item| item.title).collect();
            assert_eq!(titles, wanted, "{path}");
            for (entry, item) in entries.iter().zip(expected) {
                let number = ITEMS.iter().position(|it| it.title == item.title).unwrap();
                let published: Timestamp = item.published.parse().unwrap();
                assert_eq!(entry["id"], self.id(item.title).await, "{path}");
                assert_eq!(entry["link"], format!("https://example.org/posts/p{number}/"));
                assert_eq!(entry["author"], item.author, "{path}");
                assert_eq!(entry["published"], published.as_second(), "{path}");
                let content = entry["content"].as_str().unwrap();
                assert!(content.contains(item.body.1), "{path}: {content}");
                assert_eq!(entry["recording"], item.recording.unwrap_or_default(), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn newsboat_shows_every_post_and_is_told_when_nothing_is_new() {
    let house = House::open().await;
    let feeds = [&RSS[..], &ATOM].concat();
    let shown = house.asked_by("ask_newsboat.py", &feeds).await;
    assert_eq!(shown[0]["title"], "Field Notes");
    house.holds(&shown, &feeds).await;
}

#[tokio::test]
async fn rss2email_mails_every_post_and_is_told_when_nothing_is_new() {
    let house = House::open().await;
    let feeds = [&RSS[..], &ATOM].concat();
    let shown = house.asked_by("ask_rss2email.py", &feeds).await;
    house.holds(&shown, &feeds).await;
}

#[tokio::test]
async fn the_library_reader_has_every_post_in_each_format_and_is_told_when_nothing_is_new() {
    let house = House::open().await;
    let feeds = [&RSS[..], &ATOM, &JSON].concat();
    let shown = house.asked_by("ask_reader.py", &feeds).await;
    assert_eq!(shown[0]["title"], "Field Notes");
    house.holds(&shown, &feeds).await;
}

#[tokio::test]
async fn the_schema_of_json_feed_has_nothing_against_ours() {
    let house = House::open().await;
    let files = JSON.map(|(path, _)| (path, house.path(&path.replace('/', "-"))));
    for (path, file) in &files {
        fs::write(file, house.gets(path).await.unwrap()).unwrap();
    }
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/json-feed/schema-v1.1.json");
    let judged = |files: &[PathBuf]| {
        says(Command::new(python()).arg(script("check_json_feeds.py")).arg(&schema).args(files))
    };
    assert_eq!(judged(&files.each_ref().map(|(_, file)| file.clone())), "");
    let broken = house.path("broken.json");
    let text = house.gets("feed.json").await.unwrap();
    fs::write(&broken, text.replacen("\"date_published\": \"20", "\"date_published\": \"", 1))
        .unwrap();
    assert_ne!(fs::read_to_string(&broken).unwrap(), text);
    assert!(judged(&[broken]).contains("is not a 'date-time'"), "the judge is awake");
}
