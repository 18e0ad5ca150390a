//! When version control first had each file of a folder: one run of `git log` for all of them, and only when there are new commits.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::process::Command;

use crate::config::PostFolder;
use crate::domain::Diagnostic;

/// The history of a very large repository takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);

/// What failed once may have been a disk that was busy.
const TRY_AGAIN: Duration = Duration::from_mins(10);

/// The first commit of each file that is there now.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The commit that this is the history of.
    head: String,
    /// The last commit whose history could not be told, when, and why: it is not asked for again for a while.
    failed: Option<(String, Instant, Box<Diagnostic>)>,
    /// By path within the folder. Shared: of a large repository it is large.
    first: Arc<HashMap<String, Timestamp>>,
}

impl History {
    pub(super) fn first(&self, within: &str) -> Option<Timestamp> {
        self.first.get(within).copied()
    }

    /// Whether it is the same, not only alike.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.first, &other.first)
    }
}

/// Brings `history` up to date. If that fails it stays as it was.
pub(super) async fn renew(
    history: &mut History,
    folder: &PostFolder,
) -> Result<(), Box<Diagnostic>> {
    let head = git(folder, &["rev-parse", "HEAD"]).await?;
    if head == history.head {
        return Ok(());
    }
    let is_recent = |at: &Instant| at.elapsed() < TRY_AGAIN;
    match &history.failed {
        Some((failed, at, problem)) if *failed == head && is_recent(at) => {
            return Err(problem.clone());
        }
        _ => {}
    }
    let arguments = [
        "-c",
        "core.quotePath=false",
        "log",
        "--reverse",
        "-M",
        "--diff-filter=AR",
        "--name-status",
        "--relative",
        "--no-ext-diff",
        "--no-show-signature",
        "--format=%x01%at",
        "--",
        ".",
    ];
    match git(folder, &arguments).await {
        Ok(log) => {
            *history = History { head, failed: None, first: Arc::new(first_commits(&log)) };
            Ok(())
        }
        Err(problem) => {
            history.failed = Some((head, Instant::now(), problem.clone()));
            Err(problem)
        }
    }
}

/// Reads the log, oldest commit first: a file that was renamed is as old as under its first name.
fn first_commits(log: &str) -> HashMap<String, Timestamp> {
    let mut first: HashMap<String, Timestamp> = HashMap::new();
    let mut at = None;
    for line in log.lines() {
        if let Some(seconds) = line.strip_prefix('\u{1}') {
            at = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            continue;
        }
        let Some(at) = at else { continue };
        let mut parts = line.split('\t');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("A"), Some(path), None) => {
                first.entry(path.to_owned()).or_insert(at);
            }
            (Some(_), Some(from), Some(to)) => {
                let at = first.get(from).copied().unwrap_or(at);
                first.entry(to.to_owned()).or_insert(at);
            }
            _ => {}
        }
    }
    first
}

/// Runs git in the folder, without pager, prompt, diff program, and without fetching what a partial clone left out.
async fn git(folder: &PostFolder, arguments: &[&str]) -> Result<String, Box<Diagnostic>> {
    let problem = |what: String, help: &str| {
        let problem = Diagnostic::error("git", what)
            .in_file(folder.name.clone())
            .effect("posts without another date have none")
            .help(help);
        Box::new(problem)
    };
    let run = Command::new("git")
        .args(["--no-pager", "--no-optional-locks"])
        .args(arguments)
        .current_dir(&folder.path)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let without = "install git, or take `git` out of `dates_from`";
    let output = match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(problem(format!("`git` cannot be run: {error}"), without)),
        Err(_) => {
            let message = format!("`git` took longer than {} s", PATIENCE.as_secs());
            return Err(problem(message, "take `git` out of `dates_from`"));
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: String = said.lines().next().unwrap_or_default().chars().take(200).collect();
        let help = "the folder must be in a repository with a commit that `git log` may read";
        return Err(problem(format!("`git` cannot tell the history: {said}"), help));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_is_as_old_as_its_first_name() {
        let log = "\u{1}100\n\nA\ta.md\nA\tc.md\n\u{1}200\n\nR100\ta.md\tü b.md\n\u{1}300\n\nA\tc.md\nA\td.md\n\u{1}x\n\nA\te.md\n";
        let first = first_commits(log);
        let at = |path: &str| first.get(path).map(|at| at.as_second());
        assert_eq!(at("ü b.md"), Some(100));
        assert_eq!(at("c.md"), Some(100), "deleted and added again");
        assert_eq!(at("d.md"), Some(300));
        assert_eq!(at("e.md"), None);
    }
}
