//! An SMTP server that keeps what it is given and fails on request, at any stage, for anybody or for one recipient.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::tls::Certificate;

/// Where in the dialogue a fault sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Greeting,
    Ehlo,
    StartTls,
    /// Instead of the TLS handshake.
    Handshake,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the 354, before anything of the message is read.
    Body,
    /// After the message and its dot were read. The letter counts as taken only when nothing or a 2xx is said here.
    Dot,
    Rset,
}

/// What the server does instead of the right thing.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Says this and goes on. Any bytes; the last line end is added.
    Say(&'static str),
    /// Says this and hangs up.
    SayAndClose(&'static str),
    Close,
    /// Neither answers nor reads any more.
    Hang,
}

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Plain,
    StartTls,
    Implicit,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// What followed `MAIL FROM:`.
    pub(crate) from: String,
    /// The address in `RCPT TO:<…>`.
    pub(crate) to: String,
    /// The message, dot-stuffing undone.
    pub(crate) message: Vec<u8>,
}

struct Rule {
    at: At,
    recipient: Option<String>,
    left: usize,
    fault: Fault,
}

struct Shared {
    wrapping: Wrapping,
    certificate: Certificate,
    extensions: Vec<&'static str>,
    rules: Mutex<Vec<Rule>>,
    letters: Mutex<Vec<Letter>>,
    commands: watch::Sender<Vec<String>>,
    connections: AtomicUsize,
}

/// A server on a port of its own; gone when dropped.
pub(crate) struct SmtpServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    pub(crate) async fn plain() -> Self {
        Self::start(Wrapping::Plain, &["8BITMIME", "AUTH PLAIN LOGIN"]).await
    }

    pub(crate) async fn start(wrapping: Wrapping, extensions: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        Self::at(listener, wrapping, extensions)
    }

    /// A port on which nobody listens, and that nobody else can take: a server may open there later.
    pub(crate) fn closed() -> (SocketAddr, TcpSocket) {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port is free");
        (socket.local_addr().expect("a bound socket has an address"), socket)
    }

    pub(crate) fn opens(socket: TcpSocket) -> Self {
        let listener = socket.listen(16).expect("a bound socket can listen");
        Self::at(listener, Wrapping::Plain, &["8BITMIME"])
    }

    fn at(listener: TcpListener, wrapping: Wrapping, extensions: &[&'static str]) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            wrapping,
            certificate: Certificate::new(),
            extensions: extensions.to_vec(),
            rules: Mutex::default(),
            letters: Mutex::default(),
            commands: watch::Sender::default(),
            connections: AtomicUsize::new(0),
        });
        let served = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                served.connections.fetch_add(1, Ordering::SeqCst);
                sessions.spawn(Session::run(Arc::clone(&served), socket));
            }
        });
        Self { address, shared, task }
    }

    /// Fails at `at`, always.
    pub(crate) fn fail(&self, at: At, fault: Fault) {
        self.rule(at, None, usize::MAX, fault);
    }

    /// Does everything right from now on.
    pub(crate) fn mend(&self) {
        self.shared.rules.lock().expect("no holder panics").clear();
    }

    /// Fails at `at`, the next time only.
    pub(crate) fn fail_once(&self, at: At, fault: Fault) {
        self.rule(at, None, 1, fault);
    }

    /// Fails at `at` for mail to `recipient`. Only from RCPT on is the recipient known.
    pub(crate) fn fail_for(&self, recipient: &str, at: At, fault: Fault) {
        self.rule(at, Some(recipient.to_owned()), usize::MAX, fault);
    }

    fn rule(&self, at: At, recipient: Option<String>, left: usize, fault: Fault) {
        let rule = Rule { at, recipient, left, fault };
        self.shared.rules.lock().expect("no holder panics").push(rule);
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.shared.certificate
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.shared.letters.lock().expect("no holder panics").clone()
    }

    /// Connections that were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// First words of the commands heard so far, over all connections; `.` is the final dot, `EOF` a hang-up.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.shared.commands.borrow().clone()
    }

    /// Waits until `command` was heard `times` times.
    pub(crate) async fn heard(&self, command: &str, times: usize) {
        let mut commands = self.shared.commands.subscribe();
        let enough =
            |heard: &Vec<String>| heard.iter().filter(|word| *word == command).count() >= times;
        commands.wait_for(enough).await.expect("the server outlives the wait");
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// The dialogue is over.
struct Over;

type Step<T> = Result<T, Over>;

struct Session {
    shared: Arc<Shared>,
    socket: BufReader<Box<dyn Socket>>,
    from: String,
    to: String,
}

impl Session {
    async fn run(shared: Arc<Shared>, socket: TcpStream) {
        let implicit = shared.wrapping == Wrapping::Implicit;
        let socket = BufReader::new(Box::new(socket) as Box<dyn Socket>);
        let mut session = Self { shared, socket, from: String::new(), to: String::new() };
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
                "MAIL" => {
                    line["MAIL FROM:".len()..].clone_into(&mut self.from);
                    self.to.clear();
                    self.answer(At::Mail, "250 2.1.0 ok").await?;
                }
                "RCPT" => {
                    let address = line["RCPT TO:<".len()..].split('>').next().unwrap_or_default();
                    address.clone_into(&mut self.to);
                    self.answer(At::Rcpt, "250 2.1.5 ok").await?;
                }
                "DATA" => self.data().await?,
                "RSET" => self.answer(At::Rset, "250 2.0.0 ok").await?,
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
        self.answer(At::Ehlo, &lines.join("\r\n")).await
    }

    async fn auth(&mut self, line: &str) -> Step<()> {
        if line == "AUTH LOGIN" {
            for challenge in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                self.say(challenge).await?;
                self.line().await?;
            }
        }
        self.answer(At::Auth, "235 2.7.0 welcome").await
    }

    async fn data(&mut self) -> Step<()> {
        // A fault that only talks has talked in place of the 354, and no message follows.
        if self.fault(At::Data).await? {
            return Ok(());
        }
        self.say("354 go on").await?;
        if self.fault(At::Body).await? {
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
        self.note(".");
        let letter = Letter { from: self.from.clone(), to: self.to.clone(), message };
        if self.fault(At::Dot).await? {
            return Ok(());
        }
        self.shared.letters.lock().expect("no holder panics").push(letter);
        self.say("250 2.0.0 queued as 4F2A").await
    }

    async fn answer(&mut self, at: At, right: &str) -> Step<()> {
        if self.fault(at).await? { Ok(()) } else { self.say(right).await }
    }

    /// Whether a fault has answered.
    async fn fault(&mut self, at: At) -> Step<bool> {
        match self.due(at) {
            None => Ok(false),
            Some(Fault::Say(text)) => self.say(text).await.map(|()| true),
            Some(Fault::SayAndClose(text)) => {
                self.say(text).await?;
                Err(Over)
            }
            Some(Fault::Close) => Err(Over),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }

    fn due(&self, at: At) -> Option<Fault> {
        let mut rules = self.shared.rules.lock().expect("no holder panics");
        let rule = rules.iter_mut().find(|rule| {
            rule.at == at
                && rule.left > 0
                && rule.recipient.as_ref().is_none_or(|recipient| *recipient == self.to)
        })?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    async fn encrypt(&mut self) -> Step<()> {
        self.fault(At::Handshake).await?;
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
