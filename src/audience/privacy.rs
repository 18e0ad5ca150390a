//! Forgetting somebody.

use super::{Audience, AudienceError};
use crate::domain::EmailAddress;

impl Audience<'_> {
    /// Forgets `address` but for the hash that keeps it from ever being mailed again. False: nothing was known of it.
    pub async fn erase(&self, address: &EmailAddress, how: &str) -> Result<bool, AudienceError> {
        let mut tx = self.store.write().await?;
        let was_known = tx.erase(address, self.store.keyring(), (how, self.now())).await?;
        tx.commit().await?;
        Ok(was_known)
    }
}
