//! Text with holes: what is the same for all recipients, and the places where a recipient's token goes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// How the token is written where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// As it is: letters, digits, `-` and `_` need no encoding.
    Plain,
    /// In base64, together with the bytes around it that share its groups of three.
    Base64 { before: Vec<u8>, after: Vec<u8> },
}

/// A text and its holes, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    text: String,
    /// Each at its place in `text`.
    holes: Vec<(usize, Hole)>,
}

impl Pieces {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), holes: Vec::new() }
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn push(&mut self, c: char) {
        self.text.push(c);
    }

    pub(super) fn push_hole(&mut self, hole: Hole) {
        self.holes.push((self.text.len(), hole));
    }

    pub(super) fn append(&mut self, other: &Self) {
        let offset = self.text.len();
        self.text.push_str(&other.text);
        self.holes.extend(other.holes.iter().map(|(at, hole)| (offset + at, hole.clone())));
    }

    /// Bytes once it is filled with a token of `token` characters, or a little more.
    pub(super) fn size(&self, token: usize) -> usize {
        self.text.len() + self.holes.iter().map(|(_, hole)| hole.size(token)).sum::<usize>()
    }

    /// What stands before the first hole.
    pub(super) fn prefix(&self) -> &str {
        &self.text[..self.holes.first().map_or(self.text.len(), |(at, _)| *at)]
    }

    /// Hands over everything, with `token` in the holes.
    pub(super) fn fill(&self, token: &str, mut take: impl FnMut(&[u8])) {
        take(self.prefix().as_bytes());
        self.fill_rest(token, take);
    }

    /// Hands over what comes after `prefix`.
    pub(super) fn fill_rest(&self, token: &str, mut take: impl FnMut(&[u8])) {
        for (number, (at, hole)) in self.holes.iter().enumerate() {
            match hole {
                Hole::Plain => take(token.as_bytes()),
                Hole::Base64 { before, after } => {
                    let group = [before, token.as_bytes(), after].concat();
                    take(BASE64.encode(group).as_bytes());
                }
            }
            let end = self.holes.get(number + 1).map_or(self.text.len(), |(next, _)| *next);
            take(&self.text.as_bytes()[*at..end]);
        }
    }

    /// The text between the holes, and after each text the hole that follows it.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, Option<&Hole>)> {
        let mut from = 0;
        let ends = self.holes.iter().map(|(at, hole)| (*at, Some(hole)));
        ends.chain([(self.text.len(), None)]).map(move |(end, hole)| {
            let text = &self.text[from..end];
            from = end;
            (text, hole)
        })
    }
}

impl Hole {
    fn size(&self, token: usize) -> usize {
        match self {
            Self::Plain => token,
            Self::Base64 { before, after } => (before.len() + token + after.len()).div_ceil(3) * 4,
        }
    }
}
