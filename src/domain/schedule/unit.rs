//! What each field counts: its values, their names, and what to say of those that are none.

use std::ops::RangeInclusive;

use super::ScheduleError;
use super::part::{Part, nearest};

/// What one field counts.
pub(super) struct Unit {
    /// With its article: "a minute".
    name: &'static str,
    /// What follows a wrong value.
    allowed: &'static str,
    /// What `*` means.
    pub(super) all: RangeInclusive<u8>,
    /// The largest number that may be written.
    pub(super) last: u8,
    /// Names of the values, from that of `all`'s start on. Any beginning of three letters or more will do.
    names: &'static [&'static str],
}

pub(super) const SECOND: Unit =
    Unit { name: "a second", allowed: "seconds are 0 to 59", all: 0..=59, last: 59, names: &[] };
pub(super) const MINUTE: Unit =
    Unit { name: "a minute", allowed: "minutes are 0 to 59", all: 0..=59, last: 59, names: &[] };
pub(super) const HOUR: Unit =
    Unit { name: "an hour", allowed: "hours are 0 to 23", all: 0..=23, last: 23, names: &[] };
pub(super) const DAY: Unit = Unit {
    name: "a day of the month",
    allowed: "days of the month are 1 to 31",
    all: 1..=31,
    last: 31,
    names: &[],
};
pub(super) const MONTH: Unit = Unit {
    name: "a month",
    allowed: "months are 1 to 12 or JAN to DEC",
    all: 1..=12,
    last: 12,
    names: &[
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ],
};
/// Counts from Sunday = 0; 7 is Sunday too.
pub(super) const WEEKDAY: Unit = Unit {
    name: "a weekday",
    allowed: "weekdays are 0 to 7 (0 and 7 are Sunday) or SUN to SAT",
    all: 0..=6,
    last: 7,
    names: &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
};

impl Unit {
    pub(super) fn value(&self, value: Part<'_>) -> Result<u8, ScheduleError> {
        let text = value.not_empty()?.text;
        let number = text.parse().ok().filter(|n| (*self.all.start()..=self.last).contains(n));
        let known = if value.is_number() { number } else { self.named(text) };
        known.ok_or_else(|| {
            let error = value.refused(format!("`{text}` is not {}: {}", self.name, self.allowed));
            match self.suggestion(&text.to_lowercase()) {
                Some(help) => error.help(help),
                None => error,
            }
        })
    }

    /// The value whose name `text` begins, in any case.
    fn named(&self, text: &str) -> Option<u8> {
        let lower = text.to_lowercase();
        let index =
            self.names.iter().position(|name| lower.len() >= 3 && name.starts_with(&lower))?;
        u8::try_from(index).ok().map(|index| *self.all.start() + index)
    }

    fn suggestion(&self, lower: &str) -> Option<String> {
        for (other, place) in [(&MONTH, "the last field but one"), (&WEEKDAY, "the last field")] {
            if other.named(lower).is_some() {
                return Some(format!("{} goes into {place}", other.name));
            }
        }
        let short = self.names.iter().map(|name| &name[..3]);
        let name = nearest(lower, short.chain(self.names.iter().copied()))?;
        Some(format!("did you mean `{}`?", name[..3].to_uppercase()))
    }

    /// Refuses `?`, `L`, `15W`, `FRI#2`: Quartz has them, and they look right, so they get an answer of their own.
    pub(super) fn refuse_quartz(&self, item: Part<'_>) -> Result<(), ScheduleError> {
        let upper = item.text.to_uppercase();
        let bare = upper.trim_end_matches(['L', 'W']);
        let rest = Part { text: bare, at: item.at };
        let marked = bare.len() < upper.len()
            && (bare.is_empty() || rest.is_number() || self.named(bare).is_some());
        let help = if upper == "?" {
            "write `*`"
        } else if upper.contains('#') {
            "take every such weekday (`FRI`) or days of the month (`1,15`)"
        } else if marked || upper.starts_with("L-") {
            "take days that every month has, such as `15` or `28`"
        } else {
            return Ok(());
        };
        Err(item.refused(format!("`{}` is Quartz, not crontab", item.text)).help(help))
    }
}
