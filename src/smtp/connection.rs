//! A connection that is ready for mail: what is said on it, what is heard, and whether both are still in step.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::response::Response;
use tokio::time::{Instant, sleep, timeout};

use super::deadlines::Deadlines;
use super::dialogue::Offers;
use super::letter::Letter;
use super::reply::{Said, Stage};
use super::wire::{Outbound, Piece};

/// Why a mail got no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server's no.
    Refused(Stage, Said),
    /// There was no usable answer.
    Broken(Stage, Broken),
}

impl Stop {
    /// On a connection that was used before: it was closed in the meantime, and the mail was not mentioned.
    pub(super) fn is_stale(&self) -> bool {
        match self {
            Self::Refused(stage, said) => *stage == Stage::Mail && said.code == 421,
            Self::Broken(stage, broken) => *stage == Stage::Mail && broken.closed,
        }
    }
}

/// Why there was no usable answer.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) text: String,
    /// The server hung up, as opposed to hanging or talking nonsense.
    pub(super) closed: bool,
}

/// What the server must hear before the next MAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LooseEnd {
    /// It said 354 although nobody is to get the mail: a message of nothing, which no one receives (RFC 2920 section 3.1).
    Dot,
    /// It may hold a transaction that came to nothing.
    Reset,
}

/// An open connection that is ready for mail.
///
/// Once it is over, nothing more may be said on it: a reply that comes late would count for the next mail.
pub(super) struct Connection {
    pub(super) smtp: AsyncSmtpConnection,
    pub(super) offers: Offers,
    pub(super) deadlines: Deadlines,
    outbound: Outbound,
    /// Mails tried over it.
    pub(super) carried: usize,
    pub(super) used_at: Instant,
    /// Lines that leave when the next reply is asked for.
    lines: String,
    loose_end: Option<LooseEnd>,
    /// Messages handed over, and how long writing those may take that are not written yet.
    messages: usize,
    writing: Option<Duration>,
    over: bool,
}

impl Connection {
    pub(super) fn new(
        smtp: AsyncSmtpConnection,
        offers: Offers,
        outbound: Outbound,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            smtp,
            offers,
            deadlines,
            outbound,
            carried: 0,
            used_at: Instant::now(),
            lines: String::new(),
            loose_end: None,
            messages: 0,
            writing: None,
            over: false,
        }
    }

    /// The dialogue is out of step, or the server is about to hang up.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// How far the messages have got that were handed over.
    pub(super) fn outbound(&self) -> Outbound {
        self.outbound.clone()
    }

    /// Whether the message with this number may be complete at the server.
    pub(super) fn may_have_left(&self, message: usize) -> bool {
        self.outbound.ends_left() >= message
    }

    /// MAIL, RCPT and DATA, up to the 354.
    pub(super) async fn begin(&mut self, letter: &Letter) -> Result<(), Stop> {
        if self.offers.pipelining {
            self.say_begin(letter);
            self.hear_begun().await
        } else {
            self.begin_slowly(letter).await
        }
    }

    async fn begin_slowly(&mut self, letter: &Letter) -> Result<(), Stop> {
        self.tie().await?;
        self.carried += 1;
        self.say(&letter.mail);
        self.step(Stage::Mail).await?;
        self.loose_end = Some(LooseEnd::Reset);
        self.say(&letter.rcpt);
        self.step(Stage::Rcpt).await?;
        self.say("DATA\r\n");
        self.step(Stage::Data).await?;
        self.loose_end = None;
        Ok(())
    }

    /// Says MAIL, RCPT and DATA in one, after whatever is still to be said. `hear_begun` hears the answers.
    pub(super) fn say_begin(&mut self, letter: &Letter) {
        match self.loose_end {
            Some(LooseEnd::Dot) => self.say(".\r\n"),
            Some(LooseEnd::Reset) => self.say("RSET\r\n"),
            None => {}
        }
        self.carried += 1;
        self.say(&letter.mail);
        self.say(&letter.rcpt);
        self.say("DATA\r\n");
    }

    /// All answers to `say_begin`, and the first that is not a yes.
    pub(super) async fn hear_begun(&mut self) -> Result<(), Stop> {
        self.hear_tied().await?;
        let mail = self.step(Stage::Mail).await.map(drop);
        if self.over {
            return mail;
        }
        let rcpt = self.step(Stage::Rcpt).await.map(drop);
        if self.over {
            return mail.and(rcpt);
        }
        let data = self.step(Stage::Data).await.map(drop);
        let refused = mail.is_err() || rcpt.is_err();
        self.loose_end = match &data {
            Ok(()) if refused => Some(LooseEnd::Dot),
            Ok(()) => None,
            Err(_) => (mail.is_ok() || rcpt.is_ok()).then_some(LooseEnd::Reset),
        };
        mail.and(rcpt).and(data)
    }

    /// Ties the loose end that the last mail left, so that the connection can rest.
    pub(super) async fn tie(&mut self) -> Result<(), Stop> {
        match self.loose_end {
            Some(LooseEnd::Dot) => self.say(".\r\n"),
            Some(LooseEnd::Reset) => self.say("RSET\r\n"),
            None => return Ok(()),
        }
        self.hear_tied().await
    }

    /// Makes sure of a connection that has rested: asks for an answer before anything depends on it.
    pub(super) async fn wake(&mut self) -> Result<(), Stop> {
        self.loose_end = Some(LooseEnd::Reset);
        self.tie().await
    }

    /// The answer to what tied the loose end, if there was one.
    pub(super) async fn hear_tied(&mut self) -> Result<(), Stop> {
        let Some(loose_end) = self.loose_end.take() else { return Ok(()) };
        let (limit, most) = match loose_end {
            // Whatever it says to a mail for nobody, nobody gets it.
            LooseEnd::Dot => (self.deadlines.dot, 599),
            LooseEnd::Reset => (self.deadlines.command, 299),
        };
        let broken = |broken| Stop::Broken(Stage::Mail, broken);
        let said = self.hear(limit).await.map_err(broken)?;
        if said.code == 421 {
            return Err(Stop::Refused(Stage::Mail, said));
        }
        if said.code > most || (300..400).contains(&said.code) {
            self.over = true;
            let text = format!("{} instead of a fresh start: {}", said.code, said.text);
            return Err(broken(Broken { text, closed: false }));
        }
        Ok(())
    }

    /// Lets `line` leave with the next question.
    pub(super) fn say(&mut self, line: &str) {
        self.lines.push_str(line);
    }

    /// The answer to a RSET that was said between two mails.
    pub(super) async fn hear_reset(&mut self) -> Result<(), Stop> {
        self.loose_end = Some(LooseEnd::Reset);
        self.hear_tied().await
    }

    /// The last mail came to nothing: the server is to be reset before the next one.
    pub(super) fn leave_loose(&mut self) {
        self.loose_end = Some(LooseEnd::Reset);
    }

    /// Whether the last mail left something to be reset.
    pub(super) fn is_loose(&self) -> bool {
        self.loose_end.is_some()
    }

    /// Nothing more may be said on this connection.
    pub(super) fn abandon(&mut self) {
        self.over = true;
    }

    /// Lets the message leave with the next question, after the lines that were said. Returns its number, for
    /// `may_have_left`.
    pub(super) fn hand_over(&mut self, message: Piece) -> usize {
        if !self.lines.is_empty() {
            self.outbound.put(Piece::lines(std::mem::take(&mut self.lines)));
        }
        let limit = self.deadlines.message_of(message.bytes.len());
        self.writing = Some(self.writing.unwrap_or_default() + limit);
        self.outbound.put(message);
        self.messages += 1;
        self.messages
    }

    /// The answer to MAIL, RCPT, DATA or a message.
    pub(super) async fn step(&mut self, stage: Stage) -> Result<Said, Stop> {
        let limit = match stage {
            Stage::Mail | Stage::Rcpt => self.deadlines.command,
            Stage::Data => self.deadlines.data,
            Stage::Dot => self.deadlines.dot,
        };
        let name = name(stage);
        let said = self.hear(limit).await.map_err(|broken| {
            let text = format!("the connection broke at {name}: {}", broken.text);
            Stop::Broken(stage, Broken { text, ..broken })
        })?;
        match (stage, said.code) {
            (Stage::Mail | Stage::Rcpt | Stage::Dot, 200..=299) | (Stage::Data, 354) => Ok(said),
            (_, 400..=599) => {
                // Our login is no longer good: a new connection tells, or gets a new one.
                self.over |= said.is_about_login();
                Err(Stop::Refused(stage, said))
            }
            _ => {
                self.over = true;
                let text = format!("{} is no answer to {name}: {}", said.code, said.text);
                Err(Stop::Broken(stage, Broken { text, closed: false }))
            }
        }
    }

    /// Says what waits and hears one reply, within `limit` from when the last message has left.
    pub(super) async fn hear(&mut self, limit: Duration) -> Result<Said, Broken> {
        let lines = std::mem::take(&mut self.lines);
        let (smtp, outbound, messages) = (&mut self.smtp, &self.outbound, self.messages);
        let answer = async move {
            if lines.is_empty() { smtp.read_response().await } else { smtp.command(lines).await }
        };
        let answered = match self.writing.take() {
            None => timeout(limit, answer).await.ok(),
            Some(writing) => {
                let mut answer = std::pin::pin!(answer);
                tokio::select! {
                    biased;
                    answer = &mut answer => Some(answer),
                    () = outbound.until_left(messages) => timeout(limit, answer).await.ok(),
                    () = sleep(writing) => None,
                }
            }
        };
        let heard = match answered {
            Some(answer) => heard(answer),
            None => Err(Broken { text: "no answer in time".to_owned(), closed: false }),
        };
        // After a 421 the server hangs up (RFC 5321 section 3.8).
        self.over |= heard.as_ref().is_ok_and(|said| said.code == 421) || heard.is_err();
        heard
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Mail => "MAIL",
        Stage::Rcpt => "RCPT",
        Stage::Data => "DATA",
        Stage::Dot => "the message",
    }
}

/// A reply of either kind, or why there was none.
fn heard(answer: Result<Response, LettreError>) -> Result<Said, Broken> {
    match answer {
        Ok(response) => {
            let text = response.message().collect::<Vec<_>>().join(" ");
            Ok(Said { code: response.code().into(), text })
        }
        Err(error) => match error.status() {
            Some(code) => Ok(Said { code: code.into(), text: cause(&error) }),
            None => Err(Broken { text: cause(&error), closed: is_closed(&error) }),
        },
    }
}

/// The text behind lettre's error: for a reply, what the server said.
pub(super) fn cause(error: &LettreError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn is_closed(error: &LettreError) -> bool {
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    io.is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
        )
    })
}
