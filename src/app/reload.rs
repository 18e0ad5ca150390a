//! Reloading: a changed file under `config/` or `templates/`, or SIGHUP, becomes a new configuration, or is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::channels::groups;
use super::templates_for;
use crate::clock::SharedClock;
use crate::config::{self, Config, Environment};
use crate::domain::Diagnostic;
use crate::telemetry;
use crate::template::Templates;
use crate::watch::Watch;

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
    /// What keeps changes from being noticed, as far as the log has it.
    told: BTreeSet<String>,
}

impl Reload {
    pub(super) fn new(file: PathBuf, environment: Environment, now: Timestamp) -> Self {
        let folders = folders(&file);
        let watch = Watch::for_files(folders.clone(), DEBOUNCE);
        let seen = BTreeMap::new();
        let mut reload = Self { file, environment, seen, watch, told: BTreeSet::new() };
        reload.renew(now);
        reload.seen = read_all(&folders);
        reload
    }

    /// Resolves when a file may have changed, or when it is time to ask for events again.
    pub(super) async fn changed(&mut self, clock: &SharedClock) {
        let retry_at = self.watch.retry_at();
        tokio::select! {
            _ = self.watch.next() => {}
            () = clock.sleep_until(retry_at.unwrap_or(Timestamp::MAX)), if retry_at.is_some() => {}
        }
    }

    /// Watches what is there now. Each problem is told once, until it is mended.
    fn renew(&mut self, now: Timestamp) {
        self.watch.renew(now);
        let problems = self.watch.problems().map(|problem| problem.message.clone());
        let problems: BTreeSet<String> = problems.collect();
        for reason in problems.difference(&self.told) {
            tracing::warn!(
                %reason,
                "changes of the configuration may go unnoticed; SIGHUP reloads it"
            );
        }
        if problems.is_empty() && !self.told.is_empty() {
            tracing::info!("changes of the configuration are noticed again");
        }
        self.told = problems;
    }

    /// Loads and judges the files. None: nothing changed, or it was refused with its reasons in the log.
    pub(super) fn load(
        &mut self,
        old: &Config,
        even_if_same: bool,
        clock: &SharedClock,
    ) -> Option<Reloaded> {
        self.renew(clock.now());
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    const SMALL: &str =
        "[site]\ntitle = \"A\"\nurl = \"https://example.org\"\ntimezone = \"UTC\"\n";

    #[tokio::test]
    async fn events_that_end_are_told_once_and_asked_for_again_by_themselves() {
        let project = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(project.path().join("config")).unwrap();
        let file = project.path().join("config/postrider.toml");
        std::fs::write(&file, SMALL).unwrap();
        let environment = Environment::default();
        let old = config::load(&file, &environment).unwrap().config;
        let hands = ManualClock::at(Timestamp::UNIX_EPOCH);
        let clock: SharedClock = Arc::new(hands.clone());
        let mut reload = Reload::new(file.clone(), environment, clock.now());
        assert!(reload.told.is_empty());
        reload.watch.lose_events();
        reload.changed(&clock).await;
        assert!(reload.load(&old, false, &clock).is_none(), "nothing changed");
        assert_eq!(reload.told.len(), 1, "the log has it");
        std::fs::write(&file, SMALL.replace("\"A\"", "\"B\"")).unwrap();
        {
            let mut waiting = std::pin::pin!(reload.changed(&clock));
            assert!(futures_util::poll!(&mut waiting).is_pending(), "there are no events");
            hands.advance(SignedDuration::from_mins(11));
            waiting.await;
        }
        let new = reload.load(&old, false, &clock).expect("it changed meanwhile");
        assert_eq!(new.config.site.title, "B");
        assert!(reload.told.is_empty() && reload.watch.has_events());
    }
}
