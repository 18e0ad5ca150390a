//! Segments as conditions of SQL, over a subscriber `p` and a subscription `s`.
//!
//! The database filters, so that a million rows need not come here. The text of a condition is made of constant pieces and the
//! numbers of values alone; the values themselves travel in one JSON array that is bound to one parameter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{Collection, Comparison, Condition, Operand, Segment, Subject};

/// The language of each newsletter: that of the subscriptions that name none.
pub type Houses = BTreeMap<String, String>;

/// A condition, and what to bind for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSql {
    /// Begins and ends with parentheses, and is never NULL.
    pub condition: String,
    /// Text to bind to the parameter whose number was given.
    pub values: String,
}

impl SegmentSql {
    /// `segment` for `s` and `p`, with its values in the parameter `$parameter`.
    pub fn of(
        segment: &Segment,
        houses: &Houses,
        (is_postgres, parameter): (bool, usize),
        now: Timestamp,
    ) -> Self {
        Self::all(&[segment], houses, (is_postgres, parameter), now)
    }

    /// All of these at once; without one, everybody.
    pub fn all(
        segments: &[&Segment],
        houses: &Houses,
        (is_postgres, parameter): (bool, usize),
        now: Timestamp,
    ) -> Self {
        let [condition] = Self::each([segments], houses, (is_postgres, parameter), now);
        condition
    }

    /// Several conditions whose values are in the same parameter.
    pub(super) fn each<const N: usize>(
        conditions: [&[&Segment]; N],
        houses: &Houses,
        (is_postgres, parameter): (bool, usize),
        now: Timestamp,
    ) -> [Self; N] {
        let mut writer =
            Writer { sql: String::new(), values: Vec::new(), houses, is_postgres, parameter, now };
        let conditions = conditions.map(|segments| {
            // Named once, so that the parameter is there even where no value is.
            let _ = write!(writer.sql, "((${parameter} IS NOT NULL)");
            for segment in segments {
                writer.sql.push_str(" AND ");
                writer.condition(segment.condition());
            }
            writer.sql.push(')');
            std::mem::take(&mut writer.sql)
        });
        let values = Value::Array(writer.values).to_string();
        conditions.map(|condition| Self { condition, values: values.clone() })
    }
}

struct Writer<'a> {
    sql: String,
    values: Vec<Value>,
    houses: &'a Houses,
    is_postgres: bool,
    parameter: usize,
    now: Timestamp,
}

impl Writer<'_> {
    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) => self.joined(parts, " AND ", "TRUE"),
            Condition::Any(parts) => self.joined(parts, " OR ", "FALSE"),
            Condition::Not(part) => {
                self.sql.push_str("(NOT ");
                self.condition(part);
                self.sql.push(')');
            }
            Condition::Compare(subject, how, operand) => self.compare(subject, *how, operand),
            Condition::OneOf(subject, operands) => {
                let parts: Vec<_> = operands
                    .iter()
                    .map(|one| Condition::Compare(subject.clone(), Comparison::Equal, one.clone()))
                    .collect();
                self.joined(&parts, " OR ", "FALSE");
            }
            Condition::Contains(subject, part) => {
                let (subject, part) =
                    (self.text_of(subject), self.text(&part.to_ascii_lowercase()));
                // Either engine makes small letters of A to Z.
                let _ = if self.is_postgres {
                    write!(
                        self.sql,
                        "coalesce(strpos(lower({subject} COLLATE \"C\"), {part}) > 0, FALSE)"
                    )
                } else {
                    write!(self.sql, "coalesce(instr(lower({subject}), {part}) > 0, FALSE)")
                };
            }
            Condition::Has(collection, word) => self.has(collection, word),
            Condition::IsKnown(path) => {
                let value = self.attribute_text(path);
                let _ = write!(self.sql, "({value} IS NOT NULL)");
            }
        }
    }

    fn joined(&mut self, parts: &[Condition], between: &str, none: &str) {
        self.sql.push('(');
        if parts.is_empty() {
            self.sql.push_str(none);
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.sql.push_str(between);
            }
            self.condition(part);
        }
        self.sql.push(')');
    }

    fn compare(&mut self, subject: &Subject, how: Comparison, operand: &Operand) {
        let (left, right) = match (subject, operand) {
            (Subject::Attribute(path), Operand::Number(number)) => {
                (self.attribute_number(path), self.number(*number))
            }
            (Subject::Attribute(path), Operand::Truth(truth)) => {
                let text = self.attribute_text(path);
                (format!("lower({text})"), self.text(if *truth { "true" } else { "false" }))
            }
            (Subject::Days, Operand::Number(days)) => {
                let now = self.now.as_microsecond();
                (format!("(({now} - s.created_at) / 86400000000.0)"), self.number(*days))
            }
            (Subject::SignedUp, Operand::Moment(at)) => {
                ("s.created_at".to_owned(), at.as_microsecond().to_string())
            }
            (Subject::Confirmed, Operand::Moment(at)) => {
                ("s.confirmed_at".to_owned(), at.as_microsecond().to_string())
            }
            (_, Operand::Text(text)) => {
                let (left, right) = (self.text_of(subject), self.text(text));
                // By code points on either engine, whatever the language of the database.
                let order = if self.is_postgres { " COLLATE \"C\"" } else { "" };
                (format!("{left}{order}"), right)
            }
            // The reader of expressions makes no others.
            (_, Operand::Number(_) | Operand::Truth(_) | Operand::Moment(_)) => {
                ("1".to_owned(), "0".to_owned())
            }
        };
        let sign = match how {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        };
        let _ = write!(self.sql, "coalesce({left} {sign} {right}, FALSE)");
    }

    fn has(&mut self, collection: &Collection, word: &str) {
        let word = self.text(word);
        match collection {
            Collection::Tags => self.in_array("p.tags", &word),
            Collection::Topics => {
                self.sql.push_str("(s.topics = '' OR ");
                // The other side is not looked at where there is no array.
                self.in_array("CASE WHEN s.topics = '' THEN '[]' ELSE s.topics END", &word);
                self.sql.push(')');
            }
            Collection::Attribute(path) if self.is_postgres => {
                let value = self.attribute_json(path);
                let _ = write!(
                    self.sql,
                    "coalesce(CASE jsonb_typeof({value}) WHEN 'array' THEN jsonb_exists({value}, {word}) \
                     ELSE ({value} #>> '{{}}') = {word} END, FALSE)"
                );
            }
            Collection::Attribute(path) => {
                let path = self.path(path);
                let _ = write!(
                    self.sql,
                    "EXISTS (SELECT 1 FROM json_each(p.attributes, {path}) e WHERE CAST(e.value AS TEXT) = {word})"
                );
            }
        }
    }

    fn in_array(&mut self, array: &str, word: &str) {
        let _ = if self.is_postgres {
            write!(self.sql, "jsonb_exists(CAST({array} AS jsonb), {word})")
        } else {
            write!(self.sql, "EXISTS (SELECT 1 FROM json_each({array}) e WHERE e.value = {word})")
        };
    }

    /// A text, empty where nothing is chosen.
    fn text_of(&mut self, subject: &Subject) -> String {
        match subject {
            Subject::Email => "p.address_key".to_owned(),
            Subject::Name => "p.name".to_owned(),
            Subject::Newsletter => "s.newsletter".to_owned(),
            Subject::Cadence => "s.cadence".to_owned(),
            Subject::Timezone => "s.timezone".to_owned(),
            Subject::Source => "s.source".to_owned(),
            Subject::State => "s.state".to_owned(),
            Subject::Language => self.language(),
            Subject::Attribute(path) => self.attribute_text(path),
            Subject::SignedUp | Subject::Confirmed | Subject::Days => "NULL".to_owned(),
        }
    }

    fn language(&mut self) -> String {
        let mut sql = "CASE WHEN s.language <> '' THEN s.language".to_owned();
        let houses = self.houses;
        for (newsletter, language) in houses {
            let (newsletter, language) = (self.text(newsletter), self.text(language));
            let _ = write!(sql, " WHEN s.newsletter = {newsletter} THEN {language}");
        }
        sql.push_str(" ELSE '' END");
        sql
    }

    /// The text form of an attribute; NULL where there is none.
    fn attribute_text(&mut self, path: &[String]) -> String {
        if self.is_postgres {
            let value = self.attribute_json(path);
            return format!("({value} #>> '{{}}')");
        }
        let path = self.path(path);
        format!(
            "(CASE json_type(p.attributes, {path}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN NULL \
             ELSE CAST(json_extract(p.attributes, {path}) AS TEXT) END)"
        )
    }

    /// A number, or a text that is one: imported tables know texts alone.
    fn attribute_number(&mut self, path: &[String]) -> String {
        let text = self.attribute_text(path);
        if self.is_postgres {
            return format!(
                "(CASE WHEN length({text}) <= 30 AND {text} ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?$' \
                 THEN CAST({text} AS double precision) END)"
            );
        }
        format!(
            "(CASE WHEN length({text}) <= 30 AND {text} NOT GLOB '*[^-.0-9]*' AND json_valid({text}) \
             THEN CAST({text} AS REAL) END)"
        )
    }

    fn attribute_json(&mut self, path: &[String]) -> String {
        let mut sql = "(CAST(p.attributes AS jsonb)".to_owned();
        for name in path {
            let name = self.text(name);
            let _ = write!(sql, " -> {name}");
        }
        sql.push(')');
        sql
    }

    fn path(&mut self, path: &[String]) -> String {
        self.text(&format!("$.\"{}\"", path.join("\".\"")))
    }

    fn text(&mut self, text: &str) -> String {
        let at = self.value(text.into());
        if self.is_postgres {
            format!("(CAST(${} AS jsonb) ->> {at})", self.parameter)
        } else {
            format!("json_extract(${}, '$[{at}]')", self.parameter)
        }
    }

    fn number(&mut self, number: f64) -> String {
        let at = self.value(number.into());
        if self.is_postgres {
            format!("CAST(CAST(${} AS jsonb) ->> {at} AS double precision)", self.parameter)
        } else {
            format!("json_extract(${}, '$[{at}]')", self.parameter)
        }
    }

    /// Its place in the array. The same value has one place.
    fn value(&mut self, value: Value) -> usize {
        self.values.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Segments;

    use super::*;

    fn sql(text: &str, is_postgres: bool) -> SegmentSql {
        let segment = Segment::parse(text, &Segments::new()).unwrap();
        let houses = Houses::from([("weekly".to_owned(), "en".to_owned())]);
        let now = "2026-11-22T08:00:00Z".parse().unwrap();
        SegmentSql::of(&segment, &houses, (is_postgres, 5), now)
    }

    #[test]
    fn no_word_of_an_expression_becomes_part_of_the_statement() {
        let hostile = "attributes[\"x') OR 1=1 --\"] == \"'; DROP TABLE subscribers; --\" or \"' OR '1'='1\" in tags \
                       or name == \"$1\" or source in [\"')\"] or attributes.a[\"')\"] is defined";
        for is_postgres in [false, true] {
            let made = sql(hostile, is_postgres);
            for (at, quoted) in made.condition.split('\'').enumerate() {
                let is_text = at % 2 == 1;
                let is_ours = ["true", "false", "null", "", "{}", "[]", "array"].contains(&quoted);
                assert!(!is_text || is_ours || quoted.starts_with("$["), "{quoted}");
                assert!(!quoted.contains("--") && !quoted.contains("1=1"), "{quoted}");
            }
            assert!(made.values.contains("DROP TABLE"));
        }
    }

    #[test]
    fn conditions_are_as_few_words_as_they_can_be() {
        let made =
            sql("days < 30 and language == 'de' and 'vip' in tags and 'vip' in topics", false);
        insta::assert_snapshot!(format!("{}\n{}", made.condition, made.values));
        let made =
            sql("attributes.age >= 18 or not attributes.vip or 'x' in attributes.likes", true);
        insta::assert_snapshot!(format!("{}\n{}", made.condition, made.values));
    }
}
