//! `[segments]`, `[privacy]`, and the audiences of newsletters.

use std::collections::BTreeMap;

use super::Context;
use super::site::{DAY, duration};
use crate::config::report::Problem;
use crate::config::{Privacy, raw, values};
use crate::domain::{Segment, Segments, is_segment_word};

/// They name no others: what one means is read in one place.
pub(super) fn segments(
    raw: &BTreeMap<String, String>,
    context: &mut Context<'_>,
) -> Option<Segments> {
    let mut segments = Segments::new();
    let mut is_complete = true;
    for (name, expression) in raw {
        let at = format!("segments.{name}");
        let named = context.report.take(&at, values::name(name).and_then(|()| free(name)));
        match (named, segment(&at, expression, &Segments::new(), context)) {
            (Some(()), Some(segment)) => {
                segments.insert(name.clone(), segment);
            }
            _ => is_complete = false,
        }
    }
    is_complete.then_some(segments)
}

/// A name that can stand in an expression and means nothing else there.
fn free(name: &str) -> Result<(), Problem> {
    if is_segment_word(name) {
        return Err(Problem::new(format!("`{name}` means something else in expressions")));
    }
    if name.contains(['-', '.']) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let help = format!("call it `{}`", name.replace(['-', '.'], "_"));
        return Err(Problem::new(format!("`{name}` cannot stand in an expression")).help(help));
    }
    Ok(())
}

pub(super) fn segment(
    at: &str,
    expression: &str,
    known: &Segments,
    context: &mut Context<'_>,
) -> Option<Segment> {
    let found = Segment::parse(expression, known);
    context.report.take_segment(at, expression, found)
}

pub(super) fn privacy(raw: &raw::Privacy, context: &mut Context<'_>) -> Option<Privacy> {
    let mut days = |name: &str, raw: &raw::Duration, least: i64| {
        duration(&format!("privacy.{name}"), raw, least * DAY, 36_500 * DAY, context)
    };
    // Mail that is still being tried is younger than a week; a confirmation mail is good for two days.
    let keep_attempts = days("keep_attempts", &raw.keep_attempts, 7);
    let keep_events = days("keep_events", &raw.keep_events, 7);
    let keep_pending = days("keep_pending", &raw.keep_pending, 3);
    let keep_consents = days("keep_consents", &raw.keep_consents, 0);
    let (keep_attempts, keep_events, keep_pending) = (keep_attempts?, keep_events?, keep_pending?);
    if keep_events < keep_pending {
        let help = "what somebody did before is looked up when a wish of theirs is forgotten";
        context.error(
            "privacy.keep_events",
            "events are kept for less long than pending wishes",
            help,
        );
        return None;
    }
    Some(Privacy { keep_attempts, keep_events, keep_pending, keep_consents: keep_consents? })
}
