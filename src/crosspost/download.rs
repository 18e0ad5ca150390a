//! Fetching a document that a person asked for: the host that they named may be any, what it leads to must be public.

use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::header::{LOCATION, USER_AGENT};
use rustls::ClientConfig;
use url::Url;

use super::guard::{Guard, Refusal};
use super::webhook::{client, told};
use crate::tls;

/// The whole exchange.
const PATIENCE: Duration = Duration::from_mins(1);
/// As readers of feeds do.
const REDIRECTS: usize = 5;
/// Some servers have nothing for who does not say who it is.
const AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"), " (feeds adopt)");

/// A document and where it was in the end.
#[derive(Clone, Debug)]
pub struct Download {
    pub url: Url,
    pub bytes: Vec<u8>,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error("it may not be called")]
    Refused(#[from] Refusal),
    #[error("the server answers {0}")]
    Status(u16),
    #[error("it leads on more than {REDIRECTS} times")]
    Redirects,
    #[error("it leads to nowhere")]
    Nowhere,
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    #[error("it cannot be fetched: {0}")]
    Http(String),
    #[error("TLS cannot be used: {0}")]
    Tls(String),
}

/// The document at `url`, which a person named or a document of `named`'s host led to. `most`: so many bytes at most.
pub async fn download(url: &Url, named: &Url, most: usize) -> Result<Download, DownloadError> {
    let tls = tls::client_config(None).map_err(|error| DownloadError::Tls(told(&error)))?;
    let mut url = url.clone();
    for _ in 0..=REDIRECTS {
        match step(&url, named, most, &tls).await? {
            Step::There(bytes) => return Ok(Download { url, bytes }),
            Step::LeadsTo(place) => url = place,
        }
    }
    Err(DownloadError::Redirects)
}

enum Step {
    There(Vec<u8>),
    LeadsTo(Url),
}

async fn step(
    url: &Url,
    named: &Url,
    most: usize,
    tls: &ClientConfig,
) -> Result<Step, DownloadError> {
    let guard = guard_for(url, named);
    guard.judge(url)?;
    let failed = |error: reqwest::Error| DownloadError::Http(told(&error.without_url()));
    let client = client(&guard, url, PATIENCE, tls).map_err(failed)?;
    let request = client.get(url.clone()).header(USER_AGENT, AGENT);
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    if status.is_redirection() {
        let place = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        let place = place.and_then(|it| url.join(it).ok()).ok_or(DownloadError::Nowhere)?;
        return Ok(Step::LeadsTo(place));
    }
    if !status.is_success() {
        return Err(DownloadError::Status(status.as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len() + chunk.len() > most {
            return Err(DownloadError::TooLarge(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Step::There(bytes))
}

/// Whoever sits at the terminal reaches their own machines anyway; a server elsewhere must not through them.
fn guard_for(url: &Url, named: &Url) -> Guard {
    if url.host() == named.host() && url.host().is_some() {
        return Guard::new(&[IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]);
    }
    Guard::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_that_was_named_may_be_a_private_one() {
        let url = |text: &str| -> Url { text.parse().unwrap() };
        let named = url("http://127.0.0.1:8000/feed.xml");
        let judged = |to: &str| guard_for(&url(to), &named).judge(&url(to));
        assert_eq!(judged("http://127.0.0.1:8000/feed2.xml"), Ok(()));
        assert_eq!(judged("https://elsewhere.example/feed.xml"), Ok(()));
        for to in [
            "http://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[::1]/",
            "file:///etc/passwd",
        ] {
            assert!(judged(to).is_err(), "{to}");
        }
    }
}
