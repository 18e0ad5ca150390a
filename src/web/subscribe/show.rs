//! Laying the form out.

use axum::response::Response;

use super::Sent;
use crate::audience::{Audience, Mistake, Pass};
use crate::config::{Captcha, CaptchaKind, Config, FieldKind, FormField, Newsletter};
use crate::domain::{Cadence, SendTime};
use crate::template::{
    CadenceChoice, CaptchaContext, MistakeContext, QuestionContext, SubscribePage, Templates,
};
use crate::web::refusal::Refusal;
use crate::web::{WebState, page};

/// Names of texts.
pub(super) const AGAIN: &str = "subscribe-again";
pub(super) const WORK: &str = "subscribe-work";
pub(super) const CAPTCHA: &str = "subscribe-captcha";

/// What was sent and what came of it, when the form is shown again.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) sent: Sent,
    pub(super) mistakes: Vec<Mistake>,
    /// The name of a text.
    pub(super) notice: Option<&'static str>,
    /// In which the page is.
    pub(super) language: String,
}

/// The form, never kept anywhere: it says when it was handed out.
pub(super) fn page(
    state: &WebState,
    config: &Config,
    newsletter: &Newsletter,
    shown: &Shown,
) -> Result<Response, Refusal> {
    let templates = state.templates.load();
    let pass = state.audience(config, &templates).pass(&state.kept.signups);
    let challenge = pass.challenge.and_then(|challenge| serde_json::to_string(&challenge).ok());
    let answers = &shown.sent.answers;
    let told = |it: &Mistake| (it.field.clone(), it.wrong.told(&templates, &shown.language));
    let mistakes: Vec<_> = shown.mistakes.iter().map(told).collect();
    let context = SubscribePage {
        timezone: answers.timezone.clone(),
        name: answers.name.clone(),
        address: answers.address.clone(),
        errors: mistakes.iter().cloned().collect(),
        mistakes: mistakes.into_iter().map(|(field, text)| mistake(&field, text)).collect(),
        notice: shown.notice.map(|text| templates.text(&shown.language, text, &[])),
        stamp: pass.stamp,
        challenge,
        captcha: config.signup.captcha.as_ref().map(captcha),
        action: page::local(config, &format!("subscribe/{}", newsletter.name)),
        ..questions(&state.audience(config, &templates), newsletter, shown)
    };
    let page = page::form(state, "page/subscribe.html", &context, config.signup.captcha.as_ref())?;
    Ok(page::uncached(page))
}

/// The form for other sites. They are handed no stamp: theirs would be old.
pub(super) fn to_copy(state: &WebState, config: &Config, newsletter: &Newsletter) -> SubscribePage {
    let templates = state.templates.load();
    let audience = state.audience(config, &templates);
    let shown = Shown { language: newsletter.language.clone(), ..Shown::default() };
    SubscribePage {
        action: page::whole(config, &format!("/subscribe/{}", newsletter.name)),
        script: page::whole(config, "/embed.js"),
        ..questions(&audience, newsletter, &shown)
    }
}

/// What is asked, as it was answered.
fn questions(audience: &Audience<'_>, newsletter: &Newsletter, shown: &Shown) -> SubscribePage {
    let (answers, language) = (&shown.sent.answers, &shown.language);
    let [cadences, topics, languages] = choices(audience.templates, newsletter, shown);
    let has_digests = newsletter.zone().is_some();
    let error = |field: &FormField| {
        let name = format!("field.{}", field.name);
        let found = shown.mistakes.iter().find(|mistake| mistake.field == name);
        found.map(|mistake| mistake.wrong.told(audience.templates, language))
    };
    SubscribePage {
        site: page::site(audience.config),
        language: language.clone(),
        newsletter: page::newsletter(newsletter),
        cadences,
        topics,
        languages,
        send_times: if has_digests {
            send_times(audience.templates, language, &answers.send_time)
        } else {
            Vec::new()
        },
        house_zone: page::house_zone(audience.config, &newsletter.name),
        timezone: String::new(),
        ask_name: newsletter.questions.ask_name,
        name: String::new(),
        fields: newsletter
            .questions
            .fields
            .iter()
            .map(|field| question(field, answers.fields.get(&field.name), error(field)))
            .collect(),
        address: String::new(),
        errors: [].into(),
        mistakes: Vec::new(),
        notice: None,
        statement: audience.statement(newsletter, language),
        stamp: String::new(),
        challenge: None,
        wait_seconds: Pass::PATIENCE.as_secs(),
        captcha: None,
        action: String::new(),
        script: String::new(),
    }
}

/// Cadences, topics and languages.
fn choices(
    templates: &Templates,
    newsletter: &Newsletter,
    shown: &Shown,
) -> [Vec<CadenceChoice>; 3] {
    let answers = &shown.sent.answers;
    let label = |cadence| page::cadence_label(templates, &shown.language, cadence);
    let cadence = answers.cadence.parse().ok().filter(|it| newsletter.cadences.contains_key(it));
    let cadence: Cadence = cadence.unwrap_or(newsletter.default_cadence);
    let cadences = newsletter.cadences.keys();
    let topics = newsletter.topics.iter();
    let languages = newsletter.offered_languages();
    let wanted = |name: &String| answers.topics.contains(name);
    [
        cadences.map(|it| choice(it.to_string(), &label(*it), *it == cadence)).collect(),
        topics.map(|(name, it)| choice(name.clone(), &it.title, wanted(name))).collect(),
        languages.map(|it| choice(it.to_owned(), it, it == answers.language)).collect(),
    ]
}

fn question(field: &FormField, value: Option<&String>, error: Option<String>) -> QuestionContext {
    let (kind, options) = match &field.kind {
        FieldKind::Text => ("text", &[][..]),
        FieldKind::Number => ("number", &[][..]),
        FieldKind::Date => ("date", &[][..]),
        FieldKind::Checkbox => ("checkbox", &[][..]),
        FieldKind::Choice(options) => ("choice", options.as_slice()),
    };
    QuestionContext {
        name: field.name.clone(),
        title: field.title.clone(),
        kind: kind.to_owned(),
        options: options.to_vec(),
        required: field.required,
        value: value.cloned().unwrap_or_default(),
        error,
    }
}

fn mistake(field: &str, text: String) -> MistakeContext {
    let id = match field.strip_prefix("field.") {
        Some(own) => format!("field-{own}"),
        None => field.to_owned(),
    };
    MistakeContext { id, text }
}

fn captcha(captcha: &Captcha) -> CaptchaContext {
    let (script, class) = match captcha.kind {
        CaptchaKind::Hcaptcha => ("https://js.hcaptcha.com/1/api.js", "h-captcha"),
        CaptchaKind::Turnstile => {
            ("https://challenges.cloudflare.com/turnstile/v0/api.js", "cf-turnstile")
        }
    };
    CaptchaContext {
        script: script.to_owned(),
        class: class.to_owned(),
        site_key: captcha.site_key.clone(),
    }
}

fn send_times(templates: &Templates, language: &str, chosen: &str) -> Vec<CadenceChoice> {
    let everybodys = templates.text(language, "subscribe-everybodys-time", &[]);
    let everybodys = choice(String::new(), &everybodys, chosen.is_empty());
    let hour = |time: SendTime| {
        let text = time.to_string();
        choice(text.clone(), &text, text == chosen)
    };
    std::iter::once(everybodys).chain(SendTime::ALL.into_iter().map(hour)).collect()
}

fn choice(value: String, label: &str, checked: bool) -> CadenceChoice {
    CadenceChoice { value, label: label.to_owned(), checked }
}
