//! `postrider deliveries`: what went to whom, what the other side said, trying again and settling doubts.

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::arguments::{Format, ListArgs};
use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::{STRONG, examples, paint};
use super::table::Rows;
use super::words;
use crate::domain::{DeliveryId, DeliveryState, EditionId, Target};
use crate::store::{AttemptRow, DeliveryFilter, DeliveryRow, Settlement, StoreError, Tx};

/// Characters of a reply in a list.
const REPLY: usize = 70;

/// List deliveries, show one with its attempts, try again, settle a doubt
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider deliveries list --state rejected
  postrider deliveries show 1204
  postrider deliveries retry 1204 1207
  postrider deliveries list --state held
  postrider deliveries settle 1310 --as accepted"
))]
pub(super) struct DeliveriesArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Deliveries, newest first
    List {
        /// In this state only; `held` are the uncertain ones that wait for a person
        #[arg(long, value_parser = state_parser())]
        state: Option<Wanted>,
        /// Of this edition only
        #[arg(long, value_name = "ID")]
        edition: Option<i64>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// One delivery, with every attempt and what the other side said
    Show {
        /// Its number
        id: i64,
        /// For people or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Try again what was given up, is held or waits
    Retry {
        /// Their numbers
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
    },
    /// Say what became of deliveries that are uncertain: the other side may or may not have them
    Settle {
        /// Their numbers
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
        /// They arrived; send them again; or leave them unsent
        #[arg(long = "as", value_enum, value_name = "WHAT")]
        verdict: SettledAs,
    },
    /// Don't send what waits
    Cancel {
        /// Their numbers
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
    },
}

/// What `--state` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    State(DeliveryState),
    Held,
}

const HELD: &str = "held";

/// What a person found out about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SettledAs {
    Accepted,
    Resend,
    Cancelled,
}

fn state_parser() -> impl TypedValueParser<Value = Wanted> {
    let states = DeliveryState::ALL.map(DeliveryState::as_str);
    PossibleValuesParser::new(states.into_iter().chain([HELD])).try_map(|word| {
        if word == HELD { Ok(Wanted::Held) } else { word.parse().map(Wanted::State) }
    })
}

pub(super) async fn run(project: &Project, args: &DeliveriesArgs) -> anyhow::Result<()> {
    match &args.what {
        What::List { state, edition, list: ListArgs { limit, format } } => {
            let edition = edition.map(EditionId);
            let filter = DeliveryFilter {
                state: match state {
                    Some(Wanted::State(state)) => Some(*state),
                    Some(Wanted::Held) | None => None,
                },
                only_held: *state == Some(Wanted::Held),
                edition,
                limit: *limit,
                ..DeliveryFilter::default()
            };
            list(project, filter, *format).await
        }
        What::Show { id, format } => show(project, DeliveryId(*id), *format).await,
        What::Retry { ids } => decide(project, ids, Decision::Retry).await,
        What::Settle { ids, verdict } => decide(project, ids, verdict.decision()).await,
        What::Cancel { ids } => decide(project, ids, Decision::Cancel).await,
    }
}

async fn list(project: &Project, filter: DeliveryFilter, format: Format) -> anyhow::Result<()> {
    let look = project.look().await?;
    let mut tx = look.store.read().await?;
    let found = tx.deliveries(filter).await?;
    let all = tx.count_deliveries(filter).await?;
    drop(tx);
    look.close().await;
    match format {
        Format::Json => console::print_json(&found)?,
        Format::Human if found.is_empty() => console::note("There are no such deliveries."),
        Format::Human => {
            console::print(&table(&found, &project.config.site.time_zone))?;
            let shown = found.len();
            if i64::try_from(shown).is_ok_and(|shown| shown < all) {
                let note = format!("These are the newest {shown} of {all}; `--limit` shows more.");
                console::note(&note);
            }
        }
    }
    Ok(())
}

fn table(found: &[DeliveryRow], zone: &TimeZone) -> String {
    let heading = ["id", "state", "what", "recipient", "attempts", "changed", "last reply"];
    let mut rows = Rows::under(&heading).numbers_in(&[0, 4]);
    for row in found {
        rows.row(&[
            &row.id.to_string(),
            &state(row),
            &what(row.target),
            &row.recipient,
            &row.attempts.to_string(),
            &words::local(row.changed_at, zone),
            &words::cut(row.last_reply.as_deref().unwrap_or_default(), REPLY),
        ]);
    }
    rows.text()
}

fn state(row: &DeliveryRow) -> String {
    let held = if row.held { ", held" } else { "" };
    format!("{}{held}", row.state.as_str())
}

fn what(target: Target) -> String {
    match target {
        Target::Edition { edition, .. } => format!("edition {edition}"),
        Target::Letter { letter } => format!("letter {letter}"),
        Target::Announcement { announcement } => format!("announcement {announcement}"),
    }
}

/// What `show --format json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    delivery: &'a DeliveryRow,
    attempts: &'a [AttemptRow],
}

async fn show(project: &Project, id: DeliveryId, format: Format) -> anyhow::Result<()> {
    let look = project.look().await?;
    let mut tx = look.store.read().await?;
    let filter = DeliveryFilter { id: Some(id), limit: 1, ..DeliveryFilter::default() };
    let found = tx.deliveries(filter).await?.pop();
    let attempts = tx.attempts_of(id).await?;
    drop(tx);
    look.close().await;
    let Some(delivery) = found else { bail!("there is no delivery {id}") };
    match format {
        Format::Json => console::print_json(&Shown { delivery: &delivery, attempts: &attempts })?,
        Format::Human => {
            let zone = &project.config.site.time_zone;
            console::print(&described(&delivery, &attempts, zone, now()))?;
        }
    }
    Ok(())
}

fn described(
    delivery: &DeliveryRow,
    attempts: &[AttemptRow],
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    let mut page = Page::default();
    page.line(format_args!(
        "Delivery {}: {} to {}",
        delivery.id,
        what(delivery.target),
        delivery.recipient
    ));
    page.line(format_args!(
        "{} since {}",
        paint(STRONG, &state(delivery)),
        words::local(delivery.changed_at, zone)
    ));
    if let Some(at) = delivery.not_before
        && !delivery.state.is_final()
    {
        let (at, distance) = (words::local(at, zone), words::relative(at, now));
        page.line(format_args!("next attempt {at}, {distance}"));
    }
    if attempts.is_empty() {
        page.line("no attempt yet");
        return page.text();
    }
    let mut rows = Rows::under(&["started", "outcome", "server", "code", "reply"]);
    for attempt in attempts {
        let code = attempt.code.map(|code| code.to_string()).unwrap_or_default();
        let started = words::local(attempt.started_at, zone);
        rows.row(&[&started, &attempt.outcome, &attempt.server, &code, &attempt.reply]);
    }
    page.gap().block(&rows.text());
    page.text()
}

/// What a person wants to become of deliveries.
#[derive(Clone, Copy)]
enum Decision {
    Retry,
    Settle(Settlement),
    Cancel,
}

impl SettledAs {
    fn decision(self) -> Decision {
        Decision::Settle(match self {
            Self::Accepted => Settlement::Accepted,
            Self::Resend => Settlement::Resend,
            Self::Cancelled => Settlement::Cancelled,
        })
    }
}

impl Decision {
    async fn apply(self, tx: &mut Tx, id: DeliveryId) -> Result<bool, StoreError> {
        match self {
            Self::Retry => tx.retry_delivery(id, now()).await,
            Self::Settle(settlement) => tx.settle_uncertain(id, settlement, now()).await,
            Self::Cancel => tx.cancel_delivery(id, now()).await,
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Retry | Self::Settle(Settlement::Resend) => "goes out again",
            Self::Settle(Settlement::Accepted) => "counts as accepted",
            Self::Cancel | Self::Settle(Settlement::Cancelled) => "is cancelled",
        }
    }

    fn refused(self) -> &'static str {
        match self {
            Self::Retry => {
                "cannot be tried again: there is none, it is done, it is under way, or its edition was cancelled"
            }
            Self::Settle(_) => {
                "is not to be settled: there is none, it is not uncertain, or its edition was cancelled"
            }
            Self::Cancel => "cannot be cancelled: there is none, it is done, or it is under way",
        }
    }
}

/// Through the database: a running daemon takes it up with its next look.
async fn decide(project: &Project, ids: &[i64], decision: Decision) -> anyhow::Result<()> {
    let store = project.store().await?;
    let mut refused = 0;
    for id in ids.iter().copied().map(DeliveryId) {
        let mut tx = store.write().await?;
        let done = decision.apply(&mut tx, id).await?;
        tx.commit().await?;
        let what = if done { decision.done() } else { decision.refused() };
        refused += usize::from(!done);
        console::note(&format!("Delivery {id} {what}."));
    }
    store.close().await;
    if refused > 0 { Err(Stop::silently(Code::Failed).into()) } else { Ok(()) }
}
