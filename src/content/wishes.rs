//! What the author wishes of each channel. A wish that is in doubt is an error: what was mailed cannot be taken back.

use std::collections::BTreeMap;

use super::dates;
use super::fields::{Fields, OURS, children, comparable, lookup};
use super::front_matter::{Entry, Node, Value};
use super::header::place;
use super::report::{Problem, Report};
use super::source::one_line;
use super::{FolderRules, title};
use crate::domain::{EmailWish, Field, Notify, SOCIAL, Wishes, nearest};

/// Longer texts are no subjects.
const MAX_SUBJECT_CHARS: usize = 200;
/// The longest text for a destination.
const MAX_TEXT_CHARS: usize = 10_000;
/// Under `postrider`, beside the names of our fields.
const OTHER_NAMES: [&str; 7] =
    ["text", "texts", "sendtime", "date", "permalink", "lang", "silence"];

/// Reads the wishes, and says what is wrong with them.
pub(super) fn read(
    fields: &Fields<'_>,
    rules: &FolderRules<'_>,
    report: &mut Report<'_>,
) -> Wishes {
    let mut reader = Reader { fields, rules, report };
    for slip in fields.ours().map(slips).unwrap_or_default() {
        reader.report.error(slip);
    }
    Wishes {
        email: reader.email().unwrap_or_default(),
        crosspost: reader.crosspost(),
        texts: reader.texts(),
        subject: reader.line(&["subject", "emailsubject"]),
        preheader: reader.line(&["preheader", "emailpreheader"]),
        send_at: reader.send_at(),
        notify: reader.notify(),
    }
}

/// What is wrong in a `postrider` map. It is all ours: a key that we don't know is a slip.
pub(super) fn slips(ours: &Entry) -> Vec<Problem> {
    if !matches!(ours.node.value, Value::Map(_) | Value::Null) && !ours.node.is_empty() {
        let problem = Problem::new("post-wish", format!("`{OURS}` is no map")).at(place(ours));
        return vec![
            problem.help(format!("write what you wish within it: `{OURS}: {{email: skip}}`")),
        ];
    }
    children(&ours.node).iter().filter_map(slip).collect()
}

fn slip(entry: &Entry) -> Option<Problem> {
    let names = || Field::ALL.iter().map(|field| field.name());
    let key = comparable(&entry.key);
    let known = names().any(|name| comparable(name) == key);
    if known || OTHER_NAMES.contains(&key.as_str()) {
        let is_wish = entry.node.as_text().is_some_and(|text| !text.contains('@'));
        let is_odd = key == Field::Email.name() && !is_wish && !entry.node.is_empty();
        return is_odd.then(|| {
            let problem = Problem::new("post-wish", format!("`{OURS}.email` is no wish"));
            problem.at(place(entry)).help("write `skip`, `instant` or `digest`")
        });
    }
    let help = nearest(&entry.key, names()).map_or_else(
        || format!("known are {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("`{OURS}` has no key `{}`", entry.key);
    Some(Problem::new("post-wish", message).at(entry.key_span.clone()).help(help))
}

struct Reader<'r, 'a, 'p> {
    fields: &'r Fields<'a>,
    rules: &'r FolderRules<'a>,
    report: &'r mut Report<'p>,
}

impl Reader<'_, '_, '_> {
    fn refuse(&mut self, entry: &Entry, message: String, help: String) {
        self.report.error(Problem::new("post-wish", message).at(place(entry)).help(help));
    }

    fn email(&mut self) -> Option<EmailWish> {
        // An address is no wish but says who wrote the post; a map is some theme's.
        let entry = self.fields.find_where(&["email"], |entry| match &entry.node.value {
            Value::Text(text) => !text.trim().is_empty() && !text.contains('@'),
            Value::Null | Value::List(_) | Value::Map(_) => false,
        })?;
        let text = entry.node.as_text()?.to_lowercase();
        let words = ["skip", "instant", "digest", "normal"];
        let wish = match (text.as_str(), entry.node.as_bool()) {
            ("skip" | "none" | "never", _) | (_, Some(false)) => EmailWish::Skip,
            ("instant", _) => EmailWish::Instant,
            ("digest", _) => EmailWish::Digest,
            ("normal" | "all", _) | (_, Some(true)) => EmailWish::Normal,
            (other, None) => {
                let help = nearest(other, words).map_or_else(
                    || "write `skip`, `instant` (a mail of its own only) or `digest`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.refuse(entry, format!("`{}: {text}` is no wish", entry.key), help);
                return None;
            }
        };
        Some(wish)
    }

    fn crosspost(&mut self) -> Option<Vec<String>> {
        let entry = self.fields.find_where(&["crosspost", "crossposts"], says_something)?;
        let names: Vec<&str> = match &entry.node.value {
            Value::Null => return None,
            Value::Text(text) => {
                match (text.trim().to_lowercase().as_str(), entry.node.as_bool()) {
                    ("skip" | "none" | "never", _) | (_, Some(false)) => return Some(Vec::new()),
                    ("all", _) | (_, Some(true)) => return None,
                    _ => text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
                }
            }
            Value::List(items) => items.iter().filter_map(Node::as_text).collect(),
            Value::Map(_) => {
                let help = "write `skip`, or the names of destinations: `[one, two]`".to_owned();
                self.refuse(entry, format!("`{}` is a map", entry.key), help);
                return None;
            }
        };
        Some(names.into_iter().map(|name| self.destination(name, entry)).collect())
    }

    /// The destination that is called `name`. One that is not there gets nothing, but the post goes nowhere else for it; an error
    /// would break every old post when a destination is given up.
    fn destination(&mut self, name: &str, entry: &Entry) -> String {
        let name = name.strip_prefix("destination:").unwrap_or(name);
        if let Some(known) = self.rules.destinations.filter(|known| !known.contains(name)) {
            let help = match nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "there are none in the configuration".to_owned(),
                None => {
                    let names: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                    format!("there are {}", names.join(", "))
                }
            };
            let message = format!("`{}`: there is no destination `{name}`", entry.key);
            let problem = Problem::new("post-destination", message).at(place(entry));
            self.report.warning(problem.help(help));
        }
        name.to_owned()
    }

    fn texts(&mut self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for key in ["text", "texts", SOCIAL] {
            let Some(entry) = self.fields.find(&[key]) else { continue };
            match &entry.node.value {
                // `text: …` alone is some engine's.
                Value::Text(text) if key == SOCIAL => {
                    texts.extend(self.text(text, entry).map(|text| (SOCIAL.to_owned(), text)));
                }
                Value::Map(inner) => {
                    for one in inner {
                        texts.extend(self.text_for_one(one));
                    }
                }
                Value::Text(_) | Value::Null | Value::List(_) => {}
            }
        }
        texts
    }

    /// `mastodon: "…"`. A theme's `social: {github: …}` is no text of ours, but a slip in a name of ours is told.
    fn text_for_one(&mut self, one: &Entry) -> Option<(String, String)> {
        let name = one.key.trim().to_owned();
        let is_known = |known: &std::collections::BTreeSet<String>| known.contains(&name);
        if name != SOCIAL && !self.rules.destinations.is_none_or(is_known) {
            let known = self.rules.destinations.into_iter().flatten();
            let near = nearest(&name, known.map(String::as_str))?;
            let help = format!("did you mean `{near}`?");
            let problem = Problem::new(
                "post-wish",
                format!("there is no destination `{name}` to say this at"),
            );
            self.report.warning(problem.at(one.key_span.clone()).help(help));
            return None;
        }
        Some((name, self.text(one.node.as_text()?, one)?))
    }

    fn text(&mut self, text: &str, entry: &Entry) -> Option<String> {
        let text = super::source::legal(text.trim().to_owned());
        let length = text.chars().count();
        if length > MAX_TEXT_CHARS {
            let message = format!("`{}` is {length} characters long", entry.key);
            self.refuse(entry, message, format!("at most {MAX_TEXT_CHARS} are cross-posted"));
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// One line of plain text.
    fn line(&mut self, keys: &[&str]) -> Option<String> {
        let (text, entry) = self.fields.text(keys)?;
        let line = title::plain(&one_line(text));
        let length = line.chars().count();
        if length > MAX_SUBJECT_CHARS {
            let message = format!("`{}` is {length} characters long", entry.key);
            self.refuse(entry, message, format!("write at most {MAX_SUBJECT_CHARS}"));
            return None;
        }
        (!line.is_empty()).then_some(line)
    }

    fn send_at(&mut self) -> Option<jiff::Timestamp> {
        let (text, entry) = self.fields.text(&["sendat", "sendtime"])?;
        match dates::parse(text, self.rules.time_zone) {
            Ok(at) => Some(at),
            Err(error) => {
                self.refuse(entry, format!("`{}`: {error}", entry.key), error.help());
                None
            }
        }
    }

    fn notify(&mut self) -> Notify {
        const CORRECTION: &str = "correction";
        let Some(entry) = self.fields.find(&["notify"]) else { return Notify::Nothing };
        if let Some(what) = lookup(&entry.node, CORRECTION)
            && children(&entry.node).len() == 1
        {
            let text = what.node.as_text().filter(|_| what.node.as_bool().is_none());
            return Notify::Correction(text.map(title::plain).filter(|text| !text.is_empty()));
        }
        match entry.node.as_text() {
            Some(text) if text.eq_ignore_ascii_case(CORRECTION) => Notify::Correction(None),
            Some(text) if text == "nothing" || entry.node.as_bool() == Some(false) => {
                Notify::Nothing
            }
            found => {
                let near = found.and_then(|text| nearest(text, [CORRECTION]));
                let help = near.map_or_else(
                    || "write `correction`, or `{correction: \"what was wrong\"}`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let said = found.map_or_else(String::new, |text| format!(": {text}"));
                self.refuse(entry, format!("`{}{said}` is no wish", entry.key), help);
                Notify::Nothing
            }
        }
    }
}

/// Not null. An empty list of destinations says something, an empty text does not.
fn says_something(entry: &Entry) -> bool {
    match &entry.node.value {
        Value::Null => false,
        Value::Text(text) => !text.trim().is_empty(),
        Value::List(_) | Value::Map(_) => true,
    }
}
