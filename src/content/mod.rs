//! Posts: a file of front matter and Markdown -> everything of a post that does not depend on the store.
//!
//! Pure. Reads what Jekyll, Hugo, Zola, Astro, Eleventy and their kin write, as they write it. A file becomes a post, is kept
//! back, or gets *all* of its problems told with line and column; no input panics, and none takes long.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use self::fields::Fields;
use self::header::Header;
use self::links::Base;
use self::markdown::{Document, Reading};
use self::naming::Naming;
use self::permalink::Parts;
pub use self::prepare::{Alone, Neighbours};
use self::prepare::{Prepared, Targets};
use self::report::{Problem, Report};
use crate::domain::{Author, DateSource, Diagnostic, Field, Likeness, Revision};

mod body;
mod dates;
mod embeds;
mod excerpt;
mod facts;
mod fields;
mod front_matter;
mod ghost;
mod header;
mod highlight;
mod jekyll;
mod links;
mod lint;
mod markdown;
mod markup;
mod media;
mod naming;
mod opening;
mod parsed;
mod people;
mod permalink;
mod prepare;
mod preset;
mod relations;
mod report;
mod sanitise;
mod source;
mod terms;
mod text;
mod title;
mod wishes;

#[cfg(test)]
mod tests;

pub use excerpt::of as excerpt;
pub use facts::{FactFile, FactKind, FolderFacts, MAX_FACT_BYTES, fact_kind};
pub use ghost::{GhostExport, GhostPost, GhostWishes, MadePost, Skipped};
pub use highlight::highlighted;
pub(crate) use links::percent_decoded;
pub use lint::{MOST_OF_A_KIND, Page, Reference};
pub use naming::language as language_in_path;
pub use opening::opening;
pub use parsed::Parsed;
pub(crate) use permalink::slugify;
pub use preset::Preset;
pub use text::of as plain_text;

/// What a folder says about its posts.
#[derive(Clone, Copy, Debug)]
pub struct FolderRules<'a> {
    /// The author's site. Links go below its path.
    pub site_url: &'a Url,
    /// A pattern that `config` accepted.
    pub permalink: &'a str,
    /// BCP 47 tag of posts that don't say.
    pub language: &'a str,
    /// Of dates that don't say.
    pub time_zone: &'a TimeZone,
    /// Stands in for posts that name nobody.
    pub default_author: Option<&'a Author>,
    /// The author's own words for our fields: keys, or paths of keys with dots.
    pub names: &'a BTreeMap<Field, Vec<String>>,
    /// Whom the keys mean that the blog gives its authors.
    pub authors: &'a BTreeMap<String, Author>,
    /// What is said for all posts of a folder, the nearest first.
    pub presets: &'a [&'a Preset],
    /// Where a date may come from, in that order.
    pub dates_from: &'a [DateSource],
    /// Where posts may be announced; `None`: not known here, so that every name is believed.
    pub destinations: Option<&'a BTreeSet<String>>,
    /// Whether code says its language, by which mails colour it.
    pub highlight: bool,
    /// Whether straight quotes, hyphens and dots become what typographers set.
    pub smart_punctuation: bool,
    /// What ends the excerpt of posts that don't say, beside `<!--more-->`.
    pub excerpt_separator: Option<&'a str>,
}

impl<'a> FolderRules<'a> {
    /// Those of a folder of which nothing else is said: posts in English that date themselves.
    pub fn of_site(site_url: &'a Url, permalink: &'a str) -> Self {
        static NAMES: BTreeMap<Field, Vec<String>> = BTreeMap::new();
        static AUTHORS: BTreeMap<String, Author> = BTreeMap::new();
        static ZONE: TimeZone = TimeZone::UTC;
        Self {
            site_url,
            permalink,
            language: "en",
            time_zone: &ZONE,
            default_author: None,
            names: &NAMES,
            authors: &AUTHORS,
            presets: &[],
            dates_from: &[DateSource::FrontMatter],
            destinations: None,
            highlight: true,
            smart_punctuation: false,
            excerpt_separator: None,
        }
    }
}

/// One file as read.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Path relative to the project folder, with `/`.
    pub source: &'a str,
    /// Path relative to the folder of posts, with `/`.
    pub within: &'a str,
    pub bytes: &'a [u8],
    /// When version control first had it, where that is asked for.
    pub committed_at: Option<Timestamp>,
    /// When it was last written, where that is asked for.
    pub modified_at: Option<Timestamp>,
    pub neighbours: &'a dyn Neighbours,
}

impl<'a> SourceFile<'a> {
    /// A file of which only its text is known.
    pub fn new(source: &'a str, within: &'a str, bytes: &'a [u8]) -> Self {
        Self { source, within, bytes, committed_at: None, modified_at: None, neighbours: &Alone }
    }
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Post(Box<Parsed>),
    /// The author keeps it back: a draft, unlisted, private, `published: false` …
    Draft,
    /// A section's own page, a file in a hidden folder, an editor's copy, no Markdown.
    NotAPost,
}

/// Reads one file. `Ok` carries warnings beside the verdict; `Err` is all problems of the file, at least one of them an error.
pub fn parse(
    file: &SourceFile<'_>,
    rules: &FolderRules<'_>,
) -> Result<(Verdict, Vec<Diagnostic>), Vec<Diagnostic>> {
    match naming::kind(file.within) {
        naming::Kind::Other => return Ok((Verdict::NotAPost, Vec::new())),
        naming::Kind::Draft => return Ok((Verdict::Draft, Vec::new())),
        naming::Kind::Post => {}
    }
    let text = source::read(file.bytes).map_err(|unreadable| {
        let mut report = Report::new(file.source, &unreadable.shown);
        report.error(unreadable.problem);
        report.into_found()
    })?;
    let mut report = Report::new(file.source, &text);
    let front_matter = match front_matter::read(&text) {
        Ok(front_matter) => front_matter,
        Err(problems) => {
            for problem in problems {
                report.error(problem);
            }
            return Err(report.into_found());
        }
    };
    let fields = Fields::new(&front_matter.entries, rules.names, rules.presets);
    if header::is_draft(&fields) {
        return Ok((Verdict::Draft, report.into_found()));
    }
    let mut naming = naming::read(file.within);
    if front_matter.bare {
        // Pelican files posts under the folder that they are in.
        naming.category = naming.category.or(file.within.rsplit('/').nth(1));
    }
    let header = Header::read(&fields, &naming, file, rules, &mut report);
    let own_separator = fields.text(&["excerptseparator"]).map(|(text, _)| text);
    let assembly = Assembly {
        file,
        rules,
        fields: &fields,
        naming: &naming,
        text: &text,
        has_front_matter: front_matter.present,
        excerpt_separator: own_separator.or(rules.excerpt_separator),
    };
    let post = assembly.assemble(header, front_matter.body, &mut report);
    match post {
        Some(post) if !report.has_errors() => {
            Ok((Verdict::Post(Box::new(post.revised())), report.into_found()))
        }
        _ => Err(report.into_found()),
    }
}

/// Puts header and body together.
struct Assembly<'a> {
    file: &'a SourceFile<'a>,
    rules: &'a FolderRules<'a>,
    fields: &'a Fields<'a>,
    naming: &'a Naming<'a>,
    text: &'a str,
    has_front_matter: bool,
    excerpt_separator: Option<&'a str>,
}

impl Assembly<'_> {
    /// Goes on after an error, with stand-ins, so that the rest of the file is looked at too.
    fn assemble(&self, header: Header, body: usize, report: &mut Report<'_>) -> Option<Parsed> {
        let size = self.text.len() - body;
        if size > source::MAX_BODY_BYTES {
            report.error(source::too_large(size));
            self.check_presence(header.title.as_deref(), &header, report);
            return None;
        }
        let prepared = self.prepare(&header, body);
        let document = self.document(&prepared, report);
        let title = self.title(&header, document.as_ref(), body, report);
        let link = self.link(&header, &title)?;
        let document = document?;
        for warning in prepared.warnings.iter().chain(&document.warnings) {
            report.warning(warning.clone());
        }
        let (address, alt) = header.image.map(|image| (image.address, image.alt)).unzip();
        let image = address.and_then(|image| image_url(&image, &link, report));
        let base = self.base(&link, &header.slug, image.as_ref());
        let bodies = body::render(&document, &base, &title)
            .map_err(|problem| report.error(problem.at(body..body)))
            .ok()?;
        let html = &bodies.html;
        // Summaries are seen everywhere: what is for one channel stays out of them.
        let opening = bodies.for_all.as_ref().unwrap_or(html);
        let summary =
            header.summary.map_or_else(|| excerpt::of(opening), |text| excerpt::bounded(&text));
        let relations = header.relations;
        let mail = bodies.mail_html.as_ref().unwrap_or(html);
        Some(Parsed {
            pinned_id: header.pinned_id,
            revision: Revision::of([]),
            written: Revision::of([self.text]),
            source: self.file.source.to_owned(),
            slug: header.slug,
            canonical: header.canonical.filter(|canonical| *canonical != link).map(Box::new),
            enclosure: media::enclosure(self.fields, &link),
            external: relations.external.filter(|external| *external != link),
            aliases: relations.aliases.into_iter().filter(|alias| *alias != link).collect(),
            link,
            title,
            published_at: header.published_at.unwrap_or_default(),
            updated_at: header.updated_at,
            expires_at: header.expires_at,
            summary,
            size: u32::try_from(bodies.html.len()).unwrap_or(u32::MAX),
            likeness: Likeness::of_parts(text::parts(mail)),
            html: source::legal(bodies.html),
            mail_html: bodies.mail_html.map(source::legal),
            web_html: bodies.web_html.map(source::legal),
            authors: self.authors(header.authors),
            tags: header.tags,
            categories: header.categories,
            language: header.language.unwrap_or_else(|| self.rules.language.to_owned()),
            image_alt: alt.flatten().filter(|_| image.is_some()),
            image: image.map(Box::new),
            topics: relations.topics,
            section: relations.section,
            series: relations.series,
            translation_key: relations.translation_key,
            featured: relations.featured,
            wishes: header.wishes,
        })
    }

    /// The address that the author fixed, else the folder's pattern, filled.
    fn link(&self, header: &Header, title: &str) -> Option<Url> {
        if let Some(own) = &header.own_link {
            return Some(own.clone());
        }
        let published_at = header.published_at.unwrap_or_default();
        let parts = Parts {
            slug: &header.slug,
            title,
            section: header.relations.section.as_deref().unwrap_or_default(),
            language: header.language.as_deref().unwrap_or(self.rules.language),
            usual_language: self.rules.language,
            categories: &header.categories,
            date: published_at.to_zoned(self.rules.time_zone.clone()).date(),
        };
        let path = permalink::expand(self.rules.permalink, &parts);
        permalink::on_site(self.rules.site_url, &path)
    }

    fn base<'b>(&'b self, link: &'b Url, slug: &'b str, image: Option<&'b Url>) -> Base<'b> {
        Base {
            link,
            id_prefix: slug,
            image,
            neighbours: self.file.neighbours,
            names_languages: self.rules.highlight,
        }
    }

    fn authors(&self, own: Vec<Author>) -> Vec<Author> {
        match self.rules.default_author {
            Some(author) if own.is_empty() => vec![author.clone()],
            _ => own,
        }
    }

    /// The body as Markdown and nothing else.
    fn prepare(&self, header: &Header, body: usize) -> Prepared<'_> {
        let targets = Targets {
            rules: self.rules,
            neighbours: self.file.neighbours,
            slug: &header.slug,
            image: header.image.as_ref().map(|image| image.address.as_str()),
            mdx: self.file.within.to_ascii_lowercase().ends_with(".mdx"),
        };
        prepare::prepare(self.text, body, &targets)
    }

    fn document<'t>(
        &self,
        prepared: &'t Prepared<'_>,
        report: &mut Report<'_>,
    ) -> Option<Document<'t>> {
        let how = Reading {
            smart_punctuation: self.rules.smart_punctuation,
            excerpt_separator: self.excerpt_separator,
        };
        match Document::parse(prepared, how) {
            Ok(document) => Some(document),
            Err(problems) => {
                for problem in problems {
                    report.error(problem);
                }
                None
            }
        }
    }

    /// The title in the front matter, else the first heading, else the name of the file.
    fn title(
        &self,
        header: &Header,
        document: Option<&Document<'_>>,
        body: usize,
        report: &mut Report<'_>,
    ) -> String {
        let by_name = || naming::title(self.naming.stem);
        let title = header.title.clone().or_else(|| document?.first_heading()).or_else(by_name);
        if header.title.is_none()
            && let Some(problem) = title.as_deref().and_then(title::too_long)
        {
            report.error(problem.at(body..body));
        }
        self.check_presence(title.as_deref(), header, report);
        title.unwrap_or_default()
    }

    /// Without a title and a date a post is live nowhere; says what to write where.
    fn check_presence(&self, title: Option<&str>, header: &Header, report: &mut Report<'_>) {
        let start = self.text.len() - self.text.trim_start().len();
        let first_line = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let (place, where_to) = if self.has_front_matter {
            (start..first_line, "to the front matter")
        } else {
            (start..start, "in front matter at the top, between two lines `---`")
        };
        if title.is_none() && !report.has("post-title") {
            let problem = Problem::new("post-no-title", "the post has no title").at(place.clone());
            report.error(problem.help(format!(
                "add `title: …` {where_to}, or begin the text with a heading `# …`"
            )));
        }
        if header.published_at.is_none() && !report.has("post-date") {
            let problem = Problem::new("post-no-date", "the post has no date").at(place);
            report.error(problem.help(format!(
                "add `date: 2024-01-15` {where_to}, or put the date in front of the file name"
            )));
        }
    }
}

/// The address of a post's image. Aliases that only a bundler resolves (`@/…`, `~/…`) have none.
fn image_url(image: &str, link: &Url, report: &mut Report<'_>) -> Option<Url> {
    let bundled = image.starts_with(['@', '~']);
    let url = link.join(image).ok().and_then(permalink::web).filter(|_| !bundled);
    if url.is_none() {
        let problem = Problem::new("post-image", format!("the image `{image}` has no address"));
        report.warning(
            problem.help("write its path on the site or its URL; the post goes without it"),
        );
    }
    url
}
