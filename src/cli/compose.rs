//! Choosing the posts of an edition that a person asks for, and writing it.

use std::sync::Arc;

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use jiff::Timestamp;

use super::bench::Bench;
use super::exit::{Code, Stop};
use super::{console, report, words};
use crate::config::{Config, Newsletter, WelcomeMail};
use crate::domain::{Cadence, CatalogPost, Correction, Diagnostic, Written, correction_of};
use crate::mail::Composed;
use crate::planner::{self, Waiting};

/// How many posts stand in where none is waiting.
const STAND_INS: usize = 5;

/// `--cadence`.
pub(super) fn cadence_parser() -> impl TypedValueParser<Value = Cadence> {
    PossibleValuesParser::new(Cadence::ALL.map(Cadence::as_str))
        .try_map(|word| word.parse::<Cadence>())
}

/// The newsletter `name`; the only one there is, when no name is given.
pub(super) fn newsletter<'a>(
    config: &'a Config,
    name: Option<&str>,
) -> anyhow::Result<&'a Newsletter> {
    let names = || config.newsletters.keys().map(String::as_str);
    let listed = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => match (config.newsletters.get(name), words::nearest(name, names())) {
            (Some(newsletter), _) => Ok(newsletter),
            (None, Some(near)) => {
                bail!("there is no newsletter `{name}`; did you mean `{near}`?")
            }
            (None, None) => bail!("there is no newsletter `{name}`; there is {listed}"),
        },
        None => match config.newsletters.values().collect::<Vec<_>>()[..] {
            [only] => Ok(only),
            [] => bail!("there is no newsletter; write a section `[newsletters.NAME]`"),
            _ => bail!("say which newsletter with `--newsletter`: {listed}"),
        },
    }
}

/// The cadence that is meant: `wish` if the newsletter offers it, its default when there is no wish.
pub(super) fn cadence(newsletter: &Newsletter, wish: Option<Cadence>) -> anyhow::Result<Cadence> {
    let wish = wish.unwrap_or(newsletter.default_cadence);
    if newsletter.cadences.contains_key(&wish) {
        return Ok(wish);
    }
    let offered: Vec<_> =
        newsletter.cadences.keys().map(|cadence| format!("`{cadence}`")).collect();
    bail!("`{}` is not offered as `{wish}`, only as {}", newsletter.name, offered.join(", "))
}

/// The post that is called `name`, live or not.
pub(super) fn post(bench: &Bench, name: &str) -> anyhow::Result<Written> {
    if let Some(known) = bench.catalog.find(name) {
        return Ok(bench.written(known)?);
    }
    let slugs = bench.catalog.posts.iter().map(|known| known.post.slug.as_str());
    match words::nearest(name, slugs) {
        Some(near) => bail!("there is no post `{name}`; did you mean `{near}`?"),
        None => bail!(
            "there is no post `{name}`; drafts and broken files count as none, `postrider check` lists those"
        ),
    }
}

/// What the next edition would carry if nothing changed; the newest posts where nothing waits. Says which.
pub(super) async fn posts_of_edition(
    bench: &Bench,
    newsletter: &Newsletter,
    cadence: Cadence,
) -> anyhow::Result<Vec<Written>> {
    let edition = (newsletter, cadence, None);
    let waiting = bench.planner.waiting_for(edition, &bench.catalog, bench.now).await?;
    let mut posts = carried_next(newsletter, cadence, waiting, bench.now);
    if posts.is_empty() {
        posts = bench.catalog.posts.iter().take(STAND_INS).cloned().collect();
        if posts.is_empty() {
            bail!("there are no posts");
        }
        let stand_ins = words::count(posts.len(), "newest post");
        console::note(&format!("Nothing waits for the next edition; the {stand_ins} stand in."));
    }
    if cadence == Cadence::Instant && posts.len() > 1 {
        console::note("Each post is a mail of its own; this is the first.");
        posts.truncate(1);
    }
    Ok(posts.iter().map(|known| bench.written(known)).collect::<Result<_, _>>()?)
}

/// The posts that will be ready at the first run that has any.
fn carried_next(
    newsletter: &Newsletter,
    cadence: Cadence,
    waiting: Waiting,
    now: Timestamp,
) -> Vec<Arc<CatalogPost>> {
    let first_at = match (waiting.ready.is_empty(), waiting.later.first()) {
        (true, Some((at, _))) => *at,
        (_, _) => now,
    };
    let schedule = newsletter.cadences.get(&cadence).and_then(Option::as_ref);
    let run = schedule.and_then(|schedule| schedule.next_after(first_at)).unwrap_or(first_at);
    let by_then = waiting.later.into_iter().filter(|(at, _)| *at <= run).map(|(_, known)| known);
    waiting.ready.into_iter().chain(by_then).collect()
}

/// Writes the mail. What the author should know about it is shown.
pub(super) fn compose(
    bench: &Bench,
    newsletter: &Newsletter,
    cadence: Cadence,
    posts: &[Written],
) -> Result<Composed, Stop> {
    compose_as_of(bench, (newsletter, cadence), posts, (None, bench.now))
}

/// Writes the mail of one post.
pub(super) fn alone(
    bench: &Bench,
    newsletter: &Newsletter,
    written: &Written,
) -> Result<Composed, Stop> {
    compose(bench, newsletter, Cadence::Instant, std::slice::from_ref(written))
}

/// Writes a mail to newcomers: the first is 1.
pub(super) fn welcome(
    bench: &Bench,
    newsletter: &Newsletter,
    number: usize,
) -> anyhow::Result<Composed> {
    let name = &newsletter.name;
    let step = number.checked_sub(1).and_then(|index| newsletter.welcome.get(index));
    let Some(step) = step else {
        match newsletter.welcome.len() {
            0 => bail!("`{name}` welcomes nobody: write `[[newsletters.{name}.welcome]]`"),
            mails => bail!("`{name}` has {}", words::count(mails, "welcome mail")),
        }
    };
    Ok(match &step.mail {
        WelcomeMail::Post(post) => alone(bench, newsletter, &self::post(bench, post)?)?,
        WelcomeMail::Template(template) => {
            let with = (&*bench.config, &bench.templates);
            told(planner::compose_welcome(with, newsletter, template, (None, bench.now)))?
        }
    })
}

/// Writes the mail that tells of a corrected post.
pub(super) fn correction(
    bench: &Bench,
    newsletter: &Newsletter,
    written: &Written,
) -> Result<Composed, Stop> {
    let correction = correction_of(&written.post).unwrap_or_else(|| {
        console::note("The post does not say `notify: correction`, so nobody is told of it.");
        Correction::default()
    });
    let with = (&*bench.config, &bench.templates);
    let corrected = (written, &correction);
    told(planner::compose_correction(with, newsletter, corrected, bench.now))
}

/// The same for an edition in a language, that was sealed at another time.
pub(super) fn compose_as_of(
    bench: &Bench,
    edition: (&Newsletter, Cadence),
    posts: &[Written],
    in_and_at: (Option<&str>, Timestamp),
) -> Result<Composed, Stop> {
    let with = (&*bench.config, &bench.templates);
    told(planner::compose(with, edition, posts, in_and_at))
}

fn told(composed: Result<Composed, Box<Diagnostic>>) -> Result<Composed, Stop> {
    let composed = composed.map_err(|problem| Stop {
        findings: vec![*problem],
        message: "the mail cannot be written".to_owned(),
        code: Code::Failed,
    })?;
    console::note(&report::human(&composed.warnings));
    Ok(composed)
}
