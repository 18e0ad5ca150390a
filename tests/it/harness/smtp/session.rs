//! One connection of the server: a strict one, so that what is said out of turn is noticed.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{At, Fault, LENIENT, Letter, Shared, Wrapping};

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// The dialogue is over.
struct Over;

type Step<T> = Result<T, Over>;

pub(super) struct Session {
    shared: Arc<Shared>,
    socket: BufReader<Box<dyn Socket>>,
    /// What followed `MAIL FROM:`, once that was taken.
    from: Option<String>,
    /// What RCPT named last, and whether it was taken.
    to: String,
    has_recipient: bool,
    /// A chunk was refused: nothing goes before RSET (RFC 3030).
    failed: bool,
}

impl Session {
    pub(super) async fn run(shared: Arc<Shared>, socket: TcpStream) {
        let implicit = shared.wrapping == Wrapping::Implicit;
        let socket = BufReader::new(Box::new(socket) as Box<dyn Socket>);
        let mut session = Self {
            shared,
            socket,
            from: None,
            to: String::new(),
            has_recipient: false,
            failed: false,
        };
        if implicit && session.encrypt().await.is_err() {
            return;
        }
        let Err(Over) = session.talk().await;
        session.note("EOF");
    }

    async fn talk(&mut self) -> Step<std::convert::Infallible> {
        self.answer(At::Greeting, "220 mail.test ESMTP").await?;
        loop {
            let line = self.line().await?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            self.note(&word);
            match word.as_str() {
                "EHLO" => self.ehlo().await?,
                "STARTTLS" => {
                    self.answer(At::StartTls, "220 go ahead").await?;
                    self.encrypt().await?;
                }
                "AUTH" => self.auth(&line).await?,
                "MAIL" => self.mail(&line).await?,
                "RCPT" => self.rcpt(&line).await?,
                "DATA" => self.data().await?,
                "BDAT" => self.bdat(&line).await?,
                "RSET" => {
                    self.forget();
                    self.failed = false;
                    self.answer(At::Rset, "250 2.0.0 ok").await?;
                }
                "QUIT" => {
                    self.say("221 2.0.0 bye").await?;
                    return Err(Over);
                }
                _ => self.say("500 5.5.2 what?").await?,
            }
        }
    }

    async fn ehlo(&mut self) -> Step<()> {
        let mut lines = vec!["250-mail.test".to_owned()];
        lines.extend(self.shared.extensions.iter().map(|keyword| format!("250-{keyword}")));
        if self.shared.wrapping == Wrapping::StartTls {
            lines.push("250-STARTTLS".to_owned());
        }
        lines.push("250 ENHANCEDSTATUSCODES".to_owned());
        self.answer(At::Ehlo, &lines.join("\r\n")).await.map(drop)
    }

    async fn auth(&mut self, line: &str) -> Step<()> {
        if line == "AUTH LOGIN" {
            for challenge in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                self.say(challenge).await?;
                self.line().await?;
            }
        }
        self.answer(At::Auth, "235 2.7.0 welcome").await.map(drop)
    }

    async fn mail(&mut self, line: &str) -> Step<()> {
        if self.from.is_some() || self.failed {
            return self.say("503 5.5.1 nested MAIL").await;
        }
        self.forget();
        if self.answer(At::Mail, "250 2.1.0 ok").await? {
            self.from = Some(line["MAIL FROM:".len()..].to_owned());
        }
        Ok(())
    }

    async fn rcpt(&mut self, line: &str) -> Step<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 need MAIL").await;
        }
        let address = line["RCPT TO:<".len()..].split('>').next().unwrap_or_default();
        address.clone_into(&mut self.to);
        self.has_recipient = self.answer(At::Rcpt, "250 2.1.5 ok").await?;
        Ok(())
    }

    async fn data(&mut self) -> Step<()> {
        let is_lenient = self.shared.extensions.contains(&LENIENT);
        if !self.has_recipient && !is_lenient {
            return self.say("503 5.5.1 need RCPT").await;
        }
        // A fault that only talks has talked in place of the 354, and no message follows.
        if self.fault(At::Data).await?.is_some() {
            return Ok(());
        }
        self.say("354 go on").await?;
        self.socket.fill_buf().await.map_err(|_| Over)?;
        if self.fault(At::Body).await?.is_some() {
            return Ok(());
        }
        let mut message = Vec::new();
        loop {
            let line = self.line().await?;
            if line == b".\r\n" {
                break;
            }
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        if !self.has_recipient {
            self.note(".");
            self.forget();
            return self.say("554 5.5.1 no valid recipients").await;
        }
        self.ended(message).await.map(drop)
    }

    async fn bdat(&mut self, line: &str) -> Step<()> {
        let size = line.split(' ').nth(1).and_then(|size| size.parse().ok()).ok_or(Over)?;
        if self.has_recipient && self.fault(At::Body).await?.is_some() {
            return Ok(());
        }
        let mut message = vec![0; size];
        self.socket.read_exact(&mut message).await.map_err(|_| Over)?;
        if !self.has_recipient {
            self.failed = true;
            return self.say("503 5.5.1 need RCPT").await;
        }
        self.failed = !self.ended(message).await?;
        Ok(())
    }

    /// Whether the message was taken.
    async fn ended(&mut self, message: Vec<u8>) -> Step<bool> {
        self.note(".");
        self.shared.diary.note(format!("end {}", self.to));
        let from = self.from.clone().unwrap_or_default();
        let letter = Letter { from, to: self.to.clone(), message };
        let said = self.fault(At::Dot).await?;
        let taken = said.is_none_or(|said| said.starts_with('2'));
        if taken {
            self.shared.letters.lock().expect("no holder panics").push(letter);
        }
        if said.is_none() {
            self.say("250 2.0.0 queued as 4F2A").await?;
        }
        self.forget();
        Ok(taken)
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
        self.has_recipient = false;
    }

    /// Says what is right, or what is due. Whether that was a yes.
    async fn answer(&mut self, at: At, right: &str) -> Step<bool> {
        match self.fault(at).await? {
            Some(said) => Ok(said.starts_with('2')),
            None => self.say(right).await.map(|()| true),
        }
    }

    /// What a fault has said in place of the right thing.
    async fn fault(&mut self, at: At) -> Step<Option<&'static str>> {
        match self.due(at) {
            Some(fault) => self.commit(fault).await,
            None => Ok(None),
        }
    }

    async fn commit(&mut self, fault: Fault) -> Step<Option<&'static str>> {
        match fault {
            Fault::Say(text) => self.say(text).await.map(|()| Some(text)),
            Fault::Drip(text) => self.drip(text).await.map(|()| Some(text)),
            Fault::SayAndClose(text) => {
                self.say(text).await?;
                self.linger().await;
                Err(Over)
            }
            Fault::Close => Err(Over),
            Fault::Hang => std::future::pending().await,
            Fault::Flood => loop {
                self.socket.write_all(&[b'x'; 4096]).await.map_err(|_| Over)?;
            },
            Fault::HalfClose => {
                self.linger().await;
                Err(Over)
            }
            Fault::Wait(gate) => {
                gate.pass().await;
                Ok(None)
            }
        }
    }

    /// Closes the sending side and leaves the other open until the client goes, so that nothing said is lost with what was
    /// not read.
    async fn linger(&mut self) {
        let nothing = BufReader::new(Box::new(tokio::io::empty()) as Box<dyn Socket>);
        let mut socket = std::mem::replace(&mut self.socket, nothing);
        if socket.shutdown().await.is_ok() {
            tokio::spawn(async move { tokio::io::copy(&mut socket, &mut tokio::io::sink()).await });
        }
    }

    async fn drip(&mut self, text: &str) -> Step<()> {
        for byte in format!("{text}\r\n").bytes() {
            self.socket.write_all(&[byte]).await.map_err(|_| Over)?;
            self.socket.flush().await.map_err(|_| Over)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn due(&self, at: At) -> Option<Fault> {
        let mut rules = self.shared.rules.lock().expect("no holder panics");
        let rule = rules.iter_mut().find(|rule| {
            rule.at == at
                && rule.left > 0
                && rule.recipient.as_ref().is_none_or(|recipient| *recipient == self.to)
        })?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    async fn encrypt(&mut self) -> Step<()> {
        if let Some(fault) = self.due(At::Handshake) {
            // The client has begun: what is said now is no part of the answer to STARTTLS.
            self.socket.fill_buf().await.map_err(|_| Over)?;
            self.commit(fault).await?;
        }
        let nothing = BufReader::new(Box::new(tokio::io::empty()) as Box<dyn Socket>);
        let socket = std::mem::replace(&mut self.socket, nothing).into_inner();
        let accept = self.shared.certificate.acceptor.accept(socket);
        self.socket = BufReader::new(Box::new(accept.await.map_err(|_| Over)?));
        Ok(())
    }

    async fn line(&mut self) -> Step<Vec<u8>> {
        let mut line = Vec::new();
        match self.socket.read_until(b'\n', &mut line).await {
            Ok(read) if read > 0 && line.ends_with(b"\n") => Ok(line),
            Ok(_) | Err(_) => Err(Over),
        }
    }

    async fn say(&mut self, text: &str) -> Step<()> {
        let text = format!("{text}\r\n");
        self.socket.write_all(text.as_bytes()).await.map_err(|_| Over)?;
        self.socket.flush().await.map_err(|_| Over)
    }

    fn note(&self, word: &str) {
        self.shared.commands.send_modify(|heard| heard.push(word.to_owned()));
    }
}
