//! Identifiers. Integers where a table counts, strings where the outside world keeps the value for ever.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hex;

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

row_id! {
    /// Row of `subscribers`: one address.
    SubscriberId;
    /// Row of `subscriptions`: one subscriber's choice for one newsletter.
    SubscriptionId;
    /// Row of `editions`: the frozen content of one mailing.
    EditionId;
    /// Row of `announcements`: one post to be told to one destination.
    AnnouncementId;
    /// Row of `letters`: one mail to one person that is no edition (a confirmation, a test).
    LetterId;
    /// Row of `deliveries`, handed out in send order.
    DeliveryId;
    /// Row of the post cache: the text of a post.
    BodyId;
    /// Row of `batches`: a range of deliveries that is leased as a whole.
    BatchId;
}

/// A post's identity for life: RSS `guid`, Atom and JSON Feed `id`. An IRI (RFC 4287 section 4.2.6),
/// minted once as `urn:uuid:…` or taken from front matter, never changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PostId(Arc<str>);

/// In front of the ids that Ghost gave.
const GHOST: &str = "urn:x-ghost:";

impl PostId {
    /// The id of a post that came from Ghost: there it was 24 hexadecimal digits, which are no IRI.
    pub fn of_ghost(digits: &str) -> Option<Self> {
        let fits = digits.len() == 24
            && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        fits.then(|| Self(format!("{GHOST}{digits}").into()))
    }

    /// The id as it stands in RSS, which takes any text: a post from Ghost has the `guid` that its readers know.
    pub fn rss_guid(id: &str) -> &str {
        id.strip_prefix(GHOST).filter(|digits| Self::of_ghost(digits).is_some()).unwrap_or(id)
    }

    /// Takes an id that the author or the store already has.
    pub fn pinned(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Mints the id of a post first seen at `link`. The same link gives the same id, so that a lost
    /// database does not make every feed reader show every post again.
    pub fn mint(link: &url::Url) -> Self {
        let uuid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, link.as_str().as_bytes());
        Self((&*uuid.urn().encode_lower(&mut uuid::Uuid::encode_buffer())).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for the post in [`PostId::page`].
    pub fn number(&self) -> u64 {
        let revision = Revision::of([self.as_str()]);
        let first = revision.as_str().get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        first.expect("a revision is 32 hexadecimal digits")
    }

    /// Where the archive leads on to the post, wherever it lives by then: from the root, without the first `/`.
    pub fn page(&self) -> String {
        format!("posts/-/{:016x}/", self.number())
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash of everything of a post that readers can see: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// Hashes `parts` with their lengths, so that moving text from one part to the next changes the hash.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        // In one piece: each piece by itself costs more than copying it.
        let mut whole = Vec::new();
        for part in parts {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part.as_bytes());
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
        Self(hex(&digest.as_ref()[..16]))
    }

    /// Takes a revision read back from the store.
    pub fn stored(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
