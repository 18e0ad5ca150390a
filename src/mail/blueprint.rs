//! Blueprints: a message as bytes with holes, and filling them for one recipient.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;

use super::body::{self, MAX_LINE, Transfer};
use super::compose::Composed;
use super::dkim::{self, DkimFault, HashedBody, Seal, Unsigned};
use super::header;
use super::pieces::{Hole, Pieces};
use crate::config::{DkimKey, MailEncoding, Mailbox};
use crate::domain::{EmailAddress, TOKEN_LENGTH};

/// What stands in the place of a token where there is no subscriber: in tests and previews. As long as a token.
const SPECIMEN: &str = "specimen-this-is-no-key-and-belongs-to-none";
/// Mail for machines to answer by; the last is for Exchange. These three keep holiday notes from answering.
const AUTOMATIC: &str =
    "Precedence: bulk\r\nAuto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n";

/// What all recipients' headers have in common, and how they are made.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub from: &'a Mailbox,
    pub reply_to: Option<&'a Mailbox>,
    /// None for mail to one person, such as a confirmation.
    pub list: Option<ListHeaders<'a>>,
    pub feedback: Option<FeedbackId<'a>>,
    /// When the mail was made. Stays the same on every attempt, so that a mail sent twice is the same mail.
    pub date: Timestamp,
    /// Of these sign those that may sign for `from`.
    pub dkim: &'a [DkimKey],
    /// `EightBit` makes a second form, for servers that take it.
    pub encoding: MailEncoding,
}

/// What makes a mail one of a mailing list.
#[derive(Clone, Copy, Debug)]
pub struct ListHeaders<'a> {
    /// Stable for life (RFC 2919): `weekly.example.org`.
    pub id: &'a str,
    /// The list's name for people.
    pub title: &'a str,
    /// What `unsubscribe_base` gives.
    pub unsubscribe_base: &'a str,
    /// A mailbox that takes unsubscribe requests.
    pub unsubscribe_mailto: Option<&'a EmailAddress>,
    /// The page where people subscribe.
    pub subscribe: Option<&'a str>,
    /// Where the editions or the site can be read.
    pub archive: Option<&'a str>,
    /// The mailbox of a person who looks after the list.
    pub owner: Option<&'a EmailAddress>,
}

/// By what Gmail counts complaints. The same for all recipients of a mail.
#[derive(Clone, Copy, Debug)]
pub struct FeedbackId<'a> {
    /// The edition.
    pub campaign: &'a str,
    pub newsletter: &'a str,
    /// What sort of mail it is.
    pub kind: &'a str,
    /// Who sends: the same for ever.
    pub sender: &'a str,
}

/// Whom a blueprint is filled for, and how.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    pub to: &'a EmailAddress,
    /// Without angle brackets. The same on every attempt.
    pub message_id: &'a str,
    /// 43 letters, digits, `-` and `_`. None in tests and previews: the links lead nowhere then, and the headers for
    /// one-click unsubscribing are left out.
    pub unsubscribe_token: Option<&'a str>,
    /// Now, if it is to be signed; None where the server does that, or where nobody checks.
    pub signed_at: Option<Timestamp>,
    /// Whether the server offers 8BITMIME. It is only made use of if the blueprint has that form.
    pub eight_bit: bool,
}

/// Why no message can be built.
#[derive(Debug, thiserror::Error)]
pub enum BlueprintError {
    #[error("mail cannot be sent in the name of an address outside ASCII: too few servers take it")]
    Sender,
    #[error("`{0}` is no List-Id: it takes letters, digits, `.`, `-` and `_`")]
    ListId(String),
    #[error("the header `{0}` would not be plain ASCII of at most {MAX_LINE} characters")]
    Header(&'static str),
    #[error("a trial of the finished mail has a DKIM signature that receivers would not believe")]
    Signature(#[source] DkimFault),
}

/// Everything that is the same for all recipients of a mail, encoded; what is missing is spliced in by `fill`.
#[derive(Clone)]
pub struct Blueprint {
    /// The value of `List-Unsubscribe`.
    unsubscribe: Option<Pieces>,
    seal: Option<Seal>,
    seven_bit: Form,
    eight_bit: Option<Form>,
}

/// The message after the recipient's own fields, for servers that take it so.
#[derive(Clone)]
struct Form {
    /// The fields that all recipients share, an empty line, the body.
    rest: Pieces,
    /// What is signed of it, where something signs.
    hashed: Option<HashedBody>,
}

impl Blueprint {
    /// Encodes `composed` as multipart/alternative: text first, HTML last, in plain ASCII and short lines, or as it is
    /// for servers that take that. The same input gives the same bytes.
    ///
    /// Where mail is signed, a trial mail is filled and verified, so that an edition is held rather than sent broken.
    pub fn new(composed: &Composed, envelope: &Envelope<'_>) -> Result<Self, BlueprintError> {
        let unsubscribe = envelope.list.map(|list| unsubscribe(&list)).transpose()?;
        let (content_type, body) = body::alternative(composed, Transfer::SevenBit);
        let fields = fields(composed, envelope, &content_type)?;
        let seal = Seal::new(&fields, envelope.from.address.domain(), envelope.dkim);
        let form = |body: &Pieces| Form::new(&fields, body, seal.is_some());
        let eight_bit = (envelope.encoding == MailEncoding::EightBit)
            .then(|| form(&body::alternative(composed, Transfer::EightBit).1));
        let blueprint = Self { unsubscribe, seven_bit: form(&body), eight_bit, seal };
        blueprint.check(envelope)?;
        Ok(blueprint)
    }

    /// The whole message for one recipient: CRLF line ends, not dot-stuffed. ASCII but for the recipient's address (then the
    /// server must speak SMTPUTF8) and the form for servers that take 8BITMIME.
    pub fn fill(&self, recipient: &Recipient<'_>) -> Vec<u8> {
        let form = self.eight_bit.as_ref().filter(|_| recipient.eight_bit);
        self.write(form.unwrap_or(&self.seven_bit), recipient, Seal::sign)
    }

    fn write(&self, form: &Form, recipient: &Recipient<'_>, sign: Sign) -> Vec<u8> {
        let token = recipient.unsubscribe_token.unwrap_or(SPECIMEN);
        let to = to(recipient.to);
        // Ids are ours; but whatever one holds, it must not begin another header.
        let message_id = recipient.message_id.chars().filter(char::is_ascii_graphic);
        let message_id = format!("<{}>", message_id.collect::<String>());
        let unsubscribe =
            self.unsubscribe.as_ref().filter(|_| recipient.unsubscribe_token.is_some());
        let mut out = Vec::with_capacity(self.size(form, token) + to.len() + message_id.len());
        if let (Some(seal), Some(signed_at), Some(body)) =
            (&self.seal, recipient.signed_at, &form.hashed)
        {
            let (to, message_id) = (&to, &message_id);
            sign(seal, &Unsigned { body, token, to, message_id, unsubscribe, signed_at }, &mut out);
        }
        for text in ["To: ", &to, "\r\nMessage-ID: ", &message_id, "\r\n"] {
            out.extend_from_slice(text.as_bytes());
        }
        if let Some(value) = unsubscribe {
            out.extend_from_slice(b"List-Unsubscribe: ");
            value.fill(token, |bytes| out.extend_from_slice(bytes));
            out.extend_from_slice(b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
        }
        form.rest.fill(token, |bytes| out.extend_from_slice(bytes));
        out
    }

    /// Bytes of a message without what is certainly the recipient's.
    fn size(&self, form: &Form, token: &str) -> usize {
        let unsubscribe = self.unsubscribe.as_ref().map_or(0, |value| value.size(token.len()) + 80);
        let signatures = self.seal.as_ref().map_or(0, Seal::size);
        form.rest.size(token.len()) + unsubscribe + signatures + 40
    }

    /// Verifies what a receiver would, with every key that may ever sign this mail, in every form it may be sent in.
    fn check(&self, envelope: &Envelope<'_>) -> Result<(), BlueprintError> {
        let Some(seal) = &self.seal else { return Ok(()) };
        let trial = Recipient {
            to: &envelope.from.address,
            message_id: "trial@postrider.invalid",
            unsubscribe_token: Some(SPECIMEN),
            signed_at: Some(envelope.date),
            eight_bit: false,
        };
        for form in std::iter::once(&self.seven_bit).chain(&self.eight_bit) {
            let message = self.write(form, &trial, Seal::sign_with_all);
            dkim::check(&message, seal).map_err(BlueprintError::Signature)?;
        }
        Ok(())
    }
}

/// `Seal::sign` or `Seal::sign_with_all`.
type Sign = fn(&Seal, &Unsigned<'_>, &mut Vec<u8>);

impl Form {
    fn new(fields: &str, body: &Pieces, is_signed: bool) -> Self {
        let mut rest = Pieces::with_capacity(fields.len() + 2 + body.size(TOKEN_LENGTH));
        rest.push_str(fields);
        rest.push_str("\r\n");
        rest.append(body);
        Self { rest, hashed: is_signed.then(|| HashedBody::new(body)) }
    }
}

/// The header without what is the recipient's, with its last line's end.
fn fields(
    composed: &Composed,
    envelope: &Envelope<'_>,
    content_type: &str,
) -> Result<String, BlueprintError> {
    let mailboxes = envelope.reply_to.iter().copied().chain([envelope.from]);
    if mailboxes.into_iter().any(|mailbox| !mailbox.address.as_str().is_ascii()) {
        return Err(BlueprintError::Sender);
    }
    let mut fields = header::mailbox("From", envelope.from);
    if let Some(reply_to) = envelope.reply_to {
        fields += &header::mailbox("Reply-To", reply_to);
    }
    fields += &header::text("Subject", &composed.subject);
    for text in ["Date: ", &date(envelope.date), "\r\n"] {
        fields += text;
    }
    if let Some(list) = envelope.list {
        fields += &header::list_id(list.title, list_id(list.id)?);
        for (name, url) in [("List-Archive", list.archive), ("List-Subscribe", list.subscribe)] {
            if let Some(url) = url {
                fields += &raw(name, &format!("<{url}>"))?;
            }
        }
        if let Some(owner) = list.owner {
            fields += &raw("List-Owner", &format!("<mailto:{}>", in_mailto(owner)))?;
        }
        // Nobody can write to all readers (RFC 2369 section 3.4).
        fields += "List-Post: NO\r\n";
    }
    if let Some(FeedbackId { campaign, newsletter, kind, sender }) = envelope.feedback {
        fields += &raw("Feedback-ID", &format!("{campaign}:{newsletter}:{kind}:{sender}"))?;
    }
    fields += AUTOMATIC;
    for text in ["MIME-Version: 1.0\r\nContent-Type: ", content_type, "\r\n"] {
        fields += text;
    }
    Ok(fields)
}

/// The recipient as a reader sees it: an address that needs SMTPUTF8 anyway keeps its domain's own letters.
fn to(address: &EmailAddress) -> String {
    if address.local_part().is_ascii() {
        return address.as_str().to_owned();
    }
    let (domain, outcome) = idna::domain_to_unicode(address.domain());
    let domain = if outcome.is_ok() { &domain } else { address.domain() };
    format!("{}@{domain}", address.local_part())
}

fn date(date: Timestamp) -> String {
    let date = date.max(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
    DateTimePrinter::new().zoned_to_string(&date).expect("RFC 5322 writes every year from 1900 on")
}

/// `<https://…/TOKEN>`, and where there is such a mailbox `<mailto:…?subject=TOKEN>`. On one line: some readers of RFC 8058
/// don't unfold.
fn unsubscribe(list: &ListHeaders<'_>) -> Result<Pieces, BlueprintError> {
    let mut value = Pieces::default();
    value.push_str(&format!("<{}", list.unsubscribe_base));
    value.push_hole(Hole::Plain);
    if let Some(mailbox) = list.unsubscribe_mailto {
        value.push_str(&format!(">, <mailto:{}?subject=", in_mailto(mailbox)));
        value.push_hole(Hole::Plain);
    }
    value.push_str(">");
    let length = "List-Unsubscribe: ".len() + value.size(TOKEN_LENGTH);
    if length > MAX_LINE || !is_plain(list.unsubscribe_base) {
        return Err(BlueprintError::Header("List-Unsubscribe"));
    }
    Ok(value)
}

/// An address as a `mailto:` URI has it (RFC 6068 section 2).
fn in_mailto(address: &EmailAddress) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@".contains(&b);
    let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    address.as_str().bytes().map(encode).collect()
}

fn list_id(id: &str) -> Result<&str, BlueprintError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if id.is_empty() || id.len() > 255 || !id.chars().all(fits) {
        return Err(BlueprintError::ListId(id.to_owned()));
    }
    Ok(id)
}

/// A field that must reach the other side as it is: folded or encoded words would break a URL.
fn raw(name: &'static str, value: &str) -> Result<String, BlueprintError> {
    if name.len() + 2 + value.len() > MAX_LINE || !is_plain(value) {
        return Err(BlueprintError::Header(name));
    }
    Ok(format!("{name}: {value}\r\n"))
}

/// Nothing that could end the field or begin another one.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic())
}
