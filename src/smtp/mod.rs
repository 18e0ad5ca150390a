//! Mail by SMTP: lettre speaks, over sockets, TLS and deadlines of ours.
//!
//! A courier owns one connection at a time, opens it when the first mail comes and uses it for the next ones. It is
//! dropped, never repaired, after a deadline, a broken dialogue or a 421: a reply that comes late would count for the
//! next mail.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use crate::config::{MailServer, SmtpTransport};
use crate::courier::{Courier, Intent, MailParcel, Parcel};
use crate::domain::{Outcome, Reason, Reply};
use crate::tls::{self, TlsSetupError};

mod connect;
mod deadlines;
mod dialogue;
mod lines;
mod probe;
mod reply;
mod transaction;
mod wire;

pub use deadlines::Deadlines;
pub use probe::probe;

use connect::{ConnectError, Connection, Opener};
use reply::Stage;
use transaction::{Ended, Stop};

/// A connection unused for longer is not trusted to be open still; many servers close after a minute or two.
const IDLE: Duration = Duration::from_mins(1);

/// Carries mail to one SMTP server.
pub struct SmtpCourier {
    opener: Opener,
    /// `host:port`, as kept with replies.
    server: String,
    messages_per_connection: usize,
    /// Between mails only: a delivery takes it out and puts it back when it is in step, so that one that is cancelled
    /// half-way takes the connection with it.
    parked: Option<Connection>,
}

impl SmtpCourier {
    /// Prepares a courier; it connects with the first mail. Fails when the file of authorities cannot be used.
    pub fn new(
        transport: &SmtpTransport,
        server: &MailServer,
        deadlines: Deadlines,
    ) -> Result<Self, TlsSetupError> {
        let tls = tls::client_config(transport.ca_file.as_deref())?;
        let hello = connect::hello(&server.hello_name);
        Ok(Self {
            server: format!("{}:{}", transport.host, transport.port),
            opener: Opener { server: transport.clone(), hello, tls, deadlines },
            messages_per_connection: server.messages_per_connection.max(1),
            parked: None,
        })
    }

    async fn carry(&mut self, mail: &MailParcel, intent: Intent<'_>) -> Outcome {
        let parked = self.parked.take().filter(|parked| parked.used_at.elapsed() <= IDLE);
        let deadlines = self.opener.deadlines;
        let begun = match parked {
            Some(mut connection) => match connection.begin(mail, &deadlines).await {
                // The server closed it while it was idle. This mail has not been mentioned yet on a fresh one.
                Err(stop) if stop.is_stale() => self.begin_afresh(mail).await,
                begun => Ok((connection, begun)),
            },
            None => self.begin_afresh(mail).await,
        };
        let (mut connection, begun) = match begun {
            Ok(begun) => begun,
            Err(error) => return Outcome::Unreachable(self.not_connected(&error)),
        };
        if let Err(stop) = begun {
            return self.stopped(connection, mail, stop).await;
        }
        if intent.commit().await.is_err() {
            return Outcome::NotOurs; // Dropped without the dot: the server throws away what was begun.
        }
        match connection.finish(&mail.message, &deadlines).await {
            Ended::Said(said) => {
                if said.code != 421 && matches!(said.code, 200..=299 | 400..=599) {
                    self.park(connection).await;
                }
                reply::outcome(Stage::Dot, &said, self.reply(mail, Some(said.code), &said.text))
            }
            Ended::BeforeDot(text) => {
                let text = format!("the connection broke during the message: {text}");
                Outcome::Deferred {
                    reply: self.reply(mail, None, &text),
                    reason: Reason::System,
                    not_before: None,
                }
            }
            Ended::AfterDot(text) => {
                let text = format!("no usable answer to the message: {text}");
                Outcome::Uncertain(self.reply(mail, None, &text))
            }
        }
    }

    async fn begin_afresh(
        &self,
        mail: &MailParcel,
    ) -> Result<(Connection, Result<(), Stop>), ConnectError> {
        let mut connection = self.opener.open().await?;
        let begun = connection.begin(mail, &self.opener.deadlines).await;
        Ok((connection, begun))
    }

    /// The outcome of a mail that did not get as far as the 354. Keeps the connection where it is in step.
    async fn stopped(
        &mut self,
        mut connection: Connection,
        mail: &MailParcel,
        stop: Stop,
    ) -> Outcome {
        match stop {
            Stop::Unfit(text) => {
                self.park(connection).await;
                Outcome::Rejected { reply: self.reply(mail, None, &text), reason: Reason::System }
            }
            Stop::Refused(stage, said) => {
                if said.code != 421 && connection.reset(&self.opener.deadlines).await {
                    self.park(connection).await;
                }
                reply::outcome(stage, &said, self.reply(mail, Some(said.code), &said.text))
            }
            Stop::Broken { stage: Stage::Mail, text, .. } => {
                Outcome::Unreachable(self.reply(mail, None, &text))
            }
            // From RCPT on it may be this mail that the server chokes on; it must use up its attempts.
            Stop::Broken { stage: Stage::Rcpt | Stage::Data | Stage::Dot, text, .. } => {
                Outcome::Deferred {
                    reply: self.reply(mail, None, &text),
                    reason: Reason::System,
                    not_before: None,
                }
            }
        }
    }

    /// Keeps a connection that is in step for the next mail, unless it has carried enough.
    async fn park(&mut self, mut connection: Connection) {
        if connection.carried >= self.messages_per_connection {
            self.quit(connection).await;
        } else {
            connection.used_at = Instant::now();
            self.parked = Some(connection);
        }
    }

    async fn quit(&self, mut connection: Connection) {
        // Nothing depends on the answer, and an error only means that the server has gone first.
        let _ = timeout(self.opener.deadlines.quit, connection.smtp.quit()).await;
    }

    fn reply(&self, mail: &MailParcel, code: Option<u16>, text: &str) -> Reply {
        Reply::new(&self.server, code, &reply::redact(text, &mail.to))
    }

    fn not_connected(&self, error: &ConnectError) -> Reply {
        Reply::new(&self.server, error.code(), &error.to_string())
    }
}

impl Stop {
    /// On a connection that was used before: it was closed in the meantime.
    fn is_stale(&self) -> bool {
        match self {
            Self::Refused(Stage::Mail, said) => said.code == 421,
            Self::Broken { stage, closed, .. } => *stage == Stage::Mail && *closed,
            Self::Refused(..) | Self::Unfit(_) => false,
        }
    }
}

impl Courier for SmtpCourier {
    fn deliver<'a>(&'a mut self, parcel: &'a Parcel, intent: Intent<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            match parcel {
                Parcel::Mail(mail) => self.carry(mail, intent).await,
                Parcel::Call(_) => Outcome::Rejected {
                    reply: Reply::new(&self.server, None, "a mail server carries no calls"),
                    reason: Reason::System,
                },
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(connection) = self.parked.take() {
                self.quit(connection).await;
            }
        })
    }
}
