//! A page as it travels: its tag, gzip for those who take it, the policy under which browsers show it.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::web::{conditional, page};

/// Corrections are to be seen soon; a page of yesterday is better than none.
const KEEP: &str = "public, max-age=300, stale-if-error=604800";
/// Bytes below which compressing saves nothing.
const SMALL: usize = 500;

/// A page that was made.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) path: String,
    bytes: Vec<u8>,
    etag: String,
    content_type: &'static str,
    policy: Option<HeaderValue>,
}

impl Page {
    /// The page `frame`, laid out by a template, with `body` where `hole` is.
    pub(super) fn html(path: String, frame: &str, (hole, body): (&str, &str)) -> Self {
        // The policy is of the frame alone: what is in the author's text cannot change it.
        let policy = Some(page::archive_policy(frame));
        let html = if hole.is_empty() { frame.to_owned() } else { frame.replacen(hole, body, 1) };
        Self { policy, ..Self::new(path, html, "text/html; charset=utf-8") }
    }

    pub(super) fn new(path: String, text: String, content_type: &'static str) -> Self {
        let bytes = text.into_bytes();
        let digest = digest::digest(&digest::SHA256, &bytes);
        let mut etag = "\"".to_owned();
        for byte in &digest.as_ref()[..16] {
            write!(etag, "{byte:02x}").expect("a string takes every character");
        }
        etag.push('"');
        Self { path, bytes, etag, content_type, policy: None }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("pages are text")
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let compressed = conditional::preferred(headers)
            .filter(|_| self.bytes.len() >= SMALL)
            .and_then(|coding| Some((coding, coding.compress(&self.bytes).ok()?)));
        let coding = compressed.as_ref().map(|(coding, _)| *coding);
        let etag = match coding {
            Some(coding) => conditional::tag_of_form(&self.etag, coding),
            None => self.etag.clone(),
        };
        let common =
            [(ETAG, etag), (CACHE_CONTROL, KEEP.to_owned()), (VARY, "Accept-Encoding".to_owned())];
        // A page depends on its template and its neighbours: no date says whether it is the same.
        if conditional::is_unchanged(headers, &self.etag, conditional::never()) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let bytes = compressed.map_or_else(|| self.bytes.clone(), |(_, bytes)| bytes);
        let described = [
            (CONTENT_TYPE, self.content_type.to_owned()),
            (CONTENT_LENGTH, bytes.len().to_string()),
        ];
        let mut response = (common, described, Body::from(bytes)).into_response();
        let all = response.headers_mut();
        if let Some(coding) = coding {
            all.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        if let Some(policy) = &self.policy {
            all.insert(CONTENT_SECURITY_POLICY, policy.clone());
        }
        response
    }
}
