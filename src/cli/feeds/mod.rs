//! `postrider feeds`: what readers of feeds know posts by.

mod adopt;
mod forecast;
mod release;
mod source;

use clap::{Args, Subcommand};

pub(super) use forecast::findings;
pub(super) use release::line;

use super::project::Project;
use super::style::examples;

/// Take over the ids that posts had in an earlier feed; let through a change that is held
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider feeds adopt https://example.org/index.xml --dry-run
  postrider feeds adopt old-feed.xml
  postrider feeds release"
))]
pub(super) struct FeedsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Adopt(adopt::AdoptArgs),
    Release(release::ReleaseArgs),
}

pub(super) async fn run(project: &Project, args: &FeedsArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Adopt(args) => Box::pin(adopt::run(project, args)).await,
        What::Release(args) => release::run(project, args).await,
    }
}
