//! Will mail from this domain arrive? Judged against what Gmail, Yahoo and Microsoft demand of bulk senders.
//!
//! Pure. A judgement is a function of the `Subject`, what the operator configured, and of `Notes`, what the world answers.
//! Questions that the notes have no answer for are left open in them: SPF leads from record to record, so what has to be
//! asked is only known while judging. The caller asks and judges again until `Notes::are_complete`; the last judgement
//! counts. An unanswered question is never held against the domain.

use serde::Serialize;
use std::net::IpAddr;

use url::Url;

mod dkim;
mod dmarc;
mod exchange;
mod extras;
mod finding;
mod key;
mod links;
mod notes;
mod origin;
mod providers;
mod server;
mod spf;
mod tags;
#[cfg(test)]
mod tests;

pub use finding::{Finding, Grade, Record};
pub use key::{DkimKey, DkimPublicKey};
pub use notes::{Contact, Exchange, Lookup, Notes, Sheet, Trouble};

use finding::Maker;
use origin::Origin;

/// What is judged.
#[derive(Clone, Debug)]
pub struct Subject {
    pub senders: Vec<Sender>,
    pub servers: Vec<Server>,
    /// Whether any key signs mail in this installation.
    pub signs: bool,
    /// What links in mails begin with.
    pub public_url: Url,
    pub postal_address: String,
    /// Where mail leaves from, when the operator said so.
    pub outgoing: Vec<IpAddr>,
}

/// A domain that stands in From.
#[derive(Clone, Debug)]
pub struct Sender {
    pub domain: String,
    /// Whose From it is.
    pub newsletters: Vec<String>,
    /// The domain in the envelope, where bounces go.
    pub bounce_domain: String,
    pub reply_domains: Vec<String>,
    /// Those that sign mail from this domain.
    pub keys: Vec<DkimKey>,
    /// The mail servers that carry it.
    pub servers: Vec<String>,
}

/// A configured mail server.
#[derive(Clone, Debug)]
pub struct Server {
    pub name: String,
    /// `None`: a folder.
    pub smtp: Option<Smtp>,
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub protection: Protection,
    pub has_user: bool,
    /// What we call ourselves in EHLO.
    pub hello: String,
}

impl Smtp {
    fn is_local(&self) -> bool {
        let local = self.host.parse::<IpAddr>().map(|at| at.to_canonical().is_loopback());
        local.unwrap_or(self.host == "localhost")
    }
}

/// What a connection that came about proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted, and the server showed a valid certificate.
    Verified,
    /// Perhaps encrypted, nobody knows for whom.
    Unverified,
}

/// Findings about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    pub about: About,
    /// The domain or the server; empty for the installation as a whole.
    pub name: String,
    /// Whose From the domain is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub newsletters: Vec<String>,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    Domain,
    Server,
    Installation,
}

/// Judges everything, as far as `notes` know the world.
pub fn judge(subject: &Subject, notes: &mut Notes) -> Vec<Chapter> {
    let origins: Vec<_> =
        subject.servers.iter().map(|server| Origin::of(server, subject, notes)).collect();
    let servers: Vec<_> = subject.servers.iter().zip(&origins).collect();
    let mut chapters = Vec::new();
    for sender in &subject.senders {
        let relays = relays(sender, &servers);
        chapters.push(Chapter {
            about: About::Domain,
            name: sender.domain.clone(),
            newsletters: sender.newsletters.clone(),
            findings: domain(sender, subject.signs, &relays, notes),
        });
    }
    for (server, origin) in servers {
        chapters.push(Chapter {
            about: About::Server,
            name: server.name.clone(),
            newsletters: Vec::new(),
            findings: server::judge(server, origin, subject, notes),
        });
    }
    chapters.push(Chapter {
        about: About::Installation,
        name: String::new(),
        newsletters: Vec::new(),
        findings: links::judge(subject, notes),
    });
    chapters
}

/// The servers that carry `sender`; two with the same origin are judged once.
fn relays<'a>(sender: &Sender, servers: &[(&'a Server, &'a Origin)]) -> Vec<spf::Relay<'a>> {
    let mut relays: Vec<spf::Relay<'a>> = Vec::new();
    for (server, origin) in servers {
        let is_new = relays.iter().all(|relay| relay.origin != *origin);
        if sender.servers.contains(&server.name) && is_new {
            relays.push(spf::Relay { name: &server.name, origin });
        }
    }
    relays
}

fn domain(
    sender: &Sender,
    signs: bool,
    relays: &[spf::Relay<'_>],
    notes: &mut Notes,
) -> Vec<Finding> {
    let domain = &sender.domain;
    if providers::is_freemail(domain) {
        let message = format!("`{domain}` belongs to a mailbox provider");
        return vec![
            Maker("From")
                .error("from-freemail", message)
                .effect("its DMARC lets nobody else send in its name: the mail is refused")
                .help("send from a domain of your own"),
        ];
    }
    let mut findings = spf::judge(&sender.bounce_domain, relays, notes);
    findings.extend(dkim::judge(sender, signs, notes));
    findings.extend(dmarc::judge(sender, notes));
    findings.extend(exchange::judge(sender, notes));
    findings.extend(extras::judge(sender, notes));
    findings
}
