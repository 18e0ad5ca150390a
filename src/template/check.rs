//! `check_all`: every template with every sample of its context.

use super::{Templates, context, report};
use crate::domain::Diagnostic;

pub(super) fn all(templates: &Templates) -> Vec<Diagnostic> {
    let families = context::families();
    let mut found: Vec<Diagnostic> = Vec::new();
    for name in templates.0.files.keys() {
        let Some(family) = families.iter().find(|family| family.claims(name)) else {
            found.extend(unused(templates, name));
            continue;
        };
        // One slip shows in most samples; it is reported once.
        for (sample, value) in &family.samples {
            let Err(problem) = templates.render_value(name, value) else { continue };
            let same = |other: &Diagnostic| {
                (&other.file, other.position, &other.code)
                    == (&problem.file, problem.position, &problem.code)
            };
            if !found.iter().any(same) {
                let message = format!("{} (with the sample `{sample}`)", problem.message);
                found.push(Diagnostic { message, ..problem });
            }
        }
    }
    found.extend(templates.0.texts.check(|key| {
        let quoted = [format!("\"{key}\""), format!("'{key}'")];
        let environment = &templates.0.environment;
        environment
            .templates()
            .any(|(_, template)| quoted.iter().any(|key| template.source().contains(key)))
    }));
    found
}

/// A template that is no context's and that no other one mentions: a misspelt override has no effect, silently.
fn unused(templates: &Templates, name: &str) -> Option<Diagnostic> {
    let environment = &templates.0.environment;
    let mentioned = environment.templates().any(|(_, other)| {
        other.source().contains(&format!("\"{name}\""))
            || other.source().contains(&format!("'{name}'"))
    });
    if mentioned {
        return None;
    }
    let found = Diagnostic::warning("template-unused", format!("nothing uses `{name}`"))
        .in_file(templates.file(name))
        .effect("the file has no effect");
    let known = templates.0.files.keys().map(String::as_str).filter(|known| *known != name);
    Some(match report::nearest(name, known) {
        Some(help) => found.help(help),
        None => found,
    })
}
