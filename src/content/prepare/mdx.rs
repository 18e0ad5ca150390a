//! MDX -> Markdown: module code goes, components leave their children, images stay images.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::markup::escape;
use super::super::report::Problem;
use super::Scanner;

/// Longer tags and expressions are left alone.
const MAX_BYTES: usize = 20_000;
/// After so many beginnings without an end nothing more is looked for: each costs a look far ahead.
const MOST_FAILURES: usize = 100;

/// What was met in the file so far.
#[derive(Debug, Default)]
pub(super) struct Mdx<'t> {
    /// Images that were imported, by the name they go by.
    images: HashMap<&'t str, &'t str>,
    /// Components that are not shown, each once, and where the first is.
    dropped: Vec<&'t str>,
    first_dropped: Option<std::ops::Range<usize>>,
    first_expression: Option<std::ops::Range<usize>>,
    failures: usize,
    /// How far the children of the open components are indented: in Markdown that would be code.
    margins: Vec<usize>,
}

impl Mdx<'_> {
    /// How many blanks to take from the beginning of each line.
    pub(super) fn margin(&self) -> usize {
        self.margins.last().copied().unwrap_or(0)
    }
}

/// An attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'t> {
    Text(&'t str),
    Code(&'t str),
}

struct Tag<'t> {
    name: &'t str,
    closes: bool,
    closed: bool,
    attributes: Vec<(&'t str, Value<'t>)>,
    end: usize,
}

impl<'t> Tag<'t> {
    /// The value of an attribute as text: a string, a string in braces, or an image that was imported.
    fn get(&self, name: &str, images: &HashMap<&'t str, &'t str>) -> Option<&'t str> {
        let (_, value) = self.attributes.iter().find(|(known, _)| *known == name)?;
        match value {
            Value::Text(text) => Some(text),
            Value::Code(code) => string(code).or_else(|| {
                let name = code.trim().strip_suffix(".src").unwrap_or(code.trim());
                images.get(name).copied()
            }),
        }
    }
}

impl<'t> Scanner<'t, '_> {
    /// `import …` and `export …` at the beginning of a line.
    pub(super) fn module_code(&mut self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let line = &rest[..self.line_end(self.at) - self.at];
        let is_import = line.strip_prefix("import ").is_some_and(|code| {
            code.starts_with(['"', '\'', '{', '*'])
                || code.contains(" from ")
                || !code.contains(' ')
        });
        let exported = [
            "const ", "let ", "var ", "function", "default ", "async ", "class ", "{", "*", "type ",
        ];
        let is_export = line
            .strip_prefix("export ")
            .is_some_and(|code| exported.iter().any(|start| code.starts_with(start)));
        if !is_import && !is_export || self.mdx.failures > MOST_FAILURES {
            return None;
        }
        let end = self.statement_end(self.at);
        if end.is_none() {
            self.mdx.failures += 1;
        }
        let end = end?;
        if is_import {
            self.remember_image(&self.text[self.at..end]);
        }
        self.draft.replace(self.at..end, "");
        Some(end)
    }

    fn remember_image(&mut self, statement: &'t str) {
        let parts = statement.trim_start_matches("import ").split_once(" from ");
        let Some((name, path)) = parts else { return };
        let path = path.trim().trim_end_matches(';').trim_matches(['"', '\'']);
        let aliased = path.starts_with(['@', '~']);
        let name = name.trim();
        if !aliased && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            self.mdx.images.insert(name, path);
        }
    }

    /// The end of the line on which all brackets that opened since `from` are closed.
    fn statement_end(&self, from: usize) -> Option<usize> {
        let limit = from + MAX_BYTES;
        let mut at = from;
        let mut brackets = Brackets::default();
        loop {
            let end = self.line_end(at);
            brackets.read(&self.text[at..end]);
            if brackets.are_closed() {
                return Some(end);
            }
            at = end + 1;
            if at > limit || at >= self.text.len() {
                return None;
            }
        }
    }

    /// `{…}` in text. A comment says nothing, a string is its text, all else is only known where code runs.
    pub(super) fn mdx_expression(&mut self) -> Option<usize> {
        if self.text[self.at..].starts_with("{/*") {
            return self.mdx_comment();
        }
        let end = self.braces_end(self.at)?;
        let code = self.text[self.at + 1..end - 1].trim();
        let part = self.at..end;
        if let Some(text) = string(code) {
            self.draft.replace(part, text);
        } else {
            // Markdown's own braces: attributes of headings and of Kramdown.
            if code.starts_with(['#', '.', ':']) {
                return None;
            }
            if !code.is_empty() {
                self.mdx.first_expression.get_or_insert(part.clone());
            }
            self.draft.replace(part, "");
        }
        Some(end)
    }

    /// `{/* … */}` says nothing, but for the marks that are comments in Markdown too.
    fn mdx_comment(&mut self) -> Option<usize> {
        let from = self.at;
        let end = self.ending("*/}", from)? + 3;
        let word = self.text[from + 3..end - 3].trim().to_ascii_lowercase();
        let keeps = ["truncate", "more", "email-only", "/email-only", "web-only", "/web-only"];
        let mark = keeps.iter().find(|keep| **keep == word).map(|word| format!("<!-- {word} -->"));
        self.draft.replace(from..end, &mark.unwrap_or_default());
        Some(end)
    }

    /// Behind the brace that closes the one at `from`.
    fn braces_end(&mut self, from: usize) -> Option<usize> {
        if self.mdx.failures > MOST_FAILURES {
            return None;
        }
        let end = braces_end(self.text, from);
        if end.is_none() {
            self.mdx.failures += 1;
        }
        end
    }

    /// `<Component …>`, its end, or a fragment; elements of HTML only lose what is code in their attributes.
    pub(super) fn component(&mut self) -> Option<usize> {
        let rest = &self.text[self.at..];
        for fragment in ["<>", "</>"] {
            if rest.starts_with(fragment) {
                let end = self.at + fragment.len();
                self.draft.replace(self.at..end, "");
                return Some(end);
            }
        }
        if self.mdx.failures > MOST_FAILURES {
            return None;
        }
        let first = rest.trim_start_matches(['<', '/']).chars().next()?;
        if !first.is_ascii_alphabetic() {
            return None;
        }
        let Some(tag) = tag(self.text, self.at) else {
            self.mdx.failures += 1;
            return None;
        };
        let part = self.at..tag.end;
        if first.is_ascii_lowercase() && !tag.name.contains('.') {
            return self.element(&tag, part);
        }
        let markup = match tag.name {
            "Image" | "Img" | "Picture" | "Figure" if !tag.closes => {
                picture(&tag, &self.mdx.images)
            }
            "YouTube" | "Youtube" | "LiteYouTubeEmbed" if !tag.closes => {
                let id = ["id", "videoId", "videoID", "url"]
                    .iter()
                    .find_map(|name| tag.get(name, &self.mdx.images));
                id.and_then(|id| {
                    let by_url = || url::Url::parse(id).ok().and_then(|url| super::Video::at(&url));
                    super::Video::youtube(id).or_else(by_url)
                })
                .map(|video| video.markdown(None, self.targets.image))
            }
            _ => None,
        };
        if markup.is_none() && tag.closed && !tag.closes {
            if !self.mdx.dropped.contains(&tag.name) && self.mdx.dropped.len() < 10 {
                self.mdx.dropped.push(tag.name);
            }
            self.mdx.first_dropped.get_or_insert(part.clone());
        }
        let end = part.end;
        if tag.closes {
            self.mdx.margins.pop();
        } else if !tag.closed {
            let margin = self.margin_of_children(end).max(self.mdx.margin());
            self.mdx.margins.push(margin);
        }
        self.draft.replace(part, &markup.unwrap_or_default());
        Some(end)
    }

    /// How far the first line behind `at` is indented that has something on it.
    fn margin_of_children(&self, at: usize) -> usize {
        const MOST: usize = 40;
        let behind = self.text[at..].trim_start_matches([' ', '\t']);
        if !behind.starts_with('\n') {
            return 0;
        }
        let lines = behind.split('\n').take(MOST);
        let first = lines.skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default();
        (first.len() - first.trim_start_matches([' ', '\t']).len()).min(MOST)
    }

    /// The blanks at the beginning of the line behind the line feed at `at`.
    pub(super) fn take_margin(&mut self, at: usize) {
        let line = &self.text[at + 1..];
        let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
        let margin = blanks.min(self.mdx.margin());
        if margin > 0 {
            self.draft.replace(at + 1..at + 1 + margin, "");
        }
    }

    /// An element of HTML: what is code in its attributes goes, names are HTML's.
    fn element(&mut self, tag: &Tag<'t>, part: std::ops::Range<usize>) -> Option<usize> {
        let has_code = tag.attributes.iter().any(|(name, value)| {
            matches!(value, Value::Code(_)) || *name == "className" || *name == "htmlFor"
        });
        if !has_code {
            return None;
        }
        let mut markup = format!("<{}", tag.name);
        for (name, _) in &tag.attributes {
            let Some(value) = tag.get(name, &self.mdx.images) else { continue };
            let name = match *name {
                "className" => "class",
                "htmlFor" => "for",
                name => name,
            };
            let _ = write!(markup, " {name}=\"{}\"", escape(value));
        }
        markup.push_str(if tag.closed { " />" } else { ">" });
        let end = part.end;
        self.draft.replace(part, &markup);
        Some(end)
    }

    /// Tells the author what is not shown.
    pub(super) fn end_mdx(&mut self) {
        if let Some(part) = self.mdx.first_dropped.take() {
            let names = self.mdx.dropped.join("`, `");
            let message = format!("`{names}` cannot be shown outside the site and is left out");
            let problem = Problem::new("post-mdx-component", message);
            self.draft.warn(part, problem.help("write what readers of feeds and mails should see, or put it between `{/* web-only */}` and `{/* /web-only */}`"));
        }
        if let Some(part) = self.mdx.first_expression.take() {
            let message = "what is in braces is code that only the site runs; it is left out";
            let problem = Problem::new("post-mdx-expression", message);
            self.draft.warn(part, problem.help("write the words themselves, or put it in a code span if it is meant to be seen"));
        }
    }
}

/// The brackets that are open in some code, strings left aside.
#[derive(Default)]
struct Brackets {
    open: i32,
    quote: Option<u8>,
}

impl Brackets {
    /// Reads a line.
    fn read(&mut self, line: &str) {
        let mut bytes = line.bytes();
        while let Some(byte) = bytes.next() {
            match (self.quote, byte) {
                (_, b'\\') => drop(bytes.next()),
                (Some(end), byte) if byte == end => self.quote = None,
                (None, b'"' | b'\'' | b'`') => self.quote = Some(byte),
                (None, b'(' | b'[' | b'{') => self.open += 1,
                (None, b')' | b']' | b'}') => self.open -= 1,
                (Some(_) | None, _) => {}
            }
        }
        // A string ends with its line, except in backticks.
        self.quote = self.quote.filter(|quote| *quote == b'`');
    }

    fn are_closed(&self) -> bool {
        self.open <= 0 && self.quote.is_none()
    }
}

/// Behind the brace that closes the one at `from`.
fn braces_end(text: &str, from: usize) -> Option<usize> {
    let mut open = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(from).take(MAX_BYTES) {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(end), byte) if byte == end => quote = None,
            (Some(b'"' | b'\''), b'\n') => quote = None,
            (None, b'"' | b'`' | b'\'') => quote = Some(byte),
            (None, b'{') => open += 1,
            (None, b'}') => {
                open -= 1;
                if open == 0 {
                    return Some(at + 1);
                }
            }
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// The text of a string literal without anything computed in it.
fn string(code: &str) -> Option<&str> {
    let code = code.trim();
    let quote = code.chars().next().filter(|c| "\"'`".contains(*c))?;
    let inner = code.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains(quote) && !inner.contains("${")).then_some(inner)
}

/// The tag at `from`, if it is one that ends.
fn tag(text: &str, from: usize) -> Option<Tag<'_>> {
    let mut limit = (from + MAX_BYTES).min(text.len());
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let closes = text[from..].starts_with("</");
    let start = from + 1 + usize::from(closes);
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    let length = text[start..limit].find(|c: char| !is_name(c))?;
    let name = &text[start..start + length];
    let mut attributes = Vec::new();
    let mut at = start + length;
    loop {
        at += text[at..limit].find(|c: char| !c.is_whitespace())?;
        let rest = &text[at..limit];
        if let Some(length) =
            ["/>", ">"].iter().find(|end| rest.starts_with(**end)).map(|end| end.len())
        {
            return Some(Tag { name, closes, closed: length == 2, attributes, end: at + length });
        }
        if rest.starts_with('{') {
            at = braces_end(&text[..limit], at)?;
            continue;
        }
        let length = rest.find(|c: char| !is_name(c) && c != '@')?;
        if length == 0 {
            return None;
        }
        let attribute = &rest[..length];
        at += length;
        let Some(value) = text[at..limit].strip_prefix('=') else {
            attributes.push((attribute, Value::Text("")));
            continue;
        };
        let (value, behind) = attribute_value(text, limit - value.len(), limit)?;
        attributes.push((attribute, value));
        at = behind;
    }
}

fn attribute_value(text: &str, at: usize, limit: usize) -> Option<(Value<'_>, usize)> {
    let rest = &text[at..limit];
    if rest.starts_with('{') {
        let end = braces_end(&text[..limit], at)?;
        return Some((Value::Code(&text[at + 1..end - 1]), end));
    }
    let quote = rest.chars().next().filter(|c| "\"'".contains(*c))?;
    let length = rest[1..].find(quote)?;
    Some((Value::Text(&rest[1..=length]), at + length + 2))
}

/// An image, if it is known which.
fn picture<'t>(tag: &Tag<'t>, images: &HashMap<&'t str, &'t str>) -> Option<String> {
    let source = tag.get("src", images)?;
    let alt = tag.get("alt", images).unwrap_or_default();
    let mut markup = format!("<img src=\"{}\" alt=\"{}\"", escape(source), escape(alt));
    for name in ["width", "height"] {
        if let Some(size) = tag.get(name, images) {
            let _ = write!(markup, " {name}=\"{}\"", escape(size));
        }
    }
    markup.push('>');
    Some(match tag.get("caption", images) {
        Some(caption) => {
            format!("<figure>{markup}<figcaption>{}</figcaption></figure>", escape(caption))
        }
        None => markup,
    })
}
