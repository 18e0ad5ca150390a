//! Postrider's own pages: feeds, subscribing and leaving, the outbox, the status page, health and metrics.
//!
//! Handlers translate: they take a request apart, ask `audience`, the store or the shelf, and lay the answer out with a
//! template. No GET changes anything, because mail scanners and browsers fetch links by themselves. Feeds come from memory
//! and are served when everything else is down.

mod address;
mod archive;
mod conditional;
mod confirm;
mod feeds;
mod health;
mod index;
mod language;
mod mail_domains;
mod moved;
mod outbox;
mod pace;
mod page;
mod preferences;
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

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::audience::{Audience, SignupLimit};
use crate::clock::SharedClock;
use crate::config::{Config, Newsletter};
use crate::feed::Shelf;
use crate::store::Store;
use crate::template::Templates;

use language::Unread;

pub use archive::{Archive, SMALL};
pub use feeds::{feed_document, feed_url, is_retired};
pub use readership::keep_readership;
pub use serve::{Peer, serve};
pub use websub::why_retired;

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
    mail_domains: mail_domains::MailDomains,
    readership: readership::Readership,
    gauges: health::Gauges,
    report: status::ReportCache,
    /// Raised when somebody asks our hub for something.
    asked: watch::Sender<u64>,
    /// Raised when somebody chose something by which mail may be due to them at once.
    chosen: watch::Sender<u64>,
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

    /// There is something new for our hub to ask or to tell.
    pub fn wake_hub(&self) {
        self.kept.asked.send_modify(|asked| *asked += 1);
    }

    /// Changes when somebody chose something by which mail may be due to them at once.
    pub fn choices(&self) -> watch::Receiver<u64> {
        self.kept.chosen.subscribe()
    }

    /// Somebody who went over to the instant cadence may have to catch up.
    fn wake_planner(&self) {
        self.kept.chosen.send_modify(|chosen| *chosen += 1);
    }

    /// A welcome mail may be due to whoever came to `newsletter`, if it has any.
    fn wake_for_welcome(&self, newsletter: Option<&Newsletter>) {
        if newsletter.is_some_and(|newsletter| !newsletter.welcome.is_empty()) {
            self.wake_planner();
        }
    }

    fn audience<'a>(&'a self, config: &'a Config, templates: &'a Templates) -> Audience<'a> {
        Audience { config, templates, store: &self.store, clock: &*self.clock }
    }
}

/// Every layer and handler has a clone of the state for each request: one counter for those of feeds, all of it for pages.
impl FromRef<Arc<WebState>> for WebState {
    fn from_ref(state: &Arc<WebState>) -> Self {
        (**state).clone()
    }
}

/// All pages.
pub fn router(state: WebState) -> Router {
    let state = Arc::new(state);
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
        .route("/preferences/{token}", get(preferences::show).post(preferences::change))
        .route("/preferences/{token}/data", get(preferences::data))
        .route("/preferences/{token}/delete", get(preferences::ask).post(preferences::delete))
        .route("/address/{token}", get(address::ask).post(address::confirm))
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

/// What every answer goes through. One layer for all of it: each costs a feed that is polled as much as its answer.
fn dressed(pages: Router<Arc<WebState>>, state: &Arc<WebState>) -> Router<Arc<WebState>> {
    pages
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn_with_state(Arc::clone(state), dress))
}

/// From the inside out: a panic and an answer that takes too long are answers that are laid out, protected and counted.
async fn dress(State(state): State<Arc<WebState>>, request: Request, next: Next) -> Response {
    protect::observe(request, async |request| {
        let asked = Unread::of(&request);
        let answer = async {
            match feeds::lead_away(&state, &request) {
                Some(answer) => answer,
                None => next.run(request).await,
            }
        };
        let answer = AssertUnwindSafe(answer).catch_unwind();
        let answer = match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => refusal::after_panic(&*panic),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
        protect::with_headers(refusal::laid_out(&state, &asked, answer))
    })
    .await
}
