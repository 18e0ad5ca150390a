//! Findings as people, editors and machines want them. Pure.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use clap::ValueEnum;

use super::style::{ERROR, STRONG, WARNING, paint};
use super::words;
use crate::domain::{Diagnostic, Severity};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// With the line and a mark under what is meant
    #[default]
    Human,
    /// One object: `schema`, `diagnostics`, `schedules`
    Json,
    /// Annotations for GitHub Actions
    Github,
}

/// Each finding as `file:line:column: error[code]: message`, then the line, what is meant in it, and what to do.
pub(super) fn human(findings: &[Diagnostic]) -> String {
    findings.iter().map(human_one).collect::<Vec<_>>().join("\n")
}

fn human_one(finding: &Diagnostic) -> String {
    let place = finding.place();
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("{}: ", paint(STRONG, &clean(&place)))
    };
    let (style, word) = match finding.severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
    };
    let severity = paint(style, &format!("{word}[{}]", finding.code));
    let mut text = format!("{place}{severity}: {}\n", clean(&finding.message));
    let effect = finding.effect.as_deref().map(clean);
    let help = finding.help.as_deref().map(clean);
    match snippet(finding) {
        Some(snippet) => {
            let notes = effect.iter().map(|effect| Level::NOTE.message(effect));
            let helps = help.iter().map(|help| Level::HELP.message(help));
            let level = match finding.severity {
                Severity::Error => Level::ERROR,
                Severity::Warning => Level::WARNING,
            };
            let group = Group::with_level(level).element(snippet).elements(notes.chain(helps));
            text.push_str(&Renderer::styled().render(&[group]));
            text.push('\n');
        }
        None => {
            for (word, note) in [("note", effect), ("help", help)] {
                if let Some(note) = note {
                    writeln!(text, "  = {}: {note}", paint(STRONG, word))
                        .expect("a string takes everything");
                }
            }
        }
    }
    text
}

fn snippet(finding: &Diagnostic) -> Option<Snippet<'_, annotate_snippets::Annotation<'_>>> {
    let (at, line) = (finding.position?, finding.line_text.as_deref()?);
    let offset =
        |column: usize| line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset);
    let start = at.column.saturating_sub(1);
    let span = offset(start)..offset(start.saturating_add(finding.length));
    let annotation = AnnotationKind::Primary.span(span);
    Some(Snippet::source(line).line_start(at.line).annotation(annotation))
}

/// Workflow commands of GitHub Actions, a line each.
pub(super) fn github(findings: &[Diagnostic]) -> String {
    findings.iter().map(github_one).collect()
}

fn github_one(finding: &Diagnostic) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(file) = &finding.file {
        properties.push(format!("file={}", property(file)));
    }
    if let Some(at) = finding.position {
        properties.push(format!("line={},col={}", at.line, at.column));
    }
    properties.push(format!("title={}", property(&finding.code)));
    let parts = [Some(&finding.message), finding.effect.as_ref(), finding.help.as_ref()];
    let message = parts.into_iter().flatten().map(|part| data(part)).collect::<Vec<_>>();
    format!("::{word} {}::{}\n", properties.join(","), message.join("%0A"))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// `2 errors, 1 warning`.
pub(super) fn count(findings: &[Diagnostic]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len() - errors;
    match (errors, warnings) {
        (0, 0) => "nothing wrong".to_owned(),
        (_, 0) => words::count(errors, "error"),
        (0, _) => words::count(warnings, "warning"),
        (_, _) => {
            format!("{}, {}", words::count(errors, "error"), words::count(warnings, "warning"))
        }
    }
}

/// One line without anything that a terminal would obey: posts and servers say what they like.
pub(super) fn clean(text: &str) -> String {
    normalize_untrusted_str(&text.replace(['\n', '\r', '\t'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[mail]\nform = \"Field Notes <news@example.org>\"\n";

    fn findings() -> Vec<Diagnostic> {
        vec![
            Diagnostic::error("unknown-key", "`mail` has no key `form`")
                .in_file("config/postrider.toml")
                .at_span(CONFIG, 7..11)
                .help("did you mean `from`?"),
            Diagnostic::warning(
                "no-date",
                "the date, such as it is, cannot be read: 50% of it\nis missing",
            )
            .in_file("posts/a:b.md")
            .effect("this post is live nowhere"),
            Diagnostic::error("config-file", "there is no such file"),
        ]
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn people_see_the_place_the_line_and_what_to_do() {
        insta::assert_snapshot!(plain(&human(&findings())));
    }

    #[test]
    fn github_gets_one_escaped_line_for_each_finding() {
        insta::assert_snapshot!(github(&findings()));
    }

    #[test]
    fn what_stands_behind_the_end_of_a_line_or_beyond_ascii_is_marked_all_the_same() {
        let text = "größe = \"ä\"\n";
        let at_end = Diagnostic::error("x", "ends too early").in_file("f").at_span(text, 13..13);
        let wide = Diagnostic::error("x", "what is this").in_file("f").at_span(text, 0..7);
        insta::assert_snapshot!(plain(&human(&[at_end, wide])));
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_gets_through() {
        let line = "title: \u{1b}[2J\u{202e}\0";
        let finding = Diagnostic::error("x", format!("`{line}`")).in_file(line).at_span(line, 0..5);
        let text = plain(&human(&[finding]));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{text:?}");
    }

    #[test]
    fn a_line_of_ten_thousand_characters_is_not_printed_whole() {
        let line = "x".repeat(10_000);
        let finding = Diagnostic::error("x", "too long").in_file("f").at_span(&line, 5_000..5_010);
        assert!(human(&[finding]).len() < 2_000);
    }
}
