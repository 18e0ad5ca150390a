//! Pages for whoever runs the daemon, and rules that hold for all pages.

use std::fs;

use axum::routing::get;
use jiff::SignedDuration;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::*;

const MAIL: &str = "From: Field Notes <news@example.org>\r\n\
    To: ann@example.org\r\n\
    Subject: =?utf-8?q?Caf=C3=A9?= notes\r\n\
    Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n\
    List-Unsubscribe: <https://news.example.org/unsubscribe/x>,\r\n <mailto:x@example.org>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello text\r\n\
    --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <html><head><title>x</title></head><body><p>Hello <b>HTML</b></p></body></html>\r\n--b--\r\n";
const CALL: &str = "{\"destination\": \"chat\", \"delivery\": 2, \"at\": \"2026-11-22T08:00:00Z\", \
    \"url\": \"outbox\", \"headers\": {\"webhook-id\": \"d2-abc\"}, \
    \"body\": \"{\\\"data\\\":{\\\"post\\\":{\\\"title\\\":\\\"A walk\\\"}}}\"}";

/// Lays one mail and one call into the outbox, as a courier would.
fn fill_outbox(world: &World) {
    let outbox = world.house.dir.path().join("outbox");
    fs::create_dir_all(outbox.join("mail")).unwrap();
    fs::create_dir_all(outbox.join("http")).unwrap();
    fs::write(outbox.join("mail/000001-d1-abc.eml"), MAIL).unwrap();
    fs::write(outbox.join("http/000002-d2-abc.json"), CALL).unwrap();
    fs::write(world.house.dir.path().join("secret.eml"), "secret").unwrap();
}

/// Every GET route there is, with tokens that are good.
async fn every_path(world: &World) -> Vec<String> {
    world.publish();
    fill_outbox(world);
    world.subscribes("ann@example.org").await;
    let unsubscribe = world.house.unsubscribe_token("ann@example.org").await;
    world.post("/subscribe/weekly", "address=bo@example.org").await;
    let confirm = world.house.newest_token().await;
    let mut paths: Vec<String> = [
        "/",
        "/feed.xml",
        "/atom.xml",
        "/feed.json",
        "/subscribe/weekly",
        "/subscribe/weekly/done",
        "/status",
        "/outbox",
        "/outbox/mail/000001-d1-abc.eml",
        "/outbox/mail/000001-d1-abc.eml/html",
        "/outbox/mail/000001-d1-abc.eml/raw",
        "/outbox/http/000002-d2-abc.json",
        "/healthz",
        "/readyz",
        "/metrics",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/confirm/{confirm}"));
    paths.push(format!("/unsubscribe/{unsubscribe}"));
    paths
}

#[tokio::test]
async fn no_get_changes_anything() {
    let world = World::new().await;
    let paths = every_path(&world).await;
    let file = world.house.dir.path().join("postrider.db");
    let mut watcher = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    // Grows when another connection has changed the database (sqlite.org/pragma.html#pragma_data_version).
    let mut version = async || -> i64 {
        let row = sqlx::query("PRAGMA data_version").fetch_one(&mut watcher).await.unwrap();
        row.get(0)
    };
    let before = version().await;
    for path in &paths {
        for method in [Method::GET, Method::HEAD] {
            let answer = world.send(request(method, path, &[], "")).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        }
    }
    assert_eq!(version().await, before);
    world.post("/subscribe/weekly", "address=cy@example.org").await;
    assert_ne!(version().await, before);
}

#[tokio::test]
async fn every_answer_is_shut_tight() {
    let world = World::new().await;
    let mut paths = every_path(&world).await;
    paths.push("/nothing/here".to_owned());
    for path in paths {
        let answer = world.get(&path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.headers.get("set-cookie").is_none(), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        if path.ends_with("/html") {
            assert!(policy.contains("frame-ancestors 'self'") && policy.contains("sandbox"));
            continue;
        }
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}");
        let is_page = answer.header("content-type").starts_with("text/html");
        assert_eq!(policy.contains("style-src 'sha256-"), is_page, "{path}");
        assert!(!answer.text().contains(" style=\""), "{path} has styles that its policy forbids");
    }
}

#[tokio::test]
async fn the_front_page_leads_everywhere() {
    let world = World::new().await;
    let page = world.get("/").await;
    for link in ["/feed.xml", "/atom.xml", "/feed.json", "/subscribe/weekly", "/status", "/outbox"]
    {
        assert!(page.text().contains(&format!("href=\"{link}\"")), "{link}");
    }
}

#[tokio::test]
async fn the_status_page_shows_the_house_and_no_address() {
    let world = World::new().await;
    every_path(&world).await;
    let page = world.get("/status").await;
    for shown in [
        "Field Notes weekly",
        "`soon` is no date",
        "posts/tea.md",
        "mail:main",
        "chat",
        "0 7 * * MON",
        "subscription.confirmed",
    ] {
        assert!(page.text().contains(shown), "{shown} is not in {}", page.text());
    }
    assert!(!page.text().contains("ann@example.org") && !page.text().contains("bo@example.org"));
    assert!(!page.text().contains("database"));
}

#[tokio::test]
async fn the_status_page_comes_up_without_the_database_and_says_so() {
    let world = World::new().await;
    world.publish();
    world.house.store.close().await;
    let page = world.get("/status").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("the database does not answer"), "{}", page.text());
    assert!(page.text().contains("posts/tea.md"));
    assert_eq!(world.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn machines_learn_whether_we_live_and_whether_we_can_work() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(world.get("/readyz").await.text(), "ready\n");
    world.state.draining.cancel();
    let draining = world.get("/readyz").await;
    assert_eq!(draining.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(draining.text(), "not ready: stopping: what is in flight is being finished\n");
    world.house.store.close().await;
    assert!(world.get("/readyz").await.text().contains("the database cannot be written to"));
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_the_queues_and_survive_the_database() {
    let world = World::new().await;
    world.post("/subscribe/weekly", "address=ann@example.org").await;
    world.house.clock.advance(SignedDuration::from_secs(90));
    let metrics = world.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), crate::telemetry::METRICS_CONTENT_TYPE);
    assert!(metrics.text().contains("postrider_queue_depth{channel=\"destination:chat\"} 0"));
    assert!(metrics.text().contains("postrider_queue_oldest_age_seconds{channel=\"mail:main\"}"));
    assert!(metrics.text().contains("route=\"/subscribe/{newsletter}\""));
    assert!(!metrics.text().contains("ann@example.org"));
    world.house.store.close().await;
    world.house.clock.advance(SignedDuration::from_secs(90));
    assert_eq!(world.get("/metrics").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_outbox_shows_mail_and_calls_as_they_would_have_gone_out() {
    let world = World::new().await;
    let empty = world.get("/outbox").await;
    assert_eq!(empty.status, StatusCode::OK);
    fill_outbox(&world);
    let list = world.get("/outbox").await;
    for shown in [
        "Café notes",
        "ann@example.org",
        "A walk",
        "/outbox/mail/000001-d1-abc.eml",
        "/outbox/http/000002-d2-abc.json",
    ] {
        assert!(list.text().contains(shown), "{shown} is not in {}", list.text());
    }
    let mail = world.get("/outbox/mail/000001-d1-abc.eml").await;
    assert!(mail.text().contains("src=\"/outbox/mail/000001-d1-abc.eml/html\""), "{}", mail.text());
    assert!(mail.text().contains("Hello text") && mail.text().contains("sandbox=\""));
    let html = world.get("/outbox/mail/000001-d1-abc.eml/html").await;
    assert!(html.text().contains("<head><base target=\"_blank\">"), "{}", html.text());
    let raw = world.get("/outbox/mail/000001-d1-abc.eml/raw").await;
    assert_eq!((raw.text(), raw.header("content-type")), (MAIL, "text/plain; charset=utf-8"));
    let call = world.get("/outbox/http/000002-d2-abc.json").await;
    assert!(call.text().contains("webhook-id") && call.text().contains("d2-abc"));
}

#[tokio::test]
async fn the_outbox_shows_nothing_but_its_own_files() {
    let world = World::new().await;
    fill_outbox(&world);
    for name in [
        "..%2f..%2fsecret.eml",
        "%2e%2e",
        "..",
        "secret.eml",
        "000001-d1-abc.json",
        "%2fetc%2fpasswd",
        "..%5csecret.eml",
        "%00.eml",
        ".hidden.eml",
        "000001-d1-abc.eml%00",
    ] {
        for path in [
            format!("/outbox/mail/{name}"),
            format!("/outbox/mail/{name}/raw"),
            format!("/outbox/http/{name}"),
        ] {
            let answer = world.get(&path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text());
            assert!(!answer.text().contains("secret"), "{path}");
        }
    }
}

#[tokio::test]
async fn without_an_outbox_in_the_configuration_there_is_no_outbox_page() {
    let world = World::with_config(|config| {
        config.mail.servers.clear();
        config.destinations.clear();
    })
    .await;
    fill_outbox(&world);
    for path in ["/outbox", "/outbox/mail/000001-d1-abc.eml", "/outbox/http/000002-d2-abc.json"] {
        assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!world.get("/").await.text().contains("/outbox"));
}

#[tokio::test]
async fn a_panic_is_one_bad_answer_and_nothing_more() {
    async fn slips() -> &'static str {
        panic!("a slip")
    }
    let world = World::new().await;
    let broken = get(slips);
    let router = dressed(Router::new().route("/broken", broken), &world.state);
    let router = router.with_state(world.state.clone());
    let request = request(Method::GET, "/broken", &[], "");
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
}
