//! The daemon: builds everything from the configuration, supervises the services, stops them in order.
//!
//! What depends on the configuration is a generation. A reload starts the next one as soon as the old one's desk has
//! left; what the old one has in flight it finishes beside it. The web server and the feeds outlive them, so readers
//! notice nothing.

mod channels;
mod desk;
mod feed_guard;
mod fence;
mod generation;
mod hub;
mod index_now;
mod links;
mod owner;
mod pings;
mod pushes;
mod reload;
mod signals;
mod sweep;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use generation::{Generation, templates_for};
pub use links::links;

use owner::Owner;

use crate::clock::{SharedClock, SystemClock};
use crate::config::{Config, Environment, StoreUrl};
use crate::domain::{Choice, SubscriptionState};
use crate::feed::Shelf;
use crate::store::{AddSubscriber, DaemonLock, Store, StoreError};
use crate::telemetry::{self, ReloadHandle};
use crate::template::Templates;
use crate::web::{self, WebState};
use reload::{Reload, Reloaded};
use signals::{Signal, Signals};

/// What the daemon is started with.
#[derive(Debug)]
pub struct Start {
    /// The main configuration file.
    pub file: PathBuf,
    pub environment: Environment,
    /// As loaded from `file`; errors were shown by the caller.
    pub config: Config,
    /// Those of `config`, checked.
    pub templates: Templates,
    /// Sets the log's filter when a reload brings another.
    pub logs: ReloadHandle,
}

/// Runs until a signal says stop, or until something that must not end has ended, which is an error.
pub async fn run(start: Start) -> anyhow::Result<()> {
    // First: a SIGTERM while the database opens is to end this cleanly, too.
    let signals = Signals::new()?;
    let clock: SharedClock = Arc::new(SystemClock);
    let config = Arc::new(start.config);
    let _lock = DaemonLock::take(&config.store)?;
    // Before anything is touched: whoever holds the port may be the daemon whose leases these are.
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("listen on {}", config.server.listen))?;
    // Port 0 is whichever is free: this line says which one it was.
    let address = listener.local_addr().context("ask where we listen")?;
    tracing::info!(%address, "listening");
    let store = Store::open(&config.store, clock.now()).await?;
    let owner = Owner::at_port(address.port());
    end_old_leases(&store, &config, &owner).await?;
    add_samples(&store, &config, &clock).await.context("add the sample subscribers")?;

    let stop_web = CancellationToken::new();
    let state = WebState::new(
        Arc::new(ArcSwap::from(Arc::clone(&config))),
        Arc::new(ArcSwap::from_pointee(start.templates)),
        store.clone(),
        Arc::clone(&clock),
        Arc::new(ArcSwap::from_pointee(Shelf::default())),
    );
    let mut web = tokio::spawn(web::serve(listener, web::router(state.clone()), stop_web.clone()));
    let readership = tokio::spawn(web::keep_readership(state.clone(), stop_web.clone()));
    let daemon = Daemon {
        state: state.clone(),
        owner: owner.name().to_owned(),
        file: start.file,
        environment: start.environment,
        logs: start.logs,
    };
    // Nobody reading, or a full disk behind it, is no reason to stop.
    let _ = std::io::stdout().write_all(links(&config).as_bytes());

    let ended = daemon.run_generations(&mut web, signals).await;
    state.draining.cancel();
    stop_web.cancel();
    if ended.is_ok() {
        // The answers that are being written need the database and get their time.
        web.await.context("the web server panicked")?.context("serve HTTP")?;
    }
    readership.await.context("counting the readers of feeds panicked")?;
    store.close().await;
    tracing::info!("stopped");
    ended
}

struct Daemon {
    state: WebState,
    owner: String,
    file: PathBuf,
    environment: Environment,
    logs: ReloadHandle,
}

impl Daemon {
    async fn run_generations(
        &self,
        web: &mut JoinHandle<std::io::Result<()>>,
        mut signals: Signals,
    ) -> anyhow::Result<()> {
        let now = self.state.clock.now();
        let mut reload = Reload::new(self.file.clone(), self.environment.clone(), now);
        let abandon = CancellationToken::new();
        // The one in force, and earlier ones that finish what they have in flight, which may take ten minutes.
        let mut generations = JoinSet::new();
        loop {
            let generation = Generation {
                state: self.state.clone(),
                owner: self.owner.clone(),
                stop: CancellationToken::new(),
                abandon: abandon.clone(),
                desk_left: CancellationToken::new(),
                passes: Arc::default(),
            };
            let (stop, desk_left) = (generation.stop.clone(), generation.desk_left.clone());
            generations.spawn(generation.run());
            tell_systemd(&[NotifyState::Ready]);
            let why = self.watch(&mut generations, web, &mut signals, &mut reload).await?;
            stop.cancel();
            match why {
                Why::Stop => return self.drain(generations, &mut signals, &abandon).await,
                Why::Reload(new) => {
                    // Two desks would publish over each other. What is being sent need not be waited for.
                    desk_left.cancelled().await;
                    if let Err(error) = self.logs.set_filter(&new.config.log.level) {
                        tracing::warn!(error = %telemetry::causes(&error), "the log keeps its filter");
                    }
                    self.state.config.store(Arc::new(new.config));
                    self.state.templates.store(Arc::new(new.templates));
                    tracing::info!("the new configuration is in force");
                }
            }
        }
    }

    /// Resolves when the generation in force is to end. An error: something ended that must not.
    async fn watch(
        &self,
        generations: &mut Generations,
        web: &mut JoinHandle<std::io::Result<()>>,
        signals: &mut Signals,
        reload: &mut Reload,
    ) -> anyhow::Result<Why> {
        loop {
            tokio::select! {
                Some(ended) = generations.join_next() => {
                    ended.context("a service panicked")??;
                    tracing::debug!("what an earlier configuration had in flight is finished");
                }
                ended = &mut *web => {
                    ended.context("the web server panicked")?.context("serve HTTP")?;
                    anyhow::bail!("the web server ended by itself");
                }
                signal = signals.next() => match signal {
                    Signal::Stop => return Ok(Why::Stop),
                    Signal::Reload => {
                        tell_systemd_of_reload();
                        if let Some(new) = self.reload(reload, true) { return Ok(Why::Reload(new)) }
                        tell_systemd(&[NotifyState::Ready]);
                    }
                },
                () = reload.changed(&self.state.clock) => {
                    if let Some(new) = self.reload(reload, false) { return Ok(Why::Reload(new)) }
                }
            }
        }
    }

    /// Waits for what is in flight, unless a second signal says otherwise.
    async fn drain(
        &self,
        mut generations: Generations,
        signals: &mut Signals,
        abandon: &CancellationToken,
    ) -> anyhow::Result<()> {
        self.state.draining.cancel();
        tell_systemd(&[NotifyState::Stopping]);
        tracing::info!("stopping: finishing what is in flight; a second signal stops at once");
        let finished = async {
            while let Some(ended) = generations.join_next().await {
                ended.context("a service panicked")??;
            }
            Ok(())
        };
        tokio::select! {
            finished = finished => finished,
            () = signals.second_stop() => {
                abandon.cancel();
                anyhow::bail!("stopped at once; what was in flight counts as uncertain after a restart");
            }
        }
    }

    /// The new configuration, if there is one and it is good. A bad one is refused and the old one stays.
    fn reload(&self, reload: &mut Reload, even_if_same: bool) -> Option<Box<Reloaded>> {
        let old = self.state.config.load();
        reload.load(&old, even_if_same, &self.state.clock).map(Box::new)
    }
}

type Generations = JoinSet<anyhow::Result<()>>;

/// Without systemd nobody listens, and a daemon whose news do not arrive works all the same.
fn tell_systemd(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::debug!(error = &error as &dyn std::error::Error, "systemd cannot be told");
    }
}

/// `Type=notify-reload` takes the time as proof that this is the answer to its signal.
fn tell_systemd_of_reload() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell_systemd(&[NotifyState::Reloading, now]),
        Err(_) => tell_systemd(&[NotifyState::Reloading]),
    }
}

enum Why {
    Stop,
    Reload(Box<Reloaded>),
}

/// Under SQLite's lock nobody else can hold a lease at all.
async fn end_old_leases(store: &Store, config: &Config, owner: &Owner) -> anyhow::Result<()> {
    let whose = match config.store {
        StoreUrl::Sqlite(_) => String::new(),
        StoreUrl::Postgres(_) => owner.predecessors(),
    };
    let mut tx = store.write().await?;
    let ended = tx.end_leases(&whose).await?;
    tx.commit().await?;
    if ended > 0 {
        tracing::warn!(
            batches = ended,
            "a previous run stopped in mid-work; taking over what it left"
        );
    }
    Ok(())
}

/// The subscribers of a configuration whose mail goes nowhere. Those who left stay away.
pub async fn add_samples(
    store: &Store,
    config: &Config,
    clock: &SharedClock,
) -> Result<(), StoreError> {
    if config.sample_subscribers.is_empty() {
        return Ok(());
    }
    let mut tx = store.write().await?;
    for sample in &config.sample_subscribers {
        let wish = AddSubscriber {
            address: &sample.address,
            newsletter: &sample.newsletter,
            choice: &Choice::of(sample.cadence),
            state: SubscriptionState::Active,
            source: "sample",
        };
        tx.add_subscriber(&wish, store.keyring(), clock.now()).await?;
    }
    tx.commit().await
}
