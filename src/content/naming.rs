//! What the path of a file says: whether it is a post, its date, slug, language and section.

/// What a path alone decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Post,
    Draft,
    Other,
}

/// What a path says about a post.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Naming<'a> {
    /// The name without extension, date and language.
    pub(super) stem: &'a str,
    /// The date in the name or the folders, as text that `dates` reads.
    pub(super) date: Option<String>,
    pub(super) language: Option<&'a str>,
    /// The outermost folder, unless it is a date, one of Jekyll's or the post's own.
    pub(super) section: Option<&'a str>,
    /// The folder around Jekyll's `_posts`, or Pelican's around a post, which is a category there.
    pub(super) category: Option<&'a str>,
    /// Whether this is Jekyll's layout, where blanks separate tags.
    pub(super) jekyll: bool,
}

const EXTENSIONS: [&str; 5] = ["md", "markdown", "mdown", "mkd", "mdx"];

/// ISO 639-1. A list, because `notes.js.md` is not in a language called `js`.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy \
     da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii \
     ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr \
     ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl \
     sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Decides by the path within the folder, with `/`, whether to read a file at all.
pub(super) fn kind(within: &str) -> Kind {
    let (folders, file) = split(within);
    let Some(stem) = strip_extension(file) else { return Kind::Other };
    let hidden = |part: &&str| part.starts_with('.') || *part == "node_modules";
    if folders.iter().any(hidden) || hidden(&file) {
        return Kind::Other;
    }
    let copy = [".sync-conflict-", " (conflicted copy", " conflicted copy "];
    if copy.iter().any(|mark| stem.contains(mark)) || file.starts_with('#') {
        return Kind::Other;
    }
    let (bare, _) = split_language(stem);
    // A section's own page in Hugo and Zola, and the list of posts everywhere else.
    if bare == "_index" || (bare == "index" && folders.is_empty()) {
        return Kind::Other;
    }
    if folders.contains(&"_drafts") || file.starts_with('_') { Kind::Draft } else { Kind::Post }
}

/// Whether `file` is `_index.md`, in any language: a section's own page in Hugo and Zola.
pub(super) fn is_section_page(file: &str) -> bool {
    strip_extension(file).is_some_and(|stem| split_language(stem).0 == "_index")
}

/// The language that a path within the folder of posts says it is in.
pub fn language(within: &str) -> Option<&str> {
    read(within).language
}

/// Reads the path of a post.
pub(super) fn read(within: &str) -> Naming<'_> {
    let (mut folders, file) = split(within);
    let (mut name, by_name) = split_language(strip_extension(file).unwrap_or(file));
    // The outermost folder only: further in, `it` and `no` are words.
    let by_folder = folders.first().copied().filter(|folder| is_language(folder));
    if by_folder.is_some() {
        folders.remove(0);
    }
    let language = by_name.or(by_folder);
    if name == "index"
        && let Some(own) = folders.pop()
    {
        name = own;
    }
    let jekyll = folders.contains(&"_posts");
    let before_posts = folders.iter().position(|part| *part == "_posts");
    let category = before_posts.and_then(|at| at.checked_sub(1)).map(|at| folders[at]);
    let dated_folders: Vec<&str> =
        folders.iter().rev().take_while(|part| is_number(part)).copied().collect();
    let section = folders.iter().copied().find(|part| !part.starts_with('_') && !is_number(part));
    let dated = date_prefix(name).or_else(|| folder_date(&dated_folders, name));
    let (date, rest) = dated.map_or((None, name), |(date, rest)| (Some(date), rest));
    // `2024-01-15.md` has no other name than its date.
    let stem = if rest.is_empty() { name } else { rest };
    Naming { stem, date, language, section, category, jekyll }
}

/// `my-first_post` -> `My first post`: what the name of a file is as a title.
pub(super) fn title(stem: &str) -> Option<String> {
    let spaced = if is_number(&stem.replace('-', "")) {
        stem.to_owned()
    } else {
        stem.replace(['-', '_'], " ")
    };
    let line = super::source::one_line(&spaced);
    let mut letters = line.chars();
    let first = letters.next()?;
    line.contains(char::is_alphanumeric).then(|| first.to_uppercase().chain(letters).collect())
}

fn split(within: &str) -> (Vec<&str>, &str) {
    let mut parts: Vec<&str> = within.split('/').filter(|part| !part.is_empty()).collect();
    let file = parts.pop().unwrap_or_default();
    (parts, file)
}

fn strip_extension(file: &str) -> Option<&str> {
    let (stem, extension) = file.rsplit_once('.')?;
    let known = EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    (known && !stem.is_empty()).then_some(stem)
}

/// `hello.fr` and `hello.pt-br`: the name and its language.
fn split_language(stem: &str) -> (&str, Option<&str>) {
    match stem.rsplit_once('.') {
        Some((name, tag)) if is_language(tag) && !name.is_empty() => (name, Some(tag)),
        Some(_) | None => (stem, None),
    }
}

/// `fr`, `pt-br`, `zh_TW`.
fn is_language(tag: &str) -> bool {
    let (first, region) = tag.split_once(['-', '_']).unwrap_or((tag, "xx"));
    let known = first.len() == 2
        && LANGUAGES.split_ascii_whitespace().any(|known| first.eq_ignore_ascii_case(known));
    known && (2..=4).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

/// Takes up to `most` digits off the front.
fn digits(text: &str, most: usize) -> Option<(&str, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (count > 0).then(|| text.split_at(count))
}

/// `2024-01-15-slug`, also with `_` or a blank before the slug, with short months, with a time: date and slug.
fn date_prefix(name: &str) -> Option<(String, &str)> {
    let (year, rest) = digits(name, 4).filter(|(year, _)| year.len() == 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let date = calendar(year, month, day)?;
    if let Some((time, rest)) = time_prefix(rest) {
        return Some((format!("{date}T{time}"), rest));
    }
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(['-', '_', ' '])? };
    Some((date, rest))
}

/// `T10:00:00Z-`, `T10-00-00_`: a time as file systems allow it, and what follows.
fn time_prefix(rest: &str) -> Option<(String, &str)> {
    let (hour, rest) = digits(rest.strip_prefix(['T', 't'])?, 2)?;
    let (minute, mut rest) = digits(rest.strip_prefix([':', '-'])?, 2)?;
    let mut time = format!("{hour}:{minute}");
    if let Some((second, after)) = rest.strip_prefix([':', '-']).and_then(|rest| digits(rest, 2))
        && second.len() == 2
    {
        time = format!("{time}:{second}");
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(['Z', 'z']) {
        time.push('Z');
        rest = after;
    }
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(['-', '_', ' '])? };
    Some((time, rest))
}

/// `2024/01/15/slug` and `2024/01/15-slug`. `folders` are the innermost ones that are numbers, innermost first.
fn folder_date<'a>(folders: &[&str], name: &'a str) -> Option<(String, &'a str)> {
    if let [day, month, year, ..] = folders
        && let Some(date) = calendar(year, month, day)
    {
        return Some((date, name));
    }
    let [month, year, ..] = folders else { return None };
    let (day, rest) = digits(name, 2)?;
    Some((calendar(year, month, day)?, rest.strip_prefix(['-', '_', ' '])?))
}

/// The date in its usual form, if the calendar has it.
fn calendar(year: &str, month: &str, day: &str) -> Option<String> {
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let date =
        jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_alone_tells_posts_from_drafts_and_other_files() {
        let cases = [
            ("hello.md", Kind::Post),
            ("Hello.MARKDOWN", Kind::Post),
            ("a/b/index.md", Kind::Post),
            ("a/index.fr.md", Kind::Post),
            ("index.md", Kind::Other),
            ("index.de.md", Kind::Other),
            ("_index.md", Kind::Other),
            ("a/_index.fr.md", Kind::Other),
            ("_drafts/idea.md", Kind::Draft),
            ("_later.md", Kind::Draft),
            (".obsidian/note.md", Kind::Other),
            (".hidden.md", Kind::Other),
            ("a/node_modules/b/readme.md", Kind::Other),
            ("hello.md~", Kind::Other),
            ("hello.md.swp", Kind::Other),
            ("#hello.md", Kind::Other),
            ("hello.sync-conflict-20240115-101010-ABC.md", Kind::Other),
            ("hello (conflicted copy 2024-01-15).md", Kind::Other),
            ("hello.txt", Kind::Other),
            (".md", Kind::Other),
            ("", Kind::Other),
        ];
        for (path, expected) in cases {
            assert_eq!(kind(path), expected, "{path}");
        }
    }

    #[test]
    fn dates_slugs_and_languages_come_out_of_the_names_of_every_engine() {
        let cases = [
            ("hello.md", "hello", None, None),
            ("2024-01-15-slug.md", "slug", Some("2024-01-15"), None),
            ("2024-01-15_slug.md", "slug", Some("2024-01-15"), None),
            ("2024-01-15 two words.md", "two words", Some("2024-01-15"), None),
            ("2024-1-5-slug.md", "slug", Some("2024-01-05"), None),
            ("2024/01/15-slug.md", "slug", Some("2024-01-15"), None),
            ("2024/01/15/slug.md", "slug", Some("2024-01-15"), None),
            ("2024-01-15-slug/index.md", "slug", Some("2024-01-15"), None),
            ("2024/01/15/slug/index.md", "slug", Some("2024-01-15"), None),
            ("2024-01-15.md", "2024-01-15", Some("2024-01-15"), None),
            ("2018-10-10T00:00:00Z-slug.md", "slug", Some("2018-10-10T00:00:00Z"), None),
            ("2018-10-10T08-30-slug.md", "slug", Some("2018-10-10T08:30"), None),
            ("2024-13-45-slug.md", "2024-13-45-slug", None, None),
            ("2024-01-155-slug.md", "2024-01-155-slug", None, None),
            ("2024/summary.md", "summary", None, None),
            ("hello.fr.md", "hello", None, Some("fr")),
            ("hello.pt-br.md", "hello", None, Some("pt-br")),
            ("trip/index.fr.md", "trip", None, Some("fr")),
            ("jquery.js.md", "jquery.js", None, None),
            ("fr/hello.md", "hello", None, Some("fr")),
            ("pt-br/2024-01-15-hello.md", "hello", Some("2024-01-15"), Some("pt-br")),
            ("fr/hello.de.md", "hello", None, Some("de")),
            ("notes/it/hello.md", "hello", None, None),
        ];
        for (path, stem, date, language) in cases {
            let naming = read(path);
            assert_eq!(naming.stem, stem, "{path}");
            assert_eq!(naming.date.as_deref(), date, "{path}");
            assert_eq!(naming.language, language, "{path}");
        }
    }

    #[test]
    fn folders_tell_sections_and_jekylls_categories() {
        assert_eq!(read("essays/a.md").section, Some("essays"));
        assert_eq!(read("essays/a/index.md").section, Some("essays"));
        assert_eq!(read("a/index.md").section, None);
        assert_eq!(read("2024/01/15/a.md").section, None);
        assert_eq!(read("fr/essays/a.md").section, Some("essays"));
        assert_eq!(read("fr/a.md").section, None);
        let jekyll = read("travel/_posts/2024-01-15-a.md");
        assert_eq!((jekyll.category, jekyll.section), (Some("travel"), Some("travel")));
        assert!(jekyll.jekyll);
        assert_eq!(read("_posts/2024-01-15-a.md").category, None);
    }
}
