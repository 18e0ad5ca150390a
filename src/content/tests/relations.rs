//! What ties posts to others, and what goes with them: each key of each engine.

use url::Url;

use super::{post_at, post_with};
use crate::domain::PostId;

#[test]
fn every_key_for_addresses_of_old_is_understood_and_obsidians_other_names_are_not() {
    let cases = [
        (
            "aliases: [/old/, posts/older.html]",
            "https://example.org/old/ https://example.org/posts/older.html",
        ),
        ("aliases: /old/", "https://example.org/old/"),
        ("redirect_from: [/old/]", "https://example.org/old/"),
        ("redirect_from: /old/", "https://example.org/old/"),
        ("redirects: [/old/]", "https://example.org/old/"),
        ("alias: /old/", "https://example.org/old/"),
        ("aliases: ['https://old.example/x']", "https://old.example/x"),
        ("aliases: [Sourdough, Bread and butter, A / B]", ""),
        (
            "aliases: [/old/, /old/]\nredirect_from: /older/",
            "https://example.org/old/ https://example.org/older/",
        ),
        ("aliases: [/posts/hello/]", ""),
        ("aliases:", ""),
    ];
    for (lines, expected) in cases {
        let aliases: Vec<String> = post_with(lines).aliases.iter().map(Url::to_string).collect();
        assert_eq!(aliases.join(" "), expected, "{lines}");
    }
}

#[test]
fn every_key_for_a_series_is_understood() {
    let cases = [
        ("series: Moss", "Moss None"),
        ("series: [Moss]", "Moss None"),
        ("taxonomies: {series: [Moss]}", "Moss None"),
        ("series: {name: Moss, part: 2}", "Moss Some(2)"),
        ("series: {title: Moss, order: 3}", "Moss Some(3)"),
        ("series: Moss\nseries_order: 4", "Moss Some(4)"),
        ("series: [Moss]\npart: 5", "Moss Some(5)"),
        ("series: Moss\nseries_part: two", "Moss None"),
        ("extra: {series: Moss}", "Moss None"),
    ];
    for (lines, expected) in cases {
        let series = post_with(lines).series.unwrap();
        assert_eq!(format!("{} {:?}", series.name, series.part), expected, "{lines}");
    }
    assert_eq!(post_with("part: 2").series, None);
}

#[test]
fn every_key_for_translations_featured_and_external_links_is_understood() {
    for key in ["translationKey", "translation_key", "ref", "lang-ref"] {
        assert_eq!(
            post_with(&format!("{key}: tea")).translation_key.as_deref(),
            Some("tea"),
            "{key}"
        );
    }
    for line in
        ["featured: true", "pinned: yes", "sticky: true", "sticky: 100", "extra: {featured: true}"]
    {
        assert!(post_with(line).featured, "{line}");
    }
    for line in ["featured: false", "weight: 10", "sticky: 0", ""] {
        assert!(!post_with(line).featured, "{line}");
    }
    for key in ["link", "external_url", "link_url", "source", "external"] {
        let external = post_with(&format!("{key}: https://a.example/b")).external;
        assert_eq!(external.unwrap().as_str(), "https://a.example/b", "{key}");
    }
    assert_eq!(post_with("source: A book\nlink: /here").external, None);
}

#[test]
fn the_order_of_posts_by_weight_changes_nothing() {
    let (weighed, plain) = (post_with("weight: 3"), post_with(""));
    assert_eq!(weighed.revision, plain.revision);
    assert_eq!(
        weighed.into_post(PostId::pinned("urn:x")),
        plain.into_post(PostId::pinned("urn:x"))
    );
}

#[test]
fn every_shape_of_an_image_and_its_alt_text_is_understood() {
    let cases = [
        ("image: a.png\nimage_alt: Alt", "a.png Alt"),
        ("cover: a.png\ncoverAlt: Alt", "a.png Alt"),
        ("feature_image: a.png\nfeature_image_alt: Alt", "a.png Alt"),
        ("heroImage: a.png\nheroImageAlt: Alt", "a.png Alt"),
        ("cover: {image: a.png, alt: Alt}", "a.png Alt"),
        ("image: {path: a.png, alt: Alt}", "a.png Alt"),
        ("coverImage: {src: a.png}", "a.png "),
        ("ogImage: {url: a.png}", "a.png "),
        ("hero: a.png", "a.png "),
        ("images: [a.png, b.png]", "a.png "),
        ("images: [{src: a.png, alt: Alt}]", "a.png Alt"),
        ("resources: [{src: x.pdf}, {src: a.png, name: cover}]", "a.png "),
        ("params: {cover: {image: a.png, alt: 'An *Alt*'}}", "a.png An Alt"),
        ("image_alt: Alt", " "),
    ];
    for (lines, expected) in cases {
        let post = post_with(lines);
        let name = post.image.as_ref().and_then(|url| url.path_segments()?.next_back());
        let shown = format!("{} {}", name.unwrap_or_default(), post.image_alt.unwrap_or_default());
        assert_eq!(shown, expected, "{lines}");
    }
}

#[test]
fn every_shape_of_a_recording_is_understood() {
    let cases = [
        ("enclosure: /a.mp3", "https://example.org/a.mp3 audio/mpeg - -"),
        (
            "enclosure: {url: 'https://a.example/a', type: audio/ogg, length: 1234}",
            "https://a.example/a audio/ogg 1234 -",
        ),
        (
            "audio: a.m4a\nduration: '1:02:03'",
            "https://example.org/posts/hello/a.m4a audio/mp4 - 3723",
        ),
        (
            "audio: {src: a.opus, duration: 90}",
            "https://example.org/posts/hello/a.opus audio/ogg - 90",
        ),
        ("audio: [a.mp3, b.mp3]", "https://example.org/posts/hello/a.mp3 audio/mpeg - -"),
        (
            "podcast: {file: a.mp3, duration: '62:03', bytes: '1,000'}",
            "https://example.org/posts/hello/a.mp3 audio/mpeg 1000 3723",
        ),
        ("audio: read by Ann", ""),
        ("audio: true", ""),
    ];
    for (lines, expected) in cases {
        let shown = post_with(lines).enclosure.map(|it| {
            let length = it.length.map_or("-".to_owned(), |length| length.to_string());
            let seconds = it.duration.map_or("-".to_owned(), |it| it.as_secs().to_string());
            format!("{} {} {length} {seconds}", it.url, it.media_type.unwrap_or_default())
        });
        assert_eq!(shown.unwrap_or_default(), expected, "{lines}");
    }
}

#[test]
fn topics_are_the_tags_unless_the_author_says_more() {
    let post = |lines: &str| post_with(lines).into_post(PostId::pinned("urn:x"));
    assert_eq!(post("tags: [a, b]").topics(), ["a", "b"]);
    let both = post("tags: [a, b]\ntopics: [c]");
    assert_eq!(
        (both.tags.as_slice(), both.topics()),
        (&["a".into(), "b".into()][..], &["c".into()][..])
    );
    let only = post("topics: [c]");
    assert_eq!((only.tags.as_slice(), only.topics()), (&["c".into()][..], &["c".into()][..]));
}

#[test]
fn the_folder_is_the_section_unless_the_author_says_another() {
    let section = |within: &str, lines: &str| {
        post_at(within, &format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\n")).section
    };
    assert_eq!(section("essays/a.md", "").as_deref(), Some("essays"));
    assert_eq!(section("essays/a.md", "section: Notes").as_deref(), Some("Notes"));
    assert_eq!(section("a.md", ""), None);
}

#[test]
fn a_post_without_title_and_heading_is_called_by_its_file() {
    let title = |within: &str| post_at(within, "---\ndate: 2024-01-15\n---\ntext\n").title;
    assert_eq!(title("my-first_post.md"), "My first post");
    assert_eq!(title("2024-01-15-rain-barrel.md"), "Rain barrel");
    assert_eq!(title("2024-01-15-rain-barrel/index.fr.md"), "Rain barrel");
    assert_eq!(title("Two Words.md"), "Two Words");
    assert_eq!(title("2024-01-15.md"), "2024-01-15");
    assert_eq!(title("über-uns.md"), "Über uns");
}

#[test]
fn what_readers_see_of_it_makes_a_new_revision() {
    let revision = |lines: &str| post_with(lines).revision;
    for lines in ["series: Moss", "link: https://a.example/", "audio: a.mp3"] {
        assert_ne!(revision(""), revision(lines), "{lines}");
    }
    assert_ne!(revision("image: a.png"), revision("image: {src: a.png, alt: Alt}"));
    for lines in ["aliases: /old/", "translationKey: tea", "featured: true"] {
        assert_eq!(revision(""), revision(lines), "{lines}");
    }
}
