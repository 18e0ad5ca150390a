//! Feeds over HTTP: what feed readers of all manners send, and what they must get.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;
use crate::config::FeedTarget;
use crate::feed::Coding;

const MODIFIED: &str = "Fri, 20 Nov 2026 07:30:00 GMT";

/// Statement 27.
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
        assert_eq!(got.header("vary"), "Accept-Encoding, A-IM, Sec-Fetch-Dest");
        assert_eq!(got.header("accept-ranges"), "none");
        assert_eq!(got.header("link"), format!("<https://news.example.org{path}>; rel=\"self\""));
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

/// Statements 28 and 29.
#[tokio::test]
async fn a_reader_that_has_it_gets_304_and_one_that_lies_gets_it_again() {
    let world = World::new().await;
    let rss = world.publish();
    let tag = rss.etag.as_str();
    let mut tags = Vec::new();
    for coding in Coding::ALL {
        let form = world.get_with("/feed.xml", &[("accept-encoding", coding.token())]).await;
        tags.push(form.header("etag").to_owned());
    }
    let [zstd_tag, br_tag, gzip_tag] = [&*tags[0], &*tags[1], &*tags[2]];
    assert!(zstd_tag != tag && br_tag != tag && gzip_tag != tag && br_tag != gzip_tag);
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
        (vec![(inm, br_tag)], 304),
        (vec![(inm, zstd_tag), ("accept-encoding", "br")], 304),
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
        assert_eq!(answer.header("vary"), "Accept-Encoding, A-IM, Sec-Fetch-Dest");
        assert!(answer.header("cache-control").contains("max-age=900"));
        assert_eq!(answer.body.is_empty(), expected == 304, "{headers:?}");
        let is_described = answer.headers.contains_key("content-type");
        assert_eq!(is_described, expected == 200, "{headers:?}");
    }
}

/// Statement 30.
#[tokio::test]
async fn a_reader_that_takes_it_compressed_gets_the_same_bytes_smaller() {
    let world = World::new().await;
    let rss = world.publish();
    for (accepted, token) in [
        ("gzip", "gzip"),
        ("*", "gzip"),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
    ] {
        let answer = world.get_with("/feed.xml", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), token, "{accepted}");
        assert!(answer.body.len() < rss.bytes.len() / 2);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let (mut plain, body) = (Vec::new(), answer.body.as_slice());
        match token {
            "gzip" => GzDecoder::new(body).read_to_end(&mut plain),
            "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut plain),
            _ => zstd::Decoder::new(body).unwrap().read_to_end(&mut plain),
        }
        .unwrap();
        assert_eq!(plain, &*rss.bytes);
    }
    for refused in ["gzip;q=0", "identity", "deflate", "gzip;q=0, *"] {
        let answer = world.get_with("/feed.xml", &[("accept-encoding", refused)]).await;
        assert!(answer.header("content-encoding").is_empty(), "{refused}");
        assert_eq!(answer.body, &*rss.bytes);
    }
}

/// Statement 31.
#[tokio::test]
async fn whatever_trackers_append_is_the_same_feed() {
    let world = World::new().await;
    let rss = world.publish();
    for cruft in ["?x=1", "?null", "?utm_source=a&b=%ff", "?"] {
        let answer = world.get(&format!("/feed.xml{cruft}")).await;
        assert_eq!(answer.header("etag"), rss.etag, "{cruft}");
    }
    let wrong = world.post("/feed.xml", "").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong.header("allow"), "GET,HEAD,OPTIONS");
}

#[tokio::test]
async fn whatever_path_is_on_the_shelf_is_handed_out_the_same_way() {
    let world = World::new().await;
    let rss = world.publish();
    world.shelve("/tags/tea/feed.xml", &rss);
    let got = world.get("/tags/tea/feed.xml?x=1").await;
    assert_eq!((got.status, &*got.body), (StatusCode::OK, &*rss.bytes));
    assert_eq!(
        got.header("link"),
        "<https://news.example.org/tags/tea/feed.xml>; rel=\"self\"",
        "its own address"
    );
    let head = world.send(request(Method::HEAD, "/tags/tea/feed.xml", &[], "")).await;
    assert_eq!(head.headers_without(&[]), got.headers_without(&[]));
    assert!(head.body.is_empty());
    let again = world.get_with("/tags/tea/feed.xml", &[("if-none-match", &rss.etag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_reader_in_a_browser_may_ask_and_see_what_it_needs() {
    let world = World::new().await;
    world.publish();
    let asked = [
        ("origin", "https://reader.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    let answer = world.send(request(Method::OPTIONS, "/feed.xml", &asked, "")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("GET"));
    assert!(answer.header("access-control-allow-headers").contains("If-None-Match"));
    let got = world.get("/feed.xml").await;
    assert!(got.header("access-control-expose-headers").starts_with("ETag, Last-Modified, Link"));
}

/// Statement 33.
#[tokio::test]
async fn a_feed_that_does_not_exist_is_a_line_of_text_and_no_page() {
    let world = World::new().await;
    world.publish();
    let unknown = world.get("/tags/none/feed.xml").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.header("content-type"), "text/plain; charset=utf-8");
    let page = world.get("/none").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn before_the_first_scan_readers_are_asked_to_come_back() {
    let world = World::new().await;
    let answer = world.get("/feed.xml").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("10", "no-store"));
}

#[tokio::test]
async fn of_what_was_served_before_a_restart_nobody_concludes_what_is_gone() {
    let world = World::new().await;
    let rss = world.publish();
    let documents = world.state.shelf.load().documents.clone();
    world.state.shelf.store(Arc::new(Shelf {
        is_from_before: true,
        documents,
        ..Shelf::default()
    }));
    assert_eq!(world.get("/feed.xml").await.body, &*rss.bytes);
    for path in ["/tags/tea/feed.xml", "/posts/tea/", "/archive/", "/sitemap.xml"] {
        assert_eq!(world.get(path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    let person = [("sec-fetch-dest", "document"), ("accept", "text/html")];
    assert_eq!(world.get_with("/feed.xml", &person).await.body, &*rss.bytes, "not a page of none");
}

#[tokio::test]
async fn feeds_outlive_the_database() {
    let world = World::new().await;
    let rss = world.publish();
    world.house.store.close().await;
    assert_eq!(world.get("/feed.xml").await.body, &*rss.bytes);
    assert_eq!(world.get("/feed.json").await.status, StatusCode::OK);
}

/// Statement 32: who asks for a delta and cannot have one gets the whole.
#[tokio::test]
async fn a_delta_goes_only_to_who_asks_for_it_and_has_a_version_that_we_know() {
    let world = World::new().await;
    world.publish();
    let first = world.feed_of(&["one", "two"], None);
    let second = world.feed_of(&["two", "one", "three"], Some(&first));
    world.shelve("/feed.xml", &second);
    let (inm, feed) = ("if-none-match", ("a-im", "feed"));
    let known = first.etag.as_str();
    let gzip = format!("W/\"{}-gzip\"", known.trim_matches('"'));
    let cases: Vec<(Vec<(&str, &str)>, u16)> = vec![
        (vec![feed, (inm, known)], 226),
        (vec![("a-im", "gzip, feed"), (inm, &gzip)], 226),
        (vec![feed, (inm, "\"unknown\"")], 200),
        (vec![feed], 200),
        (vec![feed, (inm, &second.etag)], 304),
        (vec![feed, (inm, "*")], 304),
        (vec![("a-im", "gzip"), (inm, known)], 200),
        (vec![("a-im", "feed;q=0"), (inm, known)], 200),
        (vec![(inm, known)], 200),
    ];
    for (headers, expected) in cases {
        let answer = world.get_with("/feed.xml", &headers).await;
        assert_eq!(answer.status.as_u16(), expected, "{headers:?}");
        assert_eq!(answer.header("etag"), second.etag, "{headers:?}");
        let is_delta = expected == 226;
        assert_eq!(answer.header("im"), if is_delta { "feed" } else { "" });
        let had = headers.iter().find(|(name, _)| *name == inm).map_or("", |(_, tags)| tags);
        assert_eq!(answer.header("delta-base"), if is_delta { had } else { "" });
        assert_eq!(answer.header("cache-control") == "no-store", is_delta);
        assert!(answer.header("vary").contains("A-IM"));
    }
    let asked = [feed, (inm, known)];
    let delta = world.get_with("/feed.xml", &asked).await;
    assert!(delta.text().contains("three") && !delta.text().contains("<title>two</title>"));
    assert!(delta.text().len() < second.bytes.len());
    let asked = [feed, (inm, known), ("accept-encoding", "gzip")];
    let compressed = world.get_with("/feed.xml", &asked).await;
    let mut plain = Vec::new();
    GzDecoder::new(compressed.body.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!((compressed.status.as_u16(), plain), (226, delta.body));
}

/// Statement 33.
#[tokio::test]
async fn a_feed_that_moved_leads_on_and_one_that_is_gone_says_so() {
    let world = World::with_config(|config| {
        let polling = &mut config.feeds.polling;
        let here = FeedTarget::Path("/feed.xml".to_owned());
        let there = FeedTarget::Url("https://elsewhere.example/f".parse().unwrap());
        let itself = FeedTarget::Url("https://news.example.org/feed.json".parse().unwrap());
        polling.moved = [
            ("/rss.xml", here.clone()),
            ("/atom.xml", there),
            ("/posts/feed/", here.clone()),
            ("/archive/tags/tea/rss.xml", here.clone()),
            ("/sitemap.xml", here),
            ("/feed.json", itself),
        ]
        .map(|(from, to)| (from.to_owned(), to))
        .into();
        polling.gone = ["/comments.xml", "/posts/index.rdf"].map(str::to_owned).into();
    })
    .await;
    world.publish();
    for (path, target) in [
        ("/rss.xml", "https://news.example.org/feed.xml"),
        ("/rss.xml?x=1", "https://news.example.org/feed.xml"),
        ("/atom.xml", "https://elsewhere.example/f"),
        ("/posts/feed/", "https://news.example.org/feed.xml"),
        ("/archive/tags/tea/rss.xml", "https://news.example.org/feed.xml"),
        ("/sitemap.xml", "https://news.example.org/feed.xml"),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY, "{path}");
        assert_eq!(answer.header("location"), target);
    }
    assert_eq!(world.get("/feed.json").await.status, StatusCode::OK, "not round in circles");
    for path in ["/comments.xml", "/posts/index.rdf"] {
        let gone = world.get(path).await;
        assert_eq!(gone.status, StatusCode::GONE);
        assert_eq!(gone.header("content-type"), "text/plain; charset=utf-8");
        assert!(gone.text().contains("no more"));
    }
}

#[tokio::test]
async fn a_client_that_hammers_is_asked_to_wait_and_its_neighbours_are_not() {
    let world = World::with_config(|config| config.feeds.polling.requests_per_minute = 3).await;
    let tag = world.publish().etag.clone();
    let asks = async |client: &str, headers: &[(&str, &str)]| {
        let headers = [&[("x-forwarded-for", client)], headers].concat();
        let mut request = request(Method::GET, "/feed.xml", &headers, "");
        request.extensions_mut().insert(ConnectInfo(Peer("127.0.0.1:4000".parse().unwrap())));
        world.send(request).await
    };
    for _ in 0..8 {
        let polite = asks("192.0.2.9", &[("if-none-match", &tag)]).await;
        assert_eq!(polite.status, StatusCode::NOT_MODIFIED, "it asks as it should");
    }
    for _ in 0..3 {
        assert_eq!(asks("192.0.2.1", &[]).await.status, StatusCode::OK);
    }
    let refused = asks("192.0.2.1", &[]).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (refused.header("retry-after"), refused.header("cache-control")),
        ("21", "no-store")
    );
    assert_eq!(asks("192.0.2.2", &[]).await.status, StatusCode::OK);
    world.house.clock.advance(jiff::SignedDuration::from_secs(21));
    assert_eq!(asks("192.0.2.1", &[]).await.status, StatusCode::OK);
    for _ in 0..10 {
        assert_eq!(world.get("/feed.xml").await.status, StatusCode::OK, "nobody knows who");
    }
}

/// Statement 41, through the door.
#[tokio::test]
async fn who_reads_the_feeds_is_counted_and_nobody_is_remembered() {
    let world = World::new().await;
    world.publish();
    let stop = CancellationToken::new();
    let keeping = tokio::spawn(keep_readership(world.state.clone(), stop.clone()));
    for agent in ["Feedbin feed-id:7 - 30 subscribers", "newsboat/2.21", "newsboat/2.21"] {
        let mut request = request(Method::GET, "/feed.xml", &[("user-agent", agent)], "");
        request.extensions_mut().insert(ConnectInfo(Peer("192.0.2.1:4000".parse().unwrap())));
        assert_eq!(world.send(request).await.status, StatusCode::OK);
    }
    stop.cancel();
    keeping.await.unwrap();
    let day = world.state.clock.now().as_second() / 86_400;
    let readers = world.house.store.read().await.unwrap().feed_readers(day).await.unwrap();
    let counts: Vec<_> =
        readers.iter().map(|row| (row.path.as_str(), row.pollers, row.subscribers)).collect();
    assert_eq!(counts, [("/feed.xml", 1, 30)]);
    let page = world.get("/status").await.page();
    assert!(page.contains("Readers, at least") && page.contains(">31<"), "{page}");
}
