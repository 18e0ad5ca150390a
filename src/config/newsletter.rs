//! Newsletters, as they were understood.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::{Mailbox, SignupQuestions};
use crate::domain::{Cadence, MissedRuns, Post, RetryPolicy, Schedule, Segment, SendWindow};

/// `[newsletters.NAME]`.
#[derive(Clone, Debug)]
pub struct Newsletter {
    pub name: String,
    pub title: String,
    pub description: String,
    /// BCP 47 tag: of posts that are there in several languages, its subscribers get the version in this one.
    pub language: String,
    /// Others that subscribers may read it in: BCP 47 tags.
    pub languages: Vec<String>,
    /// Whether subscribers get only posts in their language, rather than also those that are in no language of theirs.
    pub only_in_language: bool,
    /// What subscribers may choose from; empty: there is nothing to choose.
    pub topics: BTreeMap<String, Topic>,
    /// What newcomers get, one after the other.
    pub welcome: Vec<WelcomeStep>,
    /// Who of its subscribers gets it. None: all.
    pub audience: Option<Segment>,
    pub questions: SignupQuestions,
    /// What it offers; `None` for `instant`, which has no schedule.
    pub cadences: BTreeMap<Cadence, Option<Schedule>>,
    pub default_cadence: Cadence,
    pub missed_runs: MissedRuns,
    /// Sender of this newsletter, else `mail.from`.
    pub from: Option<Mailbox>,
    /// Which of `mail.servers` carry it: at least one.
    pub servers: Vec<String>,
    pub send_window: Option<SendWindow>,
    /// `mail.retry` with this newsletter's own wishes.
    pub retry: RetryPolicy,
    /// Where answers go, else `mail.reply_to`.
    pub reply_to: Option<Mailbox>,
    /// Whether images from post bundles travel inside the mail.
    pub inline_images: bool,
}

/// `[[newsletters.NAME.welcome]]`: a mail to newcomers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeStep {
    /// Since the one before, or since they were confirmed.
    pub after: SignedDuration,
    pub mail: WelcomeMail,
}

/// What a mail to newcomers is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WelcomeMail {
    /// A post: slug, source path or id.
    Post(String),
    /// Templates by themselves: the folder `mail/welcome/NAME/`.
    Template(String),
}

/// `[newsletters.NAME.topics.NAME]`: something that subscribers may choose to read of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// For people.
    pub title: String,
    /// The topics, tags or categories that make a post one of it, in lower case.
    pub terms: Vec<String>,
}

impl Newsletter {
    /// The names of its topics that `post` is of.
    pub fn topics_of(&self, post: &Post) -> Vec<String> {
        let own = post.topics().iter().chain(&post.categories);
        let own: Vec<String> = own.map(|term| term.to_lowercase()).collect();
        let of = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.terms.iter().any(|term| own.contains(term)));
        of.map(|(name, _)| name.clone()).collect()
    }

    /// The languages that its subscribers may read it in, its own first.
    pub fn offered_languages(&self) -> impl Iterator<Item = &str> {
        let others = self.languages.iter().filter(|language| **language != self.language);
        std::iter::once(&self.language).chain(others).map(String::as_str)
    }

    /// The zone of its schedules. None: it has none, as it is sent post by post only.
    pub fn zone(&self) -> Option<&TimeZone> {
        self.cadences.values().flatten().next().map(Schedule::zone)
    }

    /// `mail:NAME`: what its mail is called where deliveries wait. Which server carries one is decided when it goes.
    pub fn mail_channel(&self) -> String {
        format!("mail:{}", self.name)
    }
}
