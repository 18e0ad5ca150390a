//! What is known of somebody, and forgetting it.

use serde::Serialize;

use super::{Audience, AudienceError, ExportLine};
use crate::domain::EmailAddress;
use crate::store::{Dossier, DossierDelivery, DossierEvent, DossierPerson, StoreError};

/// A dossier as JSON: what its owner takes along, and what the command line prints.
#[derive(Serialize)]
pub struct Known<'a> {
    person: Option<&'a DossierPerson>,
    suppression: Option<&'a str>,
    subscriptions: Vec<ExportLine<'a>>,
    events: &'a [DossierEvent],
    deliveries: &'a [DossierDelivery],
}

impl<'a> Known<'a> {
    pub fn of(dossier: &'a Dossier) -> Self {
        Self {
            person: dossier.person.as_ref(),
            suppression: dossier.suppression.as_deref(),
            subscriptions: dossier.subscriptions.iter().map(ExportLine::of).collect(),
            events: &dossier.events,
            deliveries: &dossier.deliveries,
        }
    }
}

impl Audience<'_> {
    /// All that is known of `address`.
    pub async fn dossier(&self, address: &EmailAddress) -> Result<Dossier, StoreError> {
        let mut tx = self.store.read().await?;
        tx.dossier(address, self.store.keyring(), self.now()).await
    }

    /// Forgets `address` but for the hash that keeps it from ever being mailed again. False: nothing was known of it.
    pub async fn erase(&self, address: &EmailAddress, how: &str) -> Result<bool, AudienceError> {
        let mut tx = self.store.write().await?;
        let was_known = tx.erase(address, self.store.keyring(), (how, self.now())).await?;
        tx.commit().await?;
        Ok(was_known)
    }
}
