//! Titles and other short texts: Markdown and HTML in them become plain text on one line.

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::report::Problem;
use super::source::{EXCERPT_END, one_line};

/// The longest title that is believed to be one, in characters.
const MAX_TITLE_CHARS: usize = 500;

/// What is wrong with a title that is a text.
pub(super) fn too_long(title: &str) -> Option<Problem> {
    let length = title.chars().count();
    let message =
        format!("the title is {length} characters long; at most {MAX_TITLE_CHARS} are a title");
    (length > MAX_TITLE_CHARS).then(|| {
        Problem::new("post-title-too-long", message)
            .help("move the text into the body or a `description`")
    })
}

/// Elements that people write into titles and descriptions. In lower case only: `Vec<T>` and `Option<B>` are text.
const INLINE_ELEMENTS: [&str; 28] = [
    "a", "abbr", "b", "br", "cite", "code", "del", "em", "font", "i", "img", "ins", "kbd", "mark",
    "p", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "u", "var",
    "wbr",
];

/// Reduces `source`, a line of Markdown with HTML, to what a reader would see of it.
pub(super) fn plain(source: &str) -> String {
    let line = one_line(source);
    if !line.contains(['*', '_', '`', '[', '<', '&', '\\', '~']) {
        return line;
    }
    // A character that Markdown has no use for in front keeps `2024. A year` and `# 1 hit` from becoming lists and headings.
    let guarded = format!("{EXCERPT_END}{line}");
    let mut out = String::with_capacity(line.len());
    for event in Parser::new_ext(&guarded, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::InlineHtml(tag) | Event::Html(tag) if !is_inline_element(&tag) => {
                out.push_str(&tag);
            }
            Event::End(TagEnd::Paragraph) => out.push(' '),
            _ => {}
        }
    }
    one_line(&out)
}

fn is_inline_element(tag: &str) -> bool {
    let name = tag.trim_start_matches('<').trim_start_matches('/');
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    INLINE_ELEMENTS.contains(&&name[..end]) || tag.starts_with("<!--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_markup_and_keep_everything_else() {
        let cases = [
            ("Plain", "Plain"),
            ("Vec<T> & AT&T", "Vec<T> & AT&T"),
            ("AT&amp;T", "AT&T"),
            ("*Very* **important** `code` ~~not~~", "Very important code not"),
            ("A <em>nice</em> <b>one</b><br>", "A nice one"),
            ("[Link](https://example.org) text", "Link text"),
            ("2024. A year", "2024. A year"),
            ("# 1 <hit>", "# 1 <hit>"),
            ("- 5 * 3 * 2 & snake_case_name", "- 5 * 3 * 2 & snake_case_name"),
            ("> quoted & done", "> quoted & done"),
            ("two\nlines\tand\u{7} a bell", "two lines and a bell"),
            ("Option<B> <script>", "Option<B> <script>"),
            ("a\u{FDD0}b & c", "ab & c"),
        ];
        for (source, expected) in cases {
            assert_eq!(plain(source), expected, "{source}");
        }
    }
}
