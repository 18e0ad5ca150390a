//! Makes every URL in a post absolute, every id the post's own, and turns what cannot travel into links.

use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::Url;

use super::markup::{escape, unescape};
use super::source::one_line;

/// Attributes that hold one URL.
const URL_ATTRIBUTES: [&str; 5] = ["href", "src", "poster", "cite", "longdesc"];

/// Rewrites `html`, the body of the post at `base`. `None`: it is not HTML that can be rewritten.
///
/// Runs before the sanitiser, which removes whatever URL was missed here.
pub(super) fn absolute(html: &str, base: &Base<'_>) -> Option<String> {
    let handler = element!("*", |element: &mut Element| {
        base.element(element);
        Ok(())
    });
    let settings = RewriteStrSettings::new()
        .with_strict(false)
        .with_enable_esi_tags(false)
        .append_element_content_handler(handler);
    rewrite_str(html, settings).ok()
}

/// What the addresses and ids in one post count from.
#[derive(Clone, Copy)]
pub(super) struct Base<'a> {
    /// Where the post lives.
    pub(super) link: &'a Url,
    /// What every id begins with.
    pub(super) id_prefix: &'a str,
}

impl Base<'_> {
    fn element(&self, element: &mut Element<'_, '_>) {
        match element.tag_name().as_str() {
            "iframe" | "embed" => return self.replace_embedded(element, "src"),
            "object" => return self.replace_embedded(element, "data"),
            "input" => return replace_checkbox(element),
            "img" | "source" | "video" | "audio" => make_real(element),
            _ => {}
        }
        for name in URL_ATTRIBUTES {
            if let Some(value) = element.get_attribute(name) {
                set(element, name, self.resolve(&value));
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

    /// The absolute form of an attribute's value; `None` if there is none.
    pub(super) fn resolve(&self, raw: &str) -> Option<String> {
        let value = unescape(raw);
        let value = value.trim();
        // Left as they are: the URL parser would re-encode what is inside.
        let opaque = ["data:", "mailto:", "tel:", "sms:"];
        if opaque.iter().any(|scheme| starts_with_ignoring_case(value, scheme)) {
            return Some(value.to_owned());
        }
        self.link.join(value).ok().map(String::from)
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
                let candidate = format!("{} {}", url.replace(' ', "%20"), descriptor.trim());
                candidates.push(candidate.trim_end().to_owned());
            }
            rest = after;
        }
    }

    /// What would run elsewhere becomes a link to it.
    fn replace_embedded(&self, element: &mut Element<'_, '_>, attribute: &str) {
        let source = element
            .get_attribute(attribute)
            .or_else(|| element.get_attribute(&format!("data-{attribute}")))
            .and_then(|value| Url::parse(&self.resolve(&value)?).ok())
            .and_then(super::permalink::web);
        if let Some(url) = source {
            let title = element.get_attribute("title").map(|title| one_line(&unescape(&title)));
            let text = title
                .filter(|title| !title.is_empty())
                .unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
            let link = format!("<a href=\"{}\">{}</a>", escape(url.as_str()), escape(&text));
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
