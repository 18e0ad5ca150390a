//! Our own `WebSub` hub, as subscribers ask it (W3C Recommendation, section 5). What they ask for is noted; whether they meant
//! it their callback is asked afterwards, by `app`.

use std::net::IpAddr;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::{WebState, feeds, visitor};
use crate::config::{Config, FeedTarget, Hub};
use crate::crosspost::Pusher;
use crate::domain::{HubMode, lease};
use crate::feed;
use crate::store::HubRequest;
use crate::telemetry;

/// Requests in a minute from one network address: a reader subscribes to all its feeds at once.
const PER_MINUTE: u32 = 120;
/// Of a callback.
const URL_BYTES: usize = 2_000;
/// A secret is shorter than this (section 5.1).
const SECRET_BYTES: usize = 200;

type Fields = Vec<(String, String)>;

/// Why the hub does not do it, in a line of text: programs ask it.
struct No(StatusCode, String);

impl No {
    fn bad(text: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, text.into())
    }
}

/// What was asked for, as far as the request alone tells.
struct Asked {
    mode: HubMode,
    /// The path of a feed.
    topic: String,
    callback: Url,
    lease_seconds: Option<u64>,
    secret: Option<String>,
}

/// `POST /websub`.
pub(super) async fn ask(
    State(state): State<WebState>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let client = visitor::known_visitor(&headers, &extensions);
    match noted(&state, client, form).await {
        Ok(()) => (StatusCode::ACCEPTED, [(CACHE_CONTROL, "no-store")], "").into_response(),
        Err(No(status, text)) => {
            let mut response =
                (status, [(CACHE_CONTROL, "no-store")], format!("{text}\n")).into_response();
            if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                response.headers_mut().insert(RETRY_AFTER, 60.into());
            }
            response
        }
    }
}

async fn noted(
    state: &WebState,
    client: Option<IpAddr>,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<(), No> {
    let config = state.config.load_full();
    let Some(hub) = &config.feeds.hub else {
        return Err(No(StatusCode::NOT_FOUND, "There is no hub here.".to_owned()));
    };
    let now = state.clock.now();
    if let Some(client) = client
        && state.kept.hub_pace.admit(client, PER_MINUTE, now).is_err()
    {
        return Err(No(StatusCode::TOO_MANY_REQUESTS, "You ask very often.".to_owned()));
    }
    let Form(fields) = form.map_err(|_| No::bad("The form could not be read."))?;
    let asked = asked(&fields, &config, hub)?;
    let etag = match (feeds::feed_document(state, &asked.topic).await, asked.mode) {
        (Some(document), _) => document.etag.clone(),
        (None, HubMode::Unsubscribe | HubMode::Denied) => String::new(),
        (None, HubMode::Subscribe) if state.shelf.load().selections.is_unknown() => {
            let text = "The posts are being read. Please come back.".to_owned();
            return Err(No(StatusCode::SERVICE_UNAVAILABLE, text));
        }
        (None, HubMode::Subscribe) => {
            return Err(No(StatusCode::NOT_FOUND, "hub.topic is none of our feeds.".to_owned()));
        }
    };
    let request = HubRequest {
        mode: asked.mode,
        topic: asked.topic,
        host: asked.callback.host_str().unwrap_or_default().to_owned(),
        callback: asked.callback.into(),
        lease: lease(asked.lease_seconds),
        secret: asked.secret,
        etag,
    };
    match state.store.ask_hub(&request, now).await {
        Ok(true) => {
            tracing::debug!(?request, "the hub was asked");
            state.wake_hub();
            Ok(())
        }
        Ok(false) => {
            tracing::warn!(?request, "there is no room for another subscriber of a feed");
            let text = "There are too many subscriptions, of all or of this host.".to_owned();
            Err(No(StatusCode::SERVICE_UNAVAILABLE, text))
        }
        Err(error) => {
            let error = telemetry::causes(&error);
            tracing::warn!(%error, "the hub cannot note what it is asked for");
            let text = "This does not work just now. Please come back.".to_owned();
            Err(No(StatusCode::SERVICE_UNAVAILABLE, text))
        }
    }
}

/// Takes a request apart. Parameters that the recommendation does not know are ignored.
fn asked(fields: &Fields, config: &Config, hub: &Hub) -> Result<Asked, No> {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let needed = |name| field(name).ok_or_else(|| No::bad(format!("{name} is missing.")));
    let mode = match needed("hub.mode")? {
        "publish" => {
            return Err(No::bad("This hub is for our own feeds; it sees by itself what changed."));
        }
        "subscribe" => HubMode::Subscribe,
        "unsubscribe" => HubMode::Unsubscribe,
        _ => return Err(No::bad("hub.mode is not subscribe or unsubscribe.")),
    };
    let callback = callback(needed("hub.callback")?, hub)?;
    let topic = topic(needed("hub.topic")?, mode, config)?;
    let lease_seconds = match field("hub.lease_seconds").filter(|text| !text.is_empty()) {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(text.parse().unwrap_or(u64::MAX))
        }
        Some(_) => return Err(No::bad("hub.lease_seconds is no number.")),
        None => None,
    };
    let secret = field("hub.secret").filter(|secret| !secret.is_empty());
    if secret.is_some_and(|secret| secret.len() >= SECRET_BYTES) {
        return Err(No::bad("hub.secret has 200 bytes or more."));
    }
    Ok(Asked { mode, topic, callback, lease_seconds, secret: secret.map(str::to_owned) })
}

fn callback(text: &str, hub: &Hub) -> Result<Url, No> {
    if text.len() > URL_BYTES {
        return Err(No::bad("hub.callback is very long."));
    }
    let mut url: Url = text.parse().map_err(|_| No::bad("hub.callback is no URL."))?;
    url.set_fragment(None);
    // Which network it would be is none of their business.
    let judged = Pusher::judge_callback(&hub.allow, &url);
    judged.map_err(|_| No::bad("hub.callback cannot be called from here."))?;
    Ok(url)
}

/// The path of the feed at `text`, which is written as feeds write it.
fn topic(text: &str, mode: HubMode, config: &Config) -> Result<String, No> {
    let none = || No(StatusCode::NOT_FOUND, "hub.topic is none of our feeds.".to_owned());
    let rest = text.strip_prefix(config.server.public_url.as_str()).ok_or_else(none)?;
    let path = feed::usual_escapes(&format!("/{rest}")).into_owned();
    if path.contains(['?', '#']) || path == feed::OPML {
        return Err(none());
    }
    // Whoever wants to leave may, whatever became of the feed.
    if mode == HubMode::Unsubscribe {
        return Ok(path);
    }
    match why_retired(config, &path) {
        Some((status, why)) => Err(No(status, why)),
        None => Ok(path),
    }
}

/// Why nobody can subscribe to the feed at `path`, if the configuration says that it is no more or elsewhere.
pub fn why_retired(config: &Config, path: &str) -> Option<(StatusCode, String)> {
    let polling = &config.feeds.polling;
    if polling.gone.contains(path) {
        return Some((StatusCode::GONE, "This feed is no more.".to_owned()));
    }
    let now_at = match polling.moved.get(path)? {
        FeedTarget::Url(url) => url.to_string(),
        FeedTarget::Path(path) => feeds::feed_url(config, path),
    };
    Some((StatusCode::NOT_FOUND, format!("This feed is now at {now_at}")))
}
