use std::fmt::Write as _;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use url::Url;

use super::*;

/// Reads a file as it would stand in a folder of `https://example.org`, whose zone is Berlin's.
fn read(within: &str, bytes: &[u8]) -> Result<(Verdict, Vec<Diagnostic>), Vec<Diagnostic>> {
    let site_url = Url::parse("https://example.org").unwrap();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let rules = FolderRules {
        site_url: &site_url,
        permalink: "/posts/{slug}/",
        language: "en",
        time_zone: &zone,
        default_author: None,
    };
    let source = format!("posts/{within}");
    parse(&SourceFile { source: &source, within, bytes }, &rules)
}

fn post_at(within: &str, text: &str) -> Parsed {
    match read(within, text.as_bytes()) {
        Ok((Verdict::Post(post), _)) => *post,
        other => panic!("{within} is no post: {other:?}"),
    }
}

/// A post with a title and a date beside the lines given.
fn post_with(lines: &str) -> Parsed {
    post_at("hello.md", &format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\ntext\n"))
}

fn problems(within: &str, bytes: &[u8]) -> String {
    let found = read(within, bytes).expect_err("the file is broken");
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Everything of a post, for snapshots.
fn show(within: &str, bytes: &[u8]) -> String {
    let (verdict, warnings) = read(within, bytes).unwrap();
    let Verdict::Post(post) = verdict else { panic!("{within} is no post") };
    let mut out = String::new();
    for warning in warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    let Parsed { html, text, revision: _, ref summary, .. } = *post;
    writeln!(out, "title: {}", post.title).unwrap();
    writeln!(out, "slug: {}\nlink: {}", post.slug, post.link).unwrap();
    writeln!(out, "published: {}\nupdated: {:?}", post.published_at, post.updated_at).unwrap();
    writeln!(out, "expires: {:?}\nlanguage: {}", post.expires_at, post.language).unwrap();
    writeln!(out, "tags: {:?}\ncategories: {:?}", post.tags, post.categories).unwrap();
    for author in &post.authors {
        let url = author.url.as_ref().map(Url::as_str);
        writeln!(out, "author: {} {:?} {url:?}", author.name, author.email).unwrap();
    }
    let url = |url: &Option<Url>| url.as_ref().map(Url::to_string).unwrap_or_default();
    writeln!(out, "image: {}\ncanonical: {}", url(&post.image), url(&post.canonical)).unwrap();
    writeln!(out, "pinned id: {:?}\nsummary: {summary}", post.pinned_id).unwrap();
    format!("{out}---- html\n{html}\n---- text\n{text}")
}

macro_rules! fixture {
    ($name:ident, $folder:literal, $within:literal) => {
        #[test]
        fn $name() {
            let bytes =
                include_bytes!(concat!("../../tests/fixtures/posts/", $folder, "/", $within));
            insta::assert_snapshot!(show($within, bytes));
        }
    };
}

fixture!(
    a_jekyll_post_reads_as_its_author_meant,
    "jekyll",
    "cooking/_posts/2024-01-15-sourdough-diary.md"
);
fixture!(a_hugo_bundle_reads_as_its_author_meant, "hugo", "garden/rain-barrel/index.fr.md");
fixture!(a_zola_page_reads_as_its_author_meant, "zola", "2024-05-06-spores.md");
fixture!(an_astro_post_reads_as_its_author_meant, "astro", "first-light.mdx");
fixture!(an_eleventy_post_reads_as_its_author_meant, "eleventy", "winter-birds.md");
fixture!(a_docusaurus_post_reads_as_its_author_meant, "docusaurus", "2024-06-01-release.md");
fixture!(a_pelican_article_reads_as_its_author_meant, "pelican", "super.md");

#[test]
fn every_key_of_the_engines_is_understood() {
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
        ("permalink: /:year/:title/", "https://example.org/posts/hello/"),
        ("permalink: '/{{ page.fileSlug }}/'", "https://example.org/posts/hello/"),
        ("permalink: pretty", "https://example.org/posts/hello/"),
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
    assert!(may_be_post("a/b.md") && !may_be_post("_index.md") && !may_be_post(".git/x.md"));
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
fn bad_input_is_told_with_its_place_and_what_to_do() {
    let long_title = format!("---\ntitle: {}\ndate: 2024-01-15\n---\n", "x".repeat(10_000));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("broken.md", b"---\ntitle: A: b\ndate: 2024-01-15\n---\n".to_vec()),
        ("tab.md", b"---\ntitle: A\ntags:\n\t- a\n---\n".to_vec()),
        ("two-blocks.md", b"---\ntitle: A\n---\n\n---\ndate: 2024-01-15\n---\n".to_vec()),
        ("unclosed.md", b"---\ntitle: A\ndate: 2024-01-15\n\ntext".to_vec()),
        ("bare.md", b"Just words.\n".to_vec()),
        ("empty.md", Vec::new()),
        ("date.md", b"---\ntitle: A\ndate: 01/02/2024\n---\n".to_vec()),
        (
            "dates.md",
            b"---\ndate: soon\nupdated: 2024-02-30\nexpires: [1]\ntitle: {a: b}\n---\n".to_vec(),
        ),
        ("no-date.md", "---\r\ntitle: A\r\n---\r\n".as_bytes().to_vec()),
        ("no-title.md", b"---\ndate: 2024-01-15\n---\ntext\n".to_vec()),
        ("placeholder.md", b"---\ntitle: A\ndate: Last Modified\n---\n".to_vec()),
        ("long.md", long_title.into_bytes()),
        ("latin1.md", b"---\ntitle: A\n---\ncaf\xE9\n".to_vec()),
        ("utf16.md", b"\xFF\xFEa\0b\0".to_vec()),
        ("nul.md", b"---\ntitle: A\n---\na\0b\n".to_vec()),
        ("duplicate.md", b"---\ntitle: A\ndate: 2024-01-15\ntitle: B\n---\n".to_vec()),
        ("code.md", b"---js\n{ title: 'A' }\n---\n".to_vec()),
        (
            "deep.md",
            format!("---\ntitle: A\ndate: 2024-01-15\n---\na\n\n{}", ">".repeat(5_000))
                .into_bytes(),
        ),
        (
            "divs.md",
            format!("---\ntitle: A\ndate: soon\n---\n{}", "<div>".repeat(5_000)).into_bytes(),
        ),
        ("🎉.md", b"---\ntitle: A\ndate: 2024-01-15\n---\n".to_vec()),
        ("toml.md", b"+++\ntitle = A\ndate = soon\n+++\n".to_vec()),
        ("url.md", b"---\ntitle: A\ndate: 2024-01-15\nurl: https://\n---\n".to_vec()),
        (
            "large.md",
            format!("---\ntitle: A\ndate: soon\n---\n{}", "x".repeat(source::MAX_BODY_BYTES + 1))
                .into_bytes(),
        ),
        ("huge.md", vec![b'x'; MAX_FILE_BYTES + 1]),
    ];
    let shown: Vec<String> = cases.iter().map(|(within, bytes)| problems(within, bytes)).collect();
    insta::assert_snapshot!(shown.join("\n\n").replace(&"x".repeat(100), ""));
    for (within, bytes) in &cases {
        let found = read(within, bytes).unwrap_err();
        assert!(found.iter().any(Diagnostic::is_error), "{within}");
        for error in found.iter().filter(|found| found.is_error()) {
            assert_eq!(error.effect.as_deref(), Some("this post is live nowhere"), "{within}");
            assert!(error.help.is_some(), "{within}");
        }
    }
}

#[test]
fn a_byte_order_mark_windows_line_ends_and_control_characters_change_nothing() {
    let plain = post_at("a.md", "---\ntitle: A\ndate: 2024-01-15\n---\none\ntwo\n");
    let odd = post_at(
        "a.md",
        "\u{FEFF}---\r\ntitle: \u{8}A\r\ndate: 2024-01-15\r\n---\r\none\u{B}\r\ntwo\u{FFFE}\r\n",
    );
    assert_eq!(plain, odd);
    let references = post_at("a.md", "---\ntitle: A\ndate: 2024-01-15\n---\na&#11;b&#xFFFE;c\n");
    assert_eq!(references.html, "<p>abc</p>\n");
    assert_eq!(references.text, "abc");
}

#[test]
fn the_revision_changes_with_what_readers_see_and_with_nothing_else() {
    let text = "---\ntitle: T\ndate: 2024-01-15\ntags: [a]\n---\ntext\n";
    let revision = |within: &str, text: &str| post_at(within, text).revision;
    let first = revision("hello.md", text);
    assert_eq!(first, revision("sub/hello.md", text));
    assert_eq!(first, revision("hello.md", &text.replace("tags: [a]", "tags: [a]\nweight: 7")));
    for (from, to) in [
        ("title: T", "title: U"),
        ("2024-01-15", "2024-01-16"),
        ("[a]", "[b]"),
        ("\ntext", "\ntexts"),
        ("tags", "categories"),
        ("tags", "lang: de\ntags"),
    ] {
        assert_ne!(first, revision("hello.md", &text.replace(from, to)), "{from}");
    }
}

#[test]
fn the_folders_author_stands_in() {
    let site_url = Url::parse("https://example.org/blog").unwrap();
    let author = Author { name: "Ann".to_owned(), email: None, url: None };
    let rules = FolderRules {
        site_url: &site_url,
        permalink: "/{section}/{year}/{lang}/{slug}/",
        language: "de",
        time_zone: &TimeZone::UTC,
        default_author: Some(&author),
    };
    let bytes = b"---\ntitle: T\ndate: 2024-01-15\n---\n![](../a.png) [x](/y)";
    let file = SourceFile { source: "posts/notes/a.md", within: "notes/a.md", bytes };
    let Verdict::Post(post) = parse(&file, &rules).unwrap().0 else { panic!("no post") };
    assert_eq!(post.link.as_str(), "https://example.org/blog/notes/2024/de/a/");
    assert_eq!(post.authors, [author]);
    let post = post.into_post(PostId::pinned("urn:x"));
    assert_eq!(post.source, "posts/notes/a.md");
    assert_eq!(
        post.html,
        "<p><img src=\"https://example.org/blog/notes/2024/de/a.png\" alt=\"\"> <a href=\"https://example.org/y\">x</a></p>\n"
    );
}

/// Each of these kept some parser busy for minutes at this size.
#[test]
fn hostile_posts_are_answered_in_time() {
    let attributes: String = (0..20_000).flat_map(|n| [" a".to_owned(), n.to_string()]).collect();
    let bodies = [
        ">".repeat(500_000),
        "> ".repeat(250_000),
        "- ".repeat(100_000),
        "[".repeat(200_000),
        "![".repeat(100_000),
        "*a ".repeat(100_000),
        "*a **a ".repeat(50_000),
        "`a``b".repeat(50_000),
        "<div>".repeat(100_000),
        "<b><p>".repeat(50_000),
        "<!--a-->".repeat(50_000),
        "<table><tr><br>".repeat(30_000),
        format!("<p{attributes}>"),
        "# a\n".repeat(30_000),
        "http://[".repeat(50_000),
        format!("http://a{}", ")".repeat(300_000)),
        "a[^1]".repeat(20_000) + "\n\n[^1]: b\n",
        "&".repeat(300_000),
        "|a".repeat(2_000) + "\n" + &"|-".repeat(2_000) + "\n" + &"|\n".repeat(5_000),
        "<a href=x srcset='".repeat(20_000),
        "</p>".repeat(50_000),
        "<script>".repeat(50_000),
    ];
    for body in bodies {
        let started = std::time::Instant::now();
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}");
        let _ = read("a.md", text.as_bytes());
        let seconds = started.elapsed().as_secs();
        eprintln!("HOST {seconds} {:?}", started.elapsed().as_millis());
        eprintln!("{}", &body[..20]);
        assert!(seconds < 60, "{seconds} s for {}", &body[..20]);
    }
}

proptest! {
    #[test]
    fn no_byte_sequence_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read("a.md", &bytes);
    }

    #[test]
    fn no_file_name_panics(within in "\\PC{0,40}") {
        let _ = read(&format!("{within}.md"), b"---\ntitle: T\ndate: 2024-01-15\n---\n");
    }

    /// Whatever Markdown and HTML are made of: what comes out can be published.
    #[test]
    fn every_body_comes_out_safe(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<script>", "</script>", "<a href=\"", "javascript:x", "\">", "<img src=x onerror=y>", "<!--", "-->",
                "<p>", "</p>", "<table>", "<td>", "<svg>", "<style>", "</style>", "<iframe src=/x>", "\n", "\n\n", "    ",
                "[a](b)", "[^1]", "\n[^1]: c\n", "*", "`", "```\n", "> ", "- ", "# h\n", "&lt;", "é", "<b", "text ", "|", "|-|\n",
                "<!--more-->", "https://x.example/", "<math>", "<title>", "<select>", "<template>", "<noscript>",
            ]),
            0..40,
        )
    ) {
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{}", pieces.concat());
        if let Ok((Verdict::Post(post), _)) = read("a.md", text.as_bytes()) {
            for token in markup::Tokens::of(&post.html) {
                let markup::Token::Open { name, attributes } = token else { continue };
                prop_assert!(!["script", "style", "iframe", "svg", "form", "object"].contains(&name));
                for (attribute, value) in markup::Attributes::of(attributes) {
                    prop_assert!(!attribute.starts_with("on"), "{}", post.html);
                    if ["href", "src"].contains(&attribute) {
                        let url = Url::parse(&markup::unescape(value));
                        prop_assert!(url.is_ok_and(|url| url.scheme() != "javascript"), "{}", post.html);
                    }
                }
            }
            prop_assert!(!post.html.contains(source::EXCERPT_END));
            // A sanitised text is a fixed point: nothing in it changes its meaning when parsed again.
            prop_assert_eq!(&sanitise::clean(&post.html), &post.html);
        }
    }
}
