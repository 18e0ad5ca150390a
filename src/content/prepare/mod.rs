//! What generators and note apps add to Markdown -> Markdown alone, before it is parsed.
//!
//! Shortcodes, Liquid and Zola tags, wiki links, directives and MDX. Code stays as it is. What is not known stays too, and the
//! author is told about it later. Positions are kept, so that problems still point into the author's file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use pulldown_cmark::{Event, Parser, Tag};

use self::directives::Directives;
use self::draft::Draft;
use self::mdx::Mdx;
pub(super) use self::targets::Targets;
pub use self::targets::{Alone, Neighbours};
use super::embeds::Video;
use super::markdown::OPTIONS;
use super::report::Problem;

mod directives;
mod draft;
mod liquid;
mod mdx;
mod shortcodes;
mod targets;
mod wiki;

/// A body ready for the Markdown parser.
#[derive(Debug, Default)]
pub(super) struct Prepared<'t> {
    pub(super) text: Cow<'t, str>,
    /// Places in `text` with their places in the file, in order. Between them both go on alike, unless the text is ours.
    map: Vec<Anchor>,
    /// Parts of `text` that are meant to be seen as they are.
    verbatim: Vec<Range<usize>>,
    pub(super) warnings: Vec<Problem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Anchor {
    here: usize,
    there: usize,
    ours: bool,
}

impl<'t> Prepared<'t> {
    /// `text[body..]` as it stands.
    pub(super) fn plain(text: &'t str, body: usize) -> Self {
        let map = vec![Anchor { here: 0, there: body, ours: false }];
        Self { text: Cow::Borrowed(&text[body..]), map, ..Self::default() }
    }

    /// Where in the file a part of the prepared text comes from.
    pub(super) fn origin(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.place(span.start);
        start..self.place(span.end).max(start)
    }

    fn place(&self, at: usize) -> usize {
        let next = self.map.partition_point(|anchor| anchor.here <= at);
        let Some(anchor) = next.checked_sub(1).map(|index| self.map[index]) else { return at };
        if anchor.ours { anchor.there } else { anchor.there + at - anchor.here }
    }

    /// Whether the author wanted a part of the prepared text to be seen as it is.
    pub(super) fn is_verbatim(&self, span: &Range<usize>) -> bool {
        let next = self.verbatim.partition_point(|part| part.end <= span.start);
        self.verbatim.get(next).is_some_and(|part| part.start < span.end)
    }
}

/// What makes a body more than Markdown.
const TRIGGERS: [&str; 5] = ["{{", "{%", "[[", "%%", ":::"];

/// Every post is searched for each of them.
static TRIGGER_FINDERS: LazyLock<[Finder<'_>; TRIGGERS.len()]> =
    LazyLock::new(|| TRIGGERS.map(Finder::new));

/// The ends of elements whose content no generator should touch.
const RAW: [&str; 3] = ["</pre", "</script", "</style"];

/// Prepares `text[body..]`.
pub(super) fn prepare<'t>(text: &'t str, body: usize, targets: &Targets<'_>) -> Prepared<'t> {
    let plain = Prepared::plain(text, body);
    let has_triggers = || TRIGGER_FINDERS.iter().any(|it| it.find(plain.text.as_bytes()).is_some());
    if !targets.mdx && !has_triggers() {
        return plain;
    }
    Scanner::new(&text[body..], body, targets).run()
}

/// Where code is that no generator should touch, in order.
fn code(text: &str, mdx: bool) -> Vec<Range<usize>> {
    let mut code: Vec<Range<usize>> = Vec::new();
    for (event, span) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        let is_code = match event {
            // MDX has no code by indentation: children of components are indented.
            Event::Start(Tag::CodeBlock(kind)) => !mdx || kind.is_fenced(),
            Event::Code(_) => true,
            _ => false,
        };
        if is_code && code.last().is_none_or(|last| last.end <= span.start) {
            code.push(span);
        }
    }
    code
}

/// Walks through a text from one special character to the next.
struct Scanner<'t, 'a> {
    text: &'t str,
    at: usize,
    code: std::iter::Peekable<std::vec::IntoIter<Range<usize>>>,
    draft: Draft<'t>,
    targets: &'a Targets<'a>,
    /// Where the next of each ending is: one search for all beginnings, or many would read to the end again and again.
    endings: HashMap<&'static str, Option<usize>>,
    directives: Directives,
    mdx: Mdx<'t>,
    /// Whether the author knows that an address is a guess.
    has_guessed: bool,
}

impl<'t, 'a> Scanner<'t, 'a> {
    fn new(text: &'t str, body: usize, targets: &'a Targets<'a>) -> Self {
        Self {
            text,
            at: 0,
            code: code(text, targets.mdx).into_iter().peekable(),
            draft: Draft::new(text, body),
            targets,
            endings: HashMap::new(),
            directives: Directives::default(),
            mdx: Mdx::default(),
            has_guessed: false,
        }
    }

    fn run(mut self) -> Prepared<'t> {
        while let Some(at) = self.next_special() {
            self.at = at;
            while self.code.next_if(|code| code.end <= at).is_some() {}
            if let Some(code) = self.code.next_if(|code| code.start <= at) {
                self.pass_over(at.max(code.start)..code.end);
                continue;
            }
            let end = if self.text[..at].ends_with('\\') { None } else { self.special() };
            self.at = end.unwrap_or(at + 1).max(at + 1);
        }
        self.end_mdx();
        self.draft.finish()
    }

    /// Leaves code alone, but for the margin it shares with all around it.
    fn pass_over(&mut self, code: Range<usize>) {
        if self.mdx.margin() > 0 {
            let feeds: Vec<usize> = self.text[code.clone()]
                .match_indices('\n')
                .map(|(at, _)| code.start + at)
                .collect();
            feeds.into_iter().filter(|at| at + 1 < code.end).for_each(|at| self.take_margin(at));
        }
        self.at = code.end.max(code.start + 1);
    }

    fn next_special(&self) -> Option<usize> {
        let mdx = self.targets.mdx;
        let rest = self.text.as_bytes().get(self.at..)?;
        let special = |at: usize, byte: u8| match byte {
            b'{' | b'[' | b'%' | b'<' => true,
            b'\n' => self.mdx.margin() > 0,
            b':' => rest[at..].starts_with(b":::") && self.margin(self.at + at).is_some(),
            b'i' | b'e' => {
                mdx && (self.at + at == 0 || self.text.as_bytes()[self.at + at - 1] == b'\n')
            }
            _ => false,
        };
        let found = rest.iter().enumerate().find(|(at, byte)| special(*at, **byte));
        found.map(|(at, _)| self.at + at)
    }

    /// Reads what begins here. Gives back where it ends, if it was something.
    fn special(&mut self) -> Option<usize> {
        let rest = &self.text[self.at..];
        match rest.as_bytes().first()? {
            b'{' if rest.starts_with("{{<") || rest.starts_with("{{%") => self.shortcode(),
            b'{' if rest.starts_with("{%") => self.tag(),
            b'{' if rest.starts_with("{{") && !self.targets.mdx => self.expression(),
            b'{' if self.targets.mdx => self.mdx_expression(),
            b'[' if rest.starts_with("[[") => self.wiki_link(),
            b'%' if rest.starts_with("%%") => self.comment(),
            b':' if rest.starts_with(":::") => self.directive(),
            b'<' => self.markup(),
            b'\n' => {
                self.take_margin(self.at);
                None
            }
            b'i' | b'e' => self.module_code(),
            _ => None,
        }
    }

    /// HTML that hides what is in it from generators and readers alike is passed over.
    fn markup(&mut self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let end = if rest.starts_with("<!--") {
            self.ending("-->", self.at + 4).map(|at| at + 3)
        } else {
            let raw = RAW.iter().find(|end| self.begins(end, rest));
            raw.and_then(|end| Some(self.ending(end, self.at)? + end.len()))
        };
        // What never ends hides nothing.
        if end.is_none() && self.targets.mdx { self.component() } else { end }
    }

    /// Whether `rest` begins the element that `end` ends. In MDX `<Pre>` is somebody's component.
    fn begins(&self, end: &str, rest: &str) -> bool {
        let Some((start, behind)) = rest.split_at_checked(end.len() - 1) else { return false };
        let name = (&start[1..], &end[2..]);
        let is_name =
            if self.targets.mdx { name.0 == name.1 } else { name.0.eq_ignore_ascii_case(name.1) };
        is_name && !behind.starts_with(|c: char| c.is_alphanumeric() || "-_.:".contains(c))
    }

    /// Where `ending` is next, at or behind `from`.
    fn ending(&mut self, ending: &'static str, from: usize) -> Option<usize> {
        match self.endings.get(ending) {
            Some(None) => return None,
            Some(Some(at)) if *at >= from => return Some(*at),
            Some(Some(_)) | None => {}
        }
        let rest = self.text.as_bytes().get(from..)?;
        let at = if RAW.contains(&ending) {
            // HTML's names are the same in capitals.
            let mut words = rest.windows(ending.len());
            words.position(|word| word.eq_ignore_ascii_case(ending.as_bytes()))
        } else {
            self.text.get(from..)?.find(ending)
        };
        let at = at.map(|at| from + at);
        self.endings.insert(ending, at);
        at
    }

    /// Whether nothing but blanks stands before `at` on its line.
    fn is_line_start(&self, at: usize) -> bool {
        let before = &self.text.as_bytes()[..at];
        let margin =
            before.iter().rev().take_while(|b| **b == b' ' || **b == b'\t').take(40).count();
        before.len() == margin || before[before.len() - margin - 1] == b'\n'
    }

    /// What the lines below the one of `at` have to begin with to stand in the same block, if nothing but the marks of quotes and
    /// list items stands before `at`.
    fn margin(&self, at: usize) -> Option<String> {
        const MOST_BYTES: usize = 80;
        let bytes = &self.text.as_bytes()[at.saturating_sub(MOST_BYTES)..at];
        let start = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(feed) => at - bytes.len() + feed + 1,
            None if bytes.len() == at => 0,
            None => return None,
        };
        let before = self.text.get(start..at)?;
        // Components take away the margin of what is in them.
        let blanks = before.len() - before.trim_start_matches([' ', '\t']).len();
        let mut rest = &before[blanks.min(self.mdx.margin())..];
        let mut margin = String::new();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                ' ' | '\t' | '>' => 1,
                '-' | '*' | '+' if rest[1..].starts_with([' ', '\t']) => 1,
                '0'..='9' => {
                    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                    let (_, blank) = behind.split_at_checked(1)?;
                    let is_mark = behind.starts_with(['.', ')']) && blank.starts_with([' ', '\t']);
                    is_mark.then_some(rest.len() - blank.len())?
                }
                _ => return None,
            };
            match first {
                ' ' | '\t' | '>' => margin.push(first),
                _ => margin.extend(std::iter::repeat_n(' ', length)),
            }
            rest = &rest[length..];
        }
        Some(margin)
    }

    /// Where the line of `at` ends, its line feed not included.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |length| at + length)
    }

    /// The text from `from` to the first `end`, if that is near, and where `end` ends.
    fn up_to(&self, from: usize, end: &str, most: usize) -> Option<(&'t str, usize)> {
        let mut limit = (from + most).min(self.text.len());
        while !self.text.is_char_boundary(limit) {
            limit -= 1;
        }
        let inner = self.text.get(from..limit)?;
        let length = inner.find(end)?;
        Some((&inner[..length], from + length + end.len()))
    }
}
