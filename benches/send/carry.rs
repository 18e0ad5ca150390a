//! The engine without its ledger: messages are made and carried, and nobody writes anything down.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use postrider::clock::{Clock as _, SystemClock};
use postrider::config::Transport;
use postrider::courier::{Courier as _, MailParcel, Parcel, Round};
use postrider::domain::{DeliveryId, EmailAddress, Outcome, TOKEN_LENGTH};
use postrider::mail::{Blueprint, Recipient};
use postrider::smtp::{Deadlines, SmtpCourier};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::measure::{Usage, own_usage};
use crate::project;

/// Carry mail without a ledger, and say how it went
#[derive(Args)]
pub(crate) struct Carry {
    /// Project folder: its post is sent, over its mail server.
    #[arg(long)]
    folder: PathBuf,
    /// Mails.
    #[arg(long)]
    count: u64,
}

/// How it went.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: u64,
    pub(crate) message_bytes: usize,
    pub(crate) accepted: u64,
    pub(crate) others: u64,
}

/// What all connections share.
struct Mailing {
    blueprint: Blueprint,
    from: EmailAddress,
    token: String,
    signed_at: Timestamp,
    count: u64,
    next: AtomicU64,
    accepted: AtomicU64,
    others: AtomicU64,
}

impl Mailing {
    fn parcel(&self) -> Option<MailParcel> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        if number > self.count {
            return None;
        }
        let to: EmailAddress = format!("reader{number}@example.org").parse().expect("an address");
        let message_id = format!("d{number}-0123456789abcdef@example.org");
        // As long as a real one, and nobody else's.
        let token = format!("{number:0>width$}", width = self.token.len());
        let message = self.blueprint.fill(&Recipient {
            to: &to,
            message_id: &message_id,
            unsubscribe_token: Some(&token),
            signed_at: Some(self.signed_at),
            eight_bit: true,
        });
        let delivery = DeliveryId(i64::try_from(number).expect("it fits"));
        Some(MailParcel { delivery, from: self.from.clone(), to, message_id, message })
    }
}

struct Unrecorded(Arc<Mailing>);

impl Round for Unrecorded {
    fn next(&mut self) -> Option<Parcel> {
        self.0.parcel().map(Parcel::Mail)
    }

    fn intend<'a>(&'a mut self, deliveries: &'a [DeliveryId]) -> BoxFuture<'a, Vec<DeliveryId>> {
        Box::pin(std::future::ready(deliveries.to_vec()))
    }

    fn tell(&mut self, _delivery: DeliveryId, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Accepted(_) => &self.0.accepted,
            _ => &self.0.others,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn settle(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

pub(crate) async fn run(args: Carry) -> anyhow::Result<()> {
    let config = project::load(&args.folder)?;
    let blueprint = project::blueprint(&args.folder, &config).await?;
    let server = &config.mail.servers["main"];
    let Transport::Smtp(transport) = &server.transport else {
        anyhow::bail!("mail is to go to a server");
    };
    let mailing = Arc::new(Mailing {
        blueprint,
        from: config.mail.from.address.clone(),
        token: "t".repeat(TOKEN_LENGTH),
        signed_at: SystemClock.now(),
        count: args.count,
        next: AtomicU64::new(0),
        accepted: AtomicU64::new(0),
        others: AtomicU64::new(0),
    });
    let message_bytes = mailing.parcel().map_or(0, |mail| mail.message.len());
    mailing.next.store(0, Ordering::Relaxed);
    let (begun, before) = (Instant::now(), own_usage());
    let mut connections = JoinSet::new();
    for _ in 0..server.connections {
        let mut courier = SmtpCourier::new(transport, server, Deadlines::default())?;
        let mut round = Unrecorded(Arc::clone(&mailing));
        connections.spawn(async move {
            while let Some(first) = round.next() {
                courier.carry_all(first, &mut round).await;
            }
            courier.close().await;
        });
    }
    connections.join_all().await;
    report(&mailing, message_bytes, begun, before)
}

fn report(
    mailing: &Mailing,
    message_bytes: usize,
    begun: Instant,
    before: Usage,
) -> anyhow::Result<()> {
    let after = own_usage();
    let carried = Carried {
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        peak_kib: after.peak_kib,
        message_bytes,
        accepted: mailing.accepted.load(Ordering::Relaxed),
        others: mailing.others.load(Ordering::Relaxed),
    };
    println!("{}", serde_json::to_string(&carried)?);
    Ok(())
}
