//! Post files that are broken, strange or gone.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use postrider::domain::{Cadence, Diagnostic};

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

/// A file, its bytes, and how the message to its author begins. No message: it is a good post.
struct Case(&'static str, &'static [u8], &'static str);

const BROKEN: [Case; 9] = [
    Case(
        "colon.md",
        b"---\ntitle: Colon: here\ndate: 2026-03-01\n---\nx",
        "posts/colon.md:2:13: the YAML front matter is broken",
    ),
    Case(
        "tab.md",
        b"---\ntitle: Tab\ntags:\n\t- one\ndate: 2026-03-01\n---\nx",
        "posts/tab.md:4:2: the YAML front matter is broken: tabs disallowed",
    ),
    Case(
        "twice.md",
        b"---\ntitle: Twice\n---\n---\ndate: 2026-03-01\n---\nx",
        "posts/twice.md:4:1: a second front matter block begins here",
    ),
    Case("bare.md", b"Just text.\n", "posts/bare.md:1:1: the post has no date"),
    Case(
        "day.md",
        b"---\ntitle: Day\ndate: 2026-02-30\n---\nx",
        "posts/day.md:3:7: `date`: `2026-02-30` is not a day of the calendar",
    ),
    Case(
        "someday.md",
        b"---\ntitle: Day\ndate: someday\n---\nx",
        "posts/someday.md:3:7: `date`: `someday` is not a date",
    ),
    Case(
        "latin.md",
        b"---\ntitle: Gr\xFC\xDFe\ndate: 2026-03-01\n---\nx",
        "posts/latin.md:2:10: byte 0xFC is not valid UTF-8 here",
    ),
    Case(
        "nul.md",
        b"---\ntitle: Nul\ndate: 2026-03-01\n---\nx\0y",
        "posts/nul.md:5:2: the file contains a NUL byte",
    ),
    Case("nothing.md", b"", "posts/nothing.md:1:1: the post has no date"),
];

/// Every finding as its author reads it.
fn told(world: &World) -> Vec<String> {
    world.state.shelf.load().problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_told(world: &World, message: &str) {
    let told = told(world);
    assert!(told.iter().any(|one| one.starts_with(message)), "no `{message}` in {told:#?}");
}

#[tokio::test]
async fn each_broken_post_is_told_with_its_line_and_the_good_ones_go_out() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    for Case(name, bytes, _) in BROKEN {
        fs::write(world.path("posts").join(name), bytes).expect("a file can be written");
    }
    let long = post(&"x".repeat(10_240), "2026-03-01");
    fs::write(world.path("posts/long.md"), long).expect("a file can be written");
    let marked = format!("\u{FEFF}{}", post("Byte order mark", "2026-03-09"));
    fs::write(world.path("posts/marked.md"), marked).expect("a file can be written");
    let windows = post("Windows line ends", "2026-03-08").replace('\n', "\r\n");
    world.author_saves("windows.md", windows).await;

    for Case(_, _, message) in BROKEN {
        assert_told(&world, message);
    }
    assert_told(&world, "posts/long.md:2:8: the title is 10240 characters long; at most 500");
    assert!(told(&world).iter().all(|one| one.contains("; this post is live nowhere (")));
    let status = world.gets("/status").await.text();
    assert!(status.contains("tab.md:4:2"), "the status page tells it too: {status}");
    world.passes(3).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Byte order mark", "Windows line ends"]);
    assert_eq!(world.outbox_mail().len(), 2);

    for Case(name, ..) in BROKEN {
        fs::remove_file(world.path("posts").join(name)).expect("it is there");
    }
    world.author_saves("long.md", post("Shorter", "2026-03-01")).await;
    assert_eq!(told(&world), [""; 0], "what is mended is not told any more");
    assert_eq!(world.feed_titles().await.len(), 3);
}

#[tokio::test]
async fn what_is_no_file_or_far_too_large_is_not_even_opened() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.author_saves("large.md", post("Large", "2026-03-08")).await;
    let large = fs::File::options().write(true).open(world.path("posts/large.md"));
    large.and_then(|file| file.set_len(200_000_000)).expect("a file with a hole");
    fs::create_dir(world.path("posts/folder.md")).expect("a folder can be made");
    // The second would speak for all posts of the folder.
    for pipe in ["posts/pipe.md", "posts/posts.json"] {
        let made = Command::new("mkfifo").arg(world.path(pipe)).status();
        assert!(made.expect("mkfifo runs").success());
    }
    fs::write(world.path("posts/folder.md/within.md"), post("Within", "2026-03-07"))
        .expect("a file can be written");
    world.author_saves("good.md", post("Good", "2026-03-09")).await;

    assert_told(&world, "posts/large.md: is 200 MB large; a post may have 2 MB");
    assert_told(&world, "posts/folder.md: is a folder, not a post");
    assert_told(&world, "posts/pipe.md: is not a regular file");
    let titles = world.feed_titles().await;
    assert_eq!(titles, ["Good", "Large", "Within"], "the large one stays as it was last");
    world.passes(2).await;
    assert_eq!(world.gets("/healthz").await.status, 200);
}

#[tokio::test]
async fn links_that_lead_out_or_in_a_circle_are_named_and_not_followed() {
    let world = Setting::new(Engine::Sqlite)
        .file("private/secret.md", post("Secret", "2026-03-01"))
        .file("private/picture.txt", "no post")
        .file("pictures/one.txt", "no post")
        .start()
        .await;
    for (target, name) in [
        ("../private/secret.md", "out.md"),
        ("../private", "folder"),
        ("../pictures", "pictures"),
        ("circle.md", "circle.md"),
        (".", "round"),
        ("nowhere.md", "dangling.md"),
        ("good.md", "alias.txt"),
    ] {
        symlink(target, world.path("posts").join(name)).expect("a link can be made");
    }
    world.author_saves("good.md", post("Good", "2026-03-09")).await;

    assert_eq!(world.feed_titles().await, ["Good"]);
    assert_told(&world, "posts/out.md: is a symlink that leads out of the post folder");
    assert_told(&world, "posts/circle.md: is a symlink that leads nowhere: Too many levels");
    assert_told(&world, "posts/dangling.md: is a symlink that leads nowhere: No such file");
    assert_told(&world, "posts/folder: is a symlink to a folder, and is not followed");
    assert_told(&world, "posts/round: is a symlink to a folder, and is not followed");
    let told = told(&world);
    assert_eq!(told.len(), 5, "a link to pictures is nothing to talk about: {told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_vanish_while_they_are_read_do_no_harm() {
    let world = Setting::new(Engine::Sqlite).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    let restless = "---\ntitle: Restless\ndate: 2026-03-09\nslug: restless\n---\nHello.\n";
    world.author_saves("a.md", restless).await;
    world.author_saves("calm.md", post("Calm", "2026-03-08")).await;

    let calm = Arc::new(AtomicBool::new(false));
    let folder = world.path("posts");
    let seen = Arc::clone(&calm);
    let storm = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            for (from, to) in [("a.md", "b.md"), ("b.md", "c.md"), ("c.md", "a.md")] {
                fs::rename(folder.join(from), folder.join(to)).expect("it is there");
            }
        }
    });
    for _ in 0..60 {
        world.rescans().await;
        let told = told(&world);
        assert!(!told.iter().any(|one| one.contains("cannot be read")), "{told:#?}");
        assert!(world.feed_titles().await.contains(&"Calm".to_owned()));
    }
    calm.store(true, Ordering::Relaxed);
    storm.join().expect("the storm ends");

    world.passes(4).await;
    world.is_quiet().await;
    assert_eq!(world.feed_titles().await, ["Restless", "Calm"]);
    assert_eq!(world.outbox_mail().len(), 2, "each of them once");
    assert!(!world.state.shelf.load().problems.iter().any(Diagnostic::is_error));
}
