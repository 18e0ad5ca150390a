//! The page of one post.

use jiff::tz::TimeZone;
use serde_json::json;
use url::Url;

use super::answer::Page;
use super::feed_page::main_feeds;
use super::index::{Index, Kind};
use super::{Shown, navigation, newsletters};
use crate::config::Config;
use crate::content;
use crate::domain::{LivePost, Post, Revision, other_languages, reading_minutes};
use crate::store::CachedBody;
use crate::template::{
    AuthorContext, Link, PostContext, PostPage, RecordingContext, SeriesContext, Templates,
    VersionLink,
};
use crate::web::page;
use crate::web::refusal::Refusal;

/// Stands for the text while the template is laid out: a text may be larger than a template's output. What a template escapes
/// cannot become it.
const HOLE: &str = "<!--postrider:text-->";

/// What a page shows, before its text has been read.
pub(super) struct Draft<'a> {
    shown: &'a Shown,
    at: usize,
    context: PostPage,
}

impl<'a> Draft<'a> {
    pub(super) fn new(shown: &'a Shown, at: usize) -> Self {
        Self { shown, at, context: context(shown, at) }
    }

    /// The hash of all that the page shows. Two texts never have one number and one revision.
    pub(super) fn hash(&self) -> Option<Revision> {
        let LivePost { post, body } = &self.shown.posts[self.at];
        let updated_at = post.changed_at().to_string();
        let text = [post.revision.as_str(), &format!("{body:?}"), &updated_at];
        super::kept::hash(&self.context, &text)
    }

    pub(super) fn page(self, templates: &Templates) -> Result<Page, Refusal> {
        let Self { shown, at, mut context } = self;
        let LivePost { post, body } = &shown.posts[at];
        let CachedBody { html, mail: _, web } = shown.texts.body(post, *body)?;
        context.post.reading_minutes = reading_minutes(&content::plain_text(&html));
        let html = below_the_title(web.unwrap_or(html));
        let html = content::highlighted(&html);
        // The URL of the picture as the text has it, where it is escaped.
        let is_in_text = |url: &String| html.contains(&url.replace('&', "&amp;"));
        context.lead_image = context.lead_image.filter(|url| !is_in_text(url));
        context.json_ld = json_ld(&context, post, &shown.config.site.time_zone);
        let frame = templates.render("page/post.html", &context)?;
        Ok(Page::html(shown.index().path(at).to_owned(), &frame, (HOLE, &html)))
    }
}

/// With what is known without the text.
fn context(shown: &Shown, at: usize) -> PostPage {
    let (config, index) = (&shown.config, shown.index());
    let post = &*shown.posts[at].post;
    let path = index.path(at);
    let image = post.image.as_ref().map(ToString::to_string);
    let beside = Beside::of(shown, at);
    // The feeds' author stands in for posts that name nobody, as in the feeds.
    let stands_in = config.site.author.iter().filter(|_| post.authors.is_empty());
    let authors = post.authors.iter().chain(stands_in);
    PostPage {
        site: page::site(config),
        nav: navigation(config, false),
        image_alt: post.image_alt.clone(),
        lead_image: image.clone(),
        canonical: canonical(config, post, path),
        url: shown.whole(path),
        external: post.external.as_deref().map(ToString::to_string),
        tags: tags(shown, post),
        versions: versions(shown, at),
        series: series(shown, at),
        recording: recording(post),
        older: beside.older,
        newer: beside.newer,
        feeds: main_feeds(config),
        newsletters: newsletters(config),
        json_ld: String::new(),
        post: PostContext {
            id: post.id.to_string(),
            title: post.title.clone(),
            url: post.canonical.as_deref().unwrap_or(&post.link).to_string(),
            summary: post.summary.clone(),
            html: HOLE.to_owned(),
            text: String::new(),
            reading_minutes: 0,
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

/// Where search engines shall find a post whose page is at `path`: the author's own site comes first, unless it is this one.
pub(super) fn canonical(config: &Config, post: &Post, path: &str) -> String {
    match &post.canonical {
        Some(canonical) => canonical.to_string(),
        None if page::path_here(config, &post.link).is_some() => page::whole(config, path),
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

/// The post in all its languages; empty where there is but one.
fn versions(shown: &Shown, at: usize) -> Vec<VersionLink> {
    let index = shown.index();
    let current = &*shown.posts[at].post;
    let all = index.versions(current).iter().map(|at| (*at, &*shown.posts[*at].post));
    let mut versions = other_languages(current, all);
    if versions.is_empty() {
        return Vec::new();
    }
    versions.push((at, current));
    versions.sort_by(|(_, a), (_, b)| a.language.cmp(&b.language));
    let link = |(other, post): (usize, &Post)| VersionLink {
        language: post.language.clone(),
        url: shown.local(index.path(other)),
        canonical: canonical(&shown.config, post, index.path(other)),
        current: other == at,
    };
    versions.into_iter().map(link).collect()
}

fn series(shown: &Shown, at: usize) -> Option<SeriesContext> {
    let post = &shown.posts[at].post;
    let name = &post.series.as_ref()?.name;
    let parts = shown.index().series(name, post);
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
        ("image", post.image.as_deref().map(|it: &Url| json!(it.as_str()))),
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
