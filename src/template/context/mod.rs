//! What templates get to see: one type a family of templates, with samples that `check` renders.
//!
//! Every field is always there, `none` where there is nothing, so that strict mode catches slips and nothing else. Times
//! carry the site's zone; templates show them through the `date` filter.

use minijinja::value::{Serde, Value};
use serde::Serialize;

mod archive;
mod crosspost;
mod mail;
mod outbox;
mod page;
mod preferences;
mod samples;
mod status;
mod subscribe;

pub use archive::{
    FeedLink, FeedPage, ListLink, PostPage, PostRow, PostsPage, RecordingContext, SeriesContext,
    VersionLink,
};
pub use crosspost::{CrosspostContext, CrosspostData, CrosspostEvent};
pub use mail::{
    AddressContext, AuthorContext, ConfirmContext, CorrectionContext, DigestContext, EditionFrame,
    LetterFrame, MovedContext, NewsletterContext, PostContext, SingleContext, SiteContext,
    WelcomeContext,
};
pub use outbox::{CallRow, Header, MailRow, OutboxCallPage, OutboxMailPage, OutboxPage};
pub use page::{
    AddressPage, CadenceChoice, ConfirmPage, ConfirmedPage, DeletePage, ErrorPage, IndexPage, Link,
    SubscribeDonePage, UnsubscribePage, UnsubscribedPage,
};
pub use preferences::{OtherNewsletter, PreferencesPage};
pub use status::{
    CadenceRow, DestinationRow, EditionRow, EventRow, FeedRow, NewsletterRow, ProblemRow, PushRow,
    QueueRow, ReaderRow, StateCount, StatusPage,
};
pub use subscribe::{
    CaptchaContext, MistakeContext, QuestionContext, SubscribeEmbedPage, SubscribePage,
};

/// The data of a family of templates.
pub trait Context: Serialize + Sized {
    /// The templates that get it: whole names, or beginnings of names.
    const TEMPLATES: &'static [&'static str];

    /// A name and a value each; among them the odd ones that a template must survive.
    fn samples() -> Vec<(&'static str, Self)>;
}

/// A `Context` with its type forgotten.
pub(super) struct Family {
    templates: &'static [&'static str],
    pub(super) samples: Vec<(&'static str, Value)>,
}

impl Family {
    fn of<C: Context>() -> Self {
        let samples = C::samples();
        Self {
            templates: C::TEMPLATES,
            samples: samples.iter().map(|(name, one)| (*name, Value::from(Serde(one)))).collect(),
        }
    }

    pub(super) fn claims(&self, name: &str) -> bool {
        self.templates.iter().any(|prefix| match prefix.strip_suffix('/') {
            // `mail/digest/` has three templates; whatever else lies there is a part that these include.
            Some(_) => name.strip_prefix(prefix).is_some_and(|rest| self.is_root(rest)),
            None => name == *prefix,
        })
    }

    fn is_root(&self, rest: &str) -> bool {
        // Each of the welcome mails has a name.
        let rest = if self.templates == WelcomeContext::TEMPLATES {
            rest.split_once('/').map_or("", |(_, rest)| rest)
        } else {
            rest
        };
        self.templates == CrosspostContext::TEMPLATES
            || ["subject.txt", "body.txt", "body.html"].contains(&rest)
    }
}

/// Every context there is.
pub(super) fn families() -> Vec<Family> {
    vec![
        Family::of::<DigestContext>(),
        Family::of::<SingleContext>(),
        Family::of::<CorrectionContext>(),
        Family::of::<ConfirmContext>(),
        Family::of::<AddressContext>(),
        Family::of::<MovedContext>(),
        Family::of::<WelcomeContext>(),
        Family::of::<CrosspostContext>(),
        Family::of::<IndexPage>(),
        Family::of::<SubscribePage>(),
        Family::of::<SubscribeEmbedPage>(),
        Family::of::<SubscribeDonePage>(),
        Family::of::<ConfirmPage>(),
        Family::of::<ConfirmedPage>(),
        Family::of::<UnsubscribePage>(),
        Family::of::<UnsubscribedPage>(),
        Family::of::<AddressPage>(),
        Family::of::<DeletePage>(),
        Family::of::<PreferencesPage>(),
        Family::of::<ErrorPage>(),
        Family::of::<StatusPage>(),
        Family::of::<PostPage>(),
        Family::of::<PostsPage>(),
        Family::of::<FeedPage>(),
        Family::of::<OutboxPage>(),
        Family::of::<OutboxMailPage>(),
        Family::of::<OutboxCallPage>(),
    ]
}
