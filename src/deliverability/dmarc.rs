//! DMARC: does the domain in From say what to do with forged mail, and do our signature and envelope count as its own?
//!
//! The organisation's domain is found by walking up the labels, as the successor of RFC 7489 does, so that no list of
//! public suffixes has to be carried about.

use super::Sender;
use super::finding::{Finding, Maker, Record};
use super::notes::{Lookup, Notes};
use super::providers::is_within;
use super::tags::{self, Tags};

const DMARC: Maker = Maker("DMARC");
/// Names asked at most on the way up.
const MOST_STEPS: usize = 8;

/// What is published for a domain.
pub(super) struct Policy {
    /// Where it was found.
    at: String,
    text: String,
    tags: Tags,
    /// The domain within which names belong together.
    organisation: String,
}

impl Policy {
    /// What is to be done with forged mail from `domain`: `none`, `quarantine`, `reject`.
    pub(super) fn action(&self, domain: &str) -> Option<&str> {
        let inherited = if domain == self.at { None } else { self.tags.get("sp") };
        inherited.or(self.tags.get("p"))
    }

    fn is_aligned(&self, tag: &str, from: &str, other: &str) -> bool {
        if self.tags.get(tag).is_some_and(|mode| mode.eq_ignore_ascii_case("s")) {
            return from == other;
        }
        is_within(other, &self.organisation)
    }
}

/// Judges what is published for the domain in From, and whether our mail passes.
pub(super) fn judge(sender: &Sender, notes: &mut Notes) -> Vec<Finding> {
    let domain = &sender.domain;
    match find(domain, notes) {
        Ok(Some(policy)) => {
            let mut findings = sound(sender, &policy, notes);
            findings.push(alignment(sender, &policy));
            findings
        }
        Ok(None) => {
            let value = format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}");
            vec![
                DMARC
                    .error("dmarc-missing", format!("`{domain}` has no DMARC record"))
                    .effect("Gmail, Yahoo and Microsoft refuse bulk mail without one")
                    .help("publish the record below; `rua` is an address that gets the reports")
                    .record(Record::txt(format!("_dmarc.{domain}"), value)),
            ]
        }
        Err(finding) => vec![*finding],
    }
}

/// Looks from `domain` upwards. `Err`: it cannot be told.
pub(super) fn find(domain: &str, notes: &mut Notes) -> Result<Option<Policy>, Box<Finding>> {
    let mut found: Option<Policy> = None;
    for name in upwards(domain) {
        let texts = match notes.txt(&format!("_dmarc.{name}")) {
            Lookup::Found(texts) => texts,
            Lookup::Missing => continue,
            // The nearest record counts; what stands above it only widens what is aligned.
            Lookup::Unanswered(_) if found.is_some() => continue,
            Lookup::Unanswered(why) => {
                let what = format!("`_dmarc.{name}`");
                return Err(Box::new(Finding::unknown(DMARC.0, "dmarc-unanswered", &what, &why)));
            }
        };
        let records: Vec<_> =
            texts.into_iter().filter(|text| tags::is_version(text, "DMARC1")).collect();
        match &records[..] {
            [] => {}
            [text] => {
                let tags = match Tags::parse(text) {
                    Ok(tags) => tags,
                    Err(piece) => return Err(Box::new(syntax(&name, &piece, text))),
                };
                if tags.get("psd").is_some_and(|psd| psd.eq_ignore_ascii_case("y")) {
                    continue; // A registry's word about all domains below it.
                }
                if let Some(nearer) = &mut found {
                    nearer.organisation = name;
                } else {
                    let (text, at) = (text.clone(), name.clone());
                    found = Some(Policy { at, text, tags, organisation: name });
                }
            }
            several => return Err(Box::new(too_many(&name, several))),
        }
    }
    Ok(found)
}

/// `a.b.example.org`, `b.example.org`, `example.org`: never a name of one label.
fn upwards(domain: &str) -> Vec<String> {
    let labels: Vec<_> = domain.split('.').collect();
    let names = (0..labels.len().saturating_sub(1)).map(|from| labels[from..].join("."));
    let names: Vec<_> = names.collect();
    let skipped = names.len().saturating_sub(MOST_STEPS);
    // Of a very long name the middle is left out, as the standard says.
    names[..names.len().min(1)].iter().chain(names.iter().skip(skipped.max(1))).cloned().collect()
}

fn syntax(name: &str, piece: &str, text: &str) -> Finding {
    let value = format!("v=DMARC1; p=none; rua=mailto:postmaster@{name}");
    DMARC
        .error("dmarc-syntax", format!("`{piece}` in the record at `_dmarc.{name}` is no tag"))
        .effect("receivers ignore the record, and refuse bulk mail from a domain without one")
        .help("tags look like `p=none` and have `;` between them")
        .record(Record::txt(format!("_dmarc.{name}"), value).replacing(&[text.to_owned()]))
}

fn too_many(name: &str, records: &[String]) -> Finding {
    let message = format!("there are {} DMARC records at `_dmarc.{name}`", records.len());
    let first = records.first().cloned().unwrap_or_default();
    DMARC
        .error("dmarc-several", message)
        .effect("receivers take none of them when there is more than one")
        .help("leave one of them")
        .record(Record::txt(format!("_dmarc.{name}"), first).replacing(records))
}

fn sound(sender: &Sender, policy: &Policy, notes: &mut Notes) -> Vec<Finding> {
    let (domain, at) = (&sender.domain, &policy.at);
    let record = |tag: &str, value: &str| {
        Record::txt(format!("_dmarc.{at}"), policy.tags.clone().with(tag, value).to_string())
            .replacing(std::slice::from_ref(&policy.text))
    };
    let action = policy.action(domain).unwrap_or_default().to_ascii_lowercase();
    if !matches!(action.as_str(), "none" | "quarantine" | "reject") {
        let message = if action.is_empty() {
            format!("the record at `_dmarc.{at}` has no `p=`")
        } else {
            format!("`p={action}` at `_dmarc.{at}` is no policy")
        };
        return vec![
            DMARC
                .error("dmarc-policy", message)
                .effect("receivers ignore the record, and refuse bulk mail from such a domain")
                .help("`p` is `none`, `quarantine` or `reject`; begin with `none`")
                .record(record("p", "none")),
        ];
    }
    let mut findings = Vec::new();
    match policy.tags.get("rua").filter(|rua| !rua.is_empty()) {
        None => findings.push(
            DMARC
                .advice("dmarc-rua", format!("`_dmarc.{at}` names no address for reports"))
                .effect("nobody tells you when mail in your name fails")
                .help("add `rua=mailto:…`, a mailbox or a service that reads reports")
                .record(record("rua", &format!("mailto:postmaster@{at}"))),
        ),
        Some(rua) => findings.extend(reports(at, rua, notes)),
    }
    let place = if at == domain { String::new() } else { format!(", from `_dmarc.{at}`") };
    let text = format!("`{domain}` has p={action}{place}");
    findings.insert(0, DMARC.good("dmarc", text));
    findings
}

/// Reports that go to another organisation need its consent (RFC 7489 section 7.1).
fn reports(at: &str, rua: &str, notes: &mut Notes) -> Vec<Finding> {
    let addresses = rua.split(',').filter_map(|uri| uri.trim().strip_prefix("mailto:"));
    let domains = addresses.filter_map(|address| {
        let domain = address.rsplit_once('@')?.1;
        Some(domain.split('!').next().unwrap_or(domain).to_ascii_lowercase())
    });
    let mut findings = Vec::new();
    for domain in domains.filter(|domain| !is_within(domain, at) && !is_within(at, domain)) {
        let name = format!("{at}._report._dmarc.{domain}");
        let consents = match notes.txt(&name) {
            Lookup::Found(texts) => texts.iter().any(|text| tags::is_version(text, "DMARC1")),
            Lookup::Missing => false,
            Lookup::Unanswered(_) => continue,
        };
        if !consents {
            let message = format!("`{domain}` does not say that it takes the reports of `{at}`");
            findings.push(
                DMARC
                    .advice("dmarc-reports", message)
                    .effect("receivers send no reports there")
                    .help("the owner of that domain publishes the record below")
                    .record(Record::txt(name, "v=DMARC1")),
            );
        }
    }
    findings
}

/// Whether what authenticates our mail counts for the domain in From.
fn alignment(sender: &Sender, policy: &Policy) -> Finding {
    let (domain, bounce) = (&sender.domain, &sender.bounce_domain);
    let counts = sender.keys.iter().find(|key| policy.is_aligned("adkim", domain, &key.domain));
    let is_enveloped = policy.is_aligned("aspf", domain, bounce);
    let help = format!("use a bounce domain below `{}`", policy.organisation);
    match (counts, sender.keys.first()) {
        (Some(key), _) if is_enveloped => {
            let text =
                format!("From is aligned with d=`{}` and with the bounce domain", key.domain);
            DMARC.good("dmarc-aligned", text)
        }
        (Some(key), _) => {
            let text = format!("only d=`{}` is aligned with From, `{bounce}` is not", key.domain);
            DMARC
                .advice("dmarc-spf-unaligned", text)
                .effect("a mail whose signature breaks on the way fails DMARC")
                .help(help)
        }
        (None, Some(key)) => {
            let text = format!("d=`{}` is not aligned with From `{domain}`", key.domain);
            DMARC
                .error("dmarc-unaligned", text)
                .effect("the signature does not count: Gmail refuses bulk mail for that")
                .help(format!("sign with a key of `{domain}`"))
        }
        (None, None) if is_enveloped => {
            let text = format!("the bounce domain `{bounce}` is aligned with From");
            DMARC.good("dmarc-aligned", text)
        }
        (None, None) => {
            let text = format!("the bounce domain `{bounce}` is not aligned with From `{domain}`");
            DMARC
                .warning("dmarc-unaligned", text)
                .effect("mail passes DMARC only if the mail server signs it for this domain")
                .help(help)
        }
    }
}

#[cfg(test)]
mod tests;
