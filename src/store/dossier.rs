//! All that is known of one address, for whoever asks about themselves.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine};
use super::people::{read_attributes, read_tags};
use super::roster::{SubscriberRow, Whom};
use super::segments::Houses;
use crate::domain::{EmailAddress, Keyring};

/// Facts and deliveries that are shown: the latest.
const ROWS: i64 = 500;

/// All that is known of an address.
#[derive(Clone, Debug)]
pub struct Dossier {
    pub person: Option<DossierPerson>,
    /// Why it must not be mailed.
    pub suppression: Option<String>,
    pub subscriptions: Vec<SubscriberRow>,
    /// Who changed what: newest first.
    pub events: Vec<DossierEvent>,
    /// Newest first.
    pub deliveries: Vec<DossierDelivery>,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct DossierPerson {
    pub address: String,
    pub name: String,
    pub attributes: serde_json::Map<String, serde_json::Value>,
    pub tags: Vec<String>,
    pub created_at: Timestamp,
    /// What soft bounces add up to.
    pub bounce_score: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DossierEvent {
    pub at: Timestamp,
    pub kind: String,
    pub newsletter: String,
    /// By which way.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DossierDelivery {
    pub id: i64,
    pub planned_at: Timestamp,
    /// Subject of the edition, or kind of the letter.
    pub what: String,
    pub state: String,
}

impl Dossier {
    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.person.is_none() && self.suppression.is_none() && self.deliveries.is_empty()
    }
}

impl Tx {
    /// All that is known of `address`.
    pub async fn dossier(
        &mut self,
        address: &EmailAddress,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Dossier, StoreError> {
        let key = address.key();
        let houses = Houses::new();
        let whom = Whom { newsletter: None, segments: &[], houses: &houses, now };
        // From the first newsletter of this address on.
        let mut subscriptions = self.subscribers_page(whom, (&key, ""), ROWS).await?;
        subscriptions.retain(|row| row.key == key);
        Ok(Dossier {
            person: self.dossier_person(&key).await?,
            suppression: self.suppression_of(&keyring.address_hash(address)).await?,
            subscriptions,
            events: self.dossier_events(&key).await?,
            deliveries: self.dossier_deliveries(address).await?,
        })
    }

    async fn dossier_person(&mut self, key: &str) -> Result<Option<DossierPerson>, StoreError> {
        const SQL: &str = "SELECT address, name, attributes, tags, created_at, coalesce(bounce_score, 0.0) AS score \
                           FROM subscribers WHERE address_key = $1";
        on_engine!(self, |conn| sqlx::query(SQL).bind(key).fetch_optional(conn).await.and_then(
            |row| row
                .map(|row| {
                    let attributes: String = row.try_get("attributes")?;
                    let tags: String = row.try_get("tags")?;
                    Ok(DossierPerson {
                        address: row.try_get("address")?,
                        name: row.try_get("name")?,
                        attributes: read_attributes(&attributes),
                        tags: read_tags(&tags),
                        created_at: instant(row.try_get("created_at")?),
                        bounce_score: row.try_get("score")?,
                    })
                })
                .transpose()
        ))
        .map_err(doing("look up a subscriber"))
    }

    async fn dossier_events(&mut self, key: &str) -> Result<Vec<DossierEvent>, StoreError> {
        const SQL: &str = "SELECT e.at, e.kind, s.newsletter, e.detail FROM subscribers p \
                           JOIN subscriptions s ON s.subscriber_id = p.id JOIN events e ON e.subscription_id = s.id \
                           WHERE p.address_key = $1 ORDER BY e.id DESC LIMIT $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(key)
            .bind(ROWS)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(DossierEvent {
                    at: instant(row.try_get("at")?),
                    kind: row.try_get("kind")?,
                    newsletter: row.try_get("newsletter")?,
                    detail: row.try_get("detail")?,
                }))
                .collect()))
        .map_err(doing("read what somebody did"))
    }

    async fn dossier_deliveries(
        &mut self,
        address: &EmailAddress,
    ) -> Result<Vec<DossierDelivery>, StoreError> {
        const SQL: &str = "SELECT d.id, d.planned_at, d.state, coalesce(e.subject, l.kind, '') AS what FROM deliveries d \
                           LEFT JOIN editions e ON e.id = d.edition_id LEFT JOIN letters l ON l.id = d.letter_id \
                           WHERE d.subscription_id IN (SELECT s.id FROM subscriptions s \
                           JOIN subscribers p ON p.id = s.subscriber_id WHERE p.address_key = $1) \
                           OR d.letter_id IN (SELECT id FROM letters WHERE address_key = $1 \
                           OR subscriber_id IN (SELECT id FROM subscribers WHERE address_key = $1)) \
                           ORDER BY d.id DESC LIMIT $2";
        on_engine!(self, |conn| sqlx::query(SQL)
            .bind(address.key())
            .bind(ROWS)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(DossierDelivery {
                    id: row.try_get("id")?,
                    planned_at: instant(row.try_get("planned_at")?),
                    what: row.try_get("what")?,
                    state: row.try_get("state")?,
                }))
                .collect()))
        .map_err(doing("read what somebody was sent"))
    }
}
