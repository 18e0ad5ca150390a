//! RSS 2.0 after the profile of the RSS Advisory Board.

use std::collections::BTreeMap;

use ::rss::extension::atom::{AtomExtension, Link};
use ::rss::extension::dublincore::DublinCoreExtension;
use ::rss::extension::{Extension, ExtensionMap};
use ::rss::{Category, Channel, Guid, Item};

use super::entry::{Entry, Feed, MEDIA_NAMESPACE, Person};
use super::{FeedError, GENERATOR, text};
use crate::domain::PostId;

/// The feed as RSS, with an XML declaration first.
pub(super) fn write(feed: &Feed<'_>) -> Result<String, FeedError> {
    let self_link = Link {
        href: feed.self_url.to_owned(),
        rel: "self".to_owned(),
        mime_type: Some(feed.media_type.to_owned()),
        ..Link::default()
    };
    let mut channel = Channel {
        title: feed.title.clone(),
        link: feed.site_url.to_owned(),
        description: feed.description.clone(),
        language: feed.language.map(str::to_owned),
        last_build_date: Some(text::rfc2822(feed.changed_at)),
        generator: Some(GENERATOR.to_owned()),
        atom_ext: Some(AtomExtension { links: vec![self_link] }),
        items: feed.entries.iter().map(|entry| item(entry, feed.author.as_ref())).collect(),
        ..Channel::default()
    };
    if feed.has_images() {
        channel.namespaces.insert("media".to_owned(), MEDIA_NAMESPACE.to_owned());
    }
    let bytes = channel.pretty_write_to(Vec::new(), b' ', 2).map_err(FeedError::Rss)?;
    Ok(text::with_hex_references(&String::from_utf8(bytes)?) + "\n")
}

fn item(entry: &Entry<'_>, feed_author: Option<&Person>) -> Item {
    let categories = entry
        .terms
        .iter()
        .map(|term| Category { name: term.name.clone(), domain: Some(term.scheme.clone()) });
    Item {
        title: Some(entry.title.clone()),
        link: Some(entry.link.to_owned()),
        description: entry.summary.as_deref().map(text::as_html),
        categories: categories.collect(),
        // A permalink changes with the slug or the domain; the id does not.
        guid: Some(Guid {
            value: PostId::rss_guid(&entry.id).to_owned(),
            permalink: entry.id == entry.link,
        }),
        pub_date: Some(text::rfc2822(entry.published_at)),
        content: entry.html.as_deref().map(str::to_owned),
        extensions: image(entry),
        dublin_core_ext: dublin_core(entry, feed_author),
        ..Item::default()
    }
}

/// `dc:creator`, because `author` must be an email address; `dc:language`, because RSS has none for items.
fn dublin_core(entry: &Entry<'_>, feed_author: Option<&Person>) -> Option<DublinCoreExtension> {
    let mut creators: Vec<String> = entry.authors.iter().map(|who| who.name.clone()).collect();
    if creators.is_empty() {
        creators.extend(feed_author.map(|who| who.name.clone()));
    }
    let languages: Vec<String> = entry.language.map(str::to_owned).into_iter().collect();
    let needed = !creators.is_empty() || !languages.is_empty();
    needed.then(|| DublinCoreExtension { creators, languages, ..DublinCoreExtension::default() })
}

/// `media:content`: an `enclosure` would need the image's size, and is for podcasts.
fn image(entry: &Entry<'_>) -> ExtensionMap {
    let Some(url) = entry.image else { return ExtensionMap::new() };
    let attributes = [("url", url), ("medium", "image")];
    let content = Extension {
        name: "media:content".to_owned(),
        attrs: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Extension::default()
    };
    let elements = BTreeMap::from([("content".to_owned(), vec![content])]);
    BTreeMap::from([("media".to_owned(), elements)])
}
