//! Markdown -> HTML, before it is made safe: GitHub's dialect, with ids and footnotes that do not collide when several
//! posts share a page.

use std::collections::{HashMap, HashSet, VecDeque};

use pulldown_cmark::{
    BlockQuoteKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset,
    html,
};

use self::footnotes::Footnotes;
use super::markup::MAX_DEPTH;
use super::permalink::slugify;
use super::report::Problem;
use super::source::{EXCERPT_END, one_line};

mod autolink;
mod footnotes;

#[cfg(test)]
mod tests;

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM);

/// The body of a post, taken apart.
pub(super) struct Document<'t> {
    events: Vec<Event<'t>>,
    /// What the author should know and readers can live with.
    pub(super) warnings: Vec<Problem>,
}

impl<'t> Document<'t> {
    /// Parses `text[body..]`.
    pub(super) fn parse(text: &'t str, body: usize) -> Result<Self, Problem> {
        let parser = Parser::new_ext(&text[body..], OPTIONS);
        let mut events = Vec::new();
        let mut warnings = Vec::new();
        let mut depth = 0_usize;
        let mut in_code = false;
        for (event, span) in TextMergeWithOffset::new(parser.into_offset_iter()) {
            let span = span.start + body..span.end + body;
            match &event {
                Event::Start(tag) => {
                    depth += 1;
                    in_code |= matches!(tag, Tag::CodeBlock(_));
                }
                Event::End(tag) => {
                    depth = depth.saturating_sub(1);
                    in_code &= !matches!(tag, TagEnd::CodeBlock);
                }
                Event::Text(words) if warnings.is_empty() && !in_code => {
                    warnings.extend(template_code(words).map(|problem| problem.at(span.clone())));
                }
                _ => {}
            }
            if depth > MAX_DEPTH {
                let message =
                    format!("quotes, lists or emphasis are nested more than {MAX_DEPTH} deep here");
                return Err(Problem::new("post-too-complex", message)
                    .at(span.start..span.start)
                    .help("flatten this part"));
            }
            events.push(event);
        }
        Ok(Self { events, warnings })
    }

    /// The text of the first heading of level 1.
    pub(super) fn first_heading(&self) -> Option<String> {
        let start = self.events.iter().position(is_h1)?;
        Some(heading_text(&self.events[start + 1..])).filter(|text| !text.is_empty())
    }

    /// Renders the body as HTML. Ids begin with `prefix`. A first block that only repeats `title` is left out, because
    /// feeds and mails show the title above the text.
    pub(super) fn into_html(mut self, prefix: &str, title: &str) -> String {
        if self.events.first().is_some_and(is_h1)
            && heading_text(&self.events[1..]) == title
            && let Some(end) =
                self.events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_))))
        {
            self.events.drain(..=end);
        }
        let mut rewriter = Rewriter {
            heading_ids: heading_ids(&self.events, prefix),
            footnotes: Footnotes::new(prefix),
            ..Rewriter::default()
        };
        for event in self.events {
            rewriter.accept(event);
        }
        let events = rewriter.footnotes.append_to(rewriter.out);
        let mut out = String::new();
        html::push_html(&mut out, events.into_iter());
        out
    }
}

fn is_h1(event: &Event<'_>) -> bool {
    matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }))
}

/// The plain text up to the end of the heading that `events` are in.
fn heading_text(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::End(TagEnd::Heading(_)) => break,
            Event::Text(words) | Event::Code(words) => text.push_str(words),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    one_line(&text)
}

/// An id for each heading, in order and each once.
fn heading_ids(events: &[Event<'_>], prefix: &str) -> VecDeque<String> {
    let mut seen = HashSet::new();
    let mut copies: HashMap<String, usize> = HashMap::new();
    let mut ids = VecDeque::new();
    for (at, event) in events.iter().enumerate() {
        let Event::Start(Tag::Heading { id, .. }) = event else { continue };
        let own = match id {
            Some(id) => slugify(id),
            None => slugify(&heading_text(&events[at + 1..])),
        };
        let base = format!("{prefix}-{}", if own.is_empty() { "section" } else { &own });
        let copy = copies.entry(base.clone()).or_insert(0);
        let mut id = base.clone();
        while !seen.insert(id.clone()) {
            *copy += 1;
            id = format!("{base}-{copy}");
        }
        ids.push_back(id);
    }
    ids
}

/// What was meant for a site generator: readers would see it raw.
fn template_code(text: &str) -> Option<Problem> {
    let kinds = [
        ("{{<", "a Hugo shortcode"),
        ("{{%", "a Hugo shortcode"),
        ("{%", "a Liquid or Zola tag"),
        ("{{", "a template expression"),
        ("![[", "an Obsidian embed"),
        ("[[", "a wiki link"),
    ];
    let is_there = |mark: &str| {
        let end = if mark.starts_with('{') { '}' } else { ']' };
        text.split_once(mark).is_some_and(|(_, rest)| {
            rest.contains(end) && (end == '}' || !rest.starts_with(char::is_whitespace))
        })
    };
    let (mark, what) = kinds.iter().find(|(mark, _)| is_there(mark))?;
    let problem = Problem::new(
        "post-template-code",
        format!("`{mark}` looks like {what}; readers of feeds and mails will see it as it stands"),
    );
    Some(
        problem.help(
            "write Markdown or HTML instead, or put it in a code span if it is meant to be seen",
        ),
    )
}

/// Turns the parser's events into those that are rendered.
#[derive(Default)]
struct Rewriter<'t> {
    out: Vec<Event<'t>>,
    footnotes: Footnotes<'t>,
    heading_ids: VecDeque<String>,
    /// Code blocks, links and images that are open: no place for links.
    no_links: usize,
    excerpt_ended: bool,
}

impl<'t> Rewriter<'t> {
    fn accept(&mut self, event: Event<'t>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Html(markup) => {
                let markup = self.excerpt_mark(markup);
                self.out.push(Event::Html(markup));
            }
            Event::InlineHtml(markup) => {
                let markup = self.excerpt_mark(markup);
                self.out.push(Event::InlineHtml(markup));
            }
            Event::Text(text) if text.trim() == "{/* truncate */}" => {
                let mark = self.excerpt_mark("<!--truncate-->".into());
                self.out.push(Event::InlineHtml(mark));
            }
            Event::Text(text) if self.no_links == 0 => {
                autolink::link_urls(without_attribute_lists(text), &mut self.out);
            }
            Event::TaskListMarker(done) => {
                self.out.push(Event::Text(if done { "☑ " } else { "☐ " }.into()));
            }
            Event::FootnoteReference(label) => self.out.push(self.footnotes.reference(label)),
            other => self.out.push(other),
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::Heading { level, .. } => {
                let id = self.heading_ids.pop_front().map(CowStr::from);
                self.out.push(Event::Start(Tag::Heading {
                    level,
                    id,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }));
            }
            Tag::BlockQuote(Some(kind)) => self.out.push(Event::Html(alert(kind).into())),
            Tag::FootnoteDefinition(label) => {
                self.footnotes.begin(label, std::mem::take(&mut self.out));
            }
            tag => {
                self.no_links += usize::from(opaque_to_links(tag.to_end()));
                self.out.push(Event::Start(tag));
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(Some(_)) => self.out.push(Event::Html("</blockquote>\n".into())),
            TagEnd::FootnoteDefinition => {
                self.out = self.footnotes.end(std::mem::take(&mut self.out));
            }
            tag => {
                self.no_links -= usize::from(opaque_to_links(tag));
                self.out.push(Event::End(tag));
            }
        }
    }

    /// Puts our mark for the comment that ends the excerpt, the first time.
    fn excerpt_mark(&mut self, markup: CowStr<'t>) -> CowStr<'t> {
        let Some((comment, rest)) =
            markup.trim_start().strip_prefix("<!--").and_then(|c| c.split_once("-->"))
        else {
            return markup;
        };
        let word = comment.trim().to_ascii_lowercase();
        if self.excerpt_ended || !["more", "truncate", "excerpt", "endexcerpt"].contains(&&*word) {
            return markup;
        }
        self.excerpt_ended = true;
        format!("{EXCERPT_END}{rest}").into()
    }
}

/// Drops what Kramdown (Jekyll) reads as attributes: `{: .wide #id}`, `{:toc}`.
fn without_attribute_lists(text: CowStr<'_>) -> CowStr<'_> {
    const MAX_LIST_BYTES: usize = 200;
    let Some((before, _)) = text.split_once("{:") else { return text };
    let mut out = before.to_owned();
    let mut rest = &text[before.len()..];
    while let Some(at) = rest.find("{:") {
        let (before, list) = rest.split_at(at);
        out.push_str(before);
        let fits =
            list[2..].starts_with(|c: char| c == ' ' || c == '.' || c == '#' || c.is_alphabetic());
        let end = list.bytes().take(MAX_LIST_BYTES).position(|b| b == b'}').filter(|_| fits);
        out.push_str(if end.is_some() { "" } else { "{:" });
        rest = &list[end.map_or(2, |end| end + 1)..];
    }
    out.push_str(rest);
    out.into()
}

fn opaque_to_links(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image)
}

/// GitHub's alert with a title that needs no style sheet.
fn alert(kind: BlockQuoteKind) -> String {
    let (class, title) = match kind {
        BlockQuoteKind::Note => ("note", "Note"),
        BlockQuoteKind::Tip => ("tip", "Tip"),
        BlockQuoteKind::Important => ("important", "Important"),
        BlockQuoteKind::Warning => ("warning", "Warning"),
        BlockQuoteKind::Caution => ("caution", "Caution"),
    };
    format!(
        "<blockquote class=\"markdown-alert-{class}\">\n<p class=\"markdown-alert-title\"><strong>{title}</strong></p>\n"
    )
}
