//! `postrider feeds adopt`: posts go on under the ids that readers know from an earlier feed.

use std::collections::{BTreeMap, HashMap, HashSet};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use url::Url;

use super::source::{self, Source};
use crate::cli::arguments::Format;
use crate::cli::bench::Bench;
use crate::cli::console::{self, Page};
use crate::cli::exit::{Code, Stop};
use crate::cli::project::{Project, now};
use crate::cli::style::{STRONG, WARNING, examples, paint};
use crate::cli::table::Rows;
use crate::cli::words;
use crate::config::Config;
use crate::domain::{FeedFamily, PostId};
use crate::feed::{Adoption, Fate, PostAddress, adopt};

/// How long a post may have been in our feeds before another id is a second flood.
const OUT_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Lines of a kind that people get.
const SHOWN: usize = 10;

/// Take over the ids of the feed that you published before, so that nobody's reader shows the posts again
///
/// Reads the feed with everything that it leads to, finds the post of each entry by its address, shows what would come of it,
/// and asks. From then on posts carry those ids in all feeds, for life, wherever they move. Nothing is mailed or announced. For a
/// feed that was there in several formats, once for each. A running daemon takes the ids up within a minute.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider feeds adopt https://example.org/index.xml --dry-run
  postrider feeds adopt https://example.org/index.xml
  postrider feeds adopt saved/atom.xml --yes"
))]
pub(super) struct AdoptArgs {
    /// The address of the feed, or a file with it: RSS, Atom or JSON Feed, of any system
    #[arg(value_name = "URL|FILE")]
    from: String,
    /// Show what would come of it, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also for posts that readers know under another id by now: they see them once more
    #[arg(long)]
    force: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
    /// Show every line, not only the first of each kind
    #[arg(long)]
    all: bool,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    family: FeedFamily,
    documents: usize,
    entries: &'a [Adoption],
    /// Sources of posts that are not in it.
    posts_without: &'a [String],
    moved: Option<&'a (String, String)>,
    is_dry_run: bool,
}

pub(super) async fn run(project: &Project, args: &AdoptArgs) -> anyhow::Result<()> {
    let source = source::of(&args.from).await?;
    let bench = Bench::open(project).await?;
    let judged = judge(&bench, &source, args.force).await;
    let broken = bench.catalog.broken;
    bench.close().await;
    let judged = judged?;
    let moved = source.url.as_ref().and_then(|url| moved(&project.config, url, source.family));
    if args.format == Format::Human {
        console::print(&judged.text(&source, args.all))?;
        if broken > 0 {
            let broken = words::count(broken, "broken file");
            console::note(&format!("{broken} left out: `postrider check` says what is wrong."));
        }
    }
    let adopted = judged.adopted();
    let is_dry_run = args.dry_run;
    if !is_dry_run && !adopted.is_empty() {
        let question = format!(
            "{} get the ids of the earlier feed, for life. Type `adopt` to go on: ",
            words::count(adopted.len(), "post")
        );
        if !args.yes && !console::confirm(&question, "adopt")? {
            console::note("Nothing was changed. `--yes` does it without asking.");
            return Err(Stop::silently(Code::Failed).into());
        }
        write(project, source.family, &adopted).await?;
    }
    if args.format == Format::Json {
        console::print_json(&Shown {
            schema: 1,
            family: source.family,
            documents: source.documents,
            entries: &judged.rows,
            posts_without: &judged.without,
            moved: moved.as_ref(),
            is_dry_run,
        })?;
        return Ok(());
    }
    console::note(&ending(is_dry_run, adopted.len()));
    console::note(&lead(project, &source, moved.as_ref()));
    Ok(())
}

/// What would come of it.
struct Judged {
    rows: Vec<Adoption>,
    /// By id.
    sources: HashMap<PostId, String>,
    /// Sources of posts that no entry is of.
    without: Vec<String>,
}

async fn judge(bench: &Bench, source: &Source, force: bool) -> anyhow::Result<Judged> {
    let mut tx = bench.look.store.read().await?;
    let ids = tx.feed_ids().await?;
    let placed: HashSet<PostId> = tx.feed_places(0).await?.into_iter().map(|it| it.post).collect();
    let mut former: HashMap<String, Vec<Url>> = HashMap::new();
    for (before, link) in tx.former_links().await? {
        former.entry(link).or_default().extend(Url::parse(&before));
    }
    drop(tx);
    let long_ago = bench.now.saturating_sub(OUT_AFTER).unwrap_or(Timestamp::MIN);
    let addresses = bench.catalog.posts.iter().map(|known| {
        let post = &known.post;
        let mut others = former.remove(post.link.as_str()).unwrap_or_default();
        others.extend(post.aliases.iter().chain(post.canonical.as_deref()).cloned());
        PostAddress {
            id: &post.id,
            link: &post.link,
            others,
            is_out: placed.contains(&post.id) && known.first_seen_at <= long_ago,
        }
    });
    let addresses: Vec<PostAddress<'_>> = addresses.collect();
    let entries = (source.family, source.entries.as_slice());
    let rows = adopt(entries, &addresses, &ids, source.site.as_ref(), force);
    let found: HashSet<&PostId> = rows.iter().filter_map(|row| row.post.as_ref()).collect();
    let posts = bench.catalog.posts.iter().map(|known| &known.post);
    let without = posts.clone().filter(|post| !found.contains(&post.id));
    let without = without.map(|post| post.source.clone()).collect();
    let sources = posts.map(|post| (post.id.clone(), post.source.clone())).collect();
    Ok(Judged { rows, sources, without })
}

impl Judged {
    fn adopted(&self) -> Vec<(&PostId, &str)> {
        let adopted = self.rows.iter().filter(|row| row.fate == Fate::Adopted);
        adopted.filter_map(|row| Some((row.post.as_ref()?, row.entry.id.as_str()))).collect()
    }

    fn text(&self, source: &Source, all: bool) -> String {
        let mut kinds: BTreeMap<Fate, Vec<&Adoption>> = BTreeMap::new();
        for row in &self.rows {
            kinds.entry(row.fate).or_default().push(row);
        }
        let mut page = Page::default();
        let most = if all { usize::MAX } else { SHOWN };
        let mut rows = Rows::under(&["what", "id in the earlier feed", "post", "id so far"]);
        for row in kinds.values().flat_map(|rows| rows.iter().take(most)) {
            let post = row.post.as_ref().and_then(|id| self.sources.get(id));
            let place = post.or(row.entry.link.as_ref()).unwrap_or(&row.entry.title);
            let was = row.was.as_deref().filter(|_| row.fate != Fate::Same).unwrap_or_default();
            rows.row(&[word(row.fate), &words::cut(&row.entry.id, 80), place, was]);
        }
        if !self.rows.is_empty() {
            page.block(&rows.text()).gap();
        }
        let ending = if self.rows.len() == 1 { "y" } else { "ies" };
        let entries = format!("{} entr{ending}", self.rows.len());
        page.line(format_args!("{entries} of {}:", paint(STRONG, source.family.name())));
        for (fate, rows) in &kinds {
            page.line(format_args!("  {:>6}  {}", rows.len(), meaning(*fate)));
        }
        if !self.without.is_empty() {
            page.line(format_args!(
                "  {:>6}  posts not in it: they keep their ids",
                self.without.len()
            ));
        }
        let is_cut = kinds.values().any(|rows| rows.len() > most);
        if is_cut {
            page.line(format_args!("`--all` shows every line, not only {SHOWN} of a kind."));
        }
        if kinds.contains_key(&Fate::KnownOtherwise) {
            page.gap().line(format_args!(
                "{}: readers of Postrider's own feeds have had these posts for a day or longer, or other ids were adopted \
                 before. With another id they would see them again. `--force` does it all the same.",
                paint(WARNING, "Known under another id")
            ));
        }
        page.text()
    }
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Adopted => "adopt",
        Fate::Same => "same",
        Fate::KnownOtherwise => "keep",
        Fate::Ambiguous => "unclear",
        Fate::NoPost => "no post",
        Fate::NoId => "no id",
    }
}

fn meaning(fate: Fate) -> &'static str {
    match fate {
        Fate::Adopted => "adopted: the post gets this id",
        Fate::Same => "already the same",
        Fate::KnownOtherwise => "known under another id by now: left as they are",
        Fate::Ambiguous => {
            "unclear: could be several posts, or the post has several ids; not taken"
        }
        Fate::NoPost => "no post is at this address; its front matter may name it under `aliases`",
        Fate::NoId => "without an id that a feed can carry",
    }
}

async fn write(
    project: &Project,
    family: FeedFamily,
    adopted: &[(&PostId, &str)],
) -> anyhow::Result<()> {
    // Remembers which file is which post, so that a renamed one stays what it is.
    Bench::open_for_work(project).await?.close().await;
    let store = project.store().await?;
    let mut tx = store.write().await?;
    tx.adopt_feed_ids(family, adopted, now()).await?;
    // Somebody has just said yes to it: the check of the feeds need not ask again. What is held already nobody was shown here.
    if tx.held_feeds().await?.is_none() {
        tx.let_feeds_pass(i64::try_from(adopted.len()).unwrap_or(i64::MAX), now()).await?;
    }
    tx.commit().await?;
    store.close().await;
    Ok(())
}

fn ending(is_dry_run: bool, adopted: usize) -> String {
    let posts = words::count(adopted, "post");
    match (is_dry_run, adopted) {
        (_, 0) => "There is nothing to adopt; nothing was changed.".to_owned(),
        (true, _) => format!("Nothing was changed: the earlier ids would go to {posts}."),
        (false, _) => {
            format!(
                "The earlier ids are those of {posts} from now on. A running daemon takes them up within a minute."
            )
        }
    }
}

/// Where the earlier feed was and where it is now, as `[feeds.moved]` says it. None: they are at the same place.
fn moved(config: &Config, url: &Url, family: FeedFamily) -> Option<(String, String)> {
    let to = match family {
        FeedFamily::Rss => "/feed.xml",
        FeedFamily::Atom => "/atom.xml",
        FeedFamily::Json => "/feed.json",
    };
    let below = config.server.public_url.path().trim_end_matches('/');
    let from = url.path().strip_prefix(below).unwrap_or(url.path());
    (from != to && from != "/").then(|| (from.to_owned(), to.to_owned()))
}

/// How the readers of the earlier feed come to ours.
fn lead(project: &Project, source: &Source, moved: Option<&(String, String)>) -> String {
    let Some(url) = &source.url else {
        return "Lead readers on: write where the feed was into `[feeds.moved]`.".to_owned();
    };
    let mut page = Page::default();
    if let Some((from, to)) = moved {
        page.line(format_args!("Lead its readers on, in config/postrider.toml:\n"));
        page.line(format_args!("[feeds.moved]\n{} = {}", quoted(from), quoted(to)));
    }
    let public = &project.config.server.public_url;
    if url.host() != public.host() {
        let to = moved.map_or(url.path(), |(_, to)| to).trim_start_matches('/');
        page.line(format_args!(
            "\nThe feed was at another host: there {} must lead to {public}{to} for good (301).",
            url.path()
        ));
    }
    page.text()
}

/// As a string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_so_that_the_configuration_can_hold_it() {
        assert_eq!(quoted("/feed/"), "\"/feed/\"");
    }
}
