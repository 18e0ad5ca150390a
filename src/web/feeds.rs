//! Feeds: bytes from memory, with the validators that let readers poll cheaply. Touches no database and no file.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, LINK,
    LOCATION, RETRY_AFTER, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::refusal;
use super::{WebState, archive, conditional, moved, visitor};
use crate::config::{Config, FeedTarget};
use crate::feed::{self, Coding, Document, Selections, Shelf, Wanted};
use crate::ingest::settle_document;
use crate::telemetry;

/// Readers may keep a copy for a quarter of an hour, and use it for a week while we are down (RFC 5861).
const KEEP: &str = "public, max-age=900, stale-if-error=604800";
/// A delta is for one reader; a cache would hand it to others as the whole.
const KEEP_NOT: &str = "no-store";
/// That a feed moved or is no more stays so, until the operator thinks better of it.
const KEEP_NEWS: &str = "public, max-age=86400";
/// Seconds after which the first scan is surely over.
const AGAIN_AFTER: &str = "10";
/// What depends on what the reader can do.
const VARIES: &str = "Accept-Encoding, A-IM, Sec-Fetch-Dest";
/// Feeds are for everybody, for readers that run in a browser as well.
const EVERYBODY: &str = "*";
const METHODS: &str = "GET,HEAD,OPTIONS";
/// What a script may send: conditional requests are all that it needs to be a good reader.
const MAY_SEND: &str = "If-None-Match, If-Modified-Since, A-IM, Accept, Cache-Control";
const MAY_SEE: &str = "ETag, Last-Modified, Link, IM, Delta-Base, Retry-After";
/// RFC 3229.
const IM: HeaderName = HeaderName::from_static("im");
const DELTA_BASE: HeaderName = HeaderName::from_static("delta-base");
/// Room for the headers of an answer, those of every answer included.
const HEADERS: usize = 20;
/// Documents so small are compressed while the reader waits; it takes less time than to call somebody else.
const SMALL: usize = 16 * 1024;
/// What addresses of feeds end with.
const ENDINGS: [&str; 5] = [".xml", ".json", ".atom", ".rss", ".opml"];

/// Feeds that each have a name of their own in metrics.
const MAIN: [&str; 5] = ["/feed.xml", "/atom.xml", "/feed.json", "/podcast.xml", "/feeds.opml"];

/// Whatever is on the shelf, by its path, or what became of it. A query is ignored: readers and trackers add their own.
pub(super) async fn hand_out(State(state): State<Arc<WebState>>, request: Request) -> Response {
    let (Parts { method, uri, headers, extensions, .. }, _) = request.into_parts();
    let config = state.config.load_full();
    let path = feed::usual_escapes(uri.path());
    if let Some(key) = archive::index_key(&config, &path) {
        return key;
    }
    let shelf = state.shelf.load_full();
    // What most readers never need is in boxes: each answer's future is moved as often as there are layers.
    let Some(place) = Place::of(&shelf, &path) else {
        return Box::pin(not_there((*state).clone(), (method, uri.clone(), headers))).await;
    };
    let response = match method {
        Method::GET | Method::HEAD => {
            let client = visitor::known_visitor(&headers, &extensions);
            let link = links(&config, &path);
            let answer = async {
                if archive::is_person(&headers)
                    && let Some(page) = Box::pin(archive::feed_page(&state, &shelf, &path)).await
                {
                    return Ok(page);
                }
                let document = place.document(&state, &shelf.selections, &path).await?;
                let is_dated = document.is_noted || matches!(place, Place::OnShelf(_));
                let answer = answer((Arc::clone(&document), is_dated), &headers, link).await;
                if document.is_feed() {
                    let now = state.clock.now();
                    state.kept.readership.note(&path, client, &headers, now);
                }
                Ok(answer)
            };
            at_a_pace(&state, client, answer).await
        }
        Method::OPTIONS => preflight(),
        _ => {
            let mut response = refusal::wrong_method().await.into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
            response
        }
    };
    telemetry::feed_request(name_in_metrics(&path), response.status().as_u16());
    response
}

/// Where a document comes from.
enum Place<'a> {
    OnShelf(&'a Arc<Document>),
    /// Made when somebody asks for it.
    OnDemand(Wanted),
}

impl<'a> Place<'a> {
    fn of(shelf: &'a Shelf, path: &str) -> Option<Self> {
        let on_demand = || shelf.selections.find(path).map(Self::OnDemand);
        shelf.documents.get(path).map(Self::OnShelf).or_else(on_demand)
    }

    async fn document(
        &self,
        state: &WebState,
        selections: &Arc<Selections>,
        path: &str,
    ) -> Result<Arc<Document>, Response> {
        match self {
            Self::OnShelf(document) => Ok(Arc::clone(document)),
            Self::OnDemand(wanted) => match selections.ready(wanted) {
                Some(document) => Ok(document),
                None => Box::pin(Self::made(wanted, state, selections, path)).await,
            },
        }
    }

    async fn made(
        wanted: &Wanted,
        state: &WebState,
        selections: &Arc<Selections>,
        path: &str,
    ) -> Result<Arc<Document>, Response> {
        // Whoever waits here holds no thread.
        let turn = state.kept.making.lock().await;
        if let Some(document) = selections.ready(wanted) {
            return Ok(document);
        }
        let (maker, asked) = (Arc::clone(selections), wanted.clone());
        let answer = tokio::task::spawn_blocking(move || maker.make(&asked)).await;
        // The database may be slow: nobody else waits for that.
        drop(turn);
        match answer {
            Ok(Ok(document)) => {
                let now = state.clock.now();
                let document =
                    settle_document((&state.config.load(), &state.store), path, document, now)
                        .await;
                selections.keep(wanted, &document);
                Ok(document)
            }
            Ok(Err(error)) => {
                let error = telemetry::causes(&error);
                tracing::error!(feed = path, %error, "a feed cannot be made");
                Err(not_yet())
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// The document at `path` as it is now, made if it must be, and known to the database if that answers. None: there is none, or
/// it cannot be made now.
pub async fn feed_document(state: &WebState, path: &str) -> Option<Arc<Document>> {
    let shelf = state.shelf.load_full();
    if is_retired(&state.config.load(), path) {
        return None;
    }
    let place = Place::of(&shelf, path)?;
    let document = place.document(state, &shelf.selections, path).await.ok()?;
    let Place::OnDemand(wanted) = &place else { return Some(document) };
    if document.is_noted {
        return Some(document);
    }
    let (config, now) = (state.config.load_full(), state.clock.now());
    let document = settle_document((&config, &state.store), path, document, now).await;
    shelf.selections.keep(wanted, &document);
    Some(document)
}

/// The answer, unless the client asks too often.
async fn at_a_pace(
    state: &WebState,
    client: Option<IpAddr>,
    answer: impl Future<Output = Result<Response, Response>>,
) -> Response {
    let answer = async { answer.await.unwrap_or_else(|refusal| refusal) };
    let Some(client) = client else { return answer.await };
    let (pace, allowed) = (&state.kept.pace, state.config.load().feeds.polling.requests_per_minute);
    if let Err(wait) = pace.admit(client, allowed, state.clock.now()) {
        return too_often(wait);
    }
    let answer = answer.await;
    if answer.status() == StatusCode::NOT_MODIFIED {
        pace.was_unchanged(client, allowed);
    }
    answer
}

async fn answer(
    (document, is_dated): (Arc<Document>, bool),
    headers: &HeaderMap,
    link: HeaderValue,
) -> Response {
    // HTTP dates begin in 1970; a post may be older.
    let last_modified = document.last_modified.max(Timestamp::UNIX_EPOCH).into();
    let last_modified = if is_dated { last_modified } else { conditional::never() };
    let coding = conditional::preferred(headers);
    let is_unchanged = conditional::is_unchanged(headers, &document.etag, last_modified);
    let delta = if is_unchanged { None } else { delta(&document, headers) };
    let (status, keep, sent) = match &delta {
        Some((delta, _)) => (StatusCode::IM_USED, KEEP_NOT, Arc::clone(delta)),
        None if is_unchanged => (StatusCode::NOT_MODIFIED, KEEP, Arc::clone(&document)),
        None => (StatusCode::OK, KEEP, Arc::clone(&document)),
    };
    let form = match coding {
        Some(coding) if !is_unchanged => encoded(sent.clone(), coding).await.map(|it| (it, coding)),
        _ => None,
    };
    // The reader of a 304 may have whichever form: what it is told is the one that it would get now.
    let told = if is_unchanged { coding } else { form.as_ref().map(|(_, coding)| *coding) };
    let etag = told.map_or_else(
        || document.etag.clone(),
        |coding| conditional::tag_of_form(&document.etag, coding),
    );
    let mut response = status.into_response();
    let told = response.headers_mut();
    told.reserve(HEADERS);
    told.extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    let common = [
        (CACHE_CONTROL, keep),
        (VARY, VARIES),
        (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY),
        (ACCESS_CONTROL_EXPOSE_HEADERS, MAY_SEE),
    ];
    for (name, value) in common {
        told.insert(name, HeaderValue::from_static(value));
    }
    told.insert(LINK, link);
    let date = HeaderValue::try_from(httpdate::fmt_http_date(last_modified)).ok();
    told.extend(date.filter(|_| is_dated).map(|date| (LAST_MODIFIED, date)));
    if is_unchanged {
        return response;
    }
    let bytes = form.as_ref().map_or_else(|| sent.bytes.clone(), |(bytes, _)| bytes.clone());
    told.insert(CONTENT_TYPE, HeaderValue::from_static(document.content_type));
    told.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    // A part of a feed is no feed, and the whole of one is small.
    told.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    if let Some((_, coding)) = form {
        told.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    }
    if let Some((_, base)) = delta {
        told.insert(IM, HeaderValue::from_static("feed"));
        told.extend(HeaderValue::from_str(&base).ok().map(|base| (DELTA_BASE, base)));
    }
    *response.body_mut() = Body::from(Bytes::from_owner(bytes));
    response
}

/// What the reader lacks, when it can do with that alone and has a version that we know; and the tag of that version.
fn delta(document: &Document, headers: &HeaderMap) -> Option<(Arc<Document>, String)> {
    if !conditional::takes_deltas(headers) {
        return None;
    }
    conditional::tags(headers).find_map(|(tag, told)| {
        let delta = document.since(&format!("\"{tag}\""))?;
        Some((delta, told.to_owned()))
    })
}

/// The compressed bytes. Large ones are made where it keeps nobody else waiting.
async fn encoded(document: Arc<Document>, coding: Coding) -> Option<Arc<[u8]>> {
    if document.is_made(coding) || document.bytes.len() <= SMALL {
        return document.encoded(coding);
    }
    tokio::task::spawn_blocking(move || document.encoded(coding)).await.ok().flatten()
}

/// The feed's own address, and the hubs that tell of its changes (WebSub section 4).
fn links(config: &Config, path: &str) -> HeaderValue {
    let mut links = format!("<{}>; rel=\"self\"", feed_url(config, path));
    for hub in hubs(config, path) {
        links.extend([", <", hub.as_str(), ">; rel=\"hub\""]);
    }
    HeaderValue::try_from(links).unwrap_or(HeaderValue::from_static(""))
}

/// Those that the document at `path` names.
fn hubs<'a>(config: &'a Config, path: &'a str) -> impl Iterator<Item = &'a Url> {
    let own = config.feeds.hub.as_ref().map(|hub| &hub.url);
    let named = config.feeds.about.hubs.iter();
    named.filter(move |hub| Some(*hub) == own || feed::is_for_all_hubs(path))
}

/// Where the document at `path`, percent-encoded as all of them, is for the world.
pub fn feed_url(config: &Config, path: &str) -> String {
    // It ends with `/`. To parse it again would cost a feed that is polled as much as its headers.
    let public_url = config.server.public_url.as_str();
    [public_url, path.trim_start_matches('/')].concat()
}

/// A browser asks whether a script of another site may send what is not in every request.
fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY),
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND),
        (ACCESS_CONTROL_MAX_AGE, "86400"),
        (ALLOW, METHODS),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Answers what the configuration says of feeds that were here once, wherever that was. It has the last word: a feed may move
/// away while we make it.
pub(super) fn lead_away(state: &WebState, request: &Request) -> Option<Response> {
    let path = feed::usual_escapes(request.uri().path());
    retired(&state.config.load(), request.method(), &path)
}

/// Whether readers are led away from `path`, or told that there is nothing any more.
pub fn is_retired(config: &Config, path: &str) -> bool {
    let polling = &config.feeds.polling;
    polling.gone.contains(path) || polling.moved.contains_key(path)
}

fn retired(config: &Config, method: &Method, path: &str) -> Option<Response> {
    let polling = &config.feeds.polling;
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    if let Some(target) = polling.moved.get(path) {
        let location = match target {
            FeedTarget::Url(url) => url.to_string(),
            FeedTarget::Path(path) => feed_url(config, path),
        };
        if moved::leads_back(config, &location, path) {
            return None;
        }
        let headers = [
            (LOCATION, location),
            (CACHE_CONTROL, KEEP_NEWS.to_owned()),
            (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY.to_owned()),
        ];
        return Some((StatusCode::MOVED_PERMANENTLY, headers).into_response());
    }
    polling.gone.contains(path).then(|| {
        let headers = [(CACHE_CONTROL, KEEP_NEWS), (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY)];
        (StatusCode::GONE, headers, "This feed is no more. Please unsubscribe from it.\n")
            .into_response()
    })
}

/// 429, not 403: the client may come back.
fn too_often(wait: SignedDuration) -> Response {
    let seconds = wait.as_secs().max(0) + 1;
    let headers = [
        (RETRY_AFTER, seconds.to_string()),
        (CACHE_CONTROL, KEEP_NOT.to_owned()),
        (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY.to_owned()),
    ];
    let text = "You ask for feeds very often. They change a few times a day; please ask less.\n";
    (StatusCode::TOO_MANY_REQUESTS, headers, text).into_response()
}

/// Nothing is on the shelf under this path. Feed readers get a line, people a page.
async fn not_there(state: WebState, (method, uri, headers): (Method, Uri, HeaderMap)) -> Response {
    let is_feed = ENDINGS.iter().any(|ending| uri.path().ends_with(ending));
    let is_read = method == Method::GET || method == Method::HEAD;
    let shelf = state.shelf.load();
    // Which feeds there are is not known before everything was looked at.
    if is_feed && is_read && shelf.selections.is_unknown() {
        return not_yet();
    }
    drop(shelf);
    match moved::lead_on(State(state), method, uri, headers).await {
        Ok(answer) => answer,
        Err(refusal) if is_feed && refusal.is_not_found() => {
            let headers = [(CACHE_CONTROL, KEEP_NOT), (ACCESS_CONTROL_ALLOW_ORIGIN, EVERYBODY)];
            (StatusCode::NOT_FOUND, headers, "There is no feed at this address.\n").into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// There is nothing to show yet, and an empty feed would make readers forget what they have.
fn not_yet() -> Response {
    let headers = [(RETRY_AFTER, AGAIN_AFTER), (CACHE_CONTROL, KEEP_NOT)];
    (StatusCode::SERVICE_UNAVAILABLE, headers, "The posts are being read. Please come back.\n")
        .into_response()
}

/// What a feed is called in metrics. Those of topics, of which there may be hundreds, are all under one name.
pub(super) fn name_in_metrics(path: &str) -> &str {
    if MAIN.contains(&path) { path } else { "other" }
}
