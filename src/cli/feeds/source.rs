//! The earlier feed with all its documents, from the web or from a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use url::Url;

use crate::cli::{console, words};
use crate::crosspost::{DownloadError, download};
use crate::domain::FeedFamily;
use crate::feed::{self, ReadEntry, ReadFeed};

/// One document. Beyond it readers of feeds give up as well.
const MOST_BYTES: usize = 20 * 1024 * 1024;
/// All documents.
const MOST_BYTES_IN_ALL: usize = 200 * 1024 * 1024;
const MOST_DOCUMENTS: usize = 500;
const MOST_ENTRIES: usize = 200_000;

/// What the earlier feed has.
pub(super) struct Source {
    pub(super) family: FeedFamily,
    /// The site that it is of.
    pub(super) site: Option<Url>,
    pub(super) entries: Vec<ReadEntry>,
    pub(super) documents: usize,
    /// Where it was read from, if from the web.
    pub(super) url: Option<Url>,
}

/// The feed that `name` means: an address or a file.
pub(super) async fn of(name: &str) -> anyhow::Result<Source> {
    match Url::parse(name) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => from_web(url).await,
        _ => from_file(Path::new(name)),
    }
}

fn from_file(path: &Path) -> anyhow::Result<Source> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("open `{shown}`"))?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut bytes).with_context(|| format!("read `{shown}`"))?;
    ensure!(
        bytes.len() <= MOST_BYTES,
        "`{shown}` has more than {MOST_BYTES} bytes: that is no feed"
    );
    let read = feed::read(&bytes, None).with_context(|| format!("read `{shown}` as a feed"))?;
    if let Some(next) = &read.next {
        console::note(&format!(
            "Older posts are in {next}: give its address, or each file in turn."
        ));
    }
    Ok(Source {
        family: read.family,
        site: read.site,
        entries: read.entries,
        documents: 1,
        url: None,
    })
}

/// Follows what leads to older entries, until there is nothing new.
async fn from_web(named: Url) -> anyhow::Result<Source> {
    let first = fetched(&named, &named).await?;
    let mut left = MOST_BYTES_IN_ALL.saturating_sub(first.size);
    let mut source = Source {
        family: first.feed.family,
        site: first.feed.site.clone(),
        entries: Vec::new(),
        documents: 1,
        url: Some(named.clone()),
    };
    let mut seen: HashSet<Url> = [named.clone(), first.url.clone()].into();
    let mut known = HashSet::new();
    let mut guesses = first.feed.is_wordpress.then(|| first.url.clone());
    let mut page = first.feed;
    loop {
        let before = known.len();
        let fresh = page.entries.into_iter().filter(|it| known.insert(it.clone()));
        source.entries.extend(fresh);
        let is_new = known.len() > before;
        let is_guess = page.next.is_none();
        let next = page.next.or_else(|| Some(paged(guesses.as_ref()?, source.documents + 1)));
        let Some(next) = next.filter(|next| is_new && seen.insert(next.clone())) else { break };
        ensure!(
            source.documents < MOST_DOCUMENTS,
            "the feed has more than {MOST_DOCUMENTS} documents"
        );
        ensure!(known.len() <= MOST_ENTRIES, "the feed has more than {MOST_ENTRIES} entries");
        match fetched(&next, &named).await {
            Ok(fetched) if fetched.feed.family == source.family => {
                ensure!(fetched.size <= left, "the feed has more than {MOST_BYTES_IN_ALL} bytes");
                left -= fetched.size;
                page = fetched.feed;
            }
            Ok(_) => bail!("{next} is in another format than {named}"),
            // The last page of a blog is the one before the first that is not there.
            Err(_) if is_guess => break,
            Err(error) => return Err(error),
        }
        source.documents += 1;
        if page.next.is_some() {
            guesses = None;
        }
    }
    let documents = words::count(source.documents, "document");
    console::note(&format!("{documents} read from {}", words::cut(named.as_str(), 200)));
    Ok(source)
}

struct Fetched {
    feed: ReadFeed,
    url: Url,
    size: usize,
}

async fn fetched(url: &Url, named: &Url) -> anyhow::Result<Fetched> {
    let got = download(url, named, MOST_BYTES).await.map_err(|error| {
        let hint = match &error {
            DownloadError::Status(404 | 410) => {
                ": fetch it where it still is, or give a saved copy"
            }
            _ => "",
        };
        anyhow::Error::new(error).context(format!("fetch {url}{hint}"))
    })?;
    let feed = feed::read(&got.bytes, Some(&got.url))
        .with_context(|| format!("read what is at {} as a feed", got.url))?;
    Ok(Fetched { feed, url: got.url, size: got.bytes.len() })
}

/// Where `WordPress` has its older entries.
fn paged(first: &Url, page: usize) -> Url {
    let mut url = first.clone();
    let pairs: Vec<(String, String)> = first.query_pairs().into_owned().collect();
    let pairs = pairs.into_iter().filter(|(name, _)| name != "paged");
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("paged", &page.to_string());
    url
}
