//! Rates, limits of domains, warm-up, send windows and the canary.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::Context;
use super::site::{DAY, duration};
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::values;
use crate::domain::{Canary, CanaryLimits, DomainLimits, Rate, SendWindow, WarmUp};

/// The section that stands for all domains without one of their own.
const DEFAULT: &str = "default";

/// The limits of domains, and of all others.
pub(super) fn domains(
    raw: &BTreeMap<String, raw::MailDomain>,
    context: &mut Context<'_>,
) -> Option<(BTreeMap<String, DomainLimits>, DomainLimits)> {
    let mut domains = BTreeMap::new();
    let mut default = DomainLimits::default();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("mail.domains.{name}");
        let rate = rate(&format!("{at}.rate"), raw.rate.as_ref(), context);
        let limits = rate.map(|rate| DomainLimits { connections: raw.connections, rate });
        let domain = if name == DEFAULT {
            Some(DEFAULT.to_owned())
        } else {
            context.report.take(&at, domain_name(name))
        };
        match (domain, limits) {
            (Some(domain), Some(limits)) if domain == DEFAULT => default = limits,
            (Some(domain), Some(limits)) => {
                domains.insert(domain, limits);
            }
            _ => complete = false,
        }
    }
    complete.then_some((domains, default))
}

/// Domains in A-labels and small letters.
pub(super) fn domain_names(
    at: &str,
    raw: &[String],
    context: &mut Context<'_>,
) -> Option<Vec<String>> {
    let names: Vec<_> = raw
        .iter()
        .enumerate()
        .map(|(index, name)| context.report.take(&format!("{at}.{index}"), domain_name(name)))
        .collect();
    names.into_iter().collect()
}

fn domain_name(name: &str) -> Result<String, Problem> {
    idna::domain_to_ascii_strict(name).ok().filter(|name| name.contains('.')).ok_or_else(|| {
        Problem::new(format!("`{name}` is not a domain"))
            .help("write what stands behind the `@` of addresses, such as `gmail.com`")
    })
}

#[expect(clippy::option_option, reason = "absent and wrong are different, as in every section")]
pub(super) fn rate(
    at: &str,
    raw: Option<&raw::Rate>,
    context: &mut Context<'_>,
) -> Option<Option<Rate>> {
    match raw {
        Some(raw::Rate(text)) => context.report.take(at, parse_rate(text)).map(Some),
        None => Some(None),
    }
}

pub(super) fn parse_rate(text: &str) -> Result<Rate, Problem> {
    let parsed = text.split_once('/').and_then(|(count, unit)| {
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => DAY,
            _ => return None,
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        Some(Rate { count, per: SignedDuration::from_secs(seconds) })
    });
    parsed.ok_or_else(|| {
        Problem::new(format!("`{text}` is not a rate")).help(
            "write so many a second, minute, hour or day: `14/s`, `600/m`, `1000/h`, `50000/d`",
        )
    })
}

pub(super) fn warm_up(
    raw: &BTreeMap<String, raw::WarmUp>,
    context: &mut Context<'_>,
) -> Option<BTreeMap<String, WarmUp>> {
    let mut plans = BTreeMap::new();
    let mut complete = true;
    for (name, raw) in raw {
        let at = format!("mail.warm_up.{name}");
        let domain = context.report.take(&at, domain_name(name));
        let Some(raw::Moment(start)) = &raw.start else {
            context.report.missing(
                &at,
                "start",
                "say on which day it begins: `start = \"2026-12-01\"`",
            );
            complete = false;
            continue;
        };
        let zone = context.zone.clone();
        let start = context.report.take(&format!("{at}.start"), values::moment(start, &zone));
        let growth = context.report.take(&format!("{at}.growth"), percent(&raw.growth.0));
        match (domain, start, growth) {
            (Some(domain), Some(start), Some(growth)) => {
                let start = start.to_zoned(zone).date();
                let (first_day, until, growth) = (raw.first_day, raw.until, 1.0 + growth);
                plans.insert(domain, WarmUp { start, first_day, growth, until });
            }
            _ => complete = false,
        }
    }
    complete.then_some(plans)
}

pub(super) fn canary(raw: &raw::Canary, context: &mut Context<'_>) -> Option<Canary> {
    let mut share = |key: &str, raw: &raw::Percent| {
        context.report.take(&format!("mail.canary.{key}"), percent(&raw.0))
    };
    let rejected = share("max_rejected", &raw.max_rejected);
    let deferred = share("max_deferred", &raw.max_deferred);
    let complained = share("max_complained", &raw.max_complained);
    let steps: Vec<_> = raw
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| share(&format!("steps.{index}"), step))
        .collect();
    let steps: Option<Vec<f64>> = steps.into_iter().collect();
    let soak = duration("mail.canary.soak", &raw.soak, 0, 7 * DAY, context);
    let steps = steps?;
    let grows = steps.windows(2).all(|pair| pair[0] < pair[1]);
    if !grows || steps.iter().any(|step| *step <= 0.0 || *step >= 1.0) {
        let help = "each step is larger than the one before and below 100%: `[\"1%\", \"10%\"]`";
        context.error("mail.canary.steps", "these steps do not grow", help);
        return None;
    }
    let (rejected, deferred, complained) = (rejected?, deferred?, complained?);
    Some(Canary {
        steps,
        min_audience: i64::from(raw.min_audience),
        soak: soak?,
        limits: CanaryLimits { rejected, deferred, complained },
    })
}

fn percent(text: &str) -> Result<f64, Problem> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    number.filter(|number| (0.0..=100.0).contains(number)).map(|number| number / 100.0).ok_or_else(
        || Problem::new(format!("`{text}` is not a share")).help("write `5%` or `0.3%`"),
    )
}

/// The sending calendar of a newsletter.
pub(super) fn send_window(
    at: &str,
    raw: &raw::Newsletter,
    zone: &TimeZone,
    context: &mut Context<'_>,
) -> Option<SendWindow> {
    let hours = raw
        .send_window
        .as_ref()
        .map(|hours| context.report.take(&format!("{at}.send_window"), parse_hours(&hours.0)));
    let days = &format!("{at}.send_days");
    let weekdays: Vec<_> =
        raw.send_days.iter().map(|day| context.report.take(days, parse_weekday(day))).collect();
    let rest = &format!("{at}.rest_days");
    let rests: Vec<_> =
        raw.rest_days.iter().map(|days| context.report.take(rest, parse_rest(days))).collect();
    let hours = match hours {
        Some(hours) => Some(hours?),
        None => None,
    };
    let weekdays: Vec<Weekday> = weekdays.into_iter().collect::<Option<_>>()?;
    let rests: Vec<(Date, Date)> = rests.into_iter().collect::<Option<_>>()?;
    Some(SendWindow { hours, weekdays, rests, zone: zone.clone() })
}

fn parse_weekday(text: &str) -> Result<Weekday, Problem> {
    const DAYS: [(&str, Weekday); 7] = [
        ("MON", Weekday::Monday),
        ("TUE", Weekday::Tuesday),
        ("WED", Weekday::Wednesday),
        ("THU", Weekday::Thursday),
        ("FRI", Weekday::Friday),
        ("SAT", Weekday::Saturday),
        ("SUN", Weekday::Sunday),
    ];
    let found = DAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
    found.map(|(_, day)| *day).ok_or_else(|| {
        Problem::new(format!("`{text}` is no day of the week"))
            .help("write `MON`, `TUE`, `WED`, `THU`, `FRI`, `SAT` or `SUN`")
    })
}

/// A day, or `FIRST..LAST`.
fn parse_rest(text: &str) -> Result<(Date, Date), Problem> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let day = |text: &str| text.trim().parse::<Date>().ok();
    let days = day(first).zip(day(last)).filter(|(first, last)| first <= last);
    let Some((first, last)) = days else {
        return Err(Problem::new(format!("`{text}` is no day, and no days"))
            .help("write `2026-12-24`, or `2026-12-24..2026-12-26`"));
    };
    Ok((first, last))
}

fn parse_hours(text: &str) -> Result<(Time, Time), Problem> {
    let time = |text: &str| {
        let text = text.trim();
        // Midnight at the end of a day is how people write it.
        if text == "24:00" { Some(Time::midnight()) } else { text.parse::<Time>().ok() }
    };
    let parsed = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
    parsed.filter(|(from, until)| from != until).ok_or_else(|| {
        Problem::new(format!("`{text}` is no part of a day"))
            .help("write from when until when: `08:00-20:00`, or `22:00-06:00` over midnight")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_shares_and_hours_are_read_as_people_write_them() {
        assert_eq!(parse_rate("14/s").unwrap().count, 14);
        assert_eq!(parse_rate("1000 / h").unwrap().per, SignedDuration::from_hours(1));
        assert!((percent("0.3%").unwrap() - 0.003).abs() < 1e-12);
        let midnight = parse_hours("18:30-24:00").unwrap();
        assert_eq!(midnight, (jiff::civil::time(18, 30, 0, 0), Time::midnight()));
        for bad in ["", "14", "0/s", "-1/s", "1/w", "x/s"] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
        for bad in ["5", "101%", "-1%", "NaN%", "%"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
        for bad in ["8-20", "08:00", "08:00-08:00", "25:00-26:00", "morning"] {
            assert!(parse_hours(bad).is_err(), "{bad}");
        }
    }
}
