//! Lists of posts: all of them, those of a tag, a language or a year.

use super::feed_page::{feeds_of, main_feeds};
use super::index::{Kind, List, page_path};
use super::{Shown, navigation, newsletters};
use crate::config::Config;
use crate::domain::{FeedTopic, Post};
use crate::template::{AuthorContext, FeedLink, ListLink, PostRow, PostsPage};
use crate::web::page;

/// Tags that the first page shows; each post leads to all of its own.
const MOST_TAGS: usize = 60;

pub(super) fn context(shown: &Shown, (list, number): (&List, usize)) -> PostsPage {
    let (config, index) = (&shown.config, shown.index());
    let is_first = list.kind == Kind::All && number == 1;
    let pages = index.pages(list);
    let beside = |number| Some(shown.local(&page_path(list, number)));
    let row = |at: &usize| row(config, &shown.posts[*at].post, shown.local(index.path(*at)));
    PostsPage {
        site: page::site(config),
        nav: navigation(config, is_first),
        kind: word(list.kind).to_owned(),
        title: if list.kind == Kind::All { config.site.title.clone() } else { list.title.clone() },
        url: shown.whole(&page_path(list, number)),
        posts: index.on_page(list, number).iter().map(row).collect(),
        count: list.posts.len(),
        page: number,
        pages,
        newer: (number > 1).then(|| beside(number - 1)).flatten(),
        older: (number < pages).then(|| beside(number + 1)).flatten(),
        tags: links(shown, Kind::Tag, is_first),
        languages: links(shown, Kind::Language, is_first),
        years: links(shown, Kind::Year, is_first),
        own_feeds: own_feeds(shown, list),
        feeds: main_feeds(config),
        newsletters: newsletters(config),
    }
}

/// The feed that has just these posts, where there is one.
fn own_feeds(shown: &Shown, list: &List) -> Vec<FeedLink> {
    let topic = match list.kind {
        Kind::Tag => FeedTopic::Tag,
        Kind::Language => FeedTopic::Language,
        Kind::All | Kind::Year => return Vec::new(),
    };
    let feed = shown.selections.of_topic(topic, &list.title);
    // Names that are written alike in addresses of feeds need not be alike in those of lists.
    let feed = feed.filter(|feed| feed.count() == list.posts.len());
    feed.map(feeds_of).unwrap_or_default()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::All => "all",
        Kind::Tag => "tag",
        Kind::Language => "language",
        Kind::Year => "year",
    }
}

/// `post` in a list, where it leads to `url`.
pub(super) fn row(config: &Config, post: &Post, url: String) -> PostRow {
    PostRow {
        title: post.title.clone(),
        url,
        summary: post.summary.clone(),
        authors: post.authors.iter().map(AuthorContext::of).collect(),
        language: post.language.clone(),
        published_at: post.published_at.to_zoned(config.site.time_zone.clone()),
    }
}

/// The lists of a kind, unless all posts are in the only one.
fn links(shown: &Shown, kind: Kind, is_first: bool) -> Vec<ListLink> {
    let mut lists: Vec<&List> = shown.index().lists(kind).filter(|_| is_first).collect();
    if kind != Kind::Tag && lists.len() < 2 {
        return Vec::new();
    }
    match kind {
        Kind::Year => lists.reverse(),
        Kind::Tag => {
            lists.sort_by_key(|list| std::cmp::Reverse(list.posts.len()));
            lists.truncate(MOST_TAGS);
            lists.sort_by_key(|list| list.title.to_lowercase());
        }
        Kind::All | Kind::Language => {}
    }
    let link = |list: &List| ListLink {
        title: list.title.clone(),
        url: shown.local(&list.path),
        count: list.posts.len(),
    };
    lists.into_iter().map(link).collect()
}
