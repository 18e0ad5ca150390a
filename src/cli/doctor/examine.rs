//! Asks what a judgement wants to know, until it wants to know nothing more.

use std::net::IpAddr;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use url::Url;

use crate::config::{Config, Transport};
use crate::crosspost;
use crate::deliverability::{self, Chapter, Contact, Exchange, Lookup, Notes, Subject};
use crate::dns::Resolver;
use crate::smtp;

/// Questions that are asked at the same time.
const AT_ONCE: usize = 12;
/// A judgement follows records of other domains only so deep; this many rounds are never needed.
const ROUNDS: usize = 100;

/// An answer on its way into the notes.
enum Learned {
    Txt(String, Lookup<Vec<String>>),
    Mx(String, Lookup<Vec<Exchange>>),
    Addresses(String, Lookup<Vec<IpAddr>>),
    Names(IpAddr, Lookup<Vec<String>>),
    Policy(String, Lookup<String>),
    Contact(String, Contact),
}

pub(super) async fn everything(
    config: &Config,
    subject: &Subject,
    resolver: &Resolver,
) -> Vec<Chapter> {
    let mut notes = Notes::default();
    let mut chapters = deliverability::judge(subject, &mut notes);
    for _ in 0..ROUNDS {
        if notes.are_complete() {
            break;
        }
        let asked = questions(&notes, config, resolver);
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        for answer in answers {
            learn(&mut notes, answer);
        }
        chapters = deliverability::judge(subject, &mut notes);
    }
    chapters
}

fn questions<'a>(
    notes: &Notes,
    config: &'a Config,
    resolver: &'a Resolver,
) -> Vec<BoxFuture<'a, Learned>> {
    let mut asked: Vec<BoxFuture<'a, Learned>> = Vec::new();
    for name in notes.contacts.open().cloned() {
        asked.push(Box::pin(contact(name, config)));
    }
    for name in notes.txt.open().cloned() {
        asked.push(Box::pin(async move {
            let answer = resolver.txt(&name).await;
            Learned::Txt(name, answer)
        }));
    }
    for name in notes.mx.open().cloned() {
        asked.push(Box::pin(async move {
            let answer = resolver.mx(&name).await;
            Learned::Mx(name, answer)
        }));
    }
    for name in notes.addresses.open().cloned() {
        asked.push(Box::pin(async move {
            let answer = resolver.addresses(&name).await;
            Learned::Addresses(name, answer)
        }));
    }
    for address in notes.names.open().copied() {
        asked.push(Box::pin(async move { Learned::Names(address, resolver.names(address).await) }));
    }
    for domain in notes.policies.open().cloned() {
        asked.push(Box::pin(policy(domain)));
    }
    asked
}

async fn contact(name: String, config: &Config) -> Learned {
    let server = config.mail.servers.get(&name);
    let contact = match server.map(|server| (&server.transport, &server.hello_name)) {
        Some((Transport::Smtp(transport), hello)) => smtp::probe(transport, hello).await,
        Some((Transport::Outbox(_), _)) | None => Contact::Ready,
    };
    Learned::Contact(name, contact)
}

/// The policy of `domain` for those who send mail to it.
async fn policy(domain: String) -> Learned {
    let answer = match Url::parse(&format!("https://mta-sts.{domain}/.well-known/mta-sts.txt")) {
        Ok(url) => crosspost::fetch(&url).await,
        Err(error) => Lookup::Unanswered(error.to_string()),
    };
    Learned::Policy(domain, answer)
}

fn learn(notes: &mut Notes, learned: Learned) {
    match learned {
        Learned::Txt(name, answer) => notes.txt.learn(name, answer),
        Learned::Mx(name, answer) => notes.mx.learn(name, answer),
        Learned::Addresses(name, answer) => notes.addresses.learn(name, answer),
        Learned::Names(address, answer) => notes.names.learn(address, answer),
        Learned::Policy(domain, answer) => notes.policies.learn(domain, answer),
        Learned::Contact(name, contact) => notes.contacts.learn(name, Lookup::Found(contact)),
    }
}
