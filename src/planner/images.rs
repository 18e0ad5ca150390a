//! The images that lie beside posts in their bundles: the only ones that are files here, and that a mail can take along.

use std::fs;
use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::config::Config;
use crate::domain::Written;
use crate::mail::MOST_IMAGE_BYTES;

/// The bytes of the image at `url`, if it lies in the bundle of one of `posts` and is not too large.
pub fn bundle_image(config: &Config, posts: &[Written], url: &str) -> Option<Vec<u8>> {
    let url = Url::parse(url).ok()?;
    posts.iter().find_map(|Written { post, .. }| {
        let inside = relative(&post.link, &url)?;
        let bundle = bundle(config, &post.source)?;
        read(&bundle, &inside)
    })
}

/// What follows a post's own address, as a path that leads down and nowhere else.
fn relative(post: &Url, image: &Url) -> Option<PathBuf> {
    if !post.path().ends_with('/') || post.origin() != image.origin() {
        return None;
    }
    let rest = image.path().strip_prefix(post.path())?;
    // The decoder is one for forms, where `+` means something else.
    let pair = format!("it={}", rest.replace('+', "%2B").replace('&', "%26"));
    let (_, decoded) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
    let path = PathBuf::from(decoded.as_ref());
    let leads_down = path.components().all(|part| matches!(part, Component::Normal(_)));
    (leads_down && !rest.is_empty()).then_some(path)
}

/// The folder of a post whose file is called `index`: what lies in it is the post's.
fn bundle(config: &Config, source: &str) -> Option<PathBuf> {
    let file = config.posts.iter().find_map(|folder| {
        let inside = source.strip_prefix(&folder.name)?.strip_prefix('/')?;
        Some(folder.path.join(inside))
    })?;
    let name = file.file_name()?.to_str()?;
    name.starts_with("index.").then(|| file.parent().map(Path::to_owned)).flatten()
}

fn read(bundle: &Path, inside: &Path) -> Option<Vec<u8>> {
    let file = fs::canonicalize(bundle.join(inside)).ok()?;
    // A link to somewhere else is not the bundle's.
    if !file.starts_with(fs::canonicalize(bundle).ok()?) {
        return None;
    }
    let metadata = fs::metadata(&file).ok()?;
    let fits = usize::try_from(metadata.len()).is_ok_and(|bytes| bytes <= MOST_IMAGE_BYTES);
    (metadata.is_file() && fits).then(|| fs::read(&file).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_a_post_is_looked_for() {
        let path = |post: &str, image: &str| {
            relative(&post.parse().unwrap(), &image.parse().unwrap())
                .map(|path| path.display().to_string())
        };
        let post = "https://example.org/posts/river/";
        assert_eq!(
            path(post, "https://example.org/posts/river/a%20b+c.png?v=1").as_deref(),
            Some("a b+c.png")
        );
        assert_eq!(
            path(post, "https://example.org/posts/river/img/a.png").as_deref(),
            Some("img/a.png")
        );
        for image in [
            "https://example.org/posts/river/",
            "https://example.org/posts/a.png",
            "https://example.com/posts/river/a.png",
            "https://example.org/posts/river/..%2F..%2Fsecrets%2Fmail",
            "https://example.org/posts/river/%2Fetc%2Fpasswd",
        ] {
            assert_eq!(path(post, image), None, "{image}");
        }
        assert_eq!(path("https://example.org/river.html", "https://example.org/a.png"), None);
    }
}
