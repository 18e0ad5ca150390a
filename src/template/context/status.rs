//! What the status page sees.

use jiff::Zoned;
use serde::Serialize;

use super::{Context, Link, SiteContext, samples};

/// `page/status.html`: how the house is doing, for its operator. Holds no address and no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusPage {
    pub site: SiteContext,
    pub nav: Vec<Link>,
    /// Postrider's own.
    pub version: String,
    /// When the daemon started.
    pub started_at: Zoned,
    /// When this page was made.
    pub now: Zoned,
    /// Live now.
    pub posts: u64,
    /// Marked as drafts.
    pub drafts: u64,
    /// Worst first.
    pub problems: Vec<ProblemRow>,
    pub feeds: Vec<FeedRow>,
    /// The most read first; only feeds that somebody reads.
    pub readers: Vec<ReaderRow>,
    /// Who is told of what, apart from mail and destinations.
    pub pushes: Vec<PushRow>,
    pub newsletters: Vec<NewsletterRow>,
    pub destinations: Vec<DestinationRow>,
    /// Only channels in which something waits.
    pub queue: Vec<QueueRow>,
    /// Newest first.
    pub editions: Vec<EditionRow>,
    /// Newest first.
    pub events: Vec<EventRow>,
    /// Only states that some delivery is in.
    pub deliveries: Vec<StateCount>,
}

/// Something that an author or the operator should mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemRow {
    /// `error` or `warning`.
    pub severity: String,
    /// `file:line:column`, as far as known.
    pub place: String,
    pub message: String,
    pub effect: Option<String>,
    pub help: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeedRow {
    pub title: String,
    pub url: String,
    /// `RSS 2.0`, `Atom 1.0`, `JSON Feed 1.1`.
    pub format: String,
}

/// How many read a feed, at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReaderRow {
    pub path: String,
    /// Clients that came themselves.
    pub pollers: u64,
    /// Readers that feed services told of.
    pub subscribers: u64,
}

/// A hub or search engine that is owed news, or a feed that has subscribers at our own hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PushRow {
    /// The host of a hub, `index-now`, or the path of a feed.
    pub target: String,
    /// At our own hub.
    pub subscribers: Option<u64>,
    pub owed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewsletterRow {
    pub name: String,
    pub title: String,
    /// The page to subscribe on.
    pub url: String,
    pub cadences: Vec<CadenceRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CadenceRow {
    pub cadence: String,
    /// The cron expression; `none` for `instant`.
    pub expression: Option<String>,
    /// `none` for `instant`, and when it never fires.
    pub next_run: Option<Zoned>,
    pub subscribers: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DestinationRow {
    pub name: String,
    /// How it is doing, in words: `well`, `resting until 12:40 after 5 failures`.
    pub state: String,
    pub healthy: bool,
    pub accepted: u64,
    pub waiting: u64,
    pub rejected: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueRow {
    /// `mail:SERVER` or `destination:NAME`.
    pub channel: String,
    pub waiting: u64,
    /// How many of them wait for a person's decision.
    pub held: u64,
    /// Since when the oldest one waits.
    pub oldest: Option<Zoned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EditionRow {
    pub id: i64,
    pub newsletter: String,
    pub cadence: String,
    pub subject: String,
    pub sealed_at: Zoned,
    /// `sealed`, `paused`, `finished` or `cancelled`.
    pub state: String,
    /// Why it is paused or was cancelled; empty otherwise.
    pub why: String,
    pub accepted: u64,
    pub waiting: u64,
    pub rejected: u64,
    pub uncertain: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    pub at: Zoned,
    /// `edition.sealed`.
    pub kind: String,
    pub text: String,
}

/// How many deliveries are in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateCount {
    pub state: String,
    pub count: u64,
}

impl StatusPage {
    fn new_installation() -> Self {
        Self {
            site: samples::site(),
            nav: samples::nav("Status"),
            version: "0.1.0".to_owned(),
            started_at: samples::now(),
            now: samples::now(),
            posts: 0,
            drafts: 0,
            problems: Vec::new(),
            feeds: Vec::new(),
            readers: Vec::new(),
            pushes: Vec::new(),
            newsletters: Vec::new(),
            destinations: Vec::new(),
            queue: Vec::new(),
            editions: Vec::new(),
            events: Vec::new(),
            deliveries: Vec::new(),
        }
    }
}

impl Context for StatusPage {
    const TEMPLATES: &'static [&'static str] = &["page/status.html"];

    fn samples() -> Vec<(&'static str, Self)> {
        let busy = Self {
            posts: 214,
            drafts: 3,
            problems: samples::problems(),
            feeds: samples::feeds(),
            readers: samples::readers(),
            pushes: samples::pushes(),
            newsletters: samples::newsletters(),
            destinations: samples::destinations(),
            queue: samples::queue(),
            editions: samples::editions(),
            events: samples::events(),
            deliveries: samples::deliveries(),
            ..Self::new_installation()
        };
        vec![("a busy house", busy), ("a new installation", Self::new_installation())]
    }
}
