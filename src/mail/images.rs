//! Images that travel inside the mail (RFC 2387, RFC 2392), for newsletters that want it so.
//!
//! Pure: callers hand in the bytes. Nothing is ever fetched from the network.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use lol_html::{RewriteStrSettings, element, rewrite_str};
use serde::{Deserialize, Serialize};

use super::compose::Composed;

/// Bytes of one image at most; a larger one stays a link.
pub const MOST_IMAGE_BYTES: usize = 256 * 1024;
/// Bytes of all images of a mail at most; those that are too many stay links.
const MOST_BYTES: usize = 1024 * 1024;

/// An image inside a mail, frozen with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineImage {
    /// What the HTML calls it, without `cid:`. A hash of its bytes.
    pub content_id: String,
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub kind: String,
    /// The bytes in base64.
    pub data: String,
}

/// Puts images into `composed` instead of links to them: those that `load` has the bytes of, as long as they are small
/// enough and of a kind that every mail program shows.
pub fn inline_images(composed: &mut Composed, mut load: impl FnMut(&str) -> Option<Vec<u8>>) {
    let mut images: Vec<InlineImage> = Vec::new();
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut room = MOST_BYTES;
    let mut take = |url: &str| -> Option<String> {
        let bytes = load(url)?;
        let kind = kind(&bytes)?;
        if bytes.len() > MOST_IMAGE_BYTES.min(room) {
            return None;
        }
        let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &bytes).as_ref()[..18]);
        let content_id = format!("{hash}@postrider.invalid");
        if images.iter().all(|image| image.content_id != content_id) {
            room -= bytes.len();
            let data = BASE64.encode(&bytes);
            images.push(InlineImage {
                content_id: content_id.clone(),
                kind: kind.to_owned(),
                data,
            });
        }
        Some(content_id)
    };
    let handler = element!("img[src]", |image| {
        let url = image.get_attribute("src").unwrap_or_default().replace("&amp;", "&");
        let content_id = known.entry(url).or_insert_with_key(|url| take(url));
        if let Some(content_id) = content_id {
            image.set_attribute("src", &format!("cid:{content_id}"))?;
        }
        Ok(())
    });
    let settings =
        RewriteStrSettings::new().with_strict(false).append_element_content_handler(handler);
    // HTML that cannot be rewritten keeps its links, and those work.
    if let Ok(html) = rewrite_str(&composed.html, settings) {
        composed.html = html;
        composed.images = images;
    }
}

/// What the first bytes say it is. WebP, AVIF and SVG are not shown everywhere.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        _ => None,
    }
}
