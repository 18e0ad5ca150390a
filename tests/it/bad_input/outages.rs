//! Servers that are down, silent or gone for a while: mail, webhooks, the database.

use jiff::Timestamp;
use postrider::domain::{Cadence, DeliveryState};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::harness::daemon::{
    Daemon, add_subscribers, configuration, get, logged, project, smtp, states, until,
};
use crate::harness::engine::{Engine, postgres_server};
use crate::harness::http::{Answer, HttpServer};
use crate::harness::smtp::{At, Fault, SmtpServer};
use crate::harness::world::{Setting, World, post};

const POST: &str = "---\ntitle: To everybody\ndate: 2026-03-01\n---\n\nHello.\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_at_the_start_is_named_and_gets_everything_when_it_is_up() {
    let (address, socket) = SmtpServer::closed();
    let database = Engine::Sqlite.database().await;
    let folder = project(&configuration(&database.text, &smtp(address, 2)));
    let folder = folder.path();
    std::fs::write(folder.join("posts/hello.md"), POST).expect("a file can be written");
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, 3).await;
    let daemon = Daemon::start(folder);
    let listens_at = Daemon::address(folder, 1).await;
    let told = logged(folder, "\"unreachable\"", 1).await;
    assert!(told.contains(&format!("\"server\":\"{address}\"")), "{told}");
    assert!(told.contains("Connection refused"), "{told}");
    assert_eq!(get(listens_at, "/feed.xml").await.map(|answer| answer.0), Some(200));

    let sink = SmtpServer::opens(socket);
    until("the mails", async || states(&store).await.get(&DeliveryState::Accepted) == Some(&3))
        .await;
    assert_eq!(sink.letters().len(), 3, "each of them once");
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_hangs_after_the_data_holds_up_one_mail_and_a_restart_settles_it() {
    let sink = SmtpServer::plain().await;
    sink.fail_once(At::Dot, Fault::Hang);
    let database = Engine::Sqlite.database().await;
    let folder = project(&configuration(&database.text, &smtp(sink.address, 2)));
    let folder = folder.path();
    std::fs::write(folder.join("posts/hello.md"), POST).expect("a file can be written");
    let store = database.open(Timestamp::UNIX_EPOCH).await;
    add_subscribers(&store, 5).await;
    let mut daemon = Daemon::start(folder);
    until("the others", async || sink.letters().len() == 4).await;
    // A server may take ten minutes for its answer: whoever cannot wait says so twice.
    daemon.signal("TERM").await;
    logged(folder, "finishing what is in flight", 1).await;
    daemon.signal("TERM").await;
    assert_eq!(daemon.wait().await, Some(1));

    let daemon = Daemon::start(folder);
    logged(folder, "whether they arrived is unknown", 1).await;
    until("the last one", async || states(&store).await.get(&DeliveryState::Accepted) == Some(&5))
        .await;
    assert_eq!(sink.letters().len(), 5);
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn a_webhook_that_never_answers_is_named_called_again_and_delays_no_mail() {
    let hooks = HttpServer::plain().await;
    hooks.will(Answer::never());
    let destination = format!(
        "[destinations.chat]\nkind = \"webhook\"\nurl = \"http://{}/in\"\ntimeout = \"1s\"",
        hooks.address
    );
    let world = Setting::new(Engine::Sqlite).config(&destination).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(3).await;
    world.eventually("the mail", async || (world.outbox_mail().len() == 1).then_some(())).await;
    let chat = async |world: &World| {
        let mut rows = world.deliveries().await.into_iter();
        rows.find(|row| row.recipient == "chat").expect("it is planned")
    };
    let reply =
        world.eventually("the end of its time", async || chat(&world).await.last_reply).await;
    assert!(reply.contains("timed out"), "{reply}");
    assert_eq!(chat(&world).await.state, DeliveryState::Uncertain);
    world.passes(7).await;
    world.is_quiet().await;
    assert_eq!(chat(&world).await.state, DeliveryState::Accepted);
    let keys: Vec<String> =
        hooks.requests().iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1], "whoever took the first can tell");
}

/// Lets nobody into the database of `world`, and throws out who is there; or lets them in again.
async fn let_in(world: &World, open: bool) {
    let server = postgres_server().expect("asked for only when there is one");
    let name = world.database_name().expect("it is on a server");
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    for statement in [
        format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {open}"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ] {
        connection.execute(AssertSqlSafe(statement)).await.expect("the server obeys");
    }
}

#[tokio::test]
async fn a_database_that_goes_away_takes_no_feed_down_and_what_waited_goes_out_when_it_is_back() {
    if postgres_server().is_none() {
        return;
    }
    let sink = SmtpServer::plain().await;
    sink.fail_for("bob@example.org", At::Rcpt, Fault::Say("450 4.2.1 busy"));
    let setting = Setting::new(Engine::Postgres).mailing_to(sink.address);
    let mut world = setting.start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.subscriber("bob@example.org", Cadence::Instant).await;
    world.author_saves("one.md", post("One", "2026-03-08")).await;
    world.passes(3).await;
    world.is_quiet().await;
    assert_eq!(world.gets("/readyz").await.status, 200);

    let_in(&world, false).await;
    world.author_saves("two.md", post("Two", "2026-03-09")).await;
    world.passes(10).await;
    let ready = world.gets("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.header("retry-after")), (503, "10"));
    assert!(ready.text().contains("the database cannot be written to"), "{}", ready.text());
    assert_eq!(world.gets("/healthz").await.status, 200);
    assert_eq!(world.feed_titles().await, ["One"]);
    let status = world.gets("/status").await;
    assert!(status.text().contains("the database does not answer"), "{}", status.text());
    assert_eq!(sink.letters().len(), 1);

    let_in(&world, true).await;
    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.gets("/readyz").await.status, 200);
    assert_eq!(world.feed_titles().await, ["Two", "One"]);
    let to_ann = sink.letters().iter().filter(|letter| letter.to == "ann@example.org").count();
    assert_eq!(to_ann, 2, "each of them once");
    world.stop().await;
}
