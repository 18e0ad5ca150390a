//! What is wrong with what somebody typed or chose: a reason, of which the words are made in the language of whoever reads it.

use super::NotOffered;
use crate::domain::{Cadence, EmailAddressError};
use crate::template::{PutIn, Templates};

/// What is wrong with one answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was given as `{field}` cannot be taken")]
pub struct Mistake {
    /// `address`, `cadence` ..., or `field.NAME` for one of the newsletter's own.
    pub field: String,
    pub wrong: Wrong,
}

/// Why an answer cannot be taken, with what its sentence shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was given where something must be.
    Empty,
    /// A box that must be ticked was not.
    Unticked,
    /// It has line breaks or other control characters.
    ManyLines,
    /// It has more than so many characters.
    TooLong(usize),
    NoNumber,
    NoDate,
    /// It is none of a question's options.
    NoOption,
    NoAddress,
    Address(EmailAddressError),
    /// Nobody may sign up with an address at this domain.
    Domain(String),
    Cadence {
        wish: String,
        offered: Vec<Cadence>,
    },
    Topic(String),
    Language(String),
    TimeZone(String),
    Hour(String),
    /// The newsletter was there when the page was made.
    NoNewsletter,
}

impl Mistake {
    pub fn of(field: &str, wrong: Wrong) -> Self {
        Self { field: field.to_owned(), wrong }
    }
}

impl From<NotOffered> for Wrong {
    fn from(error: NotOffered) -> Self {
        Self::Cadence { wish: shown(&error.cadence), offered: error.offered }
    }
}

impl Wrong {
    /// The sentence for whoever gave the answer.
    pub fn told(&self, templates: &Templates, language: &str) -> String {
        let plain = |key: &str| templates.text(language, key, &[]);
        let with = |key: &str, name: &'static str, value: &str| {
            templates.text(language, key, &[(name, PutIn::Text(value))])
        };
        match self {
            Self::Empty => plain("mistake-empty"),
            Self::Unticked => plain("mistake-tick"),
            Self::ManyLines => plain("mistake-lines"),
            Self::TooLong(most) => {
                templates.text(language, "mistake-too-long", &[("most", number(*most))])
            }
            Self::NoNumber => plain("mistake-number"),
            Self::NoDate => plain("mistake-date"),
            Self::NoOption => plain("mistake-option"),
            Self::NoAddress => plain("address-missing"),
            Self::Address(error) => address(error, templates, language),
            Self::Domain(domain) => with("address-refused", "domain", domain),
            Self::Cadence { wish, offered } => cadence((wish, offered), templates, language),
            Self::Topic(topic) => with("mistake-topic", "topic", topic),
            Self::Language(tag) => with("mistake-language", "language", tag),
            Self::TimeZone(zone) => with("mistake-time-zone", "zone", zone),
            Self::Hour(hour) => with("mistake-hour", "hour", hour),
            Self::NoNewsletter => plain("mistake-newsletter"),
        }
    }
}

fn address(error: &EmailAddressError, templates: &Templates, language: &str) -> String {
    let text = |key: &str, put_in: &[_]| templates.text(language, key, put_in);
    match error {
        EmailAddressError::Shape => text("address-shape", &[]),
        EmailAddressError::LocalPartTooLong(count) => {
            text("address-local-part-too-long", &[("bytes", number(*count))])
        }
        EmailAddressError::TooLong(count) => text("address-too-long", &[("bytes", number(*count))]),
        EmailAddressError::Character(c) => {
            text("address-character", &[("character", PutIn::Text(&c.to_string()))])
        }
        EmailAddressError::LocalPart => text("address-local-part", &[]),
        EmailAddressError::Domain(domain) => {
            text("address-domain", &[("domain", PutIn::Text(domain))])
        }
    }
}

/// Forms on other sites may offer what the newsletter had once: cadences are called as on the form.
fn cadence((wish, offered): (&str, &[Cadence]), templates: &Templates, language: &str) -> String {
    let label = |cadence: &Cadence| templates.text(language, &format!("cadence-{cadence}"), &[]);
    let wish = wish.parse().map_or_else(|_| wish.to_owned(), |known| label(&known));
    let offered = offered.iter().map(label).collect::<Vec<_>>().join(" / ");
    let put_in = [("cadence", PutIn::Text(&wish)), ("offered", PutIn::Text(&offered))];
    templates.text(language, "mistake-cadence", &put_in)
}

fn number(count: usize) -> PutIn<'static> {
    PutIn::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// What a stranger sent, as it may be said back to them.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [&str; 7] = ["en", "de", "fr", "es", "it", "pt", "nl"];

    fn all() -> Vec<Wrong> {
        let offered = vec![Cadence::Instant, Cadence::Weekly];
        let cadence =
            |wish: &str| Wrong::Cadence { wish: wish.to_owned(), offered: offered.clone() };
        vec![
            Wrong::Empty,
            Wrong::Unticked,
            Wrong::ManyLines,
            Wrong::TooLong(100),
            Wrong::NoNumber,
            Wrong::NoDate,
            Wrong::NoOption,
            Wrong::NoAddress,
            Wrong::Address(EmailAddressError::Shape),
            Wrong::Address(EmailAddressError::LocalPartTooLong(65)),
            Wrong::Address(EmailAddressError::TooLong(255)),
            Wrong::Address(EmailAddressError::Character(' ')),
            Wrong::Address(EmailAddressError::LocalPart),
            Wrong::Address(EmailAddressError::Domain("example".to_owned())),
            Wrong::Domain("trash.example".to_owned()),
            cadence("hourly"),
            cadence("daily"),
            Wrong::Topic("knitting".to_owned()),
            Wrong::Language("tlh".to_owned()),
            Wrong::TimeZone("Mars".to_owned()),
            Wrong::Hour("7:30".to_owned()),
            Wrong::NoNewsletter,
        ]
    }

    #[test]
    fn whatever_is_wrong_is_said_in_every_language() {
        let templates = Templates::load(None).unwrap();
        let said = |language: &str| -> Vec<String> {
            all().iter().map(|wrong| wrong.told(&templates, language)).collect()
        };
        let english = said("en");
        for language in LANGUAGES {
            for (text, in_english) in said(language).iter().zip(&english) {
                assert!(!text.is_empty(), "{language}: {in_english}");
                assert!(language == "en" || text != in_english, "{language}: {text}");
            }
        }
        let all = LANGUAGES.map(|language| format!("{language}\n{}", said(language).join("\n")));
        insta::assert_snapshot!(all.join("\n\n"));
    }
}
