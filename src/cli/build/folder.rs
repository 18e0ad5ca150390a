//! A folder of files that were made: what is new is written, what is stale removed, and what others put there stays.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use walkdir::WalkDir;

/// Lists what was made, a path a line.
const MANIFEST: &str = ".postrider-build";
/// Where files are until all of them are there.
const UNFINISHED: &str = ".postrider-build.unfinished";

/// What became of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// All that the folder has from us now.
    pub(super) files: usize,
    pub(super) written: usize,
    pub(super) removed: usize,
}

/// A build under way. What is new lies beside until all of it is there, so that a full disk changes nothing; then each file takes
/// its place at once. Dropped before that, it leaves the folder as it was.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What the build before this one made.
    before: BTreeSet<String>,
    /// What this one makes, by path with `/`.
    made: BTreeSet<String>,
    /// Those of `made` that are not in the folder yet.
    new: Vec<String>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path)?;
        let before = made_before(path)?;
        let folder = Self { path: path.to_owned(), before, made: BTreeSet::new(), new: Vec::new() };
        folder.clear().context("clear what an interrupted build left")?;
        Ok(folder)
    }

    /// Takes a file in. It is on the disk when this returns, and nowhere in memory.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        if self.made.contains(name) {
            bail!("two pages would be the file `{name}`");
        }
        let is_new = match fs::read(self.path.join(name)) {
            Ok(known) if known == bytes => false,
            Ok(_) if self.before.contains(name) => true,
            Ok(_) => bail!(
                "`{name}` is there already and was not made by `build`: move it away, or name another folder"
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            // A page became a folder, or a folder a page: what was there goes with what is stale.
            Err(_) if self.is_in_our_way(name) => true,
            Err(error) => {
                return Err(error).with_context(|| format!("read `{name}`, which is there"));
            }
        };
        if is_new {
            let path = self.unfinished().join(name);
            make_parent(&path)?;
            fs::write(&path, bytes).with_context(|| format!("write `{name}`"))?;
            self.new.push(name.to_owned());
        }
        self.made.insert(name.to_owned());
        Ok(())
    }

    /// Whether what keeps `name` from being a file is something that an earlier build made.
    fn is_in_our_way(&self, name: &str) -> bool {
        let is_ours = |file: &Path| {
            let name = file.strip_prefix(&self.path).ok().and_then(Path::to_str);
            name.is_some_and(|name| self.before.contains(name))
        };
        let mut below = WalkDir::new(self.path.join(name)).into_iter();
        above(name).any(|it| self.before.contains(it))
            || below.all(|it| it.is_ok_and(|it| it.file_type().is_dir() || is_ours(it.path())))
    }

    /// Puts everything in place, and removes what is stale.
    pub(super) fn finish(mut self) -> anyhow::Result<Tally> {
        // Both lists, until all is in place: whatever happens in between, nothing of ours becomes somebody else's.
        let all: BTreeSet<&String> = self.before.union(&self.made).collect();
        note(&self.path, all.into_iter())?;
        let new = std::mem::take(&mut self.new);
        let folders: HashSet<&str> = new.iter().flat_map(|name| above(name)).collect();
        let stale: Vec<&String> = self.before.difference(&self.made).collect();
        let removed = stale.len();
        // What is where something new comes goes first, all else when that is in place.
        let is_in_the_way = |name: &&String| {
            folders.contains(name.as_str()) || above(name).any(|it| self.made.contains(it))
        };
        let (first, last): (Vec<&String>, Vec<&String>) =
            stale.into_iter().partition(is_in_the_way);
        for name in first {
            remove(&self.path, name)?;
        }
        for name in &new {
            let path = self.path.join(name);
            make_parent(&path)?;
            fs::rename(self.unfinished().join(name), &path)
                .with_context(|| format!("put `{name}` in place"))?;
        }
        for name in last {
            remove(&self.path, name)?;
        }
        note(&self.path, self.made.iter())?;
        Ok(Tally { files: self.made.len(), written: new.len(), removed })
    }

    fn unfinished(&self) -> PathBuf {
        self.path.join(UNFINISHED)
    }

    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.unfinished()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is cleared by the next build, and in nobody's way.
        let _ = self.clear();
    }
}

/// The folders that `name` is in.
fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

fn make_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).with_context(|| format!("make the folder `{}`", parent.display()))
}

/// What an earlier build made. A line that leads out of the folder is nobody's.
fn made_before(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = match fs::read_to_string(folder.join(MANIFEST)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error).with_context(|| format!("read `{MANIFEST}`")),
    };
    let is_inside = |line: &&str| {
        let mut parts = Path::new(line).components();
        !line.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    Ok(text.lines().filter(is_inside).map(str::to_owned).collect())
}

fn note<'a>(folder: &Path, names: impl Iterator<Item = &'a String>) -> anyhow::Result<()> {
    let text: String = names.flat_map(|name| [name.as_str(), "\n"]).collect();
    let unfinished = folder.join(format!("{MANIFEST}.new"));
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, folder.join(MANIFEST)))
        .with_context(|| format!("write `{MANIFEST}`"))
}

/// Removes a file, and the folders that it was the last one in.
fn remove(folder: &Path, name: &str) -> anyhow::Result<()> {
    let mut path: PathBuf = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("remove `{name}`"));
        }
        _ => {}
    }
    // One with something in it stays: that is what `remove_dir` says no to.
    while path.pop() && path != folder && fs::remove_dir(&path).is_ok() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) -> anyhow::Result<Tally> {
        let mut folder = Folder::open(folder)?;
        for (name, text) in files {
            folder.put(name, text.as_bytes())?;
        }
        folder.finish()
    }

    fn wrote(files: usize, written: usize, removed: usize) -> Tally {
        Tally { files, written, removed }
    }

    fn names(folder: &Path) -> Vec<String> {
        let all = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
        all.filter_map(Result::ok)
            .filter(|it| it.file_type().is_file())
            .map(|it| it.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn what_is_stale_goes_and_what_others_put_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("public");
        let first = [("feed.xml", "1"), ("posts/a/index.html", "a"), ("posts/b/index.html", "b")];
        assert_eq!(write(&folder, &first).unwrap(), wrote(3, 3, 0));
        fs::write(folder.join("CNAME"), "example.org").unwrap();
        fs::write(folder.join("posts/b/photo.jpg"), "jpg").unwrap();
        assert_eq!(write(&folder, &first).unwrap(), wrote(3, 0, 0));
        assert_eq!(write(&folder, &[("feed.xml", "2")]).unwrap(), wrote(1, 1, 2));
        assert_eq!(names(&folder), [".postrider-build", "CNAME", "feed.xml", "posts/b/photo.jpg"]);
        assert!(!folder.join("posts/a").exists());
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("feed.xml"), "by hand").unwrap();
        let made = [("atom.xml", "a"), ("feed.xml", "made")];
        let error = write(dir.path(), &made).unwrap_err().to_string();
        assert!(error.starts_with("`feed.xml` is there already"), "{error}");
        assert_eq!(names(dir.path()), ["feed.xml"], "nothing was written");
        assert_eq!(fs::read_to_string(dir.path().join("feed.xml")).unwrap(), "by hand");
    }

    #[test]
    fn a_list_that_was_tampered_with_removes_nothing_outside() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("public");
        fs::create_dir(&folder).unwrap();
        let outside = dir.path().join("precious");
        fs::write(&outside, "x").unwrap();
        fs::write(folder.join(MANIFEST), format!("../precious\n{}\n", outside.display())).unwrap();
        write(&folder, &[("feed.xml", "1")]).unwrap();
        assert!(outside.exists());
    }
    #[test]
    fn a_page_may_become_a_folder_and_a_folder_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let (page, folder) = ([("a.html", "1"), ("b", "x")], [("a.html/index.html", "1")]);
        write(dir.path(), &page).unwrap();
        assert_eq!(write(dir.path(), &folder).unwrap(), wrote(1, 1, 2));
        assert_eq!(names(dir.path()), [".postrider-build", "a.html/index.html"]);
        assert_eq!(write(dir.path(), &page).unwrap(), wrote(2, 2, 1));
        assert_eq!(names(dir.path()), [".postrider-build", "a.html", "b"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_taken_for_absent() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("posts"), "by hand").unwrap();
        let error = write(dir.path(), &[("feed.xml", "1"), ("posts/a/index.html", "a")]);
        let error = format!("{:#}", error.unwrap_err());
        assert!(error.starts_with("read `posts/a/index.html`, which is there: "), "{error}");
        assert_eq!(names(dir.path()), ["posts"], "nothing was written");
    }

    #[test]
    fn two_pages_are_never_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = write(dir.path(), &[("a", "1"), ("a", "2")]).unwrap_err().to_string();
        assert_eq!(error, "two pages would be the file `a`");
    }
}
