//! The link in every mail: a page with one button for people, and one-click (RFC 8058) for their mail program.
//!
//! The token in the path is all that is needed: no cookie, no login, no question. It never expires.

use axum::extract::{Path, State};
use axum::response::Response;

use super::refusal::Refusal;
use super::{WebState, page};
use crate::domain::SubscriptionState;
use crate::template::{UnsubscribePage, UnsubscribedPage};

/// `GET /unsubscribe/{token}`: changes nothing, because mail scanners follow links. A forged link looks like one whose
/// subscription was erased.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let subscription = state.audience(&config, &templates).subscription_of(&token).await?;
    let named = |name: &str| page::newsletter_named(&config, name);
    let context = UnsubscribePage {
        site: page::site(&config),
        newsletter: subscription.as_ref().map(|row| named(&row.newsletter)),
        action: page::local(&config, &format!("unsubscribe/{token}")),
        done: subscription.is_some_and(|row| row.state == SubscriptionState::Unsubscribed),
    };
    Ok(page::uncached(page::html(&state, "page/unsubscribe.html", &context)?))
}

/// `POST /unsubscribe/{token}`: takes effect at once, and answers the same whether the token is known, used or forged.
///
/// The body is not looked at: mail programs send `List-Unsubscribe=One-Click` in either form encoding (RFC 8058 section
/// 3.1), the page's button sends nothing. The answer is never a redirect, which they would not follow.
pub(super) async fn unsubscribe(
    State(state): State<WebState>,
    Path(token): Path<String>,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    state.audience(&config, &templates).unsubscribe(&token).await?;
    let context = UnsubscribedPage { site: page::site(&config), newsletter: None };
    Ok(page::uncached(page::html(&state, "page/unsubscribed.html", &context)?))
}
