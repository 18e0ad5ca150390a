//! `config/releases.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cron, Moment};

/// `config/releases.toml`: what the authors schedule.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Releases {
    pub release: Vec<Release>,
    pub queue: Vec<Queue>,
}

/// A post that goes live at a date of its own: not before this and not before the date in the post.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Release {
    /// Slug, source path or id of the post.
    #[schemars(extend("x-required" = true))]
    pub post: Option<String>,
    /// When.
    #[schemars(extend("x-required" = true))]
    pub at: Option<Moment>,
    /// For which channels: `feeds`, `mail` (all newsletters), or names of newsletters and destinations. Where a newsletter
    /// and a destination share a name, write `newsletter:NAME` or `destination:NAME`.
    #[schemars(extend("x-default" = "all"))]
    pub channels: Option<Vec<String>>,
}

/// Posts that go live a few at a time, in order.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Queue {
    /// What the queue is remembered by: a new name begins anew.
    #[schemars(extend("x-required" = true))]
    pub name: Option<String>,
    /// When posts are taken from it.
    #[schemars(extend("x-required" = true))]
    pub schedule: Option<Cron>,
    /// Time zone of the schedule.
    #[schemars(extend("x-default" = "`site.timezone`"))]
    pub timezone: Option<String>,
    /// How many posts at a time.
    #[schemars(range(min = 1, max = 1000))]
    pub take: u32,
    /// Slugs, source paths or ids, in the order of their turn. This or `series`.
    pub posts: Option<Vec<String>>,
    /// The posts of this series: the numbered ones in order, then the others by date. Those written later come in by themselves.
    pub series: Option<String>,
    /// For which channels, as in `[[release]]`.
    #[schemars(extend("x-default" = "all"))]
    pub channels: Option<Vec<String>>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            name: None,
            schedule: None,
            timezone: None,
            take: 1,
            posts: None,
            series: None,
            channels: None,
        }
    }
}
