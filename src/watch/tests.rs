//! Real folders and the events of the real operating system, or of one that has none to give.

use std::fs;

use notify::{Config, EventHandler, WatcherKind};
use tempfile::TempDir;

use super::*;
use crate::config::Baseline;

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn folder(path: PathBuf) -> PostFolder {
    PostFolder {
        name: "posts".to_owned(),
        path,
        permalink: "/{slug}/".to_owned(),
        settle: SignedDuration::ZERO,
        baseline: Baseline::Now,
        language: None,
        dates_from: Vec::new(),
        fields: std::collections::BTreeMap::new(),
        defaults: serde_json::Value::Null,
        markdown: config::Markdown {
            highlight: true,
            smart_punctuation: false,
            excerpt_separator: None,
        },
    }
}

fn config(debounce: i64) -> config::Watch {
    config::Watch {
        mode: WatchMode::Auto,
        debounce: SignedDuration::from_millis(debounce),
        rescan: SignedDuration::from_mins(1),
    }
}

/// A project with an empty folder of posts, and a watch on it.
fn project() -> (TempDir, Watch) {
    let project = TempDir::new().unwrap();
    fs::create_dir(project.path().join("posts")).unwrap();
    let watch = watching(&project);
    (project, watch)
}

fn watching(project: &TempDir) -> Watch {
    let mut watch = Watch::for_posts(&[folder(project.path().join("posts"))], &config(20));
    watch.renew(START);
    watch
}

async fn hint(watch: &mut Watch) -> Hint {
    let hint = tokio::time::timeout(Duration::from_secs(30), watch.next()).await;
    hint.expect("a hint comes")
}

/// Waits until the written `path` is among what is hinted at. Where a look at everything is owed first, it is written again.
async fn hints_at(watch: &mut Watch, path: &Path) {
    for _ in 0..10 {
        match hint(watch).await {
            Hint::Paths(paths) if paths.iter().any(|one| one == path) => return,
            Hint::Paths(_) => {}
            Hint::Rescan => {
                watch.renew(START);
                fs::write(path, "again").unwrap();
            }
        }
    }
    panic!("{} is never hinted at", path.display());
}

/// Lets the events come that are on their way, and nobody hears of them.
async fn lose_what_comes(watch: &Watch) {
    let came = watch.gathering.quiet(Duration::from_millis(20), Duration::from_secs(5));
    tokio::time::timeout(Duration::from_secs(30), came).await.expect("events come");
    watch.gathering.take();
}

#[tokio::test]
async fn a_file_that_is_saved_by_renaming_another_is_hinted_at() {
    let (project, mut watch) = project();
    assert!(watch.has_events());
    let file = project.path().join("posts/a.md");
    fs::write(project.path().join("posts/.a.md.swp"), "x").unwrap();
    fs::rename(project.path().join("posts/.a.md.swp"), &file).unwrap();
    assert_eq!(hint(&mut watch).await, Hint::Paths(vec![file]));
}

#[tokio::test]
async fn folders_that_come_are_watched_and_those_that_are_ignored_are_not() {
    let (project, mut watch) = project();
    let posts = project.path().join("posts");
    fs::write(posts.join(IGNORE_FILE), "archive/\n").unwrap();
    for name in ["2024/trip", "node_modules/x", ".git/objects", "archive/old"] {
        fs::create_dir_all(posts.join(name)).unwrap();
    }
    assert_eq!(hint(&mut watch).await, Hint::Rescan);
    watch.renew(START);
    let native = watch.native.as_ref().unwrap();
    let watched: Vec<_> =
        native.watched.keys().map(|path| path.strip_prefix(&posts).unwrap()).collect();
    assert_eq!(watched, [Path::new(""), Path::new("2024"), Path::new("2024/trip")]);
    let file = posts.join("2024/trip/index.md");
    fs::write(&file, "x").unwrap();
    hints_at(&mut watch, &file).await;
}

#[tokio::test]
async fn a_folder_that_is_missing_is_watched_as_soon_as_it_is_there() {
    let project = TempDir::new().unwrap();
    let mut watch =
        Watch::for_posts(&[folder(project.path().join("content/blog/posts"))], &config(20));
    watch.renew(START);
    assert!(watch.has_events(), "of the place where it will be");
    let file = project.path().join("content/blog/posts/a.md");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    assert_eq!(hint(&mut watch).await, Hint::Rescan);
    watch.renew(START);
    fs::write(&file, "x").unwrap();
    hints_at(&mut watch, &file).await;
}

#[tokio::test]
async fn a_folder_that_is_replaced_is_watched_anew() {
    let (project, mut watch) = project();
    let (posts, file) = (project.path().join("posts"), project.path().join("posts/a.md"));
    for round in ["removed", "moved"] {
        match round {
            "removed" => fs::remove_dir_all(&posts).unwrap(),
            _ => fs::rename(&posts, project.path().join("before")).unwrap(),
        }
        assert_eq!(hint(&mut watch).await, Hint::Rescan, "{round}");
        watch.renew(START);
        fs::create_dir(&posts).unwrap();
        assert_eq!(hint(&mut watch).await, Hint::Rescan, "{round}");
        watch.renew(START);
        fs::write(&file, "x").unwrap();
        hints_at(&mut watch, &file).await;
    }
}

#[tokio::test]
async fn a_folder_that_was_replaced_without_an_event_is_found_by_the_rescan() {
    let (project, mut watch) = project();
    let posts = project.path().join("posts");
    fs::create_dir(posts.join("deep")).unwrap();
    assert_eq!(hint(&mut watch).await, Hint::Rescan);
    watch.renew(START);
    fs::rename(&posts, project.path().join("before")).unwrap();
    fs::create_dir_all(posts.join("deep")).unwrap();
    lose_what_comes(&watch).await;
    watch.renew(START);
    let file = posts.join("deep/a.md");
    fs::write(&file, "x").unwrap();
    hints_at(&mut watch, &file).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_is_swapped_leads_to_the_new_folder() {
    let project = TempDir::new().unwrap();
    let at = |name: &str| project.path().join(name);
    for release in ["one", "two"] {
        fs::create_dir_all(at("releases").join(release)).unwrap();
    }
    std::os::unix::fs::symlink("releases/one", at("posts")).unwrap();
    let mut watch = watching(&project);
    let file = at("posts/a.md");
    fs::write(at("releases/one/a.md"), "x").unwrap();
    assert_eq!(hint(&mut watch).await, Hint::Paths(vec![file.clone()]));
    std::os::unix::fs::symlink("releases/two", at("next")).unwrap();
    fs::rename(at("next"), at("posts")).unwrap();
    assert_eq!(hint(&mut watch).await, Hint::Rescan);
    watch.renew(START);
    fs::write(at("releases/two/a.md"), "x").unwrap();
    hints_at(&mut watch, &file).await;
}

#[tokio::test]
async fn what_git_checks_out_is_one_change() {
    let (project, mut watch) = project();
    let git = project.path().join(".git");
    fs::create_dir(&git).unwrap();
    watch.renew(START);
    fs::write(git.join("index.lock"), "").unwrap();
    let posts = project.path().join("posts");
    fs::write(posts.join("0.md"), "x").unwrap();
    let mut waiting = std::pin::pin!(hint(&mut watch));
    // Few enough to be written within our patience on a busy disk.
    for number in 1..200 {
        let early = futures_util::poll!(&mut waiting);
        assert!(early.is_pending(), "git holds its lock");
        fs::write(posts.join(format!("{number}.md")), "x").unwrap();
    }
    fs::remove_file(git.join("index.lock")).unwrap();
    let Hint::Paths(paths) = waiting.await else { panic!("no folder changed") };
    assert_eq!(paths.len(), 200);
}

#[tokio::test]
async fn nobody_looks_at_everything_in_the_middle_of_a_checkout() {
    for mode in [WatchMode::Auto, WatchMode::Poll] {
        let project = TempDir::new().unwrap();
        fs::create_dir_all(project.path().join("posts")).unwrap();
        let lock = project.path().join(".git/index.lock");
        fs::create_dir(project.path().join(".git")).unwrap();
        fs::write(&lock, "").unwrap();
        let config = config::Watch { mode, ..config(20) };
        // Before it was ever renewed: a daemon that starts meanwhile waits as well.
        let mut watch = Watch::for_posts(&[folder(project.path().join("posts"))], &config);
        for _ in 0..2 {
            {
                let mut waiting = std::pin::pin!(watch.settled());
                assert!(futures_util::poll!(&mut waiting).is_pending(), "git holds its lock");
                fs::remove_file(&lock).unwrap();
                waiting.await;
            }
            watch.renew(START);
            fs::write(&lock, "").unwrap();
        }
    }
}

#[tokio::test]
async fn a_lock_that_git_left_behind_is_waited_for_once() {
    let (project, mut watch) = project();
    fs::create_dir(project.path().join(".git")).unwrap();
    fs::write(project.path().join(".git/index.lock"), "").unwrap();
    watch.find_locks();
    watch.without_locks(Instant::now(), Duration::ZERO).await;
    let mut waiting = std::pin::pin!(watch.settled());
    assert!(futures_util::poll!(&mut waiting).is_ready());
}

#[tokio::test]
async fn whoever_stops_waiting_and_waits_again_loses_nothing() {
    let (project, mut watch) = project();
    let file = project.path().join("posts/a.md");
    fs::write(&file, "x").unwrap();
    let impatient = async {
        loop {
            if let Ok(hint) = tokio::time::timeout(Duration::from_millis(1), watch.next()).await {
                return hint;
            }
        }
    };
    let hint = tokio::time::timeout(Duration::from_secs(30), impatient).await.unwrap();
    assert_eq!(hint, Hint::Paths(vec![file]));
}

/// An operating system that is out of watches.
struct Exhausted(fn() -> notify::Error);

impl Watcher for Exhausted {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        unreachable!("it is opened by hand")
    }

    fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
        Err((self.0)())
    }

    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

fn problem_of(watch: &Watch) -> String {
    let problems: Vec<String> = watch.problems().map(ToString::to_string).collect();
    assert!(problems.len() < 2, "{problems:?}");
    problems.concat()
}

#[test]
fn used_up_limits_are_told_with_the_command_that_mends_them_and_asked_again_later() {
    let project = TempDir::new().unwrap();
    let folders = [folder(project.path().to_owned())];
    let mut watch = Watch::for_posts(&folders, &config(0));
    watch.open =
        |_| Ok(Box::new(Exhausted(|| notify::Error::new(notify::ErrorKind::MaxFilesWatch))));
    watch.renew(START);
    assert!(!watch.has_events());
    let told = problem_of(&watch);
    assert!(told.contains("sudo sysctl fs.inotify.max_user_watches="), "{told}");
    assert!(told.contains("every 1m"), "{told}");
    watch.open = |_| Err(notify::Error::io(std::io::Error::from_raw_os_error(24)));
    watch.renew(START + SignedDuration::from_mins(9));
    assert_eq!(problem_of(&watch), told, "not yet");
    watch.renew(START + SignedDuration::from_mins(11));
    let told = problem_of(&watch);
    assert!(told.contains("sudo sysctl fs.inotify.max_user_instances="), "{told}");
    watch.open = |_| Err(notify::Error::io(std::io::Error::from_raw_os_error(38)));
    watch.renew(START + SignedDuration::from_mins(30));
    let told = problem_of(&watch);
    assert!(
        told.contains("there are no file events: ") && told.contains("mode = \"poll\""),
        "{told}"
    );
    watch.open = open_native;
    watch.renew(START + SignedDuration::from_mins(60));
    assert!(watch.has_events());
    assert_eq!(problem_of(&watch), "");
}

#[tokio::test]
async fn a_limit_that_is_hit_while_watching_ends_in_polling() {
    let (_project, mut watch) = project();
    watch.lose_events();
    assert_eq!(hint(&mut watch).await, Hint::Rescan);
    watch.renew(START);
    assert!(!watch.has_events());
    assert!(problem_of(&watch).contains("max_user_watches"));
}

#[test]
fn who_wants_to_poll_is_not_bothered() {
    let project = TempDir::new().unwrap();
    let config = config::Watch { mode: WatchMode::Poll, ..config(0) };
    let mut watch = Watch::for_posts(&[folder(project.path().to_owned())], &config);
    watch.renew(START);
    assert!(!watch.has_events());
    assert_eq!(problem_of(&watch), "");
}

/// As if nothing had been done to it for a while.
#[cfg(target_os = "linux")]
fn grow_old(folder: &Path, names: &[&str]) {
    for name in names {
        let file = fs::File::open(folder.join(name)).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_modified(modified - Duration::from_mins(1)).unwrap();
    }
}

/// Which folders below `posts` are watched, once each was forgotten: who is not walked to again is missing.
#[cfg(target_os = "linux")]
fn walked_again(watch: &mut Watch, posts: &Path) -> Vec<String> {
    let native = watch.native.as_mut().unwrap();
    native.watched.retain(|path, _| !path.ends_with("mark"));
    watch.renew(START);
    let watched = watch.native.as_ref().unwrap().watched.keys();
    let below = watched.filter_map(|path| path.strip_prefix(posts).ok()?.to_str());
    below.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn only_a_tree_in_which_something_changed_is_walked_through_again() {
    let project = TempDir::new().unwrap();
    let posts = project.path().join("posts");
    fs::create_dir_all(posts.join("mark")).unwrap();
    fs::write(posts.join(IGNORE_FILE), "late/\n").unwrap();
    grow_old(&posts, &["", "mark", IGNORE_FILE]);
    let mut watch = watching(&project);
    assert_eq!(walked_again(&mut watch, &posts), [""; 0], "nothing changed");
    // Each time without an event that anybody hears of.
    fs::create_dir(posts.join("late")).unwrap();
    lose_what_comes(&watch).await;
    assert_eq!(walked_again(&mut watch, &posts), ["mark"], "a folder came");
    assert_eq!(
        walked_again(&mut watch, &posts),
        ["mark"],
        "another may have come at the same time"
    );
    grow_old(&posts, &[""]);
    lose_what_comes(&watch).await;
    watch.renew(START);
    assert_eq!(walked_again(&mut watch, &posts), [""; 0]);
    fs::write(posts.join(IGNORE_FILE), "").unwrap();
    lose_what_comes(&watch).await;
    assert_eq!(walked_again(&mut watch, &posts), ["late", "mark"], "the list changed");
    grow_old(&posts, &["", "late", IGNORE_FILE]);
    lose_what_comes(&watch).await;
    watch.renew(START);
    assert_eq!(walked_again(&mut watch, &posts), ["late"]);
    fs::create_dir(posts.join("late/est")).unwrap();
    lose_what_comes(&watch).await;
    assert_eq!(walked_again(&mut watch, &posts), ["late", "late/est", "mark"]);
}
