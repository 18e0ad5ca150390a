//! `postrider check`: everything that is wrong with config, templates, posts and schedules, all at once.

use std::collections::HashMap;
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
use super::{feeds, words};
use crate::config::{Config, Origins};
use crate::domain::{Catalog, Diagnostic, FINDINGS, LINTS, nearest};
use crate::ingest::{self, Ingest};
use crate::store::PostCache;
use crate::template::Templates;

mod links;
mod posts;
mod releases;
mod schedules;
mod select;

use schedules::ScheduleReport;
use select::Selection;

/// Say what is wrong with config, templates, posts and schedules
///
/// Everything is told at once, with file, line and column, and with the next runs of each schedule. Nothing is written and
/// nothing is sent. The exit code is 3 if there is an error.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider check
  postrider check --deny-warnings                 for the editors' last look
  postrider check --all                           each finding, however many there are of its kind
  postrider check --explain post-alt-missing      what a code means
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
    /// Show all findings to people, not ten of a kind
    #[arg(long)]
    all: bool,
    /// Say what a code means and how to mend it, and look at nothing
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
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
    if let Some(code) = &args.explain {
        return explain(code);
    }
    let findings = find(file).await?;
    match args.format {
        Format::Human => console::print(&findings.text(now(), args.all))?,
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
    let (templates, problems) = templates(&config, &origins);
    diagnostics.extend(problems);
    let (catalog, cache, feeds) = posts(&config).await?;
    diagnostics.extend(feeds);
    diagnostics.extend(catalog.problems.iter().cloned());
    diagnostics.extend(releases::unknown_posts(&config, &origins, &catalog));
    let counts =
        Counts { posts: catalog.posts.len(), drafts: catalog.drafts, broken: catalog.broken };
    let looked = posts::Desk::new(&config, templates, (catalog, cache), now()).look().await;
    diagnostics.extend(looked.findings);
    diagnostics.retain(|finding| !select::is_silenced(finding, &config, &looked.silenced));
    Ok(Findings { diagnostics, schedules, counts: Some(counts) })
}

/// What is known of a code.
fn explain(code: &str) -> anyhow::Result<()> {
    if let Some(text) = select::explanation(code) {
        return Ok(console::print(&text)?);
    }
    let codes = LINTS.iter().chain(&FINDINGS).map(|lint| lint.code);
    match nearest(code, codes) {
        Some(near) => {
            anyhow::bail!("no finding about posts has the code `{code}`; did you mean `{near}`?")
        }
        None => anyhow::bail!("no finding about posts has the code `{code}`"),
    }
}

/// Compiles every template and renders it with every sample.
fn templates(config: &Config, origins: &Origins) -> (Option<Templates>, Vec<Diagnostic>) {
    let folder = config.root.join("templates");
    match Templates::load(folder.is_dir().then_some(folder.as_path())) {
        Ok(templates) => {
            let mut problems = templates.check_all();
            problems.extend(releases::unknown_templates(config, origins, &templates));
            (Some(templates), problems)
        }
        Err(problems) => (None, problems),
    }
}

/// Reads every post, over a database that is only looked at.
async fn posts(config: &Arc<Config>) -> anyhow::Result<(Catalog, PostCache, Vec<Diagnostic>)> {
    let look = Look::at(config).await?;
    let cache = ingest::open_cache(config, &look.store)?;
    let mut ingest = Ingest::open(Arc::clone(config), look.store.clone(), cache.clone()).await?;
    ingest.rescan(now()).await?;
    let catalog = ingest.catalog();
    let mut feeds =
        feeds::findings(&look.store, config, (&catalog, &cache), &HashMap::new()).await?;
    // Posts of queues are in no feed for who does not ask the planner.
    feeds.retain(|found| found.code != "feed-shrunk");
    look.close().await;
    Ok((catalog, cache, feeds))
}

impl Findings {
    fn text(&self, now: Timestamp, all: bool) -> String {
        let mut page = Page::default();
        let selection = Selection::of(&self.diagnostics, all);
        page.block(&report::human(&selection.shown));
        if !selection.more.is_empty() {
            page.gap().block(&selection.rest());
        }
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
