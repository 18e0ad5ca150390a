//! Which ids of an earlier feed go to which posts. Pure.
//!
//! An entry is matched by the address of its post, with what never tells two posts apart left aside; what could be two
//! posts is told and not taken.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;
use url::Url;

use super::identity::known_as;
use super::read::{ReadEntry, is_sayable};
use crate::content::percent_decoded;
use crate::domain::{FeedFamily, FeedIds, PostId};

/// Longer ids are no ids.
const LONGEST: usize = 2000;

/// A post and where it is and was.
#[derive(Clone, Debug)]
pub struct PostAddress<'a> {
    pub id: &'a PostId,
    pub link: &'a Url,
    /// Aliases, the canonical address, and where it was before.
    pub others: Vec<Url>,
    /// Readers of our feeds know it: another id would make it new to them.
    pub is_out: bool,
}

/// An entry of the earlier feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OldEntry {
    pub id: String,
    pub title: String,
    pub link: Option<String>,
}

/// What an id comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The post carries it from now on.
    Adopted,
    /// The post carries it already.
    Same,
    /// Readers know the post under another, from us or from what was adopted before.
    KnownOtherwise,
    /// It may be that of several posts, or the post has several.
    Ambiguous,
    /// No post has its address.
    NoPost,
    /// There is no id, or none that a feed can carry.
    NoId,
}

/// One line of the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adoption {
    pub fate: Fate,
    pub entry: OldEntry,
    pub post: Option<PostId>,
    /// What the post has carried so far.
    pub was: Option<String>,
}

/// Matches `entries` of a feed of `family` with `posts`. `site`: of which site the feed says it is, when that is another
/// than that of the posts. `force`: also where readers know a post under another id.
pub fn adopt(
    (family, entries): (FeedFamily, &[ReadEntry]),
    posts: &[PostAddress<'_>],
    ids: &FeedIds,
    site: Option<&Url>,
    force: bool,
) -> Vec<Adoption> {
    let index = Index::of(posts, site);
    let carried: HashMap<Cow<'_, str>, usize> = posts
        .iter()
        .enumerate()
        .map(|(number, post)| (known_as(post.id, ids, family), number))
        .collect();
    let mut rows: Vec<(Adoption, Option<usize>)> = Vec::new();
    let mut seen = HashSet::new();
    for entry in entries {
        let found = index.find(entry);
        let row = judged(entry, &found, posts);
        // The same again, in another document of the feed.
        if seen.insert((row.entry.id.clone(), row.post.clone(), row.entry.link.clone())) {
            rows.push((row, found.post()));
        }
    }
    refuse_doubles(&mut rows);
    for (row, number) in &mut rows {
        let (Fate::Adopted, Some(post)) = (row.fate, number.map(|it| &posts[it])) else { continue };
        let was = known_as(post.id, ids, family);
        let owner = carried.get(&*row.entry.id).copied();
        row.fate = if *was == row.entry.id {
            Fate::Same
        } else if owner.is_some() {
            Fate::Ambiguous
        } else if !force && (post.is_out || ids.own(post.id, family).is_some()) {
            Fate::KnownOtherwise
        } else {
            Fate::Adopted
        };
        row.was = Some(was.into_owned());
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

fn judged(entry: &ReadEntry, found: &Found, posts: &[PostAddress<'_>]) -> Adoption {
    let id = entry.id.clone().filter(|id| id.len() <= LONGEST && is_sayable(id));
    let fate = match (&id, found) {
        (None, _) => Fate::NoId,
        (_, Found::None) => Fate::NoPost,
        (_, Found::Several) => Fate::Ambiguous,
        (_, Found::One(_)) => Fate::Adopted,
    };
    Adoption {
        fate,
        entry: OldEntry {
            id: id.unwrap_or_default(),
            title: entry.title.clone(),
            link: entry.links.first().map(Url::to_string),
        },
        post: found.post().map(|number| posts[number].id.clone()),
        was: None,
    }
}

/// A post with several ids, and an id of several posts: which is meant nobody can tell.
fn refuse_doubles(rows: &mut [(Adoption, Option<usize>)]) {
    let mut ids: HashMap<usize, BTreeSet<String>> = HashMap::new();
    let mut posts: HashMap<String, BTreeSet<usize>> = HashMap::new();
    for (row, number) in rows.iter().filter(|(row, _)| row.fate == Fate::Adopted) {
        if let Some(number) = number {
            ids.entry(*number).or_default().insert(row.entry.id.clone());
            posts.entry(row.entry.id.clone()).or_default().insert(*number);
        }
    }
    for (row, number) in rows.iter_mut().filter(|(row, _)| row.fate == Fate::Adopted) {
        let many_ids = number.is_some_and(|it| ids.get(&it).is_some_and(|ids| ids.len() > 1));
        if many_ids || posts.get(&row.entry.id).is_some_and(|posts| posts.len() > 1) {
            row.fate = Fate::Ambiguous;
        }
    }
}

enum Found {
    None,
    One(usize),
    Several,
}

impl Found {
    fn post(&self) -> Option<usize> {
        match self {
            Self::One(number) => Some(*number),
            Self::None | Self::Several => None,
        }
    }
}

/// Where posts are. A post's own address beats one that another once had.
struct Index {
    own: HashMap<String, BTreeSet<usize>>,
    others: HashMap<String, BTreeSet<usize>>,
    /// The host of the earlier site, and paths of posts: it moved to another domain.
    moved: Option<(String, HashMap<String, BTreeSet<usize>>)>,
}

impl Index {
    fn of(posts: &[PostAddress<'_>], site: Option<&Url>) -> Self {
        let (mut own, mut others) = (HashMap::new(), HashMap::new());
        let mut paths: HashMap<String, BTreeSet<usize>> = HashMap::new();
        for (number, post) in posts.iter().enumerate() {
            note(&mut own, key(post.link), number);
            note(&mut paths, path(post.link), number);
            for url in &post.others {
                note(&mut others, key(url), number);
                note(&mut paths, path(url), number);
            }
        }
        let host = site.and_then(host_of);
        let ours: HashSet<Option<String>> = posts.iter().map(|post| host_of(post.link)).collect();
        let moved =
            host.filter(|host| !ours.contains(&Some(host.clone()))).map(|host| (host, paths));
        Self { own, others, moved }
    }

    fn find(&self, entry: &ReadEntry) -> Found {
        for url in &entry.links {
            let Some(key) = key(url) else { continue };
            let by_path = || {
                let (host, paths) = self.moved.as_ref()?;
                (host_of(url).as_ref() == Some(host)).then(|| paths.get(&path(url)?))?
            };
            let found = self.own.get(&key).or_else(|| self.others.get(&key)).or_else(by_path);
            match found.map(|posts| (posts.len(), posts.first())) {
                Some((1, Some(post))) => return Found::One(*post),
                Some(_) => return Found::Several,
                None => {}
            }
        }
        Found::None
    }
}

fn note(index: &mut HashMap<String, BTreeSet<usize>>, key: Option<String>, post: usize) {
    if let Some(key) = key {
        index.entry(key).or_default().insert(post);
    }
}

/// An address without what never tells two posts apart: scheme, `www.`, `index.html`, a slash at the end, the mark
/// of a campaign, the place on the page.
fn key(url: &Url) -> Option<String> {
    Some(format!("{}{}", host_of(url)?, path(url)?))
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Path and query.
fn path(url: &Url) -> Option<String> {
    url.host_str()?;
    let path = percent_decoded(url.path());
    let path = ["index.html", "index.htm", "index.php"]
        .into_iter()
        .find_map(|index| path.strip_suffix(index).filter(|path| path.ends_with('/')))
        .unwrap_or(&path);
    let mut key = path.trim_end_matches('/').to_owned();
    let meant = url.query_pairs().filter(|(name, value)| !is_mark(name, value));
    for (number, (name, value)) in meant.enumerate() {
        key.push(if number == 0 { '?' } else { '&' });
        key.push_str(&name);
        key.push('=');
        key.push_str(&value);
    }
    Some(key)
}

/// What says where a visitor comes from.
fn is_mark(name: &str, value: &str) -> bool {
    name.starts_with("utm_")
        || matches!(name, "fbclid" | "gclid" | "mc_cid" | "mc_eid")
        || (name == "source" && value.starts_with("rss"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn entry(id: &str, link: &str) -> ReadEntry {
        ReadEntry { id: Some(id.to_owned()), links: vec![url(link)], ..ReadEntry::default() }
    }

    /// What comes of `entries` when these posts are there, each with the addresses it had before.
    fn fates(entries: &[ReadEntry], posts: &[(&str, &[&str])], site: Option<&str>) -> Vec<Fate> {
        let links: Vec<Url> = posts.iter().map(|(link, _)| url(link)).collect();
        let ids: Vec<PostId> = links.iter().map(PostId::mint).collect();
        let addresses: Vec<PostAddress<'_>> = posts
            .iter()
            .zip(links.iter().zip(&ids))
            .map(|((_, others), (link, id))| PostAddress {
                id,
                link,
                others: others.iter().map(|it| url(it)).collect(),
                is_out: false,
            })
            .collect();
        let site = site.map(url);
        let rows =
            adopt((FeedFamily::Rss, entries), &addresses, FeedIds::none(), site.as_ref(), false);
        rows.into_iter().map(|row| row.fate).collect()
    }

    #[test]
    fn what_never_tells_posts_apart_is_left_aside() {
        for link in [
            "http://EXAMPLE.org/posts/caf%c3%a9",
            "https://www.example.org/posts/café/index.html",
            "https://example.org/posts/caf%C3%A9/?utm_source=rss&utm_medium=rss#comments",
            "https://example.org/posts/café/?source=rss----12---4",
            "https://example.org:443/posts/café//",
        ] {
            let posts = [("https://example.org/posts/café/", &[][..])];
            assert_eq!(fates(&[entry("x", link)], &posts, None), [Fate::Adopted], "{link}");
        }
        for link in [
            "https://example.org/posts/Café/",
            "https://blog.example.org/posts/café/",
            "https://example.org:8443/posts/café/",
            "https://example.org/posts/café/?p=1",
            "https://example.org/posts/caféindex.html",
        ] {
            let posts = [("https://example.org/posts/café/", &[][..])];
            assert_eq!(fates(&[entry("x", link)], &posts, None), [Fate::NoPost], "{link}");
        }
    }

    #[test]
    fn former_addresses_count_where_no_post_lives_now() {
        let posts = [
            ("https://e.org/b/", &["https://e.org/a/", "https://e.org/?p=7"][..]),
            ("https://e.org/a/", &[][..]),
        ];
        let entries = [entry("1", "https://e.org/a/"), entry("2", "https://e.org/?p=7")];
        assert_eq!(fates(&entries, &posts, None), [Fate::Adopted, Fate::Adopted]);
    }

    #[test]
    fn what_could_be_two_posts_is_not_taken() {
        let posts = [
            ("https://e.org/a/", &["https://e.org/old/"][..]),
            ("https://e.org/b/", &["https://e.org/old/"][..]),
        ];
        assert_eq!(fates(&[entry("1", "https://e.org/old/")], &posts, None), [Fate::Ambiguous]);
        let one_id = [entry("1", "https://e.org/a/"), entry("1", "https://e.org/b/")];
        assert_eq!(fates(&one_id, &posts, None), [Fate::Ambiguous, Fate::Ambiguous]);
        let two_ids = [entry("1", "https://e.org/a/"), entry("2", "https://e.org/a")];
        assert_eq!(fates(&two_ids, &posts, None), [Fate::Ambiguous, Fate::Ambiguous]);
        let twice = [entry("1", "https://e.org/a/"), entry("1", "https://e.org/a/")];
        assert_eq!(fates(&twice, &posts, None), [Fate::Adopted], "the same again says nothing new");
        let other = PostId::mint(&url("https://e.org/b/"));
        let taken = [entry(other.as_str(), "https://e.org/a/")];
        assert_eq!(fates(&taken, &posts, None), [Fate::Ambiguous], "another post has it");
    }

    #[test]
    fn a_site_that_moved_to_another_domain_is_matched_by_path() {
        let posts = [("https://new.example/posts/a/", &[][..])];
        let entries = [entry("1", "http://old.example/posts/a")];
        assert_eq!(fates(&entries, &posts, Some("https://old.example/")), [Fate::Adopted]);
        assert_eq!(fates(&entries, &posts, Some("https://third.example/")), [Fate::NoPost]);
    }

    #[test]
    fn ids_that_no_feed_can_carry_are_not_taken() {
        let posts = [("https://e.org/a/", &[][..])];
        let long = "x".repeat(LONGEST + 1);
        for id in ["a\u{b}b", "a\nb", &long] {
            assert_eq!(fates(&[entry(id, "https://e.org/a/")], &posts, None), [Fate::NoId], "{id}");
        }
        let nothing = ReadEntry { links: vec![url("https://e.org/a/")], ..ReadEntry::default() };
        assert_eq!(fates(&[nothing], &posts, None), [Fate::NoId]);
    }
}
