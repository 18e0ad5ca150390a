//! What a post has to do with others: series, translations, topics, addresses it had before, what it is about.

use url::Url;

use super::fields::{Fields, lookup, lookup_text};
use super::front_matter::{Entry, Node, Value};
use super::naming::Naming;
use super::permalink::{on_site, web};
use super::source::one_line;
use super::title::plain;
use super::{FolderRules, terms};
use crate::domain::Series;

/// More addresses than this are no aliases but an accident.
const MAX_ALIASES: usize = 200;
/// The longest name of a series, key or section.
const MAX_NAME_CHARS: usize = 200;

/// What ties a post to others.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub(super) topics: Vec<String>,
    pub(super) section: Option<String>,
    pub(super) series: Option<Series>,
    pub(super) translation_key: Option<String>,
    pub(super) featured: bool,
    pub(super) external: Option<Url>,
    pub(super) aliases: Vec<Url>,
}

impl Relations {
    pub(super) fn read(fields: &Fields<'_>, naming: &Naming<'_>, rules: &FolderRules<'_>) -> Self {
        Self {
            topics: terms::topics(fields),
            section: section(fields, naming),
            series: series(fields),
            translation_key: translation_key(fields),
            featured: is_featured(fields),
            external: external(fields),
            aliases: aliases(fields, rules.site_url),
        }
    }
}

/// The folder says it, unless the post does; a default of the folder stands in for posts that are in none.
fn section(fields: &Fields<'_>, naming: &Naming<'_>) -> Option<String> {
    let own = fields.own().text(&["section"]).map(|(text, _)| text);
    let text = own
        .or(naming.section)
        .or_else(|| fields.folders().text(&["section"]).map(|(text, _)| text))?;
    name(text)
}

/// One line of a sensible length.
fn name(text: &str) -> Option<String> {
    let name: String = plain(text).chars().take(MAX_NAME_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

/// A name, the first of a list (Hugo's and Zola's taxonomy), or a map with a name.
fn series(fields: &Fields<'_>) -> Option<Series> {
    let entry = fields.find(&["series", "taxonomies.series"])?;
    let names = ["name", "title", "slug", "id"];
    let node = match &entry.node.value {
        Value::List(items) => items.first()?,
        Value::Null | Value::Text(_) | Value::Map(_) => &entry.node,
    };
    let text = node.as_text().or_else(|| lookup_text(node, &names))?;
    let parts = ["part", "order", "number", "index", "weight"];
    let inner = lookup_text(node, &parts);
    let part = inner.or_else(|| {
        let keys = ["seriespart", "seriesorder", "seriesindex", "seriesnumber", "seriesweight"];
        let own = fields.text(&keys).or_else(|| fields.text(&["part"]));
        own.map(|(text, _)| text)
    });
    Some(Series { name: name(text)?, part: part.and_then(|text| text.parse().ok()) })
}

fn translation_key(fields: &Fields<'_>) -> Option<String> {
    let keys = ["translationkey", "translationid", "langref", "i18nkey", "ref"];
    let key: String = one_line(fields.text(&keys)?.0).chars().take(MAX_NAME_CHARS).collect();
    (!key.is_empty()).then_some(key)
}

/// Yes in any of the words for it, or a rank above nought (Hexo's `sticky: 100`). Hugo's `weight` sorts and says nothing.
fn is_featured(fields: &Fields<'_>) -> bool {
    let keys = ["featured", "pinned", "sticky", "pin"];
    fields.find(&keys).is_some_and(|entry| {
        let rank = || entry.node.as_text().and_then(|text| text.parse::<u32>().ok());
        entry.node.as_bool().unwrap_or_else(|| rank().is_some_and(|rank| rank > 0))
    })
}

/// Where a link blog's post leads: whole addresses only, for `source` and `link` are used for much else.
fn external(fields: &Fields<'_>) -> Option<Url> {
    let keys = ["external", "externalurl", "externallink", "linkurl", "link", "source"];
    let of = |entry: &Entry| {
        let text = entry.node.as_text().or_else(|| lookup_text(&entry.node, &["url", "link"]))?;
        web(Url::parse(text).ok()?)
    };
    fields.find_where(&keys, |entry| of(entry).is_some()).and_then(of)
}

/// Addresses on the site: what has a `/` in it. In Obsidian aliases are other names, and those are no addresses.
fn aliases(fields: &Fields<'_>, site: &Url) -> Vec<Url> {
    let mut aliases = Vec::new();
    for key in ["aliases", "alias", "redirectfrom", "redirects"] {
        if let Some(entry) = fields.find(&[key]) {
            collect(&entry.node, site, &mut aliases);
        }
    }
    aliases.truncate(MAX_ALIASES);
    aliases
}

fn collect(node: &Node, site: &Url, aliases: &mut Vec<Url>) {
    match &node.value {
        Value::Null => {}
        Value::Text(text) => {
            let text = text.trim();
            let is_address = text.contains('/') && !text.contains(char::is_whitespace);
            let url = is_address.then(|| on_site(site, text)).flatten();
            aliases.extend(url.filter(|url| !aliases.contains(url)));
        }
        Value::List(items) => {
            for item in items.iter().take(MAX_ALIASES) {
                collect(item, site, aliases);
            }
        }
        Value::Map(_) => {
            if let Some(from) = ["from", "url", "path"].iter().find_map(|key| lookup(node, key)) {
                collect(&from.node, site, aliases);
            }
        }
    }
}
