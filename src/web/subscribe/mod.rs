//! The form that anybody may fill in, and may put on a site of their own: it needs no script, no cookie and no login.

mod api;
mod form;
mod show;

use std::net::IpAddr;

use axum::http::StatusCode;
use jiff::SignedDuration;

use super::WebState;
use super::refusal::Refusal;
use crate::audience::{Admission, Answers, Knock, Mistake, Origin, Turned};
use crate::config::{Config, Newsletter};
use crate::crosspost;

pub(super) use api::{hand_out, preflight, sign_up};
pub(super) use form::{done, embed, form, script, subscribe};

/// What a form sends, in whatever way.
#[derive(Default)]
struct Sent {
    answers: Answers,
    /// The bait: people don't see this field and leave it empty.
    website: String,
    stamp: String,
    work: String,
    /// What the browser got for solving somebody else's captcha.
    captcha: String,
}

/// From whom, and from where.
struct Sender<'a> {
    visitor: IpAddr,
    /// Which page, or which site.
    form: &'a str,
    /// Whether it was written by hand, on a site of ours.
    by_hand: bool,
    /// In which they read what they agreed to.
    language: String,
}

/// Why a sign-up goes no further.
enum Stopped {
    Mistakes(Vec<Mistake>),
    Again,
    Work,
    Captcha,
    Later(SignedDuration),
    Failed(Refusal),
}

/// Signs up whoever may. `Ok` says nothing about the address.
async fn attempt(
    state: &WebState,
    config: &Config,
    (newsletter, sent): (&Newsletter, &Sent),
    sender: &Sender<'_>,
) -> Result<(), Stopped> {
    if !sent.website.is_empty() {
        return Ok(());
    }
    // Before it counts: whoever mistypes must be able to try again. What others are asked below counts.
    let wish = sent.answers.read(newsletter, &config.signup.domains).map_err(Stopped::Mistakes)?;
    let knock = Knock {
        address: &wish.address,
        visitor: sender.visitor,
        stamp: &sent.stamp,
        work: &sent.work,
        by_hand: sender.by_hand,
    };
    let templates = state.templates.load();
    let audience = state.audience(config, &templates);
    audience.check(&state.kept.signups, &knock)?;
    // Before we ask somebody else about them.
    audience.admit(&state.kept.signups, &knock)?;
    if let Some(captcha) = &config.signup.captcha {
        match crosspost::is_solved(captcha, &sent.captcha).await {
            Ok(true) => {}
            Ok(false) => return Err(Stopped::Captcha),
            Err(error) => {
                tracing::error!(error, "nobody said whether a captcha was solved");
                return Err(Stopped::Failed(Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "refusal-away",
                )));
            }
        }
    }
    let takes_mail = state.kept.mail_domains.check(&config.signup, &wish.address).await;
    takes_mail.map_err(|mistake| Stopped::Mistakes(vec![mistake]))?;
    // After the captcha: one that fails must not use up the mails that an address may get.
    if audience.admit_address(&state.kept.signups, &wish.address) == Admission::Quiet {
        return Ok(());
    }
    let origin = Origin { visitor: sender.visitor, form: sender.form, language: &sender.language };
    let subscribed = audience.subscribe(newsletter, &wish, origin).await;
    subscribed.map_err(|error| Stopped::Failed(error.into()))?;
    if !newsletter.questions.double_opt_in {
        state.wake_for_welcome(Some(newsletter));
    }
    Ok(())
}

impl From<Turned> for Stopped {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Again => Self::Again,
            Turned::Work => Self::Work,
            Turned::Later(wait) => Self::Later(wait),
        }
    }
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a Newsletter, Refusal> {
    config.newsletters.get(name).ok_or_else(Refusal::not_found)
}
