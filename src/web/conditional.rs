//! What a feed reader has already and what it can take: conditional requests and encodings (RFC 9110 sections 12 and 13).
//!
//! Pure. Headers in, decision out.

use std::time::SystemTime;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH};

/// What the compressed form's tag ends with. Apache adds the same when it compresses, so its tags are known too.
const GZIP_MARK: &str = "-gzip";

/// The tag of the compressed form of what has the tag `etag`: other bytes, so another strong tag (section 8.8.3.3).
pub(super) fn gzip_tag(etag: &str) -> String {
    format!("\"{}{GZIP_MARK}\"", etag.trim_matches('"'))
}

/// Whether the reader has this version: then the answer is 304.
///
/// If-None-Match counts alone when it is there (section 13.1.3), matches weakly, and may carry the tag of either form.
pub(super) fn is_unchanged(headers: &HeaderMap, etag: &str, last_modified: SystemTime) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        let opaque = etag.trim_matches('"');
        return values(headers, &IF_NONE_MATCH).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || tag.strip_suffix(GZIP_MARK).unwrap_or(tag) == opaque
        });
    }
    headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| httpdate::parse_http_date(value).ok())
        .is_some_and(|since| last_modified <= since)
}

/// Whether the reader would rather have gzip than the plain bytes.
pub(super) fn prefers_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut anything) = (None, None, None);
    for value in values(headers, &ACCEPT_ENCODING) {
        let (coding, weight) = weighed(value);
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => anything = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(anything).unwrap_or(0.0);
    gzip > 0.0 && identity.is_none_or(|identity| gzip >= identity)
}

/// The comma-separated values of all lines of a header.
fn values<'a>(
    headers: &'a HeaderMap,
    name: &axum::http::HeaderName,
) -> impl Iterator<Item = &'a str> {
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

    #[test]
    fn a_reader_that_takes_gzip_gets_it_and_no_other_does() {
        let cases = [
            ("gzip", true),
            ("GZIP", true),
            ("x-gzip", true),
            ("br, gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("*", true),
            ("gzip;q=0.5", true),
            ("gzip; q=1, identity; q=0.5", true),
            ("identity;q=0, *", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, *", false),
            ("gzip;q=0.2, identity", false),
            ("*;q=0", false),
            ("identity", false),
            ("br", false),
            ("", false),
            (",;q", false),
        ];
        for (accepted, expected) in cases {
            assert_eq!(
                prefers_gzip(&headers(&[(ACCEPT_ENCODING, accepted)])),
                expected,
                "{accepted}"
            );
        }
        assert!(!prefers_gzip(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "[ -~]{0,60}") {
            let map = headers(&[(ACCEPT_ENCODING, &value), (IF_NONE_MATCH, &value)]);
            prefers_gzip(&map);
            is_unchanged(&map, "\"tag\"", SystemTime::UNIX_EPOCH);
            let map = headers(&[(IF_MODIFIED_SINCE, &value)]);
            is_unchanged(&map, "\"tag\"", SystemTime::UNIX_EPOCH);
        }
    }
}
