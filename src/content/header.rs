//! Front matter under any names -> one header: what a post says about itself.

use jiff::Timestamp;
use url::Url;

use super::dates;
use super::fields::{Fields, View};
use super::front_matter::Entry;
use super::jekyll::Place;
use super::media::{self, Image};
use super::naming::Naming;
use super::permalink::{on_site, slugify};
use super::relations::Relations;
use super::report::{Problem, Report};
use super::title::{plain, too_long};
use super::{FolderRules, SourceFile, people, terms, wishes};
use crate::domain::{Author, DateSource, PostId, Wishes};

/// What front matter and file name say, in our words.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) pinned_id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) published_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) summary: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) authors: Vec<Author>,
    pub(super) language: Option<String>,
    pub(super) image: Option<Image>,
    pub(super) relations: Relations,
    pub(super) wishes: Wishes,
    pub(super) slug: String,
    /// The post's address, where the author fixed it.
    pub(super) own_link: Option<Url>,
    pub(super) canonical: Option<Url>,
}

/// In the order they count. `published` counts only where it is not a yes or no.
const PUBLISHED: [&str; 11] = [
    "publishdate",
    "pubdate",
    "publisheddate",
    "publishedat",
    "datepublished",
    "pubdatetime",
    "published",
    "date",
    "created",
    "createdat",
    "datecreated",
];
const UPDATED: [&str; 12] = [
    "updated",
    "updateddate",
    "updatedat",
    "lastmod",
    "lastmodifiedat",
    "lastmodified",
    "modified",
    "moddatetime",
    "moddate",
    "dateupdated",
    "datemodified",
    "lastupdate.date",
];
const EXPIRES: [&str; 3] = ["expirydate", "unpublishdate", "expires"];
const SUMMARY: [&str; 8] = [
    "description",
    "summary",
    "excerpt",
    "customexcerpt",
    "subtitle",
    "metadescription",
    "abstract",
    "preview",
];
/// Yes under one of these keeps a post back.
const HIDES: [&str; 8] = [
    "draft",
    "isdraft",
    "unlisted",
    "private",
    "eleventyexcludefromcollections",
    "ignorepost",
    "saveasdraft",
    "headless",
];
/// No under one of these does.
const SHOWS: [&str; 4] = ["published", "publish", "permalink", "render"];

/// Whether the author keeps the post back, in the words of any engine. What the folder says counts for posts that don't say.
pub(super) fn is_draft(fields: &Fields<'_>) -> bool {
    let own = fields.own();
    let decides = own.find(&["draft", "isdraft", "unlisted", "publish", "status"]).is_some()
        || own.says(&["published"], true);
    is_held_back(own) || (!decides && is_held_back(fields.folders()))
}

fn is_held_back(fields: View<'_, '_>) -> bool {
    let held = ["draft", "hidden", "scheduled", "private", "pending", "unlisted", "trash", "never"];
    let shown_to_some = ["private", "unlisted", "members", "paid", "tiers", "hidden"];
    let in_words = |keys: &[&str], words: &[&str]| {
        fields.text(keys).is_some_and(|(text, _)| words.contains(&&*text.to_ascii_lowercase()))
    };
    fields.says(&HIDES, true)
        || fields.says(&SHOWS, false)
        || in_words(&["status"], &held)
        || in_words(&["visibility"], &shown_to_some)
        || ["build.render", "build.list"]
            .iter()
            .any(|key| fields.says(&[key], false) || in_words(&[key], &["never"]))
}

impl Header {
    pub(super) fn read(
        fields: &Fields<'_>,
        naming: &Naming<'_>,
        file: &SourceFile<'_>,
        rules: &FolderRules<'_>,
        report: &mut Report<'_>,
    ) -> Self {
        let wishes = wishes::read(fields, rules, report);
        let tags = terms::tags(fields, naming);
        let mut relations = Relations::read(fields, naming, rules);
        if relations.topics == tags {
            relations.topics.clear();
        }
        let mut reader = Reader { fields, naming, file, rules, report };
        let slug = reader.slug();
        let published_at = reader.published_at();
        let categories = terms::categories(fields, naming);
        let own_link =
            reader.own_link(&Place { slug: &slug, categories: &categories, published_at });
        Self {
            pinned_id: reader.pinned_id(),
            title: reader.title(),
            published_at,
            updated_at: reader.date(&UPDATED),
            expires_at: reader.date(&EXPIRES),
            summary: reader.summary(),
            tags,
            categories,
            authors: people::authors(fields, rules),
            language: reader.language(),
            image: media::image(fields),
            relations,
            wishes,
            slug,
            own_link,
            canonical: reader.canonical(),
        }
    }
}

struct Reader<'r, 'f, 'p> {
    fields: &'r Fields<'f>,
    naming: &'r Naming<'r>,
    file: &'r SourceFile<'r>,
    rules: &'r FolderRules<'r>,
    report: &'r mut Report<'p>,
}

impl<'f> Reader<'_, 'f, '_> {
    fn title(&mut self) -> Option<String> {
        let entry = self.fields.find(&["title", "linktitle"])?;
        let Some(text) = entry.node.as_text() else {
            self.report.error(
                Problem::new("post-title", format!("`{}` is a list or map, not text", entry.key))
                    .at(place(entry))
                    .help("write the title on one line, in quotes if it has `: ` or brackets"),
            );
            return None;
        };
        let title = plain(text);
        if let Some(problem) = too_long(&title) {
            self.report.error(problem.at(place(entry)));
        }
        (!title.is_empty()).then_some(title)
    }

    /// From the first of the folder's sources of dates that has one. A date that is broken is told, not passed over.
    fn published_at(&mut self) -> Option<Timestamp> {
        for source in self.rules.dates_from {
            let at = match source {
                DateSource::FrontMatter => match self.given_date() {
                    Some(entry) => return self.date_of(entry, "post-date"),
                    None => None,
                },
                DateSource::FileName => {
                    let date = self.naming.date.as_deref();
                    date.and_then(|date| dates::parse(date, self.rules.time_zone).ok())
                }
                DateSource::Git => self.file.committed_at,
                DateSource::Mtime => self.file.modified_at,
            };
            if at.is_some() {
                return at;
            }
        }
        None
    }

    fn given_date(&mut self) -> Option<&'f Entry> {
        let is_yes_or_no = |entry: &Entry| {
            entry.key.eq_ignore_ascii_case("published") && entry.node.as_bool().is_some()
        };
        let entry = self
            .fields
            .find_where(&PUBLISHED, |entry| !entry.node.is_empty() && !is_yes_or_no(entry))?;
        (!self.is_left_to_the_build(entry)).then_some(entry)
    }

    fn date(&mut self, keys: &[&str]) -> Option<Timestamp> {
        let entry = self.fields.find(keys)?;
        // Hugo's `expires: false` and its like mean that there is none.
        if entry.node.as_bool() == Some(false) || self.is_left_to_the_build(entry) {
            return None;
        }
        self.date_of(entry, "post-other-date")
    }

    fn date_of(&mut self, entry: &Entry, code: &'static str) -> Option<Timestamp> {
        let key = &entry.key;
        let problem = match entry.node.as_text() {
            Some(text) => match dates::parse(text, self.rules.time_zone) {
                Ok(at) => return Some(at),
                Err(error) => Problem::new(code, format!("`{key}`: {error}")).help(error.help()),
            },
            None => Problem::new(code, format!("`{key}` is a list or map, not a date"))
                .help("write it as 2024-01-15 or 2024-01-15T10:00:00+01:00"),
        };
        self.report.error(problem.at(place(entry)));
        None
    }

    /// Eleventy's `git Last Modified` and its like: only a build knows them, so they are none here.
    fn is_left_to_the_build(&mut self, entry: &Entry) -> bool {
        let placeholder = entry.node.as_text().filter(|text| dates::is_placeholder(text));
        if let Some(text) = placeholder {
            let problem = Problem::new("post-date-placeholder", format!("`{text}` is no date"));
            self.report.warning(problem.at(place(entry)).help("write the day itself: 2024-01-15"));
        }
        placeholder.is_some()
    }

    fn summary(&mut self) -> Option<String> {
        let (text, _) = self.fields.text(&SUMMARY)?;
        Some(plain(text)).filter(|summary| !summary.is_empty())
    }

    fn language(&mut self) -> Option<String> {
        let keys = ["lang", "language", "locale", "languagecode"];
        let own = self.fields.own().text(&keys);
        let by_name = || self.naming.language.and_then(language_tag);
        if own.is_none()
            && let Some(tag) = by_name()
        {
            return Some(tag);
        }
        let (text, entry) = own.or_else(|| self.fields.text(&keys))?;
        let tag = language_tag(text);
        if tag.is_none() {
            self.report.warning(
                Problem::new("post-language", format!("`{text}` is not a language tag"))
                    .at(place(entry))
                    .help("write `en`, `pt-BR` or the like; until then it counts as the folder's"),
            );
        }
        tag
    }

    fn slug(&mut self) -> String {
        let given = self.fields.text(&["slug"]).map(|(text, _)| slugify(text));
        let slug =
            given.filter(|slug| !slug.is_empty()).unwrap_or_else(|| slugify(self.naming.stem));
        if slug.is_empty() {
            self.report.error(
                Problem::new("post-slug", "the file name has no letters or digits for an address")
                    .help("add `slug: some-words` to the front matter, or rename the file"),
            );
        }
        slug
    }

    /// A fixed address under `url`, `permalink` or `path`, also in Jekyll's words for one. Templates that only a build can fill
    /// are none.
    fn own_link(&mut self, here: &Place<'_>) -> Option<Url> {
        let (text, entry) = self.fields.text(&["url", "permalink", "path"])?;
        let filled = here.fill(text, self.rules.time_zone);
        let path = filled.as_deref().unwrap_or(text);
        let is_key = |key: &str| entry.key.eq_ignore_ascii_case(key);
        let is_word = (is_key("path") || is_key("permalink")) && entry.node.as_bool().is_none();
        let is_path = path.contains(['/', '.']) || is_word;
        let is_template =
            path.contains(['{', '}', '<']) || path.contains("/:") || path.starts_with(':');
        if !is_path || is_template {
            return None;
        }
        let link = on_site(self.rules.site_url, path.strip_suffix("index.html").unwrap_or(path));
        if link.is_none() {
            self.report.error(
                Problem::new("post-link", format!("`{}: {text}` is not an address", entry.key))
                    .at(place(entry))
                    .help("write a path such as `/posts/hello/`"),
            );
        }
        link
    }

    fn canonical(&mut self) -> Option<Url> {
        let (text, entry) = self.fields.text(&["canonicalurl", "canonical", "originalurl"])?;
        let url = on_site(self.rules.site_url, text);
        if url.is_none() {
            self.report.warning(
                Problem::new(
                    "post-canonical",
                    format!("`{}: {text}` is not an address", entry.key),
                )
                .at(place(entry))
                .help("write it out: https://example.com/the/post"),
            );
        }
        url
    }

    /// An id that outlives moves: Docusaurus's `id: hello` is a slug and pins nothing.
    fn pinned_id(&mut self) -> Option<String> {
        let entry = self.fields.find(&["guid", "uuid", "atomid"]);
        if let Some(entry) = entry {
            let id = entry.node.as_text().and_then(iri);
            if id.is_none() {
                let message = format!("`{}` is not an id for feeds", entry.key);
                let problem = Problem::new("post-id", message).at(place(entry));
                self.report.warning(problem.help("write a UUID, a URL, or `tag:…` or `urn:…`"));
            }
            return id;
        }
        self.fields.text(&["id"]).and_then(|(text, _)| iri(text))
    }
}

/// A UUID or Ghost's id as a URN, or an IRI of the kinds that serve as ids.
fn iri(text: &str) -> Option<String> {
    if let Some(id) = PostId::of_ghost(text) {
        return Some(id.as_str().to_owned());
    }
    if let Ok(uuid) = uuid::Uuid::try_parse(text) {
        return Some(uuid.urn().to_string());
    }
    let known = ["tag:", "urn:", "http://", "https://"];
    let fits = known.iter().any(|scheme| text.starts_with(scheme) && text.len() > scheme.len())
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c));
    fits.then(|| text.to_owned())
}

/// `en_US.UTF-8` -> `en-US`; nothing for what is no BCP 47 tag.
pub(super) fn language_tag(text: &str) -> Option<String> {
    let text = text.split(['.', '@']).next()?.replace('_', "-");
    let mut subtags = text.split('-');
    let first = subtags.next()?;
    let letters = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let fits =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    if !letters || !subtags.clone().all(fits) {
        return None;
    }
    let mut tag = first.to_ascii_lowercase();
    for subtag in subtags {
        let region = subtag.len() == 2;
        tag.push('-');
        tag.push_str(&if region { subtag.to_ascii_uppercase() } else { subtag.to_owned() });
    }
    Some(tag)
}

/// What to point at: the value, or the key where the value has no place of its own.
pub(super) fn place(entry: &Entry) -> std::ops::Range<usize> {
    if entry.node.span.is_empty() { entry.key_span.clone() } else { entry.node.span.clone() }
}
