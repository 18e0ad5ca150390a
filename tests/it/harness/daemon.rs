//! The real daemon: the binary, in a project folder, as a process that can be killed.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A project folder with a configuration and nothing else.
pub(crate) fn project(configuration: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["config", "posts"] {
        std::fs::create_dir_all(folder.path().join(name)).expect("a folder can be made");
    }
    std::fs::write(folder.path().join("config/postrider.toml"), configuration)
        .expect("a file can be written");
    folder
}

/// A running daemon; killed when dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts the daemon in `folder`. What it says goes to `daemon.log` there.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::spawn(folder, &mut Command::new(env!("CARGO_BIN_EXE_postrider")))
    }

    /// The same, and it tells its news to the socket at `notify`.
    pub(crate) fn start_under_systemd(folder: &Path, notify: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
        Self::spawn(folder, command.env("NOTIFY_SOCKET", notify))
    }

    fn spawn(folder: &Path, command: &mut Command) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("daemon.log"))
            .expect("a log can be written");
        let child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        Self(child)
    }

    /// SIGKILL: no chance to finish anything.
    pub(crate) async fn kill(mut self) {
        self.0.kill().await.expect("a running process can be killed");
    }

    /// Sends it a signal, such as `-HUP`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.0.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await.expect("kill runs");
        assert!(sent.success());
    }

    /// SIGTERM, and the exit code that follows.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        self.signal("-TERM").await;
        self.wait().await
    }

    /// The exit code of a daemon that ends by itself.
    pub(crate) async fn wait(&mut self) -> Option<i32> {
        self.0.wait().await.expect("a child can be waited for").code()
    }
}
