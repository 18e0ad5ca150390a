//! Wall times: when clocks on the wall show what an expression names, and which instants those are.
//!
//! The `cron` crate knows nothing of time zones here: it is fed wall times disguised as UTC, in seconds since
//! 1970-01-01T00:00:00. On its own it skips or doubles runs when clocks change.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::fields::Fields;

/// The wall times of a schedule.
pub(super) struct WallTimes {
    /// A wall time counts if one of these names it: two when day of month *or* weekday decides.
    any_of: Vec<cron::Schedule>,
    interval: bool,
}

impl WallTimes {
    pub(super) fn new(fields: &Fields) -> Self {
        let read = |text: String| {
            cron::Schedule::from_str(&text).expect("lists of numbers within their field's range")
        };
        Self {
            any_of: fields.quartz().into_iter().map(read).collect(),
            interval: fields.is_interval(),
        }
    }

    pub(super) fn is_interval(&self) -> bool {
        self.interval
    }

    /// The first run after `instant`.
    pub(super) fn next_after(&self, zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
        if self.interval { self.next_shown(zone, instant) } else { self.next_fixed(zone, instant) }
    }

    /// Each wall time once. Later wall times never come to earlier instants, so the first one that comes to an instant
    /// after `instant` is the answer; those before it lie in an hour that clocks show a second time.
    fn next_fixed(&self, zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
        let mut wall = shown(whole_seconds(instant), zone.to_offset(instant));
        loop {
            wall = self.next_wall(wall)?;
            let run = first_instant(zone, wall)?;
            if run > instant {
                return Some(run);
            }
        }
    }

    /// Each instant at which the clock shows one of the wall times: period by period, for the offset is the same
    /// between one change of the clocks and the next.
    fn next_shown(&self, zone: &TimeZone, instant: Timestamp) -> Option<Timestamp> {
        let mut offset = zone.to_offset(instant);
        let mut from = whole_seconds(instant);
        for change in zone.following(instant) {
            let run = meant(self.next_wall(shown(from, offset))?, offset);
            if run < change.timestamp().as_second() {
                return Timestamp::from_second(run).ok();
            }
            // The change's own second belongs to the new period.
            from = change.timestamp().as_second() - 1;
            offset = change.offset();
        }
        let run = meant(self.next_wall(shown(from, offset))?, offset);
        Timestamp::from_second(run).ok()
    }

    fn next_wall(&self, wall: i64) -> Option<i64> {
        // `cron` counts years from 1970 and casts earlier ones to huge numbers.
        let after = chrono::DateTime::from_timestamp(wall.max(-1), 0)?;
        let next = |times: &cron::Schedule| times.after(&after).next().map(|at| at.timestamp());
        self.any_of.iter().filter_map(next).min()
    }
}

/// Seconds since 1970, rounded down: runs lie on whole seconds, so those after it are those after `instant`.
fn whole_seconds(instant: Timestamp) -> i64 {
    instant.as_second() - i64::from(instant.subsec_nanosecond() < 0)
}

/// What the clock shows at `second` where `offset` is in force.
fn shown(second: i64, offset: Offset) -> i64 {
    second + i64::from(offset.seconds())
}

/// The second at which the clock shows `wall` where `offset` is in force.
fn meant(wall: i64, offset: Offset) -> i64 {
    wall - i64::from(offset.seconds())
}

/// The first instant at which clocks in `zone` show `wall`, or the first one after the gap that swallows it.
fn first_instant(zone: &TimeZone, wall: i64) -> Option<Timestamp> {
    let shown = Offset::UTC.to_datetime(Timestamp::from_second(wall).ok()?);
    match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            Timestamp::from_second(meant(wall, offset)).ok()
        }
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset after the gap, the wall time lies shortly before the clocks jump.
            let before = Timestamp::from_second(meant(wall, after)).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}
