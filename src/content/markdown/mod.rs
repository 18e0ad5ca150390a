//! Markdown -> what HTML is written from: GitHub's dialect, with ids and footnotes that do not collide when several
//! posts share a page.

use std::collections::{HashMap, HashSet, VecDeque};

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

const OPTIONS: Options = Options::ENABLE_TABLES
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
                Event::Text(words)
                    if warnings.is_empty() && !in_code && !source.is_verbatim(&span) =>
                {
                    warnings.extend(template_code(words).map(|problem| problem.at(origin.clone())));
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
        let items = items::shown_by(&self.items, Channel::Web);
        let start = items.iter().position(is_h1)?;
        Some(heading_text(&items[start + 1..])).filter(|text| !text.is_empty())
    }

    /// Whether some of it is for one channel only.
    pub(super) fn has_channels(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Begin(Mark::Channel(_))))
    }

    /// What to write for `channel`. Ids begin with `prefix`. A first block that only repeats `title` is left out, because
    /// feeds and mails show the title above the text.
    pub(super) fn pieces(&self, channel: Channel, prefix: &str, title: &str) -> Vec<Piece<'t>> {
        let mut items = items::shown_by(&self.items, channel);
        if items.first().is_some_and(is_h1)
            && heading_text(&items[1..]) == title
            && let Some(end) = items
                .iter()
                .position(|item| matches!(item, Item::Event(Event::End(TagEnd::Heading(_)))))
        {
            items.drain(..=end);
        }
        rewrite::pieces(items, prefix)
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
fn heading_text(items: &[Item<'_>]) -> String {
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
fn heading_ids(items: &[Item<'_>], prefix: &str) -> VecDeque<String> {
    let mut seen = HashSet::new();
    let mut copies: HashMap<String, usize> = HashMap::new();
    let mut ids = VecDeque::new();
    for (at, item) in items.iter().enumerate() {
        let Item::Event(Event::Start(Tag::Heading { id, .. })) = item else { continue };
        let own = match id {
            Some(id) => slugify(id),
            None => slugify(&heading_text(&items[at + 1..])),
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
    if !text.contains('{') && !text.contains("[[") {
        return None;
    }
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
