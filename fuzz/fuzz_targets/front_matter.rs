//! Whole files, in every notation of front matter: each is a post, kept back, or told what is wrong with it.

#![no_main]

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use postrider::content::{FolderRules, SourceFile, Verdict, parse};
use postrider::domain::{DateSource, Diagnostic};
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let site_url = Url::parse("https://example.org/blog").expect("a URL");
    let rules = FolderRules {
        site_url: &site_url,
        permalink: "/{year}/{section}/{slug}/",
        language: "en",
        time_zone: &TimeZone::UTC,
        default_author: None,
        names: &BTreeMap::new(),
        authors: &BTreeMap::new(),
        presets: &[],
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        destinations: None,
        highlight: true,
        smart_punctuation: false,
        excerpt_separator: None,
    };
    let file = SourceFile::new("posts/a.md", "a.md", bytes);
    match parse(&file, &rules) {
        Ok((Verdict::Post(post), _)) => assert!(!post.title.is_empty() && !post.slug.is_empty()),
        Ok(_) => {}
        Err(problems) => assert!(problems.iter().any(Diagnostic::is_error)),
    }
});
