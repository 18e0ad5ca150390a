//! How fast the send engine is, beside what is known to be fast: `scripts/bench-send` prints the table.
//!
//! Every measurement runs in processes of its own, so that each one's CPU time and memory can be told from the others'.
//! They share the machine's cores: quote ratios of one run, and CPU per message.

mod carry;
mod daemon;
mod far;
mod measure;
mod peers;
mod project;
mod proxy;
mod rows;
#[expect(dead_code, reason = "the crash stories ask more of it")]
mod sink;
mod table;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use measure::own_usage;
use sink::{Rules, Sink};

#[derive(Parser)]
#[command(about = "Measure the send engine")]
struct Arguments {
    /// What `cargo bench` adds.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print the table
    Table(table::Table),
    /// Take mail
    Sink(SinkArgs),
    /// Delay every byte on its way to a server
    Proxy(ProxyArgs),
    Carry(carry::Carry),
}

#[derive(clap::Args)]
struct SinkArgs {
    /// Tell of it when so many messages were taken or refused
    #[arg(long)]
    until: u64,
    /// Every so many recipients one does not exist
    #[arg(long)]
    reject_every: Option<u64>,
    /// Every so many connections one says nothing any more after its first message
    #[arg(long)]
    stall_every: Option<u64>,
    /// Milliseconds before each message is answered
    #[arg(long)]
    delay: Option<u64>,
    /// File for the recipient and the Message-ID of every message
    #[arg(long)]
    log: Option<std::path::PathBuf>,
}

#[derive(clap::Args)]
struct ProxyArgs {
    #[arg(long)]
    to: SocketAddr,
    /// Milliseconds each way
    #[arg(long, default_value_t = 20)]
    one_way: u64,
}

/// What a sink or a proxy says, one a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum News {
    Listening(SocketAddr),
    /// The first message was taken.
    First,
    /// Mail to `watched…` was taken.
    Watched,
    Done(Took),
}

/// What a sink took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Took {
    messages: u64,
    rejected: u64,
    connections: u64,
    /// From the first message to the last.
    seconds: f64,
    cpu_seconds: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => {
            println!("scripts/bench-send prints the table of what sending costs");
            Ok(())
        }
        Some(Command::Table(args)) => table::run(&args),
        // One thread: what it takes is to be as little as can be.
        Some(Command::Sink(args)) => one_thread()?.block_on(take(args)),
        Some(Command::Proxy(args)) => one_thread()?.block_on(delay(args)),
        Some(Command::Carry(args)) => {
            postrider::tls::install_crypto_provider();
            tokio::runtime::Runtime::new()?.block_on(carry::run(args))
        }
    }
}

fn one_thread() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn tell(news: &News) {
    println!("{}", serde_json::to_string(news).expect("news are plain data"));
}

async fn take(args: SinkArgs) -> anyhow::Result<()> {
    let delay = args.delay.map(|delay| (Duration::from_millis(delay), Duration::ZERO));
    let rules = Rules {
        reject_every: args.reject_every,
        stall_every: args.stall_every,
        delay,
        keep: args.log.is_some(),
    };
    let sink = Sink::start(rules).await;
    tell(&News::Listening(sink.address));
    let mut watched = sink.watched();
    tokio::spawn(async move {
        while watched.changed().await.is_ok() {
            tell(&News::Watched);
        }
    });
    sink.reaches(1).await;
    let before = own_usage();
    tell(&News::First);
    sink.reaches(args.until).await;
    tell(&News::Done(Took {
        messages: sink.done(),
        rejected: sink.rejected(),
        connections: sink.connections(),
        seconds: sink.elapsed().as_secs_f64(),
        cpu_seconds: own_usage().cpu_seconds - before.cpu_seconds,
    }));
    if let Some(log) = args.log {
        let lines: Vec<String> = sink
            .taken()
            .into_iter()
            .map(|mail| format!("{}\t{}\n", mail.to, mail.message_id))
            .collect();
        std::fs::write(&log, lines.concat()).context("write the log")?;
    }
    // Whoever started it ends it: there may be more to come.
    std::future::pending().await
}

async fn delay(args: ProxyArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tell(&News::Listening(listener.local_addr()?));
    proxy::run(listener, args.to, Duration::from_millis(args.one_way)).await;
    Ok(())
}
