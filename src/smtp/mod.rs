//! Mail by SMTP: lettre speaks, over sockets, TLS and deadlines of ours.
//!
//! A courier owns one connection at a time, opens it when the first mail comes and uses it for the next ones. It is
//! dropped, never repaired, after a deadline, a broken dialogue or a 421: a reply that comes late would count for the
//! next mail.
//!
//! A mail's way: `Run` takes it from the round, `Letter` looks whether and how this server can take it,
//! `Connection` says it and hears the answers, `Wire` knows to the byte what may have left,
//! `reply` says what an answer means and `Judge` what is told of the mail.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use crate::config::{MailServer, SmtpTransport};
use crate::courier::{Courier, Intent, Parcel, Round};
use crate::domain::{DeliveryId, Outcome};
use crate::tls::{self, TlsSetupError};

mod connect;
mod connection;
mod deadlines;
mod dialogue;
mod judge;
mod letter;
mod lines;
mod load;
mod probe;
mod reply;
mod run;
mod window;
mod wire;

pub use deadlines::Deadlines;
pub use probe::probe;

use connect::Opener;
use connection::Connection;
use judge::Judge;
use load::Load;
use run::Run;

/// A connection unused for longer is not trusted to be open still; many servers close after a minute or two.
const IDLE: Duration = Duration::from_mins(1);

/// How a connection is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpOptions {
    /// Mails over one connection at most.
    pub messages_per_connection: usize,
    /// Use CHUNKING where it is offered.
    pub chunking: bool,
    /// Mails in flight over one connection, with `chunking`.
    pub window: usize,
}

impl From<&MailServer> for SmtpOptions {
    fn from(server: &MailServer) -> Self {
        Self {
            messages_per_connection: server.messages_per_connection.max(1),
            chunking: server.chunking,
            window: server.window.max(1),
        }
    }
}

/// Carries mail to one SMTP server.
pub struct SmtpCourier {
    opener: Opener,
    options: SmtpOptions,
    judge: Judge,
    /// Between mails only: a run takes it out and puts it back when it is in step, so that one that is cancelled half-way
    /// takes the connection with it.
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
            judge: Judge { server: format!("{}:{}", transport.host, transport.port) },
            opener: Opener { server: transport.clone(), hello, tls, deadlines },
            options: SmtpOptions::from(server),
            parked: None,
        })
    }

    async fn run(&mut self, first: Parcel, round: &mut dyn Round) {
        let mut load = Load::new(round, self.judge.server.clone());
        let Some(mail) = load.take(first).or_else(|| load.next()) else {
            return load.settle().await;
        };
        let parked = self.parked.take().filter(|parked| parked.used_at.elapsed() <= IDLE);
        let (opener, options, judge) = (&self.opener, &self.options, &self.judge);
        let mut run = Run { opener, options, judge, load };
        let connection = run.carry(mail, parked).await;
        run.load.settle().await;
        if let Some(connection) = connection {
            self.park(connection).await;
        }
    }

    /// Keeps a connection that is in step for the next run, unless it has carried enough.
    async fn park(&mut self, mut connection: Connection) {
        if connection.tie().await.is_err() {
            return;
        }
        if connection.carried >= self.options.messages_per_connection {
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
}

/// A round of one parcel.
struct One<'a> {
    intent: Option<Intent<'a>>,
    outcome: Option<Outcome>,
}

impl Round for One<'_> {
    fn next(&mut self) -> Option<Parcel> {
        None
    }

    fn intend<'a>(&'a mut self, deliveries: &'a [DeliveryId]) -> BoxFuture<'a, Vec<DeliveryId>> {
        let intent = self.intent.take();
        Box::pin(async move {
            let Some(intent) = intent else { return Vec::new() };
            let durable = intent.commit().await;
            if durable.is_ok() { deliveries.to_vec() } else { Vec::new() }
        })
    }

    fn tell(&mut self, _: DeliveryId, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    fn settle(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Courier for SmtpCourier {
    fn deliver<'a>(&'a mut self, parcel: &'a Parcel, intent: Intent<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let mut round = One { intent: Some(intent), outcome: None };
            self.run(parcel.clone(), &mut round).await;
            round.outcome.expect("a run tells an outcome of every parcel it was given")
        })
    }

    fn carry_all<'a>(&'a mut self, first: Parcel, round: &'a mut dyn Round) -> BoxFuture<'a, ()> {
        Box::pin(self.run(first, round))
    }

    fn takes_eight_bit(&self) -> bool {
        self.parked.as_ref().is_some_and(|parked| parked.offers.eight_bit)
    }

    /// Says goodbye to the other side. Never waits long.
    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(connection) = self.parked.take() {
                self.quit(connection).await;
            }
        })
    }
}
