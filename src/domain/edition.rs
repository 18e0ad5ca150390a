//! Editions: where a mailing stands as a whole.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownWord;

/// Where an edition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditionState {
    /// Frozen, and on its way to whom it is released to.
    Sealed,
    /// Nothing more is handed over until it is resumed; its content may be corrected.
    Paused,
    /// Every delivery is final.
    Finished,
    /// Whoever had not got it will not.
    Cancelled,
}

impl EditionState {
    pub const ALL: [Self; 4] = [Self::Sealed, Self::Paused, Self::Finished, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether an edition may go from this state to `next` in one write. Triggers in the database say the same, and a test
    /// holds them to it.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Sealed => matches!(next, Self::Paused | Self::Finished | Self::Cancelled),
            // `finished` when what was in flight at the pause was all that was left.
            Self::Paused => matches!(next, Self::Sealed | Self::Finished | Self::Cancelled),
            // A person tries one of its deliveries again.
            Self::Finished => matches!(next, Self::Sealed),
            Self::Cancelled => false,
        }
    }
}

impl FromStr for EditionState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "the states of an edition"))
    }
}
