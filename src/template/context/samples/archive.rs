//! The material of the samples that are pages of the archive.

use super::{posts, site};
use crate::template::context::{
    FeedLink, Link, ListLink, PostContext, PostPage, PostRow, PostsPage, RecordingContext,
    SeriesContext, VersionLink,
};

fn link(title: &str, url: &str) -> Link {
    Link { title: title.to_owned(), url: url.to_owned(), current: false }
}

pub(in crate::template::context) fn archive_nav(current: &str) -> Vec<Link> {
    let link = |(title, url): (&str, &str)| Link { current: title == current, ..link(title, url) };
    [("All posts", "/archive/"), ("Subscribe", "/")].map(link).into()
}

pub(in crate::template::context) fn newsletter_links() -> Vec<Link> {
    vec![link("Field Notes weekly", "/subscribe/weekly")]
}

pub(in crate::template::context) fn feed_links() -> Vec<FeedLink> {
    [
        ("feed.xml", "RSS 2.0", "application/rss+xml"),
        ("atom.xml", "Atom 1.0", "application/atom+xml"),
        ("feed.json", "JSON Feed 1.1", "application/feed+json"),
    ]
    .map(|(path, format, media_type)| FeedLink {
        title: "Field Notes".to_owned(),
        url: format!("https://news.example.org/{path}"),
        format: format.to_owned(),
        media_type: media_type.to_owned(),
    })
    .into()
}

pub(in crate::template::context) fn post_rows() -> Vec<PostRow> {
    let row = |post: PostContext| PostRow {
        title: post.title,
        url: post.url,
        summary: post.summary,
        authors: post.authors,
        language: post.language,
        published_at: post.published_at,
    };
    posts().into_iter().map(row).collect()
}

/// The page of `post`, with everything that a page can have.
pub(in crate::template::context) fn post_page(post: PostContext) -> PostPage {
    let version = |language: &str, path: &str, current| VersionLink {
        language: language.to_owned(),
        url: path.to_owned(),
        canonical: format!("https://example.org{path}"),
        current,
    };
    PostPage {
        site: site(),
        nav: archive_nav(""),
        image_alt: Some("A river in the \"early\" light".to_owned()),
        lead_image: post.image.clone(),
        url: "https://news.example.org/posts/river/".to_owned(),
        canonical: post.url.clone(),
        external: Some("https://example.com/the-book?a=1&b=2".to_owned()),
        tags: vec![link("walking", "/archive/tags/walking/"), link("c++", "/archive/tags/c++/")],
        versions: vec![
            version("en", "/posts/river/", true),
            version("he", "/posts/he/river/", false),
        ],
        series: Some(SeriesContext {
            name: "Rivers & <brooks>".to_owned(),
            place: 2,
            count: 3,
            previous: Some(link("The spring", "/posts/spring/")),
            next: Some(link("The mouth", "/posts/mouth/")),
        }),
        recording: Some(RecordingContext {
            url: "https://example.org/river.mp3".to_owned(),
            media_type: "audio/mpeg".to_owned(),
            kind: "audio".to_owned(),
            length: Some(2_345_678),
        }),
        older: Some(link("Sharpening a kitchen knife", "/posts/knife/")),
        newer: Some(link("Three kinds of tea", "/posts/tea/")),
        feeds: feed_links(),
        newsletters: newsletter_links(),
        json_ld: r#"{"@context":"https://schema.org","@type":"BlogPosting"}"#.to_owned(),
        post,
    }
}

/// The first page of all posts.
pub(in crate::template::context) fn posts_page() -> PostsPage {
    let link = |title: &str, url: &str, count| ListLink {
        title: title.to_owned(),
        url: url.to_owned(),
        count,
    };
    PostsPage {
        site: site(),
        nav: archive_nav("All posts"),
        kind: "all".to_owned(),
        title: site().title,
        url: "https://news.example.org/archive/".to_owned(),
        posts: post_rows(),
        count: 83,
        page: 1,
        pages: 2,
        newer: None,
        older: Some("/archive/page/2/".to_owned()),
        tags: vec![
            link("thinking", "/archive/tags/thinking/", 7),
            link("c++", "/archive/tags/c++/", 1),
        ],
        languages: vec![
            link("en", "/archive/languages/en/", 80),
            link("he", "/archive/languages/he/", 3),
        ],
        years: vec![
            link("2026", "/archive/years/2026/", 60),
            link("2025", "/archive/years/2025/", 23),
        ],
        own_feeds: Vec::new(),
        feeds: feed_links(),
        newsletters: newsletter_links(),
    }
}
