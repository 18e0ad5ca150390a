//! Schedules: cron expressions with the meaning that crontab users expect, in a time zone.
//!
//! `fields` reads the expression, `wall` asks the `cron` crate for wall times and maps them to instants. The rules:
//!
//! - Five fields, or six with seconds in front, or a name such as `@daily`. Day of month *or* weekday when both are
//!   restricted; a day field that starts with `*` restricts nothing by itself (Vixie cron).
//! - A schedule whose hour field has a `*` is an **interval**: it runs whenever the wall clock shows one of its times, so
//!   both times when clocks go back, and not for times that clocks skip.
//! - Every other schedule is **fixed**: each wall time counts once. When clocks go back it runs the first time they show
//!   it; when clocks skip it, at the first instant after the gap.

use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

mod fields;
mod part;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod unit;
mod wall;

use wall::WallTimes;

/// A cron expression in a time zone. Cheap to clone.
#[derive(Clone)]
pub struct Schedule {
    expression: String,
    zone: TimeZone,
    times: Arc<WallTimes>,
}

/// What to do with runs that fell due while nobody was there to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedRuns {
    /// Forget them.
    Skip,
    /// Make up for the latest one, if it is no later than this.
    Once { within: SignedDuration },
}

/// Why an expression was refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ScheduleError {
    pub message: String,
    /// Bytes of the expression that are meant: on character boundaries, empty only for an empty expression.
    pub span: std::ops::Range<usize>,
    pub help: Option<String>,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.zone == other.zone
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("fixed offset");
        write!(f, "Schedule({} in {zone})", self.expression)
    }
}

impl Schedule {
    /// Reads `expression`. That it is well-formed does not mean that it ever fires: see `next_after`.
    pub fn parse(expression: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let times = Arc::new(WallTimes::new(&fields::read(expression)?));
        Ok(Self { expression: expression.to_owned(), zone, times })
    }

    /// The expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The same days in another zone, or once on each of them at another hour. What is left out stays.
    #[must_use]
    pub fn by_the_clock_of(&self, zone: Option<TimeZone>, hour: Option<u8>) -> Self {
        let zone = zone.unwrap_or_else(|| self.zone.clone());
        let moved = hour.and_then(|hour| {
            let expression = fields::at_hour(&self.expression, hour)?;
            Self::parse(&expression, zone.clone()).ok()
        });
        moved.unwrap_or_else(|| Self { zone, ..self.clone() })
    }

    /// Whether it follows elapsed time (a `*` in the hour field) rather than fixed times of the day.
    pub fn is_interval(&self) -> bool {
        self.times.is_interval()
    }

    /// The first run after `instant`; `None` when it never fires again. Runs end with the year 2100.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        self.times.next_after(&self.zone, instant)
    }

    /// The next `count` runs after `instant`; fewer when it stops firing before.
    pub fn upcoming(&self, instant: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(instant), |run| self.next_after(*run))
            .take(count)
            .collect()
    }

    /// The latest run in `(after, until]`. Costs a few dozen `next_after`, however long the time between.
    pub fn latest_within(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let due = |instant| self.next_after(instant).filter(|run| *run <= until);
        let mut latest = due(after)?;
        let mut end = until;
        // Runs lie on whole seconds: once less than a second is left there is none between.
        while end.duration_since(latest) >= SignedDuration::from_secs(1) {
            let middle = latest.saturating_add(end.duration_since(latest) / 2).unwrap_or(end);
            match due(middle) {
                Some(run) => latest = run,
                None => end = middle,
            }
        }
        Some(latest)
    }
}
