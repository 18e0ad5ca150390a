//! What the text of a post tells: links, images, ids, and words that were to be replaced.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::super::markup::{Attributes, Token, Tokens};
use super::{Found, MOST_OF_A_KIND, Page, Reference};

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM);

/// What writers put where something is still to come.
const NOTES: [&str; 5] = ["TK", "TKTK", "TODO", "FIXME", "XXX"];

/// Whether the author says where the beginning ends.
pub(super) fn has_excerpt(body: &str) -> bool {
    [
        "<!--more",
        "<!-- more",
        "<!--truncate",
        "<!-- truncate",
        "{/* truncate",
        "<!-- excerpt",
        "<!--excerpt",
    ]
    .iter()
    .any(|mark| body.contains(mark))
}

/// Looks at `text[body..]`.
pub(super) fn look(
    text: &str,
    body: usize,
    references: &mut Vec<Reference>,
    anchors: &mut HashSet<String>,
) -> Vec<Found> {
    let mut eye = Eye {
        text,
        references,
        anchors,
        found: Vec::new(),
        in_code: false,
        heading: None,
        image: None,
    };
    for (event, span) in Parser::new_ext(&text[body..], OPTIONS).into_offset_iter() {
        eye.see(event, span.start + body..span.end + body);
    }
    eye.found
}

struct Eye<'a> {
    text: &'a str,
    references: &'a mut Vec<Reference>,
    anchors: &'a mut HashSet<String>,
    found: Vec<Found>,
    in_code: bool,
    /// The text so far of the heading that is open.
    heading: Option<String>,
    /// The image that is open, and whether it has words.
    image: Option<(Range<usize>, bool)>,
}

impl Eye<'_> {
    fn see(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, span),
            Event::End(tag) => self.end(tag),
            Event::Code(words) => self.words(&words),
            Event::Text(words) => {
                self.words(&words);
                if !self.in_code {
                    self.notes(&words, span);
                }
            }
            Event::InlineHtml(_) => self.markup(span),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, span: Range<usize>) {
        match tag {
            Tag::CodeBlock(_) => self.in_code = true,
            Tag::HtmlBlock => self.markup(span),
            Tag::Heading { id, .. } => {
                self.anchors.extend(id.map(|id| Page::anchor(&id)));
                self.heading = Some(String::new());
            }
            Tag::Link { dest_url, .. } => self.refer(dest_url.into_string(), false, span),
            Tag::Image { dest_url, .. } => {
                self.refer(dest_url.into_string(), true, span.clone());
                self.image = Some((span, false));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock => self.in_code = false,
            TagEnd::Heading(_) => {
                self.anchors.extend(self.heading.take().map(|text| Page::anchor(&text)));
            }
            TagEnd::Image => {
                if let Some((span, false)) = self.image.take() {
                    self.find("post-alt-missing", "the image has no alt text", span);
                }
            }
            _ => {}
        }
    }

    fn words(&mut self, words: &str) {
        if let Some(heading) = &mut self.heading {
            heading.push_str(words);
        }
        if let Some((_, has_words)) = &mut self.image {
            *has_words |= !words.trim().is_empty();
        }
    }

    /// Notes to oneself. Kept to whole words in capitals.
    fn notes(&mut self, words: &str, span: Range<usize>) {
        if !NOTES.iter().any(|note| words.contains(note)) {
            return;
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let mut at = 0;
        for word in words.split(|c: char| !is_part(c)) {
            let start = at;
            at += word.len() + words[at + word.len()..].chars().next().map_or(0, char::len_utf8);
            if NOTES.contains(&word) {
                let place = span.start + start;
                let is_there = self.text.get(place..place + word.len()) == Some(word);
                let place = if is_there { place..place + word.len() } else { span.clone() };
                self.find("post-todo", format!("`{word}` is left in the text"), place);
            }
        }
    }

    /// Links, images and ids in HTML.
    fn markup(&mut self, span: Range<usize>) {
        let Some(html) = self.text.get(span.clone()) else { return };
        for token in Tokens::of(html) {
            let Token::Open { name, attributes } = token else { continue };
            // Few looks a tag, however many attributes it has: each goes through all of them.
            let offset = (attributes.as_ptr() as usize).saturating_sub(html.as_ptr() as usize);
            let start = (span.start + offset).saturating_sub(name.len() + 1);
            let place = start..span.start + offset + attributes.len();
            let get =
                |key: &str| Attributes::get(attributes, key).map(std::borrow::Cow::into_owned);
            for key in ["id", "name"] {
                self.anchors.extend(get(key).map(|id| Page::anchor(&id)));
            }
            if name.eq_ignore_ascii_case("a") {
                if let Some(target) = get("href") {
                    self.refer(target, false, place);
                }
            } else if name.eq_ignore_ascii_case("img") {
                let is_decoration = get("role")
                    .is_some_and(|role| role == "presentation" || role == "none")
                    || get("aria-hidden").is_some_and(|hidden| hidden == "true");
                if get("alt").is_none() && !is_decoration {
                    self.find("post-alt-missing", "the image has no `alt`", place.clone());
                }
                if let Some(target) = get("src") {
                    self.refer(target, true, place);
                }
            }
        }
    }

    fn refer(&mut self, target: String, is_image: bool, span: Range<usize>) {
        self.references.push(Reference { target, is_image, span });
    }

    fn find(&mut self, code: &'static str, message: impl Into<String>, span: Range<usize>) {
        if self.found.iter().filter(|one| one.code == code).count() < MOST_OF_A_KIND {
            self.found.push(Found::new(code, message, span));
        }
    }
}
