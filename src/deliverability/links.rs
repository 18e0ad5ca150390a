//! The reader's way out: one-click unsubscribing must be reachable for mailbox providers, and the mail say who sends it.

use url::{Host, Url};

use super::Subject;
use super::finding::{Finding, Maker};
use super::notes::{Lookup, Notes};
use super::origin::is_public;
use super::providers::is_within;

const LINKS: Maker = Maker("one-click");
const ADDRESS: Maker = Maker("address");
const EFFECT: &str = "Gmail and Yahoo demand one-click unsubscribing and cannot reach it there";

pub(super) fn judge(subject: &Subject, notes: &mut Notes) -> Vec<Finding> {
    vec![links(&subject.public_url, notes), address(&subject.postal_address)]
}

fn links(url: &Url, notes: &mut Notes) -> Finding {
    let private = |what: &str| {
        LINKS
            .error("links-private", format!("`server.public_url` is {url}, {what}"))
            .effect(EFFECT)
            .help("write the https address at which readers reach Postrider")
    };
    let name = match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.'),
        Some(Host::Ipv4(address)) if !is_public(address.into()) => {
            return private("an address of no public network");
        }
        Some(Host::Ipv6(address)) if !is_public(address.into()) => {
            return private("an address of no public network");
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            return LINKS
                .warning("links-address", format!("`server.public_url` is {url}, without a name"))
                .effect("spam filters dislike links to bare addresses")
                .help("give the machine a name and a certificate for it");
        }
        None => return private("which has no host"),
    };
    if !name.contains('.') || is_within(name, "localhost") || is_within(name, "local") {
        return private("a name that only this network knows");
    }
    if url.scheme() != "https" {
        return LINKS
            .error("links-plain", format!("`server.public_url` is {url}, without TLS"))
            .effect("one-click unsubscribing counts over https only (RFC 8058)")
            .help("put a proxy with TLS in front, and write its https address");
    }
    match notes.addresses(name) {
        Lookup::Found(addresses) if addresses.iter().any(|address| is_public(*address)) => {
            LINKS.good("links", format!("unsubscribe links lead to {url}"))
        }
        Lookup::Found(_) => private("a name with addresses of no public network"),
        Lookup::Missing => LINKS
            .error("links-unknown", format!("`{name}` in `server.public_url` has no address"))
            .effect(EFFECT)
            .help("publish an A or AAAA record for it"),
        Lookup::Unanswered(why) => {
            let what = format!("the address of `{name}`");
            Finding::unknown(LINKS.0, "links-unanswered", &what, &why)
        }
    }
}

fn address(postal: &str) -> Finding {
    if postal.trim().is_empty() {
        return ADDRESS
            .error("address-missing", "there is no postal address under the mails")
            .effect("many countries demand one in bulk mail, spam filters look for it")
            .help("write it into `mail.address`");
    }
    ADDRESS.good("address", "each mail says who sends it from where")
}
