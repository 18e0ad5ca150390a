//! Who gets what of an edition: subscriptions that stand alike are looked at as one, and dealt with as one.
//!
//! `profiles` reads how the subscriptions that are due stand, `planner` decides for each such profile, `deal` writes it down:
//! each subscription's share, to be sealed as an edition, and how it stands then.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row as _};

use super::StoreError;
use super::due::{Due, MEANT, Whose, due_sql, reachable_sql};
use super::engine::{Tx, doing, on_engine};
use crate::domain::{Cadence, EditionId, SendTime, Slot, SubscriptionId, Topics};

/// Profiles that travel to the database at once.
const ROWS: usize = 5_000;

/// Subscriptions that stand alike: the same choice, and the same news behind them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    pub topics: Topics,
    pub language: Option<String>,
    /// All news up to this number is behind them ...
    pub had_through: i64,
    /// ... but for these numbers, in order.
    pub owed: Vec<i64>,
    /// Neither paused nor suppressed, and of the newsletter's audience.
    pub is_reachable: bool,
    /// How many they are.
    pub people: i64,
}

/// What becomes of the subscriptions of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealt<'a> {
    pub profile: &'a Profile,
    /// A number that those have in common who get the same edition. None: they get none.
    pub share: Option<i64>,
    pub had_through: i64,
    pub owed: Vec<i64>,
}

impl Dealt<'_> {
    /// Whether they get something, or stand otherwise than before.
    pub fn is_change(&self) -> bool {
        let stood = (self.profile.had_through, &self.profile.owed);
        self.share.is_some() || stood != (self.had_through, &self.owed)
    }
}

#[derive(Serialize)]
struct DealtRow {
    topics: String,
    language: String,
    had_through: i64,
    owed: String,
    is_reachable: bool,
    share: Option<i64>,
    new_had_through: i64,
    new_owed: String,
}

/// What of a subscription makes its profile.
macro_rules! alike_sql {
    () => {
        concat!(
            "x.topics = s.topics AND x.language = s.language AND x.had_through = s.had_through AND x.owed = s.owed \
             AND x.is_reachable = ",
            reachable_sql!()
        )
    };
}

impl Tx {
    /// How the subscriptions of `newsletter` that are due stand at `now`.
    pub async fn profiles(
        &mut self,
        due: Due<'_>,
        now: Timestamp,
    ) -> Result<Vec<Profile>, StoreError> {
        let sql = due_sql!(
            due.whose,
            self.is_postgres(),
            concat!(
                "SELECT s.topics, s.language, s.had_through, s.owed, ",
                reachable_sql!(),
                " AS is_reachable, count(*) AS people \
                 FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id WHERE "
            ),
            " GROUP BY 1, 2, 3, 4, 5"
        );
        let (sql, values) = self.filled(sql, due, now);
        let (what, cadence) = due.whose.bounds();
        let found: Vec<(String, String, i64, String, bool, i64)> =
            on_engine!(self, |conn| sqlx::query_as(sql)
                .bind(due.newsletter)
                .bind(now.as_microsecond())
                .bind(what)
                .bind(cadence)
                .bind(values)
                .fetch_all(conn)
                .await)
            .map_err(doing("read who is due"))?;
        found
            .into_iter()
            .map(|(topics, language, had_through, owed, is_reachable, people)| {
                Ok(Profile {
                    topics: read_topics(&topics)?,
                    language: (!language.is_empty()).then_some(language),
                    had_through,
                    owed: read_owed(&owed)?,
                    is_reachable,
                    people,
                })
            })
            .collect()
    }

    /// Whoever wants to change their choice meanwhile waits until this transaction ends. On SQLite they wait anyway.
    pub async fn hold_still(&mut self, due: Due<'_>, now: Timestamp) -> Result<(), StoreError> {
        if !self.is_postgres() {
            return Ok(());
        }
        let sql = due_sql!(
            due.whose,
            true,
            "SELECT count(*) FROM (SELECT s.id FROM subscriptions s WHERE ",
            " FOR UPDATE) AS held WHERE CAST($2 AS BIGINT) IS NOT NULL"
        );
        let (what, cadence) = due.whose.bounds();
        // Whoever is not meant is held as well: that does no harm.
        let sql = AssertSqlSafe(sql.replace(MEANT, "TRUE"));
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(due.newsletter)
            .bind(now.as_microsecond())
            .bind(what)
            .bind(cadence)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("hold those who are due"))
    }

    /// Writes down what each subscription that is due gets, for `seal_edition`, and how it stands from now on. `dealt` is made of what
    /// `profiles` gave in this transaction.
    pub async fn deal(
        &mut self,
        due: Due<'_>,
        dealt: &[Dealt<'_>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const ADVANCE: &str = "UPDATE subscriptions SET had_through = x.had_through, owed = x.owed, \
                               catches_up = (subscriptions.catches_up AND x.owed <> '') \
                               FROM shares x WHERE x.subscription_id = subscriptions.id";
        const INDEX: &str = "CREATE INDEX shares_by_share ON shares (share)";
        self.make_dealt(dealt).await?;
        // Looked for once: what is advanced is what is dealt, whatever changes meanwhile.
        let insert = due_sql!(
            due.whose,
            self.is_postgres(),
            "INSERT INTO shares (subscription_id, share, had_through, owed) \
             SELECT s.id, x.share, x.new_had_through, x.new_owed FROM subscriptions s \
             JOIN subscribers p ON p.id = s.subscriber_id JOIN dealt x ON ",
            concat!(" AND ", alike_sql!())
        );
        let (insert, values) = self.filled(insert, due, now);
        let (what, cadence) = due.whose.bounds();
        let failed = || doing("deal out what is due");
        on_engine!(self, |conn| {
            sqlx::query(insert)
                .bind(due.newsletter)
                .bind(now.as_microsecond())
                .bind(what)
                .bind(cadence)
                .bind(values)
                .execute(&mut *conn)
                .await
                .map_err(failed())?;
            sqlx::query(ADVANCE).execute(&mut *conn).await.map_err(failed())?;
            sqlx::raw_sql(INDEX).execute(conn).await.map_err(failed())?;
        });
        Ok(())
    }

    /// Deals the same to some, whatever news they have had. Returns their share and how many they are, for `seal_edition`.
    pub async fn deal_to(&mut self, those: &[SubscriptionId]) -> Result<(i64, i64), StoreError> {
        self.make_dealt(&[]).await?;
        let those: Vec<i64> = those.iter().map(|id| id.0).collect();
        let rows = serde_json::to_string(&those).expect("numbers can be written as JSON");
        let sql = if self.is_postgres() {
            "INSERT INTO shares (subscription_id, share) SELECT CAST(value AS BIGINT), 0 \
             FROM json_array_elements_text(CAST($1 AS json)) AS each(value)"
        } else {
            "INSERT INTO shares (subscription_id, share) SELECT value, 0 FROM json_each($1)"
        };
        on_engine!(self, |conn| sqlx::query(sql).bind(rows).execute(conn).await.map(|_| ()))
            .map_err(doing("deal out what is due"))?;
        Ok((0, i64::try_from(those.len()).unwrap_or(i64::MAX)))
    }

    /// What was dealt is sealed.
    pub async fn forget_shares(&mut self) -> Result<(), StoreError> {
        const SQL: &str = "DROP TABLE dealt; DROP TABLE shares";
        on_engine!(self, |conn| sqlx::raw_sql(SQL).execute(conn).await.map(|_| ()))
            .map_err(doing("forget what was dealt"))
    }

    /// The tables that are there for this transaction only.
    async fn make_dealt(&mut self, dealt: &[Dealt<'_>]) -> Result<(), StoreError> {
        const TABLES: &str = "DROP TABLE IF EXISTS dealt; DROP TABLE IF EXISTS shares; \
            CREATE TEMPORARY TABLE dealt (topics TEXT, language TEXT, had_through BIGINT, owed TEXT, is_reachable BOOLEAN, \
            share BIGINT, new_had_through BIGINT, new_owed TEXT, \
            PRIMARY KEY (topics, language, had_through, owed, is_reachable)); \
            CREATE TEMPORARY TABLE shares (subscription_id BIGINT PRIMARY KEY, share BIGINT, had_through BIGINT, owed TEXT)";
        const SQLITE: &str = "INSERT INTO dealt SELECT value->>'topics', value->>'language', value->>'had_through', \
                              value->>'owed', value->>'is_reachable', value->>'share', value->>'new_had_through', \
                              value->>'new_owed' FROM json_each($1)";
        const POSTGRES: &str = "INSERT INTO dealt SELECT * FROM json_to_recordset(CAST($1 AS json)) AS each(\
                                topics TEXT, language TEXT, had_through BIGINT, owed TEXT, is_reachable BOOLEAN, \
                                share BIGINT, new_had_through BIGINT, new_owed TEXT)";
        let insert = if self.is_postgres() { POSTGRES } else { SQLITE };
        let failed = || doing("deal out what is due");
        on_engine!(self, |conn| sqlx::raw_sql(TABLES).execute(conn).await.map(|_| ()))
            .map_err(failed())?;
        for dealt in dealt.chunks(ROWS) {
            let rows: Vec<_> = dealt.iter().map(DealtRow::of).collect();
            let rows =
                serde_json::to_string(&rows).expect("texts and numbers can be written as JSON");
            on_engine!(self, |conn| sqlx::query(insert).bind(rows).execute(conn).await.map(|_| ()))
                .map_err(failed())?;
        }
        Ok(())
    }

    /// An edition that nobody has is taken back: its recipients are owed its posts again.
    pub(super) async fn give_back(&mut self, id: EditionId) -> Result<(), StoreError> {
        const POSTS: &str = "SELECT n.seq FROM editions e JOIN edition_posts p ON p.edition_id = e.id \
                             JOIN news n ON n.newsletter = e.newsletter AND n.post_id = p.post_id WHERE e.id = $1";
        const ALONE: &str = "UPDATE news SET alone_at = NULL WHERE (newsletter, post_id) IN \
                             (SELECT e.newsletter, p.post_id FROM editions e JOIN edition_posts p ON p.edition_id = e.id \
                             WHERE e.id = $1 AND e.cadence = 'instant')";
        const WERE: &str = "SELECT DISTINCT s.owed FROM editions e JOIN deliveries d \
                            ON d.id BETWEEN e.first_delivery AND e.last_delivery \
                            JOIN subscriptions s ON s.id = d.subscription_id WHERE e.id = $1";
        const OWE: &str = "UPDATE subscriptions SET owed = $3 WHERE owed = $2 AND id IN (SELECT d.subscription_id \
                           FROM editions e JOIN deliveries d ON d.id BETWEEN e.first_delivery AND e.last_delivery \
                           WHERE e.id = $1)";
        let failed = || doing("owe what was taken back");
        let (posts, were): (Vec<i64>, Vec<String>) = on_engine!(self, |conn| {
            let posts = sqlx::query_scalar(POSTS).bind(id.0).fetch_all(&mut *conn).await;
            sqlx::query(ALONE).bind(id.0).execute(&mut *conn).await.map_err(failed())?;
            let were = sqlx::query_scalar(WERE).bind(id.0).fetch_all(conn).await;
            (posts.map_err(failed())?, were.map_err(failed())?)
        });
        // What is changed must not be met again under its new name.
        let mut changes = Vec::new();
        for owed in were {
            let mut now_owed = read_owed(&owed)?;
            now_owed.extend(posts.iter().copied());
            now_owed.sort_unstable();
            now_owed.dedup();
            changes.push((owed, write_owed(&now_owed)));
        }
        changes.sort_by_key(|(owed, _)| std::cmp::Reverse(owed.len()));
        for (owed, now_owed) in changes.iter().filter(|(owed, now_owed)| owed != now_owed) {
            on_engine!(self, |conn| sqlx::query(OWE)
                .bind(id.0)
                .bind(owed)
                .bind(now_owed)
                .execute(conn)
                .await
                .map(|_| ()))
            .map_err(failed())?;
        }
        Ok(())
    }

    /// The times at which subscribers of `newsletter` get digests in `cadence`.
    pub async fn slots(
        &mut self,
        newsletter: &str,
        cadence: Cadence,
    ) -> Result<Vec<Slot>, StoreError> {
        const SQL: &str = "SELECT c.timezone, c.send_time FROM slots c WHERE c.newsletter = $1 AND c.cadence = $2 \
                           AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.newsletter = c.newsletter \
                           AND s.cadence = c.cadence AND s.state = 'active' AND s.timezone = c.timezone \
                           AND s.send_time = c.send_time) ORDER BY c.timezone, c.send_time";
        let found: Vec<(String, String)> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence.as_str())
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok((row.try_get("timezone")?, row.try_get("send_time")?)))
                .collect()))
        .map_err(doing("read when digests fall due"))?;
        found
            .into_iter()
            .map(|(timezone, send_time)| {
                Ok(Slot {
                    cadence,
                    timezone: (!timezone.is_empty()).then_some(timezone),
                    send_time: read_send_time(&send_time)?,
                })
            })
            .collect()
    }
}

impl DealtRow {
    fn of(dealt: &Dealt<'_>) -> Self {
        let profile = dealt.profile;
        Self {
            topics: write_topics(&profile.topics),
            language: profile.language.clone().unwrap_or_default(),
            had_through: profile.had_through,
            owed: write_owed(&profile.owed),
            is_reachable: profile.is_reachable,
            share: dealt.share,
            new_had_through: dealt.had_through,
            new_owed: write_owed(&dealt.owed),
        }
    }
}

/// A JSON array, or nothing for everything.
pub(super) fn write_topics(topics: &Topics) -> String {
    if topics.is_everything() {
        return String::new();
    }
    serde_json::to_string(topics).expect("texts can be written as JSON")
}

pub(super) fn read_topics(text: &str) -> Result<Topics, StoreError> {
    if text.is_empty() {
        return Ok(Topics::default());
    }
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("topics"))
}

fn write_owed(owed: &[i64]) -> String {
    if owed.is_empty() {
        return String::new();
    }
    serde_json::to_string(owed).expect("numbers can be written as JSON")
}

fn read_owed(text: &str) -> Result<Vec<i64>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt("what a subscription is owed"))
}

pub(super) fn read_send_time(text: &str) -> Result<Option<SendTime>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| StoreError::Corrupt("the hour of a digest"))
}
