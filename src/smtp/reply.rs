//! What a reply to mail means: code, enhanced status code and words in, `Outcome` out.
//!
//! Pure.

use crate::domain::{EmailAddress, Outcome, Reply};

mod enhanced;
mod reason;

use reason::reason;

/// A reply: its code, and its text in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: u16,
    pub(super) text: String,
}

impl Said {
    /// The server does not know us, or not any more (RFC 4954 section 6). Says nothing about this or any other mail.
    pub(super) fn is_about_login(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
    }
}

/// Which of our words was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Mail,
    Rcpt,
    Data,
    /// The final dot.
    Dot,
}

/// The outcome of a mail whose `stage` was answered with `said`; `reply` is what is kept of it.
///
/// A code that says neither yes nor no is nonsense: before the dot nothing was handed over, after it who knows.
pub(super) fn outcome(stage: Stage, said: &Said, reply: Reply) -> Outcome {
    match (said.code, stage) {
        (200..=299, Stage::Dot) => Outcome::Accepted(reply),
        // The server closes before it has heard of the recipient: nothing to hold against anybody.
        (421, Stage::Mail) => Outcome::Unreachable(reply),
        _ if said.is_about_login() && stage != Stage::Dot => Outcome::Unreachable(reply),
        (400..=499, _) => {
            Outcome::Deferred { reply, reason: reason(stage, said), not_before: None }
        }
        (500..=599, _) => Outcome::Rejected { reply, reason: reason(stage, said) },
        (_, Stage::Dot) => Outcome::Uncertain(reply),
        (_, Stage::Mail | Stage::Rcpt | Stage::Data) => Outcome::Unreachable(reply),
    }
}

/// `text` with the recipient's address, in any case, replaced by `<recipient>`: what is kept names nobody.
pub(super) fn redact(text: &str, recipient: &EmailAddress) -> String {
    let address = recipient.as_str();
    // The form in which `lines` lets the address of an international mailbox through.
    let bytes = address.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '?' });
    let ascii: String = bytes.collect();
    let mut text = text.to_owned();
    for form in [format!("<{address}>"), format!("<{ascii}>"), address.to_owned(), ascii] {
        text = replace_any_case(&text, &form, "<recipient>");
    }
    text
}

fn replace_any_case(text: &str, old: &str, new: &str) -> String {
    let (haystack, needle) = (text.to_ascii_lowercase(), old.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in haystack.match_indices(&needle) {
        out.push_str(&text[from..at]);
        out.push_str(new);
        from = at + found.len();
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests;
