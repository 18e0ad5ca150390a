//! What is told of a mail, for each way in which its dialogue can end.

use super::connect::ConnectError;
use super::connection::{Broken, Stop};
use super::letter::Letter;
use super::reply::{self, Said, Stage};
use crate::domain::{Outcome, Reason, Reply};

/// Puts the name of its server under every outcome, and nobody's address into it.
pub(super) struct Judge {
    /// `host:port`, as kept with replies.
    pub(super) server: String,
}

impl Judge {
    /// There is no connection.
    pub(super) fn not_connected(&self, error: &ConnectError) -> Outcome {
        Outcome::Unreachable(Reply::new(&self.server, error.code(), &error.to_string()))
    }

    /// This server cannot take this mail; nothing was said of it. Another server might, so the address is not to blame.
    pub(super) fn unfit(&self, text: &str) -> Outcome {
        Outcome::Rejected { reply: Reply::new(&self.server, None, text), reason: Reason::Message }
    }

    /// The connection ended before the server looked at the mail.
    pub(super) fn not_its_turn(&self) -> Outcome {
        let text = "the connection ended before the turn of this mail";
        Outcome::Unreachable(Reply::new(&self.server, None, text))
    }

    /// The mail got no 354.
    pub(super) fn stopped(&self, letter: &Letter, stop: Stop) -> Outcome {
        match stop {
            Stop::Refused(stage, said) => self.said(letter, stage, &said),
            Stop::Broken(Stage::Mail, broken) => {
                Outcome::Unreachable(self.reply(letter, None, &broken.text))
            }
            // From RCPT on it may be this mail that the server chokes on; it must use up its attempts.
            Stop::Broken(Stage::Rcpt | Stage::Data | Stage::Dot, broken) => {
                self.deferred(letter, &broken.text)
            }
        }
    }

    /// The message was handed over, and its end `may_have_left`.
    pub(super) fn ended(
        &self,
        letter: &Letter,
        answer: Result<Said, Stop>,
        may_have_left: bool,
    ) -> Outcome {
        match answer {
            Ok(said) if may_have_left => self.said(letter, Stage::Dot, &said),
            Ok(_) => self.deferred(letter, "the message was accepted before it was complete"),
            Err(Stop::Broken(_, Broken { text, .. })) if may_have_left => {
                let text = format!("no usable answer to the message: {text}");
                Outcome::Uncertain(self.reply(letter, None, &text))
            }
            Err(Stop::Broken(Stage::Dot, Broken { text, .. })) => {
                let text = format!("the connection broke during the message: {text}");
                self.deferred(letter, &text)
            }
            Err(stop) => self.stopped(letter, stop),
        }
    }

    fn said(&self, letter: &Letter, stage: Stage, said: &Said) -> Outcome {
        reply::outcome(stage, said, self.reply(letter, Some(said.code), &said.text))
    }

    fn deferred(&self, letter: &Letter, text: &str) -> Outcome {
        let reply = self.reply(letter, None, text);
        Outcome::Deferred { reply, reason: Reason::System, not_before: None }
    }

    fn reply(&self, letter: &Letter, code: Option<u16>, text: &str) -> Reply {
        Reply::new(&self.server, code, &reply::redact(text, letter.to()))
    }
}
