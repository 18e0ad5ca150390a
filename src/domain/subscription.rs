//! Subscriptions: how often somebody wants the mail, and whether they may have it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a subscriber gets mail.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Cadence {
    /// One mail per post, as soon as it is released and settled.
    Instant,
    /// A digest on the newsletter's daily schedule.
    Daily,
    /// A digest on the newsletter's weekly schedule.
    Weekly,
    /// A digest on the newsletter's monthly schedule.
    Monthly,
}

impl Cadence {
    pub const ALL: [Self; 4] = [Self::Instant, Self::Daily, Self::Weekly, Self::Monthly];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Cadence {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|cadence| cadence.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "instant, daily, weekly or monthly"))
    }
}

/// Where a subscription stands. Suppression is a fact about the address, not about one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// Asked for, not confirmed: gets nothing but the confirmation mail.
    Pending,
    Active,
    Unsubscribed,
}

impl SubscriptionState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Active, Self::Unsubscribed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

impl FromStr for SubscriptionState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "pending, active or unsubscribed"))
    }
}

/// A word that is none of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not one of {1}")]
pub struct UnknownWord(pub String, pub &'static str);
