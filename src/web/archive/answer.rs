//! A page as it travels: its tag, its compressed forms, the policy under which browsers show it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::feed::{self, Coding, Forms};
use crate::web::{conditional, page};

/// Corrections are to be seen soon; a page of yesterday is better than none.
const KEEP: &str = "public, max-age=300, stale-if-error=604800";
/// Bytes below which compressing saves nothing.
pub const SMALL: usize = 500;
/// Pages so small are compressed while the visitor waits; it takes less time than to call somebody else.
const QUICK: usize = 16 * 1024;

/// A page that was made.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) path: String,
    bytes: Arc<[u8]>,
    forms: Forms,
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
        let etag = feed::etag(&bytes);
        let (bytes, forms) = (bytes.into(), Forms::default());
        Self { path, bytes, forms, etag, content_type, policy: None }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("pages are text")
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The answer to a request with these headers.
    pub(super) async fn answer(self: Arc<Self>, headers: &HeaderMap) -> Response {
        let coding = conditional::preferred(headers).filter(|_| self.len() >= SMALL);
        // A page depends on its template and its neighbours: no date says whether it is the same.
        let is_unchanged = conditional::is_unchanged(headers, &self.etag, conditional::never());
        let form = match coding {
            Some(coding) if !is_unchanged => self.form(coding).await.map(|it| (it, coding)),
            _ => None,
        };
        // The visitor with a 304 may have whichever form: what it is told is the one that it would get now.
        let told = if is_unchanged { coding } else { form.as_ref().map(|(_, coding)| *coding) };
        let etag =
            told.map_or_else(|| self.etag.clone(), |it| conditional::tag_of_form(&self.etag, it));
        let common =
            [(ETAG, etag), (CACHE_CONTROL, KEEP.to_owned()), (VARY, "Accept-Encoding".to_owned())];
        let status = if is_unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let mut response = (status, common).into_response();
        let all = response.headers_mut();
        // Of a 304, too: what it says takes the place of what the browser was told with the page.
        all.extend(self.policy.clone().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
        if is_unchanged {
            return response;
        }
        let bytes = form.as_ref().map_or_else(|| Arc::clone(&self.bytes), |(it, _)| it.clone());
        all.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        all.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        if let Some((_, coding)) = form {
            all.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
        }
        *response.body_mut() = Body::from(Bytes::from_owner(bytes));
        response
    }

    /// The compressed bytes, made once. Large ones are made where it keeps nobody else waiting.
    async fn form(self: &Arc<Self>, coding: Coding) -> Option<Arc<[u8]>> {
        if self.forms.is_made(coding) || self.len() <= QUICK {
            return self.forms.get(coding, &self.bytes);
        }
        let page = Arc::clone(self);
        let made = tokio::task::spawn_blocking(move || page.forms.get(coding, &page.bytes));
        made.await.ok().flatten()
    }
}
