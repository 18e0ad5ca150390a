//! Where pages are, were and will be: redirects, 404, 410, 503.

use super::archive::{published, rich};
use super::*;
use crate::store::{CachedBody, PostCache};

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
async fn nobody_is_led_to_where_he_is_already() {
    let world = World::with_config(|config| {
        config.site.url = config.server.public_url.clone();
        config.archive.enabled = false;
    })
    .await;
    world.publish();
    let mut shelf = (**world.state.shelf.load()).clone();
    let moved = [
        ("/here/", "https://news.example.org/here/"),
        ("/there", "https://news.example.org/there/"),
        ("/%63af%c3%a9/", "https://news.example.org/caf%C3%A9"),
        ("/away/", "https://example.org/away/"),
        ("/old/", "https://news.example.org/new/"),
    ];
    shelf.moved = Arc::new(moved.map(|(from, to)| (from.to_owned(), to.to_owned())).into());
    world.state.shelf.store(Arc::new(shelf));
    for itself in ["/here/", "/there", "/%63af%c3%a9/", "/posts/here/"] {
        let expected = if itself.starts_with("/posts") { 301 } else { 404 };
        assert_eq!(world.get(itself).await.status.as_u16(), expected, "{itself}");
    }
    for elsewhere in ["/away/", "/old/"] {
        assert_eq!(world.get(elsewhere).await.status, StatusCode::MOVED_PERMANENTLY, "{elsewhere}");
    }
}

#[tokio::test]
async fn an_alias_that_is_the_posts_own_address_leads_nowhere_else() {
    let world =
        World::with_config(|config| config.site.url = config.server.public_url.clone()).await;
    let url = |path: &str| format!("https://news.example.org{path}").parse().unwrap();
    let aliases = vec![url("/tea"), url("/tea/"), url("/thé/")];
    world.publish();
    world.shows(&[Post { link: url("/tea/"), aliases, ..published("tea", 2) }]);
    assert_eq!(world.get("/tea/").await.status, StatusCode::OK);
    for other in ["/tea", "/th%C3%A9/", "/th%c3%a9/"] {
        let answer = world.get(other).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::MOVED_PERMANENTLY, "/tea/"),
            "{other}"
        );
    }
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
async fn a_post_whose_time_was_over_before_a_restart_is_gone_after_it() {
    let world = World::new().await;
    let path = world.house.dir.path().join("posts.cache");
    let cache = PostCache::open(&path, "stamp", false).unwrap();
    let expired = ["https://example.org/posts/concert/".parse().unwrap()];
    world.shows_but(Vec::new(), &expired, &cache);
    assert_eq!(world.get("/posts/concert/").await.status, StatusCode::GONE);
    assert_eq!(world.get("/posts/never/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn however_many_are_gone_the_last_one_is_gone_too() {
    let world = World::new().await;
    let link = |at: usize| format!("https://example.org/posts/{at}/");
    let links: Vec<String> = (0..20_000).map(link).collect();
    let archive = Archive::of_the_gone(&world.house.config, &links);
    world.state.archive.store(Arc::new(archive));
    world.shows(&[rich(), published("tea", 2)]);
    world.shows(&[rich()]);
    for path in ["/posts/0/", "/posts/19999/", "/posts/tea/"] {
        assert_eq!(world.get(path).await.status, StatusCode::GONE, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_gone_or_not_yet_there_whatever_its_address_ends_with() {
    let world =
        World::with_config(|config| config.site.url = config.server.public_url.clone()).await;
    assert_eq!(world.get("/a.json").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let links = ["https://news.example.org/a.xml".to_owned()];
    world.state.archive.store(Arc::new(Archive::of_the_gone(&world.house.config, &links)));
    world.publish();
    let broken = LivePost {
        post: Arc::new(Post {
            link: "https://news.example.org/b.json".parse().unwrap(),
            ..published("b", 2)
        }),
        body: crate::domain::BodyId(99),
    };
    let path = world.house.dir.path().join("posts.cache");
    let cache = PostCache::open(&path, "stamp", false).unwrap();
    world.shows_live(vec![broken], &cache);
    assert_eq!(world.get("/a.xml").await.status, StatusCode::GONE);
    let unreadable = world.get("/b.json").await;
    assert_eq!(unreadable.status, StatusCode::SERVICE_UNAVAILABLE, "not: there is none");
    assert!(!unreadable.header("retry-after").is_empty());
    assert_eq!(world.get("/c.json").await.text(), "There is no feed at this address.\n");
}

#[tokio::test]
async fn a_site_below_a_path_or_on_another_port_or_scheme_is_another_site() {
    let world = World::new().await;
    let link = |slug: &str, link: &str| Post { link: link.parse().unwrap(), ..published(slug, 2) };
    world.shows(&[
        link("a", "https://news.example.org/a/"),
        link("b", "https://news.example.org:8443/b/"),
        link("c", "http://news.example.org/c/"),
    ]);
    for (path, canonical) in [
        ("/a/", "https://news.example.org/a/"),
        ("/posts/b/", "https://news.example.org:8443/b/"),
        ("/posts/c/", "http://news.example.org/c/"),
    ] {
        let page = world.get(path).await.page();
        let told = format!("<link rel=\"canonical\" href=\"{canonical}\">");
        assert!(page.contains(&told), "{path}: {page}");
    }
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
    world.publish();
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
    let pages =
        ["/posts/river/", "/archive/", "/2026/river", "/river.html", "/sitemap.xml", "/old/"];
    for path in pages {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status, answer.header("retry-after"), answer.header("cache-control")),
            (StatusCode::SERVICE_UNAVAILABLE, "10", "no-store"),
            "{path}"
        );
    }
    assert_eq!(world.get("/robots.txt").await.status, StatusCode::OK);
    world.publish();
    assert_eq!(world.get("/elsewhere/").await.status, StatusCode::NOT_FOUND);
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

#[tokio::test]
async fn a_mail_leads_to_a_post_wherever_it_lives_by_then() {
    let world = World::new().await;
    let link = |link: &str| Post { link: link.parse().unwrap(), ..rich() };
    for path in ["/posts/river/", "/posts/2027/river/"] {
        let post = link(&format!("https://example.org{path}"));
        let mailed = format!("/{}", post.id.page());
        world.shows(&[post]);
        for asked in [&*mailed, mailed.trim_end_matches('/')] {
            let answer = world.get(asked).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::FOUND, path));
        }
    }
    for nothing in ["/posts/-/0123456789abcdef/", "/posts/-/", "/posts/-/+123456789abcdef/"] {
        assert_eq!(world.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
}
