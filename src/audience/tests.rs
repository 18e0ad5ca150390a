use std::net::{IpAddr, Ipv4Addr};

use jiff::SignedDuration;

use super::fixture::House;
use super::*;
use crate::domain::{EmailAddress, SubscriptionState};
use crate::store::Added;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

const ORIGIN: Origin<'static> =
    Origin { visitor: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), form: "/subscribe/weekly" };

fn wish(house: &House, address: &str, cadence: &str) -> Result<Wish, Vec<Mistake>> {
    let (address, cadence) = (address.to_owned(), cadence.to_owned());
    let answers = Answers { address, cadence, ..Answers::default() };
    answers.read(&house.config.newsletters["weekly"], &house.config.signup.domains)
}

async fn signs_up(house: &House, address: &str) -> Result<(), AudienceError> {
    let wish = wish(house, address, "").expect("the address is one");
    house.audience().subscribe(&house.config.newsletters["weekly"], &wish, ORIGIN).await
}

async fn subscribes(house: &House, address: &str) {
    signs_up(house, address).await.unwrap();
    let token = house.newest_token().await;
    let answer = house.audience().confirm(&token, ORIGIN).await.unwrap();
    assert!(matches!(answer, Confirmation::Subscribed(_)));
}

#[tokio::test]
async fn a_wish_plans_one_letter_and_the_letter_leads_to_the_list() {
    let house = House::new().await;
    signs_up(&house, " Ann@Example.ORG ").await.unwrap();
    assert_eq!(house.subscription("ann@example.org").await.state, SubscriptionState::Pending);
    let queues = house.store.read().await.unwrap().queues().await.unwrap();
    assert_eq!((queues[0].channel.as_str(), queues[0].waiting), ("mail:weekly", 1));
    let token = house.newest_token().await;
    let asked = house.audience().confirmation_newsletter(&token).await.unwrap();
    assert_eq!(asked.as_deref(), Some("weekly"));
    for _ in 0..2 {
        let answer = house.audience().confirm(&token, ORIGIN).await.unwrap();
        let Confirmation::Subscribed(row) = answer else { panic!("{answer:?}") };
        assert_eq!((row.state, row.choice.cadence), (SubscriptionState::Active, Cadence::Weekly));
    }
}

#[tokio::test]
async fn asking_again_sends_nothing_for_a_day_and_then_for_two() {
    let house = House::new().await;
    signs_up(&house, "ann@example.org").await.unwrap();
    house.clock.advance(DAY - SignedDuration::from_secs(1));
    signs_up(&house, "ANN@example.org").await.unwrap();
    assert_eq!(house.letters().await.len(), 1);
    house.clock.advance(SignedDuration::from_secs(1));
    signs_up(&house, "ann@example.org").await.unwrap();
    assert_eq!(house.letters().await.len(), 2);
    house.clock.advance(DAY);
    signs_up(&house, "ann@example.org").await.unwrap();
    assert_eq!(house.letters().await.len(), 2, "twice as long after the second");
    house.clock.advance(DAY);
    signs_up(&house, "ann@example.org").await.unwrap();
    assert_eq!(house.letters().await.len(), 3);
}

#[tokio::test]
async fn nobody_learns_who_subscribes_and_only_those_who_left_are_asked_again() {
    let house = House::new().await;
    subscribes(&house, "active@example.org").await;
    subscribes(&house, "left@example.org").await;
    let token = house.unsubscribe_token("left@example.org").await;
    house.audience().unsubscribe(&token).await.unwrap();
    let mut tx = house.store.write().await.unwrap();
    let gone = address("gone@example.org");
    let now = fixture::now(&house.clock);
    tx.suppress(&gone, house.store.keyring(), "bounced", now).await.unwrap();
    tx.commit().await.unwrap();
    for (who, letters) in [("active", 2), ("gone", 2), ("left", 3)] {
        signs_up(&house, &format!("{who}@example.org")).await.unwrap();
        assert_eq!(house.letters().await.len(), letters, "{who}");
    }
    let known = house.subscription("left@example.org").await;
    assert_eq!(known.state, SubscriptionState::Pending);
}

#[tokio::test]
async fn a_confirmation_link_ends_after_two_days_and_cannot_be_made_up() {
    let house = House::new().await;
    signs_up(&house, "ann@example.org").await.unwrap();
    let token = house.newest_token().await;
    house.clock.advance(DAY * 2);
    assert_eq!(house.audience().confirm(&token, ORIGIN).await.unwrap(), Confirmation::Expired);
    assert_eq!(house.audience().confirmation_newsletter(&token).await.unwrap(), None);
    assert_eq!(house.subscription("ann@example.org").await.state, SubscriptionState::Pending);
    let unknown = house.audience().confirm(&"A".repeat(43), ORIGIN).await.unwrap();
    assert_eq!(unknown, Confirmation::Unknown);
}

#[tokio::test]
async fn an_old_confirmation_link_does_not_bring_back_somebody_who_left() {
    let house = House::new().await;
    subscribes(&house, "ann@example.org").await;
    let confirmation = house.newest_token().await;
    let token = house.unsubscribe_token("ann@example.org").await;
    house.audience().unsubscribe(&token).await.unwrap();
    assert_eq!(house.audience().confirm(&confirmation, ORIGIN).await.unwrap(), Confirmation::Left);
    assert_eq!(house.subscription("ann@example.org").await.state, SubscriptionState::Unsubscribed);
}

#[tokio::test]
async fn a_wish_for_what_is_not_offered_is_refused_in_words() {
    let house = House::new().await;
    let refused = |address, cadence| wish(&house, address, cadence).unwrap_err()[0].detail.clone();
    let said = "`weekly` is not offered as `daily`; it is as `instant`, `weekly`";
    assert_eq!(refused("ann@example.org", "daily"), said);
    assert_eq!(refused("ann", ""), "an email address has exactly one `@` with text on both sides");
    assert_eq!(refused(" ", ""), "please fill in your address");
}

#[tokio::test]
async fn the_operator_adds_and_removes_without_letters() {
    let house = House::new().await;
    let (audience, ann) = (house.audience(), address("ann@example.org"));
    let which = audience.add(&ann, None, None).await.unwrap_err();
    assert_eq!(which.to_string(), "say which newsletter is meant: `monthly`, `weekly`");
    let added = audience.add(&ann, Some("weekly"), Some("instant")).await.unwrap();
    assert!(matches!(added, Added::Subscribed(_)));
    assert_eq!(house.subscription("ann@example.org").await.choice.cadence, Cadence::Instant);
    assert_eq!(audience.remove(&ann, None).await.unwrap(), 1);
    assert_eq!(audience.remove(&ann, None).await.unwrap(), 0);
    let again = audience.add(&ann, Some("weekly"), None).await.unwrap();
    assert!(matches!(again, Added::HasLeft(_)), "{again:?}");
    assert!(house.letters().await.is_empty());
}

const IMPORT: Import<'static> =
    Import { newsletter: Some("weekly"), cadence: None, confirmed: true, file: "people.csv" };

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
    assert_eq!((report.added, skipped), (1, vec![2]));
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
    assert_eq!(commits.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [1_000, 2_000, 2_500]);
    assert_eq!(commits.last().unwrap().1, file.len() as u64);
    let mut out = Vec::new();
    let count = house.audience().export(None, ExportFormat::Json, &mut out).await.unwrap();
    let people: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
    assert_eq!((count, people.len()), (2_500, 2_500));
    assert_eq!(people[2_499]["email"], "reader2499@example.org");
}

#[tokio::test]
async fn an_export_is_harmless_in_a_spreadsheet_and_can_be_imported() {
    let house = House::new().await;
    imports(
        &house,
        "email,status\n=cmd@example.org,\n+tag@example.org,\nno@example.org,removed\n",
        IMPORT,
    )
    .await;
    let mut out = Vec::new();
    house.audience().export(Some("weekly"), ExportFormat::Csv, &mut out).await.unwrap();
    let csv = String::from_utf8(out).unwrap();
    insta::assert_snapshot!(csv, @"
    email,newsletter,cadence,status,source,created_at,confirmed_at,ended_at,suppressed_at,suppression_reason
    '+tag@example.org,weekly,weekly,active,import:people.csv,2026-11-22T08:00:00Z,2026-11-22T08:00:00Z,,,
    '=cmd@example.org,weekly,weekly,active,import:people.csv,2026-11-22T08:00:00Z,2026-11-22T08:00:00Z,,,
    no@example.org,weekly,weekly,unsubscribed,import:people.csv,2026-11-22T08:00:00Z,,,,
    ");
    let other = House::new().await;
    let (report, skipped) = imports(&other, &csv, IMPORT).await;
    assert_eq!((report.added, report.kept_out), (2, 1), "{skipped:?}");
    assert_eq!(other.subscription("=cmd@example.org").await.state, SubscriptionState::Active);
}

#[tokio::test]
async fn an_export_of_nobody_is_still_a_file() {
    let house = House::new().await;
    let export = async |format| {
        let mut out = Vec::new();
        house.audience().export(None, format, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(export(ExportFormat::Csv).await.starts_with("email,newsletter,cadence,status,"));
    assert_eq!(export(ExportFormat::Json).await, "[]\n");
    let error = house.audience().export(Some("hourly"), ExportFormat::Csv, &mut Vec::new()).await;
    assert!(error.unwrap_err().to_string().starts_with("there is no newsletter `hourly`"));
}
