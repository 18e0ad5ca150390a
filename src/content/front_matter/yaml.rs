//! YAML front matter, through the event parser of `serde-saphyr`: it is the only way to the source text and place of scalars.

use std::collections::HashMap;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::value::{Entry, Node, Value};
use crate::content::report::Problem;

/// Nodes of one front matter, those that aliases repeat included. Real ones have a few dozen.
const MAX_NODES: usize = 5_000;
/// The parser would go to 255; `Drop` and `Clone` of our tree recurse.
const MAX_DEPTH: usize = 64;

/// Parses `text[block]`; spans count in `text`.
pub(super) fn parse(text: &str, block: Range<usize>) -> Result<Vec<Entry>, Vec<Problem>> {
    let source = &text[block.clone()];
    let mut builder = Builder { base: block.start, ..Builder::default() };
    let mut parser = Parser::new_from_str(source);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => builder.accept(event, span.byte_range().unwrap_or_default()),
            Err(error) => Err(syntax(text, &error, &block)),
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            return Err(builder.problems);
        }
    }
    builder.finish(block)
}

fn syntax(text: &str, error: &ScanError, block: &Range<usize>) -> Problem {
    let at = error.marker().byte_offset().map_or(block.start, |offset| block.start + offset);
    // An error at the very end is about the last line, not about the closing fence.
    let at = text.floor_char_boundary(at.min(block.end.saturating_sub(1)));
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let message = format!("the YAML front matter is broken: {}", error.info());
    let problem = Problem::new("front-matter-yaml", message).at(at..at + 1);
    if text[block.clone()].lines().any(has_tab_indentation) {
        problem.help("YAML is indented with spaces, never with tabs")
    } else if line.matches(": ").count() > 1 {
        problem.help("put a value that contains `: ` in quotes")
    } else {
        problem.help("each line is `key: value`; quote values that contain `: ` or begin with a sign such as `@`, `*`, `[` or `%`")
    }
}

fn has_tab_indentation(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with('\t') && !line.trim().is_empty()
}

#[derive(Default)]
struct Builder {
    base: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

/// A list or map whose end has not come yet.
struct Open {
    anchor: usize,
    start: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Range<usize>)> },
}

impl Builder {
    fn accept(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Problem> {
        let span = span.start + self.base..span.end + self.base;
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Text(text.into_owned()) };
                self.complete(Node { value, span }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(Content::List(Vec::new()), anchor, span)
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(Content::Map { entries: Vec::new(), key: None }, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(merged(entries)),
                };
                self.complete(Node { value, span: open.start..span.end }, open.anchor)
            }
            Event::Alias(id) => match self.anchors.get(&id) {
                Some(node) => {
                    self.nodes += node.count();
                    self.within_budget(&span)?;
                    let node = Node { value: self.anchors[&id].value.clone(), span };
                    self.complete(node, 0)
                }
                None => Err(Problem::new(
                    "front-matter-yaml",
                    "the alias stands inside what it repeats",
                )
                .at(span)),
            },
            _ => Ok(()),
        }
    }

    fn within_budget(&self, span: &Range<usize>) -> Result<(), Problem> {
        if self.nodes <= MAX_NODES && self.open.len() <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!(
            "the front matter has more than {MAX_NODES} values or is nested more than {MAX_DEPTH} deep"
        );
        Err(Problem::new("front-matter-too-large", message)
            .at(span.clone())
            .help("keep data in a file of its own, and repeat less through aliases"))
    }

    fn begin(
        &mut self,
        content: Content,
        anchor: usize,
        span: Range<usize>,
    ) -> Result<(), Problem> {
        self.open.push(Open { anchor, start: span.start, content });
        self.within_budget(&span)
    }

    /// Puts a whole node where it belongs: into the list or map around it, as its key or value.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.nodes += 1;
        self.within_budget(&node.span)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => {
                if let Some((key, key_span)) = key.take() {
                    entries.push(Entry { key, key_span, node });
                } else {
                    let text = node.as_text().unwrap_or_default().to_owned();
                    self.problems.extend(duplicate(entries, &text, &node.span));
                    *key = Some((text, node.span));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, block: Range<usize>) -> Result<Vec<Entry>, Vec<Problem>> {
        let entries = match self.root.take().map(|root| root.value) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Map(entries)) => entries,
            Some(Value::Text(_) | Value::List(_)) => {
                let problem =
                    Problem::new("front-matter-yaml", "the front matter is not `key: value` lines")
                        .at(block)
                        .help("write `title: …` and `date: …`, each on its own line");
                self.problems.push(problem);
                Vec::new()
            }
        };
        if self.problems.is_empty() { Ok(entries) } else { Err(self.problems) }
    }
}

fn duplicate(entries: &[Entry], key: &str, span: &Range<usize>) -> Option<Problem> {
    let known = entries.iter().any(|entry| entry.key == key && key != "<<");
    known.then(|| {
        Problem::new("front-matter-duplicate-key", format!("the key `{key}` is there twice"))
            .at(span.clone())
            .help("delete one of the two")
    })
}

/// Resolves YAML's merge key: what `<<` brings in gives way to what the map says itself.
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.key == "<<");
    let brought = merges.into_iter().flat_map(|merge| match merge.node.value {
        Value::Map(entries) => entries,
        Value::List(items) => items
            .into_iter()
            .flat_map(|item| match item.value {
                Value::Map(entries) => entries,
                Value::Null | Value::Text(_) | Value::List(_) => Vec::new(),
            })
            .collect(),
        Value::Null | Value::Text(_) => Vec::new(),
    });
    for entry in brought {
        if !own.iter().any(|other| other.key == entry.key) {
            own.push(entry);
        }
    }
    own
}
