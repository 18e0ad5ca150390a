//! `==marked==` text: which pairs of equals signs mark what is between them.

/// What two equals signs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Equals {
    Begin,
    /// They end what begins at this place of the output.
    EndOf(usize),
}

/// The open mark, if there is one. Both ends stand in the same element.
#[derive(Debug, Default)]
pub(super) struct Marked {
    depth: usize,
    open: Option<(usize, usize)>,
}

impl Marked {
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.open = self.open.take_if(|(_, depth)| *depth <= self.depth);
    }

    pub(super) fn forget(&mut self) {
        self.open = None;
    }

    pub(super) fn begun_at(&mut self, at: usize) {
        self.open = Some((at, self.depth));
    }

    /// What `==` between two characters is; `None`: just that. Code such as `a==b` and rows of signs mark nothing.
    pub(super) fn read(&mut self, before: Option<char>, after: Option<char>) -> Option<Equals> {
        let is_text = |c: Option<char>| c.is_none_or(|c| !c.is_whitespace());
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '=');
        if let Some((start, _)) =
            self.open.take_if(|(_, depth)| *depth == self.depth && is_text(before) && ends(after))
        {
            return Some(Equals::EndOf(start));
        }
        let begins = self.open.is_none() && is_text(after) && after != Some('=') && ends(before);
        begins.then_some(Equals::Begin)
    }
}
