//! Composing: the words of a mail, the same for every recipient except for one hole.

use std::fmt;
use std::iter;
use std::sync::LazyLock;

use css_inline::CSSInliner;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::images::InlineImage;
use super::{fit, unsubscribe_base};
use crate::config::{Newsletter, Site};
use crate::domain::{Cadence, Correction, Diagnostic, Post, Revision, Written};
use crate::template::{
    AddressContext, ConfirmContext, Context, DigestContext, EditionFrame, LetterFrame,
    MovedContext, NewsletterContext, PostContext, SingleContext, SiteContext, Templates,
    WelcomeContext, truncate,
};

/// Characters of a subject; readers show far fewer.
const MAX_SUBJECT: usize = 200;
/// Characters of the text beside the subject; readers show 40 to 140.
const MAX_PREHEADER: usize = 140;

/// Builds the mails' CSS into their elements. It never loads anything.
static INLINER: LazyLock<CSSInliner<'static>> =
    LazyLock::new(|| CSSInliner::options().load_remote_stylesheets(false).minify_css(true).build());

/// What an edition is made of.
#[derive(Clone, Copy, Debug)]
pub struct EditionInput<'a> {
    pub site: &'a Site,
    pub newsletter: &'a Newsletter,
    pub cadence: Cadence,
    /// BCP 47 tag of its readers' language; the newsletter's when left out.
    pub language: Option<&'a str>,
    /// In any order: readers see the newest first. Without any there is only `compose_welcome`.
    pub posts: &'a [Written],
    /// Where readers reach Postrider's pages; ends with `/`.
    pub public_url: &'a Url,
    pub postal_address: &'a str,
    /// Where a mail with one post leads who would rather read it in a browser.
    pub page_url: Option<&'a str>,
    pub sealed_at: Timestamp,
}

/// What a confirmation is made of. Nothing in it was written by the visitor who asked.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmationInput<'a> {
    pub site: &'a Site,
    pub newsletter: &'a Newsletter,
    /// BCP 47 tag of the reader's language; the newsletter's when left out.
    pub language: Option<&'a str>,
    /// The page with the button, token and all.
    pub confirm_url: &'a str,
    pub postal_address: &'a str,
}

/// A composed mail, as it is frozen in the database. `Debug` hides the bodies: a confirmation's hold a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Composed {
    /// One line, at most 200 characters.
    pub subject: String,
    /// The whole document. Lines end with `\n`.
    pub html: String,
    /// Lines end with `\n`.
    pub text: String,
    /// The 43 characters that stand for the recipient's token in both bodies; none in a mail to one person.
    pub hole: Option<String>,
    /// Images that travel with it; the HTML names them as `cid:`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<InlineImage>,
    /// What the author or operator should know about it. Not kept.
    #[serde(skip)]
    pub warnings: Vec<Diagnostic>,
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composed")
            .field("subject", &self.subject)
            .field("html_bytes", &self.html.len())
            .field("text_bytes", &self.text.len())
            .field("images", &self.images.len())
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Renders an edition: one post of the `instant` cadence with `mail/single/`, everything else with `mail/digest/`.
///
/// What is too large for mail is cut where that hurts least, with links to the rest; see `fit`. Fails where a template fails, or without posts.
pub fn compose_edition(
    templates: &Templates,
    input: &EditionInput<'_>,
) -> Result<Composed, Diagnostic> {
    if input.posts.is_empty() {
        return Err(Diagnostic::error("edition-empty", "an edition needs at least one post"));
    }
    let mut newest_first: Vec<&Written> = input.posts.iter().collect();
    newest_first.sort_by(|a, b| Post::newest_first(&a.post, &b.post));
    let hole = hole_for(input, None);
    let frame = frame(templates, input, &newest_first, &hole);
    let context = |written: &&Written| PostContext::of(written, &input.site.time_zone);
    let mut composed = match newest_first[..] {
        [written] if input.cadence == Cadence::Instant => {
            let page_url = input.page_url.map(str::to_owned);
            let post = context(&written);
            let context = SingleContext { frame, post, page_url, whole: true };
            let mut composed = fit::single(templates, context, &written.post.source)?;
            if let Some(subject) = &written.post.wishes().subject {
                composed.subject = clean_line(subject);
            }
            composed
        }
        _ => {
            let posts = newest_first.iter().map(context).collect();
            fit::digest(templates, DigestContext { frame, posts, titles_only: false })?
        }
    };
    composed.hole = Some(hole);
    Ok(with_subject(composed, input.newsletter))
}

/// No mail goes out without one.
fn with_subject(mut composed: Composed, newsletter: &Newsletter) -> Composed {
    if composed.subject.is_empty() {
        composed.subject = clean_line(&newsletter.title);
        composed.warnings.push(
            Diagnostic::warning("mail-no-subject", "the template made an empty subject")
                .effect("the newsletter's title stands in for it"),
        );
    }
    composed
}

/// Renders the mail that tells of a corrected post: the only one of `input`.
pub fn compose_correction(
    templates: &Templates,
    input: &EditionInput<'_>,
    correction: &Correction,
) -> Result<Composed, Diagnostic> {
    let [written] = input.posts else {
        return Err(Diagnostic::error("edition-empty", "a correction is of one post"));
    };
    let hole = hole_for(input, correction.note.as_deref());
    let frame = frame(templates, input, &[written], &hole);
    let post = PostContext::of(written, &input.site.time_zone);
    let page_url = input.page_url.map(str::to_owned);
    let context = SingleContext { frame, post, page_url, whole: true };
    let said = (written.post.source.as_str(), correction.note.as_deref());
    let mut composed = fit::correction(templates, context, said)?;
    composed.hole = Some(hole);
    Ok(composed)
}

/// Renders a mail to newcomers that is no post, with `mail/welcome/NAME/`. The `input` has none.
pub fn compose_welcome(
    templates: &Templates,
    input: &EditionInput<'_>,
    name: &str,
) -> Result<Composed, Diagnostic> {
    let hole = hole_for(input, Some(name));
    let frame = frame(templates, input, &[], &hole);
    let mut composed =
        compose(templates, &format!("mail/welcome/{name}"), &WelcomeContext { frame })?;
    fit::warn_of_size(&mut composed, name);
    composed.hole = Some(hole);
    Ok(with_subject(composed, input.newsletter))
}

/// Renders the mail that asks whether an address wants the newsletter.
pub fn compose_confirmation(
    templates: &Templates,
    input: &ConfirmationInput<'_>,
) -> Result<Composed, Diagnostic> {
    let context = ConfirmContext {
        site: site_context(input.site),
        newsletter: newsletter_context(input.newsletter),
        language: own_words(templates, input.language, input.newsletter),
        confirm_url: input.confirm_url.to_owned(),
        home_url: input.site.url.to_string(),
        postal_address: input.postal_address.to_owned(),
    };
    compose(templates, "mail/confirm", &context)
}

/// What a mail about another address is made of.
#[derive(Clone, Copy, Debug)]
pub struct LetterInput<'a> {
    pub site: &'a Site,
    /// BCP 47 tag of the reader's language; the site's when left out.
    pub language: Option<&'a str>,
    /// Where its button leads, token and all.
    pub url: &'a str,
    pub postal_address: &'a str,
}

/// Renders the mail that asks whether a new address is the subscriber's.
pub fn compose_address(
    templates: &Templates,
    input: &LetterInput<'_>,
) -> Result<Composed, Diagnostic> {
    compose(templates, "mail/address", &AddressContext { letter: letter(templates, input) })
}

/// Renders the mail that tells an old address where the mail goes from now on: elsewhere.
pub fn compose_moved(
    templates: &Templates,
    input: &LetterInput<'_>,
) -> Result<Composed, Diagnostic> {
    compose(templates, "mail/moved", &MovedContext { letter: letter(templates, input) })
}

fn letter(templates: &Templates, input: &LetterInput<'_>) -> LetterFrame {
    let wanted = input.language.into_iter().chain([input.site.language.as_str()]);
    LetterFrame {
        site: site_context(input.site),
        language: templates.language(wanted).to_owned(),
        url: input.url.to_owned(),
        home_url: input.site.url.to_string(),
        postal_address: input.postal_address.to_owned(),
    }
}

/// Renders the three templates of a kind of mail.
pub(super) fn compose<C: Context>(
    templates: &Templates,
    folder: &str,
    context: &C,
) -> Result<Composed, Diagnostic> {
    let html = templates.render(&format!("{folder}/body.html"), context)?;
    let html = INLINER.inline(&html).map_err(|error| {
        Diagnostic::error("mail-css", format!("the CSS cannot be built into the mail: {error}"))
            .in_file(format!("templates/{folder}/body.html"))
    })?;
    Ok(Composed {
        subject: clean_line(&templates.render(&format!("{folder}/subject.txt"), context)?),
        html: clean(&html),
        text: clean(&templates.render(&format!("{folder}/body.txt"), context)?),
        hole: None,
        images: Vec::new(),
        warnings: Vec::new(),
    })
}

fn frame(
    templates: &Templates,
    input: &EditionInput<'_>,
    posts: &[&Written],
    hole: &str,
) -> EditionFrame {
    EditionFrame {
        site: site_context(input.site),
        newsletter: newsletter_context(input.newsletter),
        cadence: input.cadence.to_string(),
        language: own_words(templates, input.language, input.newsletter),
        preheader: preheader(posts),
        unsubscribe_url: format!("{}{hole}", unsubscribe_base(input.public_url)),
        preferences_url: format!("{}preferences/{hole}", input.public_url),
        home_url: input.site.url.to_string(),
        postal_address: input.postal_address.to_owned(),
        sealed_at: input.sealed_at.to_zoned(input.site.time_zone.clone()),
    }
}

/// The language of a mail's own words.
fn own_words(templates: &Templates, wanted: Option<&str>, newsletter: &Newsletter) -> String {
    templates.language(wanted.into_iter().chain([newsletter.language.as_str()])).to_owned()
}

/// What a list of mails shows beside the subject: the author's own words for an only post, else what the first post is about,
/// and which others there are.
fn preheader(posts: &[&Written]) -> String {
    let Some((first, others)) = posts.split_first() else { return String::new() };
    if let (Some(wish), []) = (&first.post.wishes().preheader, others) {
        return clean_line(wish);
    }
    let summary = &first.post.summary;
    let about = if summary.is_empty() { &first.body.text } else { summary };
    let about: Vec<_> = about.split_whitespace().take(MAX_PREHEADER / 2).collect();
    let about = truncate(&about.join(" "), MAX_PREHEADER);
    let pieces: Vec<_> =
        iter::once(about.as_str()).chain(others.iter().map(|it| it.post.title.as_str())).collect();
    truncate(&pieces.join(" · "), MAX_PREHEADER)
}

/// What templates see of the site.
pub fn site_context(site: &Site) -> SiteContext {
    SiteContext {
        title: site.title.clone(),
        description: site.description.clone(),
        url: site.url.to_string(),
        language: site.language.clone(),
    }
}

/// What templates see of a newsletter.
pub fn newsletter_context(newsletter: &Newsletter) -> NewsletterContext {
    NewsletterContext {
        name: newsletter.name.clone(),
        title: newsletter.title.clone(),
        description: newsletter.description.clone(),
    }
}

/// What stands for the token: as long as one, and a hash over all that the posts and the `note` on a correction say. No text can
/// hold its own hash, so nobody's can make a recipient's token appear in a link of theirs.
fn hole_for(input: &EditionInput<'_>, note: Option<&str>) -> String {
    let said = input.posts.iter().flat_map(|Written { post, body }| {
        let url = post.canonical.as_deref().unwrap_or(&post.link);
        let own = [post.title.as_str(), &post.summary, body.for_mail(), &body.text, url.as_str()];
        own.into_iter().chain(post.wishes().words().map(|(_, text)| text))
    });
    format!("postrider-{}_", Revision::of(said.chain(note)))
}

/// Lines end with `\n`; no other control characters but the tab, no blank end.
fn clean(text: &str) -> String {
    let mut cleaned = text.replace("\r\n", "\n").replace('\r', "\n");
    cleaned.retain(|c| c == '\n' || c == '\t' || !c.is_control());
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// One line without control characters, runs of blanks as one, cut between words at `MAX_SUBJECT`.
fn clean_line(text: &str) -> String {
    let visible = text.replace(|c: char| c.is_control(), " ");
    let words: Vec<_> = visible.split_whitespace().collect();
    truncate(&words.join(" "), MAX_SUBJECT)
}
