//! Postrider's own pages: feeds, subscribing and leaving, the outbox, the status page, health and metrics.
//!
//! Handlers translate: they take a request apart, ask `audience`, the store or the shelf, and lay the answer out with a
//! template. No GET changes anything, because mail scanners and browsers fetch links by themselves. Feeds come from memory
//! and are served when everything else is down.

mod archive;
mod conditional;
mod confirm;
mod feeds;
mod health;
mod index;
mod moved;
mod outbox;
mod pace;
mod page;
mod protect;
mod readership;
mod refusal;
mod serve;
mod status;
mod subscribe;
#[cfg(test)]
mod tests;
mod unsubscribe;
mod visitor;
mod websub;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::audience::{Audience, SignupLimit};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::feed::Shelf;
use crate::store::Store;
use crate::template::Templates;

pub use archive::{Archive, SMALL};
pub use feeds::{feed_document, feed_url, is_retired};
pub use readership::keep_readership;
pub use serve::{Peer, serve};

/// An answer takes no longer than this.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of a form at most.
const FORM_BYTES: usize = 64 * 1024;

/// What the pages need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WebState {
    pub config: Arc<ArcSwap<Config>>,
    pub templates: Arc<ArcSwap<Templates>>,
    pub store: Store,
    pub clock: SharedClock,
    pub shelf: Arc<ArcSwap<Shelf>>,
    /// The posts that readers see; empty until the first scan is over.
    pub archive: Arc<ArcSwap<Archive>>,
    pub started_at: Timestamp,
    /// Cancelled when the process begins to stop: `/readyz` says so before connections are refused.
    pub draining: CancellationToken,
    kept: Arc<Kept>,
}

/// What the pages remember between requests.
#[derive(Debug, Default)]
struct Kept {
    signups: SignupLimit,
    pace: pace::Pace,
    hub_pace: pace::Pace,
    /// Held while a feed is made that nobody asked for since it changed.
    making: tokio::sync::Mutex<()>,
    pages: archive::Pages,
    readership: readership::Readership,
    gauges: health::Gauges,
    report: status::ReportCache,
    /// Raised when somebody asks our hub for something.
    asked: watch::Sender<u64>,
}

impl WebState {
    /// The state of pages that start now. `shelf` is empty until the first scan is over.
    pub fn new(
        config: Arc<ArcSwap<Config>>,
        templates: Arc<ArcSwap<Templates>>,
        store: Store,
        clock: SharedClock,
        shelf: Arc<ArcSwap<Shelf>>,
    ) -> Self {
        Self {
            config,
            templates,
            store,
            started_at: clock.now(),
            clock,
            shelf,
            archive: Arc::default(),
            draining: CancellationToken::new(),
            kept: Arc::default(),
        }
    }

    /// The same, with `draining` instead of a token of its own.
    #[must_use]
    pub fn draining_with(self, draining: CancellationToken) -> Self {
        Self { draining, ..self }
    }

    /// Changes when somebody asks our hub for something.
    pub fn hub_requests(&self) -> watch::Receiver<u64> {
        self.kept.asked.subscribe()
    }

    fn audience<'a>(&'a self, config: &'a Config, templates: &'a Templates) -> Audience<'a> {
        Audience { config, templates, store: &self.store, clock: &*self.clock }
    }
}

/// All pages.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .route("/", get(index::show))
        .route("/feed.xml", any(feeds::hand_out))
        .route("/atom.xml", any(feeds::hand_out))
        .route("/feed.json", any(feeds::hand_out))
        .route("/archive/{*page}", get(moved::lead_on))
        .route("/posts/{*page}", get(moved::lead_on))
        .route("/sitemap.xml", get(moved::lead_on))
        .route("/robots.txt", get(archive::show_robots))
        .route("/subscribe/{newsletter}", get(subscribe::form).post(subscribe::subscribe))
        .route("/subscribe/{newsletter}/done", get(subscribe::done))
        .route("/subscribe/{newsletter}/embed", get(subscribe::embed))
        .route("/embed.js", get(subscribe::script))
        .route("/api/v1/subscribe", post(subscribe::sign_up).options(subscribe::preflight))
        .route(
            "/api/v1/subscribe/{newsletter}",
            get(subscribe::hand_out).options(subscribe::preflight),
        )
        .route("/confirm/{token}", get(confirm::ask).post(confirm::confirm))
        .route("/unsubscribe/{token}", get(unsubscribe::ask).post(unsubscribe::unsubscribe))
        .route("/websub", post(websub::ask))
        .route("/status", get(status::show))
        .route("/outbox", get(outbox::list))
        .route("/outbox/mail/{name}", get(outbox::mail))
        .route("/outbox/mail/{name}/html", get(outbox::mail_html))
        .route("/outbox/mail/{name}/raw", get(outbox::mail_raw))
        .route("/outbox/http/{name}", get(outbox::call))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(feeds::hand_out)
        .method_not_allowed_fallback(refusal::wrong_method);
    dressed(pages, &state).with_state(state)
}

/// What every answer goes through, from the inside out: a panic and a timeout are answers that the outer layers see.
fn dressed(pages: Router<WebState>, state: &WebState) -> Router<WebState> {
    pages
        .layer(from_fn_with_state(state.clone(), feeds::lead_away))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_WITHIN))
        .layer(CatchPanicLayer::custom(refusal::after_panic))
        .layer(from_fn_with_state(state.clone(), refusal::dress))
        .layer(from_fn(protect::headers))
        .layer(from_fn(protect::observe))
}
