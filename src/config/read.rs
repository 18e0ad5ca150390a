//! Parses one TOML file into a plain tree, and notes where each key stands.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::mask::masked;
use super::origins::{Origin, Origins, Place, Spot};
use super::schema::{self, Schema};
use crate::domain::{Diagnostic, Position};

/// A file and what is in it.
pub(super) struct Source {
    /// Relative to the project folder, with `/`.
    pub name: String,
    pub text: String,
}

/// What a file says, as far as it could be understood.
pub(super) struct Parsed {
    pub table: toml::Table,
    pub syntax: Vec<Diagnostic>,
    /// A bracket or quote that was never closed: what follows the first syntax error means nothing.
    pub derailed: bool,
}

/// Parses `source`; syntax errors are collected, everything else is still read. The keys go into `origins` below `prefix`.
pub(super) fn parse(
    source: &Source,
    schema: &Schema,
    prefix: &str,
    origins: &mut Origins,
) -> Parsed {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    let mut collector = Collector {
        text: &source.text,
        found: Vec::new(),
        secrets: Vec::new(),
        errors: Vec::new(),
    };
    let table = collector.table(prefix, document.get_ref(), Some(schema));
    let pages = Pages { source, lines: masked(&source.text, &collector.secrets) };
    origins.insert(
        prefix,
        Origin {
            key: Place::File(Spot::whole(&source.name)),
            value: Place::File(Spot::whole(&source.name)),
        },
    );
    for found in collector.found {
        let key = Place::File(pages.spot(found.key, false));
        let value = Place::File(pages.spot(found.value, found.verbatim));
        origins.insert(found.path, Origin { key, value });
    }
    let mut syntax: Vec<(Range<usize>, String)> = errors
        .iter()
        .map(|error| (error.span().unwrap_or_default(), error.message().to_owned()))
        .chain(collector.errors)
        .collect();
    syntax.sort_by_key(|(span, _)| span.start);
    let (syntax, derailed) = pages.syntax(&syntax);
    Parsed { table, syntax, derailed }
}

/// A key that was found.
struct Found {
    path: String,
    key: Range<usize>,
    value: Range<usize>,
    verbatim: bool,
}

struct Collector<'a> {
    text: &'a str,
    found: Vec<Found>,
    secrets: Vec<Range<usize>>,
    errors: Vec<(Range<usize>, String)>,
}

impl Collector<'_> {
    fn table(&mut self, path: &str, table: &DeTable<'_>, schema: Option<&Schema>) -> toml::Table {
        table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let path = schema::below(path, &name);
                let schema = schema.and_then(|schema| schema::of_key(schema, &name));
                self.note(path.clone(), key.span(), value);
                (name, self.value(&path, value, schema))
            })
            .collect()
    }

    fn value(
        &mut self,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        schema: Option<&Schema>,
    ) -> toml::Value {
        if schema.is_some_and(schema::is_secret) {
            self.secrets.push(value.span());
        }
        match value.get_ref() {
            DeValue::String(text) => toml::Value::String(text.to_string()),
            DeValue::Integer(number) => self.integer(number, value.span()),
            DeValue::Float(number) => {
                toml::Value::Float(number.as_str().parse().unwrap_or(f64::NAN))
            }
            DeValue::Boolean(yes) => toml::Value::Boolean(*yes),
            DeValue::Datetime(moment) => toml::Value::Datetime(*moment),
            DeValue::Array(items) => {
                let schema = schema.and_then(schema::of_items);
                let item = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
                    let path = schema::below(path, &index.to_string());
                    self.note(path.clone(), item.span(), item);
                    self.value(&path, item, schema)
                };
                toml::Value::Array(items.iter().enumerate().map(item).collect())
            }
            DeValue::Table(table) => toml::Value::Table(self.table(path, table, schema)),
        }
    }

    fn integer(&mut self, number: &DeInteger<'_>, span: Range<usize>) -> toml::Value {
        let number = i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_else(|_| {
            self.errors.push((span, "this number is too large".to_owned()));
            0
        });
        toml::Value::Integer(number)
    }

    fn note(&mut self, path: String, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let text = self.text.get(value.span()).unwrap_or_default();
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        let verbatim = value.get_ref().as_str().is_some_and(|value| value == inner);
        self.found.push(Found { path, key, value: value.span(), verbatim });
    }
}

/// A file as it may be shown: secrets blanked.
struct Pages<'a> {
    source: &'a Source,
    lines: Vec<String>,
}

impl Pages<'_> {
    fn spot(&self, span: Range<usize>, verbatim: bool) -> Spot {
        let text = &self.source.text;
        let mut position = Position::of(text, span.start);
        let line_text = self.lines.get(position.line - 1).cloned().unwrap_or_default();
        let meant = text.get(span).and_then(|meant| meant.lines().next()).unwrap_or_default();
        // What was blanked is shorter than what stands in the file, and nobody can point past its end.
        let end = line_text.chars().count() + 1;
        position.column = position.column.min(end);
        let left = end - position.column;
        Spot {
            file: self.source.name.clone(),
            position: Some(position),
            length: meant.trim_end().chars().count().min(left).max(1),
            line_text,
            verbatim,
        }
    }

    /// One error a line is enough, and none behind a bracket that was never closed.
    fn syntax(&self, errors: &[(Range<usize>, String)]) -> (Vec<Diagnostic>, bool) {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for (span, message) in errors {
            let spot = self.spot(span.clone(), false);
            if diagnostics.last().is_some_and(|last| {
                last.position.map(|at| at.line) == spot.position.map(|at| at.line)
            }) {
                continue;
            }
            let (said, help) = self.explained(span, message);
            let mut diagnostic = Diagnostic::error("config-syntax", said);
            diagnostic.help = help.map(str::to_owned);
            diagnostic.file = Some(spot.file);
            diagnostic.position = spot.position;
            diagnostic.length = spot.length;
            diagnostic.line_text = Some(spot.line_text);
            diagnostics.push(diagnostic);
            if message.starts_with("missing comma") || message.starts_with("missing key for inline")
            {
                return (diagnostics, true);
            }
        }
        let derailed = errors.iter().any(|(_, message)| {
            ["unclosed inline table,", "unclosed array,"].iter().any(|it| message.starts_with(it))
        });
        (diagnostics, derailed)
    }

    /// The parser's message in the words of somebody who has not written a parser. Values are never repeated.
    fn explained(&self, span: &Range<usize>, message: &str) -> (String, Option<&'static str>) {
        let quotes = Some("text stands in quotes: `key = \"text\"`");
        let rest = self.source.text.get(span.start..).unwrap_or_default();
        let at_end = rest.is_empty() || rest.starts_with(['\n', '\r']);
        match message.split_once(',').map_or(message, |(what, _)| what) {
            "string values must be quoted" if at_end => ("the value is missing".to_owned(), None),
            "string values must be quoted" => ("this text has no quotes".to_owned(), quotes),
            "invalid boolean" => ("this is neither `true` nor `false` nor text".to_owned(), quotes),
            "invalid basic string" | "invalid literal string" if at_end => {
                ("the quote at the end of this text is missing".to_owned(), None)
            }
            "unclosed table" | "unclosed array table" => {
                ("the bracket at the end of this section's name is missing".to_owned(), None)
            }
            "unclosed inline table" => ("a `{` is never closed".to_owned(), None),
            "unclosed array" => ("a `[` is never closed".to_owned(), None),
            "missing comma between key-value pairs" => (
                "a comma or the closing `}` is missing before this".to_owned(),
                Some("everything behind it was not looked at"),
            ),
            "missing key for inline table element" => (
                "this stands in a `{` that was not closed".to_owned(),
                Some("everything behind it was not looked at"),
            ),
            "duplicate key" => ("this key was already set".to_owned(), None),
            _ => (message.to_owned(), None),
        }
    }
}
