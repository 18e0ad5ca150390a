//! What of a post folder is not looked at: leftovers of editors and sync programs by their names, and what its author lists.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::domain::{Diagnostic, Position};

/// Lists what is not to be looked at, by the rules of `.gitignore`, for the folder it is in and all below.
pub const IGNORE_FILE: &str = ".postriderignore";

/// A list longer than this is no list that somebody wrote.
const MOST_BYTES: u64 = 64 * 1024;

/// The rules for one post folder.
#[derive(Debug)]
pub struct Ignored {
    folder: PathBuf,
    /// The rules of the folders around the last path, the outermost first.
    levels: Vec<Gitignore>,
    /// The folders below around the last path that `leaves_out` was asked about, and whether each is left alone.
    around: Vec<(PathBuf, bool)>,
    problems: Vec<(PathBuf, Diagnostic)>,
}

impl Ignored {
    /// With the rules that lie in `folder` itself.
    pub fn within(folder: &Path) -> Self {
        let mut ignored = Self {
            folder: folder.to_owned(),
            levels: Vec::new(),
            around: Vec::new(),
            problems: Vec::new(),
        };
        ignored.enter(folder);
        ignored
    }

    /// Whether the file at `path` is to be left alone, or a folder around it is. For any path; of many in their order, each
    /// list is read once.
    pub fn leaves_out(&mut self, path: &Path) -> bool {
        let Ok(within) = path.strip_prefix(&self.folder) else { return false };
        while self.around.last().is_some_and(|(folder, _)| !is_below(path, folder)) {
            self.around.pop();
        }
        let known = self.around.len();
        let mut at = self.around.last().map_or_else(|| self.folder.clone(), |it| it.0.clone());
        let mut parts = within.components().skip(known).peekable();
        while let Some(part) = parts.next() {
            if self.around.last().is_some_and(|(_, is_left_alone)| *is_left_alone) {
                return true;
            }
            at.push(part);
            let is_folder = parts.peek().is_some();
            let is_left_alone = self.skips(&at, is_folder);
            if !is_folder {
                return is_left_alone;
            }
            self.around.push((at.clone(), is_left_alone));
        }
        false
    }

    /// Whether `path` is to be left alone. Asked from the top down: each folder before what is in it. One that is not left
    /// alone has its own rules read.
    pub fn skips(&mut self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if is_leftover(&name) {
            return true;
        }
        while self.levels.last().is_some_and(|level| !path.starts_with(level.path())) {
            self.levels.pop();
        }
        let verdict = self.levels.iter().rev().map(|level| level.matched(path, is_folder));
        if verdict.into_iter().find(|verdict| !verdict.is_none()).is_some_and(|it| it.is_ignore()) {
            return true;
        }
        if is_folder {
            self.enter(path);
        }
        false
    }

    /// What is wrong with the lists that were read, and in which.
    pub fn into_problems(self) -> Vec<(PathBuf, Diagnostic)> {
        self.problems
    }

    fn enter(&mut self, folder: &Path) {
        let file = folder.join(IGNORE_FILE);
        // Never opens a pipe, which would wait for its writer.
        if !fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            return;
        }
        match read(&file) {
            Ok(text) => {
                let (rules, problems) = rules(folder, &text);
                self.levels.extend(rules);
                self.problems.extend(problems.into_iter().map(|problem| (file.clone(), problem)));
            }
            Err(error) => {
                let message = format!("the list of what to ignore cannot be read: {error}");
                let problem = Diagnostic::warning("ignore-file", message)
                    .effect("nothing that it lists is ignored");
                self.problems.push((file, problem));
            }
        }
    }
}

/// Whether `path` is something in `folder`, not the folder itself.
fn is_below(path: &Path, folder: &Path) -> bool {
    path.parent().is_some_and(|parent| parent.starts_with(folder))
}

fn read(file: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("it is larger than {} kB", MOST_BYTES / 1024);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The rules that can be read, and what is wrong with the others.
fn rules(folder: &Path, text: &str) -> (Option<Gitignore>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut builder = GitignoreBuilder::new(folder);
    let text = text.trim_start_matches('\u{feff}');
    for (index, line) in text.lines().enumerate() {
        if let Err(error) = builder.add_line(None, line) {
            let position = Position { line: index + 1, column: 1 };
            problems.push(unreadable(&error).at(text, position));
        }
    }
    match builder.build() {
        Ok(rules) => (Some(rules), problems),
        Err(error) => {
            problems.push(unreadable(&error));
            (None, problems)
        }
    }
}

fn unreadable(error: &ignore::Error) -> Diagnostic {
    Diagnostic::warning("ignore-file", format!("this is no pattern: {error}"))
        .effect("nothing is ignored because of it")
        .help("patterns are those of `.gitignore`, one a line")
}

/// Hidden files, what editors and sync programs leave behind, and other people's code.
pub(super) fn is_leftover(name: &str) -> bool {
    const ENDINGS: [&str; 11] = [
        "~",
        ".swp",
        ".swo",
        ".swx",
        ".bak",
        ".orig",
        ".rej",
        ".tmp",
        ".temp",
        ".part",
        ".crdownload",
    ];
    name.starts_with('.')
        // Office and Emacs, while a file is open.
        || name.starts_with("~$")
        || (name.starts_with('#') && name.ends_with('#'))
        || ENDINGS.iter().any(|ending| ends_with(name, ending))
        // Vim creates this one to see whether it may write.
        || name == "4913"
        || name == "node_modules"
        || is_conflict(name)
}

/// The second version of a file that was changed in two places: Syncthing, Dropbox, Nextcloud, ownCloud. Each puts the day
/// behind the word, or the whole in parentheses: a post may be about conflicts.
fn is_conflict(name: &str) -> bool {
    if !name.contains("onfl") {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let after =
        |word: &'static str| name.match_indices(word).map(|(at, it)| &name[at + it.len()..]);
    let is_dated = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let is_copy =
        |rest: &str| rest.starts_with(')') || rest.strip_prefix(' ').is_some_and(is_dated);
    after(".sync-conflict-").any(is_dated)
        || after("_conflict-").any(is_dated)
        || after(" conflicted copy").any(is_copy)
        || after("(conflicted copy").any(is_copy)
}

fn ends_with(name: &str, ending: &str) -> bool {
    let at = name.len().checked_sub(ending.len());
    at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ignored(folder: &Path, path: &Path) -> bool {
        Ignored::within(folder).leaves_out(path)
    }

    #[test]
    fn leftovers_of_editors_and_of_sync_programs_are_no_posts() {
        for name in [
            ".git",
            ".obsidian",
            ".trash",
            ".hello.md.swp",
            ".#hello.md",
            "#hello.md#",
            "hello.md~",
            "~$hello.md",
            "hello.md.bak",
            "hello.md.orig",
            "hello.md.TMP",
            "hello.md.crdownload",
            "4913",
            "node_modules",
            "hello.sync-conflict-20240115-101500-ABCDEFG.md",
            "hello (Ann's conflicted copy 2024-01-15).md",
            "hello (conflicted copy 2024-01-15 1015).md",
            "hello (Ann's conflicted copy).md",
            "hello_conflict-20240115-101500.md",
        ] {
            assert!(is_leftover(name), "{name}");
        }
        for name in ["hello.md", "the-conflict.md", "49134.md", "origins.md", "ä~ö.md", "bak", "ß"]
        {
            assert!(!is_leftover(name), "{name}");
        }
        for name in [
            "merge_conflict-free-trees.md",
            "What is a conflicted copy.md",
            "Sync (how a conflicted copy comes about).md",
            "on.sync-conflict-resolution.md",
            "~home.md",
            "#100DaysOfCode.md",
        ] {
            assert!(!is_leftover(name), "{name} is somebody's post");
        }
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_list_counts_for_all_below_and_a_deeper_one_has_the_last_word() {
        let folder = tree(&[
            (IGNORE_FILE, "# notes\n*.txt.md\n/private/\n!/private/kept.md\nold/*\n!old/good.md\n"),
            ("deep/.postriderignore", "!keep.txt.md\nlocal.md\n"),
        ]);
        let is_ignored = |name: &str| is_ignored(folder.path(), &folder.path().join(name));
        for name in ["a.txt.md", "deep/er/a.txt.md", "private/a.md", "private/kept.md", "old/a.md"]
        {
            assert!(is_ignored(name), "{name}");
        }
        for name in ["a.md", "deep/keep.txt.md", "deep/private/a.md", "old/good.md", "local.md"] {
            assert!(!is_ignored(name), "{name}");
        }
        assert!(is_ignored("deep/local.md"));
        assert!(is_ignored(".git/a.md"));
    }

    #[test]
    fn many_paths_are_judged_as_each_alone_and_each_list_is_read_once() {
        let mut files = vec![
            (IGNORE_FILE.to_owned(), "private/\n*.txt.md\n"),
            ("b/.postriderignore".to_owned(), "local.md\n[z-a]\n"),
            ("private/.postriderignore".to_owned(), "[z-a]\n"),
        ];
        for folder in ["", "b/", "b/c/", "b/c-d/", "bc/", "private/", "private/x/", "private/x/y/"]
        {
            files.extend(
                ["a.md", "a.txt.md", "local.md"].map(|name| (format!("{folder}{name}"), "")),
            );
        }
        let names: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, *text)).collect();
        let folder = tree(&names);
        let mut paths: Vec<PathBuf> =
            names.iter().map(|(name, _)| folder.path().join(name)).collect();
        paths.sort();
        let mut ignored = Ignored::within(folder.path());
        for path in &paths {
            assert_eq!(
                ignored.leaves_out(path),
                is_ignored(folder.path(), path),
                "{}",
                path.display()
            );
        }
        assert_eq!(ignored.into_problems().len(), 1, "the list in b/, and once");
        let mut ignored = Ignored::within(folder.path());
        for path in paths.iter().rev() {
            assert_eq!(
                ignored.leaves_out(path),
                is_ignored(folder.path(), path),
                "{}",
                path.display()
            );
        }
        assert!(!ignored.leaves_out(Path::new("/elsewhere/private/a.md")));
        assert!(!ignored.leaves_out(folder.path()));
    }

    #[test]
    fn a_pattern_that_is_none_is_told_with_its_line_and_the_others_count() {
        let folder = tree(&[(IGNORE_FILE, "a.md\n[z-a].md\n")]);
        assert!(is_ignored(folder.path(), &folder.path().join("a.md")));
        let problems = Ignored::within(folder.path()).into_problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].1.position, Some(Position { line: 2, column: 1 }));
    }

    #[test]
    fn a_list_that_is_huge_or_no_file_ignores_nothing() {
        let folder = tree(&[(IGNORE_FILE, &"a.md\n".repeat(20_000))]);
        assert!(!is_ignored(folder.path(), &folder.path().join("a.md")));
        assert_eq!(Ignored::within(folder.path()).into_problems().len(), 1);
        let folder = tree(&[(".postriderignore/x", "")]);
        assert!(!is_ignored(folder.path(), &folder.path().join("a.md")));
    }
}
