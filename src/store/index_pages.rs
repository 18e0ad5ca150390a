//! Pages as search engines were told of them, and which of them they are to hear of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Store, Tx, doing, on_engine};

/// What pings of search engines are called.
pub const INDEX_NOW: &str = "index-now";
/// What a page that is gone has for a revision.
const GONE: &str = "";
/// The row that says that there was a first look: no page is called so.
const LOOKED: &str = "";

impl Store {
    /// The pages that are known, with their revisions; those that are gone have an empty one. None: nobody has looked yet.
    pub async fn index_pages(&self) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        const SQL: &str = "SELECT url, revision FROM index_pages";
        let mut tx = self.read().await?;
        let mut pages: BTreeMap<String, String> =
            on_engine!(tx, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| {
                rows.into_iter()
                    .map(|row| Ok((row.try_get("url")?, row.try_get("revision")?)))
                    .collect()
            }))
            .map_err(doing("read which pages search engines know"))?;
        Ok(pages.remove(LOOKED).map(|_| pages))
    }

    /// Notes pages that are new or changed, or gone without a revision. Search engines are owed the news, unless this is the
    /// first look. What another node has noted already is no news.
    pub async fn note_index_pages(
        &self,
        pages: &[(&str, Option<&str>)],
        is_first: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let rows: Vec<(&str, &str)> =
            pages.iter().map(|(url, revision)| (*url, revision.unwrap_or(GONE))).collect();
        let mut tx = self.write().await?;
        let mut is_news = false;
        for rows in rows.chunks(5_000) {
            is_news |= tx.write_index_pages(rows, !is_first).await?;
        }
        if is_first {
            tx.write_index_pages(&[(LOOKED, "looked")], false).await?;
        } else if is_news {
            tx.owe_index_ping(now).await?;
        }
        tx.commit().await
    }

    /// Pages of which search engines are to hear, with their revisions, `limit` at most.
    pub async fn owed_index_pages(&self, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str =
            "SELECT url, revision FROM index_pages WHERE is_owed ORDER BY url LIMIT $1";
        let mut tx = self.read().await?;
        on_engine!(tx, |conn| sqlx::query(SQL).bind(limit).fetch_all(conn).await.and_then(|rows| {
            rows.into_iter()
                .map(|row| Ok((row.try_get("url")?, row.try_get("revision")?)))
                .collect()
        }))
        .map_err(doing("read of which pages search engines are to hear"))
    }
}

impl Tx {
    /// Whether any of `rows` was not known so.
    async fn write_index_pages(
        &mut self,
        rows: &[(&str, &str)],
        is_owed: bool,
    ) -> Result<bool, StoreError> {
        let json = serde_json::to_string(rows).map_err(|_| StoreError::Corrupt("a page"))?;
        let each = self.each();
        let sql = format!(
            "INSERT INTO index_pages (url, revision, is_owed) SELECT value->>0, value->>1, $2 FROM {each} WHERE true \
             ON CONFLICT (url) DO UPDATE SET revision = excluded.revision, is_owed = excluded.is_owed \
             WHERE index_pages.revision <> excluded.revision"
        );
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json)
            .bind(is_owed)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0))
        .map_err(doing("note the pages of which search engines are to hear"))
    }

    /// Search engines have heard of these pages as they are here; those that are gone are forgotten.
    pub async fn settle_index_pages(
        &mut self,
        pages: &[(String, String)],
    ) -> Result<(), StoreError> {
        let json = serde_json::to_string(pages).map_err(|_| StoreError::Corrupt("a page"))?;
        let each = self.each();
        let told = format!(
            "UPDATE index_pages SET is_owed = FALSE WHERE is_owed \
             AND (url, revision) IN (SELECT value->>0, value->>1 FROM {each})"
        );
        let gone = format!(
            "DELETE FROM index_pages WHERE revision = '' AND NOT is_owed \
             AND url IN (SELECT value->>0 FROM {each})"
        );
        on_engine!(self, |conn| {
            for sql in [told, gone] {
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(&json)
                    .execute(&mut *conn)
                    .await
                    .map_err(doing("note which pages search engines know"))?;
            }
        });
        Ok(())
    }
}
