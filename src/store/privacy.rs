//! Forgetting: erasing one person at once, and what is over, a little at a time.
//!
//! SQLite gives the number of its newest row to the next one if that row is deleted, and with it what old mails and links say of the
//! number. So the newest row stays as a shell without anything in it until another has come.

use jiff::Timestamp;

use super::StoreError;
use super::engine::{Tx, doing, on_engine};
use super::events::Event;
use crate::domain::{EmailAddress, Keyring};

/// Rows in one transaction.
const ROWS: i64 = 1_000;

/// What is swept, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dust {
    /// What servers answered.
    Attempts,
    Events,
    /// Wishes that were never confirmed. Whoever had left before has left again.
    Pending,
    /// Evidence of those who left.
    Consents,
    /// Links in confirmation mails, which are long expired.
    Confirmations,
    /// Links in mails that ask a new address, which are long expired.
    AddressChanges,
    /// Mails to one person, which are delivered or not.
    Letters,
}

/// Subscriptions of shells and shells, but for the newest.
const SHELLS: [&str; 2] = [
    "DELETE FROM subscriptions WHERE id < (SELECT max(id) FROM subscriptions) \
     AND subscriber_id IN (SELECT id FROM subscribers WHERE address = '')",
    "DELETE FROM subscribers WHERE address = '' AND id < (SELECT max(id) FROM subscribers) \
     AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.subscriber_id = subscribers.id)",
];

/// Empties the subscribers whose numbers are in the array that is bound as `$1`.
macro_rules! empty_sql {
    ($ids:literal) => {
        [
            concat!("DELETE FROM consents WHERE subscription_id IN (SELECT id FROM subscriptions WHERE subscriber_id IN (", $ids, "))"),
            concat!("DELETE FROM confirmations WHERE subscription_id IN (SELECT id FROM subscriptions WHERE subscriber_id IN (", $ids, "))"),
            concat!("DELETE FROM sequence_steps WHERE subscription_id IN (SELECT id FROM subscriptions WHERE subscriber_id IN (", $ids, "))"),
            concat!("DELETE FROM events WHERE subscription_id IN (SELECT id FROM subscriptions WHERE subscriber_id IN (", $ids, "))"),
            concat!("DELETE FROM address_changes WHERE subscriber_id IN (", $ids, ")"),
            concat!(
                "UPDATE subscriptions SET state = 'unsubscribed', source = '', end_reason = '', topics = '', language = '', \
                 timezone = '', send_time = '', owed = '', catches_up = FALSE WHERE subscriber_id IN (", $ids, ")"
            ),
            concat!(
                "UPDATE subscribers SET address = '', address_key = 'erased:' || id, name = '', attributes = '{}', tags = '[]', \
                 suppressed_at = NULL, suppression_reason = NULL WHERE id IN (", $ids, ")"
            ),
        ]
    };
}

impl Tx {
    /// Forgets `address`: all that is left is the hash by which it is never mailed again. False: it was not known.
    pub async fn erase(
        &mut self,
        address: &EmailAddress,
        keyring: &Keyring,
        (how, now): (&str, Timestamp),
    ) -> Result<bool, StoreError> {
        const PERSON: &str = "SELECT id FROM subscribers WHERE address_key = $1";
        // Also those that went to an address of theirs before, or ask a new one; and the wishes of others to get their mail here.
        const LETTERS: &str = "SELECT id FROM letters WHERE address_key = $1 \
                               OR subscriber_id IN (SELECT id FROM subscribers WHERE address_key = $1)";
        const WISHES: &str = "DELETE FROM address_changes WHERE address_key = $1";
        let failed = || doing("look up who is to be forgotten");
        let (people, letters): (Vec<i64>, Vec<i64>) = on_engine!(self, |conn| {
            let people = sqlx::query_scalar(PERSON).bind(address.key()).fetch_all(&mut *conn).await;
            let letters =
                sqlx::query_scalar(LETTERS).bind(address.key()).fetch_all(&mut *conn).await;
            let wishes = sqlx::query(WISHES).bind(address.key()).execute(conn).await;
            wishes.map_err(failed())?;
            (people.map_err(failed())?, letters.map_err(failed())?)
        });
        if !people.is_empty() {
            self.forget_answers(&people).await?;
            self.empty(&people).await?;
        }
        self.drop_letters(&letters, true).await?;
        self.suppress(address, keyring, "erased", now).await?;
        self.record_event(Event::new("subscriber.erased", now).detail(how)).await?;
        Ok(!people.is_empty() || !letters.is_empty())
    }

    /// Servers like to repeat the address.
    async fn forget_answers(&mut self, people: &[i64]) -> Result<(), StoreError> {
        let numbers = self.each_number();
        let sql = format!(
            "UPDATE attempts SET reply = '' WHERE reply <> '' AND delivery_id IN (SELECT d.id FROM deliveries d \
             WHERE d.subscription_id IN (SELECT id FROM subscriptions WHERE subscriber_id IN ({numbers})))"
        );
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json(people))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("forget what servers answered"))
    }

    async fn empty(&mut self, people: &[i64]) -> Result<(), StoreError> {
        const SQLITE: [&str; 7] = empty_sql!("SELECT value FROM json_each($1)");
        const POSTGRES: [&str; 7] = empty_sql!(
            "SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS each(value)"
        );
        let statements = if self.is_postgres() { POSTGRES } else { SQLITE };
        let people = json(people);
        on_engine!(self, |conn| {
            for sql in statements {
                let done = sqlx::query(sql).bind(&people).execute(&mut *conn).await;
                done.map_err(doing("forget a subscriber"))?;
            }
        });
        self.drop_shells().await
    }

    async fn drop_shells(&mut self) -> Result<(), StoreError> {
        on_engine!(self, |conn| {
            for sql in SHELLS {
                let done = sqlx::query(sql).execute(&mut *conn).await;
                done.map_err(doing("forget a subscriber"))?;
            }
        });
        Ok(())
    }

    /// Those of `letters` that are not under way; with `even_open` what waits is cancelled.
    async fn drop_letters(&mut self, letters: &[i64], even_open: bool) -> Result<u64, StoreError> {
        if letters.is_empty() {
            return Ok(0);
        }
        let numbers = self.each_number();
        let cancel = format!(
            "UPDATE deliveries SET state = 'cancelled', is_held = FALSE, not_before = NULL \
             WHERE letter_id IN ({numbers}) AND state IN ('planned', 'deferred', 'uncertain')"
        );
        let answers = format!(
            "UPDATE attempts SET reply = '' WHERE reply <> '' \
             AND delivery_id IN (SELECT id FROM deliveries WHERE letter_id IN ({numbers}))"
        );
        let forget = format!(
            "DELETE FROM letters WHERE id IN ({numbers}) AND id NOT IN (SELECT letter_id FROM deliveries \
             WHERE letter_id IN ({numbers}) AND state IN ('planned', 'deferred', 'uncertain', 'sending'))"
        );
        let statements = if even_open { vec![cancel, answers, forget] } else { vec![forget] };
        let letters = json(letters);
        let mut count = 0;
        on_engine!(self, |conn| {
            for sql in statements {
                let done =
                    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&letters).execute(&mut *conn).await;
                count = done.map_err(doing("forget letters"))?.rows_affected();
            }
        });
        Ok(count)
    }

    /// Sweeps away some of what is older than `before`. How much that was: nothing, when all is swept.
    pub async fn sweep(&mut self, dust: Dust, before: Timestamp) -> Result<u64, StoreError> {
        // Numbers grow with time: the oldest are the first, and none of them old enough means that none is.
        const ATTEMPTS: &str = "DELETE FROM attempts WHERE id IN (SELECT id FROM (SELECT id, ended_at FROM attempts \
                                ORDER BY id LIMIT $2) AS oldest WHERE ended_at < $1)";
        const EVENTS: &str = "DELETE FROM events WHERE id IN (SELECT id FROM (SELECT id, at FROM events \
                              ORDER BY id LIMIT $2) AS oldest WHERE at < $1)";
        const CONSENTS: &str = "DELETE FROM consents WHERE id IN (SELECT c.id FROM consents c \
                                JOIN subscriptions s ON s.id = c.subscription_id \
                                WHERE s.state = 'unsubscribed' AND s.ended_at < $1 LIMIT $2)";
        const CONFIRMATIONS: &str = "DELETE FROM confirmations WHERE token_hash IN (SELECT token_hash FROM confirmations \
                                     WHERE created_at < $1 AND expires_at < $1 LIMIT $2)";
        const ADDRESS_CHANGES: &str = "DELETE FROM address_changes WHERE token_hash IN (SELECT token_hash FROM address_changes \
                                       WHERE created_at < $1 AND expires_at < $1 LIMIT $2)";
        let sql = match dust {
            Dust::Attempts => ATTEMPTS,
            Dust::Events => EVENTS,
            Dust::Consents => CONSENTS,
            Dust::Confirmations => CONFIRMATIONS,
            Dust::AddressChanges => ADDRESS_CHANGES,
            Dust::Pending => return self.sweep_pending(before).await,
            Dust::Letters => return self.sweep_letters(before).await,
        };
        on_engine!(self, |conn| sqlx::query(sql)
            .bind(before.as_microsecond())
            .bind(ROWS)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .map_err(doing("sweep away what is over"))
    }

    async fn sweep_pending(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        const FIND: &str = "SELECT s.id, s.subscriber_id, s.ended_at AS left_at FROM subscriptions s \
                            WHERE s.state = 'pending' AND s.created_at < $1 AND NOT EXISTS (SELECT 1 FROM confirmations c \
                            WHERE c.subscription_id = s.id AND c.created_at >= $1) LIMIT $2";
        const LEFT: &str =
            "UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2 WHERE id = $1";
        const FORGET: &str = "DELETE FROM subscriptions WHERE id = $1 AND EXISTS \
                              (SELECT 1 FROM subscriptions o WHERE o.id > $1)";
        const ALONE: &str =
            "SELECT count(*) FROM subscriptions WHERE subscriber_id = $1 AND id <> $2";
        let failed = || doing("sweep away what nobody confirmed");
        let found: Vec<(i64, i64, Option<i64>)> = on_engine!(self, |conn| sqlx::query_as(FIND)
            .bind(before.as_microsecond())
            .bind(ROWS)
            .fetch_all(conn)
            .await)
        .map_err(failed())?;
        let mut count = 0;
        let mut alone = Vec::new();
        for (id, subscriber, left_at) in found {
            count += 1;
            if let Some(left_at) = left_at {
                on_engine!(self, |conn| sqlx::query(LEFT)
                    .bind(id)
                    .bind(left_at)
                    .execute(conn)
                    .await
                    .map(|_| ()))
                .map_err(failed())?;
                continue;
            }
            let others: i64 = on_engine!(self, |conn| sqlx::query_scalar(ALONE)
                .bind(subscriber)
                .bind(id)
                .fetch_one(conn)
                .await)
            .map_err(failed())?;
            if others == 0 {
                alone.push(subscriber);
                continue;
            }
            let gone = on_engine!(self, |conn| sqlx::query(FORGET)
                .bind(id)
                .execute(conn)
                .await
                .map(|done| done.rows_affected()));
            // The newest waits for the next sweep.
            count -= u64::from(gone.map_err(failed())? == 0);
        }
        self.forget_unless_suppressed(&alone).await?;
        self.drop_shells().await?;
        Ok(count)
    }

    /// Whoever must not be mailed stays known.
    async fn forget_unless_suppressed(&mut self, people: &[i64]) -> Result<(), StoreError> {
        if people.is_empty() {
            return Ok(());
        }
        let numbers = self.each_number();
        let sql =
            format!("SELECT id FROM subscribers WHERE suppressed_at IS NULL AND id IN ({numbers})");
        let ids: Vec<i64> = on_engine!(self, |conn| sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(json(people))
            .fetch_all(conn)
            .await)
        .map_err(doing("look up who is to be forgotten"))?;
        self.empty(&ids).await?;
        let sql = format!(
            "UPDATE subscriptions SET state = 'unsubscribed', ended_at = created_at \
             WHERE state = 'pending' AND subscriber_id IN ({numbers})"
        );
        on_engine!(self, |conn| sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(json(people))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("end what nobody confirmed"))
    }

    async fn sweep_letters(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        const FIND: &str = "SELECT id FROM (SELECT id, created_at FROM letters ORDER BY id LIMIT $2) AS oldest \
                            WHERE created_at < $1";
        let letters: Vec<i64> = on_engine!(self, |conn| sqlx::query_scalar(FIND)
            .bind(before.as_microsecond())
            .bind(ROWS)
            .fetch_all(conn)
            .await)
        .map_err(doing("look for old letters"))?;
        self.drop_letters(&letters, false).await
    }

    /// The query for the numbers in the JSON array that is bound as `$1`.
    fn each_number(&self) -> &'static str {
        if self.is_postgres() {
            "SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS each(value)"
        } else {
            "SELECT value FROM json_each($1)"
        }
    }
}

fn json(numbers: &[i64]) -> String {
    serde_json::to_string(numbers).expect("numbers can be written as JSON")
}
