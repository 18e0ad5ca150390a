//! Which entries a finished document has, and the same document without those that a reader has already (RFC 3229 with the
//! instance manipulation `feed`).
//!
//! Works on the bytes that were written, so that it cannot disagree with them: an entry is new to a reader if its bytes are.

use std::collections::HashSet;
use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Format;
use crate::domain::EntryHash;

/// An entry within a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) hash: EntryHash,
    /// With the white space before it.
    range: Range<usize>,
}

/// The entries of `bytes`, in order. A document that is no feed has none.
pub(super) fn pieces(format: Format, bytes: &[u8]) -> Vec<Piece> {
    let ranges = match format {
        Format::Rss => elements(bytes, b"item"),
        Format::Atom => elements(bytes, b"entry"),
        Format::Json => items(bytes),
    };
    let mut pieces: Vec<Piece> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let hash = hash(&bytes[range.clone()]);
        let floor = pieces.last().map_or(0, |piece| piece.range.end);
        let before = &bytes[floor..range.start];
        let blank = before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        pieces.push(Piece { hash, range: range.start - blank..range.end });
    }
    pieces
}

/// The document with those of its entries that are in `wanted`. None: that would be all of them.
pub(super) fn cut(
    format: Format,
    bytes: &[u8],
    pieces: &[Piece],
    wanted: &HashSet<EntryHash>,
) -> Option<Vec<u8>> {
    let kept: Vec<&Piece> = pieces.iter().filter(|it| wanted.contains(&it.hash)).collect();
    if kept.len() == pieces.len() {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    if let (Format::Json, Some(first), Some(last)) = (format, pieces.first(), pieces.last()) {
        out.extend_from_slice(&bytes[..first.range.start]);
        for (index, piece) in kept.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&bytes[piece.range.clone()]);
        }
        out.extend_from_slice(&bytes[last.range.end..]);
        return Some(out);
    }
    // What stands between elements stays: it belongs to the feed, not to an entry.
    let mut at = 0;
    for piece in pieces {
        out.extend_from_slice(&bytes[at..piece.range.start]);
        if wanted.contains(&piece.hash) {
            out.extend_from_slice(&bytes[piece.range.clone()]);
        }
        at = piece.range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    Some(out)
}

fn hash(bytes: &[u8]) -> EntryHash {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut part = [0; 8];
    part.copy_from_slice(&digest.as_ref()[..8]);
    EntryHash::from_be_bytes(part)
}

/// Where the elements `name` are. In what we write, `<` begins markup everywhere but in CDATA sections and comments.
fn elements(bytes: &[u8], name: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut at, mut start) = (0, None);
    while let Some(next) = memchr::memchr(b'<', &bytes[at..]) {
        let here = at + next;
        let rest = &bytes[here..];
        at = here + 1;
        if rest.starts_with(b"<![CDATA[") {
            at = after(bytes, here, b"]]>");
        } else if rest.starts_with(b"<!--") {
            at = after(bytes, here, b"-->");
        } else if let Some(tag) = rest[1..].strip_prefix(name)
            && matches!(tag.first(), Some(b'>' | b' ' | b'\n' | b'\t'))
        {
            start = Some(here);
        } else if let Some(tag) = rest.strip_prefix(b"</")
            && tag.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'>'))
            && let Some(start) = start.take()
        {
            at = here + name.len() + 3;
            found.push(start..at);
        }
    }
    found
}

/// The first position after the next `end`, or the end of all.
fn after(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    memmem::find(&bytes[from..], end).map_or(bytes.len(), |found| from + found + end.len())
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// Where the members of `items` are.
fn items(bytes: &[u8]) -> Vec<Range<usize>> {
    let Ok(Items { items }) = serde_json::from_slice(bytes) else { return Vec::new() };
    let base = bytes.as_ptr().addr();
    let range = |item: &&RawValue| {
        let start = item.get().as_ptr().addr().checked_sub(base)?;
        Some(start..start + item.get().len())
    };
    let found: Option<Vec<_>> = items.iter().map(range).collect();
    found.filter(|all| all.last().is_none_or(|last| last.end <= bytes.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RSS: &str = "<rss>\n <channel>\n  <title>a</title>\n  <item><a><![CDATA[</item><item>]]></a></item>\n  \
                       <item>b</item>\n  <items/><!-- <item> -->\n  <item x=\"1\">c</item>\n </channel>\n</rss>\n";
    const JSON: &str = "{\n  \"title\": \"a\",\n  \"items\": [\n    {\"id\": \"1\"},\n    {\"id\": \"2\"}\n  ]\n}\n";

    fn keep(format: Format, text: &str, indices: &[usize]) -> Option<String> {
        let pieces = pieces(format, text.as_bytes());
        let wanted = indices.iter().map(|index| pieces[*index].hash).collect();
        let bytes = cut(format, text.as_bytes(), &pieces, &wanted)?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn an_entry_is_what_is_marked_up_as_one_whatever_its_text_says() {
        assert_eq!(pieces(Format::Rss, RSS.as_bytes()).len(), 3);
        assert_eq!(
            keep(Format::Rss, RSS, &[1]).unwrap(),
            "<rss>\n <channel>\n  <title>a</title>\n  <item>b</item>\n  <items/><!-- <item> -->\n </channel>\n</rss>\n"
        );
        assert_eq!(keep(Format::Rss, RSS, &[0, 1, 2]), None);
        assert!(pieces(Format::Rss, b"<opml/>").is_empty());
    }

    #[test]
    fn a_json_feed_stays_valid_whichever_items_are_left() {
        for kept in [vec![], vec![0], vec![1]] {
            let text = keep(Format::Json, JSON, &kept).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["items"].as_array().unwrap().len(), kept.len(), "{text}");
        }
        assert_eq!(keep(Format::Json, JSON, &[0, 1]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "(<item>|</item>|<!\\[CDATA\\[|\\]\\]>|<entry |</entry>|\\{\"items\":\\[|[ -~é]){0,40}") {
            for format in Format::ALL {
                let pieces = pieces(format, text.as_bytes());
                let wanted = pieces.iter().skip(1).step_by(2).map(|it| it.hash).collect();
                let cut = cut(format, text.as_bytes(), &pieces, &wanted);
                prop_assert!(cut.is_none_or(|cut| std::str::from_utf8(&cut).is_ok()));
            }
        }
    }
}
