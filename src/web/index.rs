//! The front page: what there is, for somebody who came by or has just started the daemon.

use axum::extract::State;
use axum::response::Response;

use super::outbox::outboxes;
use super::refusal::Refusal;
use super::{WebState, page};
use crate::config::Config;
use crate::template::{FeedRow, IndexPage, Link};

/// The feeds' paths, and what their formats are called.
const FEEDS: [(&str, &str); 3] =
    [("feed.xml", "RSS 2.0"), ("atom.xml", "Atom 1.0"), ("feed.json", "JSON Feed 1.1")];

/// `GET /`.
pub(super) async fn show(State(state): State<WebState>) -> Result<Response, Refusal> {
    let config = state.config.load();
    let link = |title: &str, path: &str| Link {
        title: title.to_owned(),
        url: page::local(&config, path),
        current: false,
    };
    let mut pages = vec![link("Status", "status")];
    if !outboxes(&config).is_empty() {
        pages.push(link("Outbox: mail and calls, as they would have been sent", "outbox"));
    }
    let archive = config.archive.enabled.then(|| page::local(&config, "archive/"));
    let newsletters = config
        .newsletters
        .values()
        .map(|newsletter| link(&newsletter.title, &format!("subscribe/{}", newsletter.name)))
        .collect();
    let context =
        IndexPage { site: page::site(&config), archive, feeds: feeds(&config), newsletters, pages };
    page::html(&state, "page/index.html", &context)
}

/// The feeds, as pages link to them.
pub(super) fn feeds(config: &Config) -> Vec<FeedRow> {
    let row = |(path, format): (&str, &str)| FeedRow {
        title: config.site.title.clone(),
        url: page::local(config, path),
        format: format.to_owned(),
    };
    FEEDS.into_iter().map(row).collect()
}
