//! The hours of the day at which mail may go out.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// From one time of the day to another, in a time zone; over midnight where the end is before the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendWindow {
    pub from: Time,
    pub until: Time,
    pub zone: TimeZone,
}

impl SendWindow {
    /// When mail may go: `now`, or the next time that the window opens.
    pub fn next_open(&self, now: Timestamp) -> Timestamp {
        let local = now.to_zoned(self.zone.clone());
        let time = local.time();
        let open = if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        };
        if open {
            return now;
        }
        let today = local.date();
        let day = if time < self.from { Some(today) } else { today.tomorrow().ok() };
        let opens = day.and_then(|day| self.zone.to_timestamp(day.to_datetime(self.from)).ok());
        // At the end of time there is no tomorrow; and an hour that the clocks skip opens when they have.
        opens.filter(|opens| *opens > now).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn window(from: i8, until: i8) -> SendWindow {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        SendWindow { from: time(from, 0, 0, 0), until: time(until, 0, 0, 0), zone }
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
}
