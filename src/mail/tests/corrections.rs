//! The mail that tells of a corrected post.

use super::*;
use crate::domain::Correction;

#[test]
fn a_correction_says_what_was_wrong_before_it_shows_the_post() {
    let post = river();
    let correct = |note: Option<&str>| {
        let input = EditionInput {
            language: None,
            site: &site(),
            newsletter: &newsletter(),
            cadence: Cadence::Instant,
            posts: std::slice::from_ref(&post),
            public_url: &url("https://news.example.org/"),
            postal_address: "Field Notes, 1 River Lane, 10115 Berlin",
            page_url: Some("https://news.example.org/posts/-/0123456789abcdef/"),
            sealed_at: "2026-11-23T06:00:00Z".parse().unwrap(),
        };
        let correction = Correction { note: note.map(str::to_owned) };
        compose_correction(&TEMPLATES, &input, &correction).unwrap()
    };
    let told = correct(Some("Two <b>herons</b> & one foot"));
    assert_eq!(told.subject, format!("Correction: {}", post.post.title));
    assert!(told.html.contains("Two &lt;b&gt;herons&lt;/b&gt; &amp; one foot"), "{}", told.html);
    assert!(
        told.text.starts_with("This post was corrected after you got it.\n\nTwo <b>herons</b>")
    );
    for body in [&told.html, &told.text] {
        assert!(body.contains(told.hole.as_deref().unwrap()), "it can be unsubscribed from");
    }
    let silent = correct(None);
    let forged = correct(silent.hole.as_deref());
    assert_ne!(forged.hole, silent.hole, "no note can hold what stands for a token");
    assert!(
        silent.text.starts_with("This post was corrected after you got it.\n\n"),
        "{}",
        silent.text
    );
    assert!(!silent.html.contains("None") && !silent.html.contains("blockquote lang"));
}
