//! Standard output, standard error, and asking the person at the keyboard.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::telemetry;

/// Prints data.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints data for machines: pretty, with a line end.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(print(&text)?)
}

/// Says something to the person. Nobody listening is no reason to stop.
pub(super) fn note(text: &str) {
    if text.is_empty() {
        return;
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(anstream::stderr().lock(), "{text}{end}");
}

/// Whether somebody looks at standard output, as opposed to a program reading it.
pub(super) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Asks for `word`, so that nobody sends by pressing Enter twice. False: something else was typed, or nothing can be.
pub(super) fn confirm(question: &str, word: &str) -> io::Result<bool> {
    {
        let mut out = anstream::stderr().lock();
        write!(out, "{question}")?;
        out.flush()?;
    }
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    // A person's Enter would have ended the line.
    if !io::stdin().is_terminal() {
        note("\n");
    }
    Ok(answer.trim() == word)
}

/// Logs what may need a person, as text. For every command but the daemon.
pub(super) fn log_warnings() -> anyhow::Result<()> {
    telemetry::init(telemetry::LogFormat::Text, "warn")?;
    Ok(())
}

/// A bar for work on a file of so many bytes. Shown on a terminal only.
pub(super) fn bar(bytes: u64, unit: &str) -> ProgressBar {
    let template = format!("{{bar:40}} {{percent:>3}} %  {{msg}} {unit}  {{eta}} left");
    ProgressBar::new(bytes).with_style(style(&template))
}

/// A moving sign for work of unknown length. Shown on a terminal only.
pub(super) fn spinner(unit: &str) -> ProgressBar {
    let template = format!("{{spinner}} {{bytes}} {unit}  {{elapsed}}");
    ProgressBar::new_spinner().with_style(style(&template))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("our templates are well-formed")
}

/// Lines of text that are put together before they are printed.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> &mut Self {
        writeln!(self.0, "{line}").expect("a string takes everything");
        self
    }

    /// An empty line, unless the page is empty.
    pub(super) fn gap(&mut self) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self
    }

    pub(super) fn block(&mut self, block: &str) -> &mut Self {
        self.0.push_str(block);
        if !block.is_empty() && !block.ends_with('\n') {
            self.0.push('\n');
        }
        self
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}
