//! Who gets which news. Pure: the same for a whole profile, however many people stand behind it.
//!
//! Each piece of news of a newsletter has a number, and each subscription knows up to which number all is behind it, and what it is
//! owed of that. So nobody gets a post twice or misses one, whenever they change how often they want to hear.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::select::{ChannelView, Tongues, World, ready_at};
use crate::config::Newsletter;
use crate::domain::{Cadence, CatalogPost, PostId, Refusal};
use crate::store::{Dealt, NewsRow, Profile};

/// What could not go out for so long is no news any more.
const STALE: SignedDuration = SignedDuration::from_hours(24 * 90);

/// News, as it stands now.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) seq: i64,
    pub(super) known: Arc<CatalogPost>,
    /// When it may go out; none while it is held or may not.
    pub(super) ready_at: Option<Timestamp>,
    /// The newsletter's topics that it is of.
    topics: Vec<String>,
    /// By language: whether it is for readers of that, and the numbers of its other versions, none of which they may have had.
    by_language: HashMap<String, Option<Vec<i64>>>,
}

/// All news that may be due to somebody, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) pieces: Vec<Piece>,
    /// News whose post is not there now, and might come back.
    missing: Vec<(i64, PostId)>,
    /// The number of the last news.
    pub(super) latest: i64,
    offered: BTreeSet<String>,
    language: String,
}

/// Those who get the same edition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) number: i64,
    /// In which they read it.
    pub(super) language: String,
    /// Numbers of news, at least one.
    pub(super) news: Vec<i64>,
    pub(super) people: i64,
}

/// What of the news may go out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of<'a> {
    Everything,
    /// The rest stays as it is.
    Only(&'a HashSet<PostId>),
}

impl Table {
    /// The table of `rows` as readers of the `languages` see it. `view` is that of the newsletter in one of its cadences.
    pub(super) fn of(
        (world, view): (World<'_>, ChannelView<'_>),
        newsletter: &Newsletter,
        rows: &[NewsRow],
        languages: &BTreeSet<String>,
    ) -> Self {
        let by_id: HashMap<&PostId, &Arc<CatalogPost>> = if rows.is_empty() {
            HashMap::new()
        } else {
            world.catalog.posts.iter().map(|known| (&known.post.id, known)).collect()
        };
        let seqs: HashMap<&PostId, i64> = rows.iter().map(|row| (&row.post, row.seq)).collect();
        let found: Vec<&Arc<CatalogPost>> =
            rows.iter().filter_map(|row| by_id.get(&row.post).copied()).collect();
        let tongues = Tongues::of(world, &found);
        let mut table = Self {
            latest: rows.last().map_or(0, |row| row.seq),
            offered: newsletter.topics.keys().cloned().collect(),
            language: newsletter.language.clone(),
            ..Self::default()
        };
        for row in rows {
            let is_stale = world.now.duration_since(row.noted_at) >= STALE;
            let Some(known) = by_id.get(&row.post).copied() else {
                if !is_stale {
                    table.missing.push((row.seq, row.post.clone()));
                }
                continue;
            };
            let refusal = known.post.wishes().refuse(view.channel, view.cadence);
            // An author who wishes no mail may wish otherwise later; a post for the other sort of mail is not for them.
            if known.is_expired(world.now) || refusal.is_some_and(|it| it != Refusal::NoMail) {
                continue;
            }
            let ready_at = ready_at(world, view, known).filter(|_| refusal.is_none());
            if is_stale && ready_at.is_none_or(|at| at > world.now) {
                continue;
            }
            // News that is not on the table is behind everybody.
            let place = |id: &PostId| seqs.get(id).copied().or(view.had.contains(id).then_some(0));
            let others = |language: &String| {
                let others = tongues.others(known, language, newsletter.only_in_language, view)?;
                Some(others.into_iter().filter_map(place).collect())
            };
            table.pieces.push(Piece {
                seq: row.seq,
                known: Arc::clone(known),
                ready_at,
                topics: newsletter.topics_of(&known.post),
                by_language: languages
                    .iter()
                    .map(|language| (language.clone(), others(language)))
                    .collect(),
            });
        }
        table
    }

    /// What is due to a profile at `now`, and what it is owed after that.
    fn due(&self, profile: &Profile, of: Of<'_>, now: Timestamp) -> (Vec<i64>, Vec<i64>) {
        let is_before = |seq: i64| seq > profile.had_through || profile.owed.contains(&seq);
        let reach = self.reach(of);
        let (mut gets, mut owed) = (Vec::new(), Vec::new());
        for piece in self.pieces.iter().filter(|piece| is_before(piece.seq)) {
            if !self.is_for(profile, piece) {
                continue;
            }
            let is_meant = match of {
                Of::Everything => true,
                Of::Only(posts) => posts.contains(&piece.known.post.id),
            };
            if is_meant && piece.ready_at.is_some_and(|at| at <= now) {
                gets.push(piece.seq);
            } else if piece.seq <= reach.max(profile.had_through) {
                owed.push(piece.seq);
            }
        }
        let missing = self.missing.iter().map(|(seq, _)| *seq);
        owed.extend(
            missing.filter(|seq| is_before(*seq) && *seq <= reach.max(profile.had_through)),
        );
        owed.sort_unstable();
        (gets, owed)
    }

    /// Whether it may yet go out.
    fn has(&self, seq: i64) -> bool {
        self.missing.iter().any(|(missing, _)| *missing == seq)
            || self.pieces.iter().any(|piece| piece.seq == seq)
    }

    /// Up to which number everything is looked at.
    fn reach(&self, of: Of<'_>) -> i64 {
        match of {
            Of::Everything => self.latest,
            Of::Only(posts) => {
                let here = self.pieces.iter().map(|piece| (piece.seq, &piece.known.post.id));
                let all = here.chain(self.missing.iter().map(|(seq, post)| (*seq, post)));
                all.filter(|(_, post)| posts.contains(*post)).map(|(seq, _)| seq).max().unwrap_or(0)
            }
        }
    }

    fn is_for(&self, profile: &Profile, piece: &Piece) -> bool {
        let language = profile.language.as_ref().unwrap_or(&self.language);
        let Some(Some(others)) = piece.by_language.get(language) else { return false };
        // Another version is behind them: they had it, or it was there before they came.
        if others.iter().any(|seq| *seq <= profile.had_through && !profile.owed.contains(seq)) {
            return false;
        }
        // Topics that are not offered any more are no choice.
        let mut wanted =
            profile.topics.iter().filter(|topic| self.offered.contains(*topic)).peekable();
        wanted.peek().is_none() || wanted.any(|topic| piece.topics.iter().any(|own| own == topic))
    }
}

/// Whether a piece of news is still to be mailed by itself: since then that is done.
pub(super) fn is_to_mail_alone(row: &NewsRow, since: Timestamp) -> bool {
    row.alone_at.is_none() && row.noted_at >= since
}

/// The news that nobody gets by itself any more. Who goes over to that gets it in one mail.
pub(super) fn mailed_before(rows: &[NewsRow], since: Timestamp) -> HashSet<PostId> {
    let before = rows.iter().filter(|row| !is_to_mail_alone(row, since));
    before.map(|row| row.post.clone()).collect()
}

/// Decides what each of the `profiles` gets at `now`.
pub(super) fn deal<'a>(
    table: &Table,
    profiles: &'a [Profile],
    of: Of<'_>,
    now: Timestamp,
) -> (Vec<Dealt<'a>>, Vec<Share>) {
    let mut shares: BTreeMap<(String, Vec<i64>), Share> = BTreeMap::new();
    let mut dealt = Vec::new();
    for profile in profiles {
        let had_through = profile.had_through.max(table.reach(of));
        let (gets, owed) = if profile.is_reachable {
            table.due(profile, of, now)
        } else {
            // What comes in a pause is not made up for; what was owed before it is.
            let owed = profile.owed.iter().copied().filter(|seq| table.has(*seq));
            (Vec::new(), owed.collect())
        };
        let share = (!gets.is_empty()).then(|| {
            let language = profile.language.clone().unwrap_or_else(|| table.language.clone());
            let number = i64::try_from(shares.len()).unwrap_or(i64::MAX);
            let key = (language, gets);
            let share = shares.entry(key.clone()).or_insert_with(|| Share {
                number,
                language: key.0,
                news: key.1,
                people: 0,
            });
            share.people += profile.people;
            share.number
        });
        dealt.push(Dealt { profile, share, had_through, owed });
    }
    (dealt, shares.into_values().collect())
}

/// The languages that `profiles` read in.
pub(super) fn languages(newsletter: &Newsletter, profiles: &[Profile]) -> BTreeSet<String> {
    let theirs = profiles.iter().filter_map(|profile| profile.language.clone());
    theirs.chain([newsletter.language.clone()]).collect()
}

/// From which number on news may be due to one of `profiles`.
pub(super) fn first_due(profiles: &[Profile]) -> i64 {
    let first = profiles.iter().map(|profile| {
        profile.owed.first().map_or(profile.had_through, |seq| profile.had_through.min(seq - 1))
    });
    first.min().unwrap_or(i64::MAX)
}

/// Whether a cadence brings posts one by one.
pub(super) fn is_instant(cadence: Cadence) -> bool {
    cadence == Cadence::Instant
}
