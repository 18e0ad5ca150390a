//! When each schedule fires next.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::console::Page;
use crate::cli::words;
use crate::config::Config;
use crate::domain::Schedule;

/// How many runs are shown.
const RUNS: usize = 5;

/// A schedule and its next runs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ScheduleReport {
    /// Where it is written: `newsletters.weekly.cadences.daily`.
    key: String,
    expression: String,
    timezone: String,
    /// Local time with offset and zone (RFC 9557).
    next: Vec<jiff::Zoned>,
}

/// Looks at every schedule of the configuration. That each of them fires at all was found out when it was loaded.
pub(super) fn report(config: &Config, now: Timestamp) -> Vec<ScheduleReport> {
    let mut reports = Vec::new();
    for (key, schedule) in schedules(config) {
        let zone = schedule.zone();
        let next: Vec<_> = schedule
            .upcoming(now, RUNS)
            .into_iter()
            .map(|run| run.to_zoned(zone.clone()))
            .collect();
        let timezone = zone.iana_name().unwrap_or("a fixed offset").to_owned();
        reports.push(ScheduleReport {
            key,
            expression: schedule.expression().to_owned(),
            timezone,
            next,
        });
    }
    reports
}

/// Every schedule with the key that it is written under.
fn schedules(config: &Config) -> Vec<(String, &Schedule)> {
    let cadences = config.newsletters.values().flat_map(|newsletter| {
        newsletter.cadences.iter().filter_map(|(cadence, schedule)| {
            let key = format!("newsletters.{}.cadences.{cadence}", newsletter.name);
            schedule.as_ref().map(|schedule| (key, schedule))
        })
    });
    let queues = config.releases.queues.iter().enumerate();
    let queues =
        queues.map(|(index, queue)| (format!("releases.queue.{index}.schedule"), &queue.schedule));
    cadences.chain(queues).collect()
}

/// The schedules for people.
pub(super) fn text(reports: &[ScheduleReport], now: Timestamp) -> String {
    let mut page = Page::default();
    for report in reports {
        page.line(format_args!("{}  {}  {}", report.key, report.expression, report.timezone));
        for run in &report.next {
            let local = words::local(run.timestamp(), run.time_zone());
            let distance = words::relative(run.timestamp(), now);
            page.line(format_args!("  {local}  {distance}"));
        }
    }
    page.text()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn report_of(expression: &str) -> (Vec<jiff::Zoned>, Schedule) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let schedule = Schedule::parse(expression, zone.clone()).unwrap();
        let now = "2026-10-24T12:00:00Z".parse().unwrap();
        let runs = schedule.upcoming(now, RUNS);
        (runs.into_iter().map(|run| run.to_zoned(zone.clone())).collect(), schedule)
    }

    #[test]
    fn the_next_runs_are_shown_with_their_offsets_across_the_change_of_clocks() {
        let (next, schedule) = report_of("0 7 * * *");
        let report = ScheduleReport {
            key: "newsletters.weekly.cadences.daily".to_owned(),
            expression: schedule.expression().to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            next,
        };
        let now = "2026-10-24T12:00:00Z".parse().unwrap();
        insta::assert_snapshot!(text(&[report], now));
    }
}
