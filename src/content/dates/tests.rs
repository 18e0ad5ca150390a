use jiff::tz::TimeZone;

use super::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

#[test]
fn every_form_of_the_engines_is_read() {
    let cases = [
        // All of them: the site's midnight.
        ("2024-01-15", "2024-01-14T23:00:00Z"),
        ("2024-07-15", "2024-07-14T22:00:00Z"),
        // Jekyll, Hexo, Pelican.
        ("2024-01-15 10:00:00 +0200", "2024-01-15T08:00:00Z"),
        ("2024-01-15 10:00:00 +02:00", "2024-01-15T08:00:00Z"),
        ("2024-01-15 10:00 +0200", "2024-01-15T08:00:00Z"),
        ("2024-01-15 10:00:00", "2024-01-15T09:00:00Z"),
        ("2010-10-03 10:20", "2010-10-03T08:20:00Z"),
        // Hugo, Astro, Gatsby, Next.
        ("2024-01-15T10:00:00+02:00", "2024-01-15T08:00:00Z"),
        ("2024-01-15T10:00:00Z", "2024-01-15T10:00:00Z"),
        ("2024-01-15t10:00:00z", "2024-01-15T10:00:00Z"),
        ("2024-01-15T10:00", "2024-01-15T09:00:00Z"),
        ("2015-05-28T22:40:32.169Z", "2015-05-28T22:40:32.169Z"),
        ("2024-01-15T10:00:00-0330", "2024-01-15T13:30:00Z"),
        ("2024-01-15T10:00:00+01:00[Europe/Berlin]", "2024-01-15T09:00:00Z"),
        // AstroPaper variants.
        ("2022-09-23 15:22:00 UTC", "2022-09-23T15:22:00Z"),
        ("2022-09-23 15:22:00 Z", "2022-09-23T15:22:00Z"),
        ("2022-09-23 15:22:00 EST", "2022-09-23T20:22:00Z"),
        ("2022-09-23 15:22:00 GMT", "2022-09-23T15:22:00Z"),
        ("2022-09-23 15:22:00 America/New_York", "2022-09-23T19:22:00Z"),
        // Any date of JavaScript, Hashnode, by hand.
        ("Jul 08 2022", "2022-07-07T22:00:00Z"),
        ("July 8, 2022", "2022-07-07T22:00:00Z"),
        ("8th of July, 2022", "2022-07-07T22:00:00Z"),
        ("Sept. 8, 2022", "2022-09-07T22:00:00Z"),
        ("15 January 2024", "2024-01-14T23:00:00Z"),
        ("15. January 2024", "2024-01-14T23:00:00Z"),
        ("Mon, 15 Jan 2024 10:00:00 GMT", "2024-01-15T10:00:00Z"),
        (
            "Mon Jan 15 2024 10:00:00 GMT+0100 (Central European Standard Time)",
            "2024-01-15T09:00:00Z",
        ),
        ("May 14 1988", "1988-05-13T22:00:00Z"),
        ("January 15, 2024 at 3:05 pm", "2024-01-15T14:05:00Z"),
        ("January 15, 2024 12:30AM", "2024-01-14T23:30:00Z"),
        ("15 Jan 2024 5pm UTC", "2024-01-15T17:00:00Z"),
        // Hexo and continental habits.
        ("2013/7/13 20:46:25", "2013-07-13T18:46:25Z"),
        ("2024.01.15", "2024-01-14T23:00:00Z"),
        ("15.01.2024", "2024-01-14T23:00:00Z"),
        ("15.01.2024 08:30", "2024-01-15T07:30:00Z"),
        ("20240115", "2024-01-14T23:00:00Z"),
        ("20240115103000", "2024-01-15T09:30:00Z"),
        ("15/01/2024", "2024-01-14T23:00:00Z"),
        ("01/15/2024", "2024-01-14T23:00:00Z"),
        ("03/03/2024", "2024-03-02T23:00:00Z"),
        // Exports.
        ("1705312800", "2024-01-15T10:00:00Z"),
        ("1705312800000", "2024-01-15T10:00:00Z"),
        // A leap second, and an hour that a clock change skipped.
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("2024-03-31 02:30", "2024-03-31T01:30:00Z"),
        ("  2024-01-15  ", "2024-01-14T23:00:00Z"),
    ];
    for (text, expected) in cases {
        let at = parse(text, &berlin()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(at.to_string(), expected, "{text}");
    }
}

#[test]
fn a_refused_date_says_why_and_what_to_write() {
    let cases = [
        (
            "01/02/2024",
            "`01/02/2024` can be 2024-02-01 or 2024-01-02",
            "write 2024-02-01 or 2024-01-02",
        ),
        (
            "2024-02-30",
            "`2024-02-30` is not a day of the calendar or not a time of the day",
            "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00",
        ),
        (
            "2024-01-15 25:00",
            "`2024-01-15 25:00` is not a day of the calendar or not a time of the day",
            "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00",
        ),
        (
            "2024-01-15 10:00 IST",
            "`2024-01-15 10:00 IST` has an unknown time zone",
            "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00, with the offset in hours and minutes",
        ),
        ("soon", "`soon` is not a date", "write it as 2024-01-15 or 2024-01-15T10:00:00+01:00"),
    ];
    for (text, message, help) in cases {
        let error = parse(text, &berlin()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.help(), help);
    }
}

#[test]
fn what_is_no_date_is_refused() {
    for text in [
        "",
        "2024",
        "2024-01",
        "10:00",
        "0224-01-15",
        "2024-01-15-16",
        "2024-01-15 2023",
        "1/2/3",
        "15 15 2024 Jan",
        "123456789012345",
        "999999999999999999999",
        "--",
        "2024-01-15T",
        "+02:00",
        "Jan",
        "13pm",
        "2024-01-15 13:00 pm",
        "99999999",
        "2024-01-15T10:00:00+99:99",
        "٢٠٢٤-٠١-١٥",
        "ſ",
    ] {
        assert!(parse(text, &berlin()).is_err(), "{text}");
    }
}

#[test]
fn words_that_only_a_build_can_resolve_are_no_dates() {
    for text in ["Last Modified", "git created", "0001-01-01T00:00:00Z"] {
        assert!(is_placeholder(text), "{text}");
    }
    assert!(!is_placeholder("2024-01-15"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = parse(&text, &TimeZone::UTC);
    }

    #[test]
    fn nothing_made_of_date_like_characters_panics(text in "[0-9TZzt:./+ ,apmJanFebéſ-]{0,24}") {
        let _ = parse(&text, &TimeZone::UTC);
    }
}
