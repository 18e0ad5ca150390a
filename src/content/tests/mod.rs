use std::fmt::Write as _;

use jiff::tz::TimeZone;
use url::Url;

use super::*;

mod bad_input;
mod dialects;
mod keys;

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
        highlight: true,
        smart_punctuation: false,
        excerpt_separator: None,
    };
    let source = format!("posts/{within}");
    parse(&SourceFile { source: &source, within, bytes, neighbours: &Alone }, &rules)
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
                include_bytes!(concat!("../../../tests/fixtures/posts/", $folder, "/", $within));
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
        highlight: true,
        smart_punctuation: false,
        excerpt_separator: None,
    };
    let bytes = b"---\ntitle: T\ndate: 2024-01-15\n---\n![](../a.png) [x](/y)";
    let file =
        SourceFile { source: "posts/notes/a.md", within: "notes/a.md", bytes, neighbours: &Alone };
    let Verdict::Post(post) = parse(&file, &rules).unwrap().0 else { panic!("no post") };
    assert_eq!(post.link.as_str(), "https://example.org/blog/notes/2024/de/a/");
    assert_eq!(post.authors, [author]);
    let post = post.into_post(PostId::pinned("urn:x"));
    assert_eq!(post.source, "posts/notes/a.md");
    assert_eq!(
        post.html,
        "<p><img src=\"https://example.org/blog/notes/2024/de/a.png\" alt=\"\"> <a href=\"https://example.org/y\">x</a></p>"
    );
}
