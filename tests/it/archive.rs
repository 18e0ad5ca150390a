//! The archive as a browser draws it and as files: the same as the daemon serves, on a phone and on a desk.

use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::harness::browser::{Browser, Scheme};
use crate::harness::daemon::{self, Daemon};
use crate::harness::program::{Ended, Project};

const RIVER: &str = r#"---
title: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft
date: 2026-01-05
updated: 2026-01-07
tags: [walking, "c++"]
image: /wide.jpg
image_alt: A river
series: Rivers
summary: Twelve kilometres and one wet foot.
authors: [Robin Marsh]
---
See https://example.org/a/very/long/path/that/never/ends/and/has/no/hyphens/at/all/index.html?with=query&and=more

![A panorama](/wide.jpg)

<img src="/wide.jpg" width="4000" height="300" alt="Another one">

    let one_line_of_code_that_is_much_longer_than_a_phone_is_wide = everything(with, many, arguments, and, more);

| One column | Another column | A third column | A fourth column | A fifth column | A sixth column |
|---|---|---|---|---|---|
| Donaudampfschifffahrtselektrizitätenhauptbetriebswerk | b | c | d | e | f |

> A quote[^1].

<video src="/film.mp4" width="3000"></video>

[^1]: With a note.
"#;

/// How the names of compressed files end.
const TWINS: [&str; 3] = [".gz", ".br", ".zst"];

/// What the browser measured.
#[derive(Debug, Deserialize)]
struct Seen {
    dark: bool,
    page: u32,
    window: u32,
    ground: String,
    /// Elements that stick out of the window, but for what scrolls by itself.
    outside: Vec<String>,
    headings: u32,
}

/// What the browser is to measure.
const SEEN: &str = r"(() => {
  const scrolls = (it) => it.parentElement.closest('table, pre, .scroll');
  const box = (it) => it.getBoundingClientRect();
  const outside = [...page.body.querySelectorAll('*')].filter((it) => !scrolls(it) && !it.matches('.skip')
    && (box(it).right > root.clientWidth + 1 || box(it).left < 0));
  return {
    dark: view.matchMedia('(prefers-color-scheme: dark)').matches,
    page: root.scrollWidth, window: root.clientWidth,
    ground: view.getComputedStyle(page.body).backgroundColor,
    outside: outside.map((it) => it.outerHTML.slice(0, 200)),
    headings: page.querySelectorAll('h1').length,
  };
})()";

#[test]
fn pages_fit_a_phone_and_a_desk_in_the_light_and_in_the_dark() {
    let Some(browser) = Browser::find() else { return };
    let project = Project::new();
    project.write("posts/river.md", RIVER);
    project.runs("build --out public").well();
    for file in ["public/posts/river/index.html", "public/archive/index.html"] {
        let page = fs::read_to_string(project.path(file)).unwrap();
        for width in [320, 1000] {
            for (scheme, ground) in
                [(Scheme::Light, "rgb(244, 242, 237)"), (Scheme::Dark, "rgb(20, 22, 25)")]
            {
                let seen: Seen = browser.sees((&page, SEEN), (width, scheme));
                let case = format!("{file} at {width}, {scheme:?}: {seen:?}");
                assert_eq!(seen.dark, scheme == Scheme::Dark, "{case}");
                assert_eq!(seen.ground, ground, "{case}");
                assert!(seen.page <= seen.window, "{case}");
                assert_eq!(seen.outside, Vec::<String>::new(), "{case}");
                assert_eq!(seen.headings, 1, "{case}");
            }
        }
    }
}

/// Every file that a build made, by the path that the daemon serves it at.
fn built(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let list =
        fs::read_to_string(folder.join(".postrider-build")).expect("a build leaves its list");
    let file = |name: &str| {
        let path = name.strip_suffix("index.html").unwrap_or(name);
        (format!("/{path}"), fs::read(folder.join(name)).expect("what is listed is there"))
    };
    list.lines().map(file).collect()
}

/// Compares each file with what the daemon answers, and each compressed twin with what it is a twin of.
async fn is_what_is_served(address: SocketAddr, files: &[(String, Vec<u8>)]) {
    let (twins, pages): (Vec<_>, Vec<_>) =
        files.iter().partition(|(path, _)| TWINS.iter().any(|end| path.ends_with(end)));
    for path in [
        "/feed.xml",
        "/atom.xml",
        "/feed.json",
        "/posts/river/",
        "/archive/",
        "/archive/tags/c++/",
        "/sitemap.xml",
        "/robots.txt",
    ] {
        assert!(pages.iter().any(|(known, _)| known == path), "{path} is not in {pages:?}");
    }
    for (path, bytes) in &pages {
        let (status, answer) = daemon::get(address, path).await.expect("the daemon answers");
        let body = answer.split_once("\r\n\r\n").expect("it is HTTP").1;
        assert_eq!((status, body), (200, &*String::from_utf8_lossy(bytes)), "{path}");
    }
    for (path, bytes) in twins.iter().filter(|(path, _)| path.ends_with(TWINS[0])) {
        let plain = path.trim_end_matches(".gz").trim_end_matches("index.html");
        let plain = pages.iter().find(|(known, _)| known == plain).map(|(_, bytes)| bytes);
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).expect("it is gzip");
        assert_eq!(Some(&unpacked), plain, "{path}");
    }
}

#[tokio::test]
async fn a_build_is_byte_for_byte_what_the_daemon_serves() {
    let folder = daemon::project(&daemon::configuration(
        "sqlite:var/postrider.db",
        "url = \"outbox:var/outbox\"",
    ));
    let folder = folder.path();
    fs::write(folder.join("posts/river.md"), RIVER).unwrap();
    fs::write(
        folder.join("posts/tea.md"),
        "---\ntitle: Tea\ndate: 2026-01-02\ntags: [walking]\n---\nHot.\n",
    )
    .unwrap();
    let running = Daemon::start(folder);
    let address = Daemon::address(folder, 1).await;
    daemon::until("the posts are there", async || {
        let feed = daemon::get(address, "/posts/tea/").await;
        feed.is_some_and(|(status, _)| status == 200)
    })
    .await;
    let build = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postrider"));
        Ended::of(command.args(["build", "--out", "public"]).current_dir(folder))
    };
    build().well();
    let public = folder.join("public");
    let files = built(&public);
    is_what_is_served(address, &files).await;
    let again = build().well();
    assert!(again.out.ends_with("0 written, 0 removed\n"), "{again:?}");
    fs::remove_file(folder.join("posts/tea.md")).unwrap();
    daemon::until("the post is gone", async || {
        daemon::get(address, "/posts/tea/").await.is_some_and(|(status, _)| status == 410)
    })
    .await;
    build().well();
    assert!(!public.join("posts/tea").exists());
    assert!(public.join("posts/river/index.html").exists());
    drop(running);
}
