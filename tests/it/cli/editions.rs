//! Editions in somebody's hands while a daemon sends them: stopped, mended, resumed and ended.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::harness::daemon::{Daemon, configuration, smtp, until};
use crate::harness::smtp::{At, Fault, Gate, Letter, SmtpServer};

const READERS: usize = 6;

/// A newsletter, the daemon that sends it, and a mail server that answers as slowly as the story wants.
struct Desk {
    project: Project,
    sink: SmtpServer,
    gate: Gate,
    _daemon: Daemon,
}

impl Desk {
    async fn opens() -> Self {
        let (sink, gate) = (SmtpServer::plain().await, Gate::closed());
        sink.fail(At::Dot, Fault::Wait(gate.clone()));
        let project = Project::empty();
        let config = configuration("sqlite:var/postrider.db", &smtp(sink.address, 1));
        project.write("config/postrider.toml", &config);
        fs::create_dir(project.path("posts")).unwrap();
        for number in 0..READERS {
            project.runs(&format!("subscribers add reader{number}@example.org")).well();
        }
        let daemon = Daemon::start(&project.path(""));
        Self { project, sink, gate, _daemon: daemon }
    }

    fn saves(&self, name: &str, title: &str, text: &str) {
        let post = format!("---\ntitle: {title}\ndate: 2026-03-01\n---\n\n{text}\n");
        self.project.write(&format!("posts/{name}.md"), &post);
    }

    fn runs(&self, line: &str) -> Ended {
        tokio::task::block_in_place(|| self.project.runs(line))
    }

    fn asked(&self, line: &str, answer: &str) -> Ended {
        tokio::task::block_in_place(|| self.project.runs_with_input(line, answer))
    }

    /// Where the deliveries of an edition stand.
    fn counts(&self, edition: u32) -> BTreeMap<String, i64> {
        let shown = self.runs(&format!("editions show {edition} --format json")).well().json();
        let counts = shown["edition"]["counts"].as_array().unwrap().clone();
        let count = |one: serde_json::Value| {
            (one["state"].as_str().unwrap().to_owned(), one["count"].as_i64().unwrap())
        };
        counts.into_iter().map(count).collect()
    }

    /// Waits until the deliveries of an edition stand like this.
    async fn come_to(&self, edition: u32, counts: &[(&str, i64)]) {
        let wanted = counts.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect();
        until(&format!("{wanted:?}"), async || self.counts(edition) == wanted).await;
    }

    /// The letters about `title`.
    fn letters(&self, title: &str) -> Vec<Letter> {
        let mut letters = self.sink.letters();
        let subject = format!("Subject: {title}\r\n");
        letters.retain(|it| String::from_utf8_lossy(&it.message).contains(&subject));
        letters
    }
}

/// The only row of a table, one blank between its words.
fn row(table: &str) -> String {
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    lines[1].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_is_paused_to_the_delivery_corrected_for_the_rest_and_resumed() {
    let desk = Desk::opens().await;
    desk.saves("rain", "Rain", "The barrel is full.");
    desk.gate.lets(2);
    // Two are through, and the third waits for its answer.
    desk.sink.heard(".", 3).await;
    let listed = desk.runs("editions list").well();
    let listed = row(&listed.out);
    assert!(listed.starts_with("1 sealed weekly, instant Rain "), "{listed}");
    assert!(listed.ends_with(" 6 2 accepted, 3 planned, 1 sending"), "{listed}");
    let early = desk.runs("editions correct 1 --yes").with(1);
    assert_eq!(early.err, "error: edition 1 is sealed; only a paused one can be corrected\n");

    let paused = desk.runs("editions pause 1 --why typo").well();
    let told = "Edition 1 is paused. `postrider editions resume 1` goes on.\n";
    assert_eq!((paused.out.as_str(), paused.err.as_str()), ("", told));
    let again = desk.runs("editions pause 1").with(1);
    assert!(again.err.contains("cannot be paused"), "{}", again.err);
    desk.gate.lets(1);
    desk.come_to(1, &[("accepted", 3), ("planned", 3)]).await;
    let shown = desk.runs("editions show 1").well().out;
    assert!(shown.starts_with("Edition 1 of weekly (instant): Rain\npaused: typo\n"), "{shown}");
    assert!(shown.contains(" for 6 recipients, version 1\n"), "{shown}");

    desk.saves("rain", "Less rain", "The barrel is empty.");
    let asked = desk.asked("editions correct 1", "yes\n").with(1);
    let difference = "Subject: Less rain\n    was: Rain\nSize: ";
    assert!(asked.err.starts_with(difference), "{}", asked.err);
    let numbers = "\n3 recipients got the earlier version; 3 recipients get this one.\n";
    assert!(asked.err.contains(numbers), "{}", asked.err);
    assert!(asked.err.contains("Type weekly to correct it: "), "{}", asked.err);
    let told = "\nNothing was changed. `--yes` does it without asking.\n";
    assert!(asked.err.ends_with(told), "{}", asked.err);
    let corrected = desk.asked("editions correct 1", "weekly\n").well();
    let told = "\nEdition 1 is at version 2. `postrider editions resume 1` sends it.\n";
    assert!(corrected.err.ends_with(told), "{}", corrected.err);

    desk.gate.lets(3);
    let resumed = desk.runs("editions resume 1").well();
    assert_eq!((resumed.out.as_str(), resumed.err.as_str()), ("", "Edition 1 goes on.\n"));
    desk.come_to(1, &[("accepted", 6)]).await;
    let (before, after) = (desk.letters("Rain"), desk.letters("Less rain"));
    assert_eq!((before.len(), after.len()), (3, 3));
    let text = |letter: &Letter| String::from_utf8_lossy(&letter.message).into_owned();
    assert!(before.iter().all(|letter| text(letter).contains("The barrel is full.")));
    assert!(after.iter().all(|letter| text(letter).contains("The barrel is empty.")));
    let readers: BTreeSet<_> = before.iter().chain(&after).map(|letter| &letter.to).collect();
    assert_eq!(readers.len(), READERS, "everybody has one of them");
    let over = desk.runs("editions resume 1").with(1);
    assert_eq!(over.err, "error: edition 1 is not paused\n");
    // The only one: a correction is no news.
    let listed = || row(&desk.runs("editions list").well().out);
    until("the end", async || listed().starts_with("1 finished weekly, instant Less rain ")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_edition_reaches_nobody_else_and_is_over() {
    let desk = Desk::opens().await;
    desk.saves("wind", "Wind", "It blows.");
    desk.gate.lets(1);
    desk.sink.heard(".", 2).await;
    let asked = desk.asked("editions cancel 1", "1\n").with(1);
    let question = "4 recipients would not get \"Wind\". Type cancel to go on: \n";
    let told = format!("{question}Nothing was changed. `--yes` does it without asking.\n");
    assert_eq!(asked.err, told);
    let cancelled = desk.runs("editions cancel 1 --yes --why storm").well();
    assert_eq!(cancelled.err, "Edition 1 is cancelled; 4 mails will not go out.\n");
    desk.gate.lets(1);
    desk.come_to(1, &[("accepted", 2), ("cancelled", 4)]).await;
    let shown = desk.runs("editions show 1").well().out;
    assert!(shown.contains("\ncancelled: storm\n"), "{shown}");
    for (line, told) in [
        ("editions cancel 1 --yes", "error: edition 1 is over already\n"),
        ("editions resume 1", "error: edition 1 is not paused\n"),
        ("editions show 9", "error: there is no edition 9\n"),
        ("editions cancel 9 --yes", "error: there is no edition 9\n"),
    ] {
        assert_eq!(desk.runs(line).with(1).err, told, "{line}");
    }
    desk.runs("editions pause storm").with(2);

    // What comes later does not bring back what was cancelled.
    desk.saves("sun", "Sun", "It shines.");
    desk.gate.lets(READERS);
    desk.sink.heard(".", READERS + 2).await;
    desk.come_to(2, &[("accepted", 6)]).await;
    assert_eq!(desk.letters("Wind").len(), 2);
}
