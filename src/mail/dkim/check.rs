//! Verifying signatures, independently of how they are made: from the finished bytes, as a receiver does it.
//!
//! Shares nothing with the signer but the keys. What a receiver would look up in the DNS, callers hand in.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail_parser::{Message, MessageParser};

use super::Seal;
use crate::domain::VerifyingKey;

/// What is wrong with a signed mail.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DkimFault {
    #[error("it is no mail")]
    NoMail,
    #[error("it has {found} signatures instead of {expected}")]
    Signatures { found: usize, expected: usize },
    #[error("a signature has no usable `{0}=`")]
    Tag(&'static str),
    #[error("the field `{0}` is not signed")]
    Unsigned(&'static str),
    #[error("the hash of the body is another")]
    Body,
    #[error("the signature fits none of the keys")]
    Header,
}

/// Checks that `message` has a good signature of each of the seal's keys.
pub(in crate::mail) fn check(message: &[u8], seal: &Seal) -> Result<(), DkimFault> {
    let keys: Vec<_> = seal.keys().map(crate::domain::SigningKey::public_key).collect();
    let found = verify(message, &keys)?;
    if found == keys.len() {
        Ok(())
    } else {
        Err(DkimFault::Signatures { found, expected: keys.len() })
    }
}

/// Verifies every signature of `message`, each with one of `keys`, and that it covers what it must. Returns how many there are.
pub fn verify(message: &[u8], keys: &[VerifyingKey]) -> Result<usize, DkimFault> {
    let parsed = MessageParser::default().parse(message).ok_or(DkimFault::NoMail)?;
    let body = parsed.root_part().raw_body_offset();
    let body_hash = BASE64.encode(digest(&SHA256, &relaxed_body(&message[body as usize..])));
    let fields = fields(&parsed, message);
    let signatures: Vec<_> =
        fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("DKIM-Signature")).collect();
    for (_, value) in &signatures {
        verify_one(value, &fields, &body_hash, keys)?;
    }
    Ok(signatures.len())
}

fn verify_one(
    value: &[u8],
    fields: &[(String, &[u8])],
    body_hash: &str,
    keys: &[VerifyingKey],
) -> Result<(), DkimFault> {
    let value = std::str::from_utf8(value).map_err(|_| DkimFault::Tag("v"))?;
    if tag(value, "v")? != "1" || tag(value, "c")? != "relaxed/relaxed" {
        return Err(DkimFault::Tag("c"));
    }
    if tag(value, "bh")? != body_hash {
        return Err(DkimFault::Body);
    }
    let names = tag(value, "h")?;
    let names: Vec<_> = names.split(':').collect();
    let count = |wanted: &str, names: &mut dyn Iterator<Item = &str>| {
        names.filter(|name| name.eq_ignore_ascii_case(wanted)).count()
    };
    for name in ["From", "To", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post"] {
        let there = count(name, &mut fields.iter().map(|(name, _)| name.as_str()));
        if count(name, &mut names.iter().copied()) < there.max(1) {
            return Err(DkimFault::Unsigned(name));
        }
    }
    let signed = signed_bytes(&names, fields, value);
    let signature = BASE64.decode(tag(value, "b")?).map_err(|_| DkimFault::Tag("b"))?;
    let algorithm = tag(value, "a")?;
    let fits = |key: &&VerifyingKey| key.algorithm().as_str() == algorithm;
    if keys.iter().filter(fits).any(|key| key.verifies(&signed, &signature)) {
        return Ok(());
    }
    Err(DkimFault::Header)
}

/// The fields that `names` lists, the last one of a name first, and the signature's own without its signature.
fn signed_bytes(names: &[&str], fields: &[(String, &[u8])], own: &str) -> Vec<u8> {
    let mut signed = Vec::new();
    let mut taken = vec![false; fields.len()];
    for name in names {
        let last = (0..fields.len())
            .rev()
            .find(|&at| !taken[at] && fields[at].0.eq_ignore_ascii_case(name));
        if let Some(at) = last {
            taken[at] = true;
            signed.extend(relaxed_field(&fields[at].0, fields[at].1));
            signed.extend(b"\r\n");
        }
    }
    let end = own.rfind("b=").map_or(own.len(), |at| at + 2);
    signed.extend(relaxed_field("dkim-signature", &own.as_bytes()[..end]));
    signed
}

/// The value of one tag, without blanks.
fn tag(value: &str, wanted: &'static str) -> Result<String, DkimFault> {
    let mut tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let (_, found) = tags.find(|(name, _)| name.trim() == wanted).ok_or(DkimFault::Tag(wanted))?;
    Ok(found.split_whitespace().collect())
}

fn fields<'a>(parsed: &Message<'_>, message: &'a [u8]) -> Vec<(String, &'a [u8])> {
    let of = |header: &mail_parser::Header<'_>| {
        let [field, start, end] = [header.offset_field, header.offset_start, header.offset_end]
            .map(|offset| offset as usize);
        let name = String::from_utf8_lossy(&message[field..start]);
        (name.trim_end_matches(':').trim().to_owned(), &message[start..end])
    };
    parsed.root_part().headers().iter().map(of).collect()
}

fn relaxed_field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut relaxed = name.to_lowercase().into_bytes();
    relaxed.push(b':');
    let words = value.split(|b| b" \t\r\n".contains(b)).filter(|word| !word.is_empty());
    relaxed.extend(words.collect::<Vec<_>>().join(&b' '));
    relaxed
}

fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in body.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut relaxed = Vec::with_capacity(line.len());
        for &byte in line {
            let blank = byte == b' ' || byte == b'\t';
            if !(blank && relaxed.last() == Some(&b' ')) {
                relaxed.push(if blank { b' ' } else { byte });
            }
        }
        if relaxed.last() == Some(&b' ') {
            relaxed.pop();
        }
        lines.push(relaxed);
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect()
}
