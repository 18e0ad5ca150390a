//! The workbench: posts, templates and planner as the daemon would have them now.

use std::sync::Arc;

use jiff::Timestamp;

use super::project::{Look, Project, now};
use crate::app;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::domain::{Catalog, CatalogPost, Written};
use crate::ingest::{self, Ingest};
use crate::planner::Planner;
use crate::store::{PostCache, StoreError};
use crate::template::Templates;

pub(super) struct Bench {
    pub(super) config: Arc<Config>,
    pub(super) templates: Templates,
    pub(super) catalog: Catalog,
    pub(super) planner: Planner,
    pub(super) now: Timestamp,
    pub(super) look: Look,
    cache: PostCache,
}

impl Bench {
    /// Reads all posts. Nothing is written anywhere but to a database that goes away.
    pub(super) async fn open(project: &Project) -> anyhow::Result<Self> {
        let templates = project.templates()?;
        Self::over(project, templates, project.look().await?).await
    }

    /// Reads all posts, and remembers them in the database as the daemon would: from now on they settle.
    pub(super) async fn open_for_work(project: &Project) -> anyhow::Result<Self> {
        let templates = project.templates()?;
        Self::over(project, templates, Look::for_real(project.store().await?)).await
    }

    async fn over(project: &Project, templates: Templates, look: Look) -> anyhow::Result<Self> {
        let (config, now) = (Arc::clone(&project.config), now());
        if look.is_new {
            // As the daemon does at its first start, so that they are counted.
            let clock: SharedClock = Arc::new(SystemClock);
            app::add_samples(&look.store, &config, &clock).await?;
        }
        let store = look.store.clone();
        let cache = ingest::open_cache(&config, &store)?;
        let with = (store.clone(), cache.clone());
        let planner = Planner::open(Arc::clone(&config), templates.clone(), with, now).await?;
        let mut ingest = Ingest::open(Arc::clone(&config), store, cache.clone()).await?;
        ingest.rescan(now).await?;
        Ok(Self { config, templates, catalog: ingest.catalog(), planner, now, look, cache })
    }

    pub(super) async fn close(self) {
        self.look.close().await;
    }

    pub(super) fn cache(&self) -> &PostCache {
        &self.cache
    }

    /// A post with its text.
    pub(super) fn written(&self, known: &CatalogPost) -> Result<Written, StoreError> {
        self.cache.written(&known.post, known.body)
    }
}
