//! The list of all feeds, as OPML 2.0.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::selections::Selection;
use super::{Document, Format, Publication, text};
use crate::domain::LivePost;

const CONTENT_TYPE: &str = "text/x-opml; charset=utf-8";

/// The main feed, and after it all others. `live` are all posts, newest first.
pub(super) fn write<'a>(
    publication: &Publication,
    feeds: impl Iterator<Item = &'a Selection>,
    live: &[LivePost],
) -> Document {
    let title = text::line(&publication.site.title).unwrap_or_default();
    let mut opml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n  <head>\n    \
         <title>{}</title>\n  </head>\n  <body>\n",
        escaped(&title)
    );
    let home = publication.site.url.as_str();
    outline(&mut opml, (&title, publication.main_urls().rss.as_str()), home);
    for feed in feeds {
        let title = text::line(&feed.title).unwrap_or_default();
        outline(&mut opml, (&title, feed.rss_url().as_str()), home);
    }
    opml.push_str("  </body>\n</opml>\n");
    let changed_at = live.first().map_or(Timestamp::UNIX_EPOCH, |it| it.post.published_at);
    Document::new(Format::Rss, opml, text::instant(changed_at)).of_type(CONTENT_TYPE)
}

fn outline(opml: &mut String, (title, url): (&str, &str), home: &str) {
    let (title, url, home) = (escaped(title), escaped(url), escaped(home));
    writeln!(
        opml,
        "    <outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{url}\" htmlUrl=\"{home}\"/>"
    )
    .expect("a string takes every character");
}

fn escaped(text: &str) -> String {
    text::as_html(text).replace('"', "&quot;")
}
