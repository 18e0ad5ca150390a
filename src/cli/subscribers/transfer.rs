//! Whole lists in and out: CSV for spreadsheets and other newsletter programs, JSON for one's own.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::Office;
use crate::audience::{ExportFormat, Import, ImportReport, ImportStep, System};
use crate::cli::arguments::segment;
use crate::cli::compose::cadence_parser;
use crate::cli::project::{Look, Project};
use crate::cli::style::examples;
use crate::cli::{console, words};
use crate::domain::Cadence;
use crate::store::Store;
use crate::template::Templates;

/// Skipped rows that are named; the rest is counted.
const SKIPS_NAMED: u64 = 20;

/// Make everybody in a CSV file an active subscriber, without asking them
///
/// Exports of Postrider, listmonk, Ghost, Substack, Mailchimp (each of its files), Buttondown, Keila and beehiiv are known by
/// their columns; any other table needs a column `email` or `address`. Names, tags, dates, choices and the evidence of consent are
/// taken over, other columns become attributes. Who left or bounced, there or here, stays out. Importing a file
/// twice changes nothing the second time.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider subscribers import members.csv --newsletter weekly --confirmed --dry-run
  postrider subscribers import members.csv --newsletter weekly --confirmed
  postrider subscribers import - --newsletter weekly --confirmed < members.csv"
))]
pub(super) struct ImportArgs {
    /// The CSV file; `-` reads standard input
    file: PathBuf,
    /// Rows that name no newsletter are for this one [default: the only one there is]
    #[arg(long)]
    newsletter: Option<String>,
    /// Rows that name no cadence get this one [default: the newsletter's default]
    #[arg(long, value_parser = cadence_parser())]
    cadence: Option<Cadence>,
    /// Your word that everybody in the file agreed to get this mail
    #[arg(long)]
    confirmed: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the line and the reason of each row that is skipped to this CSV file
    #[arg(long, value_name = "FILE")]
    skipped: Option<PathBuf>,
}

/// Print all subscribers, with where they come from and when they did what
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider subscribers export > subscribers.csv
  postrider subscribers export --newsletter weekly --out weekly.csv
  postrider subscribers export --format json | jq length"
))]
pub(super) struct ExportArgs {
    /// Of this newsletter only
    #[arg(long)]
    newsletter: Option<String>,
    /// Only who is meant by this, such as `"vip" in tags`, or by a segment of the configuration
    #[arg(long = "where", value_name = "EXPRESSION")]
    only: Option<String>,
    /// A table, or a list of objects
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write to this file, which only you may read, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Csv,
    Json,
}

pub(super) async fn import(
    project: &Project,
    templates: Templates,
    args: &ImportArgs,
) -> anyhow::Result<()> {
    let (file, bytes) = open(&args.file)?;
    let look =
        if args.dry_run { project.look().await? } else { Look::for_real(project.store().await?) };
    let done = import_into(project, templates, look.store.clone(), (file, bytes), args).await;
    look.close().await;
    done
}

async fn import_into(
    project: &Project,
    templates: Templates,
    store: Store,
    (file, bytes): (Box<dyn Read + Send>, u64),
    args: &ImportArgs,
) -> anyhow::Result<()> {
    let office = Office { project, templates, store };
    let name = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let import = Import {
        newsletter: args.newsletter.as_deref(),
        cadence: args.cadence,
        confirmed: args.confirmed,
        file: &name,
    };
    let bar = console::bar(bytes, "rows");
    let mut skipped = 0;
    let mut list = args.skipped.as_deref().map(SkippedList::begin).transpose()?;
    let step = |step: ImportStep<'_>| match step {
        ImportStep::Recognised { system, attributes } => {
            bar.suspend(|| console::note(&recognised(system, attributes)));
        }
        ImportStep::Committed { rows, bytes } => {
            bar.set_position(bytes);
            bar.set_message(rows.to_string());
        }
        ImportStep::Skipped { line, reason } => {
            skipped += 1;
            if let Some(list) = &mut list {
                list.add(line, &reason.to_string());
            }
            if skipped <= SKIPS_NAMED {
                bar.suspend(|| console::note(&format!("line {line} is skipped: {reason}")));
            }
        }
    };
    let report = office.audience().import(file, import, step).await?;
    bar.finish_and_clear();
    if let Some(more) = report.skipped.checked_sub(SKIPS_NAMED).filter(|more| *more > 0) {
        let where_to = if list.is_some() { "" } else { "; `--skipped FILE` lists them all" };
        console::note(&format!("… and {more} more{where_to}"));
    }
    if let Some(list) = list {
        list.end()?;
    }
    console::note(&told(report, args.dry_run));
    Ok(())
}

/// Each row that was skipped, in a file.
struct SkippedList {
    writer: csv::Writer<File>,
    failed: Option<csv::Error>,
}

impl SkippedList {
    fn begin(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("write `{}`", path.display());
        let mut writer = csv::Writer::from_writer(private_file(path).with_context(failed)?);
        writer.write_record(["line", "reason"]).with_context(failed)?;
        Ok(Self { writer, failed: None })
    }

    fn add(&mut self, line: u64, reason: &str) {
        if let Err(error) = self.writer.write_record([&*line.to_string(), reason]) {
            self.failed.get_or_insert(error);
        }
    }

    fn end(mut self) -> anyhow::Result<()> {
        let failed = "write the list of what was skipped";
        self.writer.flush().context(failed)?;
        self.failed.map_or(Ok(()), |error| Err(error).context(failed))
    }
}

fn recognised(system: System, attributes: &[String]) -> String {
    let kept = match attributes {
        [] => String::new(),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("; other columns become attributes: {}", names.join(", "))
        }
    };
    match system {
        System::Table => format!("The file is a table of its own{kept}."),
        system => format!("The file is an export of {}{kept}.", system.title()),
    }
}

/// The file, or standard input, and how long it is if that is known.
fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), 0));
    }
    let failed = || format!("read `{}`", path.display());
    let file = File::open(path).with_context(failed)?;
    let bytes = file.metadata().with_context(failed)?.len();
    Ok((Box::new(file), bytes))
}

fn told(report: ImportReport, dry_run: bool) -> String {
    let parts = [
        (report.added, if dry_run { "would be added" } else { "added" }),
        (report.already_active, "were subscribers already"),
        (report.kept_out, "kept out, as they left or must not be mailed"),
        (report.skipped, "skipped"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let what = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
    let ending = if dry_run { " Nothing was changed." } else { "" };
    format!("{}: {what}.{ending}", words::count(report.rows, "row"))
}

pub(super) async fn export(
    project: &Project,
    templates: Templates,
    args: &ExportArgs,
) -> anyhow::Result<()> {
    let look = project.look().await?;
    let office = Office { project, templates, store: look.store.clone() };
    let format = match args.format {
        Format::Csv => ExportFormat::Csv,
        Format::Json => ExportFormat::Json,
    };
    let only = args.only.as_deref().map(|text| segment(project, text)).transpose()?;
    let newsletter = (args.newsletter.as_deref(), only.as_ref());
    let exported = match &args.out {
        None => {
            let mut out = io::BufWriter::new(io::stdout());
            let count = office.audience().export(newsletter, format, &mut out).await;
            count.and_then(|count| Ok(out.flush().map(|()| count)?))
        }
        Some(path) => {
            let failed = || format!("write `{}`", path.display());
            let file = io::BufWriter::new(private_file(path).with_context(failed)?);
            let spinner = console::spinner("written");
            let mut out = spinner.wrap_write(file);
            let count = office.audience().export(newsletter, format, &mut out).await;
            let count = count.and_then(|count| Ok(out.flush().map(|()| count)?));
            spinner.finish_and_clear();
            count
        }
    };
    look.close().await;
    console::note(&format!("{}.", words::count(exported?, "subscription")));
    Ok(())
}

/// Addresses are nobody else's business on a machine with several users.
fn private_file(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_says_what_it_did_and_what_not() {
        let report = ImportReport { rows: 9, added: 4, already_active: 2, kept_out: 1, skipped: 2 };
        assert_eq!(
            told(report, false),
            "9 rows: 4 added, 2 were subscribers already, 1 kept out, as they left or must not be mailed, 2 skipped."
        );
        let report = ImportReport { rows: 1, added: 1, ..ImportReport::default() };
        assert_eq!(told(report, true), "1 row: 1 would be added. Nothing was changed.");
        assert_eq!(told(ImportReport::default(), false), "0 rows: nothing to do.");
    }
}
