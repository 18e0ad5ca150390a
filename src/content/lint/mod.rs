//! What `check` finds in a post that goes out all the same: forgotten notes, images without words, likely slips.
//!
//! Looks at the text once more, so that nobody else pays for it. Whether what it refers to exists, others find out.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::fields::{Fields, lookup};
use super::front_matter::{self, Entry, Node, Value};
use super::source;
use crate::domain::{Diagnostic, Field, Position};

mod body;
mod keys;

#[cfg(test)]
mod tests;

/// Characters of a title that mail programs and search engines show.
const LONG_TITLE: usize = 70;

/// More of one kind in one post than anybody reads.
pub const MOST_OF_A_KIND: usize = 100;

/// A longer line is shown to nobody, and each finding would have a copy of it. In bytes.
const LONG_LINE: usize = 4096;

/// What a post leads to or shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As written, without character references.
    pub target: String,
    pub is_image: bool,
    /// In bytes of the page's text.
    pub span: Range<usize>,
}

/// The text of a post under the eyes of `check`.
#[derive(Debug)]
pub struct Page<'t> {
    file: &'t str,
    text: Cow<'t, str>,
    /// Where each line begins.
    lines: Vec<usize>,
    title: Range<usize>,
    date: Range<usize>,
    /// What the post itself tells, in order of the file.
    pub findings: Vec<Diagnostic>,
    /// Links and images that are not in code.
    pub references: Vec<Reference>,
    /// The ids that headings and HTML give, comparable: see `Page::anchor`.
    pub anchors: HashSet<String>,
    /// Codes that the author does not want to hear of in this post.
    pub silenced: Vec<String>,
    /// Other addresses that the post says it has.
    pub aliases: Vec<String>,
}

/// Where the Markdown begins. MDX files begin with `import` and `export` lines that are code.
fn body_start(text: &str, from: usize, within: &str) -> usize {
    if !within.to_ascii_lowercase().ends_with(".mdx") {
        return from;
    }
    let is_code = |line: &&str| {
        line.trim().is_empty() || line.starts_with("import ") || line.starts_with("export ")
    };
    from + text[from..].split_inclusive('\n').take_while(is_code).map(str::len).sum::<usize>()
}

impl<'t> Page<'t> {
    /// Looks at a file that is a post with `title`. `None`: it can be read as one no more.
    ///
    /// `names` are the author's own words for our fields.
    pub fn read(
        file: &super::SourceFile<'t>,
        title: &str,
        names: &BTreeMap<Field, Vec<String>>,
    ) -> Option<Self> {
        let text = source::read(file.bytes).ok()?;
        let front_matter = front_matter::read(&text).ok()?;
        let fields = Fields::new(&front_matter.entries, names, &[]);
        let at = |keys: &[&str]| {
            fields
                .find(keys)
                .map(|entry| entry.key_span.start..entry.node.span.end.max(entry.key_span.end))
        };
        let body = body_start(&text, front_matter.body, file.within);
        let first = first_line(&text);
        let mut page = Self {
            file: file.source,
            lines: std::iter::once(0)
                .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
                .collect(),
            title: at(&["title", "linktitle"]).unwrap_or_else(|| first.clone()),
            date: at(&["date", "pubdate", "publishdate", "publisheddate"])
                .unwrap_or_else(|| first.clone()),
            text: Cow::Borrowed(""),
            findings: Vec::new(),
            references: Vec::new(),
            anchors: HashSet::new(),
            silenced: texts(
                fields.find(&["postrider"]).and_then(|own| lookup(&own.node, "silence")),
            ),
            aliases: texts(fields.find(&["aliases", "redirectfrom", "alias"])),
        };
        let mut found = keys::unknown(&front_matter.entries);
        if fields.text(&keys::SUMMARY).is_none() && !body::has_excerpt(&text[body..]) {
            found.push(Found::new(
                "post-description-missing",
                "the post has no description",
                first,
            ));
        }
        let length = title.chars().count();
        if length > LONG_TITLE {
            let message =
                format!("the title has {length} characters; {LONG_TITLE} are shown at most");
            found.push(Found::new("post-title-long", message, page.title.clone()));
        }
        found.extend(body::look(&text, body, &mut page.references, &mut page.anchors));
        page.text = text;
        found.sort_by_key(|one| one.span.start);
        page.findings = found.into_iter().map(|one| page.told(one)).collect();
        Some(page)
    }

    /// A warning with `code` that points at `span` of the text.
    pub fn warn(
        &self,
        code: &'static str,
        message: impl Into<String>,
        span: &Range<usize>,
    ) -> Diagnostic {
        self.point(Diagnostic::warning(code, message), span)
    }

    /// The place of the title, or the first line.
    pub fn title(&self) -> &Range<usize> {
        &self.title
    }

    /// The place of the date, or the first line.
    pub fn date(&self) -> &Range<usize> {
        &self.date
    }

    /// A heading's text or the part of a link behind `#`, as far as all engines agree: letters and digits alone.
    pub fn anchor(text: &str) -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    }

    fn told(&self, found: Found) -> Diagnostic {
        let finding = self.warn(found.code, found.message, &found.span);
        match found.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }

    fn point(&self, mut finding: Diagnostic, span: &Range<usize>) -> Diagnostic {
        let text = &*self.text;
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let line = self.lines.partition_point(|begin| *begin <= start).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or(0);
        let end = self.lines.get(line).map_or(text.len(), |next| next - 1);
        let stop = text.floor_char_boundary(span.end.clamp(start, end.max(start)));
        let count = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
        finding.file = Some(self.file.to_owned());
        finding.position = Some(Position { line, column: count(begin..start) + 1 });
        finding.length = count(start..stop).max(1);
        finding.line_text =
            text.get(begin..end).filter(|line| line.len() <= LONG_LINE).map(str::to_owned);
        finding
    }
}

/// A finding before it knows its file.
struct Found {
    code: &'static str,
    message: String,
    help: Option<String>,
    span: Range<usize>,
}

impl Found {
    fn new(code: &'static str, message: impl Into<String>, span: Range<usize>) -> Self {
        Self { code, message: message.into(), help: None, span }
    }
}

fn first_line(text: &str) -> Range<usize> {
    let start = text.len() - text.trim_start().len();
    start..text[start..].find('\n').map_or(text.len(), |at| start + at)
}

/// One text or a list of them.
fn texts(entry: Option<&Entry>) -> Vec<String> {
    let one = |node: &Node| node.as_text().map(str::to_owned);
    match entry.map(|entry| &entry.node) {
        Some(Node { value: Value::List(items), .. }) => items.iter().filter_map(one).collect(),
        Some(node) => one(node).into_iter().collect(),
        None => Vec::new(),
    }
}
