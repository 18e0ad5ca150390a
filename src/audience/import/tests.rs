use jiff::Timestamp;
use proptest::prelude::*;

use std::fmt::Write as _;

use super::*;
use crate::audience::ExportFormat;
use crate::audience::fixture::{self, House};
use crate::domain::{Choice, SubscriptionState};
use crate::store::AddSubscriber;

const IMPORT: Import<'static> =
    Import { newsletter: Some("weekly"), cadence: None, confirmed: true, file: "people.csv" };

/// Subscribes somebody who confirmed it here.
async fn subscribes(house: &House, address: &str) {
    let wish = AddSubscriber {
        address: &address.parse().unwrap(),
        newsletter: "weekly",
        choice: &Choice::of(Cadence::Weekly),
        state: SubscriptionState::Active,
        source: "form",
    };
    let mut tx = house.store.write().await.unwrap();
    let now = fixture::now(&house.clock);
    tx.add_subscriber(&wish, house.store.keyring(), now).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the file of a system becomes: the report, what was skipped and what is there then.
async fn becomes(files: &[(&str, &str)]) -> String {
    let mut house = House::new().await;
    let weekly = house.config.newsletters.get_mut("weekly").unwrap();
    weekly.languages = vec!["de".to_owned()];
    let topic = crate::config::Topic { title: "Making".to_owned(), terms: Vec::new() };
    weekly.topics = [("making".to_owned(), topic)].into();
    let mut told = String::new();
    for round in ["", " again"] {
        for (name, file) in files {
            let import = Import { file: name, ..IMPORT };
            let (report, skipped) = imports(&house, file, import).await;
            let ImportReport { rows, added, already_active, kept_out, skipped: count } = report;
            writeln!(
                told,
                "{name}{round}: {rows} rows, {added} added, {already_active} known, {kept_out} kept out, {count} skipped"
            )
            .unwrap();
            if round.is_empty() {
                for line in &skipped {
                    writeln!(told, "  {line}").unwrap();
                }
            }
        }
        if round.is_empty() {
            let mut out = Vec::new();
            house.audience().export((None, None), ExportFormat::Json, &mut out).await.unwrap();
            told += &String::from_utf8(out).unwrap();
            for address in ["bo", "cy", "di", "ed", "fay"] {
                let address = format!("{address}@example.org").parse().unwrap();
                let mut tx = house.store.read().await.unwrap();
                let hash = house.store.keyring().address_hash(&address);
                if let Some(reason) = tx.suppression_of(&hash).await.unwrap() {
                    writeln!(told, "{} {reason}", address.as_str()).unwrap();
                }
            }
        }
    }
    told
}

macro_rules! fixture {
    ($name:literal) => {
        ($name, include_str!(concat!("fixtures/", $name)))
    };
}

#[tokio::test]
async fn listmonk() {
    insta::assert_snapshot!(becomes(&[fixture!("listmonk.csv")]).await);
}

#[tokio::test]
async fn ghost() {
    insta::assert_snapshot!(becomes(&[fixture!("ghost.csv")]).await);
}

#[tokio::test]
async fn substack() {
    insta::assert_snapshot!(becomes(&[fixture!("substack.csv")]).await);
}

#[tokio::test]
async fn mailchimp_in_any_order_of_its_files() {
    let subscribed = fixture!("subscribed_members_export_4711.csv");
    let unsubscribed = fixture!("unsubscribed_members_export_4711.csv");
    let cleaned = fixture!("cleaned_members_export_4711.csv");
    let there = becomes(&[subscribed, unsubscribed, cleaned]).await;
    insta::assert_snapshot!(there);
    let people =
        |told: &str| told[told.find("[\n").unwrap()..].split("]\n").next().unwrap().to_owned();
    let back = becomes(&[cleaned, unsubscribed, subscribed]).await;
    for told in [&there, &back] {
        assert!(people(told).contains("\"email\":\"ann@example.org\""));
        assert_eq!(people(told).matches("\"status\":\"active\"").count(), 1, "{told}");
        assert!(told.contains("di@example.org import: bounced"));
    }
    let (report, skipped) = imports(
        &House::new().await,
        subscribed.1,
        Import { file: "nonsubscribed_members_export_4711.csv", ..IMPORT },
    )
    .await;
    assert_eq!((report.added, report.skipped), (0, 2), "{skipped:?}");
}

#[tokio::test]
async fn buttondown() {
    insta::assert_snapshot!(becomes(&[fixture!("buttondown.csv")]).await);
}

#[tokio::test]
async fn keila() {
    insta::assert_snapshot!(becomes(&[fixture!("keila.csv")]).await);
}

#[tokio::test]
async fn beehiiv() {
    insta::assert_snapshot!(becomes(&[fixture!("beehiiv.csv")]).await);
}

#[tokio::test]
async fn a_table_of_ones_own() {
    insta::assert_snapshot!(becomes(&[fixture!("table.csv")]).await);
}

#[tokio::test]
async fn the_newest_no_wins_and_nobody_is_brought_back() {
    let house = House::new().await;
    subscribes(&house, "here@example.org").await;
    imports(&house, "email,confirmed_at\nann@example.org,2024-05-06\nbo@example.org,\n", IMPORT)
        .await;
    let no = |at: &str| format!("email,status,ended_at\nann@example.org,unsubscribed,{at}\n");
    let state = async |who: &str| house.subscription(who).await.state;
    let (_, skipped) = imports(&house, &no("2023-01-01"), IMPORT).await;
    assert_eq!(
        skipped,
        ["2: left elsewhere, but is an active subscriber here"],
        "they came back later"
    );
    assert_eq!(state("ann@example.org").await, SubscriptionState::Active);
    let (report, _) = imports(&house, &no("2024-05-07"), IMPORT).await;
    assert_eq!(
        (report.kept_out, state("ann@example.org").await),
        (1, SubscriptionState::Unsubscribed)
    );
    // Of two files that both don't say when, the no is believed; of a file and somebody who said yes here, they are.
    let file = "email,status\nbo@example.org,unsubscribed\nhere@example.org,unsubscribed\n";
    let (report, skipped) = imports(&house, file, IMPORT).await;
    assert_eq!((report.kept_out, skipped.len()), (1, 1));
    assert_eq!(state("bo@example.org").await, SubscriptionState::Unsubscribed);
    assert_eq!(state("here@example.org").await, SubscriptionState::Active);
    // In one file, too, in either order.
    let file = "email,status\ncy@example.org,\ncy@example.org,unsubscribed\ncy@example.org,active\n\
                di@example.org,bounced\ndi@example.org,active\n";
    let (_, skipped) = imports(&house, file, IMPORT).await;
    assert_eq!(
        skipped,
        [
            "4: left this newsletter before: only they themselves may come back",
            "6: must not be mailed: bounced, complained or was suppressed"
        ]
    );
    assert_eq!(state("cy@example.org").await, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn what_somebody_changed_here_is_not_changed_back() {
    let house = House::new().await;
    imports(&house, "email,name,city,tags\nann@example.org,Ann,Kiel,a\n", IMPORT).await;
    imports(&house, "email,name,city,zip,tags\nANN@example.org,Other,Rome,24103,b\n", IMPORT).await;
    let mut out = Vec::new();
    house.audience().export((None, None), ExportFormat::Json, &mut out).await.unwrap();
    let people: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(people[0]["name"], "Ann");
    assert_eq!(people[0]["attributes"], serde_json::json!({"city": "Kiel", "zip": "24103"}));
    assert_eq!(people[0]["tags"], serde_json::json!(["a", "b"]));
}

#[tokio::test]
async fn a_quotation_mark_that_is_never_closed_does_not_fill_the_memory() {
    let house = House::new().await;
    let book = "x".repeat(10_000);
    let rest: Vec<_> = (0..500).map(|n| format!("bo{n}@example.org,{book}\n")).collect();
    let rest = rest.concat();
    let file = format!("email,notes\nann@example.org,\"Ann\n{rest}");
    let error = house.audience().import(file.as_bytes(), IMPORT, |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("never closed"), "{error}");
    let file = format!("email,notes\n{rest}");
    let (report, _) = imports(&house, &file, IMPORT).await;
    assert_eq!(report.added, 500, "it is the row that is too long, not the file");
}

#[tokio::test]
async fn one_row_may_not_hold_a_book() {
    let house = House::new().await;
    let file = format!("email,notes\nann@example.org,{}\nbo@example.org,x\n", "x".repeat(20_000));
    let (report, skipped) = imports(&house, &file, IMPORT).await;
    assert_eq!(
        (report.added, skipped),
        (1, vec!["2: its attributes are longer than 16000 bytes".to_owned()])
    );
}

/// Imports `file` and tells the report with what was skipped.
async fn imports(house: &House, file: &str, import: Import<'_>) -> (ImportReport, Vec<String>) {
    let mut skipped = Vec::new();
    let report = house
        .audience()
        .import(file.as_bytes(), import, |step| {
            if let ImportStep::Skipped { line, reason } = step {
                skipped.push(format!("{line}: {reason}"));
            }
        })
        .await
        .unwrap();
    (report, skipped)
}

#[tokio::test]
async fn an_import_takes_what_it_can_and_names_the_rest_by_line() {
    let house = House::new().await;
    let file = "\u{feff}Name,EMAIL,Cadence,Newsletter,Status\r\n\
                Ann,ann@example.org,instant,,\r\n\
                \"Bo, \"\"the\"\" Reader\n of two lines\",bo@example.org,,monthly,Active\r\n\
                Cy,not an address,,,\r\n\
                Di,di@example.org,daily,,\r\n\
                Ed,ed@example.org,,hourly,\r\n\
                Fay,,,,\r\n\
                Gil\r\n\
                Hal,hal@example.org,,,pending\r\n\
                Ida,ida@example.org,,,mystery\r\n";
    let (report, skipped) = imports(&house, file, IMPORT).await;
    assert_eq!((report.rows, report.added, report.skipped), (9, 2, 7));
    insta::assert_snapshot!(skipped.join("\n"), @"
    5: an email address has exactly one `@` with text on both sides
    6: `weekly` is not offered as `daily`; it is as `instant`, `weekly`
    7: there is no newsletter `hourly`
    8: the row has no address
    9: the row has no address
    10: never confirmed: only they themselves can subscribe
    11: `mystery` is no status that is known here, such as active or unsubscribed
    ");
    assert_eq!(house.subscription("ann@example.org").await.choice.cadence, Cadence::Instant);
    assert_eq!(house.subscription("bo@example.org").await.newsletter, "monthly");
    let (again, _) = imports(&house, file, IMPORT).await;
    assert_eq!((again.added, again.already_active), (0, 2));
    assert!(house.letters().await.is_empty());
}

#[tokio::test]
async fn an_import_keeps_every_no() {
    let house = House::new().await;
    subscribes(&house, "left@example.org").await;
    let token = house.unsubscribe_token("left@example.org").await;
    house.audience().unsubscribe(&token).await.unwrap();
    subscribes(&house, "stays@example.org").await;
    let file = "email;status\n\
                left@example.org;active\n\
                stays@example.org;unsubscribed\n\
                no@example.org;unsubscribed\n\
                bounced@example.org;cleaned\n";
    let (report, skipped) = imports(&house, file, IMPORT).await;
    assert_eq!((report.added, report.kept_out, report.skipped), (0, 2, 2));
    insta::assert_snapshot!(skipped.join("\n"), @"
    2: left this newsletter before: only they themselves may come back
    3: left elsewhere, but is an active subscriber here
    ");
    let (report, skipped) = imports(&house, "no@example.org\nbounced@example.org\n", IMPORT).await;
    assert_eq!((report.rows, report.added), (2, 0));
    insta::assert_snapshot!(skipped.join("\n"), @"
    1: left this newsletter before: only they themselves may come back
    2: must not be mailed: bounced, complained or was suppressed
    ");
    assert_eq!(house.subscription("stays@example.org").await.state, SubscriptionState::Active);
}

#[tokio::test]
async fn an_import_needs_the_operators_word_an_address_column_and_a_newsletter() {
    let house = House::new().await;
    let fails = |file: &'static [u8], import| {
        let house = &house;
        async move { house.audience().import(file, import, |_| {}).await.unwrap_err().to_string() }
    };
    let unconfirmed = Import { confirmed: false, ..IMPORT };
    assert!(fails(b"email\nann@example.org\n", unconfirmed).await.contains("`--confirmed`"));
    insta::assert_snapshot!(fails(b"name,mail\n", IMPORT).await, @"the file has no column `email` or `address`; its first line has `name`, `mail`");
    assert_eq!(fails(b"", IMPORT).await, "the file is empty");
    let elsewhere = Import { newsletter: Some("hourly"), ..IMPORT };
    assert!(fails(b"email\n", elsewhere).await.starts_with("there is no newsletter `hourly`"));
    let any = Import { newsletter: None, ..IMPORT };
    let (_, skipped) = imports(&house, "email\nann@example.org\n", any).await;
    assert_eq!(skipped, ["2: the row names no newsletter; say `--newsletter`"]);
    let (report, skipped) = {
        let mut skipped = Vec::new();
        let latin = b"email,name\nbj\xf6rn@example.org,x\nbo@example.org,Bj\xf6rn\n";
        let step = |step: ImportStep<'_>| {
            if let ImportStep::Skipped { line, .. } = step {
                skipped.push(line);
            }
        };
        (house.audience().import(&latin[..], IMPORT, step).await.unwrap(), skipped)
    };
    assert_eq!(
        (report.added, skipped),
        (0, vec![2, 3]),
        "a name that is not UTF-8 would be a wrong name"
    );
}

#[tokio::test]
async fn a_large_import_is_committed_in_chunks_and_comes_out_again() {
    let house = House::new().await;
    let rows: Vec<String> =
        (0..2_500).map(|n| format!("reader{n:04}@example.org,instant")).collect();
    let file = format!("address,cadence\n{}\n", rows.join("\n"));
    let mut commits = Vec::new();
    let report = house
        .audience()
        .import(file.as_bytes(), IMPORT, |step| {
            if let ImportStep::Committed { rows, bytes } = step {
                commits.push((rows, bytes));
            }
        })
        .await
        .unwrap();
    assert_eq!(report.added, 2_500);
    assert_eq!(commits.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [2_000, 2_500]);
    assert_eq!(commits.last().unwrap().1, file.len() as u64);
    let mut out = Vec::new();
    let count = house.audience().export((None, None), ExportFormat::Json, &mut out).await.unwrap();
    let people: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!((count, people.len()), (2_500, 2_500));
    assert_eq!(people[2_499]["email"], "reader2499@example.org");
}

#[tokio::test]
async fn an_export_is_harmless_in_a_spreadsheet_and_can_be_imported() {
    let house = House::new().await;
    imports(
        &house,
        "email,status\n=cmd@example.org,\n+tag@example.org,\nno@example.org,unsubscribed\n",
        IMPORT,
    )
    .await;
    let mut out = Vec::new();
    house.audience().export((Some("weekly"), None), ExportFormat::Csv, &mut out).await.unwrap();
    let csv = String::from_utf8(out).unwrap();
    insta::assert_snapshot!(csv, @r#"
    email,name,newsletter,cadence,topics,language,timezone,send_time,status,tags,attributes,source,created_at,confirmed_at,paused_until,ended_at,end_reason,suppressed_at,suppression_reason,consents
    '+tag@example.org,,weekly,weekly,,,,,active,,,import:people.csv,2026-11-22T08:00:00Z,,,,,,,"[{""kind"":""imported"",""at"":""2026-11-22T08:00:00Z"",""address"":"""",""form"":""people.csv"",""statement"":""Subscriber according to a table, which does not say since when""}]"
    '=cmd@example.org,,weekly,weekly,,,,,active,,,import:people.csv,2026-11-22T08:00:00Z,,,,,,,"[{""kind"":""imported"",""at"":""2026-11-22T08:00:00Z"",""address"":"""",""form"":""people.csv"",""statement"":""Subscriber according to a table, which does not say since when""}]"
    no@example.org,,weekly,weekly,,,,,unsubscribed,,,import:people.csv,2026-11-22T08:00:00Z,,,2026-11-22T08:00:00Z,,,,
    "#);
    let other = House::new().await;
    let (report, skipped) = imports(&other, &csv, IMPORT).await;
    assert_eq!((report.added, report.kept_out), (2, 1), "{skipped:?}");
    assert_eq!(other.subscription("=cmd@example.org").await.state, SubscriptionState::Active);
}

/// Cells of people who try the export.
fn person() -> impl Strategy<Value = (String, String, String, Option<i64>)> {
    let text = "(['=+@-]{0,2}[a-zé,;\"|]{1,5}){0,3}";
    (text, text, text, proptest::option::of(0_i64..1_700_000_000))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_export_that_is_imported_again_changes_nothing(people in proptest::collection::vec(person(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = House::new().await;
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["email", "name", "city", "tags", "confirmed_at", "cadence", "status", "newsletter"]).unwrap();
            for (at, (name, city, tag, moment)) in people.iter().enumerate() {
                let moment = moment.map(|at| Timestamp::from_second(at).unwrap().to_string()).unwrap_or_default();
                let email = format!("{}{at}@example.org", ["=a", "+b", "'c", "d"][at % 4]);
                let cadence = ["instant", "weekly", ""][at % 3];
                let status = if at % 5 == 4 { "unsubscribed" } else { "" };
                let newsletter = ["weekly", "monthly"][at % 2];
                writer.write_record([&email, name, city, tag, &moment, cadence, status, newsletter]).unwrap();
            }
            let file = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            imports(&house, &file, IMPORT).await;
            let before = csv_of(&house).await;
            let (report, skipped) = imports(&house, &before, IMPORT).await;
            assert_eq!((report.added, skipped), (0, Vec::new()));
            assert_eq!(csv_of(&house).await, before, "into the same house");
            // Elsewhere it becomes the same, whatever time it is there.
            let other = House::new().await;
            other.clock.advance(jiff::SignedDuration::from_hours(1));
            imports(&other, &before, IMPORT).await;
            assert_eq!(csv_of(&other).await, before, "into another");
        });
    }
}

async fn csv_of(house: &House) -> String {
    let mut out = Vec::new();
    house.audience().export((None, None), ExportFormat::Csv, &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}
