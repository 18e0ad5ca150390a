//! Names in the configuration that mean something outside of it: posts and templates.

use crate::cli::words;
use crate::config::{Config, DestinationKind, Origins, WelcomeMail};
use crate::domain::{Catalog, Diagnostic};
use crate::template::Templates;

/// Releases, queues and welcome mails that name a post that is not there. It may be written later, so these are warnings.
pub(super) fn unknown_posts(
    config: &Config,
    origins: &Origins,
    catalog: &Catalog,
) -> Vec<Diagnostic> {
    let releases = config.releases.releases.iter().enumerate();
    let releases =
        releases.map(|(index, release)| (format!("releases.release.{index}.post"), &release.post));
    let listed = config.releases.queues.iter().enumerate().flat_map(|(queue, row)| {
        let posts = row.posts.names().iter().enumerate();
        posts.map(move |(index, post)| (format!("releases.queue.{queue}.posts.{index}"), post))
    });
    let later = "this welcome mail waits until there is one, and those after it";
    let welcomes = config.newsletters.values().flat_map(|newsletter| {
        newsletter.welcome.iter().enumerate().filter_map(move |(index, step)| {
            let WelcomeMail::Post(post) = &step.mail else { return None };
            Some((format!("newsletters.{}.welcome.{index}.post", newsletter.name), post))
        })
    });
    let until_then = "nothing is released until there is one";
    let named = releases.chain(listed).map(|(key, name)| (key, name, until_then));
    named
        .chain(welcomes.map(|(key, name)| (key, name, later)))
        .filter(|(_, name, _)| catalog.find(name).is_none())
        .map(|(key, name, effect)| origins.point(&key, unknown_post(name, catalog).effect(effect)))
        .collect()
}

fn unknown_post(name: &str, catalog: &Catalog) -> Diagnostic {
    let known = catalog.posts.iter().flat_map(|known| {
        let post = &known.post;
        [post.slug.as_str(), post.source.as_str()]
    });
    let help = match words::nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "slugs, source paths and ids are names of posts; drafts and broken files have none"
            .to_owned(),
    };
    Diagnostic::warning("unknown-post", format!("there is no post `{name}`")).help(help)
}

/// Destinations and welcome mails whose own template is not there.
pub(super) fn unknown_templates(
    config: &Config,
    origins: &Origins,
    templates: &Templates,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for destination in config.destinations.values() {
        let DestinationKind::Webhook(webhook) = &destination.kind;
        let Some(name) = &webhook.template else { continue };
        if !templates.has(&format!("crosspost/{name}.json")) {
            let problem =
                Diagnostic::error("unknown-template", format!("there is no template `{name}`"))
                    .effect("nothing can be announced there")
                    .help(format!("write `templates/crosspost/{name}.json`"));
            let key = format!("destinations.{}.template", destination.name);
            problems.push(origins.point(&key, problem));
        }
    }
    for newsletter in config.newsletters.values() {
        for (index, step) in newsletter.welcome.iter().enumerate() {
            let WelcomeMail::Template(name) = &step.mail else { continue };
            let parts = ["subject.txt", "body.html", "body.txt"];
            let parts = parts.map(|part| format!("mail/welcome/{name}/{part}"));
            let Some(missing) = parts.iter().find(|part| !templates.has(part)) else { continue };
            let message = format!("there is no template `{missing}`");
            let problem = Diagnostic::error("unknown-template", message)
                .effect("this welcome mail waits, and those after it")
                .help(format!("write `templates/{missing}`; `hello` is there"));
            let key = format!("newsletters.{}.welcome.{index}.template", newsletter.name);
            problems.push(origins.point(&key, problem));
        }
    }
    problems
}
