//! One mail over an open connection, from MAIL to the reply to the dot.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::response::Response;
use tokio::time::{sleep, timeout};

use super::connect::{Connection, cause};
use super::deadlines::Deadlines;
use super::reply::{Said, Stage};
use crate::courier::MailParcel;
use crate::domain::EmailAddress;

/// Why a mail got no further.
#[derive(Debug)]
pub(super) enum Stop {
    /// It cannot go to this server at all. Nothing was said; the connection is as good as before.
    Unfit(String),
    /// The server's no.
    Refused(Stage, Said),
    /// The dialogue is out of step or over; the connection must not be used again.
    Broken {
        stage: Stage,
        text: String,
        /// The server hung up, as opposed to hanging or talking nonsense.
        closed: bool,
    },
}

/// How handing over the message ended.
pub(super) enum Ended {
    /// The server answered the dot.
    Said(Said),
    /// It broke before the dot was sent.
    BeforeDot(String),
    /// It broke afterwards: only the server knows.
    AfterDot(String),
}

impl Connection {
    /// MAIL, RCPT and DATA, up to the 354.
    pub(super) async fn begin(
        &mut self,
        mail: &MailParcel,
        deadlines: &Deadlines,
    ) -> Result<(), Stop> {
        let parameters = self.parameters(mail).map_err(Stop::Unfit)?;
        self.carried += 1;
        let line = format!("MAIL FROM:<{}>{parameters}\r\n", mail.from.as_str());
        self.step(Stage::Mail, line, deadlines.command).await?;
        let line = format!("RCPT TO:<{}>\r\n", mail.to.as_str());
        self.step(Stage::Rcpt, line, deadlines.command).await?;
        self.step(Stage::Data, "DATA\r\n".to_owned(), deadlines.data).await
    }

    /// The message and its dot. Call it after `begin` and after the intent is durable.
    pub(super) async fn finish(&mut self, message: &[u8], deadlines: &Deadlines) -> Ended {
        // lettre ends every message with a line end of its own.
        let message = message.strip_suffix(b"\r\n").unwrap_or(message);
        self.dot_sent.send_replace(false);
        let mut sent = self.dot_sent.subscribe();
        let writing_limit = deadlines.message_of(message.len());
        let handing_over = async {
            let mut answer = std::pin::pin!(self.smtp.message(message));
            let dot_sent = async { drop(sent.wait_for(|sent| *sent).await) };
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = dot_sent => {}
                () = sleep(writing_limit) => return None,
            }
            timeout(deadlines.dot, answer).await.ok()
        };
        let answer = handing_over.await;
        let broken = match answer {
            Some(answer) => match heard(answer) {
                Ok(said) => return Ended::Said(said),
                Err((text, _)) => text,
            },
            None => "no progress within the time for a message".to_owned(),
        };
        if *self.dot_sent.borrow() { Ended::AfterDot(broken) } else { Ended::BeforeDot(broken) }
    }

    /// Forgets the mail that was begun. Whether the connection can be used again.
    pub(super) async fn reset(&mut self, deadlines: &Deadlines) -> bool {
        let answer = timeout(deadlines.command, self.smtp.command("RSET\r\n")).await;
        matches!(answer, Ok(Ok(response)) if u16::from(response.code()) / 100 == 2)
    }

    async fn step(&mut self, stage: Stage, line: String, limit: Duration) -> Result<(), Stop> {
        let Ok(answer) = timeout(limit, self.smtp.command(line)).await else {
            let text = format!("no answer to {} within {} s", name(stage), limit.as_secs());
            return Err(Stop::Broken { stage, text, closed: false });
        };
        let said = heard(answer).map_err(|(text, closed)| {
            let text = format!("the connection broke at {}: {text}", name(stage));
            Stop::Broken { stage, text, closed }
        })?;
        match (stage, said.code) {
            (Stage::Mail | Stage::Rcpt, 200..=299) | (Stage::Data, 354) => Ok(()),
            (_, 400..=599) => Err(Stop::Refused(stage, said)),
            _ => {
                let text = format!("{} is no answer to {}: {}", said.code, name(stage), said.text);
                Err(Stop::Broken { stage, text, closed: false })
            }
        }
    }

    /// The parameters of MAIL, or why this server cannot take this mail.
    fn parameters(&self, mail: &MailParcel) -> Result<String, String> {
        let mut parameters = String::new();
        if has_bare_line_end(&mail.message) {
            // Some servers end a message at a bare line feed and a dot, and read the rest as commands (SMTP smuggling).
            return Err("the message has a line end that is not CRLF".to_owned());
        }
        if let Some(most) = self.offers.size_bytes {
            let size = u64::try_from(mail.message.len()).unwrap_or(u64::MAX);
            if size > most {
                return Err(format!("the message has {size} bytes; this server takes {most}"));
            }
        }
        let is_ascii = |address: &EmailAddress| address.as_str().is_ascii();
        if !is_ascii(&mail.from) || !is_ascii(&mail.to) {
            if !self.offers.utf8 {
                return Err("this server does not take international addresses".to_owned());
            }
            parameters.push_str(" SMTPUTF8");
        }
        if !mail.message.is_ascii() {
            if !self.offers.eight_bit {
                return Err("this server does not take 8-bit messages".to_owned());
            }
            parameters.push_str(" BODY=8BITMIME");
        }
        Ok(parameters)
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

/// A reply of either kind, or why there was none and whether that is because the server hung up.
fn heard(answer: Result<Response, LettreError>) -> Result<Said, (String, bool)> {
    match answer {
        Ok(response) => {
            let text = response.message().collect::<Vec<_>>().join(" ");
            Ok(Said { code: response.code().into(), text })
        }
        Err(error) => match error.status() {
            Some(code) => Ok(Said { code: code.into(), text: cause(&error) }),
            None => Err((cause(&error), is_closed(&error))),
        },
    }
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

fn has_bare_line_end(message: &[u8]) -> bool {
    let mut previous = 0;
    for &byte in message {
        if (previous == b'\r') != (byte == b'\n') {
            return true;
        }
        previous = byte;
    }
    previous == b'\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crlf_ends_a_line() {
        for good in ["", "a", "a\r\n", "\r\n\r\n", "a\r\nb"] {
            assert!(!has_bare_line_end(good.as_bytes()), "{good:?}");
        }
        for bad in ["\n", "a\n", "a\r", "\r\r\n", "a\rb", "a\n\r\n", "\n.\n"] {
            assert!(has_bare_line_end(bad.as_bytes()), "{bad:?}");
        }
    }
}
