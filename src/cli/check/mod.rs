//! `postrider check`: everything that is wrong with config, templates, posts and schedules, all at once.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::project::{self, Look, now};
use super::report::{self, Format};
use super::style::{ERROR, GOOD, WARNING, examples, paint};
use super::words;
use crate::config::{Config, Origins};
use crate::domain::{Catalog, Diagnostic};
use crate::ingest::{self, Ingest};
use crate::template::Templates;

mod releases;
mod schedules;

use schedules::ScheduleReport;

/// Say what is wrong with config, templates, posts and schedules
///
/// Everything is told at once, with file, line and column, and with the next runs of each schedule. Nothing is written and
/// nothing is sent. The exit code is 3 if there is an error.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider check
  postrider check --deny-warnings                 for the editors' last look
  postrider check --format github                 annotations in pull requests
  postrider check --format json | jq '.diagnostics[].message'"
))]
pub(super) struct CheckArgs {
    /// For people, programs or GitHub Actions
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Let warnings fail the check, too
    #[arg(long)]
    deny_warnings: bool,
}

/// What was found, and what was looked at.
#[derive(Default)]
struct Findings {
    diagnostics: Vec<Diagnostic>,
    schedules: Vec<ScheduleReport>,
    /// None: the configuration could not be read, so that nothing else was looked at.
    counts: Option<Counts>,
}

#[derive(Clone, Copy)]
struct Counts {
    posts: usize,
    drafts: usize,
    broken: usize,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    diagnostics: &'a [Diagnostic],
    schedules: &'a [ScheduleReport],
}

pub(super) async fn run(file: Option<&Path>, args: &CheckArgs) -> anyhow::Result<()> {
    let findings = find(file).await?;
    match args.format {
        Format::Human => console::print(&findings.text(now()))?,
        Format::Json => console::print_json(&Json {
            schema: 1,
            diagnostics: &findings.diagnostics,
            schedules: &findings.schedules,
        })?,
        Format::Github => console::print(&report::github(&findings.diagnostics))?,
    }
    let fails = |finding: &Diagnostic| finding.is_error() || args.deny_warnings;
    if findings.diagnostics.iter().any(fails) {
        return Err(Stop::silently(Code::Problems).into());
    }
    Ok(())
}

async fn find(file: Option<&Path>) -> anyhow::Result<Findings> {
    let loaded = match project::load(file) {
        Ok(loaded) => loaded,
        Err(diagnostics) => return Ok(Findings { diagnostics, ..Findings::default() }),
    };
    let mut diagnostics = loaded.warnings;
    let (config, origins) = (Arc::new(loaded.config), loaded.origins);
    let schedules = schedules::report(&config, now());
    diagnostics.extend(templates(&config, &origins));
    let catalog = posts(&config).await?;
    diagnostics.extend(catalog.problems.iter().cloned());
    diagnostics.extend(releases::unknown_posts(&config, &origins, &catalog));
    let counts =
        Counts { posts: catalog.posts.len(), drafts: catalog.drafts, broken: catalog.broken };
    Ok(Findings { diagnostics, schedules, counts: Some(counts) })
}

/// Compiles every template and renders it with every sample.
fn templates(config: &Config, origins: &Origins) -> Vec<Diagnostic> {
    let folder = config.root.join("templates");
    match Templates::load(folder.is_dir().then_some(folder.as_path())) {
        Ok(templates) => {
            let mut problems = templates.check_all();
            problems.extend(releases::unknown_templates(config, origins, &templates));
            problems
        }
        Err(problems) => problems,
    }
}

/// Reads every post, over a database that is only looked at.
async fn posts(config: &Arc<Config>) -> anyhow::Result<Catalog> {
    let look = Look::at(config).await?;
    let cache = ingest::open_cache(config, &look.store)?;
    let mut ingest = Ingest::open(Arc::clone(config), look.store.clone(), cache).await?;
    ingest.rescan(now()).await?;
    let catalog = ingest.catalog();
    look.close().await;
    Ok(catalog)
}

impl Findings {
    fn text(&self, now: Timestamp) -> String {
        let mut page = Page::default();
        page.block(&report::human(&self.diagnostics));
        if !self.schedules.is_empty() {
            page.gap().block(&schedules::text(&self.schedules, now));
        }
        if let Some(counts) = self.counts {
            page.gap().line(format_args!(
                "{}, {}, {}",
                words::count(counts.posts, "post"),
                words::count(counts.drafts, "draft"),
                words::count(counts.broken, "broken file"),
            ));
        } else {
            page.gap()
                .line("Templates and posts were not looked at: the configuration comes first.");
        }
        let style = match (
            self.diagnostics.is_empty(),
            self.diagnostics.iter().any(Diagnostic::is_error),
        ) {
            (true, _) => GOOD,
            (false, false) => WARNING,
            (false, true) => ERROR,
        };
        page.line(paint(style, &report::count(&self.diagnostics)));
        page.text()
    }
}
