//! `/sitemap.xml` and `/robots.txt`: where search engines find the posts, and when each changed.
//!
//! A sitemap names the addresses that posts have on the author's site, with the dates that their authors gave them: engines
//! that once met a date that was none do not believe the others.

use std::fmt::Write as _;

use jiff::Timestamp;
use url::Url;

use super::answer::Page;
use super::index::Index;
use super::post::canonical;
use crate::config::Config;
use crate::domain::LivePost;
use crate::web::page;

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
pub(super) fn pages(config: &Config, posts: &[LivePost], index: &Index) -> Vec<Page> {
    pages_of(config, (posts, index), MOST)
}

fn pages_of(config: &Config, (posts, index): (&[LivePost], &Index), most: usize) -> Vec<Page> {
    // Oldest first: a new post changes the last file only.
    let all = posts.iter().enumerate().rev();
    let here =
        all.filter(|(_, it)| it.post.canonical.as_ref().is_none_or(|url| is_ours(config, url)));
    let urls: Vec<(String, Timestamp)> = here
        .map(|(at, it)| (canonical(config, &it.post, index.path(at)), it.post.changed_at()))
        .collect();
    let urls: Vec<(&str, Timestamp)> = urls.iter().map(|(url, at)| (&**url, *at)).collect();
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

/// Whether an address is of the author's site, or of this one: those of others are theirs to tell.
fn is_ours(config: &Config, url: &Url) -> bool {
    [&config.site.url, &config.server.public_url]
        .iter()
        .any(|base| page::below(base, url).is_some())
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
    // The whole address where it is one page: posts may begin alike.
    for path in ["confirm/", "unsubscribe/", "outbox$", "outbox/", "status$"] {
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
    async fn a_post_that_is_at_home_on_another_site_is_for_that_one_to_tell_of() {
        let mut config = crate::audience::fixture::House::new().await.config;
        config.site.url = "https://example.org/blog/".parse().unwrap();
        let at = "2026-01-02T08:00:00Z".parse().unwrap();
        let post = |canonical: &str| Post {
            canonical: Some(Box::new(canonical.parse().unwrap())),
            ..Post::bare(canonical, at)
        };
        let all = [
            "https://example.org/blog/here/",
            "https://news.example.org/here/",
            "https://example.org/shop/",
            "https://example.org:8443/blog/port/",
            "http://example.org/blog/scheme/",
            "https://other.example/blog/",
        ];
        let live = |url: &&str| LivePost { post: Arc::new(post(url)), body: BodyId(1) };
        let posts: Vec<LivePost> = all.iter().map(live).collect();
        let map = pages(&config, &posts, &Index::new(&config, &posts))[0].text().to_owned();
        let told: Vec<bool> =
            all.iter().map(|url| map.contains(&format!("<loc>{url}</loc>"))).collect();
        assert_eq!(told, [true, true, false, false, false, false], "{map}");
    }

    #[tokio::test]
    async fn what_is_too_much_for_one_file_is_in_several_that_an_index_names() {
        let house = crate::audience::fixture::House::new().await;
        let day = |day: &str| format!("2026-01-{day}T08:00:00Z").parse().unwrap();
        let post = |slug: &str, at: &str| Post::bare(slug, day(at));
        let elsewhere = Post {
            canonical: Some(Box::new("https://other.example/x".parse().unwrap())),
            ..post("x", "04")
        };
        let odd = Post {
            link: "https://example.org/?a=1&b='2'".parse().unwrap(),
            updated_at: Some(day("09")),
            ..post("b", "02")
        };
        let live = |post| LivePost { post: Arc::new(post), body: BodyId(1) };
        let posts = [elsewhere, post("c", "03"), odd, post("a", "01")].map(live);
        let texts = |most| -> Vec<String> {
            let index = Index::new(&house.config, &posts);
            let pages = pages_of(&house.config, (&posts, &index), most);
            pages.iter().map(|page| format!("{}\n{}", page.path, page.text())).collect()
        };
        insta::assert_snapshot!(texts(3).join("\n"));
        insta::assert_snapshot!(texts(2).join("\n"));
    }
}
