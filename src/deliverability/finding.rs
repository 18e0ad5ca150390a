//! What a judgement says: how bad it is, what it means for readers, how to mend it, and the DNS record that does.

use serde::Serialize;

/// How bad it is; the worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Good,
    /// Worth knowing. Nobody refuses mail for it.
    Advice,
    /// Nobody could be asked.
    Unknown,
    /// Some mail will suffer.
    Warning,
    /// Mail is refused or lost.
    Error,
}

/// A DNS record to add, or to put in the place of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Without a dot at the end.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// As the record means it: a TXT in one piece and without quotes.
    pub value: String,
    /// What is published now under this name and has to go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
}

/// Bytes that one string of a TXT record holds at most (RFC 1035 section 3.3.14).
const STRING: usize = 255;

impl Record {
    pub(super) fn txt(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), kind: "TXT", value: value.into(), replaces: Vec::new() }
    }

    pub(super) fn of(kind: &'static str, name: impl Into<String>, value: &str) -> Self {
        Self { name: name.into(), kind, value: value.to_owned(), replaces: Vec::new() }
    }

    #[must_use]
    pub(super) fn replacing(mut self, old: &[String]) -> Self {
        self.replaces = old.to_vec();
        self
    }

    /// A line for a zone file, TXT in strings of 255 bytes at most.
    pub fn zone_line(&self) -> String {
        let value = match self.kind {
            "TXT" => strings(&self.value),
            "PTR" => format!("{}.", self.value),
            _ => self.value.clone(),
        };
        format!("{}. IN {} {value}", self.name, self.kind)
    }
}

/// `"first 255 bytes" "the rest"`.
fn strings(value: &str) -> String {
    let mut pieces = Vec::new();
    let mut rest = value;
    while rest.len() > STRING {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(STRING));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    let quoted = pieces
        .iter()
        .map(|piece| format!("\"{}\"", piece.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect::<Vec<_>>();
    quoted.join(" ")
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub grade: Grade,
    /// What was looked at: `SPF`, `DKIM` …
    pub check: &'static str,
    /// Stable, kebab-case: what scripts match on.
    pub code: &'static str,
    /// Lower case, no full stop, names in backticks.
    pub message: String,
    /// What it means for readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

impl Finding {
    pub(super) fn new(
        grade: Grade,
        check: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self { grade, check, code, message, effect: None, help: None, record: None }
    }

    /// `what` could not be asked, because of `why`.
    pub(super) fn unknown(check: &'static str, code: &'static str, what: &str, why: &str) -> Self {
        Self::new(Grade::Unknown, check, code, format!("could not ask for {what}: {why}"))
            .effect("nothing is known about the record itself; run it again later")
    }

    #[must_use]
    pub(super) fn effect(mut self, effect: impl Into<String>) -> Self {
        self.effect = Some(effect.into());
        self
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn record(mut self, record: impl Into<Option<Record>>) -> Self {
        self.record = record.into();
        self
    }
}

/// The makers of findings for one check: `let (good, error) = …` would say less at the places where they are used.
pub(super) struct Maker(pub(super) &'static str);

impl Maker {
    pub(super) fn good(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(Grade::Good, self.0, code, message)
    }

    pub(super) fn advice(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(Grade::Advice, self.0, code, message)
    }

    pub(super) fn warning(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(Grade::Warning, self.0, code, message)
    }

    pub(super) fn error(&self, code: &'static str, message: impl Into<String>) -> Finding {
        Finding::new(Grade::Error, self.0, code, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_published_in_strings_of_255_bytes() {
        let line = Record::txt("s._domainkey.example.org", "x".repeat(600)).zone_line();
        let strings: Vec<_> = line.split('"').skip(1).step_by(2).map(str::len).collect();
        assert_eq!(strings, [255, 255, 90]);
        assert!(line.starts_with("s._domainkey.example.org. IN TXT \"xxx"));
        let quoted = Record::txt("a.example", "say \"x\\y\"").zone_line();
        assert_eq!(quoted, r#"a.example. IN TXT "say \"x\\y\"""#);
    }
}
