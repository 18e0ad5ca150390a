//! What the outbox pages see: mail and calls that landed as files instead of leaving the house.

use jiff::Zoned;
use serde::Serialize;

use super::{Context, Link, SiteContext, samples};

/// `page/outbox.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    /// Newest first.
    pub mails: Vec<MailRow>,
    /// Newest first.
    pub calls: Vec<CallRow>,
}

/// One mail in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailRow {
    /// The page that shows it.
    pub url: String,
    pub file: String,
    pub to: String,
    pub subject: String,
    pub date: Option<Zoned>,
    /// Bytes.
    pub size: u64,
}

/// One call in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallRow {
    /// The page that shows it.
    pub url: String,
    pub file: String,
    pub destination: String,
    pub at: Option<Zoned>,
    pub title: String,
}

/// One header line of a mail or call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// `page/outbox-mail.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxMailPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    pub file: String,
    pub subject: String,
    /// In the order of the file.
    pub headers: Vec<Header>,
    /// URL of the HTML part, for a sandboxed frame; `none` when there is no such part.
    pub html_src: Option<String>,
    pub text: Option<String>,
    /// The file itself.
    pub raw_url: String,
    pub size_kb: u64,
}

/// `page/outbox-call.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxCallPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    pub file: String,
    pub destination: String,
    pub headers: Vec<Header>,
    /// The body, laid out for people.
    pub body: String,
}

impl Context for OutboxPage {
    const TEMPLATES: &'static [&'static str] = &["page/outbox.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let mail = |file: &str, to: &str, subject: &str| MailRow {
            url: format!("/outbox/mail/{file}"),
            file: file.to_owned(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            date: Some(samples::now()),
            size: 18_432,
        };
        let full = Self {
            site: samples::site(),
            nav: samples::nav("Outbox"),
            mails: vec![
                mail("0002.eml", "ann@example.net", "A walk along the river and 3 more"),
                mail("0001.eml", "bo@example.net", "Please confirm: Field Notes weekly"),
            ],
            calls: vec![CallRow {
                url: "/outbox/http/0003.json".to_owned(),
                file: "0003.json".to_owned(),
                destination: "chat".to_owned(),
                at: Some(samples::now()),
                title: "A walk along the river".to_owned(),
            }],
        };
        let mut undated = full.clone();
        undated.mails[0].date = None;
        undated.calls[0].at = None;
        let empty = Self { mails: Vec::new(), calls: Vec::new(), ..full.clone() };
        vec![("mail and calls", full), ("files without a date", undated), ("nothing yet", empty)]
    }
}

impl Context for OutboxMailPage {
    const TEMPLATES: &'static [&'static str] = &["page/outbox-mail.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let both = Self {
            site: samples::site(),
            nav: samples::nav("Outbox"),
            file: "0002.eml".to_owned(),
            subject: "A walk along the river and 3 more".to_owned(),
            headers: vec![
                samples::header("To", "ann@example.net"),
                samples::header("From", "Field Notes <news@example.org>"),
                samples::header("Date", "Sun, 22 Nov 2026 07:00:00 +0000"),
                samples::header("List-Unsubscribe", "<https://news.example.org/unsubscribe/…>"),
            ],
            html_src: Some("/outbox/mail/0002.eml/html".to_owned()),
            text: Some("FIELD NOTES WEEKLY\n\nA walk along the river".to_owned()),
            raw_url: "/outbox/mail/0002.eml/raw".to_owned(),
            size_kb: 18,
        };
        let text_only = Self { html_src: None, ..both.clone() };
        let broken = Self { html_src: None, text: None, headers: Vec::new(), ..both.clone() };
        vec![("both parts", both), ("text only", text_only), ("a file that is no mail", broken)]
    }
}

impl Context for OutboxCallPage {
    const TEMPLATES: &'static [&'static str] = &["page/outbox-call.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let call = Self {
            site: samples::site(),
            nav: samples::nav("Outbox"),
            file: "0003.json".to_owned(),
            destination: "chat".to_owned(),
            headers: vec![
                samples::header("webhook-id", "del_000003"),
                samples::header("webhook-timestamp", "1795330800"),
            ],
            body: "{\n  \"type\": \"post.published\"\n}".to_owned(),
        };
        vec![("a call", call)]
    }
}
