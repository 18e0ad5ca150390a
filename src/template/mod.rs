//! Templates: the shipped ones, what a project overrides, and the typed data each of them gets.
//!
//! Pure once loaded: `Templates::load` reads a folder once, rendering touches nothing but memory. Templates are trusted
//! like code (their author can fill the memory), but a slip in one ends in a `Diagnostic`, never in a hung daemon.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use fluent_bundle::FluentArgs;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior};

use crate::domain::Diagnostic;

mod check;
mod context;
mod filters;
mod folder;
mod footnotes;
mod report;
mod shipped;
#[cfg(test)]
mod tests;
mod texts;
mod wrap;

pub use context::{
    AddressContext, AddressPage, AuthorContext, CadenceChoice, CadenceRow, CallRow, CaptchaContext,
    ConfirmContext, ConfirmPage, ConfirmedPage, Context, CorrectionContext, CrosspostContext,
    CrosspostData, CrosspostEvent, DeletePage, DestinationRow, DigestContext, EditionFrame,
    EditionRow, ErrorPage, EventRow, FeedLink, FeedPage, FeedRow, Header, IndexPage, LetterFrame,
    Link, ListLink, MailRow, MistakeContext, MovedContext, NewsletterContext, NewsletterRow,
    OtherNewsletter, OutboxCallPage, OutboxMailPage, OutboxPage, PostContext, PostPage, PostRow,
    PostsPage, PreferencesPage, ProblemRow, PushRow, QuestionContext, QueueRow, ReaderRow,
    RecordingContext, SeriesContext, SingleContext, SiteContext, StateCount, StatusPage,
    SubscribeDonePage, SubscribeEmbedPage, SubscribePage, UnsubscribePage, UnsubscribedPage,
    VersionLink, WelcomeContext,
};
pub(crate) use filters::truncate;
pub use shipped::SHIPPED;
pub use texts::PutIn;
use texts::Texts;

/// Instructions one rendering may execute: our digest needs some 80 for each post.
const FUEL: u64 = 1_000_000;
/// Bytes one rendering may produce. Fuel does not bound memory: one instruction may print a megabyte.
const MAX_OUTPUT: usize = 2_000_000;

/// All templates of a project, compiled. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Templates(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    environment: Environment<'static>,
    /// Where each template came from, as diagnostics name it.
    files: BTreeMap<String, String>,
    texts: Arc<Texts>,
}

impl Templates {
    /// Compiles the shipped templates, and those in `folder` in their place and beside them.
    ///
    /// A folder that does not exist overrides nothing. Fails with every file that cannot be read or compiled.
    pub fn load(folder: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        let (texts, templates) = SHIPPED.iter().partition::<Vec<_>, _>(|(name, _)| is_texts(name));
        let shipped = |(name, text): (&str, &str)| folder::Source::shipped(name, text);
        let mut texts: Vec<_> = texts
            .into_iter()
            .map(|it: &(&str, &str)| (it.0.to_owned(), shipped(*it), false))
            .collect();
        let mut sources: BTreeMap<String, folder::Source> = templates
            .into_iter()
            .map(|it: &(&str, &str)| (it.0.to_owned(), shipped(*it)))
            .collect();
        let mut problems = Vec::new();
        for found in folder.map(folder::read).unwrap_or_default() {
            match found {
                Ok((name, source)) if is_texts(&name) => texts.push((name, source, true)),
                Ok((name, source)) => drop(sources.insert(name, source)),
                Err(problem) => problems.push(problem),
            }
        }
        let texts = Texts::read(&texts).map_err(|found| problems.extend(found)).ok().map(Arc::new);
        let mut environment = environment(texts.as_ref());
        let mut files = BTreeMap::new();
        for (name, source) in sources {
            files.insert(name.clone(), source.file.clone());
            if let Err(error) = environment.add_template_owned(name, source.text.clone()) {
                problems.push(report::syntax(&error, &source));
            }
        }
        match texts {
            Some(texts) if problems.is_empty() => {
                Ok(Self(Arc::new(Inner { environment, files, texts })))
            }
            _ => Err(problems),
        }
    }

    /// Renders every template with every sample of its context. Errors name the undefined variable, filter or template
    /// and the nearest one that exists; a template that nothing uses is a warning.
    pub fn check_all(&self) -> Vec<Diagnostic> {
        check::all(self)
    }

    /// Renders the template `name`, for example `mail/digest/body.html`, which must be one of `C`'s.
    ///
    /// Text of `.html` is escaped, values of `.json` are written as JSON, `.txt` is left alone. Fails where a variable is
    /// undefined, where the limits on work and size are hit, and where a `.json` template gives something else.
    pub fn render<C: Context>(&self, name: &str, context: &C) -> Result<String, Diagnostic> {
        debug_assert!(C::TEMPLATES.iter().any(|family| name.starts_with(family)), "{name}");
        self.render_value(name, &Value::from(Serde(context)))
    }

    /// Whether there is a template `name`: shipped or the project's own.
    pub fn has(&self, name: &str) -> bool {
        self.0.files.contains_key(name)
    }

    /// The language of a page or mail: the first of `wanted` that there are texts in, else English.
    pub fn language<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> &'a str {
        wanted.into_iter().find(|tag| self.0.texts.speak(tag)).unwrap_or(texts::FALLBACK)
    }

    /// The text `key` in `language`, else in English, with what is put into it. Empty where there is none.
    pub fn text(&self, language: &str, key: &str, put_in: &[(&'static str, PutIn<'_>)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in put_in {
            match *value {
                PutIn::Text(text) => arguments.set(*name, text),
                PutIn::Number(number) => arguments.set(*name, number),
            }
        }
        self.0.texts.text((language, key), &arguments).and_then(Result::ok).unwrap_or_default()
    }

    fn render_value(&self, name: &str, context: &Value) -> Result<String, Diagnostic> {
        let mut output = Bounded::default();
        let rendered = self
            .0
            .environment
            .get_template(name)
            .and_then(|template| template.render_captured_to(context.clone(), &mut output));
        if let Err(error) = rendered {
            return Err(if output.overflowed {
                report::too_large(&error, self, name)
            } else {
                report::failure(&error, self, name, context)
            });
        }
        let text = String::from_utf8(output.bytes).expect("templates write whole strings");
        if is_json(name)
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
        {
            return Err(report::not_json(&error, &text, self, name));
        }
        Ok(text)
    }

    /// The file that diagnostics name for the template `name`.
    fn file(&self, name: &str) -> String {
        self.0.files.get(name).cloned().unwrap_or_else(|| format!("templates/{name}"))
    }
}

fn is_texts(name: &str) -> bool {
    name.starts_with("texts/") && Path::new(name).extension().is_some_and(|it| it == "ftl")
}

fn is_json(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "json")
}

fn environment(texts: Option<&Arc<Texts>>) -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .expect("the default delimiters are valid");
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true); // errors carry the span and the name of what is undefined
    environment.set_fuel(Some(FUEL));
    filters::add_to(&mut environment, texts);
    if let Some(texts) = texts.cloned() {
        environment.add_function("t", move |state: &State<'_, '_>, key: &str, given: Kwargs| {
            texts.function(state, key, &given)
        });
    }
    environment
}

/// Collects output up to `MAX_OUTPUT` bytes.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > MAX_OUTPUT {
            self.overflowed = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A refusal by one of our filters, in the words that `report` shows.
fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
