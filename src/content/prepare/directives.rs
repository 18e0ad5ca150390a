//! `:::name` … `:::`: the admonitions of Docusaurus and its kin, and blocks for one channel.

use super::super::markdown::{OWN_MARK, capitalised};
use super::Scanner;

/// What a `:::` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Note,
    EmailOnly,
    WebOnly,
    /// What we do not know stays as it is, its end too.
    Unknown,
}

/// The directives that are open, innermost last.
#[derive(Debug, Default)]
pub(super) struct Directives(Vec<Open>);

const NOTES: [&str; 8] =
    ["note", "tip", "info", "warning", "danger", "caution", "important", "success"];

impl Scanner<'_, '_> {
    /// A line that begins with `:::`.
    pub(super) fn directive(&mut self) -> Option<usize> {
        if !self.is_line_start(self.at) {
            return None;
        }
        let part = self.at..self.line_end(self.at);
        let end = part.end;
        let rest = self.text[part.clone()].trim_start_matches(':').trim();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(rest.len());
        let (name, title) = rest.split_at(length);
        let mark = match name {
            "" if rest.is_empty() => match self.directives.0.pop()? {
                Open::Note => format!("<!--{OWN_MARK}/-->"),
                Open::EmailOnly => "<!-- /email-only -->".to_owned(),
                Open::WebOnly => "<!-- /web-only -->".to_owned(),
                Open::Unknown => return None,
            },
            "email-only" | "web-only" => {
                let email = name == "email-only";
                self.directives.0.push(if email { Open::EmailOnly } else { Open::WebOnly });
                format!("<!-- {name} -->")
            }
            _ if NOTES.contains(&name) => {
                self.directives.0.push(Open::Note);
                let start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
                let margin = &self.text[start..self.at];
                format!("<!--{OWN_MARK}{name}-->\n{margin}{}\n", title_of(name, title))
            }
            _ => {
                self.directives.0.push(Open::Unknown);
                return None;
            }
        };
        self.draft.replace(part, &mark);
        Some(end)
    }
}

/// The title of a note: ` Title`, `[Title]`, either with attributes in braces.
fn title_of(name: &str, rest: &str) -> String {
    let rest = rest.split_once('{').map_or(rest, |(title, _)| title).trim();
    let title = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
    if title.is_empty() {
        return capitalised(name);
    }
    // Words, whatever Markdown would make of their first character.
    let escape = if title.starts_with(|c: char| c.is_ascii_punctuation() && !"*_`[".contains(c)) {
        "\\"
    } else {
        ""
    };
    format!("{escape}{title}")
}
