//! Files as no editor leaves them, all the way from their bytes to a reader (statements 10 to 14, 20 and 21).

use std::time::{Duration, Instant};

use super::*;
use crate::content::{self, FolderRules, SourceFile, Verdict};

/// The post in a file, if it is one.
fn post_in(file: &[u8]) -> Option<Written> {
    let site_url = url("https://example.org/");
    let rules = FolderRules::of_site(&site_url, "/posts/{slug}/");
    let (verdict, _) =
        content::parse(&SourceFile::new("posts/odd.md", "odd.md", file), &rules).ok()?;
    let Verdict::Post(parsed) = verdict else { return None };
    let body = Arc::new(Body { html: parsed.html.clone(), ..Body::default() });
    let id = PostId::mint(&parsed.link);
    Some(Written { post: Arc::new(parsed.into_post(id)), body })
}

/// What a reader of each format gets.
fn arrived(file: &[u8]) -> [Feed; 3] {
    let posts = [post_in(file).unwrap()];
    Format::ALL.map(|format| {
        let document = rendered(format, &posts);
        assert!(ampersands_are_references(format, &document));
        assert!(!document.bytes.starts_with(b"\xEF\xBB\xBF"), "statement 14");
        if format != Format::Json {
            assert!(document.bytes.starts_with(b"<?xml version=\"1.0\""), "statement 14");
        }
        let text = text_of(&document);
        let illegal = |c: char| {
            c < ' ' && !matches!(c, '\t' | '\n' | '\r') || ('\u{FFFE}'..='\u{FFFF}').contains(&c)
        };
        assert!(!text.contains(illegal), "statement 10");
        let feed = read(&document);
        assert_eq!(feed.entries.len(), 1);
        feed
    })
}

fn html_of(feed: &Feed) -> &str {
    body(&feed.entries[0]).unwrap()
}

#[test]
fn statement_10_no_control_character_comes_through() {
    let file = "---\ntitle: \"a\\u000Bb \\x08c \\uFFFE\\uFFFFd\"\ntags: [\"t\\u0001ag\"]\nauthor: \"Ad\\u0002a\"\ndate: 2026-11-01\n\
                ---\n\nOne\u{8}two \u{B}three\u{1F} \u{FFFE}end &#11; &#x1; &#xFFFE;.\n";
    for feed in arrived(file.as_bytes()) {
        let entry = &feed.entries[0];
        assert!(!title(entry).contains(char::is_control), "{}", title(entry));
        assert_eq!(terms(entry).len(), 1);
        assert!(html_of(&feed).contains("two"), "{}", html_of(&feed));
    }
}

#[test]
fn statement_11_what_is_odd_but_legal_arrives_as_it_was_written() {
    let odd = "]]> \u{202E}שלום\u{202C} \u{2028}\u{2029} 👩\u{200D}🚀 🏴\u{E0067}\u{E0062}\u{E007F} e\u{301} \u{FFFD}";
    let file = format!("---\ntitle: '{odd}'\ndate: 2026-11-01\n---\n\n`{odd}`\n");
    let written = post_in(file.as_bytes()).unwrap();
    for feed in arrived(file.as_bytes()) {
        assert_eq!(title(&feed.entries[0]), written.post.title);
        assert!(title(&feed.entries[0]).contains("👩\u{200D}🚀"));
        assert_eq!(html_of(&feed).trim(), written.body.html.trim());
        assert!(html_of(&feed).contains("]]&gt;"), "{}", html_of(&feed));
    }
}

#[test]
fn statement_11_a_line_of_a_megabyte_arrives_whole_and_soon() {
    let line = "a<b ]]> & \"c\" ünï 🐎 ".repeat(45_000);
    let file = format!("---\ntitle: Long\ndate: 2026-11-01\n---\n\n```\n{line}\n```\n");
    let started = Instant::now();
    let written = post_in(file.as_bytes()).unwrap();
    for feed in arrived(file.as_bytes()) {
        assert_eq!(html_of(&feed).trim(), written.body.html.trim());
    }
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[test]
fn statement_12_a_title_with_brackets_and_ampersands_reads_back_as_it_was() {
    let file = "---\ntitle: 'Vec<T> & AT&T &lt;'\ndate: 2026-11-01\n---\n\nx\n";
    let wanted = post_in(file.as_bytes()).unwrap().post.title.clone();
    for feed in arrived(file.as_bytes()) {
        assert_eq!(title(&feed.entries[0]), wanted);
        assert!(wanted.starts_with("Vec<T> & AT&T"), "{wanted}");
    }
}

#[test]
fn statement_10_half_a_surrogate_pair_is_named_or_replaced_but_never_passed_on() {
    let files = [
        "---\ntitle: \"a\\uD83Db\"\ndate: 2026-11-01\n---\n\nx\n",
        "---\ntitle: \"a\\uDE00\\uD83Db\"\ndate: 2026-11-01\n---\n\nx\n",
        "{\"title\": \"a\\uD83Db\", \"date\": \"2026-11-01\"}\n\nx\n",
        "---\ntitle: x\ndate: 2026-11-01\n---\n\nHalf &#xD83D; of it\n",
        "+++\ntitle = \"a\\uD83Db\"\ndate = 2026-11-01\n+++\n\nx\n",
    ];
    for file in files {
        // A file that cannot be read is a problem of its author's, told with line and column; feeds stay as they were.
        if post_in(file.as_bytes()).is_some() {
            arrived(file.as_bytes());
        }
    }
    let raw = b"---\ntitle: x\ndate: 2026-11-01\n---\n\nHalf \xED\xA0\xBD of it\n";
    if post_in(raw).is_some() {
        arrived(raw);
    }
}

#[test]
fn statement_20_nothing_in_a_text_is_relative() {
    let file = "---\ntitle: x\ndate: 2026-11-01\n---\n\n\
                <img src=\"a.png\" srcset=\"a.png 1x, /b.png 2x, //cdn.example.net/c.png 3x\" alt=\"\">\n\n\
                <video poster=\"p.jpg\" src=\"v.mp4\"></video>\n\n\
                [here](#there) and [up](../up) and [mail](mailto:a@example.org)\n\n\
                <blockquote cite=\"/said\">q</blockquote>\n";
    for feed in arrived(file.as_bytes()) {
        let html = html_of(&feed);
        for attribute in ["src=\"", "href=\"", "poster=\"", "cite=\"", "srcset=\""] {
            for value in html.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                for candidate in value.split(", ") {
                    let is_whole =
                        ["https://", "mailto:"].iter().any(|start| candidate.starts_with(start));
                    assert!(is_whole, "{attribute}{value}");
                }
            }
        }
        assert!(html.contains("https://example.org/b.png 2x"), "{html}");
    }
}

#[test]
fn statement_21_scripts_and_handlers_stay_out() {
    let file = "---\ntitle: x\ndate: 2026-11-01\n---\n\n\
                <script>alert(1)</script><p onclick=\"alert(2)\" style=\"position:fixed\">kept</p>\n\n\
                <iframe src=\"https://evil.example/\"></iframe><a href=\"javascript:alert(3)\">x</a>\n\n\
                <form action=\"/x\"><input></form><object data=\"x.swf\"></object>\n\n\
                <style>p{}</style><svg onload=\"alert(4)\"><script>alert(5)</script></svg>\n";
    for feed in arrived(file.as_bytes()) {
        let html = html_of(&feed);
        for out in [
            "<script",
            "onclick",
            "onload",
            "<iframe",
            "javascript:",
            "<form",
            "<object",
            "<style",
            "position",
        ] {
            assert!(!html.contains(out), "{out}: {html}");
        }
        assert!(html.contains("kept"), "{html}");
    }
}
