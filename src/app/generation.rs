//! Everything that runs under one configuration.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::channels::groups;
use super::desk::{Bells, Desk};
use super::{fence, pushes, sweep};
use crate::config::Config;
use crate::dispatch::Dispatch;
use crate::domain::Diagnostic;
use crate::store::{Ledger, Store, run_committer};
use crate::template::Templates;
use crate::web::WebState;

/// The services of one configuration: the desk (posts, feeds, planning) and a dispatcher per channel.
pub struct Generation {
    pub state: WebState,
    pub owner: String,
    /// Stop, and finish what is in flight.
    pub stop: CancellationToken,
    /// Stop waiting for the database, too.
    pub abandon: CancellationToken,
    /// Cancelled when the desk has left: from then on another generation's may take over.
    pub desk_left: CancellationToken,
    /// Counts the times that the desk has looked, published and planned: whoever waits for one can.
    pub passes: Arc<watch::Sender<u64>>,
}

impl Generation {
    /// Runs until stopped and drained. An error or an early return means that a service failed.
    pub async fn run(self) -> anyhow::Result<()> {
        let config = self.state.config.load_full();
        let groups = groups(&config, &self.state.clock)?;
        let channels = groups.iter().flat_map(|group| &group.channels);
        let served: Vec<String> = channels.map(|channel| channel.name.clone()).collect();
        let leaving = self.desk_left.clone().drop_guard();
        // Before anything can go out.
        let (store, clock) = (&self.state.store, &self.state.clock);
        let recognised = fence::recognise(store, clock, &self.stop).await;
        let Some(watchman) = recognised else { return Ok(()) };
        let (fenced, fence) = watch::channel(watchman.fenced().is_some());
        let over = CancellationToken::new();
        let guarding = over.clone().drop_guard();
        let mut guard = tokio::spawn(fence::guard(watchman, Arc::clone(clock), fenced, over));
        tell_of_orphans(&self.state.store, &served).await;
        let (ledger, entries) = Ledger::new();
        let committer =
            tokio::spawn(run_committer(self.state.store.clone(), entries, self.abandon.clone()));
        let mut services: JoinSet<anyhow::Result<()>> = JoinSet::new();
        let planned = Arc::new(Notify::new());
        let desk = Desk::new(
            &self.state,
            Bells { dispatch: Arc::clone(&planned), passes: Arc::clone(&self.passes), fence },
            self.stop.clone(),
        );
        services.spawn(async move {
            let _leaving = leaving;
            Box::pin(desk.run()).await.context("look after the posts")
        });
        let dispatch = Dispatch {
            config: Arc::clone(&config),
            store: self.state.store.clone(),
            ledger: ledger.clone(),
            clock: Arc::clone(&self.state.clock),
            contents: Arc::default(),
            owner: self.owner.clone(),
            planned,
            stop: self.stop.clone(),
        };
        for group in groups {
            let dispatch = dispatch.clone();
            services.spawn(async move {
                dispatch.run_group(group).await;
                Ok(())
            });
        }
        services.spawn(async move {
            dispatch.run_rollout().await;
            Ok(())
        });
        services.spawn(sweep::run(self.state.clone(), self.stop.clone()));
        pushes::start(&mut services, &self.state, &self.passes, &self.stop)?;
        drop(ledger);
        serve(&mut services, &mut guard, &self.stop).await?;
        // All handles are dropped: the committer writes what is queued and ends.
        committer.await.context("the committer panicked")?;
        drop(guarding);
        guard.await.context("the guard of the database panicked")
    }
}

/// Until all services have ended because they were to. Without the guard nobody would notice a copied database any more.
async fn serve(
    services: &mut JoinSet<anyhow::Result<()>>,
    guard: &mut JoinHandle<()>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            ended = services.join_next() => {
                let Some(ended) = ended else { return Ok(()) };
                ended.context("a service panicked")??;
                anyhow::ensure!(stop.is_cancelled(), "a service ended by itself");
            }
            ended = &mut *guard => {
                ended.context("the guard of the database panicked")?;
                anyhow::bail!("the guard of the database ended by itself");
            }
        }
    }
}

/// What was planned for a mail server or destination that is no longer configured lies there, and somebody should know.
async fn tell_of_orphans(store: &Store, served: &[String]) {
    let queues = async { store.read().await?.queues().await };
    // A database that is away is told of by whoever needs it.
    let Ok(queues) = queues.await else { return };
    for queue in queues.into_iter().filter(|queue| !served.contains(&queue.channel)) {
        tracing::warn!(
            channel = %queue.channel,
            waiting = queue.waiting,
            "deliveries wait for something that is no longer configured; configure it again to send them"
        );
    }
}

/// The shipped templates with the project's own over them, checked with every sample.
pub fn templates_for(config: &Config) -> Result<Templates, Vec<Diagnostic>> {
    let folder = config.root.join("templates");
    let templates = Templates::load(folder.is_dir().then_some(folder.as_path()))?;
    let errors: Vec<Diagnostic> =
        templates.check_all().into_iter().filter(Diagnostic::is_error).collect();
    if errors.is_empty() { Ok(templates) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_guard_that_ends_while_services_run_is_an_error() {
        let stop = CancellationToken::new();
        for panics in [true, false] {
            let mut services = JoinSet::new();
            services.spawn(std::future::pending());
            let mut guard =
                tokio::spawn(async move { assert!(!panics, "as a fault of ours would") });
            let ended = serve(&mut services, &mut guard, &stop).await.unwrap_err();
            assert!(ended.to_string().contains("guard of the database"), "{ended:#}");
        }
    }

    #[tokio::test]
    async fn services_may_end_once_they_are_told_to_and_not_before() {
        let stop = CancellationToken::new();
        for is_stopped in [false, true] {
            let mut services = JoinSet::new();
            services.spawn(async { Ok(()) });
            let mut guard = tokio::spawn(std::future::pending());
            let ended = serve(&mut services, &mut guard, &stop).await;
            assert_eq!(ended.is_ok(), is_stopped);
            stop.cancel();
        }
    }
}
