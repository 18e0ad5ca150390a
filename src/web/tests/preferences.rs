//! The preference centre and leaving, as subscribers meet them.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::config::Topic;
use crate::domain::{Cadence, EmailAddress, LetterId, SubscriptionState};
use crate::store::{Added, SubscriptionRow};

/// A house with topics and languages, and Ann who gets its newsletter. Her token comes with it.
async fn with_ann() -> (World, String) {
    let world = World::with_config(|config| {
        let weekly = config.newsletters.get_mut("weekly").unwrap();
        let topic =
            |title: &str| Topic { title: title.to_owned(), terms: vec![title.to_lowercase()] };
        weekly.topics =
            [("making".to_owned(), topic("Making")), ("looking".to_owned(), topic("Looking"))]
                .into();
        weekly.languages = vec!["de".to_owned()];
    })
    .await;
    world.subscribes("ann@example.org").await;
    let token = token_of(&world, "ann@example.org", "weekly").await;
    (world, token)
}

async fn rows(world: &World, address: &str) -> Vec<SubscriptionRow> {
    let address: EmailAddress = address.parse().unwrap();
    world.house.store.read().await.unwrap().subscriptions_of(&address, None).await.unwrap()
}

async fn row(world: &World, address: &str, newsletter: &str) -> SubscriptionRow {
    rows(world, address).await.into_iter().find(|row| row.newsletter == newsletter).unwrap()
}

async fn token_of(world: &World, address: &str, newsletter: &str) -> String {
    let id = row(world, address, newsletter).await.id;
    world.house.store.keyring().unsubscribe_token(id)
}

/// The token behind `path` in the newest letter.
async fn newest_link(world: &World, path: &str) -> String {
    let letter = world.house.letters().await.pop().unwrap();
    let (_, rest) = letter.text.split_once(path).unwrap_or_else(|| panic!("{}", letter.text));
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn added(world: &World, address: &str) -> Added {
    let address = address.parse().unwrap();
    world.house.audience().add(&address, Some("weekly"), None).await.unwrap()
}

#[tokio::test]
async fn a_subscriber_changes_how_often_what_when_and_in_which_language() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let page = world.get(&path).await;
    assert_eq!(page.status, StatusCode::OK);
    for (header, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        assert_eq!(page.header(header), value);
    }
    assert!(
        page.page().contains("ann@example.org") && page.page().contains("value=\"weekly\" checked")
    );
    let form = "do=save&cadence=instant&topics=making&topics=stolen&language=de&send_time=07%3A00&timezone=america%2Fnew_york";
    let saved = world.post(&path, form).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    assert_eq!(saved.header("location"), format!("{path}?done=saved"));
    let choice = row(&world, "ann@example.org", "weekly").await.choice;
    assert_eq!(choice.cadence, Cadence::Instant);
    assert_eq!(choice.topics.iter().collect::<Vec<_>>(), ["making"]);
    assert_eq!(choice.language.as_deref(), Some("de"));
    assert_eq!(choice.timezone.as_deref(), Some("America/New_York"));
    assert_eq!(choice.send_time.unwrap().to_string(), "07:00");
    // The page speaks her language now.
    let page = world.get(saved.header("location")).await;
    assert!(page.page().contains("<html lang=\"de\"") && page.page().contains("Gespeichert."));
    let form =
        "do=save&cadence=weekly&topics=making&topics=looking&language=en&send_time=&timezone=";
    world.post(&path, form).await;
    let choice = row(&world, "ann@example.org", "weekly").await.choice;
    assert!(choice.topics.is_everything(), "all that there are");
    assert_eq!((choice.language, choice.timezone, choice.send_time), (None, None, None));
}

#[tokio::test]
async fn what_is_not_offered_is_refused_and_changes_nothing() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let before = row(&world, "ann@example.org", "weekly").await;
    for form in [
        "do=save&cadence=daily",
        "do=save&cadence=weekly&timezone=Atlantis%2FMain",
        "do=save&cadence=weekly&send_time=25%3A00",
        "do=address&address=nobody",
        "do=join&newsletter=hourly",
    ] {
        let answer = world.post(&path, form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(answer.page().contains("role=\"alert\""), "{form}");
    }
    let zone = world.post(&path, "do=save&cadence=weekly&timezone=%22%3E%3Cb%3E").await;
    assert!(zone.text().contains("aria-invalid=\"true\"") && !zone.text().contains("\"><b>"));
    for form in ["", "do=nothing", "do=pause&pause=forever", "%ff=%ff"] {
        assert_eq!(world.post(&path, form).await.status, StatusCode::SEE_OTHER, "{form}");
    }
    assert_eq!(row(&world, "ann@example.org", "weekly").await, before);
}

#[tokio::test]
async fn a_pause_begins_and_ends() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    world.post(&path, "do=pause&pause=two-weeks").await;
    let until = row(&world, "ann@example.org", "weekly").await.paused_until;
    assert_eq!(
        until,
        Some("2026-12-06T00:00:00Z".parse::<Timestamp>().unwrap()),
        "midnight by the newsletter's clock: its site is in Berlin, its schedule is not"
    );
    let page = world.get(&path).await;
    assert!(page.page().contains("You take a break until 6 December 2026."), "{}", page.page());
    assert!(page.page().contains("Empty means UTC."), "{}", page.page());
    world.post(&path, "do=resume").await;
    assert_eq!(row(&world, "ann@example.org", "weekly").await.paused_until, None);
    // By the reader's own clock, where they said which.
    world.post(&path, "do=save&cadence=weekly&timezone=America%2FNew_York").await;
    world.post(&path, "do=pause&pause=two-weeks").await;
    let until = row(&world, "ann@example.org", "weekly").await.paused_until;
    assert_eq!(until, Some("2026-12-06T05:00:00Z".parse().unwrap()));
    let page = world.get(&path).await;
    assert!(page.page().contains("You take a break until 6 December 2026."), "{}", page.page());
    world.post(&path, "do=save&cadence=weekly&timezone=Pacific%2FHonolulu").await;
    let page = world.get(&path).await;
    assert!(page.page().contains("You take a break until 5 December 2026."), "{}", page.page());
}

#[tokio::test]
async fn other_newsletters_are_joined_by_mail_and_left_at_once() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    assert!(world.get(&path).await.page().contains("Join Field Notes monthly"));
    let asked = world.post(&path, "do=join&newsletter=monthly").await;
    assert!(asked.header("location").ends_with("?done=asked"));
    let monthly = async || row(&world, "ann@example.org", "monthly").await.state;
    assert_eq!(monthly().await, SubscriptionState::Pending);
    let confirm = newest_link(&world, "/confirm/").await;
    world.post(&format!("/confirm/{confirm}"), "").await;
    assert_eq!(monthly().await, SubscriptionState::Active);
    assert!(world.get(&path).await.page().contains("Leave Field Notes monthly"));
    world.post(&path, "do=leave&newsletter=monthly").await;
    assert_eq!(monthly().await, SubscriptionState::Unsubscribed);
    assert_eq!(row(&world, "ann@example.org", "weekly").await.state, SubscriptionState::Active);
}

#[tokio::test]
async fn joining_asks_by_mail_also_where_the_form_asks_nobody() {
    let (world, token) = with_ann().await;
    let mut config = world.house.config.clone();
    config.newsletters.get_mut("monthly").unwrap().questions.double_opt_in = false;
    world.state.config.store(Arc::new(config));
    world.post(&format!("/preferences/{token}"), "do=join&newsletter=monthly").await;
    let monthly = async || row(&world, "ann@example.org", "monthly").await.state;
    assert_eq!(monthly().await, SubscriptionState::Pending);
    let confirm = newest_link(&world, "/confirm/").await;
    world.post(&format!("/confirm/{confirm}"), "").await;
    assert_eq!(monthly().await, SubscriptionState::Active);
}

#[tokio::test]
async fn an_address_changes_when_the_new_one_says_so_and_the_old_one_is_told() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let asked = world.post(&path, "do=address&address=Ann%40example.net").await;
    assert!(asked.header("location").ends_with("?done=address"));
    let link = newest_link(&world, "/address/").await;
    let page = world.get(&format!("/address/{link}")).await;
    assert!(page.page().contains("Ann@example.net") && page.page().contains("<button"));
    assert_eq!(row(&world, "ann@example.org", "weekly").await.state, SubscriptionState::Active);
    let letters = world.house.letters().await.len();
    for _ in 0..2 {
        let pressed = world.post(&format!("/address/{link}"), "").await;
        assert!(pressed.page().contains("Your address is changed"), "{}", pressed.page());
    }
    assert!(rows(&world, "ann@example.org").await.is_empty());
    assert_eq!(row(&world, "ann@example.net", "weekly").await.state, SubscriptionState::Active);
    assert_eq!(world.house.letters().await.len(), letters + 1, "one to the old address");
    assert_eq!(newest_link(&world, "/preferences/").await, token, "the old links go on working");
}

#[tokio::test]
async fn whoever_has_themselves_deleted_asks_no_new_address_any_more() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let letters = world.house.letters().await.len();
    for _ in 0..2 {
        world.post(&path, "do=address&address=ann%40example.net").await;
    }
    assert_eq!(world.house.letters().await.len(), letters + 1, "asked once");
    let link = newest_link(&world, "/address/").await;
    assert_eq!(world.post(&format!("{path}/delete"), "").await.status, StatusCode::OK);
    let asks = LetterId(i64::try_from(letters).unwrap() + 1);
    let mut tx = world.house.store.read().await.unwrap();
    assert_eq!(tx.letter_content(asks).await.unwrap(), None);
    drop(tx);
    assert_eq!(world.post(&format!("/address/{link}"), "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_that_is_taken_or_forbidden_looks_like_any_other() {
    let (world, token) = with_ann().await;
    world.subscribes("bo@example.org").await;
    let bo = token_of(&world, "bo@example.org", "weekly").await;
    world.subscribes("cy@example.org").await;
    let cy = token_of(&world, "cy@example.org", "weekly").await;
    assert_eq!(world.post(&format!("/preferences/{cy}/delete"), "").await.status, StatusCode::OK);
    let path = format!("/preferences/{token}");
    let letters = world.house.letters().await.len();
    for (number, address) in ["bo", "CY", "ann"].into_iter().enumerate() {
        let (peer, form) =
            (format!("192.0.2.{number}:99"), format!("do=address&address={address}%40example.org"));
        let asked = world.post_from(&peer, &path, &form).await;
        assert_eq!(asked.header("location"), format!("{path}?done=address"));
    }
    assert_eq!(world.house.letters().await.len(), letters);
    for number in 0..5 {
        let form = format!("do=address&address=new{number}%40example.net");
        world.post_from(&format!("198.51.100.{number}:4000"), &path, &form).await;
    }
    // Those that are taken counted as any: how many are left must not tell which were.
    assert_eq!(world.house.letters().await.len(), letters, "nobody mails the whole street");
    assert_eq!(world.get(&format!("/preferences/{bo}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_mails_the_whole_street_and_whoever_tries_is_told_to_wait() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let letters = world.house.letters().await.len();
    // From another place each: a visitor's limit comes below.
    for number in 0..5 {
        let form = format!("do=address&address=new{number}%40example.net");
        world.post_from(&format!("198.51.100.{number}:4000"), &path, &form).await;
    }
    assert_eq!(world.house.letters().await.len(), letters + 3);
    let mut answers = Vec::new();
    for number in 0..6 {
        let form = format!("do=address&address=again{number}%40example.net");
        answers.push(world.post_from("203.0.113.9:4000", &path, &form).await.status);
    }
    assert_eq!(answers[..5], [StatusCode::SEE_OTHER; 5]);
    assert_eq!(answers[5], StatusCode::TOO_MANY_REQUESTS);
    let mut config = world.house.config.clone();
    config.signup.domains.blocked = Arc::new(["trash.example".to_owned()].into());
    world.state.config.store(Arc::new(config));
    let refused = world.post(&path, "do=address&address=ann%40trash.example").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.page().contains("trash.example"), "{}", refused.page());
}

#[tokio::test]
async fn what_was_chosen_stands_there_still_when_a_part_of_it_is_refused() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let chosen = "do=save&cadence=weekly&topics=making&language=de&send_time=09%3A00";
    let page = world.post(&path, &format!("{chosen}&timezone=Atlantis")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = page.page();
    let is_chosen = |value: &str| {
        let after = page.split(&format!("value=\"{value}\"")).nth(1).unwrap();
        let tag = after.split('>').next().unwrap();
        tag.contains("checked") || tag.contains("selected")
    };
    for value in ["making", "de", "09:00"] {
        assert!(is_chosen(value), "{value}: {page}");
    }
    assert!(!is_chosen("looking"), "{page}");
    assert!(page.contains("Atlantis"), "{page}");
}

#[tokio::test]
async fn old_forged_and_foreign_requests_change_nothing_and_say_what_to_do() {
    let (world, token) = with_ann().await;
    world.post(&format!("/preferences/{token}"), "do=address&address=ann%40example.net").await;
    let link = newest_link(&world, "/address/").await;
    world.house.clock.advance(SignedDuration::from_hours(49));
    let late = world.post(&format!("/address/{link}"), "").await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    assert!(late.page().contains("ask again from your preferences"), "{}", late.page());
    for token in ["A".repeat(43), "x".to_owned(), "%2e%2e".to_owned()] {
        for path in ["", "/data", "/delete"] {
            let answer = world.get(&format!("/preferences/{token}{path}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            assert!(answer.page().contains("the end of the newest mail"), "{}", answer.page());
        }
    }
    let path = format!("/preferences/{token}");
    for headers in [
        [("sec-fetch-site", "cross-site"), ("origin", "null")],
        [("host", "news.example.org"), ("origin", "https://evil.example")],
    ] {
        for path in [path.clone(), format!("{path}/delete")] {
            let foreign = world
                .send(request(Method::POST, &path, &headers, "do=pause&pause=one-month"))
                .await;
            assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        }
    }
    let mut config = world.house.config.clone();
    config.signup.origins = vec!["https://blog.example".to_owned()];
    world.state.config.store(Arc::new(config));
    let known = [("origin", "https://blog.example"), ("sec-fetch-site", "none")];
    let known = world.send(request(Method::POST, &path, &known, "do=pause&pause=one-month")).await;
    assert_eq!(known.status, StatusCode::FORBIDDEN, "it may sign people up, and nothing else");
    let own = [("origin", "https://news.example.org"), ("host", "127.0.0.1:8080")];
    let own = world.send(request(Method::POST, &path, &own, "do=resume")).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER);
    assert_eq!(row(&world, "ann@example.org", "weekly").await.paused_until, None);
}

#[tokio::test]
async fn somebody_takes_their_data_along_and_is_deleted() {
    let (world, token) = with_ann().await;
    let path = format!("/preferences/{token}");
    let data = world.get(&format!("{path}/data")).await;
    assert!(data.header("content-disposition").starts_with("attachment"));
    let told: serde_json::Value = serde_json::from_slice(&data.body).unwrap();
    assert_eq!(told["person"]["address"], "ann@example.org");
    assert_eq!(told["subscriptions"][0]["status"], "active");
    assert!(told["events"].as_array().unwrap().len() >= 2, "{told}");
    assert!(world.get(&format!("{path}/delete")).await.page().contains("<button"));
    assert_eq!(rows(&world, "ann@example.org").await.len(), 1, "a scanner deletes nobody");
    let gone = world.post(&format!("{path}/delete"), "").await;
    assert!(gone.page().contains("Everything is deleted"), "{}", gone.page());
    assert!(rows(&world, "ann@example.org").await.is_empty());
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(added(&world, "Ann@Example.org").await, Added::Suppressed);
    // Whoever comes next does not answer to the old link.
    world.subscribes("bo@example.org").await;
    assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_leaves_all_stays_out_of_all_and_may_say_why() {
    let (world, token) = with_ann().await;
    let confirm = async |newsletter: &str| {
        world
            .post(&format!("/preferences/{token}"), &format!("do=join&newsletter={newsletter}"))
            .await;
        let link = newest_link(&world, "/confirm/").await;
        world.post(&format!("/confirm/{link}"), "").await;
    };
    confirm("monthly").await;
    let page = world.get(&format!("/unsubscribe/{token}")).await;
    assert!(page.page().contains("Leave all newsletters of Field Notes"), "{}", page.page());
    let left = world.post(&format!("/unsubscribe/{token}"), "all=yes").await;
    assert_eq!(left.status, StatusCode::OK);
    for row in rows(&world, "ann@example.org").await {
        assert_eq!(row.state, SubscriptionState::Unsubscribed, "{}", row.newsletter);
    }
    let reason = format!("reason=Too+much%0d%0aof+it+{}", "x".repeat(9_000));
    let said = world.post(&format!("/unsubscribe/{token}"), &reason).await;
    assert!(said.page().contains("Thank you for saying so."), "{}", said.page());
    world.post(&format!("/unsubscribe/{token}"), "reason=Something+else").await;
    let data = world.get(&format!("/preferences/{token}/data")).await;
    let told: serde_json::Value = serde_json::from_slice(&data.body).unwrap();
    let kept = told["subscriptions"][1]["end_reason"].as_str().unwrap();
    assert!(kept.starts_with("Too much of it xxx") && kept.len() == 500, "{kept}");
    assert!(matches!(added(&world, "ann@example.org").await, Added::HasLeft(_)));
    let forged = world.post(&format!("/unsubscribe/{}", "A".repeat(43)), "all=yes").await;
    assert_eq!(forged.status, StatusCode::OK);
}

#[tokio::test]
async fn a_mail_to_the_unsubscribe_mailbox_ends_the_subscription_of_its_subject() {
    let (world, token) = with_ann().await;
    let audience = world.house.audience();
    for other in [
        String::new(),
        "Subject: unsubscribe\r\n\r\nplease".to_owned(),
        format!("Subject: {}\r\n\r\n", "A".repeat(43)),
        format!("Subject: hi\r\n\r\n{token}"),
        "\u{0}\u{ff}:".repeat(1_000),
    ] {
        assert!(!audience.leave_by_mail(other.as_bytes()).await.unwrap(), "{other}");
    }
    let state = async || row(&world, "ann@example.org", "weekly").await.state;
    assert_eq!(state().await, SubscriptionState::Active);
    let mail = format!("From: ann@example.org\r\nSubject: Re:\r\n {token}\r\n\r\n");
    assert!(audience.leave_by_mail(mail.as_bytes()).await.unwrap());
    assert_eq!(state().await, SubscriptionState::Unsubscribed);
    let page = world.get(&format!("/preferences/{token}")).await;
    assert!(page.page().contains("You left Field Notes weekly"), "{}", page.page());
}
