//! Signing up under attack, by strangers' pages, by programs, and with everything that can be asked.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::audience::gate::solved;
use crate::config::{FieldKind, FormField, SignupQuestions, Topic};
use crate::domain::{Cadence, SubscriptionState};

fn asking(config: &mut Config) {
    let newsletter = config.newsletters.get_mut("weekly").unwrap();
    let field = |name: &str, kind, required| FormField {
        name: name.to_owned(),
        title: format!("Your {name}"),
        kind,
        required,
    };
    newsletter.questions = SignupQuestions {
        ask_name: true,
        fields: vec![
            field("cats", FieldKind::Number, false),
            field("drink", FieldKind::Choice(vec!["tea".to_owned(), "<b>".to_owned()]), true),
        ],
        ..SignupQuestions::default()
    };
    newsletter.languages = vec!["de".to_owned()];
    let topic = Topic { title: "Making things".to_owned(), terms: Vec::new() };
    newsletter.topics =
        BTreeMap::from([("making".to_owned(), topic.clone()), ("tea".to_owned(), topic)]);
    config.signup.origins = vec!["https://blog.example".to_owned()];
}

fn stormy(config: &mut Config) {
    config.signup.challenge_above = 0;
}

/// The value of the hidden field or attribute that begins with `before`.
fn between<'a>(page: &'a str, before: &str) -> &'a str {
    page.split_once(before).unwrap().1.split_once('"').unwrap().0
}

#[tokio::test]
async fn what_was_answered_becomes_the_subscribers_when_they_confirm() {
    let world = World::with_config(asking).await;
    let page = world.get("/subscribe/weekly").await;
    assert!(page.page().contains("<legend>What about?") && page.page().contains("Your cats"));
    assert_eq!(page.header("cache-control"), "no-store");
    let form = "address=ann@example.org&name=Ann&field.cats=2&field.drink=tea&topics=tea&language=de\
                &timezone=Asia%2FTokyo&send_time=07%3A00&cadence=weekly&field.odd=x";
    assert_eq!(world.signs_up(form).await.status, StatusCode::SEE_OTHER);
    let row = world.house.subscription("ann@example.org").await;
    let kept = async |world: &World| {
        let mut tx = world.house.store.read().await.unwrap();
        tx.answers_kept(row.subscriber).await.unwrap().unwrap()
    };
    assert_eq!(kept(&world).await, (String::new(), "{}".to_owned()), "not before it is confirmed");
    let token = world.house.newest_token().await;
    world.post(&format!("/confirm/{token}"), "").await;
    assert_eq!(kept(&world).await, ("Ann".to_owned(), r#"{"cats":2,"drink":"tea"}"#.to_owned()));
    let choice = world.house.subscription("ann@example.org").await.choice;
    assert_eq!((choice.language.as_deref(), choice.cadence), (Some("de"), Cadence::Weekly));
    assert_eq!(choice.timezone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(choice.send_time.map(crate::domain::SendTime::hour), Some(7));
    assert!(choice.topics.contains("tea"));
    let mut tx = world.house.store.read().await.unwrap();
    let evidence = tx.consents_of(row.id).await.unwrap();
    let told: Vec<_> = evidence
        .iter()
        .map(|it| format!("{} {} {}: {}", it.kind, it.address, it.form, it.statement))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn the_evidence_is_the_sentence_that_stood_on_the_other_site() {
    let mut world = World::new().await;
    world.house.config.signup.origins = vec!["https://blog.example".to_owned()];
    world.state.config.store(Arc::new(world.house.config.clone()));
    let form = format!("address=ann@example.org&stamp={}", world.stamp(10));
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://blog.example"),
        ("accept-language", "de"),
    ];
    let sent = world.send(request(Method::POST, "/subscribe/weekly", &headers, &form)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.page());
    let row = world.house.subscription("ann@example.org").await;
    let mut tx = world.house.store.read().await.unwrap();
    let evidence = tx.consents_of(row.id).await.unwrap();
    assert!(evidence[0].statement.starts_with("I want to get"), "{}", evidence[0].statement);
}

#[tokio::test]
async fn mistakes_are_said_beside_their_fields() {
    let world = World::with_config(asking).await;
    let form = "address=ann@example.org&field.cats=many&topics=none&timezone=Mars&send_time=25&\
                name=Bob%0D%0ABcc%3A+x&language=xx";
    let answer = world.signs_up(form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page();
    for field in
        ["field-cats", "field-drink", "topics", "timezone", "send_time", "name", "language"]
    {
        assert!(page.contains(&format!("id=\"{field}-error\"")), "{field}: {page}");
        assert!(page.contains(&format!("aria-describedby=\"{field}-error\"")), "{field}");
    }
    assert!(page.contains("value=\"ann@example.org\"") && !page.contains("<option><b>"));
    assert!(world.house.letters().await.is_empty());
}

#[tokio::test]
async fn a_confirmation_mail_has_no_word_of_a_strangers() {
    let world = World::with_config(asking).await;
    let spam = "Buy%20now%20http%3A%2F%2Fspam.example";
    let form = format!("address=ann@example.org&name={spam}&field.drink=tea&field.odd={spam}");
    assert_eq!(world.signs_up(&form).await.status, StatusCode::SEE_OTHER);
    let letter = world.house.letters().await.pop().unwrap();
    let all = format!("{}{}{}", letter.subject, letter.html, letter.text);
    for word in ["spam", "Buy now", "ann@"] {
        assert!(!all.contains(word), "{word}");
    }
}

#[tokio::test]
async fn without_double_opt_in_nobody_is_asked_but_those_who_left() {
    let world = World::with_config(|config| {
        config.newsletters.get_mut("weekly").unwrap().questions.double_opt_in = false;
    })
    .await;
    assert_eq!(world.signs_up("address=ann@example.org").await.status, StatusCode::SEE_OTHER);
    let row = world.house.subscription("ann@example.org").await;
    assert_eq!(row.state, SubscriptionState::Active);
    assert!(world.house.letters().await.is_empty());
    let token = world.house.unsubscribe_token("ann@example.org").await;
    world.post(&format!("/unsubscribe/{token}"), "").await;
    let again = world.signs_up("address=ann@example.org").await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    let row = world.house.subscription("ann@example.org").await;
    assert_eq!(row.state, SubscriptionState::Pending);
    assert_eq!(world.house.letters().await.len(), 1);
}

#[tokio::test]
async fn a_form_that_comes_too_soon_too_late_or_from_nowhere_is_shown_again_filled_in() {
    let world = World::new().await;
    for stamp in [world.stamp(0), world.stamp(25 * 3600), "A".repeat(43), String::new()] {
        let form = format!("address=ann@example.org&cadence=instant&stamp={stamp}");
        let answer = world.post("/subscribe/weekly", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{stamp}");
        let page = answer.page();
        assert!(
            page.contains("press the button once more") && page.contains("\"ann@example.org\"")
        );
        assert!(page.contains("value=\"instant\" checked"));
        let fresh = between(&page, "name=\"stamp\" value=\"").to_owned();
        world.house.clock.advance(SignedDuration::from_secs(3));
        let form = format!("address=ann@example.org&cadence=instant&stamp={fresh}");
        let answer = world.post("/subscribe/weekly", &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{stamp}");
    }
    assert_eq!(world.house.letters().await.len(), 1);
}

#[tokio::test]
async fn a_strangers_page_signs_nobody_up_and_confirms_nobody() {
    let world = World::with_config(asking).await;
    let strange = [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
    ];
    world.signs_up("address=bo@example.org&field.drink=tea").await;
    let token = world.house.newest_token().await;
    for headers in strange {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(&headers);
        let form = format!("address=ann@example.org&field.drink=tea&stamp={}", world.stamp(10));
        let answer = world.send(request(Method::POST, "/subscribe/weekly", &all, &form)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.header("access-control-allow-origin").is_empty());
        let body = json!({ "newsletter": "weekly", "address": "ann@example.org", "stamp": world.stamp(10) });
        let answer = world.calls(&headers, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let confirm =
            world.send(request(Method::POST, &format!("/confirm/{token}"), &all, "")).await;
        assert!(confirm.page().contains("<button"), "{}", confirm.page());
    }
    let row = world.house.subscription("bo@example.org").await;
    assert_eq!(row.state, SubscriptionState::Pending);
    assert_eq!(world.house.letters().await.len(), 1);
}

#[tokio::test]
async fn a_site_of_ours_may_have_the_form_with_and_without_its_script() {
    let world = World::with_config(asking).await;
    let ours = ("origin", "https://blog.example");
    let html = world.get("/subscribe/weekly/embed").await;
    assert_eq!(html.status, StatusCode::OK);
    assert!(
        html.text().contains("&lt;form") && html.text().contains("embed.js"),
        "{}",
        html.text()
    );
    let script = world.get("/embed.js").await;
    assert!(script.header("content-type").starts_with("text/javascript"));
    let by_hand = [("content-type", "application/x-www-form-urlencoded"), ours];
    let form = "address=bo@example.org&field.drink=tea";
    let sent = world.send(request(Method::POST, "/subscribe/weekly", &by_hand, form)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let asked = [ours, ("access-control-request-method", "POST")];
    let allowed = world.send(request(Method::OPTIONS, "/api/v1/subscribe", &asked, "")).await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://blog.example");
    let other = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let refused = world.send(request(Method::OPTIONS, "/api/v1/subscribe", &other, "")).await;
    assert_eq!(refused.header("access-control-allow-origin"), "");
    let given = world.get_with("/api/v1/subscribe/weekly", &[ours]).await;
    assert_eq!(given.header("access-control-allow-origin"), "https://blog.example");
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    world.house.clock.advance(SignedDuration::from_secs(3));
    let body = json!({
        "newsletter": "weekly", "address": "ann@example.org", "fields": { "drink": "tea", "cats": 3 },
        "topics": ["tea"], "stamp": given["stamp"],
    });
    let answer = world.calls(&[ours], &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let row = world.house.subscription("ann@example.org").await;
    let mut tx = world.house.store.read().await.unwrap();
    assert_eq!(tx.consents_of(row.id).await.unwrap()[0].form, "https://blog.example (API)");
}

#[tokio::test]
async fn a_program_that_sends_what_does_not_fit_is_told_in_its_own_words() {
    let world = World::with_config(asking).await;
    let stamp = world.stamp(10);
    let deep = format!("{{\"fields\":{{\"a\":{}1{}}}}}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies = [
        ("", 400, "unreadable"),
        ("{\"address\": 5}", 400, "unreadable"),
        (deep.as_str(), 400, "unreadable"),
        ("{\"newsletter\":\"weekly\",\"fields\":{\"cats\":[1]}}", 400, "unreadable"),
        ("{\"newsletter\":\"hourly\"}", 404, "no-such-newsletter"),
        ("{\"newsletter\":\"weekly\",\"address\":\"ann\"}", 422, "invalid"),
        (
            "{\"newsletter\":\"weekly\",\"address\":\"ann@example.org\",\"fields\":{\"drink\":\"tea\"}}",
            422,
            "ask-again",
        ),
    ];
    for (body, status, code) in bodies {
        let answer = world.calls(&[], body).await;
        let told: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status.as_u16(), &told["code"]), (status, &json!(code)), "{body:.80}");
        assert_eq!(
            (told["status"].as_u64(), answer.header("content-type")),
            (Some(u64::from(status)), "application/problem+json")
        );
    }
    let huge = format!("{{\"address\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(world.calls(&[], &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let plain = request(Method::POST, "/api/v1/subscribe", &[("content-type", "text/plain")], "{}");
    assert_eq!(world.send(plain).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let good = json!({ "newsletter": "weekly", "fields": { "drink": "tea" }, "stamp": stamp });
    for number in 0..6 {
        let mut body = good.clone();
        body["address"] = json!(format!("reader{number}@example.org"));
        let answer = world.calls(&[], &body.to_string()).await;
        let expected = if number < 5 { 202 } else { 429 };
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_empty(), number < 5);
    }
}

#[tokio::test]
async fn in_a_storm_the_browser_works_and_whoever_cannot_waits() {
    let world = World::with_config(stormy).await;
    let page = world.get("/subscribe/weekly").await.page();
    assert!(page.contains("Please wait 20 seconds"));
    let stamp = between(&page, "name=\"stamp\" value=\"").to_owned();
    let challenge = between(&page, "data-challenge=\"").replace("&quot;", "\"");
    let work = solved(&serde_json::from_str(&challenge).unwrap());
    let work: String = url::form_urlencoded::byte_serialize(work.as_bytes()).collect();
    world.house.clock.advance(SignedDuration::from_secs(3));
    let lazy = format!("address=ann@example.org&stamp={stamp}");
    let again = world.post("/subscribe/weekly", &lazy).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.page().contains("one more press"));
    let worked = format!("{lazy}&work={work}");
    assert_eq!(world.post("/subscribe/weekly", &worked).await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        world.post("/subscribe/weekly", &worked).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let stamp = between(&again.page(), "name=\"stamp\" value=\"").to_owned();
    world.house.clock.advance(SignedDuration::from_secs(20));
    let waited = format!("address=bo@example.org&stamp={stamp}");
    assert_eq!(world.post("/subscribe/weekly", &waited).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.house.letters().await.len(), 2);
    let given = world.get("/api/v1/subscribe/weekly").await;
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    let work = solved(&serde_json::from_value(given["challenge"].clone()).unwrap());
    world.house.clock.advance(SignedDuration::from_secs(3));
    let mut body =
        json!({ "newsletter": "weekly", "address": "cy@example.org", "stamp": given["stamp"] });
    assert_eq!(world.calls(&[], &body.to_string()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    body["work"] = json!(work);
    assert_eq!(world.calls(&[], &body.to_string()).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn domains_that_are_not_wanted_are_told_so_on_every_path() {
    let world = World::with_config(|config| {
        config.signup.domains.blocked = Arc::new(["trash.example".to_owned()].into());
    })
    .await;
    let answer = world.signs_up("address=ann@a.trash.example").await;
    assert!(answer.page().contains("cannot sign up here"), "{}", answer.page());
    let body =
        json!({ "newsletter": "weekly", "address": "ann@trash.example", "stamp": world.stamp(9) });
    let answer = world.calls(&[], &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("\"field\":\"address\""), "{}", answer.text());
}

#[tokio::test]
async fn only_our_own_script_runs_in_the_form() {
    let world = World::new().await;
    let page = world.get("/subscribe/weekly").await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let done = world.get("/subscribe/weekly/done").await;
    assert!(!done.header("content-security-policy").contains("script-src"));
}

#[tokio::test]
async fn of_ten_thousand_one_after_the_other_those_before_the_storm_is_noticed_are_mailed() {
    let world = World::new().await;
    let stamp = world.stamp(10);
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for number in 0..10_000_u32 {
        let [_, a, b, c] = number.wrapping_mul(4_099).to_be_bytes();
        let peer = Peer(SocketAddr::from(([100, a, b, c], 4000)));
        let address = format!("reader{number}@d{}.example", number % 700);
        let mut request = if number % 10 == 0 {
            let form = format!("address={address}&stamp={stamp}");
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            request(Method::POST, "/subscribe/weekly", &headers, &form)
        } else {
            let body = json!({ "newsletter": "weekly", "address": address, "stamp": stamp });
            let headers = [("content-type", "application/json")];
            request(Method::POST, "/api/v1/subscribe", &headers, &body.to_string())
        };
        request.extensions_mut().insert(ConnectInfo(peer));
        *answers.entry(world.send(request).await.status.as_u16()).or_default() += 1;
    }
    // Twenty before the storm is noticed, and that many who waited ten seconds too few.
    assert_eq!(world.house.letters().await.len(), 20, "{answers:?}");
    assert_eq!(answers.get(&422), Some(&9_980), "{answers:?}");
    let sizes = world.state.kept.signups.sizes();
    assert!(sizes.iter().all(|size| *size <= 60), "{sizes:?}");
}
