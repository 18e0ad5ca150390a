//! What schedules mean: crontab's own words, refusals, and the days when clocks change.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Schedule;

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(super) fn schedule(expression: &str, zone_name: &str) -> Schedule {
    Schedule::parse(expression, zone(zone_name)).unwrap_or_else(|e| panic!("{expression}: {e}"))
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn wall(text: &str, zone_name: &str) -> Timestamp {
    text.parse::<DateTime>().unwrap().to_zoned(zone(zone_name)).unwrap().timestamp()
}

/// The next `count` runs after the wall time `after`, as `03-29 02:30+01:00`.
fn runs(expression: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(expression, zone_name);
    let show =
        |run: Timestamp| run.to_zoned(zone(zone_name)).strftime("%m-%d %H:%M%:z").to_string();
    schedule.upcoming(wall(after, zone_name), count).into_iter().map(show).collect()
}

/// The next `count` days and times after Thursday, 1 January 2026, 00:00 UTC.
fn in_2026(expression: &str, count: usize) -> Vec<String> {
    let runs = schedule(expression, "UTC").upcoming(instant("2026-01-01T00:00Z"), count);
    runs.into_iter().map(|run| run.strftime("%a %d %b %H:%M:%S").to_string()).collect()
}

fn refusal(expression: &str) -> String {
    let error = Schedule::parse(expression, TimeZone::UTC).unwrap_err();
    let meant = &expression[error.span.clone()];
    format!("[{meant}] {} ({})", error.message, error.help.as_deref().unwrap_or("-"))
}

const CRONTAB: &[(&str, &[&str])] = &[
    ("30 2 * * *", &["Thu 01 Jan 02:30:00", "Fri 02 Jan 02:30:00"]),
    ("*/20 7 * * *", &["Thu 01 Jan 07:00:00", "Thu 01 Jan 07:20:00", "Thu 01 Jan 07:40:00"]),
    ("0 7 * * 1", &["Mon 05 Jan 07:00:00", "Mon 12 Jan 07:00:00"]),
    ("0 7 * * MON", &["Mon 05 Jan 07:00:00", "Mon 12 Jan 07:00:00"]),
    ("0 7 * * monday", &["Mon 05 Jan 07:00:00"]),
    ("0 7 * * 0", &["Sun 04 Jan 07:00:00", "Sun 11 Jan 07:00:00"]),
    ("0 7 * * 7", &["Sun 04 Jan 07:00:00", "Sun 11 Jan 07:00:00"]),
    (
        "0 7 * * 5-7",
        &[
            "Fri 02 Jan 07:00:00",
            "Sat 03 Jan 07:00:00",
            "Sun 04 Jan 07:00:00",
            "Fri 09 Jan 07:00:00",
        ],
    ),
    (
        "0 7 * * 0-6/2",
        &[
            "Thu 01 Jan 07:00:00",
            "Sat 03 Jan 07:00:00",
            "Sun 04 Jan 07:00:00",
            "Tue 06 Jan 07:00:00",
        ],
    ),
    ("0 7 * * 0-7", &["Thu 01 Jan 07:00:00", "Fri 02 Jan 07:00:00"]),
    (
        "0 7 * * Fri-Mon",
        &[
            "Fri 02 Jan 07:00:00",
            "Sat 03 Jan 07:00:00",
            "Sun 04 Jan 07:00:00",
            "Mon 05 Jan 07:00:00",
            "Fri 09 Jan 07:00:00",
        ],
    ),
    (
        "0 7 * * FRI-SUN",
        &[
            "Fri 02 Jan 07:00:00",
            "Sat 03 Jan 07:00:00",
            "Sun 04 Jan 07:00:00",
            "Fri 09 Jan 07:00:00",
        ],
    ),
    ("0 7 * * 7-1", &["Sun 04 Jan 07:00:00", "Mon 05 Jan 07:00:00", "Sun 11 Jan 07:00:00"]),
    ("0 7 * * FRI-MON/2", &["Fri 02 Jan 07:00:00", "Sun 04 Jan 07:00:00", "Fri 09 Jan 07:00:00"]),
    ("0 7 * * 1,3,7", &["Sun 04 Jan 07:00:00", "Mon 05 Jan 07:00:00", "Wed 07 Jan 07:00:00"]),
    (
        "0 7 * * */2",
        &[
            "Thu 01 Jan 07:00:00",
            "Sat 03 Jan 07:00:00",
            "Sun 04 Jan 07:00:00",
            "Tue 06 Jan 07:00:00",
        ],
    ),
    ("0 0 1 feb,Nov *", &["Sun 01 Feb 00:00:00", "Sun 01 Nov 00:00:00"]),
    ("0 0 1 MAR-MAY/2 *", &["Sun 01 Mar 00:00:00", "Fri 01 May 00:00:00"]),
    ("15,45 22-23 * * *", &["Thu 01 Jan 22:15:00", "Thu 01 Jan 22:45:00", "Thu 01 Jan 23:15:00"]),
    ("0 0 31 * *", &["Sat 31 Jan 00:00:00", "Tue 31 Mar 00:00:00", "Sun 31 May 00:00:00"]),
    ("30 0 7 * * *", &["Thu 01 Jan 07:00:30", "Fri 02 Jan 07:00:30"]),
    ("*/30 59 23 * * THU", &["Thu 01 Jan 23:59:00", "Thu 01 Jan 23:59:30", "Thu 08 Jan 23:59:00"]),
    ("  07\t07 * * *  ", &["Thu 01 Jan 07:07:00"]),
    ("*/60 */24 * * *", &["Fri 02 Jan 00:00:00", "Sat 03 Jan 00:00:00"]),
];

#[test]
fn fields_mean_what_crontab_says_they_mean() {
    for (expression, expected) in CRONTAB {
        assert_eq!(in_2026(expression, expected.len()), *expected, "{expression}");
    }
}

#[test]
fn either_day_field_will_do_when_both_are_restricted() {
    assert_eq!(
        in_2026("0 0 13 * FRI", 4),
        [
            "Fri 02 Jan 00:00:00",
            "Fri 09 Jan 00:00:00",
            "Tue 13 Jan 00:00:00",
            "Fri 16 Jan 00:00:00"
        ]
    );
    // As in Vixie cron, a field that starts with `*` does not open the other one up: odd days that are Mondays.
    assert_eq!(
        in_2026("0 0 */2 * MON", 3),
        ["Mon 05 Jan 00:00:00", "Mon 19 Jan 00:00:00", "Mon 09 Feb 00:00:00"]
    );
    assert_eq!(in_2026("0 0 13 * */5", 2), ["Fri 13 Feb 00:00:00", "Fri 13 Mar 00:00:00"]);
    // A range that happens to name every day is a restriction all the same.
    assert_eq!(in_2026("0 0 1-31 * MON", 2), ["Fri 02 Jan 00:00:00", "Sat 03 Jan 00:00:00"]);
}

#[test]
fn names_of_schedules_are_known_in_any_case() {
    let table = [
        ("@hourly", "Thu 01 Jan 01:00:00"),
        ("@Daily", "Fri 02 Jan 00:00:00"),
        ("@MIDNIGHT", "Fri 02 Jan 00:00:00"),
        ("@weekly", "Sun 04 Jan 00:00:00"),
        ("@monthly", "Sun 01 Feb 00:00:00"),
        ("@yearly", "Fri 01 Jan 00:00:00"),
        (" @Annually ", "Fri 01 Jan 00:00:00"),
    ];
    for (name, expected) in table {
        assert_eq!(in_2026(name, 1), [expected], "{name}");
    }
    assert!(schedule("@hourly", "UTC").is_interval());
    assert!(!schedule("@daily", "UTC").is_interval());
}

#[test]
fn a_refusal_points_at_the_spot_and_says_what_would_do() {
    let table = [
        "",
        "   ",
        "0 7 * *",
        "0 0 7 * * MON 2026",
        "hourly",
        "60 7 * * *",
        "0 24 * * *",
        "0 7 0 * *",
        "0 7 * 13 *",
        "0 7 * * 8",
        "0 7 * * MOM",
        "0 7 * Juli *",
        "0 7 * * Mo",
        "0 7 * MON *",
        "0 MAR * * *",
        "0 -7 * * *",
        "0 +7 * * *",
        "0 7 * * MON, TUE",
        "0 7 1,,5 * *",
        "0 7-/2 * * *",
        "0 7-9-11 * * *",
        "0 22-2 * * *",
        "5/15 * * * *",
        "*/0 * * * *",
        "*/90 * * * *",
        "*/x * * * *",
        "1-5/2/3 * * * *",
        "0 7 L * *",
        "0 7 15W * *",
        "0 7 L-3 * *",
        "0 7 * * 5L",
        "0 7 * * friL",
        "0 7 * * FRI#2",
        "0 7 ? * MON",
        "0 99999999999999999999 * * *",
        "０ 7 * * *",
        "@reboot",
        "@every 5m",
        "@daily 7",
        "@Every",
        "@dayly",
        "@",
    ];
    let said: Vec<_> =
        table.iter().map(|expression| format!("{expression:?}: {}", refusal(expression))).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_schedule_that_never_fires_says_so_at_once() {
    for expression in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "* * 30 FEB *", "* * * 31 feb */2"] {
        assert_eq!(
            schedule(expression, "Europe/Berlin").next_after(instant("2026-01-01T00:00Z")),
            None,
            "{expression}"
        );
    }
    let leap = schedule("0 0 29 2 *", "UTC").upcoming(instant("2026-01-01T00:00Z"), 2);
    assert_eq!(leap, [instant("2028-02-29T00:00Z"), instant("2032-02-29T00:00Z")]);
    let late = schedule("* * * * *", "UTC").upcoming(instant("2100-12-31T23:58:30Z"), 5);
    assert_eq!(late, [instant("2100-12-31T23:59Z")]);
    let early = schedule("0 0 * * *", "Europe/Berlin").next_after(Timestamp::MIN);
    assert_eq!(early, Some(instant("1969-12-31T23:00Z")));
    assert_eq!(schedule("* * * * *", "Europe/Berlin").next_after(Timestamp::MAX), None);
}

#[test]
fn the_next_run_is_strictly_later_even_by_less_than_a_second() {
    let schedule = schedule("0 7 * * *", "UTC");
    let run = instant("2026-01-01T07:00Z");
    assert_eq!(schedule.next_after(instant("2026-01-01T06:59:59.999999999Z")), Some(run));
    assert_eq!(schedule.next_after(run), Some(instant("2026-01-02T07:00Z")));
    assert_eq!(
        schedule.next_after(instant("2026-01-01T07:00:00.000000001Z")),
        Some(instant("2026-01-02T07:00Z"))
    );
}

#[test]
fn fixed_times_run_once_when_clocks_go_forward() {
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", 3),
        ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"]
    );
    assert_eq!(
        runs("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00", 3),
        ["03-29 03:00+02:00", "03-29 03:30+02:00", "03-30 02:00+02:00"]
    );
    assert_eq!(
        runs("30 2 * * *", "America/New_York", "2026-03-07T12:00", 2),
        ["03-08 03:00-04:00", "03-09 02:30-04:00"]
    );
    assert_eq!(
        runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 2),
        ["10-04 02:30+11:00", "10-05 02:15+11:00"]
    );
    // Midnight itself is missing: the day is not skipped.
    assert_eq!(
        runs("@daily", "America/Santiago", "2026-09-05T12:00", 2),
        ["09-06 01:00-03:00", "09-07 00:00-03:00"]
    );
    assert_eq!(
        runs("@daily", "Africa/Cairo", "2026-04-23T12:00", 2),
        ["04-24 01:00+03:00", "04-25 00:00+03:00"]
    );
}

#[test]
fn fixed_times_run_once_when_clocks_go_back() {
    assert_eq!(
        runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2),
        ["10-25 02:30+02:00", "10-26 02:30+01:00"]
    );
    assert_eq!(
        runs("30 1 * * *", "America/New_York", "2026-10-31T12:00", 2),
        ["11-01 01:30-04:00", "11-02 01:30-05:00"]
    );
    assert_eq!(
        runs("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", 2),
        ["04-05 01:45+11:00", "04-06 01:45+10:30"]
    );
    assert_eq!(
        runs("30 23 * * *", "America/Santiago", "2026-04-04T12:00", 2),
        ["04-04 23:30-03:00", "04-05 23:30-04:00"]
    );
    assert_eq!(
        runs("@daily", "Africa/Cairo", "2026-10-29T12:00", 2),
        ["10-30 00:00+02:00", "10-31 00:00+02:00"]
    );
    // Asked in the second 02:15, the answer is not the 02:30 that follows: that wall time has had its run.
    let berlin = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(berlin.next_after(instant("2026-10-25T01:15Z")), Some(instant("2026-10-26T01:30Z")));
}

#[test]
fn intervals_follow_elapsed_time_on_both_days() {
    assert_eq!(
        runs("*/30 * * * *", "Europe/Berlin", "2026-03-29T01:00", 3),
        ["03-29 01:30+01:00", "03-29 03:00+02:00", "03-29 03:30+02:00"]
    );
    assert_eq!(
        runs("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45", 5),
        [
            "10-25 02:00+02:00",
            "10-25 02:30+02:00",
            "10-25 02:00+01:00",
            "10-25 02:30+01:00",
            "10-25 03:00+01:00"
        ]
    );
    assert_eq!(
        runs("0 */2 * * *", "America/New_York", "2026-03-08T00:30", 2),
        ["03-08 04:00-04:00", "03-08 06:00-04:00"]
    );
    assert_eq!(
        runs("0 * * * *", "America/New_York", "2026-11-01T00:30", 3),
        ["11-01 01:00-04:00", "11-01 01:00-05:00", "11-01 02:00-05:00"]
    );
    assert_eq!(
        runs("*/15 * * * *", "Australia/Lord_Howe", "2026-10-04T01:40", 2),
        ["10-04 01:45+10:30", "10-04 02:30+11:00"]
    );
    assert_eq!(
        runs("*/15 * * * *", "Australia/Lord_Howe", "2026-04-05T01:40", 4),
        ["04-05 01:45+11:00", "04-05 01:30+10:30", "04-05 01:45+10:30", "04-05 02:00+10:30"]
    );
    assert_eq!(
        runs("30 * * * *", "America/Santiago", "2026-09-05T23:00", 2),
        ["09-05 23:30-04:00", "09-06 01:30-03:00"]
    );
    assert_eq!(
        runs("30 * * * *", "Africa/Cairo", "2026-10-29T22:45", 3),
        ["10-29 23:30+03:00", "10-29 23:30+02:00", "10-30 00:30+02:00"]
    );
}

#[test]
fn the_latest_run_is_found_however_long_ago_one_looked() {
    let minutely = schedule("* * * * *", "Europe/Berlin");
    let long_ago = instant("1990-01-01T00:00Z");
    let until = instant("2026-06-01T12:34:56.789Z");
    assert_eq!(minutely.latest_within(long_ago, until), Some(instant("2026-06-01T12:34Z")));
    let daily = schedule("0 7 * * *", "Europe/Berlin");
    assert_eq!(daily.latest_within(long_ago, until), Some(instant("2026-06-01T05:00Z")));
    let run = instant("2026-06-01T05:00Z");
    assert_eq!(daily.latest_within(run, until), None, "`after` itself is not within");
    assert_eq!(daily.latest_within(long_ago, run), Some(run), "`until` itself is");
    assert_eq!(daily.latest_within(until, long_ago), None);
}

#[test]
fn equality_is_about_the_words_and_the_zone() {
    assert_eq!(schedule("@daily", "Europe/Berlin"), schedule("@daily", "Europe/Berlin"));
    assert_ne!(schedule("@daily", "Europe/Berlin"), schedule("@daily", "UTC"));
    assert_eq!(
        format!("{:?}", schedule("@daily", "Europe/Berlin")),
        "Schedule(@daily in Europe/Berlin)"
    );
}
