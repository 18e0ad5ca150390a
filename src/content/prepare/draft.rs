//! A text under revision: parts are replaced in order, and where everything came from stays known.

use std::borrow::Cow;
use std::ops::Range;

use super::{Anchor, Prepared};
use crate::content::report::Problem;

/// The prepared text as far as it is written.
pub(super) struct Draft<'t> {
    text: &'t str,
    body: usize,
    out: String,
    copied: usize,
    map: Vec<Anchor>,
    verbatim: Vec<Range<usize>>,
    pub(super) warnings: Vec<Problem>,
}

impl<'t> Draft<'t> {
    /// Of `text`, which begins at `body` in its file.
    pub(super) fn new(text: &'t str, body: usize) -> Self {
        Self {
            text,
            body,
            out: String::new(),
            copied: 0,
            map: Vec::new(),
            verbatim: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Copies what is before `at` and not copied yet.
    fn copy_to(&mut self, at: usize) {
        if self.copied < at {
            self.map.push(Anchor {
                here: self.out.len(),
                there: self.body + self.copied,
                ours: false,
            });
            self.out.push_str(&self.text[self.copied..at]);
            self.copied = at;
        }
    }

    /// Writes `with` in place of a part that lies behind all others replaced so far.
    pub(super) fn replace(&mut self, part: Range<usize>, with: &str) {
        self.copy_to(part.start);
        self.map.push(Anchor { here: self.out.len(), there: self.body + part.start, ours: true });
        self.out.push_str(with);
        self.copied = self.copied.max(part.end);
    }

    /// Copies a part that is to be seen as it is.
    pub(super) fn verbatim(&mut self, part: Range<usize>) {
        self.copy_to(part.start);
        let start = self.out.len();
        self.copy_to(part.end);
        self.verbatim.push(start..self.out.len());
    }

    /// Warns about a part of the text.
    pub(super) fn warn(&mut self, part: Range<usize>, problem: Problem) {
        /// One file cannot fill the log.
        const MOST: usize = 20;
        if self.warnings.len() < MOST {
            self.warnings.push(problem.at(part.start + self.body..part.end + self.body));
        }
    }

    pub(super) fn finish(mut self) -> Prepared<'t> {
        if self.map.is_empty() {
            let map = vec![Anchor { here: 0, there: self.body, ours: false }];
            return Prepared {
                text: Cow::Borrowed(self.text),
                map,
                verbatim: Vec::new(),
                warnings: self.warnings,
            };
        }
        self.copy_to(self.text.len());
        Prepared {
            text: Cow::Owned(self.out),
            map: self.map,
            verbatim: self.verbatim,
            warnings: self.warnings,
        }
    }
}
