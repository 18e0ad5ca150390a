//! What the operator and the authors decided, read from files and environment and checked as a whole.
//!
//! Everything below is valid by construction: whoever holds a `Config` need not check it again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::{
    Author, Cadence, Canary, DateSource, DomainLimits, EmailAddress, Field, Rate, Releases,
    RetryPolicy, Segments, SigningKey, WarmUp,
};

mod audience;
mod check;
mod environment;
mod feeds;
mod load;
mod mask;
mod newsletter;
mod origins;
mod overrides;
mod raw;
mod read;
mod reference;
mod report;
mod schema;
mod secret;
mod signup;
#[cfg(test)]
mod tests;
mod validate;
mod values;

pub use audience::Privacy;
pub use environment::Environment;
pub use feeds::{FeedAbout, FeedSelection, FeedTarget, Feeds, Hub, Podcast, Polling};
pub use load::{Loaded, default_file, load};
pub use newsletter::{Newsletter, Topic, WelcomeMail, WelcomeStep};
pub use origins::Origins;
pub use reference::reference_markdown;
pub use schema::{releases_schema_json, schema_json};
pub use secret::Secret;
pub use signup::{
    Captcha, CaptchaKind, DomainRules, FieldKind, FormField, Signup, SignupLimits, SignupQuestions,
};

/// The shipped `config/postrider.toml`, commented: what `postrider init` begins with.
pub fn commented_default() -> &'static str {
    include_str!("../../config/postrider.toml")
}

/// The shipped `config/releases.toml`.
pub fn commented_releases() -> &'static str {
    include_str!("../../config/releases.toml")
}

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The project folder; every relative path was resolved against it.
    pub root: PathBuf,
    /// The files it was read from: `postrider.toml` first.
    pub files: Vec<PathBuf>,
    pub site: Site,
    pub server: Server,
    pub store: StoreUrl,
    pub posts: Vec<PostFolder>,
    pub watch: Watch,
    pub guard: Guard,
    pub feeds: Feeds,
    pub archive: Archive,
    pub mail: Mail,
    pub newsletters: BTreeMap<String, Newsletter>,
    /// `[segments]`: names for expressions.
    pub segments: Segments,
    pub privacy: Privacy,
    pub signup: Signup,
    pub destinations: BTreeMap<String, Destination>,
    pub releases: Releases,
    pub check: Check,
    pub log: Log,
    /// Only ever filled when all mail goes to an outbox.
    pub sample_subscribers: Vec<SampleSubscriber>,
}

impl Config {
    /// The folder that the post with this source lies in.
    pub fn folder_of(&self, source: &str) -> Option<&PostFolder> {
        self.posts.iter().find(|folder| {
            source.strip_prefix(&folder.name).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// By whose clock the newsletter `name` comes to those who chose none: its schedules', else the site's.
    pub fn house_zone(&self, name: &str) -> &TimeZone {
        self.newsletters.get(name).and_then(Newsletter::zone).unwrap_or(&self.site.time_zone)
    }

    /// Where is kept what was made of the posts: beside the database.
    pub fn post_cache(&self) -> PathBuf {
        match &self.store {
            StoreUrl::Sqlite(path) => path.with_added_extension("posts"),
            StoreUrl::Postgres(_) => self.root.join("var").join("postrider.posts"),
        }
    }
}

/// `[site]`: the author's own site.
#[derive(Clone, Debug)]
pub struct Site {
    pub title: String,
    pub description: String,
    /// Always ends with `/`, so that `join` appends.
    pub url: Url,
    /// BCP 47 tag.
    pub language: String,
    pub time_zone: TimeZone,
    /// Stands in for posts that name nobody.
    pub author: Option<Author>,
}

/// `[server]`: Postrider's own pages.
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// Always ends with `/`, so that `join` appends.
    pub public_url: Url,
}

/// `store.url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// Absolute.
    Sqlite(PathBuf),
    /// The whole URL.
    Postgres(Secret),
}

/// `[[posts]]`: one folder of posts.
#[derive(Clone, Debug)]
pub struct PostFolder {
    /// Absolute.
    pub path: PathBuf,
    /// Relative to the project folder, with `/`: the first part of each post's `source`.
    pub name: String,
    /// Pattern such as `/posts/{slug}/`.
    pub permalink: String,
    /// How long a post must be unchanged before anything irreversible.
    pub settle: SignedDuration,
    pub baseline: Baseline,
    /// Language of posts that don't say; else the site's.
    pub language: Option<String>,
    /// Where the date of a post may come from, in this order.
    pub dates_from: Vec<DateSource>,
    /// The authors' own words for what front matter says.
    pub fields: BTreeMap<Field, Vec<String>>,
    /// Front matter of the posts that don't say: a map of keys and values.
    pub defaults: serde_json::Value,
    pub markdown: Markdown,
}

/// `[posts.markdown]`: how the Markdown of a folder is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markdown {
    /// Whether code has colours in mails.
    pub highlight: bool,
    pub smart_punctuation: bool,
    /// Not empty.
    pub excerpt_separator: Option<String>,
}

/// From when on posts found by the very first scan count as news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// Everything that is there at the first scan is old.
    Now,
    /// Posts published from then on are news, even at the first scan.
    From(Timestamp),
}

/// `[watch]`: how changes are noticed.
#[derive(Clone, Debug)]
pub struct Watch {
    pub mode: WatchMode,
    pub debounce: SignedDuration,
    pub rescan: SignedDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// File events where there are some; on network drives, and where the system's limits are used up, compare as `poll`.
    Auto,
    /// File events, on network drives as well.
    Native,
    /// Compare the folder every `rescan`, and nothing else.
    Poll,
}

/// `[guard]`: what is held until a person has looked.
#[derive(Clone, Debug)]
pub struct Guard {
    /// More new posts than this at once are held; 0 holds none.
    pub new_posts: usize,
    /// What counts as at once.
    pub within: SignedDuration,
}

/// `[check]`.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// Codes of warnings that are not shown.
    pub silence: Vec<String>,
}

/// `[archive]`: a page for each post, and lists of them.
#[derive(Clone, Debug)]
pub struct Archive {
    pub enabled: bool,
    /// At least 1.
    pub posts_per_page: usize,
    /// `[archive.index_now]`, if there is a key.
    pub index_now: Option<IndexNow>,
}

/// Whom to tell of pages, and what shows that we may.
#[derive(Clone, Debug)]
pub struct IndexNow {
    pub key: String,
    pub endpoint: Url,
}

/// `[mail]`.
#[derive(Clone, Debug)]
pub struct Mail {
    /// An address that leads nowhere when there are no newsletters.
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// The postal address under each mail.
    pub address: String,
    /// Base of the envelope senders by which bounces name their delivery. Its local part has room for `+` and a token.
    pub bounce_address: Option<EmailAddress>,
    /// A mailbox that takes unsubscribe requests.
    pub unsubscribe_mailto: Option<EmailAddress>,
    /// The sender's part of `Feedback-ID`.
    pub feedback_id: Option<String>,
    pub encoding: MailEncoding,
    pub servers: BTreeMap<String, MailServer>,
    /// Destination domains with limits of their own, in small letters.
    pub domains: BTreeMap<String, DomainLimits>,
    /// Limits of all other destination domains.
    pub default_domain: DomainLimits,
    /// By the domain of the sender's address.
    pub warm_up: BTreeMap<String, WarmUp>,
    pub canary: Canary,
    pub retry: RetryPolicy,
    pub dkim: Vec<DkimKey>,
}

/// How texts are written into mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MailEncoding {
    /// Plain ASCII that every server takes; base64 instead where that is shorter.
    #[default]
    #[serde(rename = "quoted-printable")]
    QuotedPrintable,
    /// As they are, over connections to servers that offer 8BITMIME.
    #[serde(rename = "8bit")]
    EightBit,
}

/// `[[mail.dkim]]`: a key that signs mail.
#[derive(Clone, Debug)]
pub struct DkimKey {
    /// In lower-case A-labels.
    pub domain: String,
    pub selector: String,
    pub key: Arc<SigningKey>,
    /// From when on it signs; always, if there is none.
    pub from: Option<Timestamp>,
}

impl DkimKey {
    /// Whether receivers take this key's word for mail from `sender`: its domain is the sender's or one above it
    /// (relaxed alignment, RFC 7489 section 3.1.1).
    pub fn signs_for(&self, sender: &str) -> bool {
        sender.strip_suffix(&self.domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// A display name and an address. The name has no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: EmailAddress,
}

/// `[mail.servers.NAME]`.
#[derive(Clone, Debug)]
pub struct MailServer {
    pub name: String,
    pub transport: Transport,
    /// Open connections at most.
    pub connections: usize,
    /// Messages over one connection at most.
    pub messages_per_connection: usize,
    /// Share of the mail; 0 for one that only stands in.
    pub weight: u32,
    pub rate: Option<Rate>,
    /// Messages within any 24 hours.
    pub daily_quota: Option<i64>,
    /// Only recipients at these domains, in small letters. Empty: all.
    pub domains: Vec<String>,
    /// Whole messages in a window, where the server offers CHUNKING.
    pub chunking: bool,
    /// Messages in flight over one connection, with `chunking`.
    pub window: usize,
    /// What we call ourselves in EHLO.
    pub hello_name: String,
    /// Whether mail is signed before it goes there; else the server does it.
    pub dkim: bool,
}

#[derive(Clone, Debug)]
pub enum Transport {
    /// Mail lands as files in `DIR/mail/`; absolute.
    Outbox(PathBuf),
    Smtp(SmtpTransport),
}

#[derive(Clone, Debug)]
pub struct SmtpTransport {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub credentials: Option<Credentials>,
    /// PEM file of certificate authorities to trust beside the built-in ones.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: Secret,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte (RFC 8314, port 465).
    Implicit,
    /// STARTTLS or nothing is sent.
    StartTls,
    /// STARTTLS where offered. Never with credentials except on loopback.
    Opportunistic,
    /// Plain text.
    None,
}

/// `[destinations.NAME]`.
#[derive(Clone, Debug)]
pub struct Destination {
    pub name: String,
    pub kind: DestinationKind,
    /// Told when a post is gone that it was told of.
    pub retracts: bool,
    /// Told when a post has changed that it was told of.
    pub updates: bool,
    pub retry: RetryPolicy,
}

/// One variant a kind of destination.
#[derive(Clone, Debug)]
pub enum DestinationKind {
    Webhook(Webhook),
}

#[derive(Clone, Debug)]
pub struct Webhook {
    pub endpoint: Endpoint,
    /// Standard Webhooks secrets, raw bytes, current one first. Empty: unsigned.
    pub secrets: Vec<Arc<SecretBytes>>,
    /// Extra headers, names in small letters; never `webhook-*`, `host`, `content-length`, `content-type`.
    pub headers: BTreeMap<String, Secret>,
    /// Template `crosspost/NAME.json` for the body, else the default shape.
    pub template: Option<String>,
    /// Connect and answer within this.
    pub timeout: SignedDuration,
}

/// Key material.
pub type SecretBytes = secret::SecretBytes;

#[derive(Clone, Debug)]
pub enum Endpoint {
    /// Calls land as files in `DIR/http/`; absolute.
    Outbox(PathBuf),
    Http {
        url: Url,
        /// Private networks that this endpoint may be in. An address written literally in `url` is in here too.
        allow: Vec<IpNet>,
    },
}

/// `[log]`.
#[derive(Clone, Debug)]
pub struct Log {
    pub format: LogFormat,
    /// A tracing filter such as `info,postrider::dispatch=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// For machines: an object a line.
    Json,
}

/// `[[sample_subscribers]]`: somebody to look over the shoulder of; refused unless all mail goes to an outbox.
#[derive(Clone, Debug)]
pub struct SampleSubscriber {
    pub address: EmailAddress,
    pub newsletter: String,
    pub cadence: Cadence,
}
