//! Every key and habit of the engines, one line each.

use url::Url;

use super::super::*;
use super::{post_at, post_with, read};

#[test]
fn every_key_for_a_date_is_understood() {
    let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let day = at("2024-02-29T23:00:00Z");
    for key in [
        "publishDate",
        "pubDate",
        "publishedDate",
        "published_date",
        "publishedAt",
        "published_at",
        "datePublished",
        "pubDatetime",
        "published",
        "publish_date",
        "date",
        "Date",
        "created",
        "createdAt",
        "date_created",
    ] {
        let post = post_at("a.md", &format!("---\ntitle: T\n{key}: 2024-03-01\n---\n"));
        assert_eq!(Some(post.published_at), day, "{key}");
    }
    for key in [
        "updated",
        "updatedDate",
        "updated_at",
        "updatedAt",
        "lastmod",
        "last_modified_at",
        "last_modified",
        "modified",
        "modDatetime",
        "modDate",
        "date_updated",
        "date_modified",
    ] {
        assert_eq!(post_with(&format!("{key}: 2024-03-01")).updated_at, day, "{key}");
    }
    assert_eq!(post_with("last_update: {date: 2024-03-01}").updated_at, day);
    for key in ["expiryDate", "unpublishdate", "expires"] {
        assert_eq!(post_with(&format!("{key}: 2024-03-01")).expires_at, day, "{key}");
    }
}

#[test]
fn every_key_for_text_is_understood() {
    for key in [
        "description",
        "summary",
        "excerpt",
        "custom_excerpt",
        "subtitle",
        "meta_description",
        "abstract",
        "preview",
    ] {
        assert_eq!(post_with(&format!("{key}: A *b*\\nc")).summary, "A b\\nc", "{key}");
    }
    for key in [
        "image",
        "cover",
        "coverImage",
        "cover_image",
        "cover_url",
        "heroImage",
        "ogImage",
        "feature_image",
        "featured_image",
        "featuredImage",
        "thumbnail",
        "banner",
        "img",
        "images",
        "hero",
    ] {
        let image = post_with(&format!("{key}: a.png")).image.unwrap();
        assert_eq!(image.as_str(), "https://example.org/posts/hello/a.png", "{key}");
    }
    for key in ["lang", "language", "locale", "languageCode"] {
        assert_eq!(post_with(&format!("{key}: pt_br")).language, "pt-BR", "{key}");
    }
    for key in ["canonicalURL", "canonical_url", "canonicalUrl", "canonical"] {
        let canonical = post_with(&format!("{key}: https://a.example/b")).canonical.unwrap();
        assert_eq!(canonical.as_str(), "https://a.example/b", "{key}");
    }
}

#[test]
fn tags_and_categories_are_read_in_every_habit() {
    let tags = |lines: &str| post_with(lines).tags.join("|");
    let cases = [
        ("tags: [a, b, A, '#c', d/e]", "a|b|c|d/e"),
        ("tags: a, b", "a|b"),
        ("tags: one tag", "one tag"),
        ("tags: a, b; c, d", "a, b|c, d"),
        ("tag: a", "a"),
        ("topics: [a]", "a"),
        ("labels: [a]", "a"),
        ("keywords: [a]", "a"),
        ("keywords: [a]\ntags: [b]", "b"),
        ("tags:\nkeywords: [a]", "a"),
        ("tags: [no, 2024, 1.10, null]", "no|2024|1.10"),
        ("tags: [post, a, all]", "a"),
        ("tags: [{label: L, permalink: /l}, {name: N}]", "L|N"),
        ("taxonomies: {tags: [a]}", "a"),
        ("tags: ['Portland, OR']", "Portland, OR"),
    ];
    for (lines, expected) in cases {
        assert_eq!(tags(lines), expected, "{lines}");
    }
    let jekyll = "---\ntitle: T\ntags: a b\ncategories: c d\n---\n";
    let jekyll = post_at("_posts/2024-01-15-x.md", jekyll);
    assert_eq!((jekyll.tags.join("|"), jekyll.categories.join("|")), ("a|b".into(), "c|d".into()));
    let folder = post_at("travel/_posts/2024-01-15-x.md", "---\ntitle: T\n---\n");
    assert_eq!(folder.categories, ["travel"]);
    let cases = [
        ("categories: [a, b]", "a|b"),
        ("category: Two words", "Two words"),
        ("categories: [[Sports, Baseball], Play]", "Sports/Baseball|Play"),
        ("taxonomies: {categories: [a]}", "a"),
        ("section: a", "a"),
    ];
    for (lines, expected) in cases {
        assert_eq!(post_with(lines).categories.join("|"), expected, "{lines}");
    }
}

#[test]
fn authors_are_read_in_every_habit() {
    let cases = [
        ("author: Ann", "Ann"),
        ("author: King, Jr.", "King, Jr."),
        ("authors: Ann, Bob", "Ann|Bob"),
        ("authors: 'King, Jr.; Bob'", "King, Jr.|Bob"),
        ("authors: [Ann, Bob]", "Ann|Bob"),
        ("by: Ann", "Ann"),
        ("creator: Ann", "Ann"),
        ("author: 'Ann <ann@example.org>'", "Ann ann@example.org"),
        ("author: 'ann@example.org (Ann)'", "Ann ann@example.org"),
        (
            "author: {name: Ann, email: ann@example.org, url: /ann}",
            "Ann ann@example.org https://example.org/ann",
        ),
        (
            "authors: [{name: Ann, website: 'https://ann.example'}, bob]",
            "Ann https://ann.example/|bob",
        ),
        ("author: Ann\nauthor_url: https://ann.example/", "Ann https://ann.example/"),
        ("extra: {author: Ann}", "Ann"),
        ("params: {authors: [Ann]}", "Ann"),
        ("author:", ""),
    ];
    for (lines, expected) in cases {
        let show = |author: &Author| {
            let url = author.url.as_ref().map(Url::to_string);
            [Some(author.name.clone()), author.email.clone(), url]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let shown: Vec<String> = post_with(lines).authors.iter().map(show).collect();
        assert_eq!(shown.join("|"), expected, "{lines}");
    }
}

#[test]
fn addresses_fixed_by_the_author_win_and_templates_do_not() {
    let cases = [
        ("", "https://example.org/posts/hello/"),
        ("slug: Other Name", "https://example.org/posts/other-name/"),
        ("url: /a/b/", "https://example.org/a/b/"),
        ("permalink: /a/index.html", "https://example.org/a/"),
        ("permalink: a/b.html", "https://example.org/a/b.html"),
        ("path: a/b", "https://example.org/a/b"),
        ("path: a", "https://example.org/a"),
        ("permalink: a", "https://example.org/a"),
        ("permalink: true", "https://example.org/posts/hello/"),
        ("permalink: /:year/:title/", "https://example.org/2024/hello/"),
        (
            "categories: [Far Away]\npermalink: /:categories/:year/:title.html",
            "https://example.org/far-away/2024/hello.html",
        ),
        ("permalink: none", "https://example.org/hello.html"),
        ("permalink: ordinal", "https://example.org/2024/015/hello.html"),
        ("permalink: date", "https://example.org/2024/01/15/hello.html"),
        ("permalink: /:nonsense/", "https://example.org/posts/hello/"),
        ("permalink: '/{{ page.fileSlug }}/'", "https://example.org/posts/hello/"),
        ("permalink: pretty", "https://example.org/2024/01/15/hello/"),
        ("url: https://other.example/x", "https://other.example/x"),
        ("slug: /docs/intro", "https://example.org/posts/docs-intro/"),
        ("slug: '???'", "https://example.org/posts/hello/"),
    ];
    for (lines, expected) in cases {
        assert_eq!(post_with(lines).link.as_str(), expected, "{lines}");
    }
    let post = post_at("Grüße & Küsse.md", "---\ntitle: T\ndate: 2024-01-15\n---\n");
    assert_eq!(post.slug, "grüße-küsse");
    assert_eq!(post.link.as_str(), "https://example.org/posts/gr%C3%BC%C3%9Fe-k%C3%BCsse/");
}

#[test]
fn only_what_can_serve_as_an_id_pins_one() {
    let uuid = "0189f7e2-5c3e-7a3b-8f1e-2b7d6a1c9e10";
    let urn = format!("urn:uuid:{uuid}");
    let cases = [
        ("id: hello".to_owned(), None),
        (format!("id: {uuid}"), Some(urn.as_str())),
        (format!("uuid: {uuid}"), Some(urn.as_str())),
        ("guid: https://example.org/?p=7".to_owned(), Some("https://example.org/?p=7")),
        ("atom_id: 'tag:example.org,2024:/x'".to_owned(), Some("tag:example.org,2024:/x")),
        (
            "guid: \"64f1c2a9e13b7d0001a2b3c4\"".to_owned(),
            Some("urn:x-ghost:64f1c2a9e13b7d0001a2b3c4"),
        ),
        ("guid: some words".to_owned(), None),
        ("guid: 'urn:a b'".to_owned(), None),
    ];
    for (lines, expected) in cases {
        assert_eq!(post_with(&lines).pinned_id.as_deref(), expected, "{lines}");
    }
}

#[test]
fn what_the_author_keeps_back_is_a_draft_whatever_else_is_wrong_with_it() {
    for line in [
        "draft: true",
        "draft: yes",
        "isDraft: true",
        "published: false",
        "publish: false",
        "unlisted: true",
        "private: true",
        "permalink: false",
        "render: false",
        "ignorePost: true",
        "saveAsDraft: true",
        "headless: true",
        "eleventyExcludeFromCollections: true",
        "status: draft",
        "status: Hidden",
        "status: scheduled",
        "status: private",
        "visibility: members",
        "build: {render: never}",
        "_build: {list: never}",
        "build: {list: false}",
    ] {
        let (verdict, found) = read("a.md", format!("---\n{line}\n---\n").as_bytes()).unwrap();
        assert_eq!((verdict, found.len()), (Verdict::Draft, 0), "{line}");
    }
    for line in
        ["draft: false", "published: true", "status: published", "visibility: public", "draft:"]
    {
        post_with(line);
    }
    assert_eq!(read("_drafts/a.md", b"---\n: [\n").unwrap().0, Verdict::Draft);
    assert_eq!(read("_index.md", b"").unwrap().0, Verdict::NotAPost);
    assert_eq!(read(".git/x.md", b"").unwrap().0, Verdict::NotAPost);
}

#[test]
fn publish_dates_gate_and_file_names_fill_in() {
    let at = |within: &str, text: &str| post_at(within, text).published_at.to_string();
    assert_eq!(
        at("a.md", "---\ntitle: T\ndate: 2024-01-15\npublishDate: 2024-03-01T00:00:00Z\n---\n"),
        "2024-03-01T00:00:00Z"
    );
    assert_eq!(at("2024-01-15-a.md", "---\ntitle: T\n---\n"), "2024-01-14T23:00:00Z");
    assert_eq!(
        at("2024-01-15-a.md", "---\ntitle: T\ndate: 2024-01-16T00:00:00Z\n---\n"),
        "2024-01-16T00:00:00Z"
    );
    assert_eq!(
        at("2024-01-15-a.md", "---\ntitle: T\ndate: git Last Modified\n---\n"),
        "2024-01-14T23:00:00Z"
    );
    assert_eq!(
        at("2024-01-15-a.md", "---\ntitle: T\npublished: true\n---\n"),
        "2024-01-14T23:00:00Z"
    );
    assert_eq!(at("2024-01-15-a.md", "# From the heading\n"), "2024-01-14T23:00:00Z");
    assert_eq!(
        at("a.md", "+++\ntitle = 'T'\ndate = 2024-01-15T10:00:00\n+++\n"),
        "2024-01-15T09:00:00Z"
    );
    assert_eq!(at("a.md", "{\"title\": \"T\", \"date\": 1705312800}\n"), "2024-01-15T10:00:00Z");
}

#[test]
fn titles_are_text_whatever_yaml_makes_of_them() {
    let title = |value: &str| {
        post_at("a.md", &format!("---\ntitle: {value}\ndate: 2024-01-15\n---\n# Heading\n")).title
    };
    let cases = [
        ("2024", "2024"),
        ("1.10", "1.10"),
        ("no", "no"),
        ("2024-01-15", "2024-01-15"),
        ("12:30", "12:30"),
        ("'Vec<T> & AT&T'", "Vec<T> & AT&T"),
        ("\"a\\u0007\\nb\"", "a b"),
        ("", "Heading"),
        ("~", "Heading"),
        ("\"\\uFEFF\\u0000 x\"", "\u{FEFF} x"),
    ];
    for (value, expected) in cases {
        assert_eq!(title(value), expected, "{value}");
    }
    let short = post_at("a.md", "---\nlinkTitle: L\ndate: 2024-01-15\n---\n");
    assert_eq!(short.title, "L");
}

#[test]
fn pelican_files_articles_under_the_folder_that_they_are_in() {
    let bare = "Title: T\nDate: 2024-01-15\n\nWords.\n";
    assert_eq!(post_at("garden/roses.md", bare).categories, ["garden"]);
    assert_eq!(post_at("roses.md", bare).categories, [""; 0]);
    let own = format!("Category: Flowers\n{bare}");
    assert_eq!(post_at("garden/roses.md", &own).categories, ["Flowers"]);
    let fenced = "---\ntitle: T\ndate: 2024-01-15\n---\nWords.\n";
    assert_eq!(post_at("garden/roses.md", fenced).categories, [""; 0]);
}
