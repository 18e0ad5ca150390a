//! Tags and categories: lists, maps and strings in the habits of each engine.

use super::fields::{Fields, lookup};
use super::front_matter::{Entry, Node, Value};
use super::naming::Naming;
use super::title::plain;

/// Eleventy puts every post into collections through `tags`; these say nothing to readers.
const COLLECTIONS: [&str; 4] = ["post", "posts", "all", "pages"];

/// How a string of several terms is cut.
#[derive(Clone, Copy)]
enum Blanks {
    Separate,
    Belong,
}

/// The tags, each once, in the order written.
pub(super) fn tags(fields: &Fields<'_>, naming: &Naming<'_>) -> Vec<String> {
    let keys = ["tags", "tag", "taxonomies.tags", "keywords", "topics", "labels"];
    let Some(entry) = fields.find(&keys) else { return Vec::new() };
    let jekyll = naming.jekyll && is_key(entry, "tags");
    let mut terms = Vec::new();
    collect(&entry.node, if jekyll { Blanks::Separate } else { Blanks::Belong }, &mut terms);
    let mut tags = distinct(terms);
    tags.retain(|tag| !COLLECTIONS.contains(&&*tag.to_lowercase()));
    tags
}

/// What readers may choose by, where the author says it apart from the tags.
pub(super) fn topics(fields: &Fields<'_>) -> Vec<String> {
    let Some(entry) = fields.find(&["topics", "topic"]) else { return Vec::new() };
    let mut terms = Vec::new();
    collect(&entry.node, Blanks::Belong, &mut terms);
    distinct(terms)
}

/// The categories, each once. A list within the list is a hierarchy (Hexo): `Sports/Baseball`.
pub(super) fn categories(fields: &Fields<'_>, naming: &Naming<'_>) -> Vec<String> {
    let keys = ["categories", "category", "taxonomies.categories", "section"];
    let folder = naming.category.map(|category| vec![category.to_owned()]);
    let Some(entry) = fields.own().find(&keys).or_else(|| {
        // Jekyll's folder is nearer to the post than what is said for all of them.
        if folder.is_none() { fields.find(&keys) } else { None }
    }) else {
        return distinct(folder.unwrap_or_default());
    };
    let jekyll = naming.jekyll && is_key(entry, "categories");
    let blanks = if jekyll { Blanks::Separate } else { Blanks::Belong };
    let mut terms = Vec::new();
    match &entry.node.value {
        Value::List(items) => {
            for item in items {
                let mut inner = Vec::new();
                collect(item, Blanks::Belong, &mut inner);
                match &item.value {
                    Value::List(_) => terms.push(inner.join("/")),
                    Value::Null | Value::Text(_) | Value::Map(_) => terms.extend(inner),
                }
            }
        }
        Value::Null | Value::Text(_) | Value::Map(_) => collect(&entry.node, blanks, &mut terms),
    }
    distinct(terms)
}

fn is_key(entry: &Entry, key: &str) -> bool {
    entry.key.eq_ignore_ascii_case(key)
}

fn collect(node: &Node, blanks: Blanks, terms: &mut Vec<String>) {
    match &node.value {
        Value::Null => {}
        Value::Text(text) => {
            let separator = match blanks {
                _ if text.contains(';') && text.contains(',') => ';',
                _ if text.contains(',') => ',',
                Blanks::Separate => ' ',
                Blanks::Belong => '\n',
            };
            terms.extend(text.split(separator).map(str::to_owned));
        }
        Value::List(items) => {
            for item in items {
                match &item.value {
                    // Within a list nothing separates: `- Portland, OR` is one term.
                    Value::Text(text) => terms.push(text.clone()),
                    Value::Null | Value::List(_) | Value::Map(_) => collect(item, blanks, terms),
                }
            }
        }
        Value::Map(_) => {
            let names = ["label", "name", "title", "slug"];
            let name = names.iter().find_map(|key| lookup(node, key)?.node.as_text());
            terms.extend(name.map(str::to_owned));
        }
    }
}

/// As plain text, without Obsidian's `#`, without repetitions in another case.
fn distinct(terms: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let clean = terms.into_iter().map(|term| plain(term.trim().trim_start_matches('#')));
    clean.filter(|term| !term.is_empty() && seen.insert(term.to_lowercase())).collect()
}
