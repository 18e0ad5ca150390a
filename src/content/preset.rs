//! What a folder says for the posts in it that don't say: front matter that stands elsewhere.

use super::front_matter::{Entry, Node, Value};

/// Front matter for many posts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preset {
    entries: Vec<Entry>,
}

impl Preset {
    /// From a table of keys and values. Nothing but a table says anything.
    pub fn of(table: &serde_json::Value) -> Self {
        match node(table).value {
            Value::Map(entries) => Self { entries },
            Value::Null | Value::Text(_) | Value::List(_) => Self::default(),
        }
    }

    pub(super) fn of_entries(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Without a place: it does not stand in the post's file.
fn node(value: &serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Text(yes.to_string()),
        Json::Number(number) => Value::Text(number.to_string()),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(node).collect()),
        Json::Object(map) => Value::Map(
            map.iter()
                .map(|(key, value)| Entry { key: key.clone(), key_span: 0..0, node: node(value) })
                .collect(),
        ),
    };
    Node { value, span: 0..0 }
}
