//! Keys from the environment: `POSTRIDER__MAIL__SERVERS__MAIN__URL` is `mail.servers.main.url`.

use toml::Value;
use toml::de::ValueDeserializer;

use super::environment::{Environment, PREFIX};
use super::origins::{Origin, Place};
use super::report::{Problem, Report};
use super::schema::{self, Kind, Schema};
use super::values::nearest;
use crate::domain::Diagnostic;

/// Keys of which only one may be set; an override of one replaces the others.
const TWINS: [&[&str]; 3] =
    [&["url", "url_file"], &["password", "password_file"], &["secret", "secret_file", "secrets"]];

/// Writes every override into `table`; unknown keys are reported with the name of the variable.
pub(super) fn apply(
    environment: &Environment,
    table: &mut toml::Table,
    schema: &Schema,
    report: &mut Report,
) {
    for (name, value) in environment.overrides() {
        let steps: Vec<&str> = name[PREFIX.len()..].split("__").collect();
        let mut walk = Walk { name, text: value, report: &mut *report };
        if let Err(problem) = walk.set_in_table(table, schema, "", &steps) {
            let message = format!("environment variable `{name}`: {}", problem.message);
            let diagnostic = Diagnostic::error("unknown-variable", message);
            report.push(Diagnostic { help: problem.help, ..diagnostic });
        }
    }
}

struct Walk<'a> {
    name: &'a str,
    text: &'a str,
    report: &'a mut Report,
}

impl Walk<'_> {
    fn set_in_table(
        &mut self,
        table: &mut toml::Table,
        schema: &Schema,
        path: &str,
        steps: &[&str],
    ) -> Result<(), Problem> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        let known = schema::keys(schema)
            .chain(
                table.keys().filter(|_| schema::of_entries(schema).is_some()).map(String::as_str),
            )
            .find(|key| folded(key) == folded(step))
            .map(str::to_owned);
        let chosen = schema::of_entries(schema)
            .filter(|_| !step.is_empty())
            .map(|_| step.to_ascii_lowercase());
        let Some(key) = known.or(chosen) else {
            return Err(unknown(schema, path, step));
        };
        let Some(schema) = schema::of_key(schema, &key) else { return Ok(()) };
        let path = schema::below(path, &key);
        if rest.is_empty() {
            for twin in
                TWINS.iter().filter(|twins| twins.contains(&key.as_str())).copied().flatten()
            {
                table.remove(*twin);
                self.report.origins.remove(&sibling(&path, twin));
            }
            table.insert(key, self.value(schema));
            self.note(&path);
            return Ok(());
        }
        let empty = match schema::kind(schema) {
            Kind::List => Value::Array(Vec::new()),
            _ => Value::Table(toml::Table::new()),
        };
        if !table.contains_key(&key) {
            self.note(&path);
        }
        self.set_in_value(table.entry(key).or_insert(empty), schema, &path, rest)
    }

    fn set_in_value(
        &mut self,
        value: &mut Value,
        schema: &Schema,
        path: &str,
        steps: &[&str],
    ) -> Result<(), Problem> {
        match (value, schema::of_items(schema)) {
            (Value::Table(table), None) if schema::kind(schema) == Kind::Table => {
                self.set_in_table(table, schema, path, steps)
            }
            (Value::Array(items), Some(schema)) => self.set_in_list(items, schema, path, steps),
            _ => Err(unknown(schema, path, steps.first().unwrap_or(&""))),
        }
    }

    fn set_in_list(
        &mut self,
        items: &mut Vec<Value>,
        schema: &Schema,
        path: &str,
        steps: &[&str],
    ) -> Result<(), Problem> {
        let Some((step, rest)) = steps.split_first() else { return Ok(()) };
        let index = step.parse::<usize>().ok().filter(|index| *index <= items.len());
        let Some(index) = index else {
            return Err(Problem::new(format!(
                "`{path}` has no entry `{step}`; they count from 0, and the next free number is {}",
                items.len()
            )));
        };
        let path = schema::below(path, &index.to_string());
        if index == items.len() {
            items.push(Value::Table(toml::Table::new()));
            self.note(&path);
        }
        if rest.is_empty() {
            items[index] = self.value(schema);
            self.note(&path);
            return Ok(());
        }
        self.set_in_value(&mut items[index], schema, &path, rest)
    }

    /// TOML where the text is TOML of the wanted kind, else the text as it is.
    fn value(&self, schema: &Schema) -> Value {
        let text = || Value::String(self.text.to_owned());
        let parsed = ValueDeserializer::parse(self.text.trim())
            .and_then(<Value as serde::Deserialize>::deserialize);
        match (schema::kind(schema), parsed) {
            (Kind::Text, Ok(value @ Value::String(_)))
            | (Kind::Moment, Ok(value @ (Value::String(_) | Value::Datetime(_))))
            | (Kind::Integer, Ok(value @ Value::Integer(_)))
            | (Kind::Boolean, Ok(value @ Value::Boolean(_)))
            | (Kind::List, Ok(value @ Value::Array(_)))
            | (Kind::Table, Ok(value @ Value::Table(_))) => value,
            _ => text(),
        }
    }

    fn note(&mut self, path: &str) {
        let place = Place::Variable(self.name.to_owned());
        self.report.origins.remove(path);
        self.report.origins.insert(path, Origin { key: place.clone(), value: place });
    }
}

fn unknown(schema: &Schema, path: &str, step: &str) -> Problem {
    let around = if path.is_empty() { "the configuration".to_owned() } else { format!("`{path}`") };
    let step = step.to_lowercase();
    let near = nearest(&step, schema::keys(schema)).map(|near| {
        let place = schema::below(path, near).replace('.', "__").to_uppercase();
        format!("did you mean `{PREFIX}{place}`?")
    });
    Problem::new(format!("{around} has no key `{step}`")).maybe_help(near)
}

/// How keys and variables compare: shells allow no hyphens in names and people write them in capitals.
fn folded(key: &str) -> String {
    key.to_lowercase().replace('-', "_")
}

fn sibling(path: &str, name: &str) -> String {
    schema::below(path.rsplit_once('.').map_or("", |(section, _)| section), name)
}
