//! `postrider editions`: what is under way as a whole, and stopping, mending or ending it.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::arguments::{Format, ListArgs};
use super::bench::Bench;
use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::{STRONG, WARNING, examples, paint};
use super::table::Rows;
use super::{compose, words};
use crate::domain::{Cadence, DeliveryState, EditionId, EditionState, PostId, Written};
use crate::mail::Composed;
use crate::store::{Correction, EditionRow, StageCounts};

/// List editions, show one, pause, resume, correct or cancel it
///
/// A running daemon takes up a decision at once: what is being handed over in that moment is finished, nothing else is begun.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider editions list
  postrider editions pause 12 --why \"wrong link\"
  postrider editions correct 12
  postrider editions resume 12"
))]
pub(super) struct EditionsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Editions, newest first, with where their deliveries stand
    // Each takes several lines of the table.
    #[command(mut_arg("limit", |limit| limit.default_value("20")))]
    List(ListArgs),
    /// One edition, stage by stage
    Show {
        /// Its number
        id: i64,
        /// For people or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Hand nothing more over until it is resumed
    Pause {
        /// Its number
        id: i64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        why: String,
    },
    /// Go on with a paused edition
    Resume {
        /// Its number
        id: i64,
    },
    /// Send it to nobody else
    Cancel {
        /// Its number
        id: i64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "by hand")]
        why: String,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Write a paused edition anew from its posts and templates as they are now, for whoever has not got it
    Correct {
        /// Its number
        id: i64,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(super) async fn run(project: &Project, args: &EditionsArgs) -> anyhow::Result<()> {
    match &args.what {
        What::List(args) => list(project, args).await,
        What::Show { id, format } => show(project, EditionId(*id), *format).await,
        What::Pause { id, why } => pause(project, EditionId(*id), why).await,
        What::Resume { id } => resume(project, EditionId(*id)).await,
        What::Cancel { id, why, yes } => cancel(project, EditionId(*id), why, *yes).await,
        What::Correct { id, yes } => {
            let bench = Bench::open_for_work(project).await?;
            let corrected = Box::pin(correct(&bench, EditionId(*id), *yes)).await;
            bench.close().await;
            corrected
        }
    }
}

async fn list(project: &Project, &ListArgs { limit, format }: &ListArgs) -> anyhow::Result<()> {
    let look = project.look().await?;
    let found = look.store.read().await?.latest_editions(limit).await?;
    look.close().await;
    match format {
        Format::Json => console::print_json(&found)?,
        Format::Human if found.is_empty() => console::note("There are no editions."),
        Format::Human => console::print(&table(&found, &project.config.site.time_zone))?,
    }
    Ok(())
}

/// A table of editions; `status` shows the latest with it as well.
pub(super) fn table(editions: &[EditionRow], zone: &TimeZone) -> String {
    let heading = ["edition", "state", "newsletter", "subject", "sealed", "audience", "deliveries"];
    let mut rows = Rows::under(&heading).numbers_in(&[0, 5]);
    for edition in editions {
        rows.row(&[
            &edition.id.to_string(),
            &state(edition),
            &format!("{}, {}", edition.newsletter, edition.cadence),
            &words::cut(&edition.subject, 50),
            &words::local(edition.sealed_at, zone),
            &edition.audience.to_string(),
            &counts(edition),
        ]);
    }
    rows.text()
}

/// Where an edition stands. One with deliveries in doubt has not ended cleanly, whatever else is true of it.
fn state(edition: &EditionRow) -> String {
    let mut words = vec![edition.state.as_str().to_owned()];
    let uncertain = edition.count(|state| state == DeliveryState::Uncertain);
    if uncertain > 0 {
        words.push(format!("{uncertain} uncertain"));
    }
    if edition.stage < edition.last_stage && edition.state != EditionState::Cancelled {
        words.push(format!("stage {} of {}", edition.stage + 1, edition.last_stage + 1));
    }
    words.join(", ")
}

fn counts(edition: &EditionRow) -> String {
    let counts = edition.counts.iter();
    let counts: Vec<_> =
        counts.map(|count| format!("{} {}", count.count, count.state.as_str())).collect();
    counts.join("\n")
}

/// What `show --format json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    edition: &'a EditionRow,
    stages: &'a [StageCounts],
}

async fn show(project: &Project, id: EditionId, format: Format) -> anyhow::Result<()> {
    let look = project.look().await?;
    let mut tx = look.store.read().await?;
    let found = tx.edition(id).await?;
    let stages = tx.stage_counts(id, i64::MAX).await?;
    drop(tx);
    look.close().await;
    let Some(edition) = found else { bail!("there is no edition {id}") };
    match format {
        Format::Json => console::print_json(&Shown { edition: &edition, stages: &stages })?,
        Format::Human => {
            console::print(&described(&edition, &stages, &project.config.site.time_zone))?;
        }
    }
    Ok(())
}

fn described(edition: &EditionRow, stages: &[StageCounts], zone: &TimeZone) -> String {
    let mut page = Page::default();
    page.line(format_args!(
        "Edition {} of {} ({}): {}",
        edition.id, edition.newsletter, edition.cadence, edition.subject
    ));
    let why = if edition.why.is_empty() { String::new() } else { format!(": {}", edition.why) };
    page.line(format_args!("{}{why}", paint(STRONG, &state(edition))));
    let sealed = words::local(edition.sealed_at, zone);
    let audience = words::count(edition.audience, "recipient");
    page.line(format_args!("sealed {sealed} for {audience}, version {}", edition.version));
    let heading = [
        "stage",
        "recipients",
        "accepted",
        "rejected",
        "deferred",
        "uncertain",
        "waiting",
        "complaints",
    ];
    let mut rows = Rows::under(&heading).numbers_in(&[0, 1, 2, 3, 4, 5, 6, 7]);
    for stage in stages {
        let rejected: i64 = stage.rejected.iter().map(|(_, count)| count).sum();
        let numbers = [
            stage.stage + 1,
            stage.total,
            stage.accepted,
            rejected,
            stage.deferred,
            stage.uncertain,
            stage.waiting,
            stage.complained,
        ];
        let numbers = numbers.map(|number| number.to_string());
        rows.row(&numbers.each_ref().map(String::as_str));
    }
    page.gap().block(&rows.text());
    if stages.iter().any(|stage| stage.uncertain > 0) {
        let word = paint(WARNING, "Uncertain");
        page.line(format_args!(
            "{word}: whether they arrived is unknown. `postrider deliveries list --state uncertain --edition {}`",
            edition.id
        ));
    }
    page.text()
}

async fn pause(project: &Project, id: EditionId, why: &str) -> anyhow::Result<()> {
    let store = project.store().await?;
    let mut tx = store.write().await?;
    let paused = tx.pause_edition(id, why, now()).await?;
    tx.commit().await?;
    store.close().await;
    if !paused {
        bail!("edition {id} cannot be paused: there is none, or it is not under way");
    }
    console::note(&format!("Edition {id} is paused. `postrider editions resume {id}` goes on."));
    Ok(())
}

async fn resume(project: &Project, id: EditionId) -> anyhow::Result<()> {
    let store = project.store().await?;
    let mut tx = store.write().await?;
    let resumed = tx.resume_edition(id, now()).await?;
    tx.commit().await?;
    store.close().await;
    if !resumed {
        bail!("edition {id} is not paused");
    }
    console::note(&format!("Edition {id} goes on."));
    Ok(())
}

async fn cancel(project: &Project, id: EditionId, why: &str, yes: bool) -> anyhow::Result<()> {
    let store = project.store().await?;
    let found = store.read().await?.edition(id).await?;
    let Some(edition) = found else { bail!("there is no edition {id}") };
    let left = words::count(to_come(&edition), "recipient");
    let question = format!("{left} would not get \"{}\". Type cancel to go on: ", edition.subject);
    if !yes && !console::confirm(&question, "cancel")? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let mut tx = store.write().await?;
    let cancelled = tx.cancel_edition(id, why, now()).await?;
    tx.commit().await?;
    store.close().await;
    let Some(count) = cancelled else { bail!("edition {id} is over already") };
    console::note(&format!(
        "Edition {id} is cancelled; {} will not go out.",
        words::count(count, "mail")
    ));
    Ok(())
}

/// How many are still to get it.
fn to_come(edition: &EditionRow) -> i64 {
    edition.count(|state| !state.is_final() && state != DeliveryState::Sending)
}

async fn correct(bench: &Bench, id: EditionId, yes: bool) -> anyhow::Result<()> {
    let found = bench.look.store.read().await?.edition(id).await?;
    let Some(edition) = found else { bail!("there is no edition {id}") };
    if edition.state != EditionState::Paused {
        bail!("edition {id} is {}; only a paused one can be corrected", edition.state.as_str());
    }
    if bench.look.store.read().await?.is_correction(id).await? {
        bail!(
            "edition {id} tells of a corrected post; correct the post once more, and another one follows"
        );
    }
    let posts = posts_now(bench, id).await?;
    let composed = composed_anew(bench, &edition, &posts).await?;
    console::note(&difference(&edition, &composed));
    let question = format!("Type {} to correct it: ", paint(STRONG, &edition.newsletter));
    if !yes && !console::confirm(&question, &edition.newsletter)? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let content = serde_json::to_string(&composed)?;
    let revisions: Vec<_> = posts.iter().map(|it| (&it.post.id, &it.post.revision)).collect();
    let correction =
        Correction { subject: &composed.subject, content: &content, posts: &revisions };
    let mut tx = bench.look.store.write().await?;
    let version = tx.correct_edition(id, &correction, now()).await?;
    tx.commit().await?;
    let Some(version) = version else { bail!("edition {id} has ended meanwhile") };
    console::note(&format!(
        "Edition {id} is at version {version}. `postrider editions resume {id}` sends it."
    ));
    Ok(())
}

/// The posts of an edition as they are now. Those that were taken down meanwhile are left out, and named.
async fn posts_now(bench: &Bench, id: EditionId) -> anyhow::Result<Vec<Written>> {
    let carried = bench.look.store.read().await?.posts_of_edition(id).await?;
    if carried.is_empty() {
        bail!(
            "it is a welcome mail without a post, which is not written anew; `postrider editions cancel {id}` ends it"
        );
    }
    let mut posts = Vec::with_capacity(carried.len());
    for (post, _) in carried {
        let post = PostId::pinned(post);
        match bench.catalog.posts.iter().find(|known| known.post.id == post) {
            Some(known) => posts.push(bench.written(known)?),
            None => console::note(&format!("`{post}` is not live any more and is left out.")),
        }
    }
    if posts.is_empty() {
        bail!("none of its posts is live any more; `postrider editions cancel {id}` ends it");
    }
    Ok(posts)
}

async fn composed_anew(
    bench: &Bench,
    edition: &EditionRow,
    posts: &[Written],
) -> anyhow::Result<Composed> {
    let newsletter = compose::newsletter(&bench.config, Some(&edition.newsletter))?;
    let cadence: Cadence = edition.cadence.parse().context("read the edition's cadence")?;
    let language = bench.look.store.read().await?.language_of_edition(edition.id).await?;
    let as_of = (language.as_deref(), edition.sealed_at);
    Ok(compose::compose_as_of(bench, (newsletter, cadence), posts, as_of)?)
}

fn difference(edition: &EditionRow, composed: &Composed) -> String {
    let mut page = Page::default();
    let has_it = words::count(edition.count(|state| state == DeliveryState::Accepted), "recipient");
    let will = words::count(to_come(edition), "recipient");
    page.line(format_args!("Subject: {}", composed.subject));
    if composed.subject != edition.subject {
        page.line(format_args!("    was: {}", edition.subject));
    }
    page.line(format_args!(
        "Size: {} bytes of HTML, {} bytes of text",
        composed.html.len(),
        composed.text.len()
    ));
    page.line(format_args!(
        "{has_it} got the earlier version; {} get this one.",
        paint(STRONG, &will)
    ));
    page.text()
}
