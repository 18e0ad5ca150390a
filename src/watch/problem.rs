//! What it means when the operating system gives no file events, and what the operator can do about it.

use std::fs;
use std::path::Path;

use jiff::SignedDuration;

use crate::domain::Diagnostic;

/// Linux' number for "too many open files": the limit of inotify instances is told by it.
const EMFILE: i32 = 24;

/// What follows from each of these: nothing is lost, only later.
fn later(rescan: SignedDuration) -> String {
    format!("nothing is missed, but changes are noticed by the comparison every {rescan:#} only")
}

/// Watching failed as a whole.
pub(super) fn failed(error: &notify::Error, rescan: SignedDuration) -> Diagnostic {
    let no_events = |why: String| {
        Diagnostic::warning("watch-events", format!("there are no file events: {why}"))
            .effect(later(rescan))
    };
    let is_emfile = |error: &std::io::Error| error.raw_os_error() == Some(EMFILE);
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => limit(
            "max_user_watches",
            "folders may be watched by this machine's user",
            524_288,
            rescan,
        ),
        notify::ErrorKind::Io(error) if is_emfile(error) => {
            limit("max_user_instances", "programs of this user may watch files", 1024, rescan)
        }
        notify::ErrorKind::Io(error) => no_events(error.to_string()).help(TURN_OFF),
        _ => no_events(error.to_string()).help(TURN_OFF),
    }
}

const TURN_OFF: &str = "write `mode = \"poll\"` under `[watch]` if that is as it should be";

/// One of the two limits of inotify.
fn limit(name: &str, what: &str, enough: u64, rescan: SignedDuration) -> Diagnostic {
    let now = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}"));
    let now: Option<u64> = now.ok().and_then(|text| text.trim().parse().ok());
    let shown = now.map_or_else(|| "only so many".to_owned(), |now| format!("only {now}"));
    let wanted = now.map_or(enough, |now| now.saturating_mul(2).max(enough));
    let key = format!("fs.inotify.{name}");
    Diagnostic::warning(
        "watch-limit",
        format!("there are no file events: {shown} {what} (`{key}`), and that is used up"),
    )
    .effect(later(rescan))
    .help(format!(
        "`sudo sysctl {key}={wanted}` mends it within ten minutes; write `{key}={wanted}` to \
         `/etc/sysctl.d/60-postrider.conf` to keep it so"
    ))
}

/// A folder on a network drive. `watched`: the configuration insists on events all the same.
pub(super) fn remote(
    name: &str,
    file_system: &str,
    watched: bool,
    rescan: SignedDuration,
) -> Diagnostic {
    let message =
        format!("the post folder is on a network drive or a shared one (`{file_system}`)");
    let problem = Diagnostic::warning("watch-remote", message).in_file(name);
    if watched {
        let effect = "what other machines change sends no events here and is noticed by the \
                      comparison every";
        problem.effect(format!("{effect} {rescan:#} only")).help(
            "write `mode = \"poll\"` under `[watch]`, and a shorter `rescan` if that is too late",
        )
    } else {
        problem.effect(format!("{} (such drives send no events)", later(rescan))).help(
            "write `mode = \"poll\"` under `[watch]` to confirm it, and a shorter `rescan` if that is \
             too late",
        )
    }
}

/// Whether one folder less is no reason to give up the others: it vanished, or nobody may read it, which the look at
/// the posts tells.
pub(super) fn is_of_one_folder(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound | notify::ErrorKind::WatchNotFound => true,
        notify::ErrorKind::Io(error) => matches!(
            error.kind(),
            std::io::ErrorKind::NotFound
                | std::io::ErrorKind::PermissionDenied
                | std::io::ErrorKind::NotADirectory
        ),
        _ => false,
    }
}

/// The nearest folder around `folder` that exists.
pub(super) fn nearest_parent(folder: &Path) -> Option<&Path> {
    folder.ancestors().skip(1).find(|parent| parent.is_dir())
}
