//! Markdown -> what HTML is written from: GitHub's dialect, with ids and footnotes that do not collide when several
//! posts share a page.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

pub(super) use self::callouts::capitalised;
pub(super) use self::items::{Channel, OWN_MARK};
use self::items::{Collector, Item, Mark};
pub(super) use self::rewrite::Piece;
pub(super) use self::writer::{Writer, Written};
use super::markup::MAX_DEPTH;
use super::permalink::slugify;
use super::prepare::Prepared;
use super::report::Problem;
use super::source::one_line;

mod autolink;
mod callouts;
mod footnotes;
mod items;
mod marked;
mod rewrite;
mod writer;

#[cfg(test)]
mod both_ways;
#[cfg(test)]
mod tests;

/// The dialect.
pub(super) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM);

/// How a body is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading<'a> {
    /// Quotes, dashes and dots as typographers set them.
    pub(super) smart_punctuation: bool,
    /// What ends the excerpt, beside the marks that always do.
    pub(super) excerpt_separator: Option<&'a str>,
}

/// The body of a post, taken apart.
pub(super) struct Document<'t> {
    items: Vec<Item<'t>>,
    /// What the author should know and readers can live with.
    pub(super) warnings: Vec<Problem>,
}

impl<'t> Document<'t> {
    pub(super) fn parse(source: &'t Prepared<'_>, how: Reading<'_>) -> Result<Self, Vec<Problem>> {
        let mut options = OPTIONS;
        options.set(Options::ENABLE_SMART_PUNCTUATION, how.smart_punctuation);
        let parser = Parser::new_ext(&source.text, options);
        let mut excerpt_end = excerpt_end(&source.text, how.excerpt_separator);
        let mut collector = Collector::default();
        let mut warnings = Vec::new();
        let mut in_code = false;
        for (event, span) in TextMergeWithOffset::new(parser.into_offset_iter()) {
            let origin = source.origin(&span);
            match &event {
                Event::Start(Tag::CodeBlock(_)) => in_code = true,
                Event::End(TagEnd::CodeBlock) => in_code = false,
                Event::Text(words) if !in_code && !source.is_verbatim(&span) => {
                    if let Some(problem) = unread_mark(&source.text, &span) {
                        collector.refuse(problem.at(origin.clone()));
                    }
                    if warnings.is_empty() {
                        let found = template_code(words);
                        warnings.extend(found.map(|problem| problem.at(origin.clone())));
                    }
                }
                _ => {}
            }
            // Between blocks, or in place of HTML: anywhere else the mark would split what belongs together.
            let can_end = collector.is_between_blocks() || matches!(event, Event::InlineHtml(_));
            if can_end && excerpt_end.is_some_and(|at| span.start >= at) {
                collector.excerpt_ends();
                excerpt_end = None;
            }
            if collector.nesting() > MAX_DEPTH {
                let message =
                    format!("quotes, lists or emphasis are nested more than {MAX_DEPTH} deep here");
                return Err(vec![
                    Problem::new("post-too-complex", message)
                        .at(origin.start..origin.start)
                        .help("flatten this part"),
                ]);
            }
            collector.accept(event, origin);
        }
        Ok(Self { items: callouts::rewrite(collector.finish()?), warnings })
    }

    /// The text of the first heading of level 1. Titles are seen everywhere, so one that is only for mails is none.
    pub(super) fn first_heading(&self) -> Option<String> {
        let mut items = items::shown_by(&self.items, Some(Channel::Web));
        items.find(|item| is_h1(item))?;
        Some(heading_text(items)).filter(|text| !text.is_empty())
    }

    /// Whether some of it is for one channel only.
    pub(super) fn has_channels(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Begin(Mark::Channel(_))))
    }

    /// What to write for `channel`, or what is for all of them. Ids begin with `prefix`. A first block that only repeats `title` is
    /// left out, because feeds and mails show the title above the text.
    pub(super) fn pieces(
        &self,
        channel: Option<Channel>,
        prefix: &str,
        title: &str,
    ) -> Vec<Piece<'t>> {
        let shown = || items::shown_by(&self.items, channel);
        let ends_heading =
            |item: &&Item<'_>| matches!(item, Item::Event(Event::End(TagEnd::Heading(_))));
        let repeats_title =
            shown().next().is_some_and(is_h1) && heading_text(shown().skip(1)) == title;
        let end = if repeats_title { shown().position(|item| ends_heading(&item)) } else { None };
        rewrite::pieces(shown().skip(end.map_or(0, |end| end + 1)), prefix)
    }
}

/// Where the author's own separator is first, as Jekyll looks for it: in the text, whatever it is there.
fn excerpt_end(text: &str, separator: Option<&str>) -> Option<usize> {
    let separator = separator.map(str::trim).filter(|separator| !separator.is_empty())?;
    text.find(separator)
}

fn is_h1(item: &Item<'_>) -> bool {
    matches!(item, Item::Event(Event::Start(Tag::Heading { level: HeadingLevel::H1, .. })))
}

/// The plain text up to the end of the heading that `items` are in.
fn heading_text<'i, 't: 'i>(items: impl Iterator<Item = &'i Item<'t>>) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Event(Event::End(TagEnd::Heading(_))) => break,
            Item::Event(Event::Text(words) | Event::Code(words)) => text.push_str(words),
            Item::Event(Event::SoftBreak | Event::HardBreak) => text.push(' '),
            _ => {}
        }
    }
    one_line(&text)
}

/// An id for each heading, in order and each once.
fn heading_ids<'i, 't: 'i>(
    mut items: impl Iterator<Item = &'i Item<'t>> + Clone,
    prefix: &str,
) -> VecDeque<String> {
    let mut seen = HashSet::new();
    let mut copies: HashMap<String, usize> = HashMap::new();
    let mut ids = VecDeque::new();
    while let Some(item) = items.next() {
        let Item::Event(Event::Start(Tag::Heading { id, .. })) = item else { continue };
        let own = match id {
            Some(id) => slugify(id),
            None => slugify(&heading_text(items.clone())),
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

/// A mark of a channel that nothing read as one, where a text begins with it: what it was to hold together would be seen by all.
fn unread_mark(text: &str, span: &Range<usize>) -> Option<Problem> {
    let (before, line) = (text.get(..span.start)?, text.get(span.clone())?);
    let directive = line.strip_prefix(":::");
    let rest = directive.or_else(|| line.strip_prefix("{/*"))?;
    let word = rest.trim_start_matches([':', ' ', '\t', '{', '[', '.', '#', '/']);
    let channels = [Channel::Web, Channel::Email];
    let channel = channels.into_iter().find(|channel| channel.begins(word))?;
    // With a backslash before it, it is meant to be seen.
    (!before.ends_with('\\')).then(|| {
        let word = channel.word();
        let message = format!("`{word}` is no mark here, and everyone would see what it begins");
        let help = format!(
            "write `<!-- {word} -->` and `<!-- /{word} -->`, or `\\` before it if it is meant to be seen"
        );
        Problem::new("post-channel", message).help(help)
    })
}

/// What was meant for a site generator: readers would see it raw.
fn template_code(text: &str) -> Option<Problem> {
    memchr::memchr2(b'{', b'[', text.as_bytes())?;
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
