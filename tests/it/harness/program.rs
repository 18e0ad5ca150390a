//! The program as a command: run for real in a project of its own, until it ends.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with a project in it, and one for temporary files, where nothing must stay behind.
pub(crate) struct Project {
    folder: TempDir,
    temporary: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            temporary: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// What `postrider init` makes.
    pub(crate) fn new() -> Self {
        let project = Self::empty();
        assert_eq!(project.runs("init").code, 0);
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder"))
            .expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Changes a file of the project.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).expect("the file is there");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("TZ", "Europe/Berlin")
            .env("TMPDIR", self.temporary.path())
            // Nothing listens there: whether a daemon runs on this machine is no matter.
            .env("POSTRIDER__SERVER__LISTEN", "127.0.0.1:9");
        command
    }

    pub(crate) fn runs(&self, line: &str) -> Ended {
        Ended::of(&mut self.command(line))
    }

    /// Runs with words that have spaces in them.
    pub(crate) fn runs_args(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args[0]).args(&args[1..]))
    }

    /// Runs with something to read on standard input.
    pub(crate) fn runs_with_input(&self, line: &str, input: &str) -> Ended {
        let mut child = self
            .command(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut stdin = child.stdin.take().expect("it was piped");
        stdin.write_all(input.as_bytes()).expect("the program reads");
        drop(stdin);
        Ended::from(child.wait_with_output().expect("the program ends"))
    }

    /// Every file of the project with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for root in [self.folder.path(), self.temporary.path()] {
            for entry in walkdir::WalkDir::new(root) {
                let entry = entry.expect("nobody else is here");
                let bytes = if entry.file_type().is_file() {
                    fs::read(entry.path()).expect("a file can be read")
                } else {
                    Vec::new()
                };
                files.insert(entry.into_path(), bytes);
            }
        }
        files
    }
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.stdin(Stdio::null()).output().expect("the program runs"))
    }

    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).expect("it prints UTF-8"),
            err: String::from_utf8(output.stderr).expect("it prints UTF-8"),
        }
    }
}
