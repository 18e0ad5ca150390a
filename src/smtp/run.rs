//! A run of mails over one connection: in step, one ahead, or a window at a time.
//!
//! Which it is follows from what the server offers. Without PIPELINING each command waits for its answer. With it, the end
//! of a mail and the beginning of the next leave together (RFC 2920 section 3.1), so a mail costs one round trip and one
//! commit: between the 354 and the message. With CHUNKING, where the operator asked for it, a window of whole mails leaves
//! at once (RFC 3030), after the intents of all of them are durable.

use super::connect::Opener;
use super::connection::{Connection, Stop};
use super::judge::Judge;
use super::letter::{Letter, Unfit};
use super::load::Load;
use super::reply::Stage;
use super::{SmtpOptions, window};
use crate::courier::MailParcel;
use crate::domain::Outcome;

/// Everything a run needs.
pub(super) struct Run<'a, 'r> {
    pub(super) opener: &'a Opener,
    pub(super) options: &'a SmtpOptions,
    pub(super) judge: &'a Judge,
    pub(super) load: Load<'r>,
}

impl Run<'_, '_> {
    /// Carries `mail` and what follows it, over the `parked` connection where that still works. Returns the connection
    /// when it can carry more.
    pub(super) async fn carry(
        &mut self,
        mail: MailParcel,
        parked: Option<Connection>,
    ) -> Option<Connection> {
        let mail = match parked {
            Some(parked) => match self.reuse(parked, mail).await {
                Ok(end) => return end,
                // The server closed it while it was idle. The mail has not been mentioned yet on a fresh one.
                Err(mail) => mail,
            },
            None => mail,
        };
        match self.opener.open().await {
            Ok(mut connection) if self.in_windows(&connection) => {
                window::carry(self, &mut connection, mail).await;
                Some(connection).filter(|connection| !connection.is_over())
            }
            Ok(mut connection) => {
                let begun = match self.fit(&connection, mail) {
                    Some(letter) => self.begin(&mut connection, letter).await,
                    None => None,
                };
                self.carry_one_by_one(connection, begun).await
            }
            Err(error) => {
                self.load.tell(mail.delivery, self.judge.not_connected(&error));
                None
            }
        }
    }

    /// Carries over a connection that has rested. Gives the mail back when it turns out to be closed.
    async fn reuse(
        &mut self,
        mut connection: Connection,
        mail: MailParcel,
    ) -> Result<Option<Connection>, MailParcel> {
        if self.in_windows(&connection) {
            // A window is at the server's mercy once it has left: so ask first whether anybody is there.
            if connection.wake().await.is_err() {
                return Err(mail);
            }
            window::carry(self, &mut connection, mail).await;
            return Ok(Some(connection).filter(|connection| !connection.is_over()));
        }
        let begun = match self.fit(&connection, mail) {
            Some(letter) => match connection.begin(&letter).await {
                Err(stop) if stop.is_stale() => return Err(letter.into_parcel()),
                answer => self.begun(letter, answer),
            },
            None => None,
        };
        Ok(self.carry_one_by_one(connection, begun).await)
    }

    fn in_windows(&self, connection: &Connection) -> bool {
        let offers = &connection.offers;
        self.options.chunking && offers.chunking && offers.pipelining
    }

    /// Carries the mail that was begun and all that follow.
    async fn carry_one_by_one(
        &mut self,
        mut connection: Connection,
        mut begun: Option<Letter>,
    ) -> Option<Connection> {
        while !connection.is_over() {
            begun = match begun {
                Some(letter) => self.finish(&mut connection, letter).await,
                None => match self.next(&connection, 0) {
                    Some(next) => self.begin(&mut connection, next).await,
                    None => return Some(connection),
                },
            };
        }
        None
    }

    /// Hands over a mail that was begun. Returns the next one, if that has been begun meanwhile.
    async fn finish(&mut self, connection: &mut Connection, mut letter: Letter) -> Option<Letter> {
        if !self.load.intend(&letter).await {
            // DATA cannot be taken back: only hanging up before the dot makes the server throw away what was begun.
            connection.abandon();
            return None;
        }
        let next = if connection.offers.pipelining { self.next(connection, 0) } else { None };
        let message = connection.hand_over(letter.take_dotted());
        self.load.handed_over(letter.delivery(), connection.outbound(), message);
        if let Some(next) = &next {
            connection.say_begin(next);
        }
        let answer = connection.step(Stage::Dot).await;
        let may_have_left = connection.may_have_left(message);
        if !may_have_left {
            connection.abandon();
        }
        self.load.tell(letter.delivery(), self.judge.ended(&letter, answer, may_have_left));
        let next = next?;
        if connection.is_over() {
            self.load.tell(next.delivery(), self.judge.not_its_turn());
            return None;
        }
        let answer = connection.hear_begun().await;
        self.begun(next, answer)
    }

    async fn begin(&mut self, connection: &mut Connection, letter: Letter) -> Option<Letter> {
        let answer = connection.begin(&letter).await;
        self.begun(letter, answer)
    }

    /// Tells of a mail that could not be begun.
    fn begun(&mut self, letter: Letter, answer: Result<(), Stop>) -> Option<Letter> {
        match answer {
            Ok(()) => Some(letter),
            Err(stop) => {
                self.load.tell(letter.delivery(), self.judge.stopped(&letter, stop));
                None
            }
        }
    }

    /// The next mail that this connection can take beside `ahead` that were taken already.
    pub(super) fn next(&mut self, connection: &Connection, ahead: usize) -> Option<Letter> {
        while connection.carried + ahead < self.options.messages_per_connection {
            let mail = self.load.next()?;
            if let Some(letter) = self.fit(connection, mail) {
                return Some(letter);
            }
        }
        None
    }

    /// Puts a mail into the form that this connection takes, or tells that there is none.
    pub(super) fn fit(&mut self, connection: &Connection, mail: MailParcel) -> Option<Letter> {
        let offers = &connection.offers;
        // It was composed for the connection before, and behind one name may be servers that are not alike.
        let misfits = !offers.eight_bit && !mail.message.is_ascii();
        let mail = if misfits { self.load.in_seven_bit(mail) } else { mail };
        match Letter::new(mail, offers) {
            Ok(letter) => Some(letter),
            Err(Unfit { delivery, text }) => {
                self.load.tell(delivery, self.judge.unfit(&text));
                None
            }
        }
    }

    pub(super) fn tell(&mut self, letter: &Letter, outcome: Outcome) {
        self.load.tell(letter.delivery(), outcome);
    }
}
