//! The link in every mail: a page with one button for people, and one-click (RFC 8058) for their mail program.
//!
//! The token in the path is all that is needed: no cookie, no login, no question. It never expires.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use url::form_urlencoded;

use super::language::Asked;
use super::refusal::Refusal;
use super::{WebState, page};
use crate::domain::SubscriptionState;
use crate::template::{UnsubscribePage, UnsubscribedPage};

/// `GET /unsubscribe/{token}`: changes nothing, because mail scanners follow links. A forged link looks like one whose
/// subscription was erased.
pub(super) async fn ask(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let subscription = state.audience(&config, &templates).subscription_of(&token).await?;
    let named = |name: &str| page::newsletter_named(&config, name);
    let own = subscription.as_ref().and_then(|row| row.choice.language.as_deref());
    let house = subscription.as_ref().map(|row| page::house_language(&config, &row.newsletter));
    let house = house.unwrap_or(&config.site.language);
    let context = UnsubscribePage {
        site: page::site(&config),
        language: asked.language(&templates, own, house),
        newsletter: subscription.as_ref().map(|row| named(&row.newsletter)),
        action: asked.carried(page::local(&config, &format!("unsubscribe/{token}"))),
        several: config.newsletters.len() > 1,
        done: subscription.is_some_and(|row| row.state == SubscriptionState::Unsubscribed),
    };
    Ok(page::uncached(page::html(&state, "page/unsubscribe.html", &context)?))
}

/// `POST /unsubscribe/{token}`: takes effect at once, and answers the same whether the token is known, used or forged.
///
/// Mail programs send `List-Unsubscribe=One-Click` in either form encoding (RFC 8058 section 3.1), the page's first button sends
/// nothing, its second one `all=yes`; whoever left may send a `reason`. The answer is never a redirect, which mail programs would not follow.
pub(super) async fn unsubscribe(
    State(state): State<WebState>,
    Path(token): Path<String>,
    asked: Asked,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (config, templates) = (state.config.load(), state.templates.load());
    let audience = state.audience(&config, &templates);
    let sent = |name: &str| {
        form_urlencoded::parse(&body)
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    if sent("all") == "yes" {
        audience.leave_all(&token, "link").await?;
    } else {
        // Whether the link is known is not told.
        audience.leave_by(&token, "link").await?;
    }
    let reason = sent("reason");
    audience.say_why(&token, &reason).await?;
    let context = UnsubscribedPage {
        site: page::site(&config),
        language: asked.of_stranger(&templates, &config.site.language),
        newsletter: None,
        is_said: !reason.trim().is_empty(),
    };
    Ok(page::uncached(page::html(&state, "page/unsubscribed.html", &context)?))
}
