//! What is known of somebody, and forgetting it.

use super::{Audience, AudienceError};
use crate::domain::EmailAddress;
use crate::store::Dossier;

impl Audience<'_> {
    /// All that is known of `address`.
    pub async fn dossier(&self, address: &EmailAddress) -> Result<Dossier, AudienceError> {
        let mut tx = self.store.read().await?;
        Ok(tx.dossier(address, self.store.keyring(), self.now()).await?)
    }

    /// Forgets `address` but for the hash that keeps it from ever being mailed again. False: nothing was known of it.
    pub async fn erase(&self, address: &EmailAddress, how: &str) -> Result<bool, AudienceError> {
        let mut tx = self.store.write().await?;
        let was_known = tx.erase(address, self.store.keyring(), (how, self.now())).await?;
        tx.commit().await?;
        Ok(was_known)
    }
}
