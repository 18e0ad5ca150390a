//! Posts that the store knows and that are live nowhere now: gone, broken since before we came, or not looked at yet.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{Alike, Likeness, PostId, Tombstone};
use crate::store::KnownPost;

/// Found by id and by the file that they were last seen in.
#[derive(Debug, Default)]
pub(super) struct Absent {
    posts: HashMap<PostId, KnownPost>,
    by_source: HashMap<String, PostId>,
}

impl Absent {
    pub(super) fn of(posts: Vec<KnownPost>) -> Self {
        let mut absent = Self::default();
        for known in posts {
            absent.insert(known);
        }
        absent
    }

    pub(super) fn insert(&mut self, known: KnownPost) {
        // Of two that were in one file the one that is not gone counts.
        let is_better =
            self.in_file(&known.source).is_none_or(|other| other.is_gone() || !known.is_gone());
        if is_better {
            self.by_source.insert(known.source.clone(), known.id.clone());
        }
        self.posts.insert(known.id.clone(), known);
    }

    pub(super) fn remove(&mut self, id: &PostId) {
        if let Some(known) = self.posts.remove(id)
            && self.by_source.get(&known.source) == Some(id)
        {
            self.by_source.remove(&known.source);
        }
    }

    /// Gives back the room of those that are not absent any more: after a start that is nearly all.
    pub(super) fn shrink(&mut self) {
        if self.posts.capacity() / 4 > self.posts.len() {
            self.posts.shrink_to_fit();
            self.by_source.shrink_to_fit();
        }
    }

    pub(super) fn get(&self, id: &PostId) -> Option<&KnownPost> {
        self.posts.get(id)
    }

    pub(super) fn in_file(&self, source: &str) -> Option<&KnownPost> {
        self.posts.get(self.by_source.get(source)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KnownPost> {
        self.posts.values()
    }

    pub(super) fn mark_gone(&mut self, id: &PostId, at: Timestamp) {
        if let Some(known) = self.posts.get_mut(id) {
            known.gone_at = Some(at);
        }
    }

    pub(super) fn tombstones(&self) -> Vec<Tombstone> {
        let gone = self.posts.values();
        gone.filter_map(|it| Some(Tombstone { id: it.id.clone(), gone_at: it.gone_at? })).collect()
    }
}

/// Posts compared for one band: what thousands have in common tells none of them.
const MOST_COMPARED: usize = 64;

/// Those whose file is not there any more: a new file may be one of them under another name.
pub(super) struct Heirlooms<'a> {
    links: HashMap<&'a str, Vec<&'a KnownPost>>,
    slugs: HashMap<&'a str, Vec<&'a KnownPost>>,
    bands: HashMap<(usize, [u16; 2]), Vec<&'a KnownPost>>,
}

/// What a new file is, as far as posts without a file tell.
pub(super) enum Heir<'a> {
    /// This post, renamed.
    Is(&'a KnownPost),
    /// Much like this one: somebody has to look.
    MayBe(&'a KnownPost),
    Nobody,
}

impl<'a> Heirlooms<'a> {
    pub(super) fn of(absent: impl Iterator<Item = &'a KnownPost>) -> Self {
        let mut all = Self { links: HashMap::new(), slugs: HashMap::new(), bands: HashMap::new() };
        for known in absent {
            all.links.entry(&known.link).or_default().push(known);
            all.slugs.entry(&known.slug).or_default().push(known);
            for band in known.likeness.iter().flat_map(Likeness::bands) {
                all.bands.entry(band).or_default().push(known);
            }
        }
        all
    }

    /// The post that lived at `link`, else that had `slug`, else whose text was the same but for edits. None that is taken.
    pub(super) fn heir(
        &self,
        link: &str,
        slug: &str,
        likeness: &Likeness,
        is_taken: &dyn Fn(&PostId) -> bool,
    ) -> Heir<'a> {
        let best = |found: Option<&Vec<&'a KnownPost>>| {
            let free = found.into_iter().flatten().filter(|known| !is_taken(&known.id));
            free.copied().min_by_key(|known| (known.is_gone(), known.id.clone()))
        };
        // Long gone, and another text: only the slug is the same, such as `notes` in the folder of another year.
        let is_another = |known: &&KnownPost| {
            let compared = known.likeness.and_then(|it| it.compare(likeness));
            known.is_gone() && compared == Some(Alike::No)
        };
        let called_so = || best(self.slugs.get(slug)).filter(|known| !is_another(known));
        if let Some(known) = best(self.links.get(link)).or_else(called_so) {
            return Heir::Is(known);
        }
        let with = |band| self.bands.get(&band).into_iter().flatten().take(MOST_COMPARED);
        let near = likeness.bands().flat_map(with);
        let alike = near
            .filter(|known| !is_taken(&known.id))
            .filter_map(|known| Some((known.likeness?.compare(likeness)?, *known)))
            .filter(|(alike, _)| *alike != Alike::No)
            .max_by_key(|(alike, known)| (*alike, !known.is_gone(), known.id.clone()));
        match alike {
            Some((Alike::Yes, known)) => Heir::Is(known),
            Some((_, known)) => Heir::MayBe(known),
            None => Heir::Nobody,
        }
    }
}
