//! Who is due: which subscriptions a statement is about, and who of them is passed over.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::engine::Tx;
use super::segments::{Houses, SegmentSql};
use crate::domain::{Cadence, EditionId, Segment, Slot, SubscriptionId};

/// The subscriptions that are due.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// All of a cadence.
    Cadence(Cadence),
    /// Those of a cadence whom this means. The others stay as they are.
    Meant(Cadence, &'a Segment),
    /// Those of a cadence whose digests fall due at these times.
    Slots(Cadence, &'a [Slot]),
    /// Those who went over to the instant cadence, or are owed something in it.
    CatchingUp,
    /// Those who had a delivery of this edition.
    Edition(EditionId),
    /// Only this one.
    One(SubscriptionId),
}

/// The subscriptions of a newsletter that are due.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    pub newsletter: &'a str,
    pub whose: Whose<'a>,
    /// Who else is passed over as if they had paused.
    pub audience: Option<&'a Segment>,
    /// The languages of newsletters, by which `audience` may ask.
    pub houses: &'a Houses,
}

#[derive(Serialize)]
struct SlotRow<'a> {
    timezone: &'a str,
    send_time: String,
}

/// Stands for the condition of the audience in the statements below.
const AUDIENCE: &str = "/* audience */";
/// Stands for the condition of `Whose::Meant`.
pub(super) const MEANT: &str = "/* meant */";

/// Whether a subscription may be mailed at `$2`.
macro_rules! reachable_sql {
    () => {
        "(p.suppressed_at IS NULL AND (s.paused_until IS NULL OR s.paused_until <= $2) AND /* audience */)"
    };
}

/// `$before`, the condition that subscriptions are of `$whose`, `$after`; for either engine. Binds: `$1` the newsletter, `$2` now, `$3`
/// and `$4` what `bounds` gives, `$5` the values of the audience.
macro_rules! due_sql {
    ($whose:expr, $is_postgres:expr, $before:expr, $after:expr) => {
        match ($whose, $is_postgres) {
            (Whose::Cadence(_), _) => due_sql!(@ $before, "s.cadence = $4 AND $3 = ''", $after),
            (Whose::Meant(..), _) => {
                due_sql!(@ $before, "s.cadence = $4 AND $3 = '' AND /* meant */", $after)
            }
            (Whose::Slots(..), false) => due_sql!(
                @ $before,
                "s.cadence = $4 AND (s.timezone, s.send_time) IN (SELECT value->>'timezone', value->>'send_time' \
                 FROM json_each($3))",
                $after
            ),
            (Whose::Slots(..), true) => due_sql!(
                @ $before,
                "s.cadence = $4 AND (s.timezone, s.send_time) IN (SELECT value->>'timezone', value->>'send_time' \
                 FROM jsonb_array_elements(CAST($3 AS jsonb)) AS each(value))",
                $after
            ),
            (Whose::CatchingUp, _) => {
                due_sql!(
                    @ $before,
                    "(s.catches_up OR (s.cadence = 'instant' AND s.owed <> '')) AND $3 = '' AND $4 = ''",
                    $after
                )
            }
            (Whose::Edition(_), _) => due_sql!(
                @ $before,
                "s.id IN (SELECT d.subscription_id FROM editions e JOIN deliveries d \
                 ON d.id BETWEEN e.first_delivery AND e.last_delivery WHERE e.id = CAST($3 AS BIGINT)) AND $4 = ''",
                $after
            ),
            (Whose::One(_), _) => {
                due_sql!(@ $before, "s.id = CAST($3 AS BIGINT) AND $4 = ''", $after)
            }
        }
    };
    (@ $before:expr, $condition:literal, $after:expr) => {
        concat!($before, "s.newsletter = $1 AND s.state = 'active' AND ", $condition, $after)
    };
}

pub(super) use {due_sql, reachable_sql};

impl Whose<'_> {
    pub(super) fn bounds(&self) -> (String, &'static str) {
        match self {
            Self::Cadence(cadence) | Self::Meant(cadence, _) => (String::new(), cadence.as_str()),
            Self::Slots(cadence, slots) => {
                let rows: Vec<_> = slots.iter().map(SlotRow::of).collect();
                (
                    serde_json::to_string(&rows).expect("texts can be written as JSON"),
                    cadence.as_str(),
                )
            }
            Self::CatchingUp => (String::new(), ""),
            Self::Edition(id) => (id.0.to_string(), ""),
            Self::One(id) => (id.0.to_string(), ""),
        }
    }
}

impl<'a> SlotRow<'a> {
    fn of(slot: &'a Slot) -> Self {
        Self {
            timezone: slot.timezone.as_deref().unwrap_or_default(),
            send_time: slot.send_time.map(|time| time.to_string()).unwrap_or_default(),
        }
    }
}

impl Tx {
    /// A statement of `due_sql`, with what stands for conditions replaced by them; and what to bind as `$5`.
    pub(super) fn filled(
        &self,
        sql: &str,
        due: Due<'_>,
        now: Timestamp,
    ) -> (AssertSqlSafe<String>, String) {
        let meant: Vec<_> = match due.whose {
            Whose::Meant(_, segment) => vec![segment],
            _ => Vec::new(),
        };
        let audience: Vec<_> = due.audience.into_iter().collect();
        let engine = (self.is_postgres(), 5);
        let [audience, meant] = SegmentSql::each([&audience, &meant], due.houses, engine, now);
        let sql = sql.replace(AUDIENCE, &audience.condition).replace(MEANT, &meant.condition);
        (AssertSqlSafe(sql), audience.values)
    }

    /// `sql` with the audience in its place, and what to bind for it as `$parameter`.
    pub(super) fn with_audience(
        &self,
        sql: &str,
        (audience, houses): (Option<&Segment>, &Houses),
        parameter: usize,
        now: Timestamp,
    ) -> (AssertSqlSafe<String>, String) {
        let audience: Vec<_> = audience.into_iter().collect();
        let audience = SegmentSql::all(&audience, houses, (self.is_postgres(), parameter), now);
        (AssertSqlSafe(sql.replace(AUDIENCE, &audience.condition)), audience.values)
    }
}
