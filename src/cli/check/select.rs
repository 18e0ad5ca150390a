//! Which findings are shown: not those that somebody silenced, and not the hundredth of a kind. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use crate::cli::words;
use crate::config::Config;
use crate::domain::{Diagnostic, explain};

/// So many findings of one code are shown to people.
const MOST_OF_A_KIND: usize = 10;

/// What people see, and what they are only told of.
pub(super) struct Selection {
    pub(super) shown: Vec<Diagnostic>,
    /// By code: how many more there are, and in how many files.
    pub(super) more: BTreeMap<String, (usize, usize)>,
}

impl Selection {
    pub(super) fn of(findings: &[Diagnostic], all: bool) -> Self {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut shown = Vec::new();
        let mut hidden: BTreeMap<&str, (usize, HashSet<Option<&str>>)> = BTreeMap::new();
        for finding in findings {
            let count = seen.entry(&*finding.code).or_default();
            *count += 1;
            if all || *count <= MOST_OF_A_KIND {
                shown.push(finding.clone());
            } else {
                let (more, files) = hidden.entry(&*finding.code).or_default();
                *more += 1;
                files.insert(finding.file.as_deref());
            }
        }
        let more =
            hidden.into_iter().map(|(code, (more, files))| (code.to_owned(), (more, files.len())));
        Self { shown, more: more.collect() }
    }

    /// A line for each kind that is not shown whole.
    pub(super) fn rest(&self) -> String {
        let mut text = String::new();
        for (code, (more, files)) in &self.more {
            let files = words::count(*files, "file");
            writeln!(text, "… and {more} more of `{code}` in {files}").expect("a string takes it");
        }
        text.push_str("`--all` shows them, `--explain CODE` says what a code means.\n");
        text
    }
}

/// Whether the configuration or the post itself does not want to hear of it. Errors are always told.
pub(super) fn is_silenced(
    finding: &Diagnostic,
    config: &Config,
    by_file: &HashMap<String, Vec<String>>,
) -> bool {
    let has = |codes: &Vec<String>| codes.iter().any(|code| *code == finding.code);
    let in_file = || finding.file.as_ref().and_then(|file| by_file.get(file)).is_some_and(has);
    !finding.is_error() && (has(&config.check.silence) || in_file())
}

/// What a code means and how to mend it, for people.
pub(super) fn explanation(code: &str) -> Option<String> {
    let lint = explain(code)?;
    Some(format!(
        "{code}: {}.\n\nTo mend it: {}.\n\nIf it is a warning, it is silenced for all posts with `silence = [\"{code}\"]` under \
         `[check]`, for one with\n`postrider: {{silence: [{code}]}}` in its front matter.\n",
        lint.meaning, lint.mend
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_of_a_kind_are_shown_and_the_others_counted() {
        let finding = |number: usize| {
            Diagnostic::warning("post-todo", format!("{number}"))
                .in_file(format!("{}.md", number / 2))
        };
        let mut findings: Vec<_> = (0..15).map(finding).collect();
        findings.push(Diagnostic::error("post-date", "no"));
        let selection = Selection::of(&findings, false);
        assert_eq!(selection.shown.len(), 11);
        assert!(selection.rest().starts_with("… and 5 more of `post-todo` in 3 files\n"));
        let all = Selection::of(&findings, true);
        assert!(all.shown.len() == 16 && all.more.is_empty());
    }
}
