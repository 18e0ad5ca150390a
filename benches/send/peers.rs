//! The processes on the other side: sinks, the proxy, and what Postfix and OpenSSL bring.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::measure::{cores, own_usage, usage};
use crate::{News, Took};

/// A process that tells its news line by line; it ends when this is dropped.
pub(crate) struct Peer {
    child: Child,
    news: Lines<BufReader<ChildStdout>>,
    pub(crate) address: SocketAddr,
}

impl Peer {
    /// This program in another role.
    pub(crate) fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output was piped")?;
        let mut news = BufReader::new(output).lines();
        match next(&mut news)? {
            News::Listening(address) => Ok(Self { child, news, address }),
            other => anyhow::bail!("it listens first, and does not say {other:?}"),
        }
    }

    /// A lean sink that tells of `until` messages.
    pub(crate) fn sink(until: u64, rules: &[String]) -> anyhow::Result<Self> {
        let mut arguments = vec!["sink".to_owned(), "--until".to_owned(), until.to_string()];
        arguments.extend_from_slice(rules);
        Self::start(&arguments)
    }

    pub(crate) fn next(&mut self) -> anyhow::Result<News> {
        next(&mut self.news)
    }

    /// What it took, as soon as that is as much as was asked for.
    pub(crate) fn took(&mut self) -> anyhow::Result<Took> {
        loop {
            if let News::Done(took) = self.next()? {
                return Ok(took);
            }
        }
    }
}

fn next(news: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<News> {
    let line = news.next().context("it ended too early")??;
    Ok(serde_json::from_str(&line)?)
}

impl Drop for Peer {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself; then there is nothing to do.
    let _ = child.kill();
    let _ = child.wait();
}

/// Postfix's sink.
pub(crate) struct PostfixSink {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl PostfixSink {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("smtp-sink");
        // It refuses to run as root, and nobody else may change who they are.
        if std::fs::metadata("/proc/self")?.uid() == 0 {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .args([address.to_string(), "1000".to_owned()])
            .stdin(Stdio::null())
            .spawn()
            .context("start smtp-sink")?;
        let patience = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(address).is_err() {
            anyhow::ensure!(Instant::now() < patience, "smtp-sink does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { child, address })
    }

    pub(crate) fn cpu_seconds(&self) -> f64 {
        usage(self.child.id()).cpu_seconds
    }
}

impl Drop for PostfixSink {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Runs a command to its end. Its output, how long it took and what it used.
pub(crate) fn timed(command: &mut Command) -> anyhow::Result<(String, f64, f64)> {
    let (before, begun) = (own_usage(), Instant::now());
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("run {command:?}"))?;
    anyhow::ensure!(output.status.success(), "{command:?} failed: {output:?}");
    let cpu = own_usage().children_seconds - before.children_seconds;
    Ok((String::from_utf8(output.stdout)?, begun.elapsed().as_secs_f64(), cpu))
}

/// Postfix's source: a fixed message over connections that stay open. How long it took and its CPU time.
pub(crate) fn postfix_source(
    to: SocketAddr,
    (count, size): (u64, usize),
    connections: usize,
) -> anyhow::Result<(f64, f64)> {
    let mut command = Command::new("smtp-source");
    command.args(["-d", "-s", &connections.to_string(), "-m", &count.to_string()]);
    command.args(["-l", &size.to_string(), "-f", "news@example.org", "-t", "ann@example.org"]);
    let (_, seconds, cpu) = timed(command.arg(to.to_string()))?;
    Ok((seconds, cpu))
}

/// RSA-2048 signatures a second that OpenSSL makes on all cores.
pub(crate) fn openssl_signatures() -> anyhow::Result<f64> {
    let mut command = Command::new("openssl");
    command.args(["speed", "-seconds", "2", "-multi", &cores().to_string(), "rsa2048"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = String::from_utf8(output.context("run openssl")?.stdout)?;
    let line = text.lines().rfind(|line| line.starts_with("rsa 2048 bits"));
    // `rsa 2048 bits 0.000244s 0.000007s 4100.0 140000.0`
    let figure = line.and_then(|line| line.split_whitespace().nth(5));
    figure.context("openssl says no figure")?.parse().context("openssl says no number")
}
