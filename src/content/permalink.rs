//! Where a post lives: patterns such as `/posts/{slug}/`, slugs, and paths joined to the site.

use jiff::civil::Date;
use url::Url;

use super::jekyll::categories_path;

/// What a pattern can name.
pub(super) struct Parts<'a> {
    pub(super) slug: &'a str,
    pub(super) title: &'a str,
    pub(super) section: &'a str,
    pub(super) language: &'a str,
    /// The folder's own language, which `{lang?}` leaves out.
    pub(super) usual_language: &'a str,
    pub(super) categories: &'a [String],
    /// The day of publication in the site's time zone.
    pub(super) date: Date,
}

/// Fills a pattern. A placeholder that there is not becomes nothing: `config` has refused it.
pub(super) fn expand(pattern: &str, parts: &Parts<'_>) -> String {
    let mut path = String::with_capacity(pattern.len() + parts.slug.len());
    for piece in pieces(pattern) {
        match piece {
            Piece::Literal(text) => path.push_str(text),
            Piece::Placeholder("slug") => path.push_str(parts.slug),
            Piece::Placeholder("title") => path.push_str(&slugify(parts.title)),
            Piece::Placeholder("section") => path.push_str(&slugify(parts.section)),
            Piece::Placeholder("lang") => path.push_str(parts.language),
            Piece::Placeholder("lang?") if parts.language == parts.usual_language => {}
            Piece::Placeholder("lang?") => path.push_str(&parts.language.to_ascii_lowercase()),
            Piece::Placeholder("categories") => path.push_str(&categories_path(parts.categories)),
            Piece::Placeholder("year") => path.push_str(&parts.date.strftime("%Y").to_string()),
            Piece::Placeholder("month") => path.push_str(&parts.date.strftime("%m").to_string()),
            Piece::Placeholder("day") => path.push_str(&parts.date.strftime("%d").to_string()),
            Piece::Placeholder(_) => {}
        }
    }
    single_slashes(path)
}

/// A post without a section must not live at `//slug`, which is another host.
pub(super) fn single_slashes(mut path: String) -> String {
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

enum Piece<'a> {
    Literal(&'a str),
    Placeholder(&'a str),
}

fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('{')
        && let Some(length) = rest[open..].find('}')
    {
        pieces.push(Piece::Literal(&rest[..open]));
        pieces.push(Piece::Placeholder(&rest[open + 1..open + length]));
        rest = &rest[open + length + 1..];
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

/// Lower case, letters of every script and digits kept, `.`, `_` and `~` within words too, everything else as one `-`.
pub(crate) fn slugify(text: &str) -> String {
    /// Enough for every file name, and for URLs in mails.
    const MAX_CHARS: usize = 200;
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(MAX_CHARS) {
        if c.is_alphanumeric() || is_mark(c) || matches!(c, '_' | '.' | '~') {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') && !matches!(c, '\'' | '’') {
            slug.push('-');
        }
    }
    slug.trim_matches(['-', '.', '_', '~']).to_owned()
}

/// Marks that belong to the letter before them: accents that stand alone in decomposed text (file names of macOS) and the
/// vowel signs and viramas of Indic scripts.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}' | '\u{200C}' | '\u{200D}' | '\u{3099}' | '\u{309A}')
}

/// `path` on the author's site, below the path of the site's own URL; an absolute HTTP URL as it is. `None`: no such URL.
pub(super) fn on_site(site: &Url, path: &str) -> Option<Url> {
    if path.starts_with("http://") || path.starts_with("https://") {
        return web(Url::parse(path).ok()?);
    }
    if path.starts_with("//") {
        return web(site.join(path).ok()?);
    }
    let mut base = site.clone();
    base.set_query(None);
    base.set_fragment(None);
    let base = base.as_str().trim_end_matches('/');
    let slash = if path.starts_with('/') { "" } else { "/" };
    web(Url::parse(&format!("{base}{slash}{path}")).ok()?)
}

/// `url`, if browsers fetch it and it names a host.
pub(super) fn web(url: Url) -> Option<Url> {
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_filled_and_never_leaves_an_empty_segment() {
        let parts = Parts {
            slug: "hello",
            title: "Hello, World",
            section: "",
            language: "en",
            usual_language: "en",
            categories: &["Far Away".to_owned()],
            date: Date::constant(2024, 1, 5),
        };
        assert_eq!(expand("/{section}/{slug}/", &parts), "/hello/");
        assert_eq!(expand("/{year}/{month}/{day}/{title}/", &parts), "/2024/01/05/hello-world/");
        assert_eq!(expand("/{lang}/{slug}", &parts), "/en/hello");
        assert_eq!(expand("/{lang?}/{slug}", &parts), "/hello");
        let abroad = Parts { language: "pt-BR", ..parts };
        assert_eq!(expand("/{lang?}/{slug}", &abroad), "/pt-br/hello");
        assert_eq!(expand("/{categories}/{slug}", &abroad), "/far-away/hello");
    }

    #[test]
    fn slugs_keep_the_letters_of_every_script() {
        let cases = [
            ("Hello World", "hello-world"),
            ("Grüße aus Köln!", "grüße-aus-köln"),
            ("Don't panic", "dont-panic"),
            ("v1.2 notes", "v1.2-notes"),
            ("C++ & Rust", "c-rust"),
            ("हिन्दी", "हिन्दी"),
            ("日本語 の 記事", "日本語-の-記事"),
            ("🎉🎉", ""),
            ("../../etc/passwd", "etc-passwd"),
        ];
        for (text, slug) in cases {
            assert_eq!(slugify(text), slug, "{text}");
        }
    }

    #[test]
    fn links_stay_below_the_path_of_the_site_and_are_safe_in_urls() {
        let site = Url::parse("https://example.org/blog/").unwrap();
        let link = |path: &str| on_site(&site, path).map(String::from);
        assert_eq!(
            link("/posts/grüße/").unwrap(),
            "https://example.org/blog/posts/gr%C3%BC%C3%9Fe/"
        );
        assert_eq!(link("a b").unwrap(), "https://example.org/blog/a%20b");
        assert_eq!(link("https://other.example/x").unwrap(), "https://other.example/x");
        assert_eq!(link("//other.example/x").unwrap(), "https://other.example/x");
        assert_eq!(link("https://"), None);
    }
}
