//! Webhooks: one signed POST a delivery, and the answer as an `Outcome`.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Request, Response};
use rustls::ClientConfig;
use url::Url;

use super::guard::{Guard, Refusal};
use super::reply::{self, Answer};
use crate::clock::SharedClock;
use crate::config::{Destination, DestinationKind, Endpoint, Secret, SecretBytes, Webhook};
use crate::courier::{CallParcel, Courier, Intent, Parcel};
use crate::domain::{Outcome, Reason, Reply};
use crate::signature::{self, Call};
use crate::tls::{self, TlsSetupError};

/// As much of an answer's body is read; the rest is not waited for.
const BODY_BYTES: usize = 64 * 1024;

/// A connection unused for longer is not used again: a server closing it meanwhile would make the call uncertain.
const IDLE: Duration = Duration::from_secs(15);

/// Connecting may take this long, and never more than half of the whole time.
const LONGEST_CONNECT: Duration = Duration::from_secs(15);

/// Why there can be no courier for a destination.
#[derive(Debug, thiserror::Error)]
pub enum WebhookSetupError {
    #[error("destination `{0}` is an outbox folder, not a web server")]
    Outbox(String),
    #[error("destination `{destination}`: header `{header}` cannot be sent")]
    Header { destination: String, header: String },
    #[error("cannot set up TLS")]
    Tls(#[from] TlsSetupError),
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Carries calls to one webhook.
pub struct WebhookCourier {
    client: Client,
    guard: Guard,
    url: Url,
    /// `host:port`, as kept with replies.
    server: String,
    public_url: String,
    headers: HeaderMap,
    secrets: Vec<Arc<SecretBytes>>,
    /// What must not be kept when a server repeats it to us.
    hidden: Vec<String>,
    clock: SharedClock,
}

impl WebhookCourier {
    /// Prepares a courier that trusts the built-in certificate authorities. `public_url` is our own, for `User-Agent`.
    pub fn new(
        destination: &Destination,
        public_url: &Url,
        clock: SharedClock,
    ) -> Result<Self, WebhookSetupError> {
        let tls = tls::client_config(None)?;
        Self::with_tls(destination, public_url, clock, &tls)
    }

    /// As `new`, trusting whom `tls` trusts.
    pub fn with_tls(
        destination: &Destination,
        public_url: &Url,
        clock: SharedClock,
        tls: &ClientConfig,
    ) -> Result<Self, WebhookSetupError> {
        let DestinationKind::Webhook(webhook) = &destination.kind;
        let Endpoint::Http { url, allow } = &webhook.endpoint else {
            return Err(WebhookSetupError::Outbox(destination.name.clone()));
        };
        let guard = Guard::new(allow);
        let timeout = Duration::try_from(webhook.timeout).unwrap_or(Duration::ZERO);
        let client = client(&guard, url, timeout, tls).map_err(WebhookSetupError::Client)?;
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Self {
            client,
            guard,
            server: format!("{}:{port}", url.host_str().unwrap_or_default()),
            public_url: public_url.to_string(),
            headers: extra_headers(destination, webhook)?,
            secrets: webhook.secrets.clone(),
            hidden: hidden(url, webhook),
            url: url.clone(),
            clock,
        })
    }

    async fn carry(&self, call: &CallParcel, intent: Intent<'_>) -> Outcome {
        if let Err(refusal) = self.guard.judge(&self.url) {
            return self.rejected(&refusal.to_string());
        }
        let request = match self.request(call) {
            Ok(request) => request,
            Err(text) => return self.rejected(text),
        };
        if intent.commit().await.is_err() {
            return Outcome::NotOurs;
        }
        match self.client.execute(request).await {
            Ok(response) => self.answered(response).await,
            Err(error) => self.failed(error),
        }
    }

    fn request(&self, call: &CallParcel) -> Result<Request, &'static str> {
        let now = self.clock.now();
        let said = Call { key: &call.key, body: &call.body, public_url: &self.public_url, now };
        let secrets = self.secrets.iter().map(|secret| secret.expose());
        let mut headers = self.headers.clone();
        for (name, value) in signature::headers(&said, secrets) {
            let value = HeaderValue::try_from(value)
                .map_err(|_| "the delivery's key cannot be sent as a header")?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let request = self.client.post(self.url.clone()).headers(headers).body(call.body.clone());
        request.build().map_err(|_| "the URL cannot be called")
    }

    async fn answered(&self, mut response: Response) -> Outcome {
        let status = response.status();
        let mut body = read(&mut response).await;
        if body.trim().is_empty() {
            status.canonical_reason().unwrap_or_default().clone_into(&mut body);
        }
        let body = self.hide(body);
        let header = |name| {
            let value: Option<&HeaderValue> = response.headers().get(name);
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let location = header(LOCATION).map(|to| self.hide(to));
        let retry_after = header(RETRY_AFTER);
        let answer = Answer {
            status: status.as_u16(),
            location: location.as_deref(),
            retry_after: retry_after.as_deref(),
            body: &body,
        };
        reply::outcome(&self.server, &answer, self.clock.now())
    }

    /// The outcome of a call that got no answer.
    fn failed(&self, error: reqwest::Error) -> Outcome {
        let error = error.without_url(); // It may hold a token.
        if let Some(refusal) = find::<Refusal>(&error) {
            return self.rejected(&refusal.to_string());
        }
        let reply = Reply::new(&self.server, None, &self.hide(told(&error)));
        if error.is_builder() {
            Outcome::Rejected { reply, reason: Reason::System }
        } else if error.is_connect() {
            Outcome::Unreachable(reply)
        } else {
            Outcome::Uncertain(reply)
        }
    }

    fn rejected(&self, text: &str) -> Outcome {
        let reply = Reply::new(&self.server, None, text);
        Outcome::Rejected { reply, reason: Reason::System }
    }

    fn hide(&self, mut text: String) -> String {
        for secret in &self.hidden {
            text = text.replace(secret, "…");
        }
        text
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the guarded client")]
pub(super) fn client(
    guard: &Guard,
    url: &Url,
    timeout: Duration,
    tls: &ClientConfig,
) -> Result<Client, reqwest::Error> {
    Client::builder()
        .dns_resolver(guard.resolver(url))
        .redirect(reqwest::redirect::Policy::none())
        // A proxy from the environment would resolve names itself, behind the guard's back.
        .no_proxy()
        .referer(false)
        .http1_only()
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE)
        .timeout(timeout)
        // Shorter than the whole, so that a call which never went out is not called uncertain.
        .connect_timeout((timeout / 2).min(LONGEST_CONNECT))
        .tls_backend_preconfigured(tls.clone())
        .build()
}

fn extra_headers(
    destination: &Destination,
    webhook: &Webhook,
) -> Result<HeaderMap, WebhookSetupError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &webhook.headers {
        let refused = || WebhookSetupError::Header {
            destination: destination.name.clone(),
            header: name.clone(),
        };
        let name = HeaderName::try_from(name).map_err(|_| refused())?;
        let mut value = HeaderValue::try_from(value.expose()).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Header values, and the path of the URL: for many services the path is the password.
fn hidden(url: &Url, webhook: &Webhook) -> Vec<String> {
    let values = webhook.headers.values().map(Secret::expose);
    let parts = values.chain([url.path()]).chain(url.query());
    parts.filter(|part| part.len() >= 8).map(str::to_owned).collect()
}

/// Reads a body up to its limit. One that breaks off is as good: the status has said what matters.
pub(super) async fn read(response: &mut Response) -> String {
    let mut body = Vec::new();
    while body.len() < BODY_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// The first error of type `E` in the chain of causes.
pub(super) fn find<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a E> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|error| error.downcast_ref())
}

/// An error with its causes, each once.
pub(super) fn told(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| (*error).source()) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

impl Courier for WebhookCourier {
    fn deliver<'a>(&'a mut self, parcel: &'a Parcel, intent: Intent<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match parcel {
                Parcel::Call(call) => self.carry(call, intent).await,
                Parcel::Mail(_) => self.rejected("a webhook carries no mail"),
            }
        })
    }

    /// HTTP has no goodbye; the connection ends with the courier.
    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
