//! Several mail servers, their limits, and the hours at which mail may go.

use std::fmt::Write as _;
use std::net::SocketAddr;

use jiff::SignedDuration;
use postrider::domain::{Cadence, DeliveryState};

use crate::harness::engine::Engine;
use crate::harness::smtp::{At, Fault, SmtpServer};
use crate::harness::world::{Setting, World, post};

/// A world whose digest goes out at 13:00 to `readers`, with `spare` as another server and more configuration.
async fn world(
    (main, options): (SocketAddr, &str),
    spare: Option<(SocketAddr, &str)>,
    more: &str,
    readers: usize,
) -> World {
    let mut config = String::new();
    if let Some((spare, options)) = spare {
        writeln!(config, "[mail.servers.spare]\nurl = \"smtp://{spare}\"\n{options}")
            .expect("a string takes everything");
    }
    config.push_str(more);
    let world = Setting::new(Engine::Sqlite)
        .mailing_with(main, options)
        .cadences("daily = \"0 13 * * *\"")
        .config(&config)
        .start()
        .await;
    for number in 0..readers {
        let domain = if number % 2 == 0 { "even.example" } else { "odd.example" };
        world.subscriber(&format!("reader{number}@{domain}"), Cadence::Daily).await;
    }
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.passes(3).await;
    world
}

async fn accepted(world: &World) -> usize {
    let rows = world.deliveries().await;
    rows.iter().filter(|row| row.state == DeliveryState::Accepted).count()
}

async fn until_accepted(world: &World, count: usize) {
    world.eventually("the mails", async || (accepted(world).await == count).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_server_is_down_the_other_carries_everything_at_once() {
    let (down, _socket) = SmtpServer::closed();
    let spare = SmtpServer::plain().await;
    let world = world((down, "connections = 2"), Some((spare.address, "weight = 0")), "", 40).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 40).await;
    assert_eq!(spare.letters().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_share_mail_by_weight_and_the_spare_one_rests() {
    let main = SmtpServer::plain().await;
    let spare = SmtpServer::plain().await;
    let options = ("connections = 3\nweight = 3", "connections = 3");
    let world = world((main.address, options.0), Some((spare.address, options.1)), "", 200).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 200).await;
    let (most, least) = (main.letters().len(), spare.letters().len());
    assert_eq!(most + least, 200);
    assert!((130..=170).contains(&most), "{most} and {least}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_a_domain_gets_that_domain_and_nothing_else() {
    let main = SmtpServer::plain().await;
    let spare = SmtpServer::plain().await;
    let only = "domains = [\"odd.example\"]";
    let world = world((main.address, ""), Some((spare.address, only)), "", 20).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 20).await;
    assert!(main.letters().iter().all(|letter| letter.to.ends_with("@even.example")));
    assert_eq!(spare.letters().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_quota_spills_over_to_the_next_day() {
    let main = SmtpServer::plain().await;
    let world = world((main.address, "daily_quota = 7"), None, "", 12).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 7).await;
    // The rest is handed back when it has waited for a while; nothing of it goes on this day.
    world.clock.advance(SignedDuration::from_hours(20));
    world.rescans().await;
    assert_eq!(main.letters().len(), 7);
    world.clock.advance(SignedDuration::from_hours(5));
    until_accepted(&world, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_up_lets_more_go_each_day() {
    let main = SmtpServer::plain().await;
    let plan =
        "[mail.warm_up.\"example.org\"]\nstart = \"2026-03-09\"\nfirst_day = 4\ngrowth = \"100%\"";
    let world = world((main.address, ""), None, plan, 12).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 4).await;
    world.clock.advance(SignedDuration::from_hours(25));
    until_accepted(&world, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn editions_wait_for_their_hours_and_confirmations_do_not() {
    let main = SmtpServer::plain().await;
    let window = "send_window = \"14:00-15:00\"";
    let world = world((main.address, ""), None, window, 3).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    let answer = world.posts("/subscribe/weekly", "address=new%40example.org&cadence=daily").await;
    assert!(answer.status.is_success() || answer.status.is_redirection(), "{}", answer.text());
    until_accepted(&world, 1).await;
    assert_eq!(main.letters()[0].to, "new@example.org");
    world.jumps_to("2026-03-09T13:00:01Z").await;
    until_accepted(&world, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_says_we_are_too_fast_is_slowed_down_and_the_other_is_not() {
    let main = SmtpServer::plain().await;
    for number in (1..40).step_by(2) {
        let reader = format!("reader{number}@odd.example");
        main.fail_for(&reader, At::Rcpt, Fault::Say("421 4.7.28 Too many messages, slow down"));
    }
    let world = world((main.address, "connections = 4"), None, "", 40).await;
    world.jumps_to("2026-03-09T12:00:01Z").await;
    until_accepted(&world, 20).await;
    let tried = main.commands().iter().filter(|line| line.contains("odd.example")).count();
    assert!(tried < 20, "{tried} of 20 were tried although the first few were told to slow down");
}
