//! The words of other systems: what they call a status, how they write moments, tags and attributes.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::SkipReason;
use super::systems::{MailchimpList, System};

/// What a row says about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Subscribed,
    /// Left: kept as a no, so that no later import brings them back.
    Left,
    /// Bounced or complained: never mailed again.
    Unwanted(&'static str),
}

const SUPPRESSED: Standing = Standing::Unwanted("import: suppressed");
const BOUNCED: Standing = Standing::Unwanted("import: bounced");
const COMPLAINED: Standing = Standing::Unwanted("import: complained");

/// What `system` means by `status`; an empty one is a yes where the file is a list of subscribers.
pub(super) fn standing(system: System, status: &str) -> Result<Standing, SkipReason> {
    let word = status.to_lowercase();
    match (system, word.as_str()) {
        (System::Mailchimp(list), _) => match list {
            MailchimpList::Subscribed => Ok(Standing::Subscribed),
            MailchimpList::Unsubscribed => Ok(Standing::Left),
            MailchimpList::Cleaned => Ok(BOUNCED),
            MailchimpList::NonSubscribed => Err(SkipReason::NeverConfirmed),
        },
        // Ghost says whether they are subscribed, and itself takes all but `false` for a yes; Substack whether mail is switched off.
        (System::Ghost, "false")
        | (System::Substack, "true")
        | (System::Listmonk, "disabled")
        | (System::Beehiiv, "inactive") => Ok(Standing::Left),
        (System::Beehiiv, "validating" | "needs_attention") => Err(SkipReason::NeverConfirmed),
        (System::Beehiiv, "invalid") => Ok(BOUNCED),
        // What somebody pays is no matter of ours: they get mail.
        (System::Ghost | System::Substack, _)
        | (
            System::Buttondown,
            "premium" | "gifted" | "trialed" | "churning" | "churned" | "past_due" | "paused"
            | "unpaid",
        ) => Ok(Standing::Subscribed),
        _ => common(status, &word),
    }
}

fn common(status: &str, word: &str) -> Result<Standing, SkipReason> {
    match word {
        "" | "active" | "subscribed" | "confirmed" | "enabled" | "regular" => {
            Ok(Standing::Subscribed)
        }
        "unsubscribed" | "left" => Ok(Standing::Left),
        "suppressed" | "blocklisted" | "blocked" | "removed" => Ok(SUPPRESSED),
        "bounced" | "cleaned" | "undeliverable" | "unreachable" => Ok(BOUNCED),
        "complained" | "complaint" => Ok(COMPLAINED),
        "pending" | "unconfirmed" | "unactivated" => Err(SkipReason::NeverConfirmed),
        _ => Err(SkipReason::UnknownStatus(status.to_owned())),
    }
}

/// A moment as other systems write it; in UTC where it does not say. None: it is none, or may be any of two.
///
/// `2026-01-02T03:04:05.678Z`, `2026-01-02 03:04:05`, `2023-03-24 10:23:10 UTC`, and Go's `2026-01-02 03:04:05.6 +0000 UTC`.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let mut words = text.split_whitespace();
    let (date, time, zone) = (words.next()?, words.next(), words.next());
    let utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil).ok();
    let Some(time) = time else {
        let civil = date.parse::<DateTime>().ok();
        return civil
            .or_else(|| Some(date.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight())))
            .and_then(utc);
    };
    match zone {
        Some(zone) if zone.starts_with(['+', '-']) => format!("{date}T{time}{zone}").parse().ok(),
        Some("UTC" | "GMT" | "Z") | None => {
            let written = format!("{date}T{time}");
            written.parse().ok().or_else(|| written.parse().ok().and_then(utc))
        }
        Some(_) => None,
    }
}

/// The tags in a cell: a JSON array, or words between separators.
pub(super) fn tags(cell: &str, separators: &[char]) -> Vec<String> {
    let listed: Option<Vec<String>> =
        if cell.starts_with('[') { serde_json::from_str(cell).ok() } else { None };
    let tags = listed.unwrap_or_else(|| {
        // Mailchimp puts each into quotation marks.
        cell.split(separators).map(|tag| tag.trim_matches([' ', '"']).to_owned()).collect()
    });
    tags.iter().map(|tag| line(tag)).filter(|tag| !tag.is_empty()).collect()
}

/// Attributes in a cell: a JSON object, or what Python prints of a dictionary. Anything else is kept as a text, under `name`.
pub(super) fn attributes(cell: &str, name: &str) -> Map<String, Value> {
    if cell.is_empty() {
        return Map::new();
    }
    let found = serde_json::from_str(cell).ok();
    let found = found.or_else(|| serde_json::from_str(&python_to_json(cell)?).ok());
    found.map_or_else(|| Map::from_iter([(name.to_owned(), Value::from(cell))]), without_nul)
}

/// PostgreSQL reads no JSON in which there is one.
fn without_nul(map: Map<String, Value>) -> Map<String, Value> {
    fn value(it: Value) -> Value {
        match it {
            Value::String(text) => Value::String(text.replace('\0', "")),
            Value::Array(list) => list.into_iter().map(value).collect(),
            Value::Object(map) => Value::Object(without_nul(map)),
            it => it,
        }
    }
    map.into_iter().map(|(name, it)| (name.replace('\0', ""), value(it))).collect()
}

/// A literal as Python's `repr` writes it, as JSON. None: there is more in it than texts, numbers, lists and dictionaries of them.
/// What comes out is still read as JSON: what is not that is not taken.
fn python_to_json(text: &str) -> Option<String> {
    let mut json = String::with_capacity(text.len() + 8);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => json.push_str(&Value::from(python_text(&mut rest, c)?).to_string()),
            'T' => word(&mut rest, "rue", &mut json, "true")?,
            'F' => word(&mut rest, "alse", &mut json, "false")?,
            'N' => word(&mut rest, "one", &mut json, "null")?,
            '{' | '}' | '[' | ']' | ',' | ':' | ' ' | '0'..='9' | '.' | '-' | '+' | 'e' => {
                json.push(c);
            }
            _ => return None,
        }
    }
    Some(json)
}

fn word(rest: &mut std::str::Chars<'_>, ending: &str, json: &mut String, word: &str) -> Option<()> {
    *rest = rest.as_str().strip_prefix(ending)?.chars();
    json.push_str(word);
    Some(())
}

/// What stands before the closing `quote`.
fn python_text(rest: &mut std::str::Chars<'_>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            c if c == quote => return Some(text),
            '\\' => text.push(match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'x' => python_code(rest, 2)?,
                'u' => python_code(rest, 4)?,
                'U' => python_code(rest, 8)?,
                c @ ('\\' | '\'' | '"') => c,
                _ => return None,
            }),
            c => text.push(c),
        }
    }
}

fn python_code(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let code = rest.as_str().get(..digits)?;
    *rest = rest.as_str().get(digits..)?.chars();
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}

/// One line without control characters, for a name or a tag: neither may end a header.
pub(super) fn line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_postgres_cannot_read_is_left_out_of_attributes() {
        let told = attributes(
            r#"{"a\u0000b": "x\u0000", "list": ["\u0000", {"c": "\u0000y"}], "n": 1}"#,
            "x",
        );
        assert_eq!(Value::from(told), json!({"ab": "x", "list": ["", {"c": "y"}], "n": 1}));
    }

    #[test]
    fn moments_are_read_as_each_system_writes_them() {
        let table = [
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"),
            ("2023-03-24 10:23:10 UTC", "2023-03-24T10:23:10Z"),
            ("2022-05-06 07:08:09.123456+00:00", "2022-05-06T07:08:09.123456Z"),
            ("2026-01-02 03:04:05.6 +0200 CEST", "2026-01-02T01:04:05.6Z"),
            ("2026-01-02 03:04:05 +0000 UTC", "2026-01-02T03:04:05Z"),
            ("2026-01-02", "2026-01-02T00:00:00Z"),
        ];
        for (written, meant) in table {
            assert_eq!(
                moment(written).map(|at| at.to_string()).as_deref(),
                Some(meant),
                "{written}"
            );
        }
        for none in [
            "",
            "01/02/2026",
            "yesterday",
            "2026-13-01",
            "2026-01-02 25:00:00",
            "2026-01-02 03:04:05 CET",
            "0",
        ] {
            assert_eq!(moment(none), None, "{none}");
        }
    }

    #[test]
    fn attributes_are_json_or_a_python_dictionary_or_else_a_text() {
        let read = |cell| Value::from(attributes(cell, "metadata"));
        assert_eq!(read(r#"{"city": "Kiel", "age": 42}"#), json!({"city": "Kiel", "age": 42}));
        assert_eq!(
            read(
                r#"{'city': 'Kiel', "it's": "O'Hara", 'vip': True, 'n': None, 'tags': ['a', 1.5], 'x': '\xe9\\n\''}"#
            ),
            json!({"city": "Kiel", "it's": "O'Hara", "vip": true, "n": null, "tags": ["a", 1.5], "x": "é\\n'"})
        );
        for odd in [
            "{'a': datetime.date(2026, 1, 2)}",
            "{'a': (1, 2)}",
            "{'a",
            "'\\x",
            "[1]",
            "free text",
            "{1: 2}",
        ] {
            assert_eq!(read(odd), json!({"metadata": odd}), "{odd}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read(&deep), json!({"metadata": deep}));
        assert_eq!(read(""), json!({}));
    }

    #[test]
    fn tags_stand_between_separators_or_in_an_array() {
        assert_eq!(tags(r#""vip","early bird", "#, &[',']), ["vip", "early bird"]);
        assert_eq!(tags("vip;a,b", &[';']), ["vip", "a,b"]);
        assert_eq!(tags(r#"["a, b", "c"]"#, &[',']), ["a, b", "c"]);
        assert!(tags("", &[',']).is_empty());
    }

    #[test]
    fn a_name_cannot_end_a_header() {
        assert_eq!(line(" Ann\r\nBcc: bob@example.org\u{0} "), "Ann Bcc: bob@example.org");
        assert_eq!(line(&"x".repeat(1_000)).len(), 200);
    }
}
