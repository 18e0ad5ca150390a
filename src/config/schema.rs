//! The JSON Schema of the files, made from the raw types, and the questions that reading asks it.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::raw;

/// One node of a JSON Schema without references.
pub(super) type Schema = Value;

static PROJECT: LazyLock<Schema> = LazyLock::new(generate::<raw::Project>);
static RELEASES: LazyLock<Schema> = LazyLock::new(generate::<raw::Releases>);

/// The JSON Schema of `postrider.toml`, for editors that complete and check TOML.
///
/// `x-kind` names texts with a form of their own (`duration`, `cron`, `moment`, `rate`, `percent`, `hours`), `x-default` says in words what holds
/// when a key is left out, `writeOnly` marks secrets.
pub fn schema_json() -> Value {
    PROJECT.clone()
}

/// The JSON Schema of `releases.toml`.
pub fn releases_schema_json() -> Value {
    RELEASES.clone()
}

pub(super) fn project() -> &'static Schema {
    &PROJECT
}

pub(super) fn releases() -> &'static Schema {
    &RELEASES
}

fn generate<T: JsonSchema>() -> Schema {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    schema
}

/// TOML has no null, and `x-required` marks what serde may miss but people must write.
fn tidy(schema: &mut Schema) {
    if let Some(only) = schema["anyOf"].as_array().and_then(|any| any.first()).cloned()
        && let (Some(object), Value::Object(only)) = (schema.as_object_mut(), only)
    {
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get("type")
        && let Some(first) = types.first().cloned()
    {
        object.insert("type".to_owned(), first);
    }
    // In a table of secrets the names may be shown.
    if object.get("additionalProperties").is_some_and(Value::is_object)
        && let Some(secret) = object.remove("writeOnly")
    {
        object["additionalProperties"]["writeOnly"] = secret;
    }
    let mut required = Vec::new();
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        for (name, property) in properties {
            tidy(property);
            if property.as_object_mut().is_some_and(|it| it.remove("x-required").is_some()) {
                required.push(Value::from(name.as_str()));
            }
        }
    }
    if !required.is_empty() {
        object.insert("required".to_owned(), Value::Array(required));
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(inner) {
            tidy(inner);
        }
    }
}

/// The path of `name` in the section `path`.
pub(super) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What `name` holds in a table after `schema`; `None` when there is no such key.
pub(super) fn of_key<'s>(schema: &'s Schema, name: &str) -> Option<&'s Schema> {
    schema
        .get("properties")
        .and_then(|properties| properties.get(name))
        .or_else(|| of_entries(schema))
}

/// What each entry holds, in a table whose keys are names that people choose.
pub(super) fn of_entries(schema: &Schema) -> Option<&Schema> {
    schema.get("additionalProperties").filter(|entries| entries.is_object())
}

pub(super) fn of_items(schema: &Schema) -> Option<&Schema> {
    schema.get("items")
}

pub(super) fn keys(schema: &Schema) -> impl Iterator<Item = &str> {
    schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys().map(String::as_str))
}

pub(super) fn required(schema: &Schema) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn is_secret(schema: &Schema) -> bool {
    schema["writeOnly"] == true
}

pub(super) fn text<'s>(schema: &'s Schema, annotation: &str) -> Option<&'s str> {
    schema.get(annotation).and_then(Value::as_str)
}

/// The words that a text may be, with their meanings; empty when any text will do.
pub(super) fn words(schema: &Schema) -> Vec<(&str, Option<&str>)> {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(|word| Some((word.as_str()?, None))).collect();
    }
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    choices
        .filter_map(|choice| Some((text(choice, "const")?, text(choice, "description"))))
        .collect()
}

/// `table`, `list`, `text`, `integer` or `boolean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Table,
    List,
    Text,
    Moment,
    Integer,
    Boolean,
}

pub(super) fn kind(schema: &Schema) -> Kind {
    match text(schema, "type") {
        Some("object") => Kind::Table,
        Some("array") => Kind::List,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        _ if text(schema, "x-kind") == Some("moment") => Kind::Moment,
        _ => Kind::Text,
    }
}

/// What a value after `schema` is, in words: `a duration such as "90s"`.
pub(super) fn expected(schema: &Schema) -> String {
    match (kind(schema), text(schema, "x-kind")) {
        (Kind::Table, _) => "a table".to_owned(),
        (Kind::List, Some("words")) => "text in quotes, or a list of texts".to_owned(),
        (Kind::List, _) => match of_items(schema).map(kind) {
            Some(Kind::Table) => "a list of tables".to_owned(),
            _ => "a list of texts such as `[\"one\", \"two\"]`".to_owned(),
        },
        (Kind::Integer, _) => {
            let bound = |name: &str| schema[name].as_i64();
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
                _ => "a whole number".to_owned(),
            }
        }
        (Kind::Boolean, _) => "`true` or `false`".to_owned(),
        (Kind::Moment, _) => "a date or a date and time such as `2026-09-01T07:00:00`".to_owned(),
        (Kind::Text, Some("duration")) => "a duration such as `\"90s\"` or `\"2h\"`".to_owned(),
        (Kind::Text, Some("cron")) => "a cron expression such as `\"0 7 * * MON\"`".to_owned(),
        (Kind::Text, Some("rate")) => "a rate such as `\"14/s\"`".to_owned(),
        (Kind::Text, Some("percent")) => "a share such as `\"5%\"`".to_owned(),
        (Kind::Text, Some("hours")) => "hours of the day such as `\"08:00-20:00\"`".to_owned(),
        (Kind::Text, _) => match words(schema).as_slice() {
            [] => "text in quotes".to_owned(),
            words => {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
                match words.as_slice() {
                    [one] => one.clone(),
                    [most @ .., last] => format!("{} or {last}", most.join(", ")),
                    [] => String::new(),
                }
            }
        },
    }
}
