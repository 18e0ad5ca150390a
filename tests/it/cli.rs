//! The program as people and scripts meet it: run for real, in folders of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::harness::program::{Ended, Project};

mod check;
mod editions;
mod faults;
mod import;

#[test]
fn a_new_project_is_sound_and_says_what_to_do_next() {
    let project = Project::empty();
    let made = project.runs("init field-notes").well();
    assert!(made.err.ends_with("Next: cd field-notes && postrider\n"), "{}", made.err);
    let config = fs::read_to_string(project.path("field-notes/config/postrider.toml")).unwrap();
    assert!(config.contains("title = \"Field notes\""), "{config}");
    assert!(config.contains("timezone = \"Europe/Berlin\""), "{config}");
    let checked = project.runs("check --deny-warnings --config field-notes/config/postrider.toml");
    let checked = checked.well();
    assert!(checked.out.contains("1 post, 0 drafts, 0 broken files"), "{}", checked.out);
    assert!(checked.out.contains("newsletters.weekly.cadences.weekly  0 7 * * MON  Europe/Berlin"));
    assert!(checked.out.ends_with("nothing wrong\n"), "{}", checked.out);
}

#[test]
fn a_plan_says_what_would_go_out_and_writes_nothing() {
    let project = Project::new();
    let before = project.files();
    let plan = project.runs("plan --format json").well().json();
    let channels: Vec<_> = plan["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["channel"].as_str().unwrap())
        .collect();
    assert!(channels.contains(&"newsletter:weekly:daily"), "{plan}");
    assert!(channels.contains(&"destination:chat"), "{plan}");
    let daily = plan["rows"].as_array().unwrap();
    let daily = daily.iter().find(|row| row["channel"] == "newsletter:weekly:daily").unwrap();
    assert_eq!(daily["posts"][0], "hello-world");
    assert_eq!(daily["recipients"], 2);
    assert!(project.runs("plan").well().out.contains("hello-world"));
    assert_eq!(project.files(), before);
}

#[test]
fn looking_at_a_database_leaves_it_as_it_was() {
    let project = Project::new();
    project.runs("subscribers add ann@example.org --cadence weekly").well();
    project.runs("send test ann@example.org --newsletter weekly").well();
    let before = project.files();
    for line in [
        "plan",
        "check",
        "status",
        "deliveries list",
        "deliveries show 1",
        "subscribers list",
        "subscribers export",
    ] {
        let ended = project.runs(line).well();
        assert!(!ended.out.is_empty(), "{line}");
        let changed: Vec<_> =
            project.files().into_iter().filter(|it| before.get(&it.0) != Some(&it.1)).collect();
        assert!(
            changed.is_empty(),
            "{line} changed {:?}",
            changed.iter().map(|it| &it.0).collect::<Vec<_>>()
        );
        assert_eq!(project.files().len(), before.len(), "{line} removed something");
    }
}

#[test]
fn subscribers_come_by_hand_and_by_file_and_leave_for_good() {
    let project = Project::new();
    let added =
        project.runs("subscribers add Ann@Example.org --newsletter weekly --cadence daily").well();
    assert_eq!(added.err, "Ann@example.org gets `weekly` now (daily).\n");
    project.runs("subscribers add ann@example.org").well();
    project
        .write("members.csv", "email;cadence\nbob@example.org;weekly\nnobody\nann@example.org;\n");
    let line = "subscribers import members.csv --newsletter weekly --confirmed";
    let tried = project.runs(&format!("{line} --dry-run")).well();
    assert!(tried.err.contains("Nothing was changed"), "{}", tried.err);
    assert_eq!(
        project.runs("subscribers list --format json").well().json().as_array().unwrap().len(),
        1
    );
    let imported = project.runs(line).well();
    assert!(imported.err.contains("line 3 is skipped"), "{}", imported.err);
    assert!(
        imported.err.contains("3 rows: 1 added, 1 were subscribers already"),
        "{}",
        imported.err
    );

    project.runs("subscribers remove bob@example.org").well();
    project.runs("subscribers remove bob@example.org").with(1);
    let back = project.runs("subscribers add bob@example.org").with(1);
    assert!(back.err.contains("only they themselves may come back"), "{}", back.err);

    let exported = project.runs("subscribers export").well();
    let lines: Vec<_> = exported.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", exported.out);
    assert!(lines[1].starts_with("Ann@example.org,,weekly,daily,,,,,active,,,command line,"));
    assert!(
        lines[2]
            .starts_with("bob@example.org,,weekly,weekly,,,,,unsubscribed,,,import:members.csv,")
    );
    project.runs("subscribers export --format json --out all.json").well();
    let all = fs::read_to_string(project.path("all.json")).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&all).unwrap().as_array().unwrap().len(),
        2
    );

    // What one installation exports another takes as it is.
    let other = Project::new();
    let input = &exported.out;
    other.runs_with_input("subscribers import - --confirmed", input).well();
    let listed = other.runs("subscribers list").well().out;
    assert!(listed.contains("active") && listed.contains("left"), "{listed}");
}

#[test]
fn an_operator_asks_who_is_meant_and_what_is_known_and_forgets_it() {
    let project = Project::new();
    let file = "email,city,tags,status\nann@example.org,Kiel,vip,\nbob@example.org,Rome,,\ncy@example.org,Kiel,,unsubscribed\nx,,,\n";
    project.write("people.csv", file);
    let line =
        "subscribers import people.csv --newsletter weekly --confirmed --skipped skipped.csv";
    let imported = project.runs(line).well();
    assert!(imported.err.contains("other columns become attributes: `city`"), "{}", imported.err);
    let skipped = fs::read_to_string(project.path("skipped.csv")).unwrap();
    assert!(skipped.starts_with("line,reason\n5,"), "{skipped}");

    let meant = |expression: &str| {
        let args = ["subscribers", "list", "--format", "json", "--where", expression];
        let found = project.runs_args(&args).well().json();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["email"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(meant("attributes.city == 'Kiel' and state == 'active'"), ["ann@example.org"]);
    let counted = project
        .runs_args(&["subscribers", "segment", "'vip' in tags or attributes.city == 'Rome'"])
        .well();
    assert!(counted.out.starts_with("2 subscriptions that mail goes to"), "{}", counted.out);
    let wrong = project.runs_args(&["subscribers", "segment", "'vip' in tgs"]).with(1);
    assert!(wrong.err.contains("column 10: `tgs` is not known"), "{}", wrong.err);
    let exported =
        project.runs_args(&["subscribers", "export", "--where", "'vip' not in tags"]).well();
    assert_eq!(exported.out.lines().count(), 3, "{}", exported.out);

    let shown = project.runs("subscribers show ANN@example.org").well();
    for words in ["tags: vip", "Kiel", "consent, imported", "people.csv", "subscription.added"] {
        assert!(shown.out.contains(words), "{words} in {}", shown.out);
    }
    project.runs("subscribers show nobody@example.org").with(1);
    project.runs("subscribers erase ann@example.org --yes").well();
    let known = project.runs("subscribers show ann@example.org --format json").well().json();
    assert_eq!(known["suppression"], "erased");
    assert_eq!(known["person"], serde_json::Value::Null);
    let again = project.runs(line).well();
    assert!(again.err.contains("must not be mailed"), "{}", again.err);
}

#[test]
fn a_preview_is_the_mail_that_a_subscriber_would_get() {
    let project = Project::new();
    project.write("posts/later.md", "---\ntitle: Much later\ndate: 2090-01-01\n---\nText\n");
    let shown = project.runs("preview edition weekly").well();
    assert!(shown.err.contains("Subject: "), "{}", shown.err);
    let files: Vec<_> = shown.out.lines().map(PathBuf::from).collect();
    assert!(files.len() == 2 && files.iter().all(|file| file.is_file()), "{}", shown.out);
    let html = fs::read_to_string(&files[0]).unwrap();
    assert!(html.contains("Hello, world") && !html.contains("Much later"), "{html}");
    let mail = fs::read_to_string(&files[1]).unwrap();
    assert!(mail.contains("Content-Type: multipart/alternative"), "{mail}");

    project.runs("preview post hello-world --out post.eml").well();
    assert!(
        fs::read_to_string(project.path("post.eml")).unwrap().contains("Subject: Hello, world")
    );
    let missing = project.runs("preview post helo-world").with(1);
    assert!(missing.err.contains("did you mean `hello-world`?"), "{}", missing.err);
    project.runs("preview post hello-world --out post.pdf").with(1);
}

#[test]
fn an_edition_goes_out_now_when_a_person_says_so() {
    let project = Project::new();
    project.edit("config/postrider.toml", "settle = \"5s\"", "settle = \"0s\"");
    let nobody = project.runs("send edition weekly --cadence daily --yes").well();
    assert!(nobody.err.contains("Nobody gets `weekly`"), "{}", nobody.err);
    project.runs("subscribers add ann@example.org --cadence daily").well();

    let asked = project.runs_with_input("send edition weekly --cadence daily", "yes\n").with(1);
    assert!(asked.err.contains("1 subscriber") && asked.err.contains("Not sent"), "{}", asked.err);
    let sent = project.runs_with_input("send edition weekly --cadence daily", "weekly\n").well();
    assert!(sent.err.contains("Planned for 1 recipient."), "{}", sent.err);
    assert!(sent.err.contains("the next one to start sends it"), "{}", sent.err);
    let again = project.runs("send edition weekly --cadence daily --yes").well();
    assert!(again.err.contains("Nothing is ready"), "{}", again.err);

    let deliveries = project.runs("deliveries list --format json").well().json();
    assert_eq!(deliveries.as_array().unwrap().len(), 1, "{deliveries}");
    assert_eq!(deliveries[0]["recipient"], "ann@example.org");
    assert_eq!(deliveries[0]["state"], "planned");
    assert_eq!(project.runs("status --format json").well().json()["queues"][0]["waiting"], 1);
    // The schedule has nothing left to do for this cadence.
    let plan = project.runs("plan").well().out;
    assert!(!plan.contains("newsletter:weekly:daily"), "{plan}");
}

#[test]
fn a_test_mail_goes_to_one_address_that_need_not_subscribe() {
    let project = Project::new();
    let sent = project.runs("send test me@example.org --post hello-world").well();
    assert!(sent.err.contains("deliveries show 1"), "{}", sent.err);
    let shown = project.runs("deliveries show 1").well().out;
    assert!(
        shown.contains("letter 1 to me@example.org") && shown.contains("no attempt yet"),
        "{shown}"
    );
    assert!(project.runs("subscribers list").well().err.contains("There are no subscribers"));
}

#[test]
fn shells_can_complete_commands() {
    let project = Project::empty();
    for (shell, expected) in
        [("bash", "_postrider()"), ("zsh", "#compdef postrider"), ("fish", "complete -c postrider")]
    {
        assert!(project.runs(&format!("completions {shell}")).well().out.contains(expected));
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let project = Project::new();
    project.edit("config/postrider.toml", "title =", "titel =");
    let is_coloured = |ended: &Ended| ended.out.contains('\u{1b}');
    assert!(!is_coloured(&project.runs("check")));
    assert!(is_coloured(&project.runs("check --color always")));
    assert!(is_coloured(&Ended::of(project.command("check").env("CLICOLOR_FORCE", "1"))));
    let mut no_color = project.command("check");
    assert!(!is_coloured(&Ended::of(no_color.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"))));
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let project = Project::new();
    let mut child = project.command("completions zsh").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
