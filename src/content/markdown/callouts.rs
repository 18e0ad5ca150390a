//! Quotes that begin with `[!kind] Title`: Obsidian's callouts, and GitHub's alerts where they have a title of their own.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::items::{Item, Mark, note_class};

/// Makes notes of quotes that say what they are. Folding is for screens that people touch: these are always open.
pub(super) fn rewrite(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    let is_callout = |at: usize| kind_at(&items, at).is_some();
    if !(0..items.len()).any(is_callout) {
        return items;
    }
    let mut out = Vec::with_capacity(items.len() + 8);
    // Open quotes, those that became notes with their class.
    let mut quotes: Vec<Option<&'static str>> = Vec::new();
    let mut at = 0;
    while at < items.len() {
        match &items[at] {
            Item::Event(Event::Start(Tag::BlockQuote(_))) => {
                let kind = kind_at(&items, at);
                quotes.push(kind.map(|(kind, _)| note_class(kind)));
                if let Some((kind, title)) = kind {
                    out.push(Item::Begin(Mark::Note(note_class(kind))));
                    at = write_title(&items, at + 2, (kind, title), &mut out);
                    continue;
                }
                out.push(items[at].clone());
            }
            Item::Event(Event::End(TagEnd::BlockQuote(_))) => match quotes.pop() {
                Some(Some(class)) => out.push(Item::End(Mark::Note(class))),
                Some(None) | None => out.push(items[at].clone()),
            },
            item => out.push(item.clone()),
        }
        at += 1;
    }
    out
}

/// The kind and the rest of its line, if a callout begins at `at`.
fn kind_at<'i>(items: &'i [Item<'_>], at: usize) -> Option<(&'i str, &'i str)> {
    let [
        Item::Event(Event::Start(Tag::BlockQuote(None))),
        Item::Event(Event::Start(Tag::Paragraph)),
        Item::Event(Event::Text(text)),
        ..,
    ] = items.get(at..)?
    else {
        return None;
    };
    let (kind, title) = text.strip_prefix("[!")?.split_once(']')?;
    let kind = kind.split('|').next().unwrap_or_default();
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let fits = !kind.is_empty() && kind.len() <= 30 && kind.chars().all(is_word);
    let title = title.strip_prefix(['+', '-']).unwrap_or(title);
    fits.then(|| (kind, title.trim_start()))
}

/// Writes the title as the first paragraph. `at` is where its text is; gives back where what follows begins.
fn write_title<'t>(
    items: &[Item<'t>],
    at: usize,
    (kind, title): (&str, &str),
    out: &mut Vec<Item<'t>>,
) -> usize {
    let event = |event| Item::Event(event);
    out.push(event(Event::Start(Tag::Paragraph)));
    let first = out.len();
    if !title.is_empty() {
        out.push(event(Event::Text(title.to_owned().into())));
    }
    let mut end = at + 1;
    while let Some(item) = items.get(end) {
        let ends = |event: &Event<'_>| {
            matches!(event, Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph))
        };
        if matches!(item, Item::Event(event) if ends(event)) {
            break;
        }
        out.push(item.clone());
        end += 1;
    }
    if out.len() == first {
        out.push(event(Event::Text(capitalised(kind).into())));
    }
    out.push(event(Event::End(TagEnd::Paragraph)));
    let goes_on = !matches!(items.get(end), Some(Item::Event(Event::End(_))) | None);
    if goes_on {
        out.push(event(Event::Start(Tag::Paragraph)));
    }
    end + 1
}

/// `tip` -> `Tip`.
pub(in crate::content) fn capitalised(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + &letters.as_str().to_lowercase()
}
