//! The stream under lettre: hands it replies one line at a time, and sends what it writes when it asks for the answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::dialogue::{Dialogue, Socket};
use super::lines::Lines;

/// How lettre ends a message: a write of its own, which no part of a dot-stuffed message equals.
const END_OF_DATA: &[u8] = b"\r\n.\r\n";

/// Bytes that are gathered before they go out without being waited for.
const GATHER_BYTES: usize = 64 * 1024;

/// A connection whose greeting and EHLO are done, as lettre wants to see it.
///
/// lettre reads a greeting, writes its EHLO and reads the answer before anything else. Both answers come from here and
/// that EHLO goes nowhere: the real ones were spoken before, by code that survives whatever a server says to EHLO.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Box<dyn Socket>,
    peer: SocketAddr,
    lines: Lines,
    /// The answer to lettre's EHLO, until it has asked.
    hello: Option<Vec<u8>>,
    /// The line that is being handed out.
    line: Vec<u8>,
    handed_out: usize,
    outgoing: Vec<u8>,
    sent: usize,
    /// Where in `outgoing` the end of the message begins.
    end_of_data: Option<usize>,
    dot_sent: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// `keywords`: what the server offers, of what lettre needs to know.
    pub(super) fn new(dialogue: Dialogue, peer: SocketAddr, keywords: &[&str]) -> Self {
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
            lines: Lines::default(),
            hello: Some(hello.into_bytes()),
            line: b"220 ready\r\n".to_vec(),
            handed_out: 0,
            outgoing: Vec::new(),
            sent: 0,
            end_of_data: None,
            dot_sent: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Turns true as soon as the first byte of a message's end may have left. Until then no server can have accepted it.
    pub(super) fn dot_sent(&self) -> Arc<watch::Sender<bool>> {
        Arc::clone(&self.dot_sent)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let rest = &self.outgoing[self.sent..];
            let sent = ready!(Pin::new(&mut self.socket).poll_write(cx, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
            if self.end_of_data.is_some_and(|at| self.sent > at) {
                self.end_of_data = None;
                self.dot_sent.send_replace(true);
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Pin::new(&mut self.socket).poll_flush(cx)
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
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.lines.feed(buffer.filled())?;
        }
    }
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
        // One line at most, so that a reply nobody asked for stays here, where the next write finds it.
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
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        if let Some(hello) = wire.hello.take() {
            wire.line = hello;
            wire.handed_out = 0;
            return Poll::Ready(Ok(bytes.len()));
        }
        if wire.handed_out < wire.line.len() || !wire.lines.is_empty() {
            // Whose reply it is can no longer be told: the next mail could count as sent with the answer to this one.
            let text = "the server replied without being asked";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        if wire.outgoing.len() >= GATHER_BYTES {
            ready!(wire.poll_send(cx))?;
        }
        if bytes == END_OF_DATA {
            wire.end_of_data = Some(wire.outgoing.len());
        }
        // The end of the message always fits as a whole, so it is recognised.
        let room = GATHER_BYTES + END_OF_DATA.len() - wire.outgoing.len();
        let taken = bytes.len().min(room);
        wire.outgoing.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    /// Does nothing: the body and its dot, which lettre flushes one by one, leave together when the reply is asked for.
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
