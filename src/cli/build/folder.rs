//! A folder of files that were made: what is new is written, what is stale removed, and what others put there stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

/// Lists what was made, a path a line.
const MANIFEST: &str = ".postrider-build";
/// Where files are until all of them are there.
const UNFINISHED: &str = ".postrider-build.unfinished";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) written: usize,
    pub(super) removed: usize,
}

/// Makes `folder` hold `files`, by path with `/`. Everything is written beside first, so that a full disk changes nothing; then
/// each file takes its place at once.
pub(super) fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<Written> {
    fs::create_dir_all(folder)?;
    let before = made_before(folder)?;
    let mut new = Vec::new();
    for (name, bytes) in files {
        match fs::read(folder.join(name)) {
            Ok(known) if known == *bytes => {}
            Ok(_) if !before.contains(name) => bail!(
                "`{name}` is there already and was not made by `build`: move it away, or name another folder"
            ),
            _ => new.push((name, bytes)),
        }
    }
    let unfinished = folder.join(UNFINISHED);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).context("clear what an interrupted build left")?;
    }
    for (name, bytes) in &new {
        let path = unfinished.join(name);
        make_parent(&path)?;
        fs::write(&path, bytes).with_context(|| format!("write `{name}`"))?;
    }
    // Both lists, until what is stale is gone: whatever happens in between, nothing of ours becomes somebody else's.
    let all: BTreeSet<&str> =
        before.iter().map(String::as_str).chain(files.keys().map(String::as_str)).collect();
    note(folder, all.iter().copied())?;
    for (name, _) in &new {
        let path = folder.join(name);
        make_parent(&path)?;
        fs::rename(unfinished.join(name), &path)
            .with_context(|| format!("put `{name}` in place"))?;
    }
    let stale: Vec<&String> = before.iter().filter(|name| !files.contains_key(*name)).collect();
    for name in &stale {
        remove(folder, name)?;
    }
    note(folder, files.keys().map(String::as_str))?;
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    Ok(Written { written: new.len(), removed: stale.len() })
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

fn note<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> anyhow::Result<()> {
    let text: String = names.flat_map(|name| [name, "\n"]).collect();
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

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
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
        let first =
            files(&[("feed.xml", "1"), ("posts/a/index.html", "a"), ("posts/b/index.html", "b")]);
        assert_eq!(write(&folder, &first).unwrap(), Written { written: 3, removed: 0 });
        fs::write(folder.join("CNAME"), "example.org").unwrap();
        fs::write(folder.join("posts/b/photo.jpg"), "jpg").unwrap();
        assert_eq!(write(&folder, &first).unwrap(), Written { written: 0, removed: 0 });
        let second = files(&[("feed.xml", "2")]);
        assert_eq!(write(&folder, &second).unwrap(), Written { written: 1, removed: 2 });
        assert_eq!(names(&folder), [".postrider-build", "CNAME", "feed.xml", "posts/b/photo.jpg"]);
        assert!(!folder.join("posts/a").exists());
    }

    #[test]
    fn a_file_of_somebody_else_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("feed.xml"), "by hand").unwrap();
        let made = files(&[("atom.xml", "a"), ("feed.xml", "made")]);
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
        write(&folder, &files(&[("feed.xml", "1")])).unwrap();
        assert!(outside.exists());
    }
}
