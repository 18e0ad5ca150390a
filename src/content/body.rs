//! The body of a post for everyone who shows it: feeds, mail and the post's own page.

use super::links::{self, Base};
use super::markdown::{Channel, Document, Writer, Written};
use super::report::Problem;
use super::source::EXCERPT_END;
use super::{markup, sanitise, source};

/// Tables and references can make much of little.
const MAX_HTML_BYTES: usize = 4 * source::MAX_BODY_BYTES;

/// One body in up to three forms.
pub(super) struct Bodies {
    /// For feeds, the mark of the excerpt's end still in it.
    pub(super) html: String,
    /// For mail, where it shows something else than feeds.
    pub(super) mail_html: Option<String>,
    /// What both of these show, where they differ, the mark of the excerpt's end still in it.
    pub(super) for_all: Option<String>,
    /// For the post's page, where the author's own HTML may be as it is.
    pub(super) web_html: Option<String>,
}

/// Writes `document`, the body of the post at `base`.
pub(super) fn render(
    document: &Document<'_>,
    base: &Base<'_>,
    title: &str,
) -> Result<Bodies, Problem> {
    let written = write(document, Some(Channel::Web), base, title)?;
    let web_html = if written.has_html { Some(for_page(&written.html, base)?) } else { None };
    let html = published(written, base)?;
    let (mut mail_html, mut for_all) = (None, None);
    if document.has_channels() {
        let shown = |channel| published(write(document, channel, base, title)?, base);
        mail_html = Some(shown(Some(Channel::Email))?);
        for_all = Some(shown(None)?);
    }
    let differs = |other: &String| without_mark(other) != without_mark(&html);
    let web_html = web_html.filter(differs).map(|web| without_mark(&web));
    let mail_html = mail_html.filter(differs).map(|mail| without_mark(&mail));
    Ok(Bodies { html, mail_html, for_all, web_html })
}

fn without_mark(html: &str) -> String {
    html.replace(EXCERPT_END, "")
}

fn write(
    document: &Document<'_>,
    channel: Option<Channel>,
    base: &Base<'_>,
    title: &str,
) -> Result<Written, Problem> {
    let pieces = document.pieces(channel, base.id_prefix, title);
    let written = Writer::new(base, MAX_HTML_BYTES).write(&pieces);
    if written.html.len() > MAX_HTML_BYTES {
        let message = format!("the post becomes more than {MAX_HTML_BYTES} bytes of HTML");
        return Err(Problem::new("post-too-large", message).help("split it"));
    }
    if written.needs_parser {
        markup::check_complexity(&written.html).map_err(|error| {
            let problem = Problem::new("post-too-complex", error.to_string());
            problem.help("simplify the HTML in the post")
        })?;
    }
    Ok(written)
}

/// Safe for readers whose software runs what it is given.
fn published(written: Written, base: &Base<'_>) -> Result<String, Problem> {
    let html = if written.needs_parser {
        let absolute = links::absolute(&written.html, base, links::Use::Elsewhere);
        absolute.and_then(|html| sanitise::clean(&html)).ok_or_else(unreadable)?
    } else {
        written.html
    };
    Ok(html.trim_end().to_owned())
}

/// As the author wrote it: it is the author's page.
fn for_page(html: &str, base: &Base<'_>) -> Result<String, Problem> {
    let html = links::absolute(html, base, links::Use::OwnPage).ok_or_else(unreadable)?;
    Ok(html.trim_end().to_owned())
}

fn unreadable() -> Problem {
    Problem::new("post-html", "the HTML in the post cannot be read").help("check its tags")
}
