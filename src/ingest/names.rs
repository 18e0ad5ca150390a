//! What posts call one another in links between notes and in `ref`s -> where each lives.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use url::Url;

use super::files;
use super::reading::ToRead;
use super::{FileState, Ingest};
use crate::config::PostFolder;
use crate::content;

/// The posts by their names: path and name of the file, and slug.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, Vec<Named>>);

/// What a post asked for by name, and what it was told.
pub(super) type Asked = BTreeMap<String, Option<Url>>;

/// A post that may be meant.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// Index into `config.posts`.
    pub(super) folder: usize,
    pub(super) language: String,
    pub(super) link: Url,
}

impl Names {
    /// Takes in a post whose file is at `within` its folder.
    pub(super) fn add(&mut self, within: &str, slug: &str, named: &Named) {
        let path = plain(within);
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let mut keys = vec![slug.to_lowercase(), name, path];
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.0.entry(key).or_default().push(named.clone());
        }
    }

    /// The post that one in `folder`, in `language`, calls `name`: its neighbours first. None: nobody is called so, or
    /// several are.
    pub(super) fn link(&self, name: &str, folder: usize, language: &str) -> Option<&Url> {
        let name = plain(name);
        let mut path = name.trim_start_matches(['@', '.', '/']);
        let named = loop {
            match (self.0.get(path), path.split_once('/')) {
                (Some(named), _) => break named,
                // Engines count from the folder of all content.
                (None, Some((_, rest))) => path = rest,
                (None, None) => return None,
            }
        };
        let near = |it: &&Named| (it.folder == folder, it.language == language);
        let nearest = named.iter().map(|it| near(&it)).max()?;
        let mut meant = named.iter().filter(|it| near(it) == nearest).map(|it| &it.link);
        let first = meant.next()?;
        meant.all(|link| link == first).then_some(first)
    }
}

impl Ingest {
    /// Looks anew where names lead, and says which posts were told otherwise. Those wrote a wrong address.
    pub(super) fn misled(&mut self) -> Vec<ToRead> {
        if self.naming.is_empty() {
            self.names = Arc::default();
            return Vec::new();
        }
        let mut names = Names::default();
        for (source, state) in &self.files {
            let folder = &self.config.posts[state.folder];
            if let Some((slug, named)) = state.named() {
                names.add(within(folder, source), slug, &named);
            }
        }
        let is_misled = |source: &str, state: &FileState| {
            let folder = &self.config.posts[state.folder];
            let language = content::language_in_path(within(folder, source));
            let language = language.or(folder.language.as_deref());
            let language = language.unwrap_or(&self.config.site.language);
            let mut asked = state.asked.iter();
            asked.any(|(name, told)| names.link(name, state.folder, language) != told.as_ref())
        };
        let misled = self.naming.iter().filter_map(|source| {
            let state = self.files.get(source).filter(|state| is_misled(source, state))?;
            let folder = &self.config.posts[state.folder];
            let found = files::looked_at(folder, &folder.path.join(within(folder, source)))?;
            Some(ToRead { folder: state.folder, found, anew: true })
        });
        let misled = misled.collect();
        self.names = Arc::new(names);
        misled
    }
}

impl FileState {
    /// The post that it is: its slug, and where it lives.
    fn named(&self) -> Option<(&str, Named)> {
        let folder = self.folder;
        let named = |language: &String, link: &Url| Named {
            folder,
            language: language.clone(),
            link: link.clone(),
        };
        if let Some(fresh) = self.reading.fresh() {
            let parsed = &fresh.parsed;
            return Some((&parsed.slug, named(&parsed.language, &parsed.link)));
        }
        let post = &self.post.as_ref()?.post;
        Some((&post.slug, named(&post.language, &post.link)))
    }
}

fn within<'s>(folder: &PostFolder, source: &'s str) -> &'s str {
    source.strip_prefix(folder.name.as_str()).unwrap_or(source).trim_start_matches('/')
}

/// A path without what readers don't say: extension, `index`, case.
fn plain(path: &str) -> String {
    let path = path.trim().trim_end_matches('/').to_lowercase();
    let bare = [".md", ".mdx", ".markdown"].iter().find_map(|it| path.strip_suffix(it));
    let bare = bare.unwrap_or(&path);
    ["/index", "/_index"].iter().find_map(|it| bare.strip_suffix(it)).unwrap_or(bare).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(posts: &[(&str, &str, usize, &str)]) -> Names {
        let mut names = Names::default();
        for (within, slug, folder, language) in posts {
            let link = format!("https://example.org/{folder}/{language}/{slug}/").parse().unwrap();
            let post = Named { folder: *folder, language: (*language).to_owned(), link };
            names.add(within, slug, &post);
        }
        names
    }

    #[track_caller]
    fn leads(names: &Names, name: &str, to: Option<&str>) {
        let found = names.link(name, 0, "en").map(Url::path);
        assert_eq!(found, to, "{name}");
    }

    #[test]
    fn a_post_is_called_by_file_path_or_slug() {
        let names = names(&[("trips/2024-05-01-The River.md", "river", 0, "en")]);
        for name in [
            "2024-05-01-the river",
            "trips/2024-05-01-The River.md",
            "@/blog/trips/2024-05-01-The River.md",
            "../trips/2024-05-01-The River",
            "River",
        ] {
            leads(&names, name, Some("/0/en/river/"));
        }
        leads(&names, "trips", None);
        leads(&names, "", None);
    }

    #[test]
    fn a_folder_with_an_index_is_called_like_the_folder() {
        let names = names(&[("walks/river/index.md", "river", 0, "en")]);
        leads(&names, "walks/river", Some("/0/en/river/"));
        leads(&names, "river/index.md", Some("/0/en/river/"));
    }

    #[test]
    fn neighbours_in_the_same_language_are_meant_first_and_of_equals_none() {
        let versions = [("river.md", "river", 0, "en"), ("river.es.md", "river", 0, "es")];
        leads(&names(&versions), "river", Some("/0/en/river/"));
        let elsewhere = [("river.md", "river", 1, "en"), ("river.md", "river", 0, "de")];
        leads(&names(&elsewhere), "river", Some("/0/de/river/"));
        let equals = [("a/notes.md", "notes-a", 0, "en"), ("b/notes.md", "notes-b", 0, "en")];
        leads(&names(&equals), "notes", None);
        leads(&names(&equals), "b/notes", Some("/0/en/notes-b/"));
    }
}
