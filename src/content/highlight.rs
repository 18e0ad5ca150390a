//! Colours for code: words of a block get classes by what they are in its language. The templates say how classes look.
//!
//! Done when a mail is rendered, once for all its readers: feeds stay light, and reading a hundred thousand posts costs nothing
//! for it. Classes rather than colours, because light and dark readers need different ones.

use std::borrow::Cow;
use std::sync::LazyLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

use super::markup::{escape, unescape};

/// Longer blocks are data, and cost more time than their colours are worth.
const MAX_BLOCK_BYTES: usize = 16_000;
/// Nobody wrote longer lines by hand.
const MAX_LINE_BYTES: usize = 1_000;
/// Of all blocks of one post together.
const MAX_BYTES: usize = 64_000;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// Scopes with their classes. The innermost scope that is one of these counts.
static CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    [
        ("comment", "code-comment"),
        ("string", "code-string"),
        ("constant", "code-value"),
        ("keyword.operator", ""),
        ("keyword", "code-keyword"),
        ("storage", "code-keyword"),
        ("entity.name", "code-name"),
        ("support.function", "code-name"),
        ("support.type", "code-name"),
        ("markup.inserted", "code-string"),
        ("markup.deleted", "code-keyword"),
        ("markup.heading", "code-keyword"),
        ("source", ""),
    ]
    .into_iter()
    .filter_map(|(name, class)| Some((Scope::new(name).ok()?, class)))
    .collect()
});

/// `html` as `sanitise` wrote it, with the code in it that names a known language marked up.
pub fn highlighted(html: &str) -> Cow<'_, str> {
    const OPEN: &str = "<pre><code class=\"language-";
    const CLOSE: &str = "</code></pre>";
    let mut out = String::new();
    let mut copied = 0;
    let mut left = MAX_BYTES;
    for (at, _) in html.match_indices(OPEN) {
        let behind = &html[at + OPEN.len()..];
        let Some((language, rest)) = behind.split_once("\">") else { break };
        let Some((code, _)) = rest.split_once(CLOSE) else { break };
        let fits = code.len() <= MAX_BLOCK_BYTES.min(left) && !code.contains('<');
        let syntax = syntax(language).filter(|_| fits);
        let Some(marked) = syntax.and_then(|syntax| marked(&unescape(code), syntax)) else {
            continue;
        };
        left -= code.len();
        let start = at + OPEN.len() + language.len() + 2;
        out.push_str(&html[copied..start]);
        out.push_str(&marked);
        copied = start + code.len();
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(&html[copied..]);
    Cow::Owned(out)
}

/// The syntax of a language by its name, an extension or a usual nickname.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let language = language.split([',', ' ', '{', ':']).next().unwrap_or_default();
    let language = match language.to_ascii_lowercase().as_str() {
        "shell" | "console" | "zsh" | "shellsession" => "bash".to_owned(),
        "golang" => "go".to_owned(),
        "jsonc" | "json5" => "json".to_owned(),
        // Near enough to show strings, comments and keywords.
        "ts" | "tsx" | "typescript" | "jsx" | "mjs" => "js".to_owned(),
        "c#" => "cs".to_owned(),
        "plain" | "text" | "txt" | "" => return None,
        other => other.to_owned(),
    };
    SYNTAXES.find_syntax_by_token(&language)
}

/// The lines of some code with spans around what has a class. `None`: the syntax did not get through.
fn marked(code: &str, syntax: &SyntaxReference) -> Option<String> {
    let mut state = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    let mut out = Writer::default();
    for line in code.split_inclusive('\n') {
        if line.len() > MAX_LINE_BYTES {
            return None;
        }
        let mut from = 0;
        for (at, change) in state.parse_line(line, &SYNTAXES).ok()? {
            out.write(line.get(from..at)?, class(&scopes));
            from = at;
            scopes.apply(&change).ok()?;
        }
        out.write(line.get(from..)?, class(&scopes));
    }
    out.close();
    Some(out.html)
}

fn class(scopes: &ScopeStack) -> &'static str {
    scopes
        .as_slice()
        .iter()
        .rev()
        .find_map(|scope| CLASSES.iter().find(|(known, _)| known.is_prefix_of(*scope)))
        .map_or("", |(_, class)| class)
}

/// Joins neighbours of one class, so that there are few spans.
#[derive(Default)]
struct Writer {
    html: String,
    class: &'static str,
}

impl Writer {
    fn write(&mut self, text: &str, class: &'static str) {
        if text.is_empty() {
            return;
        }
        // Blanks look the same in every class.
        if class != self.class && !text.trim().is_empty() {
            self.close();
            self.class = class;
            if !class.is_empty() {
                self.html.extend(["<span class=\"", class, "\">"]);
            }
        }
        self.html.push_str(&escape(text));
    }

    fn close(&mut self) {
        if !std::mem::take(&mut self.class).is_empty() {
            self.html.push_str("</span>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_in_a_known_language_is_marked_up_and_still_says_the_same() {
        let html = "<p>a</p>\n<pre><code class=\"language-rust\">// A &lt;b&gt;\nfn main() {\n    let a = \"x&amp;\"; // c\n}\n</code></pre>\n<pre><code class=\"language-nonsense\">fn</code></pre>";
        let shown = highlighted(html);
        insta::assert_snapshot!(shown);
        let bare = |html: &str| {
            let mut text = String::new();
            for token in super::super::markup::Tokens::of(html) {
                if let super::super::markup::Token::Text(words) = token {
                    text.push_str(&unescape(words));
                }
            }
            text
        };
        assert_eq!(bare(&shown), bare(html));
    }

    #[test]
    fn what_is_large_or_odd_stays_as_it_is() {
        for html in [
            "<p>no code</p>".to_owned(),
            format!("<pre><code class=\"language-js\">{}</code></pre>", "a;\n".repeat(10_000)),
            format!("<pre><code class=\"language-js\">{}</code></pre>", "a".repeat(2_000)),
            "<pre><code class=\"language-js\">a".to_owned(),
            "<pre><code class=\"language-js\"><b>a</b></code></pre>".to_owned(),
        ] {
            assert_eq!(highlighted(&html), html);
        }
    }
}
