//! Others hear of what changed: hubs, those who subscribed at our own, search engines.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use axum::http::Method;

use crate::harness::engine::Engine;
use crate::harness::http::{Answer, HttpServer, Request};
use crate::harness::world::{Setting, World, post};

fn started(engine: Engine) -> Setting {
    Setting::new(engine)
        .post("one.md", post("One", "2026-03-01"))
        .post("two.md", post("Two", "2026-03-02"))
}

/// The feeds that the hub was told of, each as often as it was.
fn topics(hub: &HttpServer) -> Vec<String> {
    let start = "hub.mode=publish&hub.url=http%3A%2F%2F127.0.0.1%3A8080%2F";
    let requests = hub.requests().into_iter();
    let mut topics: Vec<String> =
        requests.map(|it| it.body.strip_prefix(start).unwrap().to_owned()).collect();
    topics.sort();
    topics
}

/// Time passes until the hub was called so often.
async fn hears(world: &World, hub: &HttpServer, times: usize) {
    let hears = async || {
        world.rescans().await;
        (hub.requests().len() >= times).then_some(())
    };
    world.eventually("the hub is told", hears).await;
}

const NAMED: &str = "[feeds.selections.slow]\nlanguages = [\"en\"]\n";

/// Statement 37.
#[tokio::test]
async fn a_hub_hears_of_each_feed_that_changed_and_again_until_it_listens() {
    for engine in Engine::all() {
        let hub = HttpServer::plain().await;
        let hubs = format!("[feeds]\nhubs = [\"http://{}/hub\"]\n{NAMED}", hub.address);
        let mut world = started(engine).config(&hubs).start().await;
        let feed = world.gets("/feed.xml").await;
        assert!(feed.header("link").contains("/hub>; rel=\"hub\""), "{}", feed.header("link"));
        let topic = world.gets("/languages/en/feed.xml").await;
        assert!(!topic.header("link").contains("hub"), "it does not name who is not told");
        world.passes(2).await;
        assert_eq!(topics(&hub), [""; 0], "{engine:?}: nothing is new at first");

        for _ in 0..6 {
            hub.will(Answer::status(503));
        }
        world.author_saves("three.md", post("Three", "2026-03-03")).await;
        let all = [
            "atom.xml",
            "feed.json",
            "feed.xml",
            "feeds%2Fslow%2Fatom.xml",
            "feeds%2Fslow%2Ffeed.json",
        ];
        let all = [&all[..], &["feeds%2Fslow%2Ffeed.xml"]].concat();
        hears(&world, &hub, 1).await;
        world.restarts().await;
        hears(&world, &hub, 2 * all.len()).await;
        world.passes(3).await;
        world.stop().await;
        let mut told = topics(&hub);
        assert_eq!(told.len(), 2 * all.len(), "{engine:?}: once it has heard, it is left alone");
        told.dedup();
        assert_eq!(told, all, "{engine:?}");
    }
}

/// A hub of our own whose subscribers are on this machine.
const HUB: &str = "[feeds.hub]\nenabled = true\nallow = [\"127.0.0.0/8\"]\n";
const TOPIC: &str = "http://127.0.0.1:8080/feed.xml";
const SECRET: &str = "a-secret-of-the-subscriber";

/// Asks the hub; `besides` is what the form has besides.
async fn asks(world: &World, mode: &str, callback: &str, topic: &str, besides: &str) -> u16 {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    let form = form
        .append_pair("hub.mode", mode)
        .append_pair("hub.callback", callback)
        .append_pair("hub.topic", topic)
        .finish();
    world.posts("/websub", &(form + besides)).await.status.as_u16()
}

fn value(query: &str, name: &str) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, it)| it.into_owned())
        .unwrap_or_default()
}

/// Bodies that the subscriber was sent, with their headers.
fn sent(subscriber: &HttpServer) -> Vec<Request> {
    let requests = subscriber.requests().into_iter();
    requests.filter(|request| request.method == Method::POST).collect()
}

/// How often the subscriber was asked whether it meant it.
fn questions(subscriber: &HttpServer) -> Vec<Request> {
    let requests = subscriber.requests().into_iter();
    requests.filter(|request| request.method == Method::GET).collect()
}

async fn is_asked(world: &World, subscriber: &HttpServer, times: usize) {
    let asked = async || (questions(subscriber).len() >= times).then_some(());
    world.eventually("the callback is asked", asked).await;
}

async fn subscribers(world: &World) -> i64 {
    let mut tx = world.store.read().await.unwrap();
    tx.hub_subscribers().await.unwrap().iter().map(|row| row.subscribers).sum()
}

async fn has_subscribers(world: &World, number: i64) {
    let has = async || (subscribers(world).await == number).then_some(());
    world.eventually("the hub has so many subscribers", has).await;
}

async fn gets_feeds(world: &World, subscriber: &HttpServer, times: usize) {
    let has = async || (sent(subscriber).len() >= times).then_some(());
    world.eventually("the subscriber gets the feed", has).await;
}

fn signature(secret: &str, body: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, body.as_bytes());
    postrider::domain::hex(tag.as_ref())
}

#[tokio::test]
async fn who_subscribed_at_our_hub_is_sent_the_feed_as_it_is_served() {
    for engine in Engine::all() {
        let subscriber = HttpServer::plain().await;
        let mut world = started(engine).config(HUB).start().await;
        let callback = format!("http://{}/cb?id=7", subscriber.address);
        let feed = world.gets("/languages/en/atom.xml").await;
        assert!(feed.header("link").contains("/websub>; rel=\"hub\""), "{}", feed.header("link"));
        assert!(feed.text().contains("href=\"http://127.0.0.1:8080/websub\" rel=\"hub\""));

        subscriber.will(Answer::repeats("hub.challenge"));
        let secret = format!("&hub.secret={SECRET}&hub.lease_seconds=864000");
        assert_eq!(asks(&world, "subscribe", &callback, TOPIC, &secret).await, 202, "{engine:?}");
        has_subscribers(&world, 1).await;
        let question = &questions(&subscriber)[0];
        assert!(question.query.starts_with("id=7&hub.mode=subscribe&"), "{}", question.query);
        assert_eq!(value(&question.query, "hub.topic"), TOPIC);
        assert_eq!(value(&question.query, "hub.lease_seconds"), "864000");
        world.passes(1).await;
        assert_eq!(sent(&subscriber).len(), 0, "it has what is there");

        subscriber.will(Answer::status(500));
        world.author_saves("two.md", post("Two, again", "2026-03-02")).await;
        gets_feeds(&world, &subscriber, 1).await;
        world.restarts().await;
        world.passes(2).await;
        gets_feeds(&world, &subscriber, 2).await;
        let served = world.gets("/feed.xml").await;
        let content = &sent(&subscriber)[1];
        assert_eq!(content.body, served.text(), "{engine:?}: byte for byte");
        assert_eq!(content.header("content-type"), served.header("content-type"));
        let links = format!("<http://127.0.0.1:8080/websub>; rel=\"hub\", <{TOPIC}>; rel=\"self\"");
        assert_eq!(content.header("link"), links);
        let expected = format!("sha256={}", signature(SECRET, &content.body));
        assert_eq!(content.header("x-hub-signature"), expected);
        world.passes(3).await;
        assert_eq!(sent(&subscriber).len(), 2, "{engine:?}: once");
        let status = world.gets("/status").await.text();
        assert!(!status.contains(SECRET) && !status.contains("id=7"));

        subscriber.will(Answer::repeats("hub.challenge"));
        assert_eq!(asks(&world, "unsubscribe", &callback, TOPIC, "").await, 202);
        has_subscribers(&world, 0).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_lease_or_when_the_subscriber_is_gone() {
    for engine in Engine::all() {
        let subscriber = HttpServer::plain().await;
        let mut world = started(engine).config(HUB).start().await;
        let callback = format!("http://{}/cb", subscriber.address);
        // Also a feed that is made on demand.
        let topic = "http://127.0.0.1:8080/languages/en/feed.json";
        subscriber.will(Answer::repeats("hub.challenge"));
        assert_eq!(asks(&world, "subscribe", &callback, topic, "").await, 202);
        has_subscribers(&world, 1).await;
        subscriber.will(Answer::status(410));
        world.author_saves("three.md", post("Three", "2026-03-03")).await;
        gets_feeds(&world, &subscriber, 1).await;
        has_subscribers(&world, 0).await;
        assert!(sent(&subscriber)[0].body.contains("Three"));

        subscriber.will(Answer::repeats("hub.challenge"));
        let short = "&hub.lease_seconds=60";
        assert_eq!(asks(&world, "subscribe", &callback, topic, short).await, 202);
        has_subscribers(&world, 1).await;
        assert_eq!(value(&questions(&subscriber)[1].query, "hub.lease_seconds"), "3600");
        world.jumps_to("2026-03-09T13:00:00Z").await;
        has_subscribers(&world, 0).await;
        world.author_saves("four.md", post("Four", "2026-03-04")).await;
        world.passes(1).await;
        world.stop().await;
        assert_eq!(sent(&subscriber).len(), 1, "{engine:?}");
    }
}

/// WebSub section 5.2.
#[tokio::test]
async fn who_subscribed_to_a_feed_that_is_no_more_is_told_so_until_it_listens() {
    for engine in Engine::all() {
        let subscriber = HttpServer::plain().await;
        let mut world = started(engine).config(HUB).start().await;
        let callback = format!("http://{}/cb?id=7", subscriber.address);
        let stays = "http://127.0.0.1:8080/atom.xml";
        for (number, topic) in [TOPIC, stays].into_iter().enumerate() {
            subscriber.will(Answer::repeats("hub.challenge"));
            assert_eq!(asks(&world, "subscribe", &callback, topic, "").await, 202);
            has_subscribers(&world, i64::try_from(number).unwrap() + 1).await;
        }
        let file = world.path("config/postrider.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let retired = "[feeds]\ngone = [\"/feed.xml\"]\n[feeds.hub]";
        std::fs::write(&file, text.replace("[feeds.hub]", retired)).unwrap();
        subscriber.will(Answer::status(503));
        world.restarts().await;
        has_subscribers(&world, 1).await;
        is_asked(&world, &subscriber, 3).await;
        world.passes(2).await;
        is_asked(&world, &subscriber, 4).await;
        world.passes(3).await;
        let told = questions(&subscriber);
        assert_eq!(told.len(), 4, "{engine:?}: it has heard");
        let [first, again] = [&told[2], &told[3]];
        assert!(first.query.starts_with("id=7&hub.mode=denied&"), "{}", first.query);
        assert_eq!(value(&first.query, "hub.topic"), TOPIC);
        assert_eq!(value(&first.query, "hub.reason"), "This feed is no more.");
        assert_eq!(value(&first.query, "hub.challenge"), "", "there is nothing to confirm");
        assert_eq!(first.query, again.query);
        assert_eq!(asks(&world, "subscribe", &callback, TOPIC, "").await, 410);
        assert_eq!(asks(&world, "denied", &callback, stays, "").await, 400);
        assert_eq!(subscribers(&world).await, 1, "{engine:?}: the other one goes on");
        world.stop().await;
    }
}

#[tokio::test]
async fn nobody_is_subscribed_who_did_not_ask_for_it() {
    let stranger = HttpServer::plain().await;
    let mut world = started(Engine::Sqlite).config(HUB).start().await;
    let callback = format!("http://{}/cb", stranger.address);
    for (asked, answer) in
        [Answer::status(200).body("yes"), Answer::status(404)].into_iter().enumerate()
    {
        stranger.will(answer);
        assert_eq!(asks(&world, "subscribe", &callback, TOPIC, "").await, 202);
        is_asked(&world, &stranger, asked + 1).await;
        let is_over = async || {
            let next = world.store.read().await.unwrap().next_hub_request().await;
            next.unwrap().is_none().then_some(())
        };
        world.eventually("the answer is taken", is_over).await;
    }
    let other = "http://127.0.0.1:8080/tags/none/feed.xml";
    let long = format!("&hub.secret={}", "x".repeat(200));
    for (mode, callback, topic, more, expected) in [
        ("subscribe", &*callback, other, "", 404),
        ("subscribe", &callback, "https://elsewhere.example/feed.xml", "", 404),
        ("subscribe", &callback, "http://127.0.0.1:8080/feeds.opml", "", 404),
        ("subscribe", &callback, TOPIC, &long, 400),
        ("subscribe", &callback, TOPIC, "&hub.lease_seconds=soon", 400),
        ("subscribe", "http://10.0.0.1/cb", TOPIC, "", 400),
        ("subscribe", "http://[::1]/cb", TOPIC, "", 400),
        ("subscribe", "ftp://example.org/cb", TOPIC, "", 400),
        ("publish", &callback, TOPIC, "", 400),
        ("take", &callback, TOPIC, "", 400),
        // Nothing to end, and nobody is called for it.
        ("unsubscribe", &callback, TOPIC, "", 202),
    ] {
        let status = asks(&world, mode, callback, topic, more).await;
        assert_eq!(status, expected, "{mode} {callback} {topic} {more}");
    }
    world.author_saves("three.md", post("Three", "2026-03-03")).await;
    world.passes(2).await;
    world.stop().await;
    assert_eq!((stranger.requests().len(), subscribers(&world).await), (2, 0));
}

#[tokio::test]
async fn without_a_hub_nobody_is_heard_and_no_feed_names_one() {
    let mut world = started(Engine::Sqlite).start().await;
    assert_eq!(asks(&world, "subscribe", "https://example.com/", TOPIC, "").await, 404);
    assert!(!world.gets("/feed.xml").await.header("link").contains("hub"));
    world.stop().await;
}

#[tokio::test]
async fn search_engines_hear_of_pages_that_are_new_changed_or_gone_and_of_no_others() {
    for engine in Engine::all() {
        let index = HttpServer::plain().await;
        let key = "0123456789abcdef";
        let config = format!(
            "[archive.index_now]\nkey = \"{key}\"\nendpoint = \"http://{}/indexnow\"\n",
            index.address
        );
        // The archive is the site: its pages are on our own host.
        let mut world = started(engine).config(&config).site("http://127.0.0.1:8080").start().await;
        assert_eq!(world.gets(&format!("/{key}.txt")).await.text(), key);
        world.passes(3).await;
        assert!(index.requests().is_empty(), "{engine:?}: not of what was there at first");
        index.will(Answer::status(429));
        world.author_saves("three.md", post("Three", "2026-03-03")).await;
        world.author_saves("two.md", post("Two", "2026-03-02") + "\nA word.\n").await;
        world.author_deletes("one.md").await;
        world.restarts().await;
        hears(&world, &index, 2).await;
        world.passes(3).await;
        world.stop().await;
        let calls = index.requests();
        assert_eq!(calls.len(), 2, "{engine:?}: refused once, then told, once");
        let call: serde_json::Value = serde_json::from_str(&calls[1].body).unwrap();
        let page = |name: &str| format!("http://127.0.0.1:8080/posts/{name}/");
        assert_eq!(call["host"], "127.0.0.1");
        assert_eq!(call["keyLocation"], format!("http://127.0.0.1:8080/{key}.txt"));
        let urls = [page("one"), page("three"), page("two")];
        assert_eq!(call["urlList"], serde_json::json!(urls), "{engine:?}");
    }
}
