//! Whether git is at work where the posts are: what it checks out is one change, not one for each file.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files that git holds while it changes the work trees around the folders.
#[derive(Debug, Default)]
pub(super) struct Locks {
    files: Vec<PathBuf>,
    /// Locks that outlasted our patience. Git leaves one behind when it is killed, and nobody shall wait for that twice.
    leftovers: Vec<(PathBuf, Option<SystemTime>)>,
}

impl Locks {
    /// Looks for the work trees that `folders` lie in.
    pub(super) fn find<'a>(&mut self, folders: impl Iterator<Item = &'a PathBuf>) {
        self.files = folders
            .filter_map(|folder| folder.ancestors().find_map(git_folder))
            .map(|git| git.join("index.lock"))
            .collect();
        self.files.dedup();
    }

    /// Whether git changes files right now.
    pub(super) fn held(&self) -> bool {
        self.current().any(|lock| !self.leftovers.contains(&lock))
    }

    /// Whoever holds a lock now has had his time.
    pub(super) fn give_up(&mut self) {
        self.leftovers = self.current().collect();
    }

    fn current(&self) -> impl Iterator<Item = (PathBuf, Option<SystemTime>)> {
        self.files.iter().filter_map(|file| {
            let modified = fs::metadata(file).ok()?.modified().ok();
            Some((file.clone(), modified))
        })
    }
}

/// Where git keeps its own files for the work tree at `folder`. In a linked work tree and in a submodule `.git` is a file
/// that says so.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(".git");
    let metadata = fs::metadata(&path).ok()?;
    if metadata.is_dir() {
        return Some(path);
    }
    if !metadata.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(4096).read_to_string(&mut text).ok()?;
    Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_the_work_tree_around_counts_until_patience_ends() {
        let tree = tempfile::TempDir::new().unwrap();
        let posts = tree.path().join("content/posts");
        fs::create_dir_all(&posts).unwrap();
        fs::create_dir(tree.path().join(".git")).unwrap();
        let lock = tree.path().join(".git/index.lock");
        let mut locks = Locks::default();
        locks.find([posts].iter());
        assert!(!locks.held());
        fs::write(&lock, "").unwrap();
        assert!(locks.held());
        locks.give_up();
        assert!(!locks.held(), "left behind");
        let later =
            fs::metadata(&lock).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
        fs::File::options().write(true).open(&lock).unwrap().set_modified(later).unwrap();
        assert!(locks.held(), "another one");
    }

    #[test]
    fn a_lock_that_is_left_behind_hides_no_other() {
        let tree = tempfile::TempDir::new().unwrap();
        let folders = ["one", "two"].map(|name| tree.path().join(name));
        let lock = |folder: &Path| folder.join(".git/index.lock");
        for folder in &folders {
            fs::create_dir_all(folder.join(".git")).unwrap();
        }
        fs::write(lock(&folders[0]), "").unwrap();
        let mut locks = Locks::default();
        locks.find(folders.iter());
        locks.give_up();
        assert!(!locks.held());
        fs::write(lock(&folders[1]), "").unwrap();
        assert!(locks.held(), "of the other work tree");
    }

    #[test]
    fn a_linked_work_tree_says_where_its_lock_is() {
        let tree = tempfile::TempDir::new().unwrap();
        let posts = tree.path().join("linked/posts");
        let git = tree.path().join("main/.git/worktrees/linked");
        fs::create_dir_all(&posts).unwrap();
        fs::create_dir_all(&git).unwrap();
        fs::write(tree.path().join("linked/.git"), "gitdir: ../main/.git/worktrees/linked\n")
            .unwrap();
        fs::write(git.join("index.lock"), "").unwrap();
        let mut locks = Locks::default();
        locks.find([posts].iter());
        assert!(locks.held());
    }
}
