//! What is wrong, where, what it means for the author's readers, and how to mend it.
//!
//! One shape for config, posts, templates and schedules: `check` prints it, the daemon logs it, the status page shows it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad it is. `check` fails on errors; warnings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Warning,
    Error,
}

/// A place in a text file. Both count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    /// The position of byte `offset` in `text`. An offset past the end is the end.
    pub fn of(text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// One finding about one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// Stable, kebab-case: what scripts match on.
    pub code: Cow<'static, str>,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// Path relative to the project folder, with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The line of the file that `position` is in, without its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_text: Option<String>,
    /// How many characters from `position` on are meant; at least 1.
    pub length: usize,
    /// What it means for readers: "this post is live nowhere".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into())
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Self {
        Self {
            severity,
            code: Cow::Borrowed(code),
            message,
            file: None,
            position: None,
            line_text: None,
            length: 1,
            effect: None,
            help: None,
        }
    }

    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Points at the bytes `span` of `text`, the whole text of the file.
    #[must_use]
    pub fn at_span(mut self, text: &str, span: std::ops::Range<usize>) -> Self {
        let position = Position::of(text, span.start);
        let meant = text
            .get(span)
            .map_or(1, |meant| meant.lines().next().unwrap_or_default().chars().count());
        self.length = meant.max(1);
        self.at(text, position)
    }

    /// Points at `position` of `text`, the whole text of the file.
    #[must_use]
    pub fn at(mut self, text: &str, position: Position) -> Self {
        self.position = Some(position);
        self.line_text = text
            .split('\n')
            .nth(position.line.saturating_sub(1))
            .map(|line| line.trim_end_matches('\r').to_owned());
        self
    }

    #[must_use]
    pub fn effect(mut self, effect: impl Into<String>) -> Self {
        self.effect = Some(effect.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// `file:line:column`, as far as known.
    pub fn place(&self) -> String {
        match (&self.file, self.position) {
            (Some(file), Some(at)) => format!("{file}:{}:{}", at.line, at.column),
            (Some(file), None) => file.clone(),
            (None, _) => String::new(),
        }
    }
}

/// One line, for logs: place, message, effect, help.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(effect) = &self.effect {
            write!(f, "; {effect}")?;
        }
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "title: Käse\r\ndate: gestern\n\nMore";

    fn at(offset: usize) -> (usize, usize) {
        let position = Position::of(TEXT, offset);
        (position.line, position.column)
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(TEXT.find('s').unwrap()), (1, 10), "ä is one character of two bytes");
        assert_eq!(at(TEXT.find('ä').unwrap() + 1), (1, 9), "within a character is at its start");
        assert_eq!(at(TEXT.find("date").unwrap()), (2, 1));
        assert_eq!(at(TEXT.find("\nMore").unwrap()), (3, 1), "an empty line");
        assert_eq!(at(usize::MAX), (4, 5), "past the end is the end");
        assert_eq!(Position::of("", 7), Position { line: 1, column: 1 });
    }

    #[test]
    fn a_span_marks_its_first_line_and_shows_it_without_its_end() {
        let found = |span| Diagnostic::error("bad-date", "no").at_span(TEXT, span);
        let start = TEXT.find("gestern").unwrap();
        let date = found(start..start + 7);
        assert_eq!((date.length, date.line_text.as_deref()), (7, Some("date: gestern")));
        let title = found(7..TEXT.len());
        assert_eq!((title.length, title.line_text.as_deref()), (4, Some("title: Käse")));
        assert_eq!(found(3..3).length, 1, "there is always something to point at");
        assert_eq!(found(500..900).position, Some(Position { line: 4, column: 5 }));
        let split = TEXT.find('ä').unwrap() + 1;
        assert_eq!(found(split..split + 2).length, 1, "not on character boundaries");
    }

    #[test]
    fn one_line_says_where_what_with_what_effect_and_how_to_mend_it() {
        let bare = Diagnostic::warning("no-posts", "no posts in `posts`");
        assert_eq!(bare.to_string(), "no posts in `posts`");
        assert!(!bare.is_error());
        assert_eq!(bare.in_file("config/postrider.toml").place(), "config/postrider.toml");
        let whole = Diagnostic::error("bad-date", "`gestern` is not a date")
            .in_file("posts/cheese.md")
            .at_span(TEXT, 20..27)
            .effect("this post is live nowhere")
            .help("write `2026-01-31`");
        assert!(whole.is_error());
        assert_eq!(
            whole.to_string(),
            "posts/cheese.md:2:7: `gestern` is not a date; this post is live nowhere (write `2026-01-31`)"
        );
    }

    #[test]
    fn scripts_get_only_what_is_known() {
        let json = serde_json::to_value(Diagnostic::error("bad-date", "no")).unwrap();
        let expected = serde_json::json!({ "severity": "error", "code": "bad-date", "message": "no", "length": 1 });
        assert_eq!(json, expected);
    }
}
