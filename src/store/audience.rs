//! Subscribers and their subscriptions.

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, on_engine, optional_instant};
use super::shares::{read_send_time, read_topics, write_topics};
use super::{Event, StoreError};
use crate::domain::{
    Cadence, Choice, EmailAddress, Keyring, SubscriberId, SubscriptionId, SubscriptionState,
};

/// A wish to subscribe, already checked.
#[derive(Clone, Debug)]
pub struct AddSubscriber<'a> {
    pub address: &'a EmailAddress,
    pub newsletter: &'a str,
    pub choice: &'a Choice,
    /// `Pending` for public forms, `Active` where consent is on record elsewhere.
    pub state: SubscriptionState,
    /// Where the wish came from: `form`, `import:members.csv`, `command line`.
    pub source: &'a str,
}

/// What became of a wish to subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// New, or back after having left.
    Subscribed(SubscriptionId),
    /// Asked before and not confirmed yet.
    StillPending(SubscriptionId),
    AlreadyActive(SubscriptionId),
    /// Left before; only they themselves may come back.
    HasLeft(SubscriptionId),
    /// Must never be mailed.
    Suppressed,
}

/// A subscription as its owner's pages need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    pub id: SubscriptionId,
    pub subscriber: SubscriberId,
    pub newsletter: String,
    pub choice: Choice,
    pub state: SubscriptionState,
    pub paused_until: Option<Timestamp>,
    /// When they left; also while they are asked whether they want to come back.
    pub ended_at: Option<Timestamp>,
}

/// The columns of a subscription `s`.
macro_rules! columns_sql {
    () => {
        "s.id, s.subscriber_id, s.newsletter, s.cadence, s.topics, s.language, s.timezone, s.send_time, s.state, \
         s.paused_until, s.ended_at"
    };
}

/// The number of the latest news of `$newsletter`: what was there before is no news to somebody who joins now.
macro_rules! latest_news_sql {
    ($newsletter:literal) => {
        concat!(
            "coalesce((SELECT max(n.seq) FROM news n WHERE n.newsletter = ",
            $newsletter,
            "), 0)"
        )
    };
}
pub(super) use latest_news_sql;

impl Tx {
    /// Adds a subscription, or says why not. Never brings back somebody who left unless `state` is `Pending`,
    /// which asks them.
    pub async fn add_subscriber(
        &mut self,
        wish: &AddSubscriber<'_>,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Added, StoreError> {
        let hash = keyring.address_hash(wish.address);
        if self.suppression_of(&hash).await?.is_some() {
            return Ok(Added::Suppressed);
        }
        let subscriber = self.subscriber_id(wish.address, now).await?;
        if let Some(known) = self.subscription_for(subscriber, wish.newsletter).await? {
            match (known.state, wish.state) {
                (SubscriptionState::Active, _) => return Ok(Added::AlreadyActive(known.id)),
                (SubscriptionState::Pending, SubscriptionState::Pending) => {
                    return Ok(Added::StillPending(known.id));
                }
                (SubscriptionState::Unsubscribed, SubscriptionState::Active) => {
                    return Ok(Added::HasLeft(known.id));
                }
                // Somebody typed their address into the form: that is no yes of theirs.
                (SubscriptionState::Pending, SubscriptionState::Active)
                    if known.ended_at.is_some() =>
                {
                    return Ok(Added::HasLeft(known.id));
                }
                (_, _) => {}
            }
        }
        let id = self.upsert_subscription(subscriber, wish, now).await?;
        self.record_event(
            Event::new("subscription.added", now).subscription(id).detail(wish.source),
        )
        .await?;
        Ok(Added::Subscribed(id))
    }

    async fn subscriber_id(
        &mut self,
        address: &EmailAddress,
        now: Timestamp,
    ) -> Result<SubscriberId, StoreError> {
        const SQL: &str = "INSERT INTO subscribers (address, address_key, created_at) VALUES ($1, $2, $3) \
                           ON CONFLICT (address_key) DO UPDATE SET address_key = excluded.address_key \
                           RETURNING id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(address.as_str())
            .bind(address.key())
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(SubscriberId)
        .map_err(doing("add a subscriber"))
    }

    async fn subscription_for(
        &mut self,
        subscriber: SubscriberId,
        newsletter: &str,
    ) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns_sql!(),
            " FROM subscriptions s WHERE s.subscriber_id = $1 AND s.newsletter = $2"
        );
        let row = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(newsletter)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| subscription_columns!(row)).transpose()))
        .map_err(doing("look up a subscription"))?;
        row.map(subscription_row).transpose()
    }

    async fn upsert_subscription(
        &mut self,
        subscriber: SubscriberId,
        wish: &AddSubscriber<'_>,
        now: Timestamp,
    ) -> Result<SubscriptionId, StoreError> {
        const SQL: &str = concat!(
            "INSERT INTO subscriptions (subscriber_id, newsletter, cadence, state, source, created_at, confirmed_at, \
             topics, language, timezone, send_time, had_through) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ",
            latest_news_sql!("$2"),
            ") ON CONFLICT (subscriber_id, newsletter) DO UPDATE SET cadence = excluded.cadence, \
             state = excluded.state, source = excluded.source, confirmed_at = excluded.confirmed_at, \
             topics = excluded.topics, language = excluded.language, timezone = excluded.timezone, \
             send_time = excluded.send_time, had_through = excluded.had_through, owed = '', catches_up = FALSE, \
             paused_until = NULL, ended_at = CASE WHEN excluded.state = 'pending' THEN subscriptions.ended_at END, \
             end_reason = CASE WHEN excluded.state = 'pending' THEN subscriptions.end_reason ELSE '' END RETURNING id"
        );
        if wish.state == SubscriptionState::Active {
            self.note_slot(wish.newsletter, wish.choice).await?;
        }
        let confirmed_at =
            (wish.state == SubscriptionState::Active).then_some(now.as_microsecond());
        let (cadence, [topics, language, timezone, send_time]) = written(wish.choice);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(subscriber.0)
            .bind(wish.newsletter)
            .bind(cadence)
            .bind(wish.state.as_str())
            .bind(wish.source)
            .bind(now.as_microsecond())
            .bind(confirmed_at)
            .bind(topics)
            .bind(language)
            .bind(timezone)
            .bind(send_time)
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(SubscriptionId)
        .map_err(doing("add a subscription"))
    }

    /// The subscription `id`, if it exists.
    pub async fn subscription(
        &mut self,
        id: SubscriptionId,
    ) -> Result<Option<SubscriptionRow>, StoreError> {
        const SQL: &str =
            concat!("SELECT ", columns_sql!(), " FROM subscriptions s WHERE s.id = $1");
        let row = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| subscription_columns!(row)).transpose()))
        .map_err(doing("look up a subscription"))?;
        row.map(subscription_row).transpose()
    }

    /// Ends a subscription at once. False: it had ended already or never was.
    pub async fn unsubscribe(
        &mut self,
        id: SubscriptionId,
        how: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE subscriptions SET state = 'unsubscribed', ended_at = $2 \
                           WHERE id = $1 AND state <> 'unsubscribed'";
        let changed = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("end a subscription"))?;
        if changed {
            let event = Event::new("subscription.ended", now).subscription(id).detail(how);
            self.record_event(event).await?;
        }
        Ok(changed)
    }

    /// Changes what the subscriber chose. What they have not had yet stays theirs, in whatever cadence; whoever goes over to
    /// `instant` gets it at once. False: it is as it was.
    pub async fn change_choice(
        &mut self,
        id: SubscriptionId,
        choice: &Choice,
        how: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE subscriptions SET cadence = $2, topics = $3, language = $4, timezone = $5, \
                           send_time = $6, catches_up = ($2 = 'instant' AND (catches_up OR cadence <> 'instant')) \
                           WHERE id = $1";
        let Some(known) = self.subscription(id).await? else { return Ok(false) };
        if known.choice == *choice {
            return Ok(false);
        }
        if known.state == SubscriptionState::Active {
            self.note_slot(&known.newsletter, choice).await?;
        }
        let (cadence, [topics, language, timezone, send_time]) = written(choice);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(cadence)
            .bind(topics)
            .bind(language)
            .bind(timezone)
            .bind(send_time)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("change a subscription"))?;
        let event = Event::new("subscription.changed", now).subscription(id).detail(how);
        self.record_event(event).await?;
        Ok(true)
    }

    /// Nothing is mailed to the subscription until then; what comes meanwhile is not made up for. None: it goes on now.
    pub async fn pause(
        &mut self,
        id: SubscriptionId,
        until: Option<Timestamp>,
        (how, now): (&str, Timestamp),
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE subscriptions SET paused_until = $2 WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(until.map(Timestamp::as_microsecond))
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("pause a subscription"))?;
        let kind = if until.is_some() { "subscription.paused" } else { "subscription.resumed" };
        self.record_event(Event::new(kind, now).subscription(id).detail(how)).await
    }

    /// Digests fall due at the time that is chosen here.
    pub async fn note_slot(&mut self, newsletter: &str, choice: &Choice) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO slots (newsletter, cadence, timezone, send_time) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT DO NOTHING";
        if choice.slot().is_none() {
            return Ok(());
        }
        let (cadence, [_, _, timezone, send_time]) = written(choice);
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence)
            .bind(timezone)
            .bind(send_time)
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note when digests fall due"))
    }

    /// The subscriptions of `address`, all or those of one newsletter.
    pub async fn subscriptions_of(
        &mut self,
        address: &EmailAddress,
        newsletter: Option<&str>,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns_sql!(),
            " FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id WHERE p.address_key = $1 \
             AND (CAST($2 AS TEXT) IS NULL OR s.newsletter = $2) ORDER BY s.newsletter"
        );
        let rows = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(address.key())
            .bind(newsletter)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| subscription_columns!(row))
                .collect::<Result<Vec<_>, _>>()))
        .map_err(doing("look up subscriptions"))?;
        rows.into_iter().map(subscription_row).collect()
    }

    /// How many would get an edition of this cadence now.
    pub async fn audience_size(
        &mut self,
        newsletter: &str,
        cadence: Cadence,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT count(*) AS audience FROM subscriptions s \
                           JOIN subscribers p ON p.id = s.subscriber_id WHERE s.newsletter = $1 \
                           AND s.cadence = $2 AND s.state = 'active' AND p.suppressed_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence.as_str())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("audience")))
        .map_err(doing("count an audience"))
    }
}

/// The columns of a subscription, before their words are parsed.
struct Columns {
    id: i64,
    subscriber: i64,
    newsletter: String,
    words: [String; 6],
    paused_until: Option<i64>,
    ended_at: Option<i64>,
}

/// They are read on either engine.
macro_rules! subscription_columns {
    ($row:expr) => {
        (|| {
            Ok::<_, sqlx::Error>(Columns {
                id: $row.try_get("id")?,
                subscriber: $row.try_get("subscriber_id")?,
                newsletter: $row.try_get("newsletter")?,
                words: [
                    $row.try_get("cadence")?,
                    $row.try_get("topics")?,
                    $row.try_get("language")?,
                    $row.try_get("timezone")?,
                    $row.try_get("send_time")?,
                    $row.try_get("state")?,
                ],
                paused_until: $row.try_get("paused_until")?,
                ended_at: $row.try_get("ended_at")?,
            })
        })()
    };
}
use subscription_columns;

fn subscription_row(columns: Columns) -> Result<SubscriptionRow, StoreError> {
    let [cadence, topics, language, timezone, send_time, state] = columns.words;
    Ok(SubscriptionRow {
        id: SubscriptionId(columns.id),
        subscriber: SubscriberId(columns.subscriber),
        newsletter: columns.newsletter,
        choice: Choice {
            cadence: cadence.parse()?,
            topics: read_topics(&topics)?,
            language: (!language.is_empty()).then_some(language),
            timezone: (!timezone.is_empty()).then_some(timezone),
            send_time: read_send_time(&send_time)?,
        },
        state: state.parse()?,
        paused_until: optional_instant(columns.paused_until),
        ended_at: optional_instant(columns.ended_at),
    })
}

/// A choice as it stands in the database: the cadence; topics, language, time zone and hour.
pub(super) fn written(choice: &Choice) -> (&'static str, [String; 4]) {
    let send_time = choice.send_time.map(|time| time.to_string()).unwrap_or_default();
    let (language, timezone) = (choice.language.clone(), choice.timezone.clone());
    let others = [language.unwrap_or_default(), timezone.unwrap_or_default(), send_time];
    let [language, timezone, send_time] = others;
    (choice.cadence.as_str(), [write_topics(&choice.topics), language, timezone, send_time])
}
