//! DKIM signatures (RFC 6376, RFC 8301, RFC 8463), made so that a recipient costs only what is the recipient's.
//!
//! `h=` lists the fields that all recipients share first, so one hash over them, and one over the body up to its first
//! hole, are kept half-way and continued for each recipient. Everything is signed in the relaxed form.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};

use super::pieces::Pieces;
use crate::config::DkimKey;
use crate::domain::{SigningAlgorithm, SigningKey};

mod canonical;
mod check;

pub(super) use check::check;
pub use check::{DkimFault, verify};

/// How long a signature holds: longer than any server keeps a mail waiting, and than the week that bulk senders are
/// asked for.
const VALID_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);
/// What each recipient has of its own, in the order in which it is signed.
const OWN: [&str; 4] = ["To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"];
/// Signed once more than they occur, so that nobody can add a second one that readers would see instead.
const ONCE_ONLY: [&str; 3] = ["From", "To", "Subject"];
/// What is signed of the fields that all recipients share, besides those that begin with `List-`. Relays are free to change the
/// others.
const SHARED: [&str; 7] =
    ["from", "reply-to", "subject", "date", "feedback-id", "mime-version", "content-type"];
/// Where a line of the signature's own field may end.
const FOLD: char = '\u{1}';
const WIDTH: usize = 72;

/// A message to be signed: what is one recipient's own of it. Values have no blanks around them and stand on one line.
pub(super) struct Unsigned<'a> {
    pub body: &'a HashedBody,
    /// What goes into the holes.
    pub token: &'a str,
    pub to: &'a str,
    pub message_id: &'a str,
    /// The value of `List-Unsubscribe`; not every mail has one.
    pub unsubscribe: Option<&'a Pieces>,
    pub signed_at: Timestamp,
}

/// A body whose hash is half done.
#[derive(Clone)]
pub(super) struct HashedBody {
    /// After everything before the first hole.
    begun: Context,
    canonical: Pieces,
}

impl HashedBody {
    pub(super) fn new(body: &Pieces) -> Self {
        let canonical = canonical::body(body);
        let mut begun = Context::new(&SHA256);
        begun.update(canonical.prefix().as_bytes());
        Self { begun, canonical }
    }

    fn finish(&self, token: &str) -> Digest {
        let mut hash = self.begun.clone();
        self.canonical.fill_rest(token, |bytes| hash.update(bytes));
        hash.finish()
    }
}

/// Everything about the signatures of a mail that its recipients share.
#[derive(Clone)]
pub(super) struct Seal {
    /// After the fields that all recipients share.
    fields: Context,
    /// The most specific domain first, of each the newest key first.
    signers: Vec<Signer>,
}

#[derive(Clone)]
struct Signer {
    algorithm: SigningAlgorithm,
    from: Option<Timestamp>,
    key: Arc<SigningKey>,
    /// The field up to `t=`, with `FOLD` where it is folded.
    beginning: String,
}

impl Seal {
    /// Prepares signatures over `fields`, the header of a mail from `sender` without the recipients' own fields. None: none
    /// of the keys may sign for that domain.
    pub(super) fn new(fields: &str, sender: &str, keys: &[DkimKey]) -> Option<Self> {
        let mut keys: Vec<_> = keys.iter().filter(|key| key.signs_for(sender)).collect();
        if keys.is_empty() {
            return None;
        }
        keys.sort_by_key(|key| {
            std::cmp::Reverse((key.domain.len(), key.from.unwrap_or(Timestamp::MIN)))
        });
        let mut hash = Context::new(&SHA256);
        let mut shared = Vec::new();
        for field in canonical::fields(fields) {
            let name = field.split(':').next().unwrap_or_default();
            if SHARED.contains(&name) || name.starts_with("list-") {
                hash.update(field.as_bytes());
                shared.push(name.to_owned());
            }
        }
        let names = signed_names(shared);
        let signers = keys.into_iter().map(|key| Signer::new(key, &names)).collect();
        Some(Self { fields: hash, signers })
    }

    /// The bytes that the signatures of one recipient take at most.
    pub(super) fn size(&self) -> usize {
        self.signers.iter().map(|signer| signer.beginning.len() + 900).take(4).sum()
    }

    /// Writes the signature of each algorithm that has a key in use by now.
    pub(super) fn sign(&self, message: &Unsigned<'_>, out: &mut Vec<u8>) {
        let current = |algorithm| {
            self.signers.iter().find(move |signer| {
                signer.algorithm == algorithm
                    && signer.from.is_none_or(|from| from <= message.signed_at)
            })
        };
        // Verifiers that stop at the first signature know RSA.
        let both = [SigningAlgorithm::RsaSha256, SigningAlgorithm::Ed25519Sha256];
        sign(both.into_iter().filter_map(current), &self.fields, message, out);
    }

    /// Writes the signature of every key, whether its time has come or not.
    pub(super) fn sign_with_all(&self, message: &Unsigned<'_>, out: &mut Vec<u8>) {
        sign(self.signers.iter(), &self.fields, message, out);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.signers.iter().map(|signer| &*signer.key)
    }
}

fn sign<'a>(
    signers: impl Iterator<Item = &'a Signer>,
    shared: &Context,
    message: &Unsigned<'_>,
    out: &mut Vec<u8>,
) {
    let mut signers = signers.peekable();
    if signers.peek().is_none() {
        return;
    }
    let body_hash = BASE64.encode(message.body.finish(message.token));
    let mut fields = shared.clone();
    message.hash_fields(&mut fields);
    for signer in signers {
        signer.sign(out, &fields, &body_hash, message.signed_at);
    }
}

impl Unsigned<'_> {
    fn hash_fields(&self, hash: &mut Context) {
        for bytes in ["to:", self.to, "\r\nmessage-id:", self.message_id, "\r\n"] {
            hash.update(bytes.as_bytes());
        }
        if let Some(value) = self.unsubscribe {
            hash.update(b"list-unsubscribe:");
            value.fill(self.token, |bytes| hash.update(bytes));
            hash.update(b"\r\nlist-unsubscribe-post:List-Unsubscribe=One-Click\r\n");
        }
    }
}

impl Signer {
    fn new(key: &DkimKey, names: &str) -> Self {
        let algorithm = key.key.algorithm();
        let beginning = format!(
            "v=1; a={}; c=relaxed/relaxed; d={};{FOLD}s={};{FOLD}h={names};{FOLD}t=",
            algorithm.as_str(),
            key.domain,
            key.selector,
        );
        Self { algorithm, from: key.from, key: Arc::clone(&key.key), beginning }
    }

    fn sign(&self, out: &mut Vec<u8>, fields: &Context, body_hash: &str, now: Timestamp) {
        let made = now.as_second();
        let until = now.saturating_add(VALID_FOR).map_or(made, Timestamp::as_second);
        let beginning = &self.beginning;
        let field = format!("{beginning}{made}; x={until};{FOLD}bh={body_hash};{FOLD}b=");
        let mut hash = fields.clone();
        // The signature signs its own field without its value, and without the line's end.
        hash.update(b"dkim-signature:");
        hash.update(field.replace(FOLD, " ").as_bytes());
        let signature = BASE64.encode(self.key.sign(&hash.finish()));
        out.extend_from_slice(b"DKIM-Signature: ");
        out.extend_from_slice(field.replace(FOLD, "\r\n\t").as_bytes());
        for (number, line) in signature.as_bytes().chunks(WIDTH).enumerate() {
            if number > 0 {
                out.extend_from_slice(b"\r\n\t");
            }
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The value of `h=`: the shared fields, each recipient's own, and those that there must be no more of.
fn signed_names(shared: Vec<String>) -> String {
    let own = OWN.iter().chain(&ONCE_ONLY).map(|name| name.to_lowercase());
    let mut names = String::new();
    let mut column = 2;
    for (number, name) in shared.into_iter().chain(own).enumerate() {
        if number > 0 {
            names.push(':');
            column += 1;
        }
        if column + name.len() > WIDTH {
            names.push(FOLD);
            column = 0;
        }
        names.push_str(&name);
        column += name.len();
    }
    names
}
