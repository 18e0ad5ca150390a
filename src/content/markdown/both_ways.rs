//! Holds our writer to what the way through the HTML parsers makes of the same Markdown.

use proptest::prelude::*;
use pulldown_cmark::html::push_html;
use url::Url;

use super::super::Alone;
use super::super::links::{self, Base, Use};
use super::super::sanitise;
use super::*;

/// Pieces that Markdown without HTML is made of.
const PIECES: [&str; 77] = [
    "word ",
    "two words",
    "\n",
    "\n\n",
    "    ",
    "  \n",
    "\\\n",
    "*",
    "**",
    "_",
    "~~",
    "`",
    "``",
    "`a<b>&`",
    "```\n",
    "~~~ rust,ignore x\n",
    "```a\tb&\"<c>\n",
    "> ",
    "- ",
    "* ",
    "1. ",
    "7) ",
    "0. ",
    "- [ ] ",
    "- [x] ",
    "# ",
    "## h {#own .c k=v}\n",
    "Title\n===\n",
    "a\n---\n",
    "---\n",
    "|a|b|c|\n",
    "|:-|-:|:-:|\n",
    "|a|b|\n|-|-|\n|1|2|\n",
    "[a](b)",
    "[a *b* c](</x y> \"t & \\\"q\\\"\")",
    "[",
    "](",
    ")",
    "](/p 'it''s')",
    "![i](p.png)",
    "![a *b* `c`](<ä ö.png> \"t\nu\")",
    "![",
    "[l](javascript:alert(1))",
    "[l](data:text/html,x)",
    "![i](data:image/png;base64,AA==)",
    "![i](data:text/html,x)",
    "[l](mailto:a@b.example)",
    "[l](//other.example/é?a=1&b=2#f)",
    "[l](http://)",
    "[l]()",
    "[l](#frag)",
    "[l](ftp://x.example/)",
    "<https://x.example/a&b>",
    "<ann@example.org>",
    "https://bare.example/(x).",
    "[^1]",
    "[^two]",
    "\n\n[^1]: a *note*\n",
    "\n\n[^two]: n\n\n    more\n",
    "[r]",
    "[r][]",
    "\n\n[r]: /ref \"title\"\n",
    "> [!NOTE]\n> x\n",
    "&amp;lt;",
    "&nbsp;",
    "&#13;",
    "&#10;",
    "&\"'<>",
    "\u{A0}é\u{2003}",
    "{: .wide}",
    "<!--more-->",
    "\n\n<!-- c -->\n\n",
    "==",
    "# a ==b\n\n",
    "# c== d\n\n",
    "> [!info]- T *x*\n> y\n",
    "> [!bug]\n",
];

fn both(markdown: &str) -> (String, String, bool) {
    let link = Url::parse("https://example.org/posts/post/?q=1&r").unwrap();
    let base = Base {
        link: &link,
        id_prefix: "post",
        image: None,
        neighbours: &Alone,
        names_languages: true,
    };
    let prepared = Prepared::plain(markdown, 0);
    let document = Document::parse(&prepared, Reading::default()).unwrap();
    let pieces = document.pieces(Some(Channel::Web), "post", "Title");
    let written = Writer::new(&base, usize::MAX).write(&pieces);
    let events = pieces.into_iter().map(|piece| match piece {
        Piece::Event(event) => event,
        Piece::Own(html) => Event::Html(html),
    });
    let mut raw = String::new();
    push_html(&mut raw, events);
    let long = sanitise::clean(&links::absolute(&raw, &base, Use::Elsewhere).unwrap()).unwrap();
    (written.html, long, written.needs_parser)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn markdown_without_html_comes_out_the_same_without_a_parser(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30)
    ) {
        let markdown = pieces.concat();
        let (ours, theirs, needs_parser) = both(&markdown);
        if needs_parser {
            let link = Url::parse("https://example.org/posts/post/?q=1&r").unwrap();
            let base = Base { link: &link, id_prefix: "post", image: None, neighbours: &Alone, names_languages: true };
            let ours = sanitise::clean(&links::absolute(&ours, &base, Use::Elsewhere).unwrap()).unwrap();
            prop_assert_eq!(ours, theirs);
        } else {
            prop_assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn only_what_no_markdown_can_say_goes_to_the_parsers() {
    for (markdown, needs_parser) in [
        ("# a\n\n*b* [c](d) ![e](f)\n\n<!--more-->\n\n|a|\n|-|\n|b|\n\n[^1]\n\n[^1]: x", false),
        ("<!-- a\nb --> \n<!-- c -->", false),
        ("a <b>b</b>", true),
        ("<div>\n\nx\n\n</div>", true),
        ("<!-- a --> b", true),
        ("<!-->", true),
        ("[a <https://x.example/> b](c)", true),
    ] {
        let (_, _, needed) = both(markdown);
        assert_eq!(needed, needs_parser, "{markdown}");
    }
}
