//! Warming up a new sending domain: so many a day, growing.

use jiff::civil::Date;

/// How a new domain earns its reputation. Mail that is over the day's allowance waits for the next day.
#[derive(Clone, Debug, PartialEq)]
pub struct WarmUp {
    /// The first day.
    pub start: Date,
    /// How many may go on that day.
    pub first_day: u32,
    /// By how much each day's allowance is larger than that of the day before.
    pub growth: f64,
    /// From this allowance on the domain counts as warm, and nothing is limited any more.
    pub until: u32,
}

impl WarmUp {
    /// How many may go on `day`. None: as many as like.
    pub fn allowance(&self, day: Date) -> Option<i64> {
        let days = day.duration_since(self.start).as_hours() / 24;
        let days = i32::try_from(days.max(0)).unwrap_or(i32::MAX);
        let allowed = f64::from(self.first_day) * self.growth.powi(days);
        // Beyond 2^53 or with a growth that is no number the domain is warm.
        #[expect(clippy::cast_possible_truncation, reason = "it is below a u32 here")]
        (allowed < f64::from(self.until)).then(|| allowed.floor() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_more_until_the_domain_is_warm() {
        let start = jiff::civil::date(2026, 12, 1);
        let plan = WarmUp { start, first_day: 200, growth: 1.5, until: 1_000 };
        let on = |day| plan.allowance(start + jiff::Span::new().days(day));
        assert_eq!([on(-3), on(0), on(1), on(2), on(3)], [200, 200, 300, 450, 675].map(Some));
        assert_eq!([on(4), on(100_000)], [None, None]);
    }
}
