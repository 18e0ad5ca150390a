//! SPF: may the server that mail leaves from use the domain in the envelope (RFC 7208)?

use std::collections::BTreeSet;

use super::finding::{Finding, Maker, Record};
use super::notes::{Lookup, Notes};
use super::origin::Origin;

mod record;
mod walk;

use record::{Mechanism, Qualifier, Term};
use walk::{Fault, Walk};

const SPF: Maker = Maker("SPF");
const MOST_LOOKUPS: u32 = 10;
const MOST_VOIDS: u32 = 2;

/// A server that sends for the domain, and where its mail leaves from.
pub(super) struct Relay<'a> {
    pub(super) name: &'a str,
    pub(super) origin: &'a Origin,
}

/// Judges the record of `domain`, the one in the envelope.
pub(super) fn judge(domain: &str, relays: &[Relay<'_>], notes: &mut Notes) -> Vec<Finding> {
    let texts = match notes.txt(domain) {
        Lookup::Found(texts) => texts,
        Lookup::Missing => Vec::new(),
        Lookup::Unanswered(why) => {
            let what = format!("the SPF record of `{domain}`");
            return vec![Finding::unknown(SPF.0, "spf-unanswered", &what, &why)];
        }
    };
    let records: Vec<_> = texts.into_iter().filter(|text| record::is_record(text)).collect();
    match &records[..] {
        [] => vec![missing(domain, relays)],
        [text] => {
            let walk = Walk::of(domain, text, notes);
            one(domain, text, &walk, relays)
        }
        several => vec![
            SPF.error("spf-several", format!("`{domain}` has {} SPF records", several.len()))
                .effect("receivers take none of them when there is more than one")
                .help("put them together in one record")
                .record(mended(domain, several, &wanted(relays))),
        ],
    }
}

fn missing(domain: &str, relays: &[Relay<'_>]) -> Finding {
    let wanted = wanted(relays);
    let help = if wanted.is_empty() {
        "say where mail leaves from with `--outgoing ADDRESS`, and the record is written for you"
    } else {
        "publish the record below; add whatever else sends mail for this domain"
    };
    let record = (!wanted.is_empty()).then(|| mended(domain, &[], &wanted));
    SPF.error("spf-missing", format!("`{domain}` has no SPF record"))
        .effect("Gmail, Yahoo and Microsoft refuse bulk mail without one")
        .help(help)
        .record(record)
}

/// Judges the only record there is.
fn one(domain: &str, text: &str, walk: &Walk, relays: &[Relay<'_>]) -> Vec<Finding> {
    let records = [text.to_owned()];
    let lacking = lacking(walk, relays);
    let words: Vec<_> = lacking.iter().flat_map(|relay| relay.origin.mechanisms()).collect();
    let record = mended(domain, &records, &words);
    let mut findings: Vec<_> = walk.faults.iter().map(|fault| broken(domain, fault)).collect();
    findings.extend(limits(domain, walk));
    findings.extend(ending(walk).map(|finding| finding.record(record.clone())));
    if walk.uses_ptr {
        findings.push(
            SPF.warning("spf-ptr", format!("the record of `{domain}` uses `ptr`"))
                .effect("some receivers ignore it, because it is slow and was abandoned")
                .help("name addresses with `ip4:` and `ip6:`")
                .record(record.clone()),
        );
    }
    for (what, why) in &walk.unanswered {
        findings.push(Finding::unknown(SPF.0, "spf-unanswered", what, why));
    }
    // With a part of the record unknown, nobody can say that a relay is not in it.
    if walk.unanswered.is_empty() && walk.faults.is_empty() {
        findings.extend(lacking.iter().map(|relay| uncovered(relay, walk, record.clone())));
    }
    if findings.is_empty() {
        findings.push(sound(domain, walk, relays));
    }
    findings
}

fn sound(domain: &str, walk: &Walk, relays: &[Relay<'_>]) -> Finding {
    let end = match walk.all {
        Some(Qualifier::Fail) => "-all",
        Some(_) | None => "~all",
    };
    let covered: Vec<_> = relays.iter().filter(|relay| relay.origin.is_known()).collect();
    let covers = match &covered[..] {
        [] => String::new(),
        relays => {
            let names: Vec<_> = relays.iter().map(|relay| format!("`{}`", relay.name)).collect();
            format!(", covers {}", names.join(", "))
        }
    };
    let lookups = walk.lookups;
    let text = format!("`{domain}`: {lookups} of {MOST_LOOKUPS} look-ups, ends in {end}{covers}");
    SPF.good("spf", text)
}

fn broken(domain: &str, fault: &Fault) -> Finding {
    let effect = "receivers treat the whole record as an error, and mail as if it had none";
    let (code, message, help) = match fault {
        Fault::NoRecord(name) => (
            "spf-include-missing",
            format!("the record of `{domain}` leads to `{name}`, which has no SPF record"),
            format!("take out `include:{name}`, or write it right"),
        ),
        Fault::Several(name) => (
            "spf-include-several",
            format!("the record of `{domain}` leads to `{name}`, which has several SPF records"),
            format!("ask whoever runs `{name}`, or name their addresses with `ip4:`"),
        ),
        Fault::Syntax { name, word } => (
            "spf-syntax",
            format!("`{word}` in the record of `{name}` is no SPF term"),
            "terms look like `ip4:192.0.2.1`, `include:example.net`, `mx` and `~all`".to_owned(),
        ),
        Fault::Loop(name) => (
            "spf-loop",
            format!("the record of `{domain}` leads back to `{name}`"),
            "take out the `include` or `redirect` that closes the circle".to_owned(),
        ),
        Fault::Exchanges(name) => (
            "spf-mx",
            format!("`mx` leads to more than ten servers of `{name}`"),
            "name their addresses with `ip4:` and `ip6:`".to_owned(),
        ),
    };
    SPF.error(code, message).effect(effect).help(help)
}

fn limits(domain: &str, walk: &Walk) -> Vec<Finding> {
    let mut findings = Vec::new();
    if walk.lookups > MOST_LOOKUPS {
        let count = walk.lookups;
        let message =
            format!("the record of `{domain}` takes {count} look-ups; {MOST_LOOKUPS} are allowed");
        findings.push(
            SPF.error("spf-lookups", message)
                .effect("receivers stop at the tenth and treat the record as an error")
                .help("take out what no longer sends, or name addresses with `ip4:` and `ip6:`"),
        );
    }
    if walk.voids > MOST_VOIDS {
        let count = walk.voids;
        let message = format!("{count} look-ups of the record of `{domain}` find nothing");
        findings.push(
            SPF.error("spf-void", message)
                .effect("receivers allow two and then treat the record as an error")
                .help("take out the names that no longer exist"),
        );
    }
    findings
}

/// What is wrong with how it ends.
fn ending(walk: &Walk) -> Option<Finding> {
    // Where the end is in a record that could not be followed, nothing can be said of it.
    let is_unsure = !walk.unanswered.is_empty() || !walk.faults.is_empty();
    match walk.all {
        Some(Qualifier::Fail | Qualifier::SoftFail) => None,
        Some(Qualifier::Pass) => Some(
            SPF.error("spf-everybody", "the record ends in `+all`: everybody may send")
                .effect("receivers distrust the domain, and anybody can forge it")
                .help("end it in `~all`"),
        ),
        Some(Qualifier::Neutral) => Some(
            SPF.warning("spf-open", "the record ends in `?all`: it forbids nothing")
                .effect("receivers learn nothing from it about forged mail")
                .help("end it in `~all`"),
        ),
        None if is_unsure => None,
        None => Some(
            SPF.warning("spf-open", "the record does not end in `~all` or `-all`")
                .effect("receivers learn nothing from it about forged mail")
                .help("end it in `~all`"),
        ),
    }
}

/// The relays that the record does not cover, as far as that can be told.
fn lacking<'a>(walk: &Walk, relays: &'a [Relay<'a>]) -> Vec<&'a Relay<'a>> {
    relays
        .iter()
        .filter(|relay| match relay.origin {
            Origin::Provider(provider) => !walk.includes.contains(provider.include),
            Origin::Here(addresses) | Origin::Relay(addresses) => {
                !addresses.iter().any(|at| walk.networks.iter().any(|net| net.contains(at)))
            }
            Origin::Unknown => false,
        })
        .collect()
}

fn uncovered(relay: &Relay<'_>, walk: &Walk, record: Record) -> Finding {
    let name = relay.name;
    if walk.depends && !matches!(relay.origin, Origin::Here(_)) {
        let message =
            format!("whether it covers `{name}` depends on the mail (macros or `exists`)");
        return SPF.advice("spf-depends", message).help("send a test mail and read its headers");
    }
    match relay.origin {
        Origin::Provider(provider) => {
            let (who, include) = (provider.name, provider.include);
            let message =
                format!("the record does not cover `{name}` ({who}): `include:{include}`");
            SPF.warning("spf-relay", message)
                .effect("SPF fails unless the service puts a domain of its own into the envelope")
                .help("publish the record below, or set up a return path at the service")
        }
        Origin::Relay(addresses) => {
            let host = list(addresses);
            let message = format!("the record does not cover `{name}` at {host}");
            SPF.warning("spf-relay", message)
                .effect("SPF fails if mail leaves from there")
                .help("if it leaves from elsewhere, say from where with `--outgoing ADDRESS`")
        }
        Origin::Here(addresses) => {
            let message = format!("the record does not cover {}", list(addresses));
            SPF.error("spf-relay", message)
                .effect("SPF fails for every mail: Gmail, Yahoo and Microsoft refuse bulk mail")
                .help("publish the record below")
        }
        Origin::Unknown => {
            return SPF.advice("spf-unknown", format!("`{name}` sends from somewhere"));
        }
    }
    .record(record)
}

fn list(addresses: &[std::net::IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a record must have for all relays.
fn wanted(relays: &[Relay<'_>]) -> Vec<String> {
    let words: BTreeSet<_> = relays.iter().flat_map(|relay| relay.origin.mechanisms()).collect();
    words.into_iter().collect()
}

/// `records` as one, with `wanted` and a proper end.
fn mended(domain: &str, records: &[String], wanted: &[String]) -> Record {
    let mut words: Vec<&str> = Vec::new();
    let mut redirect = None;
    let mut ends = Vec::new();
    for word in records.iter().flat_map(|record| record.split_ascii_whitespace().skip(1)) {
        match record::parse(&format!("v=spf1 {word}")).as_deref() {
            Ok([Term::Redirect(_)]) => redirect = Some(word),
            Ok([Term::Mechanism(qualifier, Mechanism::All)]) => ends.push(*qualifier),
            Ok([Term::Mechanism(_, Mechanism::Ptr)]) => {}
            Ok(_) | Err(_) if words.contains(&word) => {}
            Ok(_) | Err(_) => words.push(word),
        }
    }
    for word in wanted {
        if !words.contains(&word.as_str()) {
            words.push(word);
        }
    }
    let end = match redirect {
        Some(redirect) if ends.is_empty() => redirect,
        Some(_) | None if ends.contains(&Qualifier::Fail) => "-all",
        Some(_) | None => "~all",
    };
    let value = ["v=spf1"].into_iter().chain(words).chain([end]).collect::<Vec<_>>().join(" ");
    Record::txt(domain, value).replacing(records)
}

#[cfg(test)]
mod tests;
