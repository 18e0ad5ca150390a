//! Header fields as bytes (RFC 5322 section 2.2, RFC 2047): folded, ASCII, each input cleaned of what could end a field.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::config::Mailbox;

/// Characters in a line that holds encoded words at most (RFC 2047 section 2); so we fold at it everywhere.
const WIDTH: usize = 76;
/// Characters of an encoded word: it fits behind `Reply-To: ` on the first line.
const WORD: usize = 64;
/// Characters of a text that people read in a list of mails.
const MOST_CHARS: usize = 250;

/// A field of words, folded between them where a line would grow too long, with its line end.
fn fold(name: &str, words: &[String]) -> String {
    let mut field = format!("{name}:");
    let mut column = field.len();
    for word in words {
        if column + 1 + word.len() > WIDTH && column > name.len() + 1 {
            field.push_str("\r\n");
            column = 0;
        }
        field.push(' ');
        field.push_str(word);
        column += 1 + word.len();
    }
    field.push_str("\r\n");
    field
}

/// `Subject` and other texts for people.
pub(super) fn text(name: &str, text: &str) -> String {
    let text = clean(text);
    let words: Vec<_> = text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    // What looks like an encoded word would be decoded; a word that is no line's length could not be folded.
    let plain = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        && !text.contains("=?")
        && words.iter().all(|word| word.len() <= WORD);
    fold(name, &if plain { words } else { encoded_words(&text) })
}

/// A mailbox (RFC 5322 section 3.4).
pub(super) fn mailbox(name: &str, mailbox: &Mailbox) -> String {
    let address = mailbox.address.as_str();
    match mailbox.name.as_deref().map(phrase) {
        Some(mut words) if !words.is_empty() => {
            words.push(format!("<{address}>"));
            fold(name, &words)
        }
        _ => fold(name, &[address.to_owned()]),
    }
}

/// `List-Id`: a name for people and an id for machines (RFC 2919).
pub(super) fn list_id(title: &str, id: &str) -> String {
    let mut words = phrase(title);
    words.push(format!("<{id}>"));
    fold("List-Id", &words)
}

/// A phrase: a quoted string, or encoded words.
fn phrase(text: &str) -> Vec<String> {
    let text = clean(text);
    if text.is_empty() {
        return Vec::new();
    }
    let plain = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    // Some readers decode encoded words even between quotes, where they mean nothing.
    if !plain || text.contains("=?") || text.len() > WORD {
        return encoded_words(&text);
    }
    vec![format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))]
}

/// One line without control characters, runs of blanks as one, of bounded length.
fn clean(text: &str) -> String {
    let visible = text.replace(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}', " ");
    let words: Vec<_> = visible.split_whitespace().collect();
    words.join(" ").chars().take(MOST_CHARS).collect()
}

/// RFC 2047 words that decode to `text`, none cut inside a character, in the encoding that is shorter for it.
fn encoded_words(text: &str) -> Vec<String> {
    const FRAME: usize = "=?utf-8?q??=".len();
    let quoted: usize = text.chars().map(|c| q(c).len()).sum();
    let in_base64 = text.len().div_ceil(3) * 4 < quoted;
    let (kind, most) = if in_base64 { ('b', (WORD - FRAME) / 4 * 3) } else { ('q', WORD - FRAME) };
    let mut words = Vec::new();
    let mut content = String::new();
    let mut length = 0;
    let mut finish = |content: &mut String| {
        let body = if in_base64 { BASE64.encode(&*content) } else { std::mem::take(content) };
        content.clear();
        words.push(format!("=?utf-8?{kind}?{body}?="));
    };
    for c in text.chars() {
        let code = if in_base64 { c.to_string() } else { q(c) };
        if length + code.len() > most {
            finish(&mut content);
            length = 0;
        }
        length += code.len();
        content.push_str(&code);
    }
    finish(&mut content);
    words
}

/// The `Q` encoding of one character, in the alphabet that is good in phrases too (RFC 2047 section 5).
fn q(c: char) -> String {
    match c {
        ' ' => "_".to_owned(),
        c if c.is_ascii_alphanumeric() || "!*+-/".contains(c) => c.to_string(),
        c => c.encode_utf8(&mut [0; 4]).bytes().fold(String::new(), |mut code, byte| {
            write!(code, "={byte:02X}").expect("a string takes every character");
            code
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from(name: &str) -> String {
        let mailbox =
            Mailbox { name: Some(name.to_owned()), address: "news@example.org".parse().unwrap() };
        super::mailbox("From", &mailbox)
    }

    #[test]
    fn plain_texts_stay_readable() {
        assert_eq!(text("Subject", "Hello, world"), "Subject: Hello, world\r\n");
        assert_eq!(from("Field Notes"), "From: \"Field Notes\" <news@example.org>\r\n");
        assert_eq!(from("O\"Neil \\"), "From: \"O\\\"Neil \\\\\" <news@example.org>\r\n");
        assert_eq!(from(""), "From: news@example.org\r\n");
        assert_eq!(list_id("", "weekly.example.org"), "List-Id: <weekly.example.org>\r\n");
        assert_eq!(
            text("Subject", &"word ".repeat(20)),
            format!("Subject: {}word\r\n {}word\r\n", "word ".repeat(12), "word ".repeat(6))
        );
    }

    #[test]
    fn other_texts_are_encoded_in_the_shorter_way() {
        assert_eq!(
            text("Subject", "A walk with Jörg"),
            "Subject: =?utf-8?q?A_walk_with_J=C3=B6rg?=\r\n"
        );
        assert_eq!(text("Subject", "日本語"), "Subject: =?utf-8?b?5pel5pys6Kqe?=\r\n");
        assert_eq!(from("Jörg"), "From: =?utf-8?b?SsO2cmc=?= <news@example.org>\r\n");
    }

    #[test]
    fn nothing_ends_a_field_or_begins_another() {
        assert_eq!(text("Subject", "a\r\nBcc: b\0\u{2028}c"), "Subject: a Bcc: b c\r\n");
        assert_eq!(from("a\r\nBcc: b"), "From: \"a Bcc: b\" <news@example.org>\r\n");
    }

    proptest! {
        #[test]
        fn whatever_it_says_the_lines_are_short_plain_and_read_as_it_was(
            name in prop_oneof!["\\PC{0,300}", "[a-z]{900,1000}", "(=\\?utf-8\\?q\\?|[ =?é\u{202e}👩‍🚀\\x00-\\x20]){0,60}"],
        ) {
            for field in [text("Subject", &name), from(&name), list_id(&name, "a.example.org")] {
                prop_assert!(field.is_ascii());
                let lines: Vec<_> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
                for (number, line) in lines.iter().enumerate() {
                    prop_assert!(line.len() <= 78, "{}", line);
                    prop_assert!(!line.contains(['\r', '\n']) && !line.trim().is_empty());
                    prop_assert!(number == 0 || line.starts_with(' '));
                }
                for word in field.split_whitespace().filter(|word| word.starts_with("=?")) {
                    prop_assert!(word.len() <= 75);
                }
            }
            let mail = format!("{}{}\r\n", text("Subject", &name), from(&name));
            let parsed = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
            prop_assert_eq!(parsed.subject().unwrap_or_default(), clean(&name));
            let sender = parsed.from().unwrap().first().unwrap();
            prop_assert_eq!(sender.name().unwrap_or_default(), clean(&name));
            prop_assert_eq!(sender.address(), Some("news@example.org"));
        }
    }
}
