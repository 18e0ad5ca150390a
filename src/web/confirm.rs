//! The link in the confirmation mail. Following it shows a button; only the button confirms, because mail scanners follow links.

use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;

use super::language::Asked;
use super::refusal::Refusal;
use super::visitor::{Sender, visitor};
use super::{WebState, page};
use crate::audience::{Confirmation, Origin};
use crate::template::{ConfirmPage, ConfirmedPage};

/// `GET /confirm/{token}`: changes nothing.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let name = state
        .audience(&config, &templates)
        .confirmation_newsletter(&token)
        .await?
        .ok_or_else(|| useless(StatusCode::NOT_FOUND))?;
    let house = page::house_language(&config, &name);
    let newsletter = page::newsletter_named(&config, &name);
    let language = asked.of_stranger(&templates, house);
    let audience = state.audience(&config, &templates);
    let context = ConfirmPage {
        site: page::site(&config),
        statement: audience.confirming_statement(&newsletter.title, &language),
        language,
        newsletter,
        action: asked.carried(page::local(&config, &format!("confirm/{token}"))),
    };
    Ok(page::uncached(page::html(&state, "page/confirm.html", &context)?))
}

/// `POST /confirm/{token}`. Pressing twice gives the same answer.
pub(super) async fn confirm(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    if Sender::of(&headers, &config) != Sender::Own {
        // A page that is none of ours sent it, perhaps without its visitor.
        return ask(State(state.clone()), Path(token), asked).await;
    }
    let audience = state.audience(&config, &templates);
    let name = audience.confirmation_newsletter(&token).await?.unwrap_or_default();
    let language = asked.of_stranger(&templates, page::house_language(&config, &name));
    let visitor = visitor(&headers, &extensions);
    let origin = Origin { visitor, form: "/confirm", language: &language };
    match audience.confirm(&token, origin).await? {
        Confirmation::Subscribed(subscription) => {
            state.wake_for_welcome(config.newsletters.get(&subscription.newsletter));
            let own = subscription.choice.language.as_deref();
            let house = page::house_language(&config, &subscription.newsletter);
            let context = ConfirmedPage {
                site: page::site(&config),
                language: asked.language(&templates, own, house),
                newsletter: page::newsletter_named(&config, &subscription.newsletter),
            };
            Ok(page::uncached(page::html(&state, "page/confirmed.html", &context)?))
        }
        Confirmation::Expired | Confirmation::Left => Err(useless(StatusCode::GONE)),
        Confirmation::Unknown => Err(useless(StatusCode::NOT_FOUND)),
    }
}

fn useless(status: StatusCode) -> Refusal {
    Refusal::new(status, "refusal-confirm-link")
}
