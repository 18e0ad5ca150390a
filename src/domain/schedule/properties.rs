//! What holds for every schedule: order, agreement with `croner`, and wall times that are neither skipped nor doubled.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use proptest::prelude::*;

use super::Schedule;
use super::tests::{instant, schedule, zone};

const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
];

/// Items of a field from `first` to `last` that Vixie cron and `croner` read alike.
fn item(first: u8, last: u8) -> impl Strategy<Value = String> {
    let value = first..=last;
    let range = (first..=last, first..=last).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        4 => value.prop_map(|n| n.to_string()),
        2 => range.clone().prop_map(|(a, b)| format!("{a}-{b}")),
        1 => (range, 1..=last).prop_map(|((a, b), step)| format!("{a}-{b}/{step}")),
    ]
}

fn list(first: u8, last: u8) -> impl Strategy<Value = String> {
    prop::collection::vec(item(first, last), 1..4).prop_map(|items| items.join(","))
}

fn field(first: u8, last: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("*".to_owned()),
        1 => (1..=last).prop_map(|step| format!("*/{step}")),
        3 => list(first, last),
    ]
}

/// Day of month, month, weekday. Days that every month has, so that `croner` finds one soon.
fn days() -> impl Strategy<Value = String> {
    let day = prop_oneof![Just("*".to_owned()), list(1, 28)];
    let weekday = prop_oneof![Just("*".to_owned()), list(0, 7)];
    (day, field(1, 12), weekday)
        .prop_map(|(day, month, weekday)| format!("{day} {month} {weekday}"))
}

fn expression() -> impl Strategy<Value = String> {
    (field(0, 59), field(0, 23), days())
        .prop_map(|(minute, hour, days)| format!("{minute} {hour} {days}"))
}

/// An instant in 2024 to 2027.
fn moment() -> impl Strategy<Value = Timestamp> {
    (1_704_067_200_i64..1_830_297_600).prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn oracle(expression: &str, after: &Zoned, count: usize) -> Vec<Timestamp> {
    let cron = croner::Cron::from_str(expression).unwrap();
    cron.iter_after(after.clone()).take(count).map(|run| run.timestamp()).collect()
}

/// Whether clocks change within a day and a half of `instant`.
fn near_a_change(zone: &TimeZone, instant: Timestamp) -> bool {
    let around = SignedDuration::from_hours(36);
    zone.to_offset(instant - around) != zone.to_offset(instant + around)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        if let Err(error) = Schedule::parse(&text, TimeZone::UTC) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{error:?}");
        }
    }

    #[test]
    fn no_likely_text_makes_it_panic(text in "[-0-9*/,?#LWa-z@ \té]{0,24}") {
        match Schedule::parse(&text, zone("Europe/Berlin")) {
            Ok(schedule) => { schedule.next_after(instant("2026-01-01T00:00Z")); }
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{error:?}");
                prop_assert!(!error.span.is_empty() || text.trim().is_empty(), "{error:?}");
            }
        }
    }

    #[test]
    fn in_utc_it_agrees_with_croner(expression in expression(), after in moment()) {
        let ours = schedule(&expression, "UTC").upcoming(after, 20);
        prop_assert_eq!(&ours, &oracle(&expression, &after.to_zoned(TimeZone::UTC), 20));
    }

    #[test]
    fn away_from_changing_clocks_it_agrees_with_croner(
        expression in expression(), after in moment(), name in prop::sample::select(&ZONES[..]),
    ) {
        let tz = zone(name);
        let ours = schedule(&expression, name).next_after(after);
        let near = |instant| near_a_change(&tz, instant);
        if let Some(run) = ours && !near(after) && !near(run) {
            prop_assert_eq!(vec![run], oracle(&expression, &after.to_zoned(tz.clone()), 1));
        }
    }

    #[test]
    fn runs_only_ever_go_forward(
        expression in expression(), after in moment(), name in prop::sample::select(&ZONES[..]),
    ) {
        let runs = schedule(&expression, name).upcoming(after, 50);
        prop_assert!(runs.iter().all(|run| *run > after));
        prop_assert!(runs.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_latest_run_is_the_last_of_those_between(
        expression in expression(), after in moment(), name in prop::sample::select(&ZONES[..]), count in 1..40_usize,
    ) {
        let schedule = schedule(&expression, name);
        let runs = schedule.upcoming(after, count);
        let last = *runs.last().unwrap();
        prop_assert_eq!(schedule.latest_within(after, last), Some(last));
        let just_before = last - SignedDuration::from_nanos(1);
        prop_assert_eq!(schedule.latest_within(after, just_before), count.checked_sub(2).map(|i| runs[i]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_three_years_a_fixed_schedule_skips_and_doubles_no_wall_time(
        minutes in prop::collection::btree_set(0_i8..60, 1..4),
        hours in prop::collection::btree_set(0_i8..5, 1..4),
        name in prop::sample::select(&ZONES[..]),
    ) {
        let join = |set: &BTreeSet<i8>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let schedule = schedule(&format!("{} {} * * *", join(&minutes), join(&hours)), name);
        let tz = zone(name);
        let (first, last) = (Date::constant(2025, 1, 1), Date::constant(2027, 12, 31));
        let mut expected = BTreeSet::new();
        for day in first.series(1.day()).take_while(|day| *day <= last) {
            for (hour, minute) in hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute))) {
                let wall = day.to_datetime(Time::constant(hour, minute, 0, 0));
                let ambiguous = tz.to_ambiguous_timestamp(wall);
                expected.insert(match ambiguous.offset() {
                    AmbiguousOffset::Gap { .. } => {
                        // The first minute that clocks do show.
                        let shown = wall.series(1.minute()).find(|w| !tz.to_ambiguous_timestamp(*w).is_ambiguous());
                        tz.to_timestamp(shown.unwrap()).unwrap()
                    }
                    AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => ambiguous.earlier().unwrap(),
                });
            }
        }
        let before = *expected.first().unwrap() - SignedDuration::from_nanos(1);
        let ours = schedule.upcoming(before, expected.len());
        prop_assert_eq!(ours, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn an_interval_runs_whenever_the_clock_shows_one_of_its_times(
        minute in field(0, 59), hour in 1_u8..24, days in days(), name in prop::sample::select(&ZONES[..]), year in 2025_i16..2028,
    ) {
        let expression = format!("{minute} */{hour} {days}");
        let (tz, schedule) = (zone(name), schedule(&format!("{minute} */{hour} {days}"), name));
        let cron = croner::Cron::from_str(&expression).unwrap();
        let new_year = Date::constant(year, 1, 1).to_zoned(tz.clone()).unwrap().timestamp();
        for change in tz.following(new_year).take(2).map(|change| change.timestamp()) {
            let (from, to) = (change - SignedDuration::from_hours(5), change + SignedDuration::from_hours(5));
            let every_minute = from.series(1.minute()).skip(1).take_while(|minute| *minute <= to);
            let expected: Vec<_> = every_minute
                .filter(|minute| cron.is_time_matching(&minute.to_zoned(tz.clone())).unwrap())
                .collect();
            let ours: Vec<_> = schedule.upcoming(from, 601).into_iter().filter(|run| *run <= to).collect();
            prop_assert_eq!(ours, expected);
        }
    }
}
