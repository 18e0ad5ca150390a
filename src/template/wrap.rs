//! Wrapping plain text at a width, as a person would who writes a letter.

/// Wraps each line of `text` at `width` columns. Quoted (`> `) and listed (`- `, `1. `) lines keep their mark and indent;
/// lines that are indented by four columns or more are code and stay; a word or URL longer than a line stands alone.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        wrap_line(line.trim_end(), width, &mut out);
    }
    out
}

fn wrap_line(line: &str, width: usize, out: &mut String) {
    if columns(line) <= width || is_code(line) {
        out.push_str(line);
        return;
    }
    let (first, hanging) = margin(line);
    out.push_str(first);
    let mut column = columns(first);
    let mut fresh = true;
    for word in line[first.len()..].split_whitespace() {
        let wide = columns(word);
        if !fresh && column + 1 + wide > width {
            out.push('\n');
            out.push_str(&hanging);
            column = columns(&hanging);
            fresh = true;
        }
        if !fresh {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
        fresh = false;
    }
}

/// What the line begins with, and what its further lines begin with.
fn margin(line: &str) -> (&str, String) {
    let quote = line.len() - line.trim_start_matches([' ', '>']).len();
    let mark = list_mark(&line[quote..]);
    let hanging = format!("{}{}", &line[..quote], " ".repeat(mark));
    (&line[..quote + mark], hanging)
}

/// Length of a list item's mark with the blank behind it; 0 when there is none.
fn list_mark(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match (digits, line.as_bytes().get(digits)) {
        (0, Some(b'-' | b'*' | b'+')) => 1,
        (1..=3, Some(b'.' | b')')) => digits + 1,
        _ => return 0,
    };
    if line.as_bytes().get(mark) == Some(&b' ') { mark + 1 } else { 0 }
}

pub(super) fn is_code(line: &str) -> bool {
    let indent = line.len() - line.trim_start().len();
    (line.starts_with('\t') || indent >= 4) && list_mark(line.trim_start()) == 0
}

/// Columns on a terminal or in a mail reader: two for the scripts of East Asia and for emoji.
fn columns(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1_f300..=0x1_faff | 0x2_0000..=0x3_fffd)
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paragraphs_lists_and_quotes_keep_their_shape() {
        let text = "A paragraph of some words.\n\n- an item of a list\n  1. an item below it\n> a quote of some words";
        insta::assert_snapshot!(wrap(text, 14), @"
        A paragraph of
        some words.

        - an item of a
          list
          1. an item
             below it
        > a quote of
        > some words
        ");
    }

    #[test]
    fn code_and_long_words_are_left_alone() {
        let code = "    let answer = everything(42);";
        assert_eq!(wrap(code, 20), code);
        let link = "see https://example.org/a/very/long/path now";
        assert_eq!(wrap(link, 10), "see\nhttps://example.org/a/very/long/path\nnow");
    }

    proptest! {
        #[test]
        fn wrapping_moves_white_space_only(text in "\\PC{0,200}", width in 1_usize..90) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let quoteless: String = text.chars().filter(|c| *c != '>').collect();
            prop_assert_eq!(words(&wrap(&quoteless, width)), words(&quoteless));
        }
    }
}
