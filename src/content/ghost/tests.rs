use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::content::{Alone, FolderRules, Parsed, SourceFile, Verdict};

const EXPORT: &str = include_str!("../../../tests/fixtures/ghost/export.json");

fn wishes(drafts: bool) -> GhostWishes {
    GhostWishes { drafts, url: Some(Url::parse("https://old.example/").unwrap()) }
}

fn import(json: &str, wishes: &GhostWishes) -> Vec<GhostPost> {
    GhostExport::read(json.as_bytes(), "export.json").unwrap().posts(wishes).collect()
}

/// The post as our own reader has it. It must have nothing to say against it.
fn read_back(made: &MadePost) -> Parsed {
    let site_url = Url::parse("https://example.org").unwrap();
    let rules = FolderRules::of_site(&site_url, "/{slug}/");
    let source = format!("posts/{}", made.name);
    let file = SourceFile {
        neighbours: &Alone,
        ..SourceFile::new(&source, &made.name, made.text.as_bytes())
    };
    match crate::content::parse(&file, &rules) {
        Ok((Verdict::Post(post), warnings)) => {
            assert_eq!(warnings, [], "{}", made.text);
            *post
        }
        other => panic!("{other:?}\n{}", made.text),
    }
}

fn made(posts: Vec<GhostPost>) -> Vec<MadePost> {
    posts
        .into_iter()
        .map(|post| match post {
            GhostPost::Made(made) => made,
            GhostPost::Skipped(_) | GhostPost::Broken(_) => panic!("{post:?}"),
        })
        .collect()
}

/// An export of one published post with these cells beside the usual ones.
fn one(cells: &serde_json::Value) -> Vec<GhostPost> {
    let mut post = json!({
        "id": "65aa000000000000000000ff", "title": "T", "slug": "t", "html": "<p>x</p>", "type": "post",
        "status": "published", "visibility": "public", "published_at": "2024-01-02T03:04:05.000Z",
    });
    for (key, value) in cells.as_object().unwrap() {
        post[key] = value.clone();
    }
    import(&json!({ "posts": [post] }).to_string(), &wishes(false))
}

fn body_of(html: &str) -> String {
    let made = made(one(&json!({ "html": html }))).remove(0);
    read_back(&made);
    made.text.split_once("\n---\n\n").unwrap().1.trim_end().to_owned()
}

#[test]
fn an_export_becomes_files() {
    let mut shown = String::new();
    for post in import(EXPORT, &wishes(true)) {
        match post {
            GhostPost::Made(made) => {
                write!(shown, "==== {} draft: {}\n{}", made.name, made.is_draft, made.text)
                    .unwrap();
                made.warnings.iter().for_each(|it| writeln!(shown, "warning: {it}").unwrap());
            }
            other => writeln!(shown, "==== {other:?}").unwrap(),
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn without_drafts_only_what_everybody_could_read_on_the_site_is_taken() {
    use Skipped::{Draft, MailOnly, MembersOnly, Page};
    let posts = import(EXPORT, &wishes(false));
    let skipped: Vec<_> = posts
        .iter()
        .filter_map(|post| match post {
            GhostPost::Skipped(why) => Some(*why),
            GhostPost::Made(_) | GhostPost::Broken(_) => None,
        })
        .collect();
    assert_eq!(skipped, [MembersOnly, Draft, Draft, Page, MailOnly]);
    assert_eq!(posts.len(), 7);
}

#[test]
fn our_own_reader_sees_what_ghost_had() {
    let files: Vec<MadePost> = import(EXPORT, &wishes(false))
        .into_iter()
        .filter_map(|post| match post {
            GhostPost::Made(made) => Some(made),
            GhostPost::Skipped(_) | GhostPost::Broken(_) => None,
        })
        .collect();
    let moss = read_back(&files[0]);
    assert_eq!(moss.title, "Moss & stone: \"a survey\"");
    assert_eq!(moss.slug, "moss-and-stone");
    assert_eq!(moss.published_at.to_string(), "2023-09-01T22:30:00Z");
    assert_eq!(moss.updated_at.unwrap().to_string(), "2023-09-12T10:00:00Z");
    assert_eq!(moss.tags, ["Plants", "Portland, OR"]);
    let authors: Vec<&str> = moss.authors.iter().map(|author| &*author.name).collect();
    assert_eq!(authors, ["Robin Marsh", "Ann \"A.\" Field"]);
    assert_eq!(moss.authors[0].url.as_ref().unwrap().as_str(), "https://robin.example/");
    assert_eq!(moss.summary, "What grows where nobody looks: 100 *plots*");
    assert_eq!(moss.image_alt.as_deref(), Some("Moss on a stone"));
    assert_eq!(moss.pinned_id.as_deref(), Some("urn:x-ghost:64f1c2a9e13b7d0001a2b3c4"));
    assert!(moss.html.contains("[brackets] and {{ braces }}"), "{}", moss.html);
    assert!(moss.html.contains("https://old.example/about/?ref=field-notes"), "{}", moss.html);
    let cards = read_back(&files[1]);
    assert_eq!(cards.canonical.unwrap().as_str(), "https://elsewhere.example/cards/");
    assert!(cards.html.contains("{{ much }}"), "{}", cards.html);
}

#[test]
fn simple_html_becomes_markdown() {
    let cases = [
        ("<p>Hello <b>bold </b>world</p>", "Hello **bold** world"),
        ("<h1>One</h1><h3>Three</h3>", "# One\n\n### Three"),
        (
            "<p># no heading</p><p>- no item</p><p>3) none</p>",
            "\\# no heading\n\n\\- no item\n\n3\\) none",
        ),
        ("<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n* b"),
        ("<p>a<code>`tick`</code></p>", "a`` `tick` ``"),
        ("<pre><code>```\nx</code></pre>", "````\n```\nx\n````"),
        (
            "<p>wow!<a href=\"https://a.example/x_(y)\">it</a></p>",
            "wow\\![it](<https://a.example/x_(y)>)",
        ),
        ("<p>%%not a comment%% for us</p>", "\\%\\%not a comment\\%\\% for us"),
        ("<blockquote>as Ghost<br>writes them</blockquote>", "> as Ghost\\\n> writes them"),
        ("<ol><li>a</li></ol>", "1. a"),
        ("loose <em>words</em><p>and more</p>", "loose *words*\n\nand more"),
    ];
    for (html, markdown) in cases {
        assert_eq!(body_of(html), markdown, "{html}");
    }
}

#[test]
fn what_markdown_cannot_say_stays_html_that_ends_where_it_ended() {
    for html in [
        "<p>H<sub>2</sub>O</p>",
        "<p style=\"color: red\">x</p>",
        "<table><tr><td>a</td></tr></table>",
        "<p><u>underlined</u></p>",
        "<figure><img src=\"https://a.example/x.png\"><figcaption>c</figcaption></figure>",
        "<p>before<b>\"x\"</b>after</p>",
    ] {
        let body = body_of(html);
        assert!(body.starts_with('<'), "{html} -> {body}");
    }
    let pre = "<div><pre>a\n\n  b\n\n\nc</pre></div><p>*x*</p>";
    let made = made(one(&json!({ "html": pre }))).remove(0);
    let post = read_back(&made);
    assert!(post.html.contains("a\n\n  b\n\n\nc"), "{}\n{}", made.text, post.html);
    assert!(post.html.contains("<p>*x*</p>"), "{}", post.html);
}

#[test]
fn hostile_texts_stay_texts() {
    let titles = [
        "\"quoted\" and 'single'",
        "two\nlines",
        "---",
        "key: value # no comment",
        "{{ x }} [[y]] *z* `c`",
        "- item",
        "!!tag &a *a",
        "\\u0041 \\",
        "100% <b>x</b>",
        "\u{feff}bom\u{2028}x",
        "no",
        "2024-01-01",
        "\u{7}bell",
        "Vec<T> & AT&amp;T",
    ];
    for title in titles {
        let made = made(one(&json!({ "title": title, "custom_excerpt": title }))).remove(0);
        let expected = source::one_line(title).replace('\u{feff}', "");
        let post = read_back(&made);
        assert_eq!((post.title, post.summary), (expected.clone(), expected), "{}", made.text);
    }
}

#[test]
fn a_post_from_the_first_ghost_keeps_its_uuid() {
    let uuid = "8a9b6f0e-6f1c-4a53-9a0d-0a1b2c3d4e5f";
    let made = made(one(&json!({ "id": 5, "uuid": uuid }))).remove(0);
    assert_eq!(read_back(&made).pinned_id, Some(format!("urn:uuid:{uuid}")));
}

#[test]
fn names_of_files_are_names_and_nothing_else() {
    for slug in [
        "../../etc/passwd",
        "..",
        "/",
        "a\0b",
        "CON",
        "notes.fr",
        ".hidden",
        &"ü".repeat(400),
        "",
        "a/b\\c",
        "\u{202e}x",
    ] {
        let made = made(one(&json!({ "slug": slug }))).remove(0);
        let name = &made.name;
        assert!(
            name.starts_with("2024-01-02-") && name.split_once('.').is_some_and(|it| it.1 == "md"),
            "{name}"
        );
        assert!(!name.contains(['/', '\\', '\0']) && name.len() < 255, "{name}");
        assert_eq!(name.matches('.').count(), 1, "{name}");
        read_back(&made);
    }
    let post = json!({ "id": "1", "title": "T", "slug": "t", "html": "<p>x</p>", "published_at": "2024-01-02" });
    let twice = json!({ "posts": [post, post, post] }).to_string();
    let names: HashSet<String> =
        made(import(&twice, &wishes(false))).into_iter().map(|it| it.name).collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_broken_post_is_told_with_its_line_and_harms_no_other() {
    let json = r#"{"data": {"posts": [
        {"title": "No date", "status": "published"},
        7,
        {"title": "Bad date", "status": "published", "published_at": "gestern"},
        {"title": ["odd"], "slug": 5, "html": null, "status": "published", "published_at": 1704164645000}
    ]}}"#;
    let posts = import(json, &wishes(false));
    let told: Vec<String> = posts
        .iter()
        .map(|post| match post {
            GhostPost::Broken(found) => found.to_string(),
            GhostPost::Made(made) => format!("{} {:?}", made.name, made.warnings.len()),
            GhostPost::Skipped(why) => format!("{why:?}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_no_export_is_told() {
    let told: Vec<String> = [
        &b"{\"db\": [\n  {\"data\": oops"[..],
        b"{}",
        b"PK\x03\x04",
        b"\xFF\xFE{",
        b"[]",
        b"{\"posts\": 3}",
    ]
    .iter()
    .map(|bytes| GhostExport::read(bytes, "e.json").unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn deep_and_broken_html_takes_no_time_and_stays() {
    for html in [
        "<div>".repeat(100_000),
        "<b><i></b></i>".repeat(20_000),
        "</p>".repeat(100_000),
        "<p>".repeat(50_000),
        "<!--".repeat(50_000),
    ] {
        assert!(matches!(one(&json!({ "html": html }))[0], GhostPost::Made(_)));
    }
    let deep = "[".repeat(100_000);
    assert!(GhostExport::read(deep.as_bytes(), "e.json").is_err());
}

proptest! {
    #[test]
    fn any_html_is_read_without_a_panic(html in "(<(p|b|ul|li|pre|code|h2|a href=x|img src=y|/p|/b|/ul|/li|/pre|/code|/a|/h2|!--|div)>|[ a*_`\\[\\]{}%:#\n&;]{0,4}){0,30}") {
        let made = one(&json!({ "html": html }));
        prop_assert!(matches!(made[0], GhostPost::Made(_)));
    }

    #[test]
    fn plain_paragraphs_come_through_as_they_are(text in "[ -~äö\u{a0}]{1,40}") {
        let html = format!("<p>x{}x</p>", crate::content::markup::escape(&text));
        let made = made(one(&json!({ "html": html }))).remove(0);
        let read = html::essence(&read_back(&made).html);
        // Bare addresses become links, which is as it should be.
        prop_assume!(!text.contains("://") && !text.contains('@') && !text.contains("www."));
        prop_assert_eq!(read, html::essence(&html), "{}", made.text);
    }
}
