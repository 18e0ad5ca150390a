//! Reading a project's `templates/` folder.

use std::fs;
use std::io;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::domain::Diagnostic;

/// Files with these endings are templates; a README or a picture beside them is not our business.
const ENDINGS: [&str; 4] = ["txt", "html", "json", "ftl"];
const MAX_BYTES: u64 = 1_000_000;
const MAX_DEPTH: usize = 8;

/// The text of a template and how diagnostics call its file.
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn shipped(name: &str, text: &str) -> Self {
        Self { file: format!("built-in:templates/{name}"), text: text.to_owned() }
    }
}

/// Every template below `folder` with its name, in the order of the names.
pub(super) fn read(folder: &Path) -> Vec<Result<(String, Source), Diagnostic>> {
    if !folder.exists() {
        return Vec::new();
    }
    let walk = WalkDir::new(folder).max_depth(MAX_DEPTH).follow_links(true).sort_by_file_name();
    walk.into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry))
        .filter_map(|entry| match entry {
            Ok(entry) => is_template(&entry).then(|| read_file(folder, entry.path())),
            Err(error) => Some(Err(unwalkable(folder, &error))),
        })
        .collect()
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn is_template(entry: &DirEntry) -> bool {
    let ending = entry.path().extension().and_then(|ending| ending.to_str());
    entry.file_type().is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

fn read_file(folder: &Path, path: &Path) -> Result<(String, Source), Diagnostic> {
    let name = name_of(folder, path);
    let file = display(folder, &name);
    let problem = |message: String| {
        Diagnostic::error("template-unreadable", message)
            .in_file(file.clone())
            .effect("templates are not taken over while one of them has an error")
    };
    let size = fs::metadata(path).map_err(|error| problem(cannot_read(&error)))?.len();
    if size > MAX_BYTES {
        return Err(problem(format!(
            "the template has {size} bytes; at most {MAX_BYTES} are read"
        )));
    }
    let bytes = fs::read(path).map_err(|error| problem(cannot_read(&error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        problem(format!("the template is not UTF-8: byte {at} is the first odd one"))
            .help("save the file as UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((name, Source { file, text: text.replace("\r\n", "\n") }))
}

fn unwalkable(folder: &Path, error: &walkdir::Error) -> Diagnostic {
    let name = error.path().map(|path| name_of(folder, path)).unwrap_or_default();
    let message = match (error.loop_ancestor(), error.io_error()) {
        (Some(_), _) => "the link leads back to a folder that it is in".to_owned(),
        (None, Some(error)) => cannot_read(error),
        (None, None) => "the folder cannot be read".to_owned(),
    };
    Diagnostic::error("template-unreadable", message).in_file(display(folder, &name))
}

fn cannot_read(error: &io::Error) -> String {
    format!("the template cannot be read: {error}")
}

/// The path below `folder`, with `/` on every system: the name that `include` and `extends` use.
fn name_of(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn display(folder: &Path, name: &str) -> String {
    let folder = folder.file_name().map_or("templates".into(), |name| name.to_string_lossy());
    format!("{folder}/{name}").trim_end_matches('/').to_owned()
}
