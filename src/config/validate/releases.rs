//! `config/releases.toml`: what goes live when, and on which channels.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, Names};
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::values::{self, nearest};
use crate::domain::{Channel, Queue, QueuedPosts, Release, Releases, Schedule};

pub(super) fn releases(raw: &raw::Releases, context: &mut Context<'_>) -> Option<Releases> {
    let mut releases = Vec::new();
    for (index, raw) in raw.release.iter().enumerate() {
        releases.push(release(raw, &format!("releases.release.{index}"), context));
    }
    let mut queues = Vec::new();
    let mut names = BTreeSet::new();
    let mut listed = BTreeMap::new();
    let mut series = BTreeSet::new();
    for (index, raw) in raw.queue.iter().enumerate() {
        let at = format!("releases.queue.{index}");
        if let Some(name) = raw.name.as_deref()
            && !names.insert(name)
        {
            let help = "what a queue has released is remembered by its name";
            context.error(&format!("{at}.name"), format!("there are two queues `{name}`"), help);
        }
        if let Some(name) = raw.series.as_deref()
            && !series.insert(name.to_lowercase())
        {
            let message = format!("the series `{name}` is in another queue already");
            let help = "a post has one turn, in one queue; name several channels there if need be";
            context.error(&format!("{at}.series"), message, help);
        }
        queues.push(queue(raw, &at, &mut listed, context));
    }
    Some(Releases {
        releases: releases.into_iter().collect::<Option<_>>()?,
        queues: queues.into_iter().collect::<Option<_>>()?,
    })
}

fn release(raw: &raw::Release, at: &str, context: &mut Context<'_>) -> Option<Release> {
    let channels = channels(&format!("{at}.channels"), raw.channels.as_deref(), context);
    let post = raw.post.as_deref().map(values::line);
    let post = post.and_then(|post| context.report.take(&format!("{at}.post"), post));
    let moment = values::moment(&raw.at.as_ref()?.0, &context.zone);
    let moment = context.report.take(&format!("{at}.at"), moment);
    Some(Release { post: post?, at: moment?, channels: channels? })
}

/// `listed`: the posts of the queues before, and which queue each is in.
fn queue<'a>(
    raw: &'a raw::Queue,
    at: &str,
    listed: &mut BTreeMap<&'a str, &'a str>,
    context: &mut Context<'_>,
) -> Option<Queue> {
    let key = |name: &str| format!("{at}.{name}");
    let channels = channels(&key("channels"), raw.channels.as_deref(), context);
    let name = raw.name.as_deref().map(|name| values::name(name).map(|()| name.to_owned()));
    let name = name.and_then(|name| context.report.take(&key("name"), name));
    let zone = match raw.timezone.as_deref() {
        Some(zone) => context.report.take(&key("timezone"), values::zone(zone)),
        None => Some(context.zone.clone()),
    };
    let schedule = raw.schedule.as_ref().and_then(|raw::Cron(text)| {
        context.report.take_schedule(&key("schedule"), text, Schedule::parse(text, zone?))
    });
    let posts = match (&raw.posts, raw.series.as_deref()) {
        (Some(posts), None) => {
            no_turn_twice(posts, raw, at, listed, context);
            Some(QueuedPosts::Listed(posts.clone()))
        }
        (None, Some(series)) => {
            let name = context.report.take(&key("series"), values::line(series));
            name.map(QueuedPosts::Series)
        }
        (Some(_), Some(_)) => {
            let help = "keep one of them, and make another queue for the other";
            context.error(&key("series"), "both `posts` and `series` are set", help);
            None
        }
        (None, None) => {
            let help = "write `posts = [\"one\", \"two\"]` or `series = \"NAME\"`";
            context.error(at, "the queue has neither `posts` nor `series`", help);
            None
        }
    };
    Some(Queue {
        name: name?,
        schedule: schedule?,
        take: usize::try_from(raw.take).unwrap_or(usize::MAX),
        posts: posts?,
        channels: channels?,
    })
}

/// A post that is in two queues, or in one twice, could not say whose turn it is.
fn no_turn_twice<'a>(
    posts: &'a [String],
    raw: &'a raw::Queue,
    at: &str,
    listed: &mut BTreeMap<&'a str, &'a str>,
    context: &mut Context<'_>,
) {
    for (index, post) in posts.iter().enumerate() {
        let queue = raw.name.as_deref().unwrap_or_default();
        if let Some(other) = listed.insert(post, queue) {
            let message = if other == queue {
                format!("`{post}` is listed twice")
            } else {
                format!("`{post}` is in queue `{other}` already")
            };
            let help = "a post has one turn, in one queue; name several channels there if need be";
            context.error(&format!("{at}.posts.{index}"), message, help);
        }
    }
}

/// The channels that `words` name; no words: all. `None`: one of them is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are different, as in every section")]
fn channels(
    at: &str,
    words: Option<&[String]>,
    context: &mut Context<'_>,
) -> Option<Option<Vec<Channel>>> {
    let Some(words) = words else { return Some(None) };
    if words.is_empty() {
        let help = "leave `channels` out for all of them";
        context.error(at, "an empty list means no channel at all", help);
        return None;
    }
    let mut channels = BTreeSet::new();
    let mut complete = true;
    for (index, word) in words.iter().enumerate() {
        let meant = named(word, &context.names);
        match context.report.take_as("unknown-name", &format!("{at}.{index}"), meant) {
            Some(meant) => channels.extend(meant),
            None => complete = false,
        }
    }
    complete.then(|| Some(channels.into_iter().collect()))
}

/// What a word means: `feeds`, `mail`, a newsletter or a destination.
fn named(word: &str, names: &Names) -> Result<Vec<Channel>, Problem> {
    let newsletter = |name: &str| Channel::Newsletter(name.to_owned());
    let destination = |name: &str| Channel::Destination(name.to_owned());
    let (is_newsletter, is_destination) =
        (names.newsletters.contains(word), names.destinations.contains(word));
    match (word, word.split_once(':')) {
        ("feeds", _) => return Ok(vec![Channel::Feeds]),
        ("mail", _) => return Ok(names.newsletters.iter().map(|name| newsletter(name)).collect()),
        (_, Some(("newsletter", name))) if names.newsletters.contains(name) => {
            return Ok(vec![newsletter(name)]);
        }
        (_, Some(("destination", name))) if names.destinations.contains(name) => {
            return Ok(vec![destination(name)]);
        }
        _ => {}
    }
    match (is_newsletter, is_destination) {
        (true, false) => Ok(vec![newsletter(word)]),
        (false, true) => Ok(vec![destination(word)]),
        (true, true) => Err(Problem::new(format!("`{word}` is a newsletter and a destination"))
            .help(format!("write `newsletter:{word}` or `destination:{word}`"))),
        (false, false) => Err(unknown(word, names)),
    }
}

fn unknown(word: &str, names: &Names) -> Problem {
    let newsletters = names.newsletters.iter().map(String::as_str);
    let destinations = names.destinations.iter().map(String::as_str);
    let plain: Vec<&str> =
        ["feeds", "mail"].into_iter().chain(newsletters).chain(destinations).collect();
    let (prefix, bare) = word.split_once(':').unwrap_or(("", word));
    let near = nearest(bare, plain.iter().copied()).map(|near| match prefix {
        "newsletter" | "destination" => format!("did you mean `{prefix}:{near}`?"),
        _ => format!("did you mean `{near}`?"),
    });
    let known: Vec<_> = plain.iter().map(|name| format!("`{name}`")).collect();
    Problem::new(format!("there is no channel `{word}`"))
        .help(format!("there are {}", known.join(", ")))
        .maybe_help(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Names {
            servers: set(&[]),
            newsletters: set(&["weekly", "chat"]),
            destinations: set(&["chat", "mastodon"]),
        }
    }

    #[test]
    fn channels_are_named_in_the_authors_words() {
        let mean = |word: &str| named(word, &names()).unwrap();
        assert_eq!(mean("feeds"), [Channel::Feeds]);
        assert_eq!(mean("weekly"), [Channel::Newsletter("weekly".into())]);
        assert_eq!(mean("mastodon"), [Channel::Destination("mastodon".into())]);
        assert_eq!(mean("newsletter:chat"), [Channel::Newsletter("chat".into())]);
        assert_eq!(mean("destination:chat"), [Channel::Destination("chat".into())]);
        assert_eq!(mean("mail").len(), 2);
    }

    #[test]
    fn a_name_that_is_two_things_or_none_is_explained() {
        let help = |word: &str| named(word, &names()).unwrap_err().help.unwrap();
        assert_eq!(help("chat"), "write `newsletter:chat` or `destination:chat`");
        assert_eq!(help("weely"), "did you mean `weekly`?");
        assert_eq!(help("destination:mastodn"), "did you mean `destination:mastodon`?");
        assert_eq!(
            help("xyzzy"),
            "there are `feeds`, `mail`, `chat`, `weekly`, `chat`, `mastodon`"
        );
    }
}
