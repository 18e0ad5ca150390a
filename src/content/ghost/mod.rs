//! A Ghost export (JSON) -> Markdown files that we and every engine can read. Pure.
//!
//! Posts keep Ghost's id as `guid`, by which those who read the feed know that they have them already.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use self::export::{Post, Tables};
use self::front_matter::FrontMatter;
use super::{dates, permalink, source, title};
use crate::domain::{Diagnostic, Position};

mod body;
mod export;
mod front_matter;
mod html;

#[cfg(test)]
mod tests;

/// What is wanted of an export.
#[derive(Clone, Debug, Default)]
pub struct GhostWishes {
    /// Drafts, scheduled posts and those for members, too: as drafts.
    pub drafts: bool,
    /// Where the blog was; stands in for `__GHOST_URL__`.
    pub url: Option<Url>,
}

/// An export that could be read.
#[derive(Debug)]
pub struct GhostExport<'j> {
    tables: Tables<'j>,
    json: &'j str,
    file: &'j str,
    zone: TimeZone,
}

/// What became of one post of the export.
#[derive(Debug)]
pub enum GhostPost {
    Made(MadePost),
    Skipped(Skipped),
    /// Nothing can be made of it.
    Broken(Diagnostic),
}

/// A file to write.
#[derive(Debug)]
pub struct MadePost {
    /// Without folders, and unlike that of every other post.
    pub name: String,
    pub text: String,
    pub is_draft: bool,
    pub warnings: Vec<Diagnostic>,
}

/// Why no file is made of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    Page,
    Draft,
    MembersOnly,
    MailOnly,
}

const BROKEN: &str = "ghost-export";
const GHOST_URL: &str = "__GHOST_URL__";

impl<'j> GhostExport<'j> {
    /// Reads an export; `file` is what messages call it.
    pub fn read(bytes: &'j [u8], file: &'j str) -> Result<Self, Box<Diagnostic>> {
        let problem = |message: String, help: &str| {
            Box::new(Diagnostic::error(BROKEN, message).in_file(file).help(help))
        };
        let again = "export it again: in Ghost, Settings, Import/Export, Export content";
        if bytes.starts_with(b"PK") {
            return Err(problem(
                "the file is an archive".into(),
                "unpack it and name the JSON in it",
            ));
        }
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
        let json = str::from_utf8(bytes).map_err(|error| {
            problem(format!("byte {} is not valid UTF-8", error.valid_up_to() + 1), again)
        })?;
        let tables = Tables::read(json).map_err(|error| {
            let place = Position { line: error.line(), column: error.column() };
            let mut found = problem(format!("the JSON is broken: {error}"), again);
            found.position = Some(place);
            found
        })?;
        let tables =
            tables.ok_or_else(|| problem("there are no posts in the JSON".into(), again))?;
        let zone = tables.setting("timezone").and_then(|name| TimeZone::get(name).ok());
        Ok(Self { tables, json, file, zone: zone.unwrap_or(TimeZone::UTC) })
    }

    /// Whether addresses of the old blog can be written out.
    pub fn knows_url(&self, wishes: &GhostWishes) -> bool {
        wishes.url.is_some() || self.tables.setting("url").is_some()
    }

    /// Every row of the posts, one after the other.
    pub fn posts(&self, wishes: &GhostWishes) -> impl Iterator<Item = GhostPost> {
        let own = self.tables.setting("url").map(str::to_owned);
        let url = wishes.url.as_ref().map(Url::to_string).or(own).unwrap_or_default();
        let mut maker = Maker {
            export: self,
            url: url.trim_end_matches('/').to_owned(),
            drafts: wishes.drafts,
            names: HashMap::new(),
        };
        let mut reached = Reached { at: 0, position: Position { line: 1, column: 1 } };
        self.tables.posts.iter().map(move |raw| {
            let made = match serde_json::from_str::<Post>(raw.get()) {
                Ok(post) => maker.make(&post),
                Err(error) => Err(Diagnostic::error(BROKEN, format!("a post is broken: {error}"))),
            };
            made.unwrap_or_else(|problem| {
                let offset =
                    (raw.get().as_ptr() as usize).saturating_sub(self.json.as_ptr() as usize);
                reached.advance(self.json, offset);
                let mut problem = problem.in_file(self.file).effect("no file is made of this post");
                problem.position = Some(reached.position);
                GhostPost::Broken(problem)
            })
        })
    }
}

/// How far a text has been counted. Ghost writes exports of one line: each place counted from the start would take minutes.
struct Reached {
    at: usize,
    position: Position,
}

impl Reached {
    fn advance(&mut self, text: &str, to: usize) {
        let passed = text.get(self.at..to).unwrap_or_default();
        self.at += passed.len();
        let lines = passed.matches('\n').count();
        let last = passed.rfind('\n').map_or(passed, |at| &passed[at + 1..]).chars().count();
        self.position.line += lines;
        self.position.column = if lines > 0 { last + 1 } else { self.position.column + last };
    }
}

struct Maker<'e, 'j> {
    export: &'e GhostExport<'j>,
    url: String,
    drafts: bool,
    /// How many posts would have this name, in small letters as file systems may compare them.
    names: HashMap<String, usize>,
}

impl Maker<'_, '_> {
    fn make(&mut self, post: &Post) -> Result<GhostPost, Diagnostic> {
        if let Some(skipped) = skipped(post)
            && (skipped == Skipped::Page || !self.drafts)
        {
            return Ok(GhostPost::Skipped(skipped));
        }
        let is_draft = skipped(post).is_some();
        let title = post.title.text().map(source::one_line).filter(|title| !title.is_empty());
        let title = title.unwrap_or_else(|| "(Untitled)".to_owned());
        let about = |problem: Diagnostic| {
            let shown: String = title.chars().take(60).collect();
            Diagnostic { message: format!("“{shown}”: {}", problem.message), ..problem }
        };
        let date = |cell: &export::Cell| match cell.text() {
            Some(text) => dates::parse(text, &TimeZone::UTC)
                .map(Some)
                .map_err(|error| about(Diagnostic::error("post-date", error.to_string()))),
            None => Ok(None),
        };
        let published_at = date(&post.published_at)?;
        if published_at.is_none() && !is_draft {
            return Err(about(Diagnostic::error("post-no-date", "the post has no date")));
        }
        let slug = slug(post, &title);
        let front_matter = FrontMatter {
            post,
            tables: &self.export.tables,
            title: &title,
            slug: &slug,
            published_at: published_at.map(|at| self.local(at)),
            // The file goes without, if that is all that is wrong.
            updated_at: date(&post.updated_at)
                .ok()
                .flatten()
                .filter(|at| Some(*at) > published_at)
                .map(|at| self.local(at)),
            url: &self.url,
            is_draft,
        };
        let body = body::markdown(&self.written_out(post.html.text().unwrap_or_default()));
        let mut warnings = Vec::new();
        if body.is_empty() {
            warnings.push(about(Diagnostic::warning("ghost-no-text", "the post has no text")));
        }
        if title::too_long(&title).is_some() {
            warnings.push(about(Diagnostic::warning("ghost-title", "the title is cut")));
        }
        let text = format!("{}\n{body}\n", front_matter.write());
        if text.len() > source::MAX_BODY_BYTES {
            let message = format!("the post is {} bytes long", text.len());
            let problem = Diagnostic::error("post-too-large", message);
            return Err(about(
                problem.help("take images out of its text, in Ghost, and export again"),
            ));
        }
        let name = self.name(published_at, &slug, post);
        let warnings = warnings.into_iter().map(|it| it.in_file(&*name)).collect();
        Ok(GhostPost::Made(MadePost { name, text, is_draft, warnings }))
    }

    fn written_out(&self, text: &str) -> String {
        source::legal(text.replace('\0', "").replace(GHOST_URL, &self.url))
    }

    fn local(&self, at: Timestamp) -> String {
        at.to_zoned(self.export.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// `2024-01-15-hello.md`, the day where the blog was. Drafts without a date have none in the name.
    fn name(&mut self, published_at: Option<Timestamp>, slug: &str, post: &Post) -> String {
        let day = published_at.map(|at| self.export.zone.to_datetime(at).date());
        let day = day.map(|day| format!("{day}-")).unwrap_or_default();
        let stem = cut(&slug.replace('.', "-"), MAX_NAME_BYTES).trim_matches('-').to_owned();
        let same = self.names.entry(format!("{day}{stem}")).or_default();
        *same += 1;
        if *same == 1 {
            return format!("{day}{stem}.md");
        }
        // Hardly any slug has two hyphens side by side; a name that is taken all the same is never written over.
        let id = post.id.text().map(permalink::slugify).unwrap_or_default().replace('.', "-");
        format!("{day}{stem}--{}-{same}.md", cut(&id, 40))
    }
}

/// File systems take 255; the date, an id and the ending come on top.
const MAX_NAME_BYTES: usize = 150;

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// Why a post is not one that everybody may read on the site.
fn skipped(post: &Post) -> Option<Skipped> {
    if post.r#type.is(&["page"]) {
        return Some(Skipped::Page);
    }
    if post.status.is(&["sent"]) {
        return Some(Skipped::MailOnly);
    }
    // What says nothing is from a Ghost that had only published posts; what says something unknown is no reason to publish.
    if post.status.text().is_some() && !post.status.is(&["published"]) {
        return Some(Skipped::Draft);
    }
    let public = post.visibility.text().is_none() || post.visibility.is(&["public"]);
    (!public).then_some(Skipped::MembersOnly)
}

/// Never empty, and never more than a name: no folders, no dots in front.
fn slug(post: &Post, title: &str) -> String {
    let id = post.id.text().unwrap_or_default();
    let words = [post.slug.text().unwrap_or_default(), title, id, "post"];
    words.iter().map(|text| permalink::slugify(text)).find(|it| !it.is_empty()).unwrap_or_default()
}
