//! Jekyll's Liquid and Zola's tags: those that mean something without a site around them.

use std::ops::Range;

use super::Scanner;
use super::shortcodes::{Arguments, MAX_BYTES};

impl Scanner<'_, '_> {
    /// `{% name … %}`.
    pub(super) fn tag(&mut self) -> Option<usize> {
        let (inner, end) = self.up_to(self.at + 2, "%}", MAX_BYTES)?;
        let inner = inner.trim_matches(['-', ' ', '\t', '\n']);
        let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let part = self.at..end;
        match name {
            "raw" => self.raw(part),
            "comment" => {
                let last = self.end_of(part.end, "endcomment")?.1;
                self.draft.replace(part.start..last, "");
                Some(last)
            }
            "highlight" => {
                let language = Arguments::read(rest).first().unwrap_or_default().to_owned();
                self.highlight(&language, part, "endhighlight")
            }
            "youtube" | "vimeo" => {
                let markdown = self.video(name, &Arguments::read(rest))?;
                self.draft.replace(part, &markdown);
                Some(end)
            }
            "post_url" => Some(self.link_to(rest.trim(), part)),
            "link" => Some(self.link_to_file(rest.trim(), part)),
            _ => None,
        }
    }

    /// What is between `{% raw %}` and `{% endraw %}` is to be seen as it is.
    fn raw(&mut self, part: Range<usize>) -> Option<usize> {
        let (from, last) = self.end_of(part.end, "endraw")?;
        self.draft.replace(part.clone(), "");
        self.draft.verbatim(part.end..from);
        self.draft.replace(from..last, "");
        Some(last)
    }

    /// Where the next tag that `word` stands in begins and ends. The word alone is no tag, but one can still come.
    pub(super) fn end_of(&mut self, from: usize, word: &'static str) -> Option<(usize, usize)> {
        const MOST_LOOKS: usize = 10;
        let mut behind = from;
        for _ in 0..MOST_LOOKS {
            let at = self.ending(word, behind)?;
            if let Some(tag) = self.tag_around(from, at, word) {
                return Some(tag);
            }
            behind = at + word.len();
        }
        None
    }

    /// The tag that the `word` at `at` stands in, if it is one.
    fn tag_around(&self, from: usize, at: usize, word: &str) -> Option<(usize, usize)> {
        const MOST_BYTES: usize = 100;
        let (opens, close) =
            if word.starts_with('/') { (["{{<", "{{%"], "}}") } else { (["{%-", "{%"], "%}") };
        let near = self.text.floor_char_boundary(at.saturating_sub(MOST_BYTES)).max(from);
        let before = self.text[near..at].trim_end();
        let open = opens.iter().find(|open| before.ends_with(**open))?;
        let (_, end) = self.up_to(at, close, MOST_BYTES)?;
        Some((near + before.len() - open.len(), end))
    }

    /// Posts have their own addresses; every other file has its path.
    fn link_to_file(&mut self, path: &str, part: Range<usize>) -> usize {
        let (folder, name) = path.rsplit_once("_posts/").unwrap_or((path, ""));
        if !name.is_empty() {
            return self.link_to(&format!("{folder}{name}"), part);
        }
        let end = part.end;
        let page = path.strip_suffix(".md").map(|page| format!("{page}.html"));
        let url = self.targets.on_site(page.as_deref().unwrap_or(path));
        self.draft.replace(part, &url.unwrap_or_default());
        end
    }

    /// `{{ … }}`: paths and addresses of the site, and Zola's videos.
    pub(super) fn expression(&mut self) -> Option<usize> {
        let (inner, end) = self.up_to(self.at + 2, "}}", MAX_BYTES)?;
        let inner = inner.trim_matches(['-', ' ', '\t', '\n']);
        let part = self.at..end;
        let site = self.targets.on_site("/")?;
        let site = site.trim_end_matches('/');
        let text = match inner {
            // The tag that follows knows the whole address.
            "site.url" | "site.baseurl" if follows_address(&self.text[end..]) => String::new(),
            "site.url" if self.text[end..].starts_with("{{ site.baseurl }}") => String::new(),
            "site.url" | "site.baseurl" => site.to_owned(),
            _ => match inner.split_once('|') {
                Some((path, filter)) => {
                    let filter = filter.trim();
                    if !matches!(filter, "relative_url" | "absolute_url" | "url") {
                        return None;
                    }
                    let quote =
                        ['"', '\''].into_iter().find(|quote| path.trim().starts_with(*quote))?;
                    let path = path.trim().strip_prefix(quote)?.strip_suffix(quote)?;
                    self.targets.on_site(path)?
                }
                None => self.zola_video(inner)?,
            },
        };
        self.draft.replace(part, &text);
        Some(end)
    }

    /// `youtube(id="…")`.
    fn zola_video(&self, call: &str) -> Option<String> {
        let (name, rest) = call.split_once('(')?;
        let name = name.trim();
        let known = matches!(name, "youtube" | "vimeo");
        let arguments = Arguments::read(rest.trim_end().strip_suffix(')')?);
        known.then(|| self.video(name, &arguments)).flatten()
    }

    /// `%%…%%`, Obsidian's comment: within a line, or over whole lines.
    pub(super) fn comment(&mut self) -> Option<usize> {
        let from = self.at;
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '%');
        if !apart(self.text[..from].chars().next_back()) || self.text[from..].starts_with("%%%") {
            return None;
        }
        let end = self.ending("%%", from + 2)? + 2;
        let one_line = !self.text[from..end].contains('\n');
        let whole_lines = self.is_line_start(from) && self.line_end(end) == end;
        if !one_line && !whole_lines {
            return None;
        }
        if !apart(self.text[end..].chars().next()) {
            return None;
        }
        self.draft.replace(from..end, "");
        Some(end)
    }
}

fn follows_address(rest: &str) -> bool {
    ["{% post_url", "{% link", "{%- post_url", "{%- link"].iter().any(|tag| rest.starts_with(tag))
}
