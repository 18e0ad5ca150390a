//! The relaxed canonical forms (RFC 6376 sections 3.4.2 and 3.4.4): what is signed instead of what is sent.

use crate::mail::pieces::Pieces;

/// Each field of `header`, in its canonical form, with its line end.
pub(super) fn fields(header: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in header.split_terminator("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
            _ => fields.push(line.to_owned()),
        }
    }
    fields.iter().map(|unfolded| field(unfolded)).collect()
}

fn field(unfolded: &str) -> String {
    let (name, value) = unfolded.split_once(':').unwrap_or((unfolded, ""));
    let words: Vec<_> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}\r\n", name.trim_end().to_lowercase(), words.join(" "))
}

/// A body without what mail servers change on the way: runs of blanks are one, lines and the body end without any.
pub(super) fn body(body: &Pieces) -> Pieces {
    let mut relaxed = Relaxed::default();
    for (text, hole) in body.parts() {
        for c in text.chars() {
            match c {
                ' ' | '\t' => relaxed.blank = true,
                '\r' => {}
                '\n' => {
                    relaxed.blank = false;
                    relaxed.line_ends += 1;
                }
                c => {
                    relaxed.catch_up();
                    relaxed.out.push(c);
                }
            }
        }
        if let Some(hole) = hole {
            relaxed.catch_up();
            relaxed.out.push_hole(hole.clone());
        }
    }
    if relaxed.out.size(1) > 0 {
        relaxed.out.push_str("\r\n");
    }
    relaxed.out
}

/// What is waiting to be seen whether something comes after it.
#[derive(Default)]
struct Relaxed {
    out: Pieces,
    blank: bool,
    line_ends: usize,
}

impl Relaxed {
    fn catch_up(&mut self) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.out.push_str("\r\n");
        }
        if std::mem::take(&mut self.blank) {
            self.out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::pieces::Hole;

    fn pieces(text: &str) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.push_str(text);
        pieces
    }

    #[test]
    fn the_example_of_rfc_6376_section_3_4_5() {
        assert_eq!(fields("A: X\r\nB : Y\t\r\n\tZ  \r\n"), ["a:X\r\n", "b:Y Z\r\n"]);
        assert_eq!(body(&pieces(" C \r\nD \t E\r\n\r\n\r\n")), pieces(" C\r\nD E\r\n"));
    }

    #[test]
    fn an_empty_body_stays_empty_and_an_unended_line_is_ended() {
        assert_eq!(body(&pieces("\r\n\r\n")), pieces(""));
        assert_eq!(body(&pieces(" \r\n\t\r\n")), pieces(""));
        assert_eq!(body(&pieces("a")), pieces("a\r\n"));
    }

    #[test]
    fn a_hole_is_text_like_any_other() {
        let mut given = pieces("a \t");
        given.push_hole(Hole::Plain);
        given.push_str("  \r\n\r\n");
        let mut expected = pieces("a ");
        expected.push_hole(Hole::Plain);
        expected.push_str("\r\n");
        assert_eq!(body(&given), expected);
    }
}
