//! The form that anybody may fill in, and may put on a site of their own: it needs no script, no cookie and no token.

use std::net::{IpAddr, Ipv4Addr};

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, LOCATION};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::language::Asked;
use super::refusal::Refusal;
use super::serve::Peer;
use super::{WebState, page};
use crate::audience::{AudienceError, SignupForm};
use crate::config::{Config, Newsletter};
use crate::domain::{Cadence, EmailAddress};
use crate::template::{CadenceChoice, SubscribeDonePage, SubscribePage};

/// What the form sends. All of it may be missing: forms on other sites are written by hand.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    address: String,
    cadence: String,
    /// The bait: people don't see this field and leave it empty.
    website: String,
}

/// `GET /subscribe/{newsletter}`.
pub(super) async fn form(
    State(state): State<WebState>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    show(&state, (&config, &asked), find(&config, &name)?, &Fields::default(), None)
}

/// `POST /subscribe/{newsletter}`. Every address that could be one gets the same answer.
pub(super) async fn subscribe(
    State(state): State<WebState>,
    Path(name): Path<String>,
    parts: Parts,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Response, Refusal> {
    let asked = Asked::of(&parts.uri, parts.headers.get(ACCEPT_LANGUAGE));
    let config = state.config.load();
    let newsletter = find(&config, &name)?;
    let Form(fields) = form?;
    let done = asked.carried(page::local(&config, &format!("subscribe/{name}/done")));
    let done = (StatusCode::SEE_OTHER, [(LOCATION, done)]).into_response();
    if !fields.website.is_empty() {
        return Ok(done);
    }
    // Before it counts: whoever mistypes must be able to try again.
    if let Err(error) = fields.address.parse::<EmailAddress>() {
        return refuse(&state, (&config, &asked), newsletter, &fields, &error.into());
    }
    let visitor = visitor(&parts.headers, &parts.extensions);
    state.kept.signups.admit(visitor, state.clock.now()).map_err(Refusal::too_often)?;
    let templates = state.templates.load();
    let wish = SignupForm {
        newsletter: &name,
        address: &fields.address,
        cadence: Some(fields.cadence.as_str()),
    };
    match state.audience(&config, &templates).subscribe(wish).await {
        Ok(()) => Ok(done),
        Err(AudienceError::Store(error)) => Err(error.into()),
        Err(AudienceError::Letter(problem)) => Err((*problem).into()),
        Err(error) => refuse(&state, (&config, &asked), newsletter, &fields, &error),
    }
}

/// `GET /subscribe/{newsletter}/done`: what follows the form, so that going back or reloading sends nothing again.
pub(super) async fn done(
    State(state): State<WebState>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let newsletter = find(&config, &name)?;
    let context = SubscribeDonePage {
        site: page::site(&config),
        language: asked.of_stranger(&state.templates.load(), &newsletter.language),
        newsletter: page::newsletter(newsletter),
    };
    page::html(&state, "page/subscribe-done.html", &context)
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a Newsletter, Refusal> {
    config.newsletters.get(name).ok_or_else(Refusal::not_found)
}

/// The form again, with what was typed and what is wrong with it.
fn refuse(
    state: &WebState,
    (config, asked): (&Config, &Asked),
    newsletter: &Newsletter,
    fields: &Fields,
    error: &AudienceError,
) -> Result<Response, Refusal> {
    let language = asked.of_stranger(&state.templates.load(), &newsletter.language);
    let error = match error {
        AudienceError::Address(error) => {
            page::address_error(&state.templates.load(), &language, error)
        }
        error => page::sentence(&error.to_string()),
    };
    let page = show(state, (config, asked), newsletter, fields, Some(error))?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

fn show(
    state: &WebState,
    (config, asked): (&Config, &Asked),
    newsletter: &Newsletter,
    fields: &Fields,
    error: Option<String>,
) -> Result<Response, Refusal> {
    let chosen = fields
        .cadence
        .parse()
        .ok()
        .filter(|cadence| newsletter.cadences.contains_key(cadence))
        .unwrap_or(newsletter.default_cadence);
    let templates = state.templates.load();
    let language = asked.of_stranger(&templates, &newsletter.language);
    let choice = |cadence: &Cadence| CadenceChoice {
        value: cadence.to_string(),
        label: page::cadence_label(&templates, &language, *cadence),
        checked: *cadence == chosen,
    };
    let context = SubscribePage {
        site: page::site(config),
        newsletter: page::newsletter(newsletter),
        cadences: newsletter.cadences.keys().map(choice).collect(),
        language: language.clone(),
        address: fields.address.clone(),
        error,
        action: asked.carried(page::local(config, &format!("subscribe/{}", newsletter.name))),
    };
    page::html(state, "page/subscribe.html", &context)
}

fn visitor(headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    let peer = peer(extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    known_visitor(headers, extensions).unwrap_or(peer)
}

/// Who is asking. A proxy on this machine or in our own network says for whom it asks; from anybody else the same header
/// would be a way around limits. None: a neighbour, or a proxy that does not say.
pub(super) fn known_visitor(headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
    let peer = peer(extensions)?;
    if !is_ours(peer) {
        return Some(peer);
    }
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    line.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(address))| address.ip())
}

fn is_ours(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let seen = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(Peer(peer.parse::<SocketAddr>().unwrap())));
            visitor(&headers, &extensions).to_string()
        };
        assert_eq!(seen("127.0.0.1:9", "203.0.113.9, 198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("172.18.0.2:9", "198.51.100.7"), "198.51.100.7");
        assert_eq!(seen("[::1]:9", "nonsense"), "::1");
        assert_eq!(seen("203.0.113.9:9", "198.51.100.7"), "203.0.113.9");
    }
}
