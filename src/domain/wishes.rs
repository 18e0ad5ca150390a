//! What the author of a post wishes of each channel. Front matter is the control panel; releases and schedules come on top.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cadence, Channel};

/// The key of `Wishes::texts` that speaks for every destination without a text of its own.
pub const SOCIAL: &str = "social";

/// How a post may be mailed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailWish {
    /// To everybody, each as they chose.
    #[default]
    Normal,
    /// To nobody.
    Skip,
    /// Only as a mail of its own.
    Instant,
    /// Only in digests.
    Digest,
}

/// What those are to be told who had the post already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    #[default]
    Nothing,
    /// That the post was corrected, and perhaps what was wrong.
    Correction(Option<String>),
}

/// What the author wishes of each channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    pub email: EmailWish,
    /// `None`: everywhere; names: only there; an empty list: nowhere.
    pub crosspost: Option<Vec<String>>,
    /// What to say of the post, by destination; under `SOCIAL` for all others.
    pub texts: BTreeMap<String, String>,
    /// Of a mail of its own.
    pub subject: Option<String>,
    /// What lists of mails show beside the subject.
    pub preheader: Option<String>,
    /// Mails and cross-posts go out no earlier.
    pub send_at: Option<Timestamp>,
    pub notify: Notify,
}

/// Why a post does not go out on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// `email: skip`.
    NoMail,
    /// `email: instant`, and this is a digest.
    OnlyInstant,
    /// `email: digest`, and this is a mail of its own.
    OnlyDigests,
    /// `crosspost: skip`.
    NoCrosspost,
    /// `crosspost` names other destinations.
    OtherDestinations,
    /// Its readers get, or got, a version of it in another language.
    OtherVersion,
}

impl Wishes {
    /// Nothing out of the ordinary.
    pub const NONE: Self = Self {
        email: EmailWish::Normal,
        crosspost: None,
        texts: BTreeMap::new(),
        subject: None,
        preheader: None,
        send_at: None,
        notify: Notify::Nothing,
    };

    /// Why the post is not to go out on `channel`. `cadence` is that of a newsletter.
    pub fn refuse(&self, channel: &Channel, cadence: Option<Cadence>) -> Option<Refusal> {
        match channel {
            Channel::Feeds => None,
            Channel::Newsletter(_) => {
                let is_instant = cadence == Some(Cadence::Instant);
                match self.email {
                    EmailWish::Skip => Some(Refusal::NoMail),
                    EmailWish::Instant => (!is_instant).then_some(Refusal::OnlyInstant),
                    EmailWish::Digest => is_instant.then_some(Refusal::OnlyDigests),
                    EmailWish::Normal => None,
                }
            }
            Channel::Destination(name) => match self.crosspost.as_deref() {
                None => None,
                Some([]) => Some(Refusal::NoCrosspost),
                Some(names) => (!names.contains(name)).then_some(Refusal::OtherDestinations),
            },
        }
    }

    /// What to say of the post at `destination`, in the author's own words.
    pub fn text_for(&self, destination: &str) -> Option<&str> {
        self.texts.get(destination).or_else(|| self.texts.get(SOCIAL)).map(String::as_str)
    }

    /// Everything in here that readers get to see, each with its name.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = [("subject", &self.subject), ("preheader", &self.preheader)];
        let own = own.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        own.chain(self.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Whether the author wishes nothing out of the ordinary.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }
}

impl Refusal {
    /// The reason, such as a line of front matter.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoMail => "`email: skip`",
            Self::OnlyInstant => "`email: instant`",
            Self::OnlyDigests => "`email: digest`",
            Self::NoCrosspost => "`crosspost: skip`",
            Self::OtherDestinations => "`crosspost` names others",
            Self::OtherVersion => "its version in another language is the one to mail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly() -> Channel {
        Channel::Newsletter("weekly".to_owned())
    }

    fn destination(name: &str) -> Channel {
        Channel::Destination(name.to_owned())
    }

    #[test]
    fn a_wish_about_mail_decides_which_cadences_carry_a_post() {
        let refused =
            |email, cadence| Wishes { email, ..Wishes::default() }.refuse(&weekly(), Some(cadence));
        for cadence in [Cadence::Instant, Cadence::Daily, Cadence::Weekly, Cadence::Monthly] {
            let instant = cadence == Cadence::Instant;
            assert_eq!(refused(EmailWish::Normal, cadence), None);
            assert_eq!(refused(EmailWish::Skip, cadence), Some(Refusal::NoMail));
            assert_eq!(refused(EmailWish::Instant, cadence).is_none(), instant, "{cadence}");
            assert_eq!(refused(EmailWish::Digest, cadence).is_none(), !instant, "{cadence}");
        }
    }

    #[test]
    fn a_wish_about_mail_says_nothing_of_feeds_and_destinations() {
        let silent = Wishes { email: EmailWish::Skip, ..Wishes::default() };
        assert_eq!(silent.refuse(&Channel::Feeds, None), None);
        assert_eq!(silent.refuse(&destination("chat"), None), None);
    }

    #[test]
    fn a_post_is_announced_only_where_its_author_wants_it() {
        let refused = |names: &[&str], at: &str| {
            let crosspost = Some(names.iter().map(ToString::to_string).collect());
            Wishes { crosspost, ..Wishes::default() }.refuse(&destination(at), None)
        };
        assert_eq!(Wishes::default().refuse(&destination("chat"), None), None);
        assert_eq!(refused(&["chat"], "chat"), None);
        assert_eq!(refused(&["chat"], "mastodon"), Some(Refusal::OtherDestinations));
        assert_eq!(refused(&[], "chat"), Some(Refusal::NoCrosspost));
    }

    #[test]
    fn a_destinations_own_text_goes_before_the_general_one() {
        let texts = [("social", "All"), ("mastodon", "Toot")];
        let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let wishes = Wishes { texts, ..Wishes::default() };
        assert_eq!(wishes.text_for("mastodon"), Some("Toot"));
        assert_eq!(wishes.text_for("chat"), Some("All"));
        assert_eq!(Wishes::default().text_for("chat"), None);
    }
}
