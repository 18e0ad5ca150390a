use url::Url;

use super::super::Alone;
use super::super::links::Base;
use super::super::source::EXCERPT_END;
use super::*;

fn html(markdown: &str) -> String {
    let link = Url::parse("https://example.org/posts/post/").unwrap();
    let base = Base {
        link: &link,
        id_prefix: "post",
        image: None,
        neighbours: &Alone,
        names_languages: true,
    };
    let prepared = Prepared::plain(markdown, 0);
    let document = Document::parse(&prepared, Reading::default()).unwrap();
    let pieces = document.pieces(Some(Channel::Web), "post", "Title");
    Writer::new(&base, usize::MAX).write(&pieces).html
}

#[test]
fn the_dialect_is_githubs() {
    let markdown = "\
## A heading {#own .class}

## A heading

## A heading

~~old~~ https://example.org/a_(b). See <https://example.org>, xhttps://no.example and `https://code.example`.

- [ ] open
- [x] done

> [!WARNING]
> Hot.

| a | b |
|---|--:|
| 1 | 2 |
";
    insta::assert_snapshot!(html(markdown));
}

#[test]
fn footnotes_are_numbered_by_first_use_and_listed_at_the_end() {
    let markdown = "\
One[^b] two[^a] one again[^b].

[^a]: The *second*.

[^b]: The first.

    With a paragraph.

[^unused]: Never shown.
";
    insta::assert_snapshot!(html(markdown));
}

#[test]
fn a_first_heading_that_repeats_the_title_is_left_out() {
    assert_eq!(html("# Title\n\ntext"), "<p>text</p>\n");
    assert_eq!(html("Title\n=====\n\ntext"), "<p>text</p>\n");
    assert!(html("# Other\n\ntext").starts_with("<h1 id=\"post-other\">"));
    assert!(html("text\n\n# Title").contains("<h1"));
}

#[test]
fn the_first_mark_of_the_excerpts_end_is_found_in_every_spelling() {
    for mark in [
        "<!--more-->",
        "<!-- more -->",
        "<!-- truncate -->",
        "<!-- EXCERPT -->",
        "{/* truncate */}",
    ] {
        let html = html(&format!("above\n\n{mark}\n\nbelow\n\n{mark}\n"));
        assert_eq!(html.matches(EXCERPT_END).count(), 1, "{mark}");
        let (above, below) = html.split_once(EXCERPT_END).unwrap();
        assert!(above.contains("above") && below.contains("below"), "{mark}");
    }
    assert!(!html("a <!-- moreover --> b").contains(EXCERPT_END));
}

#[test]
fn template_code_outside_code_is_reported_where_it_stands() {
    let cases = [
        ("a {{< figure src=\"x\" >}}", Some("`{{<` looks like a Hugo shortcode")),
        ("a\n\n{% include x.html %}", Some("`{%` looks like a Liquid or Zola tag")),
        ("{{ page.title }}", Some("`{{` looks like a template expression")),
        ("![[image.png]]", Some("`![[` looks like an Obsidian embed")),
        ("see [[Note]]", Some("`[[` looks like a wiki link")),
        ("`{{ code }}` and [[ -f x ]]", None),
        ("```\n{% raw %}\n```", None),
        ("{ braces }", None),
    ];
    for (markdown, expected) in cases {
        let warnings =
            Document::parse(&Prepared::plain(markdown, 0), Reading::default()).unwrap().warnings;
        let message = warnings.first().map(|warning| warning.message.as_str());
        assert_eq!(message.is_some(), expected.is_some(), "{markdown}: {message:?}");
        assert!(
            message.unwrap_or_default().starts_with(expected.unwrap_or_default()),
            "{message:?}"
        );
    }
}

#[test]
fn kramdowns_attribute_lists_are_not_shown() {
    assert_eq!(
        html("![a](b){: .wide} text {:toc} {::x} {: open"),
        "<p><img src=\"https://example.org/posts/post/b\" alt=\"a\"> text  {::x} {: open</p>\n"
    );
    assert_eq!(html("`{: .code}`"), "<p><code>{: .code}</code></p>\n");
}

#[test]
fn nesting_that_nobody_reads_is_refused_where_it_begins() {
    let markdown = format!("fine\n\n{}", "> ".repeat(500_000));
    let prepared = Prepared::plain(&markdown, 0);
    let problem = Document::parse(&prepared, Reading::default()).err().unwrap().remove(0);
    assert_eq!(problem.code, "post-too-complex");
    assert!(problem.span.unwrap().start >= 6);
}
