//! How often the public form may be used: enough for people, useless for filling a stranger's mailbox.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// From one network address within `VISITOR_SPAN`.
const PER_VISITOR: usize = 5;
const VISITOR_SPAN: SignedDuration = SignedDuration::from_hours(1);
/// From everybody within `EVERYBODY_SPAN`.
const FROM_EVERYBODY: usize = 60;
const EVERYBODY_SPAN: SignedDuration = SignedDuration::from_mins(1);
/// From so many on it is worth looking for visitors to forget.
const MANY_VISITORS: usize = 7_200;

/// Counts sign-ups in memory; a restart forgets them.
#[derive(Debug, Default)]
pub struct SignupLimit(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    everybody: VecDeque<Timestamp>,
    visitors: HashMap<IpAddr, VecDeque<Timestamp>>,
}

impl SignupLimit {
    /// Whether `visitor` may sign up now; if so it counts. Else: how long to wait.
    pub fn admit(&self, visitor: IpAddr, now: Timestamp) -> Result<(), SignedDuration> {
        let mut seen = self.0.lock().expect("no code panics while it counts");
        seen.forget_strangers(now);
        forget(&mut seen.everybody, now, EVERYBODY_SPAN);
        if let Some(wait) = wait(&seen.everybody, FROM_EVERYBODY, EVERYBODY_SPAN, now) {
            return Err(wait);
        }
        let mine = seen.visitors.entry(network(visitor)).or_default();
        forget(mine, now, VISITOR_SPAN);
        if let Some(wait) = wait(mine, PER_VISITOR, VISITOR_SPAN, now) {
            return Err(wait);
        }
        mine.push_back(now);
        seen.everybody.push_back(now);
        Ok(())
    }
}

impl Seen {
    /// Everybody together can be no more than 3,600 visitors in the visitors' span; what is beyond is old.
    fn forget_strangers(&mut self, now: Timestamp) {
        if self.visitors.len() > MANY_VISITORS {
            self.visitors.retain(|_, times| {
                forget(times, now, VISITOR_SPAN);
                !times.is_empty()
            });
        }
    }
}

/// How long until the oldest of `times` no longer counts, when there are as many as allowed.
fn wait(
    times: &VecDeque<Timestamp>,
    allowed: usize,
    span: SignedDuration,
    now: Timestamp,
) -> Option<SignedDuration> {
    let oldest = times.front().filter(|_| times.len() >= allowed)?;
    Some(span - now.duration_since(*oldest))
}

fn forget(times: &mut VecDeque<Timestamp>, now: Timestamp, span: SignedDuration) {
    while times.front().is_some_and(|at| now.duration_since(*at) >= span) {
        times.pop_front();
    }
}

/// One household has a whole /64 of IPv6 addresses.
pub fn network(visitor: IpAddr) -> IpAddr {
    match visitor.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn visitor(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_visitor_gets_five_tries_an_hour() {
        let limit = SignupLimit::default();
        let ann = visitor("192.0.2.1");
        for second in 0..5 {
            assert_eq!(limit.admit(ann, at(second)), Ok(()));
        }
        assert_eq!(limit.admit(ann, at(10)), Err(SignedDuration::from_secs(3590)));
        assert_eq!(limit.admit(visitor("192.0.2.2"), at(10)), Ok(()));
        assert_eq!(limit.admit(ann, at(3600)), Ok(()));
        assert!(limit.admit(ann, at(3600)).is_err());
    }

    #[test]
    fn a_household_cannot_hide_behind_its_many_addresses() {
        let limit = SignupLimit::default();
        for host in 0..5 {
            assert_eq!(limit.admit(visitor(&format!("2001:db8::{host}")), at(0)), Ok(()));
        }
        assert!(limit.admit(visitor("2001:db8::99"), at(0)).is_err());
        assert_eq!(limit.admit(visitor("2001:db8:0:1::1"), at(0)), Ok(()));
    }

    #[test]
    fn everybody_together_gets_sixty_a_minute_and_leaves_nothing_behind() {
        let limit = SignupLimit::default();
        for host in 0..60 {
            assert_eq!(limit.admit(visitor(&format!("198.51.100.{host}")), at(host)), Ok(()));
        }
        assert_eq!(limit.admit(visitor("192.0.2.1"), at(59)), Err(SignedDuration::from_secs(1)));
        assert_eq!(limit.admit(visitor("192.0.2.1"), at(60)), Ok(()));
        assert_eq!(limit.admit(visitor("192.0.2.1"), at(9000)), Ok(()));
        assert_eq!(limit.0.lock().unwrap().everybody.len(), 1);
    }
}
