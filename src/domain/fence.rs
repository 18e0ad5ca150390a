//! Whether a database is the one that has been sending, or one that was restored or copied: from what it knows of itself and
//! what was remembered of it elsewhere. An older one would send again what went out since.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a database lies. What nobody can tell here is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Of an SQLite file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// When the file was made, in microseconds since 1970: numbers of files that are gone are given to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born: Option<i64>,
    /// Which PostgreSQL cluster it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Another one after each recovery and failover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<String>,
    /// Numbers of the database and of a table in it: both are others after a dump was read in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<i64>,
}

impl Place {
    /// The same, with what cannot be told now as it was told before.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        Self {
            inode: self.inode.or(before.inode),
            born: self.born.or(before.born),
            system: self.system.or(before.system),
            timeline: self.timeline.or(before.timeline),
            database: self.database.or(before.database),
            table: self.table.or(before.table),
        }
    }
}

/// Which database it is, and how far it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Random; empty in one that nobody has marked yet.
    pub database: String,
    /// Only ever grows.
    pub moves: i64,
}

/// What was written down of a database outside of what a restore brings back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(flatten)]
    pub mark: Mark,
    pub place: Place,
    /// How many deliveries there had been, and when this was written: so that a person can be told what was forgotten.
    pub deliveries: i64,
    pub at: Timestamp,
}

/// What there is to remember by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    Seen(Seen),
    /// Nobody wrote anything down here.
    Nothing,
    /// Something that cannot be read.
    Unreadable,
}

/// Why a database may not know what went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was further once.
    Older,
    /// It comes from before anything was written down, and something was.
    FromBefore,
    /// What was written down here is about another database.
    Another,
    /// It has a past, and nobody here knows it.
    Stranger,
    Unreadable,
    /// The same file is not the same file any more.
    OtherFile,
    OtherServer,
    OtherDatabase,
    OtherTables,
    OtherTimeline,
}

impl Doubt {
    /// For people.
    pub fn why(self) -> &'static str {
        match self {
            Self::Older => {
                "the database is older than what was sent from it: a backup was restored"
            }
            Self::FromBefore => {
                "the database is from before an upgrade that was done here already: a backup was restored"
            }
            Self::Another => {
                "the record beside the database is about another one: it was copied or restored"
            }
            Self::Stranger => {
                "the database has a past, but no record of it lies beside it: it was copied or moved"
            }
            Self::Unreadable => {
                "the record beside the database cannot be read, so nobody can tell whether it is the latest"
            }
            Self::OtherFile => {
                "the database is not the file that it was: it was copied, moved or restored"
            }
            Self::OtherServer => {
                "the database is on another server than before: it was copied or moved"
            }
            Self::OtherDatabase => {
                "the database is another one on its server: a dump of the former was read in"
            }
            Self::OtherTables => "the tables were made anew: a dump was restored into the database",
            Self::OtherTimeline => {
                "the database server was restored to an earlier time, or failed over while nobody was connected"
            }
        }
    }
}

/// What speaks against `own`, which is at `here`, being the database that was remembered. `has_past`: it knows of something
/// that went out or may.
pub fn doubt(own: &Mark, here: &Place, memory: &Memory, has_past: bool) -> Option<Doubt> {
    let seen = match memory {
        Memory::Seen(seen) => seen,
        Memory::Nothing if own.database.is_empty() => return None,
        Memory::Nothing => return has_past.then_some(Doubt::Stranger),
        Memory::Unreadable => return has_past.then_some(Doubt::Unreadable),
    };
    if own.database.is_empty() {
        return has_past.then_some(Doubt::FromBefore);
    }
    if own.database != seen.mark.database {
        return has_past.then_some(Doubt::Another);
    }
    if own.moves < seen.mark.moves {
        return Some(Doubt::Older);
    }
    elsewhere(&seen.place, here)
}

fn elsewhere(then: &Place, now: &Place) -> Option<Doubt> {
    fn differ<T: PartialEq>(then: Option<&T>, now: Option<&T>) -> bool {
        matches!((then, now), (Some(then), Some(now)) if then != now)
    }
    let changed = [
        (differ(then.inode.as_ref(), now.inode.as_ref()), Doubt::OtherFile),
        (differ(then.born.as_ref(), now.born.as_ref()), Doubt::OtherFile),
        (differ(then.system.as_ref(), now.system.as_ref()), Doubt::OtherServer),
        (differ(then.database.as_ref(), now.database.as_ref()), Doubt::OtherDatabase),
        (differ(then.table.as_ref(), now.table.as_ref()), Doubt::OtherTables),
        (differ(then.timeline.as_ref(), now.timeline.as_ref()), Doubt::OtherTimeline),
    ];
    changed.into_iter().find_map(|(differs, doubt)| differs.then_some(doubt))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(database: &str, moves: i64) -> Mark {
        Mark { database: database.to_owned(), moves }
    }

    fn file(inode: u64, born: i64) -> Place {
        Place { inode: Some(inode), born: Some(born), ..Place::default() }
    }

    fn seen(moves: i64, place: Place) -> Memory {
        let (mark, at) = (mark("a", moves), Timestamp::UNIX_EPOCH);
        Memory::Seen(Seen { mark, place, deliveries: 0, at })
    }

    #[test]
    fn a_database_that_was_left_as_it_was_is_the_same() {
        let here = file(7, 1);
        assert_eq!(doubt(&mark("a", 5), &here, &seen(5, here.clone()), true), None);
        let after_a_crash = seen(4, here.clone());
        assert_eq!(doubt(&mark("a", 5), &here, &after_a_crash, true), None, "the record is late");
        let unknown = Place { born: None, ..here.clone() };
        assert_eq!(doubt(&mark("a", 5), &unknown, &seen(5, here), true), None);
    }

    #[test]
    fn an_older_database_is_a_restored_one_even_in_the_same_file() {
        let here = file(7, 1);
        assert_eq!(doubt(&mark("a", 4), &here, &seen(5, here.clone()), false), Some(Doubt::Older));
        let before = mark("", 0);
        assert_eq!(doubt(&before, &here, &seen(5, here.clone()), true), Some(Doubt::FromBefore));
    }

    #[test]
    fn a_copy_is_noticed_with_its_record_and_without() {
        let (own, there) = (mark("a", 5), file(8, 2));
        assert_eq!(doubt(&own, &there, &seen(5, file(7, 1)), true), Some(Doubt::OtherFile));
        let reused = file(7, 2);
        assert_eq!(doubt(&own, &reused, &seen(5, file(7, 1)), true), Some(Doubt::OtherFile));
        assert_eq!(doubt(&own, &there, &Memory::Nothing, true), Some(Doubt::Stranger));
        assert_eq!(doubt(&own, &there, &Memory::Unreadable, true), Some(Doubt::Unreadable));
        assert_eq!(
            doubt(&mark("b", 9), &there, &seen(5, there.clone()), true),
            Some(Doubt::Another)
        );
    }

    #[test]
    fn what_is_new_or_never_sent_anything_is_taken_as_it_is() {
        let here = file(7, 1);
        assert_eq!(doubt(&mark("", 0), &here, &Memory::Nothing, true), None, "an upgrade");
        assert_eq!(doubt(&mark("", 0), &here, &seen(5, file(6, 1)), false), None, "begun anew");
        assert_eq!(doubt(&mark("a", 1), &here, &Memory::Nothing, false), None);
    }

    #[test]
    fn a_dump_on_another_server_and_a_recovery_are_told_apart() {
        let place = |system: &str, timeline: &str, database, table| Place {
            system: Some(system.to_owned()),
            timeline: Some(timeline.to_owned()),
            database: Some(database),
            table: Some(table),
            ..Place::default()
        };
        let (own, memory) = (mark("a", 5), seen(5, place("s", "1", 10, 20)));
        let at = |here| doubt(&own, &here, &memory, true);
        assert_eq!(at(place("s", "1", 10, 20)), None);
        assert_eq!(at(place("t", "1", 10, 20)), Some(Doubt::OtherServer));
        assert_eq!(at(place("s", "1", 11, 21)), Some(Doubt::OtherDatabase));
        assert_eq!(at(place("s", "1", 10, 21)), Some(Doubt::OtherTables));
        assert_eq!(at(place("s", "2", 10, 20)), Some(Doubt::OtherTimeline));
        let not_allowed = Place { system: None, timeline: None, ..place("", "", 10, 20) };
        assert_eq!(at(not_allowed.clone()), None);
        let kept = not_allowed.or(place("s", "1", 1, 2));
        assert_eq!(kept, place("s", "1", 10, 20), "what was known before stays known");
    }
}
