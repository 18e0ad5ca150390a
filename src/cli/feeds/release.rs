//! `postrider feeds release`: lets through what the check of the feeds holds back.

use clap::Args;

use crate::cli::console;
use crate::cli::exit::{Code, Stop};
use crate::cli::project::{Project, now};
use crate::cli::style::{WARNING, paint};
use crate::cli::words;
use crate::store::HeldFeeds;

/// Let through a change of the feeds that is held because it would flood readers
///
/// A running daemon serves it within a minute. What marks still more posts as new than what is held now is held again.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(project: &Project, args: &ReleaseArgs) -> anyhow::Result<()> {
    let look = project.look().await?;
    let held = look.store.read().await?.held_feeds().await?;
    look.close().await;
    let Some(held) = held else {
        console::note("The feeds are not held: they are served as the posts are.");
        return Ok(());
    };
    let since = words::local(held.since, &project.config.site.time_zone);
    let question = format!("Held since {since}: {}.\nType `release` to let it through: ", held.why);
    if !args.yes && !console::confirm(&question, "release")? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let store = project.store().await?;
    let mut tx = store.write().await?;
    tx.let_feeds_pass(held.marked, now()).await?;
    tx.commit().await?;
    store.close().await;
    console::note("Let through. A running daemon serves it within a minute.");
    Ok(())
}

/// A line for what shows where everything stands.
pub(in crate::cli) fn line(held: &HeldFeeds) -> String {
    let word = paint(WARNING, "The feeds are held");
    format!("{word}: {}. `postrider feeds release` lets it through.", held.why)
}
