//! Editions under way, and how their released stages fare: what a canary gate decides on.

use jiff::Timestamp;
use sqlx::Row as _;

use super::StoreError;
use super::engine::{Tx, doing, instant, on_engine, optional_instant};
use crate::domain::{DeliveryState, EditionId, EditionState, Reason};

/// An edition that is sealed or paused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RunningEdition {
    pub id: EditionId,
    pub newsletter: String,
    pub state: EditionState,
    pub version: i64,
    pub audience: i64,
    pub sealed_at: Timestamp,
    /// The stages up to this one are released.
    pub stage: i64,
    pub last_stage: i64,
    /// When `stage` was released.
    pub stage_at: Option<Timestamp>,
    /// Of the released stages, while there is one to be released; then none.
    pub counts: Vec<StageCounts>,
}

/// Where the deliveries of a stage stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct StageCounts {
    pub stage: i64,
    pub total: i64,
    pub accepted: i64,
    /// By what the last refusal said; none: given up without one.
    pub rejected: Vec<(Option<Reason>, i64)>,
    pub deferred: i64,
    pub uncertain: i64,
    /// Not tried yet, or being handed over.
    pub waiting: i64,
    pub complained: i64,
}

struct Counted {
    stage: i64,
    state: String,
    reason: Option<String>,
    count: i64,
    complained: i64,
}

impl Tx {
    /// The editions under way, oldest first. Reads the deliveries of released stages only, and only of editions that have
    /// another stage before them, so it may be asked every few seconds.
    pub async fn running_editions(&mut self) -> Result<Vec<RunningEdition>, StoreError> {
        const SQL: &str = "SELECT id, newsletter, state, version, audience, sealed_at, stage, last_stage, stage_at \
                           FROM editions WHERE state IN ('sealed', 'paused') ORDER BY id";
        let found: Vec<(RunningEdition, String)> =
            on_engine!(self, |conn| sqlx::query(SQL).fetch_all(conn).await.and_then(|rows| rows
                .into_iter()
                .map(|row| Ok((
                    RunningEdition {
                        id: EditionId(row.try_get("id")?),
                        newsletter: row.try_get("newsletter")?,
                        state: EditionState::Sealed,
                        version: row.try_get("version")?,
                        audience: row.try_get("audience")?,
                        sealed_at: instant(row.try_get("sealed_at")?),
                        stage: row.try_get("stage")?,
                        last_stage: row.try_get("last_stage")?,
                        stage_at: optional_instant(row.try_get("stage_at")?),
                        counts: Vec::new(),
                    },
                    row.try_get("state")?,
                )))
                .collect::<Result<Vec<_>, _>>()))
            .map_err(doing("read the editions under way"))?;
        let mut running = Vec::with_capacity(found.len());
        for (mut edition, state) in found {
            edition.state = state.parse()?;
            if edition.stage < edition.last_stage {
                edition.counts = self.stage_counts(edition.id, edition.stage).await?;
            }
            running.push(edition);
        }
        Ok(running)
    }

    /// The counts of an edition's stages up to `stage`.
    pub async fn stage_counts(
        &mut self,
        id: EditionId,
        stage: i64,
    ) -> Result<Vec<StageCounts>, StoreError> {
        const SQL: &str = "SELECT x.stage, x.state, x.reason, count(*) AS count, \
                           CAST(sum(x.complained) AS BIGINT) AS complained FROM (\
                           SELECT b.stage, d.state, CASE WHEN d.state = 'rejected' THEN (SELECT t.reason FROM attempts t \
                           WHERE t.delivery_id = d.id ORDER BY t.id DESC LIMIT 1) END AS reason, \
                           CASE WHEN d.complained_at IS NULL THEN 0 ELSE 1 END AS complained \
                           FROM batches b JOIN deliveries d ON d.id BETWEEN b.first_id AND b.last_id \
                           WHERE b.edition_id = $1 AND b.stage <= $2) x \
                           GROUP BY x.stage, x.state, x.reason ORDER BY x.stage, x.state, x.reason";
        let counted: Vec<Counted> = on_engine!(self, |conn| sqlx::query(SQL)
            .bind(id.0)
            .bind(stage)
            .fetch_all(conn)
            .await
            .and_then(|rows| rows
                .into_iter()
                .map(|row| Ok(Counted {
                    stage: row.try_get("stage")?,
                    state: row.try_get("state")?,
                    reason: row.try_get("reason")?,
                    count: row.try_get("count")?,
                    complained: row.try_get("complained")?,
                }))
                .collect()))
        .map_err(doing("count the deliveries of a stage"))?;
        let mut stages: Vec<StageCounts> = Vec::new();
        for one in counted {
            if stages.last().is_none_or(|last| last.stage != one.stage) {
                stages.push(StageCounts { stage: one.stage, ..StageCounts::default() });
            }
            if let Some(counts) = stages.last_mut() {
                counts.add(&one)?;
            }
        }
        Ok(stages)
    }
}

impl StageCounts {
    fn add(&mut self, one: &Counted) -> Result<(), StoreError> {
        self.total += one.count;
        self.complained += one.complained;
        match one.state.parse()? {
            DeliveryState::Planned | DeliveryState::Sending => self.waiting += one.count,
            DeliveryState::Accepted => self.accepted += one.count,
            DeliveryState::Deferred => self.deferred += one.count,
            DeliveryState::Uncertain => self.uncertain += one.count,
            DeliveryState::Rejected => {
                let reason = one.reason.as_deref();
                let reason = reason
                    .and_then(|word| Reason::ALL.into_iter().find(|one| one.as_str() == word));
                self.rejected.push((reason, one.count));
            }
            DeliveryState::Skipped | DeliveryState::Expired | DeliveryState::Cancelled => {}
        }
        Ok(())
    }
}
