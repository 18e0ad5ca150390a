//! Private keys that sign mail, and the public halves that go into the DNS.
//!
//! Pure: callers read the file. What a signature covers is for `mail`.

use std::fmt;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// How a mail is signed, in the words of DKIM (RFC 6376, RFC 8463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SigningAlgorithm {
    RsaSha256,
    Ed25519Sha256,
}

impl SigningAlgorithm {
    /// The value of `a=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        }
    }
}

/// Why a text is no key to sign with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SigningKeyError {
    #[error("it holds no private key in PEM (`-----BEGIN PRIVATE KEY-----`)")]
    NoPrivateKey,
    #[error(
        "its key cannot sign mail: RSA needs 2048 to 8192 bits (RFC 8301; shorter keys are not trusted), \
         and beside RSA there is Ed25519"
    )]
    Unusable,
}

/// A key that signs. `Debug` hides it.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(rsa::KeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads PKCS#8 (RSA and Ed25519) or PKCS#1 (RSA).
    pub fn from_pem(pem: &str) -> Result<Self, SigningKeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| SigningKeyError::NoPrivateKey)?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => {
                rsa::KeyPair::from_der(der.secret_pkcs1_der()).map(Pair::Rsa)
            }
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                Ed25519KeyPair::from_pkcs8(der)
                    .map(Pair::Ed25519)
                    .or_else(|_| rsa::KeyPair::from_pkcs8(der).map(Pair::Rsa))
            }
            _ => return Err(SigningKeyError::Unusable),
        };
        pair.map(Self).map_err(|_| SigningKeyError::Unusable)
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Pair::Rsa(_) => SigningAlgorithm::RsaSha256,
            Pair::Ed25519(_) => SigningAlgorithm::Ed25519Sha256,
        }
    }

    /// The signature over what has the SHA-256 `digest`. RFC 8463 signs the digest with Ed25519, not the text.
    pub fn sign(&self, digest: &Digest) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&signature::RSA_PKCS1_SHA256, digest, &mut signature)
                    .expect("a key that was checked signs every SHA-256");
                signature
            }
            Pair::Ed25519(pair) => pair.sign(digest.as_ref()).as_ref().to_vec(),
        }
    }

    pub fn public_key(&self) -> VerifyingKey {
        match &self.0 {
            Pair::Rsa(pair) => {
                let der: PublicKeyX509Der<'_> =
                    pair.public_key().as_der().expect("a public key has a DER form");
                VerifyingKey {
                    algorithm: SigningAlgorithm::RsaSha256,
                    bytes: der.as_ref().to_vec(),
                }
            }
            Pair::Ed25519(pair) => VerifyingKey {
                algorithm: SigningAlgorithm::Ed25519Sha256,
                bytes: pair.public_key().as_ref().to_vec(),
            },
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, …)", self.algorithm().as_str())
    }
}

/// The half of a key that everybody may see: `SubjectPublicKeyInfo` of RSA, the bare 32 bytes of Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    algorithm: SigningAlgorithm,
    bytes: Vec<u8>,
}

impl VerifyingKey {
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The TXT record at `SELECTOR._domainkey.DOMAIN`.
    pub fn dns_record(&self) -> String {
        let kind = match self.algorithm {
            SigningAlgorithm::RsaSha256 => "rsa",
            SigningAlgorithm::Ed25519Sha256 => "ed25519",
        };
        format!("v=DKIM1; k={kind}; p={}", BASE64.encode(&self.bytes))
    }

    /// Whether `signature` was made over exactly `text`. Hashes the text itself, unlike `SigningKey::sign`.
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        let verified = match self.algorithm {
            SigningAlgorithm::RsaSha256 => {
                UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &self.bytes)
                    .verify(text, signature)
            }
            SigningAlgorithm::Ed25519Sha256 => {
                let hashed = digest::digest(&digest::SHA256, text);
                UnparsedPublicKey::new(&signature::ED25519, &self.bytes)
                    .verify(hashed.as_ref(), signature)
            }
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = include_str!("../../tests/fixtures/dkim/rsa.pem");
    const RSA_PKCS1: &str = include_str!("../../tests/fixtures/dkim/rsa-pkcs1.pem");
    const RSA_SHORT: &str = include_str!("../../tests/fixtures/dkim/rsa-1024.pem");
    const ED25519: &str = include_str!("../../tests/fixtures/dkim/ed25519.pem");

    #[test]
    fn each_kind_of_key_signs_and_its_public_half_verifies() {
        let text = b"what is signed";
        let hashed = digest::digest(&digest::SHA256, text);
        for (pem, algorithm) in [
            (RSA, SigningAlgorithm::RsaSha256),
            (RSA_PKCS1, SigningAlgorithm::RsaSha256),
            (ED25519, SigningAlgorithm::Ed25519Sha256),
        ] {
            let key = SigningKey::from_pem(pem).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let mut signature = key.sign(&hashed);
            assert!(key.public_key().verifies(text, &signature));
            assert!(!key.public_key().verifies(b"something else", &signature));
            signature[0] ^= 1;
            assert!(!key.public_key().verifies(text, &signature));
        }
    }

    #[test]
    fn the_two_forms_of_one_rsa_key_are_one_key() {
        let public = |pem| SigningKey::from_pem(pem).unwrap().public_key();
        assert_eq!(public(RSA), public(RSA_PKCS1));
    }

    #[test]
    fn the_key_of_rfc_8463_has_the_record_of_rfc_8463() {
        // Appendix A.2, wrapped in PKCS#8.
        let der = [
            &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..],
            &BASE64.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap(),
        ]
        .concat();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64.encode(der)
        );
        assert_eq!(
            SigningKey::from_pem(&pem).unwrap().public_key().dns_record(),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }

    #[test]
    fn what_cannot_sign_is_refused_and_says_why() {
        let refused = |pem: &str| SigningKey::from_pem(pem).unwrap_err();
        assert_eq!(refused(""), SigningKeyError::NoPrivateKey);
        assert_eq!(refused("hunter2"), SigningKeyError::NoPrivateKey);
        assert_eq!(refused(RSA_SHORT), SigningKeyError::Unusable);
        let broken = RSA.replacen("MII", "MIJ", 1);
        assert_eq!(refused(&broken), SigningKeyError::Unusable);
    }

    #[test]
    fn debug_output_shows_no_key() {
        let key = SigningKey::from_pem(ED25519).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(ed25519-sha256, …)");
    }
}
