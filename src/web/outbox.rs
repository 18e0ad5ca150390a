//! The outbox in the browser: mail and calls as they would have been sent. There only where the configuration has one.
//!
//! It shows addresses and links with tokens: it is for trying things out, with mail that reaches nobody.

mod letter;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::{WebState, page};
use crate::config::{Config, DestinationKind, Endpoint, Transport};
use crate::outbox::{Entry, Outbox, OutboxError};
use crate::telemetry;
use crate::template::{CallRow, Header, MailRow, OutboxCallPage, OutboxMailPage, OutboxPage};
use letter::Letter;

/// Rows of each kind that the list shows: each is read from its file.
const ROWS: usize = 100;
/// A mail is shown in a frame of ours, without scripts, forms and the power to be the page that it is in. Links open beside it.
const MAIL_POLICY: &str = "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; \
     form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

/// The outboxes that mail and calls go to, each once.
pub(super) fn outboxes(config: &Config) -> Vec<Outbox> {
    let mail = config.mail.servers.values().filter_map(|server| match &server.transport {
        Transport::Outbox(dir) => Some(dir),
        Transport::Smtp(_) => None,
    });
    let calls = config.destinations.values().filter_map(|destination| {
        let DestinationKind::Webhook(webhook) = &destination.kind;
        match &webhook.endpoint {
            Endpoint::Outbox(dir) => Some(dir),
            Endpoint::Http { .. } => None,
        }
    });
    let mut dirs: Vec<_> = mail.chain(calls).collect();
    dirs.sort_unstable();
    dirs.dedup();
    dirs.into_iter().map(Outbox::new).collect()
}

/// `GET /outbox`.
pub(super) async fn list(State(state): State<WebState>) -> Result<Response, Refusal> {
    let config = state.config.load();
    let (mut mails, mut calls) = (Vec::new(), Vec::new());
    for outbox in existing(&config)? {
        mails.extend(outbox.list_mail().await?.into_iter().map(|entry| (outbox.clone(), entry)));
        calls.extend(outbox.list_calls().await?.into_iter().map(|entry| (outbox.clone(), entry)));
    }
    let mut context = OutboxPage {
        site: page::site(&config),
        nav: page::navigation(&config, "Outbox"),
        mails: Vec::new(),
        calls: Vec::new(),
    };
    for (outbox, entry) in newest(mails) {
        context.mails.push(mail_row(&config, &outbox, entry).await);
    }
    for (outbox, entry) in newest(calls) {
        context.calls.push(call_row(&config, &outbox, entry).await);
    }
    Ok(page::uncached(page::html(&state, "page/outbox.html", &context)?))
}

/// `GET /outbox/mail/{name}`.
pub(super) async fn mail(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let raw = read_mail(&config, &name).await?;
    let letter = Letter::parse(&raw);
    let here = page::local(&config, &format!("outbox/mail/{name}"));
    let context = OutboxMailPage {
        site: page::site(&config),
        nav: page::navigation(&config, "Outbox"),
        subject: letter.subject().unwrap_or_else(|| name.clone()),
        file: name,
        headers: letter.headers(),
        html_src: letter.html().map(|_| format!("{here}/html")),
        text: letter.text(),
        raw_url: format!("{here}/raw"),
        size_kb: (raw.len() as u64).div_ceil(1_000),
    };
    Ok(page::uncached(page::html(&state, "page/outbox-mail.html", &context)?))
}

/// `GET /outbox/mail/{name}/html`: the HTML part, for the frame.
pub(super) async fn mail_html(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let raw = read_mail(&state.config.load(), &name).await?;
    let html = Letter::parse(&raw).html().ok_or_else(Refusal::not_found)?;
    let policy = [(CONTENT_SECURITY_POLICY, MAIL_POLICY)];
    Ok(page::uncached((policy, Html(opening_beside(html))).into_response()))
}

/// `GET /outbox/mail/{name}/raw`: the file, shown as it is.
pub(super) async fn mail_raw(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let raw = read_mail(&state.config.load(), &name).await?;
    Ok(page::uncached(([(CONTENT_TYPE, "text/plain; charset=utf-8")], raw).into_response()))
}

/// `GET /outbox/http/{name}`.
pub(super) async fn call(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let call = read_call(&config, &name).await?;
    let context = OutboxCallPage {
        site: page::site(&config),
        nav: page::navigation(&config, "Outbox"),
        file: name,
        headers: call.headers(),
        body: call.pretty_body(),
        destination: call.destination,
    };
    Ok(page::uncached(page::html(&state, "page/outbox-call.html", &context)?))
}

/// The outboxes, or nothing at all where the configuration has none.
fn existing(config: &Config) -> Result<Vec<Outbox>, Refusal> {
    let outboxes = outboxes(config);
    if outboxes.is_empty() { Err(Refusal::not_found()) } else { Ok(outboxes) }
}

/// Files of the same name in two outboxes are told apart by neither; the first is shown.
async fn read_mail(config: &Config, name: &str) -> Result<Vec<u8>, Refusal> {
    for outbox in existing(config)? {
        match outbox.read_mail(name).await {
            Err(OutboxError::NotFound(_)) => {}
            found => return Ok(found?),
        }
    }
    Err(Refusal::not_found())
}

async fn read_call(config: &Config, name: &str) -> Result<Call, Refusal> {
    for outbox in existing(config)? {
        match outbox.read_call(name).await {
            Err(OutboxError::NotFound(_)) => {}
            found => return Ok(Call::parse(&found?)),
        }
    }
    Err(Refusal::not_found())
}

fn newest(mut entries: Vec<(Outbox, Entry)>) -> Vec<(Outbox, Entry)> {
    entries.sort_by(|(_, a), (_, b)| (b.written_at, &b.name).cmp(&(a.written_at, &a.name)));
    entries.truncate(ROWS);
    entries
}

/// A file that went away or cannot be read since it was listed is shown with what is known of it.
async fn mail_row(config: &Config, outbox: &Outbox, entry: Entry) -> MailRow {
    let raw = outbox.read_mail(&entry.name).await.unwrap_or_default();
    let letter = Letter::parse(&raw);
    MailRow {
        url: page::local(config, &format!("outbox/mail/{}", entry.name)),
        to: letter.to().unwrap_or_default(),
        subject: letter.subject().unwrap_or_else(|| entry.name.clone()),
        date: Some(entry.written_at.to_zoned(config.site.time_zone.clone())),
        size: entry.size_bytes,
        file: entry.name,
    }
}

async fn call_row(config: &Config, outbox: &Outbox, entry: Entry) -> CallRow {
    let call = Call::parse(&outbox.read_call(&entry.name).await.unwrap_or_default());
    CallRow {
        url: page::local(config, &format!("outbox/http/{}", entry.name)),
        at: Some(entry.written_at.to_zoned(config.site.time_zone.clone())),
        title: call.title().unwrap_or_else(|| entry.name.clone()),
        destination: call.destination,
        file: entry.name,
    }
}

/// A call as the courier wrote it down. What is missing is empty: people edit files.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Call {
    destination: String,
    headers: Map<String, Value>,
    body: String,
}

impl Call {
    fn parse(file: &[u8]) -> Self {
        serde_json::from_slice(file).unwrap_or_default()
    }

    fn headers(&self) -> Vec<Header> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let header =
            |(name, value): (&String, &Value)| Header { name: name.clone(), value: text(value) };
        self.headers.iter().map(header).collect()
    }

    fn pretty_body(&self) -> String {
        serde_json::from_str::<Value>(&self.body)
            .map_or_else(|_| self.body.clone(), |body| format!("{body:#}"))
    }

    /// The post's title, where the body has the default shape or one like it.
    fn title(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let places = ["/data/post/title", "/data/title", "/post/title", "/title"];
        places.iter().find_map(|place| body.pointer(place)?.as_str().map(str::to_owned))
    }
}

/// The mail with its links set to open in a tab of their own: in the frame, pages that refuse to be framed would stay blank.
fn opening_beside(html: String) -> String {
    let head = html.find("<head").and_then(|at| html[at..].find('>').map(|end| at + end + 1));
    match head {
        Some(at) => format!("{}<base target=\"_blank\">{}", &html[..at], &html[at..]),
        None => html,
    }
}

impl From<OutboxError> for Refusal {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Name(_) | OutboxError::NotFound(_) => Self::not_found(),
            OutboxError::Read { .. } => {
                let error = telemetry::causes(&error);
                tracing::error!(%error, "the outbox cannot be shown");
                Self::new(
                    axum::http::StatusCode::INTERNAL_SERVER_ERROR,
                    "The outbox folder cannot be read. The log says why.",
                )
            }
        }
    }
}
