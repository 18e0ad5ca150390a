//! Keys that look like slips of the pen.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::super::front_matter::Entry;
use super::Found;

/// No key that is read is longer.
const LONGEST: usize = 30;

/// Where a summary is found; see `header`.
pub(super) const SUMMARY: [&str; 8] = [
    "description",
    "summary",
    "excerpt",
    "customexcerpt",
    "subtitle",
    "metadescription",
    "abstract",
    "preview",
];

/// What Postrider reads, as authors write it.
const READ: &str = "title date publishDate pubDate publishedDate publishedAt datePublished pubDatetime published created \
    createdAt updated updatedDate updatedAt lastmod lastModified modified modDatetime expires expiryDate unpublishDate \
    description summary excerpt subtitle abstract preview image cover coverImage heroImage ogImage featureImage \
    featuredImage thumbnail banner images hero draft published status visibility unlisted private slug permalink url path \
    canonicalURL canonical originalUrl guid uuid id lang language locale author authors tags tag keywords categories \
    category series taxonomies extra params aliases postrider translationKey email crosspost social subject preheader \
    topics notify sendAt";

/// What the engines and their themes read besides, and a few words that people use: no slips.
const KNOWN: &str = "layout type weight toc math mathjax katex mermaid comments comment pin pinned featured hidden template \
    theme sidebar navigation nav menu menus order parent eleventyNavigation eleventyExcludeFromCollections \
    eleventyComputed pagination collections templateEngineOverride redirectFrom redirectTo alias redirect redirects cascade \
    build outputs markup resources headless isCJKLanguage linkTitle header footer head meta metaTitle metaDescription seo \
    robots sitemap sticky share showToc tocOpen showDate showAuthor photos photo alt caption credit video audio links link \
    source sources via rating location city country place places mood music weather data datePosted name names state stage \
    time times timezone page pages part parts level label labels topic color colour class classes style styles css js \
    script scripts icon logo lead intro text body content contents related references license copyright version versions \
    note notes todo done public publish visible export exports import imports components slugs dates titles ordering \
    readingTime reading readTime wordCount words isDraft saveAsDraft ignorePost render inSearchIndex insertAnchorLinks \
    sortBy paginateBy paginatePath transparent generateFeed generateFeeds pageTemplate inPath hideTitle hideTableOfContents \
    sidebarLabel sidebarPosition paginationNext paginationPrev lastUpdate customEditUrl tableOfContents imageAlt imgAlt img \
    heroAlt coverAlt imageCaption socialImage twitter opengraph og mastodon bluesky syndication inReplyTo likeOf repostOf \
    bookmarkOf category_id postId wordpressId ghostId cssclass cssclasses creationDate modificationDate dg-publish size \
    side site kind kinds mode model module format formats index log slides slide event events edition editor editors";

/// Every key that is no slip, as they are compared.
static NO_SLIPS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    READ.split_whitespace().chain(KNOWN.split_whitespace()).map(comparable).collect()
});

/// Each key that is read, as it is compared and as authors write it.
static TARGETS: LazyLock<Vec<(String, &str)>> =
    LazyLock::new(|| READ.split_whitespace().map(|key| (comparable(key), key)).collect());

/// Each key on top that nothing reads, and that is nearly one that something reads.
pub(super) fn unknown(entries: &[Entry]) -> Vec<Found> {
    let mut found = Vec::new();
    // As many as anybody writes: each is compared with all.
    for entry in entries.iter().take(super::MOST_OF_A_KIND) {
        let key = comparable(&entry.key);
        if key.chars().count() > LONGEST || NO_SLIPS.contains(&key) {
            continue;
        }
        if let Some(near) = nearest(&key) {
            let message = format!("`{}` is no key that Postrider reads", entry.key);
            let mut one = Found::new("post-key-unknown", message, entry.key_span.clone());
            one.help = Some(format!("did you mean `{near}`?"));
            found.push(one);
        }
    }
    found
}

/// The key that is one slip away, two in long ones.
fn nearest(key: &str) -> Option<&'static str> {
    TARGETS
        .iter()
        .filter(|(known, _)| known.len() >= 4)
        .map(|(known, written)| (strsim::osa_distance(key, known), known.len(), *written))
        .filter(|(slips, length, _)| *slips <= if *length < 8 { 1 } else { 2 })
        .min_by_key(|(slips, _, _)| *slips)
        .map(|(_, _, written)| written)
}

fn comparable(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}
