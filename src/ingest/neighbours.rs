//! What lies beside a post: the sizes of its images, so that pages don't jump when they come, and the posts that it names.

use std::cell::RefCell;
use std::fs;
use std::path::{Component, Path};

use url::Url;

use super::names::{Asked, Names};
use crate::content::Neighbours;

/// Files in the folder of a post, which is somewhere in a folder of posts.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    /// The folder of posts. Nothing outside of it is looked at.
    pub(super) root: &'a Path,
    /// The file of the post.
    pub(super) post: &'a Path,
    pub(super) names: &'a Names,
    /// Index of the folder into `config.posts`.
    pub(super) folder: usize,
    /// BCP 47 tag of the post, as far as its path tells.
    pub(super) language: &'a str,
    /// What it asked for by name: it is to be read again when that leads elsewhere.
    pub(super) asked: RefCell<Asked>,
}

impl Neighbours for Beside<'_> {
    fn link(&self, name: &str) -> Option<Url> {
        let link = self.names.link(name, self.folder, self.language).cloned();
        self.asked.borrow_mut().insert(name.to_owned(), link.clone());
        link
    }

    /// Reads the head of the image, nothing more.
    fn image_size(&self, path: &str) -> Option<(u32, u32)> {
        let path = Path::new(path);
        // `../` is another folder's, and where that is on the site only its own post knows.
        let is_below =
            path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !is_below {
            return None;
        }
        let file = self.post.parent()?.join(path);
        // A post that names many pictures that are not there must not cost two look-ups for each.
        if !fs::metadata(&file).ok()?.is_file() {
            return None;
        }
        // A link to somewhere else is not the folder's.
        let file = fs::canonicalize(&file).ok()?;
        if !file.starts_with(fs::canonicalize(self.root).ok()?) {
            return None;
        }
        let size = imagesize::size(&file).ok()?;
        let fits =
            |length: usize| u32::try_from(length).ok().filter(|it| (1..=20_000).contains(it));
        Some((fits(size.width)?, fits(size.height)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a PNG of 640 by 480.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0";

    #[test]
    fn only_images_below_the_post_have_a_size() {
        let dir = tempfile::TempDir::new().unwrap();
        let bundle = dir.path().join("posts/river");
        fs::create_dir_all(bundle.join("img")).unwrap();
        for name in ["posts/river/img/a b.png", "posts/other.png", "outside.png"] {
            fs::write(dir.path().join(name), PNG).unwrap();
        }
        fs::write(bundle.join("no.png"), b"text").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path().join("outside.png"), bundle.join("link.png"))
            .unwrap();
        let root = dir.path().join("posts");
        let (post, names, asked) = (bundle.join("index.md"), Names::default(), RefCell::default());
        let beside =
            Beside { root: &root, post: &post, names: &names, folder: 0, language: "en", asked };
        assert_eq!(beside.image_size("img/a b.png"), Some((640, 480)));
        assert_eq!(beside.image_size("./img/a b.png"), Some((640, 480)));
        let outside = dir.path().join("outside.png");
        for path in [
            "../other.png",
            "no.png",
            "none.png",
            "img",
            "",
            "link.png",
            &outside.to_string_lossy(),
        ] {
            assert_eq!(beside.image_size(path), None, "{path}");
        }
    }
}
