//! What the pages of the archive see: a post, lists of posts, and a feed as a person is shown it.

use jiff::Zoned;
use serde::Serialize;

use super::{AuthorContext, Context, Link, PostContext, SiteContext, samples};

/// A feed, as `<link rel="alternate">` and people are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedLink {
    pub title: String,
    /// Absolute.
    pub url: String,
    /// What people call the format: `RSS 2.0`.
    pub format: String,
    pub media_type: String,
}

/// A post of the same words in another language, or the one that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionLink {
    /// BCP 47 tag.
    pub language: String,
    /// Its page in the archive.
    pub url: String,
    /// Where search engines shall find it: absolute.
    pub canonical: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// Where a post stands in its series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeriesContext {
    pub name: String,
    /// Counted from 1.
    pub place: usize,
    pub count: usize,
    pub previous: Option<Link>,
    pub next: Option<Link>,
}

/// A recording that goes with a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordingContext {
    pub url: String,
    pub media_type: String,
    /// `audio`, `video`, or `file` for what browsers do not play.
    pub kind: String,
    /// In bytes.
    pub length: Option<u64>,
}

/// `page/post.html`: one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    /// `post.html` is the author's HTML: `{{ post.html|safe }}`.
    pub post: PostContext,
    pub image_alt: Option<String>,
    /// `post.image`, where the text does not show it itself.
    pub lead_image: Option<String>,
    /// This page: absolute.
    pub url: String,
    /// Where search engines shall find the post: absolute, this page or one on the author's site.
    pub canonical: String,
    /// Where the post leads that is about something elsewhere.
    pub external: Option<String>,
    /// The lists of posts with the same tags.
    pub tags: Vec<Link>,
    /// All versions, this one too; empty where there is but one.
    pub versions: Vec<VersionLink>,
    pub series: Option<SeriesContext>,
    pub recording: Option<RecordingContext>,
    /// The posts before and after it, in its language.
    pub older: Option<Link>,
    pub newer: Option<Link>,
    pub feeds: Vec<FeedLink>,
    /// Where people subscribe by mail.
    pub newsletters: Vec<Link>,
    /// The post in the words of schema.org, safe inside `<script type="application/ld+json">`.
    pub json_ld: String,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostRow {
    pub title: String,
    pub url: String,
    pub summary: String,
    pub authors: Vec<AuthorContext>,
    /// BCP 47 tag.
    pub language: String,
    /// In the site's zone.
    pub published_at: Zoned,
}

/// A link to a list, and how much is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListLink {
    pub title: String,
    pub url: String,
    pub count: usize,
}

/// `page/posts.html`: posts, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostsPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    /// `all`, `tag`, `language` or `year`.
    pub kind: String,
    /// The tag, the language or the year; the site's title for `all`.
    pub title: String,
    /// This page: absolute.
    pub url: String,
    pub posts: Vec<PostRow>,
    /// Posts on all pages of the list.
    pub count: usize,
    /// Counted from 1.
    pub page: usize,
    pub pages: usize,
    pub newer: Option<String>,
    pub older: Option<String>,
    /// On the first page of all posts; else empty. The tags that most posts have, in order of name.
    pub tags: Vec<ListLink>,
    pub languages: Vec<ListLink>,
    pub years: Vec<ListLink>,
    /// With the posts of this list only; empty where they have no feed of their own.
    pub own_feeds: Vec<FeedLink>,
    pub feeds: Vec<FeedLink>,
    pub newsletters: Vec<Link>,
}

/// `page/feed.html`: what a person sees who opens a feed in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    /// The feed's own.
    pub title: String,
    pub feed: FeedLink,
    /// The same in the other formats.
    pub others: Vec<FeedLink>,
    pub newsletters: Vec<Link>,
    pub posts: Vec<PostRow>,
}

impl Context for PostPage {
    const TEMPLATES: &'static [&'static str] = &["page/post.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let rich = samples::post_page(samples::rich_post());
        let bare = Self {
            nav: Vec::new(),
            image_alt: None,
            lead_image: None,
            external: None,
            tags: Vec::new(),
            versions: Vec::new(),
            series: None,
            recording: None,
            older: None,
            newer: None,
            newsletters: Vec::new(),
            ..samples::post_page(samples::plain_post())
        };
        let odd = Self { post: samples::odd_post(), ..bare.clone() };
        vec![("everything", rich), ("the least", bare), ("right to left", odd)]
    }
}

impl Context for PostsPage {
    const TEMPLATES: &'static [&'static str] = &["page/posts.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let all = samples::posts_page();
        let list = |kind: &str, title: &str| Self {
            kind: kind.to_owned(),
            title: title.to_owned(),
            tags: Vec::new(),
            languages: Vec::new(),
            years: Vec::new(),
            ..samples::posts_page()
        };
        let end = Self {
            page: 2,
            newer: Some("/archive/tags/rust/".to_owned()),
            older: None,
            own_feeds: samples::feed_links(),
            ..list("tag", "<b>Rust</b> & friends")
        };
        let language = Self { pages: 1, older: None, ..list("language", "he") };
        let none = Self {
            posts: Vec::new(),
            count: 0,
            pages: 1,
            older: None,
            nav: Vec::new(),
            newsletters: Vec::new(),
            ..list("all", "Field Notes")
        };
        vec![
            ("all posts", all),
            ("the last page of a tag", end),
            ("a language", language),
            ("nothing yet", none),
        ]
    }
}

impl Context for FeedPage {
    const TEMPLATES: &'static [&'static str] = &["page/feed.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let mut others = samples::feed_links();
        let page = Self {
            site: samples::site(),
            nav: samples::archive_nav(""),
            title: "Field Notes".to_owned(),
            feed: others.remove(0),
            others,
            newsletters: samples::newsletter_links(),
            posts: samples::post_rows(),
        };
        let bare = Self {
            nav: Vec::new(),
            others: Vec::new(),
            newsletters: Vec::new(),
            posts: Vec::new(),
            ..page.clone()
        };
        vec![("a feed", page), ("an empty one", bare)]
    }
}
