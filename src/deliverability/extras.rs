//! What is good to have and what nobody refuses mail for: MTA-STS and TLS-RPT for mail to the domain, BIMI for its logo.

use super::Sender;
use super::dmarc;
use super::finding::{Finding, Maker, Record};
use super::notes::{Lookup, Notes};
use super::providers::is_within;
use super::tags::{Tags, is_version};

const STS: Maker = Maker("MTA-STS");
const RPT: Maker = Maker("TLS-RPT");
const BIMI: Maker = Maker("BIMI");

pub(super) fn judge(sender: &Sender, notes: &mut Notes) -> Vec<Finding> {
    let domain = &sender.domain;
    let mut findings = Vec::new();
    let texts = notes.txt(&format!("_mta-sts.{domain}"));
    match versions(texts, "STSv1") {
        Lookup::Missing => findings.push(STS.advice(
            "mta-sts-none",
            format!("`{domain}` does not use it (optional: protects replies on their way to you)"),
        )),
        Lookup::Unanswered(why) => findings.push(unasked(&STS, &why)),
        Lookup::Found(1) => findings.extend(policy(domain, notes)),
        Lookup::Found(count) => findings.push(
            STS.advice("mta-sts-several", format!("`_mta-sts.{domain}` has {count} records"))
                .effect("senders take that for no policy")
                .help("leave one of them"),
        ),
    }
    findings.push(reports(domain, notes));
    findings.push(bimi(domain, notes));
    findings
}

/// How many records are of `version`. None: missing.
fn versions(texts: Lookup<Vec<String>>, version: &str) -> Lookup<usize> {
    match texts {
        Lookup::Found(texts) => match texts.iter().filter(|it| is_version(it, version)).count() {
            0 => Lookup::Missing,
            count => Lookup::Found(count),
        },
        Lookup::Missing => Lookup::Missing,
        Lookup::Unanswered(why) => Lookup::Unanswered(why),
    }
}

fn unasked(maker: &Maker, why: &str) -> Finding {
    maker.advice("extra-unanswered", format!("could not ask: {why}"))
}

/// Reads the policy that the record announces (RFC 8461 section 3.2).
fn policy(domain: &str, notes: &mut Notes) -> Vec<Finding> {
    let address = format!("https://mta-sts.{domain}/.well-known/mta-sts.txt");
    let text = match notes.policies.ask(domain.to_owned()) {
        Lookup::Found(text) => text,
        Lookup::Missing => {
            return vec![
                STS.warning("mta-sts-no-policy", format!("there is no policy at {address}"))
                    .effect("senders that keep an older policy may refuse to deliver to you")
                    .help("publish the policy, or take the record away"),
            ];
        }
        Lookup::Unanswered(why) => {
            let message = format!("could not read {address}: {why}");
            return vec![STS.advice("mta-sts-unread", message)];
        }
    };
    let values = |key: &str| -> Vec<String> {
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(|(k, _)| k.trim() == key).map(|(_, v)| v.trim().to_owned()).collect()
    };
    let mode = values("mode").into_iter().next().unwrap_or_default();
    let is_valid = values("version") == ["STSv1"]
        && matches!(mode.as_str(), "enforce" | "testing" | "none")
        && values("max_age").first().is_some_and(|age| age.parse::<u32>().is_ok());
    if !is_valid {
        return vec![
            STS.warning("mta-sts-syntax", format!("the policy at {address} is not valid"))
                .effect("senders ignore it")
                .help("it has `version: STSv1`, `mode`, `mx` and `max_age`, a line each"),
        ];
    }
    let patterns = values("mx");
    let exchanges = notes.mx(domain).found().unwrap_or_default();
    let stray = exchanges.iter().find(|it| !patterns.iter().any(|at| matches(&it.host, at)));
    match stray {
        Some(exchange) if mode != "none" => {
            let host = &exchange.host;
            vec![
                STS.warning("mta-sts-mx", format!("the policy does not allow `{host}`, an MX"))
                    .effect("senders that obey it deliver no replies and bounces there")
                    .help(format!("add `mx: {host}` to the policy and change the record's `id`")),
            ]
        }
        Some(_) | None => {
            vec![STS.good("mta-sts", format!("`{domain}` has a policy, mode {mode}"))]
        }
    }
}

/// A pattern is a name, or `*.` and a name for one label more.
fn matches(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            is_within(host, parent)
                && host.len() > parent.len()
                && !host[..host.len() - parent.len() - 1].contains('.')
        }
        None => host.eq_ignore_ascii_case(pattern),
    }
}

fn reports(domain: &str, notes: &mut Notes) -> Finding {
    let name = format!("_smtp._tls.{domain}");
    match notes.txt(&name) {
        Lookup::Found(texts) if texts.iter().any(|text| is_version(text, "TLSRPTv1")) => {
            let is_whole = texts.iter().any(|text| {
                Tags::parse(text).is_ok_and(|tags| tags.get("rua").is_some_and(|it| !it.is_empty()))
            });
            if is_whole {
                return RPT.good("tls-rpt", format!("`{name}` asks for reports"));
            }
            let record = Record::txt(&name, format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}"));
            RPT.advice("tls-rpt-syntax", format!("`{name}` names no address (`rua`)"))
                .record(record.replacing(&texts))
        }
        Lookup::Found(_) | Lookup::Missing => {
            RPT.advice("tls-rpt-none", format!("`{domain}` does not use it (optional)"))
        }
        Lookup::Unanswered(why) => unasked(&RPT, &why),
    }
}

fn bimi(domain: &str, notes: &mut Notes) -> Finding {
    let is_strict = dmarc::find(domain, notes)
        .ok()
        .flatten()
        .is_some_and(|policy| matches!(policy.action(domain), Some("quarantine" | "reject")));
    match versions(notes.txt(&format!("default._bimi.{domain}")), "BIMI1") {
        Lookup::Found(_) if is_strict => BIMI.good("bimi", format!("`{domain}` shows its logo")),
        Lookup::Found(_) => BIMI
            .advice("bimi-dmarc", format!("`{domain}` names a logo that nobody will show"))
            .help("DMARC has to be at `p=quarantine` or `p=reject` first"),
        Lookup::Missing => BIMI.advice("bimi-none", format!("`{domain}` shows no logo (optional)")),
        Lookup::Unanswered(why) => unasked(&BIMI, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_one_label() {
        assert!(matches("mx.example.org", "mx.example.org"));
        assert!(matches("mx.example.org", "*.example.org"));
        for pattern in ["*.mx.example.org", "example.org", "*.org", "*.xample.org"] {
            assert!(!matches("mx.example.org", pattern), "{pattern}");
        }
        assert!(!matches("example.org", "*.example.org"));
    }
}
