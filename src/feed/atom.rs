//! Atom 1.0 (RFC 4287).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{
    Category, Content, FixedDateTime, Generator, Link, Person as AtomPerson, Text, WriteConfig,
};
use chrono::SecondsFormat;
use jiff::Timestamp;
use url::Url;

use super::entry::{Entry, Feed, Person};
use super::media::{MEDIA_NAMESPACE, MediaContent, Recording};
use super::{FeedError, GENERATOR, HISTORY_NAMESPACE, text};

/// RFC 6721.
const TOMBSTONES_NAMESPACE: &str = "http://purl.org/atompub/tombstones/1.0";

/// The feed as Atom, with an XML declaration first.
pub(super) fn write(feed: &Feed<'_>) -> Result<String, FeedError> {
    // RFC 4287, 4.1.1: there must be an author, were it the site itself.
    let author = feed
        .author
        .as_ref()
        .map_or_else(|| AtomPerson { name: feed.title.clone(), ..AtomPerson::default() }, person);
    let mut document = atom_syndication::Feed {
        title: Text::plain(feed.title.clone()),
        id: feed.id.to_string(),
        updated: date(feed.changed_at),
        authors: vec![author],
        generator: Some(Generator { value: GENERATOR.to_owned(), ..Generator::default() }),
        icon: feed.about.icon.as_ref().map(Url::to_string),
        logo: feed.about.logo.as_ref().map(Url::to_string),
        rights: feed.copyright.clone().map(Text::plain),
        links: links(feed),
        subtitle: Some(Text::plain(feed.description.clone())),
        entries: feed.entries.iter().map(entry_of).collect(),
        lang: feed.language.map(str::to_owned),
        ..atom_syndication::Feed::default()
    };
    if feed.entries.iter().any(|entry| entry.image.is_some()) {
        document.namespaces.insert("media".to_owned(), MEDIA_NAMESPACE.to_owned());
    }
    if feed.current.is_some() {
        document.namespaces.insert("fh".to_owned(), HISTORY_NAMESPACE.to_owned());
        let archive = Extension { name: "fh:archive".to_owned(), ..Extension::default() };
        let elements = BTreeMap::from([("archive".to_owned(), vec![archive])]);
        document.extensions.insert("fh".to_owned(), elements);
    }
    if !feed.gone.is_empty() {
        document.namespaces.insert("at".to_owned(), TOMBSTONES_NAMESPACE.to_owned());
        let deleted = feed.gone.iter().map(deleted).collect();
        let elements = BTreeMap::from([("deleted-entry".to_owned(), deleted)]);
        document.extensions.insert("at".to_owned(), elements);
    }
    let config = WriteConfig { write_document_declaration: true, indent_size: Some(2) };
    let bytes = document.write_with_config(Vec::new(), config).map_err(FeedError::Atom)?;
    Ok(with_languages(&String::from_utf8(bytes)?, &feed.entries))
}

/// RFC 6721, section 3. The crate writes attributes of extensions as they are: we escape the id.
fn deleted((id, gone_at): &(String, Timestamp)) -> Extension {
    let when = date(*gone_at).to_rfc3339_opts(SecondsFormat::Secs, true);
    let attributes = [("ref", text::as_html(id).replace('"', "&quot;")), ("when", when)];
    Extension {
        name: "at:deleted-entry".to_owned(),
        attrs: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Extension::default()
    }
}

fn links(feed: &Feed<'_>) -> Vec<Link> {
    let mut links = vec![link("self", feed.self_url, feed.media_type), page(feed.site_url)];
    let archive = [("current", feed.current), ("prev-archive", feed.previous)];
    let archive = archive.iter().filter_map(|(rel, url)| url.map(|url| (rel, url)));
    links.extend(archive.map(|(rel, url)| link(rel, url, feed.media_type)));
    links.extend(feed.about.hubs.iter().map(|hub| Link {
        href: hub.to_string(),
        rel: "hub".to_owned(),
        ..Link::default()
    }));
    links
}

fn entry_of(entry: &Entry<'_>) -> atom_syndication::Entry {
    let categories = entry.terms.iter().map(|term| Category {
        term: term.name.clone(),
        scheme: Some(term.scheme.clone()),
        label: None,
    });
    let mut links = vec![page(entry.link)];
    let related = [entry.canonical, entry.external].into_iter().flatten();
    links.extend(related.map(|url| link("related", url, "text/html")));
    links.extend(entry.recording.iter().map(enclosure));
    atom_syndication::Entry {
        title: Text::plain(entry.title.clone()),
        id: entry.id.clone(),
        updated: date(entry.changed_at),
        authors: entry.authors.iter().map(person).collect(),
        categories: categories.collect(),
        links,
        published: Some(date(entry.published_at)),
        summary: entry.summary.clone().map(Text::plain),
        content: entry.html.as_deref().map(|html| content(entry, html)),
        extensions: image(entry),
        ..atom_syndication::Entry::default()
    }
}

/// The base is for what the post's own absolute URLs leave over. The language repeats the entry's: some
/// readers look for it here and nowhere else.
fn content(entry: &Entry<'_>, html: &str) -> Content {
    Content {
        base: Some(entry.link.to_owned()),
        lang: entry.language.map(str::to_owned),
        value: Some(html.to_owned()),
        content_type: Some("html".to_owned()),
        ..Content::default()
    }
}

fn person(who: &Person) -> AtomPerson {
    AtomPerson { name: who.name.clone(), uri: who.url.clone(), ..AtomPerson::default() }
}

fn page(url: &str) -> Link {
    link("alternate", url, "text/html")
}

fn link(rel: &str, url: &str, media_type: &str) -> Link {
    Link {
        href: url.to_owned(),
        rel: rel.to_owned(),
        mime_type: Some(media_type.to_owned()),
        ..Link::default()
    }
}

fn enclosure(recording: &Recording<'_>) -> Link {
    let length = recording.length.map(|bytes| bytes.to_string());
    Link { length, ..link("enclosure", recording.url, &recording.media_type) }
}

/// Unlike everything else, the crate writes the attributes of extensions as they are: we escape the URL.
fn image(entry: &Entry<'_>) -> ExtensionMap {
    let Some(url) = entry.image else { return ExtensionMap::new() };
    let MediaContent { attributes, description } =
        MediaContent::image(&text::as_html(url), entry.image_alt.as_deref());
    let description = description.map(|words| Extension {
        name: "media:description".to_owned(),
        value: Some(words),
        ..Extension::default()
    });
    let content = Extension {
        name: "media:content".to_owned(),
        attrs: attributes,
        children: description.map(|it| ("description".to_owned(), vec![it])).into_iter().collect(),
        ..Extension::default()
    };
    let elements = BTreeMap::from([("content".to_owned(), vec![content])]);
    BTreeMap::from([("media".to_owned(), elements)])
}

fn date(at: Timestamp) -> FixedDateTime {
    chrono::DateTime::from_timestamp(at.as_second(), 0)
        .expect("chrono knows every year that jiff knows")
        .fixed_offset()
}

/// Writes `xml:lang` into the start tags of entries in another language than the feed's: the crate has no
/// field for it. No text can look like such a tag, since the crate escapes `<` everywhere.
fn with_languages(xml: &str, entries: &[Entry<'_>]) -> String {
    let mut parts = xml.split("<entry>");
    let mut out = String::with_capacity(xml.len() + 16 * entries.len());
    out.push_str(parts.next().unwrap_or_default());
    for (part, entry) in parts.zip(entries) {
        match entry.language {
            Some(tag) => write!(out, "<entry xml:lang=\"{tag}\">"),
            None => write!(out, "<entry>"),
        }
        .expect("a string takes every character");
        out.push_str(part);
    }
    out.push('\n');
    out
}
