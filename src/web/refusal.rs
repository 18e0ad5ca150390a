//! Answers to what cannot be done, as pages: what happened, in a sentence for the visitor.

use std::any::Any;

use axum::extract::rejection::FormRejection;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

use super::{WebState, page};
use crate::domain::Diagnostic;
use crate::store::StoreError;
use crate::telemetry;
use crate::template::ErrorPage;

/// Seconds until a database that is away is worth another try.
const DATABASE_RETRY_SECONDS: i64 = 120;

/// Why there is no page. Faults of ours are logged where they become one of these.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    retry_after_seconds: Option<i64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_seconds: None }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this address.")
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(super) fn gone() -> Self {
        Self::new(StatusCode::GONE, "What was here has been taken down.")
    }

    /// The posts are being read.
    pub(super) fn not_yet() -> Self {
        Self {
            retry_after_seconds: Some(10),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The posts are being read. Please come back in a moment.",
            )
        }
    }

    /// Its status, its sentence, and the seconds until it is worth another try.
    pub(super) fn told(self) -> (StatusCode, String, Option<i64>) {
        (self.status, self.message, self.retry_after_seconds)
    }

    /// The visitor was too quick.
    pub(super) fn too_often(wait: SignedDuration) -> Self {
        let seconds = wait.as_secs().max(0) + 1;
        let minutes = (seconds + 59) / 60;
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        Self {
            retry_after_seconds: Some(seconds),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("That was a lot at once. Please try again in {minutes} {unit}."),
            )
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %telemetry::causes(&error), "a page could not be made");
        Self {
            retry_after_seconds: Some(DATABASE_RETRY_SECONDS),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "This does not work just now, and it is not your fault. Please try again in a few minutes.",
            )
        }
    }
}

impl From<Diagnostic> for Refusal {
    fn from(problem: Diagnostic) -> Self {
        tracing::error!(%problem, "a page could not be made");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here, and it is not your fault. It has been noted.",
        )
    }
}

impl From<FormRejection> for Refusal {
    fn from(rejection: FormRejection) -> Self {
        Self::new(
            rejection.status(),
            "The form could not be read. Please go back and send it again.",
        )
    }
}

/// Plain text until `dress` makes a page of it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.message)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

/// Lays refusals out as pages, in one place, so that handlers need not.
pub(super) async fn dress(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let config = state.config.load();
    let context = ErrorPage {
        site: page::site(&config),
        status: refusal.status.as_u16(),
        message: refusal.message,
    };
    // When even this page is broken, the sentence in plain text has to do.
    let Ok(dressed) = page::html(&state, "page/error.html", &context) else { return response };
    let (mut parts, _) = response.into_parts();
    let (page, body) = dressed.into_parts();
    parts.headers.extend(page.headers);
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

pub(super) async fn wrong_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "This address takes requests of another kind.")
}

/// A panic in one answer must not end the process; the panic hook has said where it was.
#[expect(clippy::needless_pass_by_value, reason = "the signature is the library's")]
pub(super) fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(panic = what, "an answer panicked");
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here, and it is not your fault. It has been noted.",
    )
    .into_response()
}
