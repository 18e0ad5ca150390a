//! Where calls may go. Guards against server-side request forgery.
//!
//! A literal address never reaches a resolver, and a name may resolve to anything: so the URL is judged when it is
//! called, and each address of a name when it is resolved, by the resolver whose answer the connection uses. Redirects
//! are not followed at all.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Why an endpoint is not called.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("`{0}:` URLs are not called; use `https:`")]
    Scheme(String),
    #[error("the URL holds a user name or password; send it as a header instead")]
    UserInfo,
    #[error("the URL names no host")]
    NoHost,
    #[error("`{host}` is in {range}; add its network to `allow` if that is meant")]
    Private { host: String, range: &'static str },
    #[error("plain `http:` is only for networks in `allow`, and `{0}` is in none; use `https:`")]
    Plain(String),
}

/// The rules for one endpoint: public addresses over https, and whatever is in `allow`.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allow: Arc<[IpNet]>,
    also_plain: bool,
}

impl Guard {
    pub fn new(allow: &[IpNet]) -> Self {
        Self { allow: allow.into(), also_plain: false }
    }

    /// The same, and plain `http:` to public addresses: for calls that hold nothing secret.
    pub(super) fn also_plain(self) -> Self {
        Self { also_plain: true, ..self }
    }

    /// Judges what can be told from the URL alone. Names are judged when they are resolved.
    pub fn judge(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let address = match url.host() {
            None => return Err(Refusal::NoHost),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        self.permit(address, &address.to_string(), is_plain(url))
    }

    /// Judges an address. `host` is how the endpoint calls it; `plain`: without TLS.
    fn permit(&self, address: IpAddr, host: &str, plain: bool) -> Result<(), Refusal> {
        let address = address.to_canonical();
        if self.allow.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        if let Some(range) = closed_range(address) {
            return Err(Refusal::Private { host: host.to_owned(), range });
        }
        let is_refused = plain && !self.also_plain;
        if is_refused { Err(Refusal::Plain(host.to_owned())) } else { Ok(()) }
    }

    /// The resolver for calls to `url`: it answers with permitted addresses only.
    pub(super) fn resolver(&self, url: &Url) -> GuardedResolver {
        GuardedResolver { guard: self.clone(), plain: is_plain(url) }
    }

    /// Leaves the permitted ones of the addresses of `host`; the first refusal when none is left.
    fn sift(
        &self,
        host: &str,
        plain: bool,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        let mut permitted = Vec::new();
        let mut refusal = None;
        for address in found {
            match self.permit(address.ip(), host, plain) {
                Ok(()) => permitted.push(address),
                Err(reason) => refusal = refusal.or(Some(reason)),
            }
        }
        match refusal {
            Some(reason) if permitted.is_empty() => Err(reason),
            Some(_) | None => Ok(permitted),
        }
    }
}

/// The system's resolver behind a `Guard`.
pub(super) struct GuardedResolver {
    guard: Guard,
    plain: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, plain) = (self.guard.clone(), self.plain);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted = guard.sift(name.as_str(), plain, found)?;
            if permitted.is_empty() {
                return Err(io::Error::other("the name has no address").into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

fn is_plain(url: &Url) -> bool {
    url.scheme() != "https"
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// From the IANA registry of special-purpose addresses, and one address that only looks public.
const CLOSED_V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "the range for “this network”"),
    (v4(10, 0, 0, 0, 8), "a private network"),
    (v4(100, 64, 0, 0, 10), "a provider's private network"),
    (v4(127, 0, 0, 0, 8), "the loopback range"),
    (v4(169, 254, 0, 0, 16), "the link-local range"),
    (v4(172, 16, 0, 0, 12), "a private network"),
    (v4(192, 0, 0, 0, 24), "a protocol range"),
    (v4(192, 0, 2, 0, 24), "a documentation range"),
    (v4(192, 88, 99, 0, 24), "a relay range"),
    (v4(192, 168, 0, 0, 16), "a private network"),
    (v4(198, 18, 0, 0, 15), "a benchmarking range"),
    (v4(198, 51, 100, 0, 24), "a documentation range"),
    (v4(203, 0, 113, 0, 24), "a documentation range"),
    (v4(224, 0, 0, 0, 4), "the multicast range"),
    (v4(240, 0, 0, 0, 4), "a reserved range"),
    (v4(168, 63, 129, 16, 32), "a cloud platform's internals"),
    (v4(255, 255, 255, 255, 32), "the broadcast address"),
];

/// Global unicast addresses are in `2000::/3`; these parts of it are something else.
const CLOSED_V6: [(Ipv6Net, &str); 4] = [
    (v6(0x2001, 0, 23), "a protocol range"),
    (v6(0x2001, 0xdb8, 32), "a documentation range"),
    (v6(0x2002, 0, 16), "the 6to4 range"),
    (v6(0x3fff, 0, 20), "a documentation range"),
];

/// The name of the range that `address` is in, if it is none for the public. IPv4-mapped addresses come in as IPv4.
fn closed_range(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            CLOSED_V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, range)| *range)
        }
        IpAddr::V6(address) if !v6(0x2000, 0, 3).contains(&address) => {
            Some("an IPv6 range that is not public")
        }
        IpAddr::V6(address) => {
            CLOSED_V6.iter().find(|(net, _)| net.contains(&address)).map(|(_, range)| *range)
        }
    }
}

#[cfg(test)]
mod tests;
