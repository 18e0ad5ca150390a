//! The steward: keeps the exchange's purses filled with what daily quotas and warm-up plans allow, reserved in the database
//! so that all nodes together keep to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Dispatch;
use super::exchange::{Exchange, Filling};
use crate::domain::WarmUp;
use crate::store::StoreError;
use crate::telemetry;

/// How often purses are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How many are reserved at once. What a crash leaves unused is lost for a day.
const PORTION: i64 = 500;
/// When to ask again where nothing is left: another hour may have fallen out of the last 24.
const EMPTY_PAUSE: SignedDuration = SignedDuration::from_mins(1);

pub(super) struct Steward {
    pub(super) dispatch: Dispatch,
    pub(super) exchange: Arc<Exchange>,
    /// Mails within 24 hours, by server.
    pub(super) quotas: BTreeMap<String, i64>,
    pub(super) warm_ups: BTreeMap<String, WarmUp>,
}

impl Steward {
    pub(super) fn has_work(&self) -> bool {
        !self.quotas.is_empty() || !self.warm_ups.is_empty()
    }

    pub(super) async fn run(self) {
        let stop = self.dispatch.stop.clone();
        while !stop.is_cancelled() {
            let now = self.dispatch.clock.now();
            for (name, owed) in self.exchange.low_purses(now) {
                if let Err(error) = self.fill(&name, owed, now).await {
                    tracing::error!(
                        allowance = name,
                        error = %telemetry::causes(&error),
                        "cannot reserve an allowance; its mail waits"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        for (name, unused, hour) in self.exchange.empty_purses() {
            if unused > 0
                && let Err(error) = self.give_back(&name, unused, hour).await
            {
                tracing::warn!(
                    allowance = name,
                    error = %telemetry::causes(&error),
                    "what was left of an allowance could not be given back"
                );
            }
        }
    }

    /// How many may go in the 24 hours around `now`. None: as many as like.
    fn per_day(&self, name: &str, now: Timestamp) -> Option<i64> {
        if let Some(server) = name.strip_prefix("server:") {
            return self.quotas.get(server).copied();
        }
        let plan = self.warm_ups.get(name.strip_prefix("warm-up:")?)?;
        let today = now.to_zoned(self.dispatch.config.site.time_zone.clone()).date();
        plan.allowance(today)
    }

    async fn fill(&self, name: &str, owed: i64, now: Timestamp) -> Result<(), StoreError> {
        let ask_again_at = now.saturating_add(EMPTY_PAUSE).unwrap_or(Timestamp::MAX);
        let mut tx = self.dispatch.store.write().await?;
        if owed > 0 {
            tx.note_use(name, owed, now).await?;
        }
        let filling = match self.per_day(name, now) {
            None => Filling { granted: None, hour: 0, settled: owed, ask_again_at },
            Some(per_day) => {
                let want = PORTION.min((per_day / 10).max(1));
                let grant = tx.reserve_allowance(name, per_day, want, now).await?;
                let (granted, hour) = (Some(grant.granted), grant.hour);
                Filling { granted, hour, settled: owed, ask_again_at }
            }
        };
        tx.commit().await?;
        if filling.granted == Some(0) {
            tracing::info!(allowance = name, "used up for now; the rest of the mail waits");
        }
        self.exchange.fill_purse(name, filling);
        Ok(())
    }

    async fn give_back(&self, name: &str, unused: i64, hour: i64) -> Result<(), StoreError> {
        let mut tx = self.dispatch.store.write().await?;
        tx.give_back_allowance(name, unused, hour).await?;
        tx.commit().await
    }
}
