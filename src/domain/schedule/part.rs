//! Pieces of an expression that know where they stand, so that a message can point at them.

use super::ScheduleError;

/// A piece of the expression.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// The byte of the expression that it starts at.
    pub(super) at: usize,
}

impl<'a> Part<'a> {
    /// The expression's words; white space of any kind lies between them.
    pub(super) fn words(expression: &'a str) -> Vec<Self> {
        let mut end = 0;
        let place = |text: &'a str| {
            // Only white space lies between the last word and this one, so the first match is the word itself.
            let at = end + expression[end..].find(text).expect("words come in order");
            end = at + text.len();
            Part { text, at }
        };
        expression.split_whitespace().map(place).collect()
    }

    pub(super) fn split(self, separator: char) -> impl Iterator<Item = Self> {
        let mut at = self.at;
        self.text.split(separator).map(move |text| {
            let part = Part { text, at };
            at += text.len() + separator.len_utf8();
            part
        })
    }

    /// Digits only: `parse` alone would take a `+` too.
    pub(super) fn is_number(self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Refuses `1,,5` and `5-/2`: nothing between two separators. The second one is what can be pointed at.
    pub(super) fn not_empty(self) -> Result<Self, ScheduleError> {
        if self.text.is_empty() {
            let span = self.at..self.at + 1;
            return Err(ScheduleError {
                message: "a value is missing here".to_owned(),
                span,
                help: None,
            });
        }
        Ok(self)
    }

    /// Why this piece is refused.
    pub(super) fn refused(self, message: impl Into<String>) -> ScheduleError {
        let span = self.at..self.at + self.text.len();
        ScheduleError { message: message.into(), span, help: None }
    }
}

impl ScheduleError {
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The one of `names` that `text` was most likely meant to be, if any is near.
pub(super) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.into_iter().map(|name| (strsim::jaro_winkler(text, name), name));
    let best = scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(best.1)
}
