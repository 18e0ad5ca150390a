//! Findings for people: what is good in a line, what is not with what it means and how to mend it, then the records.

use clap::builder::styling::Style;

use crate::cli::console::Page;
use crate::cli::style::{ERROR, GOOD, STRONG, WARNING, paint};
use crate::cli::{report, words};
use crate::deliverability::{About, Chapter, Finding, Grade, Record};

/// Columns of a terminal that nobody made wider.
const WIDTH: usize = 80;
/// Where sentences begin: behind the mark and the name of the check.
const MARGIN: usize = 15;

pub(super) fn text(chapters: &[Chapter]) -> String {
    let mut page = Page::default();
    for chapter in chapters {
        page.gap().line(paint(STRONG, &report::clean(&title(chapter))));
        for finding in &chapter.findings {
            page.block(&told(finding));
        }
    }
    let records = records(chapters);
    let (optional, needed): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|(grade, _)| *grade == Grade::Advice);
    section(&mut page, "DNS records to add", &needed);
    section(&mut page, "DNS records that are worth adding, though nobody demands them", &optional);
    page.gap().line(summary(chapters));
    page.text()
}

fn title(chapter: &Chapter) -> String {
    let name = &chapter.name;
    match chapter.about {
        About::Domain => {
            let names = chapter.newsletters.iter().map(|name| format!("`{name}`"));
            format!("{name}, the sender of {}", names.collect::<Vec<_>>().join(", "))
        }
        About::Server => format!("Mail server `{name}`"),
        About::Installation => "In every mail".to_owned(),
    }
}

fn told(finding: &Finding) -> String {
    let (style, mark) = match finding.grade {
        Grade::Good => (GOOD, "✓"),
        Grade::Advice => (Style::new(), "·"),
        Grade::Unknown => (WARNING, "?"),
        Grade::Warning => (WARNING, "!"),
        Grade::Error => (ERROR, "✗"),
    };
    let mut text = format!("  {} {:<11}", paint(style, mark), finding.check);
    let mut lines = wrapped(&finding.message);
    for note in [&finding.effect, &finding.help].into_iter().flatten() {
        lines.extend(wrapped(note));
    }
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push_str(&" ".repeat(MARGIN));
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Lines that fit beside the margin. A word that is longer stands alone.
fn wrapped(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in report::clean(sentence).split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        let columns = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if columns <= WIDTH - MARGIN {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Records from the findings, each once, with the grade of the worst finding that wants it.
pub(super) fn records(chapters: &[Chapter]) -> Vec<(Grade, &Record)> {
    let mut records: Vec<(Grade, &Record)> = Vec::new();
    for finding in chapters.iter().flat_map(|chapter| &chapter.findings) {
        let Some(record) = &finding.record else { continue };
        match records.iter_mut().find(|(_, known)| *known == record) {
            Some((grade, _)) => *grade = (*grade).max(finding.grade),
            None => records.push((finding.grade, record)),
        }
    }
    records
}

/// Lines for a zone file, from the first column on: they are there to be copied.
fn section(page: &mut Page, heading: &str, records: &[(Grade, &Record)]) {
    if records.is_empty() {
        return;
    }
    page.gap().line(paint(STRONG, heading));
    for (_, record) in records {
        for old in &record.replaces {
            page.line(format_args!("; in place of \"{}\"", report::clean(old)));
        }
        page.line(report::clean(&record.zone_line()));
    }
}

fn summary(chapters: &[Chapter]) -> String {
    let findings = || chapters.iter().flat_map(|chapter| &chapter.findings);
    let count = |grade| findings().filter(|finding| finding.grade == grade).count();
    let mut parts = Vec::new();
    for (grade, what) in [(Grade::Error, "error"), (Grade::Warning, "warning")] {
        match count(grade) {
            0 => {}
            number => parts.push(words::count(number, what)),
        }
    }
    let unknown = count(Grade::Unknown);
    if unknown > 0 {
        parts.push(format!("{} without an answer", words::count(unknown, "question")));
    }
    let style = match findings().map(|finding| finding.grade).max() {
        Some(Grade::Error) => ERROR,
        Some(Grade::Warning | Grade::Unknown) => WARNING,
        Some(Grade::Good | Grade::Advice) | None => GOOD,
    };
    let text = if parts.is_empty() { "nothing wrong".to_owned() } else { parts.join(", ") };
    paint(style, &text)
}
