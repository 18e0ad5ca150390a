//! How often one client may ask for feeds: far more often than any reader needs, too seldom to be a burden.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::audience::network;

/// What was not used in so long is kept for a burst: a reader comes for all its feeds at once.
const BURST: SignedDuration = SignedDuration::from_mins(1);
/// Clients that are kept in mind.
const CLIENTS: usize = 50_000;
/// An answer without a body costs so many times less than one with.
const UNCHANGED: i32 = 4;

/// When each client will have paid for what it asked: a leaky bucket that leaks by itself. A restart forgets them.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<IpAddr, Timestamp>>);

impl Pace {
    /// Whether `client` may have an answer; if so it counts. Else: how long to wait. 0 `per_minute`: always.
    pub(super) fn admit(
        &self,
        client: IpAddr,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<(), SignedDuration> {
        let Some(price) = price(per_minute) else { return Ok(()) };
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS {
            clients.retain(|_, paid_at| *paid_at > now);
            // So many at once are no readers: whoever they are, memory has an end.
            if clients.len() >= CLIENTS {
                clients.clear();
            }
        }
        let paid_at = clients.entry(network(client)).or_insert(now);
        let then = (*paid_at).max(now).saturating_add(price).unwrap_or(Timestamp::MAX);
        let ahead = then.duration_since(now);
        if ahead > BURST {
            return Err(ahead - BURST);
        }
        *paid_at = then;
        Ok(())
    }

    /// The answer to `client` was that nothing is new: the best that a reader can ask for.
    pub(super) fn was_unchanged(&self, client: IpAddr, per_minute: u32) {
        let Some(price) = price(per_minute) else { return };
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paid_at) = clients.get_mut(&network(client)) {
            *paid_at = paid_at.saturating_sub(price - price / UNCHANGED).unwrap_or(*paid_at);
        }
    }
}

fn price(per_minute: u32) -> Option<SignedDuration> {
    let per_minute = i32::try_from(per_minute).unwrap_or(i32::MAX);
    (per_minute > 0).then(|| BURST / per_minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_client_that_hammers_is_told_how_long_to_wait() {
        let pace = Pace::default();
        let (ann, bob) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        for _ in 0..60 {
            assert_eq!(pace.admit(ann, 60, at(0)), Ok(()));
        }
        assert_eq!(pace.admit(ann, 60, at(0)), Err(SignedDuration::from_secs(1)));
        assert_eq!(pace.admit(bob, 60, at(0)), Ok(()), "others don't suffer");
        assert_eq!(pace.admit(ann, 60, at(1)), Ok(()));
        assert!(pace.admit(ann, 60, at(1)).is_err());
        assert_eq!(pace.admit(ann, 0, at(1)), Ok(()), "no limit");
        for _ in 0..60 {
            assert_eq!(pace.admit(ann, 60, at(3600)), Ok(()), "a quiet hour is no credit");
        }
        assert!(pace.admit(ann, 60, at(3600)).is_err());
    }

    #[test]
    fn nothing_new_costs_a_quarter() {
        let pace = Pace::default();
        let ann = "192.0.2.1".parse().unwrap();
        let mut admitted = 0;
        while pace.admit(ann, 60, at(0)).is_ok() {
            pace.was_unchanged(ann, 60);
            admitted += 1;
        }
        assert!((230..=240).contains(&admitted), "{admitted}");
    }

    #[test]
    fn a_flood_of_clients_takes_only_so_much_memory() {
        let pace = Pace::default();
        for number in 0..120_000_u32 {
            let _ = pace.admit(IpAddr::from(number.to_be_bytes()), 1, at(0));
        }
        assert!(pace.0.lock().unwrap().len() <= CLIENTS);
    }
}
