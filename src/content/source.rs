//! Bytes of a file -> text that is safe to parse: UTF-8, no byte order mark, line feeds only, nothing that XML forbids.

use std::borrow::Cow;

use super::report::Problem;

/// The largest body that is read. Longer ones are no posts but accidents.
pub(super) const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// The largest front matter that is read.
pub(super) const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;
/// Files larger than this are refused undecoded.
pub(super) const MAX_FILE_BYTES: usize = MAX_BODY_BYTES + MAX_FRONT_MATTER_BYTES;

/// Marks the end of the excerpt between the Markdown and the summary. Never in a text that was read here.
pub(super) const EXCERPT_END: char = '\u{FDD0}';

/// Text that could not be read, with as much of it as the message needs to show the line.
pub(super) struct Unreadable {
    pub(super) problem: Problem,
    pub(super) shown: String,
}

/// Decodes and cleans a file. The lines stay what they were, so that positions hold.
pub(super) fn read(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let without = |problem: Problem| Unreadable { problem, shown: String::new() };
    if bytes.len() > MAX_FILE_BYTES {
        return Err(without(too_large(bytes.len())));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(without(
            Problem::new("post-encoding", "the file is UTF-16")
                .at(0..0)
                .help("save the file as UTF-8"),
        ));
    }
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if let Some(at) = text.find('\0') {
        return Err(Unreadable {
            problem: Problem::new("post-nul", "the file contains a NUL byte")
                .at(at..at + 1)
                .help("delete it; if the file is not text, move it out of the posts folder"),
            shown: text.replace('\0', "\u{FFFD}"),
        });
    }
    Ok(clean(text))
}

/// The message for a file or body that is too large.
pub(super) fn too_large(size: usize) -> Problem {
    Problem::new(
        "post-too-large",
        format!("the post is {size} bytes long; at most {MAX_BODY_BYTES} are read"),
    )
    .help("split it, or move data and images into files of their own")
}

fn not_utf8(bytes: &[u8], valid: usize) -> Unreadable {
    let byte = bytes[valid];
    let problem =
        Problem::new("post-encoding", format!("byte 0x{byte:02X} is not valid UTF-8 here"))
            .at(valid..valid + 1)
            .help("save the file as UTF-8; it may be in Windows-1252 or Latin-1 now");
    Unreadable { problem, shown: String::from_utf8_lossy(bytes).into_owned() }
}

/// CRLF and CR become LF; characters that XML 1.0 forbids, and non-characters, go.
fn clean(text: &str) -> Cow<'_, str> {
    if (is_plain(text) || text.chars().all(is_legal)) && !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\r' {
            if characters.peek() != Some(&'\n') {
                out.push('\n');
            }
        } else if is_legal(c) {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether `c` may stand in XML 1.0 and means something: no C0 controls but tab and line ends, no non-characters.
pub(super) fn is_legal(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\0'..='\u{1F}' | '\u{FDD0}'..='\u{FDEF}' => false,
        _ => u32::from(c) & 0xFFFE != 0xFFFE,
    }
}

/// Whether all characters are legal, told from bytes alone; perhaps no where it is yes. Runs over everything of every post.
fn is_plain(text: &str) -> bool {
    // What is illegal above U+001F begins with 0xEF or is outside the basic plane.
    let plain = |b: &u8| matches!(*b, b' '..0xEF | b'\t' | b'\n' | b'\r');
    text.as_bytes().chunks(64).all(|chunk| chunk.iter().fold(true, |all, b| all & plain(b)))
}

/// Drops what `is_legal` refuses: escapes in front matter and character references can bring it back in.
pub(super) fn legal(text: String) -> String {
    if is_plain(&text) || text.chars().all(is_legal) {
        text
    } else {
        text.chars().filter(|&c| is_legal(c)).collect()
    }
}

/// One line of plain text: no control characters, runs of blanks as one space, trimmed. No-break spaces stay.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => blank = true,
            _ if c.is_control() || !is_legal(c) => {}
            _ => {
                if blank && !out.is_empty() {
                    out.push(' ');
                }
                blank = false;
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_accepted_silently() {
        let text = read("\u{FEFF}a\r\nb\rc".as_bytes()).ok().unwrap();
        assert_eq!(text, "a\nb\nc");
    }

    #[test]
    fn what_xml_forbids_is_dropped_and_nothing_else() {
        let text = read("a\u{B}b\u{FFFE}c\u{FFFF}\t\u{200F}😀\u{2028}".as_bytes()).ok().unwrap();
        assert_eq!(text, "abc\t\u{200F}😀\u{2028}");
    }

    #[test]
    fn wrong_bytes_are_shown_where_they_are() {
        let problem = read(b"one\ntw\xF6").err().unwrap().problem;
        assert_eq!(problem.span, Some(6..7));
        assert_eq!(problem.message, "byte 0xF6 is not valid UTF-8 here");
    }

    #[test]
    fn one_line_keeps_no_break_spaces() {
        assert_eq!(one_line("  a\u{7}\n\n b\u{A0}! "), "a b\u{A0}!");
    }
}
