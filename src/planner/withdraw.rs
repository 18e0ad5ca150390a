//! Posts that are gone, back to draft or expired: what has not gone out is stopped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::names::destination_channel;
use super::select::earlier;
use super::share::Of;
use super::{PlanError, Planned, Planner, TRY_AGAIN};
use crate::domain::{Catalog, CatalogPost, EditionId, PostId};
use crate::store::{Action, CallUnderWay, GonePost, PostUnderWay, Tx, Untold, Whose, Withdrawn};
use crate::telemetry;

/// So many posts that are gone within an hour, and more than are left, are rather a disk that was not mounted or a checkout that is
/// not done than an author's wish: that hour is waited for.
const MANY: i64 = 5;
const DOUBTFUL: SignedDuration = SignedDuration::from_hours(1);

/// Calls that are taken back in one transaction.
const SHARE: usize = 200;

type Live<'a> = HashMap<&'a PostId, &'a Arc<CatalogPost>>;

/// Whether a post is to be taken back.
enum Gone {
    No,
    /// If it does not come back before: a file that is only moved is gone for a moment.
    At(Timestamp),
    /// What its author calls it.
    Yes(String),
}

impl Planner {
    /// Takes back what has not gone out, and tells destinations what changed.
    pub(super) async fn withdraw(
        &mut self,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Result<Planned, PlanError> {
        let mut planned = Planned::default();
        let mut tx = self.store.read().await?;
        let gone = tx.gone_since(now.saturating_sub(DOUBTFUL).unwrap_or(now)).await?;
        if gone > MANY && usize::try_from(gone).is_ok_and(|gone| gone > catalog.posts.len()) {
            if self.doubted.replace(gone) != Some(gone) {
                tracing::warn!(
                    gone,
                    left = catalog.posts.len(),
                    "most posts are gone all at once; what was to go out of them is stopped if they are not back within an hour"
                );
            }
            planned.next = now.saturating_add(TRY_AGAIN).ok();
            return Ok(planned);
        }
        self.doubted = None;
        let (editions, calls) = (tx.posts_under_way().await?, tx.calls_under_way().await?);
        drop(tx);
        if !editions.is_empty() || !calls.is_empty() {
            let live: Live<'_> =
                catalog.posts.iter().map(|known| (&known.post.id, known)).collect();
            self.withdraw_editions(editions, (&live, catalog), (&mut planned, now)).await?;
            self.withdraw_calls(calls, &live, (&mut planned, now)).await?;
        }
        let config = Arc::clone(&self.config);
        for destination in config.destinations.values() {
            if destination.retracts {
                self.retract(destination, catalog, (&mut planned, now)).await?;
            }
            if destination.updates {
                self.update(destination, catalog, (&mut planned, now)).await?;
            }
        }
        Ok(planned)
    }

    async fn gone(
        &self,
        post: &PostId,
        live: &Live<'_>,
        now: Timestamp,
    ) -> Result<Gone, PlanError> {
        if let Some(known) = live.get(post) {
            let is_expired = known.is_expired(now);
            return Ok(if is_expired { Gone::Yes(known.post.slug.clone()) } else { Gone::No });
        }
        // Not among the posts and not gone: its file is broken, or its folder cannot be read.
        let Some(gone) = self.store.read().await?.gone_post(post).await? else {
            return Ok(Gone::No);
        };
        let at = self.settled_at(&gone);
        Ok(if at <= now { Gone::Yes(gone.slug) } else { Gone::At(at) })
    }

    /// When a post that is gone will not come back in the course of being moved.
    pub(super) fn settled_at(&self, gone: &GonePost) -> Timestamp {
        let mut folders = self.config.posts.iter();
        let folder = folders.find(|folder| {
            gone.source.strip_prefix(&folder.name).is_some_and(|rest| rest.starts_with('/'))
        });
        let settle = folder.map(|folder| folder.settle).unwrap_or_default();
        gone.gone_at.saturating_add(settle).unwrap_or(Timestamp::MAX)
    }

    async fn withdraw_editions(
        &mut self,
        posts: Vec<PostUnderWay>,
        (live, catalog): (&Live<'_>, &Catalog),
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let mut editions: BTreeMap<EditionId, Vec<(PostUnderWay, String)>> = BTreeMap::new();
        for post in posts {
            match self.gone(&post.post, live, now).await? {
                Gone::No => {}
                Gone::At(at) => planned.next = earlier(planned.next, Some(at)),
                Gone::Yes(name) => editions.entry(post.edition).or_default().push((post, name)),
            }
        }
        for (edition, gone) in editions {
            // Anew and in one step, or, where its mail cannot be composed, without it: its posts wait for the next run.
            let done = match self.withdraw_edition((edition, &gone), Some(catalog), now).await {
                Err(PlanError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(
                        edition.id = edition.0,
                        error = %telemetry::causes(&error),
                        "what is left of this edition cannot go out now; it waits for the next run"
                    );
                    None
                }
                Ok(done) => Some(done),
            };
            planned.count += match done {
                Some(done) => done,
                None => self.withdraw_edition((edition, &gone), None, now).await?,
            };
        }
        Ok(())
    }

    /// How many editions it made instead of the one whose posts are gone, of `catalog`.
    async fn withdraw_edition(
        &mut self,
        (edition, gone): (EditionId, &[(PostUnderWay, String)]),
        catalog: Option<&Catalog>,
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let mut tx = self.store.write().await?;
        let mut sealed = 0;
        for (post, name) in gone {
            let withdrawn = tx.withdraw_from_edition(post, name, now).await?;
            tracing::warn!(
                edition.id = edition.0,
                post = name,
                "a post was taken down: {}",
                in_words(withdrawn)
            );
            match withdrawn {
                Withdrawn::Paused => {}
                Withdrawn::Whole => {
                    sealed = self.seal_anew(&mut tx, edition, catalog, now).await?;
                    break;
                }
                Withdrawn::Rest | Withdrawn::Nothing => break,
            }
        }
        tx.commit().await?;
        Ok(sealed)
    }

    /// Seals what is left of an edition that was taken back, as far as it may go out now: what has changed, or is held by now,
    /// waits for the next run.
    async fn seal_anew(
        &mut self,
        tx: &mut Tx,
        edition: EditionId,
        catalog: Option<&Catalog>,
        now: Timestamp,
    ) -> Result<usize, PlanError> {
        let config = Arc::clone(&self.config);
        let Some((name, cadence)) = tx.cadence_of_edition(edition).await? else {
            return Ok(0);
        };
        let Some(newsletter) = config.newsletters.get(&name) else { return Ok(0) };
        let Some(catalog) = catalog else { return Ok(0) };
        let were = tx.posts_of_edition(edition).await?;
        let were: HashSet<PostId> =
            were.into_iter().map(|(post, _)| PostId::pinned(post)).collect();
        let due = (newsletter, cadence, Whose::Edition(edition));
        self.seal_due(tx, due, (catalog, Of::Only(&were)), now).await
    }

    async fn withdraw_calls(
        &mut self,
        calls: Vec<CallUnderWay>,
        live: &Live<'_>,
        (planned, now): (&mut Planned, Timestamp),
    ) -> Result<(), PlanError> {
        let mut unwanted = Vec::new();
        for call in calls {
            let is_retraction = call.action == Action::Retract;
            let why = match self.gone(&call.post, live, now).await? {
                Gone::Yes(name) if !is_retraction => format!("`{name}` was taken down"),
                Gone::No if is_retraction && live.contains_key(&call.post) => {
                    "the post is back".to_owned()
                }
                Gone::At(at) => {
                    planned.next = earlier(planned.next, Some(at));
                    continue;
                }
                Gone::Yes(_) | Gone::No => continue,
            };
            unwanted.push((call, why));
        }
        // Others write in between.
        for share in unwanted.chunks(SHARE) {
            let mut tx = self.store.write().await?;
            let mut untold = Vec::new();
            for (call, why) in share {
                match tx.withdraw_call(call.delivery, why, now).await? {
                    Untold::No => continue,
                    Untold::InDoubt => {}
                    Untold::Yes => untold.push(call),
                }
                tracing::warn!(delivery.id = call.delivery.0, destination = %call.destination, why, "not told any more");
            }
            tx.commit().await?;
            for call in untold {
                self.forget(call);
            }
        }
        Ok(())
    }

    /// A call was taken back before anybody had it.
    fn forget(&mut self, call: &CallUnderWay) {
        let channel = destination_channel(&call.destination);
        if call.action == Action::Create
            && let Some(had) = self.had.get_mut(&channel)
        {
            had.remove(&call.post);
        }
        if call.action != Action::Retract {
            // What was told before is for the store to say.
            self.told.remove(&channel);
        }
    }
}

fn in_words(withdrawn: Withdrawn) -> &'static str {
    match withdrawn {
        Withdrawn::Whole => "its edition is cancelled, nobody had it",
        Withdrawn::Rest => "whoever has not had its edition does not get it",
        Withdrawn::Paused => "its edition has other posts and some have it, so it is paused",
        Withdrawn::Nothing => "its edition was over",
    }
}
