//! What a body is made of: the parser's events, and the marks between which something holds.
//!
//! Marks are comments, elements and directives. They open and close within one and the same block, or what was meant for one
//! channel would be seen by another.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::super::markup::{Attributes, Token, Tokens};
use super::super::report::Problem;

/// Begins the name of a mark that we wrote ourselves. Never in a text that was read; but where Markdown knows character references,
/// one can bring it in.
pub(in crate::content) const OWN_MARK: char = '\u{FDD1}';

/// So many problems of one file are told.
const MOST_ERRORS: usize = 20;

/// Who sees a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::content) enum Channel {
    /// The site and the feeds.
    Web,
    Email,
}

impl Channel {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Web => "web-only",
            Self::Email => "email-only",
        }
    }

    /// Whether `text` begins with its word.
    pub(super) fn begins(self, text: &str) -> bool {
        let word = self.word();
        text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    }

    fn of(word: &str) -> Option<Self> {
        let is_meant = |channel: &Self| channel.word().eq_ignore_ascii_case(word);
        [Self::Web, Self::Email].into_iter().find(is_meant)
    }
}

/// What holds between two marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::content) enum Mark {
    Channel(Channel),
    /// A note set apart, its title as the first paragraph.
    Note(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::content) enum Item<'t> {
    Event(Event<'t>),
    Begin(Mark),
    End(Mark),
    /// The author's summary ends here.
    ExcerptEnd,
}

struct Open {
    mark: Mark,
    /// Where its `Begin` is.
    at: usize,
    depth: usize,
    span: Range<usize>,
    /// The element that ends it, with how many of that name are open in it.
    element: Option<(String, usize)>,
}

/// Collects items and pairs their marks.
#[derive(Default)]
pub(super) struct Collector<'t> {
    items: Vec<Item<'t>>,
    open: Vec<Open>,
    depth: usize,
    /// HTML whose lines still come, and where it begins.
    html: Option<(CowStr<'t>, Range<usize>)>,
    errors: Vec<Problem>,
}

impl<'t> Collector<'t> {
    /// How many blocks, elements and marks are open.
    pub(super) fn nesting(&self) -> usize {
        self.depth + self.open.len()
    }

    pub(super) fn is_between_blocks(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn accept(&mut self, event: Event<'t>, span: Range<usize>) {
        // The lines of one block of HTML come one by one; tags and comments may span them.
        if let Event::Html(line) = event {
            self.html = Some(match self.html.take() {
                None => (line, span),
                Some((block, from)) => {
                    let mut whole = block.into_string();
                    whole.push_str(&line);
                    (whole.into(), from.start..span.end)
                }
            });
            return;
        }
        self.end_html();
        match event {
            // No place of its own: marks stand in it and hold for what follows.
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            Event::InlineHtml(html) => self.markup(html, &span, Event::InlineHtml),
            Event::Start(_) => {
                self.depth += 1;
                self.items.push(Item::Event(event));
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                self.leave();
                self.items.push(Item::Event(event));
            }
            event => self.items.push(Item::Event(event)),
        }
    }

    /// Keeps what is wrong with a mark that was not even read as one.
    pub(super) fn refuse(&mut self, problem: Problem) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(problem);
        }
    }

    pub(super) fn excerpt_ends(&mut self) {
        self.end_html();
        self.items.push(Item::ExcerptEnd);
    }

    /// All items, or what is wrong with the marks.
    pub(super) fn finish(mut self) -> Result<Vec<Item<'t>>, Vec<Problem>> {
        self.end_html();
        self.depth = 0;
        while let Some(open) = self.open.pop() {
            self.unclosed(&open);
        }
        self.errors.truncate(MOST_ERRORS);
        self.items.retain(|item| !matches!(item, Item::Begin(Mark::Note(""))));
        if self.errors.is_empty() { Ok(self.items) } else { Err(self.errors) }
    }

    fn end_html(&mut self) {
        if let Some((html, span)) = self.html.take() {
            self.markup(html, &span, Event::Html);
        }
    }

    /// A block ended: what was opened in it and is not closed never will be.
    fn leave(&mut self) {
        while let Some(open) = self.open.pop_if(|open| open.depth > self.depth) {
            self.unclosed(&open);
        }
    }

    fn unclosed(&mut self, open: &Open) {
        match open.mark {
            Mark::Channel(channel) => {
                let word = channel.word();
                let message = format!("`{word}` begins here and does not end in the same block");
                let problem = Problem::new("post-channel", message).at(open.span.clone());
                self.errors.push(problem.help(format!(
                    "end it with `<!-- /{word} -->` in the same list item, quote or other block that it begins in"
                )));
            }
            // Nothing leaks; the title and the text just stand there.
            Mark::Note(_) => self.items[open.at] = Item::Begin(Mark::Note("")),
        }
    }

    /// Takes the marks out of some HTML.
    fn markup(
        &mut self,
        html: CowStr<'t>,
        span: &Range<usize>,
        event: impl Fn(CowStr<'t>) -> Event<'t>,
    ) {
        // Nobody reads more of the same, and open blocks would be looked through for each.
        let given_up = self.errors.len() >= MOST_ERRORS;
        let in_element = self.open.iter().any(|open| open.element.is_some());
        let names_channel =
            || html.as_bytes().windows(5).any(|word| word.eq_ignore_ascii_case(b"-only"));
        if given_up || !in_element && !names_channel() && !html.contains(OWN_MARK) {
            self.items.push(Item::Event(event(html)));
            return;
        }
        let mut kept = String::new();
        let mut tokens = Tokens::of(&html);
        let mut from = 0;
        while let Some(token) = tokens.next() {
            let end = html.len() - tokens.left();
            let before = self.items.len();
            let start = (span.start + from).min(span.end);
            let place = start..(start + end - from).min(span.end).max(start);
            if self.errors.len() < MOST_ERRORS && self.token(token, &html[from..end], place) {
                let kept = std::mem::take(&mut kept);
                if !kept.trim().is_empty() {
                    self.items.insert(before, Item::Event(event(kept.into())));
                    self.shift(before);
                }
            } else {
                kept.push_str(&html[from..end]);
            }
            from = end;
        }
        if !kept.trim().is_empty() {
            self.items.push(Item::Event(event(kept.into())));
        }
    }

    /// An item was put in at `at`.
    fn shift(&mut self, at: usize) {
        for open in self.open.iter_mut().filter(|open| open.at >= at) {
            open.at += 1;
        }
    }

    /// Whether the token is a mark, which it acts on.
    fn token(&mut self, token: Token<'_>, source: &str, span: Range<usize>) -> bool {
        match token {
            Token::Text(_) => false,
            Token::Comment => self.comment(source, span),
            Token::Open { name, attributes } => {
                let class = Attributes::get(attributes, "class").unwrap_or_default();
                let channel = class.split_ascii_whitespace().find_map(Channel::of);
                if let Some(channel) = channel.filter(|_| !attributes.ends_with('/')) {
                    let element = Some((name.to_ascii_lowercase(), 0));
                    self.begin(Mark::Channel(channel), span, element);
                    return true;
                }
                if let Some((_, inner)) = self.element(name) {
                    *inner += 1;
                }
                false
            }
            Token::Close(name) => match self.element(name) {
                Some((_, 0)) => {
                    let mark = self.open.iter().rev().find(|open| open.element.is_some());
                    let mark = mark.map(|open| open.mark);
                    mark.is_some_and(|mark| self.end(mark))
                }
                Some((_, inner)) => {
                    *inner -= 1;
                    false
                }
                None => false,
            },
        }
    }

    /// The element called `name` that ends the innermost mark made by an element.
    fn element(&mut self, name: &str) -> Option<&mut (String, usize)> {
        let open = self.open.iter_mut().rev().find_map(|open| open.element.as_mut())?;
        open.0.eq_ignore_ascii_case(name).then_some(open)
    }

    fn comment(&mut self, source: &str, span: Range<usize>) -> bool {
        let inner = source.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
        let Some(inner) = inner else { return false };
        if let Some(own) = inner.strip_prefix(OWN_MARK) {
            match own.strip_prefix('/') {
                Some(_) => {
                    self.end(Mark::Note(""));
                }
                None => self.begin(Mark::Note(note_class(own)), span, None),
            }
            return true;
        }
        let word = inner.trim().to_ascii_lowercase();
        if let Some(channel) = word.strip_prefix('/').map(str::trim_start).and_then(Channel::of) {
            if !self.end(Mark::Channel(channel)) {
                let message = format!("`{}` ends here and does not begin", channel.word());
                let problem = Problem::new("post-channel", message).at(span);
                self.errors.push(problem.help(format!(
                    "begin it with `<!-- {} -->` in the same block, or delete this",
                    channel.word()
                )));
            }
            return true;
        }
        let channel = Channel::of(&word);
        if let Some(channel) = channel {
            self.begin(Mark::Channel(channel), span, None);
        }
        channel.is_some()
    }

    fn begin(&mut self, mark: Mark, span: Range<usize>, element: Option<(String, usize)>) {
        let is_channel = |open: &&Open| matches!(open.mark, Mark::Channel(_));
        if let Mark::Channel(channel) = mark
            && let Some(Open { mark: Mark::Channel(outer), .. }) = self.open.iter().find(is_channel)
        {
            let message = format!("`{}` begins here, inside `{}`", channel.word(), outer.word());
            let problem = Problem::new("post-channel", message).at(span.clone());
            self.errors.push(problem.help("end the one before the other begins"));
        }
        self.open.push(Open { mark, at: self.items.len(), depth: self.depth, span, element });
        self.items.push(Item::Begin(mark));
    }

    /// Ends the innermost mark if it is such a one and began in this block.
    fn end(&mut self, mark: Mark) -> bool {
        let depth = self.depth;
        // A note that nobody closes must not keep a channel open.
        while matches!(mark, Mark::Channel(_))
            && let Some(note) = self.open.pop_if(|open| matches!(open.mark, Mark::Note(_)))
        {
            self.unclosed(&note);
        }
        let same = |open: &mut Open| match (open.mark, mark) {
            (Mark::Channel(a), Mark::Channel(b)) => a == b && open.depth == depth,
            (Mark::Note(_), Mark::Note(_)) => open.depth == depth,
            (Mark::Channel(_), Mark::Note(_)) | (Mark::Note(_), Mark::Channel(_)) => false,
        };
        let Some(open) = self.open.pop_if(same) else { return false };
        self.items.push(Item::End(open.mark));
        true
    }
}

/// GitHub has five kinds; all others become the one that is most like them.
pub(in crate::content) fn note_class(kind: &str) -> &'static str {
    match kind.to_ascii_lowercase().as_str() {
        "tip" | "hint" | "success" | "check" | "done" => "tip",
        "important" => "important",
        "warning" | "attention" => "warning",
        "caution" | "danger" | "error" | "failure" | "fail" | "missing" | "bug" => "caution",
        _ => "note",
    }
}

/// The items that `channel` shows, without the marks of channels. Without a channel: those that all of them show.
pub(in crate::content) fn shown_by<'i, 't>(
    items: &'i [Item<'t>],
    channel: Option<Channel>,
) -> impl Iterator<Item = &'i Item<'t>> + Clone {
    let mut hidden = false;
    items.iter().filter(move |item| {
        match item {
            Item::Begin(Mark::Channel(of)) => hidden = Some(*of) != channel,
            Item::End(Mark::Channel(_)) => hidden = false,
            _ => return !hidden,
        }
        false
    })
}
