//! Summaries: what stands above the author's mark, else the first paragraph, cut between words.

use super::markup::{Attributes, Token, Tokens, unescape};
use super::source::{EXCERPT_END, one_line};

/// The length of a summary that nobody wrote, in characters.
const MAX_CHARS: usize = 300;
/// What the author wrote or marked may be longer; a misplaced mark must still not make the whole post the summary.
const MAX_CHOSEN_CHARS: usize = 2_000;

/// A summary of sanitised `html`: one paragraph of plain text, perhaps empty.
pub fn of(html: &str) -> String {
    if let Some((above, _)) = html.split_once(EXCERPT_END) {
        let marked = prose(above);
        if !marked.is_empty() {
            return bounded(&marked);
        }
    }
    // Sanitised paragraphs do not nest, and those with a class are titles of alerts.
    let paragraphs = html.match_indices("<p>").filter_map(|(at, _)| {
        let inner = &html[at + 3..];
        inner.find("</p>").map(|end| &inner[..end])
    });
    let first = paragraphs.map(prose).find(|text| !text.is_empty());
    cut(&first.unwrap_or_else(|| prose(html)), MAX_CHARS)
}

/// A summary that the author wrote.
pub(super) fn bounded(text: &str) -> String {
    cut(text, MAX_CHOSEN_CHARS)
}

/// The running text of `html`: no headings, no footnote marks, links without their addresses.
fn prose(html: &str) -> String {
    let mut out = String::new();
    let mut skipped = 0_usize;
    let mut in_mark = false;
    for token in Tokens::of(html) {
        match token {
            Token::Text(text) if skipped == 0 && !in_mark => out.push_str(&unescape(text)),
            Token::Open { name: "sup", attributes } => {
                in_mark = Attributes::get(attributes, "class").is_some();
            }
            Token::Close("sup") => in_mark = false,
            Token::Open { name, .. } if is_heading(name) => skipped += 1,
            Token::Close(name) if is_heading(name) => skipped = skipped.saturating_sub(1),
            Token::Open {
                name: "br" | "p" | "li" | "div" | "td" | "th" | "dt" | "dd" | "pre",
                ..
            } => {
                out.push(' ');
            }
            Token::Text(_) | Token::Open { .. } | Token::Close(_) | Token::Comment => {}
        }
    }
    one_line(&out)
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// `text` with at most `limit` characters, cut between words where there are any.
fn cut(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let head = &text[..end];
    // Languages without blanks are cut where the limit is.
    let word_end = head.rfind(' ').filter(|at| *at > end / 2).unwrap_or(end);
    format!("{}…", head[..word_end].trim_end_matches([' ', ',', ';', ':', '.', '-', '–']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_the_author_ends_the_summary() {
        let html = format!(
            "<h2>H</h2><p>One <a href=\"x\">link</a>.</p><p>Two.</p>\n{EXCERPT_END}\n<p>Three.</p>"
        );
        assert_eq!(of(&html), "One link. Two.");
    }

    #[test]
    fn without_a_mark_it_is_the_first_paragraph_with_words() {
        let html = "<p><img src=\"x\" alt=\"y\"></p><p class=\"markdown-alert-title\">Note</p>\
            <p>First &lt;b&gt;<sup class=\"footnote-reference\"><a>1</a></sup> x<sup>2</sup>.</p><p>Second.</p>";
        assert_eq!(of(html), "First <b> x2.");
        assert_eq!(of("<ul><li>a</li><li>b</li></ul>"), "a b");
        assert_eq!(of(""), "");
    }

    #[test]
    fn long_paragraphs_are_cut_between_words() {
        let summary = of(&format!("<p>{}</p>", "word ".repeat(100)));
        assert!(summary.ends_with("word…"), "{summary}");
        assert!(summary.chars().count() <= 301);
        assert_eq!(of(&format!("<p>{}</p>", "語".repeat(400))).chars().count(), 301);
    }
}
