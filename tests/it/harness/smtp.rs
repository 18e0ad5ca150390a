//! An SMTP server that keeps what it is given and fails on request, at any stage, for anybody or for one recipient.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::tls::Certificate;

mod session;

use session::Session;

/// A keyword that makes the server say 354 although there is no recipient, as some do.
pub(crate) const LENIENT: &str = "X-LENIENT";

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
    /// After the 354, when the message begins to arrive. Of a chunk, after its BDAT line.
    Body,
    /// After the message and its end were read. The letter counts as taken only when nothing or a 2xx is said here.
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
    /// Says this one byte at a time, and goes on.
    Drip(&'static str),
    /// Sends bytes without a line end for as long as anybody takes them.
    Flood,
    /// Closes its sending side, and goes on reading.
    HalfClose,
    /// Waits at the gate, then does the right thing.
    Wait(Gate),
}

/// Lets so many through as it was told to.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets through `count` more, who may be waiting already.
    pub(crate) fn lets(&self, count: usize) {
        self.0.add_permits(count);
    }

    async fn pass(&self) {
        self.0.acquire().await.expect("it is never closed for good").forget();
    }
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
    skip: usize,
    left: usize,
    fault: Fault,
}

struct Shared {
    wrapping: Wrapping,
    certificate: Certificate,
    extensions: Vec<&'static str>,
    rules: Mutex<Vec<Rule>>,
    letters: Mutex<Vec<Letter>>,
    diary: Diary,
    commands: watch::Sender<Vec<String>>,
    connections: AtomicUsize,
}

/// What happened, in order. Both ends of a connection write into it.
#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(crate) fn note(&self, entry: String) {
        self.0.lock().expect("no holder panics").push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().expect("no holder panics").clone()
    }
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
            diary: Diary::default(),
            commands: watch::Sender::default(),
            connections: AtomicUsize::new(0),
        });
        let served = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                served.connections.fetch_add(1, Ordering::SeqCst);
                socket.set_nodelay(true).expect("a connection that was accepted");
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

    /// Fails at `at` once, after it went well `times` times.
    pub(crate) fn fail_after(&self, times: usize, at: At, fault: Fault) {
        let rule = Rule { at, recipient: None, skip: times, left: 1, fault };
        self.shared.rules.lock().expect("no holder panics").push(rule);
    }

    /// Fails at `at` for mail to `recipient`. Only from RCPT on is the recipient known.
    pub(crate) fn fail_for(&self, recipient: &str, at: At, fault: Fault) {
        self.rule(at, Some(recipient.to_owned()), usize::MAX, fault);
    }

    fn rule(&self, at: At, recipient: Option<String>, left: usize, fault: Fault) {
        let rule = Rule { at, recipient, skip: 0, left, fault };
        self.shared.rules.lock().expect("no holder panics").push(rule);
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.shared.certificate
    }

    /// `end ADDRESS` each time a message was read to its end.
    pub(crate) fn diary(&self) -> Diary {
        self.shared.diary.clone()
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
