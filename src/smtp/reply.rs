//! What a reply to mail means: code and enhanced status code in, `Outcome` out.
//!
//! Pure. The enhanced code (RFC 3463) decides first, the reply code second, the text last and only for the recipient:
//! calling a good address bad loses a reader, keeping a bad one costs one more mail.

use crate::domain::{EmailAddress, Outcome, Reason, Reply};

/// A reply: its code, and its text in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: u16,
    pub(super) text: String,
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
        (400..=499, _) => Outcome::Deferred { reply, reason: Reason::System, not_before: None },
        (500..=599, _) => {
            let reason = if address_is_bad(stage, said) { Reason::Address } else { Reason::System };
            Outcome::Rejected { reply, reason }
        }
        (_, Stage::Dot) => Outcome::Uncertain(reply),
        (_, Stage::Mail | Stage::Rcpt | Stage::Data) => Outcome::Unreachable(reply),
    }
}

/// Whether a 5xx says that the mailbox does not exist.
fn address_is_bad(stage: Stage, said: &Said) -> bool {
    if stage == Stage::Mail {
        return false; // It speaks of the sender.
    }
    match Enhanced::find(&said.text) {
        Some(Enhanced { class: 5, subject: 1, detail }) => matches!(detail, 1 | 2 | 3 | 6 | 10),
        Some(Enhanced { class: 5, subject: 2, detail }) => detail == 1,
        Some(_) => false,
        None => {
            stage == Stage::Rcpt && matches!(said.code, 550 | 551 | 553) && !is_policy(&said.text)
        }
    }
}

/// Without an enhanced code, 550 also means "I don't relay for you" and "your address is on a list".
fn is_policy(text: &str) -> bool {
    const WORDS: [&str; 10] = [
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
    ];
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

/// An enhanced status code such as 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Enhanced {
    class: u16,
    subject: u16,
    detail: u16,
}

impl Enhanced {
    /// Finds it where RFC 2034 puts it, at the start of the text, or in the word after.
    fn find(text: &str) -> Option<Self> {
        text.split_whitespace().take(2).find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        // Exchange writes `#5.1.1`, others a colon or brackets around it.
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        let mut numbers = word.split('.').map(|part| {
            let fits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| part.parse().ok()).flatten()
        });
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let whole = numbers.next().is_none() && matches!(class, 2 | 4 | 5);
        whole.then_some(Self { class, subject, detail })
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
