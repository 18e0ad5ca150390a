//! The link in the confirmation mail. Following it shows a button; only the button confirms, because mail scanners follow links.

use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;

use super::refusal::Refusal;
use super::visitor::{Sender, visitor};
use super::{WebState, page};
use crate::audience::{Audience, Confirmation, Origin};
use crate::template::{ConfirmPage, ConfirmedPage};

/// `GET /confirm/{token}`: changes nothing.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let name = state
        .audience(&config, &templates)
        .confirmation_newsletter(&token)
        .await?
        .ok_or_else(|| useless(StatusCode::NOT_FOUND))?;
    let newsletter = page::newsletter_named(&config, &name);
    let context = ConfirmPage {
        site: page::site(&config),
        statement: Audience::confirming_statement(&newsletter.title),
        newsletter,
        action: page::local(&config, &format!("confirm/{token}")),
    };
    Ok(page::uncached(page::html(&state, "page/confirm.html", &context)?))
}

/// `POST /confirm/{token}`. Pressing twice gives the same answer.
pub(super) async fn confirm(
    State(state): State<WebState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    if Sender::of(&headers, &config) != Sender::Own {
        // A page that is none of ours sent it, perhaps without its visitor.
        return ask(State(state.clone()), Path(token)).await;
    }
    let origin = Origin { visitor: visitor(&headers, &extensions), form: "/confirm" };
    match state.audience(&config, &templates).confirm(&token, origin).await? {
        Confirmation::Subscribed(subscription) => {
            let context = ConfirmedPage {
                site: page::site(&config),
                newsletter: page::newsletter_named(&config, &subscription.newsletter),
            };
            Ok(page::uncached(page::html(&state, "page/confirmed.html", &context)?))
        }
        Confirmation::Expired | Confirmation::Left => Err(useless(StatusCode::GONE)),
        Confirmation::Unknown => Err(useless(StatusCode::NOT_FOUND)),
    }
}

fn useless(status: StatusCode) -> Refusal {
    Refusal::new(
        status,
        "This link does not work any more. It is good for two days after you asked to subscribe; \
         please fill in the form again to get a new one.",
    )
}
