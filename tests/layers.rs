//! The walls: every module may use lower layers and its own folder, never sideways or up, and no file outgrows its reader.
//!
//! Reads the source as text, comments included: a doc link to a higher layer is a dependency too.

use std::path::Path;
use std::{fs, io};

/// The rooms with their levels, lowest first, as DESIGN.md has them.
const ROOMS: [(&str, u8); 27] = [
    ("domain", 0),
    ("clock", 0),
    ("telemetry", 0),
    ("content", 1),
    ("template", 1),
    ("config", 1),
    ("courier", 1),
    ("deliverability", 1),
    ("signature", 1),
    ("tls", 1),
    ("store", 2),
    ("smtp", 2),
    ("crosspost", 2),
    ("dns", 2),
    ("outbox", 2),
    ("watch", 2),
    ("feed", 2),
    ("mail", 2),
    ("ingest", 3),
    ("planner", 3),
    ("dispatch", 3),
    ("audience", 3),
    ("web", 4),
    ("app", 5),
    ("cli", 6),
    ("main", 7),
    // Declares the modules, and its documentation walks through all of them.
    ("lib", 8),
];

const MOST_LINES: usize = 500;

#[test]
fn no_module_uses_its_own_layer_or_a_higher_one() {
    let offences: Vec<_> =
        sources().unwrap().iter().flat_map(|(path, text)| offences(path, text)).collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    let long: Vec<_> =
        sources().unwrap().iter().filter_map(|(path, text)| too_long(path, text)).collect();
    assert!(long.is_empty(), "\n{}\n", long.join("\n"));
}

/// Every source file below `src`: its path relative to the project folder, with `/`, and its text.
fn sources() -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name =
                    path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    assert!(files.len() > 10, "the source is somewhere else");
    files.sort();
    Ok(files)
}

/// `src/store/engine.rs` and `src/store.rs` are both in the room `store`.
fn room_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

fn level_of(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, level)| *level)
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES)
        .then(|| format!("{path}: {lines} lines; split it by meaning, {MOST_LINES} are the most"))
}

/// What is wrong with the file's place and its uses, each as `file:line: what`.
fn offences(path: &str, text: &str) -> Vec<String> {
    let room = room_of(path);
    let Some(level) = level_of(room) else {
        return vec![format!(
            "{path}:1: `{room}` is not a room of the house; add it to the plan and to this test"
        )];
    };
    uses(text, if room == "main" { "postrider" } else { "crate" })
        .into_iter()
        .filter_map(|(line, used)| match level_of(used) {
            Some(below) if used == room || below < level => None,
            Some(other) => Some(format!("{path}:{line}: {room} ({level}) uses {used} ({other})")),
            None => {
                Some(format!("{path}:{line}: {room} ({level}) uses {used}, which is not a room"))
            }
        })
        .collect()
}

/// The first names of all paths that begin with `root`, each with its line: `config` and `domain` for
/// `crate::config::Site` and `use crate::{config::Site, domain}`.
fn uses<'a>(text: &'a str, root: &str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(root) {
        let begins_a_name = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = text[at + root.len()..].trim_start();
        if let (true, Some(path)) = (begins_a_name, rest.strip_prefix("::")) {
            let first_names = first_names(path.trim_start());
            let line = |name: &str| {
                text[..name.as_ptr() as usize - text.as_ptr() as usize].matches('\n').count() + 1
            };
            found.extend(first_names.into_iter().map(|name| (line(name), name)));
        }
    }
    found
}

/// The first name of a path, or of each path of a group `{a, b::{c, d}}`.
fn first_names(path: &str) -> Vec<&str> {
    let Some(mut rest) = path.strip_prefix('{') else {
        return Vec::from_iter(name_at_start(path));
    };
    let mut names = Vec::new();
    let (mut depth, mut expects_name) = (1, true);
    while depth > 0
        && let Some(c) = rest.chars().next()
    {
        let mut taken = c.len_utf8();
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => expects_name = true,
            '/' => taken = rest.find('\n').unwrap_or(rest.len()),
            _ if expects_name && let Some(name) = name_at_start(rest) => {
                names.push(name);
                expects_name = false;
            }
            _ => {}
        }
        rest = &rest[taken..];
    }
    names
}

fn name_at_start(text: &str) -> Option<&str> {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    // A glob names everything: it is given back as it stands, and is no room.
    let end = if text.starts_with('*') { 1 } else { end };
    (end > 0).then(|| &text[..end])
}

#[test]
fn an_upward_use_is_caught_with_its_line() {
    let text = "//! Stores.\n\nuse crate::domain::Post;\nuse crate::web::pages;\n";
    assert_eq!(
        offences("src/store/posts.rs", text),
        ["src/store/posts.rs:4: store (2) uses web (4)"]
    );
}

#[test]
fn a_sideways_use_is_caught_wherever_it_stands() {
    for (text, line) in [
        ("use crate::smtp::Reply;", 1),
        ("use crate::{domain::{Post, PostId}, smtp};", 1),
        (
            "use crate::{\n    domain::{self, Post},\n    // a comment\n    smtp::{Reply, Pool},\n};",
            4,
        ),
        ("fn f() -> crate::smtp::Reply {}", 1),
        ("\n\n/// See [`crate::smtp`].", 3),
        ("macro_rules! m { () => { $crate::smtp::send() } }", 1),
        ("use crate :: smtp;", 1),
        ("pub(in crate::smtp) fn f() {}", 1),
        ("use crate::r#smtp;", 1),
    ] {
        let expected = format!("src/store.rs:{line}: store (2) uses smtp (2)");
        assert_eq!(offences("src/store.rs", text), [expected], "{text}");
    }
}

#[test]
fn lower_layers_and_the_own_folder_may_be_used() {
    let text = "use crate::{config::Site, courier, domain::Post};\nuse crate::dispatch::lease;\nuse crate::store;";
    assert_eq!(offences("src/dispatch/mod.rs", text), Vec::<String>::new());
    assert_eq!(offences("src/courier.rs", "use crate::domain::Outcome;"), Vec::<String>::new());
    assert_eq!(offences("src/lib.rs", "pub mod clock;\npub mod web;"), Vec::<String>::new());
    assert_eq!(
        offences("src/clock.rs", "use other_crate::web; use a_crate::cli; my_crate::app()"),
        Vec::<String>::new()
    );
}

#[test]
fn rooms_that_are_not_in_the_plan_are_caught() {
    let expected =
        "src/utils.rs:1: `utils` is not a room of the house; add it to the plan and to this test";
    assert_eq!(offences("src/utils.rs", ""), [expected]);
    assert_eq!(offences("src/utils/strings.rs", "use crate::web;").len(), 1);
    let unknown = offences("src/web/mod.rs", "use crate::{Thing, store::Store};");
    assert_eq!(unknown, ["src/web/mod.rs:1: web (4) uses Thing, which is not a room"]);
    let glob = offences("src/web/mod.rs", "use crate::*;");
    assert_eq!(glob, ["src/web/mod.rs:1: web (4) uses *, which is not a room"]);
}

#[test]
fn the_program_sees_the_library_by_its_name() {
    assert_eq!(
        offences("src/main.rs", "fn main() { postrider::cli::run() }"),
        Vec::<String>::new()
    );
    let unknown = offences("src/main.rs", "use postrider::helpers;");
    assert_eq!(unknown, ["src/main.rs:1: main (7) uses helpers, which is not a room"]);
}

#[test]
fn a_file_of_501_lines_is_too_long() {
    assert_eq!(too_long("src/web.rs", &"x\n".repeat(500)), None);
    let message = "src/web.rs: 501 lines; split it by meaning, 500 are the most";
    assert_eq!(too_long("src/web.rs", &"x\n".repeat(501)).as_deref(), Some(message));
}
