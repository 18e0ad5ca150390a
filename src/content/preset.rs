//! What a folder says for the posts in it that don't say: front matter that stands elsewhere.

use super::fields::{EXTRA, Keyed, OURS, children, keyed};
use super::front_matter::{Entry, Node, Value};

/// Front matter for many posts, made ready once for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preset {
    pub(super) top: Keyed,
    /// What stands in its `postrider` map.
    pub(super) ours: Keyed,
    /// What stands in Zola's `[extra]` and Hugo's `[params]`.
    pub(super) extra: Keyed,
}

impl Preset {
    /// From a table of keys and values. Nothing but a table says anything.
    pub fn of(table: &serde_json::Value) -> Self {
        match node(table).value {
            Value::Map(entries) => Self::of_entries(entries),
            Value::Null | Value::Text(_) | Value::List(_) => Self::default(),
        }
    }

    pub(super) fn of_entries(entries: Vec<Entry>) -> Self {
        let top = keyed(entries);
        let within = |wanted: &[&str]| {
            let maps = top.iter().filter(|(key, _)| wanted.contains(&key.as_str()));
            maps.flat_map(|(_, entry)| keyed(children(&entry.node).to_vec())).collect()
        };
        Self { ours: within(&[OURS]), extra: within(&EXTRA), top }
    }

    pub fn is_empty(&self) -> bool {
        self.top.is_empty()
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
