//! `[feeds]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;
use crate::domain::{FeedCheck, FeedTopic};

/// RSS, Atom and JSON Feed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Feeds {
    /// At most so many posts in a feed. Older ones are in its archive, whose documents hold half as many, 100 at most.
    #[schemars(range(min = 1, max = 1000))]
    pub items: u32,
    /// About so many kilobytes of posts in a feed, where `items` are more; ten posts in any case. Not for the podcast. 0: `items`
    /// alone counts.
    #[schemars(range(min = 0, max = 100_000))]
    pub kilobytes: u32,
    /// Whole posts; `false` for summaries only.
    pub full_text: bool,
    /// Picture that readers show for the feeds: square, at least 512 pixels wide. An address, or a path on the site such as `/logo.png`.
    pub logo: Option<String>,
    /// The same for where there is little room: square, at least 64 pixels wide.
    pub icon: Option<String>,
    /// Who may do what with the posts: `© 2026 Ada Moss. CC BY 4.0`.
    pub copyright: Option<String>,
    /// How long readers need not look again: at least a minute.
    #[schemars(extend("x-default" = "readers decide"))]
    pub ttl: Option<Duration>,
    /// Addresses of `WebSub` hubs that tell readers of new posts. The main feed, the podcast and the feeds of `selections` name
    /// them, and they are told when one of these changes.
    pub hubs: Vec<String>,
    /// What each gets feeds of its own: `/tags/SLUG/feed.xml` and its likes hold the posts with one tag. `[]`: nothing.
    pub per: Vec<FeedTopic>,
    /// Where feeds were, and the path or URL of each now: readers are led on, and remember it.
    pub moved: BTreeMap<String, String>,
    /// Paths of feeds that are no more: readers are told that they need not ask again.
    pub gone: Vec<String>,
    /// How often one network address may ask for feeds in a minute; "nothing new" counts a quarter. 0: as often as it likes.
    #[schemars(range(min = 0, max = 100_000))]
    pub requests_per_minute: u32,
    /// What becomes of a change that would look wrong to readers of feeds.
    pub self_check: FeedCheck,
    /// A change may mark so many posts as new that are not. More are held, or told, as `self_check` says.
    #[schemars(range(min = 0, max = 1000))]
    pub most_marked_new: u32,
    pub selections: BTreeMap<String, FeedSelection>,
    pub podcast: Option<Podcast>,
    pub hub: Hub,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            items: 50,
            kilobytes: 250,
            full_text: true,
            logo: None,
            icon: None,
            copyright: None,
            ttl: None,
            hubs: Vec::new(),
            per: vec![FeedTopic::Tag, FeedTopic::Category, FeedTopic::Language],
            moved: BTreeMap::new(),
            gone: Vec::new(),
            requests_per_minute: 120,
            self_check: FeedCheck::Hold,
            most_marked_new: 10,
            selections: BTreeMap::new(),
            podcast: None,
            hub: Hub::default(),
        }
    }
}

/// A `WebSub` hub of our own, at `/websub`: readers that subscribe there are sent each feed as it changes, also those of topics.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Hub {
    /// Whether there is one.
    pub enabled: bool,
    /// Private networks that subscribers may be in; all others must be public.
    pub allow: Vec<String>,
}

/// A feed of chosen posts, at `/feeds/NAME/feed.xml`, `atom.xml` and `feed.json`. A post is in it that has one of each list that
/// is not empty.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct FeedSelection {
    /// What readers see.
    #[schemars(extend("x-default" = "`site.title` and the name"))]
    pub title: Option<String>,
    /// One sentence about it.
    pub description: String,
    /// Posts with one of these tags.
    pub tags: Vec<String>,
    /// Posts in one of these categories.
    pub categories: Vec<String>,
    /// Posts by one of these people.
    pub authors: Vec<String>,
    /// Posts in one of these languages; `en` is `en-GB` too.
    pub languages: Vec<String>,
    /// Posts in one of these sections.
    pub sections: Vec<String>,
    /// At most so many posts, the newest.
    #[schemars(range(min = 1, max = 1000), extend("x-default" = "`feeds.items`"))]
    pub items: Option<u32>,
    /// About so many kilobytes of posts, where `items` are more; ten posts in any case. 0: `items` alone counts.
    #[schemars(range(min = 0, max = 100_000), extend("x-default" = "`feeds.kilobytes`"))]
    pub kilobytes: Option<u32>,
    /// Whole posts; `false` for summaries only.
    #[schemars(extend("x-default" = "`feeds.full_text`"))]
    pub full_text: Option<bool>,
}

/// The posts with audio as a podcast, at `/podcast.xml`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Podcast {
    /// What listeners see.
    #[schemars(extend("x-default" = "`site.title` and a ♪"))]
    pub title: Option<String>,
    /// What it is about.
    #[schemars(extend("x-default" = "`site.description`"))]
    pub description: Option<String>,
    /// As Apple names them: `Technology`, `Society & Culture/Documentary`.
    #[schemars(extend("x-required" = true))]
    pub category: Option<String>,
    /// Whether it is for adults only.
    pub explicit: bool,
    /// Cover: square, 1400 to 3000 pixels wide. An address, or a path on the site.
    #[schemars(extend("x-default" = "`feeds.logo`"))]
    pub image: Option<String>,
    /// Where directories ask whether the podcast is yours: `Name <name@example.org>`. It is public.
    pub owner: Option<String>,
    /// The `podcast:guid` that it had elsewhere.
    #[schemars(extend("x-default" = "made from the feed's address"))]
    pub guid: Option<String>,
}
