//! Feeds as people see them who open one in a browser.

use super::archive::{published, rich};
use super::*;
use crate::domain::FeedTopic;

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
    let person = [html, ("sec-fetch-dest", "document")];
    assert_eq!(world.get_with("/none.xml", &person).await.status, StatusCode::NOT_FOUND);
    let sent = world.send(request(Method::POST, "/feed.xml", &person, "")).await;
    assert_eq!(sent.status, StatusCode::METHOD_NOT_ALLOWED, "a person does no more than a reader");
}

/// Statement 40.
#[tokio::test]
async fn a_person_sees_the_feed_of_a_tag_the_podcast_and_what_the_configuration_chooses() {
    let world = World::with_config(|config| {
        config.feeds.per = vec![FeedTopic::Tag];
        config.feeds.podcast = Some(crate::config::Podcast {
            title: None,
            description: None,
            category: ("Arts".to_owned(), None),
            explicit: false,
            image: None,
            owner: None,
            guid: None,
        });
    })
    .await;
    world.publish();
    let mut shelf = (**world.state.shelf.load()).clone();
    let live = |post| LivePost { post: Arc::new(post), body: crate::domain::BodyId(1) };
    shelf.selections = world.selections(vec![live(rich()), live(published("tea", 2))]);
    world.state.shelf.store(Arc::new(shelf));
    let person = [("accept", "text/html"), ("sec-fetch-dest", "document")];
    let tag = world.get_with("/tags/cplusplus/atom.xml", &person).await.page();
    assert!(tag.contains("https://news.example.org/tags/cplusplus/atom.xml</code>"), "{tag}");
    assert!(tag.contains("This one is Atom 1.0.") && tag.contains("/tags/cplusplus/feed.json"));
    assert!(tag.contains("A walk") && !tag.contains("Post tea"), "its posts only");
    let podcast = world.get_with("/podcast.xml", &person).await.page();
    assert!(podcast.contains("https://news.example.org/podcast.xml</code>"), "{podcast}");
    assert!(!podcast.contains("Atom 1.0"), "there is no other format");
    let list = world.get_with("/feeds.opml", &person).await;
    assert!(!list.header("content-type").starts_with("text/html"), "it is no feed");
}

#[tokio::test]
async fn a_person_who_hammers_is_asked_to_wait_as_readers_are() {
    let world = World::with_config(|config| config.feeds.polling.requests_per_minute = 2).await;
    world.publish();
    let asks = async || {
        let person = [
            ("accept", "text/html"),
            ("sec-fetch-dest", "document"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        let mut request = request(Method::GET, "/feed.xml", &person, "");
        request.extensions_mut().insert(ConnectInfo(Peer("127.0.0.1:4000".parse().unwrap())));
        world.send(request).await.status
    };
    assert_eq!((asks().await, asks().await), (StatusCode::OK, StatusCode::OK));
    assert_eq!(asks().await, StatusCode::TOO_MANY_REQUESTS);
}
