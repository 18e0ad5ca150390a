//! `postrider posts`: what is held until somebody has looked, and where posts were before.

use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use super::arguments::Format;
use super::console;
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::examples;
use super::table::Rows;
use super::words;
use crate::domain::Hold;
use crate::store::{HeldPost, Tx};

/// See which posts are held, release or dismiss them; see where posts were before
///
/// Posts are held when more new ones appear at once than `guard.new_posts` allows, and when one looks like a post that is
/// gone. They are in the feeds meanwhile. A running daemon takes up a decision within seconds.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider posts held
  postrider posts release hello-world
  postrider posts dismiss --all                   they stay in the feeds and go nowhere else
  postrider posts redirects --format netlify > static/_redirects"
))]
pub(super) struct PostsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What is held, and why
    Held {
        /// For people or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Let held posts go out, as if they had not been held
    Release(Which),
    /// Make held posts old news: they stay in the feeds, and are never mailed or announced
    Dismiss(Which),
    /// Where posts were before their address changed, and where they are now
    Redirects {
        /// For people, for programs, or for a web server
        #[arg(long, value_enum, default_value_t)]
        format: Redirects,
    },
}

#[derive(Debug, Args)]
#[group(required = true)]
struct Which {
    /// Slugs, source paths or ids
    #[arg(value_name = "POST")]
    posts: Vec<String>,
    /// Everything that is held
    #[arg(long, conflicts_with = "posts")]
    all: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// How redirects are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Redirects {
    #[default]
    Human,
    Json,
    /// A `_redirects` file, as Netlify and Cloudflare Pages read it
    Netlify,
    /// Lines for an nginx `map`
    Nginx,
}

#[derive(Clone, Copy)]
enum Decision {
    Release,
    Dismiss,
}

pub(super) async fn run(project: &Project, args: &PostsArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Held { format } => held(project, *format).await,
        What::Release(which) => decide(project, which, Decision::Release).await,
        What::Dismiss(which) => decide(project, which, Decision::Dismiss).await,
        What::Redirects { format } => redirects(project, *format).await,
    }
}

#[derive(Serialize)]
struct HeldJson<'a> {
    id: &'a str,
    title: &'a str,
    source: &'a str,
    published_at: Timestamp,
    first_seen_at: Timestamp,
    hold: &'a str,
    detail: &'a str,
}

async fn held(project: &Project, format: Format) -> anyhow::Result<()> {
    let look = project.look().await?;
    let held = look.store.read().await?.held_posts().await?;
    look.close().await;
    match format {
        Format::Json => {
            let rows = held.iter().map(|it| HeldJson {
                id: it.id.as_str(),
                title: &it.title,
                source: &it.source,
                published_at: it.published_at,
                first_seen_at: it.first_seen_at,
                hold: it.hold.as_str(),
                detail: &it.detail,
            });
            console::print_json(&rows.collect::<Vec<_>>())?;
        }
        Format::Human if held.is_empty() => console::note("Nothing is held."),
        Format::Human => {
            let mut rows = Rows::under(&["post", "title", "dated", "seen", "why"]);
            let zone = &project.config.site.time_zone;
            for it in &held {
                rows.row(&[
                    &it.source,
                    &words::cut(&it.title, 50),
                    &words::local(it.published_at, zone),
                    &words::local(it.first_seen_at, zone),
                    &why(it),
                ]);
            }
            console::print(&rows.text())?;
            console::note(
                "`postrider posts release POST` lets one go out, `postrider posts dismiss POST` makes it old news.",
            );
        }
    }
    Ok(())
}

fn why(held: &HeldPost) -> String {
    match held.hold {
        Hold::Burst => held.detail.clone(),
        Hold::Likeness => format!("much like `{}`, which is gone", held.detail),
        Hold::Released => String::new(),
    }
}

async fn decide(project: &Project, which: &Which, decision: Decision) -> anyhow::Result<()> {
    let store = project.store().await?;
    let held = store.read().await?.held_posts().await?;
    let chosen = choose(&held, which)?;
    if chosen.is_empty() {
        console::note("Nothing is held.");
        return Ok(());
    }
    let count = words::count(chosen.len(), "post");
    let (question, word) = match decision {
        Decision::Release => (format!("{count} would go out. Type release to go on: "), "release"),
        Decision::Dismiss => {
            (format!("{count} would never go out. Type dismiss to go on: "), "dismiss")
        }
    };
    if which.all && !which.yes && !console::confirm(&question, word)? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let mut tx = store.write().await?;
    for post in chosen {
        one(&mut tx, post, decision).await?;
    }
    tx.commit().await?;
    store.close().await;
    console::note(&match decision {
        Decision::Release => format!("{count} released."),
        Decision::Dismiss => format!("{count} dismissed: in the feeds, and nowhere else."),
    });
    Ok(())
}

async fn one(tx: &mut Tx, post: &HeldPost, decision: Decision) -> anyhow::Result<()> {
    match decision {
        Decision::Release => tx.release_post(&post.id, now()).await?,
        Decision::Dismiss => tx.dismiss_post(&post.id, now()).await?,
    };
    Ok(())
}

/// The held posts that are meant. Naming one that is not held is a mistake.
fn choose<'a>(held: &'a [HeldPost], which: &Which) -> anyhow::Result<Vec<&'a HeldPost>> {
    if which.all {
        return Ok(held.iter().collect());
    }
    let find = |name: &String| {
        let found = held
            .iter()
            .find(|it| *name == it.slug || *name == it.source || *name == it.id.as_str());
        match (found, words::nearest(name, held.iter().map(|it| it.slug.as_str()))) {
            (Some(post), _) => Ok(post),
            (None, Some(near)) => bail!("`{name}` is not held; did you mean `{near}`?"),
            (None, None) => bail!("`{name}` is not held; `postrider posts held` shows what is"),
        }
    };
    which.posts.iter().map(find).collect()
}

async fn redirects(project: &Project, format: Redirects) -> anyhow::Result<()> {
    let look = project.look().await?;
    let moved = look.store.read().await?.former_links().await?;
    look.close().await;
    if moved.is_empty() && format == Redirects::Human {
        console::note("No post has changed its address.");
        return Ok(());
    }
    let path = |link: &str| {
        url::Url::parse(link).map_or_else(|_| link.to_owned(), |url| url.path().to_owned())
    };
    let lines = |line: &dyn Fn(&(String, String)) -> String| {
        moved.iter().map(line).collect::<Vec<_>>().concat()
    };
    let text = match format {
        Redirects::Json => {
            let pairs: Vec<_> = moved
                .iter()
                .map(|(from, to)| serde_json::json!({ "from": from, "to": to }))
                .collect();
            console::print_json(&pairs)?;
            return Ok(());
        }
        Redirects::Human => {
            let mut rows = Rows::under(&["before", "now"]);
            for (from, to) in &moved {
                rows.row(&[from, to]);
            }
            rows.text()
        }
        Redirects::Netlify => lines(&|(from, to)| format!("{} {to} 301\n", path(from))),
        Redirects::Nginx => lines(&|(from, to)| format!("{} {to};\n", path(from))),
    };
    console::print(&text)?;
    Ok(())
}
