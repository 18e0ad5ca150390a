//! A real browser that draws a page and says what it saw.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;

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

    /// What it is called here.
    pub(crate) fn program(&self) -> &'static str {
        self.program
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

    /// What a script sees of a page in a frame `width` pixels wide: a browser's own window is never as narrow as a phone.
    /// `seen` is an expression; `page` is the document, `root` its root, `view` its window.
    pub(crate) fn sees<T: DeserializeOwned>(
        &self,
        (page, seen): (&str, &str),
        (width, scheme): (u32, Scheme),
    ) -> T {
        let page = serde_json::to_string(page).expect("a string is JSON").replace('<', "\\u003c");
        let stage = format!(
            r#"<!DOCTYPE html><meta name="color-scheme" content="light dark"><iframe style="width: {width}px; height: 800px; border: 0"></iframe>
<script>
const frame = document.querySelector('iframe');
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
  const seen = {seen};
  document.body.append(Object.assign(document.createElement('pre'), {{ textContent: btoa(unescape(encodeURIComponent(JSON.stringify(seen)))) }}));
}};
frame.srcdoc = {page};
</script>"#
        );
        let file = self.profile.path().join("stage.html");
        std::fs::write(&file, stage).expect("a temporary folder can be written");
        let drawn = self.draws(&file, scheme);
        let seen = drawn.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next());
        let seen = seen.unwrap_or_else(|| panic!("the page was not drawn: {drawn}"));
        let seen = BASE64_STANDARD.decode(seen).expect("`btoa` wrote it");
        serde_json::from_slice(&seen).expect("`JSON.stringify` wrote it")
    }
}
