//! Events on their way to becoming one hint: gathered while they keep coming, handed over when it is quiet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use tokio::sync::Notify;

use super::ignored::{IGNORE_FILE, is_leftover};

/// From so many paths on, looking at everything is cheaper than looking at each.
const MOST_PATHS: usize = 4096;

/// What the thread of the operating system's events and the desk share.
#[derive(Debug)]
pub(super) struct Gathering {
    folders: Vec<PathBuf>,
    /// Whether what is never a post is left out by its name.
    only_posts: bool,
    state: Mutex<Gathered>,
    arrived: Notify,
}

/// What has come in since the last hint.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) paths: BTreeSet<PathBuf>,
    /// Paths alone do not tell what happened.
    pub(super) everything: bool,
    /// The operating system said that it cannot go on.
    pub(super) failure: Option<notify::Error>,
    times: Option<Times>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) first: Instant,
    pub(super) last: Instant,
}

impl Gathering {
    pub(super) fn for_posts(folders: Vec<PathBuf>) -> Self {
        Self { folders, only_posts: true, state: Mutex::default(), arrived: Notify::new() }
    }

    pub(super) fn for_files(folders: Vec<PathBuf>) -> Self {
        Self { only_posts: false, ..Self::for_posts(folders) }
    }

    /// Takes one event in. Called by the operating system's side, for every file that anybody touches.
    pub(super) fn take_in(&self, event: notify::Result<notify::Event>) {
        let event = match event {
            Ok(event) if event.kind.is_access() => return,
            Ok(event) => event,
            Err(error) => {
                let mut state = self.state();
                state.everything = true;
                state.failure.get_or_insert(error);
                return self.came_in(state);
            }
        };
        let everything = event.need_rescan();
        let paths: Vec<PathBuf> =
            event.paths.into_iter().filter(|path| self.is_relevant(path, event.kind)).collect();
        if paths.is_empty() && !everything {
            return;
        }
        let mut state = self.state();
        state.everything |= everything || paths.iter().any(|path| changes_all(path));
        state.paths.extend(paths);
        if state.paths.len() > MOST_PATHS {
            // What a folder lost is only found by going through all of them, so that the names need not be kept.
            state.paths.clear();
            state.everything = true;
        }
        self.came_in(state);
    }

    fn came_in(&self, mut state: MutexGuard<'_, Gathered>) {
        let now = Instant::now();
        let first = state.times.map_or(now, |times| times.first);
        state.times = Some(Times { first, last: now });
        drop(state);
        self.arrived.notify_one();
    }

    /// A folder of posts, something in one, or something on the way to one that is not there yet.
    fn is_relevant(&self, path: &Path, kind: EventKind) -> bool {
        self.folders.iter().any(|folder| match path.strip_prefix(folder) {
            Ok(within) => !self.only_posts || changes_all(path) || !has_leftover(within),
            // A file was created beside it, say: no business of ours.
            Err(_) => {
                folder.starts_with(path)
                    && !matches!(kind, EventKind::Modify(ModifyKind::Metadata(_)))
            }
        })
    }

    /// Waits for the first event, and until none has come for `debounce`, or the first one came longer than `bound` ago.
    /// Returns when that was.
    pub(super) async fn quiet(&self, debounce: Duration, bound: Duration) -> Instant {
        loop {
            let times = self.state().times;
            let Some(Times { first, last }) = times else {
                self.arrived.notified().await;
                continue;
            };
            let until = last.checked_add(debounce).unwrap_or(last).min(first + bound);
            if Instant::now() >= until {
                return first;
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// Everything so far; the next event begins anew.
    pub(super) fn take(&self) -> Gathered {
        std::mem::take(&mut *self.state())
    }

    fn state(&self) -> MutexGuard<'_, Gathered> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A list of what to ignore, or the link that Kubernetes swaps to change all files of a volume at once.
fn changes_all(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == IGNORE_FILE || name == "..data")
}

fn has_leftover(within: &Path) -> bool {
    within.components().any(|part| is_leftover(&part.as_os_str().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, DataChange, Flag, MetadataKind};
    use notify::{Event, EventKind};

    use super::*;

    fn changed(path: &str) -> Event {
        Event::new(EventKind::Modify(ModifyKind::Data(DataChange::Any))).add_path(path.into())
    }

    fn gathering() -> Gathering {
        Gathering::for_posts(vec!["/site/posts".into()])
    }

    #[test]
    fn only_what_can_be_about_posts_is_gathered() {
        let gathering = gathering();
        for path in [
            "/site/posts/a.md",
            "/site/posts/.a.md.swp",
            "/site/posts/4913",
            "/site/posts/.git/index",
            "/site/elsewhere.md",
            "/site/posts/deep/node_modules/x/readme.md",
            "/site/posts/b/img.png",
        ] {
            gathering.take_in(Ok(changed(path)));
        }
        let read =
            Event::new(EventKind::Access(AccessKind::Any)).add_path("/site/posts/r.md".into());
        gathering.take_in(Ok(read));
        let touched = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        gathering.take_in(Ok(Event::new(touched).add_path("/site".into())));
        let gathered = gathering.take();
        let paths: Vec<_> = gathered.paths.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/site/posts/a.md", "/site/posts/b/img.png"]);
        assert!(!gathered.everything);
        let came = EventKind::Create(CreateKind::Folder);
        gathering.take_in(Ok(Event::new(came).add_path("/site".into())));
        assert_eq!(gathering.take().paths.len(), 1, "the folder may be back");
    }

    #[test]
    fn what_was_lost_or_is_too_much_means_a_look_at_everything() {
        let gathering = gathering();
        gathering.take_in(Ok(changed("/site/posts/deep/.postriderignore")));
        assert!(gathering.take().everything, "a list of what to ignore");
        gathering.take_in(Ok(changed("/site/posts/..data")));
        assert!(gathering.take().everything, "a volume of Kubernetes");
        gathering.take_in(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert!(gathering.take().everything, "the queue ran over");
        gathering.take_in(Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)));
        let gathered = gathering.take();
        assert!(gathered.everything && gathered.failure.is_some());
        for number in 0..=MOST_PATHS {
            gathering.take_in(Ok(changed(&format!("/site/posts/{number}.md"))));
        }
        let gathered = gathering.take();
        assert!(gathered.everything && gathered.paths.is_empty(), "a thousand files over and over");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_comes_without_an_event() {
        let gathering = gathering();
        let waiting = gathering.quiet(Duration::ZERO, Duration::from_secs(1));
        assert!(tokio::time::timeout(Duration::from_hours(1), waiting).await.is_err());
    }
}
