//! Subscribing from the public form, confirming by the link in the mail, leaving by the link in every mail.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::answers::{Kept, Wish};
use super::{Audience, AudienceError};
use crate::config::Newsletter;
use crate::domain::{EmailAddress, SubscriptionId, SubscriptionState, random_token, token_hash};
use crate::mail::{ConfirmationInput, compose_confirmation};
use crate::store::{
    AddSubscriber, Added, ConfirmationAnswer, Consent, NewLetter, StoreError, SubscriptionRow, Tx,
};
use crate::template::PutIn;

/// How long a confirmation link works.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(48);
/// One confirmation mail in this time for a wish that was not confirmed, however often somebody asks; twice as long after each.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Doubled so often at most: 32 days.
const MOST_DOUBLED: u32 = 5;

/// Where a wish came from, for the evidence.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub visitor: IpAddr,
    /// Which page, or which site.
    pub form: &'a str,
    /// In which they read what they agreed to.
    pub language: &'a str,
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
    /// What whoever sends the form says with it. The page shows it, and it is kept as evidence.
    pub fn statement(&self, newsletter: &Newsletter, language: &str) -> String {
        self.stated(newsletter, language, newsletter.questions.double_opt_in)
    }

    fn stated(&self, newsletter: &Newsletter, language: &str, asks_first: bool) -> String {
        let text = if asks_first { "subscribe-statement" } else { "subscribe-statement-at-once" };
        let title = [("newsletter", PutIn::Text(&newsletter.title))];
        self.templates.text(language, text, &title)
    }

    /// What whoever presses the button of the confirmation page says with it.
    pub fn confirming_statement(&self, title: &str, language: &str) -> String {
        self.templates.text(language, "confirm-statement", &[("newsletter", PutIn::Text(title))])
    }

    /// Notes a visitor's wish and plans the mail that asks whether it was theirs; without double opt-in it comes true at once.
    ///
    /// `Ok` says nothing about the address: new, pending, active, left and suppressed ones look alike, and so does the work
    /// done for them as far as it takes time.
    pub async fn subscribe(
        &self,
        newsletter: &Newsletter,
        wish: &Wish,
        origin: Origin<'_>,
    ) -> Result<(), AudienceError> {
        self.note_wish(newsletter, wish, origin, newsletter.questions.double_opt_in).await
    }

    /// The same, where `asks_first` says whether whoever is at the address is asked by mail.
    pub(super) async fn note_wish(
        &self,
        newsletter: &Newsletter,
        wish: &Wish,
        origin: Origin<'_>,
        asks_first: bool,
    ) -> Result<(), AudienceError> {
        let now = self.now();
        let language = wish.kept.choice.language.as_deref().unwrap_or(origin.language);
        let request = self.confirmation_request(newsletter, language)?;
        let answers = serde_json::to_string(&wish.kept).expect("answers are JSON all through");
        let statement = self.stated(newsletter, origin.language, asks_first);
        let mut tx = self.store.write().await?;
        if !asks_first && let Some(id) = self.take_at_once(&mut tx, newsletter, wish).await? {
            tx.note_consent(id, &origin.consent("added", statement), now).await?;
            return Ok(tx.commit().await?);
        }
        let asked = add(newsletter, wish, SubscriptionState::Pending);
        let asks = match tx.add_subscriber(&asked, self.store.keyring(), now).await? {
            Added::Subscribed(id) => Some(id),
            Added::StillPending(id) => {
                let before = tx.unanswered(id).await?;
                before
                    .is_none_or(|(times, at)| now.duration_since(at) >= cool_down(times))
                    .then_some(id)
            }
            Added::AlreadyActive(_) | Added::HasLeft(_) | Added::Suppressed => None,
        };
        if let Some(id) = asks {
            let expires_at = now.saturating_add(CONFIRM_WITHIN).unwrap_or(Timestamp::MAX);
            let hash = token_hash(&request.token);
            tx.add_confirmation(id, &hash, now, expires_at).await?;
            tx.keep_answers(&hash, &answers).await?;
            tx.note_consent(id, &origin.consent("asked", statement), now).await?;
            plan(&mut tx, newsletter, &wish.address, &request.content, now).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Subscribes without asking. None: they left before, and only they themselves may come back, so they are asked.
    async fn take_at_once(
        &self,
        tx: &mut Tx,
        newsletter: &Newsletter,
        wish: &Wish,
    ) -> Result<Option<SubscriptionId>, StoreError> {
        let now = self.now();
        let added = add(newsletter, wish, SubscriptionState::Active);
        match tx.add_subscriber(&added, self.store.keyring(), now).await? {
            Added::Subscribed(id) => {
                // Anybody may have typed the address: what its owner said before stands.
                adopt(tx, id, &wish.kept, false).await?;
                if let Some(row) = tx.subscription(id).await? {
                    self.welcome(tx, &row).await?;
                }
                Ok(Some(id))
            }
            Added::HasLeft(_)
            | Added::AlreadyActive(_)
            | Added::StillPending(_)
            | Added::Suppressed => Ok(None),
        }
    }

    /// The newsletter that a confirmation link is for, as long as it can be used. Changes nothing.
    pub async fn confirmation_newsletter(&self, token: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.store.read().await?;
        tx.confirmation_newsletter(&token_hash(token), self.now()).await
    }

    /// Uses a confirmation link. Using it again gives the same answer.
    pub async fn confirm(
        &self,
        token: &str,
        origin: Origin<'_>,
    ) -> Result<Confirmation, StoreError> {
        let (now, hash) = (self.now(), token_hash(token));
        let mut tx = self.store.write().await?;
        let (id, is_first) = match tx.confirm(&hash, now).await? {
            ConfirmationAnswer::Confirmed(id) => (id, true),
            ConfirmationAnswer::AlreadyConfirmed(id) => (id, false),
            ConfirmationAnswer::Expired => return Ok(Confirmation::Expired),
            ConfirmationAnswer::Unknown => return Ok(Confirmation::Unknown),
        };
        let found = tx.subscription(id).await?;
        let Some(row) = found.filter(|row| row.state == SubscriptionState::Active) else {
            tx.commit().await?;
            return Ok(Confirmation::Left);
        };
        if is_first {
            let newsletter = self.config.newsletters.get(&row.newsletter);
            let title = newsletter.map_or(row.newsletter.as_str(), |it| it.title.as_str());
            let consent =
                origin.consent("confirmed", self.confirming_statement(title, origin.language));
            tx.note_consent(id, &consent, now).await?;
            let answers = tx.answers_of(&hash).await?;
            // What an older version of this program kept, or none: then there is nothing to take over.
            if let Ok(kept) = serde_json::from_str::<Kept>(&answers) {
                tx.change_choice(id, &kept.choice, "confirmation", now).await?;
                adopt(&mut tx, id, &kept, true).await?;
            }
        }
        let row = tx.subscription(id).await?.unwrap_or(row);
        if is_first {
            self.welcome(&mut tx, &row).await?;
        }
        tx.commit().await?;
        Ok(Confirmation::Subscribed(row))
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

    fn confirmation_request(
        &self,
        newsletter: &Newsletter,
        language: &str,
    ) -> Result<Request, AudienceError> {
        let token = random_token();
        let confirm_url = format!("{}confirm/{token}", self.config.server.public_url);
        let input = ConfirmationInput {
            language: Some(language),
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

impl Origin<'_> {
    fn consent(&self, kind: &'static str, statement: String) -> Consent {
        let (address, form) = (self.visitor.to_canonical().to_string(), self.form.to_owned());
        Consent { kind, address, form, statement }
    }
}

/// How long nobody is asked once more who was asked `times` times.
fn cool_down(times: u32) -> SignedDuration {
    ASK_AGAIN_AFTER * (1 << times.saturating_sub(1).min(MOST_DOUBLED))
}

fn add<'a>(
    newsletter: &'a Newsletter,
    wish: &'a Wish,
    state: SubscriptionState,
) -> AddSubscriber<'a> {
    AddSubscriber {
        address: &wish.address,
        newsletter: &newsletter.name,
        choice: &wish.kept.choice,
        state,
        source: "form",
    }
}

/// Makes answers the subscriber's own. `over`: also over what is there already.
async fn adopt(tx: &mut Tx, id: SubscriptionId, kept: &Kept, over: bool) -> Result<(), StoreError> {
    let Some(row) = tx.subscription(id).await? else { return Ok(()) };
    let Some((name, attributes)) = tx.answers_kept(row.subscriber).await? else { return Ok(()) };
    let mut all: Map<String, Value> = serde_json::from_str(&attributes).unwrap_or_default();
    let is_bare = name.is_empty() && all.is_empty();
    if !(over || is_bare) || (kept.name.is_empty() && kept.attributes.is_empty()) {
        return Ok(());
    }
    all.extend(kept.attributes.clone());
    let name = if kept.name.is_empty() { &name } else { &kept.name };
    tx.set_answers(row.subscriber, (name, &Value::Object(all).to_string())).await
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
        owner: None,
        address,
        newsletter: &newsletter.name,
        content,
        channel: &newsletter.mail_channel(),
    };
    tx.plan_letter(&letter, now).await?;
    Ok(())
}
