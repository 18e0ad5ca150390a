//! Authors: strings, lists and maps of them.

use url::Url;

use super::FolderRules;
use super::fields::{Fields, lookup};
use super::front_matter::{Node, Value};
use super::permalink::on_site;
use super::source::one_line;
use crate::domain::{Author, EmailAddress};

/// The authors that the front matter names.
pub(super) fn authors(fields: &Fields<'_>, rules: &FolderRules<'_>) -> Vec<Author> {
    let site = rules.site_url;
    let keys = ["authors", "author", "taxonomies.authors", "by", "creator"];
    let Some(entry) = fields.find(&keys) else { return Vec::new() };
    let several = entry.key.to_lowercase().ends_with('s');
    let mut authors = Vec::new();
    collect(&entry.node, several, site, &mut authors);
    for author in &mut authors {
        // A key of the blog's list of authors.
        if let Some(known) = rules.authors.get(&author.name) {
            *author = Author {
                name: known.name.clone(),
                email: author.email.take().or_else(|| known.email.clone()),
                url: author.url.take().or_else(|| known.url.clone()),
            };
        }
    }
    // Docusaurus's old way to say more about the only author.
    if let [only] = authors.as_mut_slice()
        && only.url.is_none()
    {
        only.url = fields.text(&["authorurl"]).and_then(|(url, _)| on_site(site, url));
    }
    authors
}

fn collect(node: &Node, several: bool, site: &Url, authors: &mut Vec<Author>) {
    match &node.value {
        Value::Null => {}
        Value::Text(text) => {
            for name in names(text, several) {
                authors.extend(from_text(name));
            }
        }
        Value::List(items) => {
            for item in items {
                collect(item, false, site, authors);
            }
        }
        Value::Map(_) => authors.extend(from_map(node, site)),
    }
}

/// Pelican's rule: `;` separates names that may have a comma, else `,` separates. `author: King, Jr.` is one.
fn names(text: &str, several: bool) -> impl Iterator<Item = &str> {
    let separator = match (text.contains(';'), several) {
        (true, _) => ';',
        (false, true) => ',',
        (false, false) => '\n',
    };
    text.split(separator)
}

/// `Jane Doe`, `Jane Doe <jane@example.org>`, `jane@example.org (Jane Doe)`, `@jane`.
fn from_text(text: &str) -> Option<Author> {
    let text = one_line(text);
    let (name, email) = match (text.split_once('<'), text.split_once('(')) {
        (Some((name, rest)), _) => (name, rest.trim_end_matches('>')),
        (None, Some((email, rest))) if email.contains('@') => (rest.trim_end_matches(')'), email),
        (None, _) => (text.as_str(), ""),
    };
    author(name.trim(), Some(email), None)
}

pub(super) fn from_map(node: &Node, site: &Url) -> Option<Author> {
    let text = |keys: &[&str]| {
        keys.iter().find_map(|key| lookup(node, key).and_then(|e| e.node.as_text()))
    };
    let name = one_line(text(&["name", "displayname", "key", "title", "login"])?);
    let url = text(&["url", "website", "link", "uri", "homepage", "web", "home"]);
    author(&name, text(&["email", "mail"]), url.and_then(|url| on_site(site, url)))
}

fn author(name: &str, email: Option<&str>, url: Option<Url>) -> Option<Author> {
    let email = email.and_then(|email| email.parse::<EmailAddress>().ok());
    let name: String = name.chars().take(200).collect();
    (!name.is_empty()).then(|| Author { name, email: email.map(String::from), url })
}
