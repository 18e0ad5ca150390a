//! `Key: value` lines up to the first blank line, without fences: Pelican, `MultiMarkdown`, Hexo.

use super::value::{Entry, Node};
use crate::content::source::MAX_FRONT_MATTER_BYTES;

/// Header lines and where they end.
pub(super) struct Header {
    pub(super) entries: Vec<Entry>,
    pub(super) end: usize,
}

/// The header that `text[start..]` begins with. Prose that happens to begin with `Word: …` is none: without a title or
/// date in it nobody needs it.
pub(super) fn parse(text: &str, start: usize) -> Option<Header> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut end = start;
    for line in super::lines_from(text, start) {
        let source = &text[line.clone()];
        if source.trim().is_empty() || source.trim_end() == "---" {
            break;
        }
        match key_value(source, &[':']) {
            Some((key, value)) => {
                let value_start = line.start + source.len() - source[key.len()..].len() + 1;
                entries.push(Entry {
                    key: key.trim().to_owned(),
                    key_span: line.start..line.start + key.len(),
                    node: Node::text(value.trim(), value_start.min(line.end)..line.end),
                });
            }
            None if source.starts_with([' ', '\t', '-']) && !entries.is_empty() => {}
            None => return None,
        }
        end = super::next_line(text, &line);
        if end - start > MAX_FRONT_MATTER_BYTES {
            return None;
        }
    }
    let useful = |entry: &Entry| ["title", "date"].contains(&&*entry.key.to_lowercase());
    entries.iter().any(useful).then_some(Header { entries, end })
}

/// Splits `key: value`, where the key is one word of letters, digits, `_`, `-` and `.` at the start of the line.
pub(super) fn key_value<'t>(line: &'t str, separators: &[char]) -> Option<(&'t str, &'t str)> {
    let at = line.find(separators)?;
    let (key, value) = (&line[..at], &line[at + 1..]);
    let word = key.trim_end();
    let is_key = word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let separated = value.is_empty() || value.starts_with([' ', '\t']) || key.ends_with(' ');
    (is_key && separated).then_some((key, value))
}
