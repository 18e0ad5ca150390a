//! Editions for everybody, where a test is not about who gets what.

use jiff::Timestamp;
use postrider::store::{Dealt, Due, Houses, NewEdition, SealedEdition, StoreError, Tx, Whose};

/// Seals `edition` for all subscribers of its cadence, who have had all news up to `had_through` then.
pub(crate) async fn seal_to_all(
    tx: &mut Tx,
    edition: &NewEdition<'_>,
    had_through: i64,
    now: Timestamp,
) -> Result<SealedEdition, StoreError> {
    let whose = Whose::Cadence(edition.cadence);
    let houses = Houses::new();
    let due = Due { newsletter: edition.newsletter, whose, audience: None, houses: &houses };
    let profiles = tx.profiles(due, now).await?;
    let reachable = profiles.iter().filter(|profile| profile.is_reachable);
    let dealt: Vec<_> = reachable
        .map(|profile| Dealt { profile, share: Some(0), had_through, owed: Vec::new() })
        .collect();
    let people = dealt.iter().map(|dealt| dealt.profile.people).sum();
    tx.deal(due, &dealt, now).await?;
    let sealed = tx.seal_edition(edition, (0, people), now).await?;
    tx.forget_shares().await?;
    Ok(sealed)
}
