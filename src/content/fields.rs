//! Finds a value under any of the names that engines give it.

use std::collections::BTreeMap;

use super::front_matter::{Entry, Node, Value};
use super::preset::Preset;
use crate::domain::Field;

/// The map in which everything that concerns us can stand without clashing with an engine's own keys.
pub(super) const OURS: &str = "postrider";

/// The maps in which Zola and Hugo want what is not theirs.
pub(super) const EXTRA: [&str; 2] = ["extra", "params"];

/// Keys that compare - lower case, without `-`, `_` and blanks - and what they hold.
pub(super) type Keyed = Vec<(String, Entry)>;

/// Some keys and what they hold, all asked before the next level.
struct Level<'a> {
    entries: Entries<'a>,
    /// A bit for each letter that a key begins with: of a hundred names that are asked for, most begin with none of them.
    initials: u64,
}

enum Entries<'a> {
    /// Of this post.
    Read(Vec<(String, &'a Entry)>),
    /// Of many posts.
    Preset(&'a [(String, Entry)]),
}

impl<'a> Level<'a> {
    fn read(entries: Vec<(String, &'a Entry)>) -> Self {
        Self { initials: initials(&entries), entries: Entries::Read(entries) }
    }

    fn preset(entries: &'a [(String, Entry)]) -> Self {
        Self { initials: initials(entries), entries: Entries::Preset(entries) }
    }

    fn is_empty(&self) -> bool {
        self.initials == 0
    }

    fn may_have(&self, key: &str) -> bool {
        self.initials & initial(key) != 0
    }

    /// What is under `key`, each time that it is there.
    fn all_under(&self, key: &str) -> impl Iterator<Item = &'a Entry> {
        let (read, preset) = match &self.entries {
            Entries::Read(entries) => (&entries[..], &[][..]),
            Entries::Preset(entries) => (&[][..], *entries),
        };
        let read = read.iter().map(|(name, entry)| (name, *entry));
        let preset = preset.iter().map(|(name, entry)| (name, entry));
        read.chain(preset).filter(move |(name, _)| *name == key).map(|(_, entry)| entry)
    }
}

/// Everything that is said about one post: by its own front matter, then by the folders it is in.
pub(super) struct Fields<'a> {
    /// Each is asked for all names before the next.
    levels: Vec<Level<'a>>,
    /// How many of the levels are the post's own.
    own: usize,
}

impl<'a> Fields<'a> {
    /// `names` are the author's own words for our fields. Of `presets` the first has the first word.
    pub(super) fn new(
        entries: &'a [Entry],
        names: &BTreeMap<Field, Vec<String>>,
        presets: &[&'a Preset],
    ) -> Self {
        let mut levels = Vec::new();
        let top = normalised(entries);
        let inner = |wanted: &[&str]| {
            let maps = top.iter().filter(|(key, _)| wanted.contains(&key.as_str()));
            Level::read(maps.flat_map(|(_, entry)| normalised(children(&entry.node))).collect())
        };
        let (ours, extra) = (inner(&[OURS]), inner(&EXTRA));
        push_levels(&mut levels, [ours, Level::read(top), extra], names);
        let own = levels.len();
        for Preset { top, ours, extra } in presets {
            push_levels(&mut levels, [ours, top, extra].map(|it| Level::preset(it)), names);
        }
        Self { levels, own }
    }

    /// The first of `keys` that is there and not empty. `taxonomies.tags` is `tags` within `taxonomies`.
    /// Keys are given as they compare.
    pub(super) fn find(&self, keys: &[&str]) -> Option<&'a Entry> {
        self.all().find(keys)
    }

    /// The first of `keys` that is there and that `wanted` accepts.
    pub(super) fn find_where(
        &self,
        keys: &[&str],
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<&'a Entry> {
        self.all().find_where(keys, wanted)
    }

    /// The trimmed text under the first of `keys` that has one.
    pub(super) fn text(&self, keys: &[&str]) -> Option<(&'a str, &'a Entry)> {
        self.all().text(keys)
    }

    fn all(&self) -> View<'_, 'a> {
        View { levels: &self.levels }
    }

    /// What the post itself says.
    pub(super) fn own(&self) -> View<'_, 'a> {
        View { levels: &self.levels[..self.own] }
    }

    /// What its folders say.
    pub(super) fn folders(&self) -> View<'_, 'a> {
        View { levels: &self.levels[self.own..] }
    }

    /// The post's `postrider` map.
    pub(super) fn ours(&self) -> Option<&'a Entry> {
        self.own().find(&[OURS])
    }
}

/// Some of the levels.
#[derive(Clone, Copy)]
pub(super) struct View<'v, 'a> {
    levels: &'v [Level<'a>],
}

impl<'a> View<'_, 'a> {
    pub(super) fn find(self, keys: &[&str]) -> Option<&'a Entry> {
        self.find_where(keys, |entry| !entry.node.is_empty())
    }

    pub(super) fn find_where(
        self,
        keys: &[&str],
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<&'a Entry> {
        let in_level = |level: &Level<'a>, key: &str| {
            if !level.may_have(key) {
                return None;
            }
            let (first, rest) = key.split_once('.').unwrap_or((key, ""));
            level.all_under(first).find_map(|entry| {
                let entry = if rest.is_empty() { Some(entry) } else { lookup(&entry.node, rest) };
                entry.filter(|entry| wanted(entry))
            })
        };
        self.levels.iter().find_map(|level| keys.iter().find_map(|key| in_level(level, key)))
    }

    pub(super) fn text(self, keys: &[&str]) -> Option<(&'a str, &'a Entry)> {
        let has_text = |entry: &Entry| entry.node.as_text().is_some_and(|text| !text.is_empty());
        let entry = self.find_where(keys, has_text)?;
        Some((entry.node.as_text()?, entry))
    }

    /// Whether any of `keys` says `answer`.
    pub(super) fn says(self, keys: &[&str], answer: bool) -> bool {
        self.find_where(keys, |entry| entry.node.as_bool() == Some(answer)).is_some()
    }
}

/// Ours before all, then the author's own words, the usual keys, and what stands in Zola's `[extra]` and Hugo's `[params]`.
fn push_levels<'a>(
    levels: &mut Vec<Level<'a>>,
    [ours, top, extra]: [Level<'a>; 3],
    names: &BTreeMap<Field, Vec<String>>,
) {
    let mut in_own_words = Vec::new();
    for (field, keys) in names {
        let found = keys.iter().filter_map(|key| at_path(&top, key));
        in_own_words.extend(found.map(|entry| (usual_key(*field).to_owned(), entry)));
    }
    let all = [ours, Level::read(in_own_words), top, extra];
    levels.extend(all.into_iter().filter(|level| !level.is_empty()));
}

/// What `key`, as an author wrote it into the configuration, leads to. `a.b` is a key, or `b` within `a`.
fn at_path<'a>(level: &Level<'a>, key: &str) -> Option<&'a Entry> {
    if let Some(entry) = level.all_under(&comparable(key)).next() {
        return Some(entry).filter(|entry| !entry.node.is_empty());
    }
    let (first, rest) = key.split_once('.')?;
    let map = level.all_under(&comparable(first)).next()?;
    at_path(&Level::read(normalised(children(&map.node))), rest)
}

/// The key that is asked for first where `field` is read.
fn usual_key(field: Field) -> &'static str {
    match field {
        Field::Title => "title",
        Field::Published => "publishdate",
        Field::Updated => "updated",
        Field::Expires => "expirydate",
        Field::Draft => "draft",
        Field::Summary => "description",
        Field::Tags => "tags",
        Field::Categories => "categories",
        Field::Topics => "topics",
        Field::Authors => "authors",
        Field::Language => "lang",
        Field::Section => "section",
        Field::Slug => "slug",
        Field::Url => "url",
        Field::Canonical => "canonicalurl",
        Field::Aliases => "aliases",
        Field::Id => "guid",
        Field::Image => "image",
        Field::ImageAlt => "imagealt",
        Field::Enclosure => "enclosure",
        Field::Series => "series",
        Field::TranslationKey => "translationkey",
        Field::Featured => "featured",
        Field::External => "external",
        Field::Email => "email",
        Field::Crosspost => "crosspost",
        Field::Social => "social",
        Field::Subject => "subject",
        Field::Preheader => "preheader",
        Field::SendAt => "sendat",
        Field::Notify => "notify",
    }
}

/// The entry of a map under `key`, which is given as it compares.
pub(super) fn lookup<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    children(node).iter().find(|entry| comparable(&entry.key) == key && !entry.node.is_empty())
}

/// The text of a map under the first of `keys` that has one.
pub(super) fn lookup_text<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| lookup(node, key)?.node.as_text())
}

/// The entries of a map; none of anything else.
pub(super) fn children(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Text(_) | Value::List(_) => &[],
    }
}

fn initials<E>(entries: &[(String, E)]) -> u64 {
    entries.iter().fold(0, |all, (key, _)| all | initial(key))
}

/// A bit for what `key` begins with.
fn initial(key: &str) -> u64 {
    1 << (key.as_bytes().first().copied().unwrap_or_default() & 63)
}

fn normalised(entries: &[Entry]) -> Vec<(String, &Entry)> {
    entries.iter().map(|entry| (comparable(&entry.key), entry)).collect()
}

/// Entries with their keys as they compare.
pub(super) fn keyed(entries: Vec<Entry>) -> Keyed {
    entries.into_iter().map(|entry| (comparable(&entry.key), entry)).collect()
}

/// A key as it compares.
pub(super) fn comparable(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}
