//! Hugo's shortcodes: those that stand for an embed, a figure, a link or code.

use std::fmt::Write as _;
use std::ops::Range;

use super::super::embeds::Video;
use super::super::markup::escape;
use super::super::report::Problem;
use super::Scanner;

/// Longer ones are no shortcodes.
pub(super) const MAX_BYTES: usize = 2_000;

/// The arguments of a shortcode or tag: those with a name and those without.
pub(super) struct Arguments<'t> {
    pairs: Vec<(Option<&'t str>, &'t str)>,
}

impl<'t> Arguments<'t> {
    /// Reads `one "two three" name="four"`, separated by blanks or commas.
    pub(super) fn read(text: &'t str) -> Self {
        let mut pairs = Vec::new();
        let is_blank = |c: char| c.is_whitespace() || c == ',';
        let mut rest = text.trim_start_matches(is_blank);
        while !rest.is_empty() {
            let end = rest
                .find(|c: char| is_blank(c) || c == '=' || c == '"' || c == '`')
                .unwrap_or(rest.len());
            let name = match rest[end..].strip_prefix('=') {
                Some(behind) => {
                    let name = &rest[..end];
                    rest = behind.trim_start();
                    Some(name)
                }
                None => None,
            };
            let (value, behind) = value(rest);
            pairs.push((name, value));
            rest = behind.trim_start_matches(is_blank);
        }
        Self { pairs }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'t str> {
        let found = self.pairs.iter().find(|(known, _)| known.is_some_and(|known| known == name));
        found.map(|(_, value)| *value)
    }

    /// The first that has no name.
    pub(super) fn first(&self) -> Option<&'t str> {
        self.pairs.iter().find(|(name, _)| name.is_none()).map(|(_, value)| *value)
    }
}

/// A value and what follows it. Always takes something.
fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '`', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
    let end = if end == 0 { text.chars().next().map_or(0, char::len_utf8) } else { end };
    text.split_at(end)
}

impl Scanner<'_, '_> {
    /// `{{< name … >}}` or `{{% name … %}}`.
    pub(super) fn shortcode(&mut self) -> Option<usize> {
        let close = if self.text[self.at..].starts_with("{{<") { ">}}" } else { "%}}" };
        let (inner, end) = self.up_to(self.at + 3, close, MAX_BYTES)?;
        let inner = inner.trim().trim_end_matches('/').trim_end();
        let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let arguments = Arguments::read(rest);
        let part = self.at..end;
        let markdown = match name {
            "youtube" | "vimeo" => self.video(name, &arguments)?,
            "figure" | "img" | "image" => figure(&arguments)?,
            // What closed a figure around its caption.
            "/figure" => String::new(),
            "ref" | "relref" => {
                let target = arguments.get("path").or_else(|| arguments.first())?;
                return Some(self.link_to(target, part));
            }
            "highlight" => {
                let language = arguments.first().unwrap_or_default().to_owned();
                return self.highlight(&language, part, "/highlight");
            }
            _ => return None,
        };
        self.draft.replace(part, &markdown);
        Some(end)
    }

    /// A linked picture of a video, or a link.
    pub(super) fn video(&self, site: &str, arguments: &Arguments<'_>) -> Option<String> {
        let id = arguments.get("id").or_else(|| arguments.first())?;
        let title = arguments.get("title");
        let by_url = || url::Url::parse(id).ok().and_then(|url| Video::at(&url));
        let video = match site {
            "youtube" => Video::youtube(id),
            _ => Video::vimeo(id, None),
        };
        Some(video.or_else(by_url)?.markdown(title, self.targets.image))
    }

    /// The address of another post in place of a tag. Where nobody can say it, the author is told and the link leads nowhere else.
    pub(super) fn link_to(&mut self, target: &str, part: Range<usize>) -> usize {
        let end = part.end;
        let address = self.address_of(target, part.clone());
        self.draft.replace(part, &address.unwrap_or_default());
        end
    }

    /// The address of another post. The author is told where there is none, and once where it is only a guess.
    pub(super) fn address_of(&mut self, target: &str, part: Range<usize>) -> Option<String> {
        let found = self.targets.link(target);
        let message = match &found {
            None => format!("nobody knows the address of `{target}`"),
            Some(address) if address.is_guess && !self.has_guessed => {
                self.has_guessed = true;
                let url = &address.text;
                format!("nobody knows the address of `{target}`; it is taken to be {url}")
            }
            Some(_) => String::new(),
        };
        if !message.is_empty() {
            let problem = Problem::new("post-link-target", message);
            self.draft.warn(part, problem.help("write the post's path on the site instead"));
        }
        found.map(|address| address.text)
    }

    /// What is between a tag and the one that ends it becomes a block of code. `part` is the first tag.
    pub(super) fn highlight(
        &mut self,
        language: &str,
        part: Range<usize>,
        end: &'static str,
    ) -> Option<usize> {
        let (code_end, last) = self.end_of(part.end, end)?;
        let code = &self.text[part.end..code_end];
        let fence = "`".repeat(longest_run(code, b'`').max(2) + 1);
        let is_word = |c: char| c.is_alphanumeric() || "+-#._".contains(c);
        let language = if language.chars().all(is_word) { language } else { "" };
        let code = code.strip_prefix('\n').unwrap_or(code);
        let code = code.trim_end_matches([' ', '\n']);
        let margin = if self.is_line_start(part.start) { "" } else { "\n\n" };
        let block = format!("{margin}{fence}{language}\n{code}\n{fence}\n");
        self.draft.replace(part.start..last, &block);
        Some(last)
    }
}

/// How many of `byte` stand in a row at most.
fn longest_run(text: &str, byte: u8) -> usize {
    text.as_bytes().split(|b| *b != byte).map(<[u8]>::len).max().unwrap_or(0)
}

/// `<figure>` with what Hugo's shortcode takes.
fn figure(arguments: &Arguments<'_>) -> Option<String> {
    let source = arguments.get("src").or_else(|| arguments.first())?;
    let get = |name| arguments.get(name).map(escape);
    let alt = get("alt").or_else(|| get("caption")).or_else(|| get("title")).unwrap_or_default();
    let mut image = format!("<img src=\"{}\" alt=\"{alt}\"", escape(source));
    for name in ["width", "height"] {
        if let Some(size) = get(name) {
            let _ = write!(image, " {name}=\"{size}\"");
        }
    }
    image.push('>');
    if let Some(link) = get("link") {
        image = format!("<a href=\"{link}\">{image}</a>");
    }
    let words: Vec<String> = [
        get("title").map(|title| format!("<strong>{title}</strong>")),
        get("caption"),
        get("attr"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let caption = if words.is_empty() {
        String::new()
    } else {
        format!("<figcaption>{}</figcaption>", words.join(" "))
    };
    Some(format!("<figure>{image}{caption}</figure>\n\n").replace("\n\n\n", "\n\n"))
}
