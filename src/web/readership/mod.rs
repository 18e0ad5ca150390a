//! How many read the feeds, without knowing who: what services tell of their readers, and how many clients came.
//!
//! A client is a hash with a salt that is drawn for the day, kept in memory alone and thrown away with it. Only counts are
//! ever written down. All of it is a lower bound: readers behind one address with one program count once.

mod agent;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{WebState, feeds};
use crate::audience::network;
use crate::domain::random_bytes;
use crate::store::FeedReaders;
use crate::telemetry;

/// How often counts are written down.
const EVERY: SignedDuration = SignedDuration::from_mins(5);
/// Hashes that are kept of a feed's clients. So many and fewer are counted, more are estimated within a few percent.
const SAMPLE: usize = 1024;
/// Services that are kept in mind for a feed.
const SERVICES: usize = 200;
/// A service that has not come for so many days has stopped polling.
const SERVICE_DAYS: i64 = 3;
const SECONDS_OF_DAY: i64 = 86_400;

#[derive(Debug, Default)]
pub(super) struct Readership(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Days since 1970, UTC.
    day: i64,
    salt: [u8; 32],
    feeds: HashMap<String, Readers>,
    /// What is not written down of the days before.
    finished: BTreeMap<(i64, String), FeedReaders>,
    has_news: bool,
}

#[derive(Debug, Default)]
struct Readers {
    /// The smallest of the clients' hashes: how closely they lie tells how many there are.
    clients: BTreeSet<u64>,
    /// Of each service, what it told last and when.
    services: HashMap<String, (u64, i64)>,
}

impl Readership {
    /// Somebody got the feed at `path`, or heard that it is unchanged.
    pub(super) fn note(
        &self,
        path: &str,
        client: Option<IpAddr>,
        headers: &HeaderMap,
        now: Timestamp,
    ) {
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let agent = agent.unwrap_or_default();
        let told = agent::told(agent);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.begin_day(now);
        counts.has_news = true;
        let (day, salt) = (counts.day, counts.salt);
        if !counts.feeds.contains_key(path) {
            counts.feeds.insert(path.to_owned(), Readers::default());
        }
        let Some(readers) = counts.feeds.get_mut(path) else { return };
        match told {
            Some(told) => readers.hear(told, day),
            None => readers.count(hash(&salt, client, agent)),
        }
    }

    /// What is to be written down.
    fn rows(&self, now: Timestamp) -> Vec<FeedReaders> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.begin_day(now);
        if !std::mem::take(&mut counts.has_news) {
            return Vec::new();
        }
        let mut rows: Vec<_> = std::mem::take(&mut counts.finished).into_values().collect();
        rows.extend(counts.rows());
        rows
    }

    /// `rows` could not be written down.
    fn keep(&self, rows: Vec<FeedReaders>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let day = counts.day;
        counts.has_news = true;
        counts.finish(rows.into_iter().filter(|row| row.day < day));
    }
}

impl Counts {
    /// A day is over, and perhaps told of before.
    fn finish(&mut self, rows: impl IntoIterator<Item = FeedReaders>) {
        self.finished.extend(rows.into_iter().map(|row| ((row.day, row.path.clone()), row)));
    }

    fn begin_day(&mut self, now: Timestamp) {
        let day = now.as_second().div_euclid(SECONDS_OF_DAY);
        if day == self.day {
            return;
        }
        let rows = self.rows();
        self.finish(rows);
        self.day = day;
        self.salt = random_bytes();
        for readers in self.feeds.values_mut() {
            readers.clients.clear();
            readers.services.retain(|_, (_, heard)| day - *heard < SERVICE_DAYS);
        }
        self.feeds.retain(|_, readers| !readers.services.is_empty());
    }

    fn rows(&self) -> Vec<FeedReaders> {
        let row = |(path, readers): (&String, &Readers)| FeedReaders {
            day: self.day,
            path: path.clone(),
            pollers: readers.clients(),
            subscribers: readers.subscribers(),
        };
        self.feeds.iter().map(row).collect()
    }
}

impl Readers {
    fn hear(&mut self, told: agent::Told, day: i64) {
        if self.services.len() < SERVICES || self.services.contains_key(&told.service) {
            self.services.insert(told.service, (told.readers, day));
        }
    }

    fn count(&mut self, hash: u64) {
        self.clients.insert(hash);
        if self.clients.len() > SAMPLE {
            self.clients.pop_last();
        }
    }

    fn clients(&self) -> i64 {
        let count = self.clients.len();
        let Some(largest) = self.clients.last().filter(|_| count == SAMPLE) else {
            return i64::try_from(count).unwrap_or(i64::MAX);
        };
        // Hashes are spread evenly: the largest of the sample is at its share of all of them.
        let estimate = (SAMPLE as u128 - 1) * u128::from(u64::MAX) / u128::from((*largest).max(1));
        i64::try_from(estimate).unwrap_or(i64::MAX)
    }

    fn subscribers(&self) -> i64 {
        let told = self.services.values().map(|(readers, _)| *readers);
        i64::try_from(told.fold(0, u64::saturating_add)).unwrap_or(i64::MAX)
    }
}

fn hash(salt: &[u8; 32], client: Option<IpAddr>, agent: &str) -> u64 {
    let mut digest = Context::new(&SHA256);
    digest.update(salt);
    match client.map(network) {
        Some(IpAddr::V4(address)) => digest.update(&address.octets()),
        Some(IpAddr::V6(address)) => digest.update(&address.octets()),
        None => {}
    }
    digest.update(agent.as_bytes());
    let mut part = [0; 8];
    part.copy_from_slice(&digest.finish().as_ref()[..8]);
    u64::from_be_bytes(part)
}

/// Writes the counts down from time to time, and once more at `stop`.
pub async fn keep_readership(state: WebState, stop: CancellationToken) {
    loop {
        let next = state.clock.now().saturating_add(EVERY).unwrap_or(Timestamp::MAX);
        let is_over = tokio::select! {
            () = stop.cancelled() => true,
            () = state.clock.sleep_until(next) => false,
        };
        write_down(&state).await;
        if is_over {
            return;
        }
    }
}

async fn write_down(state: &WebState) {
    let readership = &state.kept.readership;
    let rows = readership.rows(state.clock.now());
    let newest = rows.iter().map(|row| row.day).max();
    for row in rows
        .iter()
        .filter(|row| Some(row.day) == newest && feeds::name_in_metrics(&row.path) == row.path)
    {
        telemetry::feed_readers(&row.path, row.pollers, row.subscribers);
    }
    if rows.is_empty() {
        return;
    }
    if let Err(error) = state.store.note_readers(&rows).await {
        let error = telemetry::causes(&error);
        tracing::warn!(%error, "the counts of feed readers wait for the database");
        readership.keep(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn agent(text: &str) -> HeaderMap {
        [(USER_AGENT, text.parse().unwrap())].into_iter().collect()
    }

    fn client(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn counted(readership: &Readership, now: Timestamp) -> Vec<(i64, i64, i64)> {
        let mut rows = readership.rows(now);
        rows.sort_by_key(|row| row.day);
        rows.iter().map(|row| (row.day, row.pollers, row.subscribers)).collect()
    }

    /// Statement 41.
    #[test]
    fn a_service_counts_as_it_says_and_who_comes_twice_counts_once() {
        let readership = Readership::default();
        let now = at("2026-11-20T08:00:00Z");
        let polls =
            |client, name: &str| readership.note("/feed.xml", Some(client), &agent(name), now);
        polls(client(1), "Feedbin feed-id:1 - 10 subscribers");
        polls(client(2), "Feedbin feed-id:1 - 12 subscribers");
        polls(client(1), "Feedbin feed-id:2 - 5 subscribers");
        for _ in 0..3 {
            polls(client(3), "newsboat/2.21");
            polls(client(3), "Liferea/1.15");
            polls(client(4), "newsboat/2.21");
        }
        let day = now.as_second() / SECONDS_OF_DAY;
        assert_eq!(counted(&readership, now), [(day, 3, 17)]);
        assert_eq!(counted(&readership, now), [], "nothing new");
    }

    #[test]
    fn a_new_day_forgets_clients_and_after_a_while_services() {
        let readership = Readership::default();
        let now = at("2026-11-20T23:59:00Z");
        let day = now.as_second() / SECONDS_OF_DAY;
        readership.note("/feed.xml", Some(client(1)), &agent("newsboat"), now);
        readership.note(
            "/feed.xml",
            Some(client(2)),
            &agent("Feedbin feed-id:1 - 10 subscribers"),
            now,
        );
        let salt = readership.0.lock().unwrap().salt;
        let next = at("2026-11-21T00:01:00Z");
        readership.note("/feed.xml", Some(client(1)), &agent("newsboat"), next);
        assert_ne!(readership.0.lock().unwrap().salt, salt);
        assert_eq!(counted(&readership, next), [(day, 1, 10), (day + 1, 1, 10)]);
        let later = at("2026-11-24T00:01:00Z");
        readership.note("/feed.xml", Some(client(1)), &agent("newsboat"), later);
        assert_eq!(counted(&readership, later).last(), Some(&(day + 4, 1, 0)));
    }

    #[test]
    fn a_day_whose_counts_could_not_be_written_is_told_of_once() {
        let readership = Readership::default();
        let now = at("2026-11-20T23:59:59Z");
        readership.note("/feed.xml", Some(client(1)), &agent("newsboat"), now);
        let rows = readership.rows(now);
        let next = at("2026-11-21T00:01:00Z");
        readership.note("/feed.xml", Some(client(1)), &agent("newsboat"), next);
        readership.keep(rows);
        let day = now.as_second() / SECONDS_OF_DAY;
        assert_eq!(counted(&readership, next), [(day, 1, 0), (day + 1, 1, 0)]);
    }

    #[test]
    fn many_clients_are_estimated_in_little_memory() {
        let mut readers = Readers::default();
        for number in 0..100_000_u32 {
            readers.count(hash(&[7; 32], Some(IpAddr::from(number.to_be_bytes())), "a"));
        }
        assert!((90_000..110_000).contains(&readers.clients()), "{}", readers.clients());
        assert_eq!(readers.clients.len(), SAMPLE);
    }
}
