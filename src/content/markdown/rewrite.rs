//! Turns the parser's events into the pieces that are written.

use std::collections::VecDeque;

use memchr::memchr3;
use pulldown_cmark::{BlockQuoteKind, CowStr, Event, Tag, TagEnd};

use super::super::source::EXCERPT_END;
use super::autolink;
use super::footnotes::Footnotes;
use super::heading_ids;
use super::items::{Item, Mark};
use super::marked::{Equals, Marked};

/// What the body of a post is written from.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::content) enum Piece<'t> {
    /// The author's.
    Event(Event<'t>),
    /// HTML of ours as the sanitiser writes it, but for links to places in the post, which begin with `#`.
    Own(CowStr<'t>),
}

/// Rewrites the events of a body. Ids begin with `prefix`.
pub(super) fn pieces<'i, 't: 'i>(
    items: impl Iterator<Item = &'i Item<'t>> + Clone,
    prefix: &str,
) -> Vec<Piece<'t>> {
    let mut rewriter = Rewriter {
        // Nearly each item becomes a piece.
        out: Vec::with_capacity(items.size_hint().1.unwrap_or(0)),
        heading_ids: heading_ids(items.clone(), prefix),
        footnotes: Footnotes::new(prefix),
        ..Rewriter::default()
    };
    for item in items {
        match item {
            Item::Event(event) => rewriter.accept(event.clone()),
            Item::Begin(mark) => rewriter.begin(*mark),
            Item::End(Mark::Note(_)) => rewriter.end_note(),
            Item::ExcerptEnd => rewriter.excerpt_ends(),
            // Whoever asked for one channel has them taken out.
            Item::End(Mark::Channel(_)) => {}
        }
    }
    rewriter.footnotes.append_to(rewriter.out)
}

/// Where the title of a note is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Title {
    #[default]
    Nowhere,
    /// It is the next paragraph.
    Follows,
    Open,
}

/// Turns the parser's events into those that are rendered.
#[derive(Default)]
struct Rewriter<'t> {
    out: Vec<Piece<'t>>,
    footnotes: Footnotes<'t>,
    heading_ids: VecDeque<String>,
    /// Links and images that are open: no place for links.
    no_links: usize,
    in_code: bool,
    excerpt_ended: bool,
    title: Title,
    marked: Marked,
}

impl<'t> Rewriter<'t> {
    fn push(&mut self, event: Event<'t>) {
        self.out.push(Piece::Event(event));
    }

    fn own(&mut self, html: impl Into<CowStr<'t>>) {
        self.out.push(Piece::Own(html.into()));
    }

    fn begin(&mut self, mark: Mark) {
        if let Mark::Note(class) = mark {
            self.marked.forget();
            self.own(format!("<blockquote class=\"markdown-alert-{class}\">\n"));
            self.title = Title::Follows;
        }
    }

    fn end_note(&mut self) {
        self.marked.forget();
        self.own("</blockquote>\n");
    }

    fn excerpt_ends(&mut self) {
        if !std::mem::replace(&mut self.excerpt_ended, true) {
            self.push(Event::Html(EXCERPT_END.to_string().into()));
        }
    }

    fn accept(&mut self, event: Event<'t>) {
        match event {
            Event::Start(tag) => {
                self.marked.enter();
                self.start(tag);
            }
            Event::End(tag) => {
                self.marked.leave();
                self.end(tag);
            }
            Event::Html(markup) => {
                let markup = self.excerpt_mark(markup);
                self.push(Event::Html(markup));
            }
            Event::InlineHtml(markup) => {
                let markup = self.excerpt_mark(markup);
                self.push(Event::InlineHtml(markup));
            }
            Event::Text(text) => self.read(text),
            Event::TaskListMarker(done) => {
                self.push(Event::Text(if done { "☑ " } else { "☐ " }.into()));
            }
            Event::FootnoteReference(label) => self.out.push(self.footnotes.reference(label)),
            other => self.push(other),
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::Heading { level, .. } => {
                let id = self.heading_ids.pop_front().map(CowStr::from);
                self.push(Event::Start(Tag::Heading {
                    level,
                    id,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }));
            }
            Tag::BlockQuote(Some(kind)) => self.out.push(Piece::Own(alert(kind).into())),
            Tag::FootnoteDefinition(label) => {
                self.marked.forget();
                self.footnotes.begin(label, std::mem::take(&mut self.out));
            }
            Tag::Paragraph if self.title == Title::Follows => {
                self.title = Title::Open;
                self.own("<p class=\"markdown-alert-title\"><strong>");
            }
            tag => {
                if self.title == Title::Follows {
                    self.title = Title::Nowhere;
                }
                self.no_links += usize::from(opaque_to_links(tag.to_end()));
                self.in_code |= matches!(tag, Tag::CodeBlock(_));
                self.push(Event::Start(tag));
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::BlockQuote(Some(_)) => self.out.push(Piece::Own("</blockquote>\n".into())),
            TagEnd::FootnoteDefinition => {
                self.marked.forget();
                self.out = self.footnotes.end(std::mem::take(&mut self.out));
            }
            TagEnd::Paragraph if self.title == Title::Open => {
                self.title = Title::Nowhere;
                self.own("</strong></p>\n");
            }
            tag => {
                self.no_links = self.no_links.saturating_sub(usize::from(opaque_to_links(tag)));
                self.in_code &= !matches!(tag, TagEnd::CodeBlock);
                self.push(Event::End(tag));
            }
        }
    }

    fn read(&mut self, text: CowStr<'t>) {
        // Most words have nothing of what is looked for.
        if memchr3(b'{', b'=', b':', text.as_bytes()).is_none() {
            self.push(Event::Text(text));
        } else if text.trim() == "{/* truncate */}" {
            let mark = self.excerpt_mark("<!--truncate-->".into());
            self.push(Event::InlineHtml(mark));
        } else if self.in_code {
            self.push(Event::Text(text));
        } else {
            self.text(without_attribute_lists(text));
        }
    }

    /// Text outside code: `==marked==` is marked, bare URLs become links.
    fn text(&mut self, text: CowStr<'t>) {
        if self.no_links > 0 {
            return self.push(Event::Text(text));
        }
        let mut from = 0;
        for (at, _) in text.match_indices("==") {
            let (before, after) = (text[..at].chars().next_back(), text[at + 2..].chars().next());
            let Some(equals) = self.marked.read(before, after) else { continue };
            self.words(text[from..at].to_owned().into());
            match equals {
                Equals::Begin => {
                    self.marked.begun_at(self.out.len());
                    self.own("==");
                }
                Equals::EndOf(start) => {
                    self.out[start] = Piece::Own("<mark>".into());
                    self.own("</mark>");
                }
            }
            from = at + 2;
        }
        if from == 0 { self.words(text) } else { self.words(text[from..].to_owned().into()) }
    }

    fn words(&mut self, text: CowStr<'t>) {
        if text.is_empty() {
            return;
        }
        let out = &mut self.out;
        autolink::link_urls(text, |event| out.push(Piece::Event(event)));
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
    matches!(tag, TagEnd::Link | TagEnd::Image)
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
