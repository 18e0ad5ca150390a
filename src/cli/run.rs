//! `postrider run`: the daemon.

use std::sync::Arc;

use clap::Args;

use super::project::Project;
use super::style::examples;
use crate::app::{self, Start};
use crate::config::LogFormat;
use crate::telemetry;

/// Run the daemon: feeds, mail, cross-posts and pages (the default)
///
/// Runs until Ctrl-C or SIGTERM, then finishes what is in flight; a second signal stops at once. SIGHUP reads the
/// configuration again; so does a change to one of its files. A configuration with errors is refused and the old one stays.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider
  postrider run --config /etc/postrider/config/postrider.toml
  POSTRIDER__SERVER__LISTEN=0.0.0.0:80 postrider run"
))]
pub(super) struct RunArgs {}

pub(super) async fn run(project: Project) -> anyhow::Result<()> {
    // A template with an error needs a person, as a configuration does: nobody should try again meanwhile.
    let templates = project.templates()?;
    let format = match project.config.log.format {
        LogFormat::Auto => telemetry::LogFormat::Auto,
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    let logs = telemetry::init(format, &project.config.log.level)?;
    let Project { file, environment, config } = project;
    let config = Arc::unwrap_or_clone(config);
    app::run(Start { file, environment, config, templates, logs }).await
}
