//! What a form brings: read as a whole, with everything that is wrong said at once and beside its question.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mistake::shown;
use super::{Mistake, Wrong, offered};
use crate::config::{DomainRules, FieldKind, FormField, Newsletter};
use crate::domain::{Choice, EmailAddress, SendTime, Topics};

/// Characters of a name at most.
const NAME: usize = 100;
/// Characters of a line of text at most.
const LINE: usize = 500;
/// Letters of a time zone's name at most.
const ZONE: usize = 64;

/// What a visitor filled in, as they typed it. All of it may be missing: forms on other sites are written by hand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Answers {
    pub address: String,
    pub name: String,
    /// The newsletter's default when empty, as are all of a choice.
    pub cadence: String,
    pub topics: Vec<String>,
    pub language: String,
    pub timezone: String,
    pub send_time: String,
    /// By the names of the newsletter's own fields; others are not looked at.
    pub fields: BTreeMap<String, String>,
}

/// Answers that make sense.
#[derive(Clone, Debug)]
pub struct Wish {
    pub address: EmailAddress,
    pub kept: Kept,
}

/// What is kept of answers beside the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub choice: Choice,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

impl Answers {
    /// What the visitor wants of `newsletter`, or all that is wrong.
    pub fn read(&self, newsletter: &Newsletter, rules: &DomainRules) -> Result<Wish, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let address = take(&mut mistakes, "address", address(&self.address, rules));
        let name = take(&mut mistakes, "name", name(&self.name, newsletter.questions.ask_name));
        let cadence = offered(newsletter, Some(&self.cadence)).map_err(Wrong::from);
        let cadence = take(&mut mistakes, "cadence", cadence);
        let topics = take(&mut mistakes, "topics", topics(&self.topics, newsletter));
        let language = take(&mut mistakes, "language", language(&self.language, newsletter));
        let timezone = take(&mut mistakes, "timezone", timezone(&self.timezone, newsletter));
        let send_time = take(&mut mistakes, "send_time", send_time(&self.send_time));
        let mut attributes = Map::new();
        for field in &newsletter.questions.fields {
            let given = self.fields.get(&field.name).map(String::as_str).unwrap_or_default();
            let answer = attribute(field, given);
            let answer = take(&mut mistakes, &format!("field.{}", field.name), answer);
            attributes.extend(answer.flatten().map(|value| (field.name.clone(), value)));
        }
        let choice = (|| {
            let (cadence, topics, language) = (cadence?, topics?, language?);
            Some(Choice { cadence, topics, language, timezone: timezone?, send_time: send_time? })
        })();
        match (address, name, choice) {
            (Some(address), Some(name), Some(choice)) if mistakes.is_empty() => {
                Ok(Wish { address, kept: Kept { choice, name, attributes } })
            }
            _ => Err(mistakes),
        }
    }
}

fn take<T>(mistakes: &mut Vec<Mistake>, field: &str, answer: Result<T, Wrong>) -> Option<T> {
    answer.map_err(|wrong| mistakes.push(Mistake::of(field, wrong))).ok()
}

/// The address that somebody typed, at a domain that is welcome.
pub(super) fn address(text: &str, rules: &DomainRules) -> Result<EmailAddress, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::NoAddress);
    }
    let address: EmailAddress = text.parse().map_err(Wrong::Address)?;
    if !rules.admit(address.domain()) {
        return Err(Wrong::Domain(address.domain().to_owned()));
    }
    Ok(address)
}

fn name(text: &str, is_asked: bool) -> Result<String, Wrong> {
    if is_asked { line(text, NAME) } else { Ok(String::new()) }
}

/// One line, without what only confuses.
fn line(text: &str, most: usize) -> Result<String, Wrong> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(Wrong::ManyLines);
    }
    if text.chars().count() > most {
        return Err(Wrong::TooLong(most));
    }
    Ok(text.to_owned())
}

/// All topics are as none: whoever wants everything wants what is of no topic, too.
fn topics(chosen: &[String], newsletter: &Newsletter) -> Result<Topics, Wrong> {
    let chosen: Vec<_> = chosen.iter().map(|it| it.trim()).filter(|it| !it.is_empty()).collect();
    if let Some(unknown) = chosen.iter().find(|topic| !newsletter.topics.contains_key(**topic)) {
        return Err(Wrong::Topic(shown(unknown)));
    }
    let topics: Topics = chosen.into_iter().collect();
    let is_all = topics.iter().count() == newsletter.topics.len();
    Ok(if is_all { Topics::default() } else { topics })
}

fn language(tag: &str, newsletter: &Newsletter) -> Result<Option<String>, Wrong> {
    let tag = tag.trim();
    if tag.is_empty() {
        return Ok(None);
    }
    let known = newsletter.offered_languages().find(|known| known.eq_ignore_ascii_case(tag));
    let known = known.ok_or_else(|| Wrong::Language(shown(tag)))?;
    Ok((known != newsletter.language).then(|| known.to_owned()))
}

/// That of the newsletter is as none: they get theirs with everybody else.
fn timezone(name: &str, newsletter: &Newsletter) -> Result<Option<String>, Wrong> {
    let house = newsletter.zone().and_then(TimeZone::iana_name);
    Ok(zone(name)?.filter(|name| house != Some(name)))
}

/// The name of a time zone as the database of zones spells it; none for an empty one.
pub(super) fn zone(text: &str) -> Result<Option<String>, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let zone = Some(text).filter(|text| text.len() <= ZONE).and_then(|text| {
        let zone = TimeZone::get(&text.replace(' ', "_")).ok()?;
        zone.iana_name().map(str::to_owned)
    });
    zone.map(Some).ok_or_else(|| Wrong::TimeZone(shown(text)))
}

/// The hour at which somebody wants their digest; none for an empty one.
pub(super) fn send_time(text: &str) -> Result<Option<SendTime>, Wrong> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Wrong::Hour(shown(text))),
    }
}

/// The answer to one of the newsletter's own questions; none if there is none.
fn attribute(field: &FormField, given: &str) -> Result<Option<Value>, Wrong> {
    let text = line(given, LINE)?;
    if field.kind == FieldKind::Checkbox {
        let ticked = !["", "false", "off", "no", "0"].contains(&text.to_ascii_lowercase().as_str());
        return match (ticked, field.required) {
            (false, true) => Err(Wrong::Unticked),
            _ => Ok(Some(Value::Bool(ticked))),
        };
    }
    if text.is_empty() {
        return if field.required { Err(Wrong::Empty) } else { Ok(None) };
    }
    let value = match &field.kind {
        FieldKind::Number => number(&text).ok_or(Wrong::NoNumber)?,
        FieldKind::Date => {
            let day: Date = text.parse().map_err(|_| Wrong::NoDate)?;
            Value::String(day.to_string())
        }
        FieldKind::Choice(options) if !options.contains(&text) => {
            return Err(Wrong::NoOption);
        }
        FieldKind::Choice(_) | FieldKind::Text | FieldKind::Checkbox => Value::String(text),
    };
    Ok(Some(value))
}

/// With a point or a comma, as people write them.
fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let number: f64 = text.replace(',', ".").parse().ok()?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::fixture::{House, asks_everything};
    use crate::domain::Cadence;
    use crate::template::Templates;

    async fn newsletter() -> Newsletter {
        let mut newsletter = House::new().await.config.newsletters["weekly"].clone();
        asks_everything(&mut newsletter);
        newsletter
    }

    fn answers(fields: &[(&str, &str)]) -> Answers {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Answers {
            address: "ann@example.org".to_owned(),
            fields: fields.collect(),
            ..Answers::default()
        }
    }

    #[tokio::test]
    async fn answers_are_kept_as_what_they_are() {
        let given = Answers {
            name: " Ann \u{1f431} ".to_owned(),
            cadence: "Instant".to_owned(),
            topics: vec!["tea".to_owned()],
            language: "DE".to_owned(),
            timezone: "europe/berlin".to_owned(),
            send_time: "7".to_owned(),
            ..answers(&[("cats", "2,5"), ("rules", "on"), ("born", "2000-02-29"), ("odd", "x")])
        };
        let wish = given.read(&newsletter().await, &DomainRules::default()).unwrap();
        assert_eq!(wish.kept.name, "Ann \u{1f431}");
        let choice = &wish.kept.choice;
        assert_eq!((choice.cadence, choice.language.as_deref()), (Cadence::Instant, Some("de")));
        assert_eq!(choice.timezone.as_deref(), Some("Europe/Berlin"));
        assert!(choice.topics.contains("tea") && !choice.topics.contains("making"));
        let attributes = serde_json::to_string(&wish.kept.attributes).unwrap();
        assert_eq!(attributes, r#"{"born":"2000-02-29","cats":2.5,"rules":true}"#);
    }

    #[tokio::test]
    async fn whoever_leaves_everything_as_it_is_gets_what_the_newsletter_has() {
        let all = Answers {
            topics: vec!["tea".to_owned(), "making".to_owned()],
            language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            ..answers(&[("cats", "0"), ("rules", "on")])
        };
        let wish = all.read(&newsletter().await, &DomainRules::default()).unwrap();
        assert_eq!(wish.kept.choice, Choice::of(Cadence::Weekly));
    }

    #[tokio::test]
    async fn everything_that_is_wrong_is_said_at_once() {
        let given = Answers {
            address: "ann".to_owned(),
            name: "x".repeat(101),
            cadence: "hourly".to_owned(),
            topics: vec!["knitting".to_owned()],
            language: "xx".to_owned(),
            timezone: "Mars/Olympus\u{7}".to_owned(),
            send_time: "7:30".to_owned(),
            ..answers(&[
                ("born", "2001-02-29"),
                ("cats", "NaN"),
                ("drink", "gin"),
                ("town", "a\r\nBcc: b"),
            ])
        };
        let mistakes = given.read(&newsletter().await, &DomainRules::default()).unwrap_err();
        let templates = Templates::load(None).unwrap();
        let said = |it: &Mistake| format!("{}: {}", it.field, it.wrong.told(&templates, "en"));
        insta::assert_snapshot!(mistakes.iter().map(said).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_zone_is_one_that_is_known_in_any_case() {
        assert_eq!(zone("").unwrap(), None);
        assert_eq!(zone(" europe/berlin ").unwrap().as_deref(), Some("Europe/Berlin"));
        assert_eq!(zone("America/New York").unwrap().as_deref(), Some("America/New_York"));
        for wrong in ["Berlin", "../../etc/passwd", "Europe/", "<b>", &"x".repeat(9_000)] {
            let shown = wrong.chars().take(40).collect();
            assert_eq!(zone(wrong), Err(Wrong::TimeZone(shown)), "{wrong}");
        }
    }
}
