//! Collects everything that is wrong, each with its place, so that all of it is told at once.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::Timestamp;

use super::Origins;
use crate::domain::{Diagnostic, Schedule, ScheduleError, Segment, SegmentError};

/// What has been found so far.
#[derive(Default)]
pub(super) struct Report {
    pub origins: Origins,
    diagnostics: Vec<Diagnostic>,
    faulty: BTreeSet<String>,
}

/// Why a text was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    fn into_diagnostic(self, code: &'static str) -> Diagnostic {
        Diagnostic { help: self.help, ..Diagnostic::error(code, self.message) }
    }
}

impl Report {
    /// Adds a finding about the value of `path`.
    pub(super) fn add(&mut self, path: &str, diagnostic: Diagnostic) {
        if diagnostic.is_error() {
            self.faulty.insert(path.to_owned());
        }
        self.diagnostics.push(self.origins.point(path, diagnostic));
    }

    /// Adds a finding about the name of `path`.
    pub(super) fn add_at_name(&mut self, path: &str, diagnostic: Diagnostic) {
        self.faulty.insert(path.to_owned());
        self.diagnostics.push(self.origins.point_at_name(path, diagnostic));
    }

    /// Adds a finding that knows its place already.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The value, or nothing and an entry in the list.
    pub(super) fn take<T>(&mut self, path: &str, result: Result<T, Problem>) -> Option<T> {
        self.take_as("invalid-value", path, result)
    }

    pub(super) fn take_as<T>(
        &mut self,
        code: &'static str,
        path: &str,
        result: Result<T, Problem>,
    ) -> Option<T> {
        result.map_err(|problem| self.add(path, problem.into_diagnostic(code))).ok()
    }

    /// The schedule that `expression` at `path` means, or nothing and an entry that points into the expression.
    ///
    /// One that never fires is refused: whatever waits for it would wait in silence.
    pub(super) fn take_schedule(
        &mut self,
        path: &str,
        expression: &str,
        result: Result<Schedule, ScheduleError>,
    ) -> Option<Schedule> {
        match result {
            Ok(schedule) if schedule.next_after(Timestamp::UNIX_EPOCH).is_some() => Some(schedule),
            Ok(_) => {
                let never = format!("`{expression}` never fires");
                let diagnostic = Diagnostic::error("never-fires", never)
                    .effect("what waits for it would wait for ever")
                    .help("no day is all that it asks for, such as 30 February");
                self.add(path, diagnostic);
                None
            }
            Err(error) => {
                let Range { start, end } = error.span;
                self.faulty.insert(path.to_owned());
                let diagnostic = Diagnostic {
                    help: error.help,
                    ..Diagnostic::error("invalid-schedule", error.message)
                };
                let pointed = self.origins.point_inside(path, expression, start..end, diagnostic);
                self.diagnostics.push(pointed);
                None
            }
        }
    }

    /// The segment that `expression` at `path` means, or nothing and an entry that points into the expression.
    pub(super) fn take_segment(
        &mut self,
        path: &str,
        expression: &str,
        result: Result<Segment, SegmentError>,
    ) -> Option<Segment> {
        result
            .map_err(|error| {
                self.faulty.insert(path.to_owned());
                let diagnostic = Diagnostic::error("invalid-expression", error.message)
                    .effect("nobody knows who is meant");
                let pointed = self.origins.point_inside(path, expression, error.span, diagnostic);
                self.diagnostics.push(pointed);
            })
            .ok()
    }

    /// Says that `section` lacks `key`, unless the key is there and was refused.
    pub(super) fn missing(&mut self, section: &str, key: &str, help: impl Into<String>) {
        let path = super::schema::below(section, key);
        if self.is_faulty(&path) || self.is_faulty(section) {
            return;
        }
        let message = match display(section).as_str() {
            "" => format!("`{key}` is missing"),
            section => format!("`{key}` is missing in `{section}`"),
        };
        self.add(&path, Diagnostic::error("missing-key", message).help(help));
    }

    pub(super) fn is_faulty(&self, path: &str) -> bool {
        self.faulty.contains(path)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Drops what is likely to be a mere consequence of something else.
    pub(super) fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.diagnostics.retain(keep);
    }

    /// Everything, in the order of the files.
    pub(super) fn finish(self) -> (Vec<Diagnostic>, Origins) {
        let mut diagnostics = self.diagnostics;
        // `postrider.toml` before `releases.toml`, and the environment last.
        diagnostics.sort_by_key(|it| (it.file.is_none(), it.file.clone(), it.position));
        (diagnostics, self.origins)
    }
}

/// How a path is shown to people: without the numbers of lists and the name of the file.
pub(super) fn display(path: &str) -> String {
    let path = path.strip_prefix("releases").unwrap_or(path).trim_start_matches('.');
    let parts = path.split('.').filter(|part| !part.chars().all(|c| c.is_ascii_digit()));
    parts.collect::<Vec<_>>().join(".")
}
