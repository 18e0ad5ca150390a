//! What people answered when they signed up, and the evidence that they did.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use crate::domain::{SubscriberId, SubscriptionId};

/// One piece of evidence that somebody wants a newsletter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// `asked` by a form, `confirmed` by the link in a mail, `added` without asking.
    pub kind: &'static str,
    /// Where from: the visitor's network address.
    pub address: String,
    /// Which page, or which site.
    pub form: String,
    /// The text that was shown.
    pub statement: String,
}

/// A kept piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    pub kind: String,
    pub at: Timestamp,
    pub address: String,
    pub form: String,
    pub statement: String,
}

impl Tx {
    /// Keeps the evidence for as long as the subscription is known.
    pub async fn note_consent(
        &mut self,
        subscription: SubscriptionId,
        consent: &Consent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO consents (subscription_id, kind, at, address, form, statement) \
                           VALUES ($1, $2, $3, $4, $5, $6)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscription.0)
            .bind(consent.kind)
            .bind(now.as_microsecond())
            .bind(&consent.address)
            .bind(&consent.form)
            .bind(&consent.statement)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep evidence of consent"))
    }

    /// The evidence for a subscription, oldest first.
    pub async fn consents_of(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Vec<ConsentRow>, StoreError> {
        const SQL: &str = "SELECT kind, at, address, form, statement FROM consents \
                           WHERE subscription_id = $1 ORDER BY id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscription.0)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(ConsentRow {
                    kind: row.try_get("kind")?,
                    at: instant(row.try_get("at")?),
                    address: row.try_get("address")?,
                    form: row.try_get("form")?,
                    statement: row.try_get("statement")?,
                }))
                .collect()))
        .map_err(doing("look up evidence of consent"))
    }

    /// How often this subscription was asked to confirm and did not, and when last.
    pub async fn unanswered(
        &mut self,
        subscription: SubscriptionId,
    ) -> Result<Option<(u32, Timestamp)>, StoreError> {
        const SQL: &str = "SELECT count(*) AS times, max(created_at) AS asked_at FROM confirmations \
                           WHERE subscription_id = $1 AND used_at IS NULL";
        let (times, asked_at): (i64, Option<i64>) = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscription.0)
            .fetch_one(conn)
            .await
            .and_then(|row| Ok((row.try_get("times")?, row.try_get("asked_at")?))))
        .map_err(doing("look up the last confirmation"))?;
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        Ok(asked_at.map(|at| (times, instant(at))))
    }

    /// Keeps what was answered until the confirmation is used: who asks again may answer otherwise, and a stranger's answers
    /// must not become anybody's.
    pub async fn keep_answers(
        &mut self,
        token_hash: &str,
        answers: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE confirmations SET answers = $2 WHERE token_hash = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .bind(answers)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("keep answers"))
    }

    /// What was answered with a confirmation; empty if nothing was.
    pub async fn answers_of(&mut self, token_hash: &str) -> Result<String, StoreError> {
        const SQL: &str = "SELECT answers FROM confirmations WHERE token_hash = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(token_hash)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("answers")).transpose()))
        .map(Option::unwrap_or_default)
        .map_err(doing("look up answers"))
    }

    /// A subscriber's name and attributes, a JSON object.
    pub async fn answers_kept(
        &mut self,
        subscriber: SubscriberId,
    ) -> Result<Option<(String, String)>, StoreError> {
        const SQL: &str = "SELECT name, attributes FROM subscribers WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .fetch_optional(conn)
            .await
            .and_then(|row| row
                .map(|row| Ok((row.try_get("name")?, row.try_get("attributes")?)))
                .transpose()))
        .map_err(doing("look up a subscriber"))
    }

    /// Sets a subscriber's name and attributes, a JSON object.
    pub async fn set_answers(
        &mut self,
        subscriber: SubscriberId,
        (name, attributes): (&str, &str),
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscribers SET name = $2, attributes = $3 WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(name)
            .bind(attributes)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("change a subscriber"))
    }
}
