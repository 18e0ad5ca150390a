//! The rows of the table: what is measured, each in one round of all.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::carry::Carried;
use crate::daemon::{Edition, Newsletter};
use crate::far::round_trip;
use crate::measure::usage;
use crate::peers::{Peer, PostfixSink, postfix_source, timed};
use crate::project::{self, Project};
use crate::table::Table;

/// One mail in so many may be with a connection that stalls.
const MAILS_PER_STALLED: u64 = 50;
/// Connections to the server that is far away.
const FAR_CONNECTIONS: usize = 10;

/// What makes the keys.
const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const ED25519: &[&str] = &["-algorithm", "ed25519"];

/// One measurement.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// Messages a second.
    pub(crate) rate: f64,
    /// CPU time of the sender and of the sink, in microseconds for each message.
    pub(crate) sender: f64,
    pub(crate) sink: f64,
    /// What the row is about besides, in the unit of its note.
    pub(crate) figure: Option<f64>,
}

/// A row: its name, what its figure means, and how it is measured.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) note: &'static str,
    pub(crate) measure: Measure,
}

type Measure = Box<dyn Fn(&Place) -> anyhow::Result<Sample>>;

/// Where the measurements take place.
pub(crate) struct Place {
    pub(crate) mails: u64,
    pub(crate) message_bytes: usize,
    folder: TempDir,
    sqlite: RefCell<Newsletter>,
    postgres: Option<RefCell<Newsletter>>,
}

impl Place {
    pub(crate) fn new(args: &Table) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let sqlite = RefCell::new(Newsletter::new(None, args.mails)?);
        let postgres = args.postgres.as_deref();
        let postgres = postgres.map(|url| Newsletter::new(Some(url), args.mails)).transpose()?;
        let mut place = Self {
            mails: args.mails,
            message_bytes: 0,
            folder,
            sqlite,
            postgres: postgres.map(RefCell::new),
        };
        let sink = Peer::sink(1, &[])?;
        place.message_bytes = place.carry(sink.address, 1, 1, "")?.message_bytes;
        Ok(place)
    }

    /// The engine without its ledger, as a process of its own.
    fn carry(
        &self,
        to: SocketAddr,
        count: u64,
        connections: usize,
        server: &str,
    ) -> anyhow::Result<Carried> {
        let mut command = self.command(to, count, connections, server)?;
        let (output, ..) = timed(&mut command)?;
        serde_json::from_str(&output).context("read what the engine says")
    }

    fn command(
        &self,
        to: SocketAddr,
        count: u64,
        connections: usize,
        server: &str,
    ) -> anyhow::Result<Command> {
        let folder = self.folder.path();
        let store = format!("sqlite:{}", folder.join("unused.db").display());
        let project =
            Project { store: &store, to, connections, listen: "127.0.0.1:0", log: "warn", server };
        project.write(folder)?;
        std::fs::write(folder.join("posts/1.md"), project::post(1))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["carry", "--count", &count.to_string(), "--folder"]).arg(folder);
        Ok(command)
    }
}

fn per_message(seconds: f64, messages: u64) -> f64 {
    seconds * 1e6 / as_f64(messages)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

fn row(
    name: impl Into<String>,
    note: &'static str,
    measure: impl Fn(&Place) -> anyhow::Result<Sample> + 'static,
) -> Row {
    Row { name: name.into(), note, measure: Box::new(measure) }
}

/// The daemon in other circumstances.
fn daemon_otherwise() -> Vec<Row> {
    let mut rows =
        vec![row("our daemon, SQLite, 20 connections, a log line a mail", "", |place| {
            sent(&place.sqlite, &Edition { log: "info", ..Edition::over(20) })
        })];
    // As many mails in doubt at most as with 20 connections, and eight times as many.
    for connections in [3, 20, 64] {
        let name = format!("our daemon, SQLite, {connections} connections, CHUNKING, window 8");
        rows.push(row(name, "", move |place| {
            let server = "chunking = true\nwindow = 8".to_owned();
            sent(&place.sqlite, &Edition { server, ..Edition::over(connections) })
        }));
    }
    rows
}

/// Everything that one round measures.
pub(crate) fn rows(has_postgres: bool) -> Vec<Row> {
    let mut rows = vec![
        row("`smtp-source`, 20 connections, into `smtp-sink`", "", source_to_postfix),
        row("our engine, no ledger, 20 connections, into `smtp-sink`", "", carry_to_postfix),
    ];
    for connections in [20, 64] {
        rows.push(row(format!("`smtp-source`, {connections} connections"), "", move |place| {
            source(place, connections)
        }));
        rows.push(row(format!("our engine, no ledger, {connections} connections"), "", {
            move |place| carry(place, connections, &[])
        }));
        rows.push(row(format!("our daemon, SQLite, {connections} connections"), "", {
            move |place| sent(&place.sqlite, &Edition::over(connections))
        }));
        if has_postgres {
            let name = format!("our daemon, PostgreSQL, {connections} connections");
            rows.push(row(name, "us CPU of PostgreSQL a message", {
                move |place| {
                    let newsletter = place.postgres.as_ref().context("there is no PostgreSQL")?;
                    sent(newsletter, &Edition::over(connections))
                }
            }));
        }
    }
    for (name, algorithm) in [("RSA-2048", RSA), ("Ed25519", ED25519)] {
        rows.push(row(format!("our engine, no ledger, 20 connections, {name} signed"), "", {
            move |place| carry_signed(place, algorithm)
        }));
    }
    rows.extend(daemon_otherwise());
    let reject = vec!["--reject-every".to_owned(), "20".to_owned()];
    rows.push(row(
        "our engine, no ledger, 20 connections, 5 % rejected",
        "connections opened",
        move |place| carry(place, 20, &reject),
    ));
    rows.push(row("our engine, no ledger, 20 connections, 10 % stalled", "", |place| {
        carry_past_stalled(place, 20)
    }));
    rows.push(row(
        "our engine, no ledger, 10 connections, 40 ms away",
        "messages a connection and round trip",
        |place| far(place, ""),
    ));
    rows.push(row(
        "our engine, no ledger, 10 connections, 40 ms away, CHUNKING, window 8",
        "messages a connection and round trip",
        |place| far(place, "chunking = true\nwindow = 8"),
    ));
    rows.push(row("a confirmation during bulk, SQLite", "seconds, the slowest of 5", |place| {
        sent(&place.sqlite, &Edition { confirm: true, ..Edition::over(20) })
    }));
    rows
}

fn source_to_postfix(place: &Place) -> anyhow::Result<Sample> {
    let sink = PostfixSink::start()?;
    let before = sink.cpu_seconds();
    let (seconds, cpu) = postfix_source(sink.address, (place.mails, place.message_bytes), 20)?;
    Ok(Sample {
        rate: as_f64(place.mails) / seconds,
        sender: per_message(cpu, place.mails),
        sink: per_message(sink.cpu_seconds() - before, place.mails),
        figure: None,
    })
}

fn carry_to_postfix(place: &Place) -> anyhow::Result<Sample> {
    let sink = PostfixSink::start()?;
    let before = sink.cpu_seconds();
    let carried = place.carry(sink.address, place.mails, 20, "")?;
    all_arrived(&carried, place.mails)?;
    Ok(Sample {
        rate: as_f64(place.mails) / carried.seconds,
        sender: per_message(carried.cpu_seconds, place.mails),
        sink: per_message(sink.cpu_seconds() - before, place.mails),
        figure: None,
    })
}

fn source(place: &Place, connections: usize) -> anyhow::Result<Sample> {
    let mut sink = Peer::sink(place.mails, &[])?;
    let size = (place.mails, place.message_bytes);
    let (_, cpu) = postfix_source(sink.address, size, connections)?;
    let took = sink.took()?;
    Ok(Sample {
        rate: as_f64(took.messages) / took.seconds,
        sender: per_message(cpu, place.mails),
        sink: per_message(took.cpu_seconds, took.messages),
        figure: None,
    })
}

fn carry(place: &Place, connections: usize, sink: &[String]) -> anyhow::Result<Sample> {
    carry_with(place, connections, (sink, ""))
}

/// Each mail signed with a key made for the occasion.
fn carry_signed(place: &Place, algorithm: &[&str]) -> anyhow::Result<Sample> {
    let key = place.folder.path().join("dkim.pem");
    let made =
        Command::new("openssl").arg("genpkey").args(algorithm).arg("-out").arg(&key).output()?;
    anyhow::ensure!(made.status.success(), "no key: {}", String::from_utf8_lossy(&made.stderr));
    let key = key.display();
    let dkim =
        format!("[[mail.dkim]]\ndomain = \"example.org\"\nselector = \"s\"\nkey_file = \"{key}\"");
    carry_with(place, 20, (&[], &dkim))
}

fn carry_with(
    place: &Place,
    connections: usize,
    (sink, server): (&[String], &str),
) -> anyhow::Result<Sample> {
    let mut sink = Peer::sink(place.mails, sink)?;
    let carried = place.carry(sink.address, place.mails, connections, server)?;
    let took = sink.took()?;
    all_arrived(&carried, place.mails - took.rejected)?;
    Ok(Sample {
        rate: as_f64(took.messages) / took.seconds,
        sender: per_message(carried.cpu_seconds, place.mails),
        sink: per_message(took.cpu_seconds, took.messages),
        figure: Some(as_f64(took.connections)),
    })
}

/// Every tenth connection hangs for ever after its first message; the others carry what they can.
fn carry_past_stalled(place: &Place, connections: usize) -> anyhow::Result<Sample> {
    let until = place.mails - place.mails / MAILS_PER_STALLED;
    let rules = ["--stall-every".to_owned(), "10".to_owned()];
    let mut sink = Peer::sink(until, &rules)?;
    let mut carrying = place.command(sink.address, place.mails, connections, "")?.spawn()?;
    let took = sink.took();
    let cpu = usage(carrying.id()).cpu_seconds;
    // It waits for those that hang.
    carrying.kill()?;
    carrying.wait()?;
    let took = took?;
    Ok(Sample {
        rate: as_f64(took.messages) / took.seconds,
        sender: per_message(cpu, took.messages),
        sink: per_message(took.cpu_seconds, took.messages),
        figure: None,
    })
}

fn all_arrived(carried: &Carried, mails: u64) -> anyhow::Result<()> {
    anyhow::ensure!(carried.accepted == mails, "of {mails} mails: {carried:?}");
    Ok(())
}

fn sent(newsletter: &RefCell<Newsletter>, edition: &Edition) -> anyhow::Result<Sample> {
    let sent = newsletter.borrow_mut().send(edition)?;
    let slowest = sent.confirmations.iter().copied().reduce(f64::max);
    let server = sent.server_seconds.map(|seconds| per_message(seconds, sent.took.messages));
    Ok(Sample {
        rate: as_f64(sent.took.messages) / sent.took.seconds,
        sender: per_message(sent.cpu_seconds, sent.took.messages),
        sink: per_message(sent.took.cpu_seconds, sent.took.messages),
        figure: slowest.or(server),
    })
}

/// The time of a server that is 40 ms away, and what a connection gets done in it.
fn far(place: &Place, server: &str) -> anyhow::Result<Sample> {
    let mails = place.mails.min(2_000);
    let mut sink = Peer::sink(mails, &[])?;
    let proxy = Peer::start(&["proxy".to_owned(), "--to".to_owned(), sink.address.to_string()])?;
    let round_trip = round_trip(proxy.address)?;
    let carried = place.carry(proxy.address, mails, FAR_CONNECTIONS, server)?;
    let took = sink.took()?;
    all_arrived(&carried, mails)?;
    let rate = as_f64(mails) / took.seconds;
    Ok(Sample {
        rate,
        sender: per_message(carried.cpu_seconds, mails),
        sink: per_message(took.cpu_seconds, mails),
        figure: Some(rate * round_trip / as_f64(FAR_CONNECTIONS as u64)),
    })
}
