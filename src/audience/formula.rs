//! Cells that a spreadsheet would run as formulas (OWASP, "CSV injection"): an apostrophe in front keeps it from that.

use std::borrow::Cow;

const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The cell with an apostrophe in front, if it needs one. One that has some already gets another, so that it can be undone.
pub(super) fn defused(cell: &str) -> Cow<'_, str> {
    if cell.trim_start_matches('\'').starts_with(BEGINNINGS) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cell as it was before that; exports of other systems do the same.
pub(super) fn undone(cell: &str) -> Cow<'_, str> {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(BEGINNINGS) => Cow::Borrowed(rest),
        Some(_) | None => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_a_text_and_becomes_what_it_was() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("'=1", "''=1"),
            ("O'Hara", "O'Hara"),
            ("'tis", "'tis"),
            ("", ""),
        ] {
            assert_eq!(defused(cell), written);
            assert_eq!(undone(written), cell);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_is_run_or_lost(cell in "['=+@\t\ra-]{0,6}") {
            let written = defused(&cell);
            prop_assert!(!written.starts_with(BEGINNINGS));
            prop_assert_eq!(undone(&written), cell.as_str());
        }
    }
}
