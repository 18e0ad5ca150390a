//! A post's HTML -> what mail readers can show of it.
//!
//! Reads what `content` sanitised. Styles are the templates' business: what is changed here is what no style can mend.

use std::cell::{Cell, RefCell};

use lol_html::html_content::{ContentType, Element};
use lol_html::{RewriteStrSettings, element, rewrite_str, text};
use url::Url;

/// The width that is left for pictures, in pixels. Outlook for Windows takes `width` at its word and knows no `max-width`.
const MAX_WIDTH: u32 = 528;

/// Rewrites `html`; what cannot be rewritten stays as it is.
pub(super) fn for_mail(html: &str) -> String {
    let pictures = Pictures::of(html);
    let levels_down = u8::from(html.contains("<h1"));
    let number = Cell::new(0);
    // What the player is called until its link is written.
    let player = Cell::new(None);
    let poster = RefCell::new(None);
    let settings = RewriteStrSettings::new()
        .with_strict(false)
        .with_enable_esi_tags(false)
        .append_element_content_handler(element!("video *, audio *", |inner: &mut Element| {
            if inner.tag_name() == "source" {
                player.set(link_to_source(inner, player.get(), poster.borrow().as_deref()));
            }
            inner.remove();
            Ok(())
        }))
        .append_element_content_handler(text!("video, audio, video *, audio *", |chunk| {
            chunk.remove();
            Ok(())
        }))
        .append_element_content_handler(element!("*", |element: &mut Element| {
            let name = element.tag_name();
            let number = number.replace(number.get() + usize::from(name == "img"));
            if element.removed() {
                return Ok(());
            }
            match name.as_str() {
                "img" => picture(element, pictures.is_alone(number)),
                "video" | "audio" => {
                    let kind = if name == "video" { "Video" } else { "Audio" };
                    let picture =
                        element.get_attribute("poster").filter(|it| it.starts_with("http"));
                    player.set(link_to_source(element, Some(kind), picture.as_deref()));
                    poster.replace(picture);
                    element.remove_and_keep_content();
                }
                name => rename(name, levels_down, element),
            }
            Ok(())
        }));
    rewrite_str(html, settings).unwrap_or_else(|_| html.to_owned())
}

/// Elements that Gmail drops or Outlook does not know become such as both know; the post's title is the only `h1`.
fn rename(name: &str, levels_down: u8, element: &mut Element<'_, '_>) {
    match name {
        "h1" | "h2" | "h3" | "h4" | "h5" if levels_down > 0 => {
            let level = name.as_bytes()[1] - b'0' + levels_down;
            rename_to(element, &format!("h{level}"), None);
        }
        "article" | "aside" | "details" | "footer" | "header" | "hgroup" | "main" | "nav"
        | "section" => rename_to(element, "div", None),
        "summary" => rename_to(element, "div", Some("fold")),
        "figcaption" => rename_to(element, "div", Some("caption")),
        "figure" => {
            rename_to(element, "div", Some("figure"));
            set(element, "role", "figure");
        }
        "picture" => element.remove_and_keep_content(),
        "source" => element.remove(),
        "table" => {
            element.before("<div class=\"scroll\">", ContentType::Html);
            element.after("</div>", ContentType::Html);
            for name in ["border", "cellpadding", "cellspacing"] {
                set(element, name, "0");
            }
        }
        _ => {}
    }
}

fn rename_to(element: &mut Element<'_, '_>, name: &str, class: Option<&str>) {
    element.set_tag_name(name).expect("these are names of elements");
    element.remove_attribute("open");
    if let Some(class) = class {
        set(element, "class", class);
    }
}

/// Mail plays nothing: writes a link to the element's `src` in front of it, the poster as its picture. Gives back `kind` while
/// there is nothing to play.
fn link_to_source(
    element: &mut Element<'_, '_>,
    kind: Option<&'static str>,
    poster: Option<&str>,
) -> Option<&'static str> {
    // Still escaped as the post has it, which is how it goes into the link.
    let source = element.get_attribute("src").filter(|source| source.starts_with("http"));
    let host = source.as_deref().and_then(|source| Url::parse(source).ok());
    let host = host.as_ref().and_then(Url::host_str);
    if let (Some(kind), Some(source), Some(host)) = (kind, &source, host) {
        let link = match poster {
            Some(poster) => format!(
                "<p><a href=\"{source}\"><img src=\"{poster}\" alt=\"{kind}: {host}\" width=\"{MAX_WIDTH}\" style=\"width: auto;\"></a></p>"
            ),
            None => format!("<p><a href=\"{source}\">{kind}: {host}</a></p>"),
        };
        element.before(&link, ContentType::Html);
        return None;
    }
    kind
}

fn picture(image: &mut Element<'_, '_>, alone: bool) {
    let alt = image.get_attribute("alt").unwrap_or_default();
    let source = image.get_attribute("src").unwrap_or_default();
    if !source.starts_with("http") {
        // Gmail shows no `data:`; whoever wrote the alt text wrote it for this.
        let words = if alt.is_empty() { String::new() } else { format!("[{alt}]") };
        let words = words.replace('<', "&lt;").replace('>', "&gt;");
        return image.replace(&words, ContentType::Html);
    }
    for name in ["srcset", "sizes", "loading", "decoding"] {
        image.remove_attribute(name);
    }
    set(image, "alt", &alt);
    let pixels = |name| {
        let value = image.get_attribute(name)?;
        value.trim_end_matches("px").parse::<u32>().ok().filter(|it| (1..=20_000).contains(it))
    };
    match (pixels("width"), pixels("height")) {
        (Some(width), height) if width > MAX_WIDTH => {
            set(image, "width", &MAX_WIDTH.to_string());
            match height {
                Some(height) => {
                    set(image, "height", &(height * MAX_WIDTH / width).max(1).to_string());
                }
                None => image.remove_attribute("height"),
            }
        }
        (Some(_), _) => {}
        (None, _) => {
            image.remove_attribute("height");
            image.remove_attribute("width");
            if alone {
                // For Outlook, which would show a photograph at its full size. All others follow the style.
                set(image, "width", &MAX_WIDTH.to_string());
                set(image, "style", "width: auto;");
            }
        }
    }
}

fn set(element: &mut Element<'_, '_>, name: &str, value: &str) {
    element.set_attribute(name, value).expect("these are names of attributes");
}

/// Which pictures stand alone, and which within a line of text.
#[derive(Default)]
struct Pictures {
    /// Whether each paragraph has words.
    worded: Vec<bool>,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
enum Place {
    Figure,
    /// In the paragraph of this number.
    Paragraph(usize),
    Elsewhere,
}

impl Pictures {
    fn of(html: &str) -> Self {
        let found = RefCell::new(Self::default());
        let put = |place| {
            if let Some(last) = found.borrow_mut().places.last_mut() {
                *last = place;
            }
        };
        let settings = RewriteStrSettings::new()
            .with_strict(false)
            .with_enable_esi_tags(false)
            .append_element_content_handler(element!("p", |_| {
                found.borrow_mut().worded.push(false);
                Ok(())
            }))
            .append_element_content_handler(text!("p", |chunk| {
                if !chunk.as_str().trim().is_empty()
                    && let Some(worded) = found.borrow_mut().worded.last_mut()
                {
                    *worded = true;
                }
                Ok(())
            }))
            .append_element_content_handler(element!("img", |_| {
                found.borrow_mut().places.push(Place::Elsewhere);
                Ok(())
            }))
            .append_element_content_handler(element!("p img", |_| {
                let paragraphs = found.borrow().worded.len();
                put(Place::Paragraph(paragraphs.saturating_sub(1)));
                Ok(())
            }))
            .append_element_content_handler(element!("figure img", |_| {
                put(Place::Figure);
                Ok(())
            }));
        // Only what the handlers saw counts; where the rewriter gave up, no picture is known to be alone.
        drop(rewrite_str(html, settings));
        found.into_inner()
    }

    fn is_alone(&self, number: usize) -> bool {
        match self.places.get(number) {
            Some(Place::Figure) => true,
            Some(Place::Paragraph(paragraph)) => self.worded.get(*paragraph) == Some(&false),
            Some(Place::Elsewhere) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_get_a_width_that_outlook_can_show() {
        let cases = [
            (
                "<p><img src=\"https://x/a\" srcset=\"https://x/b 2x\" width=\"1056\" height=\"700\"></p>",
                "<p><img src=\"https://x/a\" width=\"528\" height=\"350\" alt=\"\"></p>",
            ),
            (
                "<p><a href=\"https://x\"><img src=\"https://x/a\" alt=\"A\"></a></p>",
                "<p><a href=\"https://x\"><img src=\"https://x/a\" alt=\"A\" width=\"528\" style=\"width: auto;\"></a></p>",
            ),
            (
                "<figure><img src=\"https://x/a\" alt=\"A\"><figcaption>Words</figcaption></figure>",
                "<div class=\"figure\" role=\"figure\"><img src=\"https://x/a\" alt=\"A\" width=\"528\" style=\"width: auto;\"><div class=\"caption\">Words</div></div>",
            ),
            (
                "<p>An icon <img src=\"https://x/a\" alt=\"A\"> in a line</p>",
                "<p>An icon <img src=\"https://x/a\" alt=\"A\"> in a line</p>",
            ),
            (
                "<p><img src=\"https://x/a\" alt=\"A\" width=\"64\" height=\"48\"></p>",
                "<p><img src=\"https://x/a\" alt=\"A\" width=\"64\" height=\"48\"></p>",
            ),
        ];
        for (html, shown) in cases {
            assert_eq!(for_mail(html), shown);
        }
    }

    #[test]
    fn a_picture_that_gmail_would_not_show_leaves_its_words() {
        let html = "<p>a <img src=\"data:image/png;base64,AAAA\" alt=\"one <b>\"> b<img></p>";
        assert_eq!(for_mail(html), "<p>a [one &lt;b&gt;] b</p>");
    }

    #[test]
    fn what_plays_becomes_one_link_without_its_excuses() {
        let html = "<video controls><source src=\"https://x.example/a.webm\"><source src=\"https://y.example/b\">\
            <p>Your browser is <img src=\"https://x/z\"> old.</p></video>\
            <audio src=\"https://x.example/?a=1&amp;b=2\"></audio><p><img src=\"https://x/a\" alt=\"\"></p>";
        assert_eq!(
            for_mail(html),
            "<p><a href=\"https://x.example/a.webm\">Video: x.example</a></p>\
             <p><a href=\"https://x.example/?a=1&amp;b=2\">Audio: x.example</a></p>\
             <p><img src=\"https://x/a\" alt=\"\" width=\"528\" style=\"width: auto;\"></p>"
        );
    }

    #[test]
    fn a_video_with_a_poster_becomes_a_picture_that_leads_to_it() {
        assert_eq!(
            for_mail(
                "<video poster=\"https://x/p.jpg\" src=\"https://x.example/v.mp4\"></video><video poster=\"https://x/p.jpg\"><source src=\"https://x.example/v\"></video>"
            ),
            "<p><a href=\"https://x.example/v.mp4\"><img src=\"https://x/p.jpg\" alt=\"Video: x.example\" width=\"528\" style=\"width: auto;\"></a></p>\
             <p><a href=\"https://x.example/v\"><img src=\"https://x/p.jpg\" alt=\"Video: x.example\" width=\"528\" style=\"width: auto;\"></a></p>"
        );
    }

    #[test]
    fn the_title_of_the_post_is_the_only_first_heading() {
        assert_eq!(
            for_mail("<h1>a</h1><h2 id=\"b\">b</h2><h6>c</h6>"),
            "<h2>a</h2><h3 id=\"b\">b</h3><h6>c</h6>"
        );
        assert_eq!(for_mail("<h2>a</h2><h3>b</h3>"), "<h2>a</h2><h3>b</h3>");
    }

    #[test]
    fn elements_that_mail_readers_do_not_know_become_plain_ones() {
        assert_eq!(
            for_mail(
                "<section class=\"footnotes\"><details open><summary>s</summary><p>t</p></details></section>"
            ),
            "<div class=\"footnotes\"><div><div class=\"fold\">s</div><p>t</p></div></div>"
        );
        assert_eq!(
            for_mail("<table><tbody><tr><td>a</td></tr></tbody></table>"),
            "<div class=\"scroll\"><table border=\"0\" cellpadding=\"0\" cellspacing=\"0\"><tbody><tr><td>a</td></tr></tbody></table></div>"
        );
    }
}
