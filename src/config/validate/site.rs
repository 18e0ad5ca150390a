//! `[site]`, `[server]`, `[store]`, `[[posts]]`, `[watch]`, `[check]`, `[log]`.

use std::net::SocketAddr;
use std::path::Path;

use jiff::SignedDuration;
use url::Url;

use super::feeds::Faulty;
use super::{Context, lexical, secrets};
use crate::config::report::Problem;
use crate::config::values::{self, did_you_mean};
use crate::config::{
    Archive, Check, Guard, IndexNow, Log, Mail, Secret, Server, Site, StoreUrl, Transport, Watch,
    raw,
};
use crate::domain::{Author, Diagnostic, FINDINGS, LINTS, explain};

pub(super) fn site(raw: &raw::Site, context: &mut Context<'_>) -> Option<Site> {
    let report = &mut *context.report;
    let title = raw.title.as_deref().and_then(|it| report.take("site.title", values::line(it)));
    let url = raw.url.as_deref().and_then(|it| report.take("site.url", values::base_url(it)));
    let language = report.take("site.language", values::language(&raw.language));
    let zone = report.take("site.timezone", values::zone(&raw.timezone));
    if let Some(zone) = &zone {
        context.zone = zone.clone();
    }
    let author = match raw.author.as_deref() {
        Some(text) => Some(context.report.take("site.author", author(text))?),
        None => None,
    };
    Some(Site {
        title: title?,
        description: raw.description.trim().to_owned(),
        url: url?,
        language: language?,
        time_zone: zone?,
        author,
    })
}

/// `Name` or `Name <name@example.org>`.
fn author(text: &str) -> Result<Author, Problem> {
    if !text.contains(['<', '@']) {
        return Ok(Author { name: values::line(text)?, email: None, url: None });
    }
    let mailbox = values::mailbox(text)?;
    let email = mailbox.address.as_str().to_owned();
    Ok(Author {
        name: mailbox.name.unwrap_or_else(|| email.clone()),
        email: Some(email),
        url: None,
    })
}

pub(super) fn server(raw: &raw::Server, context: &mut Context<'_>) -> Option<Server> {
    let listen = context.report.take("server.listen", listen(&raw.listen));
    let public_url = match raw.public_url.as_deref() {
        Some(text) => context.report.take("server.public_url", values::base_url(text)),
        None => listen.as_ref().and_then(own_url),
    };
    Some(Server { listen: listen?, public_url: public_url? })
}

fn listen(text: &str) -> Result<SocketAddr, Problem> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let problem = Problem::new(format!("`{text}` is not an IP address with a port"));
        match text.rsplit_once(':') {
            Some(("", port)) => problem.help(format!("for all interfaces write `0.0.0.0:{port}`")),
            Some(("localhost", port)) => problem.help(format!("write `127.0.0.1:{port}`")),
            None if text.parse::<u16>().is_ok() => problem
                .help(format!("write `127.0.0.1:{text}`, or `0.0.0.0:{text}` for all interfaces")),
            _ => problem.help("write for example `127.0.0.1:8080`"),
        }
    })
}

/// Where a browser on this machine finds what listens on `listen`.
fn own_url(listen: &SocketAddr) -> Option<Url> {
    let text = if listen.ip().is_unspecified() {
        format!("http://localhost:{}/", listen.port())
    } else {
        format!("http://{listen}/")
    };
    Url::parse(&text).ok()
}

pub(super) fn store(raw: &raw::Store, context: &mut Context<'_>) -> Option<StoreUrl> {
    let root = context.root.to_owned();
    match (&raw.url, &raw.url_file) {
        (Some(_), Some(_)) => {
            context.error(
                "store.url_file",
                "both `url` and `url_file` are set",
                "keep one of them",
            );
            None
        }
        (None, Some(file)) => {
            let text = secrets::read("store.url_file", file, context)?;
            context.report.take("store.url_file", store_url(text.expose(), &root))
        }
        (url, None) => {
            let url = url.as_deref().unwrap_or("sqlite:var/postrider.db");
            context.report.take("store.url", store_url(url, &root))
        }
    }
}

/// Messages never quote the text: it may hold a password.
fn store_url(text: &str, root: &Path) -> Result<StoreUrl, Problem> {
    let text = text.trim();
    let example = "write `sqlite:var/postrider.db` or `postgres://user@host/database`";
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(Problem::new("this does not say what kind of database it is").help(example));
    };
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.contains('?') || path.contains(":memory:") {
                return Err(Problem::new("SQLite needs a file, without options")
                    .help("write `sqlite:var/postrider.db`"));
            }
            Ok(StoreUrl::Sqlite(lexical(&root.join(path))))
        }
        "postgres" | "postgresql" => {
            let url = Url::parse(text).map_err(|error| {
                Problem::new(format!("this is not an address of a database: {error}")).help(example)
            })?;
            if !rest.starts_with("//") || url.path().trim_matches('/').is_empty() {
                return Err(Problem::new("this names no database").help(example));
            }
            Ok(StoreUrl::Postgres(Secret::new(text)))
        }
        other => Err(Problem::new(format!("`{other}:` is no database that Postrider knows"))
            .help(example)
            .maybe_help(did_you_mean(other, ["sqlite", "postgres", "postgresql"]))),
    }
}

pub(super) fn watch(raw: &raw::Watch, context: &mut Context<'_>) -> Option<Watch> {
    let debounce = duration("watch.debounce", &raw.debounce, 0, 60, context);
    let rescan = duration("watch.rescan", &raw.rescan, 1, DAY, context);
    Some(Watch { mode: raw.mode, debounce: debounce?, rescan: rescan? })
}

pub(super) fn archive(raw: &raw::Archive, context: &mut Context<'_>) -> Option<Archive> {
    Some(Archive {
        enabled: raw.enabled,
        posts_per_page: usize::try_from(raw.posts_per_page).unwrap_or(usize::MAX).max(1),
        index_now: index_now(&raw.index_now, context).ok()?,
    })
}

/// `[archive.index_now]`: none without a key.
fn index_now(raw: &raw::IndexNow, context: &mut Context<'_>) -> Result<Option<IndexNow>, Faulty> {
    let endpoint = values::web_url(&raw.endpoint);
    let endpoint = context.report.take("archive.index_now.endpoint", endpoint).ok_or(Faulty)?;
    let Some(key) = raw.key.as_deref().map(str::trim) else { return Ok(None) };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !(8..=128).contains(&key.len()) || !key.bytes().all(fits) {
        let help = "make one up: 8 to 128 letters, digits and `-`";
        context.error("archive.index_now.key", "this cannot be a key of IndexNow", help);
        return Err(Faulty);
    }
    Ok(Some(IndexNow { key: key.to_owned(), endpoint }))
}

pub(super) fn guard(raw: &raw::Guard, context: &mut Context<'_>) -> Option<Guard> {
    let within = duration("guard.within", &raw.within, 1, 7 * DAY, context)?;
    Some(Guard { new_posts: usize::try_from(raw.new_posts).unwrap_or(usize::MAX), within })
}

pub(super) fn check(raw: &raw::Check, context: &mut Context<'_>) -> Check {
    for (index, code) in raw.silence.iter().enumerate() {
        if explain(code).is_some() {
            continue;
        }
        let known = LINTS.iter().chain(&FINDINGS).map(|lint| lint.code);
        let help = did_you_mean(code, known)
            .unwrap_or_else(|| "`postrider check` shows the code of each warning".to_owned());
        context.error(
            &format!("check.silence.{index}"),
            format!("there is no finding with the code `{code}`"),
            help,
        );
    }
    Check { silence: raw.silence.clone() }
}

pub(super) fn log(raw: &raw::Log, context: &mut Context<'_>) -> Option<Log> {
    let level = context.report.take("log.level", level(&raw.level))?;
    Some(Log { format: raw.format, level })
}

/// A word alone must be a level. Tracing would take it for the name of a module and log everything in there.
fn level(text: &str) -> Result<String, Problem> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    for part in text.split(',').map(str::trim) {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        let known = LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known));
        if !known {
            return Err(Problem::new(format!("`{level}` is not a level"))
                .help("write `error`, `warn`, `info`, `debug` or `trace`")
                .maybe_help(did_you_mean(level, LEVELS)));
        }
    }
    tracing_subscriber::EnvFilter::try_new(text)
        .map_err(|error| Problem::new(format!("this is not a filter: {error}")))?;
    Ok(text.to_owned())
}

/// Mail that leaves this machine with links that lead nowhere.
pub(super) fn warn_of_unreachable_pages(server: &Server, mail: &Mail, context: &mut Context<'_>) {
    let remote = mail.servers.values().any(|server| match &server.transport {
        Transport::Smtp(smtp) => !values::is_loopback(&smtp.host),
        Transport::Outbox(_) => false,
    });
    if remote && server.public_url.host_str().is_some_and(values::is_loopback) {
        let message = "readers cannot reach this machine under this address";
        let help = "links to unsubscribe begin with `server.public_url`: write the public one";
        let warning = Diagnostic::warning("unreachable-pages", message).help(help);
        context.report.add("server.public_url", warning);
    }
}

pub(super) const DAY: i64 = 24 * 60 * 60;

/// A duration between so many seconds.
pub(super) fn duration(
    path: &str,
    raw: &raw::Duration,
    least: i64,
    most: i64,
    context: &mut Context<'_>,
) -> Option<SignedDuration> {
    let (least, most) = (SignedDuration::from_secs(least), SignedDuration::from_secs(most));
    context.report.take(path, values::duration(&raw.0, least, most))
}
