//! Whole files, in every notation of front matter: each is a post, kept back, or told what is wrong with it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use postrider::content::{FolderRules, SourceFile, Verdict, parse};
use postrider::domain::{DateSource, Diagnostic};
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let site_url = Url::parse("https://example.org/blog").expect("a URL");
    let rules = FolderRules {
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        ..FolderRules::of_site(&site_url, "/{year}/{section}/{slug}/")
    };
    let file = SourceFile::new("posts/a.md", "a.md", bytes);
    match parse(&file, &rules) {
        Ok((Verdict::Post(post), _)) => assert!(!post.title.is_empty() && !post.slug.is_empty()),
        Ok(_) => {}
        Err(problems) => assert!(problems.iter().any(Diagnostic::is_error)),
    }
});
