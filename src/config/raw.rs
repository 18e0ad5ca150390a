//! The files as people write them: every key, its default and its meaning.
//!
//! These types are the source of the JSON Schema and of `docs/config.md`. They hold texts; `validate` gives them meaning.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LogFormat, MailEncoding, Tls, WatchMode};
use crate::domain::Cadence;

mod audience;
mod channels;
mod feeds;
mod posts;
mod schedule;
mod signup;

pub(super) use audience::Privacy;
pub(super) use channels::{
    Canary, Destination, DestinationKind, Dkim, Mail, MailDomain, MailRetry, MailServer, OnDelete,
    OnUncertain, OnUpdate, WarmUp,
};
pub(super) use feeds::{FeedSelection, Feeds, Hub, Podcast};
pub(super) use posts::{DateSource, Markdown, Posts, Words};
pub(super) use schedule::{Queue, Release, Releases};
pub(super) use signup::{Captcha, FieldKind, FormField, Signup};

/// A duration: numbers with units, such as `90s`, `2m`, `48h`, `1d 12h`. A day has 24 hours.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "duration"))]
pub(super) struct Duration(pub String);

/// A cron expression.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "cron"))]
pub(super) struct Cron(pub String);

/// A date, or a date and time; in the site's time zone unless it names an offset.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "moment"))]
pub(super) struct Moment(pub String);

/// So many in so long: `14/s`, `600/m`, `1000/h`, `50000/d`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "rate"))]
pub(super) struct Rate(pub String);

/// A share, such as `5%` or `0.3%`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "percent"))]
pub(super) struct Percent(pub String);

/// Times of the day, such as `08:00-20:00`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-kind" = "hours"))]
pub(super) struct Hours(pub String);

impl Percent {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Duration {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// `config/postrider.toml`: everything that the operator decides.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Project {
    #[schemars(extend("x-required" = true))]
    pub site: Site,
    pub server: Server,
    pub store: Store,
    pub posts: Vec<Posts>,
    pub watch: Watch,
    pub guard: Guard,
    pub feeds: Feeds,
    pub archive: Archive,
    pub mail: Mail,
    pub newsletters: BTreeMap<String, Newsletter>,
    /// Names for expressions that say who of the subscribers is meant, for `audience` and `--where`.
    pub segments: BTreeMap<String, String>,
    pub privacy: Privacy,
    pub signup: Signup,
    pub destinations: BTreeMap<String, Destination>,
    pub check: Check,
    pub log: Log,
    pub sample_subscribers: Vec<SampleSubscriber>,
}

/// The author's own site, where the posts live.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Site {
    /// Name of the site: title of the feeds, and what mails sign with.
    #[schemars(extend("x-required" = true))]
    pub title: Option<String>,
    /// Address of the site. Links of posts are made from it.
    #[schemars(extend("x-required" = true))]
    pub url: Option<String>,
    /// Language of posts that don't say: a BCP 47 tag such as `en` or `pt-BR`.
    pub language: String,
    /// IANA time zone such as `Europe/Berlin`: what dates without an offset and all schedules are in.
    pub timezone: String,
    /// One sentence about the site, for the feeds.
    pub description: String,
    /// Who wrote the posts that name nobody: `Name` or `Name <name@example.org>`.
    pub author: Option<String>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            title: None,
            url: None,
            language: "en".to_owned(),
            timezone: "UTC".to_owned(),
            description: String::new(),
            author: None,
        }
    }
}

/// Postrider's own pages: feeds, subscribing and unsubscribing, status.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Server {
    /// IP address and port to listen on.
    pub listen: String,
    /// Where readers reach these pages: what links in mails begin with.
    #[schemars(extend("x-default" = "`http://` and the address of `listen`"))]
    pub public_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_owned(), public_url: None }
    }
}

/// Where subscribers, deliveries and events are kept.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    /// `sqlite:FILE` or `postgres://user@host/database`.
    #[schemars(extend("x-default" = "`sqlite:var/postrider.db`"))]
    pub url: Option<String>,
    /// File that holds the URL, for one with a password in it.
    pub url_file: Option<String>,
}

/// How changed posts are noticed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Watch {
    /// How to watch the folders.
    pub mode: WatchMode,
    /// Wait for this long a silence after a change, so that a file is read once and whole.
    pub debounce: Duration,
    /// Compare the folders with what is known this often, in case an event was lost.
    pub rescan: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            mode: WatchMode::Auto,
            debounce: Duration::new("300ms"),
            rescan: Duration::new("1m"),
        }
    }
}

/// What is held back from mail and destinations until somebody has looked. Feeds don't wait: they can be corrected.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Guard {
    /// More new posts than this at once are held, as after another branch was checked out or dates were edited in bulk;
    /// `postrider posts` shows, releases or dismisses them. 0 holds none.
    pub new_posts: u32,
    /// What counts as at once.
    pub within: Duration,
}

impl Default for Guard {
    fn default() -> Self {
        Self { new_posts: 10, within: Duration::new("10m") }
    }
}

/// A page for each post and lists of them, for authors without a site, and for "view in browser".
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Archive {
    /// `false`: no pages, and nothing leads to them.
    pub enabled: bool,
    /// So many posts in one page of a list.
    #[schemars(range(min = 1, max = 500))]
    pub posts_per_page: u32,
    pub index_now: IndexNow,
}

/// Tells search engines which pages are new, changed or gone (`IndexNow`): Bing, Yandex, Seznam, Naver and others. Only pages on the host
/// of `server.public_url`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IndexNow {
    /// Made up by you: 8 to 128 letters, digits and `-`. It is served at `/KEY.txt`, which shows that the site is yours.
    #[schemars(extend("x-default" = "nobody is told"))]
    pub key: Option<String>,
    /// Who is told; they tell each other.
    pub endpoint: String,
}

impl Default for IndexNow {
    fn default() -> Self {
        Self { key: None, endpoint: "https://api.indexnow.org/indexnow".to_owned() }
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self { enabled: true, posts_per_page: 50, index_now: IndexNow::default() }
    }
}

/// A selection of posts that people subscribe to by mail. `NAME` is part of addresses such as `/subscribe/NAME`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(super) struct Newsletter {
    /// What readers see.
    #[schemars(extend("x-default" = "`site.title`"))]
    pub title: Option<String>,
    /// One sentence for the page where people subscribe.
    pub description: String,
    /// Of posts that are there in several languages its subscribers get the version in this one, else the one published first, and
    /// never two.
    #[schemars(extend("x-default" = "`site.language`"))]
    pub language: Option<String>,
    /// Other languages that subscribers may choose to read it in: BCP 47 tags.
    pub languages: Vec<String>,
    /// Send subscribers only what is there in their language; posts that are only in others are not mailed to them.
    pub only_in_language: bool,
    /// What subscribers may choose to read of; who chooses nothing gets all posts.
    pub topics: BTreeMap<String, Topic>,
    /// Mails that newcomers get, one after the other, from when they are confirmed.
    pub welcome: Vec<WelcomeStep>,
    /// Who of its subscribers gets it: an expression such as `"vip" in tags and attributes.city == "Kiel"`, or the name of one in
    /// `[segments]`.
    #[schemars(extend("x-default" = "all of them"))]
    pub audience: Option<String>,
    /// Ask those who sign up by a mail with a button whether it was they. `false` only where the law and your conscience allow it:
    /// whoever types an address subscribes it.
    pub double_opt_in: bool,
    /// Ask for a name, which nobody has to give.
    pub ask_name: bool,
    pub fields: BTreeMap<String, FormField>,
    /// How often subscribers may have it: at least one of the keys below.
    #[schemars(extend("x-required" = true))]
    pub cadences: Cadences,
    /// What subscribers get who don't choose.
    #[schemars(extend("x-default" = "the first that is offered of weekly, daily, monthly, instant"))]
    pub default_cadence: Option<Cadence>,
    /// Time zone of the schedules.
    #[schemars(extend("x-default" = "`site.timezone`"))]
    pub timezone: Option<String>,
    /// Runs that fell due while Postrider was down: `skip` forgets them; `once within 12h` makes up for the latest one if it
    /// is no later than that; `once` makes up for it however late it is.
    pub missed_runs: MissedRuns,
    /// Sender of this newsletter: `Name <name@example.org>`.
    #[schemars(extend("x-default" = "`mail.from`"))]
    pub from: Option<String>,
    /// Which of `mail.servers` carry it; more than one share the work, and stand in for each other.
    #[schemars(extend("x-default" = "all of them"))]
    pub servers: Option<Vec<String>>,
    /// Hours of the day in `timezone` at which it may go out; what falls due outside waits. Confirmations don't.
    #[schemars(extend("x-default" = "at any time"))]
    pub send_window: Option<Hours>,
    /// Days of the week on which it may go out, such as `["MON", "TUE"]`.
    #[schemars(extend("x-default" = "every day"))]
    pub send_days: Vec<String>,
    /// Days on which nothing goes out, such as `["2026-12-24..2026-12-26", "2027-01-01"]`; what falls due on them waits.
    pub rest_days: Vec<String>,
    /// After this long an edition is not worth sending any more.
    #[schemars(extend("x-default" = "`mail.retry.give_up_after`"))]
    pub give_up_after: Option<Duration>,
    /// When nobody knows whether a mail came through.
    #[schemars(extend("x-default" = "`mail.retry.on_uncertain`"))]
    pub on_uncertain: Option<OnUncertain>,
    /// Where answers to this newsletter go.
    #[schemars(extend("x-default" = "`mail.reply_to`"))]
    pub reply_to: Option<String>,
    /// Send images along that lie beside their post in its bundle (PNG, JPEG and GIF up to 256 kB, 1 MB a mail); all others, and
    /// all if `false`, are links. Mails grow by as much for every subscriber.
    pub inline_images: bool,
}

impl Default for Newsletter {
    fn default() -> Self {
        Self {
            title: None,
            description: String::new(),
            language: None,
            languages: Vec::new(),
            only_in_language: false,
            topics: BTreeMap::new(),
            welcome: Vec::new(),
            audience: None,
            double_opt_in: true,
            ask_name: false,
            fields: BTreeMap::new(),
            cadences: Cadences::default(),
            default_cadence: None,
            timezone: None,
            missed_runs: MissedRuns::default(),
            from: None,
            servers: None,
            send_window: None,
            send_days: Vec::new(),
            rest_days: Vec::new(),
            give_up_after: None,
            on_uncertain: None,
            reply_to: None,
            inline_images: false,
        }
    }
}

/// A mail to newcomers. It keeps away from their digests by three hours.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WelcomeStep {
    /// How long after the one before; of the first, after they were confirmed.
    pub after: Duration,
    /// The post that it brings: its slug, source path or id. It must be live in the feeds; `email: skip` in its front matter keeps it from
    /// being mailed as news as well.
    #[schemars(extend("x-default" = "`template`"))]
    pub post: Option<String>,
    /// Instead of a post, a mail that is no post: `hello` is `subject.txt`, `body.html` and `body.txt` in `templates/mail/welcome/hello/`.
    /// One of this name is there, in seven languages.
    #[schemars(extend("x-default" = "`post`"))]
    pub template: Option<String>,
}

impl Default for WelcomeStep {
    fn default() -> Self {
        Self { after: Duration::new("0s"), post: None, template: None }
    }
}

/// Something that subscribers may choose to read of. `NAME` is what the database calls it.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Topic {
    /// What readers see.
    #[schemars(extend("x-default" = "its name"))]
    pub title: Option<String>,
    /// Topics, tags and categories that make a post one of it, beside the name and the title; whatever the case.
    pub terms: Vec<String>,
}

/// `skip`, `once` or `once within 12h`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct MissedRuns(pub String);

impl Default for MissedRuns {
    fn default() -> Self {
        Self("once within 12h".to_owned())
    }
}

/// How often subscribers may have a newsletter.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Cadences {
    /// One mail per post, as soon as it is released and settled.
    #[schemars(extend(
        "x-help" = "`instant` has no schedule: each post goes out by itself; for a digest use `daily`, `weekly` or `monthly`"
    ))]
    pub instant: bool,
    /// When the daily digest goes out.
    pub daily: Option<Cron>,
    /// When the weekly digest goes out.
    pub weekly: Option<Cron>,
    /// When the monthly digest goes out.
    pub monthly: Option<Cron>,
}

/// What `postrider check` says about posts.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Check {
    /// Codes of warnings not to be shown, such as `post-alt-missing`. A single post can have `silence` under `postrider` in
    /// its front matter.
    pub silence: Vec<String>,
}

/// What Postrider says about itself while it runs.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    /// Form of the lines.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`; also by module, as in `info,postrider::dispatch=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// Somebody who is subscribed at the first start, to see what subscribers see. Refused unless all mail goes to an outbox.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SampleSubscriber {
    /// Who.
    #[schemars(extend("x-required" = true))]
    pub address: Option<String>,
    /// Which newsletter.
    #[schemars(extend("x-default" = "the only one there is"))]
    pub newsletter: Option<String>,
    /// How often.
    #[schemars(extend("x-default" = "the newsletter's `default_cadence`"))]
    pub cadence: Option<Cadence>,
}
