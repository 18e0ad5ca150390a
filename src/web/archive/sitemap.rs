//! `/sitemap.xml` and `/robots.txt`: where search engines find the posts, and when each changed.
//!
//! A sitemap names the addresses that posts have on the author's site, with the dates that their authors gave them: engines
//! that once met a date that was none do not believe the others.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::answer::Page;
use crate::config::Config;
use crate::domain::LivePost;

/// Addresses in one file at most, as the protocol of sitemaps.org has it.
const MOST: usize = 50_000;
const XML: &str = "application/xml; charset=utf-8";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const SCHEMA: &str = "xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"";

/// Which of the sitemap's files is at `path`: 0 is the one that `robots.txt` names.
pub(super) fn at(path: &str) -> Option<usize> {
    match path.strip_prefix("/sitemap")?.strip_suffix(".xml")? {
        "" => Some(0),
        number => {
            let number = number.strip_prefix('-')?;
            let at: usize = number.parse().ok()?;
            (at > 0 && at.to_string() == number).then_some(at)
        }
    }
}

/// All files of the sitemap: one, or an index and those that it names.
pub(super) fn pages(config: &Config, posts: &[LivePost]) -> Vec<Page> {
    pages_of(config, posts, MOST)
}

fn pages_of(config: &Config, posts: &[LivePost], most: usize) -> Vec<Page> {
    // Oldest first: a new post changes the last file only.
    let here = posts.iter().rev().filter(|it| {
        let canonical = it.post.canonical.as_ref();
        canonical.is_none_or(|canonical| canonical.host() == config.site.url.host())
    });
    let urls: Vec<(&str, Timestamp)> = here
        .map(|it| {
            (it.post.canonical.as_ref().unwrap_or(&it.post.link).as_str(), it.post.changed_at())
        })
        .collect();
    if urls.len() <= most {
        return vec![Page::new("/sitemap.xml".to_owned(), list("urlset", "url", &urls), XML)];
    }
    let files: Vec<&[(&str, Timestamp)]> = urls.chunks(most).collect();
    let name = |at: usize| format!("{}sitemap-{at}.xml", config.server.public_url);
    let named: Vec<(String, Timestamp)> = files
        .iter()
        .enumerate()
        .map(|(at, urls)| {
            let newest = urls.iter().map(|(_, changed)| *changed).max();
            (name(at + 1), newest.unwrap_or_default())
        })
        .collect();
    let named: Vec<(&str, Timestamp)> = named.iter().map(|(url, at)| (url.as_str(), *at)).collect();
    let index = Page::new("/sitemap.xml".to_owned(), list("sitemapindex", "sitemap", &named), XML);
    let parts = files.iter().enumerate().map(|(at, urls)| {
        Page::new(format!("/sitemap-{}.xml", at + 1), list("urlset", "url", urls), XML)
    });
    std::iter::once(index).chain(parts).collect()
}

fn list(root: &str, element: &str, entries: &[(&str, Timestamp)]) -> String {
    let mut xml = format!("{HEAD}<{root} {SCHEMA}>\n");
    for (url, at) in entries {
        let url = escaped(url);
        let at = at.strftime("%Y-%m-%dT%H:%M:%SZ");
        writeln!(xml, "<{element}><loc>{url}</loc><lastmod>{at}</lastmod></{element}>")
            .expect("a string takes every character");
    }
    xml + &format!("</{root}>\n")
}

fn escaped(url: &str) -> String {
    url.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}

/// Pages whose addresses are keys or are the operator's are nothing for search engines.
pub(super) fn robots(config: &Config) -> Page {
    let mut text = "User-agent: *\n".to_owned();
    let base = config.server.public_url.path();
    for path in ["confirm/", "unsubscribe/", "outbox", "status"] {
        writeln!(text, "Disallow: {base}{path}").expect("a string takes every character");
    }
    if config.archive.enabled {
        let url = &config.server.public_url;
        writeln!(text, "\nSitemap: {url}sitemap.xml").expect("a string takes every character");
    }
    Page::new("/robots.txt".to_owned(), text, "text/plain; charset=utf-8")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{BodyId, Post};

    #[test]
    fn each_file_has_one_address_only() {
        assert_eq!(at("/sitemap.xml"), Some(0));
        assert_eq!(at("/sitemap-12.xml"), Some(12));
        for other in
            ["/sitemap-0.xml", "/sitemap-01.xml", "/sitemap-.xml", "/sitemap1.xml", "/sitemap"]
        {
            assert_eq!(at(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn what_is_too_much_for_one_file_is_in_several_that_an_index_names() {
        let house = crate::audience::fixture::House::new().await;
        let day = |day: &str| format!("2026-01-{day}T08:00:00Z").parse().unwrap();
        let post = |slug: &str, at: &str| Post::bare(slug, day(at));
        let elsewhere =
            Post { canonical: Some("https://other.example/x".parse().unwrap()), ..post("x", "04") };
        let odd = Post {
            link: "https://example.org/?a=1&b='2'".parse().unwrap(),
            updated_at: Some(day("09")),
            ..post("b", "02")
        };
        let live = |post| LivePost { post: Arc::new(post), body: BodyId(1) };
        let posts = [elsewhere, post("c", "03"), odd, post("a", "01")].map(live);
        let texts = |most| -> Vec<String> {
            let pages = pages_of(&house.config, &posts, most);
            pages.iter().map(|page| format!("{}\n{}", page.path, page.text())).collect()
        };
        insta::assert_snapshot!(texts(3).join("\n"));
        insta::assert_snapshot!(texts(2).join("\n"));
    }
}
