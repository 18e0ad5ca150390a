//! Makes every URL in a post absolute, every id the post's own, and turns what cannot travel into links.

use std::borrow::Cow;

use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::Url;

use super::embeds::Video;
use super::markup::{escape, unescape};
use super::prepare::Neighbours;
use super::source::one_line;

/// Attributes that hold one URL.
const URL_ATTRIBUTES: [&str; 5] = ["href", "src", "poster", "cite", "longdesc"];

/// Rewrites `html`, the body of the post at `base`. `None`: it is not HTML that can be rewritten.
///
/// Runs before the sanitiser, which removes whatever URL was missed here.
pub(super) fn absolute(html: &str, base: &Base<'_>, to_be_used: Use) -> Option<String> {
    let handler = element!("*", |element: &mut Element| {
        base.element(element, to_be_used);
        Ok(())
    });
    let settings = RewriteStrSettings::new()
        .with_strict(false)
        .with_enable_esi_tags(false)
        .append_element_content_handler(handler);
    rewrite_str(html, settings).ok()
}

/// What the addresses and ids in one post count from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'a> {
    /// Where the post lives.
    pub(super) link: &'a Url,
    /// What every id begins with.
    pub(super) id_prefix: &'a str,
    /// The post's own image.
    pub(super) image: Option<&'a Url>,
    pub(super) neighbours: &'a dyn Neighbours,
    /// Whether code says which language it is in.
    pub(super) names_languages: bool,
}

/// An absolute address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Url(Url),
    /// As it was written.
    Opaque(String),
}

impl Address {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Url(url) => url.as_str(),
            Self::Opaque(text) => text,
        }
    }

    /// Its URL, if it is one.
    pub(super) fn into_url(self) -> Option<Url> {
        match self {
            Self::Url(url) => Some(url),
            Self::Opaque(text) => Url::parse(&text).ok(),
        }
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        match address {
            Address::Url(url) => url.into(),
            Address::Opaque(text) => text,
        }
    }
}

/// Where HTML is going to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// In feeds and mails, where nothing runs.
    Elsewhere,
    /// On the author's site.
    OwnPage,
}

impl Base<'_> {
    fn element(&self, element: &mut Element<'_, '_>, to_be_used: Use) {
        let name = element.tag_name();
        if to_be_used == Use::Elsewhere {
            match name.as_str() {
                "iframe" | "embed" => return self.replace_embedded(element, "src"),
                "object" => return self.replace_embedded(element, "data"),
                "input" => return replace_checkbox(element),
                "img" | "source" | "video" | "audio" => make_real(element),
                _ => {}
            }
        }
        if name == "img" {
            self.set_size(element);
        }
        for name in URL_ATTRIBUTES {
            if let Some(value) = element.get_attribute(name) {
                set(element, name, self.resolve(&value).map(String::from));
            }
        }
        if let Some(value) = element.get_attribute("srcset") {
            set(element, "srcset", Some(self.srcset(&value)).filter(|set| !set.is_empty()));
        }
        if let Some(id) = element.get_attribute("id") {
            let id = unescape(&id);
            let own = id.strip_prefix(self.id_prefix).is_some_and(|rest| rest.starts_with('-'));
            if !own {
                set(element, "id", Some(format!("{}-{}", self.id_prefix, id.trim())));
            }
        }
    }

    /// Width and height of the image at a relative address, if it lies beside the post.
    pub(super) fn size(&self, source: &str) -> Option<(u32, u32)> {
        let path = source.split(['?', '#']).next().unwrap_or_default();
        let is_relative = !path.is_empty() && !path.starts_with('/') && !path.contains(':');
        if !is_relative {
            return None;
        }
        // Files are called as people see their names.
        self.neighbours.image_size(&percent_decoded(path))
    }

    fn set_size(&self, image: &mut Element<'_, '_>) {
        let has_size = image.has_attribute("width") || image.has_attribute("height");
        let source = image.get_attribute("src").filter(|_| !has_size);
        if let Some((width, height)) = source.and_then(|source| self.size(&unescape(&source))) {
            set(image, "width", Some(width.to_string()));
            set(image, "height", Some(height.to_string()));
        }
    }

    /// The absolute form of an attribute's value; `None` if there is none.
    pub(super) fn resolve(&self, raw: &str) -> Option<Address> {
        let value = unescape(raw);
        let value = value.trim();
        // Left as they are: the URL parser would re-encode what is inside.
        let opaque = ["data:", "mailto:", "tel:", "sms:"];
        if opaque.iter().any(|scheme| starts_with_ignoring_case(value, scheme)) {
            return Some(Address::Opaque(value.to_owned()));
        }
        self.link.join(value).ok().map(Address::Url)
    }

    /// Each candidate of a `srcset` made absolute. A comma ends a URL only in front of a blank: URLs may contain commas.
    fn srcset(&self, raw: &str) -> String {
        let value = unescape(raw);
        let mut candidates = Vec::new();
        let mut rest = &*value;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
            if rest.is_empty() {
                return candidates.join(", ");
            }
            let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
            let (url, after) = rest.split_at(end);
            let bare = url.trim_end_matches(',');
            let (descriptor, after) = if bare.len() < url.len() {
                ("", after)
            } else {
                after.split_once(',').unwrap_or((after, ""))
            };
            if let Some(url) = self.resolve(&escape(bare)) {
                let candidate =
                    format!("{} {}", url.as_str().replace(' ', "%20"), descriptor.trim());
                candidates.push(candidate.trim_end().to_owned());
            }
            rest = after;
        }
    }

    /// A picture of what is embedded, or words, that leads to it. For pages that are no videos the post's image would lie.
    fn link_to_embedded(&self, url: &Url, title: Option<String>) -> String {
        let video = Video::at(url);
        let page = video.as_ref().map_or(url.as_str(), |video| &video.page);
        let text = title
            .or_else(|| video.as_ref().map(Video::words))
            .unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
        let own = self.image.map(Url::as_str);
        let picture = video.as_ref().and_then(|video| video.picture.as_deref().or(own));
        let shown = match picture {
            Some(picture) => {
                format!("<img src=\"{}\" alt=\"{}\">", escape(picture), escape(&text))
            }
            None => escape(&text),
        };
        format!("<a href=\"{}\">{shown}</a>", escape(page))
    }

    /// What would run elsewhere becomes a link to it.
    fn replace_embedded(&self, element: &mut Element<'_, '_>, attribute: &str) {
        let source = element
            .get_attribute(attribute)
            .or_else(|| element.get_attribute(&format!("data-{attribute}")))
            .and_then(|value| self.resolve(&value)?.into_url())
            .and_then(super::permalink::web);
        if let Some(url) = source {
            let title = element.get_attribute("title").map(|title| one_line(&unescape(&title)));
            let link = self.link_to_embedded(&url, title.filter(|title| !title.is_empty()));
            element.before(&link, ContentType::Html);
        }
        if element.tag_name() == "object" {
            element.remove_and_keep_content();
        } else {
            element.remove();
        }
    }
}

/// Scripts load lazy images; without them `data-src` is the image.
fn make_real(element: &mut Element<'_, '_>) {
    for (lazy, real) in [("data-src", "src"), ("data-srcset", "srcset")] {
        let Some(value) = element.get_attribute(lazy) else { continue };
        let shown = element.get_attribute(real).unwrap_or_default();
        if shown.is_empty() || starts_with_ignoring_case(&shown, "data:") {
            put(element, real, &value);
        }
    }
}

/// Percent escapes as what they stand for; what is none stays.
pub(crate) fn percent_decoded(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = path.get(path.len() - behind.len()..).and_then(|text| text.get(..2));
        let decoded =
            code.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn replace_checkbox(element: &mut Element<'_, '_>) {
    let kind = element.get_attribute("type").unwrap_or_default();
    if kind.eq_ignore_ascii_case("checkbox") {
        let done = element.has_attribute("checked");
        element.before(if done { "☑ " } else { "☐ " }, ContentType::Text);
    }
    element.remove();
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Sets an attribute to plain text, or removes it.
fn set(element: &mut Element<'_, '_>, name: &str, value: Option<String>) {
    match value {
        Some(value) => put(element, name, &escape(&value)),
        None => element.remove_attribute(name),
    }
}

fn put(element: &mut Element<'_, '_>, name: &str, escaped: &str) {
    element.set_attribute(name, escaped).expect("our attribute names are valid");
}
