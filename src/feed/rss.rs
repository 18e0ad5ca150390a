//! RSS 2.0 after the profile of the RSS Advisory Board.

use ::rss::extension::atom::{AtomExtension, Link};
use ::rss::extension::dublincore::DublinCoreExtension;
use ::rss::extension::{Extension, ExtensionMap};
use ::rss::{Category, Channel, Enclosure, Guid, Image, Item};

use super::entry::{Entry, Feed, Person};
use super::media::{MEDIA_NAMESPACE, MediaContent};
use super::{FeedError, GENERATOR, HISTORY_NAMESPACE, podcast, text};

/// The feed as RSS, with an XML declaration first.
pub(super) fn write(feed: &Feed<'_>) -> Result<String, FeedError> {
    let mut channel = Channel {
        title: feed.title.clone(),
        link: feed.site_url.to_owned(),
        description: feed.description.clone(),
        language: feed.language.map(str::to_owned),
        copyright: feed.copyright.clone(),
        last_build_date: Some(text::rfc2822(feed.changed_at)),
        generator: Some(GENERATOR.to_owned()),
        ttl: feed.about.ttl.map(|ttl| ttl.as_mins().max(1).to_string()),
        image: feed.about.logo.as_ref().map(|logo| Image {
            url: logo.to_string(),
            title: feed.title.clone(),
            link: feed.site_url.to_owned(),
            ..Image::default()
        }),
        atom_ext: Some(AtomExtension { links: links(feed) }),
        items: feed.entries.iter().map(|entry| item(entry, feed.author.as_ref())).collect(),
        ..Channel::default()
    };
    if channel.items.iter().any(|item| item.extensions.contains_key("media")) {
        channel.namespaces.insert("media".to_owned(), MEDIA_NAMESPACE.to_owned());
    }
    if feed.current.is_some() {
        channel.namespaces.insert("fh".to_owned(), HISTORY_NAMESPACE.to_owned());
        add(&mut channel.extensions, "fh", element("fh:archive", None));
    }
    if let Some(about) = feed.podcast {
        podcast::dress(&mut channel, feed, about);
    }
    let bytes = channel.pretty_write_to(Vec::new(), b' ', 2).map_err(FeedError::Rss)?;
    Ok(text::with_hex_references(&String::from_utf8(bytes)?) + "\n")
}

fn links(feed: &Feed<'_>) -> Vec<Link> {
    let typed =
        [("self", Some(feed.self_url)), ("current", feed.current), ("prev-archive", feed.previous)];
    let typed = typed.into_iter().filter_map(|(rel, url)| url.map(|url| (rel, url)));
    let mut links: Vec<Link> =
        typed.map(|(rel, url)| link(rel, url, Some(feed.media_type))).collect();
    links.extend(feed.about.hubs.iter().map(|hub| link("hub", hub.as_str(), None)));
    links
}

fn link(rel: &str, url: &str, media_type: Option<&str>) -> Link {
    Link {
        href: url.to_owned(),
        rel: rel.to_owned(),
        mime_type: media_type.map(str::to_owned),
        ..Link::default()
    }
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
        guid: Some(Guid { value: entry.id.clone(), permalink: entry.id == entry.link }),
        pub_date: Some(text::rfc2822(entry.published_at)),
        content: entry.html.as_deref().map(str::to_owned),
        extensions: media(entry),
        enclosure: enclosure(entry),
        atom_ext: entry
            .external
            .map(|url| AtomExtension { links: vec![link("related", url, Some("text/html"))] }),
        itunes_ext: podcast::episode(entry),
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

/// The one recording that an item may have. It must say how long it is; one that cannot is a `media:content`.
fn enclosure(entry: &Entry<'_>) -> Option<Enclosure> {
    let recording = entry.recording.as_ref()?;
    Some(Enclosure {
        url: recording.url.to_owned(),
        length: recording.length?.to_string(),
        mime_type: recording.media_type.clone(),
    })
}

/// `media:content`: an `enclosure` would need the image's size, and is for podcasts.
fn media(entry: &Entry<'_>) -> ExtensionMap {
    let recording = entry.recording.as_ref().filter(|it| it.length.is_none());
    let image = entry.image.map(|url| MediaContent::image(url, entry.image_alt.as_deref()));
    let mut extensions = ExtensionMap::new();
    for content in recording.map(MediaContent::recording).into_iter().chain(image) {
        let mut outer = element("media:content", None);
        outer.attrs = content.attributes;
        if let Some(words) = content.description {
            let inner = element("media:description", Some(words));
            outer.children.insert("description".to_owned(), vec![inner]);
        }
        add(&mut extensions, "media", outer);
    }
    extensions
}

pub(super) fn element(name: &str, value: Option<String>) -> Extension {
    Extension { name: name.to_owned(), value, ..Extension::default() }
}

pub(super) fn add(extensions: &mut ExtensionMap, namespace: &str, element: Extension) {
    let elements = extensions.entry(namespace.to_owned()).or_default();
    elements.entry(element.name.clone()).or_default().push(element);
}
