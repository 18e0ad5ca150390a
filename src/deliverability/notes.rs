//! What was asked of the outside world, what it answered, and what has still to be asked.
//!
//! A judgement reads its facts from here. What is not known yet it gets as unanswered, and the question is kept: whoever
//! runs the judgement asks, writes the answers down and judges again, until no question is open.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// An answer. That there is no record is an answer, too; that nobody answered says nothing about the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    Found(T),
    /// There is no such record, or no such name.
    Missing,
    /// Nobody could be asked; the reason.
    Unanswered(String),
}

impl<T> Lookup<T> {
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(value) => Some(value),
            Self::Missing | Self::Unanswered(_) => None,
        }
    }
}

/// Questions of one kind with their answers.
#[derive(Debug)]
pub struct Sheet<K, V> {
    known: BTreeMap<K, Lookup<V>>,
    open: BTreeSet<K>,
}

impl<K, V> Default for Sheet<K, V> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), open: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Sheet<K, V> {
    /// The answer; a question without one is noted as open.
    pub(super) fn ask(&mut self, key: K) -> Lookup<V> {
        if let Some(answer) = self.known.get(&key) {
            return answer.clone();
        }
        self.open.insert(key);
        Lookup::Unanswered("not asked yet".to_owned())
    }

    pub fn learn(&mut self, key: K, answer: Lookup<V>) {
        self.open.remove(&key);
        self.known.insert(key, answer);
    }

    /// What has to be asked before the judgement is whole.
    pub fn open(&self) -> impl Iterator<Item = &K> {
        self.open.iter()
    }
}

/// A mail exchanger. The host is empty for "this domain takes no mail" (RFC 7505).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub preference: u16,
    pub host: String,
}

/// How a connection to a mail server went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// As far as mail could be sent. The server took the password, if there is one.
    Ready,
    Failed {
        trouble: Trouble,
        /// In whose words soever.
        text: String,
    },
}

/// What a connection to a mail server foundered on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no connection, or nobody speaks SMTP at its end.
    Reach,
    /// STARTTLS is not offered.
    NoTls,
    /// The TLS handshake failed; nearly always the certificate.
    Handshake,
    /// User name and password.
    Login,
}

/// Everything that is known. Names are in small letters without a dot at the end.
#[derive(Debug, Default)]
pub struct Notes {
    /// TXT records, the strings of each put together.
    pub txt: Sheet<String, Vec<String>>,
    pub mx: Sheet<String, Vec<Exchange>>,
    /// A and AAAA.
    pub addresses: Sheet<String, Vec<IpAddr>>,
    /// PTR.
    pub names: Sheet<IpAddr, Vec<String>>,
    /// The text of a domain's MTA-STS policy.
    pub policies: Sheet<String, String>,
    /// Mail servers, by their names in the configuration.
    pub contacts: Sheet<String, Contact>,
}

impl Notes {
    /// Whether there is nothing left to ask.
    pub fn are_complete(&self) -> bool {
        self.txt.open.is_empty()
            && self.mx.open.is_empty()
            && self.addresses.open.is_empty()
            && self.names.open.is_empty()
            && self.policies.open.is_empty()
            && self.contacts.open.is_empty()
    }

    pub(super) fn txt(&mut self, name: &str) -> Lookup<Vec<String>> {
        self.txt.ask(canonical(name))
    }

    pub(super) fn mx(&mut self, name: &str) -> Lookup<Vec<Exchange>> {
        self.mx.ask(canonical(name))
    }

    pub(super) fn addresses(&mut self, name: &str) -> Lookup<Vec<IpAddr>> {
        match name.parse() {
            Ok(address) => Lookup::Found(vec![address]),
            Err(_) => self.addresses.ask(canonical(name)),
        }
    }
}

/// One spelling of a name.
pub(super) fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
