//! The posts that are live: by id, by link, and in the order of the catalog.

use std::borrow::Borrow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use crate::domain::{CatalogPost, PostId};

#[derive(Debug, Default)]
pub(super) struct Live {
    by_id: HashMap<PostId, Arc<CatalogPost>>,
    by_link: HashSet<AtLink>,
    newest_first: BTreeSet<InOrder>,
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
        self.by_link.replace(AtLink(Arc::clone(live)));
        self.newest_first.insert(InOrder(Arc::clone(live)));
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

    fn forget_place(&mut self, live: &Arc<CatalogPost>) {
        self.listed = OnceLock::new();
        let link = live.post.link.as_str();
        if self.by_link.get(link).is_some_and(|it| it.0.post.id == live.post.id) {
            self.by_link.remove(link);
        }
        self.newest_first.remove(&InOrder(Arc::clone(live)));
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
        self.source_of(&self.by_link.get(link)?.0.post.id)
    }

    pub(super) fn held(&self) -> &BTreeSet<PostId> {
        &self.held
    }

    pub(super) fn listed(&self) -> Arc<Vec<Arc<CatalogPost>>> {
        Arc::clone(self.listed.get_or_init(|| Arc::new(self.newest_first().cloned().collect())))
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Arc<CatalogPost>> {
        self.newest_first.iter().map(|it| &it.0)
    }
}

/// A post, found by its link.
#[derive(Debug)]
struct AtLink(Arc<CatalogPost>);

impl Borrow<str> for AtLink {
    fn borrow(&self) -> &str {
        self.0.post.link.as_str()
    }
}

impl Hash for AtLink {
    fn hash<H: Hasher>(&self, state: &mut H) {
        <Self as Borrow<str>>::borrow(self).hash(state);
    }
}

impl PartialEq for AtLink {
    fn eq(&self, other: &Self) -> bool {
        self.0.post.link == other.0.post.link
    }
}

impl Eq for AtLink {}

/// A post, in the order of the catalog: newest first.
#[derive(Debug)]
struct InOrder(Arc<CatalogPost>);

impl InOrder {
    fn key(&self) -> (Reverse<Timestamp>, &PostId) {
        (Reverse(self.0.post.published_at), &self.0.post.id)
    }
}

impl Ord for InOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for InOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InOrder {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for InOrder {}

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
