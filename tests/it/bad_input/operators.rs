//! Templates and configuration with errors: refused at start, refused while it runs, and never in force.

use std::fs;
use std::path::Path;

use crate::harness::daemon::{Daemon, configuration, get, log, logged, project, until};
use crate::harness::program::Project;

const SUBJECT: &str = "templates/mail/single/subject.txt";
const OUTBOX: &str = "url = \"outbox:var/outbox\"";
const REFUSED: &str = "the new configuration is refused; the old one stays in force";
const IN_FORCE: &str = "the new configuration is in force";
const SQLITE: &str = "sqlite:var/postrider.db";

fn save(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    fs::write(path, text).expect("a file can be written");
}

fn post(title: &str) -> String {
    format!("---\ntitle: {title}\ndate: 2026-03-01\n---\nHello.\n")
}

#[test]
fn a_daemon_does_not_start_with_a_template_that_is_broken() {
    let project = Project::new();
    for (text, place, message) in [
        ("Hello\n{% if post %}", "2:12", "unexpected end of input"),
        ("{{ post.titel }}", "1:4", "`post.titel` is undefined"),
        ("{{ post.title | uper }}", "1:17", "uper"),
    ] {
        project.write(SUBJECT, text);
        let ended = project.runs("run").with(78);
        assert!(ended.err.contains(&format!("{SUBJECT}:{place}: error")), "{}", ended.err);
        assert!(ended.err.contains(message), "{}", ended.err);
    }
}

#[test]
fn a_daemon_does_not_start_with_a_schedule_that_never_fires() {
    let project = Project::new();
    project.edit("config/postrider.toml", "weekly = \"0 7 * * MON\"", "weekly = \"0 7 30 2 *\"");
    let ended = project.runs("run").with(78);
    assert!(ended.err.contains("`0 7 30 2 *` never fires"), "{}", ended.err);
    assert!(ended.err.contains("config/postrider.toml:"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_while_it_runs_is_refused_and_what_is_mended_is_taken() {
    let folder = project(&configuration(SQLITE, OUTBOX));
    let folder = folder.path();
    save(folder, "posts/hello.md", &post("Hello"));
    save(folder, SUBJECT, "{{ post.title }}\n");
    let daemon = Daemon::start(folder);
    let address = Daemon::address(folder, 1).await;
    let feed = async || get(address, "/feed.xml").await.unwrap_or_default().1;
    until("the feed", async || feed().await.contains("<title>Hello</title>")).await;

    // A changed file …
    save(folder, SUBJECT, "{{ post.titel }}\n");
    let told = logged(folder, REFUSED, 1).await;
    assert!(told.contains(&format!("{SUBJECT}:1:4: `post.titel` is undefined")), "{told}");
    // … and one that is read because somebody says so.
    save(folder, "config/postrider.toml", &configuration(SQLITE, OUTBOX).replace("title", "titel"));
    daemon.signal("HUP").await;
    let told = logged(folder, REFUSED, 2).await;
    assert!(
        told.contains(
            "config/postrider.toml:2:1: `site` has no key `titel` (did you mean `title`?)"
        ),
        "{told}"
    );
    assert!(feed().await.contains("<title>Field Notes</title>"));
    assert!(!told.contains(IN_FORCE));

    save(folder, SUBJECT, "{{ post.title }}\n");
    let mended = configuration(SQLITE, OUTBOX).replace("Field Notes\"\nurl", "Mended\"\nurl");
    save(folder, "config/postrider.toml", &mended);
    logged(folder, IN_FORCE, 1).await;
    until("the new title", async || feed().await.contains("<title>Mended</title>")).await;
    assert!(feed().await.contains("<title>Hello</title>"));
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_fails_for_one_post_holds_up_no_other() {
    const CALL: &str = "templates/crosspost/default.json";
    let chat = "[destinations.chat]\nkind = \"webhook\"\nurl = \"outbox:var/outbox\"\n";
    let reader = "[[sample_subscribers]]\naddress = \"ann@example.org\"\nnewsletter = \"weekly\"\n\
                  cadence = \"instant\"\n";
    let folder = project(&(configuration(SQLITE, OUTBOX) + chat + reader));
    let folder = folder.path();
    save(
        folder,
        SUBJECT,
        "{% if post.title == 'Odd' %}{{ post.titel }}{% endif %}{{ post.title }}",
    );
    save(folder, CALL, "{% if data.title == 'Odd' %}{{ data.titel }}{% endif %}{{ data.title }}");
    for name in ["Early", "Odd", "Late"] {
        save(folder, &format!("posts/{name}.md"), &post(name));
    }
    let daemon = Daemon::start(folder);
    let sent = |kind: &str| {
        let entries = fs::read_dir(folder.join("var/outbox").join(kind)).into_iter().flatten();
        let is_whole = |name: &str| !name.starts_with('.');
        entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_whole)).count()
    };
    until("the others", async || sent("http") == 2 && sent("mail") == 2).await;
    let told = logged(folder, "this post cannot go out here", 2).await;
    assert!(told.contains("\"post.source\":\"posts/Odd.md\""), "{told}");
    for template in [SUBJECT, CALL] {
        assert!(told.contains(&format!("{template}:1:")), "{told}");
    }

    save(folder, SUBJECT, "{{ post.title }}");
    save(folder, CALL, "{{ data.title }}");
    until("the odd one", async || sent("http") == 3 && sent("mail") == 3).await;
    assert_eq!(daemon.terminate().await, Some(0), "{}", log(folder));
}
