//! The project that a command works on: its configuration, its templates, its database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::exit::Stop;
use super::{console, report};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{self, Config, Environment, Loaded, StoreUrl};
use crate::domain::{Diagnostic, random_token};
use crate::store::{self, Store, StoreError};
use crate::template::Templates;

pub(super) struct Project {
    pub(super) file: PathBuf,
    pub(super) environment: Environment,
    pub(super) config: Arc<Config>,
}

impl Project {
    /// Reads the configuration. Warnings are shown, errors end the command.
    pub(super) fn load(file: Option<&Path>) -> Result<Self, Stop> {
        let (file, environment) = sources(file);
        let loaded = config::load(&file, &environment).map_err(Stop::config)?;
        console::note(&report::human(&loaded.warnings));
        Ok(Self { file, environment, config: Arc::new(loaded.config) })
    }

    /// The shipped templates with the project's own over them.
    pub(super) fn templates(&self) -> Result<Templates, Stop> {
        app::templates_for(&self.config).map_err(Stop::config)
    }

    /// The database, made if need be: for commands that change something.
    pub(super) async fn store(&self) -> Result<Store, StoreError> {
        // The daemon waits for a database server to come up; a person at a terminal does not want to.
        store::is_set_up(&self.config.store).await?;
        Store::open(&self.config.store, now()).await
    }

    /// The database for commands that must not change anything.
    pub(super) async fn look(&self) -> anyhow::Result<Look> {
        Look::at(&self.config).await
    }
}

/// Where the configuration is read from.
pub(super) fn sources(file: Option<&Path>) -> (PathBuf, Environment) {
    let file = file.map_or_else(|| config::default_file(Path::new("")), Path::to_owned);
    (file, Environment::of_process())
}

/// The configuration that `check` judges, findings and all.
pub(super) fn load(file: Option<&Path>) -> Result<Loaded, Vec<Diagnostic>> {
    let (file, environment) = sources(file);
    config::load(&file, &environment)
}

pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// A database to look at: the real one, on which nothing can be committed; or, where there is none yet, one in
/// a folder of its own that goes away with it.
pub(super) struct Look {
    pub(super) store: Store,
    /// The real one does not exist yet.
    pub(super) is_new: bool,
    scratch: Option<Scratch>,
}

impl Look {
    pub(super) async fn at(config: &Config) -> anyhow::Result<Self> {
        if store::is_set_up(&config.store).await? {
            let store = Store::open(&config.store, now()).await?.dry();
            return Ok(Self { store, is_new: false, scratch: None });
        }
        let scratch = Scratch::new()?;
        let url = StoreUrl::Sqlite(scratch.0.join("postrider.db"));
        let store = Store::open(&url, now()).await?;
        Ok(Self { store, is_new: true, scratch: Some(scratch) })
    }

    /// The real one, on which everything is possible.
    pub(super) fn for_real(store: Store) -> Self {
        Self { store, is_new: false, scratch: None }
    }

    /// Closes the database before its folder goes.
    pub(super) async fn close(self) {
        self.store.close().await;
        drop(self.scratch);
    }
}

/// A folder for one command.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("postrider-{}", random_token()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left over, it lies where the system cleans up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
