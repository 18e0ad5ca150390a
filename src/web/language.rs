//! The language of a page: what the link asks for, else the subscription's, else the browser's, else the newsletter's.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri};
use url::form_urlencoded;

use crate::template::Templates;

/// Letters of a language tag at most.
const MAX_TAG: usize = 35;
/// Languages of a browser that are looked at.
const MAX_TAGS: usize = 20;

/// The languages that a request asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// `?lang=` of the address.
    by_link: Option<String>,
    /// The browser's, the dearest first.
    by_browser: Vec<String>,
}

impl Asked {
    /// The language that the page gets. `own` is that of the subscription, `house` that of the newsletter or the site.
    pub(super) fn language<'a>(
        &'a self,
        templates: &Templates,
        own: Option<&'a str>,
        house: &'a str,
    ) -> String {
        let by_browser = self.by_browser.iter().map(String::as_str);
        let wanted = self.by_link.as_deref().into_iter().chain(own).chain(by_browser);
        templates.language(wanted.chain([house])).to_owned()
    }

    /// The language of the page for somebody of whom nothing is known.
    pub(super) fn of_stranger(&self, templates: &Templates, house: &str) -> String {
        self.language(templates, None, house)
    }

    /// `path`, which leads on from here, in the language that the link asked for.
    pub(super) fn carried(&self, path: String) -> String {
        match &self.by_link {
            Some(tag) => format!("{path}?lang={tag}"),
            None => path,
        }
    }

    pub(super) fn of(address: &Uri, line: Option<&HeaderValue>) -> Self {
        let query = address.query().unwrap_or_default();
        let by_link = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "lang")
            .and_then(|(_, tag)| tag_of(&tag));
        let line = line.and_then(|line| line.to_str().ok());
        Self { by_link, by_browser: accepted(line.unwrap_or_default()) }
    }
}

/// What a request says of languages, before anybody wants to know: few answers do.
pub(super) struct Unread {
    address: Uri,
    line: Option<HeaderValue>,
}

impl Unread {
    pub(super) fn of(request: &Request) -> Self {
        let line = request.headers().get(ACCEPT_LANGUAGE).cloned();
        Self { address: request.uri().clone(), line }
    }

    pub(super) fn read(&self) -> Asked {
        Asked::of(&self.address, self.line.as_ref())
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, parts.headers.get(ACCEPT_LANGUAGE)))
    }
}

/// The tags of `Accept-Language` (RFC 9110 section 12.5.4), the dearest first; those that are refused left out.
fn accepted(line: &str) -> Vec<String> {
    let weighed = |range: &str| {
        let (tag, rest) = range.split_once(';').unwrap_or((range, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse().ok())?;
        Some((tag_of(tag.trim())?, weight)).filter(|(_, weight): &(_, f32)| *weight > 0.0)
    };
    let mut found: Vec<_> = line.split(',').take(MAX_TAGS).filter_map(weighed).collect();
    found.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    found.into_iter().map(|(tag, _)| tag).collect()
}

/// What could be a language tag: it goes into pages and links as it is.
fn tag_of(text: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    (first && text.len() <= MAX_TAG && text.chars().all(fits)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn language(uri: &str, accept: &str, own: Option<&str>) -> String {
        let request = Request::builder().uri(uri).header(ACCEPT_LANGUAGE, accept).body(()).unwrap();
        let (parts, ()) = request.into_parts();
        Asked::of(&parts.uri, parts.headers.get(ACCEPT_LANGUAGE)).language(
            &Templates::load(None).unwrap(),
            own,
            "nl",
        )
    }

    #[test]
    fn the_link_comes_before_the_subscription_the_browser_and_the_house() {
        assert_eq!(language("/?lang=fr", "es", Some("de")), "fr");
        assert_eq!(language("/", "es", Some("de")), "de");
        assert_eq!(language("/", "es", None), "es");
        assert_eq!(language("/", "", None), "nl");
    }

    #[test]
    fn a_language_without_texts_is_passed_over() {
        assert_eq!(language("/?lang=tlh", "tlh, de-AT;q=0.8", Some("he")), "de-AT");
        assert_eq!(language("/?lang=%3Cb%3E&lang=de", "", None), "nl");
    }

    #[test]
    fn the_browsers_weights_count_and_nonsense_does_not() {
        assert_eq!(
            accepted("de;q=0.3, fr , *;q=0.5, en;q=0, it;q=x, es;q=0.7"),
            ["fr", "es", "de"]
        );
        assert_eq!(accepted(&"de,".repeat(10_000)).len(), MAX_TAGS);
        assert!(accepted("<script>, \u{0}, -").is_empty());
    }
}
