//! Whom a no speaks of: the enhanced status code (RFC 3463) first, the reply code second, the words third.
//!
//! Wherever two readings are possible, the one that does not blame the address wins: calling a good address bad loses a
//! reader, keeping a bad one costs one more mail.

use super::enhanced::Enhanced;
use super::{Said, Stage};
use crate::domain::Reason;

/// The reason behind a 4xx or 5xx.
pub(super) fn reason(stage: Stage, said: &Said) -> Reason {
    let no = No { stage, code: said.code, text: said.text.to_ascii_lowercase() };
    let reason = match Enhanced::find(&said.text) {
        Some(enhanced) => no.by_enhanced(enhanced),
        None => no.by_code(),
    };
    match (stage, reason) {
        // No recipient has been named yet: it speaks of the sender.
        (Stage::Mail, Reason::Address | Reason::Mailbox) if no.is_final() => Reason::Policy,
        (Stage::Mail, Reason::Address | Reason::Mailbox) => Reason::System,
        (_, reason) => reason,
    }
}

const GREYLIST: [&str; 5] = ["greylist", "graylist", "grey-list", "gray-list", "grey list"];

const THROTTLE: [&str; 25] = [
    "rate limit",
    "rate-limit",
    "ratelimit",
    "limit exceeded",
    "limits exceeded",
    "exceeded the limit",
    "exceeded the rate",
    "unusual rate",
    "at a rate",
    "too many",
    "too fast",
    "too frequent",
    "too much mail",
    "throttl",
    "slow down",
    "tss0",
    "[ts0",
    "rp-00",
    "concurrent",
    "concurrency",
    "congest",
    "server busy",
    "temporarily deferred",
    "per hour",
    "sending limit",
];

const FULL: [&str; 8] = [
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "quota exceeded",
    "exceeded storage",
    "out of storage",
    "exceeds quota",
];

/// Without an enhanced code, 550 also means "I don't relay for you" and "your address is on a list".
const POLICY: [&str; 25] = [
    "relay",
    "spam",
    "block",
    "blacklist",
    "listed",
    "policy",
    "denied",
    "authent",
    "banned",
    "reputation",
    "unsolicited",
    "spf",
    "dkim",
    "dmarc",
    "reverse",
    "ptr record",
    "helo",
    "ehlo",
    "virus",
    "malware",
    "phish",
    "rbl",
    "sender",
    "not accepted from",
    "prohibited",
];

const SIZE: [&str; 5] =
    ["too large", "too big", "message size", "size limit", "maximum message size"];

const NOBODY: [&str; 24] = [
    "user unknown",
    "unknown user",
    "unknown recipient",
    "recipient unknown",
    "unknown mailbox",
    "unknown address",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "no mailbox",
    "no account",
    "does not exist",
    "doesn't exist",
    "doesn't have a",
    "user not found",
    "recipient not found",
    "mailbox not found",
    "mailbox unavailable",
    "invalid recipient",
    "invalid mailbox",
    "user doesn",
    "unrouteable address",
    "account disabled",
];

/// The server's own trouble, told with a 421.
const TROUBLE: [&str; 8] = [
    "shut",
    "timeout",
    "timed out",
    "time out",
    "idle",
    "maintenance",
    "going down",
    "local error",
];

struct No {
    stage: Stage,
    code: u16,
    /// In small letters.
    text: String,
}

impl No {
    fn is_final(&self) -> bool {
        self.code >= 500
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }

    fn by_enhanced(&self, Enhanced { subject, detail }: Enhanced) -> Reason {
        match (subject, detail) {
            (1, 1 | 3 | 6 | 10) => self.once_or_for_good(Reason::Mailbox, Reason::Address),
            // For now: a domain that cannot be looked up.
            (1, 2) => self.once_or_for_good(Reason::System, Reason::Address),
            (1, 7 | 8) => Reason::Policy,
            (2, 1) => self.disabled(),
            (2, 0) => self.greylisted_or(Reason::Mailbox),
            (2, 3) | (3, 3 | 4) | (6, _) => Reason::Message,
            (2, _) => Reason::Mailbox,
            // Exchange Online says 5.4.1 for a mailbox that is not in the directory, and for a directory that is not in
            // order: so it counts, but not at once. The others say that no way leads to this domain.
            (4, 1 | 4 | 6 | 14 | 310) if self.is_final() => Reason::Mailbox,
            // X.4.5 is congestion; 7.28 is Google's rate, the others Microsoft's "server busy" and "rate limited".
            (4, 5) | (7, 28 | 500 | 650 | 651) => Reason::Throttle,
            (3 | 4, _) => self.greylisted_or(Reason::System),
            (5, 3) => self.once_or_for_good(Reason::Throttle, Reason::System),
            // RFC 7293: somebody else has this mailbox, or this domain, now.
            (7, 17 | 18) if self.is_final() => Reason::Address,
            (7, _) if self.is_final() => Reason::Policy,
            (7, detail) => self.policy_for_now(detail),
            (1, 0) => self.by_words().unwrap_or(Reason::Mailbox),
            _ => match (self.by_words(), self.code) {
                (Some(reason), _) => reason,
                // With a code of its own for it, the server would have said that the mailbox does not exist.
                (None, 550 | 551 | 553) => Reason::System,
                (None, _) => self.by_code_alone(),
            },
        }
    }

    fn once_or_for_good(&self, for_now: Reason, for_good: Reason) -> Reason {
        if self.is_final() { for_good } else { for_now }
    }

    /// X.2.1: a mailbox that takes no mail. Google says it as well of one that gets too much, AOL said it of hosts on a list.
    fn disabled(&self) -> Reason {
        if !self.is_final() || self.says(&THROTTLE) {
            Reason::Mailbox
        } else if self.code == 521 || self.says(&POLICY) {
            Reason::Policy
        } else {
            Reason::Address
        }
    }

    fn greylisted_or(&self, otherwise: Reason) -> Reason {
        if !self.is_final() && self.says(&GREYLIST) {
            Reason::Greylist
        } else if self.says(&THROTTLE) {
            Reason::Throttle
        } else {
            otherwise
        }
    }

    /// 4.7.x is greylisting, rationing or a rule that we break, and few servers say clearly which.
    fn policy_for_now(&self, detail: u16) -> Reason {
        let said = self.greylisted_or(Reason::Policy);
        if said != Reason::Policy || self.says(&POLICY) {
            return said;
        }
        match (detail, self.code) {
            // Login and TLS fail for now: nobody's policy.
            (_, 454) => Reason::System,
            (0 | 1, 421) => Reason::Throttle,
            (0, _) if self.says(&["server error", "temporary error", "internal error"]) => {
                Reason::System
            }
            // What RFC 6647 section 2.4 has greylisters say.
            (1, 450 | 451) => Reason::Greylist,
            _ => Reason::Policy,
        }
    }

    fn by_code(&self) -> Reason {
        self.by_words().unwrap_or_else(|| self.by_code_alone())
    }

    fn by_words(&self) -> Option<Reason> {
        if !self.is_final() && self.says(&GREYLIST) {
            Some(Reason::Greylist)
        } else if self.says(&FULL) {
            Some(Reason::Mailbox)
        } else if self.says(&THROTTLE) {
            Some(Reason::Throttle)
        } else if self.says(&POLICY) {
            Some(Reason::Policy)
        } else if self.is_final() && self.says(&NOBODY) {
            Some(Reason::Address)
        } else if self.says(&SIZE) {
            Some(Reason::Message)
        } else {
            None
        }
    }

    fn by_code_alone(&self) -> Reason {
        match (self.code, self.stage) {
            (421, _) if self.says(&TROUBLE) => Reason::System,
            (421, _) => Reason::Throttle,
            (450, _) if self.says(&["mailbox"]) => Reason::Mailbox,
            // RFC 7504: the domain takes no mail (556); this host takes none (521).
            (550 | 551 | 553, Stage::Rcpt) | (556, _) => Reason::Address,
            (521 | 541, _) => Reason::Policy,
            (552, Stage::Rcpt) => Reason::Mailbox,
            (552 | 555, _) => Reason::Message,
            _ => Reason::System,
        }
    }
}
