//! Mails as a browser draws them: on a phone, on a desk, in the light and in the dark.

use std::fs;

use serde::Deserialize;

use crate::harness::browser::{Browser, Scheme};
use crate::harness::program::Project;

/// A post that tries to be wider than a phone.
const WIDE: &str = r#"---
title: Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft and more
date: 2026-01-05
tags: [one, two]
image: /wide.jpg
---
See https://example.org/a/very/long/path/that/never/ends/and/has/no/hyphens/at/all/index.html?with=query&and=more
and Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzentwurfsdebatte.

![A panorama](/wide.jpg)

<img src="/wide.jpg" width="4000" height="300" alt="Another one">

    let one_line_of_code_that_is_much_longer_than_a_phone_is_wide = everything(with, many, arguments, and, more);

| One column | Another column | A third column | A fourth column | A fifth column | A sixth column |
|---|---|---|---|---|---|
| Donaudampfschifffahrtselektrizitätenhauptbetriebswerk | b | c | d | e | f |

> > > - A list in a quote in a quote
> > >   1. and `a_very_long_piece_of_code_within_a_line_of_text_that_does_not_end`

<video src="/film.mp4" width="3000"></video>
"#;

/// Two thousand pixels of nothing.
const PICTURE: &str =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='2000' height='900'/%3E";

/// What the browser measured.
#[derive(Debug, Deserialize)]
struct Seen {
    dark: bool,
    /// How wide the page is, and how wide the window.
    page: u32,
    window: u32,
    /// How wide the column of text is.
    column: u32,
    card: String,
    /// Elements that stick out of the window, but for what scrolls by itself.
    outside: Vec<String>,
    /// Pictures that were drawn.
    pictures: u32,
    preheader: u32,
}

/// What the browser is to measure.
const SEEN: &str = r"(() => {
  const style = (of) => view.getComputedStyle(page.querySelector(of));
  const scrolls = (it) => it.closest('.scroll') && !it.matches('.scroll');
  const outside = [...page.body.querySelectorAll('*')].filter((it) => !scrolls(it)
    && (it.getBoundingClientRect().right > root.clientWidth || it.getBoundingClientRect().left < 0));
  return {
    dark: view.matchMedia('(prefers-color-scheme: dark)').matches,
    page: root.scrollWidth, window: root.clientWidth,
    column: page.querySelector('.column').offsetWidth,
    card: style('.card').backgroundColor,
    outside: outside.map((it) => it.outerHTML.slice(0, 200)),
    pictures: [...page.images].filter((it) => it.naturalWidth > 0).length,
    preheader: page.querySelector('.preheader').offsetHeight,
  };
})()";

#[test]
fn mails_fit_a_phone_and_a_desk_in_the_light_and_in_the_dark() {
    let Some(browser) = Browser::find() else { return };
    let project = Project::new();
    project.write("posts/wide.md", WIDE);
    fs::remove_file(project.path("posts/hello-world.md")).unwrap();
    project.runs("preview post wide --out single.html").well();
    project.runs("preview edition weekly --out digest.html").well();
    for file in ["single.html", "digest.html"] {
        let mail = fs::read_to_string(project.path(file)).unwrap();
        let (start, _) = mail.split_once("/wide.jpg\"").expect("the picture is in both");
        let url = format!("{}/wide.jpg", &start[start.rfind('"').unwrap() + 1..]);
        let mail = mail.replace(&url, PICTURE);
        for (width, column) in [(360, 360), (800, 600)] {
            for (scheme, card) in
                [(Scheme::Light, "rgb(253, 252, 248)"), (Scheme::Dark, "rgb(31, 34, 38)")]
            {
                let seen: Seen = browser.sees((&mail, SEEN), (width, scheme));
                let case = format!("{file} at {width}, {scheme:?}: {seen:?}");
                assert_eq!(seen.dark, scheme == Scheme::Dark, "{case}");
                assert_eq!(seen.card, card, "{case}");
                assert!(seen.page <= seen.window, "{case}");
                assert_eq!(seen.outside, Vec::<String>::new(), "{case}");
                // A scroll bar may take some of it.
                assert!((column - 20..=column).contains(&seen.column), "{case}");
                assert!(seen.pictures > 0, "{case}");
                assert_eq!(seen.preheader, 0, "{case}");
            }
        }
    }
}
