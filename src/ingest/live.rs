//! The posts that are live: by id, by link, and in the order of the catalog.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use crate::domain::{CatalogPost, PostId};

#[derive(Debug, Default)]
pub(super) struct Live {
    by_id: HashMap<PostId, Arc<CatalogPost>>,
    by_link: HashMap<String, PostId>,
    newest_first: BTreeMap<(Reverse<Timestamp>, PostId), Arc<CatalogPost>>,
    /// The same, as others get them; made when somebody asks after a change.
    listed: OnceLock<Arc<Vec<Arc<CatalogPost>>>>,
    /// Those that wait for a person.
    held: BTreeSet<PostId>,
}

impl Live {
    pub(super) fn take(&mut self, live: &Arc<CatalogPost>) {
        let post = &live.post;
        self.listed = OnceLock::new();
        if let Some(before) = self.by_id.insert(post.id.clone(), Arc::clone(live)) {
            self.forget_place(&before);
        }
        self.by_link.insert(post.link.to_string(), post.id.clone());
        self.newest_first.insert(key(live), Arc::clone(live));
        if live.is_held() {
            self.held.insert(post.id.clone());
        }
    }

    /// Gives up what is still this post's.
    pub(super) fn leave(&mut self, live: &CatalogPost) {
        let id = &live.post.id;
        if self.source_of(id) == Some(&live.post.source)
            && let Some(live) = self.by_id.remove(id)
        {
            self.forget_place(&live);
        }
    }

    fn forget_place(&mut self, live: &CatalogPost) {
        self.listed = OnceLock::new();
        let link = live.post.link.as_str();
        if self.by_link.get(link) == Some(&live.post.id) {
            self.by_link.remove(link);
        }
        self.newest_first.remove(&key(live));
        self.held.remove(&live.post.id);
    }

    pub(super) fn get(&self, id: &PostId) -> Option<&Arc<CatalogPost>> {
        self.by_id.get(id)
    }

    pub(super) fn source_of(&self, id: &PostId) -> Option<&str> {
        self.get(id).map(|live| live.post.source.as_str())
    }

    /// The source of the post that lives at `link`.
    pub(super) fn source_at(&self, link: &str) -> Option<&str> {
        self.source_of(self.by_link.get(link)?)
    }

    pub(super) fn held(&self) -> &BTreeSet<PostId> {
        &self.held
    }

    pub(super) fn listed(&self) -> Arc<Vec<Arc<CatalogPost>>> {
        Arc::clone(self.listed.get_or_init(|| Arc::new(self.newest_first().cloned().collect())))
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Arc<CatalogPost>> {
        self.newest_first.values()
    }
}

fn key(live: &CatalogPost) -> (Reverse<Timestamp>, PostId) {
    (Reverse(live.post.published_at), live.post.id.clone())
}

/// Where posts were before, by path: whoever asks at another host asks the same. What only a query told from other addresses
/// is left out: the path alone is somebody else's.
pub(super) fn moved(former: &[(String, String)]) -> Arc<BTreeMap<String, String>> {
    let path = |link: &str| {
        let url = url::Url::parse(link).ok().filter(|url| url.query().is_none())?;
        Some(url.path().to_owned())
    };
    let led = former.iter().filter(|(link, now)| link != now);
    Arc::new(led.filter_map(|(link, now)| Some((path(link)?, now.clone()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_address_leads_on_by_its_path_unless_its_query_was_all_it_had() {
        let pair = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
        let former = [
            ("https://old.example/tea/", "https://example.org/green-tea/"),
            ("https://example.org/index.php?p=42", "https://example.org/cup/"),
            ("https://example.org/pot/", "https://example.org/pot/"),
        ];
        let led = BTreeMap::from([pair(("/tea/", "https://example.org/green-tea/"))]);
        assert_eq!(*moved(&former.map(pair)), led);
    }
}
