//! Texts of the configuration that have a form of their own: durations, addresses, zones, URLs.
//!
//! Each function takes a text and says either what it means or, for people, what is wrong with it.

use std::net::IpAddr;

use jiff::civil::{Date, DateTime};
use jiff::fmt::friendly::SpanParser;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use url::Url;

use super::Mailbox;
use super::report::Problem;
use crate::domain::MissedRuns;
pub(super) use crate::domain::nearest;

/// `Some("did you mean …?")` for the nearest name.
pub(super) fn did_you_mean<'n>(
    word: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    nearest(word, names).map(|near| format!("did you mean `{near}`?"))
}

/// Text on one line, not empty.
pub(super) fn line(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::new("this is empty"));
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(Problem::new(format!("{c:?} cannot stand here; this is a single line")));
    }
    Ok(text.to_owned())
}

/// A duration from `least` to `most`; a day has 24 hours.
pub(super) fn duration(
    text: &str,
    least: SignedDuration,
    most: SignedDuration,
) -> Result<SignedDuration, Problem> {
    static PARSER: SpanParser = SpanParser::new();
    let wrong = || {
        Problem::new(format!("`{text}` is not a duration"))
            .help("write numbers with units, such as `90s`, `2m`, `48h` or `7d`")
    };
    let span = PARSER.parse_span(text.trim()).map_err(|_| wrong())?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err(Problem::new("months and years have no fixed length")
            .help("count days: `30d`; `m` is for minutes"));
    }
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if duration < least || duration > most {
        return Err(Problem::new(format!("`{text}` is not between {least:#} and {most:#}")));
    }
    Ok(duration)
}

/// `skip`, `once` or `once within 6h`.
pub(super) fn missed_runs(text: &str) -> Result<MissedRuns, Problem> {
    /// Longer than any installation lives, short enough to be added to any date.
    const HOWEVER_LATE: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["skip"] => Ok(MissedRuns::Skip),
        ["once"] => Ok(MissedRuns::Once { within: HOWEVER_LATE }),
        ["once", "within", limit @ ..] => {
            let within = duration(&limit.join(" "), SignedDuration::from_secs(1), HOWEVER_LATE)?;
            Ok(MissedRuns::Once { within })
        }
        _ => Err(Problem::new(format!("`{text}` is no policy for missed runs"))
            .help("write `\"skip\"`, `\"once\"` or `\"once within 6h\"`")),
    }
}

/// An IANA time zone.
pub(super) fn zone(name: &str) -> Result<TimeZone, Problem> {
    jiff::tz::db().get(name.trim()).map_err(|_| {
        let known: Vec<String> =
            jiff::tz::db().available().map(|known| known.as_str().to_owned()).collect();
        let city = |known: &&str| {
            known.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(name.trim()))
        };
        let known = || known.iter().map(String::as_str);
        let near = known().find(city).or_else(|| nearest(name, known()));
        Problem::new(format!("there is no time zone `{name}`"))
            .help("write the IANA name of a city's zone, such as `Europe/Berlin`, or `UTC`")
            .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
    })
}

/// The shape of a BCP 47 tag.
pub(super) fn language(tag: &str) -> Result<String, Problem> {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let good = (2..=3).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if good {
        return Ok(tag.to_owned());
    }
    let hyphened = tag.replace('_', "-");
    let problem = Problem::new(format!("`{tag}` is not a language tag"))
        .help("write a BCP 47 tag such as `en`, `de` or `pt-BR`");
    if hyphened != tag && language(&hyphened).is_ok() {
        return Err(problem.help(format!("with a hyphen: `{hyphened}`")));
    }
    Err(problem)
}

/// A date, or a date and time: in `zone` unless it has an offset. A date alone is its first moment.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local = text.parse::<DateTime>().or_else(|_| {
        text.parse::<Date>().map(|date| date.to_datetime(jiff::civil::Time::midnight()))
    });
    let wrong = || {
        Problem::new(format!("`{text}` is not a date"))
            .help("write `2026-09-01`, `2026-09-01T07:00` or `2026-09-01T07:00:00+02:00`")
    };
    let local = local.map_err(|_| wrong())?;
    zone.to_timestamp(local).map_err(|_| wrong())
}

/// `Name <name@example.org>` or `name@example.org`.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Problem> {
    let text = line(text)?;
    let example = "write `Name <name@example.org>` or `name@example.org`";
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address),
        None => ("", text.as_str()),
    };
    if name.contains(['<', '>', '"']) {
        return Err(Problem::new("a name cannot contain `<`, `>` or quotes").help(example));
    }
    let address =
        address.parse().map_err(|error| Problem::new(format!("{error}")).help(example))?;
    let name = (!name.is_empty()).then(|| name.to_owned());
    Ok(Mailbox { name, address })
}

/// A web address that others are joined to: it ends with `/`, and has no password, query or fragment.
pub(super) fn base_url(text: &str) -> Result<Url, Problem> {
    let mut url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Problem::new("this address cannot have a `?` or `#` part")
            .help("other addresses are made from it by adding to its end"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// An `http` or `https` address without a password.
pub(super) fn web_url(text: &str) -> Result<Url, Problem> {
    let text = text.trim();
    let example = "write a whole address such as `https://example.org`";
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            Problem::new("this address does not say `https://`")
                .help(format!("perhaps `https://{text}`"))
        }
        error => Problem::new(format!("this is not an address: {error}")).help(example),
    });
    let url = match url {
        // `example.org:8080` parses as a URL of the scheme `example.org`.
        Ok(url)
            if url.cannot_be_a_base() && !text.contains("://") && url.scheme().contains('.') =>
        {
            return Err(Problem::new("this address does not say `https://`")
                .help(format!("perhaps `https://{text}`")));
        }
        url => url?,
    };
    if !["http", "https"].contains(&url.scheme()) {
        return Err(
            Problem::new(format!("`{}:` is not an address on the web", url.scheme())).help(example)
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Problem::new("this address contains a user name or password")
            .help("user names and passwords in addresses end up in logs"));
    }
    Ok(url)
}

/// The text after `outbox:`, a folder; `None` for everything else.
pub(super) fn outbox(url: &str) -> Option<Result<&str, Problem>> {
    let folder = url.trim().strip_prefix("outbox:")?;
    let folder = folder.strip_prefix("//").unwrap_or(folder);
    Some(if folder.is_empty() {
        Err(Problem::new("the outbox has no folder").help("write `outbox:var/outbox`"))
    } else {
        Ok(folder)
    })
}

/// Whether `host` is this machine, by its name alone. IPv6 with or without brackets.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// A name that people choose, for addresses, tables and file names.
pub(super) fn name(name: &str) -> Result<(), Problem> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if (1..=64).contains(&name.len())
        && name.chars().all(allowed)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        return Ok(());
    }
    Err(Problem::new(format!("`{name}` cannot be a name"))
        .help("names consist of small letters a-z, digits, `-` and `_`, at most 64"))
}

/// A pattern for permalinks: a path with at least `{slug}` or `{title}`.
pub(super) fn permalink(pattern: &str) -> Result<String, Problem> {
    const PLACEHOLDERS: [&str; 9] =
        ["slug", "title", "section", "categories", "lang", "lang?", "year", "month", "day"];
    if !pattern.starts_with('/') {
        return Err(Problem::new(format!("`{pattern}` does not begin with `/`"))
            .help("write a path below the site's address, such as `/posts/{slug}/`"));
    }
    if let Some(c) =
        pattern.chars().find(|c| c.is_control() || c.is_whitespace() || "?#".contains(*c))
    {
        return Err(Problem::new(format!("{c:?} cannot stand in a permalink, which is a path")));
    }
    let mut rest = pattern;
    let mut distinct = false;
    while let Some((before, after)) = rest.split_once('{') {
        let unbalanced = || Problem::new("a `{` without its `}`, or the other way round");
        let (placeholder, after) = after.split_once('}').ok_or_else(unbalanced)?;
        if before.contains('}') {
            return Err(unbalanced());
        }
        if !PLACEHOLDERS.contains(&placeholder) {
            let all = PLACEHOLDERS.map(|known| format!("`{{{known}}}`")).join(", ");
            let near = nearest(placeholder, PLACEHOLDERS);
            return Err(Problem::new(format!("`{{{placeholder}}}` is unknown"))
                .help(format!("there are {all}"))
                .maybe_help(near.map(|near| format!("did you mean `{{{near}}}`?"))));
        }
        distinct |= ["slug", "title"].contains(&placeholder);
        rest = after;
    }
    if rest.contains('}') {
        return Err(Problem::new("a `{` without its `}`, or the other way round"));
    }
    if !distinct {
        return Err(Problem::new("all posts would live at one address")
            .help("put `{slug}` into it, as in `/posts/{slug}/`"));
    }
    Ok(pattern.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Result<SignedDuration, Problem> {
        duration(text, SignedDuration::ZERO, SignedDuration::from_hours(48))
    }

    #[test]
    fn durations_are_numbers_with_units_and_days_have_24_hours() {
        assert_eq!(span("2m").unwrap(), SignedDuration::from_mins(2));
        assert_eq!(span("1d 12h").unwrap(), SignedDuration::from_hours(36));
        assert_eq!(span("300ms").unwrap(), SignedDuration::from_millis(300));
        for bad in ["5", "", "-1s", "49h", "1mo", "two hours", "99999999999999y"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(span("3d").unwrap_err().message, "`3d` is not between 0s and 48h");
    }

    #[test]
    fn missed_runs_are_forgotten_or_made_up_for() {
        let six = SignedDuration::from_hours(6);
        assert_eq!(missed_runs("skip").unwrap(), MissedRuns::Skip);
        assert_eq!(missed_runs("once within 6h").unwrap(), MissedRuns::Once { within: six });
        assert!(
            matches!(missed_runs("once").unwrap(), MissedRuns::Once { within } if within > six)
        );
        for bad in ["", "twice", "once within", "once within soon", "once 6h"] {
            assert!(missed_runs(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_city_is_enough_to_find_its_time_zone() {
        let help = |name: &str| zone(name).unwrap_err().help.unwrap();
        assert_eq!(help("Berlin"), "did you mean `Europe/Berlin`?");
        assert_eq!(help("Europe/Berln"), "did you mean `Europe/Berlin`?");
        assert!(help("+02:00").starts_with("write the IANA name"));
    }

    #[test]
    fn moments_without_an_offset_are_in_the_zone_given() {
        let berlin = zone("Europe/Berlin").unwrap();
        let at = |text: &str| moment(text, &berlin).map(|at| at.to_string());
        assert_eq!(at("2026-09-01").unwrap(), "2026-08-31T22:00:00Z");
        assert_eq!(at("2026-12-01T08:00").unwrap(), "2026-12-01T07:00:00Z");
        assert_eq!(at("2026-12-01 08:00:00Z").unwrap(), "2026-12-01T08:00:00Z");
        // This hour does not exist on the day the clocks go forward.
        assert_eq!(at("2026-03-29T02:30:00").unwrap(), "2026-03-29T01:30:00Z");
        assert!(at("2026-02-30").is_err() && at("08:00").is_err());
    }

    #[test]
    fn mailboxes_have_a_name_or_none() {
        let mailbox = |text: &str| mailbox(text).map(|it| (it.name, it.address));
        let (name, address) = mailbox("\"Notes, Field\" <news@example.org>").unwrap();
        assert_eq!((name.as_deref(), address.as_str()), (Some("Notes, Field"), "news@example.org"));
        assert_eq!(mailbox("news@example.org").unwrap().0, None);
        for bad in ["", "News", "a <b> <c@example.org>", "News\n<news@example.org>", "News <news>"]
        {
            assert!(mailbox(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn base_addresses_end_with_a_slash_and_carry_nothing_else() {
        assert_eq!(
            base_url("https://example.org/blog").unwrap().as_str(),
            "https://example.org/blog/"
        );
        let help = |text: &str| base_url(text).unwrap_err().help.unwrap();
        assert_eq!(help("example.org"), "perhaps `https://example.org`");
        assert_eq!(help("example.org:8080"), "perhaps `https://example.org:8080`");
        for bad in
            ["", "ftp://example.org", "https://", "https://a:b@example.org", "https://a.org/?b"]
        {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn permalinks_tell_posts_apart() {
        for good in
            ["/posts/{slug}/", "/{year}/{month}/{day}/{title}.html", "/{lang}/{section}/{slug}"]
        {
            assert!(permalink(good).is_ok(), "{good}");
        }
        for bad in [
            "posts/{slug}",
            "/{yaer}/{slug}",
            "/{slug",
            "/slug}/{slug}",
            "/posts/",
            "/{slug} x",
            "/?p={slug}",
        ] {
            assert!(permalink(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,40}") {
            let _ = (span(&text), missed_runs(&text), zone(&text).is_ok(), language(&text));
            let _ = (moment(&text, &TimeZone::UTC), mailbox(&text), base_url(&text), web_url(&text));
            let _ = (permalink(&text), name(&text), line(&text), is_loopback(&text));
        }
    }
}
