//! Identity: which file is which post. Pure: what is known goes in, claims come out.
//!
//! Front matter's own id, if a post is known by it; else that of the post that is live from this file, else that of the post last
//! seen in it, else that of a post whose file is no longer there and that had this address, slug or text; else it is a new post,
//! with front matter's id or one minted from the link. An id that front matter has later does not change what a post is.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::absent::{Absent, Heir, Heirlooms};
use super::live::Live;
use crate::content::Parsed;
use crate::domain::{Alike, CatalogPost, Diagnostic, PostId};

/// A file that asks for a place in the catalog.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) source: &'a str,
    pub(super) parsed: &'a Parsed,
    /// What is live of it now.
    pub(super) live: Option<&'a CatalogPost>,
    /// It asked before, in vain.
    pub(super) was_refused: bool,
}

/// A file and the post that it is.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) source: String,
    pub(super) id: PostId,
    /// The file of a post that is gone and that this may be under another name.
    pub(super) may_be: Option<String>,
    /// The id that its front matter has, where the post had another before.
    pub(super) too_late: Option<PostId>,
}

impl Claim {
    fn of(it: &Candidate<'_>, id: PostId) -> Self {
        Self { source: it.source.to_owned(), id, may_be: None, too_late: None }
    }

    /// What the author should know of it.
    pub(super) fn warning(&self) -> Option<Diagnostic> {
        let wanted = self.too_late.as_ref()?;
        let message = format!("readers know this post as `{}`, not as `{wanted}`", self.id);
        Some(
            Diagnostic::warning("post-id-late", message)
                .in_file(self.source.clone())
                .effect("it stays what it was: under another id it would be new to them, and mailed again")
                .help("write that id into the front matter, or none"),
        )
    }
}

/// Which id each candidate gets, and which lose their claim to another.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) granted: Vec<Claim>,
    pub(super) refused: Vec<(String, Diagnostic)>,
}

/// What claims are judged by.
pub(super) struct World<'a> {
    pub(super) live: &'a Live,
    pub(super) absent: &'a Absent,
    /// Whether there is a file at this source.
    pub(super) is_there: &'a dyn Fn(&str) -> bool,
}

/// Judges all candidates. A file that is refused keeps what is live of it, which can cost another its claim: so they are judged
/// again until nobody else is refused.
pub(super) fn claims(mut candidates: Vec<Candidate<'_>>, world: &World<'_>) -> Claims {
    // Who was at this address before goes first: after a restart all are new, and a newcomer must not take its place.
    candidates.sort_by_cached_key(|it| {
        let link = it.parsed.link.as_str();
        let was_live_there = it.live.is_some_and(|live| live.post.link.as_str() == link);
        let known = world.absent.in_file(it.source);
        let was_there = was_live_there || known.is_some_and(|it| !it.is_gone() && it.link == link);
        (it.was_refused, !was_there, it.source)
    });
    let heirlooms = OnceCell::new();
    let mut refused: BTreeMap<&str, Diagnostic> = BTreeMap::new();
    loop {
        let round = Round::new(&candidates, &refused, world, &heirlooms);
        let (granted, more) = round.judge();
        if more.is_empty() {
            let refused = refused.into_iter().map(|(source, problem)| (source.to_owned(), problem));
            return Claims { granted, refused: refused.collect() };
        }
        refused.extend(more);
    }
}

struct Round<'r, 'a> {
    asking: Vec<Candidate<'a>>,
    sources: HashSet<&'a str>,
    world: &'r World<'a>,
    heirlooms: &'r OnceCell<Heirlooms<'a>>,
    ids: HashMap<PostId, &'a str>,
    links: HashMap<&'a str, &'a str>,
}

impl<'r, 'a> Round<'r, 'a> {
    fn new(
        candidates: &[Candidate<'a>],
        refused: &BTreeMap<&str, Diagnostic>,
        world: &'r World<'a>,
        heirlooms: &'r OnceCell<Heirlooms<'a>>,
    ) -> Self {
        let asking = candidates.iter().filter(|it| !refused.contains_key(it.source));
        let asking: Vec<Candidate<'a>> = asking.copied().collect();
        let sources = asking.iter().map(|it| it.source).collect();
        Self { asking, sources, world, heirlooms, ids: HashMap::new(), links: HashMap::new() }
    }

    fn judge(mut self) -> (Vec<Claim>, Vec<(&'a str, Diagnostic)>) {
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        for it in std::mem::take(&mut self.asking) {
            let link = it.parsed.link.as_str();
            let claim = self.identify(&it);
            let rival = self.owner(&claim.id).map(|other| ("id", other));
            let rival = rival
                .filter(|(_, other)| *other != it.source)
                .or_else(|| self.dweller(link).map(|other| ("address", other)))
                .filter(|(_, other)| *other != it.source);
            if let Some((what, other)) = rival {
                refused.push((it.source, same_as(it.source, what, other, it.parsed)));
                continue;
            }
            self.ids.insert(claim.id.clone(), it.source);
            self.links.insert(link, it.source);
            granted.push(claim);
        }
        (granted, refused)
    }

    /// The file whose post has this id: by a claim of this round, or live and not about to be replaced.
    fn owner(&self, id: &PostId) -> Option<&str> {
        let live = || self.world.live.source_of(id);
        self.ids.get(id).copied().or_else(|| live().filter(|it| !self.sources.contains(it)))
    }

    fn dweller(&self, link: &str) -> Option<&str> {
        let live = || self.world.live.source_at(link);
        self.links.get(link).copied().or_else(|| live().filter(|it| !self.sources.contains(it)))
    }

    fn identify(&self, it: &Candidate<'a>) -> Claim {
        let wanted = it.parsed.pinned_id.as_deref().map(PostId::pinned);
        if let Some(wanted) = &wanted
            && (self.world.live.get(wanted).is_some() || self.world.absent.get(wanted).is_some())
        {
            return Claim::of(it, wanted.clone());
        }
        let in_file = || {
            let known = self.world.absent.in_file(it.source)?;
            Some((&known.id, known.likeness))
        };
        let here = it.live.map(|live| (&live.post.id, Some(live.likeness))).or_else(in_file);
        let heir = if here.is_some() { Heir::Nobody } else { self.heir(it) };
        let known = match &heir {
            Heir::Is(known) => Some((&known.id, known.likeness)),
            Heir::MayBe(_) | Heir::Nobody => here,
        };
        if let Some((id, before)) = known {
            let is_another = before.and_then(|it_was| it_was.compare(&it.parsed.likeness));
            return match wanted {
                // Its file was given to a post of its own.
                Some(wanted) if is_another == Some(Alike::No) => Claim::of(it, wanted),
                too_late => Claim { too_late, ..Claim::of(it, id.clone()) },
            };
        }
        let may_be = match heir {
            Heir::MayBe(known) => Some(known.source.clone()),
            Heir::Is(_) | Heir::Nobody => None,
        };
        Claim { may_be, ..Claim::of(it, wanted.unwrap_or_else(|| self.mint(it))) }
    }

    /// The post that a new file is under another name, perhaps.
    fn heir(&self, it: &Candidate<'a>) -> Heir<'a> {
        let heirlooms = self.heirlooms.get_or_init(|| {
            let absent = self.world.absent.iter();
            Heirlooms::of(absent.filter(|known| !(self.world.is_there)(&known.source)))
        });
        let is_taken = |id: &PostId| self.owner(id).is_some();
        let link = it.parsed.link.as_str();
        heirlooms.heir(link, &it.parsed.slug, &it.parsed.likeness, &is_taken)
    }

    fn mint(&self, it: &Candidate<'_>) -> PostId {
        let minted = PostId::mint(&it.parsed.link);
        if self.owner(&minted).is_none() || self.dweller(it.parsed.link.as_str()).is_some() {
            return minted;
        }
        // The post that was at this address first has moved and kept its id.
        let mut place = it.parsed.link.clone();
        place.set_fragment(Some(it.source));
        PostId::mint(&place)
    }
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
