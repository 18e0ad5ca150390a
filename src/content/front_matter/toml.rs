//! TOML front matter. The parser recovers, so that all of its errors are told at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{Entry, Node, Value};
use crate::content::report::Problem;

/// More errors than anybody reads.
const MAX_ERRORS: usize = 10;

/// Parses `text[block]`; spans count in `text`.
pub(super) fn parse(text: &str, block: Range<usize>) -> Result<Vec<Entry>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(&text[block.clone()]);
    if errors.is_empty() {
        return Ok(entries(table.into_inner(), block.start));
    }
    let problem = |error: toml::de::Error| {
        let span = error.span().unwrap_or_default();
        let (code, help) = if error.message().starts_with("duplicate key") {
            ("front-matter-duplicate-key", "delete one of the two")
        } else {
            (
                "front-matter-toml",
                "each line is `key = value`; text is in quotes, dates are not: date = 2024-01-15",
            )
        };
        Problem::new(code, format!("the TOML front matter is broken: {}", error.message()))
            .at(span.start + block.start..span.end + block.start)
            .help(help)
    };
    Err(errors.into_iter().take(MAX_ERRORS).map(problem).collect())
}

fn entries(table: DeTable<'_>, base: usize) -> Vec<Entry> {
    let moved = |span: Range<usize>| span.start + base..span.end + base;
    table
        .into_iter()
        .map(|(key, value)| Entry {
            key_span: moved(key.span()),
            key: key.into_inner().into_owned(),
            node: node(value, base),
        })
        .collect()
}

fn node(value: Spanned<DeValue<'_>>, base: usize) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Text(number.to_string()),
        DeValue::Float(number) => Value::Text(number.to_string()),
        DeValue::Boolean(yes) => Value::Text(yes.to_string()),
        DeValue::Datetime(at) => Value::Text(at.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item.clone(), base)).collect())
        }
        DeValue::Table(table) => Value::Map(entries(table, base)),
    };
    Node { value, span: span.start + base..span.end + base }
}
