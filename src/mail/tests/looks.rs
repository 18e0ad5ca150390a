//! What must hold of every mail's HTML and text, so that the mail readers there are show it well.

use std::collections::BTreeSet;

use super::*;
use crate::content;
use crate::mail::fit::MAX_HTML;

/// Bytes of `<style>` above which Gmail drops all of it.
const MAX_STYLE: usize = 16 * 1024;

/// Ink and ground that meet somewhere, in the light and in the dark.
const PALETTE: [(&str, &[&str]); 2] = [
    (
        "light",
        &[
            "#5d6169 on #f3f0e9",
            "#3f444b on #f3f0e9",
            "#4a4f57 on #f3f0e9",
            "#1f2328 on #fdfcf8",
            "#2c3036 on #fdfcf8",
            "#5d6169 on #fdfcf8",
            "#555a62 on #fdfcf8",
            "#22629e on #fdfcf8",
            "#fbfaf6 on #22629e",
            "#2c3036 on #f0ede4",
            "#2c3036 on #f7e8a9",
            "#62656b on #f0ede4",
            "#2c6a1f on #f0ede4",
            "#8a4b08 on #f0ede4",
            "#8a2a7e on #f0ede4",
            "#1c5aa6 on #f0ede4",
        ],
    ),
    (
        "dark",
        &[
            "#a9adb4 on #15171a",
            "#c3c7cc on #15171a",
            "#f1efe9 on #15171a",
            "#f1efe9 on #1f2226",
            "#dad8d1 on #1f2226",
            "#a9adb4 on #1f2226",
            "#8ab6ea on #1f2226",
            "#dad8d1 on #15171a",
            "#f1efe9 on #5c4b14",
            "#9a9ea6 on #15171a",
            "#a8c98a on #15171a",
            "#e0b07a on #15171a",
            "#d79bd0 on #15171a",
            "#8db8ea on #15171a",
        ],
    ),
];
/// Colours of lines, which nobody reads.
const LINES: [&str; 3] = ["#e4e0d6", "#d8d3c6", "#3a3f45"];

fn single(post: Written) -> Composed {
    compose(Cadence::Instant, vec![post])
}

fn long_post(paragraphs: usize) -> Written {
    let html: Vec<_> = (1..=paragraphs)
        .map(|n| format!("<p>Paragraph {n} of a <em>long</em> <a href=\"https://example.org/{n}\">story</a>.</p>\n"))
        .collect();
    let html = format!("<h2>One</h2>\n{}", html.concat());
    written(river_post(), &html, &content::plain_text(&html))
}

/// Every kind of mail, with all that a post can hold.
fn all() -> Vec<(&'static str, Composed)> {
    let players = "<video src=\"https://example.org/a.mp4\"></video><h1>x</h1><details><summary>s</summary>t</details>\
        <img src=\"data:image/png;base64,AAAA\" alt=\"dot\"><p>a <img src=\"https://example.org/i.png\"> b</p>\
        <p><img src=\"https://example.org/wide.png\" srcset=\"https://example.org/b.png 2x\"></p>\
        <pre><code class=\"language-rust\">// c\nfn main() { let a = (1, &quot;s&quot;); }\n</code></pre>\
        <section class=\"footnotes\"><p>f <mark>m</mark> <kbd>k</kbd></p></section>";
    let tagged = Post { tags: vec!["tag".into()], ..river_post() };
    let full = written(tagged, &format!("{RIVER_HTML}{players}"), RIVER_TEXT);
    vec![
        ("digest", digest()),
        ("digest of titles", compose(Cadence::Weekly, many(200, 60))),
        ("single", single(full)),
        ("single, cut", single(long_post(3_000))),
        ("single, right to left", single(odd())),
        ("confirmation", confirmation()),
    ]
}

fn many(count: usize, words: usize) -> Vec<Written> {
    let summary = "words and ".repeat(words / 2);
    (1..=count)
        .map(|n| {
            let post = post(&format!("p{n:03}"), &format!("Post {n:03}"));
            written(Post { summary: summary.clone(), ..post }, "<p>Hold.</p>", "Hold.")
        })
        .collect()
}

/// The values of all `style` attributes.
fn inlined(html: &str) -> impl Iterator<Item = &str> {
    html.split(" style=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// Every tag of an element, from `<name` to `>`.
fn tags<'h>(html: &'h str, name: &'h str) -> Vec<&'h str> {
    let begins = |rest: &&str| rest.strip_prefix(name).is_some_and(|it| it.starts_with([' ', '>']));
    html.split('<').filter(begins).filter_map(|rest| rest.split('>').next()).collect()
}

fn body(html: &str) -> &str {
    &html[html.find("<body").unwrap()..]
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| c.is_whitespace() || "<>·.,:;()|".contains(c))
        .filter(|word| !word.contains("//") && word.contains(char::is_alphanumeric))
        .map(str::to_lowercase)
        .collect()
}

#[test]
fn a_post_too_large_for_mail_is_cut_between_paragraphs_and_says_where_it_goes_on() {
    let post = long_post(4_000);
    assert!(post.body.html.len() > 300_000);
    let composed = single(post);
    assert!(composed.html.len() <= MAX_HTML, "{}", composed.html.len());
    assert!(composed.html.len() > MAX_HTML * 8 / 10, "{}", composed.html.len());
    let shown = composed.html.matches(">Paragraph ").count();
    assert!(composed.text.contains(&format!("Paragraph {shown} of a long story [")));
    assert!(!composed.text.contains(&format!("Paragraph {} of", shown + 1)));
    for part in [&composed.html, &composed.text] {
        assert!(part.contains("Read on at example.org"));
        assert!(part.contains("https://news.example.org/unsubscribe/"));
        assert!(part.contains("1 River Lane"));
    }
    assert_eq!(composed.warnings.len(), 1);
    assert_eq!(composed.warnings[0].code, "mail-too-large");
    assert_eq!(composed.warnings[0].file.as_deref(), Some("posts/river.md"));
    // What a template may write at all is less than the largest post.
    let paragraph = format!("<p>{}</p>", "word ".repeat(200));
    let largest = written(river_post(), &paragraph.repeat(2_200), RIVER_TEXT);
    assert!(single(largest).html.len() <= MAX_HTML);
}

#[test]
fn a_post_that_cannot_be_cut_goes_out_as_its_summary_with_a_link() {
    let html = format!("<pre>{}</pre>", "let x = 1;\n".repeat(20_000));
    let composed = single(written(river_post(), &html, RIVER_TEXT));
    assert!(composed.html.len() < 20_000 && composed.text.len() < 2_000);
    for part in [&composed.html, &composed.text] {
        assert!(part.contains("What there is to say about river"));
        assert!(part.contains("Read on at example.org"));
    }
    assert_eq!(composed.warnings[0].code, "mail-too-large");
}

#[test]
fn a_digest_too_large_for_mail_has_shorter_summaries_and_then_titles_but_all_of_them() {
    let shorter = compose(Cadence::Weekly, many(60, 200));
    let titles = compose(Cadence::Weekly, many(200, 60));
    for (composed, count) in [(&shorter, 60), (&titles, 200)] {
        assert!(composed.html.len() <= MAX_HTML, "{}", composed.html.len());
        for n in 1..=count {
            for part in [&composed.html, &composed.text] {
                assert!(part.contains(&format!("Post {n:03}")));
                assert!(part.contains(&format!("https://example.org/posts/p{n:03}/")));
            }
        }
        for part in [&composed.html, &composed.text] {
            assert!(part.contains("https://news.example.org/unsubscribe/"));
        }
        assert_eq!(composed.warnings.len(), 1);
        assert_eq!(composed.warnings[0].code, "mail-too-large");
    }
    assert!(shorter.html.contains("words and") && shorter.html.contains('…'));
    assert!(!body(&titles.html).replace("preheader", "").contains("Read on"));
    assert!(
        compose(Cadence::Weekly, many(1_000, 2)).warnings[0]
            .effect
            .as_deref()
            .unwrap()
            .contains("Gmail cuts")
    );
}

#[test]
fn what_a_list_of_mails_shows_is_there_once_and_hidden() {
    for (name, composed) in all() {
        assert_eq!(composed.html.matches("class=\"preheader\"").count(), 1, "{name}");
        let (_, rest) = composed.html.split_once("class=\"preheader\"").unwrap();
        let (style, rest) = rest.split_once('>').unwrap();
        assert!(
            style.contains("display:none") && style.contains("mso-hide:all"),
            "{name}: {style}"
        );
        let shown = rest.split("</div>").next().unwrap();
        assert!((5..=160).contains(&shown.chars().count()), "{name}: {shown}");
        assert!(!shown.contains(['\u{200c}', '\u{a0}', '\u{34f}']), "{name}: stuffed");
    }
    assert!(
        single(river()).html.contains(">What there is to say about river, in one sentence.</div>")
    );
    assert!(single(odd()).html.contains(">שורה אחת.</div>"));
}

#[test]
fn screen_readers_find_language_title_and_one_first_heading() {
    for (name, Composed { html, .. }) in all() {
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\""), "{name}");
        assert_eq!(tags(&html, "h1").len(), 1, "{name}");
        let title = html.split("<title>").nth(1).and_then(|it| it.split("</title>").next());
        assert!(title.is_some_and(|it| !it.trim().is_empty()), "{name}");
        assert!(
            html.contains(
                "role=\"article\" aria-roledescription=\"email\" lang=\"en\" dir=\"ltr\""
            )
        );
        for table in tags(&html, "table") {
            let is_layout =
                !table.starts_with("table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" style=");
            assert_eq!(table.contains("role=\"presentation\""), is_layout, "{name}: {table}");
        }
        for rest in html.split("<a ").skip(1) {
            let link = &rest[..rest.find("</a>").unwrap()];
            let words = content::plain_text(&format!("<i {link}"));
            assert!(link.contains("href=\"http") && !words.trim().is_empty(), "{name}: {link}");
        }
    }
    let rtl = single(odd()).html;
    assert!(rtl.contains("<div lang=\"he\" dir=\"rtl\" style=\"text-align: right;\">"), "{rtl}");
}

#[test]
fn nothing_is_used_that_mail_readers_do_not_know() {
    let no_css = [
        "flex",
        "grid",
        "position",
        "var(",
        "rem",
        "background-image",
        "url(",
        "margin:-",
        "float",
        "opacity",
        "calc",
        "#fff;",
        "#000",
        "#fff",
        "inherit",
        "vh",
        "overflow-wrap",
    ];
    let no_tags = [
        "script",
        "link",
        "form",
        "input",
        "button",
        "svg",
        "picture",
        "video",
        "audio",
        "iframe",
        "section",
        "article",
        "figure",
        "figcaption",
        "details",
        "summary",
        "main",
        "header",
        "footer",
    ];
    for (name, Composed { html, .. }) in all() {
        for style in inlined(&html) {
            for word in no_css {
                assert!(!style.contains(word), "{name}: `{word}` in {style}");
            }
        }
        for tag in no_tags {
            assert_eq!(tags(&html, tag), Vec::<&str>::new(), "{name}");
        }
        assert!(!html.contains("data:image") && !html.contains("srcset"), "{name}");
    }
}

#[test]
fn what_is_essential_is_in_the_elements_and_the_styles_that_stay_are_small() {
    for (name, Composed { html, .. }) in all() {
        let styles: Vec<_> =
            html.split("<style").skip(1).map(|it| it.split("</style>").next().unwrap()).collect();
        assert_eq!(styles.len(), 2, "{name}");
        assert!(styles.iter().map(|it| it.len()).sum::<usize>() <= MAX_STYLE, "{name}");
        assert!(
            styles[0].contains("max-width: 480px")
                && styles[1].contains("prefers-color-scheme: dark")
        );
        assert!(tags(&html, "h1")[0].contains("font-size:30px"), "{name}");
        // What Word reads and others skip.
        assert_eq!(html.matches("<!--[if mso]>").count(), 3, "{name}");
        assert_eq!(html.matches("<![endif]-->").count(), 3, "{name}");
        assert!(html.contains("<!--[if mso]><table role=\"presentation\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"600\""));
        assert!(html.contains("max-width:600px"), "{name}");
    }
    assert!(confirmation().html.contains("mso-padding-alt:13px 26px"));
}

#[test]
fn pictures_say_what_they_show_and_stay_within_the_column() {
    let mut seen = 0;
    for (name, Composed { html, .. }) in all() {
        for image in tags(&html, "img") {
            seen += 1;
            assert!(image.contains(" alt=\""), "{name}: {image}");
            assert!(image.contains("max-width:"), "{name}: {image}");
            assert!(image.contains("font-style:italic"), "{name}: {image}");
            let width = image.split(" width=\"").nth(1).and_then(|it| it.split('"').next());
            assert!(width.is_none_or(|it| it.parse::<u32>().unwrap() <= 528), "{name}: {image}");
        }
    }
    assert!(seen > 3);
    let drawn =
        Post { image: Some(Box::new(url("https://example.org/a.svg?v=1"))), ..river_post() };
    let drawn = written(drawn, RIVER_HTML, RIVER_TEXT);
    assert!(!compose(Cadence::Daily, vec![drawn]).html.contains("a.svg"));
}

#[test]
fn every_colour_can_be_read_on_its_ground() {
    let mut known: BTreeSet<&str> = LINES.into();
    for (scheme, pairs) in PALETTE {
        for pair in pairs {
            let (ink, ground) = pair.split_once(" on ").unwrap();
            known.extend([ink, ground]);
            let seen = contrast(ink, ground);
            assert!(seen >= 4.5, "{scheme}: {pair} is {seen:.2}");
            let forced = contrast(&inverted(ink), &inverted(ground));
            assert!(scheme == "dark" || forced >= 4.5, "inverted: {pair} is {forced:.2}");
        }
    }
    let used: BTreeSet<String> = all()
        .iter()
        .flat_map(|(_, it)| it.html.split('#').skip(1).filter_map(|rest| rest.get(..6)))
        .filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(|it| format!("#{it}"))
        .collect();
    let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    assert_eq!(used, known, "the palette is what the mails use");
}

fn channels(colour: &str) -> [u8; 3] {
    [1, 3, 5].map(|at| u8::from_str_radix(&colour[at..at + 2], 16).unwrap())
}

fn inverted(colour: &str) -> String {
    let [red, green, blue] = channels(colour).map(|channel| 255 - channel);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// WCAG 2's contrast ratio.
fn contrast(a: &str, b: &str) -> f64 {
    let luminance = |colour: &str| {
        let [red, green, blue] = channels(colour).map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn both_parts_say_the_same() {
    for (name, composed) in all() {
        let html = words(&content::plain_text(body(&composed.html)));
        let text = words(&composed.text);
        let common = html.intersection(&text).count();
        for (part, words) in [("html", html.len()), ("text", text.len())] {
            assert!(common * 10 >= words * 6, "{name}: {common} of {words} words of the {part}");
        }
    }
}

#[test]
fn the_text_fits_into_72_columns() {
    for (name, composed) in all() {
        for line in composed.text.lines().filter(|line| !line.starts_with("    ")) {
            let is_short = line.chars().count() <= 72;
            assert!(is_short || !line.trim().contains(' '), "{name}: {line}");
        }
        assert!(!composed.text.contains("\n\n\n"), "{name}");
    }
    let text = "See the map <https://example.org/map/> and the mill.";
    let linked = written(river_post(), RIVER_HTML, text);
    let text = single(linked).text;
    assert!(
        text.contains("\nSee the map [1] and the mill.\n\n[1] https://example.org/map/\n"),
        "{text}"
    );
}
