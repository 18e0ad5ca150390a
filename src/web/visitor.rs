//! Who is asking, and from which site.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::ConnectInfo;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Extensions, HeaderMap};

use super::serve::Peer;
use crate::config::Config;

/// Which site a form was sent from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// Our own page, or a program: browsers say when it was another.
    Own,
    /// One of `signup.origins`.
    Known(String),
    Foreign,
}

impl Sender {
    pub(super) fn of(headers: &HeaderMap, config: &Config) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // `null` is what browsers send from pages that tell nobody where they are: ours are such.
        let origin = text(ORIGIN.as_str()).filter(|origin| *origin != "null");
        if let Some(origin) = origin
            && config.signup.origins.iter().any(|known| known == origin)
        {
            return Self::Known(origin.to_owned());
        }
        match (text("sec-fetch-site"), origin) {
            (Some("same-origin" | "none"), _) | (None, None) => Self::Own,
            (Some(_), _) => Self::Foreign,
            (None, Some(origin)) => {
                let host = origin.split_once("://").map(|(_, host)| host);
                let ours = config.server.public_url.origin().ascii_serialization();
                let is_ours = origin == ours || (host.is_some() && host == text(HOST.as_str()));
                if is_ours { Self::Own } else { Self::Foreign }
            }
        }
    }
}

pub(super) fn visitor(headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    let peer = peer(extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    known_visitor(headers, extensions).unwrap_or(peer)
}

/// Who is asking. A proxy on this machine or in our own network says for whom it asks; from anybody else the same header
/// would be a way around limits. None: a neighbour, or a proxy that does not say.
pub(super) fn known_visitor(headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = peer(extensions)?;
    if !is_ours(peer) {
        return Some(peer);
    }
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(address))| address.ip())
}

fn is_ours(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::audience::fixture::House;

    #[tokio::test]
    async fn browsers_say_which_site_a_form_was_on() {
        let mut config = House::new().await.config;
        config.signup.origins = vec!["https://blog.example".to_owned()];
        let sender = |given: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            Sender::of(&headers, &config)
        };
        let own = "https://news.example.org";
        assert_eq!(sender(&[]), Sender::Own);
        assert_eq!(sender(&[("origin", "null"), ("sec-fetch-site", "same-origin")]), Sender::Own);
        assert_eq!(sender(&[("origin", own)]), Sender::Own);
        assert_eq!(
            sender(&[("origin", "http://10.0.0.1:8080"), ("host", "10.0.0.1:8080")]),
            Sender::Own
        );
        assert_eq!(
            sender(&[("origin", "null"), ("sec-fetch-site", "cross-site")]),
            Sender::Foreign
        );
        assert_eq!(sender(&[("origin", "https://evil.example")]), Sender::Foreign);
        assert_eq!(sender(&[("origin", "http://news.example.org")]), Sender::Foreign);
        let known = [("origin", "https://blog.example"), ("sec-fetch-site", "cross-site")];
        assert_eq!(sender(&known), Sender::Known("https://blog.example".to_owned()));
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let seen = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(Peer(peer.parse::<SocketAddr>().unwrap())));
            visitor(&headers, &extensions).to_string()
        };
        assert_eq!(seen("127.0.0.1:9", "203.0.113.9, 198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("172.18.0.2:9", "198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("[::1]:9", "nonsense"), "::1");
        assert_eq!(seen("203.0.113.9:9", "198.51.100.7"), "203.0.113.9");
    }
}
