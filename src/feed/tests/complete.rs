//! All that the formats can say of a feed and of a post.

use jiff::SignedDuration;
use serde_json::Value;

use super::*;
use crate::domain::{Enclosure, Series};

fn about() -> FeedAbout {
    FeedAbout {
        logo: Some(url("https://example.org/logo.png")),
        icon: Some(url("https://example.org/icon.png?a=1&b=2")),
        copyright: Some("© Ada <Moss>".to_owned()),
        ttl: Some(SignedDuration::from_hours(1)),
        hubs: vec![url("https://hub.example.net/"), url("https://hub.example.com/?a&b")],
    }
}

fn podcast() -> Podcast {
    Podcast {
        title: None,
        description: None,
        category: ("Society & Culture".to_owned(), Some("Documentary".to_owned())),
        explicit: false,
        image: Some(url("https://example.org/cover.jpg")),
        owner: Some((Some("Ada Moss".to_owned()), "ada@pod.example".to_owned())),
        guid: None,
    }
}

fn recording(length: Option<u64>, media_type: Option<&str>) -> Enclosure {
    Enclosure {
        url: url("https://cdn.example.org/7.mp3?a=1&b=2"),
        media_type: media_type.map(str::to_owned),
        length,
        duration: Some(SignedDuration::from_secs(3723)),
    }
}

fn episode(length: Option<u64>) -> Post {
    Post {
        enclosure: Some(Box::new(recording(length, Some("audio/mpeg")))),
        external: Some(Box::new(url("https://elsewhere.example/a?b&c"))),
        series: Some(Series { name: "Ponds".to_owned(), part: Some(2) }),
        image: Some(Box::new(url("https://example.org/p.jpg"))),
        image_alt: Some("A pond, \"still\" & <green>".to_owned()),
        ..post("seven", "2026-11-02T08:30:00Z")
    }
}

/// In the podcast.
fn document(format: Format, post: Post) -> Document {
    made(format, post, Some(&podcast()))
}

fn made(format: Format, post: Post, podcast: Option<&Podcast>) -> Document {
    let site = Site { about: about(), ..Site::new() };
    let spec = FeedSpec { podcast, ..site.spec() };
    let document = render(format, &spec, &[written(post, "<p>x</p>")]).unwrap();
    assert!(ampersands_are_references(format, &document), "{}", text_of(&document));
    document
}

fn json(post: Post) -> Value {
    serde_json::from_slice(&document(Format::Json, post).bytes).unwrap()
}

/// Statements 16, 18 and 19 for the feed itself.
#[test]
fn pictures_rights_and_hubs_are_in_every_format() {
    let rss = document(Format::Rss, episode(Some(9)));
    let feed = read(&rss);
    assert_eq!(feed.logo.unwrap().uri, "https://example.org/logo.png");
    assert_eq!(feed.rights.unwrap().content, "© Ada <Moss>");
    assert!(text_of(&rss).contains("<ttl>60</ttl>"), "{}", text_of(&rss));
    let atom = read(&document(Format::Atom, episode(Some(9))));
    assert_eq!(atom.icon.unwrap().uri, "https://example.org/icon.png?a=1&b=2");
    assert_eq!(atom.logo.unwrap().uri, "https://example.org/logo.png");
    assert_eq!(atom.rights.unwrap().content, "© Ada <Moss>");
    for links in [feed.links, atom.links] {
        let hubs = links.iter().filter(|link| link.rel.as_deref() == Some("hub"));
        let hubs: Vec<&str> = hubs.map(|hub| hub.href.as_str()).collect();
        assert_eq!(hubs, ["https://hub.example.net/", "https://hub.example.com/?a&b"]);
    }
    let json = json(episode(Some(9)));
    assert_eq!(json["icon"], "https://example.org/logo.png");
    assert_eq!(json["favicon"], "https://example.org/icon.png?a=1&b=2");
    assert_eq!(json["hubs"][1]["type"], "WebSub");
    assert_eq!(json["hubs"][1]["url"], "https://hub.example.com/?a&b");
}

/// Statement 17.
#[test]
fn a_recording_is_an_enclosure_where_its_length_is_known() {
    let rss = document(Format::Rss, episode(Some(4711)));
    let mut channel = ::rss::Channel::read_from(&rss.bytes[..]).unwrap();
    let enclosure = channel.items.remove(0).enclosure.unwrap();
    assert_eq!(enclosure.url, "https://cdn.example.org/7.mp3?a=1&b=2");
    assert_eq!((&*enclosure.length, &*enclosure.mime_type), ("4711", "audio/mpeg"));
    let unsure = document(Format::Rss, episode(None));
    assert!(!text_of(&unsure).contains("<enclosure"), "{}", text_of(&unsure));
    let player = "<media:content medium=\"audio\" type=\"audio/mpeg\" \
                  url=\"https://cdn.example.org/7.mp3?a=1&amp;b=2\">";
    assert!(text_of(&unsure).contains(player), "{}", text_of(&unsure));
    assert!(!text_of(&document(Format::Rss, episode(Some(0)))).contains("<enclosure"));
    let atom = text_of(&document(Format::Atom, episode(Some(4711)))).to_owned();
    assert!(atom.contains("rel=\"enclosure\" type=\"audio/mpeg\" length=\"4711\""), "{atom}");
    let item = &json(episode(Some(4711)))["items"][0]["attachments"][0];
    assert_eq!(item["mime_type"], "audio/mpeg");
    assert_eq!(item["size_in_bytes"], 4711);
    assert_eq!(item["duration_in_seconds"], 3723);
}

#[test]
fn a_post_about_something_elsewhere_leads_there_too() {
    let elsewhere = "https://elsewhere.example/a?b&c";
    for format in [Format::Rss, Format::Atom] {
        let entry = read(&document(format, episode(Some(9)))).entries.remove(0);
        assert_eq!(entry.links[0].href, "https://example.org/posts/seven/");
        let related = entry.links.iter().find(|link| link.rel.as_deref() == Some("related"));
        if format == Format::Atom {
            assert_eq!(related.unwrap().href, elsewhere);
        }
    }
    let rss = document(Format::Rss, episode(Some(9)));
    assert!(
        text_of(&rss).contains("rel=\"related\" href=\"https://elsewhere.example/a?b&amp;c\"")
            || text_of(&rss)
                .contains("href=\"https://elsewhere.example/a?b&amp;c\" rel=\"related\"")
    );
    assert_eq!(json(episode(Some(9)))["items"][0]["external_url"], elsewhere);
}

#[test]
fn a_series_is_a_category_and_an_image_has_its_words() {
    for format in Format::ALL {
        let entry = read(&document(format, episode(Some(9)))).entries.remove(0);
        assert_eq!(terms(&entry), ["Ponds"]);
    }
    for format in [Format::Rss, Format::Atom] {
        let document = document(format, episode(Some(9)));
        let words = text_of(&document).split("<media:description>").nth(1).unwrap();
        let words = words.split("</media:description>").next().unwrap();
        assert!(!words.contains('<') && words.contains("green"), "{words}");
    }
}

#[test]
fn the_podcast_says_who_it_is_and_other_feeds_with_an_episode_do_not() {
    let rss = document(Format::Rss, episode(Some(9)));
    let channel = ::rss::Channel::read_from(&rss.bytes[..]).unwrap();
    let itunes = channel.itunes_ext.unwrap();
    assert_eq!(itunes.author.as_deref(), Some("Ada Moss"));
    assert_eq!(itunes.image.as_deref(), Some("https://example.org/cover.jpg"));
    assert_eq!(itunes.explicit.as_deref(), Some("false"));
    assert_eq!(itunes.categories[0].text, "Society & Culture");
    assert_eq!(itunes.categories[0].subcategory.as_ref().unwrap().text, "Documentary");
    assert_eq!(itunes.owner.unwrap().email.as_deref(), Some("ada@pod.example"));
    let item = channel.items[0].itunes_ext.as_ref().unwrap();
    assert_eq!(item.duration.as_deref(), Some("1:02:03"));
    assert_eq!(item.summary.as_deref(), Some("A word on seven."));
    let podcast = &channel.extensions["podcast"];
    assert_eq!(podcast["guid"][0].value.as_deref().map(str::len), Some(36));
    assert_eq!(podcast["locked"][0].value.as_deref(), Some("yes"));
    let other = made(Format::Rss, episode(Some(9)), None);
    let channel = ::rss::Channel::read_from(&other.bytes[..]).unwrap();
    assert_eq!((channel.itunes_ext, channel.extensions.get("podcast")), (None, None));
    let item = channel.items[0].itunes_ext.as_ref().unwrap();
    assert_eq!(item.duration.as_deref(), Some("1:02:03"));
    let silent = made(Format::Rss, Post { enclosure: None, ..episode(None) }, None);
    assert!(!text_of(&silent).contains("itunes:"), "{}", text_of(&silent));
}

/// Statements 13 and 19: players and readers are not led astray by what an author calls a recording.
#[test]
fn a_recording_of_an_unknown_kind_says_so() {
    let odd = Post {
        enclosure: Some(Box::new(recording(Some(9), Some(" \u{B}")))),
        ..post("odd", "2026-11-02T08:30:00Z")
    };
    assert_eq!(
        json(odd.clone())["items"][0]["attachments"][0]["mime_type"],
        "application/octet-stream"
    );
    assert!(!text_of(&made(Format::Rss, odd, None)).contains("itunes:"));
}

#[test]
fn rss_for_an_episode() {
    insta::assert_snapshot!(text_of(&document(Format::Rss, episode(Some(4711)))));
}
