//! Logs: text for people, JSON for machines, always to standard error so that output can be piped.

use std::io::{self, IsTerminal as _};

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

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
    let lines = lines(format, (io::stderr().is_terminal(), colours), io::stderr);
    tracing_subscriber::registry().with(filter).with(lines).try_init()?;
    Ok(ReloadHandle(handle))
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// The layer that writes lines.
fn lines<S, W>(
    format: LogFormat,
    (terminal, colours): (bool, bool),
    writer: W,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let layer = fmt::layer().with_writer(writer);
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
        let lines = lines(format, (false, false), move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(parse("info").unwrap()).with(lines);
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
    fn a_filter_that_cannot_be_read_is_named() {
        let error = parse("postrider=loudly").unwrap_err();
        assert!(error.to_string().starts_with("`postrider=loudly` is not a log filter"));
    }
}
