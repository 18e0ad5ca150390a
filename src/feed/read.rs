//! Reading a feed, ours or another's: which entries it has, under which ids, with which dates.

use atom_syndication::Link;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Deserialize;
use url::Url;

use super::text;
use crate::domain::FeedFamily;

/// Deeper elements are in no feed that people read, and the libraries take a stack frame for each.
const DEEPEST: usize = 200;

/// What is in a feed.
#[derive(Clone, Debug)]
pub struct ReadFeed {
    pub family: FeedFamily,
    /// The site that it says it is of.
    pub site: Option<Url>,
    /// The document with the entries before these.
    pub next: Option<Url>,
    /// `WordPress` has older entries under `?paged=2` and so on, and does not say so.
    pub is_wordpress: bool,
    pub entries: Vec<ReadEntry>,
}

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadEntry {
    /// As readers keep it: without blanks around it. Where an entry has none, they take its link.
    pub id: Option<String>,
    /// Where the post is, the best guess first.
    pub links: Vec<Url>,
    pub title: String,
    pub published: Option<Timestamp>,
}

/// Why a document is no feed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("it is neither in UTF-8 nor in what it says it is in")]
    Encoding,
    #[error("it is a web page, not a feed")]
    Page,
    #[error("it is neither RSS nor Atom nor JSON Feed")]
    Unknown,
    #[error("its elements are nested too deeply")]
    TooDeep,
    #[error("it is not well-formed XML")]
    Xml(#[source] quick_xml::Error),
    #[error("its end is missing")]
    CutOff,
    #[error("it cannot be read as RSS")]
    Rss(#[source] ::rss::Error),
    #[error("it cannot be read as Atom")]
    Atom(#[source] atom_syndication::Error),
    #[error("it cannot be read as JSON Feed")]
    Json(#[source] serde_json::Error),
}

/// Reads a feed that was fetched from `at`, which its addresses are relative to.
pub fn read(bytes: &[u8], at: Option<&Url>) -> Result<ReadFeed, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match bytes.first() {
        Some(b'{') => json(bytes, at),
        Some(b'<') => match survey(bytes)? {
            FeedFamily::Atom => atom(bytes, at),
            FeedFamily::Rss | FeedFamily::Json => rss(bytes, at),
        },
        Some(0xfe | 0xff) => Err(ReadError::Encoding),
        _ => Err(ReadError::Unknown),
    }
}

/// Goes once through a document, so that the libraries get none that is cut off or would be too much for them.
fn survey(xml: &[u8]) -> Result<FeedFamily, ReadError> {
    let mut reader = Reader::from_reader(xml);
    let mut family = None;
    let mut depth = 0usize;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) if family.is_none() => {
                family = Some(family_of(element.name().as_ref())?);
                depth += 1;
            }
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::DocType(name)) if name.trim_ascii().eq_ignore_ascii_case(b"html") => {
                return Err(ReadError::Page);
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            // A page is hardly ever well-formed.
            Err(_) if family.is_none() => return Err(ReadError::Unknown),
            Err(error) => return Err(ReadError::Xml(error)),
        }
        if depth > DEEPEST {
            return Err(ReadError::TooDeep);
        }
    }
    if depth > 0 { Err(ReadError::CutOff) } else { family.ok_or(ReadError::Unknown) }
}

fn family_of(root: &[u8]) -> Result<FeedFamily, ReadError> {
    match root.to_ascii_lowercase().as_slice() {
        b"rss" | b"rdf:rdf" => Ok(FeedFamily::Rss),
        b"feed" => Ok(FeedFamily::Atom),
        b"html" | b"head" | b"body" => Err(ReadError::Page),
        _ => Err(ReadError::Unknown),
    }
}

fn rss(bytes: &[u8], at: Option<&Url>) -> Result<ReadFeed, ReadError> {
    let channel = ::rss::Channel::read_from(bytes).map_err(ReadError::Rss)?;
    let links = channel.atom_ext.as_ref().map(|it| it.links.as_slice()).unwrap_or_default();
    let next = ["prev-archive", "next"]
        .into_iter()
        .find_map(|rel| links.iter().find(|link| link.rel == rel))
        .and_then(|link| whole(&link.href, at));
    let generator = channel.generator.as_deref().unwrap_or_default();
    Ok(ReadFeed {
        family: FeedFamily::Rss,
        site: whole(channel.link(), at),
        next,
        is_wordpress: generator.contains("wordpress.org"),
        entries: channel.items.iter().map(|item| rss_entry(item, at)).collect(),
    })
}

fn rss_entry(item: &::rss::Item, at: Option<&Url>) -> ReadEntry {
    // What FeedBurner led through itself.
    let burnt = item.extensions.get("feedburner").and_then(|it| it.get("origLink"));
    let burnt = burnt.and_then(|it| it.first()).and_then(|it| it.value.as_deref());
    let guid = item.guid.as_ref().map(|guid| guid.value.trim()).filter(|it| !it.is_empty());
    let link = item.link.as_deref().map(str::trim).filter(|it| !it.is_empty());
    let published = item.pub_date.as_deref().map(str::trim);
    ReadEntry {
        id: guid.or(link).map(str::to_owned),
        links: [burnt, link, guid].into_iter().flatten().filter_map(|it| whole(it, at)).collect(),
        title: item.title.clone().unwrap_or_default(),
        published: published
            .and_then(|it| jiff::fmt::rfc2822::parse(it).ok())
            .map(|it| it.timestamp()),
    }
}

fn atom(bytes: &[u8], at: Option<&Url>) -> Result<ReadFeed, ReadError> {
    let feed = atom_syndication::Feed::read_from(bytes).map_err(ReadError::Atom)?;
    let base = feed.base.as_deref().and_then(|base| whole(base, at));
    let at = base.as_ref().or(at);
    let next = ["prev-archive", "next"]
        .into_iter()
        .find_map(|rel| feed.links.iter().find(|link| link.rel == rel))
        .and_then(|link| whole(&link.href, at));
    let entries = feed.entries.iter().map(|entry| atom_entry(entry, at));
    Ok(ReadFeed {
        family: FeedFamily::Atom,
        site: page(&feed.links, at),
        next,
        is_wordpress: feed.generator.as_ref().is_some_and(|it| {
            it.uri.as_deref().unwrap_or_default().contains("wordpress.org")
                || it.value == "WordPress"
        }),
        entries: entries.collect(),
    })
}

fn atom_entry(entry: &atom_syndication::Entry, at: Option<&Url>) -> ReadEntry {
    let burnt = entry.extensions.get("feedburner").and_then(|it| it.get("origLink"));
    let burnt = burnt.and_then(|it| it.first()).and_then(|it| it.value.as_deref());
    let id = Some(entry.id.trim()).filter(|id| !id.is_empty());
    let mut links: Vec<Url> = burnt.and_then(|it| whole(it, at)).into_iter().collect();
    links.extend(page(&entry.links, at));
    links.extend(id.and_then(|id| Url::parse(id).ok()));
    let seconds = entry.published.map(|it| it.timestamp());
    ReadEntry {
        id: id.map(str::to_owned).or_else(|| links.first().map(Url::to_string)),
        links,
        title: entry.title.value.clone(),
        published: seconds.and_then(|it| Timestamp::from_second(it).ok()),
    }
}

/// The page that an Atom feed or entry is of.
fn page(links: &[Link], at: Option<&Url>) -> Option<Url> {
    let alternate = || links.iter().filter(|link| link.rel.is_empty() || link.rel == "alternate");
    let is_html = |link: &&Link| link.mime_type.as_deref().is_none_or(|it| it.contains("html"));
    let link = alternate().find(is_html).or_else(|| alternate().next())?;
    whole(&link.href, at)
}

#[derive(Deserialize)]
struct JsonFeed {
    version: String,
    home_page_url: Option<String>,
    next_url: Option<String>,
    #[serde(default)]
    items: Vec<JsonItem>,
}

#[derive(Deserialize)]
struct JsonItem {
    /// Readers take a number for its digits.
    id: Option<serde_json::Value>,
    url: Option<String>,
    title: Option<String>,
    date_published: Option<String>,
}

fn json(bytes: &[u8], at: Option<&Url>) -> Result<ReadFeed, ReadError> {
    let feed: JsonFeed = serde_json::from_slice(bytes).map_err(ReadError::Json)?;
    if !feed.version.contains("jsonfeed.org/version/") {
        return Err(ReadError::Unknown);
    }
    Ok(ReadFeed {
        family: FeedFamily::Json,
        site: feed.home_page_url.and_then(|it| whole(&it, at)),
        next: feed.next_url.and_then(|it| whole(&it, at)),
        is_wordpress: false,
        entries: feed.items.into_iter().map(|item| json_entry(item, at)).collect(),
    })
}

fn json_entry(item: JsonItem, at: Option<&Url>) -> ReadEntry {
    let id = item.id.and_then(|id| match id {
        serde_json::Value::String(id) => Some(id.trim().to_owned()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    let id = id.filter(|id| !id.is_empty());
    let mut links: Vec<Url> =
        item.url.as_deref().and_then(|it| whole(it, at)).into_iter().collect();
    links.extend(id.as_deref().and_then(|id| Url::parse(id).ok()));
    ReadEntry {
        id: id.or(item.url),
        links,
        title: item.title.unwrap_or_default(),
        published: item.date_published.and_then(|it| it.parse().ok()),
    }
}

/// An address of the web. What is none leads nowhere.
fn whole(address: &str, at: Option<&Url>) -> Option<Url> {
    let address = address.trim();
    if address.is_empty() {
        return None;
    }
    let url = match at {
        Some(at) => at.join(address),
        None => Url::parse(address),
    };
    url.ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Whether everything in it can be said in a feed: no control characters.
pub(super) fn is_sayable(text: &str) -> bool {
    text::line(text).as_deref() == Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(document: &str) -> Vec<Option<String>> {
        read(document.as_bytes(), None).unwrap().entries.into_iter().map(|it| it.id).collect()
    }

    #[test]
    fn ids_are_taken_as_they_are() {
        let rss = r#"<?xml version="1.0"?><!-- x --><!DOCTYPE rss [<!ENTITY a "b">]>
            <rss version="2.0"><channel><title>T</title><link>https://e.org/</link><description/>
            <item><guid isPermaLink="false">https://e.org/?p=1&amp;x=2</guid><link>https://e.org/a/</link></item>
            <item><guid><![CDATA[ 12 at https://e.org ]]></guid></item>
            <item><link>https://e.org/b/</link></item>
            <item><title>Nothing</title></item></channel></rss>"#;
        assert_eq!(
            ids(rss),
            [
                Some("https://e.org/?p=1&x=2".to_owned()),
                Some("12 at https://e.org".to_owned()),
                Some("https://e.org/b/".to_owned()),
                None
            ]
        );
        let json = r#"{"version": "https://jsonfeed.org/version/1", "items": [
            {"id": 17, "url": "https://e.org/a"}, {"id": "x"}, {"id": null, "url": "https://e.org/b"}]}"#;
        assert_eq!(
            ids(json),
            [Some("17".to_owned()), Some("x".to_owned()), Some("https://e.org/b".to_owned())]
        );
    }

    #[test]
    fn addresses_are_relative_to_where_the_feed_says_it_is() {
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://e.org/blog/"><title>T</title><id>x</id>
            <updated>2020-01-01T00:00:00Z</updated><link href="../"/><link rel="next" href="?page=2"/>
            <entry><title>A</title><id>tag:e.org,2020:1</id><updated>2020-01-01T00:00:00Z</updated>
            <link rel="self" href="a.atom"/><link href="a.html"/></entry></feed>"#;
        let feed = read(atom.as_bytes(), None).unwrap();
        assert_eq!(feed.site.unwrap().as_str(), "https://e.org/");
        assert_eq!(feed.next.unwrap().as_str(), "https://e.org/blog/?page=2");
        assert_eq!(feed.entries[0].links[0].as_str(), "https://e.org/blog/a.html");
    }

    #[test]
    fn what_is_no_feed_is_called_what_it_is() {
        let told = |document: &[u8]| read(document, None).unwrap_err().to_string();
        assert!(told(b"<!doctype html><title>x</title>").contains("web page"));
        assert!(told(b"<HTML><body>").contains("web page"));
        assert!(told(b"").contains("neither"));
        assert!(told(b"{\"version\": \"1\"}").contains("neither"));
        assert!(told(b"{\"version\": ").contains("JSON"));
        assert!(told(b"<svg/>").contains("neither"));
        assert!(told(b"<rss><channel>").contains("end is missing"));
        assert!(told(b"<rss><channel></rss>").contains("well-formed"));
        assert!(told(b"\xff\xfe<\0").contains("UTF-8"));
        let deep = format!("<rss><channel>{}", "<x:a>".repeat(1_000_000));
        assert!(told(deep.as_bytes()).contains("deeply"));
        let deep = format!("{{\"version\": {}", "[".repeat(1_000_000));
        assert!(told(deep.as_bytes()).contains("JSON"));
    }

    #[test]
    fn an_old_encoding_is_read_as_what_it_is() {
        let rss =
            b"<?xml version='1.0' encoding='ISO-8859-1'?><rss><channel><title>x</title><item>\
            <title>Caf\xe9</title><guid>a\xe9</guid></item></channel></rss>";
        let feed = read(rss, None).unwrap();
        assert_eq!(feed.entries[0].title, "Caf\u{e9}");
        assert_eq!(feed.entries[0].id.as_deref(), Some("a\u{e9}"));
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_thrown_at_it(text in r#"(<|>|/|!|\[|\]|-|\?|"|rss|feed|channel|item|entry|guid|CDATA|&| |=|\{|é){0,40}"#) {
            let _ = read(text.as_bytes(), None);
            let _ = read(format!("<rss>{text}").as_bytes(), None);
            let _ = read(format!("<feed>{text}").as_bytes(), None);
        }
    }
}
