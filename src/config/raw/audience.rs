//! `[privacy]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// For how long is kept what is about people. What is over is deleted a little at a time.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are the keys that people write")]
pub(in crate::config) struct Privacy {
    /// What servers answered to each attempt to deliver.
    pub keep_attempts: Duration,
    /// Who subscribed, changed or left when and how, and what else happened.
    pub keep_events: Duration,
    /// Wishes to subscribe that nobody confirmed.
    pub keep_pending: Duration,
    /// The evidence that somebody agreed: as long as they are subscribed, and for so long after.
    pub keep_consents: Duration,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            keep_attempts: Duration::new("180d"),
            keep_events: Duration::new("730d"),
            keep_pending: Duration::new("30d"),
            keep_consents: Duration::new("1095d"),
        }
    }
}
