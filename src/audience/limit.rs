//! How often the public form may be used: enough for people, useless for filling a stranger's mailbox.
//!
//! Counted in memory, on each node for itself; a restart forgets it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::config::SignupLimits;
use crate::domain::{EmailAddress, Rate};

/// Different ones that are kept in mind, of each kind.
const MOST: usize = 100_000;
/// How long to wait when there is no room for another.
const CROWDED: SignedDuration = SignedDuration::from_mins(1);
const MINUTE: i64 = 60;

/// Counts sign-ups.
#[derive(Debug, Default)]
pub struct SignupLimit(Mutex<Seen>);

/// Whether somebody who may sign up is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Welcome,
    /// The address was asked often enough. Nobody is told: it may be a stranger's.
    Quiet,
}

#[derive(Debug, Default)]
struct Seen {
    overall: Buckets<()>,
    visitors: Buckets<IpAddr>,
    networks: Buckets<IpAddr>,
    domains: Buckets<String>,
    addresses: Buckets<String>,
    /// Who waited rather than worked.
    patient: Buckets<()>,
    /// Stamps that were used, and until when they could be.
    used: Buckets<String>,
    tries: Tries,
}

impl SignupLimit {
    /// Whether somebody may ask for a mail to `address` now; if so it counts. Else: how long to wait. Whether the address was
    /// asked often enough is another question: `admit_address`.
    pub fn admit(
        &self,
        (visitor, address): (IpAddr, &EmailAddress),
        limits: &SignupLimits,
        now: Timestamp,
    ) -> Result<(), SignedDuration> {
        let mut seen = self.seen();
        let (house, street) = (network(visitor), neighbourhood(visitor));
        let domain = address.domain().to_owned();
        // All are asked before any counts: whoever is refused has used nothing up.
        seen.overall.may(&(), limits.overall, now)?;
        seen.visitors.may(&house, limits.visitor, now)?;
        seen.networks.may(&street, limits.network, now)?;
        seen.domains.may(&domain, limits.domain, now)?;
        seen.overall.count((), limits.overall, now);
        seen.visitors.count(house, limits.visitor, now);
        seen.networks.count(street, limits.network, now);
        seen.domains.count(domain, limits.domain, now);
        Ok(())
    }

    /// Whether `address` may be mailed once more; if so it counts. Asked last: whoever stumbles before must not use up the mails
    /// of a day.
    pub fn admit_address(
        &self,
        address: &EmailAddress,
        limits: &SignupLimits,
        now: Timestamp,
    ) -> Admission {
        let mut seen = self.seen();
        let address = address.key();
        if seen.addresses.may(&address, limits.address, now).is_err() {
            return Admission::Quiet;
        }
        seen.addresses.count(address, limits.address, now);
        Admission::Welcome
    }

    /// Counts a try. True: there were more than `above` in this minute or the one before.
    pub(super) fn is_stormy(&self, above: u32, now: Timestamp) -> bool {
        let mut seen = self.seen();
        seen.tries.count(now);
        seen.tries.most(now) > above || above == 0
    }

    /// The same without counting one.
    pub(super) fn looks_stormy(&self, above: u32, now: Timestamp) -> bool {
        self.seen().tries.most(now) > above || above == 0
    }

    /// Whether one more who did no work may come in by waiting; if so it counts.
    pub(super) fn admit_patient(&self, rate: Rate, now: Timestamp) -> bool {
        let mut seen = self.seen();
        let may = seen.patient.may(&(), rate, now).is_ok();
        if may {
            seen.patient.count((), rate, now);
        }
        may
    }

    /// Whether `stamp` can still be used. Uses nothing up.
    pub(super) fn may_use(&self, stamp: &str, now: Timestamp) -> bool {
        self.seen().used.may_use(&stamp.to_owned(), now)
    }

    /// Uses `stamp`, which nobody can use after `until` anyway. False: it was used before, or there are too many.
    pub(super) fn use_up(&self, stamp: &str, until: Timestamp, now: Timestamp) -> bool {
        let used = &mut self.seen().used;
        let stamp = stamp.to_owned();
        let may = used.may_use(&stamp, now);
        if may {
            used.paid_at.insert(stamp, until);
        }
        may
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of each kind are kept in mind.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 5] {
        let seen = self.seen();
        let (visitors, networks) = (seen.visitors.paid_at.len(), seen.networks.paid_at.len());
        let (domains, addresses) = (seen.domains.paid_at.len(), seen.addresses.paid_at.len());
        [visitors, networks, domains, addresses, seen.used.paid_at.len()]
    }
}

/// When each will have paid for what it had: leaky buckets that leak by themselves.
#[derive(Debug)]
struct Buckets<K> {
    paid_at: HashMap<K, Timestamp>,
    /// When room was made last: it takes time.
    swept_at: Timestamp,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self { paid_at: HashMap::new(), swept_at: Timestamp::MIN }
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn has_room_for(&mut self, key: &K, now: Timestamp) -> bool {
        if self.paid_at.len() >= MOST
            && !self.paid_at.contains_key(key)
            && now.duration_since(self.swept_at) >= CROWDED
        {
            self.swept_at = now;
            self.paid_at.retain(|_, paid_at| *paid_at > now);
        }
        self.paid_at.len() < MOST || self.paid_at.contains_key(key)
    }

    fn may_use(&mut self, key: &K, now: Timestamp) -> bool {
        !self.paid_at.contains_key(key) && self.has_room_for(key, now)
    }

    fn may(&mut self, key: &K, rate: Rate, now: Timestamp) -> Result<(), SignedDuration> {
        if !self.has_room_for(key, now) {
            return Err(CROWDED);
        }
        let ahead = self.after(key, rate, now).duration_since(now);
        if ahead > rate.per { Err(ahead - rate.per) } else { Ok(()) }
    }

    fn count(&mut self, key: K, rate: Rate, now: Timestamp) {
        let then = self.after(&key, rate, now);
        self.paid_at.insert(key, then);
    }

    /// When `key` will have paid for one more.
    fn after(&self, key: &K, rate: Rate, now: Timestamp) -> Timestamp {
        let price = rate.per / i32::try_from(rate.count.max(1)).unwrap_or(i32::MAX);
        let paid_at = self.paid_at.get(key).copied().unwrap_or(now).max(now);
        paid_at.saturating_add(price).unwrap_or(Timestamp::MAX)
    }
}

/// Tries in this minute and the one before.
#[derive(Debug, Default)]
struct Tries {
    minute: i64,
    these: u32,
    before: u32,
}

impl Tries {
    fn count(&mut self, now: Timestamp) {
        let minute = now.as_second().div_euclid(MINUTE);
        if minute != self.minute {
            self.before = if minute == self.minute + 1 { self.these } else { 0 };
            (self.minute, self.these) = (minute, 0);
        }
        self.these = self.these.saturating_add(1);
    }

    fn most(&self, now: Timestamp) -> u32 {
        match now.as_second().div_euclid(MINUTE) - self.minute {
            0 => self.these.max(self.before),
            1 => self.these,
            _ => 0,
        }
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

/// What one customer of a network has at most, who has many addresses.
fn neighbourhood(visitor: IpAddr) -> IpAddr {
    match visitor.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_040 + seconds).unwrap()
    }

    /// Somebody signs up one address after another.
    fn comes(
        limit: &SignupLimit,
        visitor: &str,
        address: &str,
        seconds: i64,
    ) -> Result<Admission, SignedDuration> {
        let (visitor, address) = (visitor.parse().unwrap(), address.parse().unwrap());
        admitted(limit, (visitor, &address), &SignupLimits::default(), at(seconds))
    }

    fn admitted(
        limit: &SignupLimit,
        (visitor, address): (IpAddr, &EmailAddress),
        limits: &SignupLimits,
        now: Timestamp,
    ) -> Result<Admission, SignedDuration> {
        limit.admit((visitor, address), limits, now)?;
        Ok(limit.admit_address(address, limits, now))
    }

    #[test]
    fn one_visitor_gets_five_tries_at_once_and_one_more_each_twelve_minutes() {
        let limit = SignupLimit::default();
        for number in 0..5 {
            let address = format!("a{number}@example.org");
            assert_eq!(comes(&limit, "192.0.2.1", &address, 0), Ok(Admission::Welcome));
        }
        let wait = comes(&limit, "192.0.2.1", "b@example.org", 20).unwrap_err();
        assert_eq!(wait, SignedDuration::from_secs(700));
        assert!(comes(&limit, "192.0.2.2", "b@example.org", 20).is_ok());
        assert!(comes(&limit, "192.0.2.1", "c@example.org", 720).is_ok());
        assert!(comes(&limit, "192.0.2.1", "d@example.org", 720).is_err());
    }

    #[test]
    fn a_household_and_a_neighbourhood_cannot_hide_behind_their_many_addresses() {
        let limit = SignupLimit::default();
        for host in 0..5 {
            let (visitor, address) = (format!("2001:db8::{host}"), format!("a{host}@example.org"));
            assert!(comes(&limit, &visitor, &address, 0).is_ok());
        }
        assert!(comes(&limit, "2001:db8::99", "b@example.org", 0).is_err());
        assert!(comes(&limit, "2001:db8:0:1::1", "b@example.org", 0).is_ok());
        for host in 0..50 {
            let (visitor, address) = (format!("198.51.100.{host}"), format!("c{host}@example.org"));
            assert!(comes(&limit, &visitor, &address, 0).is_ok());
        }
        assert!(comes(&limit, "198.51.100.99", "d@example.org", 0).is_err());
        assert!(comes(&limit, "203.0.113.1", "d@example.org", 0).is_ok());
    }

    #[test]
    fn an_address_is_asked_three_times_a_day_and_nobody_is_told() {
        use Admission::{Quiet, Welcome};
        let limit = SignupLimit::default();
        let answers: Vec<_> = (0..5)
            .map(|host| comes(&limit, &format!("10.0.{host}.1"), "Ann@example.org", 0).unwrap())
            .collect();
        assert_eq!(answers, [Welcome, Welcome, Welcome, Quiet, Quiet]);
        let day = 24 * 3600;
        assert_eq!(comes(&limit, "10.0.9.1", "ann@example.org", day), Ok(Welcome));
    }

    #[test]
    fn a_flood_takes_only_so_much_memory_and_lets_sixty_in() {
        let limit = SignupLimit::default();
        let welcome = (0..50_000_u32)
            .filter(|number| {
                let address = format!("a{number}@d{number}.example").parse().unwrap();
                let visitor = IpAddr::from((number * 4_099).to_be_bytes());
                admitted(&limit, (visitor, &address), &SignupLimits::default(), at(0)).is_ok()
            })
            .count();
        assert_eq!(welcome, 60);
        assert!(limit.sizes().iter().all(|size| *size <= 60), "{:?}", limit.sizes());
        let wide = Rate { count: 1_000_000, per: SignedDuration::from_hours(24) };
        let limits = SignupLimits { overall: wide, ..SignupLimits::default() };
        for number in 0..120_000_u32 {
            let address = format!("a{number}@d{number}.example").parse().unwrap();
            let visitor = IpAddr::from((number * 4_099).to_be_bytes());
            let _ = admitted(&limit, (visitor, &address), &limits, at(100));
        }
        assert!(limit.sizes().iter().all(|size| *size <= MOST), "{:?}", limit.sizes());
    }

    #[test]
    fn a_storm_is_over_after_a_calm_minute() {
        let limit = SignupLimit::default();
        let seen: Vec<_> = (0..25).map(|_| limit.is_stormy(20, at(0))).collect();
        assert_eq!(seen.iter().filter(|stormy| **stormy).count(), 5);
        assert!(limit.is_stormy(20, at(60)));
        assert!(!limit.looks_stormy(20, at(120)) && !limit.is_stormy(20, at(180)));
        assert!(limit.looks_stormy(0, at(9000)), "always");
    }

    #[test]
    fn a_stamp_is_used_once() {
        let limit = SignupLimit::default();
        assert!(limit.use_up("stamp", at(60), at(0)));
        assert!(!limit.use_up("stamp", at(60), at(1)));
    }
}
