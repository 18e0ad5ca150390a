//! Who is who: files ask for ids and addresses, the store hears what came of it, the catalog takes the posts in.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::identity::{self, Candidate, Claims, World};
use super::sighting::{self, Sightings, Standing};
use super::{Ingest, Reading, live};
use crate::domain::{Diagnostic, PostId};
use crate::store::StoreError;

impl Ingest {
    /// Gives every fresh post its id and tells the store what is new, changed or gone, in one transaction.
    /// If that fails everything stays fresh and is tried again with the next change or rescan.
    pub(super) async fn settle_identities(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let claims = self.claims();
        for (source, problem) in claims.refused {
            self.refuse(&source, problem);
        }
        for claim in &claims.granted {
            let Some(warning) = claim.warning() else { continue };
            let Some(state) = self.files.get_mut(&claim.source) else { continue };
            state.warnings.retain(|other| other.code != warning.code);
            state.warnings.push(warning);
            self.telling.insert(claim.source.clone());
        }
        let gone = self.gone(&claims.granted);
        let is_quiet = claims.granted.is_empty() && gone.is_empty() && self.unkept.is_empty();
        if is_quiet && self.first_scans_noted {
            return self.look_at_holds().await.map(|_| ());
        }
        let store = self.store.clone();
        let mut tx = store.write().await?;
        let restored = self.keep_or_restore_last_good(&mut tx).await?;
        let Sightings { standing, held } = self.sight(&mut tx, &claims.granted, now).await?;
        let mut gone_since = Vec::with_capacity(gone.len());
        for id in &gone {
            gone_since.push((id, tx.post_is_gone(id, now).await?));
        }
        let leads_elsewhere = |it: &Standing| {
            self.known(&it.id).is_some_and(|was| was.is_gone() || was.link != it.link)
        };
        let led = if standing.iter().any(leads_elsewhere) || !gone.is_empty() {
            live::moved(&tx.former_links().await?)
        } else {
            Arc::clone(&self.moved)
        };
        self.note_first_scans(&mut tx, now).await?;
        tx.commit().await?;
        self.moved = led;
        self.first_scans_noted = self.unreadable.is_empty();
        for (id, at) in gone_since {
            self.absent.mark_gone(id, at);
        }
        for one in standing {
            self.accept(one);
        }
        self.absent.shrink();
        for (source, post) in restored {
            self.unkept.remove(&source);
            if let (Some(state), Some(live)) = (self.files.get_mut(&source), post) {
                self.absent.remove(&live.post.id);
                self.live.take(&live);
                state.post = Some(live);
            }
        }
        self.look_at(held).await?;
        Ok(())
    }

    fn claims(&self) -> Claims {
        let candidates = self.asking.iter().filter_map(|source| {
            let (source, state) = self.files.get_key_value(source)?;
            Some(Candidate {
                source,
                parsed: &state.reading.fresh()?.parsed,
                live: state.post.as_deref(),
                was_refused: state.reading.is_broken(),
            })
        });
        let is_there = |source: &str| self.files.contains_key(source);
        let world = World { live: &self.live, absent: &self.absent, is_there: &is_there };
        identity::claims(candidates.collect(), &world)
    }

    fn refuse(&mut self, source: &str, problem: Diagnostic) {
        let Some(state) = self.files.get_mut(source) else { return };
        if !state.reading.is_broken() {
            self.unkept.insert(source.to_owned());
        }
        self.telling.insert(source.to_owned());
        state.reading = match std::mem::replace(&mut state.reading, Reading::Taken) {
            Reading::Fresh(fresh) | Reading::Rival(fresh, _) => {
                Reading::Rival(fresh, Box::new(problem))
            }
            other => other,
        };
    }

    /// Posts that are not gone as far as the store knows, and whose file is not there or is none of theirs.
    fn gone(&self, granted: &[identity::Claim]) -> Vec<PostId> {
        let claimed: HashSet<&PostId> = granted.iter().map(|claim| &claim.id).collect();
        let unreadable: Vec<String> = self
            .unreadable
            .keys()
            .map(|index| format!("{}/", self.config.posts[*index].name))
            .collect();
        let is_there = |source: &str| {
            self.files.get(source).is_some_and(|state| state.reading.is_broken())
                || unreadable.iter().any(|folder| source.starts_with(folder.as_str()))
        };
        let absent = self.absent.iter().filter(|known| !known.is_gone());
        absent
            .filter(|known| !claimed.contains(&known.id) && !is_there(&known.source))
            .map(|known| known.id.clone())
            .collect()
    }

    fn accept(&mut self, standing: Standing) {
        let Standing { id, source, sighted, .. } = standing;
        let Some(state) = self.files.get_mut(&source) else { return };
        self.asking.remove(&source);
        self.unkept.remove(&source);
        if state.warnings.is_empty() {
            self.telling.remove(&source);
        }
        let fresh = match std::mem::replace(&mut state.reading, Reading::Taken) {
            Reading::Fresh(fresh) | Reading::Rival(fresh, _) => fresh,
            other => {
                state.reading = other;
                return;
            }
        };
        let folder = &self.config.posts[state.folder];
        let live = sighting::into_catalog_post(fresh, id.clone(), folder, sighted);
        if let Some(before) = state.post.replace(Arc::clone(&live)) {
            self.live.leave(&before);
        }
        self.absent.remove(&id);
        self.live.take(&live);
    }
}
