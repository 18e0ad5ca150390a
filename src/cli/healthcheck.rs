//! `postrider healthcheck`: asks the running daemon whether it is well, for containers without a shell.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::console;
use super::project::Project;
use super::style::examples;

/// Bytes of an answer that matter: the status line.
const ANSWER: u64 = 1_024;

/// Ask the running daemon whether it is well: exit code 0 if it is
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider healthcheck
  postrider healthcheck --timeout 1 || systemctl restart postrider"
))]
pub(super) struct HealthcheckArgs {
    /// Wait for the answer this long
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

pub(super) async fn run(project: &Project, args: &HealthcheckArgs) -> anyhow::Result<()> {
    let address = project.config.server.listen;
    let status = status_of(address, Duration::from_secs(args.timeout))
        .await
        .with_context(|| format!("no answer from {address}; is the daemon running?"))?;
    if status != 200 {
        bail!("the daemon at {address} is not well: it answers {status}");
    }
    Ok(console::print("healthy\n")?)
}

/// The HTTP status that `/healthz` of the daemon listening on `address` answers with.
pub(super) async fn status_of(address: SocketAddr, limit: Duration) -> io::Result<u16> {
    timeout(limit, ask(reachable(address)))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn ask(address: SocketAddr) -> io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /healthz HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER).read_to_end(&mut answer).await?;
    let line = String::from_utf8_lossy(&answer);
    let mut words = line.split_ascii_whitespace();
    words
        .next()
        .filter(|protocol| protocol.starts_with("HTTP/1."))
        .and_then(|_| words.next()?.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "this is no web server"))
}

/// Where a daemon that listens on all addresses can be asked.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn server_that_says(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let _ = stream.read(&mut request).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn the_status_is_read_from_whatever_answers() {
        let limit = Duration::from_secs(5);
        let well = server_that_says("HTTP/1.1 200 OK\r\n\r\nok").await;
        assert_eq!(status_of(well, limit).await.unwrap(), 200);
        let ill = server_that_says("HTTP/1.0 503 Service Unavailable\r\n\r\n").await;
        assert_eq!(status_of(ill, limit).await.unwrap(), 503);
        let strange = server_that_says("220 mail.example.org ESMTP\r\n").await;
        assert!(status_of(strange, limit).await.is_err());
    }

    #[tokio::test]
    async fn a_daemon_that_hangs_is_not_waited_for() {
        let hangs = server_that_says("").await;
        let error = status_of(hangs, Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn listening_everywhere_is_asked_at_home() {
        let asked = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(asked("[::]:80"), "[::1]:80");
        assert_eq!(asked("192.0.2.1:80"), "192.0.2.1:80");
    }
}
