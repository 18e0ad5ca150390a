//! Every document is read back with a reader's library: what counts is what arrives.

use std::io::Read as _;
use std::sync::Arc;

use feed_rs::model::{Entry, Feed};
use jiff::Timestamp;
use url::Url;

use super::*;
use crate::domain::{AdoptedId, Body, FeedFamily, FeedIds, Post, PostId, Tombstone};

mod complete;
mod hostile;
mod torture;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Site {
    url: Url,
    urls: FeedUrls,
    author: Author,
    about: FeedAbout,
}

impl Site {
    fn new() -> Self {
        Self {
            url: url("https://example.org/"),
            urls: FeedUrls::within(&url("https://post.example.org/")),
            author: person("Ada Moss"),
            about: FeedAbout::default(),
        }
    }

    fn spec(&self) -> FeedSpec<'_> {
        FeedSpec {
            title: "Field Notes",
            description: "Small things & slow tools",
            site_url: &self.url,
            language: "en",
            author: Some(&self.author),
            urls: &self.urls,
            full_text: true,
            about: &self.about,
            podcast: None,
            neighbours: None,
            gone: &[],
            ids: FeedIds::none(),
        }
    }
}

fn person(name: &str) -> Author {
    Author { name: name.to_owned(), email: Some("ada@example.org".to_owned()), url: None }
}

fn post(slug: &str, published_at: &str) -> Post {
    Post {
        title: format!("About {slug}"),
        summary: format!("A word on {slug}."),
        ..Post::bare(slug, at(published_at))
    }
}

fn written(post: Post, html: &str) -> Written {
    let body = Body { html: html.to_owned(), ..Body::default() };
    Written { post: Arc::new(post), body: Arc::new(body) }
}

/// A post with everything, one in another language with odd text, and one with next to nothing.
fn three_posts() -> Vec<Written> {
    let rich = Post {
        canonical: Some(Box::new(url("https://elsewhere.example/ponds"))),
        updated_at: Some(at("2026-11-03T10:00:00Z")),
        authors: vec![
            Author { url: Some(url("https://mira.example/")), ..person("Mira Holm") },
            person("Tomás Okafor"),
        ],
        tags: vec!["ponds".to_owned(), "R&D".to_owned(), "notes".to_owned()],
        categories: vec!["notes".to_owned()],
        image: Some(Box::new(url("https://example.org/img/pond.jpg?w=800&h=600"))),
        ..post("ponds", "2026-11-02T08:30:00.25+01:00")
    };
    let odd = Post {
        title: "Vec<T> & AT&T: “Grüße” 🐎".to_owned(),
        summary: "Was `a < b && c > d` bedeutet.".to_owned(),
        language: "de".to_owned(),
        ..post("gruesse", "2026-10-02T06:30:00Z")
    };
    let bare = Post {
        id: PostId::pinned("tag:example.org,2019:7"),
        summary: String::new(),
        ..post("bare", "2026-09-01T00:00:00Z")
    };
    let ponds = "<h2>Ponds</h2>\n<pre><code>a &lt; b &amp;&amp; c</code></pre>\n\
                 <p><img src=\"https://example.org/p.png?a=1&amp;b=2\" alt=\"A pond\"></p>";
    let ende = "<p>Das Ende ]]&gt; und ]]> mitten im <entry>Text</entry>.</p>";
    vec![written(rich, ponds), written(odd, ende), written(bare, "")]
}

fn text_of(document: &Document) -> &str {
    std::str::from_utf8(&document.bytes).unwrap()
}

fn rendered(format: Format, posts: &[Written]) -> Document {
    render(format, &Site::new().spec(), posts).unwrap()
}

fn read(document: &Document) -> Feed {
    feed_rs::parser::Builder::new()
        .sanitize_content(false)
        .build()
        .parse(&document.bytes[..])
        .unwrap_or_else(|error| panic!("{error}\n{}", text_of(document)))
}

/// Whether every `&` outside CDATA begins a reference; the reader above is forgiving about that.
fn ampersands_are_references(format: Format, document: &Document) -> bool {
    let reference = |text: &str| {
        let name = text.split(';').next().unwrap_or_default();
        ["amp", "lt", "gt", "quot", "apos"].contains(&name) || name.starts_with('#')
    };
    let mut rest = text_of(document);
    while format != Format::Json && !rest.is_empty() {
        let (outside, section) = rest.split_once("<![CDATA[").unwrap_or((rest, "]]>"));
        if !outside.split('&').skip(1).all(reference) {
            return false;
        }
        rest = section.split_once("]]>").expect("every section ends").1;
    }
    true
}

fn title(entry: &Entry) -> &str {
    entry.title.as_ref().map_or("", |title| title.content.as_str())
}

fn body(entry: &Entry) -> Option<&str> {
    entry.content.as_ref().and_then(|content| content.body.as_deref())
}

fn names(entry: &Entry) -> Vec<&str> {
    entry.authors.iter().filter_map(|who| who.name.as_deref()).collect()
}

fn terms(entry: &Entry) -> Vec<&str> {
    entry.categories.iter().map(|category| category.term.as_str()).collect()
}

/// Statements 16 and 18: self link, author, language, and dates from the posts.
#[test]
fn the_feed_says_of_itself_what_the_spec_says() {
    for format in Format::ALL {
        let feed = read(&rendered(format, &three_posts()));
        assert_eq!(feed.title.unwrap().content, "Field Notes");
        assert_eq!(feed.description.unwrap().content, "Small things & slow tools");
        assert_eq!(feed.language.as_deref(), Some("en"));
        let links: Vec<&str> = feed.links.iter().map(|link| link.href.as_str()).collect();
        let site = Site::new();
        assert!(links.contains(&"https://example.org/"), "{format:?}: {links:?}");
        assert!(links.contains(&site.urls.of(format).as_str()), "{format:?}: {links:?}");
        if format != Format::Json {
            assert_eq!(feed.updated.unwrap().to_rfc3339(), "2026-11-03T10:00:00+00:00");
        }
    }
}

/// Statement 4.
#[test]
fn a_post_from_ghost_keeps_the_guid_that_its_readers_know() {
    let mut moss = post("moss", "2023-09-01T08:00:00Z");
    moss.id = PostId::of_ghost("64f1c2a9e13b7d0001a2b3c4").unwrap();
    let posts = [written(moss, "<p>x</p>")];
    let ids = Format::ALL.map(|format| read(&rendered(format, &posts)).entries.remove(0).id);
    let iri = "urn:x-ghost:64f1c2a9e13b7d0001a2b3c4";
    assert_eq!(ids.iter().filter(|id| *id == iri).count(), 2);
    let rss = text_of(&rendered(Format::Rss, &posts)).to_owned();
    assert!(rss.contains(r#"<guid isPermaLink="false">64f1c2a9e13b7d0001a2b3c4</guid>"#), "{rss}");
}

/// Statements 2, 12 and 16: ids, titles, authors and categories are the same everywhere.
#[test]
fn every_field_of_a_post_arrives_in_every_format() {
    let posts = three_posts();
    for format in Format::ALL {
        let document = rendered(format, &posts);
        assert!(ampersands_are_references(format, &document), "{}", text_of(&document));
        let feed = read(&document);
        assert_eq!(feed.entries.len(), posts.len());
        for (entry, Written { post, body: text }) in feed.entries.iter().zip(&posts) {
            assert_eq!(entry.id, post.id.as_str());
            assert_eq!(title(entry), post.title);
            assert_eq!(entry.links[0].href, post.link.as_str());
            assert_eq!(entry.published.unwrap().timestamp(), post.published_at.as_second());
            if format != Format::Json {
                assert_eq!(body(entry), Some(text.html.as_str()).filter(|html| !html.is_empty()));
            }
        }
        let rich = &feed.entries[0];
        assert_eq!(names(rich), ["Mira Holm", "Tomás Okafor"]);
        assert_eq!(terms(rich), ["notes", "ponds", "R&D"]);
        assert_eq!(
            names(&feed.entries[1])[..],
            *match format {
                Format::Atom => &[][..], // the feed's author stands for it
                Format::Rss | Format::Json => &["Ada Moss"][..],
            }
        );
        if format != Format::Rss {
            assert_eq!(rich.updated.unwrap().to_rfc3339(), "2026-11-03T10:00:00+00:00");
        }
    }
}

#[test]
fn an_image_is_announced_as_such() {
    let wanted = "https://example.org/img/pond.jpg?w=800&h=600";
    for format in [Format::Rss, Format::Atom] {
        let feed = read(&rendered(format, &three_posts()));
        let image = &feed.entries[0].media[0].content[0];
        assert_eq!(image.url.as_ref().unwrap().as_str(), wanted);
        assert!(feed.entries[1].media.is_empty());
    }
    let json: serde_json::Value =
        serde_json::from_slice(&rendered(Format::Json, &three_posts()).bytes).unwrap();
    assert_eq!(json["items"][0]["image"], wanted);
}

/// Statement 18.
#[test]
fn a_post_in_another_language_says_so() {
    let atom = rendered(Format::Atom, &three_posts());
    let languages: Vec<_> = read(&atom).entries.into_iter().map(|entry| entry.language).collect();
    assert_eq!(languages, [None, Some("de".to_owned()), None]);
    assert_eq!(text_of(&atom).matches("<entry xml:lang=\"de\">").count(), 1);
    let rss = rendered(Format::Rss, &three_posts());
    assert_eq!(text_of(&rss).matches("<dc:language>de</dc:language>").count(), 1);
}

/// Statement 22.
#[test]
fn a_feed_of_summaries_has_no_full_text() {
    let site = Site::new();
    let spec = FeedSpec { full_text: false, ..site.spec() };
    for format in Format::ALL {
        let document = render(format, &spec, &three_posts()).unwrap();
        assert!(!text_of(&document).contains("All about"), "{format:?}");
        let feed = read(&document);
        assert_eq!(feed.entries[0].summary.as_ref().unwrap().content, "A word on ponds.");
    }
}

/// Statement 16.
#[test]
fn no_address_of_an_author_is_in_a_feed() {
    for format in Format::ALL {
        assert!(!text_of(&rendered(format, &three_posts())).contains("ada@example.org"));
    }
}

#[test]
fn a_feed_without_posts_and_without_an_author_is_whole() {
    let site = Site::new();
    let spec = FeedSpec { author: None, description: "", language: "", ..site.spec() };
    for format in Format::ALL {
        let document = render(format, &spec, &[]).unwrap();
        assert_eq!(document.last_modified, Timestamp::UNIX_EPOCH);
        assert_eq!(read(&document).description.unwrap().content, "Field Notes");
    }
}

/// Statement 3.
#[test]
fn a_guid_is_a_permalink_only_where_it_is_the_link() {
    let linked = post("linked", "2026-09-01T00:00:00Z");
    let linked = Post { id: PostId::pinned(linked.link.as_str()), ..linked };
    let rss = rendered(
        Format::Rss,
        &[written(linked, ""), written(post("b", "2026-08-01T00:00:00Z"), "")],
    );
    let guids: Vec<&str> =
        text_of(&rss).lines().filter(|line| line.contains("<guid")).map(str::trim).collect();
    let (first, second) = (guids[0], guids[1]);
    assert!(first.contains("https://example.org/posts/linked/") && !first.contains("\"false\""));
    assert!(second.contains("isPermaLink=\"false\""), "{second}");
}

/// Statement 19: what version 1.1 requires; a schema is asked where programs are that were not written here.
#[test]
fn every_item_of_json_has_what_the_format_requires() {
    let json: serde_json::Value =
        serde_json::from_slice(&rendered(Format::Json, &three_posts()).bytes).unwrap();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert!(json["title"].is_string() && json["feed_url"].is_string());
    for item in json["items"].as_array().unwrap() {
        assert!(item["id"].is_string());
        assert!(item["content_html"].is_string() || item["content_text"].is_string());
        for date in ["date_published", "date_modified"] {
            let date = item.get(date).and_then(serde_json::Value::as_str);
            assert!(date.is_none_or(|date| date.ends_with('Z')), "{item}");
        }
        for plain in [&item["title"], &item["summary"]] {
            assert!(plain.as_str().is_none_or(|text| !text.contains("&amp;")), "{item}");
        }
    }
}

/// Statement 10.
#[test]
fn a_title_that_xml_forbids_altogether_gives_way_to_the_link() {
    let post = Post { title: "\u{1}\u{2}".to_owned(), ..post("mute", "2026-09-01T00:00:00Z") };
    for format in Format::ALL {
        let feed = read(&rendered(format, &[written(post.clone(), "")]));
        assert_eq!(title(&feed.entries[0]), "https://example.org/posts/mute/");
    }
}

/// Statement 5.
#[test]
fn equal_posts_give_equal_bytes_and_other_posts_another_tag() {
    for format in Format::ALL {
        let first = rendered(format, &three_posts());
        assert_eq!(first, rendered(format, &three_posts()));
        let other = rendered(format, &three_posts()[1..]);
        assert_ne!(first.etag, other.etag);
        assert!(first.etag.len() == 34 && first.etag.starts_with('"'), "{}", first.etag);
    }
}

/// Statement 30.
#[test]
fn the_compressed_forms_are_the_same_document_and_made_once() {
    let document = rendered(Format::Rss, &three_posts());
    for coding in Coding::ALL {
        assert!(!document.is_made(coding));
        let form = document.encoded(coding).unwrap();
        assert!(Arc::ptr_eq(&form, &document.encoded(coding).unwrap()));
        assert!(form.len() < document.bytes.len());
        let mut text = Vec::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(&form[..]).read_to_end(&mut text),
            Coding::Zstd => zstd::Decoder::new(&form[..]).unwrap().read_to_end(&mut text),
            Coding::Brotli => brotli::Decompressor::new(&form[..], 4096).read_to_end(&mut text),
        }
        .unwrap();
        assert_eq!(text, &document.bytes[..]);
    }
}

/// Statement 7.
#[test]
fn last_modified_is_the_newest_change_in_whole_seconds() {
    let posts = three_posts();
    assert_eq!(rendered(Format::Rss, &posts).last_modified, at("2026-11-03T10:00:00Z"));
    let fraction = written(post("f", "2026-11-02T08:30:00.75Z"), "");
    assert_eq!(rendered(Format::Rss, &[fraction]).last_modified, at("2026-11-02T08:30:00Z"));
}

/// Statements 7 and 26: RFC 6721 has no word for RSS and JSON Feed, but the time is that of the change there, too.
#[test]
fn who_has_a_post_that_is_gone_is_told_so_by_the_id_that_it_has() {
    let site = Site::new();
    let adopted = AdoptedId {
        post: PostId::pinned("urn:uuid:1"),
        family: FeedFamily::Atom,
        id: "https://old.example/?p=1&q=\"2\"".into(),
        adopted_at: Timestamp::UNIX_EPOCH,
    };
    let ids = FeedIds::new(vec![adopted]);
    let gone = [("urn:uuid:1", "2026-11-20T08:30:00.5Z"), ("urn:uuid:2", "2026-11-04T00:00:00Z")]
        .map(|(id, gone_at)| Tombstone { id: PostId::pinned(id), gone_at: at(gone_at) });
    let spec = FeedSpec { gone: &gone, ids: &ids, ..site.spec() };
    for format in Format::ALL {
        let document = render(format, &spec, &three_posts()).unwrap();
        assert_eq!(document.last_modified, at("2026-11-20T08:30:00Z"), "{format:?}");
        assert_eq!(read(&document).entries.len(), 3);
    }
    let atom = render(Format::Atom, &spec, &three_posts()).unwrap();
    let atom = str::from_utf8(&atom.bytes).unwrap();
    assert!(atom.contains("xmlns:at=\"http://purl.org/atompub/tombstones/1.0\""), "{atom}");
    for element in [
        r#"<at:deleted-entry ref="https://old.example/?p=1&amp;q=&quot;2&quot;" when="2026-11-20T08:30:00Z">"#,
        r#"<at:deleted-entry ref="urn:uuid:2" when="2026-11-04T00:00:00Z">"#,
    ] {
        assert!(atom.contains(element), "{atom}");
    }
}

/// Statement 35.
#[test]
fn a_changed_document_is_always_newer_than_the_one_before() {
    let posts = three_posts();
    let first = rendered(Format::Atom, &posts);
    let edited = rendered(Format::Atom, &posts[..2]).succeeding(&first);
    assert_eq!(edited.last_modified, at("2026-11-03T10:00:01Z"));
    let removed = rendered(Format::Atom, &posts[1..]).succeeding(&edited);
    assert_eq!(removed.last_modified, at("2026-11-03T10:00:02Z"));
    let same = rendered(Format::Atom, &posts[1..]).succeeding(&removed);
    assert_eq!(same, removed);
    let newer = written(post("newer", "2026-11-20T00:00:00Z"), "");
    let grown = rendered(Format::Atom, &[newer]).succeeding(&removed);
    assert_eq!(grown.last_modified, at("2026-11-20T00:00:00Z"));
}

/// Statement 1.
#[test]
fn the_feed_keeps_its_id_when_another_host_serves_it() {
    let site = Site::new();
    let moved = FeedUrls::within(&url("http://127.0.0.1:8080/"));
    let spec = FeedSpec { urls: &moved, ..site.spec() };
    let here = read(&render(Format::Atom, &spec, &[]).unwrap()).id;
    assert_eq!(here, read(&rendered(Format::Atom, &[])).id);
    assert!(here.starts_with("urn:uuid:"), "{here}");
}

#[test]
fn rss_for_three_posts() {
    insta::assert_snapshot!(text_of(&rendered(Format::Rss, &three_posts())));
}

#[test]
fn atom_for_three_posts() {
    insta::assert_snapshot!(text_of(&rendered(Format::Atom, &three_posts())));
}

#[test]
fn json_for_three_posts() {
    insta::assert_snapshot!(text_of(&rendered(Format::Json, &three_posts())));
}
