//! The command line, one file a command: translates arguments into use cases and what they say into words.
//!
//! Data goes to standard output, messages go to standard error. What a script can rely on: the exit codes of `exit`, and the
//! output of every command that takes `--format json`.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod arguments;
mod bench;
mod build;
mod check;
mod completions;
mod compose;
mod console;
mod deliveries;
mod doctor;
mod editions;
mod exit;
mod feeds;
mod fence;
mod healthcheck;
mod import;
mod init;
mod plan;
mod posts;
mod preview;
mod project;
mod report;
mod run;
mod send;
mod status;
mod style;
mod subscribers;
mod table;
mod words;

pub use exit::exit_code;

use project::Project;
use style::{STYLES, examples};

/// A folder of Markdown posts becomes feeds, newsletters and cross-posts: nothing lost, nothing sent twice.
///
/// Without a command it runs the daemon.
#[derive(Debug, Parser)]
#[command(
    name = "postrider",
    version,
    styles = STYLES,
    max_term_width = 100,
    after_help = examples!(
        "postrider init blog            make a project in the folder `blog`
  postrider                      run the daemon of the project in this folder
  postrider check                say what is wrong with config, templates and posts
  postrider plan                 say what would go to whom and when, without doing it
  postrider preview post hello   see a post as its readers will get it by mail"
    ),
    after_long_help = examples!(
        "postrider init blog            make a project in the folder `blog`
  postrider                      run the daemon of the project in this folder
  postrider check                say what is wrong with config, templates and posts
  postrider plan                 say what would go to whom and when, without doing it
  postrider preview post hello   see a post as its readers will get it by mail

\u{1b}[1;32mExit codes:\u{1b}[0m
   0  done, or there was nothing to do
   1  failed
   2  wrong usage
   3  `check` or `doctor` found something wrong
  75  the database or a name server is away: try again later
  78  the configuration cannot be used"
    ),
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Global {
    /// The configuration; paths in it are relative to the folder around its `config/` [default: config/postrider.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Colours: `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_default_value = true,
        help_heading = "Global options"
    )]
    color: style::When,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Doctor(doctor::DoctorArgs),
    Plan(plan::PlanArgs),
    Posts(posts::PostsArgs),
    Preview(preview::PreviewArgs),
    Build(build::BuildArgs),
    Send(send::SendArgs),
    Subscribers(subscribers::SubscribersArgs),
    Editions(editions::EditionsArgs),
    Deliveries(deliveries::DeliveriesArgs),
    Feeds(feeds::FeedsArgs),
    Fence(fence::FenceArgs),
    Status(status::StatusArgs),
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Completions(completions::CompletionsArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
}

impl Cli {
    /// The arguments of this process. On wrong usage, `--help` and `--version` it prints and ends the process.
    pub fn of_process() -> Self {
        let arguments: Vec<_> = std::env::args_os().collect();
        // Help and usage errors are printed before the arguments are understood, and obey `--color` all the same.
        let command = Self::command().color(style::When::wished(&arguments).into());
        let matches = command.get_matches_from(arguments);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Does what the command line asks. The daemon logs as its configuration says, all other commands log warnings.
pub async fn execute(cli: Cli) -> anyhow::Result<()> {
    let Cli { global, command } = cli;
    global.color.write_global();
    let command = command.unwrap_or(Command::Run(run::RunArgs {}));
    if !matches!(command, Command::Run(_)) {
        console::log_warnings()?;
    }
    let project = || Project::load(global.config.as_deref());
    match command {
        Command::Run(_) => run::run(project()?).await,
        Command::Check(args) => check::run(global.config.as_deref(), &args).await,
        Command::Doctor(args) => Box::pin(doctor::run(&project()?, &args)).await,
        Command::Plan(args) => Box::pin(plan::run(&project()?, &args)).await,
        Command::Posts(args) => posts::run(&project()?, &args).await,
        Command::Preview(args) => Box::pin(preview::run(&project()?, &args)).await,
        Command::Build(args) => Box::pin(build::run(&project()?, &args)).await,
        Command::Send(args) => Box::pin(send::run(&project()?, &args)).await,
        Command::Subscribers(args) => subscribers::run(&project()?, &args).await,
        Command::Editions(args) => Box::pin(editions::run(&project()?, &args)).await,
        Command::Deliveries(args) => deliveries::run(&project()?, &args).await,
        Command::Feeds(args) => Box::pin(feeds::run(&project()?, &args)).await,
        Command::Fence(args) => Box::pin(fence::run(&project()?, &args)).await,
        Command::Status(args) => status::run(&project()?, &args).await,
        Command::Init(args) => init::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Healthcheck(args) => healthcheck::run(&project()?, &args).await,
    }
}

#[cfg(test)]
mod tests;
