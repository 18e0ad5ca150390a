//! The form as a page, and as HTML to copy.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::show::{self, Shown};
use super::{Sender, Sent, Stopped, attempt, find};
use crate::template::{SubscribeDonePage, SubscribeEmbedPage};
use crate::web::language::Asked;
use crate::web::refusal::Refusal;
use crate::web::visitor::{self, visitor};
use crate::web::{WebState, page};

/// Keeps visitors of other sites on their page, and does what is asked while many sign up.
const SCRIPT: &str = include_str!("../../../templates/page/subscribe-script.html");

/// `GET /subscribe/{newsletter}`.
pub(in crate::web) async fn form(
    State(state): State<WebState>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let newsletter = find(&config, &name)?;
    let language = asked.of_stranger(&state.templates.load(), &newsletter.language);
    show::page(&state, &config, newsletter, &Shown { language, ..Shown::default() })
}

/// `POST /subscribe/{newsletter}`. Every address that could be one gets the same answer.
pub(in crate::web) async fn subscribe(
    State(state): State<WebState>,
    Path(name): Path<String>,
    parts: Parts,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let newsletter = find(&config, &name)?;
    let Form(fields) = form?;
    let sent = sent(fields);
    let own = format!("/subscribe/{name}");
    let Parts { uri, headers, extensions, .. } = parts;
    let asked = Asked::of(&uri, headers.get(ACCEPT_LANGUAGE));
    let site = visitor::Sender::of(&headers, &config);
    let language = asked.of_stranger(&state.templates.load(), &newsletter.language);
    let sender = Sender {
        // On other sites stands what was copied: it is in the newsletter's.
        language: match &site {
            visitor::Sender::Known(_) => newsletter.language.clone(),
            _ => language.clone(),
        },
        visitor: visitor(&headers, &extensions),
        form: if let visitor::Sender::Known(origin) = &site { origin } else { &own },
        by_hand: matches!(site, visitor::Sender::Known(_)),
    };
    let outcome = match site {
        // A page that is none of ours sent it, perhaps without its visitor: they press the button here.
        visitor::Sender::Foreign => Err(Stopped::Again),
        _ => attempt(&state, &config, (newsletter, &sent), &sender).await,
    };
    let (mistakes, notice) = match outcome {
        Ok(()) => {
            let done = asked.carried(page::local(&config, &format!("subscribe/{name}/done")));
            return Ok((StatusCode::SEE_OTHER, [(LOCATION, done)]).into_response());
        }
        Err(Stopped::Later(wait)) => return Err(Refusal::too_often(wait)),
        Err(Stopped::Failed(refusal)) => return Err(refusal),
        Err(Stopped::Mistakes(mistakes)) => (mistakes, None),
        Err(Stopped::Again) => (Vec::new(), Some(show::AGAIN)),
        Err(Stopped::Work) => (Vec::new(), Some(show::WORK)),
        Err(Stopped::Captcha) => (Vec::new(), Some(show::CAPTCHA)),
    };
    let shown = Shown { sent, mistakes, notice, language };
    let page = show::page(&state, &config, newsletter, &shown)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// What came, by name. What nobody asked for is not looked at.
fn sent(fields: Vec<(String, String)>) -> Sent {
    let mut sent = Sent::default();
    for (name, value) in fields {
        let place = match name.as_str() {
            "address" => &mut sent.answers.address,
            "name" => &mut sent.answers.name,
            "cadence" => &mut sent.answers.cadence,
            "language" => &mut sent.answers.language,
            "timezone" => &mut sent.answers.timezone,
            "send_time" => &mut sent.answers.send_time,
            "website" => &mut sent.website,
            "stamp" => &mut sent.stamp,
            "work" => &mut sent.work,
            "h-captcha-response" | "cf-turnstile-response" => &mut sent.captcha,
            "topics" => {
                sent.answers.topics.push(value);
                continue;
            }
            _ => {
                if let Some(own) = name.strip_prefix("field.") {
                    sent.answers.fields.insert(own.to_owned(), value);
                }
                continue;
            }
        };
        *place = value;
    }
    sent
}

/// `GET /subscribe/{newsletter}/done`: what follows the form, so that going back or reloading sends nothing again.
pub(in crate::web) async fn done(
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
        double_opt_in: newsletter.questions.double_opt_in,
    };
    page::html(&state, "page/subscribe-done.html", &context)
}

/// `GET /subscribe/{newsletter}/embed`: the form as HTML, to copy.
pub(in crate::web) async fn embed(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let config = state.config.load();
    let newsletter = find(&config, &name)?;
    let form = show::to_copy(&state, &config, newsletter);
    let snippet = state.templates.load().render("page/embed-form.html", &form)?;
    let context = SubscribeEmbedPage {
        site: page::site(&config),
        // Who reads it is no reader: it is in English, as the operator's other pages.
        language: "en".to_owned(),
        newsletter: page::newsletter(newsletter),
        snippet,
    };
    page::html(&state, "page/subscribe-embed.html", &context)
}

/// `GET /embed.js`.
pub(in crate::web) async fn script() -> Response {
    let headers =
        [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, SCRIPT).into_response()
}
