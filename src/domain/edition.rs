//! Editions: which posts one mailing carries, and where it stands.

use serde::{Deserialize, Serialize};

use super::Cadence;

/// Where an edition stands. `Finished` means that every delivery has a final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditionState {
    Sealed,
    Finished,
    Cancelled,
}

impl EditionState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What an edition selects: the posts that this cadence of this newsletter has not carried yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selection {
    pub newsletter: String,
    pub cadence: Cadence,
}
