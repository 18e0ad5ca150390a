//! The links of a plain text, moved to its end: a sentence that holds an address of eighty letters cannot be read.

use super::wrap::is_code;

/// Replaces each `text <address>` by `text [1]`, and lists the addresses below the text, each once.
///
/// Numbers go on where the text's own footnotes end. Addresses that stand for themselves, and code, are left alone.
pub(super) fn footnotes(text: &str) -> String {
    let mut notes = Notes { first: highest_mark(text) + 1, addresses: Vec::new() };
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if is_code(line) {
            out.push_str(line);
        } else {
            notes.move_from(line, &mut out);
        }
    }
    out.truncate(out.trim_end().len());
    for (offset, address) in notes.addresses.iter().enumerate() {
        let gap = if offset == 0 { "\n\n" } else { "\n" };
        out.extend([gap, "[", &(notes.first + offset).to_string(), "] ", address]);
    }
    out
}

struct Notes<'t> {
    first: usize,
    addresses: Vec<&'t str>,
}

impl<'t> Notes<'t> {
    fn move_from(&mut self, line: &'t str, out: &mut String) {
        let mut rest = line;
        while let Some(at) = rest.find(" <") {
            let inner = &rest[at + 2..];
            out.push_str(&rest[..at]);
            rest = if let Some((address, behind)) = address(inner) {
                out.extend([" [", &self.number(address).to_string(), "]"]);
                behind
            } else {
                out.push_str(" <");
                inner
            };
        }
        out.push_str(rest);
    }

    fn number(&mut self, address: &'t str) -> usize {
        let known = self.addresses.iter().position(|known| *known == address);
        self.first
            + known.unwrap_or_else(|| {
                self.addresses.push(address);
                self.addresses.len() - 1
            })
    }
}

/// The address that `text` begins with, and what stands behind its `>`.
fn address(text: &str) -> Option<(&str, &str)> {
    let (address, behind) = text.split_once('>')?;
    let is_address = ["http://", "https://", "mailto:"].iter().any(|it| address.starts_with(it));
    (is_address && !address.contains(char::is_whitespace)).then_some((address, behind))
}

/// The largest number that stands in brackets, as footnotes of a post do; 0 if there is none.
fn highest_mark(text: &str) -> usize {
    let number = |piece: &str| piece.split_once(']')?.0.parse::<u16>().ok();
    text.split('[').skip(1).filter_map(number).max().map_or(0, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_numbers_and_stand_at_the_end_once() {
        let text = "See the map <https://example.org/map/>, the mill <https://example.org/mill/>\n\
                    and the map <https://example.org/map/> again; write <mailto:a@example.org>.\n";
        insta::assert_snapshot!(footnotes(text), @r"
        See the map [1], the mill [2]
        and the map [1] again; write [3].

        [1] https://example.org/map/
        [2] https://example.org/mill/
        [3] mailto:a@example.org
        ");
    }

    #[test]
    fn what_is_no_link_stays() {
        for text in
            ["a <b> c", "1 < 2 > 0", "    get <https://example.org/>", "x <https://a b>", " <"]
        {
            assert_eq!(footnotes(text), text);
        }
    }

    #[test]
    fn numbers_go_on_behind_those_of_the_post() {
        let text = "Word[2] and link <https://example.org/>\n\n2. A note.";
        assert!(footnotes(text).ends_with("\n\n[3] https://example.org/"));
    }
}
