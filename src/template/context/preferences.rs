//! What the preference centre sees.

use jiff::Zoned;
use serde::Serialize;

use super::{CadenceChoice, Context, NewsletterContext, SiteContext, samples};

/// Another newsletter of the same site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherNewsletter {
    pub name: String,
    pub title: String,
    pub description: String,
    /// Whether the reader gets it.
    pub is_active: bool,
}

/// `page/preferences.html`: what a subscriber may change. All its forms post to `action`; `do` says what is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreferencesPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
    pub address: String,
    /// `active`, `pending` or `unsubscribed`.
    pub state: String,
    /// What has just been done.
    pub notice: Option<String>,
    /// What is wrong with what was sent, and where: `cadence`, `send_time`, `timezone`, `address`, or `main` for all of it.
    pub error: Option<String>,
    pub wrong: String,
    pub cadences: Vec<CadenceChoice>,
    pub topics: Vec<CadenceChoice>,
    /// The tags stand in for their names: `{{ choice.value|language_name }}`.
    pub languages: Vec<CadenceChoice>,
    /// Empty where all mail comes at once.
    pub hours: Vec<CadenceChoice>,
    pub timezone: String,
    pub house_zone: String,
    /// All time zones.
    pub zones: Vec<String>,
    pub paused_until: Option<Zoned>,
    pub others: Vec<OtherNewsletter>,
    /// The new address as it was typed, on redisplay; else empty.
    pub typed: String,
    pub action: String,
    pub data_url: String,
    pub delete_url: String,
    pub unsubscribe_url: String,
}

impl Context for PreferencesPage {
    const TEMPLATES: &'static [&'static str] = &["page/preferences.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let full = sample();
        let wrong = Self {
            error: Some("\"Europe/Berlinn\" is not a known time zone.".to_owned()),
            wrong: "timezone".to_owned(),
            timezone: "Europe/Berlinn".to_owned(),
            ..full.clone()
        };
        let cadence = Self {
            error: Some("\"Once a day\" cannot be chosen here.".to_owned()),
            wrong: "cadence".to_owned(),
            ..full.clone()
        };
        let hour = Self {
            error: Some("\"7:30\" is no full hour.".to_owned()),
            wrong: "send_time".to_owned(),
            ..full.clone()
        };
        let address = Self {
            error: Some("\"example\" is not a domain that mail can be sent to.".to_owned()),
            wrong: "address".to_owned(),
            typed: "ann@example".to_owned(),
            ..full.clone()
        };
        let paused = Self {
            paused_until: Some(samples::now()),
            notice: Some("Gespeichert.".to_owned()),
            language: "de".to_owned(),
            topics: Vec::new(),
            others: Vec::new(),
            ..full.clone()
        };
        let left = Self { state: "unsubscribed".to_owned(), ..full.clone() };
        let pending = Self { state: "pending".to_owned(), ..full.clone() };
        vec![
            ("everything", full),
            ("an unknown zone", wrong),
            ("a cadence that is not offered", cadence),
            ("no full hour", hour),
            ("a refused address", address),
            ("a pause", paused),
            ("already gone", left),
            ("not confirmed", pending),
        ]
    }
}

fn sample() -> PreferencesPage {
    let choice = |value: &str, label: &str, checked| CadenceChoice {
        value: value.to_owned(),
        label: label.to_owned(),
        checked,
    };
    PreferencesPage {
        site: samples::site(),
        language: samples::language(),
        newsletter: samples::newsletter(),
        address: "ann@example.org".to_owned(),
        state: "active".to_owned(),
        notice: None,
        error: None,
        wrong: String::new(),
        cadences: vec![
            choice("instant", "Each post as it appears", false),
            choice("weekly", "Once a week", true),
        ],
        topics: vec![
            choice("making", "Making things", true),
            choice("looking", "<Looking>", false),
        ],
        languages: vec![choice("en", "", true), choice("de", "", false)],
        hours: vec![choice("", "When everybody gets it", true), choice("07:00", "07:00", false)],
        timezone: "Europe/Berlin".to_owned(),
        house_zone: "Europe/Berlin".to_owned(),
        zones: vec!["America/New_York".to_owned(), "Europe/Berlin".to_owned()],
        paused_until: None,
        others: vec![OtherNewsletter {
            name: "monthly".to_owned(),
            title: "Field Notes monthly".to_owned(),
            description: "The best of the month.".to_owned(),
            is_active: false,
        }],
        typed: String::new(),
        action: "/preferences/token".to_owned(),
        data_url: "/preferences/token/data".to_owned(),
        delete_url: "/preferences/token/delete".to_owned(),
        unsubscribe_url: "/unsubscribe/token".to_owned(),
    }
}
