//! The stream under lettre: hands it replies one line at a time, and sends what waits when it asks for the answer.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::dialogue::{Dialogue, Socket};
use super::lines::Lines;

/// Most pieces that leave with one system call.
const SLICES: usize = 16;

/// Bytes that belong together: lines, or a message with its end.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// Offset of the byte without which no server can take the message for complete. Lines have none.
    pub(super) end: Option<usize>,
}

impl Piece {
    pub(super) fn lines(text: String) -> Self {
        Self { bytes: text.into_bytes(), end: None }
    }
}

/// The other handle on a wire: messages go in here without a copy, and how far they got comes out.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbound(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Vec<Piece>>,
    /// Messages whose end may have left, since the connection was opened.
    ends_left: watch::Sender<usize>,
}

impl Outbound {
    /// Lets `piece` leave before whatever lettre writes next, at the latest when it asks for the next reply.
    pub(super) fn put(&self, piece: Piece) {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
    }

    /// So many messages may be complete at the server. The others cannot have been accepted.
    pub(super) fn ends_left(&self) -> usize {
        *self.0.ends_left.borrow()
    }

    /// Resolves when `count` messages may be complete at the server.
    pub(super) async fn until_left(&self, count: usize) {
        // It cannot fail: `self` holds the sender.
        let _ = self.0.ends_left.subscribe().wait_for(|left| *left >= count).await;
    }

    fn take(&self) -> Vec<Piece> {
        std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_ends(&self, count: usize) {
        if count > 0 {
            self.0.ends_left.send_modify(|left| *left += count);
        }
    }
}

/// A connection whose greeting and EHLO are done, as lettre wants to see it.
///
/// lettre reads a greeting, writes its EHLO and reads the answer before anything else. Both answers come from here and
/// that EHLO goes nowhere: the real ones were spoken before, by code that survives whatever a server says to EHLO.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Box<dyn Socket>,
    peer: SocketAddr,
    /// Between us and the socket there is a layer that keeps what it was given when a write fails.
    encrypted: bool,
    lines: Lines,
    /// The answer to lettre's EHLO, until it has asked.
    hello: Option<Vec<u8>>,
    /// The line that is being handed out.
    line: Vec<u8>,
    handed_out: usize,
    outbound: Outbound,
    /// What is on its way out, and how much of its first piece has left.
    leaving: VecDeque<Piece>,
    sent: usize,
    /// Something of what is leaving has been offered to the socket.
    under_way: bool,
    /// Why nothing can be sent any more.
    failed: Option<io::Error>,
}

impl Wire {
    /// `keywords`: what the server offers, of what lettre needs to know.
    pub(super) fn new(
        dialogue: Dialogue,
        peer: SocketAddr,
        encrypted: bool,
        keywords: &[&str],
    ) -> Self {
        let mut hello = String::new();
        for keyword in keywords {
            hello.push_str("250-");
            hello.push_str(keyword);
            hello.push_str("\r\n");
        }
        hello.push_str("250 HELP\r\n");
        Self {
            socket: dialogue.into_socket(),
            peer,
            encrypted,
            lines: Lines::default(),
            hello: Some(hello.into_bytes()),
            line: b"220 ready\r\n".to_vec(),
            handed_out: 0,
            outbound: Outbound::default(),
            leaving: VecDeque::new(),
            sent: 0,
            under_way: false,
            failed: None,
        }
    }

    pub(super) fn outbound(&self) -> Outbound {
        self.outbound.clone()
    }

    /// Sends what waits. A failure is kept: the server may have said why before it hung up, and that is still to be read.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.leaving.extend(self.outbound.take());
        if self.failed.is_some() {
            return Poll::Ready(Ok(()));
        }
        if !self.leaving.is_empty() && !self.under_way {
            self.expect_silence(cx)?;
            self.under_way = true;
        }
        while !self.leaving.is_empty() {
            match ready!(self.poll_write_pieces(cx)) {
                Ok(0) => self.fail(ErrorKind::WriteZero.into()),
                Ok(sent) => self.advance(sent),
                Err(error) => self.fail(error),
            }
        }
        self.under_way = false;
        if self.failed.is_none()
            && let Err(error) = ready!(Pin::new(&mut self.socket).poll_flush(cx))
        {
            self.failed = Some(error);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_pieces(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut used = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.leaving) {
            let from = if used == 0 { self.sent } else { 0 };
            *slice = IoSlice::new(&piece.bytes[from..]);
            used += 1;
        }
        Pin::new(&mut self.socket).poll_write_vectored(cx, &slices[..used])
    }

    fn advance(&mut self, sent: usize) {
        let mut ends = 0;
        let mut rest = sent;
        while let Some(piece) = self.leaving.front() {
            let (from, to) = (self.sent, (self.sent + rest).min(piece.bytes.len()));
            ends += usize::from(piece.end.is_some_and(|end| (from..to).contains(&end)));
            rest -= to - from;
            self.sent = to;
            if to < piece.bytes.len() {
                break;
            }
            self.leaving.pop_front();
            self.sent = 0;
        }
        self.outbound.note_ends(ends);
    }

    fn fail(&mut self, error: io::Error) {
        if self.encrypted {
            // Part of what was offered may be in the records that left before the one that failed. Without TLS a write
            // that fails has sent nothing.
            // Had the end of the first piece left, all of it would have: it is its last part.
            let offered = self.leaving.iter().take(SLICES);
            self.outbound.note_ends(offered.filter(|piece| piece.end.is_some()).count());
        }
        self.leaving.clear();
        self.sent = 0;
        self.failed = Some(error);
    }

    /// Fails when a reply is there before the question: whose it is could not be told, and the next mail could count as
    /// sent with the answer to this one. Fails as well when the server has hung up.
    fn expect_silence(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.handed_out < self.line.len() || !self.lines.is_empty() {
            return Err(out_of_turn());
        }
        let mut space = [0; 512];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut self.socket).poll_read(cx, &mut buffer) {
            Poll::Pending => Ok(()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Err(ErrorKind::UnexpectedEof.into())
            }
            Poll::Ready(Ok(())) => Err(out_of_turn()),
        }
    }

    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [0; 4096];
        loop {
            if let Some(line) = self.lines.next() {
                self.line = line;
                self.handed_out = 0;
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer));
            let read = match read {
                Ok(()) if buffer.filled().is_empty() => Err(ErrorKind::UnexpectedEof.into()),
                read => read,
            };
            if let Err(error) = read {
                return Poll::Ready(Err(self.failed.take().unwrap_or(error)));
            }
            self.lines.feed(buffer.filled())?;
        }
    }
}

/// Of this kind because the connection is ended by us, whatever the server meant.
fn out_of_turn() -> io::Error {
    io::Error::new(ErrorKind::ConnectionAborted, "the server replied without being asked")
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        ready!(wire.poll_send(cx))?;
        if wire.handed_out == wire.line.len() {
            ready!(wire.poll_line(cx))?;
        }
        // One line at most, so that a reply nobody asked for stays here, where the next question finds it.
        let rest = &wire.line[wire.handed_out..];
        let taken = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..taken]);
        wire.handed_out += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        if let Some(hello) = wire.hello.take() {
            wire.line = hello;
            wire.handed_out = 0;
            return Poll::Ready(Ok(bytes.len()));
        }
        // Bounded without a limit here: lettre writes lines only, and asks for the answer to each.
        wire.outbound.put(Piece { bytes: bytes.to_vec(), end: None });
        Poll::Ready(Ok(bytes.len()))
    }

    /// Does nothing: what was written leaves when the reply is asked for, together with what waits beside it.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        ready!(wire.poll_send(cx))?;
        Pin::new(&mut wire.socket).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
