//! The HTML of a Ghost post in blocks: a small tree where that is simple, HTML that stays whole within Markdown where not.

use std::fmt::Write as _;
use std::ops::Range;

use crate::content::markup::{Attributes, Token, Tokens, unescape};

/// Deeper blocks stay HTML. Whoever walks a tree recurses.
const MAX_DEPTH: usize = 24;
const VOID: [&str; 3] = ["br", "hr", "img"];
const INLINE: [&str; 10] = ["a", "b", "br", "code", "del", "em", "i", "img", "s", "strong"];
const KNOWN: [&str; 12] =
    ["blockquote", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p"];
/// Attributes that Markdown has no form for, and whose loss changes what readers see.
const TELLING: [&str; 4] = ["style", "dir", "lang", "start"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    Element { name: String, address: Option<String>, words: String, children: Vec<Node> },
}

/// A part of a post that stands alone.
#[derive(Debug)]
pub(super) struct Block<'h> {
    pub(super) html: &'h str,
    /// What it is made of, if all of that has a form in Markdown.
    pub(super) nodes: Option<Vec<Node>>,
}

/// The blocks of a post, in order. Text and inline elements between them are blocks, too.
pub(super) fn blocks(html: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut builder = Builder::default();
    let mut start = 0;
    let mut tokens = Tokens::of(html);
    loop {
        let at = html.len() - tokens.left();
        let Some(token) = tokens.next() else { break };
        let opens_block = match token {
            Token::Open { name, .. } => !is_one_of(name, &INLINE),
            Token::Text(_) | Token::Close(_) | Token::Comment => false,
        };
        // Ghost's comments stand around its cards.
        if builder.open.is_empty() && (opens_block || matches!(token, Token::Comment)) {
            builder.finish(html, start..at, &mut blocks);
            start = at;
        }
        builder.take(token);
        let here = html.len() - tokens.left();
        if builder.open.is_empty() && builder.has_block {
            builder.finish(html, start..here, &mut blocks);
            start = here;
        }
    }
    builder.finish(html, start..html.len(), &mut blocks);
    blocks
}

#[derive(Default)]
struct Builder<'h> {
    /// Open elements, known or not.
    open: Vec<&'h str>,
    /// The children so far of the block and of each open element.
    nodes: Vec<Vec<Node>>,
    attributes: Vec<&'h str>,
    has_block: bool,
    lossy: bool,
}

impl<'h> Builder<'h> {
    fn take(&mut self, token: Token<'h>) {
        if self.nodes.is_empty() {
            self.nodes.push(Vec::new());
        }
        match token {
            Token::Comment => {}
            Token::Text(text) => self.push(Node::Text(unescape(text).into_owned())),
            Token::Open { name, attributes } => {
                self.has_block |= !is_one_of(name, &INLINE);
                self.lossy |= !is_known(name) || is_telling(attributes);
                if is_void(name) {
                    self.push(element(name, attributes, Vec::new()));
                } else {
                    self.open.push(name);
                    self.lossy |= self.open.len() > MAX_DEPTH;
                    if !self.lossy {
                        self.attributes.push(attributes);
                        self.nodes.push(Vec::new());
                    }
                }
            }
            Token::Close(name) => self.close(name),
        }
    }

    fn close(&mut self, name: &str) {
        match self.open.last() {
            Some(open) if open.eq_ignore_ascii_case(name) => {
                self.open.pop();
            }
            // Out of order: what a browser makes of it is no longer for us to tell.
            _ => {
                self.lossy = true;
                let near = self.open.len().saturating_sub(MAX_DEPTH);
                let found = self.open[near..].iter().rposition(|it| it.eq_ignore_ascii_case(name));
                if let Some(at) = found {
                    self.open.truncate(near + at);
                }
            }
        }
        if self.lossy {
            return;
        }
        if let (Some(attributes), Some(children)) = (self.attributes.pop(), self.nodes.pop()) {
            self.push(element(name, attributes, children));
        }
    }

    fn push(&mut self, node: Node) {
        if !self.lossy
            && let Some(last) = self.nodes.last_mut()
        {
            last.push(node);
        }
    }

    fn finish(&mut self, html: &'h str, span: Range<usize>, blocks: &mut Vec<Block<'h>>) {
        let done = std::mem::take(self);
        let html = html.get(span).unwrap_or_default();
        let is_blank = Tokens::of(html).all(|token| match token {
            Token::Text(text) => text.trim().is_empty(),
            Token::Comment => true,
            Token::Open { .. } | Token::Close(_) => false,
        });
        if !is_blank {
            let whole = !done.lossy && done.open.is_empty();
            let nodes = done.nodes.into_iter().next().filter(|_| whole);
            blocks.push(Block { html, nodes });
        }
    }
}

fn element(name: &str, attributes: &str, children: Vec<Node>) -> Node {
    let name = name.to_ascii_lowercase();
    let get = |key: &str| Attributes::get(attributes, key).map(std::borrow::Cow::into_owned);
    let (address, words) = match &*name {
        "a" => (get("href"), String::new()),
        "img" => (get("src"), get("alt").unwrap_or_default()),
        "code" => (None, get("class").unwrap_or_default()),
        _ => (None, String::new()),
    };
    Node::Element { name, address, words, children }
}

/// One name per meaning, and a string to compare: where two HTML texts have the same, readers see the same.
///
/// Blanks beside tags don't count. Addresses do.
pub(super) fn essence(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut preformatted = 0_usize;
    for token in Tokens::of(html) {
        match token {
            Token::Comment => {}
            Token::Text(text) if preformatted > 0 => out.push_str(&unescape(text)),
            Token::Text(text) => push_collapsed(&mut out, &unescape(text)),
            Token::Open { name, attributes } => {
                let name = meaning(name);
                preformatted += usize::from(name == "pre");
                push_tag(&mut out, &name);
                for key in ["href", "src", "alt"] {
                    let shown = match (&*name, key) {
                        ("a", "href") | ("img", "src" | "alt") => Attributes::get(attributes, key),
                        _ => None,
                    };
                    if let Some(value) = shown.filter(|value| !value.is_empty()) {
                        let url = url::Url::parse(&value).map(String::from);
                        let value = url.unwrap_or_else(|_| value.into_owned());
                        push_collapsed(&mut out, &value);
                        out.push(MARK);
                    }
                }
            }
            Token::Close(name) => {
                let name = meaning(name);
                if preformatted > 0 {
                    out.truncate(out.trim_end_matches('\n').len());
                }
                preformatted -= usize::from(name == "pre" && preformatted > 0);
                push_tag(&mut out, &format!("/{name}"));
            }
        }
    }
    out.truncate(out.trim_end().len());
    // The only paragraph of a quote may do without its tags.
    let (open, close) = ("\u{1}blockquote\u{1}", "\u{1}/blockquote\u{1}");
    out.replace(&format!("{open}\u{1}p\u{1}"), open).replace(&format!("\u{1}/p\u{1}{close}"), close)
}

/// In no text that was read.
const MARK: char = '\u{1}';

fn push_tag(out: &mut String, name: &str) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push(MARK);
    out.push_str(name);
    out.push(MARK);
}

fn push_collapsed(out: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_ascii_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with([' ', MARK]) {
            out.push(' ');
        }
    }
}

fn meaning(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match &*name {
        "b" => "strong".to_owned(),
        "i" => "em".to_owned(),
        "s" => "del".to_owned(),
        "figure" => "p".to_owned(),
        _ => name,
    }
}

fn is_known(name: &str) -> bool {
    is_one_of(name, &KNOWN) || is_one_of(name, &INLINE) || is_one_of(name, &["ul", "pre"])
}

fn is_void(name: &str) -> bool {
    let others =
        ["area", "base", "col", "embed", "input", "link", "meta", "source", "track", "wbr"];
    is_one_of(name, &VOID) || is_one_of(name, &others)
}

fn is_telling(attributes: &str) -> bool {
    // A bound: no element that has a form in Markdown has more.
    Attributes::of(attributes).take(20).any(|(name, _)| is_one_of(name, &TELLING))
        || Attributes::of(attributes).nth(20).is_some()
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Elements that begin an HTML block of Markdown wherever a line begins with them.
const BEGIN_BLOCKS: [&str; 22] = [
    "aside",
    "blockquote",
    "details",
    "div",
    "dl",
    "figure",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "iframe",
    "ol",
    "p",
    "section",
    "table",
    "ul",
    "pre",
    "article",
];

/// HTML as a block of Markdown that ends where the HTML ends and in which nothing is Markdown or a shortcode.
pub(super) fn kept(html: &str) -> String {
    let html = html.trim();
    let mut out = String::with_capacity(html.len());
    let mut tokens = Tokens::of(html);
    let (mut scripted, mut preformatted, mut begins_block) = (false, false, None);
    loop {
        let at = html.len() - tokens.left();
        let Some(token) = tokens.next() else { break };
        let text = &html[at..html.len() - tokens.left()];
        match token {
            Token::Comment => continue,
            Token::Open { name, .. } => {
                scripted = is_one_of(name, &["script", "style"]);
                preformatted |= is_one_of(name, &["pre", "textarea"]);
                begins_block.get_or_insert(is_one_of(name, &BEGIN_BLOCKS));
            }
            Token::Close(_) => scripted = false,
            Token::Text(_) => {
                begins_block.get_or_insert(false);
            }
        }
        if scripted {
            out.push_str(text);
        } else {
            push_guarded(&mut out, text);
        }
    }
    let whole = without_blank_lines(&out, preformatted);
    if begins_block == Some(true) { whole } else { format!("<div>\n{whole}\n</div>") }
}

/// Keeps what would begin a shortcode, a tag, a wiki link, a comment or a directive from doing so.
fn push_guarded(out: &mut String, text: &str) {
    let mut before = out.chars().next_back();
    for c in text.chars() {
        match (before, c) {
            (Some('{'), '{' | '%') | (Some('['), '[') | (Some('%'), '%') | (Some(':'), ':') => {
                write!(out, "&#{};", u32::from(c)).expect("a string takes everything");
            }
            _ => out.push(c),
        }
        before = Some(c);
    }
}

/// An HTML block ends at the first line that is blank.
fn without_blank_lines(html: &str, preformatted: bool) -> String {
    let mut out = String::with_capacity(html.len());
    for line in html.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.trim_matches([' ', '\t']).is_empty() {
            out.push_str(line);
            out.push('\n');
        } else if preformatted && !out.is_empty() {
            out.push_str("&#10;");
        }
    }
    out.truncate(out.trim_end().len());
    out
}
