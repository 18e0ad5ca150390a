//! Subscribing, confirming and leaving, by people and by their programs.

use jiff::SignedDuration;

use super::*;
use crate::domain::SubscriptionState;

#[tokio::test]
async fn a_visitor_subscribes_confirms_and_leaves() {
    let world = World::new().await;
    let form = world.get("/subscribe/weekly").await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(form.page().contains("action=\"/subscribe/weekly\""), "{}", form.page());
    assert!(form.page().contains("Each post as it appears"));
    let sent = world.signs_up("address=ann%40example.org&cadence=instant").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(sent.header("location"), "/subscribe/weekly/done");
    assert_eq!(world.get(sent.header("location")).await.status, StatusCode::OK);
    let token = world.house.newest_token().await;
    let page = world.get(&format!("/confirm/{token}")).await;
    assert!(page.page().contains("Field Notes weekly"));
    assert_eq!(world.house.subscription("ann@example.org").await.state, SubscriptionState::Pending);
    let pressed = world.post(&format!("/confirm/{token}"), "").await;
    assert_eq!((pressed.status, pressed.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_eq!(world.house.subscription("ann@example.org").await.state, SubscriptionState::Active);
    let token = world.house.unsubscribe_token("ann@example.org").await;
    let page = world.get(&format!("/unsubscribe/{token}")).await;
    assert!(page.page().contains("<button"), "{}", page.page());
    assert_eq!(world.house.subscription("ann@example.org").await.state, SubscriptionState::Active);
    world.post(&format!("/unsubscribe/{token}"), "").await;
    assert_eq!(
        world.house.subscription("ann@example.org").await.state,
        SubscriptionState::Unsubscribed
    );
    let page = world.get(&format!("/unsubscribe/{token}")).await;
    assert!(!page.page().contains("<button"));
}

#[tokio::test]
async fn one_click_works_in_both_encodings_and_tells_forgers_nothing() {
    let world = World::new().await;
    world.subscribes("ann@example.org").await;
    world.subscribes("bo@example.org").await;
    let ann = world.house.unsubscribe_token("ann@example.org").await;
    let bo = world.house.unsubscribe_token("bo@example.org").await;
    let click = async |token: &str, content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        world.send(request(Method::POST, &format!("/unsubscribe/{token}"), &headers, body)).await
    };
    let encoded = "application/x-www-form-urlencoded";
    let first = click(&ann, encoded, "List-Unsubscribe=One-Click").await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.headers.get("location").is_none() && first.headers.get("set-cookie").is_none());
    assert_eq!(
        world.house.subscription("ann@example.org").await.state,
        SubscriptionState::Unsubscribed
    );
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\n\
                     One-Click\r\n--x--\r\n";
    let second = click(&bo, "multipart/form-data; boundary=x", multipart).await;
    assert_eq!(
        world.house.subscription("bo@example.org").await.state,
        SubscriptionState::Unsubscribed
    );
    let again = click(&ann, encoded, "List-Unsubscribe=One-Click").await;
    let forged = click(&"A".repeat(43), encoded, "List-Unsubscribe=One-Click").await;
    let nonsense = click("%2e%2e", "text/plain", "").await;
    for other in [second, again, forged, nonsense] {
        assert_eq!((other.status, other.text()), (first.status, first.text()));
        assert_eq!(other.headers_without(&[]), first.headers_without(&[]));
    }
}

#[tokio::test]
async fn forged_and_old_confirmation_links_say_so_and_change_nothing() {
    let world = World::new().await;
    world.signs_up("address=ann@example.org").await;
    let token = world.house.newest_token().await;
    let forged = format!("/confirm/{}", "A".repeat(43));
    assert_eq!(world.get(&forged).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.post(&forged, "").await.status, StatusCode::NOT_FOUND);
    world.house.clock.advance(SignedDuration::from_hours(49));
    let late = world.post(&format!("/confirm/{token}"), "").await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.page().contains("This link does not work any more"), "{}", late.page());
    assert_eq!(late.header("cache-control"), "no-store");
    assert_eq!(world.house.subscription("ann@example.org").await.state, SubscriptionState::Pending);
}

#[tokio::test]
async fn asking_twice_sends_one_letter_and_looks_the_same() {
    let world = World::new().await;
    let first = world.signs_up("address=ann@example.org").await;
    let second = world.signs_up("address=Ann@Example.org").await;
    assert_eq!(first.headers_without(&[]), second.headers_without(&[]));
    assert_eq!(world.house.letters().await.len(), 1);
}

#[tokio::test]
async fn a_robot_that_takes_the_bait_thinks_it_worked() {
    let world = World::new().await;
    let form = "address=ann@example.org&website=http%3A%2F%2Fspam.example";
    let answer = world.signs_up(form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(world.house.letters().await.is_empty());
}

#[tokio::test]
async fn what_is_no_address_comes_back_with_the_reason() {
    let world = World::new().await;
    let long = format!("{}@example.org", "a".repeat(65));
    let malformed = [
        "",
        "ann",
        "@",
        "ann@",
        "@example.org",
        "ann@@example.org",
        "ann@b@example.org",
        "ann@example",
        "ann@localhost",
        "ann@192.168.0.1",
        "ann@[192.168.0.1]",
        "a b@example.org",
        "ann@exa mple.org",
        "<ann@example.org>",
        "\"ann\"@example.org",
        ".ann@example.org",
        "ann..b@example.org",
        "ann@-example.org",
        "ann@example..org",
        "ann,bo@example.org",
        "ann@example.org\r\nBcc: all@example.org",
        "<script>alert(1)</script>",
        long.as_str(),
    ];
    for address in malformed {
        let encoded: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
        let form = format!("address={encoded}&cadence=instant");
        let answer = world.signs_up(&form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address:?}");
        let page = answer.text();
        assert!(page.contains("<title>Error: ") && page.contains("role=\"alert\""), "{page}");
        assert!(page.contains("aria-invalid=\"true\""));
        assert!(page.contains("value=\"instant\" checked"));
        assert!(!page.contains("alert(1)</script>"));
    }
    let wrong = world.signs_up("address=ann@example.org&cadence=hourly").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        world.post("/subscribe/hourly", "address=ann@example.org").await.status,
        StatusCode::NOT_FOUND
    );
    assert!(world.house.letters().await.is_empty());
}

#[tokio::test]
async fn a_form_that_is_no_form_is_refused_as_a_page() {
    let world = World::new().await;
    let json =
        request(Method::POST, "/subscribe/weekly", &[("content-type", "application/json")], "{}");
    let answer = world.send(json).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.header("content-type").starts_with("text/html"));
    let huge = format!("address=ann@example.org&cadence={}", "x".repeat(70_000));
    let answer = world.signs_up(&huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(world.house.letters().await.is_empty());
}

#[tokio::test]
async fn a_visitor_who_signs_up_the_whole_street_is_slowed_down() {
    let world = World::new().await;
    for number in 0..5 {
        let form = format!("address=reader{number}@example.org");
        assert_eq!(world.signs_up(&form).await.status, StatusCode::SEE_OTHER);
    }
    let sixth = world.signs_up("address=reader6@example.org").await;
    assert_eq!((sixth.status, sixth.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "721"));
    let form = "address=reader6@example.org";
    let other = world.signs_up_from("198.51.100.1:4000", form).await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn without_a_database_nobody_is_told_that_it_worked() {
    let world = World::new().await;
    world.subscribes("ann@example.org").await;
    let token = world.house.unsubscribe_token("ann@example.org").await;
    world.house.store.close().await;
    let asked = world.signs_up("address=bo@example.org").await;
    assert_eq!(
        (asked.status, asked.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "120")
    );
    assert!(asked.page().contains("not your fault"), "{}", asked.page());
    let click = world.post(&format!("/unsubscribe/{token}"), "List-Unsubscribe=One-Click").await;
    assert_eq!(click.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn pages_below_a_path_link_below_it() {
    let below = |config: &mut Config| {
        config.server.public_url = "https://example.org/post/".parse().unwrap();
    };
    let world = World::with_config(below).await;
    let form = world.get("/subscribe/weekly").await;
    assert!(form.page().contains("action=\"/post/subscribe/weekly\""));
    let sent = world.signs_up("address=ann@example.org").await;
    assert_eq!(sent.header("location"), "/post/subscribe/weekly/done");
}
