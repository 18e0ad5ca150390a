//! `[feeds]`: where feeds were, and how often one client may ask.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::Context;
use crate::config::report::Problem;
use crate::config::{FeedTarget, Polling, raw};

pub(super) fn polling(raw: &raw::Feeds, context: &mut Context<'_>) -> Option<Polling> {
    let (moved, mut is_good) = moved(raw, context);
    let mut gone = BTreeSet::new();
    for (index, text) in raw.gone.iter().enumerate() {
        let place = crate::config::schema::below("feeds.gone", &index.to_string());
        let wanted = path(text).and_then(|path| {
            let is_moved = moved.contains_key(&path);
            let both = || Problem::new(format!("`{path}` is in `moved`, too")).help("keep one");
            if is_moved { Err(both()) } else { Ok(path) }
        });
        match context.report.take(&place, wanted) {
            Some(path) => {
                gone.insert(path);
            }
            None => is_good = false,
        }
    }
    is_good.then_some(Polling { moved, gone, requests_per_minute: raw.requests_per_minute })
}

/// Where feeds moved to, and whether that is all of them.
fn moved(raw: &raw::Feeds, context: &mut Context<'_>) -> (BTreeMap<String, FeedTarget>, bool) {
    let mut moved = BTreeMap::new();
    let mut is_good = true;
    let place = |from: &str| crate::config::schema::below("feeds.moved", from);
    let mut written = Vec::new();
    for (from, to) in &raw.moved {
        let led = path(from).and_then(|from| Ok((from, target(to)?)));
        match context.report.take(&place(from), led) {
            Some((path, to)) => {
                written.push((from, path.clone()));
                moved.insert(path, to);
            }
            None => is_good = false,
        }
    }
    for (from, path) in written.iter().filter(|(_, path)| comes_back(path, &moved)) {
        let problem = Problem::new(format!("`{path}` leads to itself"))
            .help("let it lead to a feed, here or elsewhere");
        context.report.take::<()>(&place(from), Err(problem));
        is_good = false;
    }
    (moved, is_good)
}

/// As a request has it: from the root, without a query.
fn path(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let example = "write for example `/old/feed.xml`";
    if !text.starts_with('/') || text.starts_with("//") {
        return Err(Problem::new(format!("`{text}` is no path from the root")).help(example));
    }
    if text.contains(['?', '#']) || text.contains(char::is_whitespace) {
        let problem = Problem::new(format!("`{text}` has more than a path"));
        return Err(problem.help("queries are ignored when a feed is asked for; leave them out"));
    }
    Ok(encoded(text))
}

/// Percent-encoded, as it comes with a request.
fn encoded(path: &str) -> String {
    let mut url = Url::parse("http://localhost/").expect("it is a URL");
    url.set_path(path);
    url.path().to_owned()
}

fn target(text: &str) -> Result<FeedTarget, Problem> {
    if text.trim_start().starts_with('/') {
        return path(text).map(FeedTarget::Path);
    }
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.map(FeedTarget::Url).ok_or_else(|| {
        Problem::new(format!("`{text}` is neither a path nor a URL"))
            .help("write for example `/feed.xml` or `https://example.org/feed.xml`")
    })
}

/// Whether a reader that follows `from` would come to it again.
fn comes_back(from: &str, moved: &BTreeMap<String, FeedTarget>) -> bool {
    let mut at = from;
    for _ in 0..moved.len() {
        let Some(FeedTarget::Path(to)) = moved.get(at) else { return false };
        if to == from {
            return true;
        }
        at = to;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_moves_to_a_path_or_a_url_and_nowhere_else() {
        assert_eq!(path(" /old/größe.xml ").unwrap(), "/old/gr%C3%B6%C3%9Fe.xml");
        for wrong in ["feed.xml", "//host/feed.xml", "/feed.xml?x=1", "/a b.xml", ""] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(target("/feed.xml"), Ok(FeedTarget::Path(_))));
        assert!(matches!(target("https://example.org/feed.xml"), Ok(FeedTarget::Url(_))));
        for wrong in ["feed.xml", "javascript:alert(1)", ""] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_led_in_a_circle() {
        let to = |to: &str| FeedTarget::Path(to.to_owned());
        let moved = BTreeMap::from([
            ("/self.xml".to_owned(), to("/self.xml")),
            ("/a.xml".to_owned(), to("/b.xml")),
            ("/b.xml".to_owned(), to("/a.xml")),
            ("/c.xml".to_owned(), to("/d.xml")),
            ("/d.xml".to_owned(), to("/feed.xml")),
        ]);
        let circular: Vec<&str> =
            moved.keys().map(|it| &**it).filter(|from| comes_back(from, &moved)).collect();
        assert_eq!(circular, ["/a.xml", "/b.xml", "/self.xml"]);
    }
}
