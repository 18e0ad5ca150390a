//! What is wrong with a form, told in the language of whoever filled it in.

use serde_json::{Value, json};

use super::*;
use crate::audience::fixture::asks_everything;
use crate::config::{Captcha, CaptchaKind, Secret};

/// Asks everything that can be asked.
fn asking(config: &mut Config) {
    let newsletter = config.newsletters.get_mut("weekly").unwrap();
    asks_everything(newsletter);
    for field in &mut newsletter.questions.fields {
        field.required = ["drink", "rules"].contains(&&*field.name);
    }
    config.signup.domains.blocked = Arc::new(["trash.example".to_owned()].into());
}

/// Whether some of it is in the words with which English tells mistakes.
fn is_english(page: &str) -> bool {
    ["Please", "may ", "There is", "cannot", "not ", "is no", "Check"]
        .iter()
        .any(|words| page.contains(words))
}

/// What the page says is wrong: the summary, and what stands beside the fields.
fn told(page: &str) -> String {
    let summary = page.split_once("role=\"alert\"").unwrap().1.split_once("</div>").unwrap().0;
    let beside = page.split("class=\"message\"").skip(1);
    let beside = beside.filter_map(|it| it.split_once("</p>")).map(|(text, _)| text);
    format!("{summary}{}", beside.collect::<String>())
}

async fn sent(world: &World, form: &str) -> String {
    let form = format!("{form}&stamp={}", world.stamp(10));
    let answer = world.post("/subscribe/weekly?lang=de", &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    answer.page()
}

#[tokio::test]
async fn a_german_form_tells_of_every_mistake_in_german_beside_its_field() {
    let world = World::with_config(asking).await;
    let long = "x".repeat(101);
    let form = format!(
        "address=ann&name={long}&cadence=daily&topics=knitting&language=tlh&timezone=Mars&send_time=7%3A30\
         &field.born=2001-02-29&field.cats=many&field.drink=gin&field.town=a%0Ab"
    );
    let page = sent(&world, &form).await;
    for (field, text) in [
        ("address", "Eine E-Mail-Adresse hat genau ein „@“ mit Text auf beiden Seiten."),
        ("name", "Das darf höchstens 100 Zeichen haben."),
        (
            "cadence",
            "„Einmal am Tag“ steht hier nicht zur Wahl. Es gibt: Jeden Beitrag, sobald er erscheint / \
             Einmal in der Woche.",
        ),
        ("topics", "Es gibt kein Thema „knitting“."),
        ("language", "In „tlh“ erscheint es nicht."),
        ("timezone", "„Mars“ ist keine bekannte Zeitzone. Schreib eine wie Europe/Berlin."),
        ("send_time", "„7:30“ ist keine volle Stunde. Schreib eine wie 07:00."),
        ("field-born", "Bitte schreib einen Tag wie 2026-12-31."),
        ("field-cats", "Bitte schreib eine Zahl."),
        ("field-drink", "Bitte wähle eins davon."),
        ("field-rules", "Bitte kreuze das an."),
        ("field-town", "Das darf nur eine Zeile sein."),
    ] {
        assert!(page.contains(&format!("<a href=\"#{field}\">{text}</a>")), "{field}: {page}");
        assert!(page.contains(&format!("id=\"{field}-error\">{text}</p>")), "{field}: {page}");
        assert!(page.contains(&format!("id=\"{field}\"")), "{field}: the link leads there");
    }
    assert!(!is_english(&told(&page)), "{}", told(&page));
    for (address, text) in [
        ("", "Bitte gib deine Adresse an."),
        (
            "ann@a.trash.example",
            "Mit Adressen bei a.trash.example kann man sich hier nicht anmelden.",
        ),
    ] {
        let page = sent(&world, &format!("address={address}&field.rules=on")).await;
        assert!(page.contains(text), "{page}");
        assert!(page.contains("id=\"field-drink-error\">Bitte fülle das aus.</p>"), "{page}");
        assert!(!is_english(&told(&page)), "{}", told(&page));
    }
}

#[tokio::test]
async fn a_german_form_that_has_to_come_again_says_why_in_german() {
    let world = World::new().await;
    let form = "address=ann@example.org";
    let early = world.post("/subscribe/weekly?lang=de", &format!("{form}&stamp=")).await.page();
    assert!(told(&early).contains("Bitte sieh es noch einmal durch"), "{early}");
    for number in 0..6 {
        let form = format!("address=reader{number}@example.org&stamp={}", world.stamp(10));
        let answer = world.post("/subscribe/weekly?lang=de", &form).await;
        let is_too_often = answer.page().contains("Das war viel auf einmal.");
        assert_eq!(is_too_often, number == 5, "{}", answer.page());
    }
    let stormy = World::with_config(|config| config.signup.challenge_above = 0).await;
    assert!(sent(&stormy, form).await.contains("Gerade melden sich viele an"));
    let puzzling = World::with_config(|config| {
        let (site_key, secret) = ("key".to_owned(), Secret::new("hush"));
        let captcha = Captcha { kind: CaptchaKind::Turnstile, site_key, secret };
        config.signup.captcha = Some(captcha);
    })
    .await;
    let page = sent(&puzzling, form).await;
    assert!(told(&page).contains("Bitte löse zuerst die Aufgabe"), "{page}");
    assert!(!is_english(&told(&page)), "{}", told(&page));
}

#[tokio::test]
async fn a_form_on_another_site_is_answered_in_the_language_that_it_is_in() {
    let world = World::with_config(asking).await;
    let html = world.get("/subscribe/weekly/embed").await.page();
    assert!(html.contains("data-postrider=&quot;weekly&quot; lang=&quot;en&quot;"), "{html}");
    let calls = async |query: &str, accept: &str, body: Value| {
        let headers = [("content-type", "application/json"), ("accept-language", accept)];
        let path = format!("/api/v1/subscribe{query}");
        let answer = world.send(request(Method::POST, &path, &headers, &body.to_string())).await;
        (answer.status.as_u16(), serde_json::from_slice::<Value>(&answer.body).unwrap())
    };
    let fields = json!({ "drink": "tea", "rules": true });
    let wrong = json!({ "newsletter": "weekly", "address": "", "fields": fields });
    for (query, accept, detail) in [
        ("", "", "Please fill in your address."),
        ("", "de", "Bitte gib deine Adresse an."),
        ("?lang=fr", "de", "Merci d’indiquer votre adresse."),
        ("?lang=", "tlh, nl;q=0.5", "Vul je adres in."),
    ] {
        let (status, problem) = calls(query, accept, wrong.clone()).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid")));
        assert_eq!(problem["errors"], json!([{ "field": "address", "detail": detail }]));
    }
    for number in 0..6 {
        let (address, stamp) = (format!("reader{number}@example.org"), world.stamp(10));
        let body =
            json!({ "newsletter": "weekly", "address": address, "fields": fields, "stamp": stamp });
        let (status, said) = calls("?lang=de", "", body).await;
        let (expected, text) = match number {
            5 => (429, "Das war viel auf einmal."),
            _ => (202, "Sieh jetzt in dein Postfach. Wenn die Adresse Field Notes weekly"),
        };
        let told = said["message"].as_str().or(said["detail"].as_str()).unwrap();
        assert!(status == expected && told.starts_with(text), "{status}: {told}");
    }
}

#[tokio::test]
async fn the_preference_centre_tells_what_is_wrong_in_german() {
    let world = World::with_config(asking).await;
    let answers = "address=ann@example.org&field.drink=tea&field.rules=on";
    assert_eq!(world.signs_up(answers).await.status, StatusCode::SEE_OTHER);
    let confirm = world.house.newest_token().await;
    world.post(&format!("/confirm/{confirm}"), "").await;
    let token = world.house.unsubscribe_token("ann@example.org").await;
    for (form, place, text) in [
        (
            "do=save&cadence=daily",
            "cadence",
            "„Einmal am Tag“ steht hier nicht zur Wahl. Es gibt: ",
        ),
        ("do=save&timezone=Mars", "timezone", "„Mars“ ist keine bekannte Zeitzone."),
        ("do=save&send_time=25%3A00", "send_time", "„25:00“ ist keine volle Stunde."),
        ("do=address&address=", "address", "Bitte gib deine Adresse an."),
        ("do=address&address=a%40b", "address", "„b“ ist keine Domain"),
        ("do=join&newsletter=hourly", "main", "Diesen Newsletter gibt es nicht mehr."),
    ] {
        let answer = world.post(&format!("/preferences/{token}?lang=de"), form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        let page = answer.page();
        assert!(page.contains(&format!("<a href=\"#{place}\">{text}")), "{form}: {page}");
        assert!(page.contains(&format!("id=\"{place}\"")), "{form}: the link leads there");
        let beside = page.contains(&format!("id=\"{place}-error\">{text}"));
        assert!(beside || place == "main", "{form}: {page}");
        assert!(!is_english(&told(&page)), "{}", told(&page));
    }
    let mut config = world.house.config.clone();
    config.newsletters.remove("weekly");
    world.state.config.store(Arc::new(config));
    for form in ["do=save", "do=address&address=bo%40example.org"] {
        let answer = world.post(&format!("/preferences/{token}?lang=de"), form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(told(&answer.page()).contains("Diesen Newsletter gibt es nicht mehr."), "{form}");
    }
}
