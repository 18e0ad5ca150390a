//! Feeds: bytes from memory, with the validators that let readers poll cheaply. Touches no database and no file.

use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
    ETAG, LAST_MODIFIED, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::{WebState, archive, conditional};
use crate::feed::Document;
use crate::telemetry;

/// Readers may keep a copy for a quarter of an hour, and use it for a week while we are down (RFC 5861).
const KEEP: &str = "public, max-age=900, stale-if-error=604800";
/// Seconds after which the first scan is surely over.
const AGAIN_AFTER: &str = "10";

/// `GET /feed.xml`, `/atom.xml`, `/feed.json`. A query is ignored: readers and trackers add their own.
pub(super) async fn hand_out(
    State(state): State<WebState>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let shelf = state.shelf.load();
    if let Some(page) = archive::feed_page(&state, uri.path(), &headers) {
        return page;
    }
    let response = match shelf.documents.get(uri.path()) {
        Some(document) => answer(document, &headers),
        None => not_yet(),
    };
    telemetry::feed_request(uri.path(), response.status().as_u16());
    response
}

fn answer(document: &Document, headers: &HeaderMap) -> Response {
    // HTTP dates begin in 1970; a post may be older.
    let last_modified = SystemTime::from(document.last_modified.max(Timestamp::UNIX_EPOCH));
    let gzip = conditional::prefers_gzip(headers);
    let etag = if gzip { conditional::gzip_tag(&document.etag) } else { document.etag.clone() };
    let common = [
        (ETAG, etag),
        (LAST_MODIFIED, httpdate::fmt_http_date(last_modified)),
        (CACHE_CONTROL, KEEP.to_owned()),
        (VARY, "Accept-Encoding, Sec-Fetch-Dest".to_owned()),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
    ];
    if conditional::is_unchanged(headers, &document.etag, last_modified) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let bytes = if gzip { &document.gzip } else { &document.bytes };
    let described = [
        (CONTENT_TYPE, document.content_type.to_owned()),
        (CONTENT_LENGTH, bytes.len().to_string()),
    ];
    let body = Body::from(Bytes::from_owner(bytes.clone()));
    let mut response = (common, described, body).into_response();
    if gzip {
        response.headers_mut().insert(CONTENT_ENCODING, "gzip".parse().expect("it is ASCII"));
    }
    response
}

/// Before the first scan is over there is nothing to show, and an empty feed would make readers forget what they have.
fn not_yet() -> Response {
    let headers = [(RETRY_AFTER, AGAIN_AFTER), (CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, "The posts are being read. Please come back.\n")
        .into_response()
}
