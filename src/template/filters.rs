//! The filters that our templates have beyond MiniJinja's own.

use std::sync::Arc;

use fluent_bundle::FluentArgs;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, State};
use url::Url;

use super::footnotes::footnotes;
use super::refused;
use super::texts::Texts;
use super::wrap::wrap;

/// Ours, for "did you mean".
pub(super) const OURS: [&str; 8] =
    ["date", "direction", "domain", "filesize", "footnotes", "language_name", "truncate", "wrap"];

pub(super) fn add_to(environment: &mut Environment<'static>, texts: Option<&Arc<Texts>>) {
    let texts = texts.cloned();
    environment.add_filter(
        "date",
        move |state: &State<'_, '_>, value: &Value, format: Option<&str>| {
            let language = state.lookup("language");
            let language = language.as_ref().and_then(Value::as_str);
            match (language, &texts, format) {
                (Some(tag), Some(texts), None) => date_in(texts, tag, value),
                _ => date(value, format),
            }
        },
    );
    environment.add_filter("direction", |language: &str| direction(language).to_owned());
    environment.add_filter("domain", domain);
    environment.add_filter("filesize", filesize);
    environment.add_filter("footnotes", |text: &str| footnotes(text));
    environment.add_filter("language_name", |tag: &str| language_name(tag).to_owned());
    environment.add_filter("truncate", |text: &str, length: usize| truncate(text, length));
    environment.add_filter("wrap", |text: &str, width: usize| wrap(text, width));
}

/// `{{ post.published_at|date }}`, `{{ sent_at|date("%H:%M %Z") }}`: in the zone that the time carries, which is the site's;
/// in the words of the page's `language`, or by strftime.
fn date(value: &Value, format: Option<&str>) -> Result<String, Error> {
    let zoned = zoned(value)?;
    let format = format.unwrap_or("%-d %B %Y");
    jiff::fmt::strtime::format(format, &zoned)
        .map_err(|error| refused(format!("`{format}` is no format for a date: {error}")))
}

/// The day as people write it in the language of `tag`.
fn date_in(texts: &Texts, tag: &str, value: &Value) -> Result<String, Error> {
    let zoned = zoned(value)?;
    let mut arguments = FluentArgs::new();
    let month = texts.text((tag, &format!("month-{}", zoned.month())), &arguments);
    arguments.set("day", i64::from(zoned.day()));
    arguments.set("month", month.and_then(Result::ok).unwrap_or_default());
    arguments.set("year", zoned.year().to_string());
    let text = texts.text((tag, "date"), &arguments).and_then(Result::ok);
    text.map_or_else(|| date(value, Some("%Y-%m-%d")), Ok)
}

fn zoned(value: &Value) -> Result<Zoned, Error> {
    let text = value
        .as_str()
        .ok_or_else(|| refused(format!("`date` wants a time, not {}", kind(value))))?;
    text.parse::<Zoned>().or_else(|_| {
        let instant = text
            .parse::<Timestamp>()
            .map_err(|_| refused(format!("`date` wants a time, not `{}`", truncate(text, 40))))?;
        Ok(instant.to_zoned(TimeZone::UTC))
    })
}

fn kind(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::None => "nothing",
        ValueKind::Number => "a number",
        ValueKind::Seq => "a list",
        ValueKind::Map => "a map",
        _ => "this",
    }
}

/// The HTML `dir` of a language tag.
fn direction(language: &str) -> &'static str {
    const RIGHT_TO_LEFT: [&str; 9] = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ur", "yi"];
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if RIGHT_TO_LEFT.contains(&primary.as_str()) { "rtl" } else { "ltr" }
}

/// What a language calls itself; the tag of one that is not known here.
fn language_name(tag: &str) -> &str {
    const NAMES: [(&str, &str); 48] = [
        ("ar", "العربية"),
        ("bg", "български"),
        ("bn", "বাংলা"),
        ("ca", "català"),
        ("cs", "čeština"),
        ("cy", "Cymraeg"),
        ("da", "dansk"),
        ("de", "Deutsch"),
        ("el", "Ελληνικά"),
        ("en", "English"),
        ("eo", "Esperanto"),
        ("es", "español"),
        ("et", "eesti"),
        ("eu", "euskara"),
        ("fa", "فارسی"),
        ("fi", "suomi"),
        ("fr", "français"),
        ("ga", "Gaeilge"),
        ("gl", "galego"),
        ("he", "עברית"),
        ("hi", "हिन्दी"),
        ("hr", "hrvatski"),
        ("hu", "magyar"),
        ("id", "Bahasa Indonesia"),
        ("is", "íslenska"),
        ("it", "italiano"),
        ("ja", "日本語"),
        ("ko", "한국어"),
        ("lt", "lietuvių"),
        ("lv", "latviešu"),
        ("nb", "norsk bokmål"),
        ("nl", "Nederlands"),
        ("nn", "nynorsk"),
        ("no", "norsk"),
        ("pl", "polski"),
        ("pt", "português"),
        ("ro", "română"),
        ("ru", "русский"),
        ("sk", "slovenčina"),
        ("sl", "slovenščina"),
        ("sr", "српски"),
        ("sv", "svenska"),
        ("ta", "தமிழ்"),
        ("th", "ไทย"),
        ("tr", "Türkçe"),
        ("uk", "українська"),
        ("vi", "Tiếng Việt"),
        ("zh", "中文"),
    ];
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map_or(tag, |(_, name)| name)
}

/// The host of a URL as people say it: without `www.`. What is no URL stays as it is.
fn domain(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(Url::host_str).unwrap_or(url);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// `512 bytes`, `14 kB`, `2.3 MB`.
fn filesize(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..999_500 => format!("{} kB", (bytes + 500) / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// At most `length` characters, cut between words where there are any, with `…` for what is gone.
pub(crate) fn truncate(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let kept: String = text.chars().take(length.saturating_sub(1)).collect();
    let next = text[kept.len()..].chars().next();
    let cut = match kept.rfind(char::is_whitespace) {
        // A cut far back, as in a text without spaces, would lose more than it mends.
        Some(at) if next.is_some_and(|c| !c.is_whitespace()) && at > kept.len() / 2 => &kept[..at],
        _ => kept.as_str(),
    };
    format!("{}…", cut.trim_end_matches(|c: char| c.is_whitespace() || ",;:–-".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_told_in_the_zone_that_it_carries() {
        let noon = Value::from("2026-11-22T23:30:00+01:00[Europe/Berlin]");
        assert_eq!(date(&noon, None).unwrap(), "22 November 2026");
        assert_eq!(date(&noon, Some("%H:%M %Z")).unwrap(), "23:30 CET");
        let utc = Value::from("2026-11-22T23:30:00Z");
        assert_eq!(date(&utc, Some("%a %H:%M")).unwrap(), "Sun 23:30");
    }

    #[test]
    fn what_is_no_date_is_refused_with_its_text() {
        let error = date(&Value::from("soon"), None).unwrap_err();
        assert_eq!(error.detail().unwrap(), "`date` wants a time, not `soon`");
        assert!(date(&Value::from(()), None).unwrap_err().detail().unwrap().contains("nothing"));
        assert!(date(&Value::from("2026-11-22T23:30:00Z"), Some("%!")).is_err());
    }

    #[test]
    fn text_is_cut_between_words_and_never_inside_a_character() {
        assert_eq!(truncate("short", 10), "short");
        assert_eq!(truncate("a walk along the river", 12), "a walk…");
        assert_eq!(truncate("a walk, along", 8), "a walk…");
        assert_eq!(truncate("日本語の長い題名です", 5), "日本語の…");
        assert_eq!(truncate("🎉🎉🎉", 2), "🎉…");
        assert_eq!(truncate("abc", 0), "…");
    }

    #[test]
    fn sizes_domains_and_directions_read_as_people_say_them() {
        assert_eq!(filesize(512), "512 bytes");
        assert_eq!(filesize(14_400), "14 kB");
        assert_eq!(filesize(2_345_678), "2.3 MB");
        assert_eq!(domain("https://www.example.org/a"), "example.org");
        assert_eq!(domain("no url"), "no url");
        assert_eq!(direction("he-IL"), "rtl");
        assert_eq!(direction("en"), "ltr");
        assert_eq!(language_name("de"), "Deutsch");
        assert_eq!(language_name("pt-BR"), "pt-BR");
    }
}
