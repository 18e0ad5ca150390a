//! Pictures and recordings of posts, as every format has them.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::text;
use crate::domain::{Enclosure, Post};

/// The namespace of `media:content`.
pub(super) const MEDIA_NAMESPACE: &str = "http://search.yahoo.com/mrss/";
/// What a recording is of which nobody says more.
const SOMETHING: &str = "application/octet-stream";

/// A recording that goes with a post.
pub(super) struct Recording<'a> {
    pub(super) url: &'a str,
    pub(super) media_type: String,
    /// In bytes; never 0.
    pub(super) length: Option<u64>,
    pub(super) duration: Option<SignedDuration>,
}

impl<'a> Recording<'a> {
    pub(super) fn new(enclosure: &'a Enclosure) -> Self {
        let media_type = enclosure.media_type.as_deref().and_then(text::line);
        Self {
            url: enclosure.url.as_str(),
            media_type: media_type.unwrap_or_else(|| SOMETHING.to_owned()),
            length: enclosure.length.filter(|bytes| *bytes > 0),
            duration: enclosure.duration.filter(SignedDuration::is_positive),
        }
    }

    /// `audio` or `video`.
    pub(super) fn medium(&self) -> Option<&'static str> {
        medium(&self.media_type)
    }

    pub(super) fn seconds(&self) -> Option<i64> {
        self.duration.map(|duration| duration.as_secs())
    }
}

/// Whether podcast players can play what goes with `post`.
pub(super) fn is_episode(post: &Post) -> bool {
    let media_type = post.enclosure.as_ref().and_then(|it| it.media_type.as_deref());
    media_type.and_then(medium).is_some()
}

fn medium(media_type: &str) -> Option<&'static str> {
    ["audio", "video"]
        .into_iter()
        .find(|medium| media_type.strip_prefix(medium).is_some_and(|rest| rest.starts_with('/')))
}

/// A `media:content`: the crates for RSS and Atom have no common type, but common parts.
pub(super) struct MediaContent {
    pub(super) attributes: BTreeMap<String, String>,
    /// The words of `media:description`.
    pub(super) description: Option<String>,
}

impl MediaContent {
    pub(super) fn image(url: &str, alt: Option<&str>) -> Self {
        let attributes = [("url", url), ("medium", "image")];
        Self { attributes: owned(&attributes), description: alt.map(str::to_owned) }
    }

    pub(super) fn recording(recording: &Recording<'_>) -> Self {
        let mut attributes = vec![("url", recording.url), ("type", &recording.media_type)];
        attributes.extend(recording.medium().map(|medium| ("medium", medium)));
        Self { attributes: owned(&attributes), description: None }
    }
}

fn owned(attributes: &[(&str, &str)]) -> BTreeMap<String, String> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
