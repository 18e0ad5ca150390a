//! Dates in every form that engines and people write, to instants.
//!
//! A date without a zone is in the site's; a date without a time is that day's midnight.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

mod words;

#[cfg(test)]
mod tests;

/// Why a date was refused. Each says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DateError {
    #[error("`{text}` can be {day_first} or {month_first}")]
    Ambiguous { text: String, day_first: String, month_first: String },
    #[error("`{0}` is not a day of the calendar or not a time of the day")]
    NoSuchTime(String),
    #[error("`{0}` is not a date")]
    Unknown(String),
    #[error("`{0}` has an unknown time zone")]
    Zone(String),
}

impl DateError {
    /// What to write instead.
    pub(super) fn help(&self) -> String {
        let usual = "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00";
        match self {
            Self::Ambiguous { day_first, month_first, .. } => {
                format!("write {day_first} or {month_first}")
            }
            Self::NoSuchTime(_) | Self::Unknown(_) => usual.to_owned(),
            Self::Zone(_) => format!("{usual}, with the offset in hours and minutes"),
        }
    }
}

/// Whether `text` is one of Eleventy's words for a date that only the build knows, or Hugo's zero date: no date at all.
pub(super) fn is_placeholder(text: &str) -> bool {
    let words = ["last modified", "created", "git last modified", "git created"];
    words.contains(&text.trim().to_lowercase().as_str()) || text.trim().starts_with("0001-01-01")
}

/// Reads a date. `zone` is the site's.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Result<Timestamp, DateError> {
    let text = text.trim();
    if text.len() > 100 {
        return Err(DateError::Unknown(text.chars().take(40).chain(['…']).collect()));
    }
    if text.len() >= 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return digits_only(text, zone);
    }
    if text.contains('[')
        && let Ok(zoned) = text.parse::<jiff::Zoned>()
    {
        return Ok(zoned.timestamp());
    }
    let parts = words::Parts::read(text)?;
    let unknown = || DateError::Unknown(text.to_owned());
    let no_such = |_| DateError::NoSuchTime(text.to_owned());
    let (Some(year), Some(month), Some(day)) = (parts.year, parts.month, parts.day) else {
        return Err(unknown());
    };
    let date = Date::new(year, month, day).map_err(no_such)?;
    // Nobody blogged before that; such years are typing errors like `0224`.
    if year < 1000 {
        return Err(unknown());
    }
    let at = date.to_datetime(parts.time.unwrap_or(Time::midnight()));
    instant(at, parts.zone.as_ref().unwrap_or(zone)).ok_or_else(unknown)
}

/// `20240115`, `20240115103000`, and seconds or milliseconds since 1970.
fn digits_only(text: &str, zone: &TimeZone) -> Result<Timestamp, DateError> {
    let unknown = || DateError::Unknown(text.to_owned());
    let no_such = || DateError::NoSuchTime(text.to_owned());
    let number: i64 = text.parse().map_err(|_| unknown())?;
    match text.len() {
        8 | 14 => {
            let format = if text.len() == 8 { "%Y%m%d" } else { "%Y%m%d%H%M%S" };
            let parsed = jiff::fmt::strtime::parse(format, text).map_err(|_| no_such())?;
            let date = parsed.to_date().map_err(|_| no_such())?;
            let time = parsed.to_time().unwrap_or(Time::midnight());
            instant(date.to_datetime(time), zone).ok_or_else(no_such)
        }
        9 | 10 => Timestamp::from_second(number).map_err(|_| unknown()),
        12 | 13 => Timestamp::from_millisecond(number).map_err(|_| unknown()),
        _ => Err(unknown()),
    }
}

/// A wall time that a DST change skips counts as the one after the gap; of two, the first.
fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).compatible().ok()
}
