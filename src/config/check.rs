//! Holds a parsed file against its schema: unknown keys, wrong types, missing keys, words that are none of ours.
//!
//! What is refused is taken out, so that the rest can still be understood and judged.

use toml::Value;

use super::report::{Report, display};
use super::schema::{self, Kind, Schema};
use super::values::nearest;
use crate::domain::Diagnostic;

/// Checks `table`, which stands at `path`, and takes out of it what does not fit.
pub(super) fn check(table: &mut toml::Table, schema: &Schema, path: &str, report: &mut Report) {
    let missing: Vec<&str> =
        schema::required(schema).filter(|name| !table.contains_key(*name)).collect();
    for name in missing {
        report_missing(schema, path, name, report);
    }
    table.retain(|name, value| {
        let path = schema::below(path, name);
        let Some(schema) = schema::of_key(schema, name) else {
            report_unknown(schema, &path, name, report);
            return false;
        };
        check_value(value, schema, &path, report)
    });
}

fn report_missing(schema: &Schema, path: &str, name: &str, report: &mut Report) {
    let Some(key) = schema::of_key(schema, name) else { return };
    let help = if schema::kind(key) == Kind::Table {
        let mut keys: Vec<_> = schema::required(key).map(|key| format!("`{key}`")).collect();
        if keys.is_empty() {
            keys = schema::keys(key).map(|key| format!("`{key}`")).collect();
            format!(
                "write a section `[{}]` with one or more of {}",
                schema::below(path, name),
                keys.join(", ")
            )
        } else {
            format!("write a section `[{}]` with {}", schema::below(path, name), keys.join(" and "))
        }
    } else {
        let meaning = schema::text(key, "description").unwrap_or_default();
        let first = meaning.split_terminator(['.', '\n']).next().unwrap_or_default();
        format!("{first}; write {}", schema::expected(key))
    };
    report.missing(path, name, help);
}

fn report_unknown(schema: &Schema, path: &str, name: &str, report: &mut Report) {
    let section = path.rsplit_once('.').map_or("", |(section, _)| section);
    let message = match display(section).as_str() {
        "" => format!("there is no section `{name}`"),
        section => format!("`{section}` has no key `{name}`"),
    };
    let help = if section.is_empty() && ["release", "queue"].contains(&name) {
        "releases and queues stand in `config/releases.toml`".to_owned()
    } else if let Some(near) = nearest(name, schema::keys(schema)) {
        format!("did you mean `{near}`?")
    } else {
        let keys: Vec<_> = schema::keys(schema).map(|key| format!("`{key}`")).collect();
        format!("known are {}", keys.join(", "))
    };
    report.add_at_name(path, Diagnostic::error("unknown-key", message).help(help));
}

/// Checks one value. False: it cannot be used.
fn check_value(value: &mut Value, schema: &Schema, path: &str, report: &mut Report) -> bool {
    if let (Kind::Moment, Value::Datetime(moment)) = (schema::kind(schema), &*value) {
        *value = Value::String(moment.to_string());
        return true;
    }
    if let (Some("words"), Value::String(word)) = (schema::text(schema, "x-kind"), &*value) {
        *value = Value::Array(vec![Value::String(word.clone())]);
    }
    match (schema::kind(schema), value) {
        (Kind::Table, Value::Table(table)) => {
            check(table, schema, path, report);
            true
        }
        (Kind::List, Value::Array(items)) => check_items(items, schema, path, report),
        (Kind::Integer, Value::Integer(number)) => check_range(*number, schema, path, report),
        (Kind::Text | Kind::Moment, Value::String(text)) => check_word(text, schema, path, report),
        (Kind::Boolean, Value::Boolean(_)) => true,
        (_, value) => {
            report.add(path, wrong_type(value, schema, path));
            false
        }
    }
}

/// A list with one bad item is not used at all: dropping the item would move the others.
fn check_items(items: &mut [Value], schema: &Schema, path: &str, report: &mut Report) -> bool {
    let Some(schema) = schema::of_items(schema) else { return true };
    let mut good = true;
    for (index, item) in items.iter_mut().enumerate() {
        good &= check_value(item, schema, &schema::below(path, &index.to_string()), report);
    }
    good
}

fn check_range(number: i64, schema: &Schema, path: &str, report: &mut Report) -> bool {
    let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
    if (least..=most).contains(&number) {
        return true;
    }
    let message = format!("`{}` must be {}", display(path), schema::expected(schema));
    report.add(path, Diagnostic::error("invalid-value", message));
    false
}

fn check_word(word: &str, schema: &Schema, path: &str, report: &mut Report) -> bool {
    let words = schema::words(schema);
    if words.is_empty() || words.iter().any(|(known, _)| *known == word) {
        return true;
    }
    let message = format!("`{}` cannot be `{word}`", display(path));
    let near = nearest(word, words.iter().map(|(known, _)| *known));
    let help = match near {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        None => format!("write {}", schema::expected(schema)),
    };
    report.add(path, Diagnostic::error("unknown-word", message).help(help));
    false
}

fn wrong_type(value: &Value, schema: &Schema, path: &str) -> Diagnostic {
    let found = match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "`true` or `false`",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    };
    let message = format!("`{}` must be {}, not {found}", display(path), schema::expected(schema));
    let diagnostic = Diagnostic::error("wrong-type", message);
    let secret = schema::is_secret(schema);
    match (schema::text(schema, "x-help"), schema::kind(schema), value) {
        (Some(help), _, _) => diagnostic.help(help),
        (None, Kind::Integer | Kind::Boolean, Value::String(text))
            if text.parse::<i64>().is_ok() || text.parse::<bool>().is_ok() =>
        {
            diagnostic.help(format!("without the quotes: `{text}`"))
        }
        (None, Kind::Text, Value::Integer(number)) if !secret => {
            match schema::text(schema, "x-kind") {
                Some("duration") => {
                    diagnostic.help(format!("give the unit: `\"{number}s\"` or `\"{number}m\"`"))
                }
                _ => diagnostic.help(format!("in quotes: `\"{number}\"`")),
            }
        }
        (None, Kind::List, Value::String(_)) => diagnostic.help("put it in brackets: `[\"…\"]`"),
        (None, Kind::List, Value::Table(_)) => {
            let last = path.rsplit('.').next().unwrap_or(path);
            diagnostic.help(format!("double brackets: `[[{last}]]`"))
        }
        _ => diagnostic,
    }
}
