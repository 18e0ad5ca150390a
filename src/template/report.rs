//! From MiniJinja's errors to a `Diagnostic` that points at the file and names what was probably meant.

use std::collections::BTreeSet;
use std::error::Error as _;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::folder::Source;
use super::{FUEL, MAX_OUTPUT, Templates, filters};
use crate::domain::{Diagnostic, Position};

/// MiniJinja's own filters, for "did you mean"; a test proves that they exist.
pub(super) const FILTERS: [&str; 28] = [
    "abs",
    "batch",
    "capitalize",
    "default",
    "dictsort",
    "escape",
    "first",
    "format",
    "groupby",
    "indent",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "replace",
    "reverse",
    "round",
    "safe",
    "sort",
    "split",
    "title",
    "tojson",
    "trim",
    "urlencode",
];

/// A template that does not compile.
pub(super) fn syntax(error: &Error, source: &Source) -> Diagnostic {
    let message = error.detail().unwrap_or("this is not a template").to_owned();
    place(Diagnostic::error("template-syntax", message), error, &source.file, &source.text)
        .effect("templates are not taken over while one of them has an error")
}

/// What it means when the template `name` fails.
fn effect(name: &str) -> &'static str {
    match name.split('/').next() {
        Some("mail") => "this mail cannot be written",
        Some("page") => "this page cannot be shown",
        _ => "this call cannot be made",
    }
}

/// A rendering that failed. The innermost error is where it happened; the outer ones are the includes above it.
pub(super) fn failure(
    error: &Error,
    templates: &Templates,
    name: &str,
    root: &Value,
) -> Diagnostic {
    let error = innermost(error);
    let name = error.name().unwrap_or(name);
    let file = templates.file(name);
    let text = error.template_source().unwrap_or_default();
    let meant = error.range().and_then(|range| text.get(range)).unwrap_or_default();
    let detail = || error.detail().unwrap_or("it cannot be rendered").to_owned();
    let (code, message, help) = match error.kind() {
        ErrorKind::UndefinedError => {
            let help = nearest_name(meant, &detail(), root);
            ("template-undefined", undefined(&detail(), meant), help)
        }
        ErrorKind::UnknownFilter => {
            let wanted = unknown_filter(&detail());
            let known = FILTERS.into_iter().chain(filters::OURS);
            let help = nearest(&wanted, known);
            ("template-unknown", format!("there is no filter `{wanted}`"), help)
        }
        ErrorKind::TemplateNotFound => {
            let wanted = detail().split(['"', '\'']).nth(1).unwrap_or_default().to_owned();
            let help = nearest(&wanted, templates.0.files.keys().map(String::as_str));
            ("template-unknown", format!("there is no template `{wanted}`"), help)
        }
        ErrorKind::OutOfFuel => (
            "template-endless",
            format!("the template is not done after {FUEL} steps"),
            Some("look for a loop inside a loop over many things".to_owned()),
        ),
        _ => ("template-failed", detail(), None),
    };
    let found = place(Diagnostic::error(code, message), error, &file, text).effect(effect(name));
    match help {
        Some(help) => found.help(help),
        None => found,
    }
}

/// A rendering that was stopped because of its size.
pub(super) fn too_large(error: &Error, templates: &Templates, name: &str) -> Diagnostic {
    let error = innermost(error);
    let message = format!("the template produces more than {MAX_OUTPUT} bytes");
    let file = templates.file(error.name().unwrap_or(name));
    let text = error.template_source().unwrap_or_default();
    place(Diagnostic::error("template-too-large", message), error, &file, text).effect(effect(name))
}

/// A `.json` template that rendered to something else. The place is in the output, so the line is shown instead.
pub(super) fn not_json(
    error: &serde_json::Error,
    output: &str,
    templates: &Templates,
    name: &str,
) -> Diagnostic {
    let line = output.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim();
    let line = filters::truncate(line, 120);
    Diagnostic::error("template-not-json", format!("the result is not JSON: {error}: `{line}`"))
        .in_file(templates.file(name))
        .effect(effect(name))
        .help("write values without quotes around them, as in `\"title\": {{ data.title }}`")
}

fn innermost(error: &Error) -> &Error {
    let mut found = error;
    let mut next = error.source();
    while let Some(source) = next {
        // An error without a template (of a filter, say) tells less than the one around it.
        if let Some(inner) = source.downcast_ref::<Error>().filter(|inner| inner.name().is_some()) {
            found = inner;
        }
        next = source.source();
    }
    found
}

fn place(found: Diagnostic, error: &Error, file: &str, text: &str) -> Diagnostic {
    let found = found.in_file(file);
    match (error.range(), error.line()) {
        (Some(range), _) if range.end <= text.len() && !text.is_empty() => {
            found.at_span(text, range)
        }
        (_, Some(line)) => found.at(text, Position { line, column: 1 }),
        (_, None) => found,
    }
}

fn undefined(detail: &str, meant: &str) -> String {
    if detail.contains('`') || meant.is_empty() {
        detail.to_owned()
    } else {
        format!("`{meant}` is undefined")
    }
}

/// What was probably meant by an undefined `post.autor`: the most similar name anywhere in the data.
fn nearest_name(meant: &str, detail: &str, root: &Value) -> Option<String> {
    let quoted = detail.split('`').nth(1).unwrap_or(meant);
    let wanted = quoted.rsplit('.').next().unwrap_or(quoted);
    let mut names = BTreeSet::new();
    collect_names(root, &mut names, 0);
    if let Some(found) = nearest(wanted, names.iter().map(String::as_str)) {
        return Some(found);
    }
    let top: Vec<_> = root.try_iter().ok()?.map(|key| format!("`{key}`")).collect();
    (!top.is_empty()).then(|| format!("the data here has {}", top.join(", ")))
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>, depth: usize) {
    if depth > 6 {
        return;
    }
    match value.kind() {
        ValueKind::Map => {
            for key in value.try_iter().into_iter().flatten() {
                names.insert(key.to_string());
                if let Ok(inner) = value.get_item(&key) {
                    collect_names(&inner, names, depth + 1);
                }
            }
        }
        ValueKind::Seq => {
            if let Ok(first) = value.get_item_by_index(0) {
                collect_names(&first, names, depth + 1);
            }
        }
        _ => {}
    }
}

/// `did you mean …` for the most similar of `known`, if any is similar at all.
pub(super) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, name)| *distance * 3 <= wanted.len().max(name.len()))
        .min();
    near.map(|(_, name)| format!("did you mean `{name}`?"))
}

/// The name in MiniJinja's `filter NAME is unknown`.
fn unknown_filter(detail: &str) -> String {
    detail.split_whitespace().nth(1).unwrap_or(detail).to_owned()
}
