//! `postrider subscribers`: who gets what, by hand and by file.

use std::io::Read as _;

use clap::{Args, Subcommand};

use super::arguments::{Format, ListArgs, segment};
use super::compose::cadence_parser;
use super::console;
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::examples;
use super::table::Rows;
use super::words;
use crate::audience::{Audience, ExportLine};
use crate::clock::SystemClock;
use crate::domain::{Cadence, EmailAddress, Segment, SubscriptionState};
use crate::store::{Added, Store, SubscriberRow, Whom};
use crate::template::Templates;

mod about;
mod transfer;

use about::{EraseArgs, SegmentArgs, ShowArgs};
use transfer::{ExportArgs, ImportArgs};

/// Bytes of a mail that are read: its subject is near its beginning.
const MOST_OF_A_MAIL: u64 = 1_000_000;
/// Rows asked of the database at once.
const PAGE: i64 = 1_000;

/// Add, list, show, remove, erase, import and export subscribers
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider subscribers add ann@example.org --cadence daily
  postrider subscribers list --newsletter weekly
  postrider subscribers import members.csv --newsletter weekly --confirmed --dry-run
  postrider subscribers export > subscribers.csv"
))]
pub(super) struct SubscribersArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an address an active subscriber, without asking it
    ///
    /// For people whose consent you have; everybody else subscribes at /subscribe/NEWSLETTER and confirms. Who left before
    /// stays out: only they themselves may come back.
    Add {
        /// Who
        address: EmailAddress,
        /// To which newsletter [default: the only one there is]
        #[arg(long)]
        newsletter: Option<String>,
        /// How often [default: the newsletter's default]
        #[arg(long, value_parser = cadence_parser())]
        cadence: Option<Cadence>,
    },
    /// Subscribers in order of their addresses
    // Each is one short line.
    #[command(mut_arg("limit", |limit| limit.default_value("100")))]
    List {
        /// Of this newsletter only
        #[arg(long)]
        newsletter: Option<String>,
        /// Only who is meant by this, such as `"vip" in tags`, or by a segment of the configuration
        #[arg(long = "where", value_name = "EXPRESSION")]
        only: Option<String>,
        /// How many they are, and nothing else
        #[arg(long)]
        count: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    Segment(SegmentArgs),
    Show(ShowArgs),
    Erase(EraseArgs),
    /// End subscriptions of an address, at once
    Remove {
        /// Who
        address: EmailAddress,
        /// To this newsletter only [default: to all]
        #[arg(long)]
        newsletter: Option<String>,
    },
    /// End the subscription that the link at the end of a mail is of
    ///
    /// For mail to the address of `mail.unsubscribe_mailto`: let your mail server pipe it into `postrider subscribers leave`, which
    /// finds the token in its subject.
    Leave {
        /// The last part of the link [default: read a mail from the standard input]
        #[arg(long)]
        token: Option<String>,
    },
    Import(ImportArgs),
    Export(ExportArgs),
}

/// What the use cases need.
struct Office<'a> {
    project: &'a Project,
    templates: Templates,
    store: Store,
}

impl Office<'_> {
    fn audience(&self) -> Audience<'_> {
        Audience {
            config: &self.project.config,
            templates: &self.templates,
            store: &self.store,
            clock: &SystemClock,
        }
    }
}

pub(super) async fn run(project: &Project, args: &SubscribersArgs) -> anyhow::Result<()> {
    let templates = project.templates()?;
    match &args.what {
        What::Add { address, newsletter, cadence } => {
            let office = Office { project, templates, store: project.store().await? };
            let added = add(&office, address, newsletter.as_deref(), *cadence).await;
            office.store.close().await;
            added
        }
        What::Remove { address, newsletter } => {
            let office = Office { project, templates, store: project.store().await? };
            let removed = remove(&office, address, newsletter.as_deref()).await;
            office.store.close().await;
            removed
        }
        What::List { newsletter, only, count, list: args } => {
            let only = only.as_deref().map(|text| segment(project, text)).transpose()?;
            let who = (newsletter.as_deref(), only.as_ref());
            if *count {
                about::count(project, who, args.format).await
            } else {
                list(project, who, args).await
            }
        }
        What::Segment(args) => about::segment(project, args).await,
        What::Show(args) => about::show(project, templates, args).await,
        What::Erase(args) => about::erase(project, templates, args).await,
        What::Leave { token } => {
            let office = Office { project, templates, store: project.store().await? };
            let left = leave(&office, token.as_deref()).await;
            office.store.close().await;
            left
        }
        What::Import(args) => transfer::import(project, templates, args).await,
        What::Export(args) => transfer::export(project, templates, args).await,
    }
}

async fn add(
    office: &Office<'_>,
    address: &EmailAddress,
    newsletter: Option<&str>,
    cadence: Option<Cadence>,
) -> anyhow::Result<()> {
    let audience = office.audience();
    let newsletter = audience.newsletter(newsletter)?;
    let wish = cadence.map(Cadence::as_str);
    let added = audience.add(address, Some(&newsletter.name), wish).await?;
    let (address, name) = (address.as_str(), &newsletter.name);
    let cadence = cadence.unwrap_or(newsletter.default_cadence);
    let (message, is_done) = match added {
        Added::Subscribed(_) => (format!("{address} gets `{name}` now ({cadence})."), true),
        Added::AlreadyActive(_) => {
            (format!("{address} gets `{name}` already; nothing was changed."), true)
        }
        Added::StillPending(_) => {
            (format!("{address} was asked to confirm `{name}` and has not yet."), false)
        }
        Added::HasLeft(_) => {
            (format!("{address} left `{name}`: only they themselves may come back."), false)
        }
        Added::Suppressed => {
            (format!("{address} must not be mailed: it bounced, complained or was erased."), false)
        }
    };
    console::note(&message);
    if is_done { Ok(()) } else { Err(Stop::silently(Code::Failed).into()) }
}

async fn remove(
    office: &Office<'_>,
    address: &EmailAddress,
    newsletter: Option<&str>,
) -> anyhow::Result<()> {
    let audience = office.audience();
    let newsletter = newsletter.map(|name| audience.newsletter(Some(name))).transpose()?;
    let ended = audience.remove(address, newsletter.map(|it| it.name.as_str())).await?;
    if ended == 0 {
        console::note(&format!("{} has no such subscription.", address.as_str()));
        return Err(Stop::silently(Code::Failed).into());
    }
    let ended = words::count(ended, "subscription");
    console::note(&format!("{ended} of {} ended.", address.as_str()));
    Ok(())
}

async fn leave(office: &Office<'_>, token: Option<&str>) -> anyhow::Result<()> {
    let audience = office.audience();
    let is_known = if let Some(token) = token {
        audience.leave_by(token.trim(), "command line").await?
    } else {
        let mut mail = Vec::new();
        std::io::stdin().lock().take(MOST_OF_A_MAIL).read_to_end(&mut mail)?;
        audience.leave_by_mail(&mail).await?
    };
    if !is_known {
        console::note("There is no subscription with such a token.");
        return Err(Stop::silently(Code::Failed).into());
    }
    console::note("The subscription ended.");
    Ok(())
}

async fn list(
    project: &Project,
    (newsletter, only): (Option<&str>, Option<&Segment>),
    &ListArgs { limit, format }: &ListArgs,
) -> anyhow::Result<()> {
    if let Some(name) = newsletter {
        super::compose::newsletter(&project.config, Some(name))?;
    }
    let look = project.look().await?;
    let (houses, segments) = (project.config.houses(), only.into_iter().collect::<Vec<_>>());
    let whom = Whom { newsletter, segments: &segments, houses: &houses, now: now() };
    let found = page(&look.store, whom, limit).await?;
    look.close().await;
    match format {
        Format::Json => {
            let lines: Vec<_> = found.iter().map(ExportLine::of).collect();
            console::print_json(&lines)?;
        }
        Format::Human if found.is_empty() => console::note("There are no subscribers."),
        Format::Human => {
            console::print(&table(project, &found))?;
            if i64::try_from(found.len()) == Ok(limit) {
                console::note(&format!(
                    "These are the first {limit}; `postrider subscribers export` has everybody."
                ));
            }
        }
    }
    Ok(())
}

async fn page(store: &Store, whom: Whom<'_>, limit: i64) -> anyhow::Result<Vec<SubscriberRow>> {
    let mut found: Vec<SubscriberRow> = Vec::new();
    loop {
        let left = limit - i64::try_from(found.len())?;
        let after =
            found.last().map(|row| (row.key.clone(), row.newsletter.clone())).unwrap_or_default();
        let mut tx = store.read().await?;
        let next = tx.subscribers_page(whom, (&after.0, &after.1), left.min(PAGE)).await?;
        if next.is_empty() {
            return Ok(found);
        }
        found.extend(next);
        if i64::try_from(found.len())? >= limit {
            return Ok(found);
        }
    }
}

fn table(project: &Project, found: &[SubscriberRow]) -> String {
    let (zone, now) = (&project.config.site.time_zone, now());
    let mut rows = Rows::under(&["address", "newsletter", "cadence", "state", "since", "source"]);
    for row in found {
        let since =
            row.suppressed_at.or(row.ended_at).or(row.confirmed_at).unwrap_or(row.created_at);
        let state = match &row.suppression_reason {
            Some(reason) => format!("suppressed: {reason}"),
            None => state(row.state).to_owned(),
        };
        let since = format!("{}, {}", words::local(since, zone), words::relative(since, now));
        rows.row(&[
            &row.address,
            &row.newsletter,
            row.choice.cadence.as_str(),
            &state,
            &since,
            &row.source,
        ]);
    }
    rows.text()
}

fn state(state: SubscriptionState) -> &'static str {
    match state {
        SubscriptionState::Pending => "not confirmed yet",
        SubscriptionState::Active => "active",
        SubscriptionState::Unsubscribed => "left",
    }
}
