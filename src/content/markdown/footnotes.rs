//! Footnotes as GitHub shows them: numbered by first reference, listed at the end, with ways back.

use std::collections::HashMap;

use pulldown_cmark::{CowStr, Event, TagEnd};

use super::rewrite::Piece;

/// The footnotes of one post.
#[derive(Default)]
pub(super) struct Footnotes<'t> {
    prefix: String,
    /// Labels in the order of their numbers, with how often each was referred to.
    order: Vec<(CowStr<'t>, usize)>,
    numbers: HashMap<CowStr<'t>, usize>,
    definitions: HashMap<CowStr<'t>, Vec<Piece<'t>>>,
    /// Definitions that are open, each with the events around it.
    open: Vec<(CowStr<'t>, Vec<Piece<'t>>)>,
}

impl<'t> Footnotes<'t> {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::default() }
    }

    /// The mark in the text for the footnote `label`.
    pub(super) fn reference(&mut self, label: CowStr<'t>) -> Piece<'t> {
        let next = self.order.len();
        let index = *self.numbers.entry(label.clone()).or_insert(next);
        if index == next {
            self.order.push((label, 0));
        }
        let times = &mut self.order[index].1;
        *times += 1;
        let (number, prefix) = (index + 1, &self.prefix);
        let id = reference_id(number, *times);
        Piece::Own(
            format!(
                "<sup class=\"footnote-reference\"><a id=\"{prefix}-{id}\" href=\"#{prefix}-fn-{number}\">{number}</a></sup>"
            )
            .into(),
        )
    }

    /// A definition begins; `around` is what was rendered so far.
    pub(super) fn begin(&mut self, label: CowStr<'t>, around: Vec<Piece<'t>>) {
        self.open.push((label, around));
    }

    /// The innermost definition ends with `events` in it. Gives back what was around it.
    pub(super) fn end(&mut self, events: Vec<Piece<'t>>) -> Vec<Piece<'t>> {
        let Some((label, around)) = self.open.pop() else { return events };
        self.definitions.entry(label).or_insert(events);
        around
    }

    /// Appends the list of the footnotes that were referred to.
    pub(super) fn append_to(mut self, mut out: Vec<Piece<'t>>) -> Vec<Piece<'t>> {
        if self.order.is_empty() {
            return out;
        }
        out.push(Piece::Own("<section class=\"footnotes\">\n<ol>\n".into()));
        for (index, (label, times)) in self.order.iter().enumerate() {
            let (number, prefix) = (index + 1, &self.prefix);
            out.push(Piece::Own(format!("<li id=\"{prefix}-fn-{number}\">").into()));
            let mut events = self.definitions.remove(label).unwrap_or_default();
            let end_of_text = match events.last() {
                Some(Piece::Event(Event::End(TagEnd::Paragraph))) => events.pop(),
                _ => None,
            };
            out.append(&mut events);
            for time in 1..=*times {
                let id = reference_id(number, time);
                let link = format!(" <a class=\"footnote-backref\" href=\"#{prefix}-{id}\">↩</a>");
                out.push(Piece::Own(link.into()));
            }
            out.extend(end_of_text);
            out.push(Piece::Own("</li>\n".into()));
        }
        out.push(Piece::Own("</ol>\n</section>\n".into()));
        out
    }
}

/// `fnref-1` for the first reference to a footnote, `fnref-1-2` for the second.
fn reference_id(number: usize, time: usize) -> String {
    if time == 1 { format!("fnref-{number}") } else { format!("fnref-{number}-{time}") }
}
