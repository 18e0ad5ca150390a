//! A worker: owns one connection to one server and carries one delivery after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::exchange::Exchange;
use super::job::Job;
use super::round::WorkerRound;
use super::{Dispatch, ServerSpec};
use crate::courier::{Courier, Round as _};

/// A connection that the server did not want waits, longer each time: the server may want fewer of them.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

pub(crate) struct Worker {
    pub(crate) dispatch: Dispatch,
    /// Its number on the exchange.
    pub(crate) server: usize,
    pub(crate) spec: Arc<ServerSpec>,
    pub(crate) exchange: Arc<Exchange>,
}

impl Worker {
    pub(crate) async fn run(self) {
        let mut courier = (self.spec.courier)();
        let stop = &self.dispatch.stop;
        let mut unwanted = 0_u32;
        while let Some(job) = self.exchange.next(self.server, &*self.dispatch.clock, stop).await {
            let reached = self.carry(&mut courier, *job).await;
            unwanted = if reached { 0 } else { unwanted.saturating_add(1) };
            if unwanted > 1 {
                let pause = FIRST_PAUSE * 2_u32.saturating_pow(unwanted.min(10) - 2);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause.min(LONGEST_PAUSE)) => {}
                }
            }
        }
        courier.close().await;
    }

    /// Carries `job` and what comes after it. Whether the server could be reached.
    async fn carry(&self, courier: &mut Box<dyn Courier>, job: Job) -> bool {
        let mut round = WorkerRound::new(self, courier.takes_eight_bit());
        if let Some(parcel) = round.begin(job) {
            let carried = courier.carry_all(parcel, &mut round);
            if AssertUnwindSafe(carried).catch_unwind().await.is_err() {
                *courier = (self.spec.courier)();
                round.panicked();
            }
        }
        round.settle().await;
        round.reached()
    }
}
