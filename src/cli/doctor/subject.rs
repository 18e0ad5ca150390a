//! What of the configuration decides whether mail arrives.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::config::{Config, MailServer, Newsletter, SmtpTransport, Tls, Transport};
use crate::deliverability::{DkimKey, DkimPublicKey, Protection, Sender, Server, Smtp, Subject};

/// What the newsletters in `chosen` send, and over which servers.
pub(super) fn of(
    config: &Config,
    chosen: &[&Newsletter],
    outgoing: &[IpAddr],
    now: Timestamp,
) -> Subject {
    let keys = dkim_keys(config, now);
    let mut senders: Vec<Sender> = Vec::new();
    for newsletter in chosen {
        let from = newsletter.from.as_ref().unwrap_or(&config.mail.from);
        let domain = from.address.domain();
        let index = senders.iter().position(|sender| sender.domain == domain);
        let index = index.unwrap_or_else(|| {
            senders.push(sender(config, newsletter, &keys));
            senders.len() - 1
        });
        let sender = &mut senders[index];
        sender.newsletters.push(newsletter.name.clone());
        sender.servers.extend(newsletter.servers.iter().cloned());
    }
    let is_used =
        |server: &&MailServer| senders.iter().any(|sender| sender.servers.contains(&server.name));
    let servers: Vec<(Server, bool)> = config
        .mail
        .servers
        .values()
        .filter(is_used)
        .map(|used| (server(used), used.dkim))
        .collect();
    Subject {
        senders,
        signs: !keys.is_empty() && servers.iter().any(|server| server.1),
        servers: servers.into_iter().map(|(server, _)| server).collect(),
        public_url: config.server.public_url.clone(),
        postal_address: config.mail.address.clone(),
        outgoing: outgoing.to_vec(),
    }
}

fn sender(config: &Config, newsletter: &Newsletter, keys: &[DkimKey]) -> Sender {
    let domain = newsletter.from.as_ref().unwrap_or(&config.mail.from).address.domain();
    let reply_to = newsletter.reply_to.as_ref().or(config.mail.reply_to.as_ref()).into_iter();
    let bounces = config.mail.bounce_address.as_ref().map_or(domain, |address| address.domain());
    // Where every server signs by itself, our keys are not asked for.
    let signs = newsletter
        .servers
        .iter()
        .any(|name| config.mail.servers.get(name).is_some_and(|server| server.dkim));
    Sender {
        domain: domain.to_owned(),
        newsletters: Vec::new(),
        bounce_domain: bounces.to_owned(),
        reply_domains: reply_to.map(|mailbox| mailbox.address.domain().to_owned()).collect(),
        keys: keys.iter().filter(|key| signs && signs_for(key, domain)).cloned().collect(),
        servers: Vec::new(),
    }
}

/// A key signs for its own domain and for those below it.
fn signs_for(key: &DkimKey, domain: &str) -> bool {
    domain
        .strip_suffix(key.domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The public halves of the keys that sign mail now. One that is to sign later need not be published yet.
fn dkim_keys(config: &Config, now: Timestamp) -> Vec<DkimKey> {
    let signing = config.mail.dkim.iter().filter(|key| key.from.is_none_or(|from| from <= now));
    signing
        .filter_map(|key| {
            let public_key = DkimPublicKey::from_record(&key.key.public_key().dns_record())?;
            let (domain, selector) = (key.domain.clone(), key.selector.clone());
            Some(DkimKey { domain, selector, public_key })
        })
        .collect()
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
