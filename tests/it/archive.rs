//! The archive as a browser draws it and as files: the same as the daemon serves, on a phone and on a desk.

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;

use flate2::read::GzDecoder;
use postrider::domain::Cadence;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::browser::{Browser, Scheme};
use crate::harness::daemon::{self, Daemon};
use crate::harness::engine::Engine;
use crate::harness::program::{Ended, Project};
use crate::harness::world::{Setting, World, post};

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

```rust
// Twelve kilometres.
fn walk(river: &str) -> usize { river.len() + 12 }
```

    let one_line_of_code_that_is_much_longer_than_a_phone_is_wide = everything(with, many, arguments, and, more);

| One column | Another column | A third column | A fourth column | A fifth column | A sixth column |
|---|---|---|---|---|---|
| Donaudampfschifffahrtselektrizitätenhauptbetriebswerk | b | c | d | e | f |

> A quote[^1].

<video src="/film.mp4" width="3000"></video>

[^1]: With a note.
"#;

/// How the names of compressed files end, and what HTTP calls that.
const TWINS: [(&str, &str); 3] = [(".gz", "gzip"), (".br", "br"), (".zst", "zstd")];

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
    /// Contrasts of words of code with their ground.
    code: Vec<f64>,
}

/// What the browser is to measure.
const SEEN: &str = r"(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const contrast = (it) => {
    const [a, b] = [light(view.getComputedStyle(it).color), light(view.getComputedStyle(it.closest('pre')).backgroundColor)];
    return Math.max(a, b) / Math.min(a, b);
  };
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
    code: [...page.querySelectorAll('pre [class^=code-]')].map(contrast),
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
                assert_eq!(seen.code.is_empty(), file.contains("archive"), "{case}");
                assert!(seen.code.iter().all(|it| *it >= 4.5), "WCAG AA: {case}");
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

/// Compares each file with what the daemon answers, byte for byte, compressed ones with what it sends to those who take them.
async fn is_what_is_served(address: SocketAddr, files: &[(String, Vec<u8>)]) {
    let is_twin = |path: &str| TWINS.iter().any(|(end, _)| path.ends_with(end));
    let (twins, pages): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| is_twin(path));
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
    for (end, coding) in TWINS {
        let mut count = 0;
        for (path, bytes) in twins.iter().filter(|(path, _)| path.ends_with(end)) {
            let plain = path.trim_end_matches(end).trim_end_matches("index.html");
            let (head, sent) = compressed(address, plain, coding).await;
            assert!(head.contains(&format!("content-encoding: {coding}\r\n")), "{path}: {head}");
            assert!(sent == *bytes, "{path}: other bytes than the daemon's");
            let plain = pages.iter().find(|(known, _)| known == plain).map(|(_, bytes)| bytes);
            assert_eq!(Some(&unpacked(coding, bytes)), plain, "{path}");
            count += 1;
        }
        assert!(count > 6, "{count} files end with {end}");
    }
}

/// The head of the daemon's answer and the bytes of its body.
async fn compressed(address: SocketAddr, path: &str, coding: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept-Encoding: {coding}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it takes requests");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it sends to the end");
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("it is HTTP") + 4;
    let body = answer.split_off(end);
    (String::from_utf8_lossy(&answer).into_owned(), body)
}

fn unpacked(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "gzip" => GzDecoder::new(bytes).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
        _ => zstd::Decoder::new(bytes).expect("it begins well").read_to_end(&mut plain),
    }
    .expect("it is what its name says");
    plain
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

/// Where the mail with this subject says that its post can be read on the web.
fn leads_to(world: &World, subject: &str) -> String {
    let folder = fs::read_dir(world.path("var/outbox/mail")).expect("there is mail");
    let texts = folder.filter_map(|file| {
        let bytes = fs::read(file.ok()?.path()).ok()?;
        let mail = mail_parser::MessageParser::default().parse(&bytes)?;
        (mail.subject() == Some(subject)).then(|| mail.body_text(0).map(Cow::into_owned))?
    });
    let links: Vec<String> = texts
        .filter_map(|text| {
            text.split("Read on the web:").nth(1)?.split_whitespace().next().map(str::to_owned)
        })
        .collect();
    let [link] = &*links else { panic!("{subject}: {links:?}") };
    link.clone()
}

#[tokio::test]
async fn a_mail_leads_to_the_page_of_its_post_unless_it_comes_before_that() {
    let releases =
        "[[release]]\npost = \"early\"\nat = 2026-03-20T15:00:00\nchannels = [\"feeds\"]\n";
    let world = Setting::new(Engine::Sqlite).file("config/releases.toml", releases).start().await;
    world.subscriber("ann@example.org", Cadence::Instant).await;
    world.author_saves("hello.md", post("Hello", "2026-03-09")).await;
    world.author_saves("early.md", post("Early", "2026-03-09")).await;
    world.passes(5).await;
    world.is_quiet().await;
    assert!(leads_to(&world, "Early").ends_with("/early/"), "the author's own site");
    let link = leads_to(&world, "Hello");
    let (_, path) = link.split_once("/posts/-/").expect("it is led on from here");
    let answer = world.gets(&format!("/posts/-/{path}")).await;
    assert_eq!(answer.status, 302);
    let page = world.gets(answer.header("location")).await;
    assert!(page.status == 200 && page.text().contains("<h1 class=\"p-name\">Hello</h1>"));
}
