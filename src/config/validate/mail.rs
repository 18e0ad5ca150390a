//! `[mail]`, its servers and how connections to them are protected.

use std::collections::BTreeMap;

use url::{Host, Url};

use super::site::{DAY, duration};
use super::{Context, dkim, politeness, secrets};
use crate::config::report::Problem;
use crate::config::values;
use crate::config::{Credentials, Mail, MailServer, Mailbox, SmtpTransport, Tls, Transport, raw};
use crate::domain::{BOUNCE_TOKEN_LENGTH, EmailAddress, RetryPolicy};

/// Sender of an installation without newsletters, which sends no mail. RFC 2606 reserves `.invalid`.
const NOBODY: &str = "nobody@postrider.invalid";

pub(super) fn mail(
    raw: &raw::Mail,
    hello: Option<&str>,
    context: &mut Context<'_>,
) -> Option<Mail> {
    let needed = !context.names.newsletters.is_empty();
    let reply_to = optional_mailbox("mail.reply_to", raw.reply_to.as_deref(), context);
    let from = match raw.from.as_deref() {
        Some(text) => context.report.take("mail.from", values::mailbox(text)),
        None if needed => {
            let help = "newsletters need a sender: `from = \"Name <news@example.org>\"`";
            context.report.missing("mail", "from", help);
            None
        }
        None => NOBODY.parse().ok().map(|address| Mailbox { name: None, address }),
    };
    let address = raw.address.as_deref().map(str::trim).unwrap_or_default();
    if address.is_empty() && needed {
        let help = "the postal address goes under each mail; many countries demand one";
        context.report.missing("mail", "address", help);
    }
    let servers = servers(&raw.servers, hello, context);
    if needed && context.names.servers.is_empty() {
        let help = "write a section `[mail.servers.main]` with `url = \"outbox:var/outbox\"` or \
                    `url = \"smtp://user@host:587\"`";
        context.report.missing("mail", "servers", help);
    }
    let retry = retry("mail.retry", &raw.retry, context);
    let limits = politeness::domains(&raw.domains, context);
    let warm_up = politeness::warm_up(&raw.warm_up, context);
    let canary = politeness::canary(&raw.canary, context);
    let bounce_address =
        optional("mail.bounce_address", raw.bounce_address.as_deref(), bounce, context);
    let mailto =
        optional("mail.unsubscribe_mailto", raw.unsubscribe_mailto.as_deref(), mailto, context);
    let feedback_id =
        optional("mail.feedback_id", raw.feedback_id.as_deref(), feedback_id, context);
    let dkim = dkim::keys(&raw.dkim, context);
    let (domains, default_domain) = limits?;
    Some(Mail {
        from: from?,
        reply_to: reply_to?,
        address: address.to_owned(),
        bounce_address: bounce_address?,
        unsubscribe_mailto: mailto?,
        feedback_id: feedback_id?,
        encoding: raw.encoding,
        servers: servers?,
        domains,
        default_domain,
        warm_up: warm_up?,
        canary: canary?,
        retry: retry?,
        dkim: dkim?,
    })
}

/// The mailbox at `path`, if there is one. `None`: it is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are different, as in every section")]
pub(super) fn optional_mailbox(
    path: &str,
    text: Option<&str>,
    context: &mut Context<'_>,
) -> Option<Option<Mailbox>> {
    match text {
        Some(text) => context.report.take(path, values::mailbox(text)).map(Some),
        None => Some(None),
    }
}

/// What the key at `path` means, if it is there. `None`: it is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are different, as in every section")]
fn optional<T>(
    path: &str,
    text: Option<&str>,
    meaning: impl Fn(&str) -> Result<T, Problem>,
    context: &mut Context<'_>,
) -> Option<Option<T>> {
    match text {
        Some(text) => context.report.take(path, meaning(text)).map(Some),
        None => Some(None),
    }
}

fn mailto(text: &str) -> Result<EmailAddress, Problem> {
    text.parse().map_err(|error| Problem::new(format!("{error}")))
}

/// An address that each delivery's token fits into, behind a `+`.
fn bounce(text: &str) -> Result<EmailAddress, Problem> {
    const ROOM: usize = 64 - 1 - BOUNCE_TOKEN_LENGTH;
    let address = mailto(text)?;
    let local = address.local_part();
    if !local.is_ascii() || local.contains('+') || local.len() > ROOM {
        let message = format!("`{local}` leaves no room for `+` and a token that names the mail");
        return Err(Problem::new(message)
            .help(format!("at most {ROOM} ASCII characters without `+`, such as `bounces`")));
    }
    Ok(address)
}

fn feedback_id(text: &str) -> Result<String, Problem> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (5..=15).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Problem::new(format!("`{text}` is not a sender's id"))
        .help("5 to 15 letters, digits, `-` and `_`, such as `fieldnotes`"))
}

/// What we call ourselves where nobody says: the name that links in mails lead to.
pub(super) fn hello_name(public_url: &Url) -> String {
    match public_url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => format!("[{address}]"),
        Some(Host::Ipv6(address)) => format!("[IPv6:{address}]"),
        None => "localhost".to_owned(),
    }
}

fn servers(
    raw: &BTreeMap<String, raw::MailServer>,
    hello: Option<&str>,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, MailServer>> {
    let mut servers = BTreeMap::new();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("mail.servers.{name}");
        let named = context.report.take(&at, values::name(name));
        match (named, server(name, raw, hello, context)) {
            (Some(()), Some(server)) => {
                servers.insert(name.clone(), server);
            }
            _ => complete = false,
        }
    }
    complete.then_some(servers)
}

fn server(
    name: &str,
    raw: &raw::MailServer,
    hello: Option<&str>,
    context: &mut Context<'_>,
) -> Option<MailServer> {
    let at = format!("mail.servers.{name}");
    let hello = match raw.hello_name.as_deref() {
        Some(text) => context.report.take(&format!("{at}.hello_name"), host_name(text)),
        None => hello.map(str::to_owned),
    };
    let domains = politeness::domain_names(&format!("{at}.domains"), &raw.domains, context);
    let rate = politeness::rate(&format!("{at}.rate"), raw.rate.as_ref(), context);
    let transport = transport(&at, raw, context)?;
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Some(MailServer {
        name: name.to_owned(),
        transport,
        connections: number(raw.connections),
        messages_per_connection: number(raw.messages_per_connection),
        weight: raw.weight,
        rate: rate?,
        daily_quota: raw.daily_quota.map(i64::from),
        domains: domains?,
        chunking: raw.chunking,
        window: number(raw.window),
        hello_name: hello?,
        dkim: raw.dkim,
    })
}

fn host_name(text: &str) -> Result<String, Problem> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-[]:_".contains(c);
    if !text.is_empty() && text.len() <= 255 && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Problem::new(format!("`{text}` is not a host name"))
        .help("write a name such as `mail.example.org`"))
}

fn transport(at: &str, raw: &raw::MailServer, context: &mut Context<'_>) -> Option<Transport> {
    let url = raw.url.as_deref()?;
    let at_url = format!("{at}.url");
    if let Some(folder) = values::outbox(url) {
        let folder = context.report.take(&at_url, folder)?;
        return Some(Transport::Outbox(context.path(folder)));
    }
    let target = context.report.take(&at_url, target(url));
    let given = (raw.password.as_deref(), raw.password_file.as_deref());
    let password = secrets::one_of(at, "password", given, context);
    let ca_file = match raw.ca_file.as_deref() {
        Some(file) => Some(readable(&format!("{at}.ca_file"), file, context)?),
        None => None,
    };
    let (target, password) = (target?, password.ok()?);
    let tls = context.report.take(&format!("{at}.tls"), target.tls(raw.tls))?;
    let credentials = match (target.user.clone(), password) {
        (Some(user), Some(password)) => Some(Credentials { user, password }),
        (None, None) => None,
        (Some(_), None) => {
            let help = "name a file: `password_file = \"secrets/mail\"`";
            context.error(&at_url, "there is a user but no password", help);
            return None;
        }
        (None, Some(_)) => {
            let help = "put the user into the address: `smtp://user@host`";
            context.error(&at_url, "there is a password but no user", help);
            return None;
        }
    };
    if credentials.is_some() && !target.is_local && matches!(tls, Tls::None | Tls::Opportunistic) {
        let message = "the password would cross the network unprotected";
        let help = "leave `tls` out, or write `tls = \"starttls\"`";
        context.error(&format!("{at}.tls"), message, help);
        return None;
    }
    let Target { host, port, .. } = target;
    Some(Transport::Smtp(SmtpTransport { host, port, tls, credentials, ca_file }))
}

fn readable(path: &str, file: &str, context: &mut Context<'_>) -> Option<std::path::PathBuf> {
    let on_disk = context.path(file);
    let opened = std::fs::File::open(&on_disk)
        .map_err(|error| Problem::new(format!("cannot read `{file}`: {error}")));
    context.report.take(path, opened).map(|_| on_disk)
}

/// A mail server's address, taken apart.
#[derive(Debug)]
struct Target {
    implicit: bool,
    host: String,
    port: u16,
    user: Option<String>,
    is_local: bool,
}

/// Messages never quote the address: it may hold a password.
fn target(text: &str) -> Result<Target, Problem> {
    let example = "write `smtp://user@host:587`, `smtps://user@host` or `outbox:var/outbox`";
    let url = Url::parse(text.trim()).map_err(|error| {
        Problem::new(format!("this is not an address of a mail server: {error}")).help(example)
    })?;
    let implicit = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        other => {
            let near = values::nearest(other, ["smtp", "smtps", "outbox"]);
            return Err(Problem::new(format!("mail cannot be sent to `{other}:`"))
                .help(example)
                .maybe_help(near.map(|near| format!("did you mean `{near}:`?"))));
        }
    };
    if url.password().is_some() {
        return Err(Problem::new("this address contains a password").help(
            "addresses end up in logs: move the password into a file and name it with `password_file`",
        ));
    }
    if !url.path().trim_matches('/').is_empty() || url.query().is_some() || url.fragment().is_some()
    {
        return Err(Problem::new("behind host and port there is nothing to say").help(example));
    }
    let host =
        host(&url).ok_or_else(|| Problem::new("this address names no host").help(example))?;
    Ok(Target {
        implicit,
        is_local: values::is_loopback(&host),
        host,
        port: url.port().unwrap_or(if implicit { 465 } else { 587 }),
        user: (!url.username().is_empty()).then(|| decoded(url.username())),
    })
}

/// The host of `url`, in A-labels, IPv6 without brackets. The URL standard leaves it as it is written where it does not
/// know the scheme.
fn host(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => idna::domain_to_ascii_strict(&decoded(name)).ok(),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// Undoes percent-encoding; `user@example.org` arrives as `user%40example.org`.
fn decoded(text: &str) -> String {
    // The decoder is one for forms, where `+` and `&` mean something else.
    let pair = format!("it={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

impl Target {
    /// The protection that was chosen, or the right one for the place.
    fn tls(&self, chosen: Option<Tls>) -> Result<Tls, Problem> {
        match (chosen, self.implicit) {
            (None | Some(Tls::Implicit), true) => Ok(Tls::Implicit),
            (Some(_), true) => Err(Problem::new("`smtps:` is TLS from the first byte")
                .help("leave `tls` out, or write `smtp:` in the address")),
            (Some(Tls::Implicit), false) => Err(Problem::new("`smtp:` does not begin with TLS")
                .help("write `smtps:` in the address for TLS from the first byte (port 465)")),
            (Some(tls), false) => Ok(tls),
            (None, false) if self.is_local => Ok(Tls::Opportunistic),
            (None, false) => Ok(Tls::StartTls),
        }
    }
}

/// `[mail.retry]`, and `retry` of a destination.
pub(super) fn retry(
    at: &str,
    raw: &raw::MailRetry,
    context: &mut Context<'_>,
) -> Option<RetryPolicy> {
    let key = |name: &str| format!("{at}.{name}");
    let first = duration(&key("first_delay"), &raw.first_delay, 1, DAY, context);
    let most = duration(&key("max_delay"), &raw.max_delay, 1, 30 * DAY, context);
    let give_up = duration(&key("give_up_after"), &raw.give_up_after, 1, 365 * DAY, context);
    let (first_delay, max_delay, give_up_after) = (first?, most?, give_up?);
    for (name, value) in [("max_delay", max_delay), ("give_up_after", give_up_after)] {
        if value < first_delay {
            let message = format!("`{name}` is shorter than `first_delay`");
            let help = format!("`first_delay` is {first_delay:#}");
            context.error(&key(name), message, help);
        }
    }
    Some(RetryPolicy {
        first_delay,
        max_delay,
        max_attempts: raw.max_attempts,
        give_up_after,
        resend_uncertain: raw.on_uncertain == raw::OnUncertain::Resend,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_follows_from_the_address() {
        for (url, host, port, tls) in [
            ("smtp://news@mail.example.org", "mail.example.org", 587, Tls::StartTls),
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Tls::Opportunistic),
            ("smtp://127.8.9.1", "127.8.9.1", 587, Tls::Opportunistic),
            ("smtp://[::1]:25", "::1", 25, Tls::Opportunistic),
            ("smtp://localhost:25", "localhost", 25, Tls::Opportunistic),
            ("smtp://10.0.0.1", "10.0.0.1", 587, Tls::StartTls),
            ("smtps://mail.example.org", "mail.example.org", 465, Tls::Implicit),
            ("smtps://Bücher.example", "xn--bcher-kva.example", 465, Tls::Implicit),
        ] {
            let target = target(url).unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{url}");
            assert_eq!(target.tls(None).unwrap(), tls, "{url}");
        }
    }

    #[test]
    fn a_bounce_address_has_room_for_a_token() {
        assert!(bounce("bounces@b.example.org").is_ok());
        assert!(bounce(&format!("{}@b.example.org", "b".repeat(22))).is_ok());
        for bad in [
            "bounces",
            "a+b@b.example.org",
            "bünces@b.example.org",
            "seven-and-twenty-letters-x@b.example",
        ] {
            assert!(bounce(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_feedback_id_is_what_gmail_takes() {
        for good in ["notes", "fieldnotes-2026"] {
            assert!(feedback_id(good).is_ok(), "{good}");
        }
        for bad in ["", "four", "more-than-fifteen", "a:b:c", "field notes"] {
            assert!(feedback_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_user_may_be_a_mail_address() {
        let user = |url: &str| target(url).unwrap().user.unwrap();
        assert_eq!(user("smtp://news%40example.org@mail.example.org"), "news@example.org");
        assert_eq!(user("smtp://news@example.org@mail.example.org"), "news@example.org");
        assert_eq!(user("smtp://a+b@mail.example.org"), "a+b");
    }

    #[test]
    fn passwords_in_addresses_are_refused_and_not_repeated() {
        let problem = target("smtp://news:hunter2@mail.example.org").unwrap_err();
        assert!(problem.help.as_deref().unwrap().contains("password_file"));
        assert!(!format!("{problem:?}").contains("hunter2"));
        assert!(!format!("{:?}", target("smtp://u:hunt/er2@host")).contains("hunt"));
    }
}
