//! Arguments that several commands take, in the same words and with the same meaning.

use clap::{Args, ValueEnum};
use url::Url;

use super::project::Project;
use crate::domain::Segment;

/// How something is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Human,
    Json,
}

/// Of every `list`. One whose rows are longer or shorter than others has another limit: `mut_arg`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) limit: i64,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// Where a site is.
pub(super) fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write `https://…`"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("a site is at `https://…`".to_owned());
    }
    Ok(url)
}

/// Who is meant by an expression, or a sentence that points into it.
pub(super) fn segment(project: &Project, text: &str) -> anyhow::Result<Segment> {
    project.config.segment(text).map_err(|error| {
        let line = text.lines().nth(error.line - 1).unwrap_or_default();
        let arrow = format!("{:>1$}", "^", error.column);
        let place =
            if text.lines().count() > 1 { format!("line {}, ", error.line) } else { String::new() };
        anyhow::anyhow!("{place}column {}: {}\n  {line}\n  {arrow}", error.column, error.message)
    })
}
