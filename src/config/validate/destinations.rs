//! `[destinations.NAME]`: where cross-posts go, with which keys, and which networks that may be in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ipnet::IpNet;
use url::{Host, Url};

use super::newsletters::free;
use super::site::duration;
use super::{Context, mail, secrets};
use crate::config::report::Problem;
use crate::config::values;
use crate::config::{Destination, DestinationKind, Endpoint, Secret, SecretBytes, Webhook, raw};

pub(super) fn destinations(
    raw: &BTreeMap<String, raw::Destination>,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, Destination>> {
    let mut destinations = BTreeMap::new();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("destinations.{name}");
        let named = context.report.take(&at, values::name(name).and_then(|()| free(name)));
        match (named, destination(name, &at, raw, context)) {
            (Some(()), Some(destination)) => {
                destinations.insert(name.clone(), destination);
            }
            _ => complete = false,
        }
    }
    complete.then_some(destinations)
}

fn destination(
    name: &str,
    at: &str,
    raw: &raw::Destination,
    context: &mut Context<'_>,
) -> Option<Destination> {
    let retry = mail::retry(&format!("{at}.retry"), &raw.retry.clone().into(), context);
    let webhook = webhook(at, raw, context);
    match raw.kind? {
        raw::DestinationKind::Webhook => Some(Destination {
            name: name.to_owned(),
            kind: DestinationKind::Webhook(webhook?),
            retracts: raw.on_delete == raw::OnDelete::Retract,
            updates: raw.on_update == raw::OnUpdate::Update,
            retry: retry?,
        }),
    }
}

fn webhook(at: &str, raw: &raw::Destination, context: &mut Context<'_>) -> Option<Webhook> {
    let timeout = duration(&format!("{at}.timeout"), &raw.timeout, 1, 300, context);
    let secrets = keys(at, raw, context);
    let headers = headers(at, &raw.headers, context);
    let template = match raw.template.as_deref() {
        Some(name) => Some(context.report.take(&format!("{at}.template"), template(name))?),
        None => None,
    };
    let endpoint = endpoint(at, raw, context);
    Some(Webhook {
        endpoint: endpoint?,
        secrets: secrets?,
        headers: headers?,
        template,
        timeout: timeout?,
    })
}

fn template(name: &str) -> Result<String, Problem> {
    let bare = name.strip_suffix(".json").unwrap_or(name);
    values::name(bare).map_err(|_| {
        Problem::new(format!("`{name}` cannot be the name of a template"))
            .help("`template = \"chat\"` is the file `templates/crosspost/chat.json`")
    })?;
    Ok(bare.to_owned())
}

fn endpoint(at: &str, raw: &raw::Destination, context: &mut Context<'_>) -> Option<Endpoint> {
    let mut allow = networks(&format!("{at}.allow"), &raw.allow, context);
    let url = raw.url.as_deref()?;
    let at_url = format!("{at}.url");
    if let Some(folder) = values::outbox(url) {
        let folder = context.report.take(&at_url, folder)?;
        return Some(Endpoint::Outbox(context.path(folder)));
    }
    let url = context.report.take(&at_url, values::web_url(url))?;
    let literal = literal_networks(&url);
    if url.scheme() == "http" && literal.is_empty() && raw.allow.is_empty() {
        let help =
            "write `https://`, or name the private network it is in: `allow = [\"10.0.0.0/8\"]`";
        context.error(&at_url, "anybody on the way could read and change these calls", help);
        return None;
    }
    if let Some(allow) = &mut allow {
        allow.extend(literal);
    }
    Some(Endpoint::Http { url, allow: allow? })
}

/// The networks that somebody who writes this very address has allowed by writing it.
fn literal_networks(url: &Url) -> Vec<IpNet> {
    match url.host() {
        Some(Host::Ipv4(address)) => vec![IpNet::from(IpAddr::V4(address))],
        Some(Host::Ipv6(address)) => vec![IpNet::from(IpAddr::V6(address))],
        Some(Host::Domain(name)) if values::is_loopback(name) => {
            let local = ["127.0.0.0/8", "::1/128"];
            local.iter().filter_map(|network| network.parse().ok()).collect()
        }
        Some(Host::Domain(_)) | None => Vec::new(),
    }
}

pub(super) fn networks(at: &str, raw: &[String], context: &mut Context<'_>) -> Option<Vec<IpNet>> {
    let mut networks = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network.map(|network| network.trunc()).map_err(|_| {
            Problem::new(format!("`{text}` is not a network"))
                .help("write `10.0.0.0/8`, `fd00::/8` or a single address")
        });
        networks.push(context.report.take(&format!("{at}.{index}"), network));
    }
    networks.into_iter().collect()
}

/// The keys that sign calls, from whichever of three places they are in.
fn keys(
    at: &str,
    raw: &raw::Destination,
    context: &mut Context<'_>,
) -> Option<Vec<Arc<SecretBytes>>> {
    if let Some(listed) = &raw.secrets {
        if raw.secret.is_some() || raw.secret_file.is_some() {
            let help = "keep one of them";
            context.error(&format!("{at}.secrets"), "keys are given in two places", help);
            return None;
        }
        let mut keys = Vec::new();
        for (index, text) in listed.iter().enumerate() {
            keys.push(context.report.take(&format!("{at}.secrets.{index}"), key(text)));
        }
        return keys.into_iter().collect();
    }
    let given = (raw.secret.as_deref(), raw.secret_file.as_deref());
    let Some(secret) = secrets::one_of(at, "secret", given, context).ok()? else {
        return Some(Vec::new());
    };
    let from = if raw.secret.is_some() { "secret" } else { "secret_file" };
    let lines = secret.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Vec<_> =
        lines.map(|line| context.report.take(&format!("{at}.{from}"), key(line))).collect();
    keys.into_iter().collect()
}

/// A Standard Webhooks key. Messages never repeat it.
fn key(text: &str) -> Result<Arc<SecretBytes>, Problem> {
    let make = "make one with `printf 'whsec_%s\\n' \"$(openssl rand -base64 32)\"`";
    let text = text.trim();
    if text.starts_with("whsk_") || text.starts_with("whpk_") {
        return Err(Problem::new("this is an asymmetric key; calls are signed with a shared one")
            .help(make));
    }
    let encoded = text
        .strip_prefix("whsec_")
        .ok_or_else(|| Problem::new("a webhook key begins with `whsec_`").help(make))?;
    let bytes =
        STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).map_err(|_| {
            Problem::new("behind `whsec_` there is something that is not base64").help(make)
        })?;
    if !(24..=64).contains(&bytes.len()) {
        let message = format!("this key has {} bytes; it takes 24 to 64", bytes.len());
        return Err(Problem::new(message).help(make));
    }
    Ok(Arc::new(SecretBytes::new(bytes)))
}

fn headers(
    at: &str,
    raw: &BTreeMap<String, String>,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, Secret>> {
    let mut headers = BTreeMap::new();
    let mut complete = true;
    for (name, value) in raw {
        let path = format!("{at}.headers.{name}");
        match context.report.take(&path, header(name, value)) {
            Some(value) => {
                headers.insert(name.to_ascii_lowercase(), value);
            }
            None => complete = false,
        }
    }
    complete.then_some(headers)
}

/// A header that we may add. The value is never repeated.
fn header(name: &str, value: &str) -> Result<Secret, Problem> {
    const OURS: [&str; 6] =
        ["host", "content-length", "content-type", "connection", "transfer-encoding", "upgrade"];
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(Problem::new(format!("`{name}` is not the name of a header"))
            .help("write for example `Authorization`"));
    }
    let lower = name.to_ascii_lowercase();
    if OURS.contains(&lower.as_str()) || lower.starts_with("webhook-") {
        return Err(Problem::new(format!("Postrider sets `{name}` itself")));
    }
    if value.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return Err(Problem::new(format!(
            "the value of `{name}` has characters that no header can"
        ))
        .help("plain ASCII on one line"));
    }
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_prefix_and_their_length() {
        assert_eq!(key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap().expose().len(), 24);
        for bad in ["C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_AAAA", "whsec_ä", "whsk_AAAA", ""] {
            let problem = key(bad).unwrap_err();
            assert!(bad.len() < 8 || !problem.message.contains(bad), "{problem:?}");
        }
    }

    #[test]
    fn an_address_that_is_written_out_is_allowed() {
        let allowed = |url: &str| {
            let networks = literal_networks(&Url::parse(url).unwrap());
            networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(allowed("http://127.0.0.1:9/x"), ["127.0.0.1/32"]);
        assert_eq!(allowed("http://[fd00::1]/"), ["fd00::1/128"]);
        assert_eq!(allowed("http://localhost:9/"), ["127.0.0.0/8", "::1/128"]);
        assert!(allowed("https://hooks.example.org/").is_empty());
    }

    #[test]
    fn headers_that_carry_the_protocol_are_ours() {
        for bad in ["Host", "webhook-id", "Content-Type", "a b", "ä", ""] {
            assert!(header(bad, "x").is_err(), "{bad}");
        }
        assert!(header("X-Key", "a\r\nb").is_err());
        assert_eq!(header("Authorization", "Bearer x").unwrap().expose(), "Bearer x");
    }
}
