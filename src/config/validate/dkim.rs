//! `[[mail.dkim]]`: the keys that sign mail.

use std::sync::Arc;

use super::{Context, secrets};
use crate::config::report::Problem;
use crate::config::{DkimKey, Mail, Newsletter, raw, values};
use crate::domain::{Diagnostic, SigningKey};

pub(super) fn keys(raw: &[raw::Dkim], context: &mut Context<'_>) -> Option<Vec<DkimKey>> {
    let keys: Vec<_> = raw.iter().enumerate().map(|(at, raw)| key(at, raw, context)).collect();
    let keys: Vec<DkimKey> = keys.into_iter().collect::<Option<_>>()?;
    let mut unique = true;
    for (at, key) in keys.iter().enumerate() {
        for earlier in &keys[..at] {
            unique &= is_apart((at, key), earlier, context);
        }
    }
    unique.then_some(keys)
}

fn key(at: usize, raw: &raw::Dkim, context: &mut Context<'_>) -> Option<DkimKey> {
    let path = |name: &str| format!("mail.dkim.{at}.{name}");
    let domain = context.report.take(&path("domain"), domain(raw.domain.as_deref()?));
    let selector = context.report.take(&path("selector"), selector(raw.selector.as_deref()?));
    let from = match &raw.from {
        Some(raw::Moment(text)) => {
            let moment = values::moment(text, &context.zone);
            Some(context.report.take(&path("from"), moment)?)
        }
        None => None,
    };
    let key = private_key(&path("key_file"), raw.key_file.as_deref()?, context)?;
    Some(DkimKey { domain: domain?, selector: selector?, key: Arc::new(key), from })
}

fn private_key(path: &str, file: &str, context: &mut Context<'_>) -> Option<SigningKey> {
    let pem = secrets::read(path, file, context)?;
    let help = "make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out FILE`, or with \
                `openssl genpkey -algorithm ed25519 -out FILE`";
    let key = SigningKey::from_pem(pem.expose())
        .map_err(|error| Problem::new(format!("`{file}` is of no use: {error}")).help(help));
    context.report.take(path, key)
}

fn domain(text: &str) -> Result<String, Problem> {
    let ascii = idna::domain_to_ascii_strict(text.trim()).unwrap_or_default();
    if ascii.contains('.') && !ascii.ends_with('.') {
        return Ok(ascii);
    }
    Err(Problem::new(format!("`{text}` is not a domain that mail is sent from"))
        .help("write the sender's domain, such as `example.org`"))
}

fn selector(text: &str) -> Result<String, Problem> {
    let is_label = |label: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 120 && text.split('.').all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Problem::new(format!("`{text}` is not a selector"))
        .help("selectors are names such as `pr2026a`: letters, digits and hyphens"))
}

/// Whether it is clear which of two keys signs, and which of them a signature was made with.
fn is_apart((at, key): (usize, &DkimKey), other: &DkimKey, context: &mut Context<'_>) -> bool {
    if key.domain != other.domain {
        return true;
    }
    if key.selector == other.selector {
        let message = format!("`{}` has two keys called `{}`", key.domain, key.selector);
        let help = "a selector names one key for ever; give the new key a new one";
        context.error(&format!("mail.dkim.{at}.selector"), message, help);
        return false;
    }
    if key.key.algorithm() == other.key.algorithm() && key.from == other.from {
        let message = format!(
            "`{}` and `{}` would sign for `{}` from the same moment on",
            other.selector, key.selector, key.domain
        );
        let help = "say from when on the newer one signs: `from = \"2026-12-01\"`";
        context.error(&format!("mail.dkim.{at}"), message, help);
        return false;
    }
    true
}

/// A key that no sender's domain matches signs nothing; most likely one of the two is misspelt.
pub(super) fn warn_of_idle_keys<'a>(
    mail: &Mail,
    newsletters: impl IntoIterator<Item = &'a Newsletter>,
    context: &mut Context<'_>,
) {
    let own = newsletters.into_iter().filter_map(|newsletter| newsletter.from.as_ref());
    let senders: Vec<_> = own.chain([&mail.from]).map(|from| from.address.domain()).collect();
    for (at, key) in mail.dkim.iter().enumerate() {
        if !senders.iter().any(|sender| key.signs_for(sender)) {
            let message = format!("no newsletter is sent from `{}`", key.domain);
            let warning = Diagnostic::warning("idle-key", message)
                .effect("this key signs nothing")
                .help(format!("mail is sent from `{}`", senders.join("`, `")));
            context.report.add(&format!("mail.dkim.{at}.domain"), warning);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_and_domains_are_names_in_the_dns() {
        for good in ["s1", "2026", "a.b", "pr-2026_a"] {
            assert!(selector(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a b", "a;b", "ä", &"x".repeat(64)] {
            assert!(selector(bad).is_err(), "{bad}");
        }
        assert_eq!(domain("Bücher.Example").unwrap(), "xn--bcher-kva.example");
        for bad in ["", "localhost", "example.org.", "a b.example"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }
}
