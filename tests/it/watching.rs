//! Changes arrive by themselves: no minute passes in these stories, so that only file events can tell of them. And where
//! there are none, the next comparison tells.

use std::fs;
use std::path::Path;

use crate::harness::daemon::{self, Daemon};
use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

/// Waits until the feed has these titles.
async fn feed_becomes(world: &World, titles: &[&str]) {
    let what = format!("a feed of {titles:?}");
    world.eventually(&what, async || (world.feed_titles().await == titles).then_some(())).await;
}

fn save(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).expect("a file can be written");
}

#[tokio::test]
async fn a_saved_file_is_in_the_feeds_however_its_editor_saves() {
    let world = Setting::new(Engine::Sqlite).watching("10ms").start().await;
    let file = world.path("posts/hello.md");
    save(&file, post("Written", "2026-03-09"));
    feed_becomes(&world, &["Written"]).await;
    // Vim: the old file becomes the backup, the new one is written, the backup goes.
    save(&world.path("posts/4913"), "");
    fs::remove_file(world.path("posts/4913")).expect("it was just written");
    fs::rename(&file, world.path("posts/hello.md~")).expect("the file is there");
    save(&file, post("Saved by Vim", "2026-03-09"));
    fs::remove_file(world.path("posts/hello.md~")).expect("it was just renamed");
    feed_becomes(&world, &["Saved by Vim"]).await;
    // `sed -i` and atomic saves: a new file takes the old one's place.
    save(&world.path("posts/sedAbC123"), post("Saved by sed", "2026-03-09"));
    fs::rename(world.path("posts/sedAbC123"), &file).expect("the file is there");
    feed_becomes(&world, &["Saved by sed"]).await;
    fs::remove_file(&file).expect("the file is there");
    feed_becomes(&world, &[]).await;
}

/// With an hour to the next comparison, only the start itself and file events can tell.
#[tokio::test]
async fn what_is_saved_while_the_first_look_goes_on_is_not_missed() {
    let outbox = "url = \"outbox:var/outbox\"";
    let basic = daemon::configuration("sqlite:var/postrider.db", outbox);
    let folder = daemon::project(&(basic + "[watch]\nrescan = \"1h\"\ndebounce = \"10ms\"\n"));
    let posts = folder.path().join("posts");
    for number in 0..1_000 {
        save(&posts.join(format!("p{number:04}.md")), post("Early", "2026-03-01"));
    }
    let _daemon = Daemon::start(folder.path());
    let address = Daemon::address(folder.path(), 1).await;
    let mut saved = 0;
    let is_there =
        async || daemon::get(address, "/feed.xml").await.is_some_and(|(it, _)| it == 200);
    // In front of what was read, behind it, and in files that were read.
    while !is_there().await {
        save(&posts.join(format!("a{saved:04}.md")), post("Late", "2026-03-02"));
        save(&posts.join(format!("z{saved:04}.md")), post("Late", "2026-03-02"));
        save(&posts.join(format!("p{:04}.md", saved % 1_000)), post("Late", "2026-03-02"));
        saved += 1;
    }
    assert!(saved > 0, "the first look was over before anything could be saved");
    let all = 1_000 + 2 * saved;
    daemon::until("all posts", async || {
        let (_, status) = daemon::get(address, "/metrics").await.expect("it answers");
        status.lines().any(|line| line.ends_with(&format!(" {all}")) && line.contains("posts"))
    })
    .await;
    let titles = async |path: String| daemon::get(address, &path).await.expect("it answers").1;
    for number in 0..saved.min(1_000) {
        let path = format!("/posts/p{number:04}/");
        daemon::until(&path, async || titles(path.clone()).await.contains("Late")).await;
    }
}

#[tokio::test]
async fn a_file_of_the_same_size_and_date_is_another_one_all_the_same() {
    let world =
        Setting::new(Engine::Sqlite).post("hello.md", post("Hello", "2026-03-09")).start().await;
    let file = world.path("posts/hello.md");
    let before = fs::metadata(&file).expect("it is there").modified().expect("it has a date");
    save(&file, post("Howdy", "2026-03-09"));
    let file = fs::File::options().write(true).open(file).expect("the file is there");
    file.set_modified(before).expect("a date can be set");
    world.rescans().await;
    assert_eq!(world.feed_titles().await, ["Howdy"]);
}

#[tokio::test]
async fn a_folder_that_comes_late_goes_and_comes_back_is_watched_each_time() {
    let world = Setting::new(Engine::Sqlite).watching("10ms").start().await;
    let bundle = world.path("posts/2026/trip");
    fs::create_dir_all(&bundle).expect("a folder can be made");
    save(&bundle.join("index.md"), post("Trip", "2026-03-09"));
    feed_becomes(&world, &["Trip"]).await;
    save(&bundle.join("index.md"), post("Trip, again", "2026-03-09"));
    feed_becomes(&world, &["Trip, again"]).await;
    // What another branch has in its place.
    fs::rename(world.path("posts"), world.path("old")).expect("the folder is there");
    fs::create_dir(world.path("posts")).expect("a folder can be made");
    save(&world.path("posts/branch.md"), post("Branch", "2026-03-09"));
    feed_becomes(&world, &["Branch"]).await;
    save(&world.path("posts/more.md"), post("More", "2026-03-08"));
    feed_becomes(&world, &["Branch", "More"]).await;
    fs::remove_dir_all(world.path("posts")).expect("the folder is there");
    let missing = async || (world.state.shelf.load().problems.len() == 1).then_some(());
    world.eventually("a complaint", missing).await;
    assert_eq!(world.feed_titles().await, ["Branch", "More"], "gone is not deleted");
    fs::rename(world.path("old"), world.path("posts")).expect("the folder is there");
    feed_becomes(&world, &["Trip, again"]).await;
}

#[tokio::test]
async fn what_becomes_ignored_is_gone_like_what_is_deleted_and_comes_back() {
    let world = Setting::new(Engine::Sqlite)
        .watching("10ms")
        .post("a.md", post("A", "2026-03-09"))
        .post("notes/b.md", post("B", "2026-03-08"))
        .post("notes/c.md", post("C", "2026-03-07"))
        .post("notes (conflicted copy 2026-03-01).md", post("Not this", "2026-03-06"))
        .start()
        .await;
    assert_eq!(world.feed_titles().await, ["A", "B", "C"]);
    let list = world.path("posts/.postriderignore");
    save(&list, "# mine\nnotes/*\n!notes/c.md\n");
    feed_becomes(&world, &["A", "C"]).await;
    save(&world.path("posts/notes/b.md"), post("B, again", "2026-03-08"));
    save(&world.path("posts/notes/c.md"), post("C, again", "2026-03-07"));
    feed_becomes(&world, &["A", "C, again"]).await;
    save(&world.path("posts/notes/.postriderignore"), "c.md\n[z-a]\n");
    feed_becomes(&world, &["A"]).await;
    let shelf = world.state.shelf.load();
    assert_eq!(shelf.problems.len(), 1, "the second line is no pattern");
    assert_eq!(shelf.problems[0].place(), "posts/notes/.postriderignore:2:1");
    drop(shelf);
    fs::remove_file(list).expect("the list is there");
    fs::remove_file(world.path("posts/notes/.postriderignore")).expect("the list is there");
    feed_becomes(&world, &["A", "B, again", "C, again"]).await;
}

#[tokio::test]
async fn what_git_checks_out_is_looked_at_once() {
    let world = Setting::new(Engine::Sqlite).watching("10ms").start().await;
    fs::create_dir(world.path(".git")).expect("a folder can be made");
    world.rescans().await;
    save(&world.path(".git/index.lock"), "");
    let before = world.looks();
    for number in 10..60 {
        save(&world.path(&format!("posts/{number}.md")), post(&format!("{number}"), "2026-03-09"));
        assert!(world.feed_titles().await.is_empty(), "git holds its lock");
    }
    fs::remove_file(world.path(".git/index.lock")).expect("it is there");
    world
        .eventually("fifty posts", async || (world.feed_titles().await.len() == 50).then_some(()))
        .await;
    // The feed is there a moment before the look is over.
    world.eventually("a look", async || (world.looks() > before).then_some(())).await;
    assert_eq!(world.looks(), before + 1);
}

/// The limit is that of a user namespace of its own, which needs no privilege where the system has them at all.
#[tokio::test]
async fn a_daemon_that_may_watch_nothing_says_how_to_mend_it_and_compares() {
    if !Daemon::can_start_without_watches().await {
        return;
    }
    let project = daemon::project(&format!(
        "{}[watch]\nrescan = \"1s\"\n",
        daemon::configuration("sqlite:var/postrider.db", "url = \"outbox:var/outbox\"")
    ));
    let folder = project.path();
    let running = Daemon::start_without_watches(folder);
    let address = Daemon::address(folder, 1).await;
    daemon::logged(folder, "sudo sysctl fs.inotify.max_user_instances=", 1).await;
    save(&folder.join("posts/hello.md"), post("Hello", "2026-03-09"));
    daemon::until("the post in the feed", async || {
        daemon::get(address, "/feed.xml").await.is_some_and(|(_, feed)| feed.contains("Hello"))
    })
    .await;
    let (_, status) = daemon::get(address, "/status").await.expect("it answers");
    assert!(status.contains("max_user_instances"), "{status}");
    let (_, metrics) = daemon::get(address, "/metrics").await.expect("it answers");
    assert!(metrics.contains("postrider_watch_events 0"), "{metrics}");
    assert_eq!(daemon::log(folder).matches("sudo sysctl").count(), 1);
    assert_eq!(running.terminate().await, Some(0));
}
