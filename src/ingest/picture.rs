//! What others see of the posts: the catalog, and what is held.

use std::sync::Arc;

use super::{Ingest, Reading};
use crate::domain::{Catalog, CatalogPost, Diagnostic, PostId};
use crate::store::StoreError;

impl Ingest {
    /// A person may have released or dismissed what is held: says whether.
    pub async fn look_at_holds(&mut self) -> Result<bool, StoreError> {
        self.look_at(Vec::new()).await
    }

    /// The same with posts that were not held before.
    pub(super) async fn look_at(&mut self, mut posts: Vec<PostId>) -> Result<bool, StoreError> {
        posts.extend(self.live.held().iter().cloned());
        if posts.is_empty() {
            return Ok(false);
        }
        let ids: Vec<&PostId> = posts.iter().collect();
        let standing = self.store.read().await?.standing(&ids).await?;
        let mut is_decided = false;
        for (id, decision) in standing {
            let Some(known) = self.live.get(&id) else { continue };
            if (known.is_news, known.hold) == decision {
                continue;
            }
            let mut decided = CatalogPost::clone(known);
            (decided.is_news, decided.hold) = decision;
            let decided = Arc::new(decided);
            if let Some(state) = self.files.get_mut(&decided.post.source) {
                state.post = Some(Arc::clone(&decided));
            }
            self.live.take(&decided);
            is_decided = true;
        }
        Ok(is_decided)
    }

    /// Whether everything was looked at once.
    pub fn has_scanned(&self) -> bool {
        self.has_scanned
    }

    /// Whether something waits for a person.
    pub fn holds_something(&self) -> bool {
        !self.live.held().is_empty()
    }

    /// The picture as it is now.
    pub fn catalog(&self) -> Catalog {
        let mut catalog =
            Catalog { problems: self.unreadable.values().cloned().collect(), ..Catalog::default() };
        catalog.posts = self.live.listed();
        catalog.gone = self.absent.tombstones();
        catalog.moved = Arc::clone(&self.moved);
        catalog.problems.extend(self.around.problems().cloned());
        for state in self.telling.iter().filter_map(|source| self.files.get(source)) {
            catalog.problems.extend(state.warnings.iter().cloned());
            match &state.reading {
                Reading::Fresh(_) | Reading::Taken | Reading::NotAPost => {}
                Reading::Draft => catalog.drafts += 1,
                Reading::Broken(problems) => {
                    let errors = problems.is_empty() || problems.iter().any(Diagnostic::is_error);
                    catalog.broken += usize::from(errors);
                    catalog.problems.extend(problems.iter().cloned());
                }
                Reading::Rival(_, problem) => {
                    catalog.broken += 1;
                    catalog.problems.push(Diagnostic::clone(problem));
                }
            }
        }
        catalog
    }
}
