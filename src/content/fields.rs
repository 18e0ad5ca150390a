//! Finds a value under any of the names that engines give it.

use super::front_matter::{Entry, Node, Value};

/// The keys of one front matter, comparable: lower case, without `-`, `_` and blanks.
pub(super) struct Fields<'a> {
    top: Vec<(String, &'a Entry)>,
    /// What stands in Zola's `[extra]` and Hugo's `[params]`.
    extra: Vec<(String, &'a Entry)>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(entries: &'a [Entry]) -> Self {
        let top = normalised(entries);
        let extra = top
            .iter()
            .filter(|(key, _)| key == "extra" || key == "params")
            .flat_map(|(_, entry)| normalised(children(&entry.node)))
            .collect();
        Self { top, extra }
    }

    /// The first of `keys` that is there and not empty. `taxonomies.tags` is `tags` within `taxonomies`.
    /// Keys are given as they compare.
    pub(super) fn find(&self, keys: &[&str]) -> Option<&'a Entry> {
        self.find_where(keys, |entry| !entry.node.is_empty())
    }

    /// The first of `keys` that is there and that `wanted` accepts.
    pub(super) fn find_where(
        &self,
        keys: &[&str],
        wanted: impl Fn(&Entry) -> bool,
    ) -> Option<&'a Entry> {
        let in_level = |level: &[(String, &'a Entry)], key: &str| {
            let (first, rest) = key.split_once('.').unwrap_or((key, ""));
            level.iter().filter(|(name, _)| name == first).find_map(|(_, entry)| {
                let entry = if rest.is_empty() { Some(*entry) } else { child(entry, rest) };
                entry.filter(|entry| wanted(entry))
            })
        };
        keys.iter()
            .find_map(|key| in_level(&self.top, key))
            .or_else(|| keys.iter().find_map(|key| in_level(&self.extra, key)))
    }

    /// The trimmed text under the first of `keys` that has one.
    pub(super) fn text(&self, keys: &[&str]) -> Option<(&'a str, &'a Entry)> {
        let entry = self
            .find_where(keys, |entry| entry.node.as_text().is_some_and(|text| !text.is_empty()))?;
        Some((entry.node.as_text()?, entry))
    }

    /// Whether any of `keys` says `answer`.
    pub(super) fn says(&self, keys: &[&str], answer: bool) -> bool {
        self.find_where(keys, |entry| entry.node.as_bool() == Some(answer)).is_some()
    }
}

/// `key` within the map of `entry`.
fn child<'a>(entry: &'a Entry, key: &str) -> Option<&'a Entry> {
    lookup(&entry.node, key)
}

/// The entry of a map under `key`, which is given as it compares.
pub(super) fn lookup<'a>(node: &'a Node, key: &str) -> Option<&'a Entry> {
    children(node).iter().find(|entry| comparable(&entry.key) == key && !entry.node.is_empty())
}

fn children(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Null | Value::Text(_) | Value::List(_) => &[],
    }
}

fn normalised(entries: &[Entry]) -> Vec<(String, &Entry)> {
    entries.iter().map(|entry| (comparable(&entry.key), entry)).collect()
}

fn comparable(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}
