//! A round of parcels that writes down what it is asked, and the rules that hold for what it wrote.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures_util::future::BoxFuture;
use postrider::courier::{Courier as _, MailParcel, Parcel, Round};
use postrider::domain::{DeliveryId, Outcome};
use postrider::smtp::SmtpCourier;

use super::numbered;
use crate::harness::smtp::{Diary, SmtpServer};

/// A round whose ledger is a diary, shared with the server.
pub(super) struct Script {
    waiting: VecDeque<Parcel>,
    /// Deliveries that somebody else has when it comes to the intent.
    pub(super) lost: BTreeSet<DeliveryId>,
    told: BTreeMap<DeliveryId, Outcome>,
    pub(super) diary: Diary,
    pub(super) settled: usize,
}

/// The address of the recipient of delivery `number`.
pub(super) fn reader(number: i64) -> String {
    format!("reader{number}@example.org")
}

impl Script {
    /// Mails to the readers 1 to `count`.
    pub(super) fn of(count: i64, server: &SmtpServer) -> Self {
        let mails = (1..=count).map(|number| numbered(number, &reader(number)));
        Self::with(mails.collect(), server)
    }

    pub(super) fn with(parcels: Vec<Parcel>, server: &SmtpServer) -> Self {
        Self {
            waiting: parcels.into(),
            lost: BTreeSet::new(),
            told: BTreeMap::new(),
            diary: server.diary(),
            settled: 0,
        }
    }

    /// Lets `courier` carry everything, in as many runs as that takes. Returns how many that were.
    pub(super) async fn run(&mut self, courier: &mut SmtpCourier) -> usize {
        let mut runs = 0;
        while let Some(first) = self.waiting.pop_front() {
            courier.carry_all(first, self).await;
            runs += 1;
            assert_eq!(self.settled, self.told.len(), "a run ends when its outcomes are durable");
        }
        runs
    }

    /// Lets `courier` carry one run only.
    pub(super) async fn run_once(&mut self, courier: &mut SmtpCourier) {
        let first = self.waiting.pop_front().expect("there is a parcel");
        courier.carry_all(first, self).await;
    }

    pub(super) fn add(&mut self, parcel: Parcel) {
        self.waiting.push_back(parcel);
    }

    pub(super) fn outcome(&self, number: i64) -> &Outcome {
        self.told.get(&DeliveryId(number)).unwrap_or_else(|| panic!("{number} was told nothing"))
    }

    pub(super) fn word(&self, number: i64) -> &'static str {
        self.outcome(number).word()
    }

    pub(super) fn words(&self) -> Vec<&'static str> {
        self.told.values().map(Outcome::word).collect()
    }

    /// The rules that hold for every run, whatever the server did. `window`: mails in flight at most.
    pub(super) fn check(&self, server: &SmtpServer, window: usize) {
        let taken: BTreeSet<_> = server.letters().into_iter().map(|letter| letter.to).collect();
        assert_eq!(taken.len(), server.letters().len(), "somebody got it twice");
        for (delivery, outcome) in &self.told {
            let has_it = taken.contains(&reader(delivery.0));
            match outcome {
                Outcome::Accepted(_) => assert!(has_it, "{delivery}: nobody took it"),
                Outcome::Uncertain(_) => {}
                other => assert!(!has_it, "{delivery}: it was taken, and called {other:?}"),
            }
        }
        let entries = self.diary.entries();
        let place = |entry: &str| entries.iter().position(|other| other == entry);
        for (at, entry) in entries.iter().enumerate() {
            let Some(address) = entry.strip_prefix("end ") else { continue };
            let number =
                (1..10_000).find(|number| reader(*number) == address).expect("one of ours");
            let intent = place(&format!("intend {number}"));
            assert!(
                intent.is_some_and(|intent| intent < at),
                "{number} had no intent: {entries:?}"
            );
            let in_flight = entries[..at]
                .iter()
                .filter_map(|entry| entry.strip_prefix("end "))
                .filter(|earlier| {
                    let earlier = (1..10_000).find(|number| reader(*number) == **earlier);
                    let told = earlier.and_then(|earlier| place(&format!("tell {earlier}")));
                    told.is_none_or(|told| told > intent.unwrap_or_default())
                })
                .count();
            assert!(in_flight < window, "{in_flight} before {number} not durable: {entries:?}");
        }
    }
}

impl Round for Script {
    fn next(&mut self) -> Option<Parcel> {
        self.waiting.pop_front()
    }

    fn in_seven_bit(&mut self, delivery: DeliveryId) -> Option<MailParcel> {
        match numbered(delivery.0, &reader(delivery.0)) {
            Parcel::Mail(mail) => Some(mail),
            Parcel::Call(_) => None,
        }
    }

    fn intend<'a>(&'a mut self, deliveries: &'a [DeliveryId]) -> BoxFuture<'a, Vec<DeliveryId>> {
        Box::pin(async move {
            // A commit takes its time, and others run meanwhile.
            tokio::task::yield_now().await;
            let may_go: Vec<_> = deliveries
                .iter()
                .copied()
                .filter(|delivery| !self.lost.contains(delivery))
                .collect();
            for delivery in &may_go {
                self.diary.note(format!("intend {delivery}"));
            }
            self.settled = self.told.len();
            may_go
        })
    }

    fn tell(&mut self, delivery: DeliveryId, outcome: Outcome) {
        self.diary.note(format!("tell {delivery}"));
        let before = self.told.insert(delivery, outcome);
        assert!(before.is_none(), "{delivery} was told twice: {before:?}");
    }

    fn settle(&mut self) -> BoxFuture<'_, ()> {
        self.settled = self.told.len();
        Box::pin(std::future::ready(()))
    }
}
