//! Posts that try to break out of the document (statements 10, 11 and 13).

use proptest::prelude::*;

use super::*;

/// Any characters at all, and what could end an element, a section or a document.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        1 => proptest::sample::select(vec![
            "]]>", "]]", "<![CDATA[", "&lt;", "&#x3C;", "&amp;amp;", "<entry>", "</item>", "<!--", "-->",
            "<?xml", "\r\n", "\r", "\u{0}", "\u{B}", "\u{FFFF}", "\u{2028}", "\u{FEFF}", " ", "<", "\"",
        ])
        .prop_map(String::from),
    ];
    proptest::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_a_post_says_arrives_unchanged_but_for_what_xml_forbids(
        said in hostile(), summary in hostile(), html in hostile(), tag in hostile(),
    ) {
        let post = Post {
            title: said.clone(),
            summary: summary.clone(),
            tags: vec![tag.clone()],
            authors: vec![person(&said)],
            ..post("odd", "2026-09-01T00:00:00Z")
        };
        let fallback = post.link.to_string();
        let post = written(post, &html);
        for format in Format::ALL {
            let document = rendered(format, std::slice::from_ref(&post));
            let feed = read(&document);
            prop_assert_eq!(feed.entries.len(), 1);
            let entry = &feed.entries[0];
            prop_assert_eq!(title(entry), text::line(&said).unwrap_or(fallback.clone()));
            let tags: Vec<String> = text::line(&tag).into_iter().collect();
            prop_assert_eq!(terms(entry), tags);
            let wanted = text::line(&summary).map(|summary| match format {
                Format::Rss => text::as_html(&summary),
                Format::Atom | Format::Json => summary,
            });
            prop_assert_eq!(entry.summary.as_ref().map(|summary| summary.content.clone()), wanted);
            prop_assert!(ampersands_are_references(format, &document), "{}", text_of(&document));
            let wanted = match (text::clean(&html).trim(), format) {
                ("", Format::Rss | Format::Atom) => None,
                ("", Format::Json) => Some(text::line(&summary).unwrap_or_else(|| title(entry).to_owned())),
                (html, _) => Some(html.to_owned()),
            };
            prop_assert_eq!(body(entry).map(str::trim), wanted.as_deref());
        }
    }
}
