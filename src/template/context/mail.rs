//! What mail templates see.

use jiff::Zoned;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Context, samples};
use crate::domain::{Author, Written, reading_minutes};

/// `site`: the author's own site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteContext {
    pub title: String,
    pub description: String,
    pub url: String,
    /// BCP 47 tag.
    pub language: String,
}

/// `newsletter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewsletterContext {
    pub name: String,
    pub title: String,
    pub description: String,
}

/// One of `post.authors`. Their addresses stay with us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorContext {
    pub name: String,
    pub url: Option<String>,
}

/// `post`, or one of `posts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostContext {
    pub id: String,
    pub title: String,
    /// Where it lives on the author's site: absolute.
    pub url: String,
    /// Plain text, one paragraph.
    pub summary: String,
    /// Sanitised, every URL absolute: `{{ post.html|safe }}`. Empty where it does not fit into the mail.
    pub html: String,
    /// The same as plain text, not wrapped.
    pub text: String,
    /// How long the whole post takes to read, at least 1.
    pub reading_minutes: usize,
    pub authors: Vec<AuthorContext>,
    pub tags: Vec<String>,
    pub categories: Vec<String>,
    /// BCP 47 tag.
    pub language: String,
    /// In the site's zone.
    pub published_at: Zoned,
    pub updated_at: Option<Zoned>,
    pub image: Option<String>,
}

impl PostContext {
    /// What templates see of `post`, with its times in `zone`.
    pub fn of(Written { post, body }: &Written, zone: &TimeZone) -> Self {
        Self {
            id: post.id.to_string(),
            title: post.title.clone(),
            url: post.canonical.as_deref().unwrap_or(&post.link).to_string(),
            summary: post.summary.clone(),
            html: body.for_mail().to_owned(),
            text: body.text.clone(),
            reading_minutes: reading_minutes(&body.text),
            authors: post.authors.iter().map(AuthorContext::of).collect(),
            tags: post.tags.clone(),
            categories: post.categories.clone(),
            language: post.language.clone(),
            published_at: post.published_at.to_zoned(zone.clone()),
            updated_at: post.updated_at.map(|at| at.to_zoned(zone.clone())),
            image: post.image.as_ref().map(ToString::to_string),
        }
    }
}

impl AuthorContext {
    pub fn of(author: &Author) -> Self {
        Self { name: author.name.clone(), url: author.url.as_ref().map(ToString::to_string) }
    }
}

/// What every edition mail has, whatever its posts: on the top level of the data, beside `posts` or `post`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EditionFrame {
    pub site: SiteContext,
    pub newsletter: NewsletterContext,
    /// `instant`, `daily`, `weekly` or `monthly`.
    pub cadence: String,
    /// BCP 47 tag of the mail's own words.
    pub language: String,
    /// What lists of mails show beside the subject: the summary of the first post, then the titles of the others.
    pub preheader: String,
    /// The recipient's own link. Never leave it out: the law and the mailbox providers want it.
    pub unsubscribe_url: String,
    /// Where the recipient changes what they get.
    pub preferences_url: String,
    /// Where the newsletter or the site is on the web.
    pub home_url: String,
    pub postal_address: String,
    /// In the site's zone.
    pub sealed_at: Zoned,
}

/// `mail/digest/`: several posts, with their summaries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigestContext {
    #[serde(flatten)]
    pub frame: EditionFrame,
    /// At least one, in the order in which they are shown.
    pub posts: Vec<PostContext>,
    /// True when the posts are so many that Gmail would cut the mail off: show their titles and links, and no more.
    pub titles_only: bool,
}

/// `mail/single/`: one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SingleContext {
    #[serde(flatten)]
    pub frame: EditionFrame,
    pub post: PostContext,
    /// The post's page in the archive, for reading the mail in a browser; `none` where there is none yet.
    pub page_url: Option<String>,
    /// False when the whole post is too large for mail: `post.html` and `post.text` are its beginning then, or empty where
    /// it cannot be cut. Show that or the summary, and a link.
    pub whole: bool,
}

/// `mail/correction/`: a post that was corrected, for those who had it. All that `mail/single/` sees, and what its author says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorrectionContext {
    #[serde(flatten)]
    pub single: SingleContext,
    /// What was wrong; `none` where the author does not say.
    pub note: Option<String>,
}

/// `mail/welcome/NAME/`: a mail to newcomers that is no post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WelcomeContext {
    #[serde(flatten)]
    pub frame: EditionFrame,
}

/// `mail/confirm/`: asks whether an address wants the newsletter. Holds nothing that the visitor wrote: whoever abuses the
/// form must not be able to send words of their own through us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfirmContext {
    pub site: SiteContext,
    pub newsletter: NewsletterContext,
    /// BCP 47 tag of the mail's own words.
    pub language: String,
    pub confirm_url: String,
    pub home_url: String,
    pub postal_address: String,
}

/// What the mails about another address have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterFrame {
    pub site: SiteContext,
    /// BCP 47 tag of the mail's own words.
    pub language: String,
    /// Where the button leads.
    pub url: String,
    pub home_url: String,
    pub postal_address: String,
}

/// `mail/address/`: asks whether a new address is the subscriber's. Holds nothing that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressContext {
    #[serde(flatten)]
    pub letter: LetterFrame,
}

/// `mail/moved/`: tells the old address that the mail goes to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedContext {
    #[serde(flatten)]
    pub letter: LetterFrame,
}

impl Context for AddressContext {
    const TEMPLATES: &'static [&'static str] = &["mail/address/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let german = samples::letter("de");
        vec![
            ("a letter", Self { letter: samples::letter("en") }),
            ("in German", Self { letter: german }),
        ]
    }
}

impl Context for MovedContext {
    const TEMPLATES: &'static [&'static str] = &["mail/moved/"];

    fn samples() -> Vec<(&'static str, Self)> {
        vec![("a letter", Self { letter: samples::letter("en") })]
    }
}

impl Context for DigestContext {
    const TEMPLATES: &'static [&'static str] = &["mail/digest/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let digest = |posts| Self { frame: samples::frame("weekly"), posts, titles_only: false };
        vec![
            ("several posts", digest(samples::posts())),
            ("one post", digest(vec![samples::plain_post()])),
            ("no image, right to left", digest(vec![samples::odd_post()])),
            ("forty posts", digest(vec![samples::plain_post(); 40])),
            ("only titles fit", Self { titles_only: true, ..digest(samples::posts()) }),
        ]
    }
}

impl Context for SingleContext {
    const TEMPLATES: &'static [&'static str] = &["mail/single/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let page = "https://news.example.org/posts/-/0123456789abcdef/";
        let single = |post, whole| Self {
            frame: samples::frame("instant"),
            post,
            page_url: Some(page.to_owned()).filter(|_| whole),
            whole,
        };
        vec![
            ("a post", single(samples::rich_post(), true)),
            ("the beginning of a post too large for mail", single(samples::rich_post(), false)),
            ("the summary of a post too large for mail", single(samples::bare_post(), false)),
            ("no image, right to left", single(samples::odd_post(), true)),
        ]
    }
}

impl Context for CorrectionContext {
    const TEMPLATES: &'static [&'static str] = &["mail/correction/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let note = "The river is twelve kilometres long, not <b>twenty</b> & more.".to_owned();
        let mut notes = [Some(note), None].into_iter().cycle();
        SingleContext::samples()
            .into_iter()
            .map(|(name, single)| (name, Self { single, note: notes.next().flatten() }))
            .collect()
    }
}

impl Context for WelcomeContext {
    const TEMPLATES: &'static [&'static str] = &["mail/welcome/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = EditionFrame { preheader: String::new(), ..samples::frame("weekly") };
        let german = EditionFrame { language: "de".to_owned(), ..frame.clone() };
        vec![("a newcomer", Self { frame }), ("in German", Self { frame: german })]
    }
}

impl Context for ConfirmContext {
    const TEMPLATES: &'static [&'static str] = &["mail/confirm/"];

    fn samples() -> Vec<(&'static str, Self)> {
        let frame = samples::frame("weekly");
        let sample = Self {
            site: frame.site,
            newsletter: frame.newsletter,
            language: frame.language,
            confirm_url:
                "https://news.example.org/confirm/Zm9yLXNhbXBsZXMtb25seS1ub3QtYS1yZWFsLXRva2Vu"
                    .to_owned(),
            home_url: frame.home_url,
            postal_address: frame.postal_address,
        };
        vec![("a newsletter", sample)]
    }
}
