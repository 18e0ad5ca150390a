//! A real browser that draws a page and says what it saw.

use std::path::Path;
use std::process::{Command, Stdio};

/// The names under which Chromium and its kin are installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Chromium without a window.
pub(crate) struct Browser {
    program: &'static str,
    profile: tempfile::TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

impl Browser {
    /// `None` where there is none, which in CI is an error.
    #[expect(clippy::disallowed_methods, reason = "CI is told by its environment")]
    pub(crate) fn find() -> Option<Self> {
        let runs = |name: &&str| {
            let mut command = Command::new(name);
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let program = NAMES.into_iter().find(runs);
        assert!(
            program.is_some() || std::env::var_os("CI").is_none(),
            "in CI mails must be looked at: run scripts/test, which installs chromium"
        );
        let profile = tempfile::tempdir().expect("a temporary folder");
        program.map(|program| Self { program, profile })
    }

    /// Draws the file and returns the document as its scripts left it. Asks no other host for anything.
    pub(crate) fn draws(&self, page: &Path, scheme: Scheme) -> String {
        let scheme = match scheme {
            Scheme::Dark => "--blink-settings=preferredColorScheme=0",
            Scheme::Light => "--blink-settings=preferredColorScheme=1",
        };
        let output = Command::new(self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", scheme])
            .arg(format!("--user-data-dir={}", self.profile.path().display()))
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .output()
            .expect("it ran before");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}", self.program);
        String::from_utf8(output.stdout).expect("a document is UTF-8")
    }
}
