//! Carrying out what rows ask for: how each stands is looked up for all at once, decided one by one, and written for all at once.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::row::Row;
use super::words::Standing;
use super::{ImportReport, ImportStep, SkipReason};
use crate::domain::SubscriptionState;
use crate::store::{
    Asked, Ending, KnownPerson, NewPerson, NewSubscription, NewSuppression, PersonProfile, Store,
    StoreError, Tx,
};

/// The rows that are not in the database yet.
pub(super) struct Carrier<'a> {
    store: &'a Store,
    /// `import:FILE`.
    source: String,
    now: Timestamp,
    pub(super) rows: Vec<Row<'a>>,
}

/// What one row does.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Add,
    AlreadyActive,
    /// Is written down as somebody who left.
    AddLeft,
    /// The no is newer than the yes that we have.
    End,
    /// Is out already.
    KeptOut,
    Suppress(&'static str),
    Skip(SkipReason),
}

/// What the rows of one run write.
#[derive(Default)]
struct Writing<'r> {
    people: Vec<NewPerson<'r>>,
    subscriptions: Vec<NewSubscription<'r>>,
    suppressions: Vec<NewSuppression<'r>>,
    endings: Vec<Ending<'r>>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(store: &'a Store, file: &str, now: Timestamp) -> Self {
        Self { store, source: format!("import:{file}"), now, rows: Vec::new() }
    }

    /// In one transaction.
    pub(super) async fn carry_out(
        &mut self,
        report: &mut ImportReport,
        step: &mut (impl FnMut(ImportStep<'_>) + Send),
    ) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.rows);
        let mut decisions = Vec::with_capacity(rows.len());
        let mut tx = self.store.write().await?;
        for run in runs(&rows) {
            decisions.extend(self.run(&mut tx, run).await?);
        }
        tx.commit().await?;
        for (row, decision) in rows.iter().zip(decisions) {
            match decision {
                Decision::Add => report.added += 1,
                Decision::AlreadyActive => report.already_active += 1,
                Decision::AddLeft | Decision::End | Decision::KeptOut | Decision::Suppress(_) => {
                    report.kept_out += 1;
                }
                Decision::Skip(reason) => report.skip(row.line, &reason, step),
            }
        }
        Ok(())
    }

    /// Rows of which each is of another subscription.
    async fn run(&self, tx: &mut Tx, rows: &[Row<'_>]) -> Result<Vec<Decision>, StoreError> {
        let keyring = self.store.keyring();
        let hashes: Vec<String> =
            rows.iter().map(|row| keyring.address_hash(&row.address)).collect();
        let asked: Vec<_> = rows
            .iter()
            .zip(&hashes)
            .enumerate()
            .map(|(row, (it, hash))| Asked {
                row,
                key: &it.key,
                hash,
                newsletter: &it.newsletter.name,
            })
            .collect();
        let known: HashMap<usize, KnownPerson> =
            tx.known_people(&asked).await?.into_iter().map(|known| (known.row, known)).collect();
        let decisions: Vec<_> =
            rows.iter().enumerate().map(|(at, row)| decide(row, known.get(&at))).collect();
        let profiles = profiles(rows, &decisions, &known);
        let mut writing = Writing::default();
        for (row, profile) in &profiles {
            let row = &rows[*row];
            writing.people.push(NewPerson {
                address: row.address.as_str(),
                key: &row.key,
                profile,
                created_at: row.created_at.unwrap_or(self.now),
            });
        }
        for (at, (row, decision)) in rows.iter().zip(&decisions).enumerate() {
            self.write_down(&mut writing, (row, &hashes[at]), (decision, known.get(&at)));
        }
        tx.write_people(&writing.people).await?;
        tx.write_subscriptions(&writing.subscriptions, &self.source, self.now).await?;
        tx.end_all(&writing.endings, (&self.source, self.now)).await?;
        // Last: it outranks what other rows say of the same address.
        tx.suppress_all(&writing.suppressions, self.now).await?;
        Ok(decisions)
    }

    fn write_down<'r>(
        &'r self,
        writing: &mut Writing<'r>,
        (row, hash): (&'r Row<'_>, &'r str),
        (decision, known): (&Decision, Option<&KnownPerson>),
    ) {
        match decision {
            Decision::Add | Decision::AddLeft => {
                let has_left = *decision == Decision::AddLeft;
                let ended_at = has_left.then(|| row.ended_at.unwrap_or(self.now));
                writing.subscriptions.push(NewSubscription {
                    key: &row.key,
                    newsletter: &row.newsletter.name,
                    choice: &row.choice,
                    state: if has_left {
                        SubscriptionState::Unsubscribed
                    } else {
                        SubscriptionState::Active
                    },
                    source: row.source.as_deref().unwrap_or(&self.source),
                    created_at: row.created_at.unwrap_or(self.now),
                    confirmed_at: row.confirmed_at,
                    ended_at,
                    end_reason: if has_left { &row.end_reason } else { "" },
                    paused_until: row.paused_until,
                    consents: &row.evidence,
                });
            }
            Decision::End => {
                if let Some(subscription) = known.and_then(|known| known.subscription.as_ref()) {
                    let at = row.ended_at.unwrap_or(self.now).as_microsecond();
                    writing.endings.push(Ending {
                        id: subscription.id.0,
                        at,
                        reason: &row.end_reason,
                    });
                }
            }
            Decision::Suppress(reason) => {
                writing.suppressions.push(NewSuppression { key: &row.key, hash, reason });
            }
            Decision::AlreadyActive | Decision::KeptOut | Decision::Skip(_) => {}
        }
    }
}

/// The rows, cut wherever a subscription comes again: what a row says must be in the database before the next one of the same
/// subscription is looked at.
fn runs<'r, 'a>(rows: &'r [Row<'a>]) -> Vec<&'r [Row<'a>]> {
    let mut runs = Vec::new();
    let mut seen = HashSet::new();
    let mut start = 0;
    for (at, row) in rows.iter().enumerate() {
        if !seen.insert((&row.key, &row.newsletter.name)) {
            runs.push(&rows[start..at]);
            seen = HashSet::from([(&row.key, &row.newsletter.name)]);
            start = at;
        }
    }
    runs.push(&rows[start..]);
    runs
}

fn decide(row: &Row<'_>, known: Option<&KnownPerson>) -> Decision {
    let is_suppressed = known.is_some_and(|known| known.is_suppressed);
    let subscription = known.and_then(|known| known.subscription.as_ref());
    // Who is being asked whether they want to come back has not said so.
    let state = subscription.map(|it| match it.state {
        SubscriptionState::Pending if it.has_left => SubscriptionState::Unsubscribed,
        state => state,
    });
    match (row.standing, state) {
        (Standing::Unwanted(_) | Standing::Left, _) if is_suppressed => Decision::KeptOut,
        (Standing::Unwanted(reason), _) => Decision::Suppress(reason),
        (Standing::Subscribed, _) if is_suppressed => Decision::Skip(SkipReason::Suppressed),
        (Standing::Subscribed, None | Some(SubscriptionState::Pending)) => Decision::Add,
        (Standing::Subscribed, Some(SubscriptionState::Active)) => Decision::AlreadyActive,
        (Standing::Subscribed, Some(SubscriptionState::Unsubscribed)) => {
            Decision::Skip(SkipReason::HasLeft)
        }
        (Standing::Left, None | Some(SubscriptionState::Pending)) => Decision::AddLeft,
        (Standing::Left, Some(SubscriptionState::Unsubscribed)) => Decision::KeptOut,
        (Standing::Left, Some(SubscriptionState::Active)) => {
            let yes = subscription.and_then(|it| it.confirmed_at);
            let by_import = subscription.is_some_and(|it| it.source.starts_with("import:"));
            let no_is_newer = match (row.ended_at, yes) {
                (Some(no), Some(yes)) => no > yes,
                // Nobody knows which was first. A yes that was said here stands; of what files say the no is believed.
                (_, None) | (None, Some(_)) => by_import,
            };
            if no_is_newer { Decision::End } else { Decision::Skip(SkipReason::ActiveHere) }
        }
    }
}

/// What is to be written of people, by the first row of each: all that is new, and what is not there yet of those who are known.
/// What they have already stays as it is: they may have changed it here.
fn profiles(
    rows: &[Row<'_>],
    decisions: &[Decision],
    known: &HashMap<usize, KnownPerson>,
) -> Vec<(usize, PersonProfile)> {
    let mut found: Vec<(usize, PersonProfile, bool)> = Vec::new();
    let mut by_key: HashMap<&str, usize> = HashMap::new();
    for (at, (row, decision)) in rows.iter().zip(decisions).enumerate() {
        if !matches!(decision, Decision::Add | Decision::AddLeft | Decision::AlreadyActive) {
            continue;
        }
        let index = *by_key.entry(&row.key).or_insert_with(|| {
            let before = known.get(&at).and_then(|known| known.profile.clone());
            let is_new = before.is_none();
            found.push((at, before.unwrap_or_default(), is_new));
            found.len() - 1
        });
        let (_, profile, is_changed) = &mut found[index];
        *is_changed |= add_to(profile, &row.profile);
    }
    found
        .into_iter()
        .filter(|(.., is_changed)| *is_changed)
        .map(|(at, profile, _)| (at, profile))
        .collect()
}

/// Whether that changed anything.
fn add_to(profile: &mut PersonProfile, more: &PersonProfile) -> bool {
    let mut is_changed = false;
    if profile.name.is_empty() && !more.name.is_empty() {
        profile.name.clone_from(&more.name);
        is_changed = true;
    }
    for (name, value) in &more.attributes {
        if !profile.attributes.contains_key(name) {
            profile.attributes.insert(name.clone(), value.clone());
            is_changed = true;
        }
    }
    for tag in &more.tags {
        if !profile.tags.contains(tag) {
            profile.tags.push(tag.clone());
            is_changed = true;
        }
    }
    is_changed
}
