//! The page of one post.

use jiff::tz::TimeZone;
use serde_json::json;
use url::Url;

use super::answer::Page;
use super::index::{Index, Kind};
use super::{Shown, navigation, newsletters};
use crate::content;
use crate::domain::{LivePost, Post, reading_minutes};
use crate::store::{CachedBody, StoreError};
use crate::template::{
    AuthorContext, FeedLink, Link, PostContext, PostPage, RecordingContext, SeriesContext,
    Templates, VersionLink,
};
use crate::web::page;
use crate::web::refusal::Refusal;

/// Stands for the text while the template is laid out: a text may be larger than a template's output. What a template escapes
/// cannot become it.
const HOLE: &str = "<!--postrider:text-->";

pub(super) fn page(
    shown: &Shown,
    at: usize,
    templates: &Templates,
    feeds: Vec<FeedLink>,
) -> Result<Page, Refusal> {
    let LivePost { post, body } = &shown.posts[at];
    let CachedBody { html, mail: _, web } =
        shown.texts.body(*body)?.ok_or(StoreError::Corrupt("the text of a post"))?;
    let text = content::plain_text(&html);
    let html = below_the_title(web.unwrap_or(html));
    let zone = &shown.config.site.time_zone;
    let context = context(shown, at, (&text, &html), feeds);
    let path = shown.index().path(at).to_owned();
    let context = PostPage { json_ld: json_ld(&context, post, zone), ..context };
    let frame = templates.render("page/post.html", &context)?;
    Ok(Page::html(path, &frame, (HOLE, &html)))
}

fn context(shown: &Shown, at: usize, (text, html): (&str, &str), feeds: Vec<FeedLink>) -> PostPage {
    let (config, index) = (&shown.config, shown.index());
    let post = &*shown.posts[at].post;
    let url = shown.whole(index.path(at));
    let image = post.image.as_ref().map(ToString::to_string);
    // The URL of the picture as the text has it, where it is escaped.
    let in_text = image.as_ref().map(|url| url.replace('&', "&amp;"));
    let lead_image = image.clone().filter(|_| in_text.is_some_and(|url| !html.contains(&url)));
    let beside = Beside::of(shown, at);
    // The feeds' author stands in for posts that name nobody, as in the feeds.
    let stands_in = config.site.author.iter().filter(|_| post.authors.is_empty());
    let authors = post.authors.iter().chain(stands_in);
    PostPage {
        site: page::site(config),
        nav: navigation(config, false),
        image_alt: post.image_alt.clone(),
        lead_image,
        canonical: canonical(shown, post, &url),
        url,
        external: post.external.as_deref().map(ToString::to_string),
        tags: tags(shown, post),
        versions: versions(shown, at),
        series: series(shown, at),
        recording: recording(post),
        older: beside.older,
        newer: beside.newer,
        feeds,
        newsletters: newsletters(config),
        json_ld: String::new(),
        post: PostContext {
            id: post.id.to_string(),
            title: post.title.clone(),
            url: post.canonical.as_ref().unwrap_or(&post.link).to_string(),
            summary: post.summary.clone(),
            html: HOLE.to_owned(),
            text: String::new(),
            reading_minutes: reading_minutes(text),
            authors: authors.map(AuthorContext::of).collect(),
            tags: post.tags.clone(),
            categories: post.categories.clone(),
            language: post.language.clone(),
            published_at: post.published_at.to_zoned(config.site.time_zone.clone()),
            updated_at: post.updated_at.map(|at| at.to_zoned(config.site.time_zone.clone())),
            image,
        },
    }
}

/// A page has one heading of the first level, and that is the title.
fn below_the_title(html: String) -> String {
    if !html.contains("<h1") {
        return html;
    }
    // A `<` in text is escaped, so these are tags.
    html.replace("<h1>", "<h2>").replace("<h1 ", "<h2 ").replace("</h1>", "</h2>")
}

/// The author's own site comes first, wherever this page is.
fn canonical(shown: &Shown, post: &Post, url: &str) -> String {
    match &post.canonical {
        Some(canonical) => canonical.to_string(),
        None if shown.config.site.url.host() == shown.config.server.public_url.host() => {
            url.to_owned()
        }
        None => post.link.to_string(),
    }
}

fn link(shown: &Shown, at: usize) -> Link {
    Link {
        title: shown.posts[at].post.title.clone(),
        url: shown.local(shown.index().path(at)),
        current: false,
    }
}

fn tags(shown: &Shown, post: &Post) -> Vec<Link> {
    let link = |tag: &String| {
        let list = shown.index().list_of(Kind::Tag, tag)?;
        Some(Link { title: tag.clone(), url: shown.local(&list.path), current: false })
    };
    post.tags.iter().filter_map(link).collect()
}

fn versions(shown: &Shown, at: usize) -> Vec<VersionLink> {
    let index = shown.index();
    let current = &shown.posts[at].post;
    let mut versions: Vec<VersionLink> = Vec::new();
    for &other in index.versions(current) {
        let post = &shown.posts[other].post;
        // One a language; of the shown one's, itself.
        if (other != at && post.language == current.language)
            || versions.iter().any(|known| known.language == post.language)
        {
            continue;
        }
        let path = index.path(other);
        versions.push(VersionLink {
            language: post.language.clone(),
            url: shown.local(path),
            canonical: canonical(shown, post, &shown.whole(path)),
            current: other == at,
        });
    }
    if versions.len() < 2 {
        return Vec::new();
    }
    versions.sort_by(|a, b| a.language.cmp(&b.language));
    versions
}

fn series(shown: &Shown, at: usize) -> Option<SeriesContext> {
    let name = &shown.posts[at].post.series.as_ref()?.name;
    let parts = shown.index().series(name);
    let place = parts.iter().position(|part| *part == at)?;
    let beside = |place: Option<usize>| Some(link(shown, *parts.get(place?)?));
    Some(SeriesContext {
        name: name.clone(),
        place: place + 1,
        count: parts.len(),
        previous: beside(place.checked_sub(1)),
        next: beside(Some(place + 1)),
    })
}

/// The posts before and after one, in its language.
struct Beside {
    older: Option<Link>,
    newer: Option<Link>,
}

impl Beside {
    fn of(shown: &Shown, at: usize) -> Self {
        let index: &Index = shown.index();
        let list = index.list_of(Kind::Language, &shown.posts[at].post.language);
        let posts = list.map_or(&[][..], |list| &list.posts);
        let Ok(place) = posts.binary_search(&at) else { return Self { older: None, newer: None } };
        let link = |place: Option<usize>| Some(link(shown, *posts.get(place?)?));
        Self { older: link(Some(place + 1)), newer: link(place.checked_sub(1)) }
    }
}

fn recording(post: &Post) -> Option<RecordingContext> {
    let enclosure = post.enclosure.as_deref()?;
    let media_type = enclosure.media_type.clone().unwrap_or_default();
    let family = media_type.split('/').next().unwrap_or_default();
    let kind = if ["audio", "video"].contains(&family) { family } else { "file" };
    Some(RecordingContext {
        url: enclosure.url.to_string(),
        kind: kind.to_owned(),
        media_type,
        length: enclosure.length,
    })
}

/// `BlogPosting` of schema.org. Nothing in it can end the element that it stands in.
fn json_ld(page: &PostPage, post: &Post, zone: &TimeZone) -> String {
    let at = |at: jiff::Timestamp| {
        at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    };
    let authors = page.post.authors.iter().map(|author| {
        let mut person = json!({"@type": "Person", "name": author.name});
        if let Some(url) = &author.url {
            person["url"] = json!(url);
        }
        person
    });
    let authors: Vec<_> = authors.collect();
    let mut posting = json!({
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title,
        "url": page.canonical,
        "mainEntityOfPage": page.canonical,
        "datePublished": at(post.published_at),
        "dateModified": at(post.changed_at()),
        "inLanguage": post.language,
        "isPartOf": {"@type": "Blog", "name": page.site.title, "url": page.site.url},
    });
    let optional = [
        ("description", (!post.summary.is_empty()).then(|| json!(post.summary))),
        ("author", (!authors.is_empty()).then(|| json!(authors))),
        ("image", post.image.as_ref().map(|it: &Url| json!(it.as_str()))),
        ("keywords", (!post.tags.is_empty()).then(|| json!(post.tags))),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            posting[key] = value;
        }
    }
    posting
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
