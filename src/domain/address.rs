//! Email addresses: parsed once at the edge, hidden from logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address that parsed. `Debug` hides it, so a stray `?address` in a log line leaks nothing.
///
/// The domain is in lower-case A-labels (UTS 46), the local part as given.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EmailAddressError {
    #[error("an email address has exactly one `@` with text on both sides")]
    Shape,
    #[error("the part before `@` is {0} bytes long; mail servers accept at most 64")]
    LocalPartTooLong(usize),
    #[error("the address is {0} bytes long; mail servers accept at most 254")]
    TooLong(usize),
    #[error("`{0}` cannot stand in an email address")]
    Character(char),
    #[error(
        "the part before `@` may not begin or end with a dot or a hyphen, or have two dots in a row"
    )]
    LocalPart,
    #[error("`{0}` is not a domain that mail can be sent to")]
    Domain(String),
}

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn local_part(&self) -> &str {
        self.split().0
    }

    pub fn domain(&self) -> &str {
        self.split().1
    }

    /// What two spellings of one mailbox have in common: everything in lower case.
    /// RFC 5321 lets the local part be case-sensitive; no mailbox provider makes use of it.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('@').expect("an address that parsed has an `@`")
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, EmailAddressError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailAddressError::Shape)?;
        if local.is_empty() || domain.is_empty() || local.contains('@') {
            return Err(EmailAddressError::Shape);
        }
        let odd = |c: &char| c.is_control() || c.is_whitespace() || "\"(),:;<>[]\\".contains(*c);
        if let Some(c) = text.chars().find(odd) {
            return Err(EmailAddressError::Character(c));
        }
        if local.len() > 64 {
            return Err(EmailAddressError::LocalPartTooLong(local.len()));
        }
        if local.starts_with(['.', '-']) || local.ends_with('.') || local.contains("..") {
            return Err(EmailAddressError::LocalPart);
        }
        let refused = || EmailAddressError::Domain(domain.to_owned());
        let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| refused())?;
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if !ascii.contains('.') || last.is_empty() || last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused());
        }
        let address = format!("{local}@{ascii}");
        if address.len() > 254 {
            return Err(EmailAddressError::TooLong(address.len()));
        }
        Ok(Self(address))
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, EmailAddressError> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}
