use std::fmt::Write as _;

use jiff::tz::TimeZone;
use url::Url;

use super::*;
use crate::domain::PostId;

mod bad_input;
mod channels;
mod dialects;
mod facts;
mod folder_words;
mod keys;
mod relations;
mod trees;
mod wishes;

/// What a folder of `https://example.org` says, whose zone is Berlin's.
struct Folder {
    site_url: Url,
    zone: TimeZone,
    names: BTreeMap<Field, Vec<String>>,
    preset: Preset,
    facts: FolderFacts,
    dates_from: Vec<DateSource>,
    destinations: BTreeSet<String>,
    committed_at: Option<Timestamp>,
    modified_at: Option<Timestamp>,
}

impl Folder {
    fn new() -> Self {
        Self {
            site_url: Url::parse("https://example.org").unwrap(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            names: BTreeMap::new(),
            preset: Preset::default(),
            facts: FolderFacts::default(),
            dates_from: vec![DateSource::FrontMatter, DateSource::FileName],
            destinations: ["chat", "mastodon"].map(str::to_owned).into(),
            committed_at: None,
            modified_at: None,
        }
    }

    fn read(
        &self,
        within: &str,
        bytes: &[u8],
    ) -> Result<(Verdict, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut presets = self.facts.presets_for(within, "en");
        presets.push(&self.preset);
        let rules = FolderRules {
            site_url: &self.site_url,
            permalink: "/posts/{slug}/",
            language: "en",
            time_zone: &self.zone,
            default_author: None,
            names: &self.names,
            authors: self.facts.authors(),
            presets: &presets,
            dates_from: &self.dates_from,
            destinations: Some(&self.destinations),
            highlight: true,
            smart_punctuation: false,
            excerpt_separator: None,
        };
        let source = format!("posts/{within}");
        let file = SourceFile {
            source: &source,
            within,
            bytes,
            committed_at: self.committed_at,
            modified_at: self.modified_at,
            neighbours: &Alone,
        };
        parse(&file, &rules)
    }

    fn post_at(&self, within: &str, text: &str) -> Parsed {
        match self.read(within, text.as_bytes()) {
            Ok((Verdict::Post(post), _)) => *post,
            other => panic!("{within} is no post: {other:?}"),
        }
    }
}

/// Reads a file as it would stand in a folder that says nothing.
fn read(within: &str, bytes: &[u8]) -> Result<(Verdict, Vec<Diagnostic>), Vec<Diagnostic>> {
    Folder::new().read(within, bytes)
}

fn post_at(within: &str, text: &str) -> Parsed {
    Folder::new().post_at(within, text)
}

/// A post with a title and a date beside the lines given.
fn post_with(lines: &str) -> Parsed {
    post_at("hello.md", &format!("---\ntitle: T\ndate: 2024-01-15\n{lines}\n---\ntext\n"))
}

fn problems(within: &str, bytes: &[u8]) -> String {
    let found = read(within, bytes).expect_err("the file is broken");
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Everything of a post, for snapshots.
fn show(within: &str, bytes: &[u8]) -> String {
    let (verdict, warnings) = read(within, bytes).unwrap();
    let Verdict::Post(post) = verdict else { panic!("{within} is no post") };
    let mut out = String::new();
    for warning in warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    out.push_str(&head(&post));
    format!("{out}---- html\n{}\n---- text\n{}", post.html, text_of(&post))
}

/// What mails say in plain text.
fn text_of(post: &Parsed) -> String {
    plain_text(post.mail_html.as_ref().unwrap_or(&post.html))
}

/// Everything but the text.
fn head(post: &Parsed) -> String {
    let mut out = String::new();
    writeln!(out, "title: {}", post.title).unwrap();
    writeln!(out, "slug: {}\nlink: {}", post.slug, post.link).unwrap();
    writeln!(out, "published: {}\nupdated: {:?}", post.published_at, post.updated_at).unwrap();
    writeln!(out, "expires: {:?}\nlanguage: {}", post.expires_at, post.language).unwrap();
    writeln!(out, "tags: {:?}\ncategories: {:?}", post.tags, post.categories).unwrap();
    for author in &post.authors {
        let url = author.url.as_ref().map(Url::as_str);
        writeln!(out, "author: {} {:?} {url:?}", author.name, author.email).unwrap();
    }
    let url = |url: &Option<Box<Url>>| url.as_deref().map(Url::to_string).unwrap_or_default();
    writeln!(out, "image: {}\ncanonical: {}", url(&post.image), url(&post.canonical)).unwrap();
    writeln!(out, "pinned id: {:?}\nsummary: {}", post.pinned_id, post.summary).unwrap();
    out + &extras(post)
}

/// What only some posts have.
fn extras(post: &Parsed) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    let urls: Vec<&str> = post.aliases.iter().map(Url::as_str).collect();
    line("image alt", post.image_alt.clone());
    line("topics", (!post.topics.is_empty()).then(|| post.topics.join(", ")));
    line("section", post.section.clone());
    line("series", post.series.as_ref().map(|it| format!("{} {:?}", it.name, it.part)));
    line("translation key", post.translation_key.clone());
    line("featured", post.featured.then(|| "yes".to_owned()));
    line("external", post.external.as_ref().map(Url::to_string));
    line("aliases", (!urls.is_empty()).then(|| urls.join(" ")));
    line("enclosure", post.enclosure.as_ref().map(|it| format!("{it:?}")));
    line("wishes", (!post.wishes.is_empty()).then(|| format!("{:?}", post.wishes)));
    out
}

macro_rules! fixture {
    ($name:ident, $folder:literal, $within:literal) => {
        #[test]
        fn $name() {
            let bytes =
                include_bytes!(concat!("../../../tests/fixtures/posts/", $folder, "/", $within));
            insta::assert_snapshot!(show($within, bytes));
        }
    };
}

fixture!(
    a_jekyll_post_reads_as_its_author_meant,
    "jekyll",
    "cooking/_posts/2024-01-15-sourdough-diary.md"
);
fixture!(a_hugo_bundle_reads_as_its_author_meant, "hugo", "garden/rain-barrel/index.fr.md");
fixture!(a_zola_page_reads_as_its_author_meant, "zola", "2024-05-06-spores.md");
fixture!(an_astro_post_reads_as_its_author_meant, "astro", "first-light.mdx");
fixture!(an_eleventy_post_reads_as_its_author_meant, "eleventy", "winter-birds.md");
fixture!(a_docusaurus_post_reads_as_its_author_meant, "docusaurus", "2024-06-01-release.md");
fixture!(a_pelican_article_reads_as_its_author_meant, "pelican", "super.md");

#[test]
fn the_revision_changes_with_what_readers_see_and_with_nothing_else() {
    let text = "---\ntitle: T\ndate: 2024-01-15\ntags: [a]\n---\ntext\n";
    let revision = |within: &str, text: &str| post_at(within, text).revision;
    let first = revision("hello.md", text);
    assert_eq!(first, revision("sub/hello.md", text));
    assert_eq!(first, revision("hello.md", &text.replace("tags: [a]", "tags: [a]\nweight: 7")));
    for (from, to) in [
        ("title: T", "title: U"),
        ("2024-01-15", "2024-01-16"),
        ("[a]", "[b]"),
        ("\ntext", "\ntexts"),
        ("tags", "categories"),
        ("tags", "lang: de\ntags"),
    ] {
        assert_ne!(first, revision("hello.md", &text.replace(from, to)), "{from}");
    }
}

#[test]
fn the_folders_author_stands_in() {
    let site_url = Url::parse("https://example.org/blog").unwrap();
    let author = Author { name: "Ann".to_owned(), email: None, url: None };
    let rules = FolderRules {
        dates_from: &[DateSource::FrontMatter, DateSource::FileName],
        language: "de",
        default_author: Some(&author),
        ..FolderRules::of_site(&site_url, "/{section}/{year}/{lang}/{slug}/")
    };
    let bytes = b"---\ntitle: T\ndate: 2024-01-15\n---\n![](../a.png) [x](/y)";
    let file = SourceFile {
        source: "posts/notes/a.md",
        within: "notes/a.md",
        bytes,
        committed_at: None,
        modified_at: None,
        neighbours: &Alone,
    };
    let Verdict::Post(post) = parse(&file, &rules).unwrap().0 else { panic!("no post") };
    assert_eq!(post.link.as_str(), "https://example.org/blog/notes/2024/de/a/");
    assert_eq!(post.authors, [author]);
    let html = post.html.clone();
    let post = post.into_post(PostId::pinned("urn:x"));
    assert_eq!(post.source, "posts/notes/a.md");
    assert_eq!(
        html,
        "<p><img src=\"https://example.org/blog/notes/2024/de/a.png\" alt=\"\"> <a href=\"https://example.org/y\">x</a></p>"
    );
}
