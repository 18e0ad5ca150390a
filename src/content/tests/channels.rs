//! Blocks that only one channel shows, and that no other must.

use super::dialects::{html, post};
use super::{post_at, problems, text_of};

#[test]
fn blocks_for_one_channel_are_seen_by_no_other() {
    let body = "\
Both.

<!-- email-only -->
Only *mail*[^1].

[^1]: A note in mail.
<!-- /email-only -->

:::web-only
Only web.
:::

<div class=\"email-only\"><div>Mail</div> again</div>

A <!-- web-only -->web<!-- /web-only --><!-- email-only -->mail<!-- /email-only --> word.[^2]

[^2]: For all.
";
    let post = post("hello.md", body);
    insta::assert_snapshot!(format!(
        "{}\n---- mail\n{}\n---- text\n{}",
        post.html,
        post.mail_html.as_ref().unwrap(),
        text_of(&post)
    ));
}

#[test]
fn what_only_mail_shows_is_neither_title_nor_summary() {
    let text = "---\ndate: 2024-01-15\n---\n<!-- email-only -->\n# Secret\n\nHush.\n<!-- /email-only -->\n\n# Open\n\nWords.\n";
    let post = post_at("hello.md", text);
    assert_eq!((post.title.as_str(), post.summary.as_str()), ("Open", "Words."));
    assert!(post.mail_html.unwrap().contains("Hush."));
}

#[test]
fn a_block_for_one_channel_that_does_not_end_where_it_began_is_an_error() {
    let bodies = [
        "a\n\n<!-- email-only -->\nb",
        "a\n\n- b <!-- email-only -->\n- c <!-- /email-only -->",
        "<!-- email-only -->\n<!-- web-only -->\na\n<!-- /web-only -->\n<!-- /email-only -->",
        "a <!-- /email-only -->",
        "<div class=\"email-only\">\n\na",
        ":::email-only\n\na",
        "> :::email-only\n\n<!-- email-only -->\n\n> <!-- /email-only -->",
    ];
    let shown: Vec<String> = bodies
        .iter()
        .map(|body| {
            let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}\n");
            problems("hello.md", text.as_bytes())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
    assert_eq!(html("x <!-- other-only -->"), "<p>x </p>");
}

#[test]
fn marks_of_channels_are_known_wherever_and_however_they_are_written() {
    let bodies = [
        "<!-- EMAIL-ONLY -->\nHush\n<!-- /Email-Only -->",
        "<div class=\"Email-Only\">Hush</div>",
        ":::Email-Only\nHush\n:::",
        "> :::email-only\n> Hush\n> :::",
        "> quoted\n> ::: email-only\n> Hush\n> :::\n> quoted",
        "- :::email-only\n  Hush\n  :::\n- b",
        "12) > :::email-only\n    > Hush\n    > :::",
        "a[^1]\n\n[^1]: note\n\n    :::email-only\n    Hush\n    :::",
        "> :::note Title\n>\n> :::email-only\n> Hush\n> :::\n> x\n> :::",
    ];
    let components = [
        "<Preview>\n\n:::email-only\nHush\n:::\n\n</Preview>",
        "<Script src=\"a\" />\n\n:::email-only\nHush\n:::\n\n<STYLE>x</STYLE>",
        "<StyleGuide />\n\n{/* Email-Only */}\n\nHush\n\n{/* /email-only */}\n\n<pre>x</pre>",
        "<Tabs>\n    :::note Title\n    b\n    :::\n    :::email-only\n    Hush\n    :::\n</Tabs>",
    ];
    let all = bodies.iter().map(|body| ("hello.md", *body));
    for (name, body) in all.chain(components.iter().map(|body| ("hello.mdx", *body))) {
        let post = post(name, body);
        assert!(!post.html.contains("Hush") && !post.html.contains(":::"), "{body}: {}", post.html);
        let mail = post.mail_html.unwrap();
        assert!(mail.contains("Hush") && !mail.contains(":::"), "{body}: {mail}");
    }
}

#[test]
fn a_mark_that_nothing_reads_as_one_is_an_error_unless_it_is_meant_to_be_seen() {
    for body in [
        "# :::email-only\n\nHush",
        "::: {.email-only}\nHush\n:::",
        ":::[web-only]\nHush\n:::",
        "|a|\n|-|\n|:::Email-Only|",
        "{/* email-only */}\n\nHush\n\n{/* /email-only */}",
        "[^1]\n\n[^1]: :::email-only\n    Hush\n    :::",
    ] {
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}\n");
        let told = problems("hello.md", text.as_bytes());
        assert!(told.contains("is no mark here"), "{body}: {told}");
    }
    for body in ["\\:::email-only", "`:::email-only`", "    :::email-only", "a :::email-only b"] {
        assert!(html(body).contains(":::email-only"), "{body}");
    }
    assert_eq!(html("{% raw %}:::email-only{% endraw %}"), "<p>:::email-only</p>");
}

#[test]
fn what_only_one_channel_shows_is_no_summary_of_the_post() {
    let summary = |body: &str| post("hello.md", body).summary;
    assert_eq!(summary("<!-- web-only -->\nOnly web.\n<!-- /web-only -->\n\nBoth."), "Both.");
    assert_eq!(summary("<!-- email-only -->\nOnly mail.\n<!-- /email-only -->\n\nBoth."), "Both.");
    assert_eq!(summary(":::web-only\nOnly web.\n:::"), "");
    let excerpt = ":::web-only\nWeb.\n:::\n\nOne.\n\nTwo.\n\n<!--more-->\n\nThree.";
    assert_eq!(summary(excerpt), "One. Two.");
}
