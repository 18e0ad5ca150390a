//! Fitting: what of an edition is left out so that Gmail shows the rest, the unsubscribe link at its end above all.

use std::borrow::Cow;

use super::compose::{Composed, compose};
use super::prose;
use crate::content;
use crate::domain::Diagnostic;
use crate::template::{
    CorrectionContext, DigestContext, PostContext, SingleContext, Templates, truncate,
};

/// Bytes of HTML that Gmail shows for sure. Somewhat above it cuts the rest off.
pub(super) const MAX_HTML: usize = 100_000;
/// What a mail that is larger comes to, where nothing can be left out.
const CUT_OFF: &str = "Gmail cuts it off, and readers there don't see the unsubscribe link";
/// Characters of a summary in a digest that is too large with whole ones.
const SHORT_SUMMARY: usize = 140;
/// How often a post is cut again when the cut before was too generous.
const CUTS: usize = 6;

/// A post by itself: whole, else its beginning, else its summary.
pub(super) fn single(
    templates: &Templates,
    mut context: SingleContext,
    source: &str,
) -> Result<Composed, Diagnostic> {
    fitted(&mut context, source, |context| compose(templates, "mail/single", context))
}

/// The same of a post that was corrected, with what its author says to that.
pub(super) fn correction(
    templates: &Templates,
    mut context: SingleContext,
    (source, note): (&str, Option<&str>),
) -> Result<Composed, Diagnostic> {
    fitted(&mut context, source, |context| {
        let (single, note) = (context.clone(), note.map(str::to_owned));
        compose(templates, "mail/correction", &CorrectionContext { single, note })
    })
}

fn fitted(
    context: &mut SingleContext,
    source: &str,
    render: impl Fn(&SingleContext) -> Result<Composed, Diagnostic>,
) -> Result<Composed, Diagnostic> {
    let html = prose::for_mail(&context.post.html);
    // Colours are nice to have, but not at the price of words.
    if let Cow::Owned(coloured) = content::highlighted(&html)
        && coloured.len() <= MAX_HTML
    {
        let plain = std::mem::replace(&mut context.post.html, coloured);
        let composed = render(context)?;
        if composed.html.len() <= MAX_HTML {
            return Ok(composed);
        }
        context.post.html = plain;
    }
    let mut size = html.len();
    if size <= MAX_HTML {
        context.post.html.clone_from(&html);
        let composed = render(context)?;
        if composed.html.len() <= MAX_HTML {
            return Ok(composed);
        }
        size = composed.html.len();
    }
    let message = format!("the mail has {size} bytes; Gmail shows {MAX_HTML}");
    let warning = Diagnostic::warning("mail-too-large", message).in_file(source);
    context.whole = false;
    let mut limit = html.len() * MAX_HTML / size;
    for _ in 0..CUTS {
        let Some(opening) = content::opening(&html, limit) else { break };
        context.post.text = content::plain_text(&opening);
        context.post.html = opening;
        let mut composed = render(context)?;
        if composed.html.len() <= MAX_HTML {
            let effect = "readers get its beginning and a link to the rest";
            composed.warnings.push(warning.effect(effect));
            return Ok(composed);
        }
        // The frame and the styles count too, and how many of those there are depends on the elements.
        limit = limit.min(context.post.html.len()) * MAX_HTML / composed.html.len() * 19 / 20;
    }
    context.post.html.clear();
    context.post.text.clear();
    let mut composed = render(context)?;
    let effect = "readers get its summary and a link instead of the whole post";
    composed.warnings.push(warning.effect(effect));
    Ok(composed)
}

/// A mail that is not cut: what a template says by itself is its author's.
pub(super) fn warn_of_size(composed: &mut Composed, name: &str) {
    if composed.html.len() > MAX_HTML {
        let message = format!(
            "the welcome mail `{name}` has {} bytes; Gmail shows {MAX_HTML}",
            composed.html.len()
        );
        composed.warnings.push(Diagnostic::warning("mail-too-large", message).effect(CUT_OFF));
    }
}

/// Several posts: with their summaries, else with short ones, else as a list of titles. All of them are in it.
pub(super) fn digest(
    templates: &Templates,
    mut context: DigestContext,
) -> Result<Composed, Diagnostic> {
    context.posts.iter_mut().for_each(keep_what_mail_shows);
    let mut composed = compose(templates, "mail/digest", &context)?;
    if composed.html.len() <= MAX_HTML {
        return Ok(composed);
    }
    let message = format!(
        "the digest of `{}` has {} posts and {} bytes; Gmail shows {MAX_HTML}",
        context.frame.newsletter.name,
        context.posts.len(),
        composed.html.len()
    );
    let warning = Diagnostic::warning("mail-too-large", message)
        .help("shorter summaries, or a denser schedule");
    context.posts.iter_mut().for_each(shorten);
    composed = compose(templates, "mail/digest", &context)?;
    let mut effect = "summaries are cut short and pictures left out";
    if composed.html.len() > MAX_HTML {
        context.titles_only = true;
        composed = compose(templates, "mail/digest", &context)?;
        effect = "readers get the titles and links, without the summaries";
    }
    if composed.html.len() > MAX_HTML {
        effect = CUT_OFF;
    }
    composed.warnings.push(warning.effect(effect));
    Ok(composed)
}

/// Drawings are for the web: Gmail shows none.
fn keep_what_mail_shows(post: &mut PostContext) {
    let is_drawing = |image: &String| {
        let path = image.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('.').next().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
    };
    post.image = post.image.take().filter(|image| !is_drawing(image));
}

fn shorten(post: &mut PostContext) {
    post.summary = truncate(&post.summary, SHORT_SUMMARY);
    post.image = None;
}
