//! Translations: which posts are the same in another language.

use std::collections::HashMap;

use jiff::Timestamp;
use url::Url;

use super::{Catalog, Channel, Post, PostId, QueuedRelease, Releases};

/// A version of a post in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// BCP 47 tag.
    pub language: String,
    pub link: Url,
}

/// What all versions of a post share, and no other post has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VersionKey {
    /// The author says so.
    Named(String),
    /// The path, but for what says the language.
    Path(String),
}

/// Docusaurus keeps translations of its blog here, below `i18n/LANGUAGE`.
const DOCUSAURUS_BLOG: &str = "docusaurus-plugin-content-blog";

impl VersionKey {
    /// `name.es.md`, `es/name.md` and `i18n/es/docusaurus-plugin-content-blog/name.md` are versions of `name.md`.
    pub fn of(post: &Post) -> Self {
        if let Some(key) = &post.translation_key {
            return Self::Named(key.to_lowercase());
        }
        let mut parts: Vec<&str> = post.source.split('/').collect();
        let file = parts.pop().unwrap_or_default();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let stem = match stem.rsplit_once('.') {
            Some((name, tag)) if means(tag, &post.language) => name,
            Some(_) | None => stem,
        };
        if let [rest @ .., "i18n", tag, DOCUSAURUS_BLOG] = parts.as_slice()
            && means(tag, &post.language)
        {
            parts = rest.iter().copied().chain(["blog"]).collect();
        } else if let Some(at) = parts.iter().position(|part| means(part, &post.language)) {
            parts.remove(at);
        }
        if stem != "index" || parts.len() < 2 {
            parts.push(stem);
        }
        Self::Path(parts.join("/"))
    }
}

/// Whether a part of a path such as `es`, `pt_br` or `PT-BR` stands for `language`.
fn means(part: &str, language: &str) -> bool {
    let part = part.replace('_', "-");
    let primary = language.split('-').next().unwrap_or(language);
    part.eq_ignore_ascii_case(language) || part.eq_ignore_ascii_case(primary)
}

/// The posts that are out, by what ties their versions together.
#[derive(Debug)]
pub struct Versions<'a>(HashMap<VersionKey, Vec<&'a Post>>);

impl Catalog {
    /// What is out in the feeds at `now`: what a release or a queue keeps back is not to be given away by another version.
    pub fn versions(
        &self,
        releases: &Releases,
        taken: &HashMap<PostId, QueuedRelease>,
        now: Timestamp,
    ) -> Versions<'_> {
        let mut versions: HashMap<VersionKey, Vec<&Post>> = HashMap::new();
        for known in self.posts.iter().filter(|known| !known.is_expired(now)) {
            if releases.due(&known.post, &Channel::Feeds, taken).is_live(now) {
                versions.entry(VersionKey::of(&known.post)).or_default().push(&known.post);
            }
        }
        Versions(versions)
    }
}

impl Versions<'_> {
    /// The other versions of `post`, one a language, in order of language.
    pub fn of(&self, post: &Post) -> Vec<Translation> {
        let all = self.0.get(&VersionKey::of(post)).into_iter().flatten();
        let others = other_languages(post, all.map(|other| ((), *other)));
        let translation = |((), other): ((), &Post)| {
            let link = other.canonical.as_deref().unwrap_or(&other.link).clone();
            Translation { language: other.language.clone(), link }
        };
        others.into_iter().map(translation).collect()
    }
}

/// Those of `versions` that are `post` in another language, one a language, in order of language. Each has along whatever the
/// caller knows it by.
pub fn other_languages<'a, K>(
    post: &Post,
    versions: impl IntoIterator<Item = (K, &'a Post)>,
) -> Vec<(K, &'a Post)> {
    let others = versions.into_iter();
    let others = others.filter(|(_, it)| it.language != post.language && it.id != post.id);
    let mut found: Vec<(K, &Post)> = others.collect();
    found.sort_by(|(_, a), (_, b)| (&a.language, &a.source).cmp(&(&b.language, &b.source)));
    found.dedup_by(|(_, a), (_, b)| a.language == b.language);
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Release;
    use crate::domain::catalog::tests::known_post;
    use crate::domain::post::tests::{at, post};

    fn version(source: &str, language: &str) -> Post {
        let source = source.to_owned();
        Post { source: source.clone(), language: language.to_owned(), ..post(&source, "03-01") }
    }

    #[test]
    fn versions_are_told_by_suffix_by_folder_and_by_docusaurus_layout() {
        let same = |a: (&str, &str), b: (&str, &str)| {
            let (a, b) = (version(a.0, a.1), version(b.0, b.1));
            assert_eq!(VersionKey::of(&a), VersionKey::of(&b), "{} {}", a.source, b.source);
        };
        same(("posts/a.md", "en"), ("posts/a.es.md", "es"));
        same(("posts/a.md", "en"), ("posts/es/a.mdx", "es"));
        same(("posts/a/index.md", "en"), ("posts/a/index.pt-br.md", "pt-BR"));
        same(("posts/a/index.md", "en"), ("posts/a.fr.md", "fr"));
        same(("content/en/blog/a.md", "en"), ("content/pt_BR/blog/a.md", "pt-BR"));
        same(("blog/a.md", "en"), ("i18n/es/docusaurus-plugin-content-blog/a.md", "es"));
    }

    #[test]
    fn other_posts_are_no_versions() {
        let other = |a: (&str, &str), b: (&str, &str)| {
            let (a, b) = (version(a.0, a.1), version(b.0, b.1));
            assert_ne!(VersionKey::of(&a), VersionKey::of(&b), "{} {}", a.source, b.source);
        };
        other(("posts/a.md", "en"), ("posts/b.es.md", "es"));
        other(("posts/a.md", "en"), ("posts/es/a.md", "fr"));
        other(("posts/a/index.md", "en"), ("posts/b/index.fr.md", "fr"));
    }

    #[test]
    fn a_key_ties_versions_together_wherever_they_are() {
        let keyed = |source, language| Post {
            translation_key: Some("Tea".to_owned()),
            ..version(source, language)
        };
        let (tea, the) = (keyed("posts/tea.md", "en"), keyed("posts/le-the.md", "fr"));
        let mut catalog = Catalog::default();
        let known = [tea.clone(), the.clone(), version("posts/tea.de.md", "de")];
        let posts = known.map(known_post);
        catalog.posts = Arc::new(posts.to_vec());
        let french = Translation { language: "fr".to_owned(), link: the.link.clone() };
        let of_tea = |releases: &Releases, day| {
            catalog.versions(releases, &HashMap::new(), at(day)).of(&tea)
        };
        let freely = Releases::default();
        assert_eq!(of_tea(&freely, "03-02"), std::slice::from_ref(&french));
        assert_eq!(of_tea(&freely, "02-01"), [], "they are not out yet");
        let release = Release { post: the.id.to_string(), at: at("03-05"), channels: None };
        let later = Releases { releases: vec![release], ..Releases::default() };
        assert_eq!(of_tea(&later, "03-02"), [], "a release keeps it back");
        assert_eq!(of_tea(&later, "03-06"), [french]);
    }
}
