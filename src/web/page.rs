//! Laying out pages: a template, its data, and the policy under which browsers show it.

use aws_lc_rs::digest;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::WebState;
use super::outbox::outboxes;
use super::refusal::Refusal;
use crate::config::{Captcha, CaptchaKind, Config, Newsletter};
use crate::domain::Cadence;
use crate::template::{Context, Link, NewsletterContext, SiteContext, Templates};

/// Renders the page `template` with `context`.
pub(super) fn html<C: Context>(
    state: &WebState,
    template: &str,
    context: &C,
) -> Result<Response, Refusal> {
    let text = state.templates.load().render(template, context)?;
    let policy = policy(&text);
    let mut response = Html(text).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Renders the page of a form: the one script in its head runs, known by its hash, and may talk to us.
pub(super) fn form<C: Context>(
    state: &WebState,
    template: &str,
    context: &C,
    captcha: Option<&Captcha>,
) -> Result<Response, Refusal> {
    let text = state.templates.load().render(template, context)?;
    let policy = form_policy(&text, captcha);
    let mut response = Html(text).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Keeps an answer out of every cache: its path is a key, or it is old in a moment.
pub(super) fn uncached(response: Response) -> Response {
    ([(CACHE_CONTROL, "no-store")], response).into_response()
}

/// No scripts, nothing from elsewhere, nobody's frame. The one stylesheet that runs is the one in the page's head, known by its
/// hash: whatever a post or a visitor got into the body cannot add another.
fn policy(page: &str) -> HeaderValue {
    policy_with(page, "img-src 'self' data:; form-action 'self'; frame-src 'self'")
}

/// The same for pages that show what an author wrote: pictures, recordings, videos and styles of single elements from
/// wherever they are. Still no scripts.
pub(super) fn archive_policy(page: &str) -> HeaderValue {
    let sources = "style-src-attr 'unsafe-inline'; img-src 'self' data: https: http:; media-src 'self' https: http:; \
                   frame-src https:; form-action 'self'";
    policy_with(page, sources)
}

/// As for all pages, and the one script in the page's head. Somebody else's captcha brings its own.
fn form_policy(page: &str, captcha: Option<&Captcha>) -> HeaderValue {
    let script = in_head(page, "script").map(hash).unwrap_or_default();
    let theirs = match captcha.map(|captcha| captcha.kind) {
        Some(CaptchaKind::Hcaptcha) => "https://hcaptcha.com https://*.hcaptcha.com",
        Some(CaptchaKind::Turnstile) => "https://challenges.cloudflare.com",
        None => "",
    };
    let sources = format!(
        "script-src {script} {theirs}; connect-src 'self' {theirs}; img-src 'self' data:; form-action 'self'; \
         frame-src 'self' {theirs}"
    );
    policy_with(page, &sources)
}

fn policy_with(page: &str, sources: &str) -> HeaderValue {
    let style = in_head(page, "style").map_or_else(|| "'none'".to_owned(), hash);
    let policy = format!(
        "default-src 'none'; style-src {style}; {sources}; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and words are ASCII")
}

fn hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
}

/// What the first element `name` in the page's head holds.
fn in_head<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let (head, _) = page.split_once("</head>")?;
    let (_, rest) = head.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// A link to one of our own pages: without host, so that it works under every name that leads here, and below
/// the path of the public URL.
pub(super) fn local(config: &Config, path: &str) -> String {
    format!("{}{path}", config.server.public_url.path())
}

/// The whole address of one of our own pages. `path` begins with `/`.
pub(super) fn whole(config: &Config, path: &str) -> String {
    format!("{}{}", config.server.public_url, path.trim_start_matches('/'))
}

/// The path of `url` as requests to us have it, if it leads here.
pub(super) fn path_here(config: &Config, url: &Url) -> Option<String> {
    below(&config.server.public_url, url).map(|rest| format!("/{rest}"))
}

/// The path of `url` below that of `base`, which ends with `/`. None: it is of another site, if only by its scheme or port.
pub(super) fn below<'u>(base: &Url, url: &'u Url) -> Option<&'u str> {
    let is_there = url.scheme() == base.scheme()
        && url.host() == base.host()
        && url.port_or_known_default() == base.port_or_known_default();
    is_there.then(|| url.path().strip_prefix(base.path())).flatten()
}

pub(super) fn site(config: &Config) -> SiteContext {
    SiteContext {
        title: config.site.title.clone(),
        description: config.site.description.clone(),
        url: config.site.url.to_string(),
        language: config.site.language.clone(),
    }
}

pub(super) fn newsletter(newsletter: &Newsletter) -> NewsletterContext {
    NewsletterContext {
        name: newsletter.name.clone(),
        title: newsletter.title.clone(),
        description: newsletter.description.clone(),
    }
}

/// The newsletter `name` as a page shows it, even when it has gone from the configuration since.
pub(super) fn newsletter_named(config: &Config, name: &str) -> NewsletterContext {
    config.newsletters.get(name).map_or_else(
        || NewsletterContext {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
        },
        newsletter,
    )
}

/// The language of the newsletter `name`, else of the site.
pub(super) fn house_language<'a>(config: &'a Config, name: &str) -> &'a str {
    config.newsletters.get(name).map_or(&config.site.language, |newsletter| &newsletter.language)
}

/// The name of the zone by whose clock the newsletter `name` comes to those who chose none.
pub(super) fn house_zone(config: &Config, name: &str) -> String {
    config.house_zone(name).iana_name().unwrap_or("UTC").to_owned()
}

/// What a cadence is called in forms.
pub(super) fn cadence_label(templates: &Templates, language: &str, cadence: Cadence) -> String {
    templates.text(language, &format!("cadence-{cadence}"), &[])
}

/// What the operator's pages link to. `current` is the title of the page that is shown.
pub(super) fn navigation(config: &Config, current: &str) -> Vec<Link> {
    let mut pages = vec![("Start", ""), ("Status", "status")];
    if !outboxes(config).is_empty() {
        pages.push(("Outbox", "outbox"));
    }
    let link = |(title, path): (&str, &str)| Link {
        title: title.to_owned(),
        url: local(config, path),
        current: title == current,
    };
    pages.into_iter().map(link).collect()
}

/// A clause of ours as a sentence for visitors: capital, full stop, no backticks.
pub(super) fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let text = format!("{first}{}", chars.as_str()).replace('`', "\"");
    if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stylesheet_in_the_head_is_let_through() {
        let page = "<head><style>a{}</style></head><body><style>b{}</style></body>";
        assert_eq!(in_head(page, "style"), Some("a{}"));
        let policy = policy(page);
        let policy = policy.to_str().unwrap();
        // printf 'a{}' | openssl dgst -sha256 -binary | base64
        assert!(
            policy.contains("'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"),
            "{policy}"
        );
        assert!(in_head("<body><style>b{}</style></body>", "style").is_none());
    }

    #[test]
    fn clauses_become_sentences() {
        assert_eq!(sentence("`x` is no domain"), "\"x\" is no domain.");
        assert_eq!(sentence("an address has one `@`"), "An address has one \"@\".");
    }
}
