//! Markdown and MDX -> what feeds and mails show: no scripts, and nothing that the next parser reads otherwise.

#![no_main]


use libfuzzer_sys::fuzz_target;
use postrider::content::{FolderRules, SourceFile, Verdict, highlighted, parse, plain_text};
use postrider::domain::DateSource;
use url::Url;

fuzz_target!(|input: (bool, &str)| {
    let (mdx, body) = input;
    let site_url = Url::parse("https://example.org").expect("a URL");
    let rules = FolderRules {
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        smart_punctuation: true,
        ..FolderRules::of_site(&site_url, "/posts/{slug}/")
    };
    let text = format!("---\ntitle: T\ndate: 2024-01-15\n---\n{body}");
    let within = if mdx { "a.mdx" } else { "a.md" };
    let file = SourceFile::new(within, within, text.as_bytes());
    let Ok((Verdict::Post(post), _)) = parse(&file, &rules) else { return };
    for html in [Some(post.html), post.mail_html].into_iter().flatten() {
        let lower = html.to_ascii_lowercase();
        for tag in ["<script", "<style", "<iframe", "<object", "<form", "<svg"] {
            assert!(!lower.contains(tag), "{html}");
        }
        assert_eq!(plain_text(&highlighted(&html)), plain_text(&html));
    }
});
