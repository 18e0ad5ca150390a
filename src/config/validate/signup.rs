//! `[signup]`, and what newsletters ask of those who sign up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use url::Url;

use super::politeness::parse_rate;
use super::site::{DAY, duration};
use super::{Context, secrets};
use crate::config::report::Problem;
use crate::config::{
    Captcha, DomainRules, FieldKind, FormField, Signup, SignupLimits, SignupQuestions, raw, values,
};
use crate::domain::Rate;

/// Lists of disposable domains have some ten thousand lines.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
const MOST_FIELDS: usize = 30;

pub(super) fn signup(raw: &raw::Signup, context: &mut Context<'_>) -> Option<Signup> {
    let origins: Vec<_> = raw
        .origins
        .iter()
        .enumerate()
        .map(|(index, text)| context.report.take(&format!("signup.origins.{index}"), origin(text)))
        .collect();
    let fastest = duration("signup.fastest", &raw.fastest, 0, 60, context);
    let good_for = duration("signup.good_for", &raw.good_for, 60, 30 * DAY, context);
    let limits = limits(raw, context);
    let domains = domains(raw, context);
    let resolver = raw.resolver.as_deref().map(|text| {
        let read = text.parse::<SocketAddr>().map_err(|_| {
            Problem::new(format!("`{text}` is no address with a port")).help("write `127.0.0.1:53`")
        });
        context.report.take("signup.resolver", read)
    });
    let captcha = captcha(&raw.captcha, context);
    Some(Signup {
        origins: origins.into_iter().collect::<Option<_>>()?,
        fastest: fastest?,
        good_for: good_for?,
        limits: limits?,
        challenge_above: raw.challenge_above,
        domains: domains?,
        check_mx: raw.check_mx,
        resolver: match resolver {
            Some(read) => Some(read?),
            None => None,
        },
        captcha: captcha.ok()?,
    })
}

fn limits(raw: &raw::Signup, context: &mut Context<'_>) -> Option<SignupLimits> {
    let mut rate = |key: &str, raw: &raw::Rate| -> Option<Rate> {
        context.report.take(&format!("signup.{key}"), parse_rate(&raw.0))
    };
    let address = rate("per_address", &raw.per_address);
    let visitor = rate("per_visitor", &raw.per_visitor);
    let network = rate("per_network", &raw.per_network);
    let domain = rate("per_domain", &raw.per_domain);
    let overall = rate("overall", &raw.overall);
    Some(SignupLimits {
        address: address?,
        visitor: visitor?,
        network: network?,
        domain: domain?,
        overall: overall?,
    })
}

/// A site, as browsers write it in `Origin`.
fn origin(text: &str) -> Result<String, Problem> {
    let refused = || {
        Problem::new(format!("`{text}` is no site"))
            .help("write `https://example.org`, without a path")
    };
    let url = Url::parse(text.trim()).map_err(|_| refused())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !is_bare || !matches!(url.scheme(), "https" | "http") || !url.username().is_empty() {
        return Err(refused());
    }
    Ok(url.origin().ascii_serialization())
}

fn domains(raw: &raw::Signup, context: &mut Context<'_>) -> Option<DomainRules> {
    let mut list = |key: &str, names: &[String]| -> Option<BTreeSet<String>> {
        let read: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                context.report.take(&format!("signup.{key}.{index}"), domain(name))
            })
            .collect();
        read.into_iter().collect()
    };
    let allowed = list("allowed_domains", &raw.allowed_domains);
    let blocked = list("blocked_domains", &raw.blocked_domains);
    let mut blocked = blocked?;
    if let Some(file) = &raw.blocked_domains_file {
        blocked.extend(domains_in(file, context)?);
    }
    Some(DomainRules { allowed: allowed?, blocked: Arc::new(blocked) })
}

fn domain(name: &str) -> Result<String, Problem> {
    let name = name.trim().trim_start_matches('@');
    idna::domain_to_ascii_strict(name)
        .ok()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Problem::new(format!("`{name}` is no domain")).help("write `example.org`"))
}

/// What stands in such files beside domains, if only by a slip, blocks nobody.
fn domains_in(file: &str, context: &mut Context<'_>) -> Option<Vec<String>> {
    const PATH: &str = "signup.blocked_domains_file";
    let on_disk = context.path(file);
    let size = fs::metadata(&on_disk).map(|found| found.len());
    let text = match size {
        Ok(size) if size > MOST_BYTES => {
            context.error(
                PATH,
                format!("`{file}` is too large to be a list of domains"),
                "one domain a line, 16 MB at most",
            );
            return None;
        }
        Ok(_) => fs::read_to_string(&on_disk),
        Err(error) => Err(error),
    };
    match text {
        Ok(text) => {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            Some(lines.filter_map(|line| domain(line).ok()).collect())
        }
        Err(error) => {
            let message = format!("cannot read the list of domains `{file}`: {error}");
            context.error(PATH, message, "write one domain a line, as UTF-8 text");
            None
        }
    }
}

fn captcha(raw: &raw::Captcha, context: &mut Context<'_>) -> Result<Option<Captcha>, ()> {
    let given = (raw.secret.as_deref(), raw.secret_file.as_deref());
    let secret = secrets::one_of("signup.captcha", "secret", given, context)?;
    let Some(kind) = raw.kind else { return Ok(None) };
    let site_key = raw.site_key.as_deref().map(str::trim).unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if site_key.is_empty() || !site_key.bytes().all(fits) {
        let help = "they give you one for your site: letters, digits, `-` and `_`";
        context.error("signup.captcha.site_key", "the site key is missing, or is none", help);
        return Err(());
    }
    let Some(secret) = secret else {
        context.report.missing(
            "signup.captcha",
            "secret_file",
            "put the secret key into a file and name it",
        );
        return Err(());
    };
    Ok(Some(Captcha { kind, site_key: site_key.to_owned(), secret }))
}

/// What the newsletter at `at` asks.
pub(super) fn questions(
    at: &str,
    raw: &raw::Newsletter,
    context: &mut Context<'_>,
) -> Option<SignupQuestions> {
    let fields = fields(&format!("{at}.fields"), &raw.fields, context)?;
    Some(SignupQuestions { double_opt_in: raw.double_opt_in, ask_name: raw.ask_name, fields })
}

fn fields(
    at: &str,
    raw: &BTreeMap<String, raw::FormField>,
    context: &mut Context<'_>,
) -> Option<Vec<FormField>> {
    if raw.len() > MOST_FIELDS {
        context.error(
            at,
            format!("these are more than {MOST_FIELDS} questions"),
            "nobody answers so many",
        );
        return None;
    }
    let read: Vec<_> =
        raw.iter().map(|(name, raw)| field(&format!("{at}.{name}"), name, raw, context)).collect();
    read.into_iter().collect()
}

fn field(
    at: &str,
    name: &str,
    raw: &raw::FormField,
    context: &mut Context<'_>,
) -> Option<FormField> {
    let named = context.report.take(at, values::name(name));
    let Some(title) = &raw.title else {
        context.report.missing(at, "title", "say what people are asked");
        return None;
    };
    let title = context.report.take(&format!("{at}.title"), values::line(title));
    let options: Vec<_> = raw
        .options
        .iter()
        .enumerate()
        .map(|(index, text)| {
            context.report.take(&format!("{at}.options.{index}"), values::line(text))
        })
        .collect();
    let options: Option<Vec<String>> = options.into_iter().collect();
    let is_choice = raw.kind == raw::FieldKind::Choice;
    if is_choice != (raw.options.len() >= 2) {
        let (message, help) = if is_choice {
            (
                "there is nothing to choose from",
                "name at least two: `options = [\"tea\", \"coffee\"]`",
            )
        } else {
            ("only a choice has several options", "write `type = \"choice\"`, or leave them out")
        };
        context.error(&format!("{at}.options"), message, help);
        return None;
    }
    let kind = match raw.kind {
        raw::FieldKind::Text => FieldKind::Text,
        raw::FieldKind::Number => FieldKind::Number,
        raw::FieldKind::Date => FieldKind::Date,
        raw::FieldKind::Checkbox => FieldKind::Checkbox,
        raw::FieldKind::Choice => FieldKind::Choice(options?),
    };
    named?;
    Some(FormField { name: name.to_owned(), title: title?, kind, required: raw.required })
}
