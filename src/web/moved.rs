//! Where posts were before: a reader who asks there is led to where they are.

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use crate::feed::Shelf;

/// 301 to the post that was at this address (RFC 9110 section 15.4.2), if there was one.
pub(super) fn lead_on(shelf: &Shelf, method: &Method, uri: &Uri) -> Option<Response> {
    let is_read = method == Method::GET || method == Method::HEAD;
    let link = shelf.moved.get(uri.path()).filter(|_| is_read)?;
    Some((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, link.as_str())]).into_response())
}
