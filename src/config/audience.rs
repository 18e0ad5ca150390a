//! Who is meant, and what is kept of them.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::Config;
use crate::domain::{Segment, SegmentError};

/// `[privacy]`: for how long is kept what is about people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    pub keep_attempts: SignedDuration,
    pub keep_events: SignedDuration,
    /// Of wishes to subscribe that nobody confirmed.
    pub keep_pending: SignedDuration,
    /// Of evidence, after somebody left.
    pub keep_consents: SignedDuration,
}

impl Default for Privacy {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        Self {
            keep_attempts: days(180),
            keep_events: days(730),
            keep_pending: days(30),
            keep_consents: days(1_095),
        }
    }
}

impl Config {
    /// The language of each newsletter.
    pub fn houses(&self) -> BTreeMap<String, String> {
        let newsletters = self.newsletters.values();
        newsletters.map(|it| (it.name.clone(), it.language.clone())).collect()
    }

    /// Reads an expression, in which the segments of the configuration may be named.
    pub fn segment(&self, expression: &str) -> Result<Segment, SegmentError> {
        Segment::parse(expression, &self.segments)
    }
}
