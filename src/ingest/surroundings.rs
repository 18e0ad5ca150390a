//! What stands around posts and has a say in them: files of the engine that speak for many posts, the history of the folder, and what the
//! configuration says. Read once a scan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::files::Found;
use super::history::{self, History};
use crate::config::{Config, PostFolder};
use crate::content::{self, FactFile, FolderFacts, MAX_FACT_BYTES, Preset};
use crate::domain::{DateSource, Diagnostic, Revision};

/// Engines keep their configuration this many folders above the posts at most.
const FOLDERS_ABOVE: usize = 2;
/// More such files than these are no folder of posts.
const MOST_FILES: usize = 20_000;

/// All folders' surroundings, as of the last scan.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    pub(super) destinations: BTreeSet<String>,
    /// By index into `config.posts`.
    folders: Vec<Around>,
}

/// What stands around the posts of one folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) facts: FolderFacts,
    /// What the configuration says for posts that don't.
    pub(super) defaults: Preset,
    /// BCP 47 tag of posts that don't say.
    language: String,
    history: History,
    /// The files were read once.
    is_known: bool,
    problems: Vec<Diagnostic>,
}

impl Surroundings {
    pub(super) fn new(config: &Config) -> Self {
        let around = |folder: &PostFolder| Around {
            defaults: Preset::of(&folder.defaults),
            language: folder.language.as_ref().unwrap_or(&config.site.language).clone(),
            ..Around::default()
        };
        Self {
            destinations: config.destinations.keys().cloned().collect(),
            folders: config.posts.iter().map(around).collect(),
        }
    }

    /// Looks again at what is around the folder `index`, in which a scan found `found`.
    pub(super) async fn look(&mut self, config: &Config, index: usize, found: &[Found]) {
        let (Some(around), Some(folder)) = (self.folders.get_mut(index), config.posts.get(index))
        else {
            return;
        };
        around.problems.clear();
        let (place, paths) = (folder.clone(), fact_paths(folder, found));
        match super::blocking(move || read_all(&place, paths)).await {
            Ok(files) => {
                let (facts, problems) = FolderFacts::read(&files, &config.site.url);
                around.facts = facts;
                around.problems = problems;
                around.is_known = true;
            }
            // What was known stays: it may have been that these are drafts. Where nothing was, they may be.
            Err(problem) => {
                if !around.is_known {
                    around.facts = FolderFacts::unknown();
                }
                around.problems.push(*problem);
            }
        }
        if folder.dates_from.contains(&DateSource::Git)
            && let Err(problem) = history::renew(&mut around.history, folder).await
        {
            around.problems.push(*problem);
        }
    }

    pub(super) fn of(&self, index: usize) -> Option<&Around> {
        self.folders.get(index)
    }

    /// What is around the posts of each folder in a word, but for their history.
    pub(super) fn digests(&self) -> Vec<String> {
        let folders = self.folders.iter();
        let said =
            folders.map(|it| format!("{:?} {:?} {:?}", it.facts, it.defaults, self.destinations));
        said.map(|said| Revision::of([said.as_str()]).as_str().to_owned()).collect()
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.folders.iter().flat_map(|around| &around.problems)
    }
}

impl Around {
    /// Whether nothing changed for any post.
    pub(super) fn is_as(&self, before: &Self) -> bool {
        self.facts == before.facts && self.history.is(&before.history)
    }

    /// Whether the post at `within` would be read as it was when `self` was `before`.
    pub(super) fn says_the_same(&self, before: &Self, within: &str) -> bool {
        self.facts.authors() == before.facts.authors()
            && self.facts.is_unknown(within) == before.facts.is_unknown(within)
            && self.history.first(within) == before.history.first(within)
            && self.facts.presets_for(within, &self.language)
                == before.facts.presets_for(within, &before.language)
    }

    /// What is said for the post at `within`, the most special first.
    pub(super) fn presets(&self, within: &str) -> Vec<&Preset> {
        let mut presets = self.facts.presets_for(within, &self.language);
        presets.push(&self.defaults);
        presets
    }

    pub(super) fn committed_at(&self, within: &str) -> Option<Timestamp> {
        self.history.first(within)
    }
}

/// Whether a change of `path` may concern posts other than itself.
pub(super) fn speaks_for_many(path: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|it| it.to_string_lossy().into_owned());
    let folder = path.parent().and_then(name).unwrap_or_default();
    name(path).is_some_and(|file| content::fact_kind(&folder, &file).is_some())
}

/// A file that may be there: where, and how posts are found from it.
struct FactPath {
    path: PathBuf,
    dir: String,
    lead: String,
}

/// Where such files may be. Folders that hold one post only - `hello/index.md` - have none.
fn fact_paths(folder: &PostFolder, found: &[Found]) -> Vec<FactPath> {
    let mut dirs = BTreeSet::from([String::new()]);
    let mut paths = paths_around(&folder.path);
    for post in found {
        let (dir, file) = post.within.rsplit_once('/').unwrap_or(("", &post.within));
        if content::fact_kind("", file).is_some() {
            paths.push(FactPath {
                path: post.path.clone(),
                dir: dir.to_owned(),
                lead: String::new(),
            });
        }
        let own = file.starts_with("index.");
        let mut next = if own { dir.rsplit_once('/').map(|(above, _)| above) } else { Some(dir) };
        while let Some(dir) = next.filter(|dir| !dir.is_empty()) {
            if !dirs.insert(dir.to_owned()) {
                break;
            }
            next = dir.rsplit_once('/').map(|(above, _)| above);
        }
    }
    for dir in dirs {
        let path = folder.path.join(&dir);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        for file in [format!("{name}.json"), format!("{name}.11tydata.json")] {
            paths.push(FactPath { path: path.join(file), dir: dir.clone(), lead: String::new() });
        }
    }
    for file in ["authors.yml", "authors.yaml", "authors.json"] {
        let path = folder.path.join(file);
        paths.push(FactPath { path, dir: String::new(), lead: String::new() });
    }
    paths
}

/// Jekyll's configuration and authors in the folder or above, and Hugo's sections above.
fn paths_around(folder: &Path) -> Vec<FactPath> {
    let mut paths = Vec::new();
    let mut lead = String::new();
    let mut at = folder;
    for above in 0..=FOLDERS_ABOVE {
        let mut files = vec![
            "_config.yml",
            "_config.yaml",
            "_data/authors.yml",
            "_data/authors.yaml",
            "_data/authors.json",
        ];
        if above > 0 {
            files.push("_index.md");
        }
        paths.extend(files.into_iter().map(|file| FactPath {
            path: at.join(file),
            dir: String::new(),
            lead: lead.clone(),
        }));
        let (Some(name), Some(parent)) = (at.file_name(), at.parent()) else { break };
        let name = name.to_string_lossy();
        lead = if lead.is_empty() { name.into_owned() } else { format!("{name}/{lead}") };
        at = parent;
    }
    paths
}

/// Reads those that are there. An error: one is there and cannot be read.
fn read_all(folder: &PostFolder, paths: Vec<FactPath>) -> Result<Vec<FactFile>, Box<Diagnostic>> {
    let mut files = BTreeMap::new();
    for FactPath { path, dir, lead } in paths {
        let name = |path: &Path| path.file_name().map(|it| it.to_string_lossy().into_owned());
        let parent = path.parent().and_then(name).unwrap_or_default();
        let Some(kind) = name(&path).and_then(|file| content::fact_kind(&parent, &file)) else {
            continue;
        };
        let source = match path.strip_prefix(&folder.path) {
            Ok(within) => format!("{}/{}", folder.name, within.to_string_lossy()),
            Err(_) => path.to_string_lossy().into_owned(),
        };
        // A pipe of that name would be waited for, for ever.
        if std::fs::metadata(&path).is_ok_and(|it| !it.is_file()) {
            continue;
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_FACT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let read = File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        match read {
            Ok(_) => {
                files.insert(path, FactFile { kind, source, dir, lead, bytes });
                if files.len() > MOST_FILES {
                    return Err(too_many(folder));
                }
            }
            Err(error) if is_absent(error.kind()) => {}
            Err(error) => {
                let problem = Diagnostic::error("unreadable", format!("cannot be read: {error}"))
                    .in_file(source)
                    .effect("what it said of the posts before stays");
                return Err(Box::new(problem));
            }
        }
    }
    Ok(files.into_values().collect())
}

/// To hear some of them would be to miss a draft or a wish.
fn too_many(folder: &PostFolder) -> Box<Diagnostic> {
    let message = format!("more than {MOST_FILES} files speak for many posts");
    let problem = Diagnostic::error("too-many-facts", message)
        .in_file(folder.name.clone())
        .effect("none of them is heard, and the posts keep their last good state")
        .help("give each of several folders inside it a `[[posts]]` section of its own");
    Box::new(problem)
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory)
}
