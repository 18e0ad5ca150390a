//! Reads the files, applies the environment and validates, with every mistake told at once.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

use super::origins::Origins;
use super::read::{self, Parsed, Source};
use super::report::Report;
use super::schema::{self, Schema};
use super::validate::{self, Context, Names};
use super::{Config, Environment, check, overrides, raw};
use crate::domain::{Diagnostic, Position};

/// A configuration that holds, what is odd about it, and where each key was written.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Diagnostic>,
    pub origins: Origins,
}

/// Where a project's configuration is, given the project folder.
pub fn default_file(start: &Path) -> PathBuf {
    start.join("config").join("postrider.toml")
}

/// Reads `main_file` and, if there is one, `releases.toml` beside it; then the environment, which wins.
///
/// The project folder, which relative paths start from, is the one that holds the `config/` that `main_file` is in;
/// a file in a folder of any other name is taken to stand in the project folder itself.
///
/// On failure everything that is wrong is in the list, errors and warnings, in the order of the files.
pub fn load(main_file: &Path, environment: &Environment) -> Result<Loaded, Vec<Diagnostic>> {
    let main_file = std::path::absolute(main_file)
        .map_err(|error| vec![Diagnostic::error("config-file", error.to_string())])?;
    let root = project_folder(&main_file);
    let main = read_source(&main_file, &root)
        .and_then(|source| source.ok_or_else(|| vec![no_such_file(&main_file, &root)]))?;
    let releases_file = main_file.with_file_name("releases.toml");
    let releases = read_source(&releases_file, &root)?;

    let mut report = Report::default();
    let files = match &releases {
        Some(_) => vec![main_file, releases_file],
        None => vec![main_file],
    };
    let mut reading = Reading { report: &mut report, syntax: Vec::new() };
    let releases: raw::Releases = match &releases {
        Some(source) => {
            reading.file(source, schema::releases(), "releases", |_, _| Names::default()).0
        }
        None => raw::Releases::default(),
    };
    let (project, names): (raw::Project, Names) =
        reading.file(&main, schema::project(), "", |table, report| {
            overrides::apply(environment, table, schema::project(), report);
            Names::of(table)
        });
    let syntax = reading.syntax;
    let mut context = Context { root: &root, names, report: &mut report, zone: TimeZone::UTC };
    let config = validate::project(&project, &releases, files, &mut context);
    for (file, found) in syntax {
        keep_what_is_certain(&mut report, &file, found);
    }
    let failed = report.has_errors();
    let (diagnostics, origins) = report.finish();
    match config {
        Some(config) if !failed => Ok(Loaded { config, warnings: diagnostics, origins }),
        _ => Err(diagnostics),
    }
}

fn project_folder(main_file: &Path) -> PathBuf {
    let folder = main_file.parent().unwrap_or(main_file);
    match (folder.file_name(), folder.parent()) {
        (Some(name), Some(project)) if name == "config" => project.to_owned(),
        _ => folder.to_owned(),
    }
}

/// The text of `file`; `None` if there is no such file.
fn read_source(file: &Path, root: &Path) -> Result<Option<Source>, Vec<Diagnostic>> {
    let name = shown(file, root);
    let failure = |message: String| vec![Diagnostic::error("config-file", message).in_file(&name)];
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failure(format!("cannot read this file: {error}"))),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Source { name, text })),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let position = Position::of(&text, good);
            let mut diagnostic = Diagnostic::error("config-syntax", "this is not UTF-8")
                .in_file(&name)
                .help("save the file as UTF-8");
            diagnostic.position = Some(position);
            Err(vec![diagnostic])
        }
    }
}

fn no_such_file(file: &Path, root: &Path) -> Diagnostic {
    Diagnostic::error("config-file", "there is no such file")
        .in_file(shown(file, root))
        .help("`postrider init` makes a project; `--config FILE` names another file")
}

/// `file` relative to the project folder, with `/`.
fn shown(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

struct Reading<'a> {
    report: &'a mut Report,
    /// Files with syntax errors.
    syntax: Vec<(String, Parsed)>,
}

impl Reading<'_> {
    /// Reads one file as far as it goes. `complete` may add to what it says before it is checked.
    fn file<T: DeserializeOwned + Default>(
        &mut self,
        source: &Source,
        schema: &Schema,
        prefix: &str,
        complete: impl FnOnce(&mut toml::Table, &mut Report) -> Names,
    ) -> (T, Names) {
        let mut parsed = read::parse(source, schema, prefix, &mut self.report.origins);
        let names = complete(&mut parsed.table, self.report);
        check::check(&mut parsed.table, schema, prefix, self.report);
        let table = std::mem::take(&mut parsed.table);
        if !parsed.syntax.is_empty() {
            self.syntax.push((source.name.clone(), parsed));
        }
        // The message of serde would repeat the value, which may be a secret.
        let raw = toml::Value::Table(table).try_into().unwrap_or_else(|_| {
            let message = "this file could not be understood, although each of its keys could";
            self.report.push(Diagnostic::error("config-file", message).in_file(&source.name));
            T::default()
        });
        (raw, names)
    }
}

/// Where the syntax is broken, much else seems to be: keys that are on broken lines seem to be missing. Keeps the syntax
/// errors, and of everything else about that file what would be wrong anyway.
fn keep_what_is_certain(report: &mut Report, file: &str, parsed: Parsed) {
    let broken: Vec<usize> =
        parsed.syntax.iter().filter_map(|error| error.position.map(|at| at.line)).collect();
    let first = broken.iter().min().copied().unwrap_or(0);
    report.retain(|diagnostic| {
        if diagnostic.file.as_deref() != Some(file) {
            return !["missing-key", "unknown-name"].contains(&&*diagnostic.code);
        }
        let Some(at) = diagnostic.position else { return false };
        !["missing-key", "unknown-name"].contains(&&*diagnostic.code)
            && !broken.contains(&at.line)
            && (!parsed.derailed || at.line < first)
    });
    for error in parsed.syntax {
        report.push(error);
    }
}
