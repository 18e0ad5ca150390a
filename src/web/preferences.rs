//! The preference centre, behind the link in every mail. The token in the path is all that is needed: no password, no cookie.
//!
//! Nothing here is kept in caches or found by search engines, and no GET changes anything.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::language::Asked;
use super::refusal::Refusal;
use super::visitor::{Sender, visitor};
use super::{Kept, WebState, page};
use crate::audience::{
    Audience, AudienceError, ChoiceForm, Known, Mistake, Origin, Pause, Preferences,
};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, SendTime, SubscriptionState};
use crate::template::{CadenceChoice, DeletePage, OtherNewsletter, PreferencesPage, Templates};

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A form of the page, as it was sent.
#[derive(Default)]
struct Sent {
    what: String,
    choice: ChoiceForm,
    pause: String,
    newsletter: String,
    address: String,
}

/// What is shown beside what is stored.
#[derive(Default)]
struct Said {
    /// The text of it.
    notice: Option<&'static str>,
    mistake: Option<Mistake>,
    sent: Sent,
}

impl Said {
    /// A choice of which something was refused: it stands there as it was sent, to be mended.
    fn again(&self) -> Option<&ChoiceForm> {
        (self.mistake.is_some() && self.sent.what == "save").then_some(&self.sent.choice)
    }
}

/// `GET /preferences/{token}`.
pub(super) async fn show(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
    uri: axum::http::Uri,
) -> Result<Response, Refusal> {
    let now = find(&state, &token).await?;
    let done = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "done")
        .map(|(_, what)| what.into_owned());
    let notice = match done.as_deref() {
        Some("saved") => Some("preferences-saved"),
        Some("asked") => Some("preferences-asked"),
        Some("address") => Some("preferences-address-asked"),
        _ => None,
    };
    lay_out(&state, &asked, (&token, &now), Said { notice, ..Said::default() })
}

/// `POST /preferences/{token}`: does what the form says, and leads back.
pub(super) async fn change(
    State(state): State<WebState>,
    Path(token): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Refusal> {
    let Parts { uri, headers, extensions, .. } = parts;
    let asked = Asked::of(&uri, headers.get(ACCEPT_LANGUAGE));
    let (config, templates) = (state.config.load(), state.templates.load());
    same_site(&headers, &config)?;
    let now = find(&state, &token).await?;
    let sent = read(&body);
    let spoken = language(&asked, &config, &templates, &now);
    let origin =
        Origin { visitor: visitor(&headers, &extensions), form: "/preferences", language: &spoken };
    let audience = state.audience(&config, &templates);
    match act(&audience, &state.kept, (&now, &sent), origin).await {
        Ok(done) => {
            if sent.what == "save" && sent.choice.cadence == Cadence::Instant.as_str() {
                state.wake_planner();
            }
            let back = asked.carried(page::local(&config, &format!("preferences/{token}")));
            let mark = if back.contains('?') { '&' } else { '?' };
            let back = format!("{back}{mark}done={done}");
            Ok(private((StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response()))
        }
        Err(AudienceError::Mistake(mistake)) => {
            let said = Said { mistake: Some(mistake), sent, ..Said::default() };
            let page = lay_out(&state, &asked, (&token, &now), said)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /preferences/{token}/data`: all that is known, as a file.
pub(super) async fn data(
    State(state): State<WebState>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let now = find(&state, &token).await?;
    let dossier = state.audience(&config, &templates).dossier(&now.address).await?;
    let mut text =
        serde_json::to_string_pretty(&Known::of(&dossier)).expect("what the store gives is JSON");
    text.push('\n');
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
    ];
    Ok(private((headers, text).into_response()))
}

/// `GET /preferences/{token}/delete`: asks once more.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let now = find(&state, &token).await?;
    deletion(&state, &asked, (&token, &now), false)
}

/// `POST /preferences/{token}/delete`.
pub(super) async fn delete(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    same_site(&headers, &config)?;
    let now = find(&state, &token).await?;
    match state.audience(&config, &templates).erase(&now.address, "preferences").await {
        Ok(_) => deletion(&state, &asked, (&token, &now), true),
        Err(AudienceError::Store(error)) => Err(error.into()),
        Err(_) => Err(useless()),
    }
}

async fn find(state: &WebState, token: &str) -> Result<Preferences, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    state.audience(&config, &templates).preferences(token).await?.ok_or_else(useless)
}

fn useless() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "refusal-preferences-link")
}

/// Forms of other sites do nothing here.
fn same_site(headers: &HeaderMap, config: &Config) -> Result<(), Refusal> {
    match Sender::of(headers, config) {
        Sender::Own => Ok(()),
        Sender::Known(_) | Sender::Foreign => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "refusal-elsewhere"))
        }
    }
}

fn read(body: &[u8]) -> Sent {
    let mut sent = Sent::default();
    for (name, value) in form_urlencoded::parse(body) {
        let value = value.into_owned();
        match &*name {
            "do" => sent.what = value,
            "cadence" => sent.choice.cadence = value,
            "topics" => sent.choice.topics.push(value),
            "language" => sent.choice.language = value,
            "timezone" => sent.choice.timezone = value,
            "send_time" => sent.choice.send_time = value,
            "pause" => sent.pause = value,
            "newsletter" => sent.newsletter = value,
            "address" => sent.address = value,
            _ => {}
        }
    }
    sent
}

/// Does what was sent. What it gives says which notice follows.
async fn act(
    audience: &Audience<'_>,
    kept: &Kept,
    (now, sent): (&Preferences, &Sent),
    origin: Origin<'_>,
) -> Result<&'static str, AudienceError> {
    let is_active = now.subscription.state == SubscriptionState::Active;
    match sent.what.as_str() {
        "save" if is_active => drop(audience.change(now, &sent.choice).await?),
        "pause" if is_active => {
            if let Some(pause) = Pause::named(&sent.pause) {
                audience.pause(&now.subscription, Some(pause)).await?;
            }
        }
        "resume" if is_active => audience.pause(&now.subscription, None).await?,
        "leave" => audience.leave_other(now, &sent.newsletter).await?,
        "join" => {
            audience.join(now, &sent.newsletter, origin).await?;
            return Ok("asked");
        }
        "address" => {
            let address = audience.may_ask(&sent.address, (&kept.signups, origin.visitor))?;
            kept.mail_domains.check(&audience.config.signup, &address).await?;
            audience.ask_address(now, &address, &kept.signups).await?;
            return Ok("address");
        }
        _ => return Ok("nothing"),
    }
    Ok("saved")
}

fn language(asked: &Asked, config: &Config, templates: &Templates, now: &Preferences) -> String {
    let row = &now.subscription;
    let house = page::house_language(config, &row.newsletter);
    asked.language(templates, row.choice.language.as_deref(), house)
}

fn deletion(
    state: &WebState,
    asked: &Asked,
    (token, now): (&str, &Preferences),
    done: bool,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let own =
        |path: &str| asked.carried(page::local(&config, &format!("preferences/{token}{path}")));
    let context = DeletePage {
        site: page::site(&config),
        language: language(asked, &config, &state.templates.load(), now),
        action: own("/delete"),
        back: own(""),
        done,
    };
    Ok(private(page::html(state, "page/delete.html", &context)?))
}

fn lay_out(
    state: &WebState,
    asked: &Asked,
    (token, now): (&str, &Preferences),
    said: Said,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let row = &now.subscription;
    let language = language(asked, &config, &templates, now);
    let newsletter = config.newsletters.get(&row.newsletter);
    let offers = newsletter.map(|it| Offers::of((&templates, &language), it, now, &said));
    let offers = offers.unwrap_or_default();
    let path = |path: &str| asked.carried(page::local(&config, path));
    let mistake = said.mistake.as_ref();
    let wrong = mistake.map(|it| place(&it.field)).unwrap_or_default();
    let timezone = match said.again() {
        Some(sent) => sent.timezone.clone(),
        None => row.choice.timezone.clone().unwrap_or_default(),
    };
    let context = PreferencesPage {
        site: page::site(&config),
        newsletter: page::newsletter_named(&config, &row.newsletter),
        address: now.address.as_str().to_owned(),
        state: row.state.as_str().to_owned(),
        notice: said.notice.map(|key| templates.text(&language, key, &[])),
        error: mistake.map(|it| it.wrong.told(&templates, &language)),
        wrong: wrong.to_owned(),
        cadences: offers.cadences,
        topics: offers.topics,
        languages: offers.languages,
        hours: offers.hours,
        timezone,
        house_zone: page::house_zone(&config, &row.newsletter),
        zones: zones(),
        paused_until: row
            .paused_until
            .filter(|until| *until > state.clock.now())
            .map(|until| until.to_zoned(state.audience(&config, &templates).zone_of(row))),
        others: others(&config, now),
        typed: said.sent.address,
        action: path(&format!("preferences/{token}")),
        data_url: path(&format!("preferences/{token}/data")),
        delete_url: path(&format!("preferences/{token}/delete")),
        unsubscribe_url: path(&format!("unsubscribe/{token}")),
        language,
    };
    Ok(private(page::html(state, "page/preferences.html", &context)?))
}

/// Where in the page the answer `field` is given: nobody types a newsletter.
fn place(field: &str) -> &str {
    if field == "newsletter" { "main" } else { field }
}

/// What a newsletter offers, with what is chosen.
#[derive(Default)]
struct Offers {
    cadences: Vec<CadenceChoice>,
    topics: Vec<CadenceChoice>,
    languages: Vec<CadenceChoice>,
    hours: Vec<CadenceChoice>,
}

impl Offers {
    fn of(
        (templates, language): (&Templates, &str),
        newsletter: &Newsletter,
        now: &Preferences,
        said: &Said,
    ) -> Self {
        let choice = &now.subscription.choice;
        let again = said.again();
        let chosen = again.and_then(|sent| sent.cadence.parse::<Cadence>().ok());
        let cadence = chosen.unwrap_or(choice.cadence);
        let wants = |topic: &String| match again {
            Some(sent) => sent.topics.contains(topic),
            None => choice.topics.contains(topic),
        };
        let cadences = newsletter.cadences.keys().map(|one| CadenceChoice {
            value: one.to_string(),
            label: page::cadence_label(templates, language, *one),
            checked: *one == cadence,
        });
        let topics = newsletter.topics.iter().map(|(name, topic)| CadenceChoice {
            value: name.clone(),
            label: topic.title.clone(),
            checked: wants(name),
        });
        let own = again.map(|sent| sent.language.as_str()).or(choice.language.as_deref());
        let own = own.filter(|tag| !tag.is_empty()).unwrap_or(&newsletter.language);
        let send_time = match again {
            Some(sent) => sent.send_time.parse().ok(),
            None => choice.send_time,
        };
        let languages = newsletter.offered_languages().map(|tag| CadenceChoice {
            value: tag.to_owned(),
            label: tag.to_owned(),
            checked: tag == own,
        });
        let as_always = CadenceChoice {
            value: String::new(),
            label: templates.text(language, "preferences-hour-default", &[]),
            checked: send_time.is_none(),
        };
        let hour = |time: SendTime| CadenceChoice {
            value: time.to_string(),
            label: time.to_string(),
            checked: send_time == Some(time),
        };
        let has_digests = newsletter.cadences.keys().any(|one| *one != Cadence::Instant);
        let hours = std::iter::once(as_always).chain(SendTime::ALL.map(hour));
        Self {
            cadences: cadences.collect(),
            topics: topics.collect(),
            languages: languages.collect(),
            hours: hours.filter(|_| has_digests).collect(),
        }
    }
}

/// The other newsletters, and the one of the link where the reader left it.
fn others(config: &Config, now: &Preferences) -> Vec<OtherNewsletter> {
    let own = &now.subscription;
    let has_left = own.state == SubscriptionState::Unsubscribed;
    let others = config.newsletters.values().filter(|it| it.name != own.newsletter || has_left);
    let other = |newsletter: &Newsletter| OtherNewsletter {
        name: newsletter.name.clone(),
        title: newsletter.title.clone(),
        description: newsletter.description.clone(),
        is_active: now.state_of(&newsletter.name) == Some(SubscriptionState::Active),
    };
    others.map(other).collect()
}

/// The names of the zones that people live in.
fn zones() -> Vec<String> {
    let is_place = |name: &String| name.contains('/') && !name.starts_with("Etc/");
    jiff::tz::db().available().map(|name| name.to_string()).filter(is_place).collect()
}

/// Kept by no cache and no search engine.
fn private(response: Response) -> Response {
    let mut response = page::uncached(response);
    response.headers_mut().insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    response
}
