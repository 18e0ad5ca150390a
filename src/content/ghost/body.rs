//! The body of a Ghost post: HTML -> Markdown.
//!
//! A block becomes Markdown only if our own reader makes the same of it as of the HTML. All else stays HTML: cards, galleries,
//! players, tables, captions.

use std::fmt::Write as _;

use url::Url;

use super::html::{self, Block, Node};
use crate::content::links::Base;
use crate::content::markdown::{Document, Reading};
use crate::content::prepare::{self, Alone, Targets};
use crate::content::{FolderRules, body};

/// The body as Markdown.
pub(super) fn markdown(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let proof = Proof::new();
    let mut before: Option<&str> = None;
    for block in html::blocks(html) {
        let list = list_of(&block);
        // Of two lists side by side another sign makes two.
        let again = list.is_some() && before == list;
        let signs = if again { Signs { bullet: '*', dot: ')' } } else { Signs::USUAL };
        let written = proof.written(&block, signs);
        before = list.filter(|_| written.is_some() && !again);
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&written.unwrap_or_else(|| html::kept(block.html)));
    }
    out
}

fn list_of(block: &Block<'_>) -> Option<&'static str> {
    let first = block.nodes.iter().flatten().find(|node| matches!(node, Node::Element { .. }));
    let Some(Node::Element { name, .. }) = first else { return None };
    ["ul", "ol"].into_iter().find(|list| list == name)
}

/// What begins the items of lists.
#[derive(Clone, Copy)]
struct Signs {
    bullet: char,
    dot: char,
}

impl Signs {
    const USUAL: Self = Self { bullet: '-', dot: '.' };
}

/// Reads what was written, as it will be read as a post.
struct Proof {
    link: Option<Url>,
}

impl Proof {
    fn new() -> Self {
        Self { link: Url::parse("https://ghost.invalid/").ok() }
    }

    /// The block as Markdown that means the same. `None`: there is none.
    fn written(&self, block: &Block<'_>, signs: Signs) -> Option<String> {
        let nodes = block.nodes.as_ref()?;
        let text = write_blocks(nodes, signs)?;
        let read = self.read(&text)?;
        let mut wished = self.absolute(block.html)?;
        if nodes.iter().all(is_inline) {
            wished = format!("<p>{wished}</p>");
        }
        (html::essence(&read) == html::essence(&wished)).then_some(text)
    }

    /// Ghost's own HTML goes through the same hands, so that both have absolute addresses.
    fn absolute(&self, html: &str) -> Option<String> {
        let base = Self::base(self.link.as_ref()?);
        crate::content::links::absolute(html, &base, crate::content::links::Use::OwnPage)
    }

    fn base(link: &Url) -> Base<'_> {
        Base { link, id_prefix: "", image: None, neighbours: &Alone, names_languages: false }
    }

    fn read(&self, markdown: &str) -> Option<String> {
        let link = self.link.as_ref()?;
        let rules = FolderRules {
            dates_from: &[],
            highlight: false,
            ..FolderRules::of_site(link, "/{slug}/")
        };
        let targets =
            Targets { rules: &rules, neighbours: &Alone, slug: "", image: None, mdx: false };
        let prepared = prepare::prepare(markdown, 0, &targets);
        let how = Reading { smart_punctuation: false, excerpt_separator: None };
        let document = Document::parse(&prepared, how).ok()?;
        if !(prepared.warnings.is_empty() && document.warnings.is_empty()) {
            return None;
        }
        Some(body::render(&document, &Self::base(link), "").ok()?.html)
    }
}

/// Blocks with a blank line between them.
fn write_blocks(nodes: &[Node], signs: Signs) -> Option<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut rest = nodes;
    while let Some(first) = rest.first() {
        if is_inline(first) {
            let length = rest.iter().take_while(|node| is_inline(node)).count();
            let text = paragraph(&rest[..length])?;
            if !text.is_empty() {
                blocks.push(text);
            }
            rest = &rest[length..];
        } else {
            blocks.push(block(first, signs)?);
            rest = &rest[1..];
        }
    }
    Some(blocks.join("\n\n"))
}

fn is_inline(node: &Node) -> bool {
    match node {
        Node::Text(_) => true,
        Node::Element { name, .. } => matches!(
            &**name,
            "a" | "b" | "br" | "code" | "del" | "em" | "i" | "img" | "s" | "strong"
        ),
    }
}

fn block(node: &Node, signs: Signs) -> Option<String> {
    let Node::Element { name, children, .. } = node else { return None };
    match &**name {
        "p" | "figure" if children.iter().all(is_inline) => paragraph(children),
        "hr" => Some("---".to_owned()),
        "blockquote" => Some(indented(&write_blocks(children, signs)?, "> ", "> ")),
        "ul" | "ol" => list(children, name == "ol", signs),
        "pre" => code_block(children),
        _ => {
            let level = name.strip_prefix('h')?.parse().ok()?;
            let text = inline(children)?;
            let text = text.trim();
            (!text.contains('\n')).then(|| format!("{} {text}", "#".repeat(level)))
        }
    }
}

fn list(children: &[Node], ordered: bool, signs: Signs) -> Option<String> {
    let mut items = Vec::new();
    for child in children {
        match child {
            Node::Text(text) if text.trim().is_empty() => {}
            Node::Element { name, children, .. } if name == "li" => items.push(children),
            Node::Text(_) | Node::Element { .. } => return None,
        }
    }
    let mut lines = Vec::new();
    for (at, children) in items.iter().enumerate() {
        let sign = if ordered {
            format!("{}{} ", at + 1, signs.dot)
        } else {
            format!("{} ", signs.bullet)
        };
        let text = write_blocks(children, Signs::USUAL)?;
        // Without blank lines, or the items would become paragraphs.
        let loose = children.iter().any(|child| {
            matches!(child, Node::Element { name, .. } if name == "p" || name == "blockquote" || name == "pre")
        });
        let text = if loose { text } else { text.replace("\n\n", "\n") };
        lines.push(indented(&text, &sign, &" ".repeat(sign.len())));
    }
    Some(lines.join("\n"))
}

fn indented(text: &str, first: &str, rest: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, line) in text.split('\n').enumerate() {
        let margin = if at == 0 { first } else { rest };
        if at > 0 {
            out.push('\n');
        }
        let margin = if line.is_empty() { margin.trim_end() } else { margin };
        out.push_str(margin);
        out.push_str(line);
    }
    out
}

fn code_block(children: &[Node]) -> Option<String> {
    let (text, class) = match children {
        [Node::Element { name, words, children, .. }] if name == "code" => {
            (text_of(children)?, &**words)
        }
        _ => (text_of(children)?, ""),
    };
    let language = class.split_ascii_whitespace().find_map(|it| it.strip_prefix("language-"));
    let language = language.unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '#' | '.' | '_');
    if !language.chars().all(plain) {
        return None;
    }
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    Some(format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n')))
}

fn text_of(children: &[Node]) -> Option<String> {
    children
        .iter()
        .map(|child| match child {
            Node::Text(text) => Some(text.as_str()),
            Node::Element { .. } => None,
        })
        .collect()
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Inline text whose lines begin nothing else.
fn paragraph(children: &[Node]) -> Option<String> {
    let text = inline(children)?;
    let text = text.trim();
    let lines: Vec<String> = text.lines().map(|line| line_start(line.trim())).collect();
    Some(lines.join("\n"))
}

/// Keeps the first characters of a line from making a heading, quote, list or rule of it.
fn line_start(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[digits..].starts_with(['.', ')']) {
        return format!("{}\\{}", &line[..digits], &line[digits..]);
    }
    if line.starts_with(['#', '>', '-', '+', ':', '=', '|']) {
        format!("\\{line}")
    } else {
        line.to_owned()
    }
}

fn inline(children: &[Node]) -> Option<String> {
    let mut out = String::new();
    for child in children {
        match child {
            Node::Text(text) => push_text(&mut out, text),
            Node::Element { name, address, words, children } => match &**name {
                "br" => {
                    out.truncate(out.trim_end_matches(' ').len());
                    out.push_str("\\\n");
                }
                "b" | "strong" => push_marked(&mut out, "**", &inline(children)?),
                "i" | "em" => push_marked(&mut out, "*", &inline(children)?),
                "s" | "del" => push_marked(&mut out, "~~", &inline(children)?),
                "code" => out.push_str(&code(&text_of(children)?)),
                "a" => {
                    let inner = inline(children)?;
                    let target = target(address.as_deref()?)?;
                    write!(out, "[{}]({target})", inner.trim()).ok()?;
                }
                "img" => {
                    let mut alt = String::new();
                    push_text(&mut alt, words);
                    let target = target(address.as_deref()?)?;
                    write!(out, "![{}]({target})", alt.trim()).ok()?;
                }
                _ => return None,
            },
        }
    }
    Some(out)
}

/// Marks stand at words, not at blanks.
fn push_marked(out: &mut String, mark: &str, inner: &str) {
    let text = inner.trim();
    if text.is_empty() {
        out.push_str(inner);
        return;
    }
    let before = inner.len() - inner.trim_start().len();
    out.push_str(&inner[..before]);
    out.push_str(mark);
    out.push_str(text);
    out.push_str(mark);
    out.push_str(&inner[before + text.len()..]);
}

fn code(text: &str) -> String {
    let text = text.replace('\n', " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let blanks = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let pad = if text.starts_with('`') || text.ends_with('`') || blanks { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// An address as a link's target. `None`: it has what no target may have.
fn target(address: &str) -> Option<String> {
    let address = address.trim();
    if address.is_empty() || address.contains(['<', '>', '\\', '\n', '\r', '`', '{', '[']) {
        return None;
    }
    let bare = !address.contains([' ', '(', ')']);
    Some(if bare { address.to_owned() } else { format!("<{address}>") })
}

/// Text with blanks collapsed, in which nothing is Markdown.
fn push_text(out: &mut String, text: &str) {
    let mut characters = text.chars().peekable();
    let mut before = out.chars().next_back().unwrap_or(' ');
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        if c.is_ascii_whitespace() {
            if before != ' ' {
                out.push(' ');
            }
            before = ' ';
            continue;
        }
        let in_word = before.is_alphanumeric() && next.is_some_and(char::is_alphanumeric);
        let special = match c {
            '\\' | '*' | '`' | '[' | ']' | '<' | '~' => true,
            '_' => !in_word,
            '&' => next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '#'),
            '=' | '{' | '%' => before == c || next == Some(c) || (c == '{' && next == Some('%')),
            // Before a link it would make an image of it.
            '!' => next.is_none(),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
}
