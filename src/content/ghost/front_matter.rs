//! What a Ghost post says about itself, as YAML. Every text is quoted: nothing in it can mean something.

use std::fmt::Write as _;

use super::GHOST_URL;
use super::export::{Post, Tables};
use crate::content::header::language_tag;
use crate::content::source::one_line;
use crate::content::title;
use crate::domain::PostId;

const MAX_TITLE_CHARS: usize = 500;
const MAX_TEXT_CHARS: usize = 2_000;
const MAX_ITEMS: usize = 50;

pub(super) struct FrontMatter<'a> {
    pub(super) post: &'a Post,
    pub(super) tables: &'a Tables<'a>,
    pub(super) title: &'a str,
    pub(super) slug: &'a str,
    pub(super) published_at: Option<String>,
    pub(super) updated_at: Option<String>,
    /// The old blog's, without a slash at its end; empty if it is not known.
    pub(super) url: &'a str,
    pub(super) is_draft: bool,
}

impl FrontMatter<'_> {
    /// Between its two lines `---`.
    pub(super) fn write(&self) -> String {
        let post = self.post;
        let meta = self.tables.meta(post);
        let mut out = String::from("---\n");
        line(&mut out, "title", &words(self.title, MAX_TITLE_CHARS));
        line(&mut out, "slug", &quoted(self.slug, MAX_TITLE_CHARS));
        let dates = [("date", &self.published_at), ("updated", &self.updated_at)];
        for (key, date) in dates {
            if let Some(date) = date {
                line(&mut out, key, date);
            }
        }
        // Before its version 1 Ghost counted its posts, and its feed named them by UUID.
        let id = post.id.text().filter(|id| PostId::of_ghost(id).is_some());
        let uuid = || post.uuid.text().filter(|id| uuid::Uuid::try_parse(id).is_ok());
        if let Some(id) = id.or_else(uuid) {
            line(&mut out, "guid", &quoted(id, 100));
        }
        let description = post.custom_excerpt.text().or_else(|| meta?.meta_description.text());
        if let Some(text) = description {
            line(&mut out, "description", &words(text, MAX_TEXT_CHARS));
        }
        self.lists(&mut out);
        if let Some(image) = post.feature_image.text() {
            line(&mut out, "image", &self.address(image));
            if let Some(alt) = meta.and_then(|meta| meta.feature_image_alt.text()) {
                line(&mut out, "image_alt", &words(alt, MAX_TEXT_CHARS));
            }
        }
        let canonical = post.canonical_url.text().or_else(|| meta?.canonical_url.text());
        if let Some(canonical) = canonical {
            line(&mut out, "canonical", &self.address(canonical));
        }
        if let Some(tag) = post.locale.text().and_then(language_tag) {
            line(&mut out, "lang", &quoted(&tag, 100));
        }
        if post.featured.is(&["1", "true"]) {
            line(&mut out, "featured", "true");
        }
        if self.is_draft {
            line(&mut out, "draft", "true");
        }
        // Taking `draft` away must not show everybody what some have paid for.
        if let Some(visibility) = post.visibility.text().filter(|it| *it != "public") {
            line(&mut out, "visibility", &quoted(visibility, 100));
        }
        out.push_str("---\n");
        out
    }

    fn lists(&self, out: &mut String) {
        let tags: Vec<String> = self
            .tables
            .tags(self.post)
            .filter(|tag| !tag.visibility.is(&["internal"]))
            .filter_map(|tag| tag.name.text())
            .filter(|name| !name.trim_start().starts_with('#'))
            .take(MAX_ITEMS)
            .map(|name| words(name, 200))
            .collect();
        if !tags.is_empty() {
            line(out, "tags", &format!("[{}]", tags.join(", ")));
        }
        let mut begun = false;
        for user in self.tables.authors(self.post).into_iter().take(MAX_ITEMS) {
            let Some(name) = user.name.text() else { continue };
            if !begun {
                out.push_str("authors:\n");
                begun = true;
            }
            line(out, "  - name", &quoted(name, 200));
            if let Some(website) = user.website.text() {
                line(out, "    url", &self.address(website));
            }
        }
    }

    fn address(&self, text: &str) -> String {
        quoted(&text.replace(GHOST_URL, self.url), MAX_TEXT_CHARS)
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    writeln!(out, "{key}: {value}").expect("a string takes everything");
}

/// One line in double quotes, as YAML and JSON have them.
fn quoted(text: &str, most: usize) -> String {
    let line: String = one_line(text).chars().filter(|c| *c != '\u{FEFF}').take(most).collect();
    format!("\"{}\"", line.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Plain words, quoted. Where Markdown would see something in them, so that it does not.
fn words(text: &str, most: usize) -> String {
    let line: String = one_line(text).chars().take(most).collect();
    if title::plain(&line) == line {
        return quoted(&line, most);
    }
    let mut escaped = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if matches!(c, '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '&' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    quoted(&escaped, 2 * most)
}
