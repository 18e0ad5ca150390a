//! What has no address of its own: pages of the archive, and where posts were before.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use url::Url;

use super::refusal::Refusal;
use super::{WebState, archive, page};
use crate::config::Config;
use crate::content::percent_decoded;

/// The last resort of every address: a page of the archive, 301 to the post that was there (RFC 9110 section 15.4.2), 410 where
/// one was taken down, else 404.
pub(super) async fn lead_on(
    State(state): State<WebState>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if method != Method::GET && method != Method::HEAD {
        return Err(Refusal::not_found());
    }
    let archive = state.archive.load_full();
    if let Some(answer) = archive::serve(&state, &archive, (&uri, &headers)).await {
        return answer;
    }
    let shelf = state.shelf.load();
    if shelf.awaits_posts() && archive.is_empty() {
        // Before the first scan is over nobody knows what is where, and was.
        return Err(Refusal::not_yet());
    }
    // Pages of posts whose addresses are elsewhere are below `/posts`.
    let paths = [Some(uri.path()), uri.path().strip_prefix("/posts")];
    let link = paths.into_iter().flatten().find_map(|path| shelf.moved.get(path));
    let config = state.config.load();
    if let Some(link) = link.filter(|link| !leads_back(&config, link, uri.path())) {
        let location = [(header::LOCATION, link.as_str())];
        return Ok((StatusCode::MOVED_PERMANENTLY, location).into_response());
    }
    archive::instead(&archive, &uri).unwrap_or_else(|| Err(Refusal::not_found()))
}

/// Whether `link` is the address that a visitor of `path` is at already: browsers would go round in circles.
pub(super) fn leads_back(config: &Config, link: &str, path: &str) -> bool {
    let link = Url::parse(link).ok().and_then(|link| page::path_here(config, &link));
    let bare = |path: &str| percent_decoded(path).trim_end_matches('/').to_owned();
    link.is_some_and(|link| bare(&link) == bare(path))
}
