//! The preference centre: what a subscriber may change by the link in their mails, without a password.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::answers::{send_time, zone};
use super::{Audience, AudienceError, Kept, Mistake, Origin, Wish, Wrong, offered};
use crate::config::Newsletter;
use crate::domain::{Choice, EmailAddress, SubscriptionState};
use crate::store::{StoreError, SubscriptionRow};

/// Who changed it, in the log.
pub(super) const HOW: &str = "preferences";

/// What the link in a mail leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The subscription whose mail it was.
    pub subscription: SubscriptionRow,
    pub address: EmailAddress,
    /// All subscriptions of the same person, that one among them.
    pub all: Vec<SubscriptionRow>,
}

/// A choice as somebody sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChoiceForm {
    /// As it was, when left out.
    pub cadence: String,
    /// All of them, when none is named or each is.
    pub topics: Vec<String>,
    pub language: String,
    pub timezone: String,
    pub send_time: String,
}

/// How long somebody wants no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    TwoWeeks,
    OneMonth,
    ThreeMonths,
}

impl Pause {
    /// The pause that a form names.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "two-weeks" => Some(Self::TwoWeeks),
            "one-month" => Some(Self::OneMonth),
            "three-months" => Some(Self::ThreeMonths),
            _ => None,
        }
    }

    /// The midnight in `zone` at which it is over.
    fn end(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let span = match self {
            Self::TwoWeeks => 2.weeks(),
            Self::OneMonth => 1.month(),
            Self::ThreeMonths => 3.months(),
        };
        let day = now.to_zoned(zone.clone()).datetime().date().saturating_add(span);
        let end = day.to_datetime(Time::midnight()).to_zoned(zone.clone());
        end.map_or(now, |end| end.timestamp())
    }
}

impl Audience<'_> {
    /// What the link with `token` speaks for. None: it is forged, or all about its subscription was deleted.
    pub async fn preferences(&self, token: &str) -> Result<Option<Preferences>, StoreError> {
        let Some(id) = self.store.keyring().subscription_of(token) else { return Ok(None) };
        let mut tx = self.store.read().await?;
        let Some(subscription) = tx.subscription(id).await? else { return Ok(None) };
        let Some(address) = tx.address_of(subscription.subscriber).await? else { return Ok(None) };
        let all = tx.subscriptions_of(&address, None).await?;
        Ok(Some(Preferences { subscription, address, all }))
    }

    /// Changes what somebody gets, when and how often. False: it is as it was.
    pub async fn change(
        &self,
        now: &Preferences,
        form: &ChoiceForm,
    ) -> Result<bool, AudienceError> {
        let row = &now.subscription;
        let newsletter = self.meant(&row.newsletter)?;
        let choice = chosen(newsletter, &row.choice, form)?;
        let mut tx = self.store.write().await?;
        let changed = tx.change_choice(row.id, &choice, HOW, self.now()).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Stops the mail of a subscription for a while; None: it goes on at once.
    pub async fn pause(
        &self,
        row: &SubscriptionRow,
        pause: Option<Pause>,
    ) -> Result<(), AudienceError> {
        let zone = self.zone_of(row);
        let until = pause.map(|pause| pause.end(self.now(), &zone));
        let mut tx = self.store.write().await?;
        tx.pause(row.id, until, (HOW, self.now())).await?;
        Ok(tx.commit().await?)
    }

    /// By whose clock a subscriber gets their mail: their own, or that of the newsletter.
    pub fn zone_of(&self, row: &SubscriptionRow) -> TimeZone {
        let own = row.choice.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
        own.unwrap_or_else(|| self.config.house_zone(&row.newsletter).clone())
    }

    /// Asks by mail whether the person wants another newsletter too, also where a form subscribes without asking: a mail that was
    /// passed on has the link to this page, too.
    pub async fn join(
        &self,
        now: &Preferences,
        newsletter: &str,
        origin: Origin<'_>,
    ) -> Result<(), AudienceError> {
        let newsletter = self.meant(newsletter)?;
        let choice = Choice::of(newsletter.default_cadence);
        let kept = Kept { choice, name: String::new(), attributes: serde_json::Map::default() };
        let wish = Wish { address: now.address.clone(), kept };
        self.note_wish(newsletter, &wish, origin, true).await
    }

    /// The newsletter that a page named when it was made, if it is there still.
    pub(super) fn meant(&self, name: &str) -> Result<&Newsletter, Mistake> {
        let gone = || Mistake::of("newsletter", Wrong::NoNewsletter);
        self.config.newsletters.get(name).ok_or_else(gone)
    }

    /// Ends another subscription of the same person.
    pub async fn leave_other(&self, now: &Preferences, newsletter: &str) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        for row in now.all.iter().filter(|row| row.newsletter == newsletter) {
            tx.unsubscribe(row.id, HOW, self.now()).await?;
        }
        tx.commit().await
    }
}

impl Preferences {
    /// How the person stands to `newsletter`. None: they never asked for it.
    pub fn state_of(&self, newsletter: &str) -> Option<SubscriptionState> {
        self.all.iter().find(|row| row.newsletter == newsletter).map(|row| row.state)
    }
}

/// What `form` asks of `newsletter`, if that offers it.
fn chosen(newsletter: &Newsletter, before: &Choice, form: &ChoiceForm) -> Result<Choice, Mistake> {
    let wish = Some(form.cadence.as_str()).filter(|wish| !wish.trim().is_empty());
    let cadence = match wish {
        Some(_) => {
            offered(newsletter, wish).map_err(|error| Mistake::of("cadence", error.into()))?
        }
        None => before.cadence,
    };
    let known = |topic: &&String| newsletter.topics.contains_key(topic.as_str());
    let topics: Vec<&String> = form.topics.iter().filter(known).collect();
    let is_all = newsletter.topics.keys().all(|topic| topics.contains(&topic));
    let topics = topics.into_iter().filter(|_| !is_all).cloned().collect();
    let language = newsletter
        .offered_languages()
        .find(|tag| *tag == form.language && *tag != newsletter.language)
        .map(str::to_owned);
    let send_time = send_time(&form.send_time).map_err(|wrong| Mistake::of("send_time", wrong))?;
    let timezone = zone(&form.timezone).map_err(|wrong| Mistake::of("timezone", wrong))?;
    Ok(Choice { cadence, topics, language, timezone, send_time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_at_midnight_where_the_reader_is() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let now: Timestamp = "2026-01-31T03:00:00Z".parse().unwrap();
        let end = |pause: Pause| pause.end(now, &zone).to_string();
        assert_eq!(end(Pause::TwoWeeks), "2026-02-13T05:00:00Z");
        assert_eq!(end(Pause::OneMonth), "2026-02-28T05:00:00Z");
        assert_eq!(end(Pause::ThreeMonths), "2026-04-30T04:00:00Z");
    }
}
