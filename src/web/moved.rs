//! Where posts were before: a reader who asks there is led to where they are.

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use super::WebState;
use super::refusal::Refusal;

/// The last resort of every address: 301 to the post that was there (RFC 9110 section 15.4.2), else 404.
pub(super) async fn lead_on(
    State(state): State<WebState>,
    method: Method,
    uri: Uri,
) -> Result<Response, Refusal> {
    let shelf = state.shelf.load();
    let moved =
        shelf.moved.get(uri.path()).filter(|_| method == Method::GET || method == Method::HEAD);
    let link = moved.ok_or_else(Refusal::not_found)?;
    Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, link.as_str())]).into_response())
}
