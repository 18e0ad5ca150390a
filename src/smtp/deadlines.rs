//! How long each phase of a mail may take (RFC 5321 section 4.5.3.2). A connection on which one passes is not used again.

use std::num::NonZeroU64;
use std::time::Duration;

/// One limit a phase. Tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Look-up and TCP connect together; the TLS handshake has the same time once more.
    pub connect: Duration,
    /// The server's greeting.
    pub greeting: Duration,
    /// EHLO, STARTTLS, AUTH, MAIL, RCPT and RSET, each.
    pub command: Duration,
    /// DATA until the 354.
    pub data: Duration,
    /// Writing a message up to its final dot, beside the time that its size takes at `bytes_per_second`.
    pub message: Duration,
    /// The slowest line on which a large message is not cut off.
    pub bytes_per_second: NonZeroU64,
    /// From the final dot until the reply.
    pub dot: Duration,
    /// QUIT. Short: nobody depends on the answer.
    pub quit: Duration,
}

impl Deadlines {
    /// The time for writing `size_bytes`.
    pub(super) fn message_of(&self, size_bytes: usize) -> Duration {
        let size = u64::try_from(size_bytes).unwrap_or(u64::MAX);
        self.message + Duration::from_secs(size / self.bytes_per_second)
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_mins(5),
            command: Duration::from_mins(5),
            data: Duration::from_mins(2),
            message: Duration::from_mins(3),
            bytes_per_second: const { NonZeroU64::new(10_000).expect("it is not 0") },
            dot: Duration::from_mins(10),
            quit: Duration::from_secs(2),
        }
    }
}
