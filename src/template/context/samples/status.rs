//! The material of the status page's sample.

use super::super::{
    CadenceRow, DestinationRow, EditionRow, EventRow, FeedRow, NewsletterRow, ProblemRow, PushRow,
    QueueRow, ReaderRow, StateCount,
};
use super::at;

pub(in super::super) fn problems() -> Vec<ProblemRow> {
    vec![
        ProblemRow {
            severity: "error".to_owned(),
            place: "posts/tea.md:3:7".to_owned(),
            message: "`2026-02-30` is no date: February 2026 has 28 days".to_owned(),
            effect: Some("this post is live nowhere".to_owned()),
            help: Some("write it as `2026-02-28`".to_owned()),
        },
        ProblemRow {
            severity: "warning".to_owned(),
            place: String::new(),
            message: "the mail server `main` did not answer for 4 minutes".to_owned(),
            effect: None,
            help: None,
        },
    ]
}

pub(in super::super) fn feeds() -> Vec<FeedRow> {
    [("/feed.xml", "RSS 2.0"), ("/atom.xml", "Atom 1.0"), ("/feed.json", "JSON Feed 1.1")]
        .into_iter()
        .map(|(url, format)| FeedRow {
            title: "Field Notes".to_owned(),
            url: format!("https://news.example.org{url}"),
            format: format.to_owned(),
        })
        .collect()
}

pub(in super::super) fn readers() -> Vec<ReaderRow> {
    vec![ReaderRow { path: "/feed.xml".to_owned(), pollers: 212, subscribers: 1_460 }]
}

pub(in super::super) fn pushes() -> Vec<PushRow> {
    let row =
        |target: &str, subscribers, owed| PushRow { target: target.to_owned(), subscribers, owed };
    vec![row("hub.example.net", None, 3), row("/feed.xml", Some(37), 1)]
}

pub(in super::super) fn newsletters() -> Vec<NewsletterRow> {
    let row = |cadence: &str, expression: Option<&str>, next: Option<&str>| CadenceRow {
        cadence: cadence.to_owned(),
        expression: expression.map(str::to_owned),
        next_run: next.map(at),
        subscribers: 1_284,
    };
    vec![NewsletterRow {
        name: "weekly".to_owned(),
        title: "Field Notes weekly".to_owned(),
        url: "/subscribe/weekly".to_owned(),
        cadences: vec![
            row("instant", None, None),
            row("daily", Some("0 7 * * *"), Some("2026-11-24T07:00:00+01:00[Europe/Berlin]")),
            row("weekly", Some("0 7 * * MON"), Some("2026-11-30T07:00:00+01:00[Europe/Berlin]")),
            row("monthly", Some("0 7 31 2 *"), None),
        ],
    }]
}

pub(in super::super) fn destinations() -> Vec<DestinationRow> {
    let row = |name: &str, state: &str, healthy, waiting| DestinationRow {
        name: name.to_owned(),
        state: state.to_owned(),
        healthy,
        accepted: 212,
        waiting,
        rejected: 1,
    };
    vec![
        row("chat", "well", true, 0),
        row("archive", "resting until 07:20 after 5 failures in a row", false, 2),
    ]
}

pub(in super::super) fn queue() -> Vec<QueueRow> {
    vec![
        QueueRow {
            channel: "mail:weekly".to_owned(),
            waiting: 861,
            held: 1,
            oldest: Some(at("2026-11-23T06:58:40+01:00[Europe/Berlin]")),
        },
        QueueRow { channel: "destination:chat".to_owned(), waiting: 2, held: 0, oldest: None },
    ]
}

pub(in super::super) fn editions() -> Vec<EditionRow> {
    vec![
        EditionRow {
            id: 42,
            newsletter: "weekly".to_owned(),
            cadence: "weekly".to_owned(),
            subject: "A walk along the river and 3 more".to_owned(),
            sealed_at: at("2026-11-23T06:58:30+01:00[Europe/Berlin]"),
            state: "paused".to_owned(),
            why: "30 of the first 423 mails were rejected: 7.1 %, and the limit is 5.0 %"
                .to_owned(),
            accepted: 412,
            waiting: 861,
            rejected: 9,
            uncertain: 2,
        },
        EditionRow {
            id: 41,
            newsletter: "weekly".to_owned(),
            cadence: "instant".to_owned(),
            subject: "שלום 👩‍🚀 & <b>\"עולם\"</b>".to_owned(),
            sealed_at: at("2026-11-22T18:20:00+01:00[Europe/Berlin]"),
            state: "finished".to_owned(),
            why: String::new(),
            accepted: 96,
            waiting: 0,
            rejected: 0,
            uncertain: 0,
        },
    ]
}

pub(in super::super) fn events() -> Vec<EventRow> {
    let row = |when: &str, kind: &str, text: &str| EventRow {
        at: at(when),
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    vec![
        row(
            "2026-11-23T06:58:30+01:00[Europe/Berlin]",
            "edition.sealed",
            "weekly edition 42 with 4 posts for 1,284 readers",
        ),
        row(
            "2026-11-22T18:18:00+01:00[Europe/Berlin]",
            "post.released",
            "posts/river.md on every channel",
        ),
    ]
}

pub(in super::super) fn deliveries() -> Vec<StateCount> {
    [("planned", 861), ("accepted", 58_204), ("deferred", 2), ("rejected", 131), ("uncertain", 2)]
        .into_iter()
        .map(|(state, count)| StateCount { state: state.to_owned(), count })
        .collect()
}
