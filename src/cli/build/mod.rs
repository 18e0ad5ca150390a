//! `postrider build`: all feeds and the archive as files, for a CDN or a host of static pages.

mod folder;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use clap::Args;
use tower::ServiceExt as _;

use self::folder::Folder;
use super::bench::Bench;
use super::console;
use super::feeds;
use super::project::Project;
use super::style::examples;
use super::words;
use crate::clock::SystemClock;
use crate::content::percent_decoded;
use crate::domain::Diagnostic;
use crate::feed::{Coding, Places, Shelf};
use crate::ingest::{Press, Published, publish_feeds};
use crate::web::{self, Archive, WebState};

/// How answers may be compressed, and how the names of such files end.
const TWINS: [(Coding, &str); 3] =
    [(Coding::Gzip, "gz"), (Coding::Brotli, "br"), (Coding::Zstd, "zst")];
/// Longer names are refused by file systems.
const LONGEST_NAME: usize = 240;

/// Write all feeds and the archive as files
///
/// Byte for byte what the daemon serves, and beside each file the same compressed, for web servers that look for it. What is
/// the same already is not written again; what an earlier build wrote and this one does not is removed; nothing else in
/// the folder is touched.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider build --out public
  postrider build --out public && rclone sync public remote:www"
))]
pub(super) struct BuildArgs {
    /// Where to: a folder of this command's own, or one with other files in it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) async fn run(project: &Project, args: &BuildArgs) -> anyhow::Result<()> {
    let bench = Bench::open(project).await?;
    if let Some(flood) = flood(&bench).await? {
        bail!("{flood}");
    }
    let (router, paths) = served(&bench).await?;
    let into = || format!("write the files into `{}`", args.out.display());
    let mut folder = Folder::open(&args.out).with_context(into)?;
    for path in &paths {
        let Some(name) = file_name(path) else {
            console::note(&format!("left out: `{path}` cannot be the name of a file"));
            continue;
        };
        let bytes = ask(&router, path).await?;
        folder = tokio::task::spawn_blocking(move || add(folder, &name, &bytes))
            .await?
            .with_context(|| format!("write the page at `{path}`"))
            .with_context(into)?;
    }
    let broken = bench.catalog.broken;
    bench.close().await;
    let written = folder.finish().with_context(into)?;
    if broken > 0 {
        console::note(&format!(
            "{} left out or as last known: `postrider check` says what is wrong",
            words::count(broken, "broken file")
        ));
    }
    console::print(&format!(
        "{} in {}: {} written, {} removed\n",
        words::count(written.files, "file"),
        args.out.display(),
        written.written,
        written.removed
    ))?;
    Ok(())
}

/// Why the daemon would hold the feeds back: then they are not to reach readers by way of another server either.
async fn flood(bench: &Bench) -> anyhow::Result<Option<Diagnostic>> {
    let posts = (&bench.catalog, bench.cache());
    let taken = bench.planner.taken();
    let found = feeds::findings(&bench.look.store, &bench.config, posts, taken).await?;
    Ok(found.into_iter().find(Diagnostic::is_error))
}

/// What the daemon would serve now, and where.
async fn served(bench: &Bench) -> anyhow::Result<(Router, Vec<String>)> {
    let Bench { config, catalog, planner, .. } = bench;
    let mut places = Places::default();
    let mut tx = bench.look.store.read().await?;
    places.extend(tx.feed_places(0).await?);
    let ids = Arc::new(tx.feed_ids().await?);
    drop(tx);
    let with = Press { config, cache: bench.cache(), places: &places, ids: &ids };
    let Published { shelf, unread, .. } =
        publish_feeds(with, catalog, planner.taken(), &Shelf::default(), bench.now);
    if let Some((source, error)) = unread.into_iter().next() {
        return Err(anyhow::Error::new(error).context(format!("read the text of `{source}`")));
    }
    let none = std::iter::empty();
    let archive =
        Archive::succeeding(&Arc::default(), config, &shelf.selections, none, bench.cache());
    let mut paths: Vec<String> = shelf.documents.keys().cloned().collect();
    paths.extend(shelf.selections.paths());
    paths.extend(archive.paths());
    paths.push("/robots.txt".to_owned());
    paths.extend(config.archive.index_now.iter().map(|it| format!("/{}.txt", it.key)));
    paths.retain(|path| !web::is_retired(config, path));
    let state = WebState::new(
        Arc::new(ArcSwap::from(Arc::clone(config))),
        Arc::new(ArcSwap::from_pointee(bench.templates.clone())),
        bench.look.store.clone(),
        Arc::new(SystemClock),
        Arc::new(ArcSwap::from_pointee(shelf)),
    );
    state.archive.store(archive);
    Ok((web::router(state), paths))
}

/// Puts a page and its compressed twins into `folder`. Blocks.
fn add(mut folder: Folder, name: &str, bytes: &[u8]) -> anyhow::Result<Folder> {
    folder.put(name, bytes)?;
    if bytes.len() >= web::SMALL {
        for (coding, ending) in TWINS {
            folder.put(&format!("{name}.{ending}"), &coding.compress(bytes)?)?;
        }
    }
    Ok(folder)
}

/// The page at `path`, as it is when nobody compresses it.
async fn ask(router: &Router, path: &str) -> anyhow::Result<Vec<u8>> {
    let request = Request::get(path).body(Body::empty())?;
    let response = match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status() != StatusCode::OK {
        bail!("`{path}` is listed and not served: {}", response.status());
    }
    Ok(to_bytes(response.into_body(), usize::MAX).await?.to_vec())
}

/// The file that web servers show for `path`. None: no file can be called so everywhere.
fn file_name(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?;
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<String> = Vec::new();
    let folders = folder.split('/').filter(|_| !folder.is_empty());
    for part in folders.chain((!last.is_empty()).then_some(last)) {
        let part = percent_decoded(part).into_owned();
        let is_odd = part.is_empty()
            || part == "."
            || part == ".."
            || part.len() > LONGEST_NAME
            || part.chars().any(|c| c.is_control() || "/\\:*?\"<>|".contains(c));
        if is_odd {
            return None;
        }
        parts.push(part);
    }
    if Path::new(last).extension().is_none() {
        parts.push("index.html".to_owned());
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_file_that_a_web_server_looks_for() {
        for (path, name) in [
            ("/feed.xml", Some("feed.xml")),
            ("/posts/hello/", Some("posts/hello/index.html")),
            ("/posts/hello", Some("posts/hello/index.html")),
            ("/posts/hello.html", Some("posts/hello.html")),
            ("/", Some("index.html")),
            ("/archive/tags/caf%C3%A9/", Some("archive/tags/café/index.html")),
            ("/archive/tags/c++/", Some("archive/tags/c++/index.html")),
            ("/posts/v1.2/", Some("posts/v1.2/index.html")),
            ("/a/%2e%2e/b/", None),
            ("/a/x%2Fy/", None),
            ("/a/x%00/", None),
            ("/a//b/", None),
        ] {
            assert_eq!(file_name(path).as_deref(), name, "{path}");
        }
    }
}
