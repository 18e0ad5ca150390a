//! Following an SPF record through everything that it names, as a receiver has to in the worst case.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::record::{self, Lengths, Mechanism, Qualifier, Term};
use crate::deliverability::notes::{Lookup, Notes, canonical};

/// Records followed at most: far beyond what any receiver follows, and an end for those that are meant to have none.
const MOST_RECORDS: u32 = 50;
/// Addresses that one `mx` may lead to (RFC 7208 section 4.6.4).
const MOST_EXCHANGES: usize = 10;

/// Why receivers give up on a record (`permerror`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Included, but there is no SPF record.
    NoRecord(String),
    Several(String),
    Syntax {
        name: String,
        word: String,
    },
    /// It includes itself.
    Loop(String),
    Exchanges(String),
}

/// What a record comes to.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Terms that make a receiver look something up; ten are allowed.
    pub(super) lookups: u32,
    /// Of these, such as found nothing; two are allowed.
    pub(super) voids: u32,
    pub(super) faults: Vec<Fault>,
    /// What could not be asked, and why.
    pub(super) unanswered: Vec<(String, String)>,
    /// Who may send.
    pub(super) networks: Vec<IpNet>,
    pub(super) includes: BTreeSet<String>,
    /// Some of it depends on the mail and cannot be told beforehand: `exists`, `ptr`, macros.
    pub(super) depends: bool,
    pub(super) uses_ptr: bool,
    /// How it ends.
    pub(super) all: Option<Qualifier>,
    records: u32,
}

impl Walk {
    /// Follows `text`, the record of `domain`.
    pub(super) fn of(domain: &str, text: &str, notes: &mut Notes) -> Self {
        let mut walk = Self::default();
        walk.all = walk.follow(domain, text, &[canonical(domain)], notes);
        walk
    }

    /// Gives back how it ends.
    fn follow(
        &mut self,
        domain: &str,
        text: &str,
        path: &[String],
        notes: &mut Notes,
    ) -> Option<Qualifier> {
        self.records += 1;
        let terms = match record::parse(text) {
            Ok(terms) => terms,
            Err(word) => {
                self.faults.push(Fault::Syntax { name: domain.to_owned(), word });
                return None;
            }
        };
        let mut redirect = None;
        for term in terms {
            match term {
                // What comes after `all` is never looked at, a redirect included (section 5.1).
                Term::Mechanism(qualifier, Mechanism::All) => return Some(qualifier),
                Term::Mechanism(qualifier, mechanism) => {
                    let passes = qualifier == Qualifier::Pass;
                    self.mechanism(&mechanism, domain, (path, passes), notes);
                }
                Term::Redirect(target) => redirect = Some(target),
                Term::Other => {}
            }
        }
        let target = redirect?;
        self.lookups += 1;
        self.descend(&target, path, notes)
    }

    fn mechanism(
        &mut self,
        mechanism: &Mechanism,
        domain: &str,
        (path, passes): (&[String], bool),
        notes: &mut Notes,
    ) {
        match mechanism {
            Mechanism::Ip(network) if passes => self.networks.push(*network),
            Mechanism::Ip(_) | Mechanism::All => {}
            Mechanism::Exists => {
                self.lookups += 1;
                self.depends = true;
            }
            Mechanism::Ptr => {
                self.lookups += 1;
                self.uses_ptr = true;
                self.depends = true;
            }
            Mechanism::Include(target) => {
                self.lookups += 1;
                self.includes.insert(canonical(target));
                self.descend(target, path, notes);
            }
            Mechanism::A(name, lengths) => {
                self.lookups += 1;
                let name = name.as_deref().unwrap_or(domain);
                self.hosts(name, *lengths, passes, notes);
            }
            Mechanism::Mx(name, lengths) => {
                self.lookups += 1;
                self.exchanges(name.as_deref().unwrap_or(domain), *lengths, passes, notes);
            }
        }
    }

    /// Into the record of another domain.
    fn descend(&mut self, name: &str, path: &[String], notes: &mut Notes) -> Option<Qualifier> {
        if self.is_macro(name) || self.records >= MOST_RECORDS {
            return None;
        }
        let name = canonical(name);
        if path.contains(&name) {
            self.faults.push(Fault::Loop(name));
            return None;
        }
        let texts = match notes.txt(&name) {
            Lookup::Found(texts) => texts,
            Lookup::Missing => {
                self.voids += 1;
                Vec::new()
            }
            Lookup::Unanswered(why) => {
                self.unanswered.push((format!("the SPF record of `{name}`"), why));
                return None;
            }
        };
        let records: Vec<_> = texts.iter().filter(|text| record::is_record(text)).collect();
        match records[..] {
            [] => self.faults.push(Fault::NoRecord(name)),
            [record] => {
                let path = [path, std::slice::from_ref(&name)].concat();
                return self.follow(&name, record, &path, notes);
            }
            _ => self.faults.push(Fault::Several(name)),
        }
        None
    }

    fn hosts(&mut self, name: &str, lengths: Lengths, passes: bool, notes: &mut Notes) {
        if self.is_macro(name) {
            return;
        }
        match notes.addresses(name) {
            Lookup::Found(addresses) if passes => {
                self.networks.extend(addresses.into_iter().filter_map(|at| lengths.around(at)));
            }
            Lookup::Found(_) => {}
            Lookup::Missing => self.voids += 1,
            Lookup::Unanswered(why) => {
                self.unanswered.push((format!("the address of `{name}`"), why));
            }
        }
    }

    fn exchanges(&mut self, name: &str, lengths: Lengths, passes: bool, notes: &mut Notes) {
        if self.is_macro(name) {
            return;
        }
        match notes.mx(name) {
            Lookup::Found(exchanges) => {
                if exchanges.len() > MOST_EXCHANGES {
                    self.faults.push(Fault::Exchanges(name.to_owned()));
                }
                for exchange in exchanges.iter().filter(|it| !it.host.is_empty()) {
                    self.hosts(&exchange.host, lengths, passes, notes);
                }
            }
            Lookup::Missing => self.voids += 1,
            Lookup::Unanswered(why) => {
                self.unanswered.push((format!("the MX of `{name}`"), why));
            }
        }
    }

    fn is_macro(&mut self, name: &str) -> bool {
        let is_macro = name.contains('%');
        self.depends |= is_macro;
        is_macro
    }
}
