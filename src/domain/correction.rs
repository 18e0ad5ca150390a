//! An author wishes that those are told who had a post before it was corrected.

use super::{Notify, Post};

/// What those are told who had a post by mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// What was wrong, in the author's words.
    pub note: Option<String>,
}

/// Whether the author of `post` wishes that those are told who had an earlier revision (`notify: correction`).
pub fn correction_of(post: &Post) -> Option<Correction> {
    match &post.wishes().notify {
        Notify::Nothing => None,
        Notify::Correction(note) => Some(Correction { note: note.clone() }),
    }
}
