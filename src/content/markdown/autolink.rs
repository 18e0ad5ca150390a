//! Bare URLs in text become links, as on GitHub.

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};
use url::Url;

/// Longer ones are data.
const MAX_URL_BYTES: usize = 2_000;

/// Pushes `text`, each `http://…` and `https://…` in it as a link.
pub(super) fn link_urls<'t>(text: CowStr<'t>, mut push: impl FnMut(Event<'t>)) {
    let Some(first) = next_url(&text) else {
        push(Event::Text(text));
        return;
    };
    let mut rest = &*text;
    let mut found = Some(first);
    while let Some((start, end)) = found {
        if start > 0 {
            push(Event::Text(rest[..start].to_owned().into()));
        }
        let url: CowStr<'t> = rest[start..end].to_owned().into();
        push(Event::Start(Tag::Link {
            link_type: LinkType::Autolink,
            dest_url: url.clone(),
            title: "".into(),
            id: "".into(),
        }));
        push(Event::Text(url));
        push(Event::End(TagEnd::Link));
        rest = &rest[end..];
        found = next_url(rest);
    }
    if !rest.is_empty() {
        push(Event::Text(rest.to_owned().into()));
    }
}

/// Where the first URL of `text` begins and ends.
fn next_url(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("http")?;
        let candidate = &text[start..];
        let schemed = candidate.starts_with("http://") || candidate.starts_with("https://");
        if !schemed || text[..start].ends_with(char::is_alphanumeric) {
            from = start + 4;
            continue;
        }
        let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"`".contains(c);
        let length = candidate.find(ends).unwrap_or(candidate.len());
        let url = trim_punctuation(&candidate[..length]);
        let host_follows = url.split_once("//").is_some_and(|(_, host)| !host.is_empty());
        if host_follows && url.len() <= MAX_URL_BYTES && Url::parse(url).is_ok() {
            return Some((start, start + url.len()));
        }
        // Nothing else in this word is looked at, or a long one would be looked at again and again.
        from = start + length;
    }
}

/// Drops what ends the sentence rather than the URL; a closing bracket stays if the URL opened it.
fn trim_punctuation(mut url: &str) -> &str {
    let count = |c: char| url.matches(c).count();
    let mut surplus = [(')', '('), (']', '[')]
        .map(|(close, open)| (close, count(close).saturating_sub(count(open))));
    loop {
        let Some(last) = url.chars().next_back() else { return url };
        match surplus.iter_mut().find(|(close, _)| *close == last) {
            Some((_, 0)) => return url,
            Some((_, left)) => *left -= 1,
            None if ".,;:!?'*_~…”’»".contains(last) => {}
            None => return url,
        }
        url = &url[..url.len() - last.len_utf8()];
    }
}
