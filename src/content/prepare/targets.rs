//! Names of other posts -> their addresses.

use std::fmt;

use jiff::civil::Date;
use url::Url;

use super::super::permalink::{self, Parts, slugify};
use super::super::{FolderRules, naming};

/// What is known beside the file itself.
pub trait Neighbours: fmt::Debug {
    /// The address of the post with this slug, or in this file.
    fn link(&self, name: &str) -> Option<Url> {
        let _ = name;
        None
    }

    /// Width and height of the image at a path that is relative to the post's file.
    fn image_size(&self, path: &str) -> Option<(u32, u32)> {
        let _ = path;
        None
    }
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) text: String,
    /// Nobody knows a post of that name: it is where the folder's pattern would put one.
    pub(super) is_guess: bool,
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Neighbours for Alone {}

/// What a body is prepared with.
#[derive(Debug)]
pub(in crate::content) struct Targets<'a> {
    pub(in crate::content) rules: &'a FolderRules<'a>,
    pub(in crate::content) neighbours: &'a dyn Neighbours,
    /// The slug of the post itself.
    pub(in crate::content) slug: &'a str,
    /// The post's own image, as written.
    pub(in crate::content) image: Option<&'a str>,
    /// Whether the file is MDX.
    pub(in crate::content) mdx: bool,
}

impl Targets<'_> {
    /// The address of the post called `name`, perhaps with a `#heading`: a slug, a title, or a file with or without date,
    /// folder and extension. `None`: the folder's pattern needs more than the name says.
    pub(super) fn link(&self, name: &str) -> Option<Address> {
        let (name, heading) = name.split_once('#').unwrap_or((name, ""));
        let name = name.trim();
        // Obsidian's `^block` has no place on a site.
        let heading = if heading.starts_with('^') { "" } else { heading };
        let heading = slugify(heading.rsplit('#').next().unwrap_or_default());
        if name.is_empty() {
            let own = (!heading.is_empty()).then(|| format!("#{}-{heading}", self.slug))?;
            return Some(Address { text: own, is_guess: false });
        }
        let known = self.neighbours.link(name);
        let is_guess = known.is_none();
        let mut url = known.or_else(|| self.by_pattern(name))?;
        url.set_fragment(Some(heading.as_str()).filter(|heading| !heading.is_empty()));
        // In Markdown a bracket would end the address.
        let text = url.as_str().replace('(', "%28").replace(')', "%29");
        Some(Address { text, is_guess })
    }

    fn by_pattern(&self, name: &str) -> Option<Url> {
        let name = name.trim_matches('/');
        let within = if is_markdown(name) { name.to_owned() } else { format!("{name}.md") };
        let naming = naming::read(&within);
        let pattern = self.rules.permalink;
        let date: Option<Date> =
            naming.date.as_deref().and_then(|date| date.get(..10)?.parse().ok());
        let needs = |part: &str| pattern.contains(part);
        let undated = date.is_none() && (needs("{year}") || needs("{month}") || needs("{day}"));
        let unplaced = naming.section.is_none() && needs("{section}");
        if undated || unplaced || needs("{categories}") {
            return None;
        }
        let slug = slugify(naming.stem);
        let parts = Parts {
            slug: &slug,
            title: naming.stem,
            section: naming.section.unwrap_or_default(),
            language: naming.language.unwrap_or(self.rules.language),
            usual_language: self.rules.language,
            categories: &[],
            date: date.unwrap_or_default(),
        };
        (!slug.is_empty())
            .then(|| permalink::on_site(self.rules.site_url, &permalink::expand(pattern, &parts)))
            .flatten()
    }

    /// A path on the site.
    pub(super) fn on_site(&self, path: &str) -> Option<String> {
        permalink::on_site(self.rules.site_url, path).map(String::from)
    }
}

fn is_markdown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".md", ".mdx", ".markdown"].iter().any(|extension| name.ends_with(extension))
}
