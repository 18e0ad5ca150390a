//! What can go wrong with an audience, in words for the person who asked.

use jiff::SignedDuration;

use super::Mistake;
use crate::domain::{Cadence, Diagnostic};
use crate::store::StoreError;

/// Why a wish could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum AudienceError {
    #[error("there is no newsletter `{name}`; there is {}", list(known))]
    NoSuchNewsletter { name: String, known: Vec<String> },
    #[error("say which newsletter is meant: {}", list(known))]
    WhichNewsletter { known: Vec<String> },
    #[error(transparent)]
    Cadence(#[from] NotOffered),
    /// Of a subscriber: pages tell it in their language.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// Wait so long before the next try.
    #[error("this was tried too often")]
    TooOften(SignedDuration),
    #[error("the confirmation mail cannot be written: {0}")]
    Letter(Box<Diagnostic>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A cadence that a newsletter does not have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{newsletter}` is not offered as `{cadence}`; it is as {}", cadences(offered))]
pub struct NotOffered {
    pub newsletter: String,
    pub cadence: String,
    pub offered: Vec<Cadence>,
}

/// Why an import stopped. What was committed before stays; importing the file again changes nothing twice.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "an import makes everybody in the file an active subscriber, without asking them; say `--confirmed` \
         if they all agreed to get this newsletter"
    )]
    NotConfirmed,
    #[error("the file has no column `email` or `address`; its first line has {}", list(found))]
    NoAddressColumn { found: Vec<String> },
    #[error(
        "the row after line {after} is longer than 4 MB; is there a quotation mark that is never closed? Mend it and \
         import the file again: nothing is done twice"
    )]
    RowTooLong { after: u64 },
    #[error("the file is empty")]
    Empty,
    #[error("cannot read the file")]
    Read(#[from] csv::Error),
    #[error(transparent)]
    Audience(#[from] AudienceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot write the export")]
    Write(#[from] std::io::Error),
    #[error("cannot write the export as CSV")]
    Csv(#[from] csv::Error),
    #[error("cannot write the export as JSON")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Audience(#[from] AudienceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn cadences(cadences: &[Cadence]) -> String {
    list(&cadences.iter().map(ToString::to_string).collect::<Vec<_>>())
}
