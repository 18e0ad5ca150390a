//! Planning what goes to one place: letters and announcements, each with its delivery in a batch of its own.

use std::collections::HashSet;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::Row as _;

use super::engine::{Tx, doing, on_engine};
use super::settle::front_sql;
use super::{Event, StoreError};
use crate::domain::{
    AnnouncementId, DeliveryId, EmailAddress, Lane, LetterId, PostId, Revision, SubscriberId,
    UnknownWord,
};

/// A mail to one person that is no edition.
#[derive(Clone, Debug)]
pub struct NewLetter<'a> {
    /// `confirmation`, `address` or `test`.
    pub kind: &'static str,
    pub address: &'a EmailAddress,
    /// Whose it is if it goes to another address than theirs.
    pub owner: Option<SubscriberId>,
    pub newsletter: &'a str,
    pub content: &'a str,
    pub channel: &'a str,
}

/// What a destination is told of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Retract,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Retract => "retract",
        }
    }
}

impl FromStr for Action {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        [Self::Create, Self::Update, Self::Retract]
            .into_iter()
            .find(|action| action.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "what a destination is told"))
    }
}

/// One post to be told to one destination.
#[derive(Clone, Debug)]
pub struct NewAnnouncement<'a> {
    pub action: Action,
    pub post: &'a PostId,
    pub destination: &'a str,
    pub revision: &'a Revision,
    pub title: &'a str,
    pub body: &'a str,
}

impl Tx {
    /// Plans a letter and its delivery.
    pub async fn plan_letter(
        &mut self,
        letter: &NewLetter<'_>,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        const SQL: &str = "INSERT INTO letters (kind, address, newsletter, content, created_at, address_key, subscriber_id) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
        let id = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(letter.kind)
            .bind(letter.address.as_str())
            .bind(letter.newsletter)
            .bind(letter.content)
            .bind(now.as_microsecond())
            .bind(letter.address.key())
            .bind(letter.owner.map(|owner| owner.0))
            .fetch_one(conn)
            .await
            .and_then(|row| row.try_get("id")))
        .map(LetterId)
        .map_err(doing("plan a letter"))?;
        self.plan_single((Some(id), None), Lane::Letter, letter.channel, now).await
    }

    /// Plans telling a destination of a post, or of what became of it. None: it was planned before.
    pub async fn announce(
        &mut self,
        announcement: &NewAnnouncement<'_>,
        now: Timestamp,
    ) -> Result<Option<DeliveryId>, StoreError> {
        let Some(id) = self.note_announcement(announcement, now).await? else { return Ok(None) };
        let channel = format!("destination:{}", announcement.destination);
        let delivery =
            self.plan_single((None, Some(id)), Lane::Announcement, &channel, now).await?;
        let detail = match announcement.action {
            Action::Create => announcement.destination.to_owned(),
            other => format!("{} to {}", other.as_str(), announcement.destination),
        };
        let event = Event::new("announcement.planned", now)
            .post(announcement.post)
            .delivery(delivery)
            .detail(&detail);
        self.record_event(event).await?;
        Ok(Some(delivery))
    }

    /// Notes what a destination is told, or what counts as told. None: it was noted before. Of several updates the last one counts.
    pub async fn note_announcement(
        &mut self,
        announcement: &NewAnnouncement<'_>,
        now: Timestamp,
    ) -> Result<Option<AnnouncementId>, StoreError> {
        const SQL: &str = "INSERT INTO announcements (post_id, destination, action, revision, title, body, \
                           created_at) VALUES ($1, $2, $7, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id";
        if announcement.action == Action::Update {
            let NewAnnouncement { destination, post, revision, .. } = announcement;
            self.void_updates(destination, post, revision).await?;
        }
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(announcement.post.as_str())
            .bind(announcement.destination)
            .bind(announcement.revision.as_str())
            .bind(announcement.title)
            .bind(announcement.body)
            .bind(now.as_microsecond())
            .bind(announcement.action.as_str())
            .fetch_optional(conn)
            .await
            .and_then(|row| row.map(|row| row.try_get("id").map(AnnouncementId)).transpose()))
        .map_err(doing("plan an announcement"))
    }

    /// The posts that `destination` has been told of, or will be.
    pub async fn announced(&mut self, destination: &str) -> Result<HashSet<PostId>, StoreError> {
        const SQL: &str = "SELECT post_id FROM announcements WHERE destination = $1 AND action = 'create' AND NOT is_void";
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
        self.insert_single_batch(id, lane, channel, now).await?;
        Ok(DeliveryId(id))
    }

    async fn insert_single_batch(
        &mut self,
        delivery: i64,
        lane: Lane,
        channel: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = concat!(
            "INSERT INTO batches (lane, channel, first_id, last_id, is_open, next_at, epoch, turn) \
             SELECT $1, $2, $3, $3, TRUE, $4, 0, coalesce(",
            front_sql!("$2", "$1"),
            ", 0)"
        );
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(lane.number())
            .bind(channel)
            .bind(delivery)
            .bind(now.as_microsecond())
            .execute(conn)
            .await
            .map(|_| ()))
        .map_err(doing("plan a batch"))
    }
}
