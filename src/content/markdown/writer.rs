//! Pieces -> HTML that the sanitiser would write just so, as long as none of it is the author's own HTML.
//!
//! Most posts have no HTML in them. For those this is all: what is written here is balanced, escaped and carries no address
//! that the sanitiser's rules refuse, so that no HTML parser need look at it. A property test holds both ways to the same bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, LinkType, Tag, TagEnd};
use pulldown_cmark_escape::escape_href;

use super::super::links::{Address, Base};
use super::super::sanitise;
use super::super::source::EXCERPT_END;
use super::{OWN_MARK, Piece};

/// Markdown alone cannot write more: past this depth `markup` has to count.
const MAX_PLAIN_DEPTH: usize = 200;

/// What was written.
#[derive(Debug, Default)]
pub(in crate::content) struct Written {
    pub(in crate::content) html: String,
    /// Whether an HTML parser must read it: there is HTML of the author in it, or what no HTML can say.
    pub(in crate::content) needs_parser: bool,
    /// Whether there is HTML of the author in it.
    pub(in crate::content) has_html: bool,
}

/// Writes the body of one post.
pub(in crate::content) struct Writer<'a> {
    base: &'a Base<'a>,
    limit: usize,
    written: Written,
    /// Whether the last thing written ended its line.
    at_line_start: bool,
    depth: usize,
    links: usize,
    in_table_head: bool,
    alignments: Vec<Alignment>,
    cell: usize,
}

impl<'a> Writer<'a> {
    /// Stops somewhere behind `limit` bytes.
    pub(in crate::content) fn new(base: &'a Base<'a>, limit: usize) -> Self {
        Self {
            base,
            limit,
            written: Written::default(),
            at_line_start: true,
            depth: 0,
            links: 0,
            in_table_head: false,
            alignments: Vec::new(),
            cell: 0,
        }
    }

    pub(in crate::content) fn write(mut self, pieces: &[Piece<'_>]) -> Written {
        let mut pieces = pieces.iter();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Own(html) => {
                    self.written.needs_parser |= self.links > 0 && html.contains("<a ");
                    self.own(html);
                }
                Piece::Event(Event::Start(Tag::Image { dest_url, title, .. })) => {
                    let alt = plain(&mut pieces);
                    self.image(dest_url, title, &alt);
                }
                Piece::Event(event) => self.event(event),
            }
            if self.written.html.len() > self.limit {
                break;
            }
        }
        let html = with_line_feeds(self.written.html);
        Written { html, ..self.written }
    }

    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => {
                self.depth += 1;
                self.written.needs_parser |= self.depth > MAX_PLAIN_DEPTH;
                self.start(tag);
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                self.end(*tag);
            }
            Event::Text(text) => {
                escape_text(text, &mut self.written.html);
                self.at_line_start = text.ends_with('\n');
            }
            Event::Code(text) => {
                self.put("<code>");
                escape_text(text, &mut self.written.html);
                self.put("</code>");
            }
            // Nothing that is seen, so it stands on no line.
            Event::Html(html) if html.chars().eq([EXCERPT_END]) => {
                self.written.html.push(EXCERPT_END);
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                if let Some(rest) = without_comments(html) {
                    self.put(&rest);
                } else {
                    self.written.needs_parser = true;
                    self.written.has_html = true;
                    self.put(html);
                }
            }
            Event::SoftBreak => self.put("\n"),
            Event::HardBreak => self.put("<br>\n"),
            Event::Rule => self.block("<hr>\n"),
            // None of these is switched on or gets through the rewriter.
            Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn own(&mut self, html: &str) {
        let mut rest = html;
        while let Some((before, target)) = rest.split_once(" href=\"#") {
            self.put(before);
            let (target, behind) = target.split_once('"').unwrap_or((target, ""));
            if let Some(url) = self.base.resolve(&format!("#{target}")) {
                self.attribute("href", url.as_str());
            }
            rest = behind;
        }
        self.put(rest);
    }

    fn put(&mut self, html: &str) {
        self.written.html.push_str(html);
        if !html.is_empty() {
            self.at_line_start = html.ends_with('\n');
        }
    }

    /// On a line of its own.
    fn block(&mut self, html: &str) {
        if !self.at_line_start {
            self.written.html.push('\n');
        }
        self.put(html);
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => self.block("<p>"),
            Tag::Heading { level, id, .. } => {
                self.block("<");
                self.put(&level.to_string());
                if let Some(id) = id {
                    self.attribute("id", id);
                }
                self.put(">");
            }
            Tag::BlockQuote(_) => self.block("<blockquote>\n"),
            Tag::CodeBlock(kind) => self.code_block(kind),
            Tag::List(None) => self.block("<ul>\n"),
            Tag::List(Some(1)) => self.block("<ol>\n"),
            Tag::List(Some(first)) => self.block(&format!("<ol start=\"{first}\">\n")),
            Tag::Item => self.block("<li>"),
            Tag::Table(alignments) => {
                self.alignments.clone_from(alignments);
                self.put("<table>");
            }
            Tag::TableHead => {
                self.in_table_head = true;
                self.cell = 0;
                self.put("<thead><tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.put("<tr>");
            }
            Tag::TableCell => self.table_cell(),
            Tag::Emphasis => self.put("<em>"),
            Tag::Strong => self.put("<strong>"),
            Tag::Strikethrough => self.put("<del>"),
            Tag::Link { link_type, dest_url, title, .. } => self.link(*link_type, dest_url, title),
            // Images are written whole; the rest is not switched on or gets not through the rewriter.
            Tag::Image { .. }
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Subscript
            | Tag::Superscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.put("</p>\n"),
            TagEnd::Heading(level) => self.put(&format!("</{level}>\n")),
            TagEnd::BlockQuote(_) => self.put("</blockquote>\n"),
            TagEnd::CodeBlock => self.put("</code></pre>\n"),
            TagEnd::List(true) => self.put("</ol>\n"),
            TagEnd::List(false) => self.put("</ul>\n"),
            TagEnd::Item => self.put("</li>\n"),
            TagEnd::Table => self.put("</tbody></table>\n"),
            TagEnd::TableHead => {
                self.in_table_head = false;
                self.put("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.put("</tr>\n"),
            TagEnd::TableCell => {
                self.put(if self.in_table_head { "</th>" } else { "</td>" });
                self.cell += 1;
            }
            TagEnd::Emphasis => self.put("</em>"),
            TagEnd::Strong => self.put("</strong>"),
            TagEnd::Strikethrough => self.put("</del>"),
            TagEnd::Link => {
                self.links = self.links.saturating_sub(1);
                self.put("</a>");
            }
            TagEnd::Image
            | TagEnd::HtmlBlock
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Subscript
            | TagEnd::Superscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>) {
        self.block("<pre><code");
        if self.base.names_languages
            && let CodeBlockKind::Fenced(info) = kind
        {
            let language = info.split(' ').next().unwrap_or_default();
            if let Some(class) = sanitise::classes(&format!("language-{language}")) {
                self.attribute("class", &class);
            }
        }
        self.put(">");
    }

    fn table_cell(&mut self) {
        self.put(if self.in_table_head { "<th" } else { "<td" });
        self.put(match self.alignments.get(self.cell) {
            Some(Alignment::Left) => " style=\"text-align:left\">",
            Some(Alignment::Center) => " style=\"text-align:center\">",
            Some(Alignment::Right) => " style=\"text-align:right\">",
            Some(Alignment::None) | None => ">",
        });
    }

    fn link(&mut self, kind: LinkType, target: &str, title: &str) {
        // HTML knows no link in a link.
        self.written.needs_parser |= self.links > 0;
        self.links += 1;
        let scheme = if kind == LinkType::Email { "mailto:" } else { "" };
        self.put("<a");
        let url = self.resolve(scheme, target).filter(|url| sanitise::allows("a", "href", url));
        if let Some(url) = url {
            self.attribute("href", url.as_str());
        }
        if !title.is_empty() {
            self.attribute("title", title);
        }
        self.put(">");
    }

    fn image(&mut self, source: &str, title: &str, alt: &str) {
        self.put("<img");
        let url = self.resolve("", source).filter(|url| sanitise::allows("img", "src", url));
        if let Some(url) = url {
            self.attribute("src", url.as_str());
        }
        self.attribute("alt", alt);
        if let Some((width, height)) = own_size(title) {
            self.attribute("width", width);
            if !height.is_empty() {
                self.attribute("height", height);
            }
        } else {
            if !title.is_empty() {
                self.attribute("title", title);
            }
            if let Some((width, height)) = self.base.size(source) {
                self.attribute("width", &width.to_string());
                self.attribute("height", &height.to_string());
            }
        }
        self.put(">");
    }

    /// The address as browsers would see it, absolute.
    fn resolve(&self, scheme: &str, target: &str) -> Option<Address> {
        let mut encoded = scheme.to_owned();
        escape_href(&mut encoded, target).ok()?;
        self.base.resolve(&encoded)
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let _ = write!(self.written.html, " {name}=\"");
        escape_attribute(value, &mut self.written.html);
        self.put("\"");
    }
}

/// The size that we put where a title is: a width, perhaps a height. A title that begins with our mark may still be the author's.
fn own_size(title: &str) -> Option<(&str, &str)> {
    let size = title.strip_prefix(OWN_MARK)?;
    let (width, height) = size.split_once('x').unwrap_or((size, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!width.is_empty() && is_number(width) && is_number(height)).then_some((width, height))
}

/// The words up to the end of the image that `pieces` are in.
fn plain<'p, 't: 'p>(pieces: &mut impl Iterator<Item = &'p Piece<'t>>) -> String {
    let mut words = String::new();
    let mut depth = 0_usize;
    for piece in pieces {
        let Piece::Event(event) = piece else { continue };
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) if depth == 0 => break,
            Event::End(_) => depth -= 1,
            Event::InlineHtml(text) | Event::Code(text) | Event::Text(text) => words.push_str(text),
            Event::SoftBreak | Event::HardBreak => words.push(' '),
            _ => {}
        }
    }
    words
}

/// `html` without the comments that are all there is in it; `None` if there is more.
fn without_comments(html: &str) -> Option<Cow<'_, str>> {
    let is_blank = |text: &str| text.trim_matches([' ', '\n', '\t', EXCERPT_END]).is_empty();
    let mut kept = String::new();
    let mut rest = html;
    while let Some((before, comment)) = rest.split_once("<!--") {
        let (inner, behind) = comment.split_once("-->")?;
        let odd = inner.starts_with('>') || inner.starts_with("->") || inner.contains("--!>");
        if odd || !is_blank(before) {
            return None;
        }
        kept.push_str(before);
        rest = behind;
    }
    if !is_blank(rest) {
        return None;
    }
    if rest.len() == html.len() {
        return Some(Cow::Borrowed(html));
    }
    kept.push_str(rest);
    Some(Cow::Owned(kept))
}

/// As HTML's serialisation asks for.
fn escape_text(text: &str, out: &mut String) {
    if memchr::memchr(NO_BREAK_SPACE, text.as_bytes()).is_some() {
        return escape(text, out, |bytes| {
            bytes.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | &NO_BREAK_SPACE))
        });
    }
    escape(text, out, |bytes| memchr::memchr3(b'&', b'<', b'>', bytes));
}

fn escape_attribute(text: &str, out: &mut String) {
    escape(text, out, |bytes| {
        bytes.iter().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | &NO_BREAK_SPACE))
    });
}

/// The first of its two bytes in UTF-8, which others begin with too.
const NO_BREAK_SPACE: u8 = 0xC2;

fn escape(text: &str, out: &mut String, next_special: impl Fn(&[u8]) -> Option<usize>) {
    let mut rest = text;
    while let Some(at) = next_special(rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = special.chars();
        match letters.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\u{A0}') => out.push_str("&nbsp;"),
            other => out.extend(other),
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
}

/// Character references can bring carriage returns in, which HTML parsers read as line feeds.
fn with_line_feeds(html: String) -> String {
    if html.contains('\r') { html.replace("\r\n", "\n").replace('\r', "\n") } else { html }
}
