//! Schedules: cron expressions with the meaning that crontab users expect, in a time zone.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    expression: String,
    zone: TimeZone,
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
    /// Bytes of the expression that are meant.
    pub span: std::ops::Range<usize>,
    pub help: Option<String>,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression && self.zone == other.zone
    }
}

impl Schedule {
    pub fn parse(expression: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        Ok(Self { expression: expression.to_owned(), zone })
    }

    /// The expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first run after `instant`; `None` when it never fires again.
    pub fn next_after(&self, _instant: Timestamp) -> Option<Timestamp> {
        None
    }

    /// The latest run in `(after, until]`.
    pub fn latest_within(&self, _after: Timestamp, _until: Timestamp) -> Option<Timestamp> {
        None
    }
}
