//! What an engine says of many posts in files of its own: Hugo's and Zola's `_index.md`, Eleventy's directory data, the defaults in
//! Jekyll's `_config.yml`, and the authors of Docusaurus and Jekyll.
//!
//! Pure: whoever scans a folder reads these files and hands them in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use url::Url;

use super::fields::{OURS, children, comparable, lookup, lookup_text};
use super::front_matter::{self, Entry, Node, Value};
use super::preset::Preset;
use super::report::{Problem, Report};
use super::{naming, people, source, wishes};
use crate::domain::{Author, Diagnostic};

/// Larger files are refused: these are written by hand.
pub const MAX_FACT_BYTES: usize = 256 * 1024;

/// What such a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// `_index.md`, whose `cascade` holds for all below.
    Index,
    /// `posts.json` in the folder `posts`.
    DirectoryData,
    /// `authors.yml`.
    Authors,
    /// `_config.yml`, whose `defaults` hold by path.
    JekyllConfig,
}

/// One such file as read.
#[derive(Clone, Debug)]
pub struct FactFile {
    pub kind: FactKind,
    /// For messages.
    pub source: String,
    /// The folder it is in, relative to the folder of posts: `essays/long`. Empty for that itself and for those around it.
    pub dir: String,
    /// The way from a folder around to the folder of posts: `content/posts`.
    pub lead: String,
    pub bytes: Vec<u8>,
}

/// What a file called `file` in a folder called `folder` says of the posts there; `None`: nothing.
pub fn fact_kind(folder: &str, file: &str) -> Option<FactKind> {
    let is_data = |file: &str| {
        let rest = file.strip_prefix(folder).filter(|_| !folder.is_empty());
        rest.is_some_and(|rest| rest == ".json" || rest == ".11tydata.json")
    };
    match file {
        "authors.yml" | "authors.yaml" | "authors.json" => Some(FactKind::Authors),
        "_config.yml" | "_config.yaml" => Some(FactKind::JekyllConfig),
        _ if naming::is_section_page(file) => Some(FactKind::Index),
        _ if is_data(file) => Some(FactKind::DirectoryData),
        _ => None,
    }
}

/// Everything that is said of the posts in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderFacts {
    /// The most special first.
    layers: Vec<Layer>,
    /// Which of them are of which folder.
    by_dir: BTreeMap<String, Vec<usize>>,
    authors: BTreeMap<String, Author>,
    /// Below these nobody knows what is said, a `draft: true` perhaps.
    unknown: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Layer {
    dir: String,
    scope: Option<Scope>,
    /// The language of the posts that are meant, where not all are.
    language: Option<String>,
    /// Greater is more special.
    rank: i64,
    preset: Preset,
}

/// Which posts are meant, by their path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    /// The way from where paths begin to the folder of posts.
    lead: String,
    paths: Paths,
    /// How many folders the author's pattern names.
    depth: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Paths {
    /// Jekyll's: how a path begins, from `_config.yml` on.
    Below(String),
    /// The same with stars.
    Like(String),
    /// Hugo's: a pattern for the path of the page, of which we don't know where it begins.
    Page(String),
}

impl FolderFacts {
    /// Of a folder whose files cannot be read: any of its posts may be a draft.
    pub fn unknown() -> Self {
        Self { unknown: vec![String::new()], ..Self::default() }
    }

    /// Reads the files. What cannot be read is told, and `is_unknown` for the posts it may concern.
    pub fn read(files: &[FactFile], site: &Url) -> (Self, Vec<Diagnostic>) {
        let mut facts = Self::default();
        let mut told = Vec::new();
        for file in files {
            match entries(file) {
                Ok(entries) => facts.take(file, entries, site),
                Err(mut problems) => {
                    if file.kind != FactKind::Authors {
                        facts.unknown.push(file.dir.clone());
                    }
                    told.append(&mut problems);
                }
            }
        }
        facts.layers.sort_by_key(|layer| -layer.rank);
        for (at, layer) in facts.layers.iter().enumerate() {
            facts.by_dir.entry(layer.dir.clone()).or_default().push(at);
        }
        (facts, told)
    }

    fn take(&mut self, file: &FactFile, entries: Vec<Entry>, site: &Url) {
        match file.kind {
            FactKind::Authors => {
                for entry in &entries {
                    if let Some(author) = people::from_map(&entry.node, site) {
                        self.authors.insert(entry.key.clone(), author);
                    }
                }
            }
            FactKind::DirectoryData => self.add(file, (None, None), entries),
            FactKind::Index => {
                let Some(at) = entries.into_iter().find(|entry| entry.key == "cascade") else {
                    return;
                };
                for rule in as_list(&at.node) {
                    self.add_cascade(file, rule);
                }
            }
            FactKind::JekyllConfig => {
                let Some(at) = entries.into_iter().find(|entry| entry.key == "defaults") else {
                    return;
                };
                for rule in as_list(&at.node) {
                    self.add_jekyll(file, rule);
                }
            }
        }
    }

    fn add(
        &mut self,
        file: &FactFile,
        (scope, language): (Option<Scope>, Option<String>),
        entries: Vec<Entry>,
    ) {
        let scoped = scope.as_ref().map_or(0, |scope| scope.depth);
        let rank = (depth(&file.dir) - depth(&file.lead)) * 100 + scoped;
        let preset = Preset::of_entries(entries);
        self.layers.push(Layer { dir: file.dir.clone(), scope, language, rank, preset });
    }

    /// `cascade`: values, and under `_target` or `target` for which pages.
    fn add_cascade(&mut self, file: &FactFile, rule: &Node) {
        let is_target = |key: &str| key == "_target" || key == "target";
        let target = children(rule).iter().find(|entry| is_target(&entry.key));
        let kind = target.and_then(|target| lookup_text(&target.node, &["kind"]));
        if kind.is_some_and(|kind| !kind.contains("page") && !kind.contains('*')) {
            return;
        }
        let pattern = target.and_then(|target| lookup_text(&target.node, &["path"]));
        let scope = pattern.map(|pattern| Scope::of_page(&file.lead, pattern));
        let language = target.and_then(|target| lookup_text(&target.node, &["lang"]));
        let name = file.source.rsplit('/').next().unwrap_or_default();
        let meant = (scope, language.or(naming::language(name)).map(str::to_owned));
        let values = children(rule).iter().filter(|entry| !is_target(&entry.key));
        self.add(file, meant, values.cloned().collect());
    }

    /// `{scope: {path, type}, values}`.
    fn add_jekyll(&mut self, file: &FactFile, rule: &Node) {
        let Some(values) = lookup(rule, "values") else { return };
        let scope = lookup(rule, "scope");
        let within = |key: &str| scope.and_then(|scope| lookup_text(&scope.node, &[key]));
        let collection = |kind: &str| format!("/{}/", file.lead).contains(&format!("/_{kind}/"));
        if within("type").is_some_and(|kind| kind != "posts" && kind != "post" && !collection(kind))
        {
            return;
        }
        let scope = Scope::of_path(&file.lead, within("path").unwrap_or_default());
        self.add(file, (Some(scope), None), children(&values.node).to_vec());
    }

    /// What is said of the post at `within`, the most special first. It is in `language` if its path does not say otherwise.
    pub fn presets_for(&self, within: &str, language: &str) -> Vec<&Preset> {
        let language = naming::language(within).unwrap_or(language);
        let folders = within.match_indices('/').map(|(at, _)| &within[..at]);
        let dirs = folders.filter(|dir| !dir.is_empty()).chain(["", within]);
        let mut found: Vec<usize> =
            dirs.filter_map(|dir| self.by_dir.get(dir)).flatten().copied().collect();
        found.sort_unstable();
        // Most are of one file, and so come from the same place.
        let mut path = (None, Cow::Borrowed(within));
        let mut is_meant = |scope: &'_ Scope| {
            if path.0.as_deref() != Some(scope.lead.as_str()) {
                path = (Some(scope.lead.clone()), joined(&scope.lead, within));
            }
            scope.matches(&path.1)
        };
        let layers = found.into_iter().filter_map(|at| self.layers.get(at));
        let speaks_it = |of: &String| of.eq_ignore_ascii_case(language);
        let meant = layers
            .filter(|layer| layer.language.as_ref().is_none_or(speaks_it))
            .filter(|layer| layer.scope.as_ref().is_none_or(&mut is_meant));
        meant.map(|layer| &layer.preset).collect()
    }

    /// Who is meant by a key such as `ann`.
    pub fn authors(&self) -> &BTreeMap<String, Author> {
        &self.authors
    }

    /// Whether a file that may say something of the post at `within` could not be read.
    pub fn is_unknown(&self, within: &str) -> bool {
        self.unknown.iter().any(|dir| is_below(within, dir))
    }
}

impl Scope {
    fn of_path(lead: &str, pattern: &str) -> Self {
        let pattern = pattern.trim_matches('/');
        let paths = if pattern.contains('*') {
            Paths::Like(format!("{pattern}*"))
        } else {
            Paths::Below(pattern.to_owned())
        };
        Self { lead: lead.to_owned(), paths, depth: depth(pattern) }
    }

    fn of_page(lead: &str, pattern: &str) -> Self {
        let paths = Paths::Page(pattern.trim_start_matches('/').to_owned());
        Self { lead: lead.to_owned(), paths, depth: depth(pattern) }
    }

    /// Whether the post at `path` is meant.
    fn matches(&self, path: &str) -> bool {
        match &self.paths {
            Paths::Below(folder) => is_below(path, folder),
            Paths::Like(pattern) => glob(pattern, path),
            Paths::Page(pattern) => {
                let page = path.rsplit_once('.').map_or(path, |(page, _)| page);
                let page = page.strip_suffix("/index").unwrap_or(page);
                let starts = page.match_indices('/').map(|(at, _)| at + 1);
                std::iter::once(0).chain(starts).any(|at| glob(pattern, &page[at..]))
            }
        }
    }
}

/// How many folders a path names.
fn depth(path: &str) -> i64 {
    let names = path.split('/').filter(|name| !name.is_empty());
    i64::try_from(names.count()).unwrap_or(i64::MAX)
}

fn joined<'w>(lead: &str, within: &'w str) -> Cow<'w, str> {
    if lead.is_empty() { within.into() } else { format!("{lead}/{within}").into() }
}

/// Whether `path` is in `dir` or is it. Everything is in the empty one.
fn is_below(path: &str, dir: &str) -> bool {
    dir.is_empty()
        || path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Stars stand for anything, slashes too. Takes time in proportion to the product of the lengths at most.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(b'?') => (at, in_text) = (at + 1, in_text + 1),
            Some(byte) if *byte == text[in_text] => (at, in_text) = (at + 1, in_text + 1),
            _ => match star {
                Some((before, from)) => {
                    star = Some((before, from + 1));
                    (at, in_text) = (before + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The items of a list; anything else is the only one.
fn as_list(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Null | Value::Text(_) | Value::Map(_) => std::slice::from_ref(node),
    }
}

fn entries(file: &FactFile) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let broken = |text: &str, problems: Vec<Problem>| {
        let effect = match file.kind {
            FactKind::Authors => "the posts go without what it says of their authors",
            FactKind::Index | FactKind::DirectoryData | FactKind::JekyllConfig => {
                "the posts below keep their last good state: it may say that they are drafts"
            }
        };
        told((file, text), problems, effect)
    };
    if file.bytes.len() > MAX_FACT_BYTES {
        let message = format!("the file has more than {MAX_FACT_BYTES} bytes");
        let problem = Problem::new("post-too-large", message).help("split it");
        return Err(broken("", vec![problem]));
    }
    let text = source::read(&file.bytes)
        .map_err(|unreadable| broken(&unreadable.shown, vec![unreadable.problem]))?;
    let parsed = match file.kind {
        FactKind::Index => front_matter::read(&text).map(|found| found.entries),
        // A list beside the posts is somebody else's data.
        FactKind::DirectoryData if !text.trim_start().starts_with('{') => Ok(Vec::new()),
        // JSON is YAML, but what is wrong with it is told better in its own words.
        _ if text.trim_start().starts_with('{') => front_matter::json(&text),
        _ => front_matter::yaml(&text),
    };
    let entries = parsed.map_err(|problems| broken(&text, problems))?;
    let slips = slips(file.kind, &entries);
    if slips.is_empty() {
        return Ok(entries);
    }
    let effect = "the posts below keep their last good state: it may be about who gets them";
    Err(told((file, &text), slips, effect))
}

fn told((file, text): (&FactFile, &str), problems: Vec<Problem>, effect: &str) -> Vec<Diagnostic> {
    let mut report = Report::new(&file.source, text);
    for problem in problems {
        report.error(problem);
    }
    report.into_found().into_iter().map(|found| found.effect(effect)).collect()
}

/// What is wrong in the `postrider` maps of a file. A post cannot tell: it would go unmailed for its folder's slip, or be mailed.
fn slips(kind: FactKind, entries: &[Entry]) -> Vec<Problem> {
    let rules = |key: &str| {
        let at = entries.iter().find(|entry| entry.key == key);
        at.map_or(&[][..], |at| as_list(&at.node)).iter()
    };
    let maps: Vec<&[Entry]> = match kind {
        FactKind::Authors => Vec::new(),
        FactKind::DirectoryData => vec![entries],
        FactKind::Index => rules("cascade").map(children).collect(),
        FactKind::JekyllConfig => rules("defaults")
            .filter_map(|rule| Some(children(&lookup(rule, "values")?.node)))
            .collect(),
    };
    let ours = maps.into_iter().flatten().filter(|entry| comparable(&entry.key) == OURS);
    ours.flat_map(wishes::slips).collect()
}
