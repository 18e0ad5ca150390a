//! Many people at once: a few statements for a whole run of an import, however many rows it has.
//!
//! Rows travel as one JSON array. Nothing here decides: `known_people` says how things stand, the importer what becomes of it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::Row as _;

use super::StoreError;
use super::audience::{latest_news_sql, written};
use super::engine::{Tx, doing, each_sql, instant, on_engine, optional_instant};
use crate::domain::{Choice, SubscriptionId, SubscriptionState};

/// Whose standing is asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Asked<'a> {
    /// Comes back with the answer.
    pub row: usize,
    /// [`EmailAddress::key`](crate::domain::EmailAddress::key).
    pub key: &'a str,
    pub hash: &'a str,
    pub newsletter: &'a str,
}

/// How somebody stands who is not new.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPerson {
    pub row: usize,
    /// None: nothing but the hash of a suppressed address is known.
    pub profile: Option<PersonProfile>,
    pub is_suppressed: bool,
    pub subscription: Option<KnownSubscription>,
}

/// What is known of a person beside the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonProfile {
    pub name: String,
    /// By name; JSON values.
    pub attributes: Map<String, Value>,
    pub tags: Vec<String>,
}

/// A subscription, as far as an import wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSubscription {
    pub id: SubscriptionId,
    pub state: SubscriptionState,
    pub source: String,
    /// When they said yes, if that is known.
    pub confirmed_at: Option<Timestamp>,
    /// They left, and did not say yes since.
    pub has_left: bool,
}

/// A subscriber to be written, new or changed.
#[derive(Clone, Debug)]
pub struct NewPerson<'a> {
    pub address: &'a str,
    pub key: &'a str,
    pub profile: &'a PersonProfile,
    /// Of those who are new.
    pub created_at: Timestamp,
}

/// A subscription to be written.
#[derive(Clone, Debug)]
pub struct NewSubscription<'a> {
    pub key: &'a str,
    pub newsletter: &'a str,
    pub choice: &'a Choice,
    pub state: SubscriptionState,
    pub source: &'a str,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub end_reason: &'a str,
    pub paused_until: Option<Timestamp>,
    pub consents: &'a [Evidence],
}

/// Evidence of consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Evidence {
    /// `asked`, `confirmed`, `added` or `imported`.
    pub kind: String,
    pub at: Timestamp,
    /// Network address that it came from.
    #[serde(default)]
    pub address: String,
    /// The form, or the file.
    #[serde(default)]
    pub form: String,
    /// What it said.
    #[serde(default)]
    pub statement: String,
}

/// An address that must not be mailed.
#[derive(Clone, Debug, Serialize)]
pub struct NewSuppression<'a> {
    pub key: &'a str,
    pub hash: &'a str,
    pub reason: &'a str,
}

/// A subscription that ends.
#[derive(Clone, Debug, Serialize)]
pub struct Ending<'a> {
    pub id: i64,
    /// Microseconds.
    pub at: i64,
    pub reason: &'a str,
}

#[derive(Serialize)]
struct PersonRow<'a> {
    address: &'a str,
    key: &'a str,
    at: i64,
    name: &'a str,
    attributes: String,
    tags: String,
}

#[derive(Serialize)]
struct SubscriptionLine<'a> {
    key: &'a str,
    newsletter: &'a str,
    cadence: &'a str,
    state: &'a str,
    source: &'a str,
    created: i64,
    confirmed: Option<i64>,
    ended: Option<i64>,
    reason: &'a str,
    paused: Option<i64>,
    topics: String,
    language: String,
    timezone: String,
    send_time: String,
    /// What the event says.
    event: &'static str,
}

#[derive(Serialize)]
struct EvidenceLine<'a> {
    key: &'a str,
    newsletter: &'a str,
    kind: &'a str,
    at: i64,
    address: &'a str,
    form: &'a str,
    statement: &'a str,
}

/// The subscription `s` of a row. CROSS JOIN keeps SQLite from looking at all subscribers first.
macro_rules! of_row_sql {
    () => {
        " CROSS JOIN subscribers p CROSS JOIN subscriptions s WHERE p.address_key = value->>'key' \
         AND s.subscriber_id = p.id AND s.newsletter = value->>'newsletter'"
    };
}

impl Tx {
    /// How those of `asked` stand who are known at all.
    pub async fn known_people(
        &mut self,
        asked: &[Asked<'_>],
    ) -> Result<Vec<KnownPerson>, StoreError> {
        let sql = each_sql!(
            self,
            "SELECT CAST(value->>'row' AS BIGINT) AS number, p.id AS person, p.name, p.attributes, p.tags, \
             (x.address_hash IS NOT NULL OR p.suppressed_at IS NOT NULL) AS is_suppressed, s.id, s.state, s.source, \
             s.confirmed_at, s.ended_at",
            " LEFT JOIN subscribers p ON p.address_key = value->>'key' \
             LEFT JOIN suppressions x ON x.address_hash = value->>'hash' \
             LEFT JOIN subscriptions s ON s.subscriber_id = p.id AND s.newsletter = value->>'newsletter' \
             WHERE p.id IS NOT NULL OR x.address_hash IS NOT NULL"
        );
        let found: Vec<KnownColumns> = on_engine!(self, |conn| sqlx::query(sql)
            .bind(json(asked))
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(KnownColumns {
                    row: row.try_get("number")?,
                    person: row.try_get("person")?,
                    name: row.try_get("name")?,
                    attributes: row.try_get("attributes")?,
                    tags: row.try_get("tags")?,
                    is_suppressed: row.try_get("is_suppressed")?,
                    subscription: row.try_get("id")?,
                    state: row.try_get("state")?,
                    source: row.try_get("source")?,
                    confirmed_at: row.try_get("confirmed_at")?,
                    ended_at: row.try_get("ended_at")?,
                }))
                .collect()))
        .map_err(doing("look up whom an import names"))?;
        found.into_iter().map(KnownColumns::read).collect()
    }

    /// Never mail these addresses again. The first reason stays.
    pub async fn suppress_all(
        &mut self,
        rows: &[NewSuppression<'_>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let list = each_sql!(
            self,
            "INSERT INTO suppressions (address_hash, reason, created_at) SELECT value->>'hash', value->>'reason', $2",
            " WHERE TRUE ON CONFLICT (address_hash) DO NOTHING"
        );
        let mark = each_sql!(
            self,
            "UPDATE subscribers SET suppressed_at = $2, suppression_reason = value->>'reason'",
            " WHERE address_key = value->>'key' AND suppressed_at IS NULL"
        );
        let note = each_sql!(
            self,
            "INSERT INTO events (at, kind, detail) SELECT $2, 'subscriber.suppressed', value->>'reason'",
            ""
        );
        let (rows, at) = (json(rows), now.as_microsecond());
        self.run_all(&[list, mark, note], (&rows, at), "suppress addresses").await
    }

    /// Adds these people, or writes what is new about them.
    pub async fn write_people(&mut self, people: &[NewPerson<'_>]) -> Result<(), StoreError> {
        if people.is_empty() {
            return Ok(());
        }
        let sql = each_sql!(
            self,
            "INSERT INTO subscribers (address, address_key, created_at, name, attributes, tags) \
             SELECT value->>'address', value->>'key', CAST(value->>'at' AS BIGINT), value->>'name', \
             value->>'attributes', value->>'tags'",
            " WHERE TRUE ON CONFLICT (address_key) DO UPDATE SET name = excluded.name, \
             attributes = excluded.attributes, tags = excluded.tags"
        );
        let rows: Vec<_> = people
            .iter()
            .map(|person| PersonRow {
                address: person.address,
                key: person.key,
                at: person.created_at.as_microsecond(),
                name: &person.profile.name,
                attributes: json(&person.profile.attributes),
                tags: json(&person.profile.tags),
            })
            .collect();
        let rows = json(&rows);
        on_engine!(self, |conn| sqlx::query(sql).bind(rows).execute(conn).await.map(|_| ()))
            .map_err(doing("add subscribers"))
    }

    /// Writes these subscriptions of people who are there, with the evidence and an event each. One that there is already
    /// becomes as this.
    pub async fn write_subscriptions(
        &mut self,
        subscriptions: &[NewSubscription<'_>],
        how: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if subscriptions.is_empty() {
            return Ok(());
        }
        let insert = each_sql!(
            self,
            concat!(
                "INSERT INTO subscriptions (subscriber_id, newsletter, cadence, state, source, created_at, \
                 confirmed_at, ended_at, end_reason, paused_until, topics, language, timezone, send_time, had_through) \
                 SELECT p.id, value->>'newsletter', value->>'cadence', value->>'state', value->>'source', \
                 CAST(value->>'created' AS BIGINT), CAST(value->>'confirmed' AS BIGINT), \
                 CAST(value->>'ended' AS BIGINT), value->>'reason', CAST(value->>'paused' AS BIGINT), \
                 value->>'topics', value->>'language', value->>'timezone', value->>'send_time', ",
                latest_news_sql!("value->>'newsletter'")
            ),
            " CROSS JOIN subscribers p WHERE p.address_key = value->>'key' \
             ON CONFLICT (subscriber_id, newsletter) DO UPDATE SET cadence = excluded.cadence, state = excluded.state, \
             source = excluded.source, confirmed_at = excluded.confirmed_at, ended_at = excluded.ended_at, \
             end_reason = excluded.end_reason, paused_until = excluded.paused_until, topics = excluded.topics, \
             language = excluded.language, timezone = excluded.timezone, send_time = excluded.send_time, \
             had_through = excluded.had_through, owed = '', catches_up = FALSE"
        );
        let note = each_sql!(
            self,
            "INSERT INTO events (at, kind, subscription_id, detail) SELECT $2, value->>'event', s.id, $3",
            of_row_sql!()
        );
        let slots = each_sql!(
            self,
            "INSERT INTO slots (newsletter, cadence, timezone, send_time) SELECT DISTINCT value->>'newsletter', \
             value->>'cadence', value->>'timezone', value->>'send_time'",
            " WHERE value->>'cadence' <> 'instant' ON CONFLICT DO NOTHING"
        );
        let rows = json(&subscriptions.iter().map(SubscriptionLine::of).collect::<Vec<_>>());
        let at = now.as_microsecond();
        let failed = || doing("add subscriptions");
        on_engine!(self, |conn| {
            sqlx::query(slots).bind(&rows).execute(&mut *conn).await.map_err(failed())?;
            sqlx::query(insert).bind(&rows).execute(&mut *conn).await.map_err(failed())?;
            let noted = sqlx::query(note).bind(&rows).bind(at).bind(how).execute(conn).await;
            noted.map_err(failed())?;
        });
        self.write_evidence(subscriptions).await
    }

    async fn write_evidence(
        &mut self,
        subscriptions: &[NewSubscription<'_>],
    ) -> Result<(), StoreError> {
        let sql = each_sql!(
            self,
            "INSERT INTO consents (subscription_id, kind, at, address, form, statement) SELECT s.id, value->>'kind', \
             CAST(value->>'at' AS BIGINT), value->>'address', value->>'form', value->>'statement'",
            of_row_sql!()
        );
        let rows: Vec<_> = subscriptions
            .iter()
            .flat_map(|one| one.consents.iter().map(|evidence| EvidenceLine::of(one, evidence)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let rows = json(&rows);
        on_engine!(self, |conn| sqlx::query(sql).bind(rows).execute(conn).await.map(|_| ()))
            .map_err(doing("keep evidence of consent"))
    }

    /// Ends these subscriptions, with an event each.
    pub async fn end_all(
        &mut self,
        endings: &[Ending<'_>],
        (how, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        if endings.is_empty() {
            return Ok(());
        }
        let end = each_sql!(
            self,
            "UPDATE subscriptions SET state = 'unsubscribed', ended_at = CAST(value->>'at' AS BIGINT), \
             end_reason = value->>'reason'",
            " WHERE subscriptions.id = CAST(value->>'id' AS BIGINT)"
        );
        let note = each_sql!(
            self,
            "INSERT INTO events (at, kind, subscription_id, detail) \
             SELECT $2, 'subscription.ended', CAST(value->>'id' AS BIGINT), $3",
            ""
        );
        let (rows, at) = (json(endings), now.as_microsecond());
        let failed = || doing("end subscriptions");
        on_engine!(self, |conn| {
            sqlx::query(end).bind(&rows).execute(&mut *conn).await.map_err(failed())?;
            let noted = sqlx::query(note).bind(&rows).bind(at).bind(how).execute(conn).await;
            noted.map_err(failed())?;
        });
        Ok(())
    }

    /// Runs statements over the same rows (`$1`) and instant (`$2`).
    async fn run_all(
        &mut self,
        statements: &[&'static str],
        (rows, at): (&str, i64),
        what: &'static str,
    ) -> Result<(), StoreError> {
        on_engine!(self, |conn| {
            for sql in statements {
                let done = sqlx::query(*sql).bind(rows).bind(at).execute(&mut *conn).await;
                done.map_err(doing(what))?;
            }
        });
        Ok(())
    }
}

/// A row of `known_people`, before its words are parsed.
struct KnownColumns {
    row: i64,
    person: Option<i64>,
    name: Option<String>,
    attributes: Option<String>,
    tags: Option<String>,
    is_suppressed: bool,
    subscription: Option<i64>,
    state: Option<String>,
    source: Option<String>,
    confirmed_at: Option<i64>,
    ended_at: Option<i64>,
}

impl KnownColumns {
    fn read(self) -> Result<KnownPerson, StoreError> {
        let profile = self.person.map(|_| PersonProfile {
            name: self.name.unwrap_or_default(),
            attributes: read_attributes(&self.attributes.unwrap_or_default()),
            tags: read_tags(&self.tags.unwrap_or_default()),
        });
        let subscription = match (self.subscription, self.state) {
            (Some(id), Some(state)) => Some(KnownSubscription {
                id: SubscriptionId(id),
                state: state.parse()?,
                source: self.source.unwrap_or_default(),
                confirmed_at: self.confirmed_at.map(instant),
                has_left: self.ended_at.is_some(),
            }),
            _ => None,
        };
        let row = usize::try_from(self.row).map_err(|_| StoreError::Corrupt("a row's number"))?;
        Ok(KnownPerson { row, profile, is_suppressed: self.is_suppressed, subscription })
    }
}

impl<'a> SubscriptionLine<'a> {
    fn of(one: &'a NewSubscription<'a>) -> Self {
        let (cadence, [topics, language, timezone, send_time]) = written(one.choice);
        let has_left = one.state == SubscriptionState::Unsubscribed;
        Self {
            key: one.key,
            newsletter: one.newsletter,
            cadence,
            state: one.state.as_str(),
            source: one.source,
            created: one.created_at.as_microsecond(),
            confirmed: one.confirmed_at.map(Timestamp::as_microsecond),
            ended: one.ended_at.map(Timestamp::as_microsecond),
            reason: one.end_reason,
            paused: one.paused_until.map(Timestamp::as_microsecond),
            topics,
            language,
            timezone,
            send_time,
            event: if has_left { "subscription.ended" } else { "subscription.added" },
        }
    }
}

impl<'a> EvidenceLine<'a> {
    fn of(one: &NewSubscription<'a>, evidence: &'a Evidence) -> Self {
        Self {
            key: one.key,
            newsletter: one.newsletter,
            kind: &evidence.kind,
            at: evidence.at.as_microsecond(),
            address: &evidence.address,
            form: &evidence.form,
            statement: &evidence.statement,
        }
    }
}

fn json(rows: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(rows).expect("texts and numbers can be written as JSON")
}

/// What is not an object, as after a hand went through the database, is none.
pub(super) fn read_attributes(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn read_tags(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn read_evidence(text: &str) -> Vec<Evidence> {
    #[derive(serde::Deserialize)]
    struct Stored {
        kind: String,
        at: i64,
        address: String,
        form: String,
        statement: String,
    }
    let stored: Vec<Stored> = serde_json::from_str(text).unwrap_or_default();
    stored
        .into_iter()
        .filter_map(|one| {
            let Stored { kind, at, address, form, statement } = one;
            let at = optional_instant(Some(at))?;
            Some(Evidence { kind, at, address, form, statement })
        })
        .collect()
}
