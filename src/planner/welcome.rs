//! Welcome mails: a few posts and templates that newcomers get, one after the other, apart from what is news.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::forecast::ForecastRow;
use super::seal::compose_welcome;
use super::{PlanError, Planned, Planner, TRY_AGAIN};
use crate::config::{Newsletter, WelcomeMail};
use crate::domain::{Cadence, Catalog, CatalogPost, Channel, Schedule, SubscriptionId};
use crate::store::{DueWelcome, StoreError, Tx};
use crate::telemetry;

/// Which of the mails, and in which language.
type Mail = (usize, Option<String>);

/// What a mail says.
enum Text<'a> {
    Post(&'a Arc<CatalogPost>),
    Template(&'a str),
}

/// What became of a mail that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Sealed,
    /// Another node was faster, or there is no mail left.
    Nothing,
    NotNow,
}

/// When it is looked again whether somebody is of the audience by then.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(24);
/// A welcome mail keeps so far away from a digest.
const APART: SignedDuration = SignedDuration::from_hours(3);

impl Planner {
    /// Seals what is due: an edition for those who get the same mail.
    pub(super) async fn run_welcome(
        &self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = Planned::default();
        if newsletter.welcome.is_empty() {
            return Ok(planned);
        }
        let next = self.store.read().await?.next_welcome(&newsletter.name).await?;
        let Some(next) = next else { return Ok(planned) };
        if next > now {
            planned.next = Some(next);
            return Ok(planned);
        }
        let mails = self.due_mails(newsletter, now).await?;
        for ((step, language), those) in mails {
            let outcome = match self
                .welcome(newsletter, (step, language.as_deref(), &those), catalog, now)
                .await
            {
                Ok(outcome) => outcome,
                Err(PlanError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(
                        newsletter = %newsletter.name,
                        step,
                        error = %telemetry::causes(&error),
                        "this welcome mail cannot go out; it stays due and is tried again"
                    );
                    Outcome::NotNow
                }
            };
            planned.count += usize::from(outcome == Outcome::Sealed);
            if outcome == Outcome::NotNow {
                self.put_off_welcome(&those, now.saturating_add(TRY_AGAIN).unwrap_or(now)).await?;
            }
        }
        // Whoever is due still was one too many for this time.
        planned.next = self.store.read().await?.next_welcome(&newsletter.name).await?;
        Ok(planned)
    }

    /// Who gets the same mail now. Those whose digest is close wait.
    async fn due_mails(
        &self,
        newsletter: &Newsletter,
        now: Timestamp,
    ) -> Result<BTreeMap<Mail, Vec<DueWelcome>>, StoreError> {
        let mut tx = self.store.write().await?;
        tx.wait_for_other_planners().await?;
        let mut mails: BTreeMap<Mail, Vec<DueWelcome>> = BTreeMap::new();
        let houses = self.config.houses();
        let audience = (newsletter.audience.as_ref(), &houses);
        for one in tx.due_welcomes(&newsletter.name, audience, now).await? {
            if !one.is_wanted {
                let later = now.saturating_add(LOOK_AGAIN).unwrap_or(now);
                tx.put_off_welcome(&one, later).await?;
                continue;
            }
            let schedule = newsletter.cadences.get(&one.slot.cadence).and_then(Option::as_ref);
            let digests = schedule.map(|schedule| one.slot.schedule(schedule));
            match digests.and_then(|digests| apart(&digests, now)) {
                Some(later) => tx.put_off_welcome(&one, later).await?,
                None => mails.entry((one.step, one.language.clone())).or_default().push(one),
            }
        }
        tx.commit().await?;
        Ok(mails)
    }

    /// Others must not wait behind those who cannot have theirs.
    async fn put_off_welcome(
        &self,
        those: &[DueWelcome],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.wait_for_other_planners().await?;
        for one in those {
            tx.put_off_welcome(one, until).await?;
        }
        tx.commit().await
    }

    /// Seals their mail.
    async fn welcome(
        &self,
        newsletter: &Newsletter,
        (step, language, those): (usize, Option<&str>, &[DueWelcome]),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Outcome, PlanError> {
        let mut tx = self.store.write().await?;
        tx.wait_for_other_planners().await?;
        // Whoever had all that there is has nothing to come.
        let mail = newsletter.welcome.get(step).map(|step| &step.mail);
        let text = mail.map(|mail| self.text_of(mail, catalog, now));
        if matches!(text, Some(None)) {
            tracing::warn!(
                newsletter = %newsletter.name,
                step,
                "a welcome mail waits: its post is not there, not out in the feeds, held, or was just edited"
            );
            return Ok(Outcome::NotNow);
        }
        let next = newsletter.welcome.get(step + 1);
        let mut people = Vec::new();
        for one in those {
            // Another node may have been faster.
            let due_at = next.map(|next| now.saturating_add(next.after).unwrap_or(now));
            if tx.advance_welcome(one, due_at).await? {
                people.push(one.subscription);
            }
        }
        let mut outcome = Outcome::Nothing;
        if let Some(text) = text.flatten().filter(|_| !people.is_empty()) {
            let share = tx.deal_to(&people).await?;
            self.seal_welcome(&mut tx, (newsletter, text), (language, share), now).await?;
            tx.forget_shares().await?;
            outcome = Outcome::Sealed;
        }
        tx.commit().await?;
        Ok(outcome)
    }

    async fn seal_welcome(
        &self,
        tx: &mut Tx,
        (newsletter, text): (&Newsletter, Text<'_>),
        (language, share): (Option<&str>, (i64, i64)),
        now: Timestamp,
    ) -> Result<(), PlanError> {
        match text {
            Text::Post(known) => {
                let edition = (newsletter, Cadence::Instant);
                let share = (&[known][..], language, share);
                self.seal((tx, &mut HashMap::new()), edition, share, now).await
            }
            Text::Template(name) => {
                let with = (&*self.config, &self.templates);
                let composed = compose_welcome(with, newsletter, name, (language, now))
                    .map_err(PlanError::Compose)?;
                let edition = (newsletter, Cadence::Instant, language);
                self.seal_as(tx, edition, (&composed, &[]), (share, now)).await
            }
        }
    }

    /// The welcome mails that are due next to those who wait for one: a row for each mail and day.
    pub(super) async fn foreseen_welcomes(
        &self,
        tx: &mut Tx,
        (newsletter, only): (&Newsletter, Option<SubscriptionId>),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Vec<ForecastRow>, StoreError> {
        if newsletter.welcome.is_empty() {
            return Ok(Vec::new());
        }
        let houses = self.config.houses();
        let audience = (newsletter.audience.as_ref(), &houses);
        let waiting = tx.waiting_welcomes((&newsletter.name, only), audience, now).await?;
        let zone = &self.config.site.time_zone;
        let mut found: BTreeMap<(usize, Date), ForecastRow> = BTreeMap::new();
        for (step, due_at, people) in waiting {
            let at = due_at.max(now);
            let mail = newsletter.welcome.get(step).map(|step| &step.mail);
            let brings = match mail.and_then(|mail| self.text_of(mail, catalog, at)) {
                Some(Text::Post(known)) => known.post.slug.clone(),
                Some(Text::Template(name)) => name.to_owned(),
                // It waits, and nobody knows until when.
                None => continue,
            };
            let day = at.to_zoned(zone.clone()).date();
            let there = found.entry((step, day)).or_insert_with(|| ForecastRow {
                at,
                channel: format!("welcome:{}", newsletter.name),
                posts: vec![brings],
                recipients: Some(0),
            });
            there.recipients = there.recipients.map(|known| known + people);
        }
        Ok(found.into_values().collect())
    }

    /// None: its post cannot be mailed now.
    fn text_of<'a>(
        &self,
        mail: &'a WelcomeMail,
        catalog: &'a Catalog,
        now: Timestamp,
    ) -> Option<Text<'a>> {
        match mail {
            WelcomeMail::Template(name) => Some(Text::Template(name)),
            WelcomeMail::Post(post) => {
                catalog.find(post).filter(|known| self.may_welcome(known, now)).map(Text::Post)
            }
        }
    }
}

impl Planner {
    /// Whether a post may be mailed to newcomers: the feeds have it, and nobody is to look at it first.
    fn may_welcome(&self, known: &CatalogPost, now: Timestamp) -> bool {
        let due = self.config.releases.due(&known.post, &Channel::Feeds, &self.taken);
        due.is_live(now) && !known.is_expired(now) && !known.is_held() && known.settled_at() <= now
    }
}

/// When a mail may go out that would come close to one of the `digests` now. None: it does not.
fn apart(digests: &Schedule, now: Timestamp) -> Option<Timestamp> {
    // What runs more often than this cannot be avoided.
    let first = digests.next_after(now.saturating_sub(APART).ok()?)?;
    let second = digests.next_after(first)?;
    if second.duration_since(first) <= APART * 2 {
        return None;
    }
    let close = first <= now.saturating_add(APART).ok()?;
    close.then(|| first.saturating_add(APART).unwrap_or(now)).filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-26T{time}Z").parse().unwrap()
    }

    fn moved(cron: &str, now: &str) -> Option<Timestamp> {
        apart(&Schedule::parse(cron, TimeZone::UTC).unwrap(), at(now))
    }

    #[test]
    fn a_welcome_mail_keeps_away_from_a_digest() {
        assert_eq!(moved("0 7 * * *", "03:00:00"), None);
        assert_eq!(moved("0 7 * * *", "05:00:00"), Some(at("10:00:00")), "before it");
        assert_eq!(moved("0 7 * * *", "08:00:00"), Some(at("10:00:00")), "after it");
        assert_eq!(moved("0 7 * * *", "10:00:00"), None, "far enough");
        assert_eq!(moved("* * * * *", "05:00:00"), None, "nothing is far from this one");
    }
}
