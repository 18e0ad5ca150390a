//! What subscribers ask a `WebSub` hub for (W3C Recommendation of 2018). Pure.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::UnknownWord;

/// How long a subscription lasts where nobody asks for a time.
const USUAL_LEASE: SignedDuration = SignedDuration::from_hours(10 * 24);
const SHORTEST_LEASE: SignedDuration = SignedDuration::from_hours(1);
const LONGEST_LEASE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is to become of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubMode {
    Subscribe,
    Unsubscribe,
    /// Nobody asks for this: the hub says that there is nothing to subscribe to any more (section 5.2).
    Denied,
}

impl HubMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Denied => "denied",
        }
    }
}

impl fmt::Display for HubMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for HubMode {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "subscribe" => Ok(Self::Subscribe),
            "unsubscribe" => Ok(Self::Unsubscribe),
            "denied" => Ok(Self::Denied),
            _ => Err(UnknownWord(word.to_owned(), "subscribe, unsubscribe or denied")),
        }
    }
}

/// How long a subscription lasts for which `seconds` were asked: hubs decide (section 5.1).
pub fn lease(seconds: Option<u64>) -> SignedDuration {
    let asked = seconds.map(|it| SignedDuration::from_secs(i64::try_from(it).unwrap_or(i64::MAX)));
    asked.map_or(USUAL_LEASE, |it| it.clamp(SHORTEST_LEASE, LONGEST_LEASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_as_long_as_asked_for_within_reason() {
        assert_eq!(lease(None), SignedDuration::from_hours(240));
        assert_eq!(lease(Some(86_400)), SignedDuration::from_hours(24));
        assert_eq!(lease(Some(0)), SignedDuration::from_hours(1));
        assert_eq!(lease(Some(u64::MAX)), SignedDuration::from_hours(720));
    }
}
