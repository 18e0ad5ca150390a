//! The archive as readers, search engines and feed readers meet it.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::*;
use crate::domain::{Enclosure, LivePost, Series};
use crate::store::{CachedBody, PostCache};

/// Something that only a page may show.
const OWN_HTML: &str =
    "<h1 id=\"x\">Part</h1><p style=\"color: red\">Cold &amp; wet.</p><script>alert(1)</script>";

fn published(slug: &str, day: u32) -> Post {
    Post {
        title: format!("Post {slug}"),
        ..Post::bare(slug, at(&format!("2026-11-{day:02}T07:30:00Z")))
    }
}

impl World {
    /// Shows `posts`, newest first, each with an own text.
    fn shows(&self, posts: &[Post]) {
        let path = self.house.dir.path().join("posts.cache");
        let cache = PostCache::open(&path, "stamp", false).unwrap();
        let text = |post: &Post| CachedBody {
            html: format!("<p>The text of {}.</p>", post.slug),
            mail: None,
            web: (post.slug == "river").then(|| OWN_HTML.to_owned()),
        };
        let live = cache.write(|pen| {
            let put = posts.iter().map(|post| {
                Ok(LivePost { post: Arc::new(post.clone()), body: pen.put_body(&text(post))? })
            });
            put.collect()
        });
        self.shows_live(live.unwrap(), &cache);
    }

    fn shows_live(&self, live: Vec<LivePost>, cache: &PostCache) {
        let before = self.state.archive.load_full();
        let config = self.state.config.load_full();
        self.state.archive.store(Archive::succeeding(&before, &config, live.into(), cache));
    }
}

/// A post with everything that a page can show.
fn rich() -> Post {
    Post {
        title: "A walk </script><b> & more".to_owned(),
        tags: vec!["C++".to_owned(), "Long Walks".to_owned(), "..".to_owned()],
        image: Some("https://example.org/river.jpg?a=1&b=2".parse().unwrap()),
        image_alt: Some("A river".to_owned()),
        series: Some(Series { name: "Rivers".to_owned(), part: Some(2) }),
        translation_key: Some("walk".to_owned()),
        aliases: vec!["https://news.example.org/old/walk/".parse().unwrap()],
        enclosure: Some(Box::new(Enclosure {
            url: "https://example.org/river.mp3".parse().unwrap(),
            media_type: Some("audio/mpeg".to_owned()),
            length: Some(2_000_000),
            duration: None,
        })),
        updated_at: Some(at("2026-11-21T07:30:00Z")),
        ..post()
    }
}

#[tokio::test]
async fn a_post_has_a_page_that_people_and_programs_can_read() {
    let world = World::new().await;
    let part = Post {
        series: Some(Series { name: "rivers".to_owned(), part: Some(1) }),
        ..published("spring", 3)
    };
    let french = Post {
        translation_key: Some("walk".to_owned()),
        language: "fr".to_owned(),
        ..published("rive", 4)
    };
    world.shows(&[rich(), french, part]);
    let answer = world.get("/posts/river/").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
    let page = answer.page();
    insta::assert_snapshot!("page-of-a-post", page.split("<style>").next().unwrap());
    let (_, main) = page.split_once("<main").unwrap();
    insta::assert_snapshot!("main-of-a-post", main);
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(page.matches("</script>").count(), 2, "the data's and the author's");
}

#[tokio::test]
async fn nothing_runs_on_a_page_whatever_its_author_wrote() {
    let world = World::new().await;
    world.shows(&[post()]);
    let answer = world.get("/posts/river/").await;
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(
        policy.contains("img-src 'self' data: https: http:;") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(answer.text().contains("script-src 'none'"), "on a host of static pages, too");
}

#[tokio::test]
async fn a_page_that_a_browser_has_is_not_sent_again_and_travels_small() {
    let world = World::new().await;
    world.shows(&[post()]);
    let answer = world.get("/posts/river/").await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300, stale-if-error=604800");
    let again = world.get_with("/posts/river/", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let since = [("if-modified-since", "Sun, 21 Nov 2100 00:00:00 GMT")];
    assert_eq!(world.get_with("/posts/river/", &since).await.status, StatusCode::OK);
    let small = world.get_with("/posts/river/", &[("accept-encoding", "gzip")]).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    let mut plain = Vec::new();
    GzDecoder::new(small.body.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, answer.body);
    let head = world.send(request(Method::HEAD, "/posts/river/", &[], "")).await;
    assert_eq!(head.headers_without(&[]), answer.headers_without(&[]));
    assert!(head.body.is_empty());
    assert_eq!(world.post("/posts/river/", "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn lists_lead_to_every_post_page_by_page() {
    let world = World::new().await;
    let days = (1..=7).rev();
    let posts: Vec<Post> = days
        .map(|day| Post {
            tags: if day % 2 == 0 {
                vec!["C++".to_owned(), "Long Walks".to_owned()]
            } else {
                Vec::new()
            },
            language: if day == 5 { "de".to_owned() } else { "en".to_owned() },
            ..published(&format!("p{day}"), day)
        })
        .collect();
    world.shows(&posts);
    let titles = |page: &str| -> Vec<String> {
        let parts = page.split("u-url p-name").skip(1);
        parts.map(|part| part.split(['>', '<']).nth(1).unwrap().replace("Post ", "")).collect()
    };
    let first = world.get("/archive/").await.page();
    assert_eq!(titles(&first), ["p7", "p6", "p5"]);
    for link in [
        "/archive/page/2/",
        "/archive/tags/c++/",
        "/archive/tags/long-walks/",
        "/archive/languages/de/",
    ] {
        assert!(first.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert_eq!(titles(&world.get("/archive/page/2/").await.page()), ["p4", "p3", "p2"]);
    assert_eq!(titles(&world.get("/archive/page/3/").await.page()), ["p1"]);
    assert_eq!(titles(&world.get("/archive/tags/c++/").await.page()), ["p6", "p4", "p2"]);
    assert_eq!(titles(&world.get("/archive/tags/c%2B%2B/").await.page()), ["p6", "p4", "p2"]);
    assert_eq!(titles(&world.get("/archive/languages/de/").await.page()), ["p5"]);
    assert_eq!(titles(&world.get("/archive/years/2026/page/3/").await.page()), ["p1"]);
    let twins = [
        "/archive/page/1/",
        "/archive/page/02/",
        "/archive/page/4/",
        "/archive/tags/",
        "/archive/tags/none/",
    ];
    for nothing in twins {
        assert_eq!(world.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    let without_slash = world.get("/archive/tags/c++").await;
    assert_eq!(without_slash.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(without_slash.header("location"), "/archive/tags/c++/");
}

#[tokio::test]
async fn who_comes_to_an_old_address_is_led_on_and_what_was_taken_down_is_gone() {
    let world = World::new().await;
    world.shows(&[rich(), published("tea", 2)]);
    let old = world.get("/old/walk/").await;
    assert_eq!(
        (old.status, old.header("location")),
        (StatusCode::MOVED_PERMANENTLY, "/posts/river/")
    );
    world.shows(&[rich()]);
    let gone = world.get("/posts/tea/").await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(gone.page().contains("What was here has been taken down."));
    assert_eq!(world.get("/posts/never/").await.status, StatusCode::NOT_FOUND);
    world.shows(&[rich(), published("tea", 2)]);
    assert_eq!(world.get("/posts/tea/").await.status, StatusCode::OK, "it is back");
}

#[tokio::test]
async fn what_was_taken_down_before_a_restart_is_gone_after_it() {
    let world = World::new().await;
    let links =
        ["https://example.org/posts/tea/".to_owned(), "https://example.org/2026/old/".to_owned()];
    let archive = Archive::of_the_gone(&world.house.config, &links);
    world.state.archive.store(Arc::new(archive));
    world.shows(&[rich()]);
    assert_eq!(world.get("/posts/tea/").await.status, StatusCode::GONE);
    assert_eq!(world.get("/posts/2026/old/").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn where_the_site_is_served_from_here_pages_are_at_the_posts_own_addresses() {
    let world =
        World::with_config(|config| config.site.url = config.server.public_url.clone()).await;
    let link = |slug: &str, link: &str| Post { link: link.parse().unwrap(), ..published(slug, 2) };
    world.shows(&[
        link("a", "https://news.example.org/2026/caf%C3%A9.html"),
        link("b", "https://news.example.org/status/"),
        link("c", "https://news.example.org/?p=42"),
        link("d", "https://news.example.org/2026/caf%C3%A9.html"),
    ]);
    let page = world.get("/2026/caf%C3%A9.html").await.page();
    assert!(
        page.contains("The text of a.")
            && page.contains(
                "<link rel=\"canonical\" href=\"https://news.example.org/2026/caf%C3%A9.html\">"
            ),
        "{page}"
    );
    let list = world.get("/archive/").await.page() + &world.get("/archive/page/2/").await.page();
    let odd: Vec<&str> = list
        .split("href=\"")
        .filter_map(|part| part.split('"').next())
        .filter(|url| url.starts_with("/posts/-/"))
        .collect();
    assert_eq!(odd.len(), 3, "each post has a page, whatever its address: {odd:?}");
    for url in odd {
        assert_eq!(world.get(url).await.status, StatusCode::OK);
    }
    assert!(world.get("/status").await.page().contains("Status"));
}

#[tokio::test]
async fn an_archive_that_is_off_is_nowhere() {
    let world = World::with_config(|config| config.archive.enabled = false).await;
    world.shows(&[post()]);
    for path in ["/archive/", "/posts/river/", "/sitemap.xml"] {
        assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!world.get("/").await.page().contains("archive"));
    assert!(!world.get("/robots.txt").await.text().contains("Sitemap"));
}

#[tokio::test]
async fn before_the_first_scan_a_reader_is_asked_to_come_back() {
    let world = World::new().await;
    let answer = world.get("/posts/river/").await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "10")
    );
    assert_eq!(world.get("/elsewhere/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn search_engines_find_every_post_with_the_date_of_its_last_change() {
    let world = World::new().await;
    world.shows(&[rich(), published("tea", 2)]);
    let map = world.get("/sitemap.xml").await;
    assert_eq!(map.header("content-type"), "application/xml; charset=utf-8");
    assert!(map.text().contains("<url><loc>https://example.org/posts/river/</loc><lastmod>2026-11-21T07:30:00Z</lastmod></url>"), "{}", map.text());
    let robots = world.get("/robots.txt").await;
    assert!(
        robots.text().contains("\nSitemap: https://news.example.org/sitemap.xml\n"),
        "{}",
        robots.text()
    );
}

/// Statement 40.
#[tokio::test]
async fn a_person_who_opens_a_feed_sees_a_page_and_every_reader_the_feed() {
    let world = World::new().await;
    let rss = world.publish();
    let html = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    for path in ["/feed.xml", "/atom.xml", "/feed.json"] {
        let seen = world.get_with(path, &[html, ("sec-fetch-dest", "document")]).await;
        assert_eq!(seen.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(seen.header("cache-control"), "private, no-store");
        assert!(seen.header("vary").contains("Sec-Fetch-Dest"));
        assert!(
            seen.page().contains(&format!("https://news.example.org{path}</code>")),
            "{}",
            seen.page()
        );
        assert!(seen.page().contains("A walk along the river"));
    }
    let readers: [&[(&str, &str)]; 4] =
        [&[], &[html], &[("sec-fetch-dest", "document")], &[html, ("sec-fetch-dest", "empty")]];
    for headers in readers {
        let got = world.get_with("/feed.xml", headers).await;
        assert_eq!(got.body, &*rss.bytes, "{headers:?}");
        assert!(got.header("vary").contains("Sec-Fetch-Dest"));
    }
    assert_eq!(
        world.get_with("/none.xml", &[html, ("sec-fetch-dest", "document")]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_text_that_is_larger_than_a_template_may_be_has_a_page() {
    let world = World::new().await;
    let path = world.house.dir.path().join("posts.cache");
    let cache = PostCache::open(&path, "stamp", false).unwrap();
    let html = format!("<p>{}</p>", "word ".repeat(1_000_000));
    let body = cache
        .write(|pen| pen.put_body(&CachedBody { html: html.clone(), ..CachedBody::default() }));
    world.shows_live(vec![LivePost { post: Arc::new(post()), body: body.unwrap() }], &cache);
    assert!(world.get("/posts/river/").await.text().contains(&html));
}

#[tokio::test]
async fn the_pages_of_a_configuration_outlive_it_until_the_next_has_read_the_posts() {
    let world = World::new().await;
    world.shows(&[post()]);
    // The cache is gone from here: the next configuration has other texts under the same numbers.
    let path = world.house.dir.path().join("posts.cache");
    let next = PostCache::open(&path, "another stamp", false).unwrap();
    next.write(|pen| {
        pen.put_body(&CachedBody { html: "other".to_owned(), ..CachedBody::default() })
    })
    .unwrap();
    assert!(world.get("/posts/river/").await.text().contains("Cold &amp; wet."));
    let third = PostCache::open(&path, "another stamp", true).unwrap();
    assert_eq!(
        third.body(crate::domain::BodyId(1)).unwrap().unwrap().html,
        "other",
        "it had the lock"
    );
}
