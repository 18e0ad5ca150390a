//! Takes HTML apart into tags and text, and refuses what would keep an HTML parser busy for minutes.
//!
//! Not a parser: no tree, no repair. Safety is `sanitise`'s business.

use std::borrow::Cow;

/// The deepest nesting that goes to the sanitiser, whose time grows with the square of it.
pub(super) const MAX_DEPTH: usize = 256;
/// HTML parsers compare each attribute of a tag with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// A piece of HTML, borrowed from it. Names are as written; `attributes` is what stands between name and `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'h> {
    Text(&'h str),
    Open { name: &'h str, attributes: &'h str },
    Close(&'h str),
    Comment,
}

/// The pieces of an HTML text, in order.
pub(super) struct Tokens<'h> {
    rest: &'h str,
    /// The element whose content is text, up to its end tag.
    raw: Option<&'h str>,
    /// Open `svg` and `math` elements, in which no element's content is raw.
    foreign: usize,
}

impl<'h> Tokens<'h> {
    pub(super) fn of(html: &'h str) -> Self {
        Self { rest: html, raw: None, foreign: 0 }
    }

    /// Bytes that are not taken yet.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, length: usize) -> &'h str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn text(&mut self) -> Token<'h> {
        // It may begin with one that begins no tag.
        let next = self.rest.as_bytes().get(1..).and_then(|rest| memchr::memchr(b'<', rest));
        Token::Text(self.take(next.map_or(self.rest.len(), |at| at + 1)))
    }

    fn comment(&mut self) -> Token<'h> {
        let length = if let Some(inner) = self.rest.strip_prefix("<!--") {
            if inner.starts_with('>') {
                5
            } else if inner.starts_with("->") {
                6
            } else {
                // One search for both endings: one for each would read to the end of the text for every comment.
                let end = inner.match_indices("--").find_map(|(at, _)| {
                    let after = &inner[at + 2..];
                    let length = if after.starts_with('>') {
                        1
                    } else {
                        2 * usize::from(after.starts_with("!>"))
                    };
                    (length > 0).then_some(4 + at + 2 + length)
                });
                end.unwrap_or(self.rest.len())
            }
        } else {
            self.rest.find('>').map_or(self.rest.len(), |at| at + 1)
        };
        self.take(length);
        Token::Comment
    }

    /// The tag that `rest` begins with; `name` begins `skip` bytes in.
    fn tag(&mut self, skip: usize) -> Token<'h> {
        let inner = &self.rest[skip..];
        let ends_name = |byte: u8| byte.is_ascii_whitespace() || byte == b'/' || byte == b'>';
        let end = inner.bytes().position(ends_name).unwrap_or(inner.len());
        let (name, tail) = inner.split_at(end);
        let mut attributes = Attributes { rest: tail };
        attributes.by_ref().for_each(drop);
        let length = tail.len() - attributes.rest.len();
        let attributes = tail[..length].trim_end_matches('>');
        self.take(skip + end + length);
        let foreign = name.eq_ignore_ascii_case("svg") || name.eq_ignore_ascii_case("math");
        if skip == 2 {
            self.foreign -= usize::from(foreign && self.foreign > 0);
            return Token::Close(name);
        }
        self.foreign += usize::from(foreign && !attributes.ends_with('/'));
        if self.foreign == 0 && is_one_of(name, &RAW_TEXT) {
            self.raw = Some(name);
        }
        Token::Open { name, attributes }
    }
}

const RAW_TEXT: [&str; 8] =
    ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"];

impl<'h> Iterator for Tokens<'h> {
    type Item = Token<'h>;

    fn next(&mut self) -> Option<Token<'h>> {
        if let Some(name) = self.raw.take() {
            let length = end_of_raw(self.rest, name);
            if length > 0 {
                return Some(Token::Text(self.take(length)));
            }
        }
        let mut bytes = self.rest.bytes();
        if bytes.next()? != b'<' {
            return Some(self.text());
        }
        Some(match (bytes.next(), bytes.next()) {
            (Some(b), _) if b.is_ascii_alphabetic() => self.tag(1),
            (Some(b'/'), Some(b)) if b.is_ascii_alphabetic() => self.tag(2),
            (Some(b'!' | b'?'), _) | (Some(b'/'), Some(_)) => self.comment(),
            _ => self.text(),
        })
    }
}

/// How far the content of a raw element reaches: to `</name`, or to the end.
fn end_of_raw(rest: &str, name: &str) -> usize {
    rest.match_indices("</")
        .find(|(at, _)| {
            rest[at + 2..].get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name))
        })
        .map_or(rest.len(), |(at, _)| at)
}

/// The attributes of a tag: name as written and value, still escaped. Stops behind `>`.
pub(super) struct Attributes<'h> {
    rest: &'h str,
}

impl<'h> Attributes<'h> {
    pub(super) fn of(attributes: &'h str) -> Self {
        Self { rest: attributes }
    }

    /// The value of the attribute `name`, unescaped.
    pub(super) fn get(attributes: &'h str, name: &str) -> Option<Cow<'h, str>> {
        let (_, value) =
            Self::of(attributes).find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(unescape(value))
    }

    /// Up to a byte that `end` knows, which must be ASCII or begin a character.
    fn until(&mut self, end: impl Fn(u8) -> bool) -> &'h str {
        let at = self.rest.bytes().position(end).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken
    }

    fn value(&mut self) -> &'h str {
        for quote in ['"', '\''] {
            if let Some(inner) = self.rest.strip_prefix(quote) {
                let end = inner.find(quote);
                self.rest = end.map_or("", |end| &inner[end + 1..]);
                return end.map_or(inner, |end| &inner[..end]);
            }
        }
        self.until(|byte| byte.is_ascii_whitespace() || byte == b'>')
    }
}

impl<'h> Iterator for Attributes<'h> {
    type Item = (&'h str, &'h str);

    fn next(&mut self) -> Option<Self::Item> {
        self.until(|byte| !byte.is_ascii_whitespace() && byte != b'/');
        if let Some(behind) = self.rest.strip_prefix('>') {
            self.rest = behind;
            return None;
        }
        let first = self.rest.chars().next()?.len_utf8();
        let ends_name = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=');
        let end = self.rest.bytes().skip(first).position(ends_name);
        let end = end.map_or(self.rest.len(), |at| first + at);
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match rest.trim_ascii_start().strip_prefix('=') {
            Some(value) => {
                self.rest = value.trim_ascii_start();
                Some((name, self.value()))
            }
            None => Some((name, "")),
        }
    }
}

/// Resolves character references: the numeric ones and those that serialisers write.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';').unwrap_or(0);
        let known = rest.get(1..end).and_then(character);
        out.push(known.unwrap_or('&'));
        rest = &rest[if known.is_some() { end + 1 } else { 1 }..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{A0}'),
        _ => {
            let number = reference.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Text for use in content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Why some HTML is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooComplex {
    #[error("the HTML nests or misnests elements more than {MAX_DEPTH} deep")]
    Depth,
    #[error("an HTML tag has more than {MAX_ATTRIBUTES} attributes")]
    Attributes,
}

/// Without content, so they nest nothing.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// A second one closes the first: a thousand of them side by side without end tags are not deep.
const CLOSED_BY_THE_NEXT: [&str; 10] =
    ["p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot"];
const TABLE_PARTS: [&str; 10] =
    ["tbody", "thead", "tfoot", "tr", "td", "th", "caption", "colgroup", "col", "template"];

/// Bounds from above how deep an HTML parser's tree and its list of formatting elements can get.
///
/// Elements count from their start tag to their end tag. Two kinds of error make parsers keep or move elements and count
/// until the end: end tags out of order, and content between the parts of a table.
pub(super) fn check_complexity(html: &str) -> Result<(), TooComplex> {
    let mut open: Vec<&str> = Vec::new();
    let mut in_cell: Vec<bool> = Vec::new();
    let mut errors = 0;
    for token in Tokens::of(html) {
        match token {
            Token::Text(_) | Token::Comment => {}
            Token::Open { name, attributes } => {
                if Attributes::of(attributes).take(MAX_ATTRIBUTES + 1).count() > MAX_ATTRIBUTES {
                    return Err(TooComplex::Attributes);
                }
                let in_table = open.last().is_some_and(|top| top.eq_ignore_ascii_case("table"));
                let part = is_one_of(name, &TABLE_PARTS);
                if in_table && !part && in_cell.last() == Some(&false) {
                    errors += 1;
                }
                if let Some(in_cell) = in_cell.last_mut().filter(|_| in_table && part) {
                    *in_cell = is_one_of(name, &["td", "th", "caption"]);
                }
                if name.eq_ignore_ascii_case("table") {
                    in_cell.push(false);
                }
                if !is_one_of(name, &VOID) && !is_one_of(name, &CLOSED_BY_THE_NEXT) {
                    open.push(name);
                }
            }
            Token::Close(name) => {
                let Some(at) = open.iter().rposition(|known| known.eq_ignore_ascii_case(name))
                else {
                    continue;
                };
                errors += usize::from(at + 1 != open.len());
                open.remove(at);
                if name.eq_ignore_ascii_case("table") {
                    in_cell.pop();
                }
            }
        }
        if open.len() + errors > MAX_DEPTH {
            return Err(TooComplex::Depth);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_comes_apart_where_browsers_see_tags() {
        let html = "a < b<!-- <p> --><a title='x > y' href=z>t</a><br/></ x><script>if (a<b) '<p>'</script>&amp;";
        let tokens: Vec<Token<'_>> = Tokens::of(html).collect();
        assert_eq!(
            tokens,
            [
                Token::Text("a "),
                Token::Text("< b"),
                Token::Comment,
                Token::Open { name: "a", attributes: " title='x > y' href=z" },
                Token::Text("t"),
                Token::Close("a"),
                Token::Open { name: "br", attributes: "/" },
                Token::Comment,
                Token::Open { name: "script", attributes: "" },
                Token::Text("if (a<b) '<p>'"),
                Token::Close("script"),
                Token::Text("&amp;"),
            ]
        );
    }

    #[test]
    fn attributes_are_found_in_every_notation() {
        let attributes = r#" A="1 &amp; 2" b='3' c=4 d e = "5" "#;
        let get = |name| Attributes::get(attributes, name).map(Cow::into_owned);
        assert_eq!(get("a").as_deref(), Some("1 & 2"));
        assert_eq!(get("b").as_deref(), Some("3"));
        assert_eq!(get("c").as_deref(), Some("4"));
        assert_eq!(get("d").as_deref(), Some(""));
        assert_eq!(get("e").as_deref(), Some("5"));
        assert_eq!(get("f"), None);
    }

    #[test]
    fn references_are_resolved_and_ampersands_kept() {
        assert_eq!(unescape("a&amp;b&#65;&#x42;&lt;&b=1&;&unknown;&"), "a&bAB<&b=1&;&unknown;&");
    }

    #[test]
    fn only_what_parsers_choke_on_is_too_complex() {
        let fine = [
            "<p>a".repeat(5_000),
            "<ul><li>a<li>b</ul>".repeat(5_000),
            "<table><tr><td><b>x</b><tr><td>y</table>".repeat(5_000),
            "<b>".repeat(200) + &"</b>".repeat(200),
            "<img src=x><br>".repeat(5_000),
        ];
        for html in fine {
            assert_eq!(check_complexity(&html), Ok(()), "{}", &html[..40]);
        }
        let deep = [
            "<div>".repeat(500_000),
            "<p><b id=1>".repeat(1_000),
            "<b><i></b></i>".repeat(1_000),
            format!("<table>{}", "<br>".repeat(1_000)),
            "<b id=1><table></b></table>".repeat(1_000),
        ];
        for html in deep {
            assert_eq!(check_complexity(&html), Err(TooComplex::Depth), "{}", &html[..25]);
        }
        let attributes: String =
            (0..1_000).flat_map(|n| [" a".to_owned(), n.to_string()]).collect();
        assert_eq!(check_complexity(&format!("<p{attributes}>")), Err(TooComplex::Attributes));
    }
}
