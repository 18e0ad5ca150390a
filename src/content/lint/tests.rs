use super::super::SourceFile;
use super::*;

fn page(text: &str) -> Page<'_> {
    let file = SourceFile::new("posts/a.md", "a.md", text.as_bytes());
    Page::read(&file, "A title", &BTreeMap::new()).expect("a post")
}

/// `code line:column message` of each finding.
fn found(text: &str) -> Vec<String> {
    let page = page(text);
    let line = |finding: &Diagnostic| {
        let at = finding.position.expect("a place");
        format!("{} {}:{} {}", finding.code, at.line, at.column, finding.message)
    };
    page.findings.iter().map(line).collect()
}

const FRONT: &str = "---\ntitle: A title\ndescription: About it\n---\n";

fn body(text: &str) -> Vec<String> {
    found(&format!("{FRONT}{text}"))
}

#[test]
fn notes_to_oneself_are_found_in_prose_and_not_in_code() {
    assert_eq!(
        body(
            "Ä TK and *TODO*.\n\n# FIXME\n\n`TODO` TODOS xTK todo XXXL\n\n```\nXXX\n```\n\n    TK\n"
        ),
        [
            "post-todo 5:3 `TK` is left in the text",
            "post-todo 5:11 `TODO` is left in the text",
            "post-todo 7:3 `FIXME` is left in the text",
        ]
    );
}

#[test]
fn images_need_words_or_a_decision() {
    assert_eq!(
        body(
            "![](a.png) ![words](b.png) ![`code`](c.png)\n\n<img src=d.png>\n\n<p>\n<img alt=\"\" src=e.png>\n</p>\n\n\
             x <img src=\"f.png\" alt=\"words\"> <img role=presentation src=g.png>\n\n`![](h.png)`\n"
        ),
        [
            "post-alt-missing 5:1 the image has no alt text",
            "post-alt-missing 7:1 the image has no `alt`",
        ]
    );
}

#[test]
fn what_the_post_is_about_is_asked_for_unless_its_beginning_is_marked() {
    let missing = "post-description-missing 1:1 the post has no description";
    assert_eq!(found("---\ntitle: A\n---\nText\n"), [missing]);
    assert!(found("---\ntitle: A\nexcerpt: About\n---\nText\n").is_empty());
    assert!(found("---\ntitle: A\n---\nBeginning\n<!-- more -->\nText\n").is_empty());
    let title = "A title that goes on and on, past what any mail program shows of a subject line";
    let text = format!("---\ndescription: x\ntitle: {title}\n---\n");
    let file = SourceFile::new("posts/a.md", "a.md", text.as_bytes());
    let page = Page::read(&file, title, &BTreeMap::new()).unwrap();
    assert_eq!(page.findings[0].code, "post-title-long");
    assert_eq!(page.findings[0].place(), "posts/a.md:3:1");
}

#[test]
fn keys_that_look_like_slips_are_told_and_others_are_the_authors_own() {
    let text = "---\ntitel: A\ntitle: A\ndescripton: x\nlayout: post\nmood: fine\nmy_own_thing: 1\nWeather: rain\n---\n";
    let page = page(text);
    let told: Vec<_> = page
        .findings
        .iter()
        .filter(|finding| finding.code == "post-key-unknown")
        .map(|finding| (finding.message.as_str(), finding.help.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("`titel` is no key that Postrider reads", "did you mean `title`?"),
            ("`descripton` is no key that Postrider reads", "did you mean `description`?"),
        ]
    );
}

#[test]
fn links_images_and_headings_are_gathered_from_markdown_and_html() {
    let page = page(
        "---\naliases: [/old/, /older/]\npostrider:\n  silence: post-todo\n---\n\
         # Héad of *all* things {#own}\n\n[a](b.md#c) [r] <a href=\"/x?a=1&amp;b\" id=\"Html-Id\">x</a>\n\n[r]: ../r/\n\n\
         `[no](no.md)` ![i](i.png)\n",
    );
    let targets: Vec<_> =
        page.references.iter().map(|one| (one.target.as_str(), one.is_image)).collect();
    assert_eq!(
        targets,
        [("b.md#c", false), ("../r/", false), ("/x?a=1&b", false), ("i.png", true)]
    );
    for anchor in ["headofallthings", "héadofallthings", "own", "htmlid"] {
        assert_eq!(page.anchors.contains(anchor), anchor != "headofallthings", "{anchor}");
    }
    assert_eq!(page.aliases, ["/old/", "/older/"]);
    assert_eq!(page.silenced, ["post-todo"]);
}

#[test]
fn a_post_full_of_findings_is_looked_at_in_no_time() {
    let text = format!("{FRONT}{}", "![](a.png) TODO <img src=b> [a](b)\n".repeat(40_000));
    let page = page(&text);
    assert_eq!(page.findings.len(), 2 * MOST_OF_A_KIND);
    assert!(page.references.len() > 100_000);
}

#[test]
fn findings_in_a_line_that_nobody_could_read_do_not_carry_it_along() {
    let text = format!("{FRONT}{}", "![](a.png) TODO [a](b) ".repeat(90_000));
    let page = page(&text);
    assert_eq!(page.findings.len(), 2 * MOST_OF_A_KIND);
    let told = |finding: &Diagnostic| finding.line_text.as_ref().map_or(0, String::len);
    assert_eq!(page.findings.iter().map(told).sum::<usize>(), 0);
    assert_eq!(page.findings[1].place(), "posts/a.md:5:12");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_text_is_too_odd_to_be_looked_at(
        text in "(---\n)?([a-z]{1,4}: ?[ -~]{0,9}\n){0,3}(---\n)?([\\[\\]()!<>#`*\n a-zäTKDO\"'=/&;-]|TODO|<img |\\]\\(){0,80}"
    ) {
        let file = SourceFile::new("posts/a.mdx", "a.mdx", text.as_bytes());
        if let Some(page) = Page::read(&file, &text, &BTreeMap::new()) {
            for finding in &page.findings {
                let at = finding.position.expect("a place");
                let line = text.split('\n').nth(at.line - 1);
                proptest::prop_assert_eq!(line, finding.line_text.as_deref());
            }
        }
    }
}
