//! News by mail: what becomes news, and who is due which of it: one by one, in digests, at whose hour.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::names::{Way, cadence_channel, expression_key, news_channel, slot_schedule};
use super::select::{Candidate, Run, World, candidates, earlier, latest_run, ready_at};
use super::share::{Of, Share, Table, deal, first_due, is_to_mail_alone, languages, mailed_before};
use super::{PlanError, Planned, Planner, next_ready, put_off};
use crate::config::Newsletter;
use crate::domain::{Cadence, Catalog, CatalogPost, PostId, Schedule, Slot};
use crate::store::{Dealt, Due, Houses, NewsRow, Profile, StoreError, Tx, Whose};
use crate::telemetry;

/// Digests of one cadence that fell due, each under the name of its schedule.
struct DueSlots {
    fired: Vec<(String, Timestamp, Slot)>,
    missed: Vec<(String, Timestamp)>,
    /// Schedules that are new, or were changed.
    new: Vec<(String, String)>,
    next: Option<Timestamp>,
}

impl Planner {
    /// Everything of a newsletter that is due at `now`.
    pub(super) async fn run_newsletter(
        &mut self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = self.run_news(newsletter, catalog, now).await?;
        for (cadence, schedule) in &newsletter.cadences {
            let done = match schedule {
                None => {
                    let caught_up = self.run_catch_up(newsletter, catalog, now).await;
                    let caught_up = caught_up.map(|count| Planned { count, ..Planned::default() });
                    super::note(&mut planned, "catching up", caught_up, now);
                    self.run_instant(newsletter, catalog, now).await
                }
                Some(schedule) => {
                    self.run_digest((newsletter, *cadence, schedule), catalog, now).await
                }
            };
            super::note(&mut planned, &cadence_channel(newsletter, *cadence), done, now);
        }
        let welcomed = self.run_welcome(newsletter, catalog, now).await;
        super::note(&mut planned, "welcome mails", welcomed, now);
        Ok(planned)
    }

    /// Posts that are ready become news, in their order.
    async fn run_news(
        &mut self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let found = self.news_to_come(newsletter, catalog, now);
        let ready: Vec<&PostId> =
            found.iter().filter(|one| one.is_ready(now)).map(|one| &one.post.post.id).collect();
        if !ready.is_empty() {
            let mut tx = self.store.write().await?;
            tx.note_news(&newsletter.name, &ready, now).await?;
            tx.commit().await?;
            let had = self.had.entry(news_channel(newsletter)).or_default();
            had.extend(ready.into_iter().cloned());
        }
        Ok(Planned { next: next_ready(&found, now), ..Planned::default() })
    }

    /// What is no news yet and will be, to those of one cadence at least; oldest first.
    pub(super) fn news_to_come(
        &self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        // All digests are alike, so are all posts by themselves: two looks at most.
        let digest = newsletter.cadences.keys().find(|cadence| **cadence != Cadence::Instant);
        let alone = newsletter.cadences.keys().find(|cadence| **cadence == Cadence::Instant);
        for cadence in digest.into_iter().chain(alone) {
            let way = Way::news(newsletter, *cadence);
            let seen: HashSet<PostId> = found.iter().map(|one| one.post.post.id.clone()).collect();
            let more = self.look(&way, catalog, now, candidates).into_iter();
            found.extend(more.filter(|one| !seen.contains(&one.post.post.id)));
        }
        found.sort_by(|a, b| {
            let (a, b) = (&a.post.post, &b.post.post);
            a.published_at.cmp(&b.published_at).then_with(|| a.id.cmp(&b.id))
        });
        found
    }

    /// Each post that was not mailed by itself yet. One that cannot be composed holds back no other.
    async fn run_instant(
        &mut self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = Planned::default();
        let waiting = self.alone_to_come(newsletter, catalog, now).await?;
        planned.next = next_ready(&waiting, now);
        for candidate in waiting.iter().filter(|candidate| candidate.is_ready(now)) {
            match self.mail_alone(newsletter, &candidate.post, catalog, now).await {
                Ok(count) => planned.count += count,
                Err(error) => {
                    let channel = cadence_channel(newsletter, Cadence::Instant);
                    put_off(&mut planned, (&channel, &candidate.post.post), error, now)?;
                }
            }
        }
        Ok(planned)
    }

    /// From when on news is mailed by itself: what came before is so to nobody.
    pub(super) fn alone_since(&self, newsletter: &Newsletter, now: Timestamp) -> Timestamp {
        let channel = cadence_channel(newsletter, Cadence::Instant);
        self.since.get(&channel).copied().unwrap_or(now)
    }

    /// The news that was not mailed by itself yet, and may be.
    async fn alone_to_come(
        &self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, StoreError> {
        let since = self.alone_since(newsletter, now);
        let rows = self.store.read().await?.news_to_mail_alone(&newsletter.name).await?;
        let rows = rows.into_iter().filter(|row| is_to_mail_alone(row, since));
        let wanted: HashSet<PostId> = rows.map(|row| row.post).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let way = Way::news(newsletter, Cadence::Instant);
        Ok(self.look(&way, catalog, now, |world, view| {
            let there = catalog.posts.iter().rev().filter(|known| wanted.contains(&known.post.id));
            let may = there.filter(|known| {
                !known.is_expired(now)
                    && known.post.wishes().refuse(view.channel, view.cadence).is_none()
            });
            may.filter_map(|known| {
                let ready_at = ready_at(world, view, known)?;
                Some(Candidate { post: Arc::clone(known), ready_at })
            })
            .collect()
        }))
    }

    /// How many editions it made: none, if another node was faster, or nobody wants it so.
    async fn mail_alone(
        &self,
        newsletter: &Newsletter,
        known: &Arc<CatalogPost>,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let mut tx = self.store.write().await?;
        if !tx.claim_alone(&newsletter.name, &known.post.id, now).await? {
            return Ok(0);
        }
        let only = HashSet::from([known.post.id.clone()]);
        let whose = Whose::Cadence(Cadence::Instant);
        let due = (newsletter, Cadence::Instant, whose);
        let sealed = self.seal_due(&mut tx, due, (catalog, Of::Only(&only)), now).await?;
        tx.commit().await?;
        Ok(sealed)
    }

    /// Those who went over to `instant` get what was mailed by itself before they came, and the slower cadence had not brought yet.
    /// What is still to be mailed by itself reaches them so.
    async fn run_catch_up(
        &mut self,
        newsletter: &Newsletter,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let houses = self.config.houses();
        let mut tx = self.store.read().await?;
        let profiles = tx.profiles(due_of(newsletter, Whose::CatchingUp, &houses), now).await?;
        if profiles.is_empty() {
            return Ok(0);
        }
        // What they are owed may not be there for long: nobody need wait for us until it is.
        let rows = tx.news_after(&newsletter.name, first_due(&profiles)).await?;
        drop(tx);
        let table = self.table((newsletter, Cadence::Instant), catalog, (&rows, &profiles), now);
        let mailed = mailed_before(&rows, self.alone_since(newsletter, now));
        let (dealt, _) = deal(&table, &profiles, Of::Only(&mailed), now);
        // Nothing to be had, and nobody who is done.
        if dealt.iter().all(|dealt| !dealt.is_change() && !dealt.owed.is_empty()) {
            return Ok(0);
        }
        let mut tx = self.store.write().await?;
        let due = (newsletter, Cadence::Instant, Whose::CatchingUp);
        let sealed = self.seal_due(&mut tx, due, (catalog, Of::Only(&mailed)), now).await?;
        tx.commit().await?;
        Ok(sealed)
    }

    /// The digests that fell due, at whosever hour it is.
    async fn run_digest(
        &mut self,
        (newsletter, cadence, schedule): (&Newsletter, Cadence, &Schedule),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let due = self.due_slots((newsletter, cadence, schedule), now).await?;
        let mut planned = Planned { next: due.next, ..Planned::default() };
        if due.fired.is_empty() && due.missed.is_empty() && due.new.is_empty() {
            return Ok(planned);
        }
        let mut tx = self.store.write().await?;
        for (name, expression) in &due.new {
            tx.schedule(name, expression, now).await?;
        }
        for (name, at) in &due.missed {
            self.note_missed(&mut tx, name, *at, now).await?;
        }
        // Before anybody's tick is claimed: whoever plans beside us waits here.
        tx.wait_for_other_planners().await?;
        let mut slots = Vec::new();
        for (name, at, slot) in due.fired {
            tx.consider_until(&name, at).await?;
            if tx.claim_tick(&name, at, now, "due").await? {
                slots.push(slot);
            }
        }
        if !slots.is_empty() {
            let whose = Whose::Slots(cadence, &slots);
            let sealed = self
                .seal_due(&mut tx, (newsletter, cadence, whose), (catalog, Of::Everything), now)
                .await?;
            let note = if sealed == 0 { "nothing new" } else { "sealed" };
            telemetry::tick(&cadence_channel(newsletter, cadence), note);
            planned.count += sealed;
        }
        tx.commit().await?;
        Ok(planned)
    }

    async fn due_slots(
        &self,
        (newsletter, cadence, schedule): (&Newsletter, Cadence, &Schedule),
        now: Timestamp,
    ) -> Result<DueSlots, StoreError> {
        let mut tx = self.store.read().await?;
        let slots = all_slots(&mut tx, newsletter, cadence).await?;
        let rows = tx.schedules(&cadence_channel(newsletter, cadence)).await?;
        let mut due = DueSlots { fired: vec![], missed: vec![], new: vec![], next: None };
        for slot in slots {
            let name = slot_schedule(newsletter, &slot);
            let schedule = slot.schedule(schedule);
            due.next = earlier(due.next, schedule.next_after(now));
            let expression = expression_key(&schedule);
            let Some(row) = rows.get(&name).filter(|row| row.expression == expression) else {
                due.new.push((name, expression));
                continue;
            };
            match latest_run(&schedule, newsletter.missed_runs, row.considered_until, now) {
                Run::NotYet => {}
                Run::Missed { due: at } => due.missed.push((name, at)),
                Run::Fire { due: at } => due.fired.push((name, at, slot)),
            }
        }
        Ok(due)
    }

    /// Deals out what is due and seals an edition for each share. Says how many.
    pub(super) async fn seal_due(
        &self,
        tx: &mut Tx,
        (newsletter, cadence, whose): (&Newsletter, Cadence, Whose<'_>),
        (catalog, of): (&Catalog, Of<'_>),
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        tx.wait_for_other_planners().await?;
        let houses = self.config.houses();
        let due = due_of(newsletter, whose, &houses);
        tx.hold_still(due, now).await?;
        let profiles = tx.profiles(due, now).await?;
        let rows = tx.news_after(&newsletter.name, first_due(&profiles)).await?;
        let table = self.table((newsletter, cadence), catalog, (&rows, &profiles), now);
        let (mut dealt, shares) = deal(&table, &profiles, of, now);
        // Of those who catch up it is noted as well that they are done.
        if !matches!(whose, Whose::CatchingUp) {
            dealt.retain(Dealt::is_change);
        }
        if dealt.is_empty() {
            return Ok(0);
        }
        tx.deal(due, &dealt, now).await?;
        let mut texts = HashMap::new();
        for share in &shares {
            let posts = posts_of(&table, share);
            let language = Some(share.language.as_str());
            let share = (&*posts, language, (share.number, share.people));
            self.seal((tx, &mut texts), (newsletter, cadence), share, now).await?;
        }
        tx.forget_shares().await?;
        Ok(shares.len())
    }

    /// The news in `rows` as `profiles` see it.
    pub(super) fn table(
        &self,
        (newsletter, cadence): (&Newsletter, Cadence),
        catalog: &Catalog,
        (rows, profiles): (&[NewsRow], &[Profile]),
        now: Timestamp,
    ) -> Table {
        let languages: BTreeSet<String> = languages(newsletter, profiles);
        self.look(&Way::news(newsletter, cadence), catalog, now, |world: World<'_>, view| {
            Table::of((world, view), newsletter, rows, &languages)
        })
    }
}

/// The subscriptions of `newsletter` that are due.
pub(super) fn due_of<'a>(
    newsletter: &'a Newsletter,
    whose: Whose<'a>,
    houses: &'a Houses,
) -> Due<'a> {
    Due { newsletter: &newsletter.name, whose, audience: newsletter.audience.as_ref(), houses }
}

/// The times at which digests of `cadence` fall due: the newsletter's own, and those that subscribers chose.
pub(super) async fn all_slots(
    tx: &mut Tx,
    newsletter: &Newsletter,
    cadence: Cadence,
) -> Result<Vec<Slot>, StoreError> {
    let own = Slot { cadence, timezone: None, send_time: None };
    let chosen = tx.slots(&newsletter.name, cadence).await?;
    let others = chosen.into_iter().filter(|slot| !slot.is_the_newsletters());
    Ok(std::iter::once(own).chain(others).collect())
}

/// The posts of a share, in the order in which they became news.
fn posts_of<'a>(table: &'a Table, share: &Share) -> Vec<&'a Arc<CatalogPost>> {
    let pieces = table.pieces.iter().filter(|piece| share.news.contains(&piece.seq));
    pieces.map(|piece| &piece.known).collect()
}
