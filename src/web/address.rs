//! The link in the mail to a new address. Following it shows a button; only the button changes the address.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::language::Asked;
use super::refusal::Refusal;
use super::{WebState, page};
use crate::audience::{AudienceError, NewAddress};
use crate::template::AddressPage;

/// `GET /address/{token}`: changes nothing.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let new = state.audience(&config, &templates).new_address(&token).await?;
    show(&state, &asked, &token, (new, false))
}

/// `POST /address/{token}`. Pressing twice gives the same answer.
pub(super) async fn confirm(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    match state.audience(&config, &templates).confirm_address(&token).await {
        Ok(new) => show(&state, &asked, &token, (new, true)),
        Err(AudienceError::Store(error)) => Err(error.into()),
        Err(AudienceError::Letter(problem)) => Err((*problem).into()),
        Err(_) => show(&state, &asked, &token, (None, true)),
    }
}

fn show(
    state: &WebState,
    asked: &Asked,
    token: &str,
    (new, done): (Option<NewAddress>, bool),
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let useless = || Refusal::new(StatusCode::NOT_FOUND, "refusal-address-link");
    let NewAddress { address, subscription } = new.ok_or_else(useless)?;
    let own = subscription.choice.language.as_deref();
    let house = page::house_language(&config, &subscription.newsletter);
    let context = AddressPage {
        site: page::site(&config),
        language: asked.language(&state.templates.load(), own, house),
        address: address.as_str().to_owned(),
        action: asked.carried(page::local(&config, &format!("address/{token}"))),
        done,
    };
    Ok(page::uncached(page::html(state, "page/address.html", &context)?))
}
