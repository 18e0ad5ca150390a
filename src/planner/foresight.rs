//! What is due to the subscribers of a cadence and will be, as things stand.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::Planner;
use super::names::cadence_channel;
use super::news::due_of;
use super::share::{Of, Table, deal, first_due, is_instant, is_to_mail_alone};
use crate::config::Newsletter;
use crate::domain::{Cadence, Catalog, CatalogPost, Segment, Slot, Topics};
use crate::store::{NewsRow, Profile, StoreError, Tx, Whose};

/// The news that is there and that is to come, and who waits for it.
pub(super) struct Foreseen {
    table: Table,
    profiles: Vec<Profile>,
    /// Of a cadence that nobody has: made up, and no people.
    stands_in: bool,
}

impl Foreseen {
    /// What all subscribers of a cadence wait for; or those whom `only` means.
    pub(super) async fn of(
        planner: &Planner,
        (newsletter, cadence, only): (&Newsletter, Cadence, Option<&Segment>),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let whose = only.map_or(Whose::Cadence(cadence), |only| Whose::Meant(cadence, only));
        Self::whose(planner, (newsletter, cadence, whose), catalog, now).await
    }

    /// What those wait for whose digests come at the time of a slot.
    pub(super) async fn of_slot(
        planner: &Planner,
        newsletter: &Newsletter,
        slot: &Slot,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Self, StoreError> {
        let slots = std::slice::from_ref(slot);
        let whose = Whose::Slots(slot.cadence, slots);
        Self::whose(planner, (newsletter, slot.cadence, whose), catalog, now).await
    }

    /// What some of the subscribers of a cadence wait for.
    pub(super) async fn whose(
        planner: &Planner,
        (newsletter, cadence, whose): (&Newsletter, Cadence, Whose<'_>),
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut tx = planner.store.read().await?;
        let houses = planner.config.houses();
        let mut profiles = tx.profiles(due_of(newsletter, whose, &houses), now).await?;
        profiles.retain(|profile| profile.is_reachable);
        let stands_in = profiles.is_empty();
        if stands_in {
            profiles.push(regular(&mut tx, newsletter, cadence).await?);
        }
        let mut rows = tx.news_after(&newsletter.name, first_due(&profiles)).await?;
        if is_instant(cadence) {
            let since = planner.alone_since(newsletter, now);
            rows.retain(|row| is_to_mail_alone(row, since));
        }
        let last = rows.last().map_or(0, |row| row.seq);
        let latest = profiles.iter().map(|profile| profile.had_through).max().unwrap_or(0);
        let to_come = planner.news_to_come(newsletter, catalog, now).into_iter();
        rows.extend((last.max(latest) + 1..).zip(to_come).map(|(seq, candidate)| NewsRow {
            seq,
            post: candidate.post.post.id.clone(),
            noted_at: now,
            alone_at: None,
        }));
        let table = planner.table((newsletter, cadence), catalog, (&rows, &profiles), now);
        Ok(Self { table, profiles, stands_in })
    }

    /// All that somebody waits for, with when it may go out; and how many would get some of it at `now`.
    pub(super) fn all(&self, now: Timestamp) -> (Vec<(Timestamp, Arc<CatalogPost>)>, i64) {
        let (_, shares) = deal(&self.table, &self.profiles, Of::Everything, Timestamp::MAX);
        let wanted: BTreeSet<i64> =
            shares.iter().flat_map(|share| share.news.iter().copied()).collect();
        let pieces = self.table.pieces.iter().filter(|piece| wanted.contains(&piece.seq));
        let pieces = pieces.filter_map(|piece| Some((piece.ready_at?, Arc::clone(&piece.known))));
        let (_, shares) = deal(&self.table, &self.profiles, Of::Everything, now);
        let people = shares.iter().map(|share| share.people).sum();
        (pieces.collect(), people)
    }

    /// Each post by itself: when, and to how many.
    pub(super) fn each(&self, now: Timestamp) -> Vec<(Timestamp, Arc<CatalogPost>, i64)> {
        let mut found = Vec::new();
        for piece in &self.table.pieces {
            let Some(ready_at) = piece.ready_at else { continue };
            let only = HashSet::from([piece.known.post.id.clone()]);
            let (_, shares) = deal(&self.table, &self.profiles, Of::Only(&only), Timestamp::MAX);
            if !shares.is_empty() {
                let people = shares.iter().map(|share| share.people).sum();
                found.push((ready_at.max(now), Arc::clone(&piece.known), people));
            }
        }
        found
    }

    /// Nobody waits; it is what would go out if somebody did.
    pub(super) fn is_made_up(&self) -> bool {
        self.stands_in
    }

    /// What goes out at each of the `runs`, and to how many.
    pub(super) fn at(
        &self,
        runs: impl Iterator<Item = Timestamp>,
    ) -> Vec<(Timestamp, Vec<Arc<CatalogPost>>, i64)> {
        let mut profiles = self.profiles.clone();
        let mut found = Vec::new();
        for run in runs {
            let (dealt, shares) = deal(&self.table, &profiles, Of::Everything, run);
            let news: BTreeSet<i64> =
                shares.iter().flat_map(|share| share.news.iter().copied()).collect();
            let people = shares.iter().map(|share| share.people).sum();
            let mut stands: HashMap<Profile, (i64, Vec<i64>)> = dealt
                .into_iter()
                .map(|dealt| (dealt.profile.clone(), (dealt.had_through, dealt.owed)))
                .collect();
            for profile in &mut profiles {
                if let Some((had_through, owed)) = stands.remove(profile) {
                    (profile.had_through, profile.owed) = (had_through, owed);
                }
            }
            if !news.is_empty() {
                let pieces = self.table.pieces.iter().filter(|piece| news.contains(&piece.seq));
                let posts = pieces.map(|piece| Arc::clone(&piece.known)).collect();
                found.push((run, posts, if self.stands_in { 0 } else { people }));
            }
        }
        found
    }
}

/// Somebody who has had every edition of the cadence so far, and chose nothing.
async fn regular(
    tx: &mut Tx,
    newsletter: &Newsletter,
    cadence: Cadence,
) -> Result<Profile, StoreError> {
    let last = tx.last_tick(&cadence_channel(newsletter, cadence)).await?;
    let had = tx.news_after(&newsletter.name, 0).await?.into_iter().filter(|row| {
        if is_instant(cadence) {
            row.alone_at.is_some()
        } else {
            last.is_some_and(|last| row.noted_at <= last)
        }
    });
    Ok(Profile {
        topics: Topics::default(),
        language: None,
        had_through: had.map(|row| row.seq).max().unwrap_or(0),
        owed: Vec::new(),
        is_reachable: true,
        people: 0,
    })
}
