//! Email addresses: parsed once at the edge, hidden from logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// An address that parsed. `Debug` hides it, so a stray `?address` in a log line leaks nothing.
///
/// The domain is in lower-case A-labels (UTS 46), the local part as given.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
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

    /// What two spellings of one mailbox have in common: everything in lower case, and in Unicode's form NFC, which RFC 6532 wants
    /// of addresses. RFC 5321 lets the local part be case-sensitive; no mailbox provider makes use of it.
    pub fn key(&self) -> String {
        if self.0.is_ascii() {
            return self.0.to_ascii_lowercase();
        }
        // Small letters of what is composed need not be composed themselves.
        self.0.nfc().flat_map(char::to_lowercase).nfc().collect()
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
        let odd = |c: &char| {
            c.is_control() || c.is_whitespace() || is_unseen(*c) || "\"(),:;<>[]\\".contains(*c)
        };
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

/// Characters without a shape, which make two addresses look like one: soft hyphens, joiners, marks of direction, tags.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<EmailAddress, EmailAddressError> {
        text.parse()
    }

    #[test]
    fn addresses_that_people_have_are_taken_as_they_are() {
        let longest = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        for text in [
            "ann@example.org",
            "Ann.Lee@example.org",
            "ann+field-notes@example.org",
            "o'hara@example.ie",
            "ann_lee!#$%&*/=?^`{|}~@example.org",
            "1234567890@example.org",
            "ann@mail-1.sub.example.co.uk",
            "ann@xn--bcher-kva.example",
            "\u{fc}nal@example.org",
            longest.as_str(),
        ] {
            assert_eq!(parse(text).map(String::from), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_no_mail_server_would_take_is_refused_with_the_reason() {
        use EmailAddressError::{Character, Domain, LocalPart, LocalPartTooLong, Shape, TooLong};
        let domain = |text: &str| Domain(text.to_owned());
        let long_label = format!("{}.example", "b".repeat(64));
        let long_domain = format!("{}.example", ["b".repeat(60).as_str(); 4].join("."));
        let table = [
            ("", Shape),
            ("ann", Shape),
            ("@", Shape),
            ("ann@", Shape),
            ("@example.org", Shape),
            ("ann@lee@example.org", Shape),
            ("ann lee@example.org", Character(' ')),
            ("ann@exam ple.org", Character(' ')),
            ("Ann <ann@example.org>", Character(' ')),
            ("<ann@example.org>", Character('<')),
            ("ann@example.org,bob@example.org", Shape),
            ("ann,bob@example.org", Character(',')),
            ("ann;bob@example.org", Character(';')),
            ("mailto:ann@example.org", Character(':')),
            ("\"ann lee\"@example.org", Character('"')),
            ("ann(work)@example.org", Character('(')),
            ("ann\\lee@example.org", Character('\\')),
            ("ann\u{0}@example.org", Character('\u{0}')),
            ("ann\u{7f}@example.org", Character('\u{7f}')),
            ("ann\u{a0}lee@example.org", Character('\u{a0}')),
            ("ann\u{200b}@example.org", Character('\u{200b}')),
            ("ann\u{202e}eel@example.org", Character('\u{202e}')),
            ("a\u{ad}nn@example.org", Character('\u{ad}')),
            ("ann@exam\u{feff}ple.org", Character('\u{feff}')),
            (".ann@example.org", LocalPart),
            ("ann.@example.org", LocalPart),
            ("ann..lee@example.org", LocalPart),
            ("-ann@example.org", LocalPart),
            ("ann@localhost", domain("localhost")),
            ("ann@[127.0.0.1]", Character('[')),
            ("ann@[IPv6:::1]", Character('[')),
            ("ann@127.0.0.1", domain("127.0.0.1")),
            ("ann@example.org.", domain("example.org.")),
            ("ann@.example.org", domain(".example.org")),
            ("ann@example..org", domain("example..org")),
            ("ann@-example.org", domain("-example.org")),
            ("ann@example-.org", domain("example-.org")),
            ("ann@exa_mple.org", domain("exa_mple.org")),
            ("ann@exa%6dple.org", domain("exa%6dple.org")),
            ("ann@xn--\u{fc}.example", domain("xn--\u{fc}.example")),
            (&format!("ann@{long_label}"), domain(&long_label)),
            (&format!("{}@example.org", "a".repeat(65)), LocalPartTooLong(65)),
            (&format!("abcde@{long_domain}"), TooLong(257)),
        ];
        for (text, reason) in table {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn line_ends_cannot_smuggle_in_a_header_or_a_command() {
        for text in [
            "ann@example.org\r\nBcc: bob@example.org",
            "ann\r\nRCPT TO:<bob@example.org>@example.org",
            "ann@example.org\nbob",
            "ann\n@example.org",
            "ann@exam\tple.org",
            "ann\u{2028}@example.org",
            "ann\u{85}@example.org",
        ] {
            assert!(
                matches!(
                    parse(text),
                    Err(EmailAddressError::Character(_) | EmailAddressError::Shape)
                ),
                "{text:?}"
            );
        }
        assert_eq!(
            parse("  ann@example.org\r\n").unwrap().as_str(),
            "ann@example.org",
            "only around it"
        );
    }

    #[test]
    fn the_domain_is_stored_as_the_envelope_needs_it() {
        assert_eq!(parse("ann@\u{f6}.example").unwrap().domain(), "xn--nda.example");
        assert_eq!(parse("ann@B\u{fc}cher.Example").unwrap().as_str(), "ann@xn--bcher-kva.example");
        assert_eq!(parse("ann@EXAMPLE.Org").unwrap().as_str(), "ann@example.org");
        // The full stop of other scripts (UTS 46 maps it) is no way around the rules.
        assert_eq!(parse("ann@example\u{3002}org").unwrap().domain(), "example.org");
    }

    #[test]
    fn two_spellings_of_one_mailbox_share_a_key_and_tags_do_not() {
        let key = |text| parse(text).unwrap().key();
        assert_eq!(key("Ann.Lee@Example.org"), key("ann.lee@example.ORG"));
        assert_eq!(key("\u{dc}nal@example.org"), key("\u{fc}nal@example.org"));
        assert_ne!(key("ann+news@example.org"), key("ann@example.org"));
        // As one key, or as a letter and an accent.
        assert_eq!(key("jos\u{e9}@example.org"), key("jose\u{301}@example.org"));
        assert_eq!(key("JOSE\u{301}@example.org"), key("jos\u{e9}@example.org"));
        assert_ne!(key("jose@example.org"), key("jos\u{e9}@example.org"));
        let given = parse("jose\u{301}@B\u{fc}cher.example").unwrap();
        assert_eq!(given.as_str(), "jose\u{301}@xn--bcher-kva.example", "sent as it was given");
        assert_eq!(parse("Ann@example.org").unwrap().local_part(), "Ann", "sent as it was given");
    }

    #[test]
    fn debug_output_leaks_nothing_and_stored_addresses_are_checked() {
        let ann = parse("ann@example.org").unwrap();
        assert_eq!(format!("{ann:?}"), "EmailAddress(…)");
        assert_eq!(serde_json::to_string(&ann).unwrap(), r#""ann@example.org""#);
        assert!(serde_json::from_str::<EmailAddress>(r#""ann""#).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_parses_is_one_line_parses_again_and_stays_the_same(
            text in prop_oneof!["\\PC*@\\PC*", "[-a-z.+\"<>:\r\n \u{fc}]{0,20}@[-a-zA-Z0-9.\u{fc}\u{3002}]{0,20}"],
        ) {
            if let Ok(address) = parse(&text) {
                prop_assert!(!address.as_str().contains(char::is_whitespace));
                prop_assert!(address.as_str().len() <= 254);
                prop_assert!(address.domain().is_ascii());
                // Whatever form it is written in, and read back from the key.
                let composed: String = address.as_str().nfd().collect();
                if let Ok(other) = parse(&composed) {
                    prop_assert_eq!(other.key(), address.key());
                }
                if let Ok(other) = parse(&address.key()) {
                    prop_assert_eq!(other.key(), address.key());
                }
                prop_assert_eq!(parse(address.as_str()), Ok(address));
            }
        }
    }
}
