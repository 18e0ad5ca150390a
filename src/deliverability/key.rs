//! Public keys of DKIM: what is published, and whether two are the same.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::tags::Tags;

/// Takes what was pasted without its padding, as verifiers do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The public half of a key that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DkimPublicKey {
    /// DER of a `SubjectPublicKeyInfo`.
    Rsa(Vec<u8>),
    Ed25519([u8; 32]),
}

/// A key that signs mail of `domain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimKey {
    pub domain: String,
    pub selector: String,
    pub public_key: DkimPublicKey,
}

impl DkimKey {
    /// Where receivers look for it.
    pub(super) fn name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

impl DkimPublicKey {
    /// Reads the record that it should be published as, `v=DKIM1; k=rsa; p=…`.
    pub fn from_record(text: &str) -> Option<Self> {
        let tags = Tags::parse(text).ok()?;
        let key = LENIENT.decode(tags.get("p")?).ok().filter(|key| !key.is_empty())?;
        match tags.get("k").unwrap_or("rsa") {
            "rsa" => Some(Self::Rsa(key)),
            "ed25519" => key.try_into().ok().map(Self::Ed25519),
            _ => None,
        }
    }

    /// `k=`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa",
            Self::Ed25519(_) => "ed25519",
        }
    }

    /// The record that receivers want to find.
    pub(super) fn record(&self) -> String {
        let key = match self {
            Self::Rsa(der) => STANDARD.encode(der),
            Self::Ed25519(key) => STANDARD.encode(key),
        };
        format!("v=DKIM1; k={}; p={key}", self.kind())
    }

    /// Whether `published`, a `p=` without blanks, is this key. `None`: it is not even base64.
    pub(super) fn is_published_as(&self, published: &str) -> Option<bool> {
        let published = LENIENT.decode(published).ok()?;
        Some(match self {
            // RFC 6376 says `RSAPublicKey`; everybody publishes the info around it, as its example does.
            Self::Rsa(der) => bare(der) == bare(&published),
            Self::Ed25519(key) => published == key,
        })
    }

    /// The length of an RSA key.
    pub(super) fn bits(&self) -> Option<usize> {
        let Self::Rsa(der) = self else { return None };
        let (modulus, _) = element(bare(der).unwrap_or(der), 0x30)
            .and_then(|(inside, _)| element(inside, 0x02))?;
        let digits = &modulus[modulus.iter().take_while(|byte| **byte == 0).count()..];
        let leading = usize::try_from(digits.first()?.leading_zeros()).unwrap_or_default();
        Some(digits.len() * 8 - leading)
    }
}

/// The `RSAPublicKey` in a `SubjectPublicKeyInfo`, or what is one already. `None`: neither.
fn bare(der: &[u8]) -> Option<&[u8]> {
    let (inside, _) = element(der, 0x30)?;
    if element(inside, 0x02).is_some() {
        return Some(der);
    }
    let (_, rest) = element(inside, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    bits.strip_prefix(&[0])
}

/// The contents of the first DER element, which must have `tag`, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    if head[0] != tag {
        return None;
    }
    let (length, rest) = match head[1] {
        short @ ..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}
