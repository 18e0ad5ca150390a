//! Blueprints: a message as bytes with holes, and filling them for one recipient.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use lettre::address::{Address, AddressError, Envelope as SmtpEnvelope};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox as LettreMailbox, Message, MultiPart, SinglePart};

use super::compose::Composed;
use super::quoted;
use crate::config::Mailbox;
use crate::domain::{EmailAddress, Revision};

/// Characters in a header line at most (RFC 5322 section 2.1.1).
const MAX_LINE: usize = 998;
/// What stands in the place of a token where there is no subscriber: in tests and previews.
const SPECIMEN: &str = "specimen";

/// What all recipients' headers have in common.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub from: &'a Mailbox,
    pub reply_to: Option<&'a Mailbox>,
    /// None for mail to one person, such as a confirmation.
    pub list: Option<ListHeaders<'a>>,
    /// When the mail was made. Stays the same on every attempt, so that a mail sent twice is the same mail.
    pub date: Timestamp,
}

/// What makes a mail one of a mailing list.
#[derive(Clone, Copy, Debug)]
pub struct ListHeaders<'a> {
    /// Stable for life (RFC 2919): `weekly.example.org`.
    pub id: &'a str,
    /// What `unsubscribe_base` gives.
    pub unsubscribe_base: &'a str,
    /// Where the editions or the site can be read.
    pub archive: Option<&'a str>,
}

/// Whom a blueprint is filled for.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    pub to: &'a EmailAddress,
    /// Without angle brackets. The same on every attempt.
    pub message_id: &'a str,
    /// 43 letters, digits, `-` and `_`. None in tests and previews: the links lead nowhere then, and the headers for
    /// one-click unsubscribing are left out.
    pub unsubscribe_token: Option<&'a str>,
}

/// Why no message can be built.
#[derive(Debug, thiserror::Error)]
pub enum BlueprintError {
    #[error("mail cannot be sent in the name of this address")]
    Sender(#[source] AddressError),
    #[error("`{0}` is no List-Id: it takes letters, digits, `.`, `-` and `_`")]
    ListId(String),
    #[error("the header `{0}` would not be plain ASCII of at most {MAX_LINE} characters")]
    Header(&'static str),
    #[error("the message cannot be built")]
    Build(#[source] lettre::error::Error),
}

/// Everything that is the same for all recipients of a mail, encoded; what is missing is spliced in by `fill`.
#[derive(Clone)]
pub struct Blueprint {
    /// `List-Unsubscribe: <https://…/unsubscribe/`, up to the token.
    unsubscribe: Option<String>,
    /// The message after the recipient's own headers, cut at the holes: a token goes between each two.
    pieces: Vec<String>,
    size: usize,
}

impl Blueprint {
    /// Encodes `composed` as multipart/alternative: text first, HTML last, both in quoted-printable, so that every line
    /// is short and plain ASCII. The same input gives the same bytes.
    pub fn new(composed: &Composed, envelope: &Envelope<'_>) -> Result<Self, BlueprintError> {
        let hole = composed.hole.as_deref();
        let unsubscribe = envelope.list.map(|list| unsubscribe_header(&list)).transpose()?;
        let message = build(composed, envelope)?;
        let text = String::from_utf8(message.formatted())
            .expect("lettre writes headers as UTF-8 and our bodies are ASCII");
        let pieces: Vec<String> = match hole {
            Some(hole) => text.split(hole).map(str::to_owned).collect(),
            None => vec![text],
        };
        let tokens = pieces.len() * hole.map_or(0, str::len);
        let size = pieces.iter().map(String::len).sum::<usize>() + tokens;
        Ok(Self { unsubscribe, pieces, size })
    }

    /// The whole message for one recipient: CRLF line ends, ASCII unless the recipient's address is not (then the server
    /// must speak SMTPUTF8), not dot-stuffed. Copies bytes and does nothing else.
    pub fn fill(&self, recipient: &Recipient<'_>) -> Vec<u8> {
        let token = recipient.unsubscribe_token.unwrap_or(SPECIMEN);
        let own = recipient.to.as_str().len() + recipient.message_id.len() + 100;
        let list = self.unsubscribe.as_ref().map_or(0, |header| header.len() + 150);
        let mut out = Vec::with_capacity(self.size + own + list);
        out.extend_from_slice(b"To: ");
        out.extend_from_slice(recipient.to.as_str().as_bytes());
        out.extend_from_slice(b"\r\nMessage-ID: <");
        // Ids are ours; but whatever one holds, it must not begin another header.
        out.extend(recipient.message_id.bytes().filter(u8::is_ascii_graphic));
        out.extend_from_slice(b">\r\n");
        if let (Some(header), Some(token)) = (&self.unsubscribe, recipient.unsubscribe_token) {
            out.extend_from_slice(header.as_bytes());
            out.extend_from_slice(token.as_bytes());
            out.extend_from_slice(b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
        }
        for (number, piece) in self.pieces.iter().enumerate() {
            if number > 0 {
                out.extend_from_slice(token.as_bytes());
            }
            out.extend_from_slice(piece.as_bytes());
        }
        out
    }
}

fn build(composed: &Composed, envelope: &Envelope<'_>) -> Result<Message, BlueprintError> {
    let from = mailbox(envelope.from)?;
    // Never used for sending; lettre wants one because there is no `To` yet.
    let unused = SmtpEnvelope::new(Some(from.email.clone()), vec![from.email.clone()])
        .map_err(BlueprintError::Build)?;
    let date = envelope.date.max(Timestamp::UNIX_EPOCH); // lettre cannot tell earlier ones
    let mut builder = Message::builder().envelope(unused).from(from).date(date.into());
    builder = match encoded_subject(&composed.subject) {
        Some(header) => builder.raw_header(header),
        None => builder.subject(&composed.subject),
    };
    if let Some(reply_to) = envelope.reply_to {
        builder = builder.reply_to(mailbox(reply_to)?);
    }
    if let Some(list) = envelope.list {
        builder = builder.raw_header(raw("List-Id", format!("<{}>", list_id(list.id)?))?);
        if let Some(archive) = list.archive {
            builder = builder.raw_header(raw("List-Archive", format!("<{archive}>"))?);
        }
    }
    // These three keep holiday notes from answering; the last is for Exchange.
    let builder = builder
        .raw_header(raw("Precedence", "bulk".to_owned())?)
        .raw_header(raw("Auto-Submitted", "auto-generated".to_owned())?)
        .raw_header(raw("X-Auto-Response-Suppress", "All".to_owned())?);
    builder.multipart(alternative(composed)).map_err(BlueprintError::Build)
}

/// The subject as RFC 2047 words, where it holds something that reads like such a word itself: lettre would leave it, and
/// mail readers would decode it. `None`: lettre does it right.
fn encoded_subject(subject: &str) -> Option<HeaderValue> {
    if !subject.contains("=?") {
        return None;
    }
    let mut words = vec![String::new()];
    for c in subject.chars() {
        // 45 bytes are 60 letters of base64, and a word has at most 75.
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 45) {
            words.push(String::new());
        }
        words.last_mut().expect("there is always one").push(c);
    }
    let encode = |word: &String| format!("=?utf-8?b?{}?=", BASE64.encode(word));
    let encoded: Vec<_> = words.iter().map(encode).collect();
    let name = HeaderName::new_from_ascii_str("Subject");
    Some(HeaderValue::dangerous_new_pre_encoded(name, subject.to_owned(), encoded.join("\r\n ")))
}

fn alternative(composed: &Composed) -> MultiPart {
    let hole = composed.hole.as_deref();
    let part = |kind: ContentType, text: &str| {
        let encoded = quoted::encode(text, hole).into_bytes();
        let encoding = ContentTransferEncoding::QuotedPrintable;
        SinglePart::builder().header(kind).body(Body::dangerous_pre_encoded(encoded, encoding))
    };
    // `=_` cannot occur in quoted-printable text, so the boundary is in no part.
    let content = Revision::of([composed.subject.as_str(), &composed.text, &composed.html]);
    MultiPart::alternative()
        .boundary(format!("=_{content}"))
        .singlepart(part(ContentType::TEXT_PLAIN, &composed.text))
        .singlepart(part(ContentType::TEXT_HTML, &composed.html))
}

fn mailbox(mailbox: &Mailbox) -> Result<LettreMailbox, BlueprintError> {
    let address: Address = mailbox.address.as_str().parse().map_err(BlueprintError::Sender)?;
    Ok(LettreMailbox::new(mailbox.name.clone(), address))
}

fn unsubscribe_header(list: &ListHeaders<'_>) -> Result<String, BlueprintError> {
    let header = format!("List-Unsubscribe: <{}", list.unsubscribe_base);
    // Room for the token and `>`.
    if header.len() + 100 > MAX_LINE || !is_plain(list.unsubscribe_base) {
        return Err(BlueprintError::Header("List-Unsubscribe"));
    }
    Ok(header)
}

fn list_id(id: &str) -> Result<&str, BlueprintError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if id.is_empty() || id.len() > 255 || !id.chars().all(fits) {
        return Err(BlueprintError::ListId(id.to_owned()));
    }
    Ok(id)
}

/// A header that must reach the other side as it is: folded or encoded words would break a URL.
fn raw(name: &'static str, value: String) -> Result<HeaderValue, BlueprintError> {
    if name.len() + 2 + value.len() > MAX_LINE || !is_plain(&value) {
        return Err(BlueprintError::Header(name));
    }
    let name = HeaderName::new_from_ascii_str(name);
    Ok(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value))
}

/// Nothing that could end the header or begin another one.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}
