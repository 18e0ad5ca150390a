//! Telling others that something changed: hubs of feeds, those who subscribed to a feed at our own hub, search engines.
//!
//! Nothing here is a secret but what subscribers sign with, and whoever hears of a change twice fetches what they have: so
//! plain `http:` is taken, and what was in doubt is sent again.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use ipnet::IpNet;
use reqwest::header::{CONTENT_TYPE, LINK, RETRY_AFTER, USER_AGENT};
use reqwest::{Body, Client, RequestBuilder};
use rustls::ClientConfig;
use url::{Host, Url, form_urlencoded};

use super::guard::{Guard, Refusal};
use super::reply::{self, Answer};
use super::webhook::{client, find, read, told};
use crate::clock::SharedClock;
use crate::domain::{HubMode, Outcome, Reason, Reply, hex};
use crate::tls::{self, TlsSetupError};

/// The whole exchange with a hub.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same with a subscriber, of whom there may be many.
const SUBSCRIBERS_PATIENCE: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum PusherSetupError {
    #[error("cannot set up TLS")]
    Tls(#[from] TlsSetupError),
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Tells others. Cheap to clone.
#[derive(Clone)]
pub struct Pusher {
    tls: Arc<ClientConfig>,
    /// For callbacks of subscribers.
    subscribers: Client,
    guard: Guard,
    agent: String,
    clock: SharedClock,
}

/// What a callback is asked before it counts as a subscriber (section 5.3).
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub mode: HubMode,
    /// The feed's address.
    pub topic: &'a str,
    /// What nobody can know who was not asked.
    pub challenge: &'a str,
    pub lease_seconds: i64,
}

/// A feed on its way to a subscriber (section 7). Has no `Debug`: there is a secret in it.
#[derive(Clone)]
pub struct Content<'a> {
    pub body: Arc<[u8]>,
    pub content_type: &'static str,
    pub hub: &'a Url,
    /// The feed's address.
    pub topic: &'a str,
    pub secret: Option<&'a str>,
}

impl Pusher {
    /// One that trusts the built-in certificate authorities. Subscribers may be in the private networks of `allow`; `public_url`
    /// is our own, for `User-Agent`.
    pub fn new(
        public_url: &Url,
        allow: &[IpNet],
        clock: SharedClock,
    ) -> Result<Self, PusherSetupError> {
        let tls = tls::client_config(None)?;
        let guard = Guard::new(allow).also_plain();
        // Whether there is TLS makes no difference to this guard: one client is for all.
        let subscribers = client(&guard, public_url, SUBSCRIBERS_PATIENCE, &tls)
            .map_err(PusherSetupError::Client)?;
        let agent = format!("Postrider/{} (+{public_url})", env!("CARGO_PKG_VERSION"));
        Ok(Self { tls, subscribers, guard, agent, clock })
    }

    /// Tells `hub` that the feed at `topic` changed. The recommendation leaves open how; this is the form that all hubs know.
    pub async fn ping(&self, hub: &Url, topic: &str) -> Outcome {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "publish")
            .append_pair("hub.url", topic)
            .finish();
        self.call(hub, FORM, form).await
    }

    /// Posts `json` to a search engine.
    pub async fn tell_index(&self, endpoint: &Url, json: String) -> Outcome {
        self.call(endpoint, JSON, json).await
    }

    /// Sends the feed to a subscriber.
    pub async fn distribute(&self, callback: &Url, content: &Content<'_>) -> Outcome {
        let link = format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", content.hub, content.topic);
        let mut request = self
            .subscribers
            .post(callback.clone())
            .header(CONTENT_TYPE, content.content_type)
            .header(LINK, link);
        if let Some(secret) = content.secret {
            request = request.header("x-hub-signature", signature(secret, &content.body));
        }
        let body = Bytes::from_owner(Arc::clone(&content.body));
        let told = self.tell((&self.guard, callback), request.body(Body::from(body))).await;
        told.unwrap_or_else(|outcome| outcome).0
    }

    /// Asks `callback` whether it meant `question`. It did if the answer is the challenge.
    pub async fn ask(&self, callback: &Url, question: &Question<'_>) -> Result<bool, Outcome> {
        let mut url = callback.clone();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("hub.mode", question.mode.as_str())
                .append_pair("hub.topic", question.topic)
                .append_pair("hub.challenge", question.challenge);
            if question.mode == HubMode::Subscribe {
                query.append_pair("hub.lease_seconds", &question.lease_seconds.to_string());
            }
        }
        let request = self.subscribers.get(url);
        match self.tell((&self.guard, callback), request).await {
            Ok((Outcome::Accepted(_), body)) => Ok(body == question.challenge),
            // It may be starting.
            Ok((outcome @ Outcome::Deferred { .. }, _)) | Err((outcome, _)) => Err(outcome),
            Ok(_) => Ok(false),
        }
    }

    /// Tells `callback` that it does not get the feed at `topic` any more (section 5.2). Whatever it answers, it was told.
    pub async fn deny(&self, callback: &Url, topic: &str, reason: &str) -> Result<(), Outcome> {
        let mut url = callback.clone();
        url.query_pairs_mut()
            .append_pair("hub.mode", HubMode::Denied.as_str())
            .append_pair("hub.topic", topic)
            .append_pair("hub.reason", reason);
        match self.tell((&self.guard, callback), self.subscribers.get(url)).await {
            Ok((outcome @ Outcome::Deferred { .. }, _)) | Err((outcome, _)) => Err(outcome),
            Ok(_) => Ok(()),
        }
    }

    async fn call(&self, url: &Url, content_type: &'static str, body: String) -> Outcome {
        let guard = written(url).also_plain();
        let client = match client(&guard, url, PATIENCE, &self.tls) {
            Ok(client) => client,
            Err(error) => return refused(&server(url), &told(&error)),
        };
        let request = client.post(url.clone()).header(CONTENT_TYPE, content_type).body(body);
        self.tell((&guard, url), request).await.unwrap_or_else(|outcome| outcome).0
    }

    /// Sends `request` to `url`. What came of it and the answer's body; an error: there was no answer.
    async fn tell(
        &self,
        (guard, url): (&Guard, &Url),
        request: RequestBuilder,
    ) -> Result<(Outcome, String), (Outcome, String)> {
        let server = server(url);
        if let Err(refusal) = guard.judge(url) {
            return Err((refused(&server, &refusal.to_string()), String::new()));
        }
        match request.header(USER_AGENT, &self.agent).send().await {
            Ok(mut response) => {
                let retry_after = response.headers().get(RETRY_AFTER);
                let retry_after =
                    retry_after.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
                let body = read(&mut response).await;
                let answer = Answer {
                    status: response.status().as_u16(),
                    location: None,
                    retry_after: retry_after.as_deref(),
                    // Nobody is to read in our logs what a stranger writes.
                    body: response.status().canonical_reason().unwrap_or_default(),
                };
                Ok((reply::outcome(&server, &answer, self.clock.now()), body))
            }
            Err(error) => {
                let error = error.without_url(); // It may be a password.
                let outcome = match find::<Refusal>(&error) {
                    Some(refusal) => refused(&server, &refusal.to_string()),
                    None => Outcome::Unreachable(Reply::new(&server, None, &told(&error))),
                };
                Err((outcome, String::new()))
            }
        }
    }

    /// Whether `url` may be called, as far as its text tells.
    pub fn judge_callback(allow: &[IpNet], url: &Url) -> Result<(), Refusal> {
        Guard::new(allow).also_plain().judge(url)
    }
}

/// An address that the operator wrote down is meant; a name must not lead into a private network.
fn written(url: &Url) -> Guard {
    let written = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpNet::from(IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Some(IpNet::from(IpAddr::V6(address))),
        Some(Host::Domain(_)) | None => None,
    };
    Guard::new(written.as_slice())
}

fn server(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

fn refused(server: &str, text: &str) -> Outcome {
    Outcome::Rejected { reply: Reply::new(server, None, text), reason: Reason::System }
}

/// The value of `X-Hub-Signature` (section 8).
fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    format!("sha256={}", hex(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::SystemClock;

    fn pusher(allow: &[&str]) -> Pusher {
        let allow: Vec<IpNet> = allow.iter().map(|net| net.parse().unwrap()).collect();
        let ours = "https://news.example.org/".parse().unwrap();
        Pusher::new(&ours, &allow, Arc::new(SystemClock)).unwrap()
    }

    /// A server that gives `answer` to a request that ends with `end`: where it is, and what it was asked.
    async fn server(
        answer: &'static str,
        end: &'static str,
    ) -> (Url, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/it?own=1", listener.local_addr().unwrap()).parse().unwrap();
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(end.as_bytes()) {
                assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, asked)
    }

    /// Statement 37.
    #[tokio::test]
    async fn a_hub_is_told_which_feed_changed() {
        for (answer, is_accepted) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 503 Busy\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n", false),
        ] {
            let (hub, asked) = server(answer, "feed.xml").await;
            let outcome = pusher(&[]).ping(&hub, "https://news.example.org/feed.xml").await;
            assert_eq!(matches!(outcome, Outcome::Accepted(_)), is_accepted, "{outcome:?}");
            let request = asked.await.unwrap();
            assert!(request.starts_with("POST /it?own=1 HTTP/1.1\r\n"));
            let body = "hub.mode=publish&hub.url=https%3A%2F%2Fnews.example.org%2Ffeed.xml";
            assert!(request.ends_with(body), "{request}");
        }
    }

    #[tokio::test]
    async fn nobody_who_is_told_is_a_way_into_a_private_network() {
        let pusher = pusher(&[]);
        for url in ["https://localhost/", "http://localhost/", "https://a:b@c.example/", "ftp://a/"]
        {
            let outcome = pusher.ping(&url.parse().unwrap(), "https://a/").await;
            assert!(matches!(outcome, Outcome::Rejected { .. }), "{url}: {outcome:?}");
        }
        let question = Question {
            mode: HubMode::Subscribe,
            topic: "https://a/",
            challenge: "x",
            lease_seconds: 1,
        };
        for url in ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::ffff:10.0.0.1]/"] {
            let answer = pusher.ask(&url.parse().unwrap(), &question).await;
            assert!(matches!(answer, Err(Outcome::Rejected { .. })), "{url}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn a_callback_keeps_its_query_and_has_to_repeat_the_challenge() {
        let question = Question {
            mode: HubMode::Subscribe,
            topic: "https://news.example.org/feed.xml",
            challenge: "abc",
            lease_seconds: 60,
        };
        for (answer, is_meant) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", true),
            ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd", false),
            ("HTTP/1.1 404 No\r\ncontent-length: 3\r\n\r\nabc", false),
            ("HTTP/1.1 302 No\r\nlocation: /\r\ncontent-length: 3\r\n\r\nabc", false),
        ] {
            let (callback, asked) = server(answer, "\r\n\r\n").await;
            let meant = pusher(&["127.0.0.0/8"]).ask(&callback, &question).await;
            assert_eq!(meant.unwrap(), is_meant, "{answer}");
            let line = "GET /it?own=1&hub.mode=subscribe\
                        &hub.topic=https%3A%2F%2Fnews.example.org%2Ffeed.xml\
                        &hub.challenge=abc&hub.lease_seconds=60 HTTP/1.1\r\n";
            let request = asked.await.unwrap();
            assert!(request.starts_with(line), "{request}");
        }
    }

    #[test]
    fn a_signature_is_what_the_recommendation_says() {
        // RFC 4231, test case 2.
        let expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature("Jefe", b"what do ya want for nothing?"), expected);
    }
}
