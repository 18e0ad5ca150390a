//! Instants and counts in words. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `Mon 2026-10-05 07:00 +02:00`; seconds only where there are any.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    let seconds = if local.second() == 0 { "" } else { ":%S" };
    local.strftime(&format!("%a %Y-%m-%d %H:%M{seconds} %:z")).to_string()
}

/// `now`, `in 40 s`, `in 3 min`, `in 5 h`, `in 2 days`, `in 4 years`; `3 min ago` for the past.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let distance = at.duration_since(now);
    if distance.abs() < SignedDuration::from_secs(1) {
        return "now".to_owned();
    }
    let seconds = distance.abs().as_secs();
    let amount = match seconds {
        ..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", rounded(seconds, 60)),
        5_400..129_600 => format!("{} h", rounded(seconds, 3_600)),
        129_600..63_072_000 => format!("{} days", rounded(seconds, 86_400)),
        63_072_000.. => format!("{} years", rounded(seconds, 31_557_600)),
    };
    if distance.is_positive() { format!("in {amount}") } else { format!("{amount} ago") }
}

fn rounded(seconds: i64, unit: i64) -> i64 {
    (seconds + unit / 2) / unit
}

/// `1 post`, `2 posts`.
pub(super) fn count(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(0);
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// The first `most` characters of a text, with a sign that there is more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// The one of `known` that `name` most likely means.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_distance_in_time_is_told_as_people_would() {
        let now = at("2026-10-05T12:00:00Z");
        for (then, expected) in [
            ("2026-10-05T12:00:00.4Z", "now"),
            ("2026-10-05T12:00:40Z", "in 40 s"),
            ("2026-10-05T12:03:10Z", "in 3 min"),
            ("2026-10-05T16:59:00Z", "in 5 h"),
            ("2026-10-12T12:00:00Z", "in 7 days"),
            ("2030-10-05T12:00:00Z", "in 4 years"),
            ("2026-10-05T11:57:00Z", "3 min ago"),
        ] {
            assert_eq!(relative(at(then), now), expected);
        }
        assert!(relative(Timestamp::MAX, Timestamp::MIN).ends_with("years"));
    }

    #[test]
    fn local_time_names_its_offset() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(local(at("2026-10-25T00:30:00Z"), &zone), "Sun 2026-10-25 02:30 +02:00");
        assert_eq!(local(at("2026-10-25T01:30:05Z"), &zone), "Sun 2026-10-25 02:30:05 +01:00");
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_word() {
        assert_eq!(nearest("helo-world", ["hello-world", "bye"]), Some("hello-world"));
        assert_eq!(nearest("something", ["hello-world", "bye"]), None);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("üüü", 2), "üü…");
        assert_eq!(cut("üü", 2), "üü");
    }
}
