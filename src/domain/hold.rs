//! Holds: posts that must not go out before a person has looked at them.

use std::fmt;
use std::str::FromStr;

use super::UnknownWord;

/// Why a post does not go out although it is news. Its feeds don't wait: they can be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    /// More new posts appeared at once than an author writes: another branch was checked out, or dates were edited in bulk.
    Burst,
    /// It is much like a post that is gone, and may be that one.
    Likeness,
    /// A person has looked and let it go: it is not held again.
    Released,
}

impl Hold {
    pub const ALL: [Self; 3] = [Self::Burst, Self::Likeness, Self::Released];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Likeness => "likeness",
            Self::Released => "released",
        }
    }

    /// Whether it keeps a post back.
    pub fn holds(self) -> bool {
        self != Self::Released
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Hold {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|hold| hold.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned(), "burst, likeness or released"))
    }
}
