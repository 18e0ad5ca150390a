//! Reloading: a changed file under `config/` or `templates/`, or SIGHUP, becomes a new configuration, or is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::channels::groups;
use super::templates_for;
use crate::clock::SharedClock;
use crate::config::{self, Config, Environment};
use crate::domain::Diagnostic;
use crate::telemetry;
use crate::template::Templates;
use crate::watch::{Hint, Watch};

const DEBOUNCE: SignedDuration = SignedDuration::from_millis(300);

/// A configuration that was found good.
#[derive(Debug)]
pub(super) struct Reloaded {
    pub(super) config: Config,
    pub(super) templates: Templates,
}

#[derive(Debug)]
pub(super) struct Reload {
    file: PathBuf,
    environment: Environment,
    /// The files as last looked at, so that a touch reloads nothing.
    seen: BTreeMap<PathBuf, Vec<u8>>,
    watch: Watch,
}

impl Reload {
    pub(super) fn new(file: PathBuf, environment: Environment, now: Timestamp) -> Self {
        let folders = folders(&file);
        let mut watch = Watch::for_files(folders.clone(), DEBOUNCE);
        watch.renew(now);
        let seen = read_all(&folders);
        for problem in watch.problems() {
            tracing::warn!(
                reason = %problem.message,
                "changes of the configuration may go unnoticed; SIGHUP reloads it"
            );
        }
        Self { file, environment, seen, watch }
    }

    /// Resolves when a file may have changed.
    pub(super) async fn changed(&mut self) {
        match self.watch.next().await {
            Hint::Paths(_) | Hint::Rescan => {}
        }
    }

    /// Loads and judges the files. None: nothing changed, or it was refused with its reasons in the log.
    pub(super) fn load(
        &mut self,
        old: &Config,
        even_if_same: bool,
        clock: &SharedClock,
    ) -> Option<Reloaded> {
        self.watch.renew(clock.now());
        let seen = read_all(&folders(&self.file));
        if seen == self.seen && !even_if_same {
            return None;
        }
        self.seen = seen;
        let loaded = config::load(&self.file, &self.environment).and_then(|loaded| {
            // Built only to be judged: what cannot be built later would end the daemon.
            groups(&loaded.config, clock)
                .map_err(|error| vec![Diagnostic::error("channel", format!("{error:#}"))])?;
            Ok((templates_for(&loaded.config)?, loaded))
        });
        match loaded {
            Ok((templates, loaded)) => {
                for warning in &loaded.warnings {
                    tracing::warn!("{warning}");
                }
                tell_what_needs_a_restart(old, &loaded.config);
                telemetry::config_reload(true);
                Some(Reloaded { config: loaded.config, templates })
            }
            Err(problems) => {
                refuse(&problems);
                None
            }
        }
    }
}

fn refuse(problems: &[Diagnostic]) {
    telemetry::config_reload(false);
    for problem in problems {
        tracing::error!("{problem}");
    }
    tracing::error!(
        problems = problems.len(),
        "the new configuration is refused; the old one stays in force"
    );
}

fn tell_what_needs_a_restart(old: &Config, new: &Config) {
    if old.server.listen != new.server.listen {
        tracing::warn!("`server.listen` changes with the next restart");
    }
    if old.store != new.store {
        tracing::warn!("`store.url` changes with the next restart");
    }
    if old.log.format != new.log.format {
        tracing::warn!("`log.format` changes with the next restart");
    }
}

/// `config/` and `templates/` of the project.
fn folders(file: &Path) -> Vec<PathBuf> {
    let config = file.parent().unwrap_or(Path::new(".")).to_owned();
    let root = config.parent().unwrap_or(Path::new(".")).to_owned();
    vec![config, root.join("templates")]
}

fn read_all(folders: &[PathBuf]) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = folders.iter().flat_map(|folder| walkdir::WalkDir::new(folder).max_depth(6));
    files
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some((entry.path().to_owned(), std::fs::read(entry.path()).ok()?)))
        .collect()
}
