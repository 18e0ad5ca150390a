//! MX: can replies, bounces and complaints arrive?

use super::Sender;
use super::finding::{Finding, Maker, Record};
use super::notes::{Exchange, Lookup, Notes};

const MX: Maker = Maker("MX");

/// Judges every domain that somebody may answer to.
pub(super) fn judge(sender: &Sender, notes: &mut Notes) -> Vec<Finding> {
    let mut findings = vec![domain(&sender.domain, "From", notes)];
    let mut seen = vec![&sender.domain];
    let others = sender.reply_domains.iter().map(|domain| (domain, "Reply-To"));
    for (other, role) in others.chain([(&sender.bounce_domain, "bounces")]) {
        if !seen.contains(&other) {
            seen.push(other);
            findings.push(domain(other, role, notes));
        }
    }
    findings
}

fn domain(domain: &str, role: &str, notes: &mut Notes) -> Finding {
    let lost = match role {
        "bounces" => "bounces are lost, so that dead addresses are mailed again and again",
        _ => "replies and complaints are lost, and some receivers refuse such senders",
    };
    match notes.mx(domain) {
        Lookup::Found(exchanges) if exchanges.iter().all(|it| it.host.is_empty()) => MX
            .error("mx-null", format!("`{domain}` ({role}) says that it takes no mail (null MX)"))
            .effect(lost)
            .help("name a mail server, or use a domain that has one"),
        Lookup::Found(exchanges) => reachable(domain, role, &exchanges, notes),
        Lookup::Missing => match notes.addresses(domain) {
            Lookup::Found(_) => MX
                .warning("mx-implicit", format!("`{domain}` ({role}) has no MX, only an address"))
                .effect("mail for it goes to that address, where often no mail server is")
                .help("name the server that takes its mail, as below")
                .record(Record::of("MX", domain, &format!("10 mail.{domain}."))),
            Lookup::Missing => MX
                .error("mx-missing", format!("`{domain}` ({role}) takes no mail: it has no MX"))
                .effect(lost)
                .help("name the server that takes its mail, as below")
                .record(Record::of("MX", domain, &format!("10 mail.{domain}."))),
            Lookup::Unanswered(why) => {
                Finding::unknown(MX.0, "mx-unanswered", &format!("the address of `{domain}`"), &why)
            }
        },
        Lookup::Unanswered(why) => {
            Finding::unknown(MX.0, "mx-unanswered", &format!("the MX of `{domain}`"), &why)
        }
    }
}

/// At least one of the servers must have an address.
fn reachable(domain: &str, role: &str, exchanges: &[Exchange], notes: &mut Notes) -> Finding {
    let mut unanswered = None;
    let hosts: Vec<_> = exchanges.iter().map(|it| it.host.as_str()).collect();
    for host in hosts.iter().filter(|host| !host.is_empty()) {
        match notes.addresses(host) {
            Lookup::Found(_) => {
                let more = match exchanges.len() {
                    1 => String::new(),
                    count => format!(" and {} more", count - 1),
                };
                return MX.good("mx", format!("`{domain}` ({role}): `{host}`{more}"));
            }
            Lookup::Missing => {}
            Lookup::Unanswered(why) => unanswered = unanswered.or(Some((host, why))),
        }
    }
    match unanswered {
        Some((host, why)) => {
            Finding::unknown(MX.0, "mx-unanswered", &format!("the address of `{host}`"), &why)
        }
        None => MX
            .error(
                "mx-dangling",
                format!("the MX of `{domain}` ({role}) has no address: `{}`", hosts.join("`, `")),
            )
            .effect("replies and bounces cannot be delivered")
            .help("publish an A or AAAA record for that name, or correct the MX"),
    }
}
