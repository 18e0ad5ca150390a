//! The beginning of a post, for where the whole does not fit.

use super::markup::{Token, Tokens};

/// Whatever ends here may be the last that is shown. Headings are not among them: they belong to what follows.
const BLOCKS: [&str; 16] = [
    "article",
    "aside",
    "blockquote",
    "dd",
    "details",
    "div",
    "dl",
    "figure",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];
/// Elements that are whole with only some of their children.
const CONTAINERS: [&str; 11] = [
    "article",
    "aside",
    "blockquote",
    "body",
    "details",
    "div",
    "dl",
    "main",
    "ol",
    "section",
    "ul",
];
const VOID: [&str; 9] = ["br", "col", "hr", "img", "input", "source", "track", "wbr", "area"];

/// The beginning of `html` in at most `limit` bytes, cut between blocks; what is open there is closed. `None`: not even the
/// first block fits.
///
/// `html` is what `sanitise` wrote, so its tags are balanced.
pub fn opening(html: &str, limit: usize) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut best = None;
    let mut tokens = Tokens::of(html);
    while let Some(token) = tokens.next() {
        let end = html.len() - tokens.left();
        if end > limit {
            break;
        }
        let ended = match token {
            Token::Open { name, .. } if VOID.contains(&name) => name,
            Token::Open { name, .. } => {
                open.push(name);
                continue;
            }
            Token::Close(name) => {
                open.pop();
                name
            }
            Token::Text(_) | Token::Comment => continue,
        };
        if BLOCKS.contains(&ended) && open.iter().all(|name| CONTAINERS.contains(name)) {
            let closing: String = open.iter().rev().flat_map(|name| ["</", name, ">"]).collect();
            if end + closing.len() <= limit {
                best = Some((end, closing));
            }
        }
    }
    best.map(|(end, closing)| format!("{}{closing}", &html[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_cut_between_blocks() {
        let html = "<p>One <b>word</b>.</p>\n<h2>Head</h2>\n<p>Two.</p>";
        assert_eq!(opening(html, html.len()).as_deref(), Some(html));
        for limit in 23..html.len() {
            assert_eq!(opening(html, limit).as_deref(), Some("<p>One <b>word</b>.</p>"), "{limit}");
        }
        assert_eq!(opening(html, 22), None);
    }

    #[test]
    fn what_is_open_at_the_cut_is_closed() {
        let html = "<div><ul><li>a<img src=\"x\"></li><li>b</li></ul><p>c</p></div>";
        assert_eq!(
            opening(html, html.len() - 1).as_deref(),
            Some("<div><ul><li>a<img src=\"x\"></li><li>b</li></ul></div>")
        );
        assert_eq!(
            opening(html, 45).as_deref(),
            Some("<div><ul><li>a<img src=\"x\"></li></ul></div>")
        );
        assert_eq!(opening(html, 30), None);
    }

    #[test]
    fn tables_and_code_are_whole_or_not_there() {
        let rows = "<tr><td><p>x</p></td></tr>".repeat(9);
        let table =
            format!("<p>a</p><table><tbody>{rows}</tbody></table><pre><code>b</code></pre>");
        assert_eq!(opening(&table, table.len() - 1).unwrap().matches("<tr>").count(), 9);
        assert_eq!(opening(&table, 100).as_deref(), Some("<p>a</p>"));
    }
}
