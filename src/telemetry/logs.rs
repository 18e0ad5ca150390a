//! Logs: text for people, JSON for machines, always to standard error so that output can be piped.

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _};

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt as lines, reload};

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text when standard error is a terminal, else JSON.
    Auto,
    Text,
    Json,
}

/// Why logs could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("`{filter}` is not a log filter such as `info,postrider::dispatch=debug`")]
    Filter { filter: String, source: ParseError },
    #[error("logs are set up already")]
    SetUp(#[from] TryInitError),
    #[error("logs are no longer being written")]
    Gone(#[from] reload::Error),
}

/// Changes what is logged while the process runs.
#[derive(Clone, Debug)]
pub struct ReloadHandle(reload::Handle<EnvFilter, Registry>);

impl ReloadHandle {
    /// Takes `filter` from now on. A filter that cannot be read leaves the old one in force.
    pub fn set_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        let filter = parse(filter)?;
        Ok(self.0.reload(filter)?)
    }
}

/// Starts logging for the whole process. Fails when it was called before, or when `filter` cannot be read.
pub fn init(format: LogFormat, filter: &str) -> Result<ReloadHandle, TelemetryError> {
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let colours = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let layer = layer(format, (io::stderr().is_terminal(), colours), io::stderr);
    tracing_subscriber::registry().with(filter).with(layer).try_init()?;
    Ok(ReloadHandle(handle))
}

/// An error with its causes on one line, for a field: JSON lines would otherwise keep only the first of them, and a reader
/// would learn what failed but not why.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Display + 'a {
    fmt::from_fn(move |f| {
        let mut before = String::new();
        for cause in std::iter::successors(Some(error), |error| (*error).source()) {
            let cause = cause.to_string();
            // Many errors quote their source in their own text.
            if before.ends_with(&cause) {
                continue;
            }
            let separator = if before.is_empty() { "" } else { ": " };
            write!(f, "{separator}{cause}")?;
            before = cause;
        }
        Ok(())
    })
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// The layer that writes lines.
fn layer<S, W>(
    format: LogFormat,
    (terminal, colours): (bool, bool),
    writer: W,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> lines::MakeWriter<'w> + Send + Sync + 'static,
{
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let layer = lines::layer().with_writer(writer);
    if text {
        layer.with_ansi(colours).boxed()
    } else {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = layer(format, (false, false), move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(parse("info").unwrap()).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("not shown");
            tracing::info!(edition.id = 7, "sealed");
        });
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn machines_get_one_json_object_a_line() {
        let text = logged(LogFormat::Auto);
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["message"], "sealed");
        assert_eq!(line["edition.id"], 7);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn text_that_goes_into_a_file_has_no_colours() {
        let text = logged(LogFormat::Text);
        assert!(text.contains("sealed edition.id=7"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_none_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot {0}")]
        struct Outer(&'static str, #[source] io::Error);
        let full = || io::Error::other("the disk is full");
        let told = causes(&Outer("commit", full())).to_string();
        assert_eq!(told, "cannot commit: the disk is full");
        let quoted = causes(&Outer("commit: the disk is full", full())).to_string();
        assert_eq!(quoted, "cannot commit: the disk is full");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = parse("postrider=loudly").unwrap_err();
        assert!(error.to_string().starts_with("`postrider=loudly` is not a log filter"));
    }
}
