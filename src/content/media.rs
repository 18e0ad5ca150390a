//! The image of a post with its alt text, and a recording that goes with it.

use jiff::SignedDuration;
use url::Url;

use super::fields::{Fields, comparable, lookup, lookup_text};
use super::front_matter::{Entry, Node, Value};
use super::permalink::web;
use super::source::one_line;
use super::title::plain;
use crate::domain::Enclosure;

const IMAGE: [&str; 13] = [
    "image",
    "cover",
    "coverimage",
    "coverurl",
    "heroimage",
    "ogimage",
    "featureimage",
    "featuredimage",
    "thumbnail",
    "banner",
    "img",
    "images",
    "hero",
];
/// What a map calls the words for those who don't see its image.
const ALT: [&str; 4] = ["alt", "alttext", "imagealt", "description"];
const MAX_ALT_CHARS: usize = 1000;

/// An image as written: it is relative to the post's own address.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) address: String,
    pub(super) alt: Option<String>,
}

/// The image that stands for the post.
pub(super) fn image(fields: &Fields<'_>) -> Option<Image> {
    let is_image = |entry: &Entry| image_of(&entry.node).is_some_and(|image| !image.is_empty());
    let found = fields.find_where(&IMAGE, is_image);
    let node = found.map(|entry| &entry.node).or_else(|| cover_resource(fields))?;
    let key = found.map(|entry| comparable(&entry.key)).unwrap_or_default();
    let own = lookup_text(first(node), &ALT);
    let beside = || {
        let keys = [&*format!("{key}alt"), &*format!("{key}alttext"), "imagealt", "coveralt"];
        Some(fields.text(&keys).or_else(|| fields.text(&["alt"]))?.0)
    };
    let alt = own.or_else(beside).map(plain).unwrap_or_default();
    let alt: String = alt.chars().take(MAX_ALT_CHARS).collect();
    Some(Image { address: one_line(image_of(node)?), alt: (!alt.is_empty()).then_some(alt) })
}

/// Of Hugo's bundle the resource that is named as the cover.
fn cover_resource<'a>(fields: &Fields<'a>) -> Option<&'a Node> {
    let Value::List(items) = &fields.find(&["resources"])?.node.value else { return None };
    let is_cover = |item: &&Node| {
        let name = lookup_text(item, &["name"]).unwrap_or_default().to_ascii_lowercase();
        ["cover", "feature", "thumbnail", "hero"].iter().any(|word| name.starts_with(word))
    };
    items.iter().find(is_cover)
}

/// Of a list the first, whose words are those of the image.
fn first(node: &Node) -> &Node {
    match &node.value {
        Value::List(items) => items.first().unwrap_or(node),
        Value::Null | Value::Text(_) | Value::Map(_) => node,
    }
}

/// Text, the first of a list, or what a map has under its usual names.
fn image_of(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Null => None,
        Value::Text(text) => Some(text.trim()).filter(|_| node.as_bool().is_none()),
        Value::List(items) => items.first().and_then(image_of),
        Value::Map(_) => lookup_text(node, &["path", "src", "url", "image", "filename"]),
    }
}

/// A recording under `enclosure`, `audio` or `podcast`, relative to `link`.
pub(super) fn enclosure(fields: &Fields<'_>, link: &Url) -> Option<Enclosure> {
    let keys = ["enclosure", "podcast", "audio", "audiourl", "audiofile"];
    let entry = fields.find_where(&keys, |entry| file_of(&entry.node).is_some())?;
    let node = first(&entry.node);
    let url = link.join(file_of(node)?).ok().and_then(web)?;
    let beside = |keys: &[&str]| fields.text(keys).map(|(text, _)| text);
    let said = lookup_text(node, &["type", "mediatype", "mime", "mimetype"])
        .or_else(|| beside(&["enclosuretype", "audiotype"]))
        .filter(|text| text.contains('/'))
        .map(one_line);
    let length = lookup_text(node, &["length", "bytes", "size", "filesize"])
        .or_else(|| beside(&["enclosurelength", "audiolength", "filesize"]));
    let duration =
        lookup_text(node, &["duration", "time"]).or_else(|| beside(&["duration", "audioduration"]));
    Some(Enclosure {
        media_type: said.or_else(|| Some(media_type(url.path())?.to_owned())),
        url,
        length: length.and_then(|text| text.replace(['_', ','], "").parse().ok()),
        duration: duration.and_then(clock),
    })
}

fn file_of(node: &Node) -> Option<&str> {
    let node = first(node);
    let text = node.as_text().or_else(|| {
        lookup_text(node, &["url", "file", "src", "path", "audio"])
            .or_else(|| lookup(node, "enclosure").and_then(|inner| inner.node.as_text()))
    })?;
    // Text alone is a file only if it looks like one: `audio: narrated by Ann` is none.
    let is_file = !text.contains(char::is_whitespace) && text.contains(['.', '/']);
    is_file.then_some(text)
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    let known = [
        ("mp3", "audio/mpeg"),
        ("m4a", "audio/mp4"),
        ("aac", "audio/aac"),
        ("ogg", "audio/ogg"),
        ("oga", "audio/ogg"),
        ("opus", "audio/ogg"),
        ("flac", "audio/flac"),
        ("wav", "audio/wav"),
        ("mp4", "video/mp4"),
        ("m4v", "video/mp4"),
        ("webm", "video/webm"),
    ];
    known.iter().find(|(name, _)| ending.eq_ignore_ascii_case(name)).map(|(_, media)| *media)
}

/// `1:02:03`, `62:03` and seconds.
fn clock(text: &str) -> Option<SignedDuration> {
    let parts: Vec<i64> = text
        .split(':')
        .map(|part| part.trim().parse::<u32>().ok().map(i64::from))
        .collect::<Option<_>>()?;
    let seconds = match parts[..] {
        [seconds] => seconds,
        [minutes, seconds] => minutes * 60 + seconds,
        [hours, minutes, seconds] => hours * 3600 + minutes * 60 + seconds,
        _ => return None,
    };
    (seconds > 0).then(|| SignedDuration::from_secs(seconds))
}
