//! `postrider fence`: why nothing goes out from a restored or copied database, what waits behind it, and going on.

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::arguments::Format;
use super::bench::Bench;
use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::{STRONG, WARNING, examples, paint};
use super::words;
use crate::planner::{ForecastRow, forecast};
use crate::store::{DaemonLock, Fenced, LockError, Pending, Store};

/// Say why nothing goes out from a restored or copied database, and go on
///
/// Postrider notices when its database was restored from a backup, copied or moved: it may not know what has gone out since,
/// and would send it again. Then it serves feeds and reads posts, and sends nothing: no edition, no confirmation, no call.
/// What it cannot notice, such as the snapshot of a whole machine that was put back, is for you to say.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider fence
  postrider fence release --skip
  postrider fence release --resume --yes
  postrider fence raise"
))]
pub(super) struct FenceArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Take the fence away
    #[command(group(ArgGroup::new("how").required(true).args(["resume", "skip"])))]
    Release {
        /// Go on with everything that waits: this is the only copy, and nothing was sent since it was made
        #[arg(long)]
        resume: bool,
        /// Go on with what is new from now on: what waits is cancelled, what is due counts as sent
        #[arg(long)]
        skip: bool,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Put a fence up by hand: nothing goes out from now on, from running daemons neither
    Raise,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    at: Timestamp,
    fenced: Option<&'a Fenced>,
    pending: Pending,
    due: &'a [ForecastRow],
}

pub(super) async fn run(project: &Project, args: &FenceArgs) -> anyhow::Result<()> {
    match args.what {
        None => Box::pin(show(project, args.format)).await,
        Some(What::Release { skip, yes, .. }) => Box::pin(release(project, skip, yes)).await,
        Some(What::Raise) => raise(project).await,
    }
}

/// Why nothing goes out, or nothing will at the next start.
pub(super) async fn of(store: &Store) -> anyhow::Result<Option<Fenced>> {
    if let Some(fenced) = store.read().await?.fenced().await? {
        return Ok(Some(fenced));
    }
    let doubt = store.doubt().await?;
    Ok(doubt.map(|doubt| Fenced { since: now(), why: doubt.why().to_owned() }))
}

/// A line for the top of what other commands show.
pub(super) fn line(fenced: &Fenced) -> String {
    let word = paint(WARNING, "Nothing goes out");
    format!("{word}: {}. `postrider fence` says more.", fenced.why)
}

/// What would happen if the fence were not there.
struct Behind {
    fenced: Option<Fenced>,
    pending: Pending,
    due: Vec<ForecastRow>,
}

impl Behind {
    async fn of(bench: &Bench) -> anyhow::Result<Self> {
        let store = &bench.look.store;
        let fenced = of(store).await?;
        let pending = store.read().await?.pending().await?;
        let mut due = forecast(&bench.planner, &bench.catalog, bench.now).await?.rows;
        due.retain(|row| row.at <= bench.now && row.recipients.is_some());
        Ok(Self { fenced, pending, due })
    }

    fn text(&self, zone: &TimeZone) -> String {
        let mut page = Page::default();
        let Some(fenced) = &self.fenced else {
            page.line("There is no fence: mail and calls go out.");
            return page.text();
        };
        let since = words::local(fenced.since, zone);
        page.line(format_args!("{} since {since}:", paint(WARNING, "Nothing goes out")));
        page.line(format_args!("{}.", fenced.why));
        page.gap().line(format_args!("{}.", waiting(&self.pending)));
        for row in &self.due {
            let posts = words::count(row.posts.len(), "post");
            let recipients = words::count(row.recipients.unwrap_or_default(), "recipient");
            page.line(format_args!("Due on {}: {posts}, {recipients}", row.channel));
        }
        page.gap().block(
            "postrider fence release --skip     something may have been sent since: drop all this\n\
             postrider fence release --resume   this is the only copy, and nothing was sent since: send it\n",
        );
        page.text()
    }
}

fn waiting(pending: &Pending) -> String {
    let parts = [
        (pending.mails, words::count(pending.mails, "mail")),
        (pending.letters, words::count(pending.letters, "confirmation or test")),
        (pending.announcements, words::count(pending.announcements, "call")),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, part)| part).collect();
    if parts.is_empty() {
        return "Nothing was planned yet".to_owned();
    }
    let editions = words::count(pending.editions, "edition");
    format!("Planned were {}, {editions} under way", parts.join(", "))
}

async fn show(project: &Project, format: Format) -> anyhow::Result<()> {
    let bench = Bench::open(project).await?;
    let behind = Behind::of(&bench).await?;
    let at = bench.now;
    let zone = bench.config.site.time_zone.clone();
    bench.close().await;
    match format {
        Format::Json => {
            let Behind { fenced, pending, due } = &behind;
            let (fenced, pending) = (fenced.as_ref(), *pending);
            console::print_json(&Shown { schema: 1, at, fenced, pending, due })?;
        }
        Format::Human => console::print(&behind.text(&zone))?,
    }
    Ok(())
}

async fn release(project: &Project, skip: bool, yes: bool) -> anyhow::Result<()> {
    // While no daemon runs, none shall start in the middle; one that runs has looked already.
    let lock = match DaemonLock::take(&project.config.store) {
        Ok(lock) => Some(lock),
        Err(LockError::Taken(..)) => None,
        Err(error) => return Err(error.into()),
    };
    let bench = Bench::open_for_work(project).await?;
    let released = release_on(&bench, lock.is_some(), (skip, yes)).await;
    bench.close().await;
    released
}

async fn release_on(bench: &Bench, alone: bool, (skip, yes): (bool, bool)) -> anyhow::Result<()> {
    let behind = Behind::of(bench).await?;
    if behind.fenced.is_none() {
        console::note("There is no fence: mail and calls go out.");
        return Ok(());
    }
    console::note(&behind.text(&bench.config.site.time_zone));
    let (word, what) = if skip {
        ("skip", "All this would never be sent.")
    } else {
        ("resume", "All this would be sent, again if it was sent before.")
    };
    let question = format!("{what} Type {} to go on: ", paint(STRONG, word));
    if !yes && !console::confirm(&question, word)? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let store = &bench.look.store;
    if alone {
        store.recognise(now()).await?;
    }
    if skip {
        let dropped = bench.planner.begin_anew(&bench.catalog, now()).await?;
        console::note(&format!("Dropped. {}.", waiting(&dropped)));
        console::note("What is new from now on goes out.");
    } else {
        let mut tx = store.write().await?;
        tx.lift_fence("resume", now()).await?;
        tx.commit().await?;
        console::note("What waits goes out.");
    }
    Ok(())
}

async fn raise(project: &Project) -> anyhow::Result<()> {
    let store = project.store().await?;
    let raised = store.raise_fence("it was put up by hand", now()).await;
    store.close().await;
    console::note(if raised? {
        "Nothing goes out any more. `postrider fence` says what waits, `postrider fence release` goes on."
    } else {
        "There is a fence already. `postrider fence` says why."
    });
    Ok(())
}
