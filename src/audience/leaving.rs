//! Leaving: one newsletter or all, by a link, by a mail, and what somebody wants to say about it.

use mail_parser::MessageParser;

use super::Audience;
use crate::domain::TOKEN_LENGTH;
use crate::store::StoreError;

/// Characters of a reason that are kept.
const MAX_REASON: usize = 500;

impl Audience<'_> {
    /// Ends all subscriptions of the person that the link speaks for, at once. A forged link does nothing and answers the same.
    pub async fn leave_all(&self, token: &str, how: &str) -> Result<(), StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(()) };
        let mut tx = self.store.write().await?;
        let Some(row) = tx.subscription(id).await? else { return Ok(()) };
        // Whoever was erased has no address, but may have a subscription.
        tx.unsubscribe(id, how, self.now()).await?;
        if let Some(address) = tx.address_of(row.subscriber).await? {
            for row in tx.subscriptions_of(&address, None).await? {
                tx.unsubscribe(row.id, how, self.now()).await?;
            }
        }
        tx.commit().await
    }

    /// Keeps why somebody left, if they did.
    pub async fn say_why(&self, token: &str, reason: &str) -> Result<(), StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(()) };
        let reason = worded(reason);
        if reason.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.write().await?;
        tx.note_end_reason(id, &reason).await?;
        tx.commit().await
    }

    /// Ends the subscription that `token` speaks for, at once: deliveries that wait are not sent. False: it speaks for none, and
    /// nothing was done.
    pub async fn leave_by(&self, token: &str, how: &str) -> Result<bool, StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(false) };
        let mut tx = self.store.write().await?;
        let is_known = tx.subscription(id).await?.is_some();
        tx.unsubscribe(id, how, self.now()).await?;
        tx.commit().await?;
        Ok(is_known)
    }

    /// Does what a mail to the unsubscribe mailbox asks for: the token is in its subject. False: there is none that we made.
    pub async fn leave_by_mail(&self, mail: &[u8]) -> Result<bool, StoreError> {
        let parsed = MessageParser::new().parse_headers(mail);
        let subject = parsed.as_ref().and_then(|mail| mail.subject()).unwrap_or_default();
        for word in subject.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)) {
            if word.len() == TOKEN_LENGTH && self.leave_by(word, "mail").await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// One line without control characters, of at most `MAX_REASON` characters.
fn worded(reason: &str) -> String {
    let visible = reason.replace(|c: char| c.is_control(), " ");
    let words: Vec<_> = visible.split_whitespace().collect();
    words.join(" ").chars().take(MAX_REASON).collect()
}
