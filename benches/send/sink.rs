//! A lean SMTP sink: takes mail as fast as a machine can hand it over, and knows what it took.
//!
//! It reads large pieces, looks for the end of a message with SIMD and answers a whole pipelined group with one write, so
//! that what is measured is the sender. The crash stories use it too: what it took outlives the daemons that sent it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use memchr::{memchr, memmem};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Room for what is read at once.
const BUFFER: usize = 128 * 1024;
/// How much of a message is looked through for its Message-ID.
const HEAD: usize = 16 * 1024;
const END: &[u8] = b"\r\n.\r\n";
const EXTENSIONS: &str = "250-sink.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                          250-CHUNKING\r\n250 ENHANCEDSTATUSCODES\r\n";

/// How the sink behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Every so many recipients one does not exist.
    pub(crate) reject_every: Option<u64>,
    /// Every so many connections one says nothing any more once it has read its first message.
    pub(crate) stall_every: Option<u64>,
    /// The answer to a message comes after the first of these, and up to the second later than that.
    pub(crate) delay: Option<(Duration, Duration)>,
    /// Remember who got what.
    pub(crate) keep: bool,
}

/// A message that was taken: its last byte was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) to: String,
    /// Without angle brackets; empty if it has none.
    pub(crate) message_id: String,
    /// What `Sink::begin_era` had said when the connection was opened.
    pub(crate) era: usize,
}

struct Shared {
    rules: Rules,
    /// Messages taken and recipients refused.
    done: watch::Sender<u64>,
    recipients: AtomicU64,
    rejected: AtomicU64,
    connections: AtomicU64,
    watched: watch::Sender<u64>,
    era: AtomicUsize,
    kept: Mutex<Vec<Taken>>,
    first: OnceLock<Instant>,
    last: Mutex<Option<Instant>>,
}

/// A sink on a port of its own; gone when dropped.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Sink {
    pub(crate) async fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            rules,
            done: watch::Sender::default(),
            recipients: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            watched: watch::Sender::default(),
            era: AtomicUsize::new(0),
            kept: Mutex::default(),
            first: OnceLock::new(),
            last: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = served.connections.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::spawn(Session::new(Arc::clone(&served), socket, number).run());
            }
        });
        Self { address, shared, task }
    }

    /// Messages taken and recipients refused so far.
    pub(crate) fn done(&self) -> u64 {
        *self.shared.done.borrow()
    }

    /// Resolves when `done` is at least this.
    pub(crate) async fn reaches(&self, done: u64) {
        let mut seen = self.shared.done.subscribe();
        seen.wait_for(|so_far| *so_far >= done).await.expect("the sink is still there");
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.shared.rejected.load(Ordering::Relaxed)
    }

    /// Connections that were opened so far.
    pub(crate) fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many mails to addresses that begin with `watched` were taken.
    pub(crate) fn watched(&self) -> watch::Receiver<u64> {
        self.shared.watched.subscribe()
    }

    /// From the first message to the last.
    pub(crate) fn elapsed(&self) -> Duration {
        let last = *self.shared.last.lock().expect("no holder panics");
        match (self.shared.first.get(), last) {
            (Some(first), Some(last)) => last.duration_since(*first),
            _ => Duration::ZERO,
        }
    }

    /// What comes over connections that are opened from now on belongs to this era.
    pub(crate) fn begin_era(&self, era: usize) {
        self.shared.era.store(era, Ordering::SeqCst);
    }

    /// What was taken so far, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.shared.kept.lock().expect("no holder panics").clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Stage {
    Command,
    /// Between the 354 and the final dot.
    Body,
    /// In a BDAT chunk.
    Chunk {
        left: usize,
        is_last: bool,
    },
}

/// The dialogue is over.
struct Over;

struct Session {
    shared: Arc<Shared>,
    socket: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer is read and not used yet.
    start: usize,
    end: usize,
    replies: Vec<u8>,
    stage: Stage,
    era: usize,
    recipient: Option<String>,
    head: Vec<u8>,
    stalls: bool,
}

impl Session {
    fn new(shared: Arc<Shared>, socket: TcpStream, number: u64) -> Self {
        let stalls = shared.rules.stall_every.is_some_and(|every| number.is_multiple_of(every));
        let era = shared.era.load(Ordering::SeqCst);
        Self {
            shared,
            socket,
            era,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            replies: b"220 sink.test ESMTP\r\n".to_vec(),
            stage: Stage::Command,
            recipient: None,
            head: Vec::new(),
            stalls,
        }
    }

    async fn run(mut self) {
        // Without it a reply may wait for the acknowledgement of the one before.
        let _ = self.socket.set_nodelay(true);
        while self.round().await.is_ok() {}
    }

    /// Answers what came, then reads more.
    async fn round(&mut self) -> Result<(), Over> {
        while self.step().await? {}
        self.flush().await?;
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            return Err(Over); // A command of this length is none.
        }
        match self.socket.read(&mut self.buffer[self.end..]).await {
            Ok(read) if read > 0 => self.end += read,
            Ok(_) | Err(_) => return Err(Over),
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Over> {
        if !self.replies.is_empty() {
            self.socket.write_all(&self.replies).await.map_err(|_| Over)?;
            self.replies.clear();
        }
        Ok(())
    }

    /// Whether something was used up.
    async fn step(&mut self) -> Result<bool, Over> {
        let input = &self.buffer[self.start..self.end];
        match self.stage {
            Stage::Command => {
                let Some(length) = memchr(b'\n', input) else { return Ok(false) };
                let line = String::from_utf8_lossy(&input[..length]).trim_end().to_owned();
                self.start += length + 1;
                self.command(&line)?;
                Ok(true)
            }
            Stage::Body => {
                let Some(length) = memmem::find(input, END) else {
                    // The end may be cut in two.
                    let used = input.len().saturating_sub(END.len() - 1);
                    self.pass(used);
                    return Ok(false);
                };
                self.pass(length);
                self.start += END.len();
                self.stage = Stage::Command;
                self.message().await?;
                Ok(true)
            }
            Stage::Chunk { left, is_last } => {
                let used = left.min(input.len());
                self.pass(used);
                if used < left {
                    self.stage = Stage::Chunk { left: left - used, is_last };
                    return Ok(false);
                }
                self.stage = Stage::Command;
                if self.recipient.is_none() {
                    self.say("503 5.5.1 no recipient");
                } else if is_last {
                    self.message().await?;
                } else {
                    self.say("250 2.0.0 go on");
                }
                Ok(true)
            }
        }
    }

    /// So much of the message has been looked at.
    fn pass(&mut self, length: usize) {
        if self.shared.rules.keep {
            let room = HEAD - self.head.len().min(HEAD);
            self.head.extend_from_slice(&self.buffer[self.start..][..length.min(room)]);
        }
        self.start += length;
    }

    fn command(&mut self, line: &str) -> Result<(), Over> {
        let word = line.split([' ', ':']).next().unwrap_or_default();
        match word.to_ascii_uppercase().as_str() {
            "EHLO" => self.replies.extend_from_slice(EXTENSIONS.as_bytes()),
            "MAIL" => {
                self.recipient = None;
                self.say("250 2.1.0 ok");
            }
            "RCPT" => self.rcpt(line),
            "DATA" if self.recipient.is_none() => self.say("554 5.5.1 no valid recipients"),
            "DATA" => {
                self.head.clear();
                // The line end of DATA stays: an empty message is `.` on the next line.
                self.start -= 2;
                self.stage = Stage::Body;
                self.say("354 go on");
            }
            "BDAT" => {
                let mut words = line.split_whitespace().skip(1);
                let left = words.next().and_then(|size| size.parse().ok()).ok_or(Over)?;
                self.stage = Stage::Chunk { left, is_last: words.next().is_some() };
            }
            "RSET" => {
                self.recipient = None;
                self.say("250 2.0.0 ok");
            }
            "HELO" | "NOOP" => self.say("250 2.0.0 ok"),
            // The write that follows makes it known; reading then finds the end.
            "QUIT" => self.say("221 2.0.0 bye"),
            _ => self.say("500 5.5.2 what?"),
        }
        Ok(())
    }

    fn rcpt(&mut self, line: &str) {
        let number = self.shared.recipients.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shared.rules.reject_every.is_some_and(|every| number.is_multiple_of(every)) {
            self.shared.rejected.fetch_add(1, Ordering::Relaxed);
            self.say("550 5.1.1 no such mailbox");
            self.count();
            return;
        }
        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
        self.recipient = Some(address.to_owned());
        self.say("250 2.1.5 ok");
    }

    async fn message(&mut self) -> Result<(), Over> {
        if self.stalls {
            self.flush().await?;
            std::future::pending::<()>().await;
        }
        let to = self.recipient.take().unwrap_or_default();
        if to.starts_with("watched") {
            self.shared.watched.send_modify(|count| *count += 1);
        }
        if self.shared.rules.keep {
            let message_id = message_id(&self.head);
            let taken = Taken { to, message_id, era: self.era };
            self.shared.kept.lock().expect("no holder panics").push(taken);
        }
        self.head.clear();
        self.count();
        if let Some((least, scattered)) = self.shared.rules.delay {
            // Scattered, and the same for everybody who asks in the same order.
            let share = scatter(self.shared.recipients.load(Ordering::Relaxed)) % 1024;
            let more = scattered * u32::try_from(share).expect("it is below 1024") / 1024;
            tokio::time::sleep(least + more).await;
        }
        self.say("250 2.0.0 taken");
        Ok(())
    }

    fn count(&self) {
        let now = Instant::now();
        self.shared.first.get_or_init(|| now);
        *self.shared.last.lock().expect("no holder panics") = Some(now);
        self.shared.done.send_modify(|done| *done += 1);
    }

    fn say(&mut self, reply: &str) {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
    }
}

/// The Message-ID in the header `head`, without angle brackets.
fn message_id(head: &[u8]) -> String {
    let head = &head[..memmem::find(head, b"\r\n\r\n").unwrap_or(head.len())];
    let head = String::from_utf8_lossy(head);
    let line = head
        .lines()
        .find(|line| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:")));
    let value = line.map_or("", |line| &line[11..]);
    value.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

/// `SplitMix64`: numbers that follow each other become numbers that don't.
pub(crate) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
