//! Posts go on under the ids that readers know from the feed before: `postrider feeds adopt`.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::BTreeMap;
use std::fs;

use postrider::domain::Cadence;

use crate::harness::engine::{Database, Engine};
use crate::harness::http::{Answer, HttpServer};
use crate::harness::program::{Ended, Project};
use crate::harness::world::{Setting, post};

const CONFIG: &str = r#"[site]
title = "Field Notes"
url = "https://example.org"

[server]
public_url = "https://example.org"

[[posts]]
path = "posts"
permalink = "/posts/{slug}/"

[mail]
from = "Field Notes <news@example.org>"
address = "1 Field Lane, 12345 Notestown"

[mail.servers.main]
url = "outbox:var/outbox"
"#;

/// A project with three posts, and its database.
struct Blog {
    project: Project,
    database: Database,
}

impl Blog {
    async fn on(engine: Engine) -> Self {
        let project = Project::empty();
        project.write("config/postrider.toml", CONFIG);
        for (slug, day) in [("ponds", "2026-03-01"), ("tea", "2026-03-02"), ("rain", "2026-03-03")]
        {
            project.write(&format!("posts/{slug}.md"), &post(slug, day));
        }
        Self { project, database: engine.database().await }
    }

    fn runs(&self, line: &str) -> Ended {
        Ended::of(self.project.command(line).env("POSTRIDER__STORE__URL", &self.database.text))
    }

    fn adopts(&self, feed: &str, options: &str) -> Ended {
        self.project.write("old.feed", feed);
        self.runs(&format!("feeds adopt old.feed {options}"))
    }

    /// The id of each post in a feed, by its address, as a reader sees it that was not written here.
    fn ids(&self, name: &str) -> BTreeMap<String, String> {
        self.runs("build --out public").well();
        self.built(name)
    }

    /// The same as last built.
    fn built(&self, name: &str) -> BTreeMap<String, String> {
        let bytes = fs::read(self.project.path("public").join(name)).unwrap();
        let feed = feed_rs::parser::parse(&bytes[..]).unwrap();
        feed.entries.into_iter().map(|it| (it.links[0].href.clone(), it.id)).collect()
    }

    fn id(&self, name: &str, slug: &str) -> String {
        self.ids(name)[&format!("https://example.org/posts/{slug}/")].clone()
    }
}

fn fates(ended: &Ended) -> Vec<String> {
    let json = ended.json();
    let entries = json["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["fate"].as_str().unwrap().to_owned()).collect()
}

fn rss(generator: &str, items: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Old</title><link>https://example.org/</link><description>Old</description>
<generator>{generator}</generator>{items}</channel></rss>"#
    )
}

/// A feed as each system writes it, and the id of the post about ponds in it.
fn feeds() -> [(&'static str, String, &'static str); 6] {
    let jekyll = r#"<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<generator uri="https://jekyllrb.com/" version="4.3.1">Jekyll</generator>
<link href="https://example.org/feed.xml" rel="self" type="application/atom+xml"/>
<link href="https://example.org/" rel="alternate" type="text/html" hreflang="en"/>
<updated>2026-03-03T00:00:00+00:00</updated><id>https://example.org/feed.xml</id><title type="html">Old</title>
<entry><title type="html">ponds</title><link href="https://example.org/posts/ponds.html/../ponds/" rel="alternate" type="text/html" title="ponds"/>
<published>2026-03-01T00:00:00+00:00</published><updated>2026-03-01T00:00:00+00:00</updated>
<id>https://example.org/posts/ponds</id><content type="html" xml:base="https://example.org/posts/ponds/">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>"#;
    let hugo = rss(
        "Hugo 0.168.0",
        "<item><title>ponds</title><link>https://example.org/posts/ponds/</link>\
         <pubDate>Sun, 01 Mar 2026 00:00:00 +0000</pubDate><guid>https://example.org/posts/ponds/</guid>\
         <description>x</description></item>",
    );
    let wordpress = rss(
        "https://wordpress.org/?v=6.7.1",
        "<item><title>ponds</title><link>https://www.example.org/posts/ponds/?utm_source=rss&#038;utm_medium=rss</link>\
         <pubDate>Sun, 01 Mar 2026 00:00:00 +0000</pubDate>\
         <guid isPermaLink=\"false\">https://example.org/?p=123</guid></item>",
    );
    let ghost = rss(
        "Ghost 5.101",
        "<item><title><![CDATA[ponds]]></title><link>https://example.org/posts/ponds/</link>\
         <guid isPermaLink=\"false\">5f3e9b0c1d2e3f4a5b6c7d8e</guid></item>",
    );
    let astro = rss(
        "",
        "<item><title>ponds</title><link>https://example.org/posts/ponds/</link>\
         <guid isPermaLink=\"true\">https://example.org/posts/ponds/</guid></item>",
    );
    let json = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "Old", "home_page_url": "https://example.org/",
        "items": [{"id": "http://micro.example.org/2026/ponds", "url": "http://example.org/posts/ponds", "content_text": "x"}]}"#;
    [
        ("atom.xml", jekyll.to_owned(), "https://example.org/posts/ponds"),
        ("feed.xml", hugo, "https://example.org/posts/ponds/"),
        ("feed.xml", wordpress, "https://example.org/?p=123"),
        ("feed.xml", ghost, "5f3e9b0c1d2e3f4a5b6c7d8e"),
        ("feed.xml", astro, "https://example.org/posts/ponds/"),
        ("feed.json", json.to_owned(), "http://micro.example.org/2026/ponds"),
    ]
}

/// Statement 4, and 2: the same id in all formats.
#[tokio::test]
async fn readers_find_the_ids_that_they_know_whatever_system_gave_them() {
    for engine in Engine::all() {
        let before = Blog::on(engine).await.id("feed.xml", "tea");
        for (name, feed, id) in feeds() {
            let blog = Blog::on(engine).await;
            let ended = blog.adopts(&feed, "--yes").well();
            assert!(ended.out.contains("adopted: the post gets this id"), "{}", ended.out);
            assert!(ended.out.contains("2  posts not in it"), "{}", ended.out);
            blog.runs("build --out public").well();
            for other in ["feed.xml", "atom.xml", "feed.json"] {
                let ghost = format!("urn:x-ghost:{id}");
                let wanted = if id.len() == 24 && other == "atom.xml" { &ghost } else { id };
                let ids = blog.built(other);
                assert_eq!(
                    ids["https://example.org/posts/ponds/"], wanted,
                    "{engine:?} {name} {other}"
                );
                assert_eq!(ids["https://example.org/posts/tea/"], before, "others keep theirs");
            }
        }
    }
}

#[tokio::test]
async fn what_was_adopted_once_is_the_same_the_next_time() {
    let blog = Blog::on(Engine::Sqlite).await;
    let feed = &feeds()[2].1;
    blog.adopts(feed, "--yes").well();
    assert_eq!(fates(&blog.adopts(feed, "--yes --format json").well()), ["same"]);
}

/// Statement 3.
#[tokio::test]
async fn a_guid_says_that_it_is_the_link_only_where_it_is() {
    let blog = Blog::on(Engine::Sqlite).await;
    let items = "<item><link>https://example.org/posts/ponds/</link><guid>https://example.org/posts/ponds/</guid></item>\
                 <item><link>https://example.org/posts/tea/</link><guid>http://example.org/posts/tea</guid></item>";
    blog.adopts(&rss("", items), "--yes").well();
    blog.runs("build --out public").well();
    let feed = fs::read_to_string(blog.project.path("public/feed.xml")).unwrap();
    assert!(feed.contains("<guid>https://example.org/posts/ponds/</guid>"), "{feed}");
    assert!(
        feed.contains("<guid isPermaLink=\"false\">http://example.org/posts/tea</guid>"),
        "{feed}"
    );
}

#[tokio::test]
async fn nothing_is_changed_before_somebody_said_so() {
    let blog = Blog::on(Engine::Sqlite).await;
    let feed = &feeds()[2].1;
    let before = blog.ids("feed.xml");
    let dry = blog.adopts(feed, "--dry-run").well();
    assert!(
        dry.err.contains("Nothing was changed: the earlier ids would go to 1 post"),
        "{}",
        dry.err
    );
    let refused = blog.adopts(feed, "").with(1);
    assert!(refused.err.contains("`--yes` does it without asking"), "{}", refused.err);
    assert_eq!(blog.ids("feed.xml"), before);
}

#[tokio::test]
async fn what_was_rss_and_atom_before_keeps_the_ids_of_each() {
    for engine in Engine::all() {
        let blog = Blog::on(engine).await;
        let [(_, atom, atom_id), _, (_, rss, rss_id), ..] = feeds();
        blog.adopts(&rss, "--yes").well();
        blog.adopts(&atom, "--yes").well();
        assert_eq!(blog.id("feed.xml", "ponds"), rss_id, "{engine:?}");
        assert_eq!(blog.id("atom.xml", "ponds"), atom_id, "{engine:?}");
        assert_eq!(blog.id("feed.json", "ponds"), rss_id, "{engine:?}: the first stays");
        // Another feed with other ids changes nothing, unless it is meant.
        let other = feeds()[3].1.clone();
        assert_eq!(fates(&blog.adopts(&other, "--yes --format json").well()), ["known_otherwise"]);
        assert_eq!(blog.id("feed.xml", "ponds"), rss_id);
        let forced = blog.adopts(&other, "--yes --force --format json").well();
        assert_eq!(fates(&forced), ["adopted"]);
        assert_eq!(blog.id("feed.xml", "ponds"), "5f3e9b0c1d2e3f4a5b6c7d8e");
        assert_eq!(blog.id("atom.xml", "ponds"), atom_id, "{engine:?}");
    }
}

#[tokio::test]
async fn an_adopted_id_survives_edits_renames_and_restarts_and_nobody_gets_mail() {
    for engine in Engine::all() {
        let mut world =
            Setting::new(engine).post("ponds.md", post("Ponds", "2026-03-01")).start().await;
        world.subscriber("ann@example.org", Cadence::Instant).await;
        world.passes(4).await;
        let adopts = |options: &str| {
            fs::write(world.path("old.feed"), &feeds()[2].1).unwrap();
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postrider"));
            let line = format!("feeds adopt old.feed --yes --format json {options}");
            Ended::of(command.args(line.split_whitespace()).current_dir(world.path("")))
        };
        // The story plays in March, the command runs today: readers have known the post for months.
        assert_eq!(fates(&adopts("").well()), ["known_otherwise"]);
        assert_eq!(fates(&adopts("--force").well()), ["adopted"]);
        let guid = async |world: &crate::harness::world::World| {
            let feed = feed_rs::parser::parse(&world.gets("/feed.xml").await.body[..]).unwrap();
            feed.entries[0].id.clone()
        };
        world.rescans().await;
        assert_eq!(guid(&world).await, "https://example.org/?p=123", "{engine:?}");
        fs::remove_file(world.path("posts/ponds.md")).unwrap();
        world.author_saves("2026/pools.md", post("Ponds", "2026-03-01") + "\nMore.\n").await;
        assert_eq!(world.feed_titles().await.len(), 1);
        assert_eq!(guid(&world).await, "https://example.org/?p=123", "{engine:?}: renamed");
        world.restarts().await;
        assert_eq!(guid(&world).await, "https://example.org/?p=123", "{engine:?}: restarted");
        world.passes(5).await;
        world.is_quiet().await;
        assert!(world.outbox_mail().is_empty(), "{engine:?}: {:?}", world.outbox_mail());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_followed_to_its_end_and_not_round_in_circles() {
    let blog = Blog::on(Engine::Sqlite).await;
    let item = |slug: &str, id: &str| {
        format!(
            "<item><link>https://example.org/posts/{slug}/</link><guid isPermaLink=\"false\">{id}</guid></item>"
        )
    };
    let page = |next: &str, item: String| {
        Answer::status(200)
            .body(rss("", &format!("<atom:link rel=\"next\" href=\"{next}\"/>{item}")))
    };
    let server = HttpServer::plain().await;
    server.will(Answer::status(301).header("location", "/feed/"));
    server.will(page("/feed/?page=2", item("ponds", "1")));
    server.will(page("?page=3", item("tea", "2")));
    server.will(page("/feed/?page=2", item("rain", "3")));
    let line = format!("feeds adopt http://{}/index.xml --yes", server.address);
    let ended = tokio::task::block_in_place(|| blog.runs(&line)).well();
    assert_eq!(blog.ids("feed.xml").into_values().collect::<Vec<_>>(), ["1", "3", "2"]);
    assert!(ended.err.contains("3 documents read"), "{}", ended.err);
    let asked: Vec<String> = server.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(asked, ["/index.xml", "/feed/", "/feed/", "/feed/"]);
    assert!(ended.err.contains("[feeds.moved]\n\"/index.xml\" = \"/feed.xml\""), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_posts_of_wordpress_are_asked_for_as_it_wants_it() {
    let blog = Blog::on(Engine::Sqlite).await;
    let page = |slug: &str, id: u32| {
        let item = format!(
            "<item><link>https://example.org/posts/{slug}/</link>\
             <guid isPermaLink=\"false\">https://example.org/?p={id}</guid></item>"
        );
        Answer::status(200).body(rss("https://wordpress.org/?v=6.7", &item))
    };
    let server = HttpServer::plain().await;
    for answer in [page("ponds", 1), page("tea", 2), Answer::status(404)] {
        server.will(answer);
    }
    let line = format!("feeds adopt http://{}/feed/ --yes", server.address);
    tokio::task::block_in_place(|| blog.runs(&line)).well();
    assert_eq!(blog.id("feed.xml", "tea"), "https://example.org/?p=2");
}

#[tokio::test]
async fn what_is_no_feed_is_told_and_changes_nothing() {
    let blog = Blog::on(Engine::Sqlite).await;
    let before = blog.ids("feed.xml");
    let bomb = r#"<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><rss version="2.0"><channel><title>x</title><link>https://example.org/</link>
        <description>x</description><item><title>&c;</title><link>https://example.org/posts/ponds/</link>
        <guid>&c;</guid></item></channel></rss>"#;
    for (text, told) in [
        (
            "<!doctype html><html><body>Hello</body></html>".to_owned(),
            "it is a web page, not a feed",
        ),
        (String::new(), "neither RSS nor Atom nor JSON Feed"),
        ("{\"items\": []}".to_owned(), "cannot be read as JSON Feed"),
        ("<rss><channel><item>".to_owned(), "its end is missing"),
        (format!("<rss><channel>{}", "<a>".repeat(100_000)), "nested too deeply"),
        (" ".repeat(50 * 1024 * 1024), "has more than"),
    ] {
        let ended = blog.adopts(&text, "--yes").with(1);
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
    }
    assert!(blog.runs("feeds adopt nothing.xml").with(1).err.contains("open `nothing.xml`"));
    let bombed = blog.adopts(bomb, "--yes");
    assert!(bombed.err.len() + bombed.out.len() < 5_000, "no bomb goes off");
    let private = blog.runs("feeds adopt ftp://example.org/feed.xml").with(1);
    assert!(private.err.contains("open `ftp:"), "{}", private.err);
    let odd = rss(
        "",
        "<item><title>no link</title><guid>x</guid></item><item><title>nothing</title></item>\
         <item><link>https://example.org/posts/ponds/</link><guid>same</guid></item>\
         <item><link>https://example.org/posts/tea/</link><guid>same</guid></item>",
    );
    let ended = blog.adopts(&odd, "--yes --format json").well();
    assert_eq!(fates(&ended), ["no_post", "no_id", "ambiguous", "ambiguous"]);
    blog.project.write("old.feed", "");
    assert!(blog.ids("feed.xml").len() == before.len());
}
