//! Collects what is wrong with one file, so that its author hears everything at once.

use std::ops::Range;

use crate::domain::Diagnostic;

/// What every error means for readers.
pub(super) const EFFECT: &str = "this post is live nowhere";

/// One finding before it knows its file. `span` is in bytes of the cleaned text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) span: Option<Range<usize>>,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: None, help: None }
    }

    #[must_use]
    pub(super) fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn into_diagnostic(self, mut base: Diagnostic, place: Place<'_>) -> Diagnostic {
        base = base.in_file(place.file);
        if let Some(span) = self.span {
            base = base.at_span(place.text, span);
        }
        match self.help {
            Some(help) => base.help(help),
            None => base,
        }
    }
}

#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    text: &'a str,
}

/// The findings about one file.
pub(super) struct Report<'a> {
    place: Place<'a>,
    found: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    /// `text` is what spans count in.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { place: Place { file, text }, found: Vec::new() }
    }

    pub(super) fn error(&mut self, problem: Problem) {
        let base = Diagnostic::error(problem.code, problem.message.as_str()).effect(EFFECT);
        self.found.push(problem.into_diagnostic(base, self.place));
    }

    pub(super) fn warning(&mut self, problem: Problem) {
        let base = Diagnostic::warning(problem.code, problem.message.as_str());
        self.found.push(problem.into_diagnostic(base, self.place));
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// Whether something with this code was found.
    pub(super) fn has(&self, code: &str) -> bool {
        self.found.iter().any(|found| found.code == code)
    }

    /// Everything found, in the order of the file.
    pub(super) fn into_found(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| found.position);
        self.found
    }
}
