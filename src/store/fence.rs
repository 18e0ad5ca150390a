//! Fencing: a database that was restored or copied sends nothing until a person has said what to do about it.
//!
//! Beside an SQLite file lies a record of it (`seen`); on PostgreSQL the database itself remembers where it was, and each
//! process how far it had come. Whether these speak against the database is for `domain::doubt` to say.

use std::path::Path;

use jiff::Timestamp;
use sqlx::Row as _;

use super::audience::latest_news_sql;
use super::engine::{Pools, Store, Tx, doing, instant, on_engine};
use super::{Event, StoreError, seen};
use crate::domain::{Doubt, Mark, Memory, Place, Seen, doubt, random_token};
use crate::telemetry;

/// Nothing is planned and nothing goes out, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fenced {
    pub since: Timestamp,
    pub why: String,
}

/// What waits behind the fence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pending {
    pub editions: i64,
    pub mails: i64,
    pub letters: i64,
    pub announcements: i64,
}

/// What the database says of itself.
struct Own {
    mark: Mark,
    place: String,
    fenced: Option<Fenced>,
    deliveries: i64,
}

const OWN: &str = "SELECT database_id, moves, place, fenced_at, fenced_why, \
                   (SELECT next_id FROM counters WHERE name = 'deliveries') - 1 AS deliveries FROM instance";

impl Tx {
    /// Why nothing goes out, if it is so.
    pub async fn fenced(&mut self) -> Result<Option<Fenced>, StoreError> {
        Ok(self.own().await?.fenced)
    }

    /// Puts a fence around everything that goes out; one that is there stays, with its reason. Batches that somebody works on are
    /// worked on no more: the ledger refuses their next deliveries (`step`), and notes what became of those under way.
    pub async fn put_fence(&mut self, why: &str, now: Timestamp) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE instance SET fenced_at = $1, fenced_why = $2 WHERE fenced_at IS NULL";
        let is_new = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(now.as_microsecond())
            .bind(why)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("fence the database"))?;
        if is_new {
            self.record_event(Event::new("database.fenced", now).detail(why)).await?;
        }
        Ok(())
    }

    /// Takes the fence away. False: there was none.
    pub async fn lift_fence(&mut self, how: &str, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE instance SET fenced_at = NULL, fenced_why = '', moves = moves + 1 \
                           WHERE fenced_at IS NOT NULL";
        let was_there = on_engine!(self, |conn| sqlx::query(SQL)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("take the fence away"))?;
        if was_there {
            self.record_event(Event::new("database.released", now).detail(how)).await?;
        }
        Ok(was_there)
    }

    /// What waits to go out. Looks at open batches only.
    pub async fn pending(&mut self) -> Result<Pending, StoreError> {
        const SQL: &str = "SELECT count(d.edition_id) AS mails, count(d.letter_id) AS letters, \
                           count(d.announcement_id) AS announcements, \
                           (SELECT count(*) FROM editions WHERE state IN ('sealed', 'paused')) AS editions \
                           FROM batches b JOIN deliveries d ON d.id BETWEEN b.first_id AND b.last_id \
                           WHERE b.is_open AND d.state IN ('planned', 'sending', 'deferred', 'uncertain')";
        on_engine!(self, |conn| sqlx::query(SQL).fetch_one(conn).await.and_then(|row| Ok(
            Pending {
                editions: row.try_get("editions")?,
                mails: row.try_get("mails")?,
                letters: row.try_get("letters")?,
                announcements: row.try_get("announcements")?,
            }
        )))
        .map_err(doing("count what waits"))
    }

    /// Everything that waits is cancelled, and every schedule and channel begins anew at `now`: what fell due before is
    /// neither made up for nor news. Returns what was cancelled.
    pub async fn drop_pending(&mut self, why: &str, now: Timestamp) -> Result<Pending, StoreError> {
        // Editions, batches, deliveries: in this order everywhere.
        const EDITIONS: &str = "UPDATE editions SET state = 'cancelled', why = $1, finished_at = $2 \
                                WHERE state IN ('sealed', 'paused') RETURNING id";
        const BATCHES: &str = "UPDATE batches SET is_shut = FALSE, owner = NULL, lease_until = NULL, \
                               epoch = epoch + 1 WHERE is_open";
        const DELIVERIES: &str = "UPDATE deliveries SET state = 'cancelled', is_held = FALSE, not_before = NULL, \
                                  changed_at = $1 FROM batches b WHERE b.is_open \
                                  AND deliveries.id BETWEEN b.first_id AND b.last_id \
                                  AND deliveries.state IN ('planned', 'sending', 'deferred', 'uncertain')";
        const LETTERS: &str = "UPDATE letters SET content = '' WHERE content <> '' AND id IN (SELECT d.letter_id \
                               FROM batches b JOIN deliveries d ON d.id BETWEEN b.first_id AND b.last_id \
                               WHERE b.is_open AND d.letter_id IS NOT NULL)";
        const CLOSE: &str = "UPDATE batches SET is_open = FALSE WHERE is_open";
        const SCHEDULES: &str =
            "UPDATE schedules SET considered_until = $1 WHERE considered_until < $1";
        const CHANNELS: &str = "UPDATE channels SET since_at = $1 WHERE since_at < $1";
        const SUBSCRIPTIONS: &str = concat!(
            "UPDATE subscriptions SET owed = '', catches_up = FALSE, had_through = ",
            latest_news_sql!("subscriptions.newsletter")
        );
        const WELCOMES: &str = "UPDATE sequence_steps SET due_at = NULL WHERE due_at <= $1";
        let pending = self.pending().await?;
        let micros = now.as_microsecond();
        let cancelled: Vec<(i64,)> = on_engine!(self, |conn| {
            let failed = || doing("drop what waits");
            let cancelled = sqlx::query_as(EDITIONS)
                .bind(why)
                .bind(micros)
                .fetch_all(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(BATCHES).execute(&mut *conn).await.map_err(failed())?;
            for sql in [DELIVERIES, SCHEDULES, CHANNELS, WELCOMES] {
                sqlx::query(sql).bind(micros).execute(&mut *conn).await.map_err(failed())?;
            }
            for sql in [LETTERS, CLOSE, SUBSCRIPTIONS] {
                sqlx::query(sql).execute(&mut *conn).await.map_err(failed())?;
            }
            cancelled
        });
        for (id,) in cancelled {
            let event = Event::new("edition.cancelled", now).edition(crate::domain::EditionId(id));
            self.record_event(event.detail(why)).await?;
        }
        self.drop_pings().await?;
        Ok(pending)
    }

    async fn own(&mut self) -> Result<Own, StoreError> {
        on_engine!(self, |conn| sqlx::query(OWN).fetch_one(conn).await.and_then(|row| {
            let since: Option<i64> = row.try_get("fenced_at")?;
            let why = row.try_get("fenced_why")?;
            Ok(Own {
                mark: Mark { database: row.try_get("database_id")?, moves: row.try_get("moves")? },
                place: row.try_get("place")?,
                fenced: since.map(|since| Fenced { since: instant(since), why }),
                deliveries: row.try_get("deliveries")?,
            })
        }))
        .map_err(doing("read what the database says of itself"))
    }

    async fn take_own(&mut self) -> Result<Own, StoreError> {
        // Whoever comes second sees what the first one noted.
        const TAKE: &str = "UPDATE instance SET moves = moves";
        on_engine!(self, |conn| sqlx::query(TAKE).execute(conn).await.map(|_| ()))
            .map_err(doing("take the database's mark"))?;
        self.own().await
    }

    async fn set_own(&mut self, mark: &Mark, place: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE instance SET database_id = $1, moves = $2, place = $3";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(&mark.database)
            .bind(mark.moves)
            .bind(place)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("mark the database"))
    }

    /// Leaves numbers out that may have been given to deliveries since: by its number a receiver knows what it had before, and
    /// would drop another mail or call that has the same. Returns the last one left out.
    async fn pass_over_ids(&mut self, own: &Own, memory: &Memory) -> Result<i64, StoreError> {
        const SQL: &str =
            "UPDATE counters SET next_id = $1 + 1 WHERE name = 'deliveries' AND next_id <= $1";
        // As many again as it knows of, where nobody knows better; a round number, which people can read.
        const ROUND: i64 = 1_000_000;
        let known = match memory {
            Memory::Seen(seen) => own.deliveries.max(seen.deliveries),
            Memory::Nothing | Memory::Unreadable => own.deliveries,
        };
        let last = (known / ROUND).saturating_add(1).saturating_mul(2 * ROUND);
        on_engine!(self, |conn| sqlx::query(SQL).bind(last).execute(conn).await.map(|_| ()))
            .map_err(doing("pass over the numbers of deliveries"))?;
        Ok(last)
    }

    /// Whether anything went out from this database, or is news.
    async fn has_past(&mut self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT (EXISTS (SELECT 1 FROM deliveries) OR EXISTS (SELECT 1 FROM posts WHERE is_news)) \
                           AS has_past";
        on_engine!(self, |conn| sqlx::query(SQL)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("has_past")))
        .map_err(doing("ask whether the database has a past"))
    }
}

impl Store {
    /// What speaks against this database being the one that has been sending. Changes nothing.
    pub async fn doubt(&self) -> Result<Option<Doubt>, StoreError> {
        let here = self.place().await?;
        // First: a daemon beside us writes its record after it has raised the count.
        let record = self.record();
        let mut tx = self.read().await?;
        let own = tx.own().await?;
        let memory = record.unwrap_or_else(|| remembered(&own));
        let has_past = tx.has_past().await?;
        Ok(doubt(&own.mark, &here, &memory, has_past))
    }

    /// Looks whether this is the database that has been sending, puts a fence around it if not, and takes note of it as it is
    /// now. To be called before anything is sent.
    pub async fn recognise(&self, now: Timestamp) -> Result<Watchman, StoreError> {
        let here = self.place().await?;
        let mut tx = self.write_uncounted().await?;
        let own = tx.take_own().await?;
        let memory = self.record().unwrap_or_else(|| remembered(&own));
        let has_past = tx.has_past().await?;
        let found = doubt(&own.mark, &here, &memory, has_past);
        let mut deliveries = own.deliveries;
        if let Some(doubt) = found {
            tx.put_fence(&explained(doubt, &own, &memory), now).await?;
            deliveries = tx.pass_over_ids(&own, &memory).await?;
        }
        let remembered = match &memory {
            Memory::Seen(seen) if seen.mark.database == own.mark.database => seen.mark.moves,
            _ => 0,
        };
        // A copy is somebody else from now on; what its original does is no concern of it.
        let is_same = matches!(found, None | Some(Doubt::Older)) && !own.mark.database.is_empty();
        let database = if is_same { own.mark.database.clone() } else { random_token() };
        let mark = Mark { database, moves: own.mark.moves.max(remembered) + 1 };
        let here = match memory {
            Memory::Seen(seen) if is_same => here.or(seen.place),
            _ => here,
        };
        let place = serde_json::to_string(&here).expect("a place can be written as JSON");
        tx.set_own(&mark, &place).await?;
        let fenced = tx.fenced().await?;
        tx.commit().await?;
        let mut watchman = Watchman {
            store: self.clone(),
            commits: self.commits(),
            seen: Seen { mark, place: here, deliveries, at: now },
            fenced,
            cannot_write: false,
        };
        watchman.write_record();
        Ok(watchman)
    }

    /// Puts a fence up by hand: a person knows better than the record. False: there is one.
    pub async fn raise_fence(&self, why: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let own = tx.take_own().await?;
        if own.fenced.is_some() {
            return Ok(false);
        }
        tx.put_fence(why, now).await?;
        tx.pass_over_ids(&own, &Memory::Nothing).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What is written down beside an SQLite file.
    fn record(&self) -> Option<Memory> {
        match self.pools() {
            Pools::Sqlite { path, .. } => Some(seen::read(path)),
            Pools::Postgres { .. } => None,
        }
    }

    async fn place(&self) -> Result<Place, StoreError> {
        // What is not allowed on a server is not known of it.
        const SYSTEM: &str = "SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()";
        // Not that of the last checkpoint, which may be from before a recovery.
        const TIMELINE: &str = "SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";
        const DATABASE: &str =
            "SELECT CAST(oid AS BIGINT) FROM pg_database WHERE datname = current_database()";
        const TABLE: &str = "SELECT CAST(CAST(to_regclass('instance') AS OID) AS BIGINT)";
        let pool = match self.pools() {
            Pools::Sqlite { path, .. } => return Ok(seen::place_of(path)),
            Pools::Postgres { pool, .. } => pool,
        };
        Ok(Place {
            system: if_allowed(sqlx::query_scalar(SYSTEM).fetch_one(pool).await)?,
            timeline: if_allowed(sqlx::query_scalar(TIMELINE).fetch_one(pool).await)?,
            database: if_allowed(sqlx::query_scalar(DATABASE).fetch_one(pool).await)?,
            table: if_allowed(sqlx::query_scalar(TABLE).fetch_one(pool).await)?,
            ..Place::default()
        })
    }
}

/// What the database itself remembers, on PostgreSQL.
fn remembered(own: &Own) -> Memory {
    if own.place.is_empty() {
        return Memory::Nothing;
    }
    serde_json::from_str(&own.place).map_or(Memory::Unreadable, |place| {
        let (mark, deliveries) = (own.mark.clone(), own.deliveries);
        Memory::Seen(Seen { mark, place, deliveries, at: Timestamp::UNIX_EPOCH })
    })
}

fn if_allowed<T>(answer: Result<T, sqlx::Error>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(known) => Ok(Some(known)),
        Err(sqlx::Error::Database(error)) if is_refused(error.code().as_deref()) => Ok(None),
        Err(error) => Err(doing("ask where the database is")(error)),
    }
}

/// The role may not ask, or this kind of server cannot say. Whatever else goes wrong is no answer.
fn is_refused(code: Option<&str>) -> bool {
    // insufficient_privilege, undefined_function, feature_not_supported, object_not_in_prerequisite_state.
    matches!(code, Some("42501" | "42883" | "0A000" | "55000"))
}

fn explained(doubt: Doubt, own: &Own, memory: &Memory) -> String {
    let why = doubt.why();
    match memory {
        Memory::Seen(seen) if doubt == Doubt::Older => {
            let forgotten = seen.deliveries.saturating_sub(own.deliveries).max(0);
            format!(
                "{why}. It has forgotten {forgotten} planned deliveries, and whatever else happened until {}",
                seen.at.strftime("%Y-%m-%d %H:%M UTC")
            )
        }
        _ => why.to_owned(),
    }
}

/// Follows the database while it is worked on: raises its count after work was done and writes the record beside it.
#[derive(Debug)]
pub struct Watchman {
    store: Store,
    /// How often this process had committed something when the count was raised last.
    commits: u64,
    seen: Seen,
    fenced: Option<Fenced>,
    cannot_write: bool,
}

impl Watchman {
    /// Why nothing goes out, as of the last look.
    pub fn fenced(&self) -> Option<&Fenced> {
        self.fenced.as_ref()
    }

    /// Looks at the database. Cheap when nothing was done since the last look.
    pub async fn look(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let commits = self.store.commits();
        let own = self.store.read().await?.own().await?;
        let here = if self.path().is_some() {
            self.seen.place.clone()
        } else {
            self.store.place().await?.or(self.seen.place.clone())
        };
        let is_older =
            own.mark.database != self.seen.mark.database || own.mark.moves < self.seen.mark.moves;
        if commits == self.commits && here == self.seen.place && !is_older {
            self.fenced = own.fenced;
            return Ok(());
        }
        let mut tx = self.store.write_uncounted().await?;
        let own = tx.take_own().await?;
        let mut deliveries = own.deliveries;
        if own.mark.database != self.seen.mark.database {
            // Another process has looked at it and said what was to be said.
            self.seen.mark = own.mark.clone();
        } else if own.mark.moves < self.seen.mark.moves {
            // A failover has lost what was committed, or somebody restored a database under us.
            let memory = Memory::Seen(self.seen.clone());
            tx.put_fence(&explained(Doubt::Older, &own, &memory), now).await?;
            deliveries = tx.pass_over_ids(&own, &memory).await?;
        }
        let moves = own.mark.moves.max(self.seen.mark.moves) + 1;
        let mark = Mark { database: own.mark.database, moves };
        let place = serde_json::to_string(&here).expect("a place can be written as JSON");
        tx.set_own(&mark, &place).await?;
        self.fenced = tx.fenced().await?;
        tx.commit().await?;
        self.commits = commits;
        self.seen = Seen { mark, place: here, deliveries, at: now };
        self.write_record();
        Ok(())
    }

    fn path(&self) -> Option<&Path> {
        match self.store.pools() {
            Pools::Sqlite { path, .. } => Some(path),
            Pools::Postgres { .. } => None,
        }
    }

    fn write_record(&mut self) {
        let Some(path) = self.path() else { return };
        let written = seen::write(path, &self.seen);
        let path = seen::path_of(path);
        match written {
            Ok(()) => self.cannot_write = false,
            Err(error) if !self.cannot_write => {
                self.cannot_write = true;
                tracing::error!(
                    path = %path.display(),
                    error = %telemetry::causes(&error),
                    "the record beside the database cannot be written: a restored backup may go unnoticed until it can"
                );
            }
            Err(_) => {}
        }
    }
}
