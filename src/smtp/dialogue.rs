//! The first words with a server, spoken by us: greeting, EHLO, STARTTLS. lettre takes over after them.

use std::fmt;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::lines::Lines;
use super::reply::Said;

/// Most lines of one reply.
const REPLY_LINES: usize = 200;

/// A TCP or TLS connection.
pub(super) trait Socket: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin> Socket for T {}

/// What a server offers in its answer to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "that is what EHLO is: one keyword, one yes")]
pub(super) struct Offers {
    pub(super) starttls: bool,
    pub(super) eight_bit: bool,
    pub(super) utf8: bool,
    pub(super) pipelining: bool,
    pub(super) chunking: bool,
    /// It knows the parameter SIZE, with a limit or without (RFC 1870).
    pub(super) size: bool,
    /// The mechanisms that we speak too, as EHLO lines.
    pub(super) auth: Vec<&'static str>,
    /// Largest message in bytes, if it says so.
    pub(super) size_bytes: Option<u64>,
}

impl Offers {
    /// Reads the lines after the first, which only greets.
    pub(super) fn parse(lines: &[String]) -> Self {
        let mut offers = Self::default();
        for line in lines.iter().skip(1) {
            // `AUTH=` is how servers of the last century wrote it, and some still do beside the right one.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => offers.starttls = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.utf8 = true,
                Some("PIPELINING") => offers.pipelining = true,
                Some("CHUNKING") => offers.chunking = true,
                Some("SIZE") => {
                    offers.size = true;
                    let size = words.next().and_then(|size| size.parse().ok());
                    offers.size_bytes = size.filter(|&bytes| bytes > 0);
                }
                Some("AUTH") => {
                    offers.auth.extend(words.filter_map(|mechanism| match mechanism {
                        "PLAIN" => Some("AUTH PLAIN"),
                        "LOGIN" => Some("AUTH LOGIN"),
                        _ => None,
                    }));
                }
                Some(_) | None => {}
            }
        }
        offers
    }
}

/// A connection on which we say a line and hear a reply.
#[derive(Debug)]
pub(super) struct Dialogue {
    socket: Box<dyn Socket>,
    lines: Lines,
}

impl Dialogue {
    pub(super) fn new(socket: impl Socket + 'static) -> Self {
        Self { socket: Box::new(socket), lines: Lines::default() }
    }

    /// Something was sent that belongs to no reply.
    pub(super) fn has_leftovers(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The bare connection. Leftovers are lost: ask before.
    pub(super) fn into_socket(self) -> Box<dyn Socket> {
        self.socket
    }

    /// Says `line` (without CRLF) and hears the reply. Fails when a reply is there before the question.
    pub(super) async fn ask(&mut self, line: &str) -> io::Result<(Said, Vec<String>)> {
        if self.has_leftovers() {
            return Err(nonsense("the server replied without being asked"));
        }
        self.socket.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.socket.flush().await?;
        self.hear().await
    }

    /// Hears a reply: its code and text, and its lines without code.
    pub(super) async fn hear(&mut self) -> io::Result<(Said, Vec<String>)> {
        let mut first = None;
        let mut texts = Vec::new();
        while texts.len() < REPLY_LINES {
            let line = self.line().await?;
            let (code, last, text) = parse(&line)?;
            if *first.get_or_insert(code) != code {
                return Err(nonsense("the lines of one reply have different codes"));
            }
            texts.push(text);
            if last {
                return Ok((Said { code, text: texts.join(" ") }, texts));
            }
        }
        Err(nonsense("a reply without end"))
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(String::from_utf8_lossy(&line).trim_end_matches("\r\n").to_owned());
            }
            let mut space = [0; 2048];
            let read = self.socket.read(&mut space).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.lines.feed(&space[..read])?;
        }
    }
}

fn parse(line: &str) -> io::Result<(u16, bool, String)> {
    let parsed = line.split_at_checked(3).and_then(|(code, rest)| {
        let code = code.parse().ok().filter(|code| (200..600).contains(code))?;
        let text = rest.strip_prefix([' ', '-'])?;
        Some((code, rest.starts_with(' '), text.to_owned()))
    });
    parsed.ok_or_else(|| nonsense("that is not an SMTP reply"))
}

fn nonsense(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_any_case_and_never_from_the_greeting_line() {
        let lines = ["STARTTLS mail.test", "starttls", "SIZE 1000", "auth=PLAIN login", " ", ""];
        let offers = Offers::parse(&lines.map(str::to_owned));
        assert!(offers.starttls && !offers.utf8 && !offers.pipelining && !offers.chunking);
        assert_eq!(offers.auth, ["AUTH PLAIN", "AUTH LOGIN"]);
        assert_eq!(offers.size_bytes, Some(1_000));
        let unlimited = Offers::parse(&["STARTTLS".to_owned(), "SIZE 0".to_owned()]);
        assert_eq!(unlimited, Offers { size: true, ..Offers::default() });
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        assert_eq!(parse("250 ok").unwrap(), (250, true, "ok".to_owned()));
        assert_eq!(parse("250-ok").unwrap(), (250, false, "ok".to_owned()));
        for line in ["", "25", "250", "250x", "199 no", "600 no", "+OK pop", "HTTP/1.1 400"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
