//! DKIM: is each key that signs here published so that receivers can check its signatures (RFC 6376, RFC 8301)?

use super::Sender;
use super::finding::{Finding, Maker, Record};
use super::key::{DkimKey, DkimPublicKey};
use super::notes::{Lookup, Notes};
use super::tags::Tags;

const DKIM: Maker = Maker("DKIM");
const REFUSED: &str = "Gmail, Yahoo and Microsoft refuse bulk mail without a valid signature";
/// Below that receivers must not accept a signature; below `GOOD_BITS` it is thought to be weak (RFC 8301).
const LEAST_BITS: usize = 1024;
const GOOD_BITS: usize = 2048;

/// Judges the keys that sign for `sender`. `signs`: there are keys in this installation at all.
pub(super) fn judge(sender: &Sender, signs: bool, notes: &mut Notes) -> Vec<Finding> {
    if sender.keys.is_empty() {
        return vec![unsigned(sender, signs)];
    }
    let mut findings: Vec<_> = sender.keys.iter().flat_map(|key| published(key, notes)).collect();
    if sender.keys.iter().all(|key| matches!(key.public_key, DkimPublicKey::Ed25519(_))) {
        let domain = &sender.domain;
        findings.push(
            DKIM.error("dkim-no-rsa", format!("only Ed25519 keys sign for `{domain}`"))
                .effect("Gmail, Yahoo and Microsoft do not check Ed25519: to them it is unsigned")
                .help("add an RSA key with a selector of its own; both may sign"),
        );
    }
    findings
}

fn unsigned(sender: &Sender, signs: bool) -> Finding {
    let domain = &sender.domain;
    if signs {
        return DKIM
            .error("dkim-no-key", format!("no DKIM key signs mail from `{domain}`"))
            .effect(REFUSED)
            .help(format!("add a `[[mail.dkim]]` with `domain = \"{domain}\"`"));
    }
    let check = "send a test mail to Gmail; “Show original” must say";
    DKIM.advice("dkim-elsewhere", "nothing is signed here, so the mail server has to sign")
        .help(format!("{check} “DKIM: PASS with domain {domain}”"))
}

fn published(key: &DkimKey, notes: &mut Notes) -> Vec<Finding> {
    let name = key.name();
    let record = Record::txt(&name, key.public_key.record());
    let texts = match notes.txt(&name) {
        Lookup::Found(texts) => texts,
        Lookup::Missing => {
            return vec![
                DKIM.error("dkim-missing", format!("there is no key at `{name}`"))
                    .effect(REFUSED)
                    .help("publish the record below")
                    .record(record),
            ];
        }
        Lookup::Unanswered(why) => {
            return vec![Finding::unknown(DKIM.0, "dkim-unanswered", &format!("`{name}`"), &why)];
        }
    };
    let record = record.replacing(&texts);
    let [text] = &texts[..] else {
        return vec![
            DKIM.error("dkim-several", format!("there are {} records at `{name}`", texts.len()))
                .effect("receivers may take the wrong one, and the signature fails")
                .help("leave the one below")
                .record(record),
        ];
    };
    let mut findings = match Tags::parse(text) {
        Err(piece) => vec![
            DKIM.error("dkim-syntax", format!("`{piece}` in the record at `{name}` is no tag"))
                .effect(REFUSED)
                .help("publish the record below")
                .record(record.clone()),
        ],
        Ok(tags) => fit(key, &tags, &record).into_iter().collect(),
    };
    findings.extend(length(key));
    if findings.is_empty() {
        let kind = match key.public_key.bits() {
            Some(bits) => format!("rsa, {bits} bits"),
            None => key.public_key.kind().to_owned(),
        };
        findings.push(DKIM.good("dkim", format!("`{name}` is our key ({kind})")));
    }
    findings
}

/// What keeps the published key from fitting ours; the worst first, one is enough.
fn fit(key: &DkimKey, tags: &Tags, record: &Record) -> Option<Finding> {
    let name = key.name();
    let error = |code, message: String| {
        let finding = DKIM.error(code, message).effect(REFUSED).help("publish the record below");
        Some(finding.record(record.clone()))
    };
    if let Some(version) = tags.get("v").filter(|version| *version != "DKIM1") {
        return error("dkim-version", format!("`{name}` says `v={version}` in place of `v=DKIM1`"));
    }
    let kind = key.public_key.kind();
    let said = tags.get("k").unwrap_or("rsa");
    if said != kind {
        return error("dkim-kind", format!("`{name}` says `k={said}`; the key is `{kind}`"));
    }
    let published: String = tags.get("p").unwrap_or_default().split_ascii_whitespace().collect();
    if published.is_empty() {
        return error("dkim-revoked", format!("the key at `{name}` is revoked: `p=` is empty"));
    }
    match key.public_key.is_published_as(&published) {
        Some(true) => {}
        Some(false) => {
            return error("dkim-other-key", format!("`{name}` is another key than ours"));
        }
        None => return error("dkim-broken", format!("`p=` at `{name}` is not base64")),
    }
    let allows = |tag: &str, any: &[&str]| {
        tags.get(tag).is_none_or(|list| list.split(':').any(|it| any.contains(&it.trim())))
    };
    if !allows("h", &["sha256"]) {
        return error("dkim-hash", format!("`h=` at `{name}` does not allow sha256"));
    }
    if !allows("s", &["*", "email"]) {
        return error("dkim-service", format!("`s=` at `{name}` does not allow mail"));
    }
    if tags.get("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y")) {
        return Some(
            DKIM.warning("dkim-testing", format!("`{name}` is in test mode (`t=y`)"))
                .effect("receivers may treat the mail as if it were not signed")
                .help("publish the record below, without `t=y`")
                .record(record.clone()),
        );
    }
    None
}

fn length(key: &DkimKey) -> Option<Finding> {
    let name = key.name();
    match key.public_key.bits() {
        Some(bits @ ..LEAST_BITS) => Some(
            DKIM.error("dkim-short", format!("the key of `{name}` has {bits} bits"))
                .effect("receivers must not accept less than 1024")
                .help("make a key of 2048 bits with a new selector"),
        ),
        Some(bits @ LEAST_BITS..GOOD_BITS) => Some(
            DKIM.warning("dkim-weak", format!("the key of `{name}` has {bits} bits"))
                .effect("it can be broken with effort; Gmail recommends 2048")
                .help("make a key of 2048 bits with a new selector"),
        ),
        Some(GOOD_BITS..) | None => None,
    }
}

#[cfg(test)]
mod tests;
