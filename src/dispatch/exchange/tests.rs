use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::task::TaskTracker;

use super::super::job::Content;
use super::super::{ChannelSpec, Limits, ServerSpec};
use super::*;
use crate::domain::{
    AnnouncementId, DeliveryId, DomainLimits, EditionId, LetterId, Rate, Reason, Reply,
    RetryPolicy, SubscriptionId, Target, WarmUp,
};
use crate::store::{DueDelivery, Lease};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn server(name: &str) -> ServerSpec {
    ServerSpec {
        name: name.to_owned(),
        connections: 4,
        weight: 1,
        rate: None,
        daily_quota: None,
        domains: Vec::new(),
        signs: true,
        courier: Arc::new(|| panic!("nothing is sent here")),
    }
}

fn channel(servers: &[usize]) -> Arc<ChannelSpec> {
    Arc::new(ChannelSpec {
        name: "mail:weekly".to_owned(),
        retry: RetryPolicy {
            first_delay: SignedDuration::from_mins(5),
            max_delay: SignedDuration::from_hours(4),
            max_attempts: 10,
            give_up_after: SignedDuration::from_hours(48),
            resend_uncertain: true,
        },
        servers: servers.to_vec(),
        send_window: None,
        warm_up: None,
    })
}

fn group(servers: Vec<ServerSpec>) -> GroupSpec {
    let others = Some(DomainLimits { connections: 20, rate: None });
    let limits = Limits { domains: BTreeMap::new(), others };
    GroupSpec { servers, limits, ..GroupSpec::default() }
}

struct Desk {
    exchange: Exchange,
    tracker: TaskTracker,
    next_id: i64,
}

impl Desk {
    fn new(group: &GroupSpec) -> Self {
        Self { exchange: Exchange::new(group), tracker: TaskTracker::new(), next_id: 1 }
    }

    fn job(&mut self, channel: &Arc<ChannelSpec>, lane: Lane, edition: i64, domain: &str) -> Job {
        let id = self.next_id;
        self.next_id += 1;
        let target = match lane {
            Lane::Letter => Target::Letter { letter: LetterId(id) },
            Lane::Announcement => Target::Announcement { announcement: AnnouncementId(id) },
            Lane::Instant | Lane::Digest => {
                Target::Edition { edition: EditionId(edition), subscription: SubscriptionId(id) }
            }
        };
        let due = DueDelivery {
            id: DeliveryId(id),
            target,
            attempts: 0,
            planned_at: at(0),
            address: format!("reader{id}@{domain}").parse().ok(),
            recipient_left: false,
            was_uncertain: false,
        };
        Job {
            channel: Arc::clone(channel),
            lane,
            lease: Lease { batch: edition, epoch: 1 },
            due,
            content: Content::Call("{}".into()),
            domain: domain.into(),
            put_back: 0,
            _open: self.tracker.token(),
        }
    }

    fn offer(&mut self, channel: &Arc<ChannelSpec>, lane: Lane, edition: i64, domains: &[&str]) {
        let jobs: Vec<Job> =
            domains.iter().map(|domain| self.job(channel, lane, edition, domain)).collect();
        self.exchange.offer(jobs);
    }

    fn take(&self, server: usize, now: Timestamp) -> Option<Box<Job>> {
        match self.exchange.take(server, now) {
            Taken::Job(job) => Some(job),
            Taken::Nothing(_) | Taken::Closed => None,
        }
    }

    fn waits_until(&self, server: usize, now: Timestamp) -> Option<Timestamp> {
        match self.exchange.take(server, now) {
            Taken::Nothing(until) => until,
            Taken::Job(job) => panic!("{} was taken", job.due.id),
            Taken::Closed => panic!("it is closed"),
        }
    }

    fn tell(&self, server: usize, job: &Job, outcome: &Outcome, now: Timestamp) {
        self.exchange.told(server, job, outcome, (now, 0.5));
    }
}

fn reply() -> Reply {
    Reply::new("mx.test:25", None, "")
}

fn throttled() -> Outcome {
    Outcome::Deferred { reply: reply(), reason: Reason::Throttle, not_before: None }
}

#[test]
fn letters_go_first_then_single_posts_then_digests_and_editions_take_turns() {
    let mut desk = Desk::new(&group(vec![server("main")]));
    let channel = channel(&[0]);
    desk.offer(&channel, Lane::Digest, 1, &["a.test", "a.test"]);
    desk.offer(&channel, Lane::Instant, 2, &["a.test", "a.test", "a.test"]);
    desk.offer(&channel, Lane::Instant, 3, &["a.test", "a.test"]);
    desk.offer(&channel, Lane::Letter, 4, &["a.test"]);
    let order: Vec<_> = std::iter::from_fn(|| desk.take(0, at(0)))
        .map(|job| job.edition().map_or(0, |edition| edition.0))
        .collect();
    assert_eq!(order, [0, 2, 3, 2, 3, 2, 1, 1]);
}

#[test]
fn a_domain_that_is_too_fast_for_holds_up_no_other() {
    let mut desk = Desk::new(&group(vec![server("main")]));
    let channel = channel(&[0]);
    desk.offer(&channel, Lane::Digest, 1, &["slow.test", "slow.test", "quick.test", "quick.test"]);
    let first = desk.take(0, at(0)).unwrap();
    assert_eq!(&*first.domain, "slow.test");
    desk.tell(0, &first, &throttled(), at(1));
    let next: Vec<_> = std::iter::from_fn(|| desk.take(0, at(2))).collect();
    assert!(next.iter().all(|job| &*job.domain == "quick.test") && next.len() == 2);
    assert_eq!(desk.waits_until(0, at(3)), Some(at(2_001)));
    assert_eq!(&*desk.take(0, at(2_001)).unwrap().domain, "slow.test");
}

#[test]
fn what_one_server_cannot_reach_another_carries_until_one_connection_finds_it_mended() {
    let mut desk = Desk::new(&group(vec![server("main"), server("spare")]));
    let channel = channel(&[0, 1]);
    desk.offer(&channel, Lane::Digest, 1, &["a.test"; 20]);
    let mut now = at(0);
    for _ in 0..3 {
        let job = desk.take(0, now).unwrap();
        desk.tell(0, &job, &Outcome::Unreachable(reply()), now);
        desk.exchange.put_back(*job);
    }
    assert!(desk.take(0, now).is_none(), "it is open");
    for _ in 0..10 {
        let job = desk.take(1, now).expect("the other carries all of it");
        desk.tell(1, &job, &Outcome::Accepted(reply()), now);
    }
    now = desk.waits_until(0, now).unwrap();
    let probe = desk.take(0, now).unwrap();
    assert!(desk.take(0, now).is_none(), "one is enough to find out");
    desk.tell(0, &probe, &Outcome::Accepted(reply()), now);
    assert!(desk.take(0, now).is_some());
}

#[test]
fn servers_share_the_work_by_their_weight_and_a_spare_one_has_none_of_it() {
    let servers = vec![
        ServerSpec { weight: 3, ..server("big") },
        server("small"),
        ServerSpec { weight: 0, ..server("spare") },
    ];
    let mut desk = Desk::new(&group(servers));
    let channel = channel(&[0, 1, 2]);
    let mut carried: HashMap<usize, usize> = HashMap::new();
    desk.offer(&channel, Lane::Digest, 1, &["a.test"; 400]);
    let mut now = at(0);
    for turn in 0..4_000 {
        now += SignedDuration::from_micros(100);
        let server = turn % 3;
        if let Some(job) = desk.take(server, now) {
            *carried.entry(server).or_default() += 1;
            desk.tell(server, &job, &Outcome::Accepted(reply()), now);
        }
    }
    assert_eq!(carried.values().sum::<usize>(), 400);
    assert!((270..=330).contains(&carried[&0]), "{carried:?}");
    assert_eq!(carried.get(&2), None);
}

#[test]
fn a_server_that_stands_still_keeps_no_other_from_working() {
    let mut desk = Desk::new(&group(vec![server("quick"), server("stuck")]));
    let channel = channel(&[0, 1]);
    desk.offer(&channel, Lane::Digest, 1, &["a.test"; 200]);
    let _stuck = desk.take(1, at(0)).unwrap();
    let mut carried = 0;
    for turn in 0..4_000 {
        let now = at(turn);
        if let Some(job) = desk.take(0, now) {
            carried += 1;
            desk.tell(0, &job, &Outcome::Accepted(reply()), now);
        }
    }
    assert_eq!(carried, 199);
}

#[test]
fn a_server_for_some_domains_carries_those_and_nobody_else_does_while_it_is_there() {
    let only = ServerSpec { domains: vec!["gmail.test".to_owned()], ..server("gmail") };
    let mut desk = Desk::new(&group(vec![server("main"), only]));
    let channel = channel(&[0, 1]);
    desk.offer(&channel, Lane::Digest, 1, &["gmail.test", "a.test", "gmail.test"]);
    assert_eq!(&*desk.take(0, at(0)).unwrap().domain, "a.test");
    assert!(desk.take(0, at(0)).is_none());
    let job = desk.take(1, at(0)).unwrap();
    assert_eq!(&*job.domain, "gmail.test");
    for _ in 0..3 {
        desk.tell(1, &job, &Outcome::Unreachable(reply()), at(0));
    }
    assert_eq!(&*desk.take(0, at(0)).unwrap().domain, "gmail.test", "better than not at all");
}

#[test]
fn a_rate_a_quota_and_a_warm_up_hold_editions_but_no_letters() {
    let slow = Rate { count: 2, per: SignedDuration::from_secs(1) };
    let limited = ServerSpec { rate: Some(slow), daily_quota: Some(1_000), ..server("main") };
    let plan =
        WarmUp { start: jiff::civil::date(2026, 12, 1), first_day: 10, growth: 1.5, until: 1_000 };
    let mut spec = group(vec![limited]);
    spec.warm_ups.insert("example.org".to_owned(), plan);
    let mut desk = Desk::new(&spec);
    let mut warming = (*channel(&[0])).clone();
    warming.warm_up = Some("example.org".to_owned());
    let channel = Arc::new(warming);
    desk.offer(&channel, Lane::Digest, 1, &["a.test"; 4]);
    assert!(desk.take(0, at(0)).is_none(), "nothing was reserved yet");
    desk.offer(&channel, Lane::Letter, 2, &["a.test"]);
    assert_eq!(desk.take(0, at(0)).unwrap().lane, Lane::Letter);
    let low = desk.exchange.low_purses(at(0));
    assert_eq!(low, [("server:main".to_owned(), 1), ("warm-up:example.org".to_owned(), 1)]);
    let filling = Filling { granted: Some(2), hour: 7, settled: 1, ask_again_at: at(60_000) };
    desk.exchange.fill_purse("server:main", filling);
    assert!(desk.take(0, at(0)).is_none(), "the warm-up has no room");
    desk.exchange.fill_purse("warm-up:example.org", filling);
    assert_eq!(desk.take(0, at(0)).unwrap().lane, Lane::Digest);
    assert_eq!(desk.waits_until(0, at(0)), Some(at(500)), "two a second");
    assert!(desk.take(0, at(500)).is_some());
    let empty = Filling { granted: Some(0), settled: 0, ..filling };
    desk.exchange.fill_purse("server:main", empty);
    assert_eq!(desk.waits_until(0, at(1_000)), Some(at(60_000)));
    let left = desk.exchange.empty_purses();
    assert!(left.iter().all(|(_, unused, _)| *unused == 0), "{left:?}");
}

#[tokio::test]
async fn no_job_slips_in_behind_the_last_worker_and_holds_its_batch_open() {
    let mut desk = Desk::new(&group(vec![server("main")]));
    let channel = channel(&[0]);
    desk.offer(&channel, Lane::Digest, 1, &["a.test"]);
    desk.exchange.close();
    desk.offer(&channel, Lane::Letter, 2, &["a.test"]);
    assert!(matches!(desk.exchange.take(0, at(0)), Taken::Closed));
    desk.tracker.close();
    assert!(desk.tracker.is_empty(), "a batch waits for all of its jobs");
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_nothing_may_go_is_handed_back_with_the_time() {
    let mut desk = Desk::new(&group(vec![server("main")]));
    let channel = channel(&[0]);
    desk.offer(&channel, Lane::Digest, 1, &["slow.test"; 3]);
    let job = desk.take(0, at(0)).unwrap();
    desk.tell(0, &job, &throttled(), at(0));
    assert_eq!(desk.waits_until(0, at(1)), Some(at(2_000)));
    assert_eq!(desk.exchange.take_back_stuck(1), None);
    tokio::time::advance(PATIENCE).await;
    assert_eq!(desk.exchange.take_back_stuck(1), Some(Stuck { next_at: Some(at(2_000)) }));
    drop(job);
    desk.tracker.close();
    desk.tracker.wait().await;
}

#[test]
fn a_paused_edition_leaves_nothing_on_offer_and_others_stay() {
    let mut desk = Desk::new(&group(vec![server("main")]));
    let channel = channel(&[0]);
    desk.offer(&channel, Lane::Digest, 1, &["a.test", "b.test"]);
    desk.offer(&channel, Lane::Digest, 2, &["a.test"]);
    desk.exchange.drop_edition(EditionId(1));
    assert_eq!(desk.take(0, at(0)).unwrap().edition(), Some(EditionId(2)));
    assert!(desk.take(0, at(0)).is_none());
}
