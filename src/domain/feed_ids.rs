//! Ids that readers know posts by from an earlier feed: in feeds they stand in for the post's own. Pure.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PostId, Revision};

/// The formats, as far as ids go: what was the `guid` in RSS may have been something else in Atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedFamily {
    Rss,
    Atom,
    Json,
}

impl FeedFamily {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }
}

/// The id that a post had in an earlier feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedId {
    pub post: PostId,
    pub family: FeedFamily,
    pub id: Arc<str>,
    /// When it was taken over first. The earliest of a post stands in where a family has none, so that a later one moves no other.
    pub adopted_at: Timestamp,
}

/// All adopted ids. `Debug` shows no more than a stamp: it is part of what feeds are made of.
#[derive(Clone, Default)]
pub struct FeedIds {
    /// The earliest first.
    by_post: HashMap<PostId, Vec<(FeedFamily, Arc<str>)>>,
    stamp: String,
}

impl FeedIds {
    pub fn new(mut rows: Vec<AdoptedId>) -> Self {
        rows.sort_by(|a, b| {
            (a.adopted_at, a.family, &a.post).cmp(&(b.adopted_at, b.family, &b.post))
        });
        let stamp = if rows.is_empty() { String::new() } else { stamp(&rows) };
        let mut by_post: HashMap<PostId, Vec<(FeedFamily, Arc<str>)>> = HashMap::new();
        for AdoptedId { post, family, id, .. } in rows {
            by_post.entry(post).or_default().push((family, id));
        }
        Self { by_post, stamp }
    }

    /// No ids at all.
    pub fn none() -> &'static Self {
        static NONE: std::sync::LazyLock<FeedIds> = std::sync::LazyLock::new(FeedIds::default);
        &NONE
    }

    /// What was taken over for this family itself.
    pub fn own(&self, post: &PostId, family: FeedFamily) -> Option<&str> {
        let ids = self.by_post.get(post)?;
        ids.iter().find(|(of, _)| *of == family).map(|(_, id)| &**id)
    }

    /// What was taken over first, for whatever family.
    pub fn first(&self, post: &PostId) -> Option<&str> {
        self.by_post.get(post)?.first().map(|(_, id)| &**id)
    }

    /// How many posts have one.
    pub fn posts(&self) -> usize {
        self.by_post.len()
    }
}

fn stamp(rows: &[AdoptedId]) -> String {
    Revision::of(rows.iter().flat_map(|it| [it.post.as_str(), it.family.as_str(), &it.id]))
        .to_string()
}

impl fmt::Debug for FeedIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedIds({})", self.stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopted(family: FeedFamily, id: &str, second: i64) -> AdoptedId {
        AdoptedId {
            post: PostId::pinned("urn:x:1"),
            family,
            id: id.into(),
            adopted_at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn what_is_adopted_later_moves_no_other_format() {
        let post = PostId::pinned("urn:x:1");
        let atom = adopted(FeedFamily::Atom, "tag:a", 1);
        let before = FeedIds::new(vec![atom.clone()]);
        assert_eq!(before.first(&post), Some("tag:a"));
        let after = FeedIds::new(vec![adopted(FeedFamily::Rss, "guid", 2), atom]);
        assert_eq!(after.first(&post), Some("tag:a"), "what JSON Feed says stays");
        assert_eq!(after.own(&post, FeedFamily::Rss), Some("guid"));
        assert_eq!(after.own(&post, FeedFamily::Json), None);
        assert_ne!(format!("{before:?}"), format!("{after:?}"), "feeds are made anew");
    }
}
