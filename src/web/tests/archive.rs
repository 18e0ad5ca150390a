//! The archive as readers, search engines and feed readers meet it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use url::Url;

use super::*;
use crate::domain::{Enclosure, FeedTopic, LivePost, Series};
use crate::store::{CachedBody, PostCache};

/// Something that only a page may show.
const OWN_HTML: &str =
    "<h1 id=\"x\">Part</h1><p style=\"color: red\">Cold &amp; wet.</p><script>alert(1)</script>";

pub(super) fn published(slug: &str, day: u32) -> Post {
    Post {
        title: format!("Post {slug}"),
        ..Post::bare(slug, at(&format!("2026-11-{day:02}T07:30:00Z")))
    }
}

impl World {
    /// Shows `posts`, newest first, each with an own text.
    pub(super) fn shows(&self, posts: &[Post]) {
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

    pub(super) fn shows_live(&self, live: Vec<LivePost>, cache: &PostCache) {
        self.shows_but(live, &[], cache);
    }

    /// Shows `live`; those at `expired` are over.
    pub(super) fn shows_but(&self, live: Vec<LivePost>, expired: &[Url], cache: &PostCache) {
        let before = self.state.archive.load_full();
        let config = self.state.config.load_full();
        let selections = self.selections(live);
        let archive = Archive::succeeding(&before, &config, &selections, expired.iter(), cache);
        self.state.archive.store(archive);
    }
}

/// A post with everything that a page can show.
pub(super) fn rich() -> Post {
    Post {
        title: "A walk </script><b> & more".to_owned(),
        tags: vec!["C++".to_owned(), "Long Walks".to_owned(), "..".to_owned()],
        image: Some(Box::new("https://example.org/river.jpg?a=1&b=2".parse().unwrap())),
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
    assert_eq!(
        again.headers_without(&["content-length"]),
        answer.headers_without(&["content-type", "content-length"]),
        "browsers take from it what holds for the page that they have"
    );
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
async fn who_reads_a_series_stays_in_its_language() {
    let world = World::new().await;
    let part = |slug: &str, language: &str, part: u32| Post {
        series: Some(Series { name: "Rivers".to_owned(), part: Some(part) }),
        language: language.to_owned(),
        ..published(slug, part)
    };
    world.shows(&[
        part("three", "en", 3),
        part("deux", "fr", 2),
        part("two", "en", 2),
        part("un", "fr", 1),
        part("one", "en", 1),
    ]);
    let page = world.get("/posts/two/").await.page();
    assert!(page.contains("Part 2 of 3 in"), "{page}");
    assert!(page.contains("Part before: <a href=\"/posts/one/\""), "{page}");
    assert!(page.contains("Next part: <a href=\"/posts/three/\""), "{page}");
    let french = world.get("/posts/deux/").await.page();
    assert!(french.contains("Part 2 of 2 in") && !french.contains("Next part"), "{french}");
}

#[tokio::test]
async fn robots_stay_away_from_what_is_the_operators_and_from_nothing_else() {
    let world = World::new().await;
    let robots = world.get("/robots.txt").await;
    let rules: Vec<&str> =
        robots.text().lines().filter_map(|line| line.strip_prefix("Disallow: ")).collect();
    // As RFC 9309 has it: what begins so, and `$` is the end.
    let is_barred = |path: &str| {
        rules.iter().any(|rule| match rule.strip_suffix('$') {
            Some(whole) => path == whole,
            None => path.starts_with(rule),
        })
    };
    for path in ["/status", "/outbox", "/outbox/mail/a", "/confirm/x", "/unsubscribe/x"] {
        assert!(is_barred(path), "{path}");
    }
    for path in ["/status-quo/", "/outboxes/", "/status/of-things/", "/posts/", "/"] {
        assert!(!is_barred(path), "{path}");
    }
}

#[tokio::test]
async fn a_list_tells_of_the_feed_with_just_its_posts() {
    let world = World::with_config(|config| {
        config.feeds.per = vec![FeedTopic::Tag, FeedTopic::Language];
    })
    .await;
    let post = |slug: &str, language: &str, tags: &[&str]| Post {
        language: language.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..published(slug, 2)
    };
    world.shows(&[post("a", "en", &["C++"]), post("b", "de", &[])]);
    let feeds = |page: &str| -> Vec<String> {
        let head = page.split("</head>").next().unwrap().to_owned();
        let links = head.split("<link rel=\"alternate\" type=\"application/").skip(1);
        let url = |link: &str| link.split("href=\"").nth(1)?.split('"').next().map(str::to_owned);
        links.filter_map(url).collect()
    };
    let base = "https://news.example.org";
    let tag = world.get("/archive/tags/c++/").await.page();
    assert_eq!(
        feeds(&tag)[..4],
        [
            "/tags/cplusplus/feed.xml",
            "/tags/cplusplus/atom.xml",
            "/tags/cplusplus/feed.json",
            "/feed.xml"
        ]
        .map(|path| format!("{base}{path}"))
    );
    let language = world.get("/archive/languages/de/").await.page();
    assert_eq!(feeds(&language)[0], format!("{base}/languages/de/feed.xml"));
    assert_eq!(feeds(&world.get("/archive/").await.page())[0], format!("{base}/feed.xml"));
}

#[tokio::test]
async fn a_page_stays_the_same_when_another_post_changes_and_becomes_another_with_its_own() {
    let world = World::new().await;
    let path = world.house.dir.path().join("posts.cache");
    let cache = PostCache::open(&path, "stamp", false).unwrap();
    let put = |html: &str| {
        let body = CachedBody { html: html.to_owned(), ..CachedBody::default() };
        cache.write(|pen| pen.put_body(&body)).unwrap()
    };
    let live = |post: &Post, body| LivePost { post: Arc::new(post.clone()), body };
    let (tea, cup, pot) = (published("tea", 9), published("cup", 5), published("pot", 1));
    let bodies = [put("<p>Tea.</p>"), put("<p>Cup.</p>"), put("<p>Pot.</p>")];
    let shows = |tea: &Post, body| {
        let all = vec![live(tea, body), live(&cup, bodies[1]), live(&pot, bodies[2])];
        world.shows_live(all, &cache);
    };
    shows(&tea, bodies[0]);
    let tag = async |path: &str| world.get(path).await.header("etag").to_owned();
    let before = [tag("/posts/pot/").await, tag("/posts/cup/").await, tag("/posts/tea/").await];
    let renamed = Post { title: "Green tea".to_owned(), ..tea };
    shows(&renamed, bodies[0]);
    let after = [tag("/posts/pot/").await, tag("/posts/cup/").await, tag("/posts/tea/").await];
    assert_eq!(before[0], after[0], "two away from it");
    assert_ne!(before[1], after[1], "it names the newer one");
    assert_ne!(before[2], after[2]);
    shows(&renamed, put("<p>Greener.</p>"));
    assert_ne!(tag("/posts/tea/").await, after[2], "only the text is another");
    assert!(world.get("/archive/").await.page().contains("Green tea"));
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
async fn code_on_a_page_has_colours_for_the_light_and_for_the_dark() {
    let world = World::new().await;
    let path = world.house.dir.path().join("posts.cache");
    let cache = PostCache::open(&path, "stamp", false).unwrap();
    let html =
        "<pre><code class=\"language-rust\">fn main() { /* tea */ }\n</code></pre>".to_owned();
    let body = cache.write(|pen| pen.put_body(&CachedBody { html, ..CachedBody::default() }));
    world.shows_live(vec![LivePost { post: Arc::new(post()), body: body.unwrap() }], &cache);
    let page = world.get("/posts/river/").await.page();
    assert!(page.contains("<span class=\"code-comment\">/* tea */"), "{page}");
    let dark = page.split("@media screen and (prefers-color-scheme: dark)").nth(1).unwrap();
    for class in ["comment", "string", "value", "keyword", "name"] {
        assert_eq!(page.matches(&format!(".code-{class} {{ color")).count(), 2, "{class}");
        assert!(dark.contains(&format!(".code-{class} {{ color")), "{class}");
    }
}
