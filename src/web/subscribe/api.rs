//! Signing up by JSON: the same, with the same limits, for programs and for forms on other sites.

use std::collections::BTreeMap;

use altcha::Challenge;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY,
};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Sender, Sent, Stopped, attempt};
use crate::audience::{Answers, AudienceError, Mistake};
use crate::config::{Config, Newsletter};
use crate::template::{PutIn, Templates};
use crate::web::WebState;
use crate::web::language::Asked;
use crate::web::page;
use crate::web::refusal::Refusal;
use crate::web::visitor::{self, visitor};

const PROBLEM: &str = "application/problem+json";
const JSON: &str = "application/json";

/// What a program sends.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    newsletter: Option<String>,
    address: String,
    name: String,
    cadence: String,
    topics: Vec<String>,
    language: String,
    timezone: String,
    send_time: String,
    fields: BTreeMap<String, Value>,
    website: String,
    stamp: String,
    work: String,
    captcha: String,
}

/// What there is to sign up for, and what must be sent along.
#[derive(Serialize)]
struct HandedOut {
    newsletter: String,
    title: String,
    /// To be shown: it is kept as evidence.
    statement: String,
    stamp: String,
    not_before_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<Challenge>,
}

/// What went wrong (RFC 9457). What only programs can mend is told in English; what is wrong with answers, and when to come back,
/// in the language of whoever filled the form in.
#[derive(Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: String,
    /// One word for programs.
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WrongField>,
    #[serde(skip)]
    retry_after: Option<i64>,
}

/// What is wrong with one answer.
#[derive(Serialize)]
struct WrongField {
    field: String,
    detail: String,
}

/// `GET /api/v1/subscribe/{newsletter}`.
pub(in crate::web) async fn hand_out(
    State(state): State<WebState>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let config = state.config.load();
    let templates = state.templates.load();
    let audience = state.audience(&config, &templates);
    let answer = match audience.newsletter(Some(&name)) {
        Err(error) => Problem::unknown(&error).into_response(),
        Ok(newsletter) => {
            let pass = audience.pass(&state.kept.signups);
            let handed_out = HandedOut {
                newsletter: newsletter.name.clone(),
                title: newsletter.title.clone(),
                statement: audience.statement(newsletter, &newsletter.language),
                stamp: pass.stamp,
                not_before_seconds: config.signup.fastest.as_secs()
                    + i64::from(config.signup.fastest.subsec_nanos() > 0),
                challenge: pass.challenge,
            };
            json(StatusCode::OK, JSON, &handed_out)
        }
    };
    shared(answer, &headers, &config)
}

/// `OPTIONS` on the same: browsers ask before they send JSON from another site.
pub(in crate::web) async fn preflight(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Response {
    let allowed = [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    let config = state.config.load();
    let is_known = matches!(visitor::Sender::of(&headers, &config), visitor::Sender::Known(_));
    let answer = StatusCode::NO_CONTENT;
    let answer = if is_known { (answer, allowed).into_response() } else { answer.into_response() };
    shared(answer, &headers, &config)
}

/// `POST /api/v1/subscribe`.
pub(in crate::web) async fn sign_up(
    State(state): State<WebState>,
    asked: Asked,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let config = state.config.load();
    let answer = match answer(&state, &config, (&asked, &headers, &extensions), body).await {
        Ok(message) => json(StatusCode::ACCEPTED, JSON, &serde_json::json!({ "message": message })),
        Err(problem) => problem.into_response(),
    };
    shared(answer, &headers, &config)
}

async fn answer(
    state: &WebState,
    config: &Config,
    (asked, headers, extensions): (&Asked, &HeaderMap, &Extensions),
    body: Result<Bytes, BytesRejection>,
) -> Result<String, Problem> {
    let site = visitor::Sender::of(headers, config);
    if site == visitor::Sender::Foreign {
        return Err(Problem::foreign());
    }
    let body =
        body.map_err(|rejection| Problem::unreadable(rejection.status(), "It could not be read."))?;
    // Browsers send nothing else from another site without asking first.
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JSON) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::unreadable(status, "Send JSON, as `application/json`."));
    }
    let request: Request = serde_json::from_slice(&body).map_err(|error| {
        Problem::unreadable(StatusCode::BAD_REQUEST, &format!("This JSON does not fit: {error}."))
    })?;
    let wanted = request.newsletter.clone();
    let templates = state.templates.load();
    let newsletter = state
        .audience(config, &templates)
        .newsletter(wanted.as_deref())
        .map_err(|error| Problem::unknown(&error))?;
    let sent = request.sent()?;
    let form = match &site {
        visitor::Sender::Known(origin) => format!("{origin} (API)"),
        _ => "API".to_owned(),
    };
    let visitor = visitor(headers, extensions);
    // That of the statement which was handed out: answers may be in another.
    let language = newsletter.language.clone();
    let sender = Sender { visitor, form: &form, by_hand: false, language };
    let spoken = asked.of_stranger(&templates, &newsletter.language);
    attempt(state, config, (newsletter, &sent), &sender)
        .await
        .map_err(|stopped| Problem::of(stopped, &templates, &spoken))?;
    Ok(thanks(newsletter, &templates, &spoken))
}

/// What the page says that follows the form.
fn thanks(newsletter: &Newsletter, templates: &Templates, language: &str) -> String {
    let (heading, text) = if newsletter.questions.double_opt_in {
        ("subscribe-done-heading", "subscribe-done-text")
    } else {
        ("subscribe-thanks", "subscribe-thanks-text")
    };
    let title = [("newsletter", PutIn::Text(&newsletter.title))];
    let (heading, text) =
        (templates.text(language, heading, &[]), templates.text(language, text, &title));
    format!("{heading}. {text}")
}

impl Request {
    fn sent(self) -> Result<Sent, Problem> {
        let mut fields = BTreeMap::new();
        for (name, value) in self.fields {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    let detail = "Each of `fields` is a text, a number, or true or false.";
                    return Err(Problem::unreadable(StatusCode::BAD_REQUEST, detail));
                }
            };
            fields.insert(name, text);
        }
        let answers = Answers {
            address: self.address,
            name: self.name,
            cadence: self.cadence,
            topics: self.topics,
            language: self.language,
            timezone: self.timezone,
            send_time: self.send_time,
            fields,
        };
        let (website, stamp, work, captcha) = (self.website, self.stamp, self.work, self.captcha);
        Ok(Sent { answers, website, stamp, work, captcha })
    }
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Refused");
        let (status, detail) = (status.as_u16(), detail.into());
        Self { title, status, detail, code, errors: Vec::new(), retry_after: None }
    }

    fn unreadable(status: StatusCode, detail: &str) -> Self {
        Self::new(status, "unreadable", detail)
    }

    fn unknown(error: &AudienceError) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-newsletter", page::sentence(&error.to_string()))
    }

    fn foreign() -> Self {
        let detail = "Forms on this site may not sign anybody up. The operator can allow it: `[signup] origins`.";
        Self::new(StatusCode::FORBIDDEN, "foreign-site", detail)
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = json(status, PROBLEM, &self);
        if let Some(seconds) = self.retry_after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

impl Problem {
    fn of(stopped: Stopped, templates: &Templates, language: &str) -> Self {
        let unfit = StatusCode::UNPROCESSABLE_ENTITY;
        match stopped {
            Stopped::Mistakes(mistakes) => {
                let told = |Mistake { field, wrong }: Mistake| WrongField {
                    field,
                    detail: wrong.told(templates, language),
                };
                let errors = mistakes.into_iter().map(told).collect();
                Self { errors, ..Self::new(unfit, "invalid", "Some answers are not right.") }
            }
            Stopped::Again => Self::new(
                unfit,
                "ask-again",
                "Get a fresh `stamp` from /api/v1/subscribe/NEWSLETTER, and send it no sooner than that says.",
            ),
            Stopped::Work => Self::new(
                unfit,
                "ask-again",
                "Many sign up just now: get a fresh `stamp` and solve the `challenge` that comes with it.",
            ),
            Stopped::Captcha => Self::new(unfit, "captcha", "Solve the captcha first."),
            Stopped::Later(wait) => Self::refused(&Refusal::too_often(wait), templates, language),
            Stopped::Failed(refusal) => Self::refused(&refusal, templates, language),
        }
    }
}

impl Problem {
    fn refused(refusal: &Refusal, templates: &Templates, language: &str) -> Self {
        let (status, detail, retry_after) = refusal.told(templates, language);
        let code = match status {
            StatusCode::TOO_MANY_REQUESTS => "too-often",
            _ => "failed",
        };
        Self { retry_after, ..Self::new(status, code, detail) }
    }
}

fn json<T: Serialize>(status: StatusCode, kind: &'static str, body: &T) -> Response {
    let body = serde_json::to_vec(body).unwrap_or_default();
    (status, [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body).into_response()
}

/// Lets scripts of the sites that may read the answer do so.
fn shared(mut answer: Response, headers: &HeaderMap, config: &Config) -> Response {
    answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    if let visitor::Sender::Known(origin) = visitor::Sender::of(headers, config)
        && let Ok(origin) = HeaderValue::from_str(&origin)
    {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    answer
}
