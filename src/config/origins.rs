//! Where each key was written, so that later layers can point at `newsletters.weekly.cadences.daily`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::{Diagnostic, Position};

/// Where each key of the configuration comes from: a place in a file, or an environment variable.
///
/// Keys are written with dots, lists count from 0: `mail.servers.main.url`, `posts.0.path`. What stands in
/// `releases.toml` begins with `releases.`: `releases.queue.0.schedule`. Holds no secrets: their lines are blanked.
#[derive(Clone, Debug, Default)]
pub struct Origins(BTreeMap<String, Origin>);

#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub key: Place,
    pub value: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    File(Spot),
    /// The name of an environment variable.
    Variable(String),
}

/// Some characters of a file.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub file: String,
    /// `None`: the file as a whole.
    pub position: Option<Position>,
    pub length: usize,
    pub line_text: String,
    /// Whether the text stands in the file as it is, between simple quotes: then parts of it can be pointed at.
    pub verbatim: bool,
}

impl Origins {
    /// File and position of the value of `key`; `None` when it is a default or comes from the environment.
    pub fn place(&self, key: &str) -> Option<(&str, Position)> {
        match &self.0.get(key)?.value {
            Place::File(spot) => spot.position.map(|position| (spot.file.as_str(), position)),
            Place::Variable(_) => None,
        }
    }

    /// Points `diagnostic` at the value of `key`, or at the nearest section around it that was written down.
    #[must_use]
    pub fn point(&self, key: &str, diagnostic: Diagnostic) -> Diagnostic {
        match self.nearest(key) {
            Some(origin) => origin.value.point(diagnostic),
            None => diagnostic,
        }
    }

    /// Points at the name of `key`, not at its value.
    pub(super) fn point_at_name(&self, key: &str, diagnostic: Diagnostic) -> Diagnostic {
        match self.nearest(key) {
            Some(origin) => origin.key.point(diagnostic),
            None => diagnostic,
        }
    }

    /// Points at the bytes `part` of `value`, the text that `key` holds.
    #[must_use]
    pub fn point_inside(
        &self,
        key: &str,
        value: &str,
        part: Range<usize>,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        let mut diagnostic = self.point(key, diagnostic);
        let Some(Origin { value: Place::File(spot), .. }) = self.0.get(key) else {
            return diagnostic;
        };
        let before = value.get(..part.start).map(|before| before.chars().count());
        let meant = value.get(part).map_or(0, |meant| meant.chars().count());
        if let (true, Some(before), Some(position)) = (spot.verbatim, before, spot.position) {
            let column = position.column + 1 + before;
            diagnostic.position = Some(Position { column, ..position });
            diagnostic.length = meant.max(1);
        }
        diagnostic
    }

    pub(super) fn insert(&mut self, key: impl Into<String>, origin: Origin) {
        self.0.insert(key.into(), origin);
    }

    /// Forgets `key` and everything below it.
    pub(super) fn remove(&mut self, key: &str) {
        let below = format!("{key}.");
        self.0.retain(|known, _| known != key && !known.starts_with(&below));
    }

    fn nearest(&self, key: &str) -> Option<&Origin> {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return Some(origin);
            }
            if key.is_empty() {
                return None;
            }
            key = key.rsplit_once('.').map_or("", |(around, _)| around);
        }
    }
}

impl Place {
    fn point(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        match self {
            Self::File(spot) => {
                diagnostic.file = Some(spot.file.clone());
                diagnostic.position = spot.position;
                diagnostic.length = spot.length;
                diagnostic.line_text = spot.position.map(|_| spot.line_text.clone());
            }
            Self::Variable(name) => {
                diagnostic.message =
                    format!("environment variable `{name}`: {}", diagnostic.message);
            }
        }
        diagnostic
    }
}

impl Spot {
    /// A file as a whole.
    pub(super) fn whole(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            position: None,
            length: 1,
            line_text: String::new(),
            verbatim: false,
        }
    }
}
