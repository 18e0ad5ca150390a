//! A proxy that makes the other side far away: every byte arrives a fixed time after it was sent, in order.
//!
//! What is read is stamped and written when its time has come; reading goes on meanwhile, so that the delay costs time and no
//! throughput.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Pieces under way in one direction of a connection; far more than 20 ms of anything.
const UNDER_WAY: usize = 4096;

/// Carries connections to `to`, each byte `one_way` late, until the listener fails.
pub(crate) async fn run(listener: TcpListener, to: SocketAddr, one_way: Duration) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A handshake takes a round trip as well.
            tokio::time::sleep(2 * one_way).await;
            let Ok(far) = TcpStream::connect(to).await else { return };
            // The delay is to be the only one.
            if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
                return;
            }
            let (near_reads, near_writes) = near.into_split();
            let (far_reads, far_writes) = far.into_split();
            pump(near_reads, far_writes, one_way);
            pump(far_reads, near_writes, one_way);
        });
    }
}

fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, one_way: Duration) {
    let (sender, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    tokio::spawn(async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let piece = (Instant::now() + one_way, buffer[..read].to_vec());
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((arrives_at, piece)) = under_way.recv().await {
            sleep_until(arrives_at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
}
