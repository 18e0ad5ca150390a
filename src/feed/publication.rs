//! What all feeds of a site have in common.

use std::sync::Arc;

use url::Url;

use super::FeedUrls;
use crate::config::{Config, Feeds, Site};
use crate::domain::{FeedIds, Revision};

/// The site, where its feeds are, and what the operator wants of them.
#[derive(Clone, Debug)]
pub struct Publication {
    pub site: Site,
    /// Ends with `/`.
    pub public_url: Url,
    pub feeds: Feeds,
    /// Ids that posts had in an earlier feed.
    pub ids: Arc<FeedIds>,
}

impl Publication {
    pub fn of(config: &Config, ids: &Arc<FeedIds>) -> Self {
        Self {
            site: config.site.clone(),
            public_url: config.server.public_url.clone(),
            feeds: config.feeds.clone(),
            ids: Arc::clone(ids),
        }
    }

    /// Where the feed with all posts is.
    pub fn main_urls(&self) -> FeedUrls {
        FeedUrls::within(&self.public_url)
    }

    /// Changes with everything here.
    pub fn stamp(&self) -> Revision {
        Revision::of([format!("{self:?}").as_str()])
    }

    /// The folder at `path`, which ends with `/`; what is no letter of an address is escaped.
    pub(super) fn folder(&self, path: &str) -> Url {
        let mut folder = self.public_url.clone();
        if let Ok(mut segments) = folder.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        folder
    }
}
