//! Another address: asked for in the preferences, confirmed from the new one, told to the old one.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::{Admission, Audience, AudienceError, Mistake, Preferences, SignupLimit, answers};
use crate::config::Newsletter;
use crate::domain::{EmailAddress, SubscriberId, SubscriptionState, random_token, token_hash};
use crate::mail::{LetterInput, compose_address, compose_moved};
use crate::store::{NewLetter, StoreError, SubscriptionRow, Tx};

/// How long the link to confirm an address works.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// Mails to new addresses that one person may cause in this time.
const MOST_ASKED: i64 = 3;
const ASKED_WITHIN: SignedDuration = SignedDuration::from_hours(48);

/// What the link in the mail to a new address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAddress {
    pub address: EmailAddress,
    /// One of the person's subscriptions, for its language.
    pub subscription: SubscriptionRow,
}

impl Audience<'_> {
    /// Whether somebody may have a mail sent to `address`, as far as that does not depend on whose it is. Counts as a try.
    pub fn may_ask(
        &self,
        address: &str,
        (limit, visitor): (&SignupLimit, IpAddr),
    ) -> Result<EmailAddress, AudienceError> {
        let rules = &self.config.signup;
        let address = answers::address(address, &rules.domains)
            .map_err(|wrong| Mistake::of("address", wrong))?;
        let admitted = limit.admit((visitor, &address), &rules.limits, self.now());
        admitted.map_err(AudienceError::TooOften)?;
        Ok(address)
    }

    /// Plans the mail that asks a new address, if the person did not ask too many. `Ok` says nothing about it: whether it is
    /// somebody's already or must not be mailed is nobody's business, and all that is counted is counted either way.
    pub async fn ask_address(
        &self,
        now: &Preferences,
        address: &EmailAddress,
        limit: &SignupLimit,
    ) -> Result<(), AudienceError> {
        let own = std::iter::once(&now.subscription).chain(&now.all);
        let Some((row, newsletter)) = self.voice(own) else {
            return Ok(self.meant(&now.subscription.newsletter).map(drop)?);
        };
        let at = self.now();
        let token = random_token();
        let url = format!("{}address/{token}", self.config.server.public_url);
        let letter = compose_address(self.templates, &self.letter((row, newsletter), &url))
            .map_err(|problem| AudienceError::Letter(Box::new(problem)))?;
        let letter = serde_json::to_string(&letter).expect("a mail is strings all through");
        let subscriber = now.subscription.subscriber;
        let mut tx = self.store.write().await?;
        tx.hold_subscriber(subscriber).await?;
        let since = at.saturating_sub(ASKED_WITHIN).unwrap_or(Timestamp::MIN);
        let asked = tx.address_changes_since(subscriber, since).await?;
        if asked < MOST_ASKED
            && !tx.is_asked((subscriber, address), at).await?
            && self.admit_address(limit, address) == Admission::Welcome
        {
            let expires_at = at.saturating_add(CONFIRM_WITHIN).unwrap_or(Timestamp::MAX);
            tx.ask_address((subscriber, address), &token_hash(&token), (at, expires_at)).await?;
            if tx.is_free(address, self.store.keyring()).await? {
                let to = (subscriber, address);
                self.plan_address(&mut tx, newsletter, to, &letter).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// The address that the link with `token` is for. Changes nothing.
    pub async fn new_address(&self, token: &str) -> Result<Option<NewAddress>, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(change) = tx.address_change(&token_hash(token), self.now()).await? else {
            return Ok(None);
        };
        let Some(old) = tx.address_of(change.subscriber).await? else { return Ok(None) };
        let own = tx.subscriptions_of(&old, None).await?;
        let found = self.voice(own.iter()).map(|(subscription, _)| subscription.clone());
        Ok(found.map(|subscription| NewAddress { address: change.address, subscription }))
    }

    /// Moves the person's mail to the new address, and says so to the old one. Pressing twice gives the same answer. None: the
    /// link is of no use.
    pub async fn confirm_address(&self, token: &str) -> Result<Option<NewAddress>, AudienceError> {
        let Some(new) = self.new_address(token).await? else { return Ok(None) };
        // Whoever cannot be told is not moved.
        let newsletter = self.config.newsletters.get(&new.subscription.newsletter);
        let Some(newsletter) = newsletter else { return Ok(None) };
        let (at, keyring) = (self.now(), self.store.keyring());
        let subscriber = new.subscription.subscriber;
        let own = keyring.unsubscribe_token(new.subscription.id);
        let url = format!("{}preferences/{own}", self.config.server.public_url);
        let letter =
            compose_moved(self.templates, &self.letter((&new.subscription, newsletter), &url))
                .map_err(|problem| AudienceError::Letter(Box::new(problem)))?;
        let letter = serde_json::to_string(&letter).expect("a mail is strings all through");
        let mut tx = self.store.write().await?;
        // Once more within the transaction that acts on it.
        let Some(old) = tx.address_of(subscriber).await? else { return Ok(None) };
        if old.key() == new.address.key() {
            return Ok(Some(new));
        }
        if !tx.use_address_change(&token_hash(token), at).await?
            || !tx.is_free(&new.address, keyring).await?
        {
            return Ok(None);
        }
        match tx.suppression_of(&keyring.address_hash(&old)).await? {
            None => {
                self.plan_address(&mut tx, newsletter, (subscriber, &old), &letter).await?;
            }
            // What bounces gets no mail; whoever complained or was erased stays where they are.
            Some(reason) if reason.starts_with("bounced") => {}
            Some(_) => return Ok(None),
        }
        tx.move_to_address(subscriber, &new.address, at).await?;
        tx.commit().await?;
        Ok(Some(new))
    }

    /// The subscription in whose name a person is written to: of a newsletter that there is, or nothing goes out; an active one
    /// before others, and those that come first.
    fn voice<'r>(
        &self,
        rows: impl Iterator<Item = &'r SubscriptionRow>,
    ) -> Option<(&'r SubscriptionRow, &Newsletter)> {
        rows.filter_map(|row| Some((row, self.config.newsletters.get(&row.newsletter)?)))
            .min_by_key(|(row, _)| row.state != SubscriptionState::Active)
    }

    async fn plan_address(
        &self,
        tx: &mut Tx,
        newsletter: &Newsletter,
        (owner, address): (SubscriberId, &EmailAddress),
        content: &str,
    ) -> Result<(), StoreError> {
        let letter = NewLetter {
            kind: "address",
            owner: Some(owner),
            address,
            newsletter: &newsletter.name,
            content,
            channel: &newsletter.mail_channel(),
        };
        tx.plan_letter(&letter, self.now()).await?;
        Ok(())
    }

    fn letter<'b>(
        &'b self,
        (row, newsletter): (&'b SubscriptionRow, &'b Newsletter),
        url: &'b str,
    ) -> LetterInput<'b> {
        LetterInput {
            site: &self.config.site,
            language: row.choice.language.as_deref().or(Some(newsletter.language.as_str())),
            url,
            postal_address: &self.config.mail.address,
        }
    }
}
