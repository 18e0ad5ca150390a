//! Which address each page of the archive has, and which posts are on it.
//!
//! Pure. A page's path is that of the post's link where the author's site is served from here, else the same below `/posts/`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use url::Url;

use crate::config::Config;
use crate::content::percent_decoded;
use crate::domain::{LivePost, Post, VersionKey};
use crate::web::page;

/// Where lists are.
const LISTS: &str = "/archive/";
/// The first parts of paths that are never a post's, because something else answers there.
const OURS: [&str; 11] = [
    "archive",
    "confirm",
    "healthz",
    "metrics",
    "outbox",
    "readyz",
    "robots.txt",
    "status",
    "subscribe",
    "unsubscribe",
    "websub",
];

/// What the posts of a list have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Tag,
    Language,
    Year,
}

/// A list of posts.
#[derive(Debug)]
pub(super) struct List {
    pub(super) kind: Kind,
    /// The tag as the newest post writes it, the language, the year.
    pub(super) title: String,
    /// Where its first page is, as URLs have it.
    pub(super) path: String,
    /// Places in the order of all posts, newest first.
    pub(super) posts: Vec<usize>,
}

/// What lies at a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Post(usize),
    /// A list and the number of its page, counted from 1.
    List(&'a List, usize),
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// The path of each post's page, as URLs have it.
    paths: Vec<String>,
    /// By path without percent escapes.
    by_path: HashMap<String, usize>,
    /// Likewise, by the path of the first page.
    lists: BTreeMap<String, List>,
    /// By the number of its id.
    by_number: HashMap<u64, usize>,
    /// Where posts lived before, by path without percent escapes.
    aliases: HashMap<String, usize>,
    /// By name in small letters and by language, in the order of the parts.
    series: HashMap<(String, String), Vec<usize>>,
    versions: HashMap<VersionKey, Vec<usize>>,
    per_page: usize,
}

impl Index {
    pub(super) fn new(config: &Config, posts: &[LivePost]) -> Self {
        let per_page = config.archive.posts_per_page.max(1);
        let mut index = Self { per_page, ..Self::default() };
        index.list(Kind::All, "", "").posts = (0..posts.len()).collect();
        for (at, LivePost { post, .. }) in posts.iter().enumerate() {
            index.place(config, post, at);
            for tag in &post.tags {
                index.add(Kind::Tag, tag, at);
            }
            index.add(Kind::Language, &post.language, at);
            let year = post.published_at.to_zoned(config.site.time_zone.clone()).year();
            index.add(Kind::Year, &year.to_string(), at);
            if let Some(series) = &post.series {
                index.series.entry(series_key(&series.name, post)).or_default().push(at);
            }
            index.versions.entry(VersionKey::of(post)).or_default().push(at);
        }
        for parts in index.series.values_mut() {
            let part = |at: &usize| posts[*at].post.series.as_ref().and_then(|it| it.part);
            parts.sort_by_key(|at| (part(at).is_none(), part(at), posts[*at].post.published_at));
        }
        index.versions.retain(|_, versions| versions.len() > 1);
        index
    }

    fn place(&mut self, config: &Config, post: &Post, at: usize) {
        let path = path_of(config, post);
        let known = percent_decoded(&path).into_owned();
        let (path, known) = if self.by_path.contains_key(&known) {
            // Two posts at one address: both are to be read.
            let path = own_path(post);
            (path.clone(), path)
        } else {
            (path, known)
        };
        self.by_path.insert(known, at);
        self.by_number.insert(post.id.number(), at);
        self.paths.push(path);
        for alias in &post.aliases {
            if let Some(path) = page::path_here(config, alias) {
                self.aliases.entry(percent_decoded(&path).into_owned()).or_insert(at);
            }
        }
    }

    fn add(&mut self, kind: Kind, title: &str, at: usize) {
        let segment = segment(title);
        if segment.is_empty() {
            return;
        }
        let list = self.list(kind, title, &segment);
        if list.posts.last() != Some(&at) {
            list.posts.push(at);
        }
    }

    fn list(&mut self, kind: Kind, title: &str, segment: &str) -> &mut List {
        let path = match kind {
            Kind::All => LISTS.to_owned(),
            Kind::Tag => format!("{LISTS}tags/{segment}/"),
            Kind::Language => format!("{LISTS}languages/{segment}/"),
            Kind::Year => format!("{LISTS}years/{segment}/"),
        };
        let known = percent_decoded(&path).into_owned();
        let new = || List { kind, title: title.to_owned(), path, posts: Vec::new() };
        self.lists.entry(known).or_insert_with(new)
    }

    /// The path of the page of the post at `at`.
    pub(super) fn path(&self, at: usize) -> &str {
        &self.paths[at]
    }

    /// `path` is as a request has it.
    pub(super) fn find(&self, path: &str) -> Option<Found<'_>> {
        let path = percent_decoded(path);
        if let Some(at) = self.by_path.get(&*path) {
            return Some(Found::Post(*at));
        }
        if let Some(list) = self.lists.get(&*path) {
            return Some(Found::List(list, 1));
        }
        let (first, number) = path.strip_suffix('/')?.rsplit_once("page/")?;
        let list = self.lists.get(first)?;
        let page: usize = number.parse().ok()?;
        // One address a page: neither `page/1/` nor `page/02/`.
        let is_one = page > 1 && page <= self.pages(list) && page.to_string() == number;
        is_one.then_some(Found::List(list, page))
    }

    /// Where the post is now that mails lead to by its id.
    pub(super) fn by_id(&self, path: &str) -> Option<&str> {
        let digits = path.strip_prefix("/posts/-/")?;
        let digits = digits.strip_suffix('/').unwrap_or(digits);
        let number = u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 16)?;
        self.by_number.get(&number).map(|at| self.path(*at))
    }

    /// Where a visitor who asks for `path` should ask instead.
    pub(super) fn instead(&self, path: &str) -> Option<String> {
        let known = percent_decoded(path);
        if let Some(at) = self.aliases.get(&*known) {
            return Some(self.paths[*at].clone());
        }
        let other = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        match self.find(&other)? {
            Found::Post(at) => Some(self.paths[at].clone()),
            Found::List(list, page) => Some(page_path(list, page)),
        }
    }

    pub(super) fn pages(&self, list: &List) -> usize {
        list.posts.len().div_ceil(self.per_page).max(1)
    }

    /// The posts on one page of a list.
    pub(super) fn on_page<'a>(&self, list: &'a List, page: usize) -> &'a [usize] {
        let start = (page - 1).saturating_mul(self.per_page).min(list.posts.len());
        let end = start.saturating_add(self.per_page).min(list.posts.len());
        &list.posts[start..end]
    }

    pub(super) fn lists(&self, kind: Kind) -> impl Iterator<Item = &List> {
        self.lists.values().filter(move |list| list.kind == kind)
    }

    /// The list that `title` names.
    pub(super) fn list_of(&self, kind: Kind, title: &str) -> Option<&List> {
        let segment = segment(title);
        let folder = match kind {
            Kind::All => return self.lists.get(LISTS),
            Kind::Tag => "tags",
            Kind::Language => "languages",
            Kind::Year => "years",
        };
        self.lists.get(&*percent_decoded(&format!("{LISTS}{folder}/{segment}/")))
    }

    /// The parts of the series `name` that are in the language of `post`, in order.
    pub(super) fn series(&self, name: &str, post: &Post) -> &[usize] {
        self.series.get(&series_key(name, post)).map_or(&[], Vec::as_slice)
    }

    /// All versions of a post, if there are others than itself.
    pub(super) fn versions(&self, post: &Post) -> &[usize] {
        self.versions.get(&VersionKey::of(post)).map_or(&[], Vec::as_slice)
    }

    /// The path of every page there is.
    pub(super) fn all_paths(&self) -> Vec<String> {
        let lists = self.lists.values();
        let lists =
            lists.flat_map(|list| (1..=self.pages(list)).map(move |page| page_path(list, page)));
        self.paths.iter().cloned().chain(lists).collect()
    }
}

/// Who reads a series in one language is not sent to a part in another.
fn series_key(name: &str, post: &Post) -> (String, String) {
    (name.to_lowercase(), post.language.to_lowercase())
}

/// The path of one page of a list.
pub(super) fn page_path(list: &List, page: usize) -> String {
    if page <= 1 { list.path.clone() } else { format!("{}page/{page}/", list.path) }
}

/// Where the page of `post` is, if no other is there.
fn path_of(config: &Config, post: &Post) -> String {
    usual_path(config, &post.link).unwrap_or_else(|| own_path(post))
}

/// Where the page of a post is that lives at `link`. None: it needs a path of its own.
pub(super) fn usual_path(config: &Config, link: &Url) -> Option<String> {
    if link.query().is_some() {
        return None;
    }
    let path = page::path_here(config, link).unwrap_or_else(|| {
        let path = link.path();
        if path.starts_with("/posts/") { path.to_owned() } else { format!("/posts{path}") }
    });
    let mut parts = path.trim_start_matches('/').split('/');
    let is_taken = parts.next().is_some_and(|first| first.is_empty() || OURS.contains(&first));
    // What would lead out of a folder is nothing for one.
    let is_odd = percent_decoded(&path).split('/').any(|part| part == ".." || part == ".");
    (!is_taken && !is_odd).then_some(path)
}

/// For a post whose own path will not do.
fn own_path(post: &Post) -> String {
    format!("/{}", post.id.page())
}

/// A part of a path that stands for a tag, whatever is in it: small letters, blanks as hyphens, the rest escaped.
pub(super) fn segment(name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase();
    if name.chars().all(|c| c == '.') {
        return String::new();
    }
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte) {
            segment.push(char::from(byte));
        } else if byte == b'/' || byte == b'%' {
            // An escaped slash is a slash to many servers, and an escaped percent is decoded twice by some.
            segment.push('_');
        } else {
            write!(segment, "%{byte:02X}").expect("a string takes every character");
        }
    }
    segment
}
