//! The audit: what the ledger says against what the mail server has.

use std::collections::{BTreeMap, HashMap};

use postrider::domain::DeliveryState;
use postrider::store::{AttemptRow, DeliveryFilter, DeliveryRow, Store};

use super::rig::Rig;
use crate::harness::sink::Taken;

/// What the books showed when both sides were compared.
#[derive(Debug, Default)]
pub(super) struct Audit {
    /// Mails that somebody had already.
    pub(super) doubles: usize,
    /// Attempts without an answer.
    pub(super) uncertain: usize,
    /// Deliveries that wait for a person.
    pub(super) held: usize,
    /// The most that any daemon left behind in doubt.
    pub(super) most_in_doubt: usize,
}

struct Entry {
    row: DeliveryRow,
    attempts: Vec<AttemptRow>,
}

/// Compares the ledger with the mail server, mail by mail, when everything is over. `most` may be in doubt of each era.
pub(super) async fn audit(rig: &Rig, store: &Store, most: usize) -> Audit {
    let book = read(store).await;
    assert_eq!(book.len(), rig.owed(), "everybody is owed every post");
    let mut taken: HashMap<String, Vec<Taken>> = HashMap::new();
    for mail in rig.sink.taken() {
        taken.entry(mail.message_id.clone()).or_default().push(mail);
    }
    let mut audit = Audit::default();
    let (mut doubles_of, mut in_doubt_of) = (BTreeMap::new(), BTreeMap::new());
    for (message_id, entry) in &book {
        let came = taken.remove(message_id).unwrap_or_default();
        check(entry, &came);
        audit.uncertain += count(&entry.attempts, "uncertain");
        audit.held += usize::from(entry.row.held);
        let earlier = came.len().saturating_sub(1);
        audit.doubles += earlier;
        for double in &came[..earlier] {
            *doubles_of.entry(double.era).or_insert(0_usize) += 1;
        }
        for attempt in entry.attempts.iter().filter(|attempt| attempt.outcome == "uncertain") {
            *in_doubt_of.entry(rig.era_of(attempt.started_at)).or_insert(0_usize) += 1;
        }
    }
    assert!(taken.is_empty(), "mail went out that nobody was owed: {taken:#?}");
    let most_doubles = doubles_of.values().copied().max().unwrap_or(0);
    audit.most_in_doubt = in_doubt_of.values().copied().max().unwrap_or(0);
    assert!(most_doubles <= most, "doubles by era: {doubles_of:?}");
    assert!(audit.most_in_doubt <= most, "in doubt by era: {in_doubt_of:?}");
    audit
}

/// Every delivery with its attempts, by Message-ID.
async fn read(store: &Store) -> HashMap<String, Entry> {
    let mut tx = store.read().await.expect("the database answers");
    let filter = DeliveryFilter { limit: 1_000_000, ..DeliveryFilter::default() };
    let mut book = HashMap::new();
    for row in tx.deliveries(filter).await.expect("the database answers") {
        let attempts = tx.attempts_of(row.id).await.expect("the database answers");
        let message_id = format!("{}@example.org", store.keyring().delivery_key(row.id));
        book.insert(message_id, Entry { row, attempts });
    }
    book
}

fn count(attempts: &[AttemptRow], outcome: &str) -> usize {
    attempts.iter().filter(|attempt| attempt.outcome == outcome).count()
}

/// One delivery: the ledger's word against the mail server's.
fn check(entry: &Entry, came: &[Taken]) {
    let Entry { row, attempts } = entry;
    let said = || format!("{row:#?} {attempts:#?} {came:#?}");
    assert!(came.iter().all(|mail| mail.to == row.recipient), "the wrong person: {}", said());
    let (accepted, uncertain) = (count(attempts, "accepted"), count(attempts, "uncertain"));
    if row.held {
        assert_eq!(row.state, DeliveryState::Uncertain, "{}", said());
        assert_eq!(accepted, 0, "{}", said());
    } else {
        assert_eq!(row.state, DeliveryState::Accepted, "{}", said());
        assert_eq!(accepted, 1, "{}", said());
        assert!(!came.is_empty(), "the ledger says it was taken, and it was not: {}", said());
    }
    // Every mail that came is in the book, and each but the last was called uncertain before it went out again.
    assert!(came.len() <= accepted + uncertain, "a double that nobody foresaw: {}", said());
    assert_eq!(attempts.len(), accepted + uncertain, "{}", said());
    assert_eq!(usize::try_from(row.attempts), Ok(attempts.len()), "{}", said());
    let last = attempts.last().map(|attempt| attempt.outcome.as_str());
    assert!(accepted == 0 || last == Some("accepted"), "{}", said());
}
