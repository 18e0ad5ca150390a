//! Slips of the pen: what somebody may have meant.

/// Longer words are nobody's slip.
const MAX_CHARS: usize = 64;

/// The name most like `word`, if any is like it.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if word.chars().count() > MAX_CHARS {
        return None;
    }
    let word = word.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(3) / 3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
