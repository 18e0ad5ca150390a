//! The outbox: a folder that stands in for a mail server (`mail/*.eml`) and for destinations (`http/*.json`).
//!
//! A file appears whole or not at all, under a name made from the delivery: sending again replaces it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;
use url::Url;

use crate::clock::SharedClock;
use crate::config::{Destination, DestinationKind, SecretBytes};
use crate::courier::{CallParcel, Courier, Intent, Parcel};
use crate::domain::{DeliveryId, Outcome, Reason, Reply};
use crate::signature::{self, Call};

mod shelf;

pub use shelf::{Entry, Outbox, OutboxError};

/// Characters of the delivery's key that its file name shows.
const KEY_CHARS: usize = 12;

/// Makes the names of unfinished files unique in this process.
static UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// Writes parcels as files.
pub struct OutboxCourier {
    /// The folder of the files: `DIR/mail` or `DIR/http`.
    folder: PathBuf,
    takes: Takes,
}

enum Takes {
    Mail,
    Calls(Box<Caller>),
}

/// Whose calls land here, and what is needed to sign them as if they went out.
struct Caller {
    destination: String,
    /// Names, and values that are secret and masked.
    extra_headers: Vec<String>,
    secrets: Vec<Arc<SecretBytes>>,
    public_url: String,
    clock: SharedClock,
}

impl OutboxCourier {
    /// A courier for mail into `dir/mail`, which is created with the first one.
    pub fn for_mail(dir: &Path) -> Self {
        Self { folder: dir.join(shelf::MAIL), takes: Takes::Mail }
    }

    /// A courier for `destination`'s calls into `dir/http`. `public_url` is our own, for `User-Agent`.
    pub fn for_calls(
        dir: &Path,
        destination: &Destination,
        public_url: &Url,
        clock: SharedClock,
    ) -> Self {
        let DestinationKind::Webhook(webhook) = &destination.kind;
        let caller = Caller {
            destination: destination.name.clone(),
            extra_headers: webhook.headers.keys().map(|name| name.to_ascii_lowercase()).collect(),
            secrets: webhook.secrets.clone(),
            public_url: public_url.to_string(),
            clock,
        };
        Self { folder: dir.join(shelf::HTTP), takes: Takes::Calls(Box::new(caller)) }
    }

    async fn carry(&self, parcel: &Parcel, intent: Intent<'_>) -> Outcome {
        let (name, bytes) = match (parcel, &self.takes) {
            (Parcel::Mail(mail), Takes::Mail) => {
                (file_name(mail.delivery, &mail.message_id, "eml"), mail.message.clone())
            }
            (Parcel::Call(call), Takes::Calls(caller)) => {
                (file_name(call.delivery, &call.key, "json"), caller.file(call))
            }
            (Parcel::Mail(_), Takes::Calls(_)) => return self.misdirected("calls, not mail"),
            (Parcel::Call(_), Takes::Mail) => return self.misdirected("mail, not calls"),
        };
        let folder = self.folder.clone();
        let written = in_background(move || Unfinished::write(&folder, &bytes)).await;
        let unfinished = match written {
            Ok(unfinished) => unfinished,
            Err(error) => return Outcome::Unreachable(self.reply(&error.to_string())),
        };
        if intent.commit().await.is_err() {
            return Outcome::NotOurs; // Dropping the unfinished file removes it.
        }
        let to = self.folder.join(&name);
        match in_background(move || unfinished.finish(&to)).await {
            Ok(()) => Outcome::Accepted(self.reply(&format!("written to `{name}`"))),
            Err(error) => Outcome::Unreachable(self.reply(&error.to_string())),
        }
    }

    fn reply(&self, text: &str) -> Reply {
        Reply::new(self.folder.display().to_string(), None, text)
    }

    fn misdirected(&self, takes: &str) -> Outcome {
        let reply = self.reply(&format!("this outbox takes {takes}"));
        Outcome::Rejected { reply, reason: Reason::System }
    }
}

impl Caller {
    fn file(&self, call: &CallParcel) -> Vec<u8> {
        let now = self.clock.now();
        let said = Call { key: &call.key, body: &call.body, public_url: &self.public_url, now };
        let extra = self.extra_headers.iter().map(|name| (name.as_str(), "…".to_owned()));
        let secrets = self.secrets.iter().map(|secret| secret.expose());
        let headers: Map<_, _> = extra
            .chain(signature::headers(&said, secrets))
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        let file = json!({
            "destination": self.destination,
            "delivery": call.delivery,
            "at": now,
            "url": "outbox",
            "headers": headers,
            "body": call.body,
        });
        format!("{file:#}\n").into_bytes()
    }
}

/// `000042-` and the first characters of the key: sorts in send order, and stays the same when sent again.
fn file_name(delivery: DeliveryId, key: &str, extension: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let key: String = key.chars().filter(fits).take(KEY_CHARS).collect();
    format!("{:06}-{key}.{extension}", delivery.0)
}

/// A file that nobody has seen yet. Goes away when it is dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Writes `bytes` to the disk, under a name that is no outbox file's.
    fn write(folder: &Path, bytes: &[u8]) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = UNFINISHED.fetch_add(1, Ordering::Relaxed);
        let unfinished = Self(folder.join(format!(".{}-{number}.unfinished", std::process::id())));
        let mut file = File::create(&unfinished.0)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(unfinished)
    }

    /// Gives it its name, replacing what had it before, and makes the name durable.
    fn finish(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.0, to)?;
        match to.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It has gone already when it was finished. If it stays behind for another reason, the outbox does not show it.
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs `work`, which waits for the disk, where waiting is fine.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl Courier for OutboxCourier {
    fn deliver<'a>(&'a mut self, parcel: &'a Parcel, intent: Intent<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.carry(parcel, intent))
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests;
