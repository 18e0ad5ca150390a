//! A mail server of ours: can mail leave over it, under which name, and from an address that receivers trust?

use std::net::IpAddr;

use url::Host;

use super::finding::{Finding, Grade, Maker, Record};
use super::notes::{Contact, Lookup, Notes, Trouble, canonical};
use super::origin::Origin;
use super::{Protection, Server, Smtp, Subject};

const TLS: Maker = Maker("TLS");
const LOGIN: Maker = Maker("login");
const EHLO: Maker = Maker("EHLO");
const PTR: Maker = Maker("PTR");

/// Judges one server. `origin` is where its mail leaves from.
pub(super) fn judge(
    server: &Server,
    origin: &Origin,
    subject: &Subject,
    notes: &mut Notes,
) -> Vec<Finding> {
    let Some(smtp) = &server.smtp else {
        let text = "an outbox folder: no mail leaves this machine";
        return vec![Maker("outbox").advice("outbox", text)];
    };
    let mut findings = contact(server, smtp, notes);
    findings.push(hello(smtp, origin));
    findings.extend(reverse(smtp, origin, notes));
    if *origin == Origin::Unknown && subject.outgoing.is_empty() {
        findings.push(
            PTR.advice("ptr-unknown", "where mail leaves from cannot be told from here")
                .help("say it with `--outgoing ADDRESS`, and PTR and SPF are checked for it"),
        );
    }
    findings
}

fn contact(server: &Server, smtp: &Smtp, notes: &mut Notes) -> Vec<Finding> {
    let place = format!("{}:{}", smtp.host, smtp.port);
    let (trouble, text) = match notes.contacts.ask(server.name.clone()) {
        Lookup::Found(Contact::Ready) => return ready(smtp, &place),
        Lookup::Found(Contact::Failed { trouble, text }) => (trouble, text),
        Lookup::Missing => (Trouble::Reach, "there is no such server".to_owned()),
        Lookup::Unanswered(why) => {
            return vec![Finding::unknown(TLS.0, "server-unasked", &format!("`{place}`"), &why)];
        }
    };
    let effect = "no mail leaves over this server until this is mended";
    let (maker, code, message, help) = match trouble {
        Trouble::Reach => (
            TLS,
            "server-unreachable",
            format!("`{place}` does not answer as a mail server: {text}"),
            "look at host and port; many networks block port 25, 587 and 465 are for you",
        ),
        Trouble::NoTls => (
            TLS,
            "tls-missing",
            format!("`{place}` offers no STARTTLS: {text}"),
            "use `smtps://` and port 465, or ask whoever runs it",
        ),
        Trouble::Handshake => (
            TLS,
            "tls-certificate",
            format!("`{place}` is not who it says it is: {text}"),
            "use the name that its certificate has; name an authority of your own in `ca_file`",
        ),
        Trouble::Login => (
            LOGIN,
            "login-refused",
            format!("`{place}`: {text}"),
            "look at user and password of this server",
        ),
    };
    vec![maker.error(code, message).effect(effect).help(help)]
}

fn ready(smtp: &Smtp, place: &str) -> Vec<Finding> {
    let mut findings = vec![match smtp.protection {
        Protection::Verified => {
            TLS.good("tls", format!("`{place}` speaks TLS with a valid certificate"))
        }
        Protection::Unverified if smtp.is_local() => {
            TLS.good("tls-local", format!("`{place}` is this machine; it answers"))
        }
        Protection::Unverified => TLS
            .warning("tls-unverified", format!("`{place}` answers; its certificate is not checked"))
            .effect("whoever sits in between can read the mail")
            .help("leave `tls` out, or write `tls = \"starttls\"`"),
    }];
    if smtp.has_user {
        findings.push(LOGIN.good("login", "user and password are accepted"));
    }
    findings
}

/// What we call ourselves.
fn hello(smtp: &Smtp, origin: &Origin) -> Finding {
    let name = &smtp.hello;
    let fault = if name.starts_with('[') || name.parse::<IpAddr>().is_ok() {
        Some((Grade::Warning, "ehlo-address", "is an address"))
    } else if canonical(name) == "localhost" || canonical(name).ends_with(".localhost") {
        Some((Grade::Error, "ehlo-localhost", "means nobody but yourself"))
    } else if !name.trim_end_matches('.').contains('.') {
        Some((Grade::Error, "ehlo-bare", "has no domain"))
    } else {
        None
    };
    let Some((grade, code, what)) = fault else {
        return EHLO.good("ehlo", format!("it is greeted as `{name}`"));
    };
    // Through a relay the name is only seen in a header; straight to receivers it is refused.
    let effect = match origin {
        Origin::Provider(_) | Origin::Relay(_) => "some servers refuse it, spam filters dislike it",
        Origin::Here(_) | Origin::Unknown => "receivers refuse or distrust such a greeting",
    };
    Finding::new(grade, EHLO.0, code, format!("it is greeted as `{name}`, which {what}"))
        .effect(effect)
        .help("write a real name into `hello_name`: `hello_name = \"mail.example.org\"`")
}

/// Whether the address that mail leaves from has a name, and the name that address.
fn reverse(smtp: &Smtp, origin: &Origin, notes: &mut Notes) -> Vec<Finding> {
    match origin {
        Origin::Unknown => Vec::new(),
        Origin::Provider(provider) => {
            vec![PTR.good("ptr-provider", format!("{} looks after its addresses", provider.name))]
        }
        Origin::Here(addresses) => {
            addresses.iter().map(|address| confirmed(smtp, *address, notes)).collect()
        }
        Origin::Relay(addresses) => {
            let mut findings: Vec<_> =
                addresses.iter().map(|address| confirmed(smtp, *address, notes)).collect();
            // Whether mail leaves from there is only a guess, and it is for the relay's owner to mend.
            for finding in findings.iter_mut().filter(|finding| finding.grade > Grade::Good) {
                finding.grade = Grade::Advice;
                finding.record = None;
                finding.help = Some("ask whoever runs the mail server".to_owned());
            }
            findings
        }
    }
}

fn confirmed(smtp: &Smtp, address: IpAddr, notes: &mut Notes) -> Finding {
    let has_name = matches!(Host::parse(&smtp.hello), Ok(Host::Domain(name)) if name.contains('.'));
    let refused = "Gmail refuses mail from such an address (550-5.7.25), others distrust it";
    let record = Record::of("PTR", reversed(address), &smtp.hello);
    let names = match notes.names.ask(address) {
        Lookup::Found(names) => names,
        Lookup::Missing => {
            return PTR
                .error("ptr-missing", format!("`{address}` has no name (PTR)"))
                .effect(refused)
                .help("whoever gave you the address can set it, often in their control panel")
                .record(has_name.then_some(record));
        }
        Lookup::Unanswered(why) => {
            let what = format!("the name of `{address}`");
            return Finding::unknown(PTR.0, "ptr-unanswered", &what, &why);
        }
    };
    let mut unanswered = None;
    for name in &names {
        match notes.addresses(name) {
            Lookup::Found(addresses) if addresses.contains(&address) => {
                return greeted(smtp, address, name);
            }
            Lookup::Found(_) | Lookup::Missing => {}
            Lookup::Unanswered(why) => unanswered = Some((name, why)),
        }
    }
    if let Some((name, why)) = unanswered {
        let what = format!("the address of `{name}`");
        return Finding::unknown(PTR.0, "ptr-unanswered", &what, &why);
    }
    let name = names.first().map(String::as_str).unwrap_or_default();
    PTR.error("ptr-unconfirmed", format!("`{address}` is `{name}`, which has another address"))
        .effect(refused)
        .help("whoever gave you the address can give it the name that you greet with")
        .record(has_name.then_some(record))
}

fn greeted(smtp: &Smtp, address: IpAddr, name: &str) -> Finding {
    if canonical(name) == canonical(&smtp.hello) {
        return PTR.good("ptr", format!("`{address}` is `{name}` and back, as in EHLO"));
    }
    PTR.good("ptr", format!("`{address}` is `{name}` and back"))
}

/// `1.2.0.192.in-addr.arpa`.
fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let mut digits: Vec<_> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            digits.reverse();
            format!("{}.ip6.arpa", digits.join("."))
        }
    }
}

#[cfg(test)]
mod tests;
