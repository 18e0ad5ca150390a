//! What a subscriber chose for one newsletter: how often, when by their own clock, of what, in which language.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Cadence, Schedule};

/// A subscriber's choice. `None` is what the newsletter has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub cadence: Cadence,
    pub topics: Topics,
    /// BCP 47 tag, of those that the newsletter offers.
    pub language: Option<String>,
    /// IANA name of a time zone.
    pub timezone: Option<String>,
    /// When digests come, by their own clock.
    pub send_time: Option<SendTime>,
}

impl Choice {
    /// This cadence, and the newsletter's for everything else.
    pub fn of(cadence: Cadence) -> Self {
        let (topics, language, timezone, send_time) = Default::default();
        Self { cadence, topics, language, timezone, send_time }
    }

    /// When their digests fall due. None: nothing falls due, each post comes by itself.
    pub fn slot(&self) -> Option<Slot> {
        (self.cadence != Cadence::Instant).then(|| Slot {
            cadence: self.cadence,
            timezone: self.timezone.clone(),
            send_time: self.send_time,
        })
    }
}

/// The topics that somebody wants to read of, in the words of the configuration. None: of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topics(BTreeSet<String>);

impl Topics {
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn contains(&self, topic: &str) -> bool {
        self.0.contains(topic)
    }

    /// Whether a post of these topics is for them.
    pub fn want<'a>(&self, topics: impl IntoIterator<Item = &'a str>) -> bool {
        self.0.is_empty() || topics.into_iter().any(|topic| self.0.contains(topic))
    }
}

impl<T: Into<String>> FromIterator<T> for Topics {
    fn from_iter<I: IntoIterator<Item = T>>(topics: I) -> Self {
        Self(topics.into_iter().map(Into::into).collect())
    }
}

/// A full hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SendTime(u8);

/// Not a full hour.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no full hour: write `07:00`")]
pub struct SendTimeError(String);

impl SendTime {
    pub const ALL: [Self; 24] = {
        let mut all = [Self(0); 24];
        let mut hour = 0;
        while hour < 24 {
            all[hour as usize] = Self(hour);
            hour += 1;
        }
        all
    };

    pub fn hour(self) -> u8 {
        self.0
    }
}

impl fmt::Display for SendTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:00", self.0)
    }
}

impl FromStr for SendTime {
    type Err = SendTimeError;

    /// `07:00`, `7:00` or `7`.
    fn from_str(text: &str) -> Result<Self, SendTimeError> {
        let refused = || SendTimeError(text.to_owned());
        let hour = text.strip_suffix(":00").unwrap_or(text);
        if hour.len() > 2 || !hour.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused());
        }
        let hour: u8 = hour.parse().map_err(|_| refused())?;
        if hour < 24 { Ok(Self(hour)) } else { Err(refused()) }
    }
}

impl TryFrom<String> for SendTime {
    type Error = SendTimeError;

    fn try_from(text: String) -> Result<Self, SendTimeError> {
        text.parse()
    }
}

impl From<SendTime> for String {
    fn from(time: SendTime) -> Self {
        time.to_string()
    }
}

/// Everybody whose digests of a cadence fall due together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Slot {
    pub cadence: Cadence,
    pub timezone: Option<String>,
    pub send_time: Option<SendTime>,
}

impl Slot {
    /// The newsletter's `schedule` by their clock. A zone that is not known any more is as none.
    pub fn schedule(&self, schedule: &Schedule) -> Schedule {
        let zone = self.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        schedule.by_the_clock_of(zone, self.send_time.map(SendTime::hour))
    }

    /// Whether it is the newsletter's own time.
    pub fn is_the_newsletters(&self) -> bool {
        self.timezone.is_none() && self.send_time.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_send_time_is_a_full_hour() {
        for good in ["07:00", "7:00", "7", "07"] {
            assert_eq!(good.parse(), Ok(SendTime(7)), "{good}");
        }
        for bad in ["", "24:00", "7:30", "-1", "+7", "070", "seven", "７"] {
            assert!(bad.parse::<SendTime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_topics_are_all_topics() {
        assert!(Topics::default().want([]));
        let some: Topics = ["making", "looking"].into_iter().collect();
        assert!(some.want(["other", "looking"]));
        assert!(!some.want(["other"]) && !some.want([]));
    }

    proptest! {
        #[test]
        fn a_send_time_reads_what_it_writes(hour in 0_u8..24) {
            let time = SendTime(hour);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
