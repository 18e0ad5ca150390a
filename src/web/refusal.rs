//! Answers to what cannot be done, as pages: what happened, in a sentence for the visitor.

use std::any::Any;

use axum::extract::rejection::FormRejection;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

use super::language::Unread;
use super::{WebState, page};
use crate::audience::AudienceError;
use crate::domain::Diagnostic;
use crate::store::StoreError;
use crate::telemetry;
use crate::template::{ErrorPage, PutIn, Templates};

/// Seconds until a database that is away is worth another try.
const DATABASE_RETRY_SECONDS: i64 = 120;

/// Why there is no page. Faults of ours are logged where they become one of these.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// The text that says so.
    text: &'static str,
    /// How long to wait, where the text says it.
    minutes: Option<i64>,
    retry_after_seconds: Option<i64>,
}

impl Refusal {
    /// `text` is the name of one of the texts (`templates/texts/`).
    pub(super) fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text, minutes: None, retry_after_seconds: None }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "refusal-not-found")
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(super) fn gone() -> Self {
        Self::new(StatusCode::GONE, "refusal-gone")
    }

    /// The posts are being read.
    pub(super) fn not_yet() -> Self {
        Self {
            retry_after_seconds: Some(10),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "refusal-not-yet")
        }
    }

    /// Its status, its sentence in a language, and the seconds until it is worth another try.
    pub(super) fn told(
        &self,
        templates: &Templates,
        language: &str,
    ) -> (StatusCode, String, Option<i64>) {
        let minutes = self.minutes.map(|minutes| ("minutes", PutIn::Number(minutes)));
        let message = templates.text(language, self.text, minutes.as_slice());
        (self.status, message, self.retry_after_seconds)
    }

    /// The visitor was too quick.
    pub(super) fn too_often(wait: SignedDuration) -> Self {
        let seconds = wait.as_secs().max(0) + 1;
        let minutes = (seconds + 59) / 60;
        Self {
            retry_after_seconds: Some(seconds),
            minutes: Some(minutes),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "refusal-too-often")
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %telemetry::causes(&error), "a page could not be made");
        Self {
            retry_after_seconds: Some(DATABASE_RETRY_SECONDS),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "refusal-away")
        }
    }
}

impl From<Diagnostic> for Refusal {
    fn from(problem: Diagnostic) -> Self {
        tracing::error!(%problem, "a page could not be made");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "refusal-fault")
    }
}

impl From<AudienceError> for Refusal {
    fn from(error: AudienceError) -> Self {
        match error {
            AudienceError::Store(error) => error.into(),
            AudienceError::Letter(problem) => (*problem).into(),
            AudienceError::TooOften(wait) => Self::too_often(wait),
            // What visitors get wrong is told in the form, before it comes to this; the rest is for operators.
            AudienceError::NoSuchNewsletter { .. }
            | AudienceError::WhichNewsletter { .. }
            | AudienceError::Cadence(_)
            | AudienceError::Mistake(_) => {
                tracing::error!(%error, "a page could not be made");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "refusal-fault")
            }
        }
    }
}

impl From<FormRejection> for Refusal {
    fn from(rejection: FormRejection) -> Self {
        Self::new(rejection.status(), "refusal-form")
    }
}

/// Without words until `dress` makes a page of it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

/// Lays refusals out as pages, in one place, so that handlers need not.
pub(super) fn laid_out(state: &WebState, asked: &Unread, mut response: Response) -> Response {
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let (config, templates) = (state.config.load(), state.templates.load());
    let language = asked.read().of_stranger(&templates, &config.site.language);
    let (status, message, _) = refusal.told(&templates, &language);
    let context = ErrorPage {
        site: page::site(&config),
        language,
        status: status.as_u16(),
        message: message.clone(),
    };
    // When even this page is broken, the sentence in plain text has to do.
    let dressed = page::html(state, "page/error.html", &context)
        .unwrap_or_else(|_| format!("{message}\n").into_response());
    let (mut parts, _) = response.into_parts();
    let (page, body) = dressed.into_parts();
    parts.headers.extend(page.headers);
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

pub(super) async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "refusal-method")
}

/// A panic in one answer must not end the process; the panic hook has said where it was.
pub(super) fn after_panic(panic: &(dyn Any + Send)) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(panic = what, "an answer panicked");
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "refusal-fault").into_response()
}
