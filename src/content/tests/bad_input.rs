//! What is broken is told; what is hostile is answered in time; nothing panics.

use proptest::prelude::*;
use url::Url;

use super::super::*;
use super::{post_at, problems, read, text_of};

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
        ("---.md", b"---\ndate: 2024-01-15\nslug: a\n---\ntext\n".to_vec()),
        ("placeholder.md", b"---\ntitle: A\ndate: Last Modified\n---\n".to_vec()),
        ("long.md", long_title.into_bytes()),
        (
            "heading.md",
            format!("---\ndate: 2024-01-15\n---\n# {}\n", "x".repeat(10_000)).into_bytes(),
        ),
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
        ("huge.md", vec![b'x'; source::MAX_FILE_BYTES + 1]),
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
        "&".repeat(20_000),
        "|a".repeat(2_000) + "\n" + &"|-".repeat(2_000) + "\n" + &"|\n".repeat(5_000),
        "<a href=x srcset='".repeat(20_000),
        "</p>".repeat(50_000),
        "<script>".repeat(50_000),
        "{{<".repeat(50_000),
        "{{< highlight x >}}".repeat(20_000),
        "{% raw %}".repeat(20_000) + "endraw",
        "{% highlight a %}\n\n".repeat(20_000) + "{% endhighlight %}",
        "{{< highlight x >}}".repeat(20_000) + &" ".repeat(400_000) + "/highlight",
        "{% raw %} endraw ".repeat(40_000),
        "[[".repeat(100_000),
        "[[a]]".repeat(50_000),
        "%%".repeat(100_000),
        "a %% b\n".repeat(30_000),
        ":::note\n".repeat(30_000),
        ":::note\n".repeat(10_000) + &":::\n".repeat(10_000),
        "> [!x] y\n\n".repeat(20_000),
        "==a ".repeat(50_000),
        "<!-- email-only -->".repeat(20_000),
        "<div class=\"email-only\">".repeat(10_000),
    ];
    for body in bodies {
        in_time("a.md", &body);
    }
    let bodies = [
        "{".repeat(100_000),
        "{/*".repeat(50_000),
        "<A ".repeat(50_000),
        "<A b={".repeat(50_000),
        "<A>\n  ".repeat(30_000),
        "export const a = {\n".repeat(20_000),
        "export const a = (\n".to_owned() + &"(\n".repeat(100_000),
        "import a from 'b'\n".repeat(30_000),
        // Two values that together are longer than a tag may be.
        format!("<A b={{\"{0}\"}} c={{\"{0}\"}} />", "x".repeat(10_000)),
        format!("<A {{\"{0}\"}} {{\"{0}\"}} />", "x".repeat(10_000)),
    ];
    for body in bodies {
        in_time("a.mdx", &body);
    }
}

fn in_time(name: &str, body: &str) {
    let started = std::time::Instant::now();
    let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}");
    let _ = read(name, text.as_bytes());
    let seconds = started.elapsed().as_secs();
    assert!(seconds < 60, "{seconds} s for {}", &body[..20]);
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
    assert_eq!(references.html, "<p>abc</p>");
    assert_eq!(text_of(&references), "abc");
}

/// A table holds no link, and a link no other: the parser moves the second in front of the table, and so into the first.
#[test]
fn a_link_that_stands_where_none_can_is_published_where_every_parser_sees_it() {
    let post = post_at(
        "a.md",
        "---\ntitle: T\ndate: 2024-01-15\n---\n<p>--></p>javascript:x<a href=\"<a href=\"\"><table><iframe src=/x>",
    );
    assert_eq!(
        post.html,
        "<p>--&gt;</p>javascript:x<a href=\"https://example.org/posts/a/%3Ca%20href=\"></a>\
         <a href=\"https://example.org/x\">example.org</a><table></table>"
    );
    assert_eq!(sanitise::clean(&post.html), Some(post.html));
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
                "<pre>", "<form>", "</a>", "<h2>", "&#11;",
                "{{< youtube dQw4w9WgXcQ >}}", "{{< figure src=a >}}", "{{<", ">}}", "{% raw %}", "{% endraw %}", "{% highlight js %}",
                "{% endhighlight %}", "[[n]]", "![[i.png|3]]", "%%", "\n%%\n", "\n:::note t\n", "\n:::\n", "\n:::email-only\n",
                "<!-- email-only -->", "<!-- /email-only -->", "<div class=\"web-only\">", "</div>", "==", "> [!x] y\n", "<A b={1}>",
                "</A>", "<A/>", "{", "}", "import x from 'y'\n", "{/* c */}", "<Image src=\"i\"/>", "\n  ",
            ]),
            0..40,
        ),
        mdx in any::<bool>(),
    ) {
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{}", pieces.concat());
        if let Ok((Verdict::Post(post), _)) = read(if mdx { "a.mdx" } else { "a.md" }, text.as_bytes()) {
            let mail = post.mail_html.clone().unwrap_or_default();
            prop_assert_eq!(sanitise::clean(&mail), Some(mail));
            prop_assert!(!post.html.contains(markdown::OWN_MARK));
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
            prop_assert_eq!(sanitise::clean(&post.html), Some(post.html));
        }
    }
}
