//! Front matter: finds where it is, in which of the notations of the engines, and turns it into one tree.

use std::ops::Range;

use super::report::Problem;
use super::source::MAX_FRONT_MATTER_BYTES;

mod json;
mod plain;
mod toml;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

pub(super) use value::{Entry, Node, Value};

/// What was found at the beginning of a file.
#[derive(Debug, Default)]
pub(super) struct FrontMatter {
    pub(super) entries: Vec<Entry>,
    /// Where the body begins.
    pub(super) body: usize,
    /// Whether there was any, even an empty one.
    pub(super) present: bool,
    /// Whether it stands there without fences, as only Pelican and `MultiMarkdown` have it.
    pub(super) bare: bool,
}

/// Reads the front matter of `text`. All that is wrong with it, otherwise.
pub(super) fn read(text: &str) -> Result<FrontMatter, Vec<Problem>> {
    let start = text.len() - text.trim_start().len();
    let first = line_at(text, start);
    let opening = text[first.clone()].trim_end();
    if let Some(info) = opening.strip_prefix("---") {
        return match fence_language(info) {
            Language::Yaml => fenced(text, &first, &["---", "..."], yaml::parse),
            Language::Toml => fenced(text, &first, &["---"], toml::parse),
            Language::Json => fenced(text, &first, &["---"], one_problem(json::parse)),
            Language::Refused => Err(vec![refused(info.trim(), first)]),
            Language::NoFence => Ok(FrontMatter::default()),
        };
    }
    match opening {
        "+++" => fenced(text, &first, &["+++"], toml::parse),
        ";;;" => fenced(text, &first, &[";;;"], one_problem(json::parse)),
        _ if is_json_object(opening, &text[start..]) => leading_json(text, start),
        _ => unopened(text, start),
    }
}

/// Reads a whole text as YAML.
pub(super) fn yaml(text: &str) -> Result<Vec<Entry>, Vec<Problem>> {
    yaml::parse(text, 0..text.len())
}

/// Reads a whole text as JSON.
pub(super) fn json(text: &str) -> Result<Vec<Entry>, Vec<Problem>> {
    one_problem(json::parse)(text, 0..text.len())
}

enum Language {
    Yaml,
    Toml,
    Json,
    Refused,
    /// A thematic break such as `-----`.
    NoFence,
}

/// What `---json` and its like announce (Eleventy's `gray-matter`).
fn fence_language(info: &str) -> Language {
    match info.trim().to_ascii_lowercase().as_str() {
        "" | "yaml" | "yml" => Language::Yaml,
        "toml" => Language::Toml,
        "json" | "json5" => Language::Json,
        other if other.chars().all(char::is_alphabetic) => Language::Refused,
        _ => Language::NoFence,
    }
}

fn refused(language: &str, span: Range<usize>) -> Problem {
    let problem = Problem::new(
        "front-matter-language",
        format!("front matter in `{language}` is not read: it would have to be run"),
    );
    problem.at(span).help("write it in YAML (`---`), TOML (`+++`) or JSON (`---json`)")
}

fn one_problem(
    parse: impl Fn(&str, Range<usize>) -> Result<Vec<Entry>, Problem>,
) -> impl Fn(&str, Range<usize>) -> Result<Vec<Entry>, Vec<Problem>> {
    move |text, block| parse(text, block).map_err(|problem| vec![problem])
}

/// Front matter between the line `first` and the next line that is one of `ends`.
fn fenced(
    text: &str,
    first: &Range<usize>,
    ends: &[&str],
    parse: impl Fn(&str, Range<usize>) -> Result<Vec<Entry>, Vec<Problem>>,
) -> Result<FrontMatter, Vec<Problem>> {
    let from = next_line(text, first);
    let Some(end) =
        lines_from(text, from).find(|line| ends.contains(&text[line.clone()].trim_end()))
    else {
        let fence = ends[0];
        let problem =
            Problem::new("front-matter-unclosed", "the front matter that begins here has no end")
                .at(first.clone())
                .help(format!("close it with a line that is `{fence}` and nothing else"));
        return Err(vec![problem]);
    };
    let block = from..end.start;
    within_limit(&block)?;
    let entries = parse(text, block)?;
    let body = next_line(text, &end);
    match second_block(text, body) {
        Some(span) => Err(vec![
            Problem::new("front-matter-twice", "a second front matter block begins here")
                .at(span)
                .help("move its lines into the first block and delete the fences between"),
        ]),
        None => Ok(FrontMatter { entries, body, present: true, bare: false }),
    }
}

fn within_limit(block: &Range<usize>) -> Result<(), Vec<Problem>> {
    if block.len() <= MAX_FRONT_MATTER_BYTES {
        return Ok(());
    }
    let size = block.len();
    let message =
        format!("the front matter is {size} bytes long; at most {MAX_FRONT_MATTER_BYTES} are read");
    Err(vec![
        Problem::new("front-matter-too-large", message)
            .at(block.start..block.start)
            .help("keep data in a file of its own"),
    ])
}

/// The first line of a block at the start of the body that has fences around nothing but `key: value` lines.
///
/// A thematic break followed by prose is none.
fn second_block(text: &str, body: usize) -> Option<Range<usize>> {
    let mut lines = lines_from(text, body).skip_while(|line| text[line.clone()].trim().is_empty());
    let opening = lines.next()?;
    let fence = text[opening.clone()].trim_end();
    if fence != "---" && fence != "+++" {
        return None;
    }
    let mut keys = 0;
    for line in lines.take(200) {
        let line = &text[line];
        if line.trim_end() == fence {
            return (keys > 0).then_some(opening);
        }
        if plain::key_value(line, &[':', '=']).is_some() {
            keys += 1;
        } else if !(line.starts_with([' ', '\t', '#', '-']) && keys > 0) {
            return None;
        }
    }
    None
}

/// `{` and then a key or the end: Liquid and shortcodes begin with a brace too.
fn is_json_object(opening: &str, rest: &str) -> bool {
    opening.starts_with('{') && rest[1..].trim_start().starts_with(['"', '}'])
}

fn leading_json(text: &str, start: usize) -> Result<FrontMatter, Vec<Problem>> {
    let (entries, end) = json::parse_leading(text, start).map_err(|problem| vec![problem])?;
    within_limit(&(start..end))?;
    let body = next_line(text, &(end..line_at(text, end).end));
    let rest_of_line = text[end..body].trim();
    let body = if rest_of_line.is_empty() { body } else { end };
    Ok(FrontMatter { entries, body, present: true, bare: false })
}

/// Notations without an opening fence: Hexo's, which ends with `---` or `;;;`, and the header lines of Pelican.
fn unopened(text: &str, start: usize) -> Result<FrontMatter, Vec<Problem>> {
    let closing = |fence: &str| {
        lines_from(text, start)
            .take_while(|line| line.end - start <= MAX_FRONT_MATTER_BYTES)
            .find(|line| text[line.clone()].trim_end() == fence)
    };
    if text[start..].starts_with('"')
        && let Some(end) = closing(";;;")
    {
        let entries = json::parse(text, start..end.start).map_err(|problem| vec![problem])?;
        return Ok(FrontMatter {
            entries,
            body: next_line(text, &end),
            present: true,
            bare: false,
        });
    }
    let Some(header) = plain::parse(text, start) else { return Ok(FrontMatter::default()) };
    let after = line_at(text, header.end);
    if text[after.clone()].trim_end() == "---" {
        let entries = yaml::parse(text, start..header.end)?;
        return Ok(FrontMatter {
            entries,
            body: next_line(text, &after),
            present: true,
            bare: false,
        });
    }
    Ok(FrontMatter { entries: header.entries, body: header.end, present: true, bare: true })
}

/// The line that begins at `from`, without its end.
fn line_at(text: &str, from: usize) -> Range<usize> {
    let end = text[from..].find('\n').map_or(text.len(), |at| from + at);
    from..end
}

/// Where the line after `line` begins.
fn next_line(text: &str, line: &Range<usize>) -> usize {
    (line.end + 1).min(text.len())
}

fn lines_from(text: &str, from: usize) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(from).filter(|&from| from < text.len());
    std::iter::from_fn(move || {
        let line = line_at(text, next?);
        next = Some(line.end + 1).filter(|&from| from < text.len());
        Some(line)
    })
}
