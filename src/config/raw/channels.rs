//! `[mail]` and `[destinations.NAME]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, MailEncoding, Moment, Percent, Rate, Tls};

/// What all mail has in common. Needed once there is a newsletter.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Mail {
    /// Sender: `Name <name@example.org>`. Needed once there is a newsletter.
    pub from: Option<String>,
    /// Where answers go.
    #[schemars(extend("x-default" = "the sender"))]
    pub reply_to: Option<String>,
    /// Postal address that goes under each mail; many countries demand one. Needed once there is a newsletter.
    pub address: Option<String>,
    /// Where bounces go: `bounces@b.example.org`. Each mail's envelope sender is then `bounces+TOKEN@b.example.org`, so that a
    /// bounce tells whom it is about (VERP).
    #[schemars(extend("x-default" = "the sender"))]
    pub bounce_address: Option<String>,
    /// Mailbox where unsubscribe requests may be mailed to. Only for an address whose mail somebody or something
    /// processes within two days: the subject holds the subscriber's token.
    pub unsubscribe_mailto: Option<String>,
    /// Last part of `Feedback-ID`, by which Gmail counts complaints: 5 to 15 letters, digits, `-` and `_`, the same for ever.
    #[schemars(extend("x-default" = "no `Feedback-ID`"))]
    pub feedback_id: Option<String>,
    /// How texts are written into mails. `8bit` is shorter for all scripts but Latin, and only used over connections to servers that take it.
    pub encoding: MailEncoding,
    pub servers: BTreeMap<String, MailServer>,
    pub domains: BTreeMap<String, MailDomain>,
    pub warm_up: BTreeMap<String, WarmUp>,
    pub canary: Canary,
    pub retry: MailRetry,
    pub dkim: Vec<Dkim>,
}

/// A key that signs mail (DKIM). Of all keys for one domain and algorithm the newest one signs that is not of the future, so keys are
/// changed by adding a section; with an RSA and an Ed25519 key both sign.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Dkim {
    /// The domain that signs: the sender's, or one above it.
    #[schemars(extend("x-required" = true))]
    pub domain: Option<String>,
    /// Name of the key in the DNS. Its public half stands at `SELECTOR._domainkey.DOMAIN`.
    #[schemars(extend("x-required" = true))]
    pub selector: Option<String>,
    /// PEM file of the private key: PKCS#8, or PKCS#1 for RSA.
    #[schemars(extend("x-required" = true))]
    pub key_file: Option<String>,
    /// From when on it signs.
    #[schemars(extend("x-default" = "always"))]
    pub from: Option<Moment>,
}

/// A way to send mail.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct MailServer {
    /// `outbox:FOLDER` keeps mails as files; `smtp://user@host:587` and `smtps://user@host` send them.
    #[schemars(extend("x-required" = true))]
    pub url: Option<String>,
    /// Password for the user in `url`. Better: `password_file`.
    #[schemars(extend("writeOnly" = true))]
    pub password: Option<String>,
    /// File that holds the password.
    pub password_file: Option<String>,
    /// How the connection is protected.
    #[schemars(extend(
        "x-default" = "`implicit` with `smtps:`; with `smtp:` it is `starttls`, on this machine `opportunistic`"
    ))]
    pub tls: Option<Tls>,
    /// Open connections at most.
    #[schemars(range(min = 1, max = 200))]
    pub connections: u32,
    /// Messages over one connection at most.
    #[schemars(range(min = 1, max = 100_000))]
    pub messages_per_connection: u32,
    /// Share of the mail that it carries beside others with which it could; what it cannot keep up with goes to them.
    /// 0: only when no other can.
    #[schemars(range(min = 0, max = 1000))]
    pub weight: u32,
    /// Messages at most, such as `14/s`, `600/m` or `1000/h`; counted on each node.
    #[schemars(extend("x-default" = "no limit"))]
    pub rate: Option<Rate>,
    /// Messages within any 24 hours at most, on all nodes together. Confirmations are counted but never held back.
    #[schemars(range(min = 1, max = 1_000_000_000), extend("x-default" = "no limit"))]
    pub daily_quota: Option<u32>,
    /// Only for recipients at these domains, and then before servers without such a list.
    #[schemars(extend("x-default" = "recipients at all domains"))]
    pub domains: Vec<String>,
    /// Sends `window` messages at a time to servers that offer CHUNKING: many times faster to a server far away. A crash leaves up to `window` messages a connection in doubt, instead of one.
    pub chunking: bool,
    /// With `chunking`: messages in flight over one connection.
    #[schemars(range(min = 1, max = 100))]
    pub window: u32,
    /// What we call ourselves to the server (EHLO): a host name that exists.
    #[schemars(extend("x-default" = "the host of `server.public_url`"))]
    pub hello_name: Option<String>,
    /// PEM file of certificate authorities to trust beside the well-known ones.
    pub ca_file: Option<String>,
    /// Sign with the keys of `[[mail.dkim]]`; `false` for a server that signs itself.
    pub dkim: bool,
}

impl Default for MailServer {
    fn default() -> Self {
        Self {
            url: None,
            password: None,
            password_file: None,
            tls: None,
            connections: 10,
            messages_per_connection: 100,
            weight: 1,
            rate: None,
            daily_quota: None,
            domains: Vec::new(),
            chunking: false,
            window: 8,
            hello_name: None,
            ca_file: None,
            dkim: true,
        }
    }
}

/// What a destination domain is granted at most, through each server. `NAME` is a domain such as `gmail.com`, or `default`
/// for all that have no section of their own. When a domain says that we are too fast, it gets less, until it takes more again.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct MailDomain {
    /// Messages under way at once.
    #[schemars(range(min = 1, max = 1000))]
    pub connections: u32,
    /// Messages at most, such as `10/s`; counted on each node.
    #[schemars(extend("x-default" = "no limit"))]
    pub rate: Option<Rate>,
}

impl Default for MailDomain {
    fn default() -> Self {
        Self { connections: 1_000, rate: None }
    }
}

/// How a new sending domain earns its reputation: so many mails a day, growing. `NAME` is the domain of the sender's address.
/// What is over a day's allowance waits; give `mail.retry.give_up_after` the days that takes. Confirmations are never held back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct WarmUp {
    /// The first day.
    #[schemars(extend("x-required" = true))]
    pub start: Option<Moment>,
    /// How many mails on that day.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub first_day: u32,
    /// How much more each day than the day before.
    pub growth: Percent,
    /// The domain is warm when it may have so many a day: nothing is limited from then on.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub until: u32,
}

impl Default for WarmUp {
    fn default() -> Self {
        Self { start: None, first_day: 200, growth: Percent::new("50%"), until: 50_000 }
    }
}

/// Editions go to a few first. When too many of those object, the edition pauses itself; `postrider editions` resumes,
/// corrects or cancels it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Canary {
    /// Shares of the audience that have the edition after each step, the last step being everybody. `[]`: everybody at once.
    pub steps: Vec<Percent>,
    /// Smaller audiences get it at once.
    #[schemars(range(min = 100, max = 100_000_000))]
    pub min_audience: u32,
    /// How long each step is watched before the next.
    pub soak: Duration,
    /// Pause when more were rejected.
    pub max_rejected: Percent,
    /// Pause when more were deferred and not taken since.
    pub max_deferred: Percent,
    /// Pause when more called it spam.
    pub max_complained: Percent,
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            steps: vec![Percent::new("1%"), Percent::new("10%")],
            min_audience: 5_000,
            soak: Duration::new("15m"),
            max_rejected: Percent::new("5%"),
            max_deferred: Percent::new("30%"),
            max_complained: Percent::new("0.3%"),
        }
    }
}

/// A place that posts are announced to. `NAME` is how other files and commands call it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Destination {
    /// What it is.
    #[schemars(extend("x-required" = true))]
    pub kind: Option<DestinationKind>,
    /// `https://…`, or `outbox:FOLDER` to keep calls as files. `http://` only for addresses that are literal, local, or in `allow`.
    #[schemars(extend("x-required" = true))]
    pub url: Option<String>,
    /// Key that signs calls after the Standard Webhooks specification: `whsec_` and 24 to 64 bytes in base64. Better: `secret_file`.
    #[schemars(extend("writeOnly" = true))]
    pub secret: Option<String>,
    /// File that holds the key; several, one a line, while keys are being changed, the current one first.
    pub secret_file: Option<String>,
    /// Several keys, while keys are being changed, the current one first.
    #[schemars(extend("writeOnly" = true))]
    pub secrets: Option<Vec<String>>,
    /// Headers to add to each call.
    #[schemars(extend("writeOnly" = true))]
    pub headers: BTreeMap<String, String>,
    /// Template `templates/crosspost/TEMPLATE.json` that makes the body.
    #[schemars(extend("x-default" = "a shape that suits most receivers"))]
    pub template: Option<String>,
    /// Private networks that the address may be in, such as `10.0.0.0/8`. All others are refused.
    pub allow: Vec<String>,
    /// Connect and answer within this.
    pub timeout: Duration,
    /// When a post is taken down that was announced there: `retract` tells it so, `leave` does nothing.
    pub on_delete: OnDelete,
    /// When a post changes that was announced there: `update` tells it of the latest text, once that has settled; `leave` does nothing.
    pub on_update: OnUpdate,
    pub retry: DestinationRetry,
}

impl Default for Destination {
    fn default() -> Self {
        Self {
            kind: None,
            url: None,
            secret: None,
            secret_file: None,
            secrets: None,
            headers: BTreeMap::new(),
            template: None,
            allow: Vec::new(),
            timeout: Duration::new("20s"),
            on_delete: OnDelete::Leave,
            on_update: OnUpdate::Leave,
            retry: DestinationRetry::default(),
        }
    }
}

/// What a destination is.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum DestinationKind {
    /// Calls a URL with JSON.
    Webhook,
}

/// What a destination is told when a post is gone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OnDelete {
    /// Nothing.
    Leave,
    /// That it is gone.
    Retract,
}

/// What a destination is told when a post changed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OnUpdate {
    /// Nothing.
    Leave,
    /// What it says now.
    Update,
}

/// What to do when a connection broke at the moment where nobody knows whether the other side has taken it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum OnUncertain {
    /// Again, with the same id, so that the other side can tell.
    Resend,
    /// Wait for a person to decide.
    Hold,
}

macro_rules! retry {
    ($(#[$doc:meta])* $name:ident: $first:literal, $max:literal, $attempts:literal, $give_up:literal) => {
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub(in crate::config) struct $name {
            /// Wait before the second attempt; doubled after each.
            pub first_delay: Duration,
            /// Wait this long at most.
            pub max_delay: Duration,
            /// Attempts that reached the other side; unreachable servers don't use them up.
            #[schemars(range(min = 1, max = 100))]
            pub max_attempts: u32,
            /// After this long it is not worth sending any more.
            pub give_up_after: Duration,
            /// When nobody knows whether an attempt came through.
            pub on_uncertain: OnUncertain,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    first_delay: Duration::new($first),
                    max_delay: Duration::new($max),
                    max_attempts: $attempts,
                    give_up_after: Duration::new($give_up),
                    on_uncertain: OnUncertain::Resend,
                }
            }
        }
    };
}

retry! {
    /// When mail is tried again.
    MailRetry: "5m", "4h", 10, "48h"
}

retry! {
    /// When a call is tried again.
    DestinationRetry: "5s", "24h", 20, "72h"
}

impl From<DestinationRetry> for MailRetry {
    fn from(retry: DestinationRetry) -> Self {
        let DestinationRetry { first_delay, max_delay, max_attempts, give_up_after, on_uncertain } =
            retry;
        Self { first_delay, max_delay, max_attempts, give_up_after, on_uncertain }
    }
}
