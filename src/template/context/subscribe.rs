//! What the pages see on which people sign up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CadenceChoice, Context, NewsletterContext, SiteContext, samples};

/// One of a newsletter's own questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuestionContext {
    pub name: String,
    pub title: String,
    /// `text`, `number`, `date`, `checkbox` or `choice`.
    pub kind: String,
    pub options: Vec<String>,
    pub required: bool,
    /// What the visitor answered, on redisplay; a ticked box has `on`.
    pub value: String,
    pub error: Option<String>,
}

/// Something that is wrong, for the summary at the top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MistakeContext {
    /// Of the field that it is about.
    pub id: String,
    pub text: String,
}

/// Somebody else's captcha.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptchaContext {
    /// Where their script is.
    pub script: String,
    /// By which the script finds the place for its puzzle.
    pub class: String,
    pub site_key: String,
}

/// `page/subscribe.html`: a form that posts `address`, the answers, `stamp` and the bait `website`, which people don't see and leave
/// empty. And `page/embed-form.html`: the same to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscribePage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
    pub cadences: Vec<CadenceChoice>,
    pub topics: Vec<CadenceChoice>,
    pub languages: Vec<CadenceChoice>,
    /// Hours of the day; none where there is no digest.
    pub send_times: Vec<CadenceChoice>,
    /// The newsletter's time zone.
    pub house_zone: String,
    pub timezone: String,
    pub ask_name: bool,
    pub name: String,
    pub fields: Vec<QuestionContext>,
    /// What the visitor typed, on redisplay; else empty.
    pub address: String,
    /// What is wrong, by the name of the field.
    pub errors: BTreeMap<String, String>,
    /// The same as a list.
    pub mistakes: Vec<MistakeContext>,
    /// Why the form is shown again, if nothing is wrong with the answers.
    pub notice: Option<String>,
    /// What is said by sending the form. It is kept as evidence: show it as it is.
    pub statement: String,
    /// Says when the form was handed out: to be sent along.
    pub stamp: String,
    /// What the browser has to solve first, as JSON, while many sign up.
    pub challenge: Option<String>,
    /// How long to wait instead.
    pub wait_seconds: i64,
    pub captcha: Option<CaptchaContext>,
    /// Where the form posts to.
    pub action: String,
    /// Where the script is that keeps visitors on other sites.
    pub script: String,
}

/// `page/subscribe-embed.html`: the form as HTML, to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscribeEmbedPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
    pub snippet: String,
}

impl Context for SubscribePage {
    const TEMPLATES: &'static [&'static str] = &["page/subscribe.html", "page/embed-form.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let fresh = fresh();
        let wrong = "Enter an address with a full domain, like ann@example.org.".to_owned();
        let again = Self {
            address: "ann@example".to_owned(),
            errors: BTreeMap::from([("address".to_owned(), wrong.clone())]),
            mistakes: vec![MistakeContext { id: "address".to_owned(), text: wrong }],
            ..fresh.clone()
        };
        let bare = NewsletterContext { description: String::new(), ..samples::newsletter() };
        let one = Self {
            cadences: vec![choice("weekly", "Once a week", true)],
            newsletter: bare,
            ..fresh.clone()
        };
        let captcha = CaptchaContext {
            script: "https://captcha.example/api.js".to_owned(),
            class: "h-captcha".to_owned(),
            site_key: "key".to_owned(),
        };
        let stormy = Self {
            notice: Some("Please press the button once more.".to_owned()),
            challenge: Some("{}".to_owned()),
            captcha: Some(captcha),
            ..fresh.clone()
        };
        vec![
            ("the empty form", fresh.clone()),
            ("a refused address", again),
            ("one cadence", one),
            ("many sign up", stormy),
            ("in French", Self { language: "fr".to_owned(), ..asking(fresh.clone()) }),
            ("many questions", asking(fresh)),
        ]
    }
}

fn choice(value: &str, label: &str, checked: bool) -> CadenceChoice {
    CadenceChoice { value: value.to_owned(), label: label.to_owned(), checked }
}

fn fresh() -> SubscribePage {
    SubscribePage {
        site: samples::site(),
        language: samples::language(),
        newsletter: samples::newsletter(),
        cadences: vec![
            choice("instant", "Each post as it appears", false),
            choice("daily", "Once a day", false),
            choice("weekly", "Once a week", true),
        ],
        topics: Vec::new(),
        languages: Vec::new(),
        send_times: Vec::new(),
        house_zone: "Europe/Berlin".to_owned(),
        timezone: String::new(),
        ask_name: false,
        name: String::new(),
        fields: Vec::new(),
        address: String::new(),
        errors: BTreeMap::new(),
        mistakes: Vec::new(),
        notice: None,
        statement: "I want to get Field Notes weekly by mail.".to_owned(),
        stamp: "stamp".to_owned(),
        challenge: None,
        wait_seconds: 20,
        captcha: None,
        action: "/subscribe/weekly".to_owned(),
        script: "/embed.js".to_owned(),
    }
}

fn asking(fresh: SubscribePage) -> SubscribePage {
    let question = |name: &str, kind: &str, error: Option<&str>| QuestionContext {
        name: name.to_owned(),
        title: name.to_owned(),
        kind: kind.to_owned(),
        options: vec!["tea".to_owned(), "coffee".to_owned()],
        required: error.is_some(),
        value: "tea".to_owned(),
        error: error.map(str::to_owned),
    };
    let names = ["address", "name", "cadence", "topics", "language", "send_time", "timezone"];
    SubscribePage {
        topics: vec![choice("tea", "Tea", true), choice("making", "Making things", false)],
        languages: vec![choice("en", "en", true), choice("de", "de", false)],
        send_times: vec![choice("", "With everybody's", true), choice("07:00", "07:00", false)],
        ask_name: true,
        fields: ["text", "number", "date", "checkbox", "choice"]
            .iter()
            .flat_map(|kind| [question("one", kind, None), question("two", kind, Some("Why not?"))])
            .collect(),
        errors: names.map(|name| (name.to_owned(), "This is wrong.".to_owned())).into(),
        ..fresh
    }
}

impl Context for SubscribeEmbedPage {
    const TEMPLATES: &'static [&'static str] = &["page/subscribe-embed.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let snippet = "<form></form>".to_owned();
        vec![(
            "a form",
            Self {
                site: samples::site(),
                language: samples::language(),
                newsletter: samples::newsletter(),
                snippet,
            },
        )]
    }
}
