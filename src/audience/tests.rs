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

const ORIGIN: Origin<'static> = Origin {
    visitor: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
    form: "/subscribe/weekly",
    language: "en",
};

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
async fn of_two_links_that_ask_the_first_one_pressed_counts() {
    let house = House::new().await;
    let asks = async |name: &str, cadence: &str| {
        let mut wish = wish(&house, "ann@example.org", cadence).unwrap();
        name.clone_into(&mut wish.kept.name);
        let weekly = &house.config.newsletters["weekly"];
        house.audience().subscribe(weekly, &wish, ORIGIN).await.unwrap();
        house.newest_token().await
    };
    let first = asks("Ann", "instant").await;
    house.clock.advance(DAY);
    let second = asks("Mallory", "weekly").await;
    let presses = async |token: &str| house.audience().confirm(token, ORIGIN).await.unwrap();
    assert!(matches!(presses(&first).await, Confirmation::Subscribed(_)));
    assert!(matches!(presses(&second).await, Confirmation::Subscribed(_)), "it looks the same");
    let row = house.subscription("ann@example.org").await;
    assert_eq!(row.choice.cadence, Cadence::Instant);
    let mut tx = house.store.read().await.unwrap();
    assert_eq!(tx.answers_kept(row.subscriber).await.unwrap().unwrap().0, "Ann");
    let consents = tx.consents_of(row.id).await.unwrap();
    assert_eq!(consents.iter().filter(|it| it.kind == "confirmed").count(), 1);
}

#[tokio::test]
async fn a_second_link_does_not_count_who_left_as_confirmed() {
    let house = House::new().await;
    signs_up(&house, "ann@example.org").await.unwrap();
    let first = house.newest_token().await;
    house.clock.advance(DAY);
    signs_up(&house, "ann@example.org").await.unwrap();
    let second = house.newest_token().await;
    house.audience().confirm(&first, ORIGIN).await.unwrap();
    let token = house.unsubscribe_token("ann@example.org").await;
    house.audience().unsubscribe(&token).await.unwrap();
    assert_eq!(house.audience().confirm(&second, ORIGIN).await.unwrap(), Confirmation::Left);
    let dossier = house.audience().dossier(&address("ann@example.org")).await.unwrap();
    let confirmed = dossier.events.iter().filter(|it| it.kind == "subscription.confirmed");
    assert_eq!(confirmed.count(), 1, "{:?}", dossier.events);
}

#[tokio::test]
async fn a_wish_for_what_is_not_offered_is_refused_in_words() {
    let house = House::new().await;
    let refused = |address, cadence| {
        let mistakes = wish(&house, address, cadence).unwrap_err();
        mistakes[0].wrong.told(&house.templates, "en")
    };
    let said =
        "\"Once a day\" cannot be chosen here. There is: Each post as it appears / Once a week.";
    assert_eq!(refused("ann@example.org", "daily"), said);
    let said = "An email address has exactly one \"@\" with text on both sides.";
    assert_eq!(refused("ann", ""), said);
    assert_eq!(refused(" ", ""), "Please fill in your address.");
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

#[tokio::test]
async fn an_export_of_nobody_is_still_a_file() {
    let house = House::new().await;
    let export = async |format| {
        let mut out = Vec::new();
        house.audience().export((None, None), format, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(export(ExportFormat::Csv).await.starts_with("email,name,newsletter,cadence,topics,"));
    assert_eq!(export(ExportFormat::Json).await, "[]\n");
    let error =
        house.audience().export((Some("hourly"), None), ExportFormat::Csv, &mut Vec::new()).await;
    assert!(error.unwrap_err().to_string().starts_with("there is no newsletter `hourly`"));
}

#[tokio::test]
async fn a_strangers_form_brings_back_nobody_who_left() {
    let house = House::new().await;
    subscribes(&house, "ann@example.org").await;
    let token = house.unsubscribe_token("ann@example.org").await;
    house.audience().unsubscribe(&token).await.unwrap();
    // Somebody types her address: she is asked, and says nothing.
    signs_up(&house, "ann@example.org").await.unwrap();
    let ann = "ann@example.org".parse().unwrap();
    let added = house.audience().add(&ann, Some("weekly"), None).await.unwrap();
    assert!(matches!(added, Added::HasLeft(_)), "{added:?}");
    let import =
        Import { newsletter: Some("weekly"), cadence: None, confirmed: true, file: "old.csv" };
    let file = "email\nann@example.org\n";
    let report = house.audience().import(file.as_bytes(), import, |_| {}).await.unwrap();
    assert_eq!((report.added, report.skipped), (0, 1));
    assert_ne!(house.subscription("ann@example.org").await.state, SubscriptionState::Active);
}
