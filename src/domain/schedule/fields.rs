//! The fields of a cron expression as crontabs mean them, and messages that say what would be right.

use super::ScheduleError;
use super::part::{Part, nearest};
use super::unit::{DAY, HOUR, MINUTE, MONTH, SECOND, Unit, WEEKDAY};

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

const SHAPE: &str = "write minute, hour, day of month, month and weekday, such as `0 7 * * MON`; \
                     a sixth field in front is seconds";

/// An expression that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fields {
    second: Values,
    minute: Values,
    hour: Values,
    day: Values,
    month: Values,
    weekday: Values,
}

/// The values of one field.
#[derive(Debug, Default, PartialEq, Eq)]
struct Values {
    /// Bit n is value n; no field counts beyond 59.
    bits: u64,
    /// Starts with `*`: does not count as restricted when day of month and weekday are weighed.
    starts_with_star: bool,
    has_star: bool,
}

impl Values {
    fn list(&self, shift: u8) -> String {
        let set = (0..60_u8).filter(|n| self.bits & (1 << n) != 0);
        set.map(|n| (n + shift).to_string()).collect::<Vec<_>>().join(",")
    }
}

impl Fields {
    /// A `*` in the hour field.
    pub(super) fn is_interval(&self) -> bool {
        self.hour.has_star
    }

    /// What the `cron` crate is to be asked: a time that any of these names counts. Quartz rules: seconds first,
    /// Sunday = 1, and both day fields must match.
    pub(super) fn quartz(&self) -> Vec<String> {
        let time = [&self.second, &self.minute, &self.hour].map(|values| values.list(0)).join(" ");
        let (day, month) = (self.day.list(0), self.month.list(0));
        let weekday = self.weekday.list(1);
        if self.day.starts_with_star || self.weekday.starts_with_star {
            vec![format!("{time} {day} {month} {weekday}")]
        } else {
            vec![format!("{time} {day} {month} *"), format!("{time} * {month} {weekday}")]
        }
    }
}

/// Reads five fields, six fields or a name such as `@daily`.
pub(super) fn read(expression: &str) -> Result<Fields, ScheduleError> {
    let words = Part::words(expression);
    let whole = match words.first() {
        Some(first) => Part { text: expression.trim(), at: first.at },
        None => {
            return Err(Part { text: expression, at: 0 }
                .refused("a schedule cannot be empty")
                .help(SHAPE));
        }
    };
    for word in &words {
        refuse_spaces_in_lists(*word)?;
    }
    match words.as_slice() {
        [name, others @ ..] if name.text.starts_with('@') => {
            let meaning = nickname(*name)?;
            if others.is_empty() {
                return read(meaning);
            }
            Err(whole.refused(format!("`{}` stands alone", name.text)))
        }
        [minute, hour, day, month, weekday] => {
            let second = Values { bits: 1, ..Values::default() };
            fields(second, [minute, hour, day, month, weekday])
        }
        [second, minute, hour, day, month, weekday] => {
            fields(SECOND.read(*second)?, [minute, hour, day, month, weekday])
        }
        [name] if let Some(known) = nearest(&format!("@{}", name.text.to_lowercase()), names()) => {
            Err(name
                .refused(format!("`{}` is not a schedule", name.text))
                .help(format!("did you mean `{known}`?")))
        }
        words => {
            let s = if words.len() == 1 { "" } else { "s" };
            let message =
                format!("a schedule has five or six fields; this has {} field{s}", words.len());
            Err(whole.refused(message).help(SHAPE))
        }
    }
}

/// The same days, once on each, at a full hour. None: `expression` is none.
pub(super) fn at_hour(expression: &str, hour: u8) -> Option<String> {
    let words: Vec<&str> = Part::words(expression).iter().map(|word| word.text).collect();
    match words[..] {
        [name] => at_hour(nickname(Part { text: name, at: 0 }).ok()?, hour),
        [_, _, day, month, weekday] | [_, _, _, day, month, weekday] => {
            Some(format!("0 {hour} {day} {month} {weekday}"))
        }
        _ => None,
    }
}

fn fields(second: Values, others: [&Part<'_>; 5]) -> Result<Fields, ScheduleError> {
    let [minute, hour, day, month, weekday] = others;
    Ok(Fields {
        second,
        minute: MINUTE.read(*minute)?,
        hour: HOUR.read(*hour)?,
        day: DAY.read(*day)?,
        month: MONTH.read(*month)?,
        weekday: WEEKDAY.read(*weekday)?,
    })
}

/// `MON, TUE` would be counted as two fields, and every message after that would mislead.
fn refuse_spaces_in_lists(word: Part<'_>) -> Result<(), ScheduleError> {
    if word.text.starts_with([',', '-', '/']) || word.text.ends_with([',', '-', '/']) {
        let error = word.refused(format!("`{}` lacks a value at one end", word.text));
        return Err(error.help("write lists, ranges and steps without spaces: `MON,TUE`"));
    }
    Ok(())
}

fn names() -> [&'static str; 7] {
    NICKNAMES.map(|(name, _)| name)
}

/// The five fields behind a name such as `@daily`.
fn nickname(word: Part<'_>) -> Result<&'static str, ScheduleError> {
    let lower = word.text.to_lowercase();
    if let Some((_, fields)) = NICKNAMES.iter().find(|(name, _)| *name == lower) {
        return Ok(fields);
    }
    let error = word.refused(format!("`{}` is not the name of a schedule", word.text));
    Err(error.help(match lower.as_str() {
        "@reboot" => "schedules go by the clock, not by when the program starts".to_owned(),
        "@every" => "write `*/5 * * * *` for every five minutes, `0 */2 * * *` for every two hours"
            .to_owned(),
        _ => nearest(&lower, names()).map_or_else(
            || format!("these are known: {}", names().map(|name| format!("`{name}`")).join(", ")),
            |name| format!("did you mean `{name}`?"),
        ),
    }))
}

impl Unit {
    /// Reads a field: values, ranges and steps, separated by commas.
    fn read(&self, field: Part<'_>) -> Result<Values, ScheduleError> {
        let mut values = Values {
            bits: 0,
            starts_with_star: field.text.starts_with('*'),
            has_star: field.text.contains('*'),
        };
        for item in field.split(',') {
            values.bits |= self.item(item)?;
        }
        Ok(values)
    }

    /// `*`, `5`, `1-5`, each but the second perhaps with `/2`. Returns one bit a value.
    fn item(&self, item: Part<'_>) -> Result<u64, ScheduleError> {
        self.refuse_quartz(item)?;
        let mut parts = item.split('/');
        let (Some(range), step, None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(item.refused(format!("`{}` has two steps", item.text)));
        };
        let (from, to) = self.range(range)?;
        let step = step.map_or(Ok(1), |step| self.step(step))?;
        if item.text.contains('/') && !range.text.contains(['*', '-']) {
            let error = item.refused(format!("`{}` steps through a single value", item.text));
            return Err(error.help(format!("write `{}-{}/{step}`", range.text, self.all.end())));
        }
        // `5-7` is Friday to Sunday, and `FRI-MON` came as `5-8`.
        let value = |n: u8| if self.goes_round() { n % 7 } else { n };
        Ok((from..=to).step_by(step).fold(0, |bits, n| bits | 1 << value(n)))
    }

    /// Weekdays: Saturday is followed by Sunday, which is 0 and 7.
    fn goes_round(&self) -> bool {
        self.last > *self.all.end()
    }

    /// The first and last value that a range names; the last is beyond `self.last` when weekdays go past Sunday.
    fn range(&self, range: Part<'_>) -> Result<(u8, u8), ScheduleError> {
        if range.text == "*" {
            return Ok((*self.all.start(), *self.all.end()));
        }
        let mut ends = range.split('-');
        match (ends.next(), ends.next(), ends.next()) {
            (Some(only), None, None) => self.value(only).map(|n| (n, n)),
            (Some(from), Some(to), None) => {
                let (first, last) = (self.value(from)?, self.value(to)?);
                if first <= last {
                    return Ok((first, last));
                }
                // `FRI-MON` reads naturally and is meant; `22-2` may be, and may be a slip.
                if self.goes_round() {
                    return Ok((first, last + 7));
                }
                let (start, end) = (self.all.start(), self.all.end());
                let (from, to) = (from.text, to.text);
                let error = range.refused(format!("`{}` runs backwards", range.text));
                Err(error.help(format!("write `{from}-{end},{start}-{to}` if it is to go round")))
            }
            _ => Err(range.refused(format!("`{}` has three ends", range.text))),
        }
    }

    fn step(&self, step: Part<'_>) -> Result<usize, ScheduleError> {
        let text = step.not_empty()?.text;
        let most = self.all.len();
        let number = text.parse().ok().filter(|n| step.is_number() && (1..=most).contains(n));
        number.ok_or_else(|| {
            step.refused(format!("`{text}` is not a step of this field: steps are 1 to {most}"))
                .help(
                    "counting starts again with the field, so a longer step would never be reached",
                )
        })
    }
}
