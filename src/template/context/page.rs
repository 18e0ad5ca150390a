//! What the pages for readers see.

use serde::Serialize;

use super::{Context, FeedRow, NewsletterContext, SiteContext, samples};

/// One entry of the navigation that the operator's pages have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub title: String,
    pub url: String,
    /// Whether it is the page that is shown.
    pub current: bool,
}

/// One choice of how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CadenceChoice {
    /// What the form sends: `weekly`.
    pub value: String,
    /// What people read: `Once a week`.
    pub label: String,
    pub checked: bool,
}

/// `page/index.html`: the front page of Postrider itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexPage {
    pub site: SiteContext,
    /// The list of all posts, where there is one.
    pub archive: Option<String>,
    pub feeds: Vec<FeedRow>,
    /// The pages to subscribe on.
    pub newsletters: Vec<Link>,
    /// The operator's pages.
    pub pages: Vec<Link>,
}

/// `page/subscribe-done.html`: the same whoever asked, so that nobody learns who subscribes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubscribeDonePage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
    /// Whether there is a mail to be confirmed first.
    pub double_opt_in: bool,
}

/// `page/confirm.html`: one button that posts to `action`. A link alone must not subscribe: mail scanners follow links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfirmPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
    /// What is said by pressing the button. It is kept as evidence: show it as it is.
    pub statement: String,
    pub action: String,
}

/// `page/confirmed.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfirmedPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: NewsletterContext,
}

/// `page/unsubscribe.html`: one button that posts to `action`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnsubscribePage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    /// `none` when the page must not tell whether the link is known.
    pub newsletter: Option<NewsletterContext>,
    /// The button posts to it; with `all` as well, the reader leaves all newsletters.
    pub action: String,
    /// Whether there is more than one newsletter to leave.
    pub several: bool,
    /// Whether the subscription has ended already: then there is no button.
    pub done: bool,
}

/// `page/unsubscribed.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnsubscribedPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub newsletter: Option<NewsletterContext>,
    /// Whether a `reason` for leaving was given; it may be posted to the same address.
    pub is_said: bool,
}

/// `page/address.html`: one button that posts to `action` and makes `address` the one that mail goes to; or that it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub address: String,
    pub action: String,
    pub done: bool,
}

/// `page/delete.html`: one button that posts to `action` and deletes all that is known of a reader; or that it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeletePage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    pub action: String,
    /// The preferences.
    pub back: String,
    pub done: bool,
}

/// `page/error.html`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorPage {
    pub site: SiteContext,
    /// BCP 47 tag of the page's own words.
    pub language: String,
    /// The HTTP status.
    pub status: u16,
    /// A sentence or two for the visitor.
    pub message: String,
}

impl Context for IndexPage {
    const TEMPLATES: &'static [&'static str] = &["page/index.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let link = |title: &str, url: &str| Link {
            title: title.to_owned(),
            url: url.to_owned(),
            current: false,
        };
        let full = Self {
            site: samples::site(),
            archive: Some("/archive/".to_owned()),
            feeds: samples::feeds(),
            newsletters: vec![link("Field Notes weekly", "/subscribe/weekly")],
            pages: vec![link("Status", "/status"), link("Outbox", "/outbox")],
        };
        let bare = Self { archive: None, newsletters: Vec::new(), ..full.clone() };
        vec![("everything", full), ("no newsletter", bare)]
    }
}

impl Context for SubscribeDonePage {
    const TEMPLATES: &'static [&'static str] = &["page/subscribe-done.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let (site, newsletter) = (samples::site(), samples::newsletter());
        let language = samples::language();
        let done = Self { site, language, newsletter, double_opt_in: true };
        vec![("a mail", done.clone()), ("at once", Self { double_opt_in: false, ..done })]
    }
}

impl Context for ConfirmPage {
    const TEMPLATES: &'static [&'static str] = &["page/confirm.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let action = "/confirm/token".to_owned();
        let statement = "Yes, I want to get Field Notes weekly by mail.".to_owned();
        let (site, newsletter) = (samples::site(), samples::newsletter());
        let language = samples::language();
        let page = Self { site, language, newsletter, statement, action };
        vec![("a button", page)]
    }
}

impl Context for ConfirmedPage {
    const TEMPLATES: &'static [&'static str] = &["page/confirmed.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        vec![(
            "confirmed",
            Self {
                site: samples::site(),
                language: samples::language(),
                newsletter: samples::newsletter(),
            },
        )]
    }
}

impl Context for UnsubscribePage {
    const TEMPLATES: &'static [&'static str] = &["page/unsubscribe.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let asked = Self {
            site: samples::site(),
            language: samples::language(),
            newsletter: Some(samples::newsletter()),
            action: "/unsubscribe/token".to_owned(),
            several: true,
            done: false,
        };
        let unknown = Self { newsletter: None, ..asked.clone() };
        let done = Self { done: true, ..asked.clone() };
        let german = Self { language: "de".to_owned(), ..asked.clone() };
        vec![
            ("a button", asked),
            ("an unknown link", unknown),
            ("already gone", done),
            ("in German", german),
        ]
    }
}

impl Context for UnsubscribedPage {
    const TEMPLATES: &'static [&'static str] = &["page/unsubscribed.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let known = Self {
            site: samples::site(),
            language: samples::language(),
            newsletter: Some(samples::newsletter()),
            is_said: false,
        };
        let unknown = Self { newsletter: None, ..known.clone() };
        let said = Self { is_said: true, ..unknown.clone() };
        vec![("gone", known), ("an unknown link", unknown), ("a reason", said)]
    }
}

impl Context for AddressPage {
    const TEMPLATES: &'static [&'static str] = &["page/address.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let asked = Self {
            site: samples::site(),
            language: samples::language(),
            address: "ann@example.net".to_owned(),
            action: "/address/token".to_owned(),
            done: false,
        };
        let done = Self { done: true, ..asked.clone() };
        vec![("a button", asked), ("done", done)]
    }
}

impl Context for DeletePage {
    const TEMPLATES: &'static [&'static str] = &["page/delete.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let asked = Self {
            site: samples::site(),
            language: samples::language(),
            action: "/preferences/token/delete".to_owned(),
            back: "/preferences/token".to_owned(),
            done: false,
        };
        let done = Self { done: true, ..asked.clone() };
        vec![("a button", asked), ("done", done)]
    }
}

impl Context for ErrorPage {
    const TEMPLATES: &'static [&'static str] = &["page/error.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let page = |status, message: &str| Self {
            site: samples::site(),
            language: samples::language(),
            status,
            message: message.to_owned(),
        };
        vec![
            ("not found", page(404, "There is nothing at this address.")),
            ("our fault", page(500, "Something went wrong here. It has been noted.")),
        ]
    }
}
