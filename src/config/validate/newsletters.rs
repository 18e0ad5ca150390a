//! `[newsletters.NAME]` and `[[sample_subscribers]]`.

use std::collections::BTreeMap;

use super::site::{DAY, duration};
use super::{Context, is_outbox, mail, politeness, signup};
use crate::config::report::Problem;
use crate::config::values::{self, did_you_mean};
use crate::config::{Mail, Newsletter, SampleSubscriber, Topic, WelcomeMail, WelcomeStep, raw};
use crate::domain::{Cadence, RetryPolicy, Schedule, Segment, Segments, SendWindow};

pub(super) fn newsletters(
    (raw, segments): (&BTreeMap<String, raw::Newsletter>, Option<&Segments>),
    (site, retry): ((&str, &str), Option<&RetryPolicy>),
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, Newsletter>> {
    let mut newsletters = BTreeMap::new();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("newsletters.{name}");
        let named = context.report.take(&at, values::name(name).and_then(|()| free(name)));
        let audience = audience(&at, raw, segments, context);
        match (named, audience, newsletter(name, raw, (site, retry), context)) {
            (Some(()), Ok(audience), Some(newsletter)) => {
                let newsletter = Newsletter { audience, ..newsletter };
                newsletters.insert(name.clone(), newsletter);
            }
            _ => complete = false,
        }
    }
    complete.then_some(newsletters)
}

/// Who of its subscribers is meant, if it says. An error is in the report.
fn audience(
    at: &str,
    raw: &raw::Newsletter,
    segments: Option<&Segments>,
    context: &mut Context<'_>,
) -> Result<Option<Segment>, ()> {
    let Some(expression) = &raw.audience else { return Ok(None) };
    // Of segments that are wrong it was said already.
    let found = segments.and_then(|segments| {
        super::audience::segment(&format!("{at}.audience"), expression, segments, context)
    });
    found.map(Some).ok_or(())
}

/// Words that mean something else where channels are named.
pub(super) fn free(name: &str) -> Result<(), Problem> {
    if ["feeds", "mail"].contains(&name) {
        return Err(Problem::new(format!("`{name}` cannot be a name"))
            .help("releases would take it for all feeds or all newsletters"));
    }
    Ok(())
}

fn newsletter(
    name: &str,
    raw: &raw::Newsletter,
    ((site_title, site_language), house): ((&str, &str), Option<&RetryPolicy>),
    context: &mut Context<'_>,
) -> Option<Newsletter> {
    let at = format!("newsletters.{name}");
    let key = |name: &str| format!("{at}.{name}");
    let title = match &raw.title {
        Some(title) => context.report.take(&key("title"), values::line(title)),
        None => Some(site_title.to_owned()),
    };
    let language = match raw.language.as_deref() {
        Some(tag) => context.report.take(&key("language"), values::language(tag)),
        None => Some(site_language.to_owned()),
    };
    let languages = languages(&key("languages"), &raw.languages, context);
    let topics = topics(&key("topics"), &raw.topics, context);
    let welcome = welcome(&key("welcome"), &raw.welcome, context);
    let questions = signup::questions(&at, raw, context);
    let zone = match raw.timezone.as_deref() {
        Some(zone) => context.report.take(&key("timezone"), values::zone(zone)),
        None => Some(context.zone.clone()),
    };
    let cadences =
        zone.as_ref().and_then(|zone| cadences(&key("cadences"), &raw.cadences, zone, context));
    let chosen = raw.default_cadence;
    let default_cadence =
        cadences.as_ref().and_then(|offered| default_cadence(&at, chosen, offered, context));
    let missed_runs =
        context.report.take(&key("missed_runs"), values::missed_runs(&raw.missed_runs.0));
    let from = mail::optional_mailbox(&key("from"), raw.from.as_deref(), context);
    let servers = servers(&at, raw.servers.as_deref(), context);
    let retry = house.and_then(|house| own_retry(&at, raw, house, context));
    let send_window =
        zone.as_ref().and_then(|zone| politeness::send_window(&at, raw, zone, context));
    let reply_to = mail::optional_mailbox(&key("reply_to"), raw.reply_to.as_deref(), context);
    Some(Newsletter {
        name: name.to_owned(),
        title: title?,
        description: raw.description.trim().to_owned(),
        language: language?,
        languages: languages?,
        only_in_language: raw.only_in_language,
        topics: topics?,
        welcome: welcome?,
        audience: None,
        questions: questions?,
        cadences: cadences?,
        default_cadence: default_cadence?,
        missed_runs: missed_runs?,
        from: from?,
        servers: servers?,
        send_window: Some(send_window?).filter(SendWindow::is_ever_shut),
        // What is wrong with the house's policy was said there.
        retry: retry?,
        reply_to: reply_to?,
        inline_images: raw.inline_images,
    })
}

fn languages(at: &str, raw: &[String], context: &mut Context<'_>) -> Option<Vec<String>> {
    // All of them are looked at, so that all that is wrong is said.
    let found: Vec<_> =
        raw.iter().map(|tag| context.report.take(at, values::language(tag))).collect();
    found.into_iter().collect()
}

fn welcome(
    at: &str,
    raw: &[raw::WelcomeStep],
    context: &mut Context<'_>,
) -> Option<Vec<WelcomeStep>> {
    let read = raw.iter().enumerate().map(|(index, step)| {
        let at = format!("{at}.{index}");
        let after = duration(&format!("{at}.after"), &step.after, 0, 365 * DAY, context);
        let mail = match (&step.post, &step.template) {
            (Some(post), None) => WelcomeMail::Post(post.clone()),
            (None, Some(name)) => {
                context.report.take(&format!("{at}.template"), values::name(name))?;
                WelcomeMail::Template(name.clone())
            }
            (None, None) => {
                let help = "name a post by its slug: `post = \"start-here\"`; or a template: \
                            `template = \"hello\"`";
                context.error(&format!("{at}.post"), "the mail has no text", help);
                return None;
            }
            (Some(_), Some(_)) => {
                let help = "leave out `post` or `template`; a second mail can bring the other";
                context.error(&format!("{at}.template"), "the mail has two texts", help);
                return None;
            }
        };
        Some(WelcomeStep { after: after?, mail })
    });
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

fn topics(
    at: &str,
    raw: &BTreeMap<String, raw::Topic>,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, Topic>> {
    let read = raw.iter().map(|(name, topic)| {
        let at = format!("{at}.{name}");
        let named = context.report.take(&at, values::name(name));
        let title = topic.title.as_deref().unwrap_or(name);
        let title = context.report.take(&format!("{at}.title"), values::line(title));
        let ((), title) = (named?, title?);
        let terms = [name, &title].into_iter().chain(&topic.terms).map(|term| term.to_lowercase());
        Some((name.clone(), Topic { terms: terms.collect(), title }))
    });
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

/// The house's retry policy with what the newsletter has of its own.
fn own_retry(
    at: &str,
    raw: &raw::Newsletter,
    house: &RetryPolicy,
    context: &mut Context<'_>,
) -> Option<RetryPolicy> {
    let mut own = house.clone();
    if let Some(limit) = &raw.give_up_after {
        let path = format!("{at}.give_up_after");
        own.give_up_after = duration(&path, limit, 60, 365 * DAY, context)?;
    }
    if let Some(policy) = raw.on_uncertain {
        own.resend_uncertain = policy == raw::OnUncertain::Resend;
    }
    Some(own)
}

fn cadences(
    at: &str,
    raw: &raw::Cadences,
    zone: &jiff::tz::TimeZone,
    context: &mut Context<'_>,
) -> Option<BTreeMap<Cadence, Option<Schedule>>> {
    let mut cadences = BTreeMap::new();
    let mut complete = true;
    if raw.instant {
        cadences.insert(Cadence::Instant, None);
    }
    let digests = [
        (Cadence::Daily, &raw.daily),
        (Cadence::Weekly, &raw.weekly),
        (Cadence::Monthly, &raw.monthly),
    ];
    for (cadence, expression) in digests {
        let path = format!("{at}.{cadence}");
        complete &= !context.report.is_faulty(&path);
        let Some(raw::Cron(text)) = expression else { continue };
        let schedule = Schedule::parse(text, zone.clone());
        match context.report.take_schedule(&path, text, schedule) {
            Some(schedule) => {
                cadences.insert(cadence, Some(schedule));
            }
            None => complete = false,
        }
    }
    complete &= !context.report.is_faulty(&format!("{at}.instant"));
    if complete && cadences.is_empty() && !context.report.is_faulty(at) {
        let help = "offer at least one: `cadences = { weekly = \"0 7 * * MON\" }`";
        context.error(at, "nobody can get this newsletter", help);
        return None;
    }
    complete.then_some(cadences)
}

fn default_cadence(
    at: &str,
    chosen: Option<Cadence>,
    offered: &BTreeMap<Cadence, Option<Schedule>>,
    context: &mut Context<'_>,
) -> Option<Cadence> {
    const PREFERENCE: [Cadence; 4] =
        [Cadence::Weekly, Cadence::Daily, Cadence::Monthly, Cadence::Instant];
    match chosen {
        Some(chosen) if !offered.contains_key(&chosen) => {
            let message = format!("`{chosen}` is not among the cadences that are offered");
            let offered: Vec<_> = offered.keys().map(|it| format!("`{it}`")).collect();
            let help = format!("offered are {}", offered.join(", "));
            context.error(&format!("{at}.default_cadence"), message, help);
            None
        }
        Some(chosen) => Some(chosen),
        None => PREFERENCE.into_iter().find(|cadence| offered.contains_key(cadence)),
    }
}

/// The servers that carry a newsletter: those it names, else all.
fn servers(at: &str, chosen: Option<&[String]>, context: &mut Context<'_>) -> Option<Vec<String>> {
    let names = context.names.servers.clone();
    let Some(chosen) = chosen else {
        // With no server at all, `[mail]` has said so already.
        return (!names.is_empty()).then(|| names.into_iter().collect());
    };
    let path = format!("{at}.servers");
    if chosen.is_empty() {
        context.error(&path, "nobody carries this newsletter", "name a server, or leave it out");
        return None;
    }
    let mut complete = true;
    for (index, name) in chosen.iter().enumerate().filter(|(_, name)| !names.contains(*name)) {
        let known: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let problem = Problem::new(format!("there is no mail server `{name}`"))
            .help(format!("`[mail.servers]` has {}", known.join(", ")))
            .maybe_help(did_you_mean(name, names.iter().map(String::as_str)));
        let path = format!("{path}.{index}");
        context.report.take_as::<()>("unknown-name", &path, Err(problem));
        complete = false;
    }
    complete.then(|| chosen.to_vec())
}

/// Who is subscribed for demonstration. With real mail these addresses would get real mail.
pub(super) fn sample_subscribers(
    raw: &[raw::SampleSubscriber],
    newsletters: Option<&BTreeMap<String, Newsletter>>,
    mail: Option<&Mail>,
    context: &mut Context<'_>,
) -> Option<Vec<SampleSubscriber>> {
    if let Some(mail) = mail
        && !raw.is_empty()
        && let Some(real) = mail.servers.values().find(|server| !is_outbox(&server.transport))
    {
        let message =
            format!("sample subscribers would get real mail through `mail.servers.{}`", real.name);
        let help = "delete them, or let every mail server be an `outbox:`";
        context.error("sample_subscribers.0", message, help);
    }
    let mut samples = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        samples.push(sample(raw, &format!("sample_subscribers.{index}"), newsletters, context));
    }
    samples.into_iter().collect()
}

fn sample(
    raw: &raw::SampleSubscriber,
    at: &str,
    newsletters: Option<&BTreeMap<String, Newsletter>>,
    context: &mut Context<'_>,
) -> Option<SampleSubscriber> {
    let address = raw.address.as_deref()?.parse();
    let address = address.map_err(|error| Problem::new(format!("{error}")));
    let address = context.report.take(&format!("{at}.address"), address);
    let names = &context.names.newsletters;
    let name = match raw.newsletter.as_deref() {
        Some(name) if names.contains(name) => name.to_owned(),
        Some(name) => {
            let problem = Problem::new(format!("there is no newsletter `{name}`"))
                .maybe_help(did_you_mean(name, names.iter().map(String::as_str)));
            return context.report.take_as(
                "unknown-name",
                &format!("{at}.newsletter"),
                Err(problem),
            );
        }
        None if names.len() == 1 => names.first().cloned().unwrap_or_default(),
        None => {
            context.report.missing(at, "newsletter", "say which newsletter this subscriber gets");
            return None;
        }
    };
    // A newsletter that could not be understood offers nothing that could be checked.
    let newsletter = newsletters?.get(&name)?;
    let cadence = raw.cadence.unwrap_or(newsletter.default_cadence);
    if !newsletter.cadences.contains_key(&cadence) {
        let offered: Vec<_> = newsletter.cadences.keys().map(|it| format!("`{it}`")).collect();
        let help = format!("`{name}` offers {}", offered.join(", "));
        context.error(&format!("{at}.cadence"), format!("`{cadence}` is not offered"), help);
        return None;
    }
    Some(SampleSubscriber { address: address?, newsletter: name, cadence })
}
