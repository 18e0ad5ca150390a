//! Jekyll's way to write where a post lives: `/:categories/:year/:title.html`, or the name of a style.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::permalink::{single_slashes, slugify};

/// What a template can name, of a post.
pub(super) struct Place<'a> {
    pub(super) slug: &'a str,
    pub(super) categories: &'a [String],
    pub(super) published_at: Option<Timestamp>,
}

/// Jekyll's styles by name.
const STYLES: [(&str, &str); 5] = [
    ("date", "/:categories/:year/:month/:day/:title:output_ext"),
    ("pretty", "/:categories/:year/:month/:day/:title/"),
    ("ordinal", "/:categories/:year/:y_day/:title:output_ext"),
    ("weekdate", "/:categories/:year/W:week/:short_day/:title:output_ext"),
    ("none", "/:categories/:title:output_ext"),
];

impl Place<'_> {
    /// The path that `written` stands for in `zone`. `None`: it is no template of Jekyll's, or names what we don't know.
    pub(super) fn fill(&self, written: &str, zone: &TimeZone) -> Option<String> {
        let style = STYLES.iter().find(|(name, _)| *name == written).map(|(_, template)| *template);
        let template = style.unwrap_or(written);
        let is_template = template.starts_with(':') || template.contains("/:");
        if !is_template {
            return None;
        }
        let mut path = String::with_capacity(template.len() + self.slug.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once(':') {
            path.push_str(before);
            let end =
                after.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(after.len());
            path.push_str(&self.part(&after[..end], zone)?);
            rest = &after[end..];
        }
        path.push_str(rest);
        Some(single_slashes(path))
    }

    fn part(&self, name: &str, zone: &TimeZone) -> Option<String> {
        let format = match name {
            "title" | "slug" | "name" => return Some(self.slug.to_owned()),
            "categories" | "slugified_categories" => {
                return Some(categories_path(self.categories));
            }
            "output_ext" => return Some(".html".to_owned()),
            "year" => "%Y",
            "short_year" => "%y",
            "month" => "%m",
            "i_month" => "%-m",
            "short_month" => "%b",
            "long_month" => "%B",
            "day" => "%d",
            "i_day" => "%-d",
            "y_day" => "%j",
            "w_year" => "%G",
            "week" => "%V",
            "w_day" => "%u",
            "short_day" => "%a",
            "long_day" => "%A",
            "hour" => "%H",
            "minute" => "%M",
            "second" => "%S",
            _ => return None,
        };
        let at = self.published_at?.to_zoned(zone.clone());
        Some(at.strftime(format).to_string())
    }
}

/// `Sports/Ball games` -> `sports/ball-games`.
pub(super) fn categories_path(categories: &[String]) -> String {
    let parts = categories.iter().flat_map(|category| category.split('/')).map(slugify);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jekylls_styles_and_templates_become_paths() {
        let categories = ["Travel".to_owned(), "Far Away".to_owned()];
        let place = Place {
            slug: "hello",
            categories: &categories,
            published_at: Some("2024-02-05T23:30:00Z".parse().unwrap()),
        };
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let cases = [
            ("date", Some("/travel/far-away/2024/02/06/hello.html")),
            ("pretty", Some("/travel/far-away/2024/02/06/hello/")),
            ("ordinal", Some("/travel/far-away/2024/037/hello.html")),
            ("weekdate", Some("/travel/far-away/2024/W06/Tue/hello.html")),
            ("none", Some("/travel/far-away/hello.html")),
            ("/:year/:i_month/:i_day/:slug", Some("/2024/2/6/hello")),
            (":title.html", Some("hello.html")),
            ("/blog/:short_year/:title:output_ext", Some("/blog/24/hello.html")),
            ("/:nonsense/:title/", None),
            ("/a/b/", None),
            ("other", None),
        ];
        for (template, path) in cases {
            assert_eq!(place.fill(template, &zone).as_deref(), path, "{template}");
        }
        let bare = Place { categories: &[], ..place };
        assert_eq!(bare.fill("pretty", &zone).as_deref(), Some("/2024/02/06/hello/"));
        let undated = Place { published_at: None, ..bare };
        assert_eq!(undated.fill("pretty", &zone), None);
    }
}
