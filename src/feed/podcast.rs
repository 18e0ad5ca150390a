//! What directories and players of podcasts look for in RSS: the elements of iTunes and of Podcasting 2.0.

use ::rss::Channel;
use ::rss::extension::itunes::{
    ITunesCategory, ITunesChannelExtension, ITunesItemExtension, ITunesOwner,
};
use jiff::SignedDuration;
use url::Url;
use uuid::{Uuid, uuid};

use super::entry::{Entry, Feed};
use super::rss::{add, element};
use super::text;
use crate::config::Podcast;

/// Of the elements of Podcasting 2.0.
const PODCAST_NAMESPACE: &str = "https://podcastindex.org/namespace/1.0";
/// In which `podcast:guid` is made.
const GUIDS: Uuid = uuid!("ead4c236-bf58-58c6-a2c6-a6b28d128cb6");

/// Makes a channel the podcast: there is one, or directories would see several shows with one identity.
pub(super) fn dress(channel: &mut Channel, feed: &Feed<'_>, about: &Podcast) {
    let author = feed.author.as_ref().map_or(&feed.title, |who| &who.name);
    let image = about.image.as_ref().or(feed.about.logo.as_ref());
    let owner = about.owner.as_ref();
    channel.itunes_ext = Some(ITunesChannelExtension {
        author: Some(author.clone()),
        image: image.map(Url::to_string),
        explicit: Some(about.explicit.to_string()),
        categories: vec![category(&about.category)],
        owner: owner.map(|(name, email)| ITunesOwner {
            name: name.as_deref().and_then(text::line),
            email: text::line(email),
        }),
        summary: Some(feed.description.clone()),
        r#type: Some("episodic".to_owned()),
        ..ITunesChannelExtension::default()
    });
    channel.namespaces.insert("podcast".to_owned(), PODCAST_NAMESPACE.to_owned());
    let guid = about.guid.unwrap_or_else(|| guid(feed.self_url));
    add(&mut channel.extensions, "podcast", element("podcast:guid", Some(guid.to_string())));
    // Another host may take the podcast over only if its owner, whom it can ask, says so.
    let mut locked = element("podcast:locked", Some("yes".to_owned()));
    locked.attrs.extend(owner.map(|(_, email)| ("owner".to_owned(), email.clone())));
    add(&mut channel.extensions, "podcast", locked);
}

/// What players show of an episode.
pub(super) fn episode(entry: &Entry<'_>) -> Option<ITunesItemExtension> {
    let recording = entry.recording.as_ref().filter(|it| it.medium().is_some())?;
    let authors: Vec<&str> = entry.authors.iter().map(|who| who.name.as_str()).collect();
    Some(ITunesItemExtension {
        author: (!authors.is_empty()).then(|| authors.join(", ")),
        image: entry.image.map(str::to_owned),
        duration: recording.duration.map(clock),
        summary: entry.summary.clone(),
        ..ITunesItemExtension::default()
    })
}

fn category((outer, inner): &(String, Option<String>)) -> ITunesCategory {
    let within = inner.as_deref().and_then(text::line);
    let within = within.map(|text| Box::new(ITunesCategory { text, subcategory: None }));
    ITunesCategory { text: text::line(outer).unwrap_or_default(), subcategory: within }
}

/// `podcast:guid` of a podcast that never had one: from the feed's address without its scheme and the slashes at its end.
fn guid(url: &str) -> Uuid {
    let name = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    Uuid::new_v5(&GUIDS, name.as_bytes())
}

/// `1:02:03`.
fn clock(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guid_is_the_one_of_the_specification() {
        // The example in the namespace's own documentation.
        let wanted = uuid!("917393e3-1b1e-5cef-ace4-edaa54e1f810");
        assert_eq!(guid("https://mp3s.nashownotes.com/pc20rss.xml"), wanted);
        assert_eq!(guid("http://mp3s.nashownotes.com/pc20rss.xml/"), wanted);
    }

    #[test]
    fn a_duration_reads_like_a_clock() {
        assert_eq!(clock(SignedDuration::from_secs(3723)), "1:02:03");
        assert_eq!(clock(SignedDuration::from_secs(59)), "0:00:59");
    }
}
