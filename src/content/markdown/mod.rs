//! Markdown -> what HTML is written from: GitHub's dialect, with ids and footnotes that do not collide when several
//! posts share a page.

use std::collections::{HashMap, HashSet, VecDeque};

use pulldown_cmark::{
    CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeWithOffset,
};

pub(super) use self::rewrite::Piece;
pub(super) use self::writer::Writer;
use super::markup::MAX_DEPTH;
use super::permalink::slugify;
use super::report::Problem;
use super::source::one_line;

mod autolink;
mod footnotes;
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
            push(event, &mut events);
        }
        Ok(Self { events, warnings })
    }

    /// The text of the first heading of level 1.
    pub(super) fn first_heading(&self) -> Option<String> {
        let start = self.events.iter().position(is_h1)?;
        Some(heading_text(&self.events[start + 1..])).filter(|text| !text.is_empty())
    }

    /// What to write. Ids begin with `prefix`. A first block that only repeats `title` is left out, because feeds and mails
    /// show the title above the text.
    pub(super) fn into_pieces(mut self, prefix: &str, title: &str) -> Vec<Piece<'t>> {
        if self.events.first().is_some_and(is_h1)
            && heading_text(&self.events[1..]) == title
            && let Some(end) =
                self.events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_))))
        {
            self.events.drain(..=end);
        }
        rewrite::pieces(self.events, prefix)
    }
}

/// The lines of one block of HTML come one by one; tags and comments may span them.
fn push<'t>(event: Event<'t>, events: &mut Vec<Event<'t>>) {
    match (event, events.last_mut()) {
        (Event::Html(line), Some(Event::Html(block))) => {
            let mut whole = std::mem::replace(block, CowStr::Borrowed("")).into_string();
            whole.push_str(&line);
            *block = whole.into();
        }
        (event, _) => events.push(event),
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
