//! Pages for whoever runs the daemon, and rules that hold for all pages.

use std::sync::Mutex;
use std::{fs, io};

use axum::routing::get;
use jiff::SignedDuration;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::store::NewAnnouncement;

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
    world.signs_up("address=bo@example.org").await;
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
    world.signs_up("address=cy@example.org").await;
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
        assert!(page.page().contains(&format!("href=\"{link}\"")), "{link}");
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
        "mail:weekly",
        "chat",
        "0 7 * * MON",
        "subscription.confirmed",
    ] {
        assert!(page.page().contains(shown), "{shown} is not in {}", page.page());
    }
    assert!(!page.page().contains("ann@example.org") && !page.page().contains("bo@example.org"));
    assert!(!page.page().contains("database"));
}

#[tokio::test]
async fn the_status_page_tells_how_each_destination_is_doing() {
    let world = World::new().await;
    let post = post();
    let announcement = NewAnnouncement {
        action: crate::store::Action::Create,
        post: &post.id,
        destination: "chat",
        revision: &post.revision,
        title: &post.title,
        body: "{}",
    };
    let mut tx = world.house.store.write().await.unwrap();
    tx.announce(&announcement, world.state.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let page = world.get("/status").await.page();
    assert!(
        page.contains("<th scope=\"row\">destination:chat</th><td class=\"number\">1</td>"),
        "{page}"
    );
    let row = "<td class=\"good\">well</td><td class=\"number\">0</td><td class=\"number\">1</td>";
    assert!(page.contains(row), "{page}");
}

#[tokio::test]
async fn no_token_and_no_address_reaches_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    // With one subscriber alive, tracing asks whichever thread comes by first whether a line is wanted, and remembers.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let confirmation = world.subscribes("ann@example.org").await;
    let token = world.house.unsubscribe_token("ann@example.org").await;
    world.post(&format!("/unsubscribe/{token}"), "").await;
    world.house.store.close().await;
    world.post(&format!("/unsubscribe/{token}"), "").await;
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/unsubscribe/{token}") && text.contains("a page could not be made"));
    for secret in [confirmation.as_str(), token.as_str(), "ann@example.org"] {
        assert!(!text.contains(secret), "{secret} is in:\n{text}");
    }
}

/// Where a test's log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_status_page_comes_up_without_the_database_and_says_so() {
    let world = World::new().await;
    world.publish();
    world.house.store.close().await;
    let page = world.get("/status").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.page().contains("the database does not answer"), "{}", page.page());
    assert!(page.page().contains("posts/tea.md"));
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
    world.signs_up("address=ann@example.org").await;
    world.house.clock.advance(SignedDuration::from_secs(90));
    let metrics = world.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), crate::telemetry::METRICS_CONTENT_TYPE);
    assert!(metrics.text().contains("postrider_queue_depth{channel=\"destination:chat\"} 0"));
    assert!(metrics.text().contains("postrider_queue_oldest_age_seconds{channel=\"mail:weekly\"}"));
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
        assert!(list.page().contains(shown), "{shown} is not in {}", list.page());
    }
    let mail = world.get("/outbox/mail/000001-d1-abc.eml").await;
    assert!(mail.page().contains("src=\"/outbox/mail/000001-d1-abc.eml/html\""), "{}", mail.page());
    assert!(mail.page().contains("Hello text") && mail.page().contains("sandbox=\""));
    let html = world.get("/outbox/mail/000001-d1-abc.eml/html").await;
    assert!(html.text().contains("<head><base target=\"_blank\">"), "{}", html.text());
    let raw = world.get("/outbox/mail/000001-d1-abc.eml/raw").await;
    assert_eq!((raw.text(), raw.header("content-type")), (MAIL, "text/plain; charset=utf-8"));
    let call = world.get("/outbox/http/000002-d2-abc.json").await;
    assert!(call.page().contains("webhook-id") && call.page().contains("d2-abc"));
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
    assert!(!world.get("/").await.page().contains("/outbox"));
}

#[tokio::test]
async fn a_panic_is_one_bad_answer_and_nothing_more() {
    async fn slips() -> &'static str {
        panic!("a slip")
    }
    let world = World::new().await;
    let broken = get(slips);
    let state = Arc::new(world.state.clone());
    let router = dressed(Router::new().route("/broken", broken), &state).with_state(state);
    let request = request(Method::GET, "/broken", &[], "");
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(world.get("/healthz").await.status, StatusCode::OK);
}
