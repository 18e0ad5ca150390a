//! When mail may go out: hours of the day, days of the week, and days on which it rests.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// So many days are looked ahead at most: whoever rests for longer is let through then.
const DAYS: usize = 400;

/// A sending calendar, in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendWindow {
    /// From one time of the day to another, over midnight where the end is before the beginning. None: all day.
    pub hours: Option<(Time, Time)>,
    /// The days of the week on which mail goes out. Empty: all.
    pub weekdays: Vec<Weekday>,
    /// Days on which it rests, each from one to another.
    pub rests: Vec<(Date, Date)>,
    pub zone: TimeZone,
}

impl SendWindow {
    /// Whether it keeps anything back.
    pub fn is_ever_shut(&self) -> bool {
        self.hours.is_some() || !self.weekdays.is_empty() || !self.rests.is_empty()
    }

    /// When mail may go: `now`, or the next time that the window opens.
    pub fn next_open(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.zone.clone());
        let (today, time) = (local.date(), local.time());
        if self.is_day(today) && self.is_hour(time) {
            return now;
        }
        let mut days = std::iter::successors(Some(today), |day| day.tomorrow().ok()).take(DAYS);
        // At the end of time there is no tomorrow; and an hour that the clocks skip opens when they have.
        let opens = days.find_map(|day| {
            let begins = self.is_day(day).then(|| self.begins(day))?;
            self.zone.to_timestamp(day.to_datetime(begins)).ok().filter(|opens| *opens > now)
        });
        opens.unwrap_or(now)
    }

    fn is_hour(&self, time: Time) -> bool {
        match self.hours {
            None => true,
            Some((from, until)) if from <= until => from <= time && time < until,
            Some((from, until)) => from <= time || time < until,
        }
    }

    fn is_day(&self, day: Date) -> bool {
        let is_weekday = self.weekdays.is_empty() || self.weekdays.contains(&day.weekday());
        is_weekday && !self.rests.iter().any(|(first, last)| *first <= day && day <= *last)
    }

    /// When mail begins to go out on `day`: with its night before, if that is open past midnight and was not there itself.
    fn begins(&self, day: Date) -> Time {
        let Some((from, until)) = self.hours else { return Time::midnight() };
        let is_over_midnight = from > until && until > Time::midnight();
        let was_shut = day.yesterday().is_ok_and(|yesterday| !self.is_day(yesterday));
        if is_over_midnight && was_shut { Time::midnight() } else { from }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn window(from: i8, until: i8) -> SendWindow {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let hours = Some((time(from, 0, 0, 0), time(until, 0, 0, 0)));
        SendWindow { hours, weekdays: Vec::new(), rests: Vec::new(), zone }
    }

    fn opens(window: &SendWindow, now: &str) -> String {
        let now: Timestamp = now.parse().unwrap();
        window.next_open(now).to_string()
    }

    #[test]
    fn outside_its_hours_it_opens_at_the_next_beginning() {
        let day = window(8, 20);
        assert_eq!(opens(&day, "2026-03-09T11:00:00Z"), "2026-03-09T11:00:00Z");
        assert_eq!(opens(&day, "2026-03-09T05:00:00Z"), "2026-03-09T07:00:00Z");
        assert_eq!(opens(&day, "2026-03-09T19:00:00Z"), "2026-03-10T07:00:00Z");
    }

    #[test]
    fn over_midnight_and_over_a_change_of_clocks() {
        let night = window(22, 6);
        assert_eq!(opens(&night, "2026-03-09T23:00:00Z"), "2026-03-09T23:00:00Z");
        assert_eq!(opens(&night, "2026-03-09T12:00:00Z"), "2026-03-09T21:00:00Z");
        let spring = window(2, 20);
        assert_eq!(opens(&spring, "2026-03-29T00:30:00Z"), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn it_rests_at_the_weekend_and_on_holidays() {
        let workdays = SendWindow {
            weekdays: vec![
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
                Weekday::Friday,
            ],
            rests: vec![(date(2026, 12, 24), date(2026, 12, 27))],
            ..window(8, 20)
        };
        // Friday evening: Monday morning. The day before the holidays: the Monday after them.
        assert_eq!(opens(&workdays, "2026-03-13T20:00:00Z"), "2026-03-16T07:00:00Z");
        assert_eq!(opens(&workdays, "2026-12-23T20:00:00Z"), "2026-12-28T07:00:00Z");
        let all_day = SendWindow { hours: None, ..workdays };
        assert_eq!(opens(&all_day, "2026-12-24T10:00:00Z"), "2026-12-27T23:00:00Z");
        assert_eq!(opens(&all_day, "2026-12-28T10:00:00Z"), "2026-12-28T10:00:00Z");
    }

    #[test]
    fn a_night_that_begins_on_a_day_of_rest_opens_at_midnight() {
        let nights =
            SendWindow { rests: vec![(date(2026, 3, 10), date(2026, 3, 10))], ..window(22, 6) };
        assert_eq!(opens(&nights, "2026-03-10T12:00:00Z"), "2026-03-10T23:00:00Z");
    }
}
