//! `[signup]` and `[newsletters.NAME.fields.NAME]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Rate};
use crate::config::CaptchaKind;

/// How people sign up at all newsletters, and what keeps machines from doing it in their names. Limits are counted in memory, on each
/// node for itself.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Signup {
    /// Other sites with forms of ours, such as `https://example.org`.
    #[schemars(extend("x-default" = "only our own page"))]
    pub origins: Vec<String>,
    /// A form that comes back sooner than this is shown again: nobody fills it in so fast.
    pub fastest: Duration,
    /// A form that comes back later than this is shown again.
    pub good_for: Duration,
    /// Confirmation mails to one address. What is beyond looks as if it had worked.
    pub per_address: Rate,
    /// From one network address; a whole /64 of IPv6 counts as one.
    pub per_visitor: Rate,
    /// From one neighbourhood: a /24 of IPv4, a /48 of IPv6.
    pub per_network: Rate,
    /// For addresses at one domain.
    pub per_domain: Rate,
    /// From everybody together.
    pub overall: Rate,
    /// With more sign-ups a minute, the visitor's browser has to work a second or two for each, until a minute was calm again. 0: always.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub challenge_above: u32,
    /// Only addresses at these domains and those below them.
    #[schemars(extend("x-default" = "all domains"))]
    pub allowed_domains: Vec<String>,
    /// No addresses at these domains and those below them.
    pub blocked_domains: Vec<String>,
    /// File with more of them, one a line: a list of disposable mail domains, say.
    pub blocked_domains_file: Option<String>,
    /// Ask the name servers whether the domain of an address takes mail, and say so beside the field if it does not. When nobody answers
    /// within five seconds the address passes.
    pub check_mx: bool,
    /// Whom to ask: `127.0.0.1:53`.
    #[schemars(extend("x-default" = "as this machine is set up"))]
    pub resolver: Option<String>,
    pub captcha: Captcha,
}

impl Default for Signup {
    fn default() -> Self {
        let rate = |text: &str| Rate(text.to_owned());
        Self {
            origins: Vec::new(),
            fastest: Duration::new("2s"),
            good_for: Duration::new("24h"),
            per_address: rate("3/d"),
            per_visitor: rate("5/h"),
            per_network: rate("50/h"),
            per_domain: rate("1000/h"),
            overall: rate("60/m"),
            challenge_above: 20,
            allowed_domains: Vec::new(),
            blocked_domains: Vec::new(),
            blocked_domains_file: None,
            check_mx: false,
            resolver: None,
            captcha: Captcha::default(),
        }
    }
}

/// Somebody else who says whether a visitor is human. Their script runs in the page then, and they learn who signs up: leave it off
/// unless nothing else helps.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct Captcha {
    /// Who.
    #[schemars(extend("x-default" = "nobody"))]
    pub kind: Option<CaptchaKind>,
    /// The public key that they gave you.
    pub site_key: Option<String>,
    /// The secret key that they gave you. Better: `secret_file`.
    #[schemars(extend("writeOnly" = true))]
    pub secret: Option<String>,
    /// File that holds the secret key.
    pub secret_file: Option<String>,
}

/// Something that people are asked when they sign up. `NAME` is what answers are kept under.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct FormField {
    /// The question, as people read it.
    #[schemars(extend("x-required" = true))]
    pub title: Option<String>,
    /// What may be filled in.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// What there is to choose from, with `type = "choice"`.
    pub options: Vec<String>,
    /// Must be filled in, or ticked.
    pub required: bool,
}

/// What may be filled in.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum FieldKind {
    /// A line of text.
    #[default]
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// Yes or no.
    Checkbox,
    /// One of `options`.
    Choice,
}
