//! Feeds as they were served: what a restart and every node must tell readers alike.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, instant, on_engine};
use crate::domain::{EntryHash, FeedVersion, ServedFeed};

/// Versions of a feed that are remembered.
const VERSIONS: i64 = 50;

/// With which time a feed is to be served, and what was served before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedFeed {
    pub last_modified: Timestamp,
    /// Oldest first, the one that is served last.
    pub versions: Vec<FeedVersion>,
}

/// What is served at a path, and how many versions there have been.
struct Head {
    version: i64,
    served: ServedFeed,
}

#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    version: i64,
    etag: &'a str,
    last_modified: i64,
    entries: String,
    added: String,
}

impl Store {
    /// Notes what is about to be served at each path, and answers with the times and the history to serve it with.
    ///
    /// A version that is served already keeps its time, whichever node noted it; any other gets a later one than the
    /// version before it, and `hubs` are owed the news. Writes nothing when nothing is new.
    pub async fn note_feeds(
        &self,
        feeds: &[(&str, ServedFeed)],
        hubs: &[String],
        now: Timestamp,
    ) -> Result<BTreeMap<String, NotedFeed>, StoreError> {
        let paths = serde_json::to_string(&feeds.iter().map(|(path, _)| path).collect::<Vec<_>>())
            .map_err(|_| StoreError::Corrupt("a path"))?;
        let mut tx = self.read().await?;
        let mut heads = tx.feed_heads(&paths).await?;
        if is_new(feeds, &heads) {
            drop(tx);
            tx = self.write().await?;
            tx.lock_feeds().await?;
            heads = tx.feed_heads(&paths).await?;
            let rows = tx.serve_feeds(feeds, &mut heads, now).await?;
            tx.owe_pings(&rows, hubs, now).await?;
        }
        let mut versions = tx.feed_versions(&paths).await?;
        tx.commit().await?;
        let noted = heads.into_iter().map(|(path, head)| {
            let versions = versions.remove(&path).unwrap_or_default();
            (path, NotedFeed { last_modified: head.served.last_modified, versions })
        });
        Ok(noted.collect())
    }
}

fn is_new(feeds: &[(&str, ServedFeed)], heads: &BTreeMap<String, Head>) -> bool {
    feeds
        .iter()
        .any(|(path, feed)| heads.get(*path).is_none_or(|head| head.served.etag != feed.etag))
}

impl Tx {
    /// Whoever is first decides. On SQLite who writes is alone anyway.
    async fn lock_feeds(&mut self) -> Result<(), StoreError> {
        self.lock("LOCK TABLE feed_heads IN SHARE ROW EXCLUSIVE MODE").await
    }

    /// Runs `sql`, which keeps other writers out, where there may be any.
    pub(super) async fn lock(&mut self, sql: &'static str) -> Result<(), StoreError> {
        if !self.is_postgres() {
            return Ok(());
        }
        on_engine!(self, |conn| sqlx::query(sql).execute(conn).await.map(|_| ()))
            .map_err(doing("keep others from noting feeds"))
    }

    async fn feed_heads(&mut self, paths: &str) -> Result<BTreeMap<String, Head>, StoreError> {
        let sql = format!(
            "SELECT path, version, etag, last_modified, entries FROM feed_heads WHERE path IN ({})",
            self.each_text()
        );
        let rows = on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(paths)
            .fetch_all(conn)
            .await
            .and_then(|rows| {
                rows.into_iter()
                    .map(|row| {
                        let served = ServedFeed {
                            etag: row.try_get("etag")?,
                            last_modified: instant(row.try_get("last_modified")?),
                            entries: hashes(row.try_get("entries")?),
                        };
                        let version = row.try_get("version")?;
                        Ok((row.try_get("path")?, Head { version, served }))
                    })
                    .collect()
            }));
        rows.map_err(doing("read what was served"))
    }

    async fn feed_versions(
        &mut self,
        paths: &str,
    ) -> Result<BTreeMap<String, Vec<FeedVersion>>, StoreError> {
        let sql = format!(
            "SELECT path, etag, added FROM feed_versions WHERE path IN ({}) ORDER BY path, version",
            self.each_text()
        );
        let rows: Vec<(String, FeedVersion)> =
            on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(paths)
                .fetch_all(conn)
                .await
                .and_then(|rows| {
                    rows.into_iter()
                        .map(|row| {
                            let added = hashes(row.try_get("added")?);
                            Ok((
                                row.try_get("path")?,
                                FeedVersion { etag: row.try_get("etag")?, added },
                            ))
                        })
                        .collect()
                }))
            .map_err(doing("read the versions of feeds"))?;
        let mut versions: BTreeMap<String, Vec<FeedVersion>> = BTreeMap::new();
        for (path, version) in rows {
            versions.entry(path).or_default().push(version);
        }
        Ok(versions)
    }

    /// Makes `feeds` what is served from now on, and brings `heads` up to that. Returns what is new, as JSON.
    async fn serve_feeds(
        &mut self,
        feeds: &[(&str, ServedFeed)],
        heads: &mut BTreeMap<String, Head>,
        now: Timestamp,
    ) -> Result<String, StoreError> {
        let mut rows = Vec::new();
        for (path, feed) in feeds {
            let before = heads.get(*path);
            let Some((served, version)) = feed.after(before.map(|head| &head.served)) else {
                continue;
            };
            let number = before.map_or(1, |head| head.version + 1);
            rows.push(Row {
                path,
                version: number,
                etag: &feed.etag,
                last_modified: served.last_modified.as_microsecond(),
                entries: hex(&served.entries),
                added: hex(&version.added),
            });
            heads.insert((*path).to_owned(), Head { version: number, served });
        }
        let json = serde_json::to_string(&rows).map_err(|_| StoreError::Corrupt("a feed"))?;
        self.write_feeds(&json, now).await?;
        Ok(json)
    }

    async fn write_feeds(&mut self, json: &str, now: Timestamp) -> Result<(), StoreError> {
        let each = self.each();
        let heads = format!(
            "INSERT INTO feed_heads (path, version, etag, last_modified, entries) \
             SELECT value->>'path', CAST(value->>'version' AS BIGINT), value->>'etag', \
             CAST(value->>'last_modified' AS BIGINT), value->>'entries' FROM {each} WHERE true \
             ON CONFLICT (path) DO UPDATE SET version = excluded.version, etag = excluded.etag, \
             last_modified = excluded.last_modified, entries = excluded.entries"
        );
        let versions = format!(
            "INSERT INTO feed_versions (path, version, etag, added, noted_at) \
             SELECT value->>'path', CAST(value->>'version' AS BIGINT), value->>'etag', \
             value->>'added', $2 FROM {each}"
        );
        let old = format!(
            "DELETE FROM feed_versions WHERE path IN (SELECT value->>'path' FROM {each}) \
             AND version <= (SELECT version FROM feed_heads \
             WHERE feed_heads.path = feed_versions.path) - $2"
        );
        on_engine!(self, |conn| {
            let now = now.as_microsecond();
            sqlx::query(sqlx::AssertSqlSafe(heads))
                .bind(json)
                .execute(&mut *conn)
                .await
                .map_err(doing("note what is served"))?;
            sqlx::query(sqlx::AssertSqlSafe(versions))
                .bind(json)
                .bind(now)
                .execute(&mut *conn)
                .await
                .map_err(doing("note the version of a feed"))?;
            sqlx::query(sqlx::AssertSqlSafe(old))
                .bind(json)
                .bind(VERSIONS)
                .execute(conn)
                .await
                .map_err(doing("forget old versions of feeds"))?;
        });
        Ok(())
    }
}

fn hex(hashes: &[EntryHash]) -> String {
    let mut text = String::with_capacity(16 * hashes.len());
    for hash in hashes {
        write!(text, "{hash:016x}").expect("a string takes every character");
    }
    text
}

fn hashes(text: &str) -> Vec<EntryHash> {
    let digits = text.as_bytes().chunks_exact(16);
    let read = |digits: &[u8]| {
        std::str::from_utf8(digits).ok().and_then(|it| EntryHash::from_str_radix(it, 16).ok())
    };
    digits.filter_map(read).collect()
}
