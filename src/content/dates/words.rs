//! Takes a date apart into its words: numbers, names of months, times, zones.

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};

use super::DateError;

/// What the words of a date said.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) year: Option<i16>,
    pub(super) month: Option<i8>,
    pub(super) day: Option<i8>,
    pub(super) time: Option<Time>,
    pub(super) zone: Option<TimeZone>,
}

const MONTHS: [&str; 12] = [
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
];
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Zone names with one meaning, in hours; `IST` and `CST` beyond America have several and the offset is asked for.
const ZONES: [(&str, i8); 22] = [
    ("z", 0),
    ("utc", 0),
    ("gmt", 0),
    ("ut", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
    ("wet", 0),
    ("west", 1),
    ("cet", 1),
    ("cest", 2),
    ("eet", 2),
    ("eest", 3),
    ("msk", 3),
    ("jst", 9),
    ("aest", 10),
    ("nzst", 12),
];

impl Parts {
    pub(super) fn read(text: &str) -> Result<Self, DateError> {
        let mut parts = Self::default();
        for word in text.split([' ', ',', '\t', '\u{A0}', '\u{202F}']) {
            // `(Central European Time)` repeats the offset before it in what JavaScript prints.
            if word.starts_with('(') {
                break;
            }
            if !is_noise(word) {
                parts.word(word, text)?;
            }
        }
        Ok(parts)
    }

    fn word(&mut self, word: &str, text: &str) -> Result<(), DateError> {
        let unknown = || DateError::Unknown(text.to_owned());
        let lower = word.to_lowercase();
        if let Some(half) = half_of_day(&lower) {
            let time = self.time.ok_or_else(unknown)?;
            self.time = Some(half.of(time).ok_or_else(unknown)?);
        } else if let Some(month) = name_index(&lower, &MONTHS) {
            self.month = Some(month);
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            self.number(&lower, text)?;
        } else if self.time.is_some() || self.day.is_some() {
            self.zone = Some(zone(word).ok_or_else(|| DateError::Zone(text.to_owned()))?);
        } else {
            return Err(unknown());
        }
        Ok(())
    }

    /// A word that begins with a digit: a whole date, a time, a day or a year.
    fn number(&mut self, word: &str, text: &str) -> Result<(), DateError> {
        let unknown = || DateError::Unknown(text.to_owned());
        let end = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        match word.as_bytes().get(end) {
            Some(b'-' | b'/' | b'.') if self.day.is_none() && word.len() > end + 1 => {
                self.date(word, text)
            }
            Some(b':') => self.time_and_zone(word, text),
            None if end == 4 => set(&mut self.year, word.parse().ok()).ok_or_else(unknown),
            None => self.day_number(word).ok_or_else(unknown),
            // `8th`, `15.`
            Some(_) if ["st", "nd", "rd", "th", "."].contains(&&word[end..]) => {
                self.day_number(&word[..end]).ok_or_else(unknown)
            }
            Some(_) => match half_of_day(&word[end..]) {
                Some(half) => {
                    let hour =
                        word[..end].parse().ok().and_then(|hour| Time::new(hour, 0, 0, 0).ok());
                    self.time = Some(hour.and_then(|time| half.of(time)).ok_or_else(unknown)?);
                    Ok(())
                }
                None => Err(unknown()),
            },
        }
    }

    fn day_number(&mut self, digits: &str) -> Option<()> {
        set(&mut self.day, digits.parse().ok().filter(|day| (1..=31).contains(day)))
    }

    /// `2024-01-15`, `2024/1/5`, `2024.01.15`, `15.01.2024`, `15/01/2024`; a time may follow after `T`.
    fn date(&mut self, word: &str, text: &str) -> Result<(), DateError> {
        let unknown = || DateError::Unknown(text.to_owned());
        let (date, time) = match word.find('t') {
            Some(at) => (&word[..at], Some(&word[at + 1..])),
            None => (word, None),
        };
        let separator =
            date.find(['-', '/', '.']).map_or('-', |at| char::from(date.as_bytes()[at]));
        let numbers: Vec<&str> = date.split(separator).collect();
        let [first, second, third] = numbers[..] else { return Err(unknown()) };
        let number = |digits: &str| digits.parse::<i16>().ok().filter(|_| digits.len() <= 4);
        let (Some(a), Some(b), Some(c)) = (number(first), number(second), number(third)) else {
            return Err(unknown());
        };
        let (year, month, day) = match (first.len(), third.len()) {
            (4, 1 | 2) => (a, b, c),
            (1 | 2, 4) if separator == '.' => (c, b, a),
            (1 | 2, 4) => order(text, a, b, c)?,
            _ => return Err(unknown()),
        };
        self.year = Some(year);
        self.month = i8::try_from(month).ok();
        self.day = i8::try_from(day).ok();
        time.map_or(Ok(()), |time| self.time_and_zone(time, text))
    }

    /// `10:00`, `9:05:07.123`, with `Z`, `+02:00` or `pm` glued to it.
    fn time_and_zone(&mut self, word: &str, text: &str) -> Result<(), DateError> {
        let end =
            word.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(word.len());
        let (clock, rest) = word.split_at(end);
        let time = clock_time(clock).ok_or_else(|| DateError::NoSuchTime(text.to_owned()))?;
        set(&mut self.time, Some(time)).ok_or_else(|| DateError::Unknown(text.to_owned()))?;
        if rest.is_empty() { Ok(()) } else { self.word(rest, text) }
    }
}

/// Weekdays and little words: they say nothing that the rest does not.
fn is_noise(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["", "at", "of", "um", "à"].contains(&&*lower) || name_index(&lower, &WEEKDAYS).is_some()
}

/// Which of two numbers is the month in `a/b/year`: told only if one of them cannot be.
fn order(text: &str, a: i16, b: i16, year: i16) -> Result<(i16, i16, i16), DateError> {
    if a > 12 || a == b {
        return Ok((year, b, a));
    }
    if b > 12 {
        return Ok((year, a, b));
    }
    Err(DateError::Ambiguous {
        text: text.to_owned(),
        day_first: format!("{year:04}-{b:02}-{a:02}"),
        month_first: format!("{year:04}-{a:02}-{b:02}"),
    })
}

/// Fills a slot once; a second year or day in one date is nonsense.
fn set<T>(slot: &mut Option<T>, value: Option<T>) -> Option<()> {
    if slot.is_some() {
        return None;
    }
    *slot = Some(value?);
    Some(())
}

/// The place, from 1, of a name that is written out or as its first three letters, perhaps with a point.
fn name_index(word: &str, names: &[&str]) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let at = names.iter().position(|name| {
        word.len() >= 3
            && (*name == word || name[..3] == *word || (word == "sept" && name.starts_with(word)))
    })?;
    i8::try_from(at + 1).ok()
}

#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

fn half_of_day(word: &str) -> Option<Half> {
    match word {
        "am" | "a.m." => Some(Half::Morning),
        "pm" | "p.m." => Some(Half::Afternoon),
        _ => None,
    }
}

impl Half {
    /// `time` on the twelve-hour clock.
    fn of(self, time: Time) -> Option<Time> {
        let hour = match (self, time.hour()) {
            (Self::Morning, 12) => 0,
            (Self::Morning, hour @ 1..=11) | (Self::Afternoon, hour @ 12) => hour,
            (Self::Afternoon, hour @ 1..=11) => hour + 12,
            _ => return None,
        };
        time.with().hour(hour).build().ok()
    }
}

/// `10:00`, `9:05:07`, `9:05:07.123`.
fn clock_time(text: &str) -> Option<Time> {
    let mut fields = text.splitn(3, ':');
    let hour = fields.next()?.parse().ok()?;
    let minute = fields.next().filter(|minute| minute.len() == 2)?.parse().ok()?;
    let (second, fraction) = match fields.next() {
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "")),
        None => ("0", ""),
    };
    // jiff has no leap seconds either.
    let second = second.parse().ok().map(|second: i8| if second == 60 { 59 } else { second })?;
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Time::new(hour, minute, second, nanos.parse().ok()?).ok()
}

/// `Z`, `UTC`, `GMT+0100`, `+02:00`, `-0500`, `+02`, `EST`, `Europe/Berlin`.
fn zone(word: &str) -> Option<TimeZone> {
    let lower = word.to_lowercase();
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == lower) {
        return Some(Offset::from_hours(*hours).ok()?.to_time_zone());
    }
    if word.contains('/') {
        return TimeZone::get(word).ok();
    }
    let offset = ["utc", "gmt"].iter().find_map(|name| lower.strip_prefix(name)).unwrap_or(&lower);
    let (sign, digits) = match (offset.strip_prefix('+'), offset.strip_prefix(['-', '−'])) {
        (Some(digits), _) => (1, digits),
        (None, Some(digits)) => (-1, digits),
        (None, None) => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(both) => both,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |digits: &str| {
        digits
            .parse::<i32>()
            .ok()
            .filter(|_| (1..=2).contains(&digits.len()) && !digits.starts_with(['+', '-']))
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok().map(Offset::to_time_zone)
}
