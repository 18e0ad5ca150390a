//! What the operator does by hand: adding an address whose consent is on record, and taking one off.

use super::{Audience, AudienceError, offered};
use crate::domain::{Choice, EmailAddress, SubscriptionState};
use crate::store::{AddSubscriber, Added};

impl Audience<'_> {
    /// Makes `address` an active subscriber without asking. Somebody who left stays out (`Added::HasLeft`):
    /// only they themselves may come back.
    pub async fn add(
        &self,
        address: &EmailAddress,
        newsletter: Option<&str>,
        cadence: Option<&str>,
    ) -> Result<Added, AudienceError> {
        let newsletter = self.newsletter(newsletter)?;
        let wish = AddSubscriber {
            address,
            newsletter: &newsletter.name,
            choice: &Choice::of(offered(newsletter, cadence)?),
            state: SubscriptionState::Active,
            source: "command line",
        };
        let mut tx = self.store.write().await?;
        let added = tx.add_subscriber(&wish, self.store.keyring(), self.now()).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// Ends the subscriptions of `address`, all or that to one newsletter. Says how many there were to end.
    pub async fn remove(
        &self,
        address: &EmailAddress,
        newsletter: Option<&str>,
    ) -> Result<usize, AudienceError> {
        let mut tx = self.store.write().await?;
        let mut ended = 0;
        for subscription in tx.subscriptions_of(address, newsletter).await? {
            if tx.unsubscribe(subscription.id, "command line", self.now()).await? {
                ended += 1;
            }
        }
        tx.commit().await?;
        Ok(ended)
    }
}
