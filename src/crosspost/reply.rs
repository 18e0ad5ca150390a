//! What an answer to a call means: status and headers in, `Outcome` out. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Outcome, Reason, Reply};

/// The longest wait that a server can ask of us.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);

/// The parts of an answer that matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) location: Option<&'a str>,
    pub(super) retry_after: Option<&'a str>,
    /// As much of the body as was read, without secrets of ours.
    pub(super) body: &'a str,
}

/// The outcome of a call that `server` (host and port) gave `answer` to.
pub(super) fn outcome(server: &str, answer: &Answer<'_>, now: Timestamp) -> Outcome {
    let reply = |text: &str| Reply::new(server, Some(answer.status), text);
    let rejected = |reply| Outcome::Rejected { reply, reason: Reason::System };
    match answer.status {
        200..=299 => Outcome::Accepted(reply(answer.body)),
        300..=399 => {
            let to = answer.location.unwrap_or("nowhere");
            rejected(reply(&format!("a redirect to `{to}`, which is not followed")))
        }
        410 => {
            rejected(reply(&format!("gone: this endpoint wants no more calls. {}", answer.body)))
        }
        408 | 425 | 429 | 500..=599 => {
            let not_before = answer.retry_after.and_then(|value| retry_after(value, now));
            let reason = if answer.status == 429 { Reason::Throttle } else { Reason::System };
            Outcome::Deferred { reply: reply(answer.body), reason, not_before }
        }
        _ => rejected(reply(answer.body)),
    }
}

/// When to come back: `Retry-After` in seconds (some send fractions) or as an HTTP date, not in the past and at most a
/// day away. What is neither is ignored.
fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    let latest = now.saturating_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX);
    let wish = if value.starts_with(|c: char| c.is_ascii_digit()) {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let seconds = value.parse::<f64>().ok().filter(|_| value.chars().all(is_number))?;
        // What does not fit into a duration is longer than a day for sure.
        match Duration::try_from_secs_f64(seconds) {
            Ok(wait) => now.saturating_add(wait).unwrap_or(latest),
            Err(_) => latest,
        }
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        Timestamp::try_from(date).ok()?
    };
    Some(wish.clamp(now, latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn after(seconds: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn every_form_of_retry_after_is_understood_and_bounded() {
        assert_eq!(retry_after("120", NOW), Some(after(120)));
        assert_eq!(retry_after(" 0 ", NOW), Some(after(0)));
        assert_eq!(retry_after("1.5", NOW), Some(NOW + SignedDuration::from_millis(1_500)));
        assert_eq!(retry_after("Fri, 15 Jan 2027 08:10:00 GMT", NOW), Some(after(600)));
        assert_eq!(retry_after("Friday, 15-Jan-27 08:10:00 GMT", NOW), Some(after(600)));
        assert_eq!(retry_after("Fri Jan 15 08:10:00 2027", NOW), Some(after(600)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", NOW), Some(after(0)));
        assert_eq!(retry_after("Sat, 01 Jan 2050 00:00:00 GMT", NOW), Some(after(86_400)));
        assert_eq!(retry_after("999999999999999999999999999", NOW), Some(after(86_400)));
        for garbage in ["", "soon", "-5", "1e9", "0x10", "NaN", "inf", "1.2.3", "Fri, 99 Jan 2027"]
        {
            assert_eq!(retry_after(garbage, NOW), None, "{garbage}");
        }
    }

    #[test]
    fn each_status_means_what_standard_webhooks_says() {
        let word = |status| {
            let answer =
                Answer { status, location: None, retry_after: Some("60"), body: "because" };
            outcome("hooks.test:443", &answer, NOW)
        };
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(word(status).word(), "accepted", "{status}");
        }
        for status in [301, 302, 304, 307, 308, 400, 401, 403, 404, 410, 413, 422, 451] {
            assert_eq!(word(status).word(), "rejected", "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            let Outcome::Deferred { reply, not_before, .. } = word(status) else {
                panic!("{status}")
            };
            assert_eq!(not_before, Some(after(60)));
            assert_eq!((reply.code, reply.text.as_str()), (Some(status), "because"));
        }
    }
}
