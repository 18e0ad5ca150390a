//! A world to tell stories in: a project folder, a daemon with a clock that stands still, and servers to talk to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use postrider::app::{Generation, templates_for};
use postrider::clock::{Clock as _, ManualClock};
use postrider::config::{self, Environment, WatchMode};
use postrider::feed::Shelf;
use postrider::store::{DeliveryFilter, DeliveryRow, Store};
use postrider::web::{self, WebState};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::engine::{Database, Engine};

/// Monday, 9 March 2026, 12:00 in Berlin.
pub(crate) const START: Timestamp = Timestamp::constant(1_773_054_000, 0);

/// How long a story waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A project and the daemon that works on it.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) state: WebState,
    pub(crate) store: Store,
    database: Database,
    stop: CancellationToken,
    passes: Arc<watch::Sender<u64>>,
    running: Option<JoinHandle<anyhow::Result<()>>>,
}

/// What a story begins with.
pub(crate) struct Setting {
    pub(crate) engine: Engine,
    folder: TempDir,
    mail: String,
    cadences: String,
    more: String,
    baseline: String,
    posts: String,
    watch: String,
    site: String,
}

/// An answer of the web pages.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Setting {
    pub(crate) fn new(engine: Engine) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir_all(folder.path().join("posts")).expect("a folder for posts");
        std::fs::create_dir_all(folder.path().join("config")).expect("a folder for config");
        Self {
            engine,
            folder,
            mail: "url = \"outbox:var/outbox\"".to_owned(),
            cadences: "instant = true, daily = \"0 7 * * *\", weekly = \"0 8 * * MON\"".to_owned(),
            more: String::new(),
            baseline: "\"now\"".to_owned(),
            posts: String::new(),
            watch: "mode = \"poll\"".to_owned(),
            site: "https://example.org".to_owned(),
        }
    }

    /// Mail goes to the server at `address`.
    pub(crate) fn mailing_to(mut self, address: std::net::SocketAddr) -> Self {
        self.mail = format!("url = \"smtp://{address}\"\nconnections = 4");
        self
    }

    /// Mail goes to the server at `address`, with these keys in its section.
    pub(crate) fn mailing_with(mut self, address: std::net::SocketAddr, options: &str) -> Self {
        self.mail = format!("url = \"smtp://{address}\"\n{options}");
        self
    }

    /// The newsletter offers these.
    pub(crate) fn cadences(mut self, cadences: &str) -> Self {
        cadences.clone_into(&mut self.cadences);
        self
    }

    /// Where the author's site is.
    pub(crate) fn site(mut self, url: &str) -> Self {
        url.clone_into(&mut self.site);
        self
    }

    /// More configuration, at the end.
    pub(crate) fn config(mut self, more: &str) -> Self {
        writeln!(self.more, "{more}").expect("a string takes every character");
        self
    }

    /// From when on posts of the first scan are news: TOML.
    pub(crate) fn baseline(mut self, baseline: &str) -> Self {
        baseline.clone_into(&mut self.baseline);
        self
    }

    /// More lines in the section of the folder of posts.
    pub(crate) fn posts_with(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.posts);
        self
    }

    /// Changed files send events, and are looked at after so long a silence.
    pub(crate) fn watching(mut self, debounce: &str) -> Self {
        self.watch = format!("debounce = \"{debounce}\"");
        self
    }

    /// A post that is there before the daemon.
    pub(crate) fn post(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        write(&self.folder.path().join("posts").join(name), text);
        self
    }

    /// Any file of the project.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        write(&self.folder.path().join(name), text);
        self
    }

    fn configuration(&self, store: &str) -> String {
        format!(
            r#"[site]
title = "Field Notes"
url = "{site}"
language = "en"
timezone = "Europe/Berlin"

[signup]
origins = ["https://example.org"]
[server]
listen = "127.0.0.1:8080"
public_url = "http://127.0.0.1:8080"

[store]
url = "{store}"

[[posts]]
path = "posts"
permalink = "/posts/{{slug}}/"
settle = "2m"
baseline = {baseline}
{posts}

[watch]
{watch}
rescan = "1m"

[mail]
from = "Field Notes <news@example.org>"
address = "1 Field Lane, 12345 Notestown"

[mail.servers.main]
{mail}

[newsletters.weekly]
title = "Field Notes weekly"
cadences = {{ {cadences} }}
{more}"#,
            site = self.site,
            baseline = self.baseline,
            posts = self.posts,
            watch = self.watch,
            mail = self.mail,
            cadences = self.cadences,
            more = self.more,
        )
    }

    /// Starts the daemon.
    pub(crate) async fn start(self) -> World {
        postrider::tls::install_crypto_provider();
        let database = self.engine.database().await;
        let configuration = self.configuration(&database.text);
        write(&self.folder.path().join("config/postrider.toml"), configuration);
        let clock = ManualClock::at(START);
        let (state, store) = state_of(self.folder.path(), &clock).await;
        let mut world = World {
            folder: self.folder,
            clock,
            state,
            store,
            database,
            stop: CancellationToken::new(),
            passes: Arc::default(),
            running: None,
        };
        world.restarted().await;
        world
    }
}

async fn state_of(folder: &Path, clock: &ManualClock) -> (WebState, Store) {
    let file = folder.join("config/postrider.toml");
    let loaded = match config::load(&file, &Environment::default()) {
        Ok(loaded) => loaded,
        Err(problems) => panic!("the story's configuration is bad: {problems:#?}"),
    };
    let templates = templates_for(&loaded.config).expect("the story's templates are good");
    let store = Store::open(&loaded.config.store, clock.now()).await.expect("the database opens");
    let state = WebState::new(
        Arc::new(ArcSwap::from_pointee(loaded.config)),
        Arc::new(ArcSwap::from_pointee(templates)),
        store.clone(),
        Arc::new(clock.clone()),
        Arc::new(ArcSwap::from_pointee(Shelf::default())),
    );
    (state, store)
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).expect("a folder can be made");
    }
    std::fs::write(path, text).expect("a file can be written");
}

/// A post with a title and a date, as most engines write it.
pub(crate) fn post(title: &str, date: &str) -> String {
    format!(
        "---\ntitle: {title}\ndate: {date}\n---\n\n{title} has a *body* with [a link](/about/).\n"
    )
}

impl World {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The database, if it is one on a server.
    pub(crate) fn database_name(&self) -> Option<String> {
        match self.database.file() {
            Some(_) => None,
            None => self.database.text.rsplit('/').next().map(str::to_owned),
        }
    }

    /// Starts the services, as the daemon does.
    pub(crate) fn run(&mut self) {
        self.stop = CancellationToken::new();
        let generation = Generation {
            state: self.state.clone(),
            owner: "story".to_owned(),
            stop: self.stop.clone(),
            abandon: CancellationToken::new(),
            desk_left: CancellationToken::new(),
            passes: Arc::clone(&self.passes),
        };
        self.running = Some(tokio::spawn(generation.run()));
    }

    /// Stops as SIGTERM does: what is in flight is finished.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.expect("no service panics").expect("no service fails");
        }
    }

    /// Stops and starts again with nothing in memory.
    pub(crate) async fn restarts(&mut self) {
        self.restarts_after(async |_| {}).await;
    }

    /// Stops, something happens to the database, and starts again with nothing in memory.
    pub(crate) async fn restarts_after(&mut self, happens: impl AsyncFnOnce(&Database)) {
        self.stop().await;
        self.store.close().await;
        happens(&self.database).await;
        let (state, store) = state_of(self.folder.path(), &self.clock).await;
        self.state = state;
        self.store = store;
        self.restarted().await;
    }

    async fn restarted(&mut self) {
        let mut passes = self.passes.subscribe();
        // Where it watches, it looks once before it does and once after.
        let is_watched = self.state.config.load().watch.mode != WatchMode::Poll;
        let enough = *passes.borrow() + 1 + u64::from(is_watched);
        self.run();
        let looks = passes.wait_for(|looks| *looks >= enough);
        let looked = tokio::time::timeout(PATIENCE, looks).await;
        looked.expect("the desk looks").expect("the desk is there");
    }

    /// How often the desk has looked, published and planned.
    pub(crate) fn looks(&self) -> u64 {
        *self.passes.borrow()
    }

    /// Waits for a pass of the desk that began after `cause`.
    async fn desk_passes(&self, cause: impl FnOnce()) {
        let mut passes = self.passes.subscribe();
        passes.mark_unchanged();
        cause();
        let looked = tokio::time::timeout(PATIENCE, passes.changed()).await;
        looked.expect("the desk looks again").expect("the desk is there");
    }

    /// An author saves a file; the next rescan finds it.
    pub(crate) async fn author_saves(&self, name: &str, text: impl AsRef<[u8]>) {
        write(&self.path("posts").join(name), text);
        self.rescans().await;
    }

    /// An author deletes a file.
    pub(crate) async fn author_deletes(&self, name: &str) {
        std::fs::remove_file(self.path("posts").join(name)).expect("the file is there");
        self.rescans().await;
    }

    /// A minute passes and the rescan is over.
    pub(crate) async fn rescans(&self) {
        self.desk_passes(|| self.clock.advance(SignedDuration::from_secs(61))).await;
    }

    /// Time passes, a minute at a time, so that everything on the way happens.
    pub(crate) async fn passes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.rescans().await;
        }
    }

    /// Time jumps, as for a daemon that was not there.
    pub(crate) async fn jumps_to(&self, at: &str) {
        let at = at.parse().expect("an instant");
        self.desk_passes(|| self.clock.set(at)).await;
    }

    pub(crate) async fn asks(&self, request: Request<Body>) -> Answer {
        let answer = web::router(self.state.clone()).oneshot(request).await.expect("infallible");
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("the body is in memory").to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    pub(crate) async fn gets(&self, path: &str) -> Answer {
        self.asks(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn posts(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "https://example.org")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        self.asks(request).await
    }

    /// The titles in the RSS feed, newest first.
    pub(crate) async fn feed_titles(&self) -> Vec<String> {
        let answer = self.gets("/feed.xml").await;
        let feed = feed_rs::parser::parse(&answer.body[..]).expect("a well-formed feed");
        feed.entries.into_iter().filter_map(|entry| Some(entry.title?.content)).collect()
    }

    /// Every delivery, oldest first.
    pub(crate) async fn deliveries(&self) -> Vec<DeliveryRow> {
        let filter = DeliveryFilter { limit: 100_000, ..DeliveryFilter::default() };
        let mut tx = self.store.read().await.expect("the database answers");
        let mut rows = tx.deliveries(filter).await.expect("the database answers");
        rows.reverse();
        rows
    }

    /// Waits until nothing waits to be sent that could be sent now.
    pub(crate) async fn is_quiet(&self) {
        self.eventually("quiet", async || {
            let now = self.clock.now();
            let open = self.deliveries().await.into_iter().any(|row| {
                !row.state.is_final() && !row.held && row.not_before.is_none_or(|at| at <= now)
            });
            (!open).then_some(())
        })
        .await;
    }

    /// Mails in the outbox, as `To` and subject.
    pub(crate) fn outbox_mail(&self) -> Vec<(String, String)> {
        let mut mails: Vec<(String, String)> = files(&self.path("var/outbox/mail"))
            .into_iter()
            .map(|path| {
                let bytes = std::fs::read(path).expect("the outbox is readable");
                let mail = mail_parser::MessageParser::default().parse(&bytes).expect("a mail");
                let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
                (to.unwrap_or_default().to_owned(), mail.subject().unwrap_or_default().to_owned())
            })
            .collect();
        mails.sort();
        mails
    }

    /// Calls in the outbox.
    pub(crate) fn outbox_calls(&self) -> Vec<serde_json::Value> {
        files(&self.path("var/outbox/http"))
            .into_iter()
            .map(|path| {
                let text = std::fs::read_to_string(path).expect("the outbox is readable");
                serde_json::from_str(&text).expect("a call is JSON")
            })
            .collect()
    }

    /// Waits until `look` sees something.
    pub(crate) async fn eventually<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(seen) = look().await {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if let Ok(seen) = tokio::time::timeout(PATIENCE, waiting).await {
            return seen;
        }
        panic!(
            "{what} did not happen; deliveries: {:#?}, problems: {:#?}, database: {:?}",
            self.deliveries().await,
            self.state.shelf.load().problems,
            self.database.file()
        )
    }
}

pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "eml" || ext == "json"))
        .collect();
    files.sort();
    files
}
