//! `[feeds]`, understood.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::SignedDuration;
use url::Url;
use uuid::Uuid;

use crate::domain::{FeedCheck, FeedTopic, FeedWindow};

/// `[feeds]`.
#[derive(Clone, Debug)]
pub struct Feeds {
    /// How much a feed holds.
    pub window: FeedWindow,
    /// Whole posts, or summaries only.
    pub full_text: bool,
    pub about: FeedAbout,
    /// What each gets feeds of its own.
    pub per: Vec<FeedTopic>,
    /// `[feeds.selections.NAME]`.
    pub selections: BTreeMap<String, FeedSelection>,
    pub podcast: Option<Podcast>,
    pub polling: Polling,
    pub self_check: FeedCheck,
    /// A change may mark so many posts as new that are not.
    pub most_marked_new: usize,
    /// `[feeds.hub]`, if it is on.
    pub hub: Option<Hub>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            window: FeedWindow { items: 50, bytes: Some(250_000) },
            full_text: true,
            about: FeedAbout::default(),
            per: Vec::new(),
            selections: BTreeMap::new(),
            podcast: None,
            polling: Polling::default(),
            self_check: FeedCheck::Hold,
            most_marked_new: 10,
            hub: None,
        }
    }
}

impl Feeds {
    /// `WebSub` hubs that are not ours: they want to be told when a feed changes.
    pub fn others_hubs(&self) -> impl Iterator<Item = &Url> {
        let own = self.hub.as_ref().map(|hub| &hub.url);
        self.about.hubs.iter().filter(move |hub| Some(*hub) != own)
    }
}

/// `[feeds.hub]`: a `WebSub` hub for our own feeds.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Where it is asked.
    pub url: Url,
    /// Private networks that subscribers may be in.
    pub allow: Vec<IpNet>,
}

/// What `[feeds]` says of those who ask for feeds.
#[derive(Clone, Debug, Default)]
pub struct Polling {
    /// By path, percent-encoded as requests have it.
    pub moved: BTreeMap<String, FeedTarget>,
    pub gone: BTreeSet<String>,
    /// From one network address. 0: no limit.
    pub requests_per_minute: u32,
}

/// Where a feed is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedTarget {
    /// Here, under another path.
    Path(String),
    Url(Url),
}

/// What all feeds of a site say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedAbout {
    /// A large square picture.
    pub logo: Option<Url>,
    /// A small one.
    pub icon: Option<Url>,
    pub copyright: Option<String>,
    /// How long readers need not look again.
    pub ttl: Option<SignedDuration>,
    /// `WebSub` hubs, our own first.
    pub hubs: Vec<Url>,
}

/// `[feeds.selections.NAME]`: a post is in it that has one of each list that is not empty.
#[derive(Clone, Debug)]
pub struct FeedSelection {
    pub title: Option<String>,
    pub description: String,
    pub wanted: BTreeMap<FeedTopic, Vec<String>>,
    pub window: FeedWindow,
    pub full_text: bool,
}

/// `[feeds.podcast]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Podcast {
    pub title: Option<String>,
    pub description: Option<String>,
    /// One of Apple's, and one of those within it.
    pub category: (String, Option<String>),
    pub explicit: bool,
    pub image: Option<Url>,
    /// Name and address.
    pub owner: Option<(Option<String>, String)>,
    pub guid: Option<Uuid>,
}
