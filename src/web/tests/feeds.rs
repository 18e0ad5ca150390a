//! Feeds over HTTP: what feed readers of all manners send, and what they must get.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;

const MODIFIED: &str = "Fri, 20 Nov 2026 07:30:00 GMT";

#[tokio::test]
async fn get_and_head_tell_the_same_and_everything_a_reader_needs() {
    let world = World::new().await;
    let rss = world.publish();
    let types = [
        ("/feed.xml", "application/rss+xml; charset=utf-8"),
        ("/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
    ];
    for (path, content_type) in types {
        let got = world.get(path).await;
        assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, content_type));
        assert_eq!(got.header("cache-control"), "public, max-age=900, stale-if-error=604800");
        assert_eq!(got.header("vary"), "Accept-Encoding, Sec-Fetch-Dest");
        assert_eq!(got.header("last-modified"), MODIFIED);
        assert_eq!(got.header("access-control-allow-origin"), "*");
        assert_eq!(got.header("content-length"), got.body.len().to_string());
        assert!(!got.headers.contains_key("set-cookie"));
        let head = world.send(request(Method::HEAD, path, &[], "")).await;
        assert_eq!(head.headers_without(&[]), got.headers_without(&[]), "{path}");
        assert!(head.body.is_empty());
    }
    let got = world.get("/feed.xml").await;
    assert_eq!((got.body.as_slice(), got.header("etag")), (&*rss.bytes, rss.etag.as_str()));
}

#[tokio::test]
async fn a_reader_that_has_it_gets_304_and_one_that_lies_gets_it_again() {
    let world = World::new().await;
    let rss = world.publish();
    let tag = rss.etag.as_str();
    let gzip_tag = world.get_with("/feed.xml", &[("accept-encoding", "gzip")]).await;
    let gzip_tag = gzip_tag.header("etag");
    assert_ne!(gzip_tag, tag);
    let weak = format!("W/{tag}");
    let list = format!("\"a\", {tag} ,\"b\"");
    let (inm, ims) = ("if-none-match", "if-modified-since");
    let cases: Vec<(Vec<(&str, &str)>, u16)> = vec![
        (vec![(inm, tag)], 304),
        (vec![(inm, &weak)], 304),
        (vec![(inm, &list)], 304),
        (vec![(inm, "\"a\""), (inm, tag)], 304),
        (vec![(inm, "*")], 304),
        (vec![(inm, gzip_tag)], 304),
        (vec![(inm, gzip_tag), ("accept-encoding", "gzip")], 304),
        (vec![(inm, tag), ("accept-encoding", "gzip")], 304),
        (vec![(inm, tag), (ims, "Sun, 06 Nov 1994 08:49:37 GMT")], 304),
        (vec![(inm, "\"other\"")], 200),
        (vec![(inm, "")], 200),
        (vec![(inm, "\"other\""), (ims, MODIFIED)], 200),
        (vec![(ims, MODIFIED)], 304),
        (vec![(ims, "Friday, 20-Nov-26 07:30:00 GMT")], 304),
        (vec![(ims, "Fri Nov 20 07:30:00 2026")], 304),
        (vec![(ims, "Sat, 21 Nov 2026 00:00:00 GMT")], 304),
        (vec![(ims, "Fri, 20 Nov 2026 07:29:59 GMT")], 200),
        (vec![(ims, "yesterday")], 200),
        (vec![(ims, "")], 200),
        (vec![("a-im", "gzip")], 200),
        (vec![], 200),
    ];
    for (headers, expected) in cases {
        let answer = world.get_with("/feed.xml", &headers).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?}");
        assert!(!answer.header("etag").is_empty());
        assert_eq!(answer.header("vary"), "Accept-Encoding, Sec-Fetch-Dest");
        assert!(answer.header("cache-control").contains("max-age=900"));
        assert_eq!(answer.body.is_empty(), expected == 304, "{headers:?}");
        let is_described = answer.headers.contains_key("content-type");
        assert_eq!(is_described, expected == 200, "{headers:?}");
    }
}

#[tokio::test]
async fn a_reader_that_takes_gzip_gets_the_same_bytes_smaller() {
    let world = World::new().await;
    let rss = world.publish();
    for accepted in ["gzip", "*", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
        let answer = world.get_with("/feed.xml", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), "gzip", "{accepted}");
        assert!(answer.body.len() < rss.bytes.len() / 2);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let mut plain = Vec::new();
        GzDecoder::new(answer.body.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, &*rss.bytes);
    }
    for refused in ["gzip;q=0", "identity", "zstd", "gzip;q=0, *"] {
        let answer = world.get_with("/feed.xml", &[("accept-encoding", refused)]).await;
        assert!(answer.header("content-encoding").is_empty(), "{refused}");
        assert_eq!(answer.body, &*rss.bytes);
    }
}

#[tokio::test]
async fn whatever_trackers_append_is_the_same_feed() {
    let world = World::new().await;
    let rss = world.publish();
    for cruft in ["?x=1", "?null", "?utm_source=a&b=%ff", "?"] {
        let answer = world.get(&format!("/feed.xml{cruft}")).await;
        assert_eq!(answer.header("etag"), rss.etag, "{cruft}");
    }
    let unknown = world.get("/feeds.xml").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let wrong = world.post("/feed.xml", "").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn before_the_first_scan_readers_are_asked_to_come_back() {
    let world = World::new().await;
    let answer = world.get("/feed.xml").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("10", "no-store"));
}

#[tokio::test]
async fn feeds_outlive_the_database() {
    let world = World::new().await;
    let rss = world.publish();
    world.house.store.close().await;
    assert_eq!(world.get("/feed.xml").await.body, &*rss.bytes);
    assert_eq!(world.get("/feed.json").await.status, StatusCode::OK);
}
