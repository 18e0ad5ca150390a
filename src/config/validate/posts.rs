//! `[[posts]]`.

use std::collections::BTreeMap;

use super::Context;
use super::site::{DAY, duration};
use crate::config::values::{self, nearest};
use crate::config::{Baseline, Markdown, PostFolder, raw};
use crate::domain::{DateSource, Diagnostic, Field};

pub(super) fn posts(raw: &[raw::Posts], context: &mut Context<'_>) -> Option<Vec<PostFolder>> {
    let default = [raw::Posts { path: Some("posts".to_owned()), ..raw::Posts::default() }];
    let sections = if raw.is_empty() { &default } else { raw };
    let mut folders: Vec<PostFolder> = Vec::new();
    let mut complete = true;
    for (index, section) in sections.iter().enumerate() {
        let at = format!("posts.{index}");
        let Some(folder) = post_folder(section, &at, context) else {
            complete = false;
            continue;
        };
        let overlaps = |other: &&PostFolder| {
            other.path.starts_with(&folder.path) || folder.path.starts_with(&other.path)
        };
        if let Some(other) = folders.iter().find(overlaps) {
            context.error(
                &format!("{at}.path"),
                format!("`{}` and `{}` overlap", folder.name, other.name),
                "each post belongs to one folder, or it would be published twice",
            );
        }
        folders.push(folder);
    }
    complete.then_some(folders)
}

fn post_folder(raw: &raw::Posts, at: &str, context: &mut Context<'_>) -> Option<PostFolder> {
    let key = |name: &str| format!("{at}.{name}");
    let permalink = context.report.take(&key("permalink"), values::permalink(&raw.permalink));
    let settle = duration(&key("settle"), &raw.settle, 0, 7 * DAY, context);
    let baseline = match raw.baseline.0.trim() {
        "now" => Some(Baseline::Now),
        text => {
            let moment = values::moment(text, &context.zone)
                .map_err(|problem| problem.help("write `now` or a date such as `2026-09-01`"));
            context.report.take(&key("baseline"), moment).map(Baseline::From)
        }
    };
    let language = match raw.language.as_deref() {
        Some(tag) => Some(context.report.take(&key("language"), values::language(tag))?),
        None => None,
    };
    let dates_from = dates_from(raw, &key("dates_from"), context);
    let fields = fields(raw, &key("fields"), context);
    let defaults = defaults(raw, &key("defaults"), context);
    let written = context.report.take(&key("path"), values::line(raw.path.as_deref()?))?;
    let path = context.path(&written);
    let shown = path.strip_prefix(context.root).unwrap_or(&path);
    let name = shown.to_string_lossy().replace('\\', "/");
    if name.is_empty() {
        let help = "name a folder inside the project, such as `posts`";
        context.error(&key("path"), "this is the project folder itself", help);
        return None;
    }
    Some(PostFolder {
        name,
        path,
        permalink: permalink?,
        settle: settle?,
        baseline: baseline?,
        language,
        dates_from: dates_from?,
        fields: fields?,
        defaults: defaults?,
        markdown: markdown(&raw.markdown),
    })
}

fn markdown(raw: &raw::Markdown) -> Markdown {
    let separator = raw.excerpt_separator.as_deref().map(str::trim);
    Markdown {
        highlight: raw.highlight,
        smart_punctuation: raw.smart_punctuation,
        excerpt_separator: separator.filter(|it| !it.is_empty()).map(str::to_owned),
    }
}

fn dates_from(raw: &raw::Posts, at: &str, context: &mut Context<'_>) -> Option<Vec<DateSource>> {
    if raw.dates_from.is_empty() {
        let help = "leave it out for front matter and file names";
        context.error(at, "no post could ever have a date", help);
        return None;
    }
    let named = raw.dates_from.iter().map(|source| match source {
        raw::DateSource::FrontMatter => DateSource::FrontMatter,
        raw::DateSource::FileName => DateSource::FileName,
        raw::DateSource::Git => DateSource::Git,
        raw::DateSource::Mtime => DateSource::Mtime,
    });
    Some(named.collect())
}

fn fields(
    raw: &raw::Posts,
    at: &str,
    context: &mut Context<'_>,
) -> Option<BTreeMap<Field, Vec<String>>> {
    let mut fields = BTreeMap::new();
    let mut complete = true;
    for (name, raw::Words(keys)) in &raw.fields {
        let path = format!("{at}.{name}");
        let Some(field) = Field::named(name) else {
            let names = || Field::ALL.iter().map(|field| field.name());
            let help = nearest(name, names()).map_or_else(
                || format!("known are {}", names().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("Postrider knows no field `{name}`");
            let problem = Diagnostic::error("unknown-key", message).help(help);
            context.report.add_at_name(&path, problem);
            complete = false;
            continue;
        };
        if keys.is_empty() || keys.iter().any(|key| key.trim().is_empty()) {
            let help = "name the key of your front matter, or leave the line out";
            context.error(&path, "this names no key", help);
            complete = false;
            continue;
        }
        fields.insert(field, keys.iter().map(|key| key.trim().to_owned()).collect());
    }
    complete.then_some(fields)
}

/// Names of destinations are checked here, so that a slip is told once and not with every post.
fn defaults(raw: &raw::Posts, at: &str, context: &mut Context<'_>) -> Option<serde_json::Value> {
    let mut defaults = serde_json::to_value(&raw.defaults).ok()?;
    let Some(raw::Words(names)) = &raw.defaults.crosspost else { return Some(defaults) };
    if names.iter().map(String::as_str).eq(["skip"]) {
        defaults["crosspost"] = "skip".into();
        return Some(defaults);
    }
    let mut complete = true;
    for (index, name) in names.iter().enumerate() {
        if !context.names.destinations.contains(name) {
            let near =
                values::did_you_mean(name, context.names.destinations.iter().map(String::as_str));
            let help =
                near.unwrap_or_else(|| "write `skip`, or names of `[destinations]`".to_owned());
            let path = format!("{at}.crosspost.{index}");
            context.error(&path, format!("there is no destination `{name}`"), help);
            complete = false;
        }
    }
    complete.then_some(defaults)
}
