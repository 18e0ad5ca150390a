//! A window of whole mails at a time (RFC 3030): a round trip, and a commit, for all of them.
//!
//! Every mail of a window is intended before the first byte of any leaves. A crash, or a connection that breaks, leaves as
//! many in doubt as the window holds.

use super::connection::{Broken, Connection, Stop};
use super::letter::Letter;
use super::reply::{Said, Stage};
use super::run::Run;
use crate::courier::MailParcel;

/// A window is full with so many bytes, whatever it holds: it is kept in memory until it has left.
const WINDOW_BYTES: usize = 512 * 1024;

/// A mail of which the last byte was handed to the connection.
struct Sent {
    letter: Letter,
    number: usize,
    /// RSET was said before it.
    after_reset: bool,
}

/// What the end of a connection means for the mails that are still without an answer.
#[derive(Default)]
struct Ending {
    /// The server said that it closes: it has looked at nothing behind that.
    closing: bool,
    /// There will be no more answers, and why.
    broken: Option<String>,
}

/// Carries `first` and all that follow, until there is nothing more or the connection is over.
pub(super) async fn carry(run: &mut Run<'_, '_>, connection: &mut Connection, first: MailParcel) {
    let mut first = run.fit(connection, first);
    while !connection.is_over() {
        let letters = fill(run, connection, first.take());
        if letters.is_empty() {
            return;
        }
        let letters = run.load.intend_all(letters).await;
        if !letters.is_empty() {
            let window = send(run, connection, letters);
            hear(run, connection, window).await;
        }
    }
}

fn fill(run: &mut Run<'_, '_>, connection: &Connection, first: Option<Letter>) -> Vec<Letter> {
    let mut letters = Vec::from_iter(first);
    let mut size_bytes: usize = letters.iter().map(Letter::size_bytes).sum();
    while letters.len() < run.options.window && size_bytes < WINDOW_BYTES {
        let Some(next) = run.next(connection, letters.len()) else { break };
        size_bytes += next.size_bytes();
        letters.push(next);
    }
    letters
}

fn send(run: &mut Run<'_, '_>, connection: &mut Connection, letters: Vec<Letter>) -> Vec<Sent> {
    let mut window: Vec<Sent> = Vec::with_capacity(letters.len());
    for mut letter in letters {
        // After a chunk that was refused only RSET is understood, and which one that will be is not known yet.
        let after_reset = !window.is_empty() || connection.is_loose();
        if after_reset {
            connection.say("RSET\r\n");
        }
        connection.carried += 1;
        connection.say(&letter.mail);
        connection.say(&letter.rcpt);
        connection.say(&format!("BDAT {} LAST\r\n", letter.size_bytes()));
        let number = connection.hand_over(letter.take_chunk());
        run.load.handed_over(letter.delivery(), connection.outbound(), number);
        window.push(Sent { letter, number, after_reset });
    }
    window
}

/// Hears and tells what became of each. Goes on after a 421: some servers say it of one mail and take the next.
async fn hear(run: &mut Run<'_, '_>, connection: &mut Connection, window: Vec<Sent>) {
    let mut ending = Ending::default();
    for sent in window {
        let answer = match ending.broken.clone() {
            Some(text) => Err(Stop::Broken(Stage::Mail, Broken { text, closed: true })),
            None => hear_one(connection, &sent, &mut ending).await,
        };
        let may_have_left = connection.may_have_left(sent.number);
        if !may_have_left {
            connection.abandon();
        }
        let outcome = match answer {
            Err(Stop::Broken(..)) if ending.closing => run.judge.not_its_turn(),
            answer => run.judge.ended(&sent.letter, answer, may_have_left),
        };
        run.tell(&sent.letter, outcome);
    }
}

/// All answers to one mail: the first that is not a yes, or the last.
async fn hear_one(
    connection: &mut Connection,
    sent: &Sent,
    ending: &mut Ending,
) -> Result<Said, Stop> {
    if sent.after_reset {
        let reset = connection.hear_reset().await;
        ending.note(&reset);
        reset?;
    }
    let mut answer = connection.step(Stage::Mail).await;
    ending.note(&answer);
    for stage in [Stage::Rcpt, Stage::Dot] {
        if ending.broken.is_some() {
            break;
        }
        let next = connection.step(stage).await;
        ending.note(&next);
        answer = answer.and(next);
    }
    if answer.is_err() {
        connection.leave_loose();
    }
    answer
}

impl Ending {
    fn note<T>(&mut self, answer: &Result<T, Stop>) {
        match answer {
            Ok(_) => {}
            Err(Stop::Refused(_, said)) => self.closing |= said.code == 421,
            Err(Stop::Broken(_, broken)) => self.broken = Some(broken.text.clone()),
        }
    }
}
