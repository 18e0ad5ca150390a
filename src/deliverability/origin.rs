//! Where mail leaves from, as far as that can be told from the outside.

use std::net::IpAddr;

use super::notes::{Lookup, Notes};
use super::providers::Provider;
use super::{Server, Subject};

/// The last hop that receivers see.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The addresses of a service that many people use.
    Provider(&'static Provider),
    /// The operator's own, because they said so.
    Here(Vec<IpAddr>),
    /// The address of the relay, which may send from another one.
    Relay(Vec<IpAddr>),
    /// Nobody said, or it cannot be told.
    Unknown,
}

impl Origin {
    pub(super) fn of(server: &Server, subject: &Subject, notes: &mut Notes) -> Self {
        let Some(smtp) = &server.smtp else { return Self::said(subject) };
        if let Some(provider) = Provider::of(&smtp.host) {
            return Self::Provider(provider);
        }
        if !subject.outgoing.is_empty() {
            return Self::said(subject);
        }
        let addresses = match notes.addresses(&smtp.host) {
            Lookup::Found(addresses) => addresses,
            Lookup::Missing | Lookup::Unanswered(_) => Vec::new(),
        };
        let public: Vec<_> = addresses.into_iter().filter(|at| is_public(*at)).collect();
        if public.is_empty() { Self::Unknown } else { Self::Relay(public) }
    }

    fn said(subject: &Subject) -> Self {
        if subject.outgoing.is_empty() {
            Self::Unknown
        } else {
            Self::Here(subject.outgoing.clone())
        }
    }

    pub(super) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// What covers it in an SPF record.
    pub(super) fn mechanisms(&self) -> Vec<String> {
        match self {
            Self::Provider(provider) => vec![format!("include:{}", provider.include)],
            Self::Unknown => Vec::new(),
            Self::Here(addresses) | Self::Relay(addresses) => addresses
                .iter()
                .map(|address| match address {
                    IpAddr::V4(address) => format!("ip4:{address}"),
                    IpAddr::V6(address) => format!("ip6:{address}"),
                })
                .collect(),
        }
    }
}

/// Whether the rest of the world can see mail come from there.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let carrier = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || carrier)
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local())
        }
    }
}
