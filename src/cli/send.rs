//! `postrider send`: an edition now, or a test to one address. Plans rows in the ledger; the daemon sends them.

use std::sync::Arc;

use anyhow::bail;
use clap::{ArgGroup, Args, Subcommand};

use super::arguments::segment;
use super::bench::Bench;
use super::compose::{self, cadence_parser};
use super::console::{self, Page};
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::{STRONG, examples, paint};
use super::{fence, healthcheck, words};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, CatalogPost, EmailAddress, Segment};
use crate::store::NewLetter;

/// How long to ask whether the daemon runs.
const ASK: std::time::Duration = std::time::Duration::from_secs(1);

/// Send an edition now, or a test mail to one address
///
/// What is to be sent is planned in the database. The running daemon sends it within seconds, or the next one does when it
/// starts: with the retries, limits and records of all mail.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider send edition weekly
  postrider send edition weekly --cadence daily --yes
  postrider send edition weekly --where '\"vip\" in tags'
  postrider send test me@example.org --newsletter weekly
  postrider send test me@example.org --post hello-world"
))]
pub(super) struct SendArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What is ready for a newsletter, to all its subscribers of one cadence
    ///
    /// Shows what would go to how many and asks. Its schedule goes on as before, without the posts that were sent.
    Edition {
        /// Which newsletter
        newsletter: String,
        /// To its subscribers of this cadence [default: the newsletter's default]
        #[arg(long, value_parser = cadence_parser())]
        cadence: Option<Cadence>,
        /// Only to whom this means, such as `"vip" in tags`, or a segment of the configuration; the others get it when it is due to them
        #[arg(long = "where", value_name = "EXPRESSION")]
        only: Option<String>,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// A mail as subscribers get it, to one address that need not be one of theirs
    ///
    /// The unsubscribe link in it leads nowhere.
    #[command(group(ArgGroup::new("what").required(true).multiple(true).args(["post", "newsletter"])))]
    Test {
        /// Whom to
        address: EmailAddress,
        /// This post: slug, source path or id
        #[arg(long)]
        post: Option<String>,
        /// The next edition of this newsletter; with `--post`, that post as a mail of it
        #[arg(long)]
        newsletter: Option<String>,
        /// As subscribers of this cadence get it
        #[arg(long, value_parser = cadence_parser(), conflicts_with = "post")]
        cadence: Option<Cadence>,
    },
}

pub(super) async fn run(project: &Project, args: &SendArgs) -> anyhow::Result<()> {
    let config = &project.config;
    match &args.what {
        What::Edition { newsletter, cadence, only, yes } => {
            let newsletter = compose::newsletter(config, Some(newsletter))?;
            let cadence = compose::cadence(newsletter, *cadence)?;
            let only = only.as_deref().map(|text| segment(project, text)).transpose()?;
            if only.is_some() && cadence == Cadence::Instant {
                bail!(
                    "each post goes to everybody of the cadence `instant` as soon as it is ready, so `--where` is for digests only"
                );
            }
            let bench = Bench::open_for_work(project).await?;
            let sent = edition(&bench, (newsletter, cadence, only.as_ref()), *yes).await;
            bench.close().await;
            sent
        }
        What::Test { address, post, newsletter, cadence } => {
            let newsletter = compose::newsletter(config, newsletter.as_deref())?;
            let bench = Bench::open(project).await?;
            let sent =
                test(project, &bench, newsletter, address, (post.as_deref(), *cadence)).await;
            bench.close().await;
            sent
        }
    }
}

async fn edition(
    bench: &Bench,
    (newsletter, cadence, only): (&Newsletter, Cadence, Option<&Segment>),
    yes: bool,
) -> anyhow::Result<()> {
    let what = (newsletter, cadence, only);
    let waiting = bench.planner.waiting_for(what, &bench.catalog, bench.now).await?;
    if waiting.ready.is_empty() {
        console::note("Nothing is ready, so nothing was sent.");
        if let Some((at, known)) = waiting.later.first() {
            let when = words::relative(*at, bench.now);
            console::note(&format!("`{}` will be ready {when}.", known.post.slug));
        }
        return Ok(());
    }
    if let Some(fenced) = fence::of(&bench.look.store).await? {
        bail!("nothing goes out: {}. `postrider fence` says more", fenced.why);
    }
    let audience = waiting.audience;
    if audience == 0 {
        console::note(&format!(
            "Nobody {}gets `{}` in the cadence `{cadence}`, so nothing was sent.",
            if only.is_some() { "of those who are meant " } else { "" },
            newsletter.name
        ));
        return Ok(());
    }
    console::note(&summary(bench, newsletter, cadence, &waiting.ready, audience)?);
    let question = format!("Type {} to send: ", paint(STRONG, &newsletter.name));
    if !yes && !console::confirm(&question, &newsletter.name)? {
        console::note("Not sent. `--yes` sends without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let what = (&bench.catalog, &*waiting.ready);
    let sealed = bench.planner.seal_now((newsletter, cadence, only), what, now()).await?;
    if sealed == 0 {
        bail!("another edition has just carried these posts; nothing was sent");
    }
    console::note(&format!("Planned for {}.", words::count(audience, "recipient")));
    say_who_sends(&bench.config).await;
    Ok(())
}

/// What would go to how many.
fn summary(
    bench: &Bench,
    newsletter: &Newsletter,
    cadence: Cadence,
    ready: &[Arc<CatalogPost>],
    audience: i64,
) -> anyhow::Result<String> {
    let mut page = Page::default();
    page.line(format_args!(
        "{} to {} of `{}` ({cadence}):",
        words::count(ready.len(), "post"),
        paint(STRONG, &words::count(audience, "subscriber")),
        newsletter.name
    ));
    for known in ready {
        page.line(format_args!("  {}", known.post.title));
    }
    if cadence == Cadence::Instant {
        page.line("Each post is a mail of its own.");
    } else {
        let posts = ready.iter().map(|known| bench.written(known));
        let posts: Vec<_> = posts.collect::<Result<_, _>>()?;
        let composed = compose::compose(bench, newsletter, cadence, &posts)?;
        page.line(format_args!("Subject: {}", composed.subject));
    }
    Ok(page.text())
}

async fn test(
    project: &Project,
    bench: &Bench,
    newsletter: &Newsletter,
    address: &EmailAddress,
    (post, cadence): (Option<&str>, Option<Cadence>),
) -> anyhow::Result<()> {
    let (cadence, posts) = if let Some(name) = post {
        (Cadence::Instant, vec![compose::post(bench, name)?])
    } else {
        let cadence = compose::cadence(newsletter, cadence)?;
        (cadence, compose::posts_of_edition(bench, newsletter, cadence).await?)
    };
    let composed = compose::compose(bench, newsletter, cadence, &posts)?;
    let content = serde_json::to_string(&composed)?;
    let letter = NewLetter {
        kind: "test",
        owner: None,
        address,
        newsletter: &newsletter.name,
        content: &content,
        channel: &newsletter.mail_channel(),
    };
    let store = project.store().await?;
    let mut tx = store.write().await?;
    let delivery = tx.plan_letter(&letter, now()).await?;
    tx.commit().await?;
    store.close().await;
    console::note(&format!("Planned: {}", composed.subject));
    console::note(&format!("`postrider deliveries show {delivery}` says what became of it."));
    say_who_sends(&bench.config).await;
    Ok(())
}

async fn say_who_sends(config: &Config) {
    let runs = healthcheck::status_of(config.server.listen, ASK).await.is_ok();
    console::note(if runs {
        "The daemon sends it within seconds."
    } else {
        "No daemon answers here; the next one to start sends it."
    });
}
