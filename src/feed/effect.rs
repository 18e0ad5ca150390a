//! What readers would make of a feed that takes the place of another: before it does. Pure.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use url::Url;

use super::{Document, ReadEntry, ReadFeed};
use crate::domain::Diagnostic;

/// A feed that has less than half of its entries, or more than twice its bytes, is worth a word from here on.
const MANY_ENTRIES: usize = 10;
const LARGE: usize = 512 * 1024;

/// What the caller knows of the posts behind entries.
#[derive(Clone, Copy)]
pub struct Behind<'a> {
    /// Whether a post lives at this address.
    pub is_live: &'a dyn Fn(&Url) -> bool,
    /// Whether the post there has long been in feeds and comes back because it was edited.
    pub was_edited: &'a dyn Fn(&Url) -> bool,
}

/// What one format of a feed would do to its readers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Entries that readers would mark as new though they are not.
    pub marked_new: usize,
    /// Those of them whose post was in the feed under another id.
    pub other_ids: usize,
    /// Entries with another date of publication.
    pub moved: usize,
    /// Titles of some that are marked as new.
    pub examples: Vec<String>,
    pub entries: (usize, usize),
    pub bytes: (usize, usize),
}

impl Effect {
    /// What comes of `after` for readers who have `before`. Nothing for who cannot be compared.
    pub fn of(before: &Document, after: &Document, behind: Behind<'_>) -> Self {
        let (Ok(old), Ok(new)) = (before.read(), after.read()) else { return Self::default() };
        let mut effect = compare(old, new, behind);
        effect.bytes = (before.bytes.len(), after.bytes.len());
        effect
    }

    /// What is told, however it is decided.
    pub fn warnings(&self, most: usize) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        if self.moved > most {
            let message = format!("{} posts of the feeds have another date at once", self.moved);
            warnings.push(
                Diagnostic::warning("feed-dates-moved", message)
                    .effect("readers sort them anew, and some show them as new")
                    .help(
                        "look at what changed the dates: a time zone, a rule for dates, a script",
                    ),
            );
        }
        let (old, new) = self.entries;
        if old >= MANY_ENTRIES && new < old / 2 {
            let message = format!("the feeds have {new} posts now, of {old} before");
            warnings.push(
                Diagnostic::warning("feed-shrunk", message)
                    .effect("readers who come for the first time see no more than these")
                    .help("if posts are missing: `postrider check`, and where the folders of posts are"),
            );
        }
        let (old, new) = self.bytes;
        if new > LARGE && new > 2 * old {
            let message = format!("the feeds have {} KB now, {} KB before", new / 1024, old / 1024);
            warnings.push(
                Diagnostic::warning("feed-grown", message)
                    .effect("some services read no feeds of more than 512 KB")
                    .help("lower `feeds.items` or `feeds.kilobytes`, or look for a post with a picture in its text"),
            );
        }
        warnings
    }

    /// What is told of posts that would look new. None: few enough.
    pub fn flood(&self, most: usize, is_held: bool) -> Option<Diagnostic> {
        if self.marked_new <= most {
            return None;
        }
        let effect = self.sentence();
        let found = if is_held {
            Diagnostic::error(
                "feed-held",
                "the feeds are held as they were: they would flood readers",
            )
            .help("mend what changed the ids, or let it through: `postrider feeds release`")
        } else {
            Diagnostic::warning("feed-marked-new", "the feeds flood readers").help(
                "`feeds.self_check = \"hold\"` keeps such a change back until you have looked",
            )
        };
        Some(found.effect(effect))
    }

    /// `this would mark 230 posts as new: “Ponds”, “Tea” …`
    pub fn sentence(&self) -> String {
        let mut text = format!("this would mark {} posts as new", self.marked_new);
        if self.other_ids > 0 {
            let more = format!(", {} of them under another id than before", self.other_ids);
            text.push_str(&more);
        }
        let titles: Vec<String> = self.examples.iter().map(|it| format!("“{it}”")).collect();
        if !titles.is_empty() {
            let more = if self.marked_new > titles.len() { " …" } else { "" };
            text.push_str(": ");
            text.push_str(&titles.join(", "));
            text.push_str(more);
        }
        text
    }
}

/// The worst of all formats.
pub fn worst(effects: impl IntoIterator<Item = Effect>) -> Effect {
    effects.into_iter().max_by_key(|it| (it.marked_new, it.moved, it.bytes.1)).unwrap_or_default()
}

fn compare(old: &ReadFeed, new: &ReadFeed, behind: Behind<'_>) -> Effect {
    let mut effect =
        Effect { entries: (old.entries.len(), new.entries.len()), ..Effect::default() };
    let known: HashMap<&str, &ReadEntry> =
        old.entries.iter().filter_map(|it| Some((it.id.as_deref()?, it))).collect();
    let at: HashSet<&Url> = old.entries.iter().filter_map(|it| it.links.first()).collect();
    let (Some(oldest), Some(newest)) = span(&old.entries) else { return effect };
    let mut suspects = Vec::new();
    for entry in &new.entries {
        let Some(id) = entry.id.as_deref() else { continue };
        if let Some(before) = known.get(id) {
            effect.moved += usize::from(before.published != entry.published);
            continue;
        }
        let is_renamed = entry.links.first().is_some_and(|link| at.contains(link));
        let is_old = entry.published.is_none_or(|published| published <= newest);
        let was_edited = || entry.links.first().is_some_and(|link| (behind.was_edited)(link));
        if is_renamed || (is_old && !was_edited()) {
            effect.other_ids += usize::from(is_renamed);
            suspects.push(entry);
        }
    }
    let mut room = if suspects.is_empty() { 0 } else { deleted(old, new, behind) };
    for entry in suspects {
        // Older ones that move up where posts were deleted: most readers have had them.
        let moves_up = entry.published.is_some_and(|published| published < oldest);
        if moves_up && room > 0 {
            room -= 1;
            continue;
        }
        effect.marked_new += 1;
        if effect.examples.len() < 3 {
            effect.examples.push(entry.title.chars().take(60).collect());
        }
    }
    effect
}

/// How many entries are gone because their posts are.
fn deleted(old: &ReadFeed, new: &ReadFeed, behind: Behind<'_>) -> usize {
    let kept: HashSet<&str> = new.entries.iter().filter_map(|it| it.id.as_deref()).collect();
    let is_lost = |it: &&ReadEntry| it.id.as_deref().is_some_and(|id| !kept.contains(id));
    let is_gone = |it: &&ReadEntry| it.links.first().is_some_and(|link| !(behind.is_live)(link));
    old.entries.iter().filter(is_lost).filter(is_gone).count()
}

fn span(entries: &[ReadEntry]) -> (Option<Timestamp>, Option<Timestamp>) {
    let dates = || entries.iter().filter_map(|it| it.published);
    (dates().min(), dates().max())
}

/// Whether a document can be read back, and what is wrong with it if not.
pub fn ill_formed(path: &str, document: &Document) -> Option<Diagnostic> {
    let problem = match document.read() {
        Err(error) => {
            let cause = std::error::Error::source(error).map(|it| format!(": {it}"));
            format!("{error}{}", cause.unwrap_or_default())
        }
        Ok(_) if !document.is_legal() => "it holds a character that XML forbids".to_owned(),
        Ok(_) => return None,
    };
    Some(
        Diagnostic::error("feed-ill-formed", format!("`{path}` is not served: {problem}"))
            .effect("readers get the feed as it was; what is new is not in it")
            .help("this is a fault of Postrider: please report it; `feeds.self_check = \"off\"` serves it all the same"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FeedFamily;

    fn entry(number: i64, id: &str) -> ReadEntry {
        ReadEntry {
            id: Some(format!("{id}{number}")),
            links: vec![format!("https://e.org/{number}/").parse().unwrap()],
            title: format!("Post {number}"),
            published: Timestamp::from_second(number * 86_400).ok(),
        }
    }

    fn feed(entries: impl IntoIterator<Item = ReadEntry>) -> ReadFeed {
        ReadFeed {
            family: FeedFamily::Rss,
            site: None,
            next: None,
            is_wordpress: false,
            entries: entries.into_iter().collect(),
        }
    }

    fn marked(old: &ReadFeed, new: &ReadFeed) -> usize {
        compare(old, new, Behind { is_live: &|_| true, was_edited: &|_| false }).marked_new
    }

    #[test]
    fn new_posts_are_new_and_old_ones_under_other_ids_are_not() {
        let old = feed((50..100).map(|n| entry(n, "a")));
        assert_eq!(marked(&old, &old), 0);
        assert_eq!(marked(&old, &feed((70..120).map(|n| entry(n, "a")))), 0, "twenty new ones");
        let renamed = feed((50..100).map(|n| entry(n, "b")));
        let effect = compare(&old, &renamed, Behind { is_live: &|_| true, was_edited: &|_| false });
        assert_eq!((effect.marked_new, effect.other_ids), (50, 50));
        assert_eq!(
            effect.sentence(),
            "this would mark 50 posts as new, 50 of them under another id than before: “Post 50”, “Post 51”, “Post 52” …"
        );
        assert_eq!(
            marked(&old, &feed((0..100).map(|n| entry(n, "a")))),
            50,
            "more of the old ones"
        );
        let imported = (0..40).chain(90..100).map(|n| entry(n, "a"));
        assert_eq!(marked(&old, &feed(imported)), 40, "old ones that were not there before");
        assert_eq!(marked(&feed([]), &old), 0, "nobody has had anything");
        assert_eq!(marked(&old, &feed([])), 0);
    }

    #[test]
    fn what_moves_up_where_posts_were_deleted_floods_nobody() {
        let old = feed((50..100).map(|n| entry(n, "a")));
        let new = feed((30..80).map(|n| entry(n, "a")));
        let is_live = |url: &Url| url.path().trim_matches('/').parse::<u32>().unwrap() < 80;
        let behind = Behind { is_live: &is_live, was_edited: &|_| false };
        assert_eq!(compare(&old, &new, behind).marked_new, 0);
        assert_eq!(marked(&old, &new), 20, "unless the others are still there");
    }

    #[test]
    fn an_edited_post_that_comes_back_is_meant_to() {
        let old = feed((50..100).map(|n| entry(n, "a")));
        let new = feed((10..30).chain(70..100).map(|n| entry(n, "a")));
        let behind = Behind { is_live: &|_| true, was_edited: &|_| true };
        assert_eq!(compare(&old, &new, behind).marked_new, 0);
    }

    #[test]
    fn many_other_dates_are_worth_a_word() {
        let old = feed((50..100).map(|n| entry(n, "a")));
        let moved = (50..100)
            .map(|n| ReadEntry { published: Timestamp::from_second(n).ok(), ..entry(n, "a") });
        let effect =
            compare(&old, &feed(moved), Behind { is_live: &|_| true, was_edited: &|_| false });
        assert_eq!((effect.marked_new, effect.moved), (0, 50));
        assert_eq!(effect.warnings(10)[0].code, "feed-dates-moved");
        let fewer = feed((80..100).map(|n| entry(n, "a")));
        let effect = compare(&old, &fewer, Behind { is_live: &|_| true, was_edited: &|_| false });
        assert_eq!(effect.warnings(10)[0].code, "feed-shrunk");
    }
}
