//! The engine with its ledger: the real daemon sends a real edition.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::measure::{Usage, usage};
use crate::peers::Peer;
use crate::project::{self, Project};
use crate::{News, Took};

/// How many confirmations are asked for while an edition goes out.
const CONFIRMATIONS: usize = 5;

/// A newsletter with its readers; each run publishes one more post.
pub(crate) struct Newsletter {
    folder: TempDir,
    store: String,
    readers: u64,
    posts: usize,
}

/// How one edition is sent.
#[derive(Clone, Debug)]
pub(crate) struct Edition {
    pub(crate) connections: usize,
    pub(crate) log: &'static str,
    /// Options of the sink.
    pub(crate) sink: Vec<String>,
    /// More configuration of the mail server.
    pub(crate) server: String,
    /// People subscribe meanwhile.
    pub(crate) confirm: bool,
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) took: Took,
    /// Of the daemon, between the first mail and the last.
    pub(crate) cpu_seconds: f64,
    /// Of the database server's processes that worked for it meanwhile.
    pub(crate) server_seconds: Option<f64>,
    /// From the start of the daemon to the first mail: reading, sealing and planning.
    pub(crate) first_after: f64,
    pub(crate) peak_kib: u64,
    /// Seconds from a form sent to its mail handed over.
    pub(crate) confirmations: Vec<f64>,
}

impl Newsletter {
    /// On the database at `store`; on an SQLite file of its own without one.
    pub(crate) fn new(store: Option<&str>, readers: u64) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let file = format!("sqlite:{}", folder.path().join("postrider.db").display());
        let store = store.map_or(file, str::to_owned);
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        write(folder.path(), &store, nowhere, &Edition::over(1))?;
        let config = project::load(folder.path())?;
        crate::one_thread()?.block_on(project::add_readers(&config, readers))?;
        Ok(Self { folder, store, readers, posts: 0 })
    }

    /// Publishes a post and waits until everybody has it.
    pub(crate) fn send(&mut self, edition: &Edition) -> anyhow::Result<Sent> {
        let mut sink = Peer::sink(self.readers, &edition.sink)?;
        let folder = self.folder.path();
        let listen = write(folder, &self.store, sink.address, edition)?;
        self.posts += 1;
        std::fs::write(folder.join(format!("posts/{}.md", self.posts)), project::post(self.posts))?;
        let begun = Instant::now();
        let daemon = Daemon::start(folder)?;
        let News::First = sink.next()? else { anyhow::bail!("the first mail comes first") };
        let first_after = begun.elapsed().as_secs_f64();
        let (before, server_before) = (daemon.usage(), self.server_seconds()?);
        let mut confirmations = Vec::new();
        let took = if edition.confirm {
            confirm(&mut sink, listen, &mut confirmations)?
        } else {
            sink.took()?
        };
        let (after, server_after) = (daemon.usage(), self.server_seconds()?);
        daemon.stop()?;
        Ok(Sent {
            took,
            cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            server_seconds: server_after.zip(server_before).map(|(after, before)| after - before),
            first_after,
            peak_kib: after.peak_kib,
            confirmations,
        })
    }

    /// CPU time of the PostgreSQL processes that are connected to our database.
    fn server_seconds(&self) -> anyhow::Result<Option<f64>> {
        if self.store.starts_with("sqlite:") {
            return Ok(None);
        }
        let processes = crate::one_thread()?.block_on(project::server_processes(&self.store))?;
        Ok(Some(processes.into_iter().map(|process| usage(process).cpu_seconds).sum()))
    }

    /// What the daemon takes when there is nothing to do.
    pub(crate) fn idle(&self) -> anyhow::Result<Usage> {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        write(self.folder.path(), &self.store, nowhere, &Edition::over(1))?;
        let daemon = Daemon::start(self.folder.path())?;
        // Long enough to have read its posts and looked what is due.
        std::thread::sleep(Duration::from_secs(2));
        let idle = daemon.usage();
        daemon.stop()?;
        Ok(idle)
    }
}

impl Edition {
    /// Over so many connections, and nothing special.
    pub(crate) fn over(connections: usize) -> Self {
        Self { connections, log: "warn", sink: Vec::new(), server: String::new(), confirm: false }
    }
}

/// Writes the configuration, and says where the daemon will listen.
fn write(
    folder: &Path,
    store: &str,
    to: SocketAddr,
    edition: &Edition,
) -> anyhow::Result<SocketAddr> {
    let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let project = Project {
        store,
        to,
        connections: edition.connections,
        listen: &listen.to_string(),
        log: edition.log,
        server: &edition.server,
    };
    project.write(folder)?;
    Ok(listen)
}

/// Somebody subscribes, again and again, until the edition is out.
fn confirm(sink: &mut Peer, listen: SocketAddr, times: &mut Vec<f64>) -> anyhow::Result<Took> {
    while times.len() < CONFIRMATIONS {
        std::thread::sleep(Duration::from_millis(200));
        let begun = Instant::now();
        subscribe(listen, times.len())?;
        match sink.next()? {
            News::Watched => times.push(begun.elapsed().as_secs_f64()),
            News::Done(took) => return Ok(took),
            other => anyhow::bail!("{other:?} was not asked for"),
        }
    }
    sink.took()
}

fn subscribe(listen: SocketAddr, number: usize) -> anyhow::Result<()> {
    let form = format!("address=watched{number}-{}%40example.org&cadence=instant", listen.port());
    let mut stream = TcpStream::connect(listen)?;
    write!(
        stream,
        "POST /subscribe/weekly HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\nOrigin: https://example.org\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 303"), "not subscribed: {answer}");
    Ok(())
}

/// The program itself; killed when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let log =
            std::fs::File::options().create(true).append(true).open(folder.join("daemon.log"))?;
        let child = Command::new(env!("CARGO_BIN_EXE_postrider"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start the daemon")?;
        Ok(Self(child))
    }

    fn usage(&self) -> Usage {
        usage(self.0.id())
    }

    /// SIGTERM: what is in flight is finished.
    fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.0.id().to_string()).status()?;
        let ended = self.0.wait()?;
        anyhow::ensure!(ended.success(), "the daemon ended with {ended}");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
