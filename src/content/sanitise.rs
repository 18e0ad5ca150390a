//! The allow-list: what of a post's HTML feeds and mails may carry. The last to touch it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::links::Address;
use super::permalink::web;
use super::source::is_legal;

const TAGS: [&str; 78] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "audio",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
    "hgroup",
];

/// Elements whose content goes with them: code, drawings and controls rather than text.
const REMOVED_WITH_CONTENT: [&str; 13] = [
    "script", "style", "template", "svg", "math", "title", "head", "textarea", "select", "button",
    "iframe", "noembed", "noframes",
];

const SCHEMES: [&str; 8] = ["http", "https", "mailto", "tel", "sms", "xmpp", "geo", "data"];

static POLICY: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut policy = Builder::empty();
    policy
        .tags(TAGS.into())
        .clean_content_tags(REMOVED_WITH_CONTENT.into())
        .generic_attributes(HashSet::from(["class", "dir", "id", "lang", "title"]))
        .url_schemes(SCHEMES.into())
        .url_relative(UrlRelative::Deny)
        .filter_style_properties(HashSet::from(["text-align"]))
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(filter);
    for (tag, attributes) in [
        ("a", &["href", "hreflang"][..]),
        ("audio", &["controls", "loop", "preload", "src"]),
        ("blockquote", &["cite"]),
        ("col", &["span"]),
        ("colgroup", &["span"]),
        ("data", &["value"]),
        ("del", &["cite", "datetime"]),
        ("details", &["open"]),
        ("img", &["alt", "height", "sizes", "src", "srcset", "width"]),
        ("ins", &["cite", "datetime"]),
        ("li", &["value"]),
        ("ol", &["reversed", "start", "type"]),
        ("q", &["cite"]),
        ("source", &["height", "media", "sizes", "src", "srcset", "type", "width"]),
        ("td", &["align", "colspan", "headers", "rowspan", "style"]),
        ("th", &["align", "colspan", "headers", "rowspan", "scope", "style"]),
        ("time", &["datetime"]),
        ("track", &["kind", "label", "src", "srclang"]),
        ("video", &["controls", "height", "loop", "muted", "poster", "preload", "src", "width"]),
    ] {
        policy.add_tag_attributes(tag, attributes);
    }
    policy
});

/// A text is read until it stays as it is, but not for ever. Random ones took four passes at most, the last to see that.
const MOST_PASSES: usize = 8;

/// Keeps what the policy allows. Scripts, styles, forms, frames and relative URLs are gone afterwards, and the text is a
/// fixed point: every parser sees in it what was looked at here. `None`: it never gets there.
///
/// One pass is not enough, because not every tree can be written down. What a parser moves out of a table, and what is
/// left where an element was removed, can be a link in a link or a heading in a heading; the next parser takes them
/// apart, and would be the first to see the result.
pub(super) fn clean(html: &str) -> Option<String> {
    let mut clean = cleaned_once(html);
    for _ in 1..MOST_PASSES {
        let again = cleaned_once(&clean);
        if again == clean {
            return Some(clean);
        }
        clean = again;
    }
    None
}

fn cleaned_once(html: &str) -> String {
    with_first_line_ends(POLICY.clean(html).to_string())
}

/// Writes the line end behind `<pre>` twice where it is text: parsers drop the first one.
fn with_first_line_ends(html: String) -> String {
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in html.match_indices("<pre") {
        // The serialiser escapes `>` everywhere else.
        let behind = html[at..].find('>').map_or(html.len(), |end| at + end + 1);
        // What is not legal is taken out later.
        if html[behind..].trim_start_matches(|c| !is_legal(c)).starts_with('\n') {
            out.push_str(&html[from..behind]);
            out.push('\n');
            from = behind;
        }
    }
    if from == 0 {
        return html;
    }
    out.push_str(&html[from..]);
    out
}

/// Whether the policy lets an attribute of an element hold `address`.
pub(super) fn allows(element: &str, attribute: &str, address: &Address) -> bool {
    let is_known = |url: &Url| SCHEMES.contains(&url.scheme());
    let scheme = match address {
        Address::Url(url) => is_known(url),
        Address::Opaque(text) => Url::parse(text).is_ok_and(|url| is_known(&url)),
    };
    scheme && filter(element, attribute, address.as_str()).is_some()
}

/// What the policy alone cannot say about an attribute that it allows.
fn filter<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let keep = match attribute {
        "class" => return classes(value),
        "href" => !is_data(value),
        "src" | "poster" if is_data(value) => element != "track" && is_data_image(value),
        "cite" => is_web(value),
        "srcset" => candidates(value).all(|url| is_web(url) || is_data_image(url)),
        _ => true,
    };
    keep.then_some(Cow::Borrowed(value))
}

/// The classes that carry meaning without our style sheet: the language of code, footnotes, alerts.
pub(super) fn classes(value: &str) -> Option<Cow<'_, str>> {
    let known = |class: &&str| {
        class.strip_prefix("language-").is_some_and(|language| !language.is_empty())
            || class.starts_with("footnote")
            || class.starts_with("markdown-alert-")
    };
    let kept: Vec<&str> = value.split_ascii_whitespace().filter(known).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join(" ")))
}

fn is_web(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| web(url).is_some())
}

fn is_data(value: &str) -> bool {
    value.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

fn is_data_image(value: &str) -> bool {
    let start = value.trim_start().get(..11);
    start.is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:image/"))
}

/// The URLs of a `srcset` as `links` writes it: a comma with a blank between candidates.
fn candidates(srcset: &str) -> impl Iterator<Item = &str> {
    srcset.split(", ").filter_map(|candidate| candidate.split_ascii_whitespace().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_or_disturb_is_gone() {
        let cases = [
            ("<script>alert(1)</script>x", "x"),
            ("<style>p{}</style>x", "x"),
            ("<p onclick=\"x()\" style=\"position:fixed\">t</p>", "<p>t</p>"),
            ("<a href=\"javascript:alert(1)\">t</a>", "<a>t</a>"),
            ("<a href=\" java\nscript:alert(1)\">t</a>", "<a>t</a>"),
            ("<a href=\"data:text/html,x\">t</a>", "<a>t</a>"),
            ("<a href=\"/relative\">t</a>", "<a>t</a>"),
            ("<img src=\"data:text/html,x\">", "<img>"),
            ("<img srcset=\"javascript:x 1x\">", "<img>"),
            ("<blockquote cite=\"javascript:x\">t</blockquote>", "<blockquote>t</blockquote>"),
            ("<form action=\"https://x.example\"><input name=a>t<button>b</button></form>", "t"),
            ("<svg><script>x</script><text>t</text></svg>y", "y"),
            ("<math><mtext></p><style><img src=x onerror=alert(1)>", ""),
            ("<iframe src=\"https://x.example\"><p>t</p></iframe>y", "y"),
            ("<object data=\"https://x.example\">t</object>", "t"),
            (
                "<base href=\"https://evil.example\"><meta http-equiv=refresh><link rel=stylesheet>t",
                "t",
            ),
            ("<!-- c -->t", "t"),
            ("<p class=\"ad footnotes\" contenteditable>t</p>", "<p class=\"footnotes\">t</p>"),
        ];
        for (html, expected) in cases {
            assert_eq!(clean(html).as_deref(), Some(expected), "{html}");
        }
    }

    #[test]
    fn what_posts_are_made_of_stays() {
        for html in [
            "<pre><code class=\"language-rust\">fn main() {}\n</code></pre>",
            "<table><thead><tr><th style=\"text-align:right\">n</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
            "<figure><img src=\"https://example.org/a.png\" alt=\"A\"><figcaption>A</figcaption></figure>",
            "<details open=\"\"><summary>s</summary>t</details>",
            "<picture><source srcset=\"https://example.org/a.webp 1x, https://example.org/b.webp 2x\"><img src=\"https://example.org/a.png\"></picture>",
            "<video src=\"https://example.org/v.mp4\" poster=\"https://example.org/p.png\" controls=\"\"></video>",
            "<audio controls=\"\"><source src=\"https://example.org/a.mp3\" type=\"audio/mpeg\"></audio>",
            "<a href=\"mailto:ann@example.org\">a</a><a href=\"tel:+491234\">b</a>",
            "<img src=\"data:image/png;base64,AAAA\" alt=\"dot\">",
            "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
            "<section class=\"footnotes\"><ol><li id=\"a-fn-1\">t</li></ol></section>",
        ] {
            assert_eq!(clean(html).as_deref(), Some(html));
        }
    }

    #[test]
    fn what_comes_out_is_read_the_same_by_the_next_parser() {
        let cases = [
            // A link cannot hold a link, but the parser puts what a table cannot hold in front of it, into the first one.
            (
                "<a href=\"https://x.example/\"><table><a href=\"https://y.example/\">y</a>",
                "<a href=\"https://x.example/\"></a><a href=\"https://y.example/\">y</a><table></table>",
            ),
            // A heading ends the one before, unless something is between them, which goes.
            ("<h1>a<form><h2>b", "<h1>a</h1><h2>b</h2>"),
            // The first line end belongs to the tag.
            ("<pre>\na</pre>", "<pre>a</pre>"),
            ("<pre>\n\na</pre>", "<pre>\n\na</pre>"),
            ("<pre class=\"x\" title=\">\">\n\n\n</pre>", "<pre title=\"&gt;\">\n\n\n</pre>"),
        ];
        for (html, expected) in cases {
            assert_eq!(clean(html).as_deref(), Some(expected), "{html}");
            assert_eq!(clean(expected).as_deref(), Some(expected));
        }
    }
}
