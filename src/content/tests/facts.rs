//! What engines say of many posts in files of their own.

use super::super::*;
use super::Folder;

struct Site(Vec<FactFile>);

impl Site {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// A file in the folder of posts.
    fn with(self, path: &str, text: &str) -> Self {
        self.around("", path, text)
    }

    /// A file in a folder from which `lead` leads to the posts.
    fn around(mut self, lead: &str, path: &str, text: &str) -> Self {
        let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
        let name = dir.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("posts");
        self.0.push(FactFile {
            kind: fact_kind(name, file).unwrap(),
            source: path.to_owned(),
            dir: if lead.is_empty() { dir.to_owned() } else { String::new() },
            lead: lead.to_owned(),
            bytes: text.as_bytes().to_vec(),
        });
        self
    }

    fn folder(&self) -> Folder {
        let site_url = Url::parse("https://example.org").unwrap();
        let (facts, told) = FolderFacts::read(&self.0, &site_url);
        assert_eq!(told, []);
        Folder { facts, ..Folder::new() }
    }

    fn post(&self, within: &str, lines: &str) -> Parsed {
        let text = format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\n");
        self.folder().post_at(within, &text)
    }
}

#[test]
fn the_files_that_say_something_of_posts_are_known_by_name() {
    let cases = [
        ("posts", "_index.md", Some(FactKind::Index)),
        ("posts", "_index.fr.md", Some(FactKind::Index)),
        ("posts", "posts.json", Some(FactKind::DirectoryData)),
        ("posts", "posts.11tydata.json", Some(FactKind::DirectoryData)),
        ("blog", "posts.json", None),
        ("blog", "authors.yml", Some(FactKind::Authors)),
        ("site", "_config.yml", Some(FactKind::JekyllConfig)),
        ("posts", "hello.md", None),
        ("", ".json", None),
    ];
    for (folder, file, kind) in cases {
        assert_eq!(fact_kind(folder, file), kind, "{folder}/{file}");
    }
}

#[test]
fn hugos_cascade_holds_for_all_below_and_the_nearest_wins() {
    let site = Site::new()
        .with("_index.md", "---\ncascade:\n  author: Ann\n  tags: [top]\n---\n")
        .with("essays/_index.md", "+++\n[cascade]\ntags = ['essay']\n+++\n");
    assert_eq!(site.post("a.md", "").tags, ["top"]);
    let essay = site.post("essays/long/b.md", "");
    assert_eq!((essay.tags.join(""), essay.authors[0].name.as_str()), ("essay".into(), "Ann"));
    assert_eq!(site.post("essays/b.md", "tags: [own]").tags, ["own"]);
    assert_eq!(site.post("essayssss/b.md", "").tags, ["top"]);
}

#[test]
fn hugos_cascade_may_name_the_pages_that_it_means() {
    let rule = "---\ncascade:\n- _target: {path: '/posts/drafts/**'}\n  draft: true\n- target: {kind: section}\n  tags: [x]\n---\n";
    let site = Site::new().around("content/posts", "_index.md", rule);
    let draft = |within: &str| {
        let read = site.folder().read(within, b"---\ntitle: T\ndate: 2024-01-15\n---\n");
        read.unwrap().0 == Verdict::Draft
    };
    assert!(draft("drafts/a.md"));
    assert!(!draft("a.md"));
    assert_eq!(site.post("a.md", "").tags, [""; 0]);
}

#[test]
fn hugos_cascade_may_be_for_one_language() {
    let rule = "---\ncascade:\n- target: {lang: fr}\n  tags: [carnet]\n---\n";
    let site = Site::new()
        .with("_index.md", rule)
        .with("_index.de.md", "---\ncascade: {author: Grete}\n---\n");
    let post = |within: &str| site.post(within, "");
    assert_eq!(post("a.fr.md").tags, ["carnet"]);
    assert_eq!(post("a.md").tags, [""; 0]);
    assert_eq!(post("a.de.md").authors[0].name, "Grete");
    assert_eq!(post("a.fr.md").authors, []);
}

#[test]
fn eleventys_directory_data_holds_below_its_folder() {
    let site = Site::new()
        .around("posts", "posts.json", "{\"tags\": [\"posts\", \"blog\"], \"lang\": \"de\"}")
        .with("essays/essays.11tydata.json", "{\"lang\": \"fr\"}");
    assert_eq!(site.post("a.md", "").tags, ["blog"]);
    assert_eq!(site.post("a.md", "").language, "de");
    assert_eq!(site.post("essays/a.md", "").language, "fr");
    assert_eq!(site.post("essays/a.md", "").tags, ["blog"]);
}

#[test]
fn jekylls_defaults_hold_by_path_and_the_longest_wins() {
    let config = "title: Site\ndefaults:\n\
        - scope: {path: '', type: posts}\n  values: {author: Ann, tags: [every]}\n\
        - scope: {path: _posts/essays}\n  values: {tags: [essay]}\n\
        - scope: {path: '_posts/*/special'}\n  values: {tags: [special]}\n\
        - scope: {path: '', type: pages}\n  values: {tags: [pages]}\n";
    let site = Site::new().around("_posts", "_config.yml", config);
    assert_eq!(site.post("2024-01-15-a.md", "").tags, ["every"]);
    assert_eq!(site.post("essays/2024-01-15-a.md", "").tags, ["essay"]);
    assert_eq!(site.post("essays/2024-01-15-a.md", "").authors[0].name, "Ann");
    assert_eq!(site.post("x/special/2024-01-15-a.md", "").tags, ["special"]);
}

#[test]
fn keys_of_authors_mean_whom_the_blog_says() {
    let authors = "ann:\n  name: Ann Meadow\n  url: https://ann.example\n  email: ann@example.org\n\
        bob:\n  name: Bob\n";
    let site = Site::new().with("authors.yml", authors);
    let named = |lines: &str| {
        let authors = site.post("a.md", lines).authors;
        let shown = authors.iter().map(|author| {
            format!("{} {}", author.name, author.url.as_ref().map_or("-", Url::as_str))
        });
        shown.collect::<Vec<_>>().join("|")
    };
    assert_eq!(named("authors: [ann, bob]"), "Ann Meadow https://ann.example/|Bob -");
    assert_eq!(named("authors: ann"), "Ann Meadow https://ann.example/");
    assert_eq!(named("author: ann"), "Ann Meadow https://ann.example/");
    assert_eq!(
        named("authors: [{key: ann, title: Guest}, Cleo]"),
        "Ann Meadow https://ann.example/|Cleo -"
    );
}

#[test]
fn where_such_a_file_is_broken_nobody_takes_a_draft_for_a_post() {
    let broken = |kind, dir: &str, bytes: &[u8]| {
        let source = "posts/some-file".to_owned();
        let (dir, lead) = (dir.to_owned(), String::new());
        FactFile { kind, source, dir, lead, bytes: bytes.to_vec() }
    };
    let site_url = Url::parse("https://example.org").unwrap();
    let files = [
        broken(FactKind::Index, "essays", b"---\ncascade: {draft: true\n---\n"),
        broken(FactKind::Authors, "", b"ann: [\n"),
    ];
    let (facts, told) = FolderFacts::read(&files, &site_url);
    assert_eq!(told.len(), 2);
    assert!(facts.is_unknown("essays/a.md"));
    assert!(!facts.is_unknown("a.md"), "without its authors a post is still a post");
    let huge = broken(FactKind::JekyllConfig, "", &vec![b'a'; MAX_FACT_BYTES + 1]);
    assert!(FolderFacts::read(&[huge], &site_url).0.is_unknown("a.md"));
}

#[test]
fn a_slip_in_a_wish_for_many_posts_is_told_and_none_of_them_is_mailed_for_it() {
    let site = Url::parse("https://example.org").unwrap();
    let told = |file: &str, text: &str| {
        let Site(files) = Site::new().with(file, text);
        let (facts, told) = FolderFacts::read(&files, &site);
        assert_eq!(facts.is_unknown("essays/a.md"), !told.is_empty(), "{text}");
        assert!(!facts.is_unknown("notes/a.md"), "{text}");
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let (data, index) = ("essays/essays.json", "essays/_index.md");
    let slip = "`postrider` has no key `emial`; the posts below keep their last good state: it may be about who gets them (did you mean `email`?)";
    let at = |file: &str, place: &str| format!("{file}:{place}: {slip}");
    assert_eq!(told(data, "{\"postrider\":{\"emial\":\"skip\"}}"), at(data, "1:2"));
    assert_eq!(
        told(index, "---\ncascade:\n- {tags: [a]}\n- {postrider: {emial: skip}}\n---\n"),
        at(index, "4:16")
    );
    assert_eq!(told(data, "{\"postrider\":\"skip\"}").lines().count(), 1);
    assert_eq!(told(data, "{\"postrider\":{\"email\":\"skip\"}}"), "");
    assert_eq!(told(index, "---\npostrider: {emial: skip}\n---\n"), "", "it is for no post");
    let config = "defaults:\n- values: {postrider: {emial: skip}}\n";
    let Site(files) = Site::new().around("_posts", "_config.yml", config);
    let (facts, told) = FolderFacts::read(&files, &site);
    assert_eq!(told[0].to_string(), at("_config.yml", "2:24"));
    assert!(facts.is_unknown("a.md"));
}
