use std::fs;

use tempfile::TempDir;

use super::super::{Context as _, SHIPPED, Templates};
use super::*;

/// A project with these texts.
fn project(files: &[(&str, &str)]) -> (TempDir, Result<Templates, Vec<Diagnostic>>) {
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().join("templates");
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let templates = Templates::load(Some(&folder));
    (project, templates)
}

fn checked(files: &[(&str, &str)]) -> String {
    let found = project(files).1.map_or_else(|found| found, |templates| templates.check_all());
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_shipped_language_has_the_same_texts_with_the_same_variables() {
    let templates = Templates::load(None).unwrap();
    let texts = &templates.0.texts;
    assert!(texts.languages.len() >= 7);
    let english = &texts.languages["en"].variables;
    for (tag, language) in &texts.languages {
        for (key, variables) in english {
            assert_eq!(language.variables.get(key), Some(variables), "{tag}: {key}");
        }
        assert_eq!(language.variables.len(), english.len(), "{tag} has more");
    }
}

#[test]
fn every_shipped_text_can_be_shown() {
    let templates = Templates::load(None).unwrap();
    let texts = &templates.0.texts;
    for (tag, language) in &texts.languages {
        for (key, variables) in &language.variables {
            for number in [0, 1, 2, 1_000_000] {
                let mut arguments = FluentArgs::new();
                for name in variables {
                    arguments.set(name.clone(), number);
                }
                let text = texts.text((tag, key), &arguments).unwrap().unwrap();
                assert!(!text.is_empty() && !text.contains(['{', '<', '&', '\n']), "{tag}: {text}");
            }
        }
    }
}

#[test]
fn a_text_is_told_in_the_nearest_language_that_has_it() {
    let own = [("texts/pt-BR.ftl", "error-gone = Sumiu\n"), ("texts/x.txt", "{{")];
    let (_project, templates) = project(&[own[0]]);
    let templates = templates.unwrap();
    assert_eq!(templates.text("pt-BR", "error-gone", &[]), "Sumiu");
    assert_eq!(templates.text("pt-br", "error-failed", &[]), "Isso não funcionou");
    assert_eq!(templates.text("pt", "error-gone", &[]), "Já não está aqui");
    assert_eq!(templates.text("tlh", "error-gone", &[]), "Gone");
    assert_eq!(templates.language(["tlh", "de-AT", "fr"]), "de-AT");
    assert_eq!(templates.language(["tlh"]), "en");
}

#[test]
fn an_owner_changes_single_texts_and_the_rest_stays() {
    let (_project, templates) = project(&[("texts/de.ftl", "confirm-button = Na klar\n")]);
    let templates = templates.unwrap();
    assert_eq!(templates.check_all(), []);
    assert_eq!(templates.text("de", "confirm-button", &[]), "Na klar");
    assert_eq!(templates.text("de", "error-gone", &[]), "Nicht mehr da");
}

#[test]
fn what_an_owners_texts_lack_or_get_wrong_is_told() {
    let lacking = "confirm-buton = Tak\nconfirm-heading = { $newsleter }?\nmail-leave = Wypisz\n";
    insta::assert_snapshot!(checked(&[("texts/pl.ftl", lacking)]));
    let broken = checked(&[("texts/de.ftl", "confirm-button = { $\nerror-gone = Weg\n")]);
    assert!(broken.starts_with("templates/texts/de.ftl:1:"), "{broken}");
    let odd = checked(&[("texts/german_!.ftl", "a = b\n")]);
    assert!(odd.contains("`german_!` is not a language tag"), "{odd}");
}

#[test]
fn a_template_that_asks_for_a_text_that_is_not_there_is_told_so() {
    let told = |text: &str| checked(&[("mail/confirm/subject.txt", text)]);
    let vain = told("{{ t(\"confirm-buton\") }}");
    assert!(
        vain.contains("there is no text `confirm-buton`; did you mean `confirm-button`?"),
        "{vain}"
    );
    let without = told("{{ t(\"confirm-heading\") }}");
    assert!(without.contains("the text `confirm-heading` cannot be shown"), "{without}");
    let own = ("mail/confirm/subject.txt", "{{ t(\"greeting\") }}");
    assert_eq!(checked(&[own, ("texts/en.ftl", "greeting = Hello\n")]), "");
}

#[test]
fn what_is_put_into_a_text_cannot_become_markup() {
    let page = "{% set title %}<b>{{ newsletter.title }}</b>{% endset %}{{ t(\"confirm-heading\", newsletter=title) }} {{ t(\"confirm-heading\", newsletter=\"<i>\\\"&\u{fdd0}0\u{fdd1}\") }}";
    let (_project, templates) = project(&[("page/confirmed.html", page)]);
    let (_, context) = crate::template::ConfirmedPage::samples().remove(0);
    let html = templates.unwrap().render("page/confirmed.html", &context).unwrap();
    assert!(html.contains("<b>Field Notes weekly</b>?"), "{html}");
    assert!(html.contains("&lt;i&gt;&quot;&amp;"), "{html}");
    assert!(SHIPPED.iter().any(|(name, _)| *name == "texts/de.ftl"));
}

#[test]
fn dates_are_written_as_people_write_them() {
    let page = "{{ \"2026-05-01T10:00:00Z\"|date }}";
    let (_project, templates) = project(&[("page/confirmed.html", page)]);
    let templates = templates.unwrap();
    let written = |language: &str| {
        let (_, context) = crate::template::ConfirmedPage::samples().remove(0);
        let context = crate::template::ConfirmedPage { language: language.to_owned(), ..context };
        templates.render("page/confirmed.html", &context).unwrap()
    };
    let dates = ["en", "de", "fr", "es", "it", "pt-BR", "nl", "tlh"].map(written);
    assert_eq!(
        dates.join(" | "),
        "1 May 2026 | 1. Mai 2026 | 1er mai 2026 | 1 de mayo de 2026 | 1º maggio 2026 | 1 de maio de 2026 | 1 mei 2026 | 1 May 2026"
    );
}
