//! What has no address of its own: pages of the archive, and where posts were before.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use super::refusal::Refusal;
use super::{WebState, archive};

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
    if let Some(answer) = archive::serve(&state, &uri, &headers).await {
        return answer;
    }
    let shelf = state.shelf.load();
    // Pages of posts whose addresses are elsewhere are below `/posts`.
    let paths = [Some(uri.path()), uri.path().strip_prefix("/posts")];
    if let Some(link) = paths.into_iter().flatten().find_map(|path| shelf.moved.get(path)) {
        let location = [(header::LOCATION, link.as_str())];
        return Ok((StatusCode::MOVED_PERMANENTLY, location).into_response());
    }
    archive::instead(&state, &uri).unwrap_or_else(|| Err(Refusal::not_found()))
}
