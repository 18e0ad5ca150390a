//! Front matter as one tree, whatever it was written in, with the place of each part in the file.

use std::ops::Range;

/// A value and the bytes of the file it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::content) struct Node {
    pub(in crate::content) value: Value,
    pub(in crate::content) span: Range<usize>,
}

/// Scalars keep the text they were written as: `title: 2024` is the title `2024`, and `1.10` does not become `1.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::content) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::content) struct Entry {
    pub(in crate::content) key: String,
    pub(in crate::content) key_span: Range<usize>,
    pub(in crate::content) node: Node,
}

impl Node {
    pub(in crate::content) fn text(text: impl Into<String>, span: Range<usize>) -> Self {
        Self { value: Value::Text(text.into()), span }
    }

    /// Null, blank text, or a list or map without entries.
    pub(in crate::content) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(items) => items.iter().all(Self::is_empty),
            Value::Map(entries) => entries.is_empty(),
        }
    }

    /// The text of a scalar, trimmed.
    pub(in crate::content) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.trim()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Yes and no in the spellings of YAML 1.1, TOML and JSON.
    pub(in crate::content) fn as_bool(&self) -> Option<bool> {
        match self.as_text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" => Some(true),
            "false" | "no" | "off" | "0" | "n" => Some(false),
            _ => None,
        }
    }

    /// The nodes in here, itself included.
    pub(in crate::content) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => items.iter().map(Self::count).sum(),
            Value::Map(entries) => entries.iter().map(|entry| 1 + entry.node.count()).sum(),
        }
    }
}
