//! JSON front matter: an object with its braces, or Hexo's without them.

use std::ops::Range;

use serde_json::Value as Json;

use super::value::{Entry, Node, Value};
use crate::content::report::Problem;

/// Parses the object that `text[from..]` begins with, and says where it ends.
pub(super) fn parse_leading(text: &str, from: usize) -> Result<(Vec<Entry>, usize), Problem> {
    let mut stream = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Json>();
    let value = match stream.next() {
        Some(Ok(value)) => value,
        Some(Err(error)) => return Err(syntax(text, from, &error)),
        None => return Ok((Vec::new(), from)),
    };
    let end = from + stream.byte_offset();
    Ok((entries(text, from..end, value), end))
}

/// Parses `text[block]`: one object, its braces optional.
pub(super) fn parse(text: &str, block: Range<usize>) -> Result<Vec<Entry>, Problem> {
    let source = &text[block.clone()];
    if source.trim_start().starts_with('{') {
        return match serde_json::from_str(source) {
            Ok(value) => Ok(entries(text, block, value)),
            Err(error) => Err(syntax(text, block.start, &error)),
        };
    }
    let braced = format!("{{{}}}", source.trim_end().trim_end_matches(','));
    match serde_json::from_str(&braced) {
        Ok(value) => Ok(entries(text, block, value)),
        // The added brace moved the columns of the first line by one: no more than a blemish.
        Err(error) => Err(syntax(text, block.start, &error)),
    }
}

fn syntax(text: &str, from: usize, error: &serde_json::Error) -> Problem {
    let line_start = text[from..]
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let at = (from + line_start + error.column().saturating_sub(1)).min(text.len());
    let at = text.floor_char_boundary(at);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    Problem::new("front-matter-json", format!("the JSON front matter is broken: {message}"))
        .at(at..at)
        .help("keys and text are in double quotes, entries are separated by commas, with none after the last")
}

fn entries(text: &str, block: Range<usize>, value: Json) -> Vec<Entry> {
    match node(text, &block, value).value {
        Value::Map(entries) => entries,
        Value::Null | Value::Text(_) | Value::List(_) => Vec::new(),
    }
}

/// `serde_json` gives no places: a value is said to be where its key is, and what has no key where the block is.
fn node(text: &str, span: &Range<usize>, value: Json) -> Node {
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Text(yes.to_string()),
        Json::Number(number) => Value::Text(number.to_string()),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => {
            Value::List(items.into_iter().map(|item| node(text, span, item)).collect())
        }
        Json::Object(map) => {
            let entry = |(key, value): (String, Json)| {
                let key_span = place(text, span, &key);
                let node = node(text, &key_span, value);
                Entry { key, key_span, node }
            };
            Value::Map(map.into_iter().map(entry).collect())
        }
    };
    Node { value, span: span.clone() }
}

/// Where `"key"` stands in the block, as far as it was written without escapes.
fn place(text: &str, block: &Range<usize>, key: &str) -> Range<usize> {
    let quoted = format!("\"{key}\"");
    let found = text[block.clone()].match_indices(&quoted).find(|(at, _)| {
        let after = &text[block.start + at + quoted.len()..];
        after.trim_start().starts_with(':')
    });
    match found {
        Some((at, _)) => block.start + at..block.start + at + quoted.len(),
        None => block.clone(),
    }
}
