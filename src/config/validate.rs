//! Gives meaning to what people wrote: raw texts in, the validated types out, every mistake in the report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::report::Report;
use super::{Config, SampleSubscriber, Transport, raw};
use crate::domain::{Diagnostic, Releases};

mod audience;
mod destinations;
mod dkim;
mod feeds;
mod mail;
mod newsletters;
mod politeness;
mod polling;
mod posts;
mod releases;
mod secrets;
mod signup;
mod site;

/// The names that other keys may refer to: those that were written, even where something else about them is wrong.
#[derive(Default)]
pub(super) struct Names {
    pub servers: BTreeSet<String>,
    pub newsletters: BTreeSet<String>,
    pub destinations: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(table: &toml::Table) -> Self {
        let names = |table: Option<&toml::Value>| -> BTreeSet<String> {
            let table = table.and_then(toml::Value::as_table);
            table.into_iter().flat_map(|table| table.keys().cloned()).collect()
        };
        Self {
            servers: names(table.get("mail").and_then(|mail| mail.get("servers"))),
            newsletters: names(table.get("newsletters")),
            destinations: names(table.get("destinations")),
        }
    }
}

/// What every section needs to be understood.
pub(super) struct Context<'a> {
    pub root: &'a Path,
    pub names: Names,
    pub report: &'a mut Report,
    /// The site's: of all dates and schedules that don't name another.
    pub zone: TimeZone,
}

impl Context<'_> {
    /// A path of the configuration, made absolute.
    fn path(&self, written: &str) -> PathBuf {
        lexical(&self.root.join(written))
    }

    fn error(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report.add(path, Diagnostic::error("invalid-value", message).help(help));
    }
}

/// Removes `.` and `..` from a path without looking at the disk: what it names may not exist yet.
fn lexical(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

/// Understands the whole project. `None`: something necessary is wrong, and the report says what.
pub(super) fn project(
    raw: &raw::Project,
    releases: &raw::Releases,
    files: Vec<PathBuf>,
    context: &mut Context<'_>,
) -> Option<Config> {
    let site = site::site(&raw.site, context);
    let (server, store) = (site::server(&raw.server, context), site::store(&raw.store, context));
    let posts = posts::posts(&raw.posts, context);
    let watch = site::watch(&raw.watch, context);
    let feeds = feeds::feeds(
        &raw.feeds,
        (site.as_ref().map(|it| &it.url), server.as_ref().map(|it| &it.public_url)),
        context,
    );
    let archive = site::archive(&raw.archive, context);
    let guard = site::guard(&raw.guard, context);
    let check = site::check(&raw.check, context);
    let log = site::log(&raw.log, context);
    let hello = server.as_ref().map(|server| mail::hello_name(&server.public_url));
    let mail = mail::mail(&raw.mail, hello.as_deref(), context);
    let of_site = site.as_ref().map(|site| (site.title.as_str(), site.language.as_str()));
    let segments = audience::segments(&raw.segments, context);
    let privacy = audience::privacy(&raw.privacy, context);
    let newsletters = newsletters::newsletters(
        (&raw.newsletters, segments.as_ref()),
        (of_site.unwrap_or_default(), mail.as_ref().map(|mail| &mail.retry)),
        context,
    );
    let signup = signup::signup(&raw.signup, context);
    let destinations = destinations::destinations(&raw.destinations, context);
    let releases: Option<Releases> = releases::releases(releases, context);
    let sample_subscribers: Option<Vec<SampleSubscriber>> = newsletters::sample_subscribers(
        &raw.sample_subscribers,
        newsletters.as_ref(),
        mail.as_ref(),
        context,
    );
    if let (Some(newsletters), Some(mail)) = (&newsletters, &mail) {
        dkim::warn_of_idle_keys(mail, newsletters.values(), context);
    }
    if let (Some(server), Some(mail)) = (&server, &mail) {
        site::warn_of_unreachable_pages(server, mail, context);
    }
    Some(Config {
        root: context.root.to_owned(),
        files,
        site: site?,
        server: server?,
        store: store?,
        posts: posts?,
        watch: watch?,
        guard: guard?,
        feeds: feeds?,
        archive: archive?,
        mail: mail?,
        newsletters: newsletters?,
        segments: segments?,
        privacy: privacy?,
        signup: signup?,
        destinations: destinations?,
        releases: releases?,
        check,
        log: log?,
        sample_subscribers: sample_subscribers?,
    })
}

/// Whether all of it stays on this machine as files.
fn is_outbox(transport: &Transport) -> bool {
    matches!(transport, Transport::Outbox(_))
}
