//! Whether what a post leads to is there: a file beside it, another post, a page of the site as far as we know that.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use crate::config::{Config, PostFolder};
use crate::content::{Page, Reference, percent_decoded};
use crate::domain::{Catalog, Post};

/// More folders than a site has are not remembered.
const MOST_FOLDERS: usize = 10_000;

/// What became of a reference.
pub(super) enum Verdict {
    /// There, or nothing that we can know of.
    Fine,
    Missing {
        code: &'static str,
        message: String,
    },
    /// No post lives at `path`, unless one did.
    Address {
        path: String,
        message: String,
    },
    /// There if the post has that heading; the post itself if none is named.
    Heading {
        post: Option<usize>,
        anchor: String,
        message: String,
    },
}

/// Where posts are.
pub(super) struct Places {
    site: Url,
    folders: Vec<PostFolder>,
    /// Where site generators keep what they only copy, as far as it is there.
    kept: Vec<PathBuf>,
    /// By folder in such a place: where it is there. Each look at the disk is the same for all posts.
    folders_kept: Mutex<HashMap<String, Arc<[PathBuf]>>>,
    /// Index into the posts, by comparable path on the site.
    by_path: HashMap<String, usize>,
    by_source: HashMap<String, usize>,
}

impl Places {
    pub(super) fn of(config: &Config, catalog: &Catalog) -> Self {
        let mut places = Self {
            site: config.site.url.clone(),
            folders: config.posts.clone(),
            kept: kept(config),
            folders_kept: Mutex::default(),
            by_path: HashMap::new(),
            by_source: HashMap::new(),
        };
        for (index, known) in catalog.posts.iter().enumerate() {
            if places.is_on_site(&known.post.link) {
                places.by_path.insert(comparable(known.post.link.path()), index);
            }
            places.by_source.insert(known.post.source.clone(), index);
        }
        places
    }

    /// Judges what `post`, the file at `path`, refers to.
    pub(super) fn judge(&self, reference: &Reference, path: &Path, post: &Post) -> Verdict {
        let target = reference.target.trim();
        if !is_ours_to_judge(target) {
            return Verdict::Fine;
        }
        if let Some(anchor) = target.strip_prefix('#') {
            return heading(None, anchor, target);
        }
        let Ok(url) = post.link.join(target) else { return Verdict::Fine };
        let is_relative = !target.starts_with('/') && Url::parse(target).is_err();
        let bare = percent_decoded(target.split(['?', '#']).next().unwrap_or_default());
        if is_relative && !bare.is_empty() {
            let beside = lexical(&path.with_file_name("").join(&*bare));
            if beside.exists() {
                return match self.source_of(&beside) {
                    Some(index) => heading(Some(index), url.fragment().unwrap_or_default(), target),
                    None => Verdict::Fine,
                };
            }
        }
        if !self.is_on_site(&url) {
            return Verdict::Fine;
        }
        if let Some(index) = self.by_path.get(&comparable(url.path())) {
            return heading(Some(*index), url.fragment().unwrap_or_default(), target);
        }
        if reference.is_image {
            return self.image(&url, is_relative, target);
        }
        self.link(&url, is_relative, target)
    }

    fn image(&self, url: &Url, is_relative: bool, target: &str) -> Verdict {
        let (is_there, is_kept_here) = self.in_static(url.path());
        if is_there || !(is_relative || is_kept_here) {
            return Verdict::Fine;
        }
        let message = format!("there is no image `{target}`");
        Verdict::Missing { code: "post-image-missing", message }
    }

    fn link(&self, url: &Url, is_relative: bool, target: &str) -> Verdict {
        let message = format!("`{target}` leads nowhere");
        let path = url.path();
        let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
        let is_file = extension.is_some_and(|extension| {
            !extension.eq_ignore_ascii_case("html") && extension.chars().any(char::is_alphabetic)
        });
        let (is_there, is_kept_here) = self.in_static(path);
        if is_there {
            return Verdict::Fine;
        }
        if is_file && (is_relative || is_kept_here) {
            return Verdict::Missing { code: "post-link-broken", message };
        }
        if self.folders.iter().any(|folder| is_post_address(&folder.permalink, path)) {
            return Verdict::Address { path: comparable(path), message };
        }
        // A page of the site that no post is.
        Verdict::Fine
    }

    /// Whether a file for `path` lies where site generators keep what they only copy, and whether its folder does.
    fn in_static(&self, path: &str) -> (bool, bool) {
        let path = percent_decoded(path);
        let Some(within) = path.strip_prefix('/').filter(|within| !within.contains("..")) else {
            return (false, false);
        };
        let Some((folder, name)) = within.rsplit_once('/') else {
            return (self.kept.iter().any(|place| place.join(within).is_file()), false);
        };
        let places = self.places_with(folder);
        (places.iter().any(|place| place.join(name).is_file()), !places.is_empty())
    }

    /// The folders called `folder` in the places where files are kept. Many links lead into few folders.
    fn places_with(&self, folder: &str) -> Arc<[PathBuf]> {
        let lock = || self.folders_kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(folder) {
            return Arc::clone(known);
        }
        let places = self.kept.iter().map(|place| place.join(folder));
        let found: Arc<[PathBuf]> = places.filter(|place| place.is_dir()).collect();
        let mut known = lock();
        if known.len() < MOST_FOLDERS {
            known.insert(folder.to_owned(), Arc::clone(&found));
        }
        found
    }

    fn source_of(&self, file: &Path) -> Option<usize> {
        self.folders.iter().find_map(|folder| {
            let within = file.strip_prefix(&folder.path).ok()?;
            let within = within.to_string_lossy().replace('\\', "/");
            self.by_source.get(&format!("{}/{within}", folder.name)).copied()
        })
    }

    fn is_on_site(&self, url: &Url) -> bool {
        url.origin() == self.site.origin()
    }
}

/// Around each folder of posts, up to the project's own: the folder itself, and those that generators copy as they are.
fn kept(config: &Config) -> Vec<PathBuf> {
    let around = config.posts.iter().flat_map(|folder| {
        folder.path.ancestors().take_while(|around| around.starts_with(&config.root))
    });
    let places = around
        .flat_map(|around| ["", "static", "public", "assets", "src"].map(|name| around.join(name)));
    let places: BTreeSet<PathBuf> = places.filter(|place| place.is_dir()).collect();
    places.into_iter().collect()
}

/// A path of the site without what makes no difference: a slash or `index.html` at the end, escapes.
pub(super) fn comparable(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix("index.html").unwrap_or(path);
    let path = path.strip_suffix(".html").unwrap_or(path);
    percent_decoded(path).trim_end_matches('/').to_lowercase()
}

/// Not other sites, other schemes, and code that only a site generator understands.
fn is_ours_to_judge(target: &str) -> bool {
    let is_code = target.contains(['{', '}', '<', '$']) || target.starts_with(['@', '~', '%']);
    let is_elsewhere = target.starts_with("//")
        || Url::parse(target).is_ok_and(|url| !matches!(url.scheme(), "http" | "https"));
    !(target.is_empty() || is_code || is_elsewhere)
}

fn heading(post: Option<usize>, fragment: &str, target: &str) -> Verdict {
    let fragment = percent_decoded(fragment);
    let anchor = Page::anchor(&fragment);
    // Footnotes, text fragments and the top are nobody's heading.
    let is_made =
        ["fn", ":~:", "top", "user-content-"].iter().any(|made| fragment.starts_with(made));
    if anchor.is_empty() || is_made {
        return Verdict::Fine;
    }
    let message = format!("`{target}` leads to a heading that is not there");
    Verdict::Heading { post, anchor, message }
}

/// Whether only a post can live at `path`, by the pattern of a folder: it must begin with a word of its own or a date.
fn is_post_address(pattern: &str, path: &str) -> bool {
    let wanted: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let given: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_marked =
        wanted.first().is_some_and(|first| !first.contains('{') || first.contains("{year}"));
    let fits = |(wanted, given): (&&str, &&str)| match *wanted {
        "{year}" => given.len() == 4 && given.bytes().all(|b| b.is_ascii_digit()),
        "{month}" | "{day}" => given.len() == 2 && given.bytes().all(|b| b.is_ascii_digit()),
        wanted if wanted.contains('{') => true,
        wanted => wanted == *given,
    };
    // The list of a year's posts, and what numbers them, are pages.
    let is_page = given
        .last()
        .is_some_and(|last| *last == "page" || last.bytes().all(|b| b.is_ascii_digit()));
    is_marked && wanted.len() == given.len() && !is_page && wanted.iter().zip(&given).all(fits)
}

/// Without `.` and `..`, and without looking at the disk.
fn lexical(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_a_posts_address_is_one() {
        for (pattern, path, expected) in [
            ("/posts/{slug}/", "/posts/hello/", true),
            ("/posts/{slug}/", "/posts/hello", true),
            ("/posts/{slug}/", "/posts/", false),
            ("/posts/{slug}/", "/posts/2/", false),
            ("/posts/{slug}/", "/about/me/", false),
            ("/{slug}/", "/about/", false),
            ("/{year}/{month}/{slug}", "/2024/01/hello", true),
            ("/{year}/{month}/{slug}", "/2024/01/", false),
            ("/{year}/{month}/{slug}", "/tags/01/hello", false),
            ("/{lang}/posts/{slug}/", "/en/posts/hello/", false),
        ] {
            assert_eq!(is_post_address(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn other_sites_and_code_of_site_generators_are_not_judged() {
        for target in
            ["", "mailto:a@b.c", "//cdn.example.net/x", "{{ site.url }}/x", "@/blog/x.md", "data:,"]
        {
            assert!(!is_ours_to_judge(target), "{target}");
        }
        for target in ["a.md", "/a/", "../b", "#c", "https://example.org/a"] {
            assert!(is_ours_to_judge(target), "{target}");
        }
        assert_eq!(percent_decoded("a%20b%C3%A4%zz%"), "a bä%zz%");
    }
}
