//! Quoted-printable (RFC 2045 section 6.7) for text with holes.
//!
//! Our own, because a soft line break must never fall into a hole, where a token will be spliced in, nor into a
//! character, which some readers would show as two broken halves.

use super::pieces::{Hole, Pieces};

/// Characters in a line, without the `=` of a soft break.
const WIDTH: usize = 75;

/// Encodes `text`, whose lines end with `\n`, into lines of at most 76 characters that end with CRLF. Wherever `hole` occurs
/// there is a hole that a text of the same length fits into; it must consist of letters, digits, `-` and `_`.
pub(super) fn encode(text: &str, hole: Option<&str>) -> Pieces {
    let mut writer = Writer { out: Pieces::with_capacity(text.len() * 9 / 8), column: 0 };
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            writer.out.push_str("\r\n");
            writer.column = 0;
        }
        let Some(hole) = hole else {
            writer.piece(line, true);
            continue;
        };
        let mut pieces = line.split(hole).peekable();
        while let Some(piece) = pieces.next() {
            let last = pieces.peek().is_none();
            writer.piece(piece, last);
            if !last {
                writer.hole(hole.len());
            }
        }
    }
    writer.out
}

struct Writer {
    out: Pieces,
    column: usize,
}

impl Writer {
    fn piece(&mut self, piece: &str, ends_line: bool) {
        let mut code = String::with_capacity(12);
        for (at, c) in piece.char_indices() {
            let is_last = ends_line && at + c.len_utf8() == piece.len();
            let plain = match c {
                ' ' | '\t' => !is_last, // relays strip white space at the end of a line
                '=' => false,
                // A lone dot ends a message in SMTP, and old mailboxes turn `From ` into `>From `.
                '.' => self.column > 0,
                'F' => self.column > 0 || !piece[at..].starts_with("From "),
                _ => c.is_ascii_graphic(),
            };
            code.clear();
            if plain {
                code.push(c);
            } else {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    push_escape(&mut code, byte);
                }
            }
            self.atom(&code);
        }
    }

    fn hole(&mut self, length: usize) {
        self.make_room(length);
        self.out.push_hole(Hole::Plain);
        self.column += length;
    }

    fn make_room(&mut self, length: usize) {
        if self.column + length > WIDTH {
            self.out.push_str("=\r\n");
            self.column = 0;
        }
    }

    fn atom(&mut self, atom: &str) {
        self.make_room(atom.len());
        // The break may just have brought a dot to the front.
        if self.column == 0 && atom == "." {
            self.out.push_str("=2E");
            self.column = 3;
        } else {
            self.out.push_str(atom);
            self.column += atom.len();
        }
    }
}

fn push_escape(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('=');
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quoted_printable::{ParseMode, decode};

    /// With the hole in its holes.
    fn encode(text: &str, hole: Option<&str>) -> String {
        let mut filled = Vec::new();
        let pieces = super::encode(text, hole);
        pieces.fill(hole.unwrap_or_default(), |bytes| filled.extend_from_slice(bytes));
        String::from_utf8(filled).unwrap()
    }

    #[test]
    fn a_hole_is_never_broken() {
        let hole = "0123456789012345678901234567890123456789012";
        for before in 0..160 {
            let text = format!("{}{hole}={hole} ", "x".repeat(before));
            let encoded = encode(&text, Some(hole));
            assert_eq!(encoded.matches(hole).count(), 2, "{encoded}");
            assert_eq!(decode(&encoded, ParseMode::Strict).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn no_line_begins_with_a_dot_or_with_from() {
        let text = format!(".\nFrom here\n..a\n{}{}", "y".repeat(74), ".".repeat(80));
        let encoded = encode(&text, None);
        assert!(encoded.lines().all(|line| !line.starts_with('.') && !line.starts_with("From ")));
        assert_eq!(
            decode(&encoded, ParseMode::Strict).unwrap(),
            text.replace('\n', "\r\n").as_bytes()
        );
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(text in "(\\PC|[ \t\n=.]){0,300}") {
            let encoded = encode(&text, None);
            let decoded = decode(&encoded, ParseMode::Strict).unwrap();
            prop_assert_eq!(decoded, text.replace('\n', "\r\n").into_bytes());
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= 76);
                prop_assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b) || b == b'\t'));
                prop_assert!(!line.ends_with([' ', '\t']));
            }
        }
    }
}
