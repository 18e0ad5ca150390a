//! The material of the samples: a site, a newsletter, ordinary posts and odd ones.

use jiff::Zoned;

use super::{
    AuthorContext, EditionFrame, Header, LetterFrame, Link, NewsletterContext, PostContext,
    SiteContext,
};

mod archive;
mod status;

pub(super) use archive::{
    archive_nav, feed_links, newsletter_links, post_page, post_rows, posts_page,
};
pub(super) use status::{
    deliveries, destinations, editions, events, feeds, newsletters, problems, pushes, queue,
    readers,
};

/// The samples' present.
pub(super) fn now() -> Zoned {
    at("2026-11-23T07:00:00+01:00[Europe/Berlin]")
}

fn at(text: &str) -> Zoned {
    text.parse().expect("the samples' times are written right")
}

pub(super) fn site() -> SiteContext {
    SiteContext {
        title: "Field Notes".to_owned(),
        description: "Walks, tools and half-finished thoughts".to_owned(),
        url: "https://example.org/".to_owned(),
        language: "en".to_owned(),
    }
}

pub(super) fn language() -> String {
    "en".to_owned()
}

pub(super) fn newsletter() -> NewsletterContext {
    NewsletterContext {
        name: "weekly".to_owned(),
        title: "Field Notes weekly".to_owned(),
        description: "The week's posts in one mail, Monday morning.".to_owned(),
    }
}

pub(super) fn nav(current: &str) -> Vec<Link> {
    [("Status", "/"), ("Outbox", "/outbox"), ("Subscribe", "/subscribe/weekly")]
        .into_iter()
        .map(|(title, url)| Link {
            title: title.to_owned(),
            url: url.to_owned(),
            current: title == current,
        })
        .collect()
}

pub(super) fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

pub(super) fn frame(cadence: &str) -> EditionFrame {
    EditionFrame {
        site: site(),
        newsletter: newsletter(),
        cadence: cadence.to_owned(),
        language: "en".to_owned(),
        preheader: "Twelve kilometres, four herons and one wet foot · Sharpening a kitchen knife"
            .to_owned(),
        unsubscribe_url:
            "https://news.example.org/unsubscribe/c2FtcGxlLXRva2VuLW9mLWZvcnR5LXRocmVlLWxldHRlcnM"
                .to_owned(),
        preferences_url:
            "https://news.example.org/preferences/c2FtcGxlLXRva2VuLW9mLWZvcnR5LXRocmVlLWxldHRlcnM"
                .to_owned(),
        home_url: "https://example.org/".to_owned(),
        postal_address: "Field Notes, 1 River Lane, 10115 Berlin".to_owned(),
        sealed_at: now(),
    }
}

pub(super) fn letter(language: &str) -> LetterFrame {
    let token = "Zm9yLXNhbXBsZXMtb25seS1ub3QtYS1yZWFsLXRva2Vu";
    LetterFrame {
        site: site(),
        language: language.to_owned(),
        url: format!("https://news.example.org/address/{token}"),
        home_url: "https://example.org/".to_owned(),
        postal_address: "Field Notes, 1 River Lane, 10115 Berlin".to_owned(),
    }
}

/// Everything a post can have.
pub(super) fn rich_post() -> PostContext {
    PostContext {
        title: "A walk along the river".to_owned(),
        summary: "Twelve kilometres, four herons and one wet foot: what a slow day outside does \
                  for a stuck problem."
            .to_owned(),
        html: include_str!("post.html").to_owned(),
        text: include_str!("post.txt").to_owned(),
        reading_minutes: 4,
        tags: vec!["walking".to_owned(), "thinking".to_owned()],
        categories: vec!["Outside".to_owned()],
        updated_at: Some(at("2026-11-22T09:30:00+01:00[Europe/Berlin]")),
        image: Some("https://example.org/images/river.jpg".to_owned()),
        ..plain_post()
    }
}

/// The least a post has, in Latin letters.
pub(super) fn plain_post() -> PostContext {
    PostContext {
        id: "urn:uuid:8d5fbb43-7f4c-5a43-9a4b-3f2d2f9b6a10".to_owned(),
        title: "Sharpening a kitchen knife".to_owned(),
        url: "https://example.org/posts/knife/".to_owned(),
        summary: "One stone, ten minutes, and the one mistake that everybody makes at first."
            .to_owned(),
        html: "<p>Hold the angle. That is all.</p>".to_owned(),
        text: "Hold the angle. That is all.".to_owned(),
        reading_minutes: 1,
        authors: vec![AuthorContext {
            name: "Ann Meadow".to_owned(),
            url: Some("https://example.org/ann/".to_owned()),
        }],
        tags: Vec::new(),
        categories: Vec::new(),
        language: "en".to_owned(),
        published_at: at("2026-11-19T18:15:00+01:00[Europe/Berlin]"),
        updated_at: None,
        image: None,
    }
}

/// Neither HTML nor text: it did not fit.
pub(super) fn bare_post() -> PostContext {
    PostContext { html: String::new(), text: String::new(), reading_minutes: 90, ..rich_post() }
}

/// Right to left, emoji, markup in the title, nobody's name, no summary.
pub(super) fn odd_post() -> PostContext {
    PostContext {
        id: "https://example.org/?p=42&x=\"1\"".to_owned(),
        title: "שלום 👩‍🚀 & <b>\"עולם\"</b>".to_owned(),
        url: "https://example.org/?p=42&x=1".to_owned(),
        summary: String::new(),
        html: "<p>שורה אחת.</p>".to_owned(),
        text: "שורה אחת.".to_owned(),
        authors: Vec::new(),
        language: "he".to_owned(),
        ..plain_post()
    }
}

pub(super) fn posts() -> Vec<PostContext> {
    let tea = PostContext {
        title: "Three kinds of tea, and the hour that each of them is for".to_owned(),
        url: "https://example.org/posts/tea/".to_owned(),
        summary: "Assam before eight, sencha after lunch, rooibos when the lamps are lit."
            .to_owned(),
        authors: vec![
            AuthorContext { name: "Ann Meadow".to_owned(), url: None },
            AuthorContext { name: "Bo Field".to_owned(), url: None },
        ],
        ..plain_post()
    };
    vec![rich_post(), plain_post(), tea, odd_post()]
}
