//! How the command line looks: colours, and the shape of help texts.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Style, Styles};

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const STRONG: Style = Style::new().bold();

/// Of help texts and usage errors.
pub(super) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(ERROR)
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

/// The examples under a help text, with a heading like clap's own.
macro_rules! examples {
    ($text:literal) => {
        concat!("\u{1b}[1;32mExamples:\u{1b}[0m\n  ", $text)
    };
}
pub(super) use examples;

/// `text` in a style; it is left plain where output takes no colours.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl When {
    /// What `arguments` say, read before they are understood.
    pub(super) fn wished(arguments: &[OsString]) -> Self {
        let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
        let in_one = words.iter().filter_map(|word| word.strip_prefix("--color="));
        let in_two = words.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1]);
        let wished = in_one.chain(in_two).find_map(|word| Self::from_str(word, false).ok());
        wished.unwrap_or_default()
    }

    /// Makes everything that is printed from now on obey.
    pub(super) fn write_global(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

impl From<When> for clap::ColorChoice {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}
