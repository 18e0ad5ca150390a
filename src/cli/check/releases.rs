//! Names in the configuration that mean something outside of it: posts and templates.

use crate::cli::words;
use crate::config::{Config, DestinationKind, Origins};
use crate::domain::{Catalog, Diagnostic};
use crate::template::Templates;

/// Releases and queues that name a post that is not there. It may be written later, so these are warnings.
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
    releases
        .chain(listed)
        .filter(|(_, name)| catalog.find(name).is_none())
        .map(|(key, name)| origins.point(&key, unknown_post(name, catalog)))
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
    Diagnostic::warning("unknown-post", format!("there is no post `{name}`"))
        .effect("nothing is released until there is one")
        .help(help)
}

/// Destinations whose own template is not there.
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
    problems
}
