//! Identity: which file is which post, which posts are new, and which are gone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FileState, Ingest, Reading, into_catalog_post};
use crate::config::{Baseline, PostFolder};
use crate::content::Parsed;
use crate::domain::{Body, CatalogPost, Diagnostic, Post, PostId};
use crate::store::{Event, KnownPost, PostSighting, StoreError, Tx};

/// What is kept of a post while its file is broken.
#[derive(Serialize, Deserialize)]
struct LastGood {
    post: Post,
    body: Body,
    expires_at: Option<Timestamp>,
}

/// Which id each fresh file gets, and which files lose their claim to another.
#[derive(Default)]
struct Claims {
    ids: Vec<(String, PostId)>,
    refused: Vec<(String, Diagnostic)>,
}

/// Who is where, as far as it is settled.
struct Places<'a> {
    by_source: HashMap<&'a str, &'a KnownPost>,
    owners: HashMap<PostId, String>,
    links: HashMap<String, String>,
}

impl Reading {
    /// What asks for a place in the catalog.
    fn parsed(&self) -> Option<&Parsed> {
        match self {
            Self::Fresh(parsed) | Self::Rival(parsed, _) => Some(parsed),
            Self::Taken | Self::Draft | Self::NotAPost | Self::Broken(_) => None,
        }
    }

    /// What was live of the file before keeps its place.
    fn stays_as_it_was(&self) -> bool {
        match self {
            Self::Taken | Self::Broken(_) | Self::Rival(..) => true,
            Self::Fresh(_) | Self::Draft | Self::NotAPost => false,
        }
    }

    fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Rival(..))
    }
}

impl FileState {
    fn lose_to(&mut self, problem: Diagnostic) {
        self.reading = match std::mem::replace(&mut self.reading, Reading::Taken) {
            Reading::Fresh(parsed) | Reading::Rival(parsed, _) => {
                Reading::Rival(parsed, Box::new(problem))
            }
            other @ (Reading::Taken | Reading::Draft | Reading::NotAPost | Reading::Broken(_)) => {
                other
            }
        };
    }
}

impl Ingest {
    /// Gives every fresh post its id and tells the store what is new, changed or gone, in one transaction.
    /// If that fails everything stays fresh and is tried again with the next change or rescan.
    pub(super) async fn settle_identities(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let claims = self.claim();
        for (source, problem) in claims.refused {
            if let Some(state) = self.files.get_mut(&source) {
                state.lose_to(problem);
            }
        }
        let store = self.store.clone();
        let mut tx = store.write().await?;
        let restored = self.keep_or_restore_last_good(&mut tx).await?;
        let sighted = self.sight(&mut tx, &claims.ids, now).await?;
        let gone = self.note_gone(&mut tx, &claims.ids, now).await?;
        self.note_first_scans(&mut tx, now).await?;
        tx.commit().await?;
        for id in gone {
            if let Some(known) = self.known.get_mut(&id) {
                known.is_gone = true;
            }
        }
        for known in sighted {
            self.known.insert(known.id.clone(), known);
        }
        for (source, id) in claims.ids {
            self.accept(&source, id);
        }
        for (source, post) in restored {
            if let Some(state) = self.files.get_mut(&source) {
                state.post = post;
                state.last_good_kept = true;
            }
        }
        Ok(())
    }

    fn claim(&self) -> Claims {
        let mut claims = Claims::default();
        // What is live and not about to be replaced keeps its id and its link.
        let mut owners: HashMap<PostId, String> = HashMap::new();
        let mut links: HashMap<String, String> = HashMap::new();
        for (source, state) in &self.files {
            let stays = Reading::stays_as_it_was;
            if let Some(live) = state.post.as_ref().filter(|_| stays(&state.reading)) {
                owners.insert(live.post.id.clone(), source.clone());
                links.insert(live.post.link.to_string(), source.clone());
            }
        }
        let mut by_source: HashMap<&str, &KnownPost> = HashMap::new();
        for known in self.known.values() {
            let newest = by_source.entry(&known.source).or_insert(known);
            if newest.is_gone && !known.is_gone {
                *newest = known;
            }
        }
        let mut candidates: Vec<_> = self
            .files
            .iter()
            .filter_map(|(source, state)| Some((source, state, state.reading.parsed()?)))
            .collect();
        // Who was at this address before goes first: after a restart all are fresh, and a newcomer must not take its place.
        candidates.sort_by_key(|(source, state, parsed)| {
            let was_there = by_source
                .get(source.as_str())
                .is_some_and(|known| !known.is_gone && known.link == parsed.link.as_str());
            (matches!(state.reading, Reading::Rival(..)), !was_there)
        });
        let mut places = Places { by_source, owners, links };
        for (source, state, parsed) in candidates {
            let id = self.identify(source, state, parsed, &places);
            let rival = places
                .owners
                .get(&id)
                .map(|other| ("id", other))
                .filter(|(_, other)| *other != source)
                .or_else(|| places.links.get(parsed.link.as_str()).map(|other| ("address", other)))
                .filter(|(_, other)| *other != source);
            if let Some((what, other)) = rival {
                claims.refused.push((source.clone(), same_as(source, what, other, parsed)));
                continue;
            }
            places.owners.insert(id.clone(), source.clone());
            places.links.insert(parsed.link.to_string(), source.clone());
            claims.ids.push((source.clone(), id));
        }
        claims
    }

    fn identify(
        &self,
        source: &str,
        state: &FileState,
        parsed: &Parsed,
        Places { by_source, owners, links }: &Places<'_>,
    ) -> PostId {
        if let Some(pinned) = &parsed.pinned_id {
            return PostId::pinned(pinned.clone());
        }
        if let Some(live) = &state.post {
            return live.post.id.clone();
        }
        if let Some(known) = by_source.get(source) {
            return known.id.clone();
        }
        // Renamed or moved: a post whose file is no longer there, and that said it lived at this place.
        let vanished = |known: &&KnownPost| {
            !self.files.contains_key(&known.source) && !owners.contains_key(&known.id)
        };
        let mut heirs: Vec<&KnownPost> = self
            .known
            .values()
            .filter(|known| known.slug == parsed.slug || known.link == parsed.link.as_str())
            .filter(vanished)
            .collect();
        heirs.sort_by_key(|known| (known.link != parsed.link.as_str(), known.is_gone, &known.id));
        if let Some(heir) = heirs.first() {
            return heir.id.clone();
        }
        let minted = PostId::mint(&parsed.link);
        if !owners.contains_key(&minted) || links.contains_key(parsed.link.as_str()) {
            return minted;
        }
        // The post that was at this address first has moved and kept its id.
        let mut place = parsed.link.clone();
        place.set_fragment(Some(source));
        PostId::mint(&place)
    }

    async fn sight(
        &self,
        tx: &mut Tx,
        ids: &[(String, PostId)],
        now: Timestamp,
    ) -> Result<Vec<KnownPost>, StoreError> {
        let mut sighted = Vec::new();
        for (source, id) in ids {
            let Some(state) = self.files.get(source) else { continue };
            let Some(parsed) = state.reading.parsed() else { continue };
            let before = self.known.get(id);
            if before.is_some_and(|known| is_unchanged(known, source, parsed)) {
                continue;
            }
            let is_news = match before {
                Some(known) => known.is_news,
                None => self.is_news(tx, source, &self.config.posts[state.folder], parsed).await?,
            };
            let sighting = PostSighting {
                id,
                source,
                slug: &parsed.slug,
                link: parsed.link.as_str(),
                title: &parsed.title,
                revision: &parsed.revision,
                published_at: parsed.published_at,
                is_news,
            };
            // What another node or command saw first outranks what we make of it: else two daemons that start together on an
            // empty database would take each other's baseline for news.
            let stands = tx.sight_post(&sighting, now).await?;
            if stands.is_news {
                let kind = if before.is_some() { "post.revised" } else { "post.seen" };
                tx.record_event(Event::new(kind, now).post(id).detail(&parsed.title)).await?;
            }
            sighted.push(KnownPost {
                id: id.clone(),
                source: source.clone(),
                slug: parsed.slug.clone(),
                link: parsed.link.to_string(),
                revision: parsed.revision.clone(),
                first_seen_at: stands.first_seen_at,
                revised_at: stands.revised_at,
                is_news: stands.is_news,
                is_gone: false,
            });
        }
        Ok(sighted)
    }

    /// What the first scan of a folder finds is the baseline; what comes later is news.
    async fn is_news(
        &self,
        tx: &mut Tx,
        source: &str,
        folder: &PostFolder,
        parsed: &Parsed,
    ) -> Result<bool, StoreError> {
        let since = match (tx.first_scan_of(&folder.name).await?, folder.baseline) {
            (None, Baseline::Now) => return Ok(false),
            (None, Baseline::From(since)) => since,
            (Some(first_scan), _) if tx.is_baseline_source(source).await? => first_scan,
            (Some(_), _) => return Ok(true),
        };
        Ok(parsed.published_at >= since)
    }

    async fn note_gone(
        &self,
        tx: &mut Tx,
        ids: &[(String, PostId)],
        now: Timestamp,
    ) -> Result<Vec<PostId>, StoreError> {
        let mut live: HashSet<&PostId> = ids.iter().map(|(_, id)| id).collect();
        let staying = self.files.values().filter(|state| state.reading.stays_as_it_was());
        live.extend(staying.filter_map(|state| state.post.as_ref().map(|live| &live.post.id)));
        let broken: HashSet<&str> = self
            .files
            .iter()
            .filter(|(_, state)| state.reading.is_broken())
            .map(|(source, _)| source.as_str())
            .collect();
        let is_readable = |source: &str| {
            let unreadable = self.unreadable.keys().map(|index| &self.config.posts[*index]);
            !unreadable.into_iter().any(|folder| source.starts_with(&format!("{}/", folder.name)))
        };
        let mut gone = Vec::new();
        for known in self.known.values() {
            let source = known.source.as_str();
            if !known.is_gone
                && !live.contains(&known.id)
                && !broken.contains(source)
                && is_readable(source)
            {
                tx.post_is_gone(&known.id, now).await?;
                gone.push(known.id.clone());
            }
        }
        Ok(gone)
    }

    async fn note_first_scans(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        for (index, folder) in self.config.posts.iter().enumerate() {
            if self.unreadable.contains_key(&index)
                || tx.first_scan_of(&folder.name).await?.is_some()
            {
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

    /// A file that broke while we watched: its post goes into the store. One that was broken when we came: it comes back.
    async fn keep_or_restore_last_good(
        &mut self,
        tx: &mut Tx,
    ) -> Result<Vec<(String, Option<Arc<CatalogPost>>)>, StoreError> {
        let mut settled = Vec::new();
        for (source, state) in &self.files {
            if state.last_good_kept || !state.reading.is_broken() {
                continue;
            }
            if let Some(live) = &state.post {
                let kept = LastGood {
                    post: Post::clone(&live.post),
                    body: Body::clone(&live.body),
                    expires_at: live.expires_at,
                };
                let json = serde_json::to_string(&kept).expect("a post has only string keys");
                tx.keep_last_good(source, &json).await?;
                settled.push((source.clone(), state.post.clone()));
            } else {
                let kept = tx.last_good(source).await?;
                settled.push((source.clone(), kept.and_then(|json| self.restore(state, &json))));
            }
        }
        Ok(settled)
    }

    fn restore(&self, state: &FileState, json: &str) -> Option<Arc<CatalogPost>> {
        let kept: LastGood = serde_json::from_str(json).ok()?;
        let known = self.known.get(&kept.post.id).filter(|known| !known.is_gone)?;
        let folder = &self.config.posts[state.folder];
        Some(into_catalog_post((kept.post, kept.body), folder, known, kept.expires_at))
    }

    fn accept(&mut self, source: &str, id: PostId) {
        let Some(state) = self.files.get_mut(source) else { return };
        if let Reading::Fresh(parsed) | Reading::Rival(parsed, _) =
            std::mem::replace(&mut state.reading, Reading::Taken)
        {
            let Some(known) = self.known.get(&id) else { return };
            let expires_at = parsed.expires_at;
            let post = parsed.into_post(id);
            let folder = &self.config.posts[state.folder];
            state.post = Some(into_catalog_post(post, folder, known, expires_at));
            state.last_good_kept = false;
        }
    }
}

fn is_unchanged(known: &KnownPost, source: &str, parsed: &Parsed) -> bool {
    !known.is_gone
        && known.source == source
        && known.revision == parsed.revision
        && known.slug == parsed.slug
        && known.link == parsed.link.as_str()
}

fn same_as(source: &str, what: &str, other: &str, parsed: &Parsed) -> Diagnostic {
    Diagnostic::error(
        "same-as-another",
        format!("has the same {what} as `{other}`: {}", parsed.link),
    )
    .in_file(source)
    .effect(format!("`{other}` keeps it; this post is live nowhere"))
    .help("give one of them another slug or id")
}
