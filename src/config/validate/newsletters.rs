//! `[newsletters.NAME]` and `[[sample_subscribers]]`.

use std::collections::BTreeMap;

use super::{Context, is_outbox, mail};
use crate::config::report::Problem;
use crate::config::values::{self, did_you_mean};
use crate::config::{Mail, Newsletter, SampleSubscriber, raw};
use crate::domain::{Cadence, Schedule};

pub(super) fn newsletters(
    raw: &BTreeMap<String, raw::Newsletter>,
    site_title: &str,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, Newsletter>> {
    let mut newsletters = BTreeMap::new();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("newsletters.{name}");
        let named = context.report.take(&at, values::name(name).and_then(|()| free(name)));
        match (named, newsletter(name, raw, site_title, context)) {
            (Some(()), Some(newsletter)) => {
                newsletters.insert(name.clone(), newsletter);
            }
            _ => complete = false,
        }
    }
    complete.then_some(newsletters)
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
    site_title: &str,
    context: &mut Context<'_>,
) -> Option<Newsletter> {
    let at = format!("newsletters.{name}");
    let key = |name: &str| format!("{at}.{name}");
    let title = raw.title.as_deref().unwrap_or(site_title);
    let title = match &raw.title {
        Some(title) => context.report.take(&key("title"), values::line(title)),
        None => Some(title.to_owned()),
    };
    let zone = match raw.timezone.as_deref() {
        Some(zone) => context.report.take(&key("timezone"), values::zone(zone)),
        None => Some(context.zone.clone()),
    };
    let cadences = zone.and_then(|zone| cadences(&key("cadences"), &raw.cadences, &zone, context));
    let chosen = raw.default_cadence;
    let default_cadence =
        cadences.as_ref().and_then(|offered| default_cadence(&at, chosen, offered, context));
    let missed_runs =
        context.report.take(&key("missed_runs"), values::missed_runs(&raw.missed_runs.0));
    let from = mail::optional_mailbox(&key("from"), raw.from.as_deref(), context);
    let reply_to = mail::optional_mailbox(&key("reply_to"), raw.reply_to.as_deref(), context);
    let server = server(&at, raw.server.as_deref(), context);
    Some(Newsletter {
        name: name.to_owned(),
        title: title?,
        description: raw.description.trim().to_owned(),
        cadences: cadences?,
        default_cadence: default_cadence?,
        missed_runs: missed_runs?,
        from: from?,
        reply_to: reply_to?,
        inline_images: raw.inline_images,
        server: server?,
    })
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

/// The server that carries a newsletter: the one it names, else `main`, else the only one.
fn server(at: &str, chosen: Option<&str>, context: &mut Context<'_>) -> Option<String> {
    let names = &context.names.servers;
    let path = format!("{at}.server");
    match chosen {
        Some(chosen) if names.contains(chosen) => Some(chosen.to_owned()),
        Some(chosen) => {
            let known: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let problem = Problem::new(format!("there is no mail server `{chosen}`"))
                .help(format!("`[mail.servers]` has {}", known.join(", ")))
                .maybe_help(did_you_mean(chosen, names.iter().map(String::as_str)));
            context.report.take_as("unknown-name", &path, Err(problem))
        }
        None if names.contains("main") => Some("main".to_owned()),
        None if names.len() == 1 => names.first().cloned(),
        // With no server at all, `[mail]` has said so already.
        None if names.is_empty() => None,
        None => {
            let known: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let help = format!("there are {}, and none is called `main`", known.join(", "));
            context.report.missing(at, "server", help);
            None
        }
    }
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
