//! Who is meant by an expression, what is known of somebody, and forgetting it.

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::Office;
use crate::audience::Known;
use crate::cli::arguments::{self, Format};
use crate::cli::console::{self, Page};
use crate::cli::exit::{Code, Stop};
use crate::cli::project::{Project, now};
use crate::cli::style::examples;
use crate::cli::table::Rows;
use crate::cli::words;
use crate::domain::{EmailAddress, Segment, SubscriptionState};
use crate::store::{Dossier, RosterCount, Whom};
use crate::template::Templates;

/// Say how many are meant by an expression, before something is sent to them
///
/// It may ask for `email`, `name`, `tags`, `topics`, `attributes.NAME`, `newsletter`, `cadence`, `language`, `timezone`, `source`,
/// `state`, `signed_up`, `confirmed` and `days` (since they came), compare with `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `not in` and
/// `is defined`, and join with `and`, `or`, `not` and brackets.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider subscribers segment '\"vip\" in tags and attributes.city == \"Kiel\"'
  postrider subscribers segment 'days < 30 and language in [\"de\", \"en\"]' --newsletter weekly
  postrider subscribers segment vips"
))]
pub(super) struct SegmentArgs {
    /// An expression, or the name of a segment of the configuration
    expression: String,
    /// Of this newsletter only
    #[arg(long)]
    newsletter: Option<String>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Show all that is known of an address
///
/// Their choices, the evidence of consent, who changed what and when, and what was sent to them: what they may ask for.
#[derive(Debug, Args)]
#[command(after_help = examples!("postrider subscribers show ann@example.org --format json"))]
pub(super) struct ShowArgs {
    /// Who
    address: EmailAddress,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Forget an address: only a hash stays, by which it is never mailed again
///
/// For those who ask for it; `remove` ends subscriptions and keeps on knowing that they ended. It cannot be undone, and no import
/// brings the address back.
#[derive(Debug, Args)]
#[command(after_help = examples!("postrider subscribers erase ann@example.org --yes"))]
pub(super) struct EraseArgs {
    /// Who
    address: EmailAddress,
    /// Don't ask whether this is meant
    #[arg(long)]
    yes: bool,
}

pub(super) async fn count(
    project: &Project,
    (newsletter, only): (Option<&str>, Option<&Segment>),
    format: Format,
) -> anyhow::Result<()> {
    if let Some(name) = newsletter {
        crate::cli::compose::newsletter(&project.config, Some(name))?;
    }
    let look = project.look().await?;
    let (houses, segments) = (project.config.houses(), only.into_iter().collect::<Vec<_>>());
    let whom = Whom { newsletter, segments: &segments, houses: &houses, now: now() };
    let mut tx = look.store.read().await?;
    let counts = tx.count_subscribers(whom).await?;
    drop(tx);
    look.close().await;
    match format {
        Format::Json => console::print_json(&counts)?,
        Format::Human => console::print(&counted(&counts))?,
    }
    Ok(())
}

pub(super) async fn segment(project: &Project, args: &SegmentArgs) -> anyhow::Result<()> {
    let segment = arguments::segment(project, &args.expression)?;
    count(project, (args.newsletter.as_deref(), Some(&segment)), args.format).await
}

/// Those who get mail by newsletter and cadence, and the others in one line.
fn counted(counts: &[RosterCount]) -> String {
    let gets_mail =
        |count: &&RosterCount| count.state == SubscriptionState::Active && !count.is_suppressed;
    let sum = |counts: &mut dyn Iterator<Item = &RosterCount>| {
        counts.map(|count| count.subscriptions).sum::<i64>()
    };
    let mut page = Page::default();
    let active = sum(&mut counts.iter().filter(gets_mail));
    page.line(format_args!("{} that mail goes to", words::count(active, "subscription")));
    let mut rows = Rows::under(&["newsletter", "cadence", "subscriptions"]).numbers_in(&[2]);
    for count in counts.iter().filter(gets_mail) {
        rows.row(&[&count.newsletter, count.cadence.as_str(), &count.subscriptions.to_string()]);
    }
    if active > 0 {
        page.gap().block(&rows.text());
    }
    let others = [
        (
            "have left",
            sum(&mut counts.iter().filter(|it| it.state == SubscriptionState::Unsubscribed)),
        ),
        (
            "are not confirmed yet",
            sum(&mut counts.iter().filter(|it| it.state == SubscriptionState::Pending)),
        ),
        (
            "must not be mailed",
            sum(&mut counts
                .iter()
                .filter(|it| it.state == SubscriptionState::Active && it.is_suppressed)),
        ),
    ];
    let others: Vec<_> = others
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if !others.is_empty() {
        page.gap().line(format_args!("It also fits others: {}.", others.join(", ")));
    }
    page.text()
}

pub(super) async fn show(
    project: &Project,
    templates: Templates,
    args: &ShowArgs,
) -> anyhow::Result<()> {
    let look = project.look().await?;
    let office = Office { project, templates, store: look.store.clone() };
    let dossier = office.audience().dossier(&args.address).await;
    look.close().await;
    let dossier = dossier?;
    if args.format == Format::Json {
        return console::print_json(&Known::of(&dossier));
    }
    if dossier.is_empty() {
        console::note(&format!("Nothing is known of {}.", args.address.as_str()));
        return Err(Stop::silently(Code::Failed).into());
    }
    Ok(console::print(&described(project, &args.address, &dossier))?)
}

fn described(project: &Project, address: &EmailAddress, dossier: &Dossier) -> String {
    let zone = &project.config.site.time_zone;
    let at = |at| words::local(at, zone);
    let mut page = Page::default();
    page.line(address.as_str());
    if let Some(person) = &dossier.person {
        page.line(format_args!("known since {}", at(person.created_at)));
        for (what, value) in [
            ("name", person.name.clone()),
            ("tags", person.tags.join(", ")),
            (
                "attributes",
                if person.attributes.is_empty() {
                    String::new()
                } else {
                    serde_json::Value::from(person.attributes.clone()).to_string()
                },
            ),
        ] {
            if !value.is_empty() {
                page.line(format_args!("{what}: {value}"));
            }
        }
    }
    if let Some(reason) = &dossier.suppression {
        page.line(format_args!("must not be mailed: {reason}"));
    }
    subscriptions(&mut page, dossier, at);
    if !dossier.events.is_empty() {
        let mut rows = Rows::under(&["when", "what", "newsletter", "how"]);
        for event in &dossier.events {
            rows.row(&[&at(event.at), &event.kind, &event.newsletter, &event.detail]);
        }
        page.gap().block(&rows.text());
    }
    if !dossier.deliveries.is_empty() {
        let mut rows = Rows::under(&["planned", "delivery", "state", "what"]);
        for delivery in &dossier.deliveries {
            rows.row(&[
                &at(delivery.planned_at),
                &delivery.id.to_string(),
                &delivery.state,
                &delivery.what,
            ]);
        }
        page.gap().block(&rows.text());
    }
    page.text()
}

fn subscriptions(page: &mut Page, dossier: &Dossier, at: impl Fn(Timestamp) -> String) {
    for row in &dossier.subscriptions {
        let state = super::state(row.state);
        page.gap().line(format_args!(
            "`{}`: {state}, {}, from {}",
            row.newsletter, row.choice.cadence, row.source
        ));
        let topics: Vec<_> = row.choice.topics.iter().collect();
        let choice = [
            ("topics", topics.join(", ")),
            ("language", row.choice.language.clone().unwrap_or_default()),
            ("time zone", row.choice.timezone.clone().unwrap_or_default()),
            ("hour", row.choice.send_time.map(|time| time.to_string()).unwrap_or_default()),
            ("paused until", row.paused_until.map(&at).unwrap_or_default()),
            ("reason for leaving", row.end_reason.clone()),
        ];
        for (what, value) in choice.iter().filter(|(_, value)| !value.is_empty()) {
            page.line(format_args!("  {what}: {value}"));
        }
        for consent in &row.consents {
            let from = if consent.address.is_empty() {
                String::new()
            } else {
                format!(" from {}", consent.address)
            };
            page.line(format_args!(
                "  consent, {} {}{from}, {}: {}",
                consent.kind,
                at(consent.at),
                consent.form,
                consent.statement
            ));
        }
    }
}

pub(super) async fn erase(
    project: &Project,
    templates: Templates,
    args: &EraseArgs,
) -> anyhow::Result<()> {
    let address = args.address.as_str();
    if !args.yes {
        let question = format!("Forget {address}? It cannot be undone.");
        if !console::confirm(&question, "erase").context("ask")? {
            console::note("Nothing was changed.");
            return Err(Stop::silently(Code::Failed).into());
        }
    }
    let office = Office { project, templates, store: project.store().await? };
    let erased = office.audience().erase(&args.address, "command line").await;
    office.store.close().await;
    console::note(&if erased? {
        format!("{address} is forgotten. Only a hash stays, by which it is never mailed again.")
    } else {
        format!("Nothing was known of {address}. It is never mailed from now on.")
    });
    Ok(())
}
