//! What goes wrong, and the exit code that says so.

use std::time::{Duration, Instant};

use crate::harness::program::{Ended, Project};

#[test]
fn a_configuration_with_errors_is_told_whole_and_has_its_own_exit_code() {
    let project = Project::new();
    project.edit("config/postrider.toml", "title =", "titel =");
    project.edit(
        "config/postrider.toml",
        "default_cadence = \"weekly\"",
        "default_cadence = \"wekly\"",
    );
    for line in ["plan", "run", "status", "preview edition weekly", "subscribers list"] {
        let ended = project.runs(line).with(78);
        assert!(ended.out.is_empty(), "{line}: {}", ended.out);
        assert!(ended.err.contains("config/postrider.toml:"), "{line}: {}", ended.err);
        assert!(ended.err.contains("did you mean `title`?"), "{line}: {}", ended.err);
        assert!(ended.err.contains("did you mean `\"weekly\"`?"), "{line}: {}", ended.err);
    }
    let checked = project.runs("check").with(3);
    assert!(checked.out.contains("^^^^^"), "{}", checked.out);
}

#[test]
fn without_a_project_the_first_step_is_named() {
    let project = Project::empty();
    for (line, code) in [("plan", 78), ("check", 3), ("", 78)] {
        let ended = project.runs(line).with(code);
        assert!((ended.out + &ended.err).contains("`postrider init` makes a project"), "{line}");
    }
    project.runs("plan --config nowhere.toml").with(78);
}

#[test]
fn a_broken_post_fails_the_check_and_nothing_else() {
    let project = Project::new();
    project.write("posts/bad.md", "---\ntitle: Bad\ndate: someday\n---\nText\n");
    let checked = project.runs("check").with(3);
    assert!(checked.out.contains("posts/bad.md:3:"), "{}", checked.out);
    let annotated = project.runs("check --format github").with(3).out;
    assert!(annotated.starts_with("::error file=posts/bad.md,line=3,col="), "{annotated}");
    let findings = project.runs("check --format json").with(3).json();
    assert_eq!(findings["schema"], 1);
    assert_eq!(findings["diagnostics"][0]["position"]["line"], 3);
    assert_eq!(findings["schedules"].as_array().unwrap().len(), 2);
    let planned = project.runs("plan").well().out;
    assert!(planned.contains("hello-world") && planned.contains("1 broken file"), "{planned}");
}

#[test]
fn a_broken_template_is_found_before_anything_is_sent() {
    let project = Project::new();
    project.write("templates/mail/digest/subject.txt", "{{ nonsense }}\n");
    let checked = project.runs("check").with(3).out;
    assert!(checked.contains("templates/mail/digest/subject.txt:1:"), "{checked}");
    project.runs("send test me@example.org --newsletter weekly").with(78);
}

#[test]
fn a_schedule_that_never_fires_is_pointed_at() {
    let project = Project::new();
    project.edit("config/postrider.toml", "weekly = \"0 7 * * MON\"", "weekly = \"0 7 30 2 *\"");
    let checked = project.runs("check").with(3).out;
    assert!(checked.contains("error[never-fires]: `0 7 30 2 *` never fires"), "{checked}");
    assert!(checked.contains("weekly = \"0 7 30 2 *\""), "{checked}");
}

#[test]
fn a_release_of_a_post_that_is_not_there_is_a_warning() {
    let project = Project::new();
    let release = "[[release]]\npost = \"helo-world\"\nat = 2030-01-01T08:00:00\n";
    project.write("config/releases.toml", release);
    let checked = project.runs("check").well().out;
    assert!(checked.contains("config/releases.toml:2:"), "{checked}");
    assert!(checked.contains("did you mean `hello-world`?"), "{checked}");
    project.runs("check --deny-warnings").with(3);
}

#[test]
fn wrong_usage_is_code_two_and_other_failures_are_code_one() {
    let project = Project::new();
    for line in
        ["chek", "subscribers add nobody", "deliveries list --state lost", "send test a@b.example"]
    {
        project.runs(line).with(2);
    }
    for (line, expected) in [
        ("init", "is not empty"),
        ("subscribers add ann@example.org --newsletter wekly", "`weekly`"),
        ("subscribers add ann@example.org --cadence monthly", "not offered as `monthly`"),
        ("subscribers import nowhere.csv --confirmed", "nowhere.csv"),
        ("deliveries show 7", "there is no delivery 7"),
        ("deliveries retry 7", "cannot be tried again"),
        ("preview edition wekly", "did you mean `weekly`?"),
        ("preview welcome", "welcomes nobody: write `[[newsletters.weekly.welcome]]`"),
        ("healthcheck", "is the daemon running?"),
    ] {
        let ended = project.runs(line).with(1);
        assert!(ended.err.contains(expected), "{line}: {}", ended.err);
    }
}

#[test]
fn an_import_without_consent_is_refused() {
    let project = Project::new();
    project.write("members.csv", "email\nbob@example.org\n");
    let ended = project.runs("subscribers import members.csv").with(1);
    assert!(ended.err.contains("`--confirmed`"), "{}", ended.err);
    assert!(project.runs("subscribers list").well().out.is_empty());
}

#[test]
fn a_database_that_is_away_asks_for_patience() {
    let project = Project::new();
    let started = Instant::now();
    for line in ["status", "plan", "subscribers add ann@example.org"] {
        let mut command = project.command(line);
        command.env("POSTRIDER__STORE__URL", "postgres://nobody@127.0.0.1:9/nothing");
        let ended = Ended::of(&mut command).with(75);
        assert!(ended.err.contains("error: "), "{}", ended.err);
        assert!(!ended.err.contains("nobody@"), "{}", ended.err);
    }
    assert!(started.elapsed() < Duration::from_mins(1));
}
