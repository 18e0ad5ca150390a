//! Strings and instants as XML 1.0 and JSON can carry them alike.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The first second of the year 1: the formats can write down no date before the year 0.
const FIRST_SECOND: i64 = -62_135_596_800;

/// Whether XML 1.0 allows `c` (section 2.2). The crates write everything, and one U+000B makes the whole
/// feed unreadable.
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether XML can carry all of `text` as it is.
pub(super) fn is_clean(text: &str) -> bool {
    text.chars().all(is_legal)
}

/// `text` without what XML forbids, with line ends as an XML parser would hand them on (section 2.11), so
/// that readers of all formats get the same.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_legal(c) && c != '\r') {
        return Cow::Borrowed(text);
    }
    let legal: String = text.chars().filter(|&c| is_legal(c)).collect();
    Cow::Owned(legal.replace("\r\n", "\n").replace('\r', "\n"))
}

/// [`clean`], on one line and without space around it. `None` when nothing is left.
pub(super) fn line(text: &str) -> Option<String> {
    let line = clean(text).replace(['\t', '\n'], " ");
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// `tag` if it has the shape of a BCP 47 tag; a reader would choke on anything else.
pub(super) fn language(tag: &str) -> Option<&str> {
    let shaped = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.split('-').all(shaped).then_some(tag)
}

/// Plain text as HTML that shows it, for the elements which readers take as HTML.
pub(super) fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `at` in whole seconds, and within what the formats can write down.
pub(super) fn instant(at: Timestamp) -> Timestamp {
    let second = at.as_second().max(FIRST_SECOND);
    Timestamp::from_second(second).expect("both seconds are in jiff's range")
}

/// The date as RSS wants it: `Fri, 02 Oct 2026 06:30:00 +0000`.
pub(super) fn rfc2822(at: Timestamp) -> String {
    jiff::fmt::rfc2822::to_string(&instant(at).to_zoned(TimeZone::UTC))
        .expect("RFC 2822 has every year from 1 on")
}

/// Writes `&`, `<` and `>` in the text of `xml` as hexadecimal references.
///
/// The RSS profile asks for them: readers that take a title for HTML show `&#x3C;` as `<`, and make a tag of
/// the equivalent `&lt;`. `xml` must have been written by the `rss` crate: its tags contain no bare `>`, and
/// it has CDATA sections, in which references mean nothing and which stay as they are, but no comments.
pub(super) fn with_hex_references(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len() + xml.len() / 16);
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let (text, markup) = rest.split_at(start);
        push_hex(&mut out, text);
        let end = if markup.starts_with("<![CDATA[") { "]]>" } else { ">" };
        let length = markup.find(end).map_or(markup.len(), |at| at + end.len());
        let (markup, after) = markup.split_at(length);
        out.push_str(markup);
        rest = after;
    }
    push_hex(&mut out, rest);
    out
}

fn push_hex(out: &mut String, text: &str) {
    if text.contains('&') {
        let hex = text.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;");
        out.push_str(&hex.replace("&gt;", "&#x3E;"));
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_dropped_and_the_rest_stays() {
        assert_eq!(clean("a\u{0}b\u{B}c\u{1F}\u{FFFE}\u{FFFF}d"), "abcd");
        let odd = "\t\n \u{7F}\u{85}\u{A0}\u{2028}\u{202E}\u{FFFD}🐎\u{1FFFE}\u{10FFFF}";
        assert_eq!(clean(odd), odd);
        assert_eq!(clean("a\r\nb\rc\n"), "a\nb\nc\n");
    }

    #[test]
    fn a_line_has_no_breaks_and_no_space_around_it() {
        assert_eq!(line(" one\r\ntwo\tthree\u{B} \n").as_deref(), Some("one two three"));
        assert_eq!(line("\u{1}\n \u{2028}"), None);
    }

    #[test]
    fn only_the_shape_of_a_language_tag_passes() {
        assert_eq!(language("pt-BR"), Some("pt-BR"));
        assert_eq!(language(""), None);
        assert_eq!(language("en\" onload=\""), None);
        assert_eq!(language("de_DE"), None);
    }

    #[test]
    fn dates_are_in_whole_seconds_of_years_that_can_be_written() {
        let at: Timestamp = "2026-10-02T08:30:00.987+02:00".parse().unwrap();
        assert_eq!(rfc2822(at), "Fri, 2 Oct 2026 06:30:00 +0000");
        assert_eq!(rfc2822(Timestamp::MIN), "Mon, 1 Jan 0001 00:00:00 +0000");
        assert_eq!(rfc2822(Timestamp::MAX), "Thu, 30 Dec 9999 22:00:00 +0000");
    }

    #[test]
    fn references_are_rewritten_in_text_only() {
        assert_eq!(
            with_hex_references(
                r#"<a href="?a&amp;b">x &lt; &amp;lt;</a><![CDATA[&lt;]]]]><![CDATA[>&amp;]]>&gt;"#
            ),
            r#"<a href="?a&amp;b">x &#x3C; &#x26;lt;</a><![CDATA[&lt;]]]]><![CDATA[>&amp;]]>&#x3E;"#
        );
    }
}
