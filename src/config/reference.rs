//! `docs/config.md`: every key with its type, default and meaning, from the types that read it.

use std::fmt::Write;

use serde_json::Value;

use super::schema::{self, Kind, Schema};

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the source. To renew it: UPDATE_DOCS=1 cargo test --lib config::tests::the_reference_is_fresh -->

Two files in TOML: `config/postrider.toml` for the operator, `config/releases.toml` for the authors. `postrider check` reads
both and says everything that is wrong with them, with file, line and column. Unknown keys are errors. The running daemon
takes changes over by itself; a configuration with an error is refused, and the one before stays in force.

Paths are relative to the project folder, the one that holds `config/`. Durations are numbers with units, such as `90s`,
`2m`, `48h` or `1d 12h`; a day has 24 hours. Cron expressions have five fields (minute, hour, day of month, month, weekday) or
six (second first), or are names such as `@daily`.

**Environment.** Each key of `postrider.toml` can be set by a variable: `POSTRIDER__`, then the sections and the key, with two
underscores in between. `POSTRIDER__MAIL__SERVERS__MAIN__URL` is `url` in `[mail.servers.main]`; `POSTRIDER__POSTS__0__PATH` is
`path` in the first `[[posts]]`. Lists and tables are written in TOML. The environment wins over the file.

**Secrets.** Passwords and keys have a twin that ends in `_file` and names a file with nothing else in it; that works for
variables too (`POSTRIDER__MAIL__SERVERS__MAIN__PASSWORD_FILE`). Secrets are never printed, not even when they are wrong.
";

/// The reference of both files in Markdown.
pub fn reference_markdown() -> String {
    let mut page = Page(INTRODUCTION.to_owned());
    page.file("config/postrider.toml", schema::project());
    page.file("config/releases.toml", schema::releases());
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        writeln!(self.0, "{text}").expect("a string takes any text");
    }

    fn file(&mut self, name: &str, schema: &Schema) {
        self.line(&format!("\n## `{name}`"));
        self.sections(schema, "");
    }

    fn section(&mut self, schema: &Schema, path: &str, brackets: (&str, &str)) {
        self.line(&format!("\n### `{}{path}{}`\n", brackets.0, brackets.1));
        if let Some(meaning) = schema::text(schema, "description") {
            self.line(&one_line(meaning));
        }
        let mut rows = Vec::new();
        for name in schema::keys(schema) {
            if let Some(key) = schema::of_key(schema, name)
                && inner(key).is_none()
            {
                let required = schema::required(schema).any(|required| required == name);
                rows.push(row(name, key, required));
            }
        }
        if !rows.is_empty() {
            self.line("\n| key | type | default | meaning |\n|---|---|---|---|");
            for row in rows {
                self.line(&row);
            }
        }
        self.sections(schema, path);
    }

    fn sections(&mut self, schema: &Schema, path: &str) {
        for name in schema::keys(schema) {
            let Some(key) = schema::of_key(schema, name) else { continue };
            let path = schema::below(path, name);
            match inner(key) {
                None => {}
                Some(Inner::Table) => self.section(key, &path, ("[", "]")),
                Some(Inner::Named(entries)) => {
                    self.section(entries, &format!("{path}.NAME"), ("[", "]"));
                }
                Some(Inner::Listed(items)) => self.section(items, &path, ("[[", "]]")),
            }
        }
    }
}

/// A key that is a section of its own.
enum Inner<'s> {
    Table,
    Named(&'s Schema),
    Listed(&'s Schema),
}

fn inner(schema: &Schema) -> Option<Inner<'_>> {
    let is_table = |inner: &&Schema| schema::kind(inner) == Kind::Table;
    match schema::kind(schema) {
        Kind::List => schema::of_items(schema).filter(is_table).map(Inner::Listed),
        Kind::Table if schema::keys(schema).next().is_some() => Some(Inner::Table),
        Kind::Table => schema::of_entries(schema).filter(is_table).map(Inner::Named),
        Kind::Text | Kind::Moment | Kind::Integer | Kind::Boolean => None,
    }
}

fn row(name: &str, schema: &Schema, required: bool) -> String {
    let mut meaning = one_line(schema::text(schema, "description").unwrap_or_default());
    for (word, means) in schema::words(schema) {
        if let Some(means) = means {
            write!(meaning, " `{word}`: {}", one_line(means)).expect("a string takes any text");
        }
    }
    format!(
        "| `{name}` | {} | {} | {} |",
        kind(schema),
        default(schema, required),
        meaning.replace('|', "\\|")
    )
}

fn kind(schema: &Schema) -> String {
    match (schema::kind(schema), schema::text(schema, "x-kind")) {
        (Kind::Text, Some("duration")) => "duration".to_owned(),
        (Kind::Text, Some("cron")) => "cron expression".to_owned(),
        (Kind::Text, Some("rate")) => "rate".to_owned(),
        (Kind::Text, Some("percent")) => "percentage".to_owned(),
        (Kind::Text, Some("hours")) => "hours of the day".to_owned(),
        (Kind::Text, _) => match schema::words(schema).as_slice() {
            [] => "text".to_owned(),
            words => {
                words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
            }
        },
        (Kind::Moment, _) => "date, or date and time".to_owned(),
        (Kind::List, Some("words")) => "text, or list of texts".to_owned(),
        (Kind::List, _) => "list of texts".to_owned(),
        (Kind::Table, _) if schema::of_entries(schema).map(schema::kind) == Some(Kind::List) => {
            "table of texts or lists".to_owned()
        }
        (Kind::Table, _) => "table of texts".to_owned(),
        (Kind::Integer | Kind::Boolean, _) => schema::expected(schema).replace("a whole", "whole"),
    }
}

fn default(schema: &Schema, required: bool) -> String {
    if required {
        return "**required**".to_owned();
    }
    if let Some(words) = schema::text(schema, "x-default") {
        return words.to_owned();
    }
    match &schema["default"] {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(table) if table.is_empty() => "none".to_owned(),
        value => format!("`{value}`"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
