//! A folder of each engine as its users have it, odd cases among them: what we understood of every file.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::super::*;
use super::{Folder, head};

/// Every file below the fixture of `engine`, as a scan would hand it in.
fn understood(engine: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/posts").join(engine);
    let files: Vec<PathBuf> = WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    let within =
        |path: &Path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let facts: Vec<FactFile> = files.iter().filter_map(|path| fact(path, &within(path))).collect();
    let folder = Folder::new();
    let (facts, told) = FolderFacts::read(&facts, &folder.site_url);
    assert_eq!(told, []);
    let folder = Folder { facts, ..folder };
    let mut shown = Vec::new();
    for path in &files {
        let (name, bytes) = (within(path), std::fs::read(path).unwrap());
        shown.push(match folder.read(&name, &bytes) {
            Ok((Verdict::Post(post), warnings)) => {
                let warnings = warnings.iter().map(|warning| format!("warning: {warning}\n"));
                format!("== {name}\n{}{}", warnings.collect::<String>(), head(&post))
            }
            Ok((Verdict::Draft, _)) => format!("== {name}: a draft\n"),
            Ok((Verdict::NotAPost, _)) => format!("== {name}: no post\n"),
            Err(found) => {
                let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
                format!("== {name}: broken\n{}\n", lines.join("\n"))
            }
        });
    }
    shown.join("\n")
}

fn fact(path: &Path, within: &str) -> Option<FactFile> {
    let (dir, file) = within.rsplit_once('/').unwrap_or(("", within));
    let parent = path.parent()?.file_name()?.to_str()?;
    Some(FactFile {
        kind: fact_kind(parent, file)?,
        source: within.to_owned(),
        dir: if parent == "_data" { String::new() } else { dir.to_owned() },
        lead: String::new(),
        bytes: std::fs::read(path).ok()?,
    })
}

macro_rules! tree {
    ($name:ident, $engine:literal) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(understood($engine));
        }
    };
}

tree!(a_jekyll_site_is_understood, "jekyll");
tree!(a_hugo_site_is_understood, "hugo");
tree!(a_zola_site_is_understood, "zola");
tree!(an_astro_collection_is_understood, "astro");
tree!(an_eleventy_site_is_understood, "eleventy");
tree!(a_docusaurus_blog_is_understood, "docusaurus");
tree!(a_pelican_site_is_understood, "pelican");
tree!(a_hexo_site_is_understood, "hexo");
tree!(an_obsidian_vault_is_understood, "obsidian");
tree!(a_nextjs_blog_is_understood, "nextjs");
tree!(what_dev_to_and_hashnode_export_is_understood, "devto");
tree!(a_cobalt_site_is_understood, "cobalt");
