//! What of the configuration decides whether mail arrives.

use std::net::IpAddr;

use crate::config::{Config, MailServer, Newsletter, SmtpTransport, Tls, Transport};
use crate::deliverability::{DkimKey, Protection, Sender, Server, Smtp, Subject};

/// What the newsletters in `chosen` send, and over which servers.
pub(super) fn of(config: &Config, chosen: &[&Newsletter], outgoing: &[IpAddr]) -> Subject {
    let keys = dkim_keys(config);
    let mut senders: Vec<Sender> = Vec::new();
    for newsletter in chosen {
        let from = newsletter.from.as_ref().unwrap_or(&config.mail.from);
        let domain = from.address.domain();
        let index = senders.iter().position(|sender| sender.domain == domain);
        let index = index.unwrap_or_else(|| {
            senders.push(sender(config, domain, &keys));
            senders.len() - 1
        });
        let sender = &mut senders[index];
        sender.newsletters.push(newsletter.name.clone());
        sender.servers.extend(newsletter.servers.iter().cloned());
    }
    let is_used =
        |server: &&MailServer| senders.iter().any(|sender| sender.servers.contains(&server.name));
    let servers = config.mail.servers.values().filter(is_used).map(server).collect();
    Subject {
        senders,
        servers,
        signs: !keys.is_empty(),
        public_url: config.server.public_url.clone(),
        postal_address: config.mail.address.clone(),
        outgoing: outgoing.to_vec(),
    }
}

fn sender(config: &Config, domain: &str, keys: &[DkimKey]) -> Sender {
    let reply_to = config.mail.reply_to.iter();
    Sender {
        domain: domain.to_owned(),
        newsletters: Vec::new(),
        // Bounces go to the sender's own address.
        bounce_domain: domain.to_owned(),
        reply_domains: reply_to.map(|mailbox| mailbox.address.domain().to_owned()).collect(),
        keys: keys.iter().filter(|key| signs_for(key, domain)).cloned().collect(),
        servers: Vec::new(),
    }
}

/// A key signs for its own domain and for those below it.
fn signs_for(key: &DkimKey, domain: &str) -> bool {
    domain
        .strip_suffix(key.domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The public halves of the keys that sign mail. There are none as long as the mail servers do the signing.
fn dkim_keys(_config: &Config) -> Vec<DkimKey> {
    Vec::new()
}

fn server(server: &MailServer) -> Server {
    let smtp = match &server.transport {
        Transport::Outbox(_) => None,
        Transport::Smtp(transport) => Some(smtp(transport, &server.hello_name)),
    };
    Server { name: server.name.clone(), smtp }
}

fn smtp(transport: &SmtpTransport, hello: &str) -> Smtp {
    Smtp {
        host: transport.host.clone(),
        port: transport.port,
        protection: match transport.tls {
            Tls::Implicit | Tls::StartTls => Protection::Verified,
            Tls::Opportunistic | Tls::None => Protection::Unverified,
        },
        has_user: transport.credentials.is_some(),
        hello: hello.to_owned(),
    }
}
