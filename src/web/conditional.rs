//! What a feed reader has already and what it can take: conditional requests and encodings (RFC 9110 sections 12 and 13).
//!
//! Pure. Headers in, decision out.

use std::time::{Duration, SystemTime};

use axum::http::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};

use crate::feed::Coding;

/// What clients of RFC 3229 say they can do with an answer.
pub(super) const A_IM: HeaderName = HeaderName::from_static("a-im");

/// The tag of a compressed form of what has the tag `etag`: other bytes, so another strong tag (section 8.8.3.3).
///
/// Apache marks its tags the same way when it compresses.
pub(super) fn tag_of_form(etag: &str, coding: Coding) -> String {
    format!("\"{}-{}\"", etag.trim_matches('"'), coding.token())
}

/// Whether the reader has this version: then the answer is 304.
///
/// If-None-Match counts alone when it is there (section 13.1.3), matches weakly, and may carry the tag of any form.
pub(super) fn is_unchanged(headers: &HeaderMap, etag: &str, last_modified: SystemTime) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return tags(headers).any(|(tag, _)| tag == "*" || tag == etag.trim_matches('"'));
    }
    headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| httpdate::parse_http_date(value).ok())
        .is_some_and(|since| last_modified <= since)
}

/// The time of what no date tells the version of: only its tag does.
pub(super) fn never() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 200)
}

/// The versions that the reader has: tags of the plain bytes without quotes, each with what the reader called it.
pub(super) fn tags(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    values(headers, &IF_NONE_MATCH).map(|told| {
        let tag = told.strip_prefix("W/").unwrap_or(told).trim_matches('"');
        let of_form = |coding: Coding| tag.strip_suffix(coding.token())?.strip_suffix('-');
        (Coding::ALL.into_iter().find_map(of_form).unwrap_or(tag), told)
    })
}

/// Whether the reader can put new entries to those that it has (`A-IM: feed`, RFC 3229).
pub(super) fn takes_deltas(headers: &HeaderMap) -> bool {
    values(headers, &A_IM)
        .map(weighed)
        .any(|(what, q)| what.eq_ignore_ascii_case("feed") && q > 0.0)
}

/// The form that the reader would rather have than the plain bytes: among equals the one that we would rather send.
///
/// A star stands for gzip only: who means the others says so.
pub(super) fn preferred(headers: &HeaderMap) -> Option<Coding> {
    let (mut identity, mut anything) = (None, None);
    let mut named: [Option<f32>; 3] = [None; 3];
    for (coding, weight) in values(headers, &ACCEPT_ENCODING).map(weighed) {
        match coding.to_ascii_lowercase().as_str() {
            "identity" => identity = Some(weight),
            "*" => anything = Some(weight),
            coding => {
                let coding = coding.strip_prefix("x-").unwrap_or(coding);
                let known = Coding::ALL.iter().position(|it| it.token() == coding);
                if let Some(index) = known {
                    named[index] = Some(weight);
                }
            }
        }
    }
    let mut best: Option<(Coding, f32)> = None;
    for (coding, weight) in Coding::ALL.into_iter().zip(named) {
        let weight = weight.or(anything.filter(|_| coding == Coding::Gzip)).unwrap_or(0.0);
        if weight > best.map_or(0.0, |(_, best)| best) {
            best = Some((coding, weight));
        }
    }
    best.filter(|(_, weight)| identity.is_none_or(|identity| *weight >= identity))
        .map(|(coding, _)| coding)
}

/// The comma-separated values of all lines of a header.
fn values<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// `gzip;q=0.5` in its parts. A weight that cannot be read is 1, as if it were not there.
fn weighed(value: &str) -> (&str, f32) {
    let mut parts = value.split(';').map(str::trim);
    let coding = parts.next().unwrap_or_default();
    let weight = parts
        .filter_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
        .find_map(|weight| weight.trim().parse().ok());
    (coding, weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    /// Statement 30.
    #[test]
    fn a_reader_gets_the_form_that_it_likes_best_and_none_that_it_does_not_take() {
        let (br, zstd, gzip) = (Some(Coding::Brotli), Some(Coding::Zstd), Some(Coding::Gzip));
        let cases = [
            ("gzip", gzip),
            ("GZIP", gzip),
            ("x-gzip", gzip),
            ("br, gzip", br),
            ("zstd, gzip", zstd),
            ("gzip, deflate, br, zstd", zstd),
            ("gzip;q=1.0, br;q=0.5, zstd;q=0.9", gzip),
            ("zstd;q=0.9, br;q=0.8", zstd),
            ("*", gzip),
            ("gzip;q=0.5", gzip),
            ("gzip; q=1, identity; q=0.5", gzip),
            ("identity;q=0, *", gzip),
            ("br;q=0, *;q=0.1", gzip),
            ("br;q=0, zstd", zstd),
            ("gzip;q=0", None),
            ("gzip;q=0.0, *", None),
            ("gzip;q=0.2, identity", None),
            ("br;q=0.2, identity;q=0.3", None),
            ("*;q=0", None),
            ("identity", None),
            ("deflate", None),
            ("", None),
            (",;q", None),
        ];
        for (accepted, expected) in cases {
            let headers = headers(&[(ACCEPT_ENCODING, accepted)]);
            assert_eq!(preferred(&headers), expected, "{accepted}");
        }
        assert_eq!(preferred(&HeaderMap::new()), None);
    }

    #[test]
    fn deltas_go_to_those_who_ask_for_them() {
        for (asked, expected) in [
            ("feed", true),
            ("gzip, Feed", true),
            ("feed;q=0.5", true),
            ("feed;q=0", false),
            ("gzip", false),
            ("feeds", false),
        ] {
            assert_eq!(takes_deltas(&headers(&[(A_IM, asked)])), expected, "{asked}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "[ -~]{0,60}") {
            let map = headers(&[(ACCEPT_ENCODING, &value), (IF_NONE_MATCH, &value)]);
            preferred(&map);
            takes_deltas(&map);
            is_unchanged(&map, "\"tag\"", SystemTime::UNIX_EPOCH);
            let map = headers(&[(IF_MODIFIED_SINCE, &value)]);
            is_unchanged(&map, "\"tag\"", SystemTime::UNIX_EPOCH);
        }
    }
}
