//! A mail's body: texts encoded and put together as MIME parts (RFC 2045, RFC 2046).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::compose::Composed;
use super::images::InlineImage;
use super::pieces::{Hole, Pieces};
use super::quoted;
use crate::domain::Revision;

/// Octets in a line at most, without its end (RFC 5322 section 2.1.1).
pub(super) const MAX_LINE: usize = 998;
/// Characters of base64 in a line, and the bytes that they stand for.
const LINE: usize = 76;
const LINE_BYTES: usize = 57;

/// What the other side is known to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    SevenBit,
    EightBit,
}

/// Text first, HTML last, as multipart/alternative; the HTML together with the images that it shows, if there are any
/// (RFC 2387). Returns the value of `Content-Type` and the body.
pub(super) fn alternative(composed: &Composed, transfer: Transfer) -> (String, Pieces) {
    let content = Revision::of([composed.subject.as_str(), &composed.text, &composed.html]);
    // `=_` is in no quoted-printable text, `_` in no base64, and no text holds its own hash.
    let boundary = format!("=_{content}");
    let images: usize = composed.images.iter().map(|image| image.data.len() * 80 / 76 + 300).sum();
    let texts = (composed.text.len() + composed.html.len()) * 9 / 8;
    let mut body = Pieces::with_capacity(texts + images + 500);
    body.push_str(&format!("--{boundary}\r\n"));
    push_text(&mut body, ("plain", &composed.text), composed, transfer);
    body.push_str(&format!("--{boundary}\r\n"));
    if composed.images.is_empty() {
        push_text(&mut body, ("html", &composed.html), composed, transfer);
    } else {
        // Neither boundary may be how the other begins.
        push_related(&mut body, &format!("=_r{content}"), composed, transfer);
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/alternative;\r\n boundary=\"{boundary}\""), body)
}

fn push_related(body: &mut Pieces, boundary: &str, composed: &Composed, transfer: Transfer) {
    body.push_str(&format!(
        "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\n"
    ));
    push_text(body, ("html", &composed.html), composed, transfer);
    for InlineImage { content_id, kind, data } in &composed.images {
        body.push_str(&format!(
            "--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: inline\r\nContent-ID: <{content_id}>\r\n"
        ));
        let mut rest = data.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(LINE));
            body.push_str("\r\n");
            body.push_str(line);
            rest = more;
        }
        body.push_str("\r\n");
    }
    body.push_str(&format!("--{boundary}--\r\n"));
}

fn push_text(
    body: &mut Pieces,
    (kind, text): (&str, &str),
    composed: &Composed,
    transfer: Transfer,
) {
    let (encoding, encoded) = encode(text, composed.hole.as_deref(), transfer);
    body.push_str(&format!(
        "Content-Type: text/{kind}; charset=utf-8\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ));
    body.append(&encoded);
    body.push_str("\r\n");
}

/// `text` as it travels, and the name of its encoding.
fn encode(text: &str, hole: Option<&str>, transfer: Transfer) -> (&'static str, Pieces) {
    if transfer == Transfer::EightBit && travels_unharmed(text) {
        let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
        return (encoding, as_it_is(text, hole));
    }
    let quoted = quoted::encode(text, hole);
    let token = hole.map_or(0, str::len);
    match in_base64(text, hole) {
        // What mostly Cyrillic, Hebrew or Japanese texts are shorter in.
        Some(base64) if base64.size(token) < quoted.size(token) => ("base64", base64),
        _ => ("quoted-printable", quoted),
    }
}

/// Whether no relay on the way has a reason to change a line: too long, blank at its end, or one that old mailboxes take
/// for the begin of a mail. A changed line would break the signature.
fn travels_unharmed(text: &str) -> bool {
    text.split('\n').all(|line| {
        line.len() <= MAX_LINE && !line.ends_with([' ', '\t', '\r']) && !line.starts_with("From ")
    })
}

fn as_it_is(text: &str, hole: Option<&str>) -> Pieces {
    let text = text.replace('\n', "\r\n");
    let mut out = Pieces::with_capacity(text.len());
    let Some(hole) = hole else {
        out.push_str(&text);
        return out;
    };
    for (number, piece) in text.split(hole).enumerate() {
        if number > 0 {
            out.push_hole(Hole::Plain);
        }
        out.push_str(piece);
    }
    out
}

/// Base64 with holes: three bytes make four characters, so a hole takes up to two bytes on either side with it. Each
/// stands on a line of its own, so that no line break falls into it. None: two holes are too close to each other.
fn in_base64(text: &str, hole: Option<&str>) -> Option<Pieces> {
    let text = text.replace('\n', "\r\n");
    let mut out = Pieces::with_capacity(text.len() * 3 / 2);
    let mut done = 0;
    for (at, hole) in hole.iter().flat_map(|hole| text.match_indices(hole)) {
        let before = at.checked_sub(done)? % 3;
        push_lines(&mut out, &text.as_bytes()[done..at - before]);
        let from = at + hole.len();
        let after = (3 - (before + hole.len()) % 3) % 3;
        done = text.len().min(from + after);
        begin_line(&mut out);
        out.push_hole(Hole::Base64 {
            before: text.as_bytes()[at - before..at].to_vec(),
            after: text.as_bytes()[from..done].to_vec(),
        });
    }
    push_lines(&mut out, &text.as_bytes()[done..]);
    Some(out)
}

fn push_lines(out: &mut Pieces, bytes: &[u8]) {
    for line in bytes.chunks(LINE_BYTES) {
        begin_line(out);
        out.push_str(&BASE64.encode(line));
    }
}

fn begin_line(out: &mut Pieces) {
    if out.size(1) > 0 {
        out.push_str("\r\n");
    }
}
