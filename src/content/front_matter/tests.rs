use super::*;

/// The tree in one line: `key=value`, lists in brackets, maps in braces; then what is left as the body.
fn show(text: &str) -> String {
    fn node_text(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => text.clone(),
            Value::List(items) => {
                format!("[{}]", items.iter().map(node_text).collect::<Vec<_>>().join(","))
            }
            Value::Map(map) => format!("{{{}}}", entries(map)),
        }
    }
    fn entries(map: &[Entry]) -> String {
        let show = |entry: &Entry| format!("{}={}", entry.key, node_text(&entry.node));
        map.iter().map(show).collect::<Vec<_>>().join(" ")
    }
    match read(text) {
        Ok(read) => format!("{} | {}", entries(&read.entries), &text[read.body..]),
        Err(problems) => {
            let place = |problem: &Problem| {
                let span = problem.span.clone().unwrap();
                format!("{:?}: {}", &text[span], problem.message)
            };
            problems.iter().map(place).collect::<Vec<_>>().join("; ")
        }
    }
}

#[test]
fn every_notation_gives_the_same_tree() {
    let cases = [
        "---\ntitle: T\ntags: [a, b]\n---\nbody",
        "---  \ntitle: 'T'\ntags:\n  - a\n  - b\n---\t\nbody",
        "\n\n---\ntitle: T\ntags:\n- a\n- b\n...\nbody",
        "---yaml\ntitle: T\ntags: [a, b]\n---\nbody",
        "--- toml\ntags = ['a', 'b']\ntitle = 'T'\n---\nbody",
        "+++\ntitle = \"T\"\ntags = [\"a\", \"b\"]\n+++\nbody",
        "{\n  \"title\": \"T\", \"tags\": [\"a\", \"b\"]\n}\nbody",
        "---json\n{\"title\": \"T\", \"tags\": [\"a\", \"b\"]}\n---\nbody",
        ";;;\n\"title\": \"T\", \"tags\": [\"a\", \"b\"]\n;;;\nbody",
        "\"title\": \"T\",\n\"tags\": [\"a\", \"b\"]\n;;;\nbody",
        "title: T\ntags: [a, b]\n---\nbody",
    ];
    for text in cases {
        let shown = show(text);
        assert!(
            shown == "title=T tags=[a,b] | body" || shown == "tags=[a,b] title=T | body",
            "{text}\n{shown}"
        );
    }
}

#[test]
fn header_lines_without_fences_end_at_the_blank_line() {
    assert_eq!(
        show("Title: A: b\nDate: 2010-10-03 10:20\n  more\n\nbody"),
        "Title=A: b Date=2010-10-03 10:20 | \nbody"
    );
    assert_eq!(show("Note: this is prose.\n\nbody"), " | Note: this is prose.\n\nbody");
    assert_eq!(show("Title of it\n=====\n"), " | Title of it\n=====\n");
}

#[test]
fn no_front_matter_is_none() {
    for text in [
        "",
        "body",
        "-----\nbody",
        "{% include x %}\nbody",
        "{{< x >}}",
        "# Title\n\n---\n\nbody",
        "--\n",
    ] {
        assert_eq!(show(text), format!(" | {text}"));
    }
    assert_eq!(show("---\n---\nbody"), " | body");
    assert_eq!(show("{}\nbody"), " | body");
}

#[test]
fn scalars_keep_the_text_they_were_written_as() {
    assert_eq!(
        show(
            "---\na: 1.10\nb: 012\nc: no\nd: 2024-01-15\ne: ~\nf:\ng: \"x\\ty\"\nh: 12:30\ni: >\n  two\n  lines\n---\n"
        ),
        "a=1.10 b=012 c=no d=2024-01-15 e=null f=null g=x\ty h=12:30 i=two lines\n | "
    );
    assert_eq!(
        show(
            "+++\na = 1_000\nb = true\nc = 2024-01-15\nd = 2024-01-15T10:00:00+01:00\ne = 2024-01-15 10:00:00\n[f]\ng = 0.50\n+++\n"
        ),
        "a=1000 b=true c=2024-01-15 d=2024-01-15T10:00:00+01:00 e=2024-01-15T10:00:00 f={g=0.50} | "
    );
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    assert_eq!(
        show("---\nbase: &b\n  a: 1\n  c: 2\nmine:\n  <<: *b\n  a: 3\ncopy: *b\n---\n"),
        "base={a=1 c=2} mine={a=3 c=2} copy={a=1 c=2} | "
    );
}

#[test]
fn what_is_broken_is_said_where_it_is() {
    let bomb = "---\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n---\n";
    let cases = [
        "---\ntitle: A: b\n---\n",
        "---\ntitle: A\n\tdate: 2024-01-15\n---\n",
        "---\ntags:\n\t- a\n---\n",
        "---\ntitle: [a\n---\n",
        "---\ntitle: 'a\n---\n",
        "---\ntitle: A\ntitle: B\nx: 1\nx: 2\n---\n",
        "---\n- a\n- b\n---\n",
        "---\njust words\n---\n",
        "---\ntitle: A\n\nbody",
        "+++\ntitle = A\ndate = 2024-99-99\n+++\n",
        "+++\ntitle = \"A\"\ntitle = \"B\"\n+++\n",
        "{\"title\": \"A\",\n \"date\": }\nbody",
        "---json\n{\"title\": \"A\"\n---\n",
        "---js\n{ title: 'A' }\n---\n",
        "---\ntitle: A\n---\n---\ndate: 2024-01-15\n---\nbody",
        "---\na: &x [*x]\n---\n",
        bomb,
    ];
    let shown: Vec<String> = cases.iter().map(|text| show(text)).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_thematic_break_under_the_front_matter_is_no_second_block() {
    assert!(show("---\ntitle: A\n---\n\n---\n\nProse: it is.\n\n---\n").starts_with("title=A | "));
}

#[test]
fn front_matter_that_is_too_long_is_refused() {
    let long = format!("---\ntitle: A\ntext: {}\n---\n", "x".repeat(70_000));
    assert!(
        show(&long).contains("the front matter is 70016 bytes long; at most 65536 are read"),
        "{}",
        show(&long)
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(---|\\+\\+\\+|;;;|\\{|title: )?\\PC{0,60}\n?(---|\\+\\+\\+)?") {
        let _ = read(&text);
    }

    #[test]
    fn nothing_made_of_yaml_signs_panics(block in "[-:,\\[\\]{}&*!|>'\"%@`#? \n\tab1é]{0,80}") {
        for fence in ["---", "+++", ";;;"] {
            let _ = read(&format!("{fence}\n{block}\n{fence}\n"));
        }
    }
}
