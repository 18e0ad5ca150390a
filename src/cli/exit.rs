//! From what became of a command to what its caller sees: the message and the exit code.

use std::error::Error;
use std::io::ErrorKind;
use std::process::ExitCode;

use super::style::{ERROR, paint};
use super::{console, report};
use crate::domain::Diagnostic;

/// What the exit code says. 2 is clap's: wrong usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    Failed = 1,
    /// `check` or `doctor` found something wrong.
    Problems = 3,
    /// The database or a name server is away: the same command may work later (`EX_TEMPFAIL` of sysexits.h).
    TryAgain = 75,
    /// The configuration cannot be used (`EX_CONFIG`).
    Config = 78,
}

/// The end of a command that found out what is wrong: findings and messages to show, and the code to end with.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Stop {
    pub(super) findings: Vec<Diagnostic>,
    /// Empty: the findings say it all, or the command has said it.
    pub(super) message: String,
    pub(super) code: Code,
}

impl Stop {
    /// The configuration, templates included, has errors.
    pub(super) fn config(findings: Vec<Diagnostic>) -> Self {
        let count = report::count(&findings);
        let message = format!("the configuration cannot be used: {count}");
        Self { findings, message, code: Code::Config }
    }

    /// Everything was said already.
    pub(super) fn silently(code: Code) -> Self {
        Self { findings: Vec::new(), message: String::new(), code }
    }
}

/// Shows what went wrong, a line for each cause, and chooses the exit code.
pub fn exit_code(ended: Result<(), anyhow::Error>) -> ExitCode {
    let Err(error) = ended else { return ExitCode::SUCCESS };
    if is_nobody_reading(&error) {
        return ExitCode::SUCCESS;
    }
    let code = if let Some(stop) = error.downcast_ref::<Stop>() {
        console::note(&report::human(&stop.findings));
        stop.code
    } else if error.chain().any(is_away) {
        Code::TryAgain
    } else {
        Code::Failed
    };
    console::note(&told(&error));
    ExitCode::from(code as u8)
}

/// `error: …` and the causes, each on a line of its own. A cause that the line before it has told already is left out.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut before = String::new();
    for cause in error.chain().map(|cause| report::clean(&cause.to_string())) {
        if cause.is_empty() || before.ends_with(&cause) {
            continue;
        }
        if before.is_empty() {
            text = format!("{}: {cause}\n", paint(ERROR, "error"));
        } else {
            text.push_str("  because: ");
            text.push_str(&cause);
            text.push('\n');
        }
        before = cause;
    }
    text
}

/// Standard output is a pipe to something that has seen enough, such as `head`.
fn is_nobody_reading(error: &anyhow::Error) -> bool {
    let is_database = error.chain().any(<dyn Error>::is::<sqlx::Error>);
    let is_pipe = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
    };
    !is_database && error.chain().any(is_pipe)
}

/// Whether waiting may help: the database server is down or full, or somebody else holds SQLite's lock.
fn is_away(cause: &(dyn Error + 'static)) -> bool {
    match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
        Some(sqlx::Error::Io(error)) => !matches!(
            error.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::NotFound
                | ErrorKind::AlreadyExists
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::InvalidInput
                | ErrorKind::InvalidData
        ),
        // SQLite: busy and locked. PostgreSQL: connection failures, too many connections, shutting down or starting.
        Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
            matches!(&*code, "5" | "6" | "261" | "517" | "53300" | "57P01" | "57P02" | "57P03")
                || (code.len() == 5 && code.starts_with("08"))
        }),
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn plain(error: &anyhow::Error) -> String {
        anstream::adapter::strip_str(&told(error)).to_string()
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_none_twice() {
        let io = std::io::Error::new(ErrorKind::PermissionDenied, "permission denied");
        let error = anyhow::Error::new(sqlx::Error::Io(io)).context("open the database");
        insta::assert_snapshot!(plain(&error));
    }

    #[test]
    fn a_database_that_is_away_may_come_back() {
        let away = |kind: ErrorKind| is_away(&sqlx::Error::Io(kind.into()));
        assert!(away(ErrorKind::ConnectionRefused));
        assert!(!away(ErrorKind::PermissionDenied));
        assert!(is_away(&sqlx::Error::PoolTimedOut));
        assert!(!is_away(&std::io::Error::from(ErrorKind::ConnectionRefused)));
    }

    #[test]
    fn a_reader_who_has_seen_enough_is_no_failure() {
        let closed: Result<(), _> = Err(std::io::Error::from(ErrorKind::BrokenPipe));
        assert!(is_nobody_reading(&closed.context("print the list").unwrap_err()));
    }
}
