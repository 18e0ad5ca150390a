//! The newsletter that is measured: its configuration, its post of 20 kB, and as many readers as asked for.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use postrider::config::{self, Config, Environment, StoreUrl};
use postrider::dispatch::MailKind;
use postrider::domain::{Cadence, EditionId};
use postrider::ingest::{Ingest, open_cache};
use postrider::mail::{self, Blueprint, EditionInput};
use postrider::store::Store;
use postrider::template::Templates;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

/// What varies between the measurements.
#[derive(Clone, Debug)]
pub(crate) struct Project<'a> {
    /// As `store.url`.
    pub(crate) store: &'a str,
    /// Where the mail goes.
    pub(crate) to: SocketAddr,
    pub(crate) connections: usize,
    /// Where the daemon's pages are.
    pub(crate) listen: &'a str,
    /// `warn`, or `info` for a line for each mail.
    pub(crate) log: &'a str,
    /// More configuration, at the end of the mail server's table.
    pub(crate) server: &'a str,
}

impl Project<'_> {
    /// Writes the configuration to `folder`.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for name in ["config", "posts"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let Self { store, to, connections, listen, log, server } = self;
        let text = format!(
            r#"[site]
title = "Field Notes"
url = "https://example.org"
language = "en"
timezone = "UTC"
[server]
listen = "{listen}"
public_url = "http://127.0.0.1:8080"

[signup]
origins = ["https://example.org"]
[store]
url = "{store}"
[[posts]]
path = "posts"
permalink = "/posts/{{slug}}/"
settle = "0s"
baseline = 2026-01-01
[log]
level = "{log}"
[mail]
from = "Field Notes <news@example.org>"
address = "1 Field Lane"
[newsletters.weekly]
title = "Weekly"
cadences = {{ instant = true }}
default_cadence = "instant"
[mail.canary]
steps = []
[mail.servers.main]
url = "smtp://{to}"
tls = "none"
connections = {connections}
messages_per_connection = 100000
{server}
"#
        );
        Ok(std::fs::write(folder.join("config/postrider.toml"), text)?)
    }
}

/// A post whose mail has about 20 kB, text and HTML together.
pub(crate) fn post(number: usize) -> String {
    let mut text = format!("---\ntitle: Post {number}\ndate: 2026-03-01\n---\n\n");
    for paragraph in 0..24 {
        writeln!(
            text,
            "Paragraph {paragraph} says what posts say, with a [link](/posts/post-{paragraph}/) and enough words to be one \
             that somebody could have written on a quiet evening, and somebody else will read over breakfast.\n"
        )
        .expect("a string takes every character");
    }
    text
}

pub(crate) fn load(folder: &Path) -> anyhow::Result<Arc<Config>> {
    let file = folder.join("config/postrider.toml");
    let loaded = config::load(&file, &Environment::default());
    Ok(Arc::new(loaded.map_err(|problems| anyhow::anyhow!("{problems:#?}"))?.config))
}

/// The mail of the post in `folder`, ready to be filled in, as the daemon makes it.
pub(crate) async fn blueprint(folder: &Path, config: &Arc<Config>) -> anyhow::Result<Blueprint> {
    let now = Timestamp::UNIX_EPOCH;
    let store = Store::open(&config.store, now).await?;
    let cache = open_cache(config, &store)?;
    let mut ingest = Ingest::open(Arc::clone(config), store.clone(), cache.clone()).await?;
    ingest.rescan(now).await?;
    let catalog = ingest.catalog();
    let written = catalog.posts.iter().map(|known| cache.written(&known.post, known.body));
    let posts: Vec<_> = written.collect::<Result<_, _>>()?;
    let templates = Templates::load(None).map_err(|problems| anyhow::anyhow!("{problems:#?}"))?;
    let input = EditionInput {
        language: None,
        site: &config.site,
        newsletter: &config.newsletters["weekly"],
        cadence: Cadence::Instant,
        posts: &posts,
        public_url: &config.server.public_url,
        postal_address: &config.mail.address,
        page_url: None,
        sealed_at: now,
    };
    let composed = mail::compose_edition(&templates, &input)
        .map_err(|problem| anyhow::anyhow!("{}: {problem:#?}", folder.display()))?;
    store.close().await;
    let kind = MailKind::Edition(Some(EditionId(1)));
    Ok(postrider::dispatch::blueprint((config, "weekly"), &composed, now, kind)?)
}

/// Gives the newsletter so many readers, at once rather than one by one.
pub(crate) async fn add_readers(config: &Config, count: u64) -> anyhow::Result<()> {
    Store::open(&config.store, Timestamp::UNIX_EPOCH).await?.close().await;
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    );
    let statements = [
        format!(
            "INSERT INTO subscribers (address, address_key, created_at) {numbers} \
             SELECT 'reader' || i || '@example.org', 'reader' || i || '@example.org', 0 FROM n"
        ),
        "INSERT INTO subscriptions (subscriber_id, newsletter, cadence, state, source, created_at) \
         SELECT id, 'weekly', 'instant', 'active', 'bench', 0 FROM subscribers"
            .to_owned(),
    ];
    for statement in statements {
        let statement = AssertSqlSafe(statement);
        match &config.store {
            StoreUrl::Sqlite(path) => {
                let url = format!("sqlite:{}", path.display());
                let mut connection = SqliteConnection::connect(&url).await?;
                connection.execute(statement).await.context("add readers")?;
                connection.close().await?;
            }
            StoreUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(url.expose()).await?;
                connection.execute(statement).await.context("add readers")?;
                connection.close().await?;
            }
        }
    }
    Ok(())
}

/// The processes of the PostgreSQL server that work for our database.
pub(crate) async fn server_processes(store: &str) -> anyhow::Result<Vec<u32>> {
    const SQL: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                       AND pid <> pg_backend_pid()";
    let mut connection = PgConnection::connect(store).await?;
    let processes: Vec<i32> = sqlx::query_scalar(SQL).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(processes.into_iter().filter_map(|process| u32::try_from(process).ok()).collect())
}
