//! The words of pages and mails, in the languages of their readers: Fluent files, ours and the project's over them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Error, State};

use super::folder::Source;
use super::{refused, report};
use crate::domain::Diagnostic;

/// What stands in for a language that lacks a text.
pub(super) const FALLBACK: &str = "en";
/// Around the number of an argument while its text is put together: no character that a text may hold.
const MARKS: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// What goes into a text. Numbers choose between its plural forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutIn<'a> {
    Text(&'a str),
    Number(i64),
}

/// Every language there is.
pub(super) struct Texts {
    /// By tag, in small letters.
    languages: BTreeMap<String, Language>,
}

struct Language {
    bundle: FluentBundle<FluentResource>,
    /// The project's own file, if it has one, and the names of the texts in it.
    own: Option<(String, BTreeSet<String>)>,
    /// The variables that each of its texts shows.
    variables: BTreeMap<String, BTreeSet<String>>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.languages.keys()).finish()
    }
}

impl Texts {
    /// Reads `sources`, each with the name of its file (`texts/de.ftl`): ours first, then the project's.
    pub(super) fn read(sources: &[(String, Source, bool)]) -> Result<Self, Vec<Diagnostic>> {
        let mut texts = Self { languages: BTreeMap::new() };
        let mut problems = Vec::new();
        for (name, source, is_own) in sources {
            if let Err(found) = texts.add(name, source, *is_own) {
                problems.extend(found);
            }
        }
        if problems.is_empty() { Ok(texts) } else { Err(problems) }
    }

    fn add(&mut self, name: &str, source: &Source, is_own: bool) -> Result<(), Vec<Diagnostic>> {
        let tag = name.trim_start_matches("texts/").trim_end_matches(".ftl");
        let identifier = tag.parse().map_err(|_| {
            let message = format!("`{tag}` is not a language tag");
            let found = Diagnostic::error("texts-language", message).in_file(source.file.clone());
            vec![found.help("name the file like `de.ftl` or `pt-BR.ftl`")]
        })?;
        let resource = FluentResource::try_new(source.text.clone()).map_err(|(_, errors)| {
            let told = |error: fluent_syntax::parser::ParserError| {
                Diagnostic::error("texts-syntax", error.kind.to_string())
                    .in_file(source.file.clone())
                    .at_span(&source.text, error.pos)
                    .effect("texts are not taken over while one of them has an error")
            };
            errors.into_iter().map(told).collect::<Vec<_>>()
        })?;
        let language = self.languages.entry(tag.to_ascii_lowercase()).or_insert_with(|| {
            let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
            bundle.set_use_isolating(false);
            Language { bundle, own: None, variables: BTreeMap::new() }
        });
        let mut names = BTreeSet::new();
        for entry in resource.entries() {
            let Entry::Message(message) = entry else { continue };
            let mut variables = BTreeSet::new();
            message.value.iter().for_each(|value| variables_of(value, &mut variables));
            names.insert(message.id.name.to_owned());
            language.variables.insert(message.id.name.to_owned(), variables);
        }
        if is_own {
            language.own = Some((source.file.clone(), names));
        }
        language.bundle.add_resource_overriding(resource);
        Ok(())
    }

    /// Whether there are texts in the language of `tag`, or in one that it is a kind of.
    pub(super) fn speak(&self, tag: &str) -> bool {
        self.chain(tag).next().is_some()
    }

    /// The languages of `tag`, the nearest first: `pt-BR`, `pt`.
    fn chain(&self, tag: &str) -> impl Iterator<Item = &Language> {
        let tag = tag.to_ascii_lowercase();
        let mut length = Some(tag.len());
        std::iter::from_fn(move || {
            let tag = &tag[..length?];
            length = tag.rfind('-');
            Some(self.languages.get(tag))
        })
        .flatten()
    }

    /// The text `key` in the language of `tag`, else in English. None: no language has it.
    pub(super) fn text(
        &self,
        (tag, key): (&str, &str),
        arguments: &FluentArgs<'_>,
    ) -> Option<Result<String, String>> {
        let mut languages = self.chain(tag).chain(self.languages.get(FALLBACK));
        let (language, pattern) = languages.find_map(|language| {
            let message = language.bundle.get_message(key)?;
            Some((language, message.value()?))
        })?;
        let mut errors = Vec::new();
        let text = language.bundle.format_pattern(pattern, Some(arguments), &mut errors);
        Some(match errors.first() {
            None => Ok(text.into_owned()),
            Some(error) => Err(error.to_string()),
        })
    }

    /// What a project's own texts lack, name in vain or get wrong. `is_named`: whether a template names the key.
    pub(super) fn check(&self, is_named: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let Some(english) = self.languages.get(FALLBACK) else { return Vec::new() };
        let mut found = Vec::new();
        for language in self.languages.values() {
            let Some((file, names)) = &language.own else { continue };
            let lacking: Vec<_> = english
                .variables
                .keys()
                .filter(|key| !language.variables.contains_key(*key))
                .collect();
            if let [first, others @ ..] = lacking.as_slice() {
                let message = match others.len() {
                    0 => format!("there is no text `{first}`"),
                    more => format!("there is no text `{first}`, and {more} more are missing"),
                };
                let missing = Diagnostic::warning("texts-missing", message).in_file(file.clone());
                found.push(missing.effect("readers get these words in English"));
            }
            for name in names {
                match english.variables.get(name) {
                    Some(variables) => {
                        found.extend(compare(name, &language.variables[name], variables, file));
                    }
                    None if is_named(name) => {}
                    None => found.push(unused(name, english, file)),
                }
            }
        }
        found
    }

    /// `{{ t("confirm-heading", newsletter=newsletter.title) }}`: the text in the page's or mail's `language`. In HTML what
    /// is put in is escaped, unless it is HTML already.
    pub(super) fn function(
        &self,
        state: &State<'_, '_>,
        key: &str,
        given: &Kwargs,
    ) -> Result<Value, Error> {
        let is_html = matches!(state.auto_escape(), AutoEscape::Html);
        let language = state.lookup("language");
        let tag = language.as_ref().and_then(Value::as_str).unwrap_or(FALLBACK);
        let mut arguments = FluentArgs::new();
        let mut put_in = Vec::new();
        for name in given.args() {
            let value: Value = given.get(name)?;
            if let Some(number) = value.as_i64() {
                arguments.set(name, FluentValue::from(number));
                continue;
            }
            arguments.set(name, format!("{}{}{}", MARKS[0], put_in.len(), MARKS[1]));
            let text = value.to_string();
            put_in.push(if is_html && !value.is_safe() { escaped(&text) } else { text });
        }
        let text = self.text((tag, key), &arguments).ok_or_else(|| self.no_such(key))?;
        let text =
            text.map_err(|error| refused(format!("the text `{key}` cannot be shown: {error}")))?;
        let text = filled(&if is_html { escaped(&text) } else { text }, &put_in);
        Ok(if is_html { Value::from_safe_string(text) } else { Value::from(text) })
    }

    fn no_such(&self, key: &str) -> Error {
        let english = self.languages.get(FALLBACK);
        let known = english.into_iter().flat_map(|it| it.variables.keys().map(String::as_str));
        let near = report::nearest(key, known).map(|help| format!("; {help}")).unwrap_or_default();
        refused(format!("there is no text `{key}`{near}"))
    }
}

/// A text whose variables are not those of the English one.
fn compare(
    name: &str,
    has: &BTreeSet<String>,
    english: &BTreeSet<String>,
    file: &str,
) -> Option<Diagnostic> {
    if let Some(unknown) = has.difference(english).next() {
        let message = format!("the text `{name}` shows `${unknown}`, which it does not get");
        let found = Diagnostic::error("texts-variable", message).in_file(file);
        let known: Vec<_> = english.iter().map(|known| format!("`${known}`")).collect();
        return Some(if known.is_empty() {
            found.help("it gets nothing")
        } else {
            found.help(format!("it gets {}", known.join(", ")))
        });
    }
    let missing = english.difference(has).next()?;
    let message = format!("the text `{name}` does not show `${missing}`");
    let found = Diagnostic::warning("texts-variable", message).in_file(file);
    Some(found.effect("readers don't see it"))
}

fn unused(name: &str, english: &Language, file: &str) -> Diagnostic {
    let message = format!("nothing uses the text `{name}`");
    let found = Diagnostic::warning("texts-unused", message).in_file(file);
    match report::nearest(name, english.variables.keys().map(String::as_str)) {
        Some(help) => found.help(help),
        None => found,
    }
}

/// `text` with what stands for each argument replaced by it.
fn filled(text: &str, put_in: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split(MARKS[0]);
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (number, rest) = piece.split_once(MARKS[1]).unwrap_or(("", piece));
        let value = number.parse::<usize>().ok().and_then(|number| put_in.get(number));
        out.push_str(value.map(String::as_str).unwrap_or_default());
        out.push_str(rest);
    }
    out
}

/// Safe in the text of an element and in an attribute between double quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

fn variables_of(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => inline_variables(inline, found),
            Expression::Select { selector, variants } => {
                inline_variables(selector, found);
                for variant in variants {
                    variables_of(&variant.value, found);
                }
            }
        }
    }
}

fn inline_variables(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(found.insert(id.name.to_owned())),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|argument| inline_variables(argument, found));
        }
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inline) = &**expression {
                inline_variables(inline, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
