//! Welcome mails: a few posts that newcomers get, one after the other, apart from what is news.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::select::earlier;
use super::{PlanError, Planned, Planner};
use crate::config::Newsletter;
use crate::domain::{Cadence, Catalog, Schedule};
use crate::store::DueWelcome;

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
        let mut tx = self.store.write().await?;
        tx.wait_for_other_planners().await?;
        let due = tx.due_welcomes(&newsletter.name, now).await?;
        let mut mails: BTreeMap<(usize, Option<String>), Vec<DueWelcome>> = BTreeMap::new();
        for one in due {
            let schedule = newsletter.cadences.get(&one.slot.cadence).and_then(Option::as_ref);
            let digests = schedule.map(|schedule| one.slot.schedule(schedule));
            match digests.and_then(|digests| apart(&digests, now)) {
                Some(later) => tx.move_welcome(one.subscription, one.step, Some(later)).await?,
                None => mails.entry((one.step, one.language.clone())).or_default().push(one),
            }
        }
        for ((step, language), those) in mails {
            let next = newsletter.welcome.get(step + 1);
            for one in &those {
                let due_at = next.map(|next| now.saturating_add(next.after).unwrap_or(now));
                tx.move_welcome(one.subscription, step + 1, due_at).await?;
            }
            let Some(step) = newsletter.welcome.get(step) else { continue };
            let Some(known) = catalog.find(&step.post).filter(|known| !known.is_expired(now))
            else {
                tracing::error!(
                    newsletter = %newsletter.name,
                    post = step.post,
                    "this welcome mail is left out: there is no such post now"
                );
                continue;
            };
            let people: Vec<_> = those.iter().map(|one| one.subscription).collect();
            let share = tx.deal_to(&people).await?;
            let edition = (newsletter, Cadence::Instant);
            let share = (&[known][..], language.as_deref(), share);
            self.seal((&mut tx, &mut HashMap::new()), edition, share, now).await?;
            tx.forget_shares().await?;
            planned.count += 1;
        }
        planned.next = earlier(tx.next_welcome(&newsletter.name).await?, None);
        tx.commit().await?;
        Ok(planned)
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
