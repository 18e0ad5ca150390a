//! Likeness: how much two texts have in common, from a sketch of each that is kept instead of the text.
//!
//! One-permutation min-hashing (Li, Owen, Zhang: "One Permutation Hashing", NIPS 2012) of the text's triples of words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hex;

const BINS: usize = 32;
/// A bin that no triple fell into.
const EMPTY: u16 = u16::MAX;
/// With fewer filled bins in either text nothing can be said.
const FEWEST: usize = 6;
/// Words of a text that are looked at: enough to know it by.
const MOST_WORDS: usize = 4_000;

/// The sketch of a text: its smallest hash in each of 32 bins. Written as 128 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Likeness([u16; BINS]);

/// What two sketches say of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    /// Two texts.
    No,
    /// Somebody has to look.
    Perhaps,
    /// One text, edited.
    Yes,
}

impl Likeness {
    /// The sketch of a plain text. Case, punctuation and line breaks don't count.
    pub fn of(text: &str) -> Self {
        Self::of_parts([text])
    }

    /// The sketch of a text in parts, which end no words.
    pub fn of_parts<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> Self {
        let mut sketch = Sketch::default();
        for part in parts {
            sketch.read(part.as_ref());
        }
        sketch.end_word();
        Self(sketch.bins)
    }

    /// Whether two texts are one. Of short ones nothing is known.
    pub fn compare(&self, other: &Self) -> Option<Alike> {
        let filled = |one: &Self| one.0.iter().filter(|bin| **bin != EMPTY).count();
        if filled(self) < FEWEST || filled(other) < FEWEST {
            return None;
        }
        let pairs = || self.0.iter().zip(&other.0).filter(|(a, b)| (**a, **b) != (EMPTY, EMPTY));
        let same = pairs().filter(|(a, b)| a == b).count();
        Some(match same * 100 / pairs().count().max(1) {
            70.. => Alike::Yes,
            40.. => Alike::Perhaps,
            _ => Alike::No,
        })
    }

    /// What alike texts share at least one of, nearly surely: four bins each, for finding them among many.
    pub fn bands(&self) -> impl Iterator<Item = (usize, [u16; 2])> + '_ {
        let pairs = self.0.as_chunks::<2>().0.iter().copied();
        pairs.enumerate().filter(|(_, pair)| !pair.contains(&EMPTY))
    }
}

/// Reads a text letter by letter: this runs over everything of every post.
struct Sketch {
    bins: [u16; BINS],
    /// Hashes of the two words before.
    before: [u64; 2],
    /// FNV-1a over the lower-case letters of the word so far: the same in every release, on every machine.
    word: Option<u64>,
    words: usize,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { bins: [EMPTY; BINS], before: [0; 2], word: None, words: 0 }
    }
}

impl Sketch {
    fn read(&mut self, text: &str) {
        if self.words == MOST_WORDS {
            return;
        }
        if text.is_ascii() {
            return self.read_ascii(text.as_bytes());
        }
        for c in text.chars() {
            if self.words == MOST_WORDS {
                return;
            }
            if c.is_ascii_alphanumeric() {
                self.take(c.to_ascii_lowercase() as u8);
            } else if c.is_ascii() || !c.is_alphanumeric() {
                self.end_word();
            } else {
                let mut buffer = [0; 4];
                for lower in c.to_lowercase() {
                    lower.encode_utf8(&mut buffer).bytes().for_each(|byte| self.take(byte));
                }
            }
        }
    }

    /// What `read` does, for nearly all that it reads.
    fn read_ascii(&mut self, text: &[u8]) {
        for &byte in text {
            match LETTERS[usize::from(byte)] {
                0 => {
                    self.end_word();
                    if self.words == MOST_WORDS {
                        return;
                    }
                }
                letter => self.take(letter),
            }
        }
    }

    fn take(&mut self, byte: u8) {
        self.word = Some(fnv(self.word.unwrap_or(BASIS), byte));
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let [first, second] = self.before;
        let triple = mix(first ^ second.rotate_left(21) ^ word.rotate_left(42));
        let bin = usize::try_from(triple >> 59).unwrap_or_default();
        let value = u16::try_from(triple & 0xFFFF).unwrap_or_default();
        self.bins[bin] = self.bins[bin].min(value.min(EMPTY - 1));
        self.before = [second, word];
        self.words += 1;
    }
}

/// What each byte is in a word, 0 for those that end one.
const LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            letters[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    letters
};

/// Where FNV-1a begins.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// A step of FNV-1a.
fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// The finaliser of `SplitMix64`.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.0.iter().flat_map(|bin| bin.to_be_bytes()).collect();
        f.write_str(&hex(&bytes))
    }
}

impl fmt::Debug for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Likeness({self})")
    }
}

/// This is no sketch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 128 hexadecimal digits")]
pub struct NoLikeness;

impl FromStr for Likeness {
    type Err = NoLikeness;

    fn from_str(text: &str) -> Result<Self, NoLikeness> {
        let (digits, rest) = text.as_bytes().as_chunks::<4>();
        if digits.len() != BINS || !rest.is_empty() {
            return Err(NoLikeness);
        }
        let mut bins = [EMPTY; BINS];
        for (bin, digits) in bins.iter_mut().zip(digits) {
            let digits = str::from_utf8(digits).map_err(|_| NoLikeness)?;
            *bin = u16::from_str_radix(digits, 16).map_err(|_| NoLikeness)?;
        }
        Ok(Self(bins))
    }
}

impl From<Likeness> for String {
    fn from(likeness: Likeness) -> Self {
        likeness.to_string()
    }
}

impl TryFrom<String> for Likeness {
    type Error = NoLikeness;

    fn try_from(text: String) -> Result<Self, NoLikeness> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `count` words that `seed` makes, from a language of ten thousand.
    fn words(seed: u64, count: u64) -> Vec<String> {
        (0..count).map(|n| format!("w{}", mix(seed.wrapping_mul(1_000_003) ^ n) % 10_000)).collect()
    }

    fn alike(a: &[String], b: &[String]) -> Option<Alike> {
        Likeness::of(&a.join(" ")).compare(&Likeness::of(&b.join(" ")))
    }

    #[test]
    fn case_punctuation_and_line_breaks_do_not_count() {
        let text = "The river was high. Nobody came, and the herons stood in it all day.";
        let other = "the RIVER was high -- nobody came;\nand the herons stood in it: all day";
        assert_eq!(Likeness::of(text), Likeness::of(other));
    }

    #[test]
    fn of_short_texts_nothing_is_known() {
        let short = Likeness::of("Coming soon!");
        assert_eq!(short.compare(&short), None);
        assert_eq!(Likeness::of("").compare(&Likeness::of("")), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn an_edited_text_is_the_same_and_another_is_not(seed: u64, at in 0_usize..280) {
            let text = words(seed, 300);
            let mut edited = text.clone();
            edited.splice(at..at + 12, words(seed ^ 7, 6));
            prop_assert_eq!(alike(&text, &edited), Some(Alike::Yes));
            prop_assert_eq!(alike(&text, &words(seed.wrapping_add(1), 300)), Some(Alike::No));
            let shared = Likeness::of(&text.join(" "));
            let mut bands = shared.bands();
            let other = Likeness::of(&edited.join(" "));
            prop_assert!(bands.any(|band| other.bands().any(|it| it == band)));
        }

        #[test]
        fn a_text_is_the_same_in_whatever_parts_it_comes(parts: Vec<String>, ascii in "[ -~]{0,40}") {
            let parts: Vec<&str> = parts.iter().map(String::as_str).chain([&*ascii, "é", &*ascii]).collect();
            prop_assert_eq!(Likeness::of(&parts.concat()), Likeness::of_parts(parts));
        }

        #[test]
        fn a_sketch_is_read_as_it_was_written(text: String) {
            let sketch = Likeness::of(&text);
            prop_assert_eq!(sketch.to_string().parse(), Ok(sketch));
        }
    }
}
