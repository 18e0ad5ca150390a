//! Subscribing from the public form, confirming by the link in the mail, leaving by the link in every mail.

use jiff::{SignedDuration, Timestamp};

use super::{Audience, AudienceError, offered};
use crate::config::Newsletter;
use crate::domain::{Choice, EmailAddress, SubscriptionState, random_token, token_hash};
use crate::mail::{ConfirmationInput, compose_confirmation};
use crate::store::{
    AddSubscriber, Added, ConfirmationAnswer, NewLetter, StoreError, SubscriptionRow, Tx,
};

/// How long a confirmation link works.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// One confirmation mail in this time for a wish that was not confirmed, however often somebody asks.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What a visitor sent, as they typed it.
#[derive(Clone, Copy)]
pub struct SignupForm<'a> {
    pub newsletter: &'a str,
    pub address: &'a str,
    /// The newsletter's default when left out.
    pub cadence: Option<&'a str>,
}

/// What a confirmation link did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// They are on the list, by this click or an earlier one.
    Subscribed(SubscriptionRow),
    /// They left since the link was made.
    Left,
    Expired,
    Unknown,
}

/// A letter that asks for confirmation, written before its transaction begins.
struct Request {
    token: String,
    content: String,
}

impl Audience<'_> {
    /// Notes a visitor's wish and plans the mail that asks whether it was theirs.
    ///
    /// `Ok` says nothing about the address: new, pending, active, left and suppressed ones look alike, and so does the work
    /// done for them as far as it takes time.
    pub async fn subscribe(&self, form: SignupForm<'_>) -> Result<(), AudienceError> {
        let newsletter = self.newsletter(Some(form.newsletter))?;
        let address: EmailAddress = form.address.parse()?;
        let cadence = offered(newsletter, form.cadence)?;
        let now = self.now();
        let request = self.confirmation_request(newsletter)?;
        let wish = AddSubscriber {
            address: &address,
            newsletter: &newsletter.name,
            choice: &Choice::of(cadence),
            state: SubscriptionState::Pending,
            source: "form",
        };
        let mut tx = self.store.write().await?;
        let asks = match tx.add_subscriber(&wish, self.store.keyring(), now).await? {
            Added::Subscribed(id) => Some(id),
            Added::StillPending(id) => {
                let asked = tx.last_confirmation(id).await?;
                let recently = asked.is_some_and(|at| now.duration_since(at) < ASK_AGAIN_AFTER);
                (!recently).then_some(id)
            }
            Added::AlreadyActive(_) | Added::HasLeft(_) | Added::Suppressed => None,
        };
        if let Some(id) = asks {
            let expires_at = now.saturating_add(CONFIRM_WITHIN).unwrap_or(Timestamp::MAX);
            tx.add_confirmation(id, &token_hash(&request.token), now, expires_at).await?;
            plan(&mut tx, newsletter, &address, &request.content, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The newsletter that a confirmation link is for, as long as it can be used. Changes nothing.
    pub async fn confirmation_newsletter(&self, token: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.store.read().await?;
        tx.confirmation_newsletter(&token_hash(token), self.now()).await
    }

    /// Uses a confirmation link. Using it again gives the same answer.
    pub async fn confirm(&self, token: &str) -> Result<Confirmation, StoreError> {
        let mut tx = self.store.write().await?;
        let id = match tx.confirm(&token_hash(token), self.now()).await? {
            ConfirmationAnswer::Confirmed(id) | ConfirmationAnswer::AlreadyConfirmed(id) => id,
            ConfirmationAnswer::Expired => return Ok(Confirmation::Expired),
            ConfirmationAnswer::Unknown => return Ok(Confirmation::Unknown),
        };
        let subscription = tx.subscription(id).await?;
        if let Some(row) =
            subscription.as_ref().filter(|row| row.state == SubscriptionState::Active)
        {
            self.welcome(&mut tx, row).await?;
        }
        tx.commit().await?;
        Ok(match subscription {
            Some(row) if row.state == SubscriptionState::Active => Confirmation::Subscribed(row),
            Some(_) | None => Confirmation::Left,
        })
    }

    /// Newcomers get the welcome mails of their newsletter.
    async fn welcome(&self, tx: &mut Tx, row: &SubscriptionRow) -> Result<(), StoreError> {
        let newsletter = self.config.newsletters.get(&row.newsletter);
        let Some(first) = newsletter.and_then(|newsletter| newsletter.welcome.first()) else {
            return Ok(());
        };
        let due_at = self.now().saturating_add(first.after).unwrap_or(Timestamp::MAX);
        tx.begin_welcome(row.id, due_at).await
    }

    /// The subscription that an unsubscribe link speaks for. None: the link is forged, or the subscription was erased.
    pub async fn subscription_of(
        &self,
        token: &str,
    ) -> Result<Option<SubscriptionRow>, StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(None) };
        self.store.read().await?.subscription(id).await
    }

    /// Ends the subscription that the link speaks for, at once: deliveries that wait are not sent. A link that is
    /// forged or was used before does nothing and answers the same.
    pub async fn unsubscribe(&self, token: &str) -> Result<(), StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(()) };
        let mut tx = self.store.write().await?;
        tx.unsubscribe(id, "link", self.now()).await?;
        tx.commit().await
    }

    fn confirmation_request(&self, newsletter: &Newsletter) -> Result<Request, AudienceError> {
        let token = random_token();
        let confirm_url = format!("{}confirm/{token}", self.config.server.public_url);
        let input = ConfirmationInput {
            language: None,
            site: &self.config.site,
            newsletter,
            confirm_url: &confirm_url,
            postal_address: &self.config.mail.address,
        };
        let composed = compose_confirmation(self.templates, &input)
            .map_err(|problem| AudienceError::Letter(Box::new(problem)))?;
        let content = serde_json::to_string(&composed).expect("a mail is strings all through");
        Ok(Request { token, content })
    }
}

async fn plan(
    tx: &mut Tx,
    newsletter: &Newsletter,
    address: &EmailAddress,
    content: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let letter = NewLetter {
        kind: "confirmation",
        address,
        newsletter: &newsletter.name,
        content,
        channel: &newsletter.mail_channel(),
    };
    tx.plan_letter(&letter, now).await?;
    Ok(())
}
