use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

/// A project's `templates/` folder with these files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let project = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = project.path().join("templates").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    project
}

fn load(project: &TempDir) -> Result<Templates, Vec<Diagnostic>> {
    Templates::load(Some(&project.path().join("templates")))
}

/// What `check` says when `text` stands in the place of the shipped template `name`.
fn checked(name: &str, text: &str) -> String {
    let found = load(&project(&[(name, text)])).unwrap().check_all();
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn rendered(name: &str, sample: &str) -> String {
    let templates = Templates::load(None).unwrap();
    let families = context::families();
    let family = families.iter().find(|family| family.claims(name)).unwrap();
    let (_, value) = family.samples.iter().find(|(known, _)| *known == sample).unwrap();
    templates.render_value(name, value).unwrap()
}

#[test]
fn the_shipped_templates_render_with_every_sample() {
    let templates = Templates::load(None).unwrap();
    assert_eq!(templates.check_all(), []);
    assert!(templates.has("mail/digest/body.html"));
    assert!(!templates.has("mail/digest/body.md"));
}

#[test]
fn the_shipped_list_is_the_shipped_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut names: Vec<_> =
        folder::read(&folder).into_iter().map(|found| found.unwrap().0).collect();
    names.sort();
    assert_eq!(names, SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn every_page_looks_as_it_should() {
    let styles = |html: &str| {
        let mut html = html.to_owned();
        for (begin, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
            let Some((head, rest)) = html.split_once(begin) else { continue };
            let (_, rest) = rest.split_once(end).unwrap();
            html = format!("{head}{begin}…{end}{rest}");
        }
        html
    };
    let templates = Templates::load(None).unwrap();
    for family in context::families() {
        for (name, _) in SHIPPED.iter().filter(|(name, _)| name.starts_with("page/")) {
            if !family.claims(name) {
                continue;
            }
            for (sample, value) in &family.samples {
                let html = templates.render_value(name, value).unwrap();
                let title = format!("{}, {sample}", name.trim_end_matches(".html"));
                insta::assert_snapshot!(title.replace([' ', '/', ','], "-"), styles(&html));
            }
        }
    }
}

#[test]
fn a_page_brings_its_style_and_asks_nobody_for_anything() {
    let html = rendered("page/error.html", "not found");
    insta::assert_snapshot!("page-whole", html);
    for foreign in ["<script", "<link rel=\"stylesheet", "@import", "url(", "//fonts"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

#[test]
fn the_default_call_is_json_of_the_stated_shape() {
    insta::assert_snapshot!("call-a-post", rendered("crosspost/default.json", "a post"));
    let odd = rendered("crosspost/default.json", "no image, right to left");
    insta::assert_snapshot!("call-odd", odd);
    let value: serde_json::Value = serde_json::from_str(&odd).unwrap();
    assert_eq!(value["type"], "post.removed");
    assert_eq!(value["data"]["title"], "שלום 👩‍🚀 & <b>\"עולם\"</b>");
    assert_eq!(value["data"]["image"], serde_json::Value::Null);
    let long = rendered("crosspost/default.json", "a post too large for a call");
    assert!(!long.contains("\"html\""));
}

#[test]
fn markup_in_a_title_is_escaped_in_html_and_left_alone_in_text() {
    let sample = "no image, right to left";
    assert!(rendered("mail/digest/body.html", sample).contains("&lt;b&gt;"));
    assert!(rendered("mail/digest/body.txt", sample).contains("<b>\"עולם\"</b>"));
    assert!(rendered("mail/digest/subject.txt", sample).contains("& <b>"));
}

#[test]
fn a_projects_file_stands_in_the_place_of_ours() {
    let project = project(&[
        ("mail/confirm/subject.txt", "\u{feff}Say yes to {{ newsletter.title }}\r\n"),
        ("crosspost/chat.json", "{\"text\": {{ data.title }} }"),
        (".git/junk.txt", "{{"),
        ("notes.md", "{{"),
    ]);
    let templates = load(&project).unwrap();
    assert_eq!(templates.check_all(), []);
    let (_, context) = ConfirmContext::samples().remove(0);
    let subject = templates.render("mail/confirm/subject.txt", &context).unwrap();
    assert_eq!(subject, "Say yes to Field Notes weekly");
    let (_, context) = CrosspostContext::samples().remove(0);
    let call = templates.render("crosspost/chat.json", &context).unwrap();
    assert_eq!(call, r#"{"text": "A walk along the river" }"#);
}

#[test]
fn a_folder_that_is_not_there_overrides_nothing() {
    let project = tempfile::tempdir().unwrap();
    assert!(load(&project).is_ok());
}

#[test]
fn all_syntax_errors_are_told_at_once_with_their_places() {
    let project = project(&[
        ("mail/digest/body.txt", "fine\n{% if posts %}\nnever closed\n"),
        ("mail/single/subject.txt", "{{ post.title | }}"),
    ]);
    let found = load(&project).unwrap_err();
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    templates/mail/digest/body.txt:3:1: unexpected end of input, expected end of block; templates are not taken over while one of them has an error
    templates/mail/single/subject.txt:1:17: unexpected end of variable block, expected identifier; templates are not taken over while one of them has an error
    ");
}

#[test]
fn files_that_cannot_be_templates_are_refused_by_name() {
    let project = project(&[("page/x.html", "ok")]);
    let folder = project.path().join("templates");
    fs::write(folder.join("latin.txt"), b"caf\xe9").unwrap();
    fs::write(folder.join("huge.html"), "x".repeat(1_000_001)).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&folder, folder.join("page/loop")).unwrap();
    let found = load(&project).unwrap_err();
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    templates/huge.html: the template has 1000001 bytes; at most 1000000 are read; templates are not taken over while one of them has an error
    templates/latin.txt: the template is not UTF-8: byte 3 is the first odd one; templates are not taken over while one of them has an error (save the file as UTF-8)
    templates/page/loop: the link leads back to a folder that it is in
    ");
}

#[test]
fn an_undefined_variable_is_named_with_its_place_and_the_nearest_name() {
    insta::assert_snapshot!(checked("mail/single/subject.txt", "New:\n  {{ post.tilte }}"), @"templates/mail/single/subject.txt:2:6: `post.tilte` is undefined (with the sample `a post`); this mail cannot be written (did you mean `title`?)");
    insta::assert_snapshot!(checked("mail/digest/subject.txt", "{{ newsleter.title }}"), @"templates/mail/digest/subject.txt:1:4: `newsleter` is undefined (with the sample `several posts`); this mail cannot be written (did you mean `newsletter`?)");
    insta::assert_snapshot!(checked("mail/digest/body.txt", "{% for p in posts %}{{ p.sumary }}{% endfor %}"), @"templates/mail/digest/body.txt:1:24: `p.sumary` is undefined (with the sample `several posts`); this mail cannot be written (did you mean `summary`?)");
    insta::assert_snapshot!(checked("mail/confirm/subject.txt", "{{ zebra }}"), @"templates/mail/confirm/subject.txt:1:4: `zebra` is undefined (with the sample `a newsletter`); this mail cannot be written (the data here has `site`, `newsletter`, `language`, `confirm_url`, `home_url`, `postal_address`)");
}

#[test]
fn an_unknown_filter_or_template_is_named_with_the_nearest_one() {
    insta::assert_snapshot!(checked("mail/single/subject.txt", "{{ post.title|trunkate(20) }}"), @"templates/mail/single/subject.txt:1:15: there is no filter `trunkate` (with the sample `a post`); this mail cannot be written (did you mean `truncate`?)");
    insta::assert_snapshot!(checked("mail/single/body.html", "{% include \"mail/foter.html\" %}"), @"templates/mail/single/body.html:1:4: there is no template `mail/foter.html` (with the sample `a post`); this mail cannot be written (did you mean `mail/footer.html`?)");
    insta::assert_snapshot!(checked("mail/single/body.txt", "{{ post.title|date }}"), @"templates/mail/single/body.txt:1:15: `date` wants a time, not `A walk along the river` (with the sample `a post`); this mail cannot be written");
}

#[test]
fn an_error_in_an_included_part_is_told_where_it_is() {
    insta::assert_snapshot!(checked("mail/footer.txt", "one\n\ntwo {{ unsubscribe_link }}"), @"templates/mail/footer.txt:3:8: `unsubscribe_link` is undefined (with the sample `a post`); this mail cannot be written (did you mean `unsubscribe_url`?)");
}

#[test]
fn a_template_that_never_ends_is_stopped() {
    let endless = "{% for i in range(90000) %}{% for j in range(90000) %}{% set x = i %}{% endfor %}{% endfor %}";
    insta::assert_snapshot!(checked("mail/confirm/subject.txt", endless), @"templates/mail/confirm/subject.txt:1:1: the template is not done after 1000000 steps (with the sample `a newsletter`); this mail cannot be written (look for a loop inside a loop over many things)");
    let recursive = "{% include \"mail/confirm/subject.txt\" %}";
    insta::assert_snapshot!(checked("mail/confirm/subject.txt", recursive), @"templates/mail/confirm/subject.txt:1:4: recursion limit exceeded (with the sample `a newsletter`); this mail cannot be written");
}

#[test]
fn a_template_that_produces_too_much_is_stopped() {
    let huge = "{{ \"0123456789\" * 250000 }}";
    insta::assert_snapshot!(checked("mail/confirm/subject.txt", huge), @"templates/mail/confirm/subject.txt: the template produces more than 2000000 bytes (with the sample `a newsletter`); this mail cannot be written");
    let drop_by_drop =
        "{% for i in range(90000) %}0123456789012345678901234567890123456789{% endfor %}";
    insta::assert_snapshot!(checked("mail/confirm/subject.txt", drop_by_drop), @"templates/mail/confirm/subject.txt: the template produces more than 2000000 bytes (with the sample `a newsletter`); this mail cannot be written");
}

#[test]
fn a_call_that_is_no_json_is_refused() {
    insta::assert_snapshot!(checked("crosspost/chat.json", "{\"text\": \"{{ data.title }}\"}"), @r#"templates/crosspost/chat.json: the result is not JSON: expected `,` or `}` at line 1 column 12: `{"text": ""A walk along the river""}` (with the sample `a post`); this call cannot be made (write values without quotes around them, as in `"title": {{ data.title }}`)"#);
}

#[test]
fn a_misspelt_override_is_warned_about() {
    insta::assert_snapshot!(checked("mail/digest/bodi.html", "hello"), @"templates/mail/digest/bodi.html: nothing uses `mail/digest/bodi.html`; the file has no effect (did you mean `mail/digest/body.html`?)");
}

#[test]
fn filters_named_in_did_you_mean_exist() {
    let environment = environment(None);
    let mut state = environment.empty_state();
    for name in report::FILTERS.into_iter().chain(filters::OURS) {
        let result = state.apply_filter(name, &[]);
        let unknown = result.err().is_some_and(|error| error.kind() == ErrorKind::UnknownFilter);
        assert!(!unknown, "{name}");
    }
}
