//! What `check` says about posts that go out all the same.

use std::fs;

use crate::harness::program::Project;

/// `file:line:column code` of each finding about posts.
fn found(project: &Project) -> Vec<String> {
    lines(&project.runs("check --format json").json())
}

fn lines(json: &serde_json::Value) -> Vec<String> {
    let line = |finding: &serde_json::Value| {
        let place = match finding["position"].as_object() {
            Some(at) => format!(":{}:{}", at["line"], at["column"]),
            None => String::new(),
        };
        let file = finding["file"].as_str().unwrap_or_default().trim_start_matches("posts/");
        format!("{file}{place} {}", finding["code"].as_str().unwrap_or_default())
    };
    json["diagnostics"].as_array().expect("a list").iter().map(line).collect()
}

fn post(more: &str, body: &str) -> String {
    format!("---\ntitle: A post\ndate: 2026-01-01\ndescription: About it\n{more}---\n{body}")
}

fn titled(title: &str, body: &str) -> String {
    format!("---\ntitle: {title}\ndate: 2026-01-01\ndescription: About it\n---\n{body}")
}

#[test]
fn links_are_followed_to_files_posts_and_headings() {
    let project = Project::new();
    project.write("posts/trip/index.md", &titled("Trip", "## Day one\n\n![Sea](sea.jpg)\n"));
    project.write("posts/trip/sea.jpg", "x");
    project.write("static/files/list.pdf", "x");
    project.write("static/img/logo.png", "x");
    project.write("posts/former.md", &post("slug: present\naliases: [/posts/former/]\n", ""));
    project.write(
        "posts/good.md",
        &titled(
            "Good",
            "# Here\n\n[a](trip/index.md#day-one) [b](../trip/) [c](/posts/trip/#day-one) [d](#here) [e](/about/)\n\
             [f](https://example.org/posts/trip/) [g](https://example.net/x) [h](/files/list.pdf) [i](mailto:a@b.c)\n\
             [j](/posts/former/) [k](hello-world.md) ![l](trip/sea.jpg) ![m](/img/logo.png) ![n](/other/x.png)\n\
             `[x](x.md)` [p](/posts/trip) [q](#) [r](trip/) <a id=\"own\"></a> [s](#own)\n",
        ),
    );
    assert_eq!(found(&project), [""; 0], "nothing to say");
    project.write(
        "posts/bad.md",
        &titled(
            "Bad",
            "[a](nowhere.md)\n[b](../nowhere/)\n[c](/posts/nowhere/)\n[d](#nowhere)\n[e](/posts/trip/#day-two)\n\
             ![f](nowhere.png)\n![g](/img/nowhere.png)\n[h](/files/nowhere.pdf)\n<img src=\"gone.gif\" alt=\"\">\n\
             [i](trip/index.md#day-two)\n",
        ),
    );
    let broken = |lines: &[usize], code: &str| {
        lines.iter().map(|line| format!("bad.md:{line}:1 {code}")).collect::<Vec<_>>()
    };
    let mut expected = broken(&[6, 7, 8, 9, 10, 13, 15], "post-link-broken");
    expected.extend(broken(&[11, 12, 14], "post-image-missing"));
    let mut all = found(&project);
    all.sort();
    expected.sort();
    assert_eq!(all, expected);
}

#[test]
fn what_all_posts_tell_together_is_told_at_the_one_that_came_later() {
    let project = Project::new();
    project.write("posts/2026/one.md", &titled("Same Title", ""));
    project.write(
        "posts/2025/one.md",
        "---\ntitle: same title\ndate: 2025-01-01\ndescription: x\nurl: /else/\n---\n",
    );
    project.write(
        "posts/eins.md",
        "---\ntitle: Same title\ndate: 2026-02-01\ndescription: x\nlang: de\n---\n",
    );
    assert_eq!(
        found(&project),
        ["2026/one.md:2:1 post-title-duplicate", "2026/one.md:2:1 post-slug-duplicate"]
    );
}

#[test]
fn a_post_of_the_future_is_told_with_its_day_unless_a_release_has_it() {
    let project = Project::new();
    project.write("posts/later.md", "---\ntitle: Later\ndescription: x\ndate: 2090-01-02\n---\n");
    let told = project.runs("check").well().out;
    assert!(told.contains("posts/later.md:4:1: warning[post-future]"), "{told}");
    assert!(told.contains("goes out by itself on Mon 2090-01-02 00:00"), "{told}");
    let releases = "[[release]]\npost = \"later\"\nat = 2090-03-01T08:00:00\n";
    project.write("config/releases.toml", releases);
    assert_eq!(found(&project), [""; 0]);
}

#[test]
fn a_mail_that_gmail_cuts_is_told_with_what_readers_get() {
    let project = Project::new();
    // New to Postrider, and after the baseline of today.
    let titled = |title: &str, body: &str| titled(title, body).replace("2026-01-01", "2090-01-01");
    project.write("posts/fits.md", &titled("Fits", &"A sentence of some length. ".repeat(2_000)));
    let long = "A sentence of some length.\n\n".repeat(4_000);
    project.write("posts/large.md", &titled("Large", &long));
    let told = project.runs("check").well().out;
    assert!(told.contains("posts/large.md:2:1: warning[post-mail-large]"), "{told}");
    assert!(told.contains("a link to the rest"), "{told}");
    assert_eq!(told.matches("post-mail-large").count(), 1, "{told}");
}

#[test]
fn what_nobody_wants_to_hear_is_silenced_for_all_or_for_one() {
    let project = Project::new();
    project.write("posts/one.md", &post("", "![](https://example.net/a.png) TODO\n"));
    project.write(
        "posts/two.md",
        &titled("Two", "TODO\n").replace("date:", "postrider: {silence: [post-todo]}\ndate:"),
    );
    assert_eq!(found(&project), ["one.md:6:1 post-alt-missing", "one.md:6:32 post-todo"]);
    project.runs("check --deny-warnings").with(3);
    let config = fs::read_to_string(project.path("config/postrider.toml")).unwrap();
    let silence = |codes: &str| {
        project.write(
            "config/postrider.toml",
            &config.replace("[check]", &format!("[check]\nsilence = [{codes}]")),
        );
    };
    silence("\"post-todo\", \"post-alt-missing\"");
    project.runs("check --deny-warnings").well();
    silence("\"post-tood\"");
    let refused = project.runs("check").with(3).out;
    assert!(refused.contains("did you mean `post-todo`?"), "{refused}");
}

#[test]
fn ten_of_a_kind_are_enough_for_people() {
    let project = Project::new();
    for number in 0..6 {
        project
            .write(&format!("posts/{number}.md"), &titled(&format!("Post {number}"), "TODO TK\n"));
    }
    let shown = project.runs("check").well().out;
    assert_eq!(shown.matches("warning[post-todo]").count(), 10);
    assert!(shown.contains("… and 2 more of `post-todo` in 1 file\n"), "{shown}");
    assert!(shown.ends_with("12 warnings\n"), "{shown}");
    assert_eq!(project.runs("check --all").well().out.matches("warning[post-todo]").count(), 12);
    assert_eq!(
        project.runs("check --format github").well().out.matches("title=post-todo").count(),
        12
    );
    assert_eq!(found(&project).len(), 12);
}

#[test]
fn a_post_of_one_endless_line_is_looked_at_like_any_other() {
    let project = Project::new();
    project.write("posts/other.md", &titled("Other", "# There\n"));
    let line = "![](gone.png) [a](gone.md) [b](#gone) [c](other.md#gone) [d](/posts/gone/) TODO ";
    project.write("posts/long.md", &titled("Long", &line.repeat(25_000)));
    let json = project.runs("check --format json").json();
    let found = lines(&json);
    let count = |code: &str| found.iter().filter(|one| one.ends_with(code)).count();
    assert_eq!(count("post-todo"), 100);
    assert_eq!(count("post-image-missing"), 100);
    assert_eq!(count("post-link-broken"), 300, "here, in other posts, and of other posts");
    let length = json.to_string().len();
    assert!(length < 1_000_000, "{length}");
}

#[test]
fn what_a_default_says_about_a_post_counts_as_its_description() {
    let project = Project::new();
    let bare = |title: &str| format!("---\ntitle: {title}\ndate: 2026-01-01\n---\nIts text.\n");
    project.write("posts/plain.md", &bare("Plain"));
    project.write("posts/told/told.json", "{\"description\": \"Of the whole folder\"}");
    project.write("posts/told/one.md", &bare("One"));
    assert_eq!(found(&project), ["plain.md:1:1 post-description-missing"]);
}

#[test]
fn a_code_is_explained_and_a_mistyped_one_guessed() {
    let project = Project::empty();
    let told = project.runs("check --explain post-todo").well().out;
    assert!(told.starts_with("post-todo: a note to yourself"), "{told}");
    assert!(told.contains("silence = [\"post-todo\"]"), "{told}");
    let refused = project.runs("check --explain post-tudo").with(1).err;
    assert!(refused.contains("did you mean `post-todo`?"), "{refused}");
}

#[test]
fn a_welcome_without_its_post_or_template_is_told_before_anybody_waits_for_it() {
    let project = Project::new();
    let config = project.path("config/postrider.toml");
    let mut text = fs::read_to_string(&config).expect("there is a configuration");
    text += "\n[[newsletters.weekly.welcome]]\npost = \"nowhere\"\n\
             [[newsletters.weekly.welcome]]\ntemplate = \"hello\"\n\
             [[newsletters.weekly.welcome]]\ntemplate = \"own\"\n";
    fs::write(&config, text).expect("it can be written");
    let ended = project.runs("check --format json").with(3).json();
    let said: Vec<_> = ended["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["code"] == "unknown-post" || it["code"] == "unknown-template")
        .map(|it| format!("{}: {}", it["severity"].as_str().unwrap_or_default(), it["message"]))
        .collect();
    let missing = "error: \"there is no template `mail/welcome/own/subject.txt`\"";
    assert_eq!(said, [missing, "warning: \"there is no post `nowhere`\""]);
    for (part, text) in [("subject.txt", "Hi"), ("body.html", "<p>Hi</p>"), ("body.txt", "Hi")] {
        project.write(&format!("templates/mail/welcome/own/{part}"), text);
    }
    project.runs("check").well();
    project.runs("preview welcome 3").well();
    let subject = project.runs("preview welcome 4").with(1);
    assert!(subject.err.contains("has 3 welcome mails"), "{}", subject.err);
}
