//! Sanitised HTML -> the plain text of a mail: nothing wrapped, links as `text <url>`.
//!
//! Reads only what `sanitise` wrote, so tags are balanced and URLs absolute.

use std::borrow::Cow;

use super::markup::{Attributes, Token, Tokens, unescape};
use super::source::EXCERPT_END;

/// Renders sanitised `html` as plain text.
pub fn of(html: &str) -> String {
    let mut writer = Writer::default();
    for token in Tokens::of(html) {
        match token {
            Token::Text(text) => writer.text(&unescape(text)),
            Token::Open { name, attributes } => writer.open(name, attributes),
            Token::Close(name) => writer.close(name),
            Token::Comment => {}
        }
    }
    writer.finish()
}

/// The text in `html` between its tags, as it stands.
pub(super) fn parts(html: &str) -> impl Iterator<Item = Cow<'_, str>> {
    Tokens::of(html).filter_map(|token| match token {
        Token::Text(text) => Some(unescape(text)),
        Token::Open { .. } | Token::Close(_) | Token::Comment => None,
    })
}

/// What stands left of lines: `first` on the next line only, `rest` on those after it.
struct Margin {
    first: Option<String>,
    rest: String,
}

/// A link that is open.
enum Link {
    To {
        url: String,
        start: usize,
    },
    /// The number of a footnote: `[1]`.
    Footnote,
    /// The way back from a footnote, which text has no use for.
    Back {
        start: usize,
    },
}

#[derive(Default)]
struct Writer {
    out: String,
    /// The block that is being collected, not yet in `out`.
    line: String,
    /// Empty lines owed before the next block, and how many margins they have.
    blank: bool,
    blank_margins: Option<usize>,
    margins: Vec<Margin>,
    /// Open lists; ordered ones with the next number.
    lists: Vec<Option<u64>>,
    links: Vec<Link>,
    in_footnote_mark: bool,
    preformatted: bool,
    cells: usize,
    player: Option<&'static str>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        if text.contains(EXCERPT_END) {
            return self.text(&text.replace(EXCERPT_END, ""));
        }
        if self.preformatted {
            return self.line.push_str(text);
        }
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|b| b.is_ascii_whitespace()) {
            self.line.push_str(&rest[..at]);
            if !self.line.is_empty() && !self.line.ends_with([' ', '\n']) {
                self.line.push(' ');
            }
            rest = &rest[at + 1..];
        }
        self.line.push_str(rest);
    }

    fn open(&mut self, name: &str, attributes: &str) {
        let attribute = |name| Attributes::get(attributes, name);
        let has_class =
            |class: &str| attribute("class").is_some_and(|all| all.split(' ').any(|c| c == class));
        match name {
            "br" => self.line.push('\n'),
            "img" => {
                if let Some(alt) = attribute("alt").filter(|alt| !alt.trim().is_empty()) {
                    self.text(&format!("[{}]", alt.trim()));
                }
            }
            "sup" => self.in_footnote_mark = has_class("footnote-reference"),
            "a" => {
                let start = self.line.len();
                self.links.push(if self.in_footnote_mark {
                    self.line.push('[');
                    Link::Footnote
                } else if has_class("footnote-backref") {
                    Link::Back { start }
                } else {
                    Link::To { url: attribute("href").unwrap_or_default().into_owned(), start }
                });
            }
            "video" | "audio" => {
                self.block(true);
                self.player = Some(if name == "video" { "video" } else { "audio" });
                self.play(attribute("src").as_deref());
            }
            "source" => self.play(attribute("src").as_deref()),
            "ol" => {
                let start = attribute("start").and_then(|start| start.parse().ok());
                self.list(Some(start.unwrap_or(1)));
            }
            _ => self.open_block(name),
        }
    }

    fn open_block(&mut self, name: &str) {
        match name {
            "hr" => {
                self.block(true);
                self.line.push_str("* * *");
                self.block(true);
            }
            "td" | "th" => {
                if self.cells > 0 {
                    self.line.push_str(" | ");
                }
                self.cells += 1;
            }
            "tr" => {
                self.block(false);
                self.cells = 0;
            }
            "ul" => self.list(None),
            "li" => self.item(),
            "dd" => {
                self.block(false);
                self.indent(None, "    ");
            }
            "blockquote" => {
                self.block(true);
                self.indent(None, "> ");
            }
            "pre" => {
                self.block(true);
                self.indent(None, "    ");
                self.preformatted = true;
            }
            _ if is_block(name) => self.block(true),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "sup" => self.in_footnote_mark = false,
            "a" => self.end_link(),
            "h1" => self.underline('='),
            "h2" => self.underline('-'),
            "video" | "audio" => {
                self.player = None;
                self.block(true);
            }
            "tr" | "dt" => self.block(false),
            "ul" | "ol" => {
                self.block(self.lists.len() <= 1);
                self.lists.pop();
            }
            "li" | "dd" => {
                self.block(false);
                self.margins.pop();
            }
            "blockquote" => {
                self.block(true);
                self.margins.pop();
                self.owe_blank();
            }
            "pre" => {
                self.preformatted = false;
                self.block(true);
                self.margins.pop();
                self.owe_blank();
            }
            _ if is_block(name) => self.block(true),
            _ => {}
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.out
    }

    fn list(&mut self, start: Option<u64>) {
        self.block(self.lists.is_empty());
        self.lists.push(start);
    }

    fn item(&mut self) {
        self.block(false);
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                let bullet = format!("{number}. ");
                *number = number.saturating_add(1);
                bullet
            }
            Some(None) | None => "* ".to_owned(),
        };
        let rest = " ".repeat(bullet.len());
        self.indent(Some(bullet), &rest);
    }

    fn indent(&mut self, first: Option<String>, rest: &str) {
        // Past this depth nobody sees the difference, and margins would outweigh the text.
        let shown = self.margins.len() < 16;
        let rest = if shown { rest.to_owned() } else { String::new() };
        self.margins.push(Margin { first: first.filter(|_| shown), rest });
    }

    /// The first thing that an open player can play.
    fn play(&mut self, source: Option<&str>) {
        let Some(url) = source.filter(|url| !url.is_empty()) else { return };
        if let Some(player) = self.player.take() {
            self.text(&format!("[{player}] <{url}> "));
        }
    }

    fn end_link(&mut self) {
        match self.links.pop() {
            Some(Link::Footnote) => self.line.push(']'),
            Some(Link::Back { start }) => self.line.truncate(start),
            Some(Link::To { url, start }) if !url.is_empty() => {
                let text = self.line.get(start..).unwrap_or_default().trim();
                if is_same(text, &url) {
                    let bare = url.strip_prefix("mailto:").unwrap_or(&url).to_owned();
                    self.line.truncate(start);
                    self.line.push_str(&bare);
                } else if !text.is_empty() {
                    self.line.truncate(self.line.trim_end().len());
                    self.line.extend([" <", &url, ">"]);
                }
            }
            Some(Link::To { .. }) | None => {}
        }
    }

    fn underline(&mut self, mark: char) {
        let width = self.line.trim().chars().count().min(72);
        if width > 0 {
            self.line.truncate(self.line.trim_end().len());
            self.line.push('\n');
            self.line.extend(std::iter::repeat_n(mark, width));
        }
        self.block(true);
    }

    /// A block ends here and another may begin; `apart`: with an empty line between.
    fn block(&mut self, apart: bool) {
        self.flush();
        if apart {
            self.owe_blank();
        }
    }

    fn owe_blank(&mut self) {
        self.blank = true;
        let margins = self.margins.len();
        self.blank_margins = Some(self.blank_margins.map_or(margins, |known| known.min(margins)));
    }

    /// Moves the collected block to `out`.
    fn flush(&mut self) {
        // A link cannot span blocks in text; what is left of it keeps its start within the new line.
        for link in &mut self.links {
            match link {
                Link::To { start, .. } | Link::Back { start } => *start = 0,
                Link::Footnote => {}
            }
        }
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push('\n');
            if self.blank {
                let margins = self.blank_margins.unwrap_or(0).min(self.margins.len());
                let margin: String =
                    self.margins[..margins].iter().map(|m| m.rest.as_str()).collect();
                self.out.push_str(margin.trim_end());
                self.out.push('\n');
            }
        }
        self.blank = false;
        self.blank_margins = None;
        let kept = if self.preformatted || line.contains("\n ") {
            line.trim_matches('\n')
        } else {
            line.trim()
        };
        for (index, text) in kept.split('\n').enumerate() {
            if index > 0 {
                self.out.push('\n');
            }
            for margin in &mut self.margins {
                let first = margin.first.take();
                self.out.push_str(first.as_deref().unwrap_or(&margin.rest));
            }
            self.out.push_str(text.trim_end());
            self.out.truncate(self.out.trim_end_matches(' ').len());
        }
    }
}

/// Whether a link's text already says where it leads.
fn is_same(text: &str, url: &str) -> bool {
    let bare = |text: &str| {
        let schemes = ["https://", "http://", "mailto:", "tel:"];
        let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        rest.trim_end_matches('/').to_owned()
    };
    bare(text) == bare(url)
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "aside"
            | "address"
            | "figure"
            | "figcaption"
            | "details"
            | "summary"
            | "hgroup"
            | "center"
            | "dl"
            | "dt"
            | "table"
            | "caption"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
    )
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn blocks_are_set_apart_and_marked_as_in_mail() {
        let html = "<h1>Title</h1><h2>Part</h2><p>One\ntwo<br>three</p><h3>Small</h3>\
            <blockquote><p>said</p><p>again</p></blockquote>\
            <pre><code>fn main() {\n    run();\n}\n</code></pre><hr><p>end &amp; out</p>";
        insta::assert_snapshot!(of(html), @r"
        Title
        =====

        Part
        ----

        One two
        three

        Small

        > said
        >
        > again

            fn main() {
                run();
            }

        * * *

        end & out
        ");
    }

    #[test]
    fn lists_nest_and_count() {
        let html = "<p>a</p><ul>\n<li>one</li>\n<li>two\n<ol start=\"9\">\n<li>nine</li>\n<li>ten</li>\n</ol>\n</li>\n</ul>\
            <ul><li><p>loose</p><p>more</p></li><li><p>next</p></li></ul>\
            <dl><dt>term</dt><dd>meaning</dd></dl>";
        insta::assert_snapshot!(of(html), @r"
        a

        * one
        * two
          9. nine
          10. ten

        * loose

          more

        * next

        term
            meaning
        ");
    }

    #[test]
    fn links_say_where_they_lead_once() {
        let html = "<p><a href=\"https://example.org/a\">text</a>, <a href=\"https://example.org/\">example.org</a>, \
            <a href=\"mailto:ann@example.org\">ann@example.org</a>, <a href=\"https://example.org/b\"><img src=\"https://example.org/b.png\" alt=\"pic\"></a>, \
            <a>none</a> <a href=\"https://example.org/c\"></a>1<sup class=\"footnote-reference\"><a href=\"#x\">1</a></sup>\
            <sup>2</sup> <a class=\"footnote-backref\" href=\"#y\">↩</a></p>";
        insta::assert_snapshot!(of(html), @"text <https://example.org/a>, https://example.org/, ann@example.org, [pic] <https://example.org/b>, none 1[1]2");
    }

    #[test]
    fn tables_are_rows_and_players_are_links() {
        let html = "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td></tr></tbody></table>\
            <video src=\"https://example.org/v.mp4\"></video><audio><source src=\"https://example.org/a.mp3\"><source src=\"https://example.org/a.ogg\"></audio>\
            <picture><source srcset=\"https://example.org/a.webp\"><img src=\"https://example.org/a.png\" alt=\"A view\"></picture>";
        insta::assert_snapshot!(of(html), @r"
        a | b
        1 |

        [video] <https://example.org/v.mp4>

        [audio] <https://example.org/a.mp3>

        [A view]
        ");
    }
}
