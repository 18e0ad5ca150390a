//! `[[Note|text]]` and `![[image.png|300]]`: the links and embeds of Obsidian and wikis.

use super::super::markdown::OWN_MARK;
use super::Scanner;

const IMAGES: [&str; 8] = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".bmp"];

impl Scanner<'_, '_> {
    pub(super) fn wiki_link(&mut self) -> Option<usize> {
        const MAX_BYTES: usize = 500;
        let (inner, end) = self.up_to(self.at + 2, "]]", MAX_BYTES)?;
        let is_embed = self.text[..self.at].ends_with('!');
        let before = self.text[..self.at].chars().next_back();
        // `[[1]](url)` is Markdown, `a[[0]]` and `[[ -f x ]]` are code, `[[1]]` is a note in the margin.
        let is_link = !inner.starts_with(char::is_whitespace)
            && !inner.is_empty()
            && !inner.contains(['[', ']', '\n', '<', '>'])
            && !inner.chars().all(|c| c.is_ascii_digit())
            && !self.text[end..].starts_with(['(', '[', ':'])
            && (is_embed || before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '['));
        if !is_link {
            return None;
        }
        // In tables the bar is escaped.
        let inner = inner.replace("\\|", "|");
        let (target, words) = inner.split_once('|').unwrap_or((&inner, ""));
        let (target, words) = (target.trim(), words.trim());
        let start = self.at - usize::from(is_embed);
        let markdown = if is_embed && is_image(target) {
            image(target, words)
        } else if is_file(target) {
            let name = target.rsplit('/').next().unwrap_or(target);
            format!("[{}](<{target}>)", label(if words.is_empty() { name } else { words }))
        } else {
            let name = target.trim_start_matches('#').replace('#', " > ");
            let words = label(if words.is_empty() { &name } else { words });
            match self.address_of(target, start..end) {
                Some(url) => format!("[{words}]({url})"),
                None => words,
            }
        };
        self.draft.replace(start..end, &markdown);
        Some(end)
    }
}

/// Words that end no label.
fn label(words: &str) -> String {
    words.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn extension(target: &str) -> Option<&str> {
    let name = target.rsplit('/').next()?;
    name.rfind('.').map(|dot| &name[dot..])
}

fn is_image(target: &str) -> bool {
    extension(target).is_some_and(|it| IMAGES.iter().any(|known| it.eq_ignore_ascii_case(known)))
}

/// Whether `target` is a file beside the notes rather than a note.
fn is_file(target: &str) -> bool {
    let known = [".pdf", ".mp3", ".mp4", ".m4a", ".ogg", ".wav", ".webm", ".mov", ".zip", ".csv"];
    is_image(target)
        || extension(target).is_some_and(|it| known.iter().any(|one| it.eq_ignore_ascii_case(one)))
}

/// An image, with its size where the words are one: `300` or `300x200`.
fn image(target: &str, words: &str) -> String {
    let (alt, size) = words.rsplit_once('|').unwrap_or(("", words));
    let is_size = !size.is_empty()
        && size.split('x').count() <= 2
        && size
            .split('x')
            .all(|n| (1..=5).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()));
    if is_size {
        format!("![{}](<{target}> \"{OWN_MARK}{size}\")", label(alt.trim()))
    } else {
        format!("![{}](<{target}>)", label(words))
    }
}
