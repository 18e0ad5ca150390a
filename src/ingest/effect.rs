//! What a change of the feeds does to those who read them, before it is served.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use url::Url;

use crate::domain::{FeedCheck, LivePost};
use crate::feed::{Behind, Document, Effect, Places, Shelf, worst};

/// The documents that are to take the place of others, and the posts behind them.
pub(super) struct Checked<'a> {
    pub(super) previous: &'a Shelf,
    pub(super) documents: &'a BTreeMap<String, Arc<Document>>,
    /// Those in the documents.
    pub(super) head: &'a [LivePost],
    pub(super) live: &'a [LivePost],
}

impl Checked<'_> {
    /// The worst of all formats. Costs the posts in the feeds; all posts are looked at only where something looks odd.
    pub(super) fn effect(&self, check: FeedCheck, places: &Places) -> Effect {
        let changed: Vec<(&Document, &Document)> = self.changed().collect();
        if check == FeedCheck::Off || changed.is_empty() {
            return Effect::default();
        }
        let live: OnceCell<HashSet<&str>> = OnceCell::new();
        let head: HashMap<&str, &LivePost> =
            self.head.iter().map(|it| (it.post.link.as_str(), it)).collect();
        let is_live = |link: &Url| {
            let links = || self.live.iter().map(|it| it.post.link.as_str()).collect();
            live.get_or_init(links).contains(link.as_str())
        };
        // Not what was changed long ago: an import tells of such changes, too.
        let since = changed.iter().map(|(before, _)| before.last_modified).min();
        let was_edited = |link: &Url| {
            head.get(link.as_str()).is_some_and(|it| {
                Some(it.post.changed_at()) > since && places.of(&it.post.id).is_some()
            })
        };
        let behind = Behind { is_live: &is_live, was_edited: &was_edited };
        worst(changed.into_iter().map(|(before, after)| Effect::of(before, after, behind)))
    }

    fn changed(&self) -> impl Iterator<Item = (&Document, &Document)> {
        self.documents.iter().filter_map(|(path, document)| {
            let before = self.previous.documents.get(path)?;
            (before.etag != document.etag).then_some((&**before, &**document))
        })
    }
}
