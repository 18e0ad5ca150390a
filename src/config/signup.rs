//! `[signup]` and what a newsletter asks of those who sign up.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::domain::Rate;

/// `[signup]`: who may sign up from where, and how often.
#[derive(Clone, Debug)]
pub struct Signup {
    /// Sites with forms of ours, as browsers write them: `https://example.org`.
    pub origins: Vec<String>,
    /// Nobody fills in a form faster.
    pub fastest: SignedDuration,
    /// A form that was loaded longer ago is asked for again.
    pub good_for: SignedDuration,
    pub limits: SignupLimits,
    /// More sign-ups a minute, and each must come with work done.
    pub challenge_above: u32,
    pub domains: DomainRules,
    /// Whether name servers are asked if a domain takes mail.
    pub check_mx: bool,
    /// Which one. None: those of the system.
    pub resolver: Option<SocketAddr>,
    pub captcha: Option<Captcha>,
}

/// How often somebody may sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignupLimits {
    /// Mails to one address.
    pub address: Rate,
    /// From one network address; from a /64 of IPv6.
    pub visitor: Rate,
    /// From a /24 of IPv4, a /48 of IPv6.
    pub network: Rate,
    /// Mails to addresses at one domain.
    pub domain: Rate,
    pub overall: Rate,
}

impl Default for SignupLimits {
    fn default() -> Self {
        let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
        Self {
            address: Rate { count: 3, per: day },
            visitor: Rate { count: 5, per: hour },
            network: Rate { count: 50, per: hour },
            domain: Rate { count: 1_000, per: hour },
            overall: Rate { count: 60, per: SignedDuration::from_mins(1) },
        }
    }
}

impl Default for Signup {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            fastest: SignedDuration::from_secs(2),
            good_for: SignedDuration::from_hours(24),
            limits: SignupLimits::default(),
            challenge_above: 20,
            domains: DomainRules::default(),
            check_mx: false,
            resolver: None,
            captcha: None,
        }
    }
}

/// Domains whose addresses may sign up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainRules {
    /// Empty: all. In lower-case A-labels, as are those below.
    pub allowed: BTreeSet<String>,
    pub blocked: Arc<BTreeSet<String>>,
}

impl DomainRules {
    /// Whether addresses at `domain` may sign up. A rule for a domain is one for all that are below it.
    pub fn admit(&self, domain: &str) -> bool {
        let is_in = |rules: &BTreeSet<String>| {
            let above = domain.match_indices('.').map(|(at, _)| &domain[at + 1..]);
            std::iter::once(domain).chain(above).any(|it| rules.contains(it))
        };
        (self.allowed.is_empty() || is_in(&self.allowed)) && !is_in(&self.blocked)
    }
}

/// `[signup.captcha]`: somebody else who says whether a visitor is human.
#[derive(Clone, Debug)]
pub struct Captcha {
    pub kind: CaptchaKind,
    pub site_key: String,
    pub secret: Secret,
}

/// Who says whether a visitor is human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptchaKind {
    /// hcaptcha.com
    Hcaptcha,
    /// Cloudflare's.
    Turnstile,
}

/// What a newsletter asks of those who sign up, beside their address and their choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignupQuestions {
    /// Whether they must confirm by mail that it was they who asked.
    pub double_opt_in: bool,
    pub ask_name: bool,
    pub fields: Vec<FormField>,
}

impl Default for SignupQuestions {
    fn default() -> Self {
        Self { double_opt_in: true, ask_name: false, fields: Vec::new() }
    }
}

/// `[newsletters.NAME.fields.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    pub name: String,
    /// For people.
    pub title: String,
    pub kind: FieldKind,
    /// Not empty, and for a checkbox: ticked.
    pub required: bool,
}

/// What may be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    Date,
    Checkbox,
    /// One of these: at least two.
    Choice(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_a_domain_is_one_for_all_below_it() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let blocked =
            DomainRules { blocked: Arc::new(set(&["trash.example"])), ..DomainRules::default() };
        assert!(!blocked.admit("trash.example") && !blocked.admit("a.b.trash.example"));
        assert!(blocked.admit("nottrash.example") && blocked.admit("example"));
        let house = DomainRules { allowed: set(&["example.org"]), ..blocked };
        assert!(house.admit("mail.example.org") && !house.admit("example.net"));
    }
}
