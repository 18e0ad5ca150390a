//! What the store is told of the posts: which are new, changed, held or gone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::identity::Claim;
use super::reading::{self, Fresh};
use super::{FileState, Ingest, Reading};
use crate::config::{Baseline, PostFolder};
use crate::content::Parsed;
use crate::domain::{CatalogPost, Hold, Post, PostId};
use crate::store::{CachedBody, Event, KnownPost, PostSighting, Sighted, StoreError, Tx};

/// What is kept of a post while its file is broken.
#[derive(Serialize, Deserialize)]
struct LastGood {
    post: Post,
    html: String,
    mail: Option<String>,
    expires_at: Option<Timestamp>,
    likeness: crate::domain::Likeness,
}

/// A claim, and what was known of its post before.
struct Sight<'a> {
    claim: &'a Claim,
    fresh: &'a Fresh,
    before: Option<KnownPost>,
    is_news: bool,
    hold: Option<(Hold, String)>,
}

impl Sight<'_> {
    /// It became news by itself in this pass.
    fn is_sudden(&self, now: Timestamp) -> bool {
        let is_due = |before: &KnownPost| {
            before.published_at > now && self.fresh.parsed.published_at <= now && !before.is_gone()
        };
        self.is_news && self.hold.is_none() && self.before.as_ref().is_none_or(is_due)
    }

    fn sighting(&self) -> PostSighting<'_> {
        let parsed = &self.fresh.parsed;
        PostSighting {
            id: &self.claim.id,
            source: &self.claim.source,
            slug: &parsed.slug,
            link: parsed.link.as_str(),
            title: &parsed.title,
            revision: &parsed.revision,
            written: &parsed.written,
            published_at: parsed.published_at,
            likeness: parsed.likeness,
            is_news: self.is_news,
            hold: self.hold.as_ref().map(|(hold, _)| hold.as_str()),
            hold_detail: self.hold.as_ref().map_or("", |(_, detail)| detail),
            is_new: self.before.is_none(),
        }
    }
}

/// What the store was told of.
pub(super) struct Sightings {
    pub(super) standing: Vec<Standing>,
    /// Posts of before that are held now, too.
    pub(super) held: Vec<PostId>,
}

/// A post that the store was told of: what stands of it.
pub(super) struct Standing {
    pub(super) id: PostId,
    pub(super) source: String,
    pub(super) link: String,
    pub(super) sighted: Sighted,
}

impl Ingest {
    /// Tells the store of all claims; those in which nothing changed cost nothing.
    pub(super) async fn sight(
        &self,
        tx: &mut Tx,
        claims: &[Claim],
        now: Timestamp,
    ) -> Result<Sightings, StoreError> {
        let mut standing = Vec::with_capacity(claims.len());
        let mut sights = Vec::with_capacity(claims.len());
        for claim in claims {
            let Some(state) = self.files.get(&claim.source) else { continue };
            let Some(fresh) = state.reading.fresh() else { continue };
            let before = self.known(&claim.id);
            match before {
                Some(known) if is_unchanged(&known, &claim.source, &fresh.parsed) => {
                    let (id, source) = (claim.id.clone(), claim.source.clone());
                    let sighted = sighted(&known);
                    standing.push(Standing { id, source, link: known.link, sighted });
                }
                before => sights.push(Sight { claim, fresh, before, is_news: false, hold: None }),
            }
        }
        if sights.is_empty() {
            return Ok(Sightings { standing, held: Vec::new() });
        }
        self.tell_news(tx, &mut sights).await?;
        let held = self.guard(tx, &mut sights, now).await?;
        let told = sights.iter().map(Sight::sighting).collect::<Vec<_>>();
        let sighted = tx.sight_posts(&told, now).await?;
        self.note_links(tx, &sights, now).await?;
        for (sight, sighted) in sights.iter().zip(sighted) {
            // What another node or command saw first outranks what we make of it: else two daemons that start together on an
            // empty database would take each other's baseline for news.
            if sighted.is_news {
                let kind = if sight.before.is_some() { "post.revised" } else { "post.seen" };
                let event = Event::new(kind, now).post(&sight.claim.id);
                tx.record_event(event.detail(&sight.fresh.parsed.title)).await?;
            }
            let (id, source) = (sight.claim.id.clone(), sight.claim.source.clone());
            let link = sight.fresh.parsed.link.to_string();
            standing.push(Standing { id, source, link, sighted });
        }
        Ok(Sightings { standing, held })
    }

    /// What the first scan of a folder finds is the baseline; what comes later is news.
    async fn tell_news(&self, tx: &mut Tx, sights: &mut [Sight<'_>]) -> Result<(), StoreError> {
        let first_scans = tx.first_scans().await?;
        let baseline_sources = tx.baseline_sources().await?;
        for sight in sights {
            let Some(state) = self.files.get(&sight.claim.source) else { continue };
            let folder = &self.config.posts[state.folder];
            let since = match (first_scans.get(&folder.name), folder.baseline) {
                (None, Baseline::Now) => None,
                (None, Baseline::From(since)) => Some(since),
                (Some(at), _) if baseline_sources.contains(&sight.claim.source) => Some(*at),
                (Some(_), _) => Some(Timestamp::MIN),
            };
            let is_new = since.is_some_and(|since| sight.fresh.parsed.published_at >= since);
            sight.is_news = sight.before.as_ref().map_or(is_new, |known| known.is_news);
        }
        Ok(())
    }

    /// Holds what may be an old post under another name, and all that is new when more is than an author writes at once. Says
    /// which posts of before are held for that.
    async fn guard(
        &self,
        tx: &mut Tx,
        sights: &mut [Sight<'_>],
        now: Timestamp,
    ) -> Result<Vec<PostId>, StoreError> {
        for sight in sights.iter_mut().filter(|sight| sight.is_news) {
            if let Some(other) = &sight.claim.may_be {
                sight.hold = Some((Hold::Likeness, other.clone()));
            }
        }
        let guard = &self.config.guard;
        let sudden = sights.iter().filter(|sight| sight.is_sudden(now)).count();
        if guard.new_posts == 0 || sudden == 0 {
            return Ok(Vec::new());
        }
        let recent = self.recent_news(guard.within, now);
        let count = sudden + recent.len();
        if count <= guard.new_posts {
            return Ok(Vec::new());
        }
        let detail = format!("{count} new posts within {:#}", guard.within);
        tracing::warn!(
            posts = count,
            limit = guard.new_posts,
            "more new posts at once than `guard.new_posts` allows: they are in the feeds, and held back from mail and \
             destinations until somebody runs `postrider posts release` or `postrider posts dismiss`"
        );
        for sight in sights.iter_mut() {
            if sight.is_sudden(now) {
                sight.hold = Some((Hold::Burst, detail.clone()));
            }
        }
        let unsettled = recent.iter().filter(|known| known.settled_at() > now);
        let unsettled: Vec<PostId> = unsettled.map(|known| known.post.id.clone()).collect();
        tx.hold_posts(&unsettled, Hold::Burst, &detail).await?;
        Ok(unsettled)
    }

    /// News that appeared within this time, and what is held of a burst within it: a checkout may be seen in pieces.
    fn recent_news(&self, within: SignedDuration, now: Timestamp) -> Vec<&Arc<CatalogPost>> {
        let is_recent = |at: Timestamp| now.duration_since(at) < within;
        let live = self.live.newest_first().filter(|known| known.is_news);
        live.filter(|known| match known.hold {
            None | Some(Hold::Likeness) => is_recent(known.first_seen_at),
            Some(Hold::Burst) => is_recent(known.revised_at),
            Some(Hold::Released) => false,
        })
        .collect()
    }

    /// A post that lives elsewhere now leaves a redirect.
    async fn note_links(
        &self,
        tx: &mut Tx,
        sights: &[Sight<'_>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let left: Vec<(&str, &PostId)> = sights
            .iter()
            .filter_map(|sight| Some((sight.before.as_ref()?, sight)))
            .filter(|(before, sight)| before.link != sight.fresh.parsed.link.as_str())
            .map(|(before, sight)| (before.link.as_str(), &sight.claim.id))
            .collect();
        let taken: Vec<&str> =
            sights.iter().map(|sight| sight.fresh.parsed.link.as_str()).collect();
        tx.leave_links(&left, &taken, now).await
    }

    /// A file that broke while we watched: its post goes into the store. One that was broken when we came: it comes back.
    pub(super) async fn keep_or_restore_last_good(
        &mut self,
        tx: &mut Tx,
    ) -> Result<Vec<(String, Option<Arc<CatalogPost>>)>, StoreError> {
        let mut settled = Vec::new();
        for source in &self.unkept {
            let Some(state) = self.files.get(source) else { continue };
            if let Some(live) = &state.post {
                if let Some(CachedBody { html, mail, .. }) = self.cache.body(live.body)? {
                    let post = Post::clone(&live.post);
                    let (expires_at, likeness) = (live.expires_at, live.likeness);
                    let kept = LastGood { post, html, mail, expires_at, likeness };
                    let json = serde_json::to_string(&kept).expect("a post has only string keys");
                    tx.keep_last_good(source, &json).await?;
                }
                settled.push((source.clone(), state.post.clone()));
            } else {
                let kept = tx.last_good(source).await?;
                let restored = self.last_good(source, state, kept.as_deref())?;
                settled.push((source.clone(), restored));
            }
        }
        Ok(settled)
    }

    /// What the store has, if it was the last; it may be of a time when the file was broken before. Else what the cache has: the
    /// file broke while nobody watched.
    fn last_good(
        &self,
        source: &str,
        state: &FileState,
        kept: Option<&str>,
    ) -> Result<Option<Arc<CatalogPost>>, StoreError> {
        let kept = kept.and_then(|json| serde_json::from_str::<LastGood>(json).ok());
        let is_last = |kept: &LastGood| {
            self.absent.get(&kept.post.id).is_some_and(|known| known.revision == kept.post.revision)
        };
        let (last, earlier) = match kept {
            Some(kept) if is_last(&kept) => (Some(kept), None),
            kept => (None, kept),
        };
        if let Some(last) = last {
            return self.restore(state, last);
        }
        match (self.restore_from_cache(source, state), earlier) {
            (None, Some(earlier)) => self.restore(state, earlier),
            (restored, _) => Ok(restored),
        }
    }

    fn restore_from_cache(&self, source: &str, state: &FileState) -> Option<Arc<CatalogPost>> {
        let known = self.absent.in_file(source).filter(|known| !known.is_gone())?;
        let fresh = reading::last_post(&self.cache.reader()?, source)?;
        let is_it = fresh.parsed.revision == known.revision;
        let folder = &self.config.posts[state.folder];
        is_it.then(|| into_catalog_post(fresh, known.id.clone(), folder, sighted(known)))
    }

    fn restore(
        &self,
        state: &FileState,
        kept: LastGood,
    ) -> Result<Option<Arc<CatalogPost>>, StoreError> {
        let Some(known) = self.absent.get(&kept.post.id).filter(|known| !known.is_gone()) else {
            return Ok(None);
        };
        let text = CachedBody { html: kept.html, mail: kept.mail, web: None };
        let body = self.cache.write(|pen| pen.put_body(&text))?;
        let folder = &self.config.posts[state.folder];
        let Sighted { first_seen_at, revised_at, edited_at, is_news, hold } = sighted(known);
        Ok(Some(Arc::new(CatalogPost {
            post: Arc::new(kept.post),
            body,
            first_seen_at,
            revised_at,
            edited_at,
            is_news,
            hold,
            settle: folder.settle,
            expires_at: kept.expires_at,
            likeness: kept.likeness,
        })))
    }

    pub(super) async fn note_first_scans(
        &self,
        tx: &mut Tx,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let noted = tx.first_scans().await?;
        for (index, folder) in self.config.posts.iter().enumerate() {
            if self.unreadable.contains_key(&index) || noted.contains_key(&folder.name) {
                continue;
            }
            for (source, state) in &self.files {
                if state.folder == index && state.reading.is_broken() {
                    tx.note_baseline_source(source).await?;
                }
            }
            tx.note_first_scan(&folder.name, now).await?;
        }
        Ok(())
    }

    /// What is known of a post, live or not.
    pub(super) fn known(&self, id: &PostId) -> Option<KnownPost> {
        let live = || self.live.get(id).map(|live| known_of(live));
        self.absent.get(id).cloned().or_else(live)
    }
}

/// What the store knows of a post that is live.
pub(super) fn known_of(live: &CatalogPost) -> KnownPost {
    KnownPost {
        id: live.post.id.clone(),
        source: live.post.source.clone(),
        slug: live.post.slug.clone(),
        link: live.post.link.to_string(),
        revision: live.post.revision.clone(),
        published_at: live.post.published_at,
        first_seen_at: live.first_seen_at,
        revised_at: live.revised_at,
        edited_at: live.edited_at,
        is_news: live.is_news,
        hold: live.hold,
        likeness: Some(live.likeness),
        gone_at: None,
    }
}

pub(super) fn into_catalog_post(
    fresh: Fresh,
    id: PostId,
    folder: &PostFolder,
    sighted: Sighted,
) -> Arc<CatalogPost> {
    let Fresh { parsed, body } = fresh;
    let (expires_at, likeness) = (parsed.expires_at, parsed.likeness);
    let Sighted { first_seen_at, revised_at, edited_at, is_news, hold } = sighted;
    Arc::new(CatalogPost {
        post: Arc::new(parsed.into_post(id)),
        body,
        first_seen_at,
        revised_at,
        edited_at,
        is_news,
        hold,
        settle: folder.settle,
        expires_at,
        likeness,
    })
}

fn sighted(known: &KnownPost) -> Sighted {
    Sighted {
        first_seen_at: known.first_seen_at,
        revised_at: known.revised_at,
        edited_at: known.edited_at,
        is_news: known.is_news,
        hold: known.hold,
    }
}

fn is_unchanged(known: &KnownPost, source: &str, parsed: &Parsed) -> bool {
    !known.is_gone()
        && known.source == source
        && known.revision == parsed.revision
        && known.slug == parsed.slug
        && known.link == parsed.link.as_str()
        && known.likeness.is_some()
}

impl Reading {
    pub(super) fn fresh(&self) -> Option<&Fresh> {
        match self {
            Self::Fresh(fresh) | Self::Rival(fresh, _) => Some(fresh),
            Self::Taken | Self::Draft | Self::NotAPost | Self::Broken(_) => None,
        }
    }
}
