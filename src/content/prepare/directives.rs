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
    /// A line that begins with `:::`, in quotes and list items too.
    pub(super) fn directive(&mut self) -> Option<usize> {
        let margin = self.margin(self.at)?;
        let part = self.at..self.line_end(self.at);
        let end = part.end;
        let rest = self.text[part.clone()].trim_start_matches(':').trim();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(rest.len());
        let (name, title) = rest.split_at(length);
        let name = &*name.to_ascii_lowercase();
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
                let title = title_of(name, title);
                format!("<!--{OWN_MARK}{name}-->\n{margin}{title}\n{}", margin.trim_end())
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
    // Words, whatever Markdown would make of how they begin: a list, a heading, a block of code.
    let is_mark = |c: char| c.is_ascii_punctuation() && !"*_`[".contains(c);
    let digits = title.len() - title.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = title.split_at(digits);
    let escapes = if number.is_empty() {
        rest.starts_with(is_mark) || rest.starts_with("* ") || rest.starts_with("```")
    } else {
        rest.starts_with(['.', ')'])
    };
    format!("{number}{}{rest}", if escapes { "\\" } else { "" })
}
