//! The shelf: what of the posts is ready to be handed out. Replaced as a whole whenever the catalog changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Document, Selections};
use crate::domain::{Diagnostic, Live, Revision};

/// Everything that the feeds and the status page show of the posts. Empty until the first scan is over.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// What was served before a restart, until the posts were looked at.
    pub is_from_before: bool,
    /// By path, such as `/feed.xml`.
    pub documents: BTreeMap<String, Arc<Document>>,
    /// The hash of what they were made of, if all could be made.
    pub made_of: Option<Revision>,
    /// All feeds that are not among the documents.
    pub selections: Arc<Selections>,
    /// What authors should mend.
    pub problems: Vec<Diagnostic>,
    /// Paths at which posts were before, and where each is now.
    pub moved: Arc<BTreeMap<String, String>>,
    /// Why these documents are older than the posts: what would take their place waits until a person has looked.
    pub held: Option<String>,
    /// The posts that readers see.
    pub live: Live,
    /// Posts that are marked as drafts.
    pub drafts: usize,
}

impl Shelf {
    /// Whether nobody has looked at the posts yet: what is not here may be there all the same.
    pub fn awaits_posts(&self) -> bool {
        self.is_from_before || self.documents.is_empty()
    }
}
