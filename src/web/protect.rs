//! What every answer goes through: headers that keep browsers from doing more than they should, and a look at the clock.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tracing::Instrument as _;

use crate::telemetry;

/// For whatever is no page: nothing may be loaded, nobody may frame it.
const NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Paths have tokens in them: no site that a page links to may learn where the visitor came from.
const EVERYWHERE: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, NOTHING),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), "browsing-topics=()"),
];

/// Adds the headers that every answer has, where the handler did not set its own.
pub(super) fn with_headers(mut response: Response) -> Response {
    for (name, value) in EVERYWHERE {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Counts and times an answer by the pattern that its path matched. The path itself, which may hold a token, is not kept.
pub(super) async fn observe(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::debug_span!("request", http.method = %request.method(), http.route = route);
    let started = Instant::now();
    let response = answer(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    telemetry::http_request(route, status, elapsed.as_secs_f64());
    tracing::debug!(parent: &span, http.status = status, duration_ms = elapsed.as_millis(), "answered");
    response
}
