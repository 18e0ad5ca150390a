//! `postrider import`: the posts of another publisher as files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use url::Url;

use super::arguments::web_url;
use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::style::examples;
use super::{report, words};
use crate::content::{GhostExport, GhostPost, GhostWishes, MadePost, Skipped};
use crate::domain::Diagnostic;

/// Real ones are a tenth of it; beyond, it is something else, and would not fit into memory.
const MAX_EXPORT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Existing files that are named; the rest is counted.
const NAMED: usize = 10;

/// Make Markdown files of the posts of another publisher
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider import ghost field-notes.ghost.2026-10-05.json --url https://notes.example.org"
))]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    Ghost(GhostArgs),
}

/// Make Markdown files of a Ghost export
///
/// One file a post, with its title, dates, tags, authors and image. Posts keep their id, so nobody's feed reader shows them
/// again. Pages are left out, and so are drafts and posts for members, unless `--drafts` asks for them.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider import ghost field-notes.ghost.2026-10-05.json --url https://notes.example.org --dry-run
  postrider import ghost field-notes.ghost.2026-10-05.json --url https://notes.example.org"
))]
struct GhostArgs {
    /// The JSON of Settings, Import/Export, Export content
    #[arg(value_name = "EXPORT")]
    file: PathBuf,
    /// The folder for the posts; it is made if need be
    #[arg(long, value_name = "DIR", default_value = "posts")]
    out: PathBuf,
    /// Drafts, scheduled posts and posts for members, too: all of them as drafts
    #[arg(long)]
    drafts: bool,
    /// Where the blog is, for links and images in it
    #[arg(long, value_parser = web_url)]
    url: Option<Url>,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let From::Ghost(args) = &args.from;
    let bytes = read(&args.file)?;
    let file = args.file.display().to_string();
    let export = GhostExport::read(&bytes, &file).map_err(|found| Stop {
        findings: vec![*found],
        message: "nothing was imported".to_owned(),
        code: Code::Failed,
    })?;
    let wishes = GhostWishes { drafts: args.drafts, url: args.url.clone() };
    if !export.knows_url(&wishes) {
        console::note(
            "note: links to the blog itself stay without its address; `--url` would add it",
        );
    }
    if !args.dry_run {
        let failed = || format!("make the folder `{}`", args.out.display());
        fs::create_dir_all(&args.out).with_context(failed)?;
    }
    let mut done = Done::default();
    for post in export.posts(&wishes) {
        match post {
            GhostPost::Made(made) => done.write(&made, args)?,
            GhostPost::Skipped(why) => *done.skipped.entry(why).or_default() += 1,
            GhostPost::Broken(found) => done.tell_broken(&found),
        }
    }
    console::note(&done.told(args));
    if done.broken > 0 {
        let message = format!("{} could not be made", words::count(done.broken, "post"));
        return Err(Stop { findings: Vec::new(), message, code: Code::Failed }.into());
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("read `{}`", path.display());
    let bytes = fs::metadata(path).with_context(failed)?.len();
    if bytes > MAX_EXPORT_BYTES {
        bail!("`{}` is {bytes} bytes long; at most {MAX_EXPORT_BYTES} are read", path.display());
    }
    fs::read(path).with_context(failed)
}

/// What has become of the posts so far.
#[derive(Default)]
struct Done {
    made: u64,
    drafts: u64,
    existing: Vec<String>,
    skipped: BTreeMap<Skipped, u64>,
    broken: u64,
}

impl Done {
    fn write(&mut self, made: &MadePost, args: &GhostArgs) -> anyhow::Result<()> {
        let path = args.out.join(&made.name);
        match write(&path, made, args) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.existing.push(made.name.clone());
                return Ok(());
            }
            // The next file will not fit either.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                return Err(error).with_context(|| format!("write `{}`", path.display()));
            }
            Err(error) => {
                let message = format!("the file cannot be written: {error}");
                let found = Diagnostic::error("import-write", message);
                self.tell_broken(&found.in_file(path.display().to_string()));
                return Ok(());
            }
        }
        self.made += 1;
        self.drafts += u64::from(made.is_draft);
        console::note(&report::human(&made.warnings));
        Ok(console::print(&format!("{}\n", path.display()))?)
    }

    fn tell_broken(&mut self, found: &Diagnostic) {
        self.broken += 1;
        console::note(&report::human(std::slice::from_ref(found)));
    }

    fn told(&self, args: &GhostArgs) -> String {
        let mut page = Page::default();
        page.gap();
        let would = if args.dry_run { " would be made" } else { " made" };
        let drafts = match self.drafts {
            0 => String::new(),
            drafts => format!(", {} of them", words::count(drafts, "draft")),
        };
        let folder = args.out.display();
        page.line(format_args!(
            "{}{would} in `{folder}`{drafts}.",
            words::count(self.made, "post")
        ));
        for (why, count) in &self.skipped {
            page.line(format_args!("left out: {}", why_skipped(*why, *count)));
        }
        if !self.existing.is_empty() {
            let count = words::count(self.existing.len(), "file");
            page.line(format_args!(
                "{count} left alone, being there already (`--force` writes over them):"
            ));
            for name in self.existing.iter().take(NAMED) {
                page.line(format_args!("  {name}"));
            }
            if let Some(more) = self.existing.len().checked_sub(NAMED).filter(|more| *more > 0) {
                page.line(format_args!("  … and {more} more"));
            }
        }
        if args.dry_run {
            page.line("Nothing was written.");
        } else if self.made > 0 {
            page.line(
                "\nThey are the baseline: in the feeds, and mailed to nobody, if Postrider has not looked at this folder \
                 before.\nNext: `permalink = \"/{slug}/\"` under `[[posts]]` keeps Ghost's addresses; then postrider plan",
            );
        }
        page.text()
    }
}

fn why_skipped(why: Skipped, count: u64) -> String {
    match why {
        Skipped::Page => words::count(count, "page"),
        Skipped::Draft => {
            format!("{} (`--drafts` takes them)", words::count(count, "draft or scheduled post"))
        }
        Skipped::MembersOnly => {
            format!(
                "{} for members (`--drafts` takes them, as drafts)",
                words::count(count, "post")
            )
        }
        Skipped::MailOnly => {
            format!(
                "{} sent by mail alone (`--drafts` takes them, as drafts)",
                words::count(count, "post")
            )
        }
    }
}

/// Never over a file that is there, unless that is wanted.
fn write(path: &Path, made: &MadePost, args: &GhostArgs) -> io::Result<()> {
    if !args.force && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    if args.dry_run {
        return Ok(());
    }
    place(path, args.force, |file| file.write_all(made.text.as_bytes()))
}

/// The file is there whole or not at all: half a post would be mailed as it is, and left alone the next time.
fn place(
    path: &Path,
    over: bool,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::InvalidFilename.into()) };
    // Hidden, so that nobody takes it for a post meanwhile.
    let part = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
    if let Err(error) = fs::remove_file(&part)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let done = File::create_new(&part)
        .and_then(|mut file| {
            fill(&mut file)?;
            // A name for what is not on the disk yet is an empty file after a power cut.
            file.sync_all()
        })
        .and_then(|()| if over { fs::rename(&part, path) } else { name_it(&part, path) });
    if done.is_err() {
        // What failed before is what the author should hear of.
        let _ = fs::remove_file(&part);
    }
    done
}

/// Renaming would go over a file that came meanwhile; a second name for the same file does not.
fn name_it(part: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(part, path) {
        Ok(()) => fs::remove_file(part),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have one name a file only.
        Err(_) if path.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(part, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_post_that_cannot_be_written_whole_is_not_there() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.md");
        for over in [false, true] {
            let full = place(&path, over, |file| {
                file.write_all(b"half of")?;
                assert_eq!(names(folder.path()), [".a.md.part"], "hidden while it is written");
                Err(io::ErrorKind::StorageFull.into())
            });
            assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
            assert!(names(folder.path()).is_empty());
        }
        // What a run that was killed left behind is in nobody's way.
        fs::write(folder.path().join(".a.md.part"), "half of it and more").unwrap();
        place(&path, false, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(names(folder.path()), ["a.md"]);
    }

    #[test]
    fn a_file_that_came_meanwhile_is_written_over_only_if_that_is_wanted() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.md");
        let late = |text: &'static str| {
            let path = path.clone();
            move |file: &mut File| {
                fs::write(path, "by hand")?;
                file.write_all(text.as_bytes())
            }
        };
        let refused = place(&path, false, late("new")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "by hand");
        place(&path, true, late("new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a.md"]);
    }
}
