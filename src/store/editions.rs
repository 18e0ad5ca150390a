//! Planning: editions, letters and announcements, each with the deliveries it owes, in the planner's transaction.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, on_engine};
use super::{Event, StoreError};
use crate::domain::{
    AnnouncementId, Cadence, DeliveryId, EditionId, EmailAddress, Lane, LetterId, PostId, Revision,
};

/// How many deliveries are leased together.
const BATCH_SIZE: i64 = 500;

/// An edition to be sealed.
#[derive(Clone, Debug)]
pub struct NewEdition<'a> {
    pub newsletter: &'a str,
    pub cadence: Cadence,
    pub subject: &'a str,
    /// The composed mail, as `mail` froze it.
    pub content: &'a str,
    pub posts: &'a [(&'a PostId, &'a Revision)],
    pub lane: Lane,
    /// `mail:SERVER`.
    pub channel: &'a str,
}

/// What sealing made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedEdition {
    pub id: EditionId,
    pub audience: i64,
}

/// A mail to one person that is no edition.
#[derive(Clone, Debug)]
pub struct NewLetter<'a> {
    /// `confirmation` or `test`.
    pub kind: &'static str,
    pub address: &'a EmailAddress,
    pub newsletter: &'a str,
    pub content: &'a str,
    pub channel: &'a str,
}

/// A range of deliveries to be leased together.
#[derive(Clone, Copy, Debug)]
struct NewBatch {
    edition: Option<EditionId>,
    first: i64,
    last: i64,
}

/// One post to be told to one destination.
#[derive(Clone, Debug)]
pub struct NewAnnouncement<'a> {
    pub post: &'a PostId,
    pub destination: &'a str,
    pub revision: &'a Revision,
    pub title: &'a str,
    pub body: &'a str,
}

impl Tx {
    /// The posts that this cadence of this newsletter has had.
    pub async fn carried(
        &mut self,
        newsletter: &str,
        cadence: Cadence,
    ) -> Result<HashSet<PostId>, StoreError> {
        const SQL: &str = "SELECT post_id FROM carried WHERE newsletter = $1 AND cadence = $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence.as_str())
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| row.try_get::<String, _>("post_id").map(PostId::pinned))
                .collect()))
        .map_err(doing("read what a newsletter has carried"))
    }

    /// Notes that `post` was carried. False: it had been already, so the edition must not be sealed with it.
    pub async fn carry(
        &mut self,
        newsletter: &str,
        cadence: Cadence,
        post: &PostId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO carried (newsletter, cadence, post_id, carried_at) \
                           VALUES ($1, $2, $3, $4) ON CONFLICT (newsletter, cadence, post_id) DO NOTHING";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(newsletter)
            .bind(cadence.as_str())
            .bind(post.as_str())
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .map_err(doing("note that a post was carried"))
    }

    /// Seals an edition and inserts one delivery per active subscription. The caller has `carry`-ed its posts.
    pub async fn seal_edition(
        &mut self,
        edition: &NewEdition<'_>,
        now: Timestamp,
    ) -> Result<SealedEdition, StoreError> {
        let id = self.insert_edition(edition, now).await?;
        for (position, (post, revision)) in (0_i64..).zip(edition.posts) {
            self.insert_edition_post(id, position, post, revision).await?;
        }
        // Taking the counter's row first makes the numbers contiguous whoever else is planning.
        let first = self.reserve_ids("deliveries", 0).await?;
        let audience = self.insert_edition_deliveries(id, edition, first, now).await?;
        self.reserve_ids("deliveries", audience).await?;
        let last = first + audience - 1;
        let mut from = first;
        while from <= last {
            let to = last.min(from + BATCH_SIZE - 1);
            let batch = NewBatch { edition: Some(id), first: from, last: to };
            self.insert_batch(edition.lane, edition.channel, batch, now).await?;
            from = to + 1;
        }
        self.note_audience(id, audience, (first, last), now).await?;
        let detail = format!("{} {} to {audience}", edition.newsletter, edition.cadence);
        self.record_event(Event::new("edition.sealed", now).edition(id).detail(&detail)).await?;
        Ok(SealedEdition { id, audience })
    }

    async fn insert_edition(
        &mut self,
        edition: &NewEdition<'_>,
        now: Timestamp,
    ) -> Result<EditionId, StoreError> {
        const SQL: &str = "INSERT INTO editions (newsletter, cadence, subject, content, state, audience, \
                           sealed_at) VALUES ($1, $2, $3, $4, 'sealed', 0, $5) RETURNING id";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edition.newsletter)
            .bind(edition.cadence.as_str())
            .bind(edition.subject)
            .bind(edition.content)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(EditionId)
        .map_err(doing("seal an edition"))
    }

    async fn insert_edition_post(
        &mut self,
        edition: EditionId,
        position: i64,
        post: &PostId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO edition_posts (edition_id, position, post_id, revision) \
                           VALUES ($1, $2, $3, $4)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(edition.0)
            .bind(position)
            .bind(post.as_str())
            .bind(revision.as_str())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note the posts of an edition"))
    }

    async fn insert_edition_deliveries(
        &mut self,
        id: EditionId,
        edition: &NewEdition<'_>,
        first: i64,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "INSERT INTO deliveries (id, edition_id, subscription_id, state, attempts, is_held, \
                           planned_at, changed_at) \
                           SELECT $1 - 1 + row_number() OVER (ORDER BY s.id), $2, s.id, 'planned', 0, FALSE, $3, $3 \
                           FROM subscriptions s JOIN subscribers p ON p.id = s.subscriber_id \
                           WHERE s.newsletter = $4 AND s.cadence = $5 AND s.state = 'active' \
                           AND p.suppressed_at IS NULL";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(first)
            .bind(id.0)
            .bind(now.as_microsecond())
            .bind(edition.newsletter)
            .bind(edition.cadence.as_str())
            .execute(conn)
            .await
            .map(|done| i64::try_from(done.rows_affected()).unwrap_or(i64::MAX)))
        .map_err(doing("plan the deliveries of an edition"))
    }

    async fn note_audience(
        &mut self,
        id: EditionId,
        audience: i64,
        (first, last): (i64, i64),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE editions SET audience = $2, first_delivery = $3, last_delivery = $4, \
                           state = CASE WHEN $2 = 0 THEN 'finished' ELSE state END, \
                           finished_at = CASE WHEN $2 = 0 THEN $5 END WHERE id = $1";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(audience)
            .bind(first)
            .bind(last)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("note the audience of an edition"))
    }

    async fn insert_batch(
        &mut self,
        lane: Lane,
        channel: &str,
        batch: NewBatch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO batches (lane, channel, edition_id, first_id, last_id, is_open, next_at, \
                           epoch) VALUES ($1, $2, $3, $4, $5, TRUE, $6, 0)";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(lane.number())
            .bind(channel)
            .bind(batch.edition.map(|id| id.0))
            .bind(batch.first)
            .bind(batch.last)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("plan a batch"))
    }

    /// Plans a letter and its delivery.
    pub async fn plan_letter(
        &mut self,
        letter: &NewLetter<'_>,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        const SQL: &str = "INSERT INTO letters (kind, address, newsletter, content, created_at) \
                           VALUES ($1, $2, $3, $4, $5) RETURNING id";
        let id = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(letter.kind)
            .bind(letter.address.as_str())
            .bind(letter.newsletter)
            .bind(letter.content)
            .bind(now.as_microsecond())
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(LetterId)
        .map_err(doing("plan a letter"))?;
        self.plan_single((Some(id), None), Lane::Letter, letter.channel, now).await
    }

    /// Plans telling a destination of a new post. None: it was planned before.
    pub async fn announce(
        &mut self,
        announcement: &NewAnnouncement<'_>,
        now: Timestamp,
    ) -> Result<Option<DeliveryId>, StoreError> {
        const SQL: &str = "INSERT INTO announcements (post_id, destination, action, revision, title, body, \
                           created_at) VALUES ($1, $2, 'create', $3, $4, $5, $6) \
                           ON CONFLICT (post_id, destination, action) DO NOTHING RETURNING id";
        let id: Option<i64> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(announcement.post.as_str())
            .bind(announcement.destination)
            .bind(announcement.revision.as_str())
            .bind(announcement.title)
            .bind(announcement.body)
            .bind(now.as_microsecond())
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("id")).transpose()))
        .map_err(doing("plan an announcement"))?;
        let Some(id) = id.map(AnnouncementId) else { return Ok(None) };
        let channel = format!("destination:{}", announcement.destination);
        let delivery =
            self.plan_single((None, Some(id)), Lane::Announcement, &channel, now).await?;
        let event = Event::new("announcement.planned", now)
            .post(announcement.post)
            .delivery(delivery)
            .detail(announcement.destination);
        self.record_event(event).await?;
        Ok(Some(delivery))
    }

    /// The posts that `destination` has been told of, or will be.
    pub async fn announced(&mut self, destination: &str) -> Result<HashSet<PostId>, StoreError> {
        const SQL: &str =
            "SELECT post_id FROM announcements WHERE destination = $1 AND action = 'create'";
        on_engine!(self, |conn| sqlx::query(SQL).bind(destination).fetch_all(conn).await.and_then(
            |rows| rows
                .into_iter()
                .map(|row| row.try_get::<String, _>("post_id").map(PostId::pinned))
                .collect()
        ))
        .map_err(doing("read what a destination was told"))
    }

    async fn plan_single(
        &mut self,
        (letter, announcement): (Option<LetterId>, Option<AnnouncementId>),
        lane: Lane,
        channel: &str,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        const SQL: &str = "INSERT INTO deliveries (id, letter_id, announcement_id, state, attempts, is_held, \
                           planned_at, changed_at) VALUES ($1, $2, $3, 'planned', 0, FALSE, $4, $4)";
        let id = self.reserve_ids("deliveries", 1).await?;
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id)
            .bind(letter.map(|id| id.0))
            .bind(announcement.map(|id| id.0))
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("plan a delivery"))?;
        let batch = NewBatch { edition: None, first: id, last: id };
        self.insert_batch(lane, channel, batch, now).await?;
        Ok(DeliveryId(id))
    }
}
