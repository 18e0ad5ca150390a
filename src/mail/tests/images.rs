//! Images that travel inside the mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;

/// The begin of such a file; nobody looks at the rest.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and more of it, more than a line of base64 is long";

fn with_images(html: &str, load: impl Fn(&str) -> Option<Vec<u8>>) -> Composed {
    let one = written(Post { image: None, ..river_post() }, html, RIVER_TEXT);
    let mut composed = compose(Cadence::Instant, vec![one]);
    inline_images(&mut composed, load);
    composed
}

#[test]
fn an_image_is_a_part_beside_the_html_that_shows_it() {
    let html = "<p><img src=\"https://example.org/posts/river/a.png?a=1&amp;b=2\" alt=\"a\"> \
                <img src=\"https://example.org/posts/river/a.png?a=1&amp;b=2\" alt=\"again\"> \
                <img src=\"https://example.org/far.png\" alt=\"far\"></p>";
    let composed = with_images(html, |url| {
        (url == "https://example.org/posts/river/a.png?a=1&b=2").then(|| PNG.to_vec())
    });
    assert_eq!(composed.images.len(), 1);
    let eml = fill(&composed);
    assert_is_clean_smtp(&eml);
    assert_eq!(bodies(&eml), with_token(&composed));
    let message = parse(&eml);
    let kinds: Vec<_> =
        message.parts.iter().map(|part| part.content_type().unwrap().subtype().unwrap()).collect();
    assert_eq!(kinds, ["alternative", "plain", "related", "html", "png"]);
    let image = &message.parts[4];
    assert_eq!(image.contents(), PNG);
    let content_id = image.content_id().unwrap();
    let (_, html) = bodies(&eml);
    assert_eq!(html.matches(&format!("src=\"cid:{content_id}\"")).count(), 2, "{html}");
    assert!(html.contains("src=\"https://example.org/far.png\""));
    let thawed: Composed =
        serde_json::from_str(&serde_json::to_string(&composed).unwrap()).unwrap();
    assert_eq!(fill(&thawed), eml);
}

#[test]
fn what_is_too_large_or_not_shown_everywhere_stays_a_link() {
    let url = "https://example.org/posts/river/a";
    let html = format!("<img src=\"{url}\" alt=\"\">");
    let large = [PNG, &vec![0; MOST_IMAGE_BYTES]].concat();
    for bytes in [large, b"RIFF....WEBP".to_vec(), b"<svg/>".to_vec(), Vec::new()] {
        let composed = with_images(&html, |_| Some(bytes.clone()));
        assert_eq!(composed.images.len(), 0);
        assert!(composed.html.contains(url));
    }
    let many: Vec<_> = (0..9).map(|n| format!("<img src=\"{url}{n}\" alt=\"\">")).collect();
    let composed = with_images(&many.concat(), |url| {
        let mut image = PNG.to_vec();
        image.extend(url.bytes().cycle().take(200 * 1024));
        Some(image)
    });
    assert_eq!(composed.images.len(), 5, "a mail of 1 MB at most");
    assert_eq!(composed.html.matches("cid:").count(), 5);
    let bytes: usize =
        composed.images.iter().map(|image| BASE64.decode(&image.data).unwrap().len()).sum();
    assert!(bytes <= 1024 * 1024);
}
