//! Segments: who of all subscribers is meant, as an expression over what is known of them.
//!
//! `"vip" in tags and attributes.city == "Kiel" and signed_up >= "2026-01-01"`. The grammar is that of the templates' expressions;
//! what comes out is a small tree of conditions, which the store turns into a condition of its own. Nothing of the text ever becomes
//! part of a statement.

use std::collections::BTreeMap;

use jiff::Timestamp;

mod parse;
#[cfg(test)]
mod tests;

/// An expression that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    text: String,
    condition: Condition,
}

/// What of a subscription is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Email,
    Name,
    Newsletter,
    Cadence,
    /// Of a subscription, or else of its newsletter.
    Language,
    /// The name of the time zone that they chose.
    Timezone,
    Source,
    State,
    /// When they came.
    SignedUp,
    /// When they said yes.
    Confirmed,
    /// For how many days they have been there.
    Days,
    /// A value among the attributes, by the names that lead to it: at least one.
    Attribute(Vec<String>),
}

/// A list that something may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collection {
    Tags,
    /// Who chose none has all of them.
    Topics,
    Attribute(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a subject is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Text(String),
    Number(f64),
    Truth(bool),
    Moment(Timestamp),
}

/// What must be true of a subscription. What is not known of somebody is equal to nothing, and less or more than nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Subject, Comparison, Operand),
    /// One of these.
    OneOf(Subject, Vec<Operand>),
    /// The text has this in it.
    Contains(Subject, String),
    Has(Collection, String),
    /// There is such an attribute.
    IsKnown(Vec<String>),
}

/// Why an expression cannot be understood, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SegmentError {
    pub message: String,
    /// Both count from 1.
    pub line: usize,
    pub column: usize,
    /// Which bytes of the expression are meant.
    pub span: std::ops::Range<usize>,
}

/// Segments that others may name.
pub type Segments = BTreeMap<String, Segment>;

impl Segment {
    /// Reads an expression; a word that is in `known` stands for that segment.
    pub fn parse(text: &str, known: &Segments) -> Result<Self, SegmentError> {
        let condition = parse::condition(text, known)?;
        Ok(Self { text: text.to_owned(), condition })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn condition(&self) -> &Condition {
        &self.condition
    }
}

/// Words that mean something in an expression: no segment may be called so.
pub fn is_segment_word(name: &str) -> bool {
    parse::subject_of(name).is_some()
        || [
            "tags",
            "topics",
            "attributes",
            "true",
            "false",
            "none",
            "and",
            "or",
            "not",
            "in",
            "is",
            "if",
            "else",
        ]
        .contains(&name)
}
