use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::domain::{Channel, Diagnostic, Severity};

mod audience;
mod dkim;
mod feeds;
mod signup;

const SMALL: &str = r#"
[site]
title = "Field Notes"
url = "https://example.org/blog"
timezone = "Europe/Berlin"
"#;

/// `SMALL` and a newsletter.
const WITH_MAIL: &str = r#"
[site]
title = "Field Notes"
url = "https://example.org"
timezone = "Europe/Berlin"
[mail]
from = "Field Notes <news@example.org>"
address = "1 Example Lane"
[mail.servers.main]
url = "outbox:var/outbox"
[newsletters.weekly]
cadences = { instant = true, weekly = "0 7 * * MON" }
"#;

struct Project(TempDir);

impl Project {
    fn new(main: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir(project.0.path().join("config")).unwrap();
        project.with("config/postrider.toml", main)
    }

    fn with(self, path: &str, text: &str) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Loaded, Vec<Diagnostic>> {
        load(&default_file(self.0.path()), &variables.iter().copied().collect())
    }

    fn loaded(&self) -> Loaded {
        self.load(&[]).unwrap_or_else(|found| panic!("{}", shown(&found)))
    }

    fn errors(&self, variables: &[(&str, &str)]) -> String {
        let found = self.load(variables).expect_err("this should not load");
        shown(&found).replace(&self.0.path().display().to_string(), "PROJECT")
    }
}

/// Diagnostics as one would read them in a log, with the line they point at.
fn shown(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for found in diagnostics {
        let severity = if found.severity == Severity::Error { "error" } else { "warning" };
        writeln!(text, "{severity}[{}] {found}", found.code).unwrap();
        if let (Some(line), Some(at)) = (&found.line_text, found.position) {
            let carets = "^".repeat(found.length);
            writeln!(text, "    {line}\n    {}{carets}", " ".repeat(at.column - 1)).unwrap();
            assert!(
                at.column + found.length <= line.chars().count() + 2,
                "beyond the line: {text}"
            );
        }
    }
    text
}

#[test]
fn the_shipped_configuration_loads_without_a_word() {
    let project =
        Project::new(commented_default()).with("config/releases.toml", commented_releases());
    let Loaded { config, warnings, origins } = project.loaded();
    assert_eq!(shown(&warnings), "");
    assert_eq!(config.site.title, "Field Notes");
    assert_eq!(config.posts[0].name, "posts");
    assert_eq!(config.posts[0].baseline, Baseline::From("2026-08-31T22:00:00Z".parse().unwrap()));
    let weekly = &config.newsletters["weekly"];
    assert_eq!(weekly.cadences.len(), 3);
    assert_eq!(weekly.servers, ["main"]);
    let daily = config.sample_subscribers.iter().filter(|it| it.cadence == Cadence::Daily);
    assert_eq!(daily.count(), 2);
    assert_eq!(config.releases.queues.len(), 1);
    assert_eq!(config.files.len(), 2);
    let (file, at) = origins.place("newsletters.weekly.cadences.daily").unwrap();
    let line = commented_default().lines().nth(at.line - 1).unwrap();
    assert!(file == "config/postrider.toml" && line.starts_with("daily = "), "{file} {line}");
}

/// What is commented out in the shipped file must be the default and must be understood.
#[test]
fn every_commented_key_of_the_shipped_file_exists() {
    for path in keys_of(&schema_json(), "") {
        let key = path.rsplit('.').next().unwrap();
        let written = |line: &str| {
            let line = line.trim_start_matches(['#', ' ']);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let headed = format!("{key}]");
        let text = commented_default();
        assert!(
            text.lines().any(written)
                || text.contains(&headed)
                || text.contains(&format!("{key}.")),
            "{path}"
        );
    }
}

fn keys_of(schema: &serde_json::Value, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for inner in [&schema["additionalProperties"], &schema["items"]] {
        keys.extend(keys_of_object(inner, path));
    }
    keys.extend(keys_of_object(schema, path));
    keys
}

fn keys_of_object(schema: &serde_json::Value, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = schema::below(path, name);
        keys.extend(keys_of(inner, &path));
        keys.push(path);
    }
    keys
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for people who run the tests")]
fn the_reference_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.md");
    let fresh = reference_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == fresh, "docs/config.md is stale: run the tests once with UPDATE_DOCS=1");
}

#[test]
fn a_few_lines_are_enough() {
    let config = Project::new(SMALL).loaded().config;
    assert_eq!(config.site.url.as_str(), "https://example.org/blog/");
    assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:8080/");
    assert!(matches!(&config.store, StoreUrl::Sqlite(file) if file.ends_with("var/postrider.db")));
    assert_eq!(config.posts[0].path, config.root.join("posts"));
    assert_eq!(config.posts[0].baseline, Baseline::Now);
    assert_eq!(config.mail.retry.first_delay, SignedDuration::from_mins(5));
    assert_eq!(config.mail.retry.give_up_after, SignedDuration::from_hours(48));
}

#[test]
fn a_dozen_mistakes_are_told_at_once() {
    let project = Project::new(include_str!("tests/dozen.toml"))
        .with("config/releases.toml", include_str!("tests/dozen-releases.toml"));
    let errors = project.errors(&[]);
    assert!(!errors.contains("hunter2"), "{errors}");
    insta::assert_snapshot!(errors);
}

#[test]
fn broken_syntax_is_told_with_everything_else_that_is_certain() {
    let project = Project::new(
        r#"[site]
title = Field
url = "https://example.org"
language = "english"

[mail
from = "news@example.org"

[store]
url =

[mail.servers.main]
url = "outbox:var/outbox"
password = "hunter2

[watch]
mode = "pol"
mode = "poll"
"#,
    );
    let errors = project.errors(&[]);
    assert!(!errors.contains("hunter2"), "{errors}");
    insta::assert_snapshot!(errors);
}

#[test]
fn behind_a_bracket_that_was_never_closed_nothing_is_guessed() {
    let project = Project::new(
        "[site]\ntitle = 5\nurl = \"https://example.org\"\n[newsletters.weekly]\ncadences = { instant = true, weekly = 3\n\n[store]\nurl = \"mysql:x\"\n",
    );
    insta::assert_snapshot!(project.errors(&[]));
}

#[test]
fn a_schedule_error_points_into_the_expression() {
    let project = Project::new(WITH_MAIL);
    let mut report = report::Report::default();
    report.origins = project.loaded().origins;
    let error = crate::domain::ScheduleError {
        message: "`MON` is not a weekday".to_owned(),
        span: 8..11,
        help: Some("write `MON`".to_owned()),
    };
    let path = "newsletters.weekly.cadences.weekly";
    assert_eq!(report.take_schedule(path, "0 7 * * MON", Err(error)), None);
    insta::assert_snapshot!(shown(&report.finish().0), @r#"
    error[invalid-schedule] config/postrider.toml:12:48: `MON` is not a weekday (write `MON`)
        cadences = { instant = true, weekly = "0 7 * * MON" }
                                                       ^^^
    "#);
}

#[test]
fn the_environment_wins_over_the_file() {
    let project = Project::new(WITH_MAIL).with("secrets/mail", "hunter2\n");
    restrict(&project.0.path().join("secrets/mail"));
    let loaded = project
        .load(&[
            ("POSTRIDER__MAIL__SERVERS__MAIN__URL", "smtp://news@mail.example.org:2525"),
            ("POSTRIDER__MAIL__SERVERS__MAIN__PASSWORD_FILE", "secrets/mail"),
            ("postrider__mail__servers__main__connections", "3"),
            ("POSTRIDER__SERVER__PUBLIC_URL", "https://news.example.org"),
            ("POSTRIDER__SITE__TITLE", "5"),
            ("POSTRIDER__FEEDS__FULL_TEXT", "false"),
            ("POSTRIDER__POSTS__0__PATH", "notes"),
            ("POSTRIDER__POSTS__0__BASELINE", "2026-09-01"),
            ("POSTRIDER__NEWSLETTERS__WEEKLY__CADENCES", "{ daily = '0 7 * * *' }"),
            ("UNRELATED", "x"),
        ])
        .unwrap_or_else(|found| panic!("{}", shown(&found)));
    let config = loaded.config;
    assert_eq!(shown(&loaded.warnings), "");
    let Transport::Smtp(smtp) = &config.mail.servers["main"].transport else { panic!("outbox") };
    assert_eq!((smtp.port, smtp.tls), (2525, Tls::StartTls));
    assert_eq!(smtp.credentials.as_ref().unwrap().password.expose(), "hunter2");
    assert_eq!(config.mail.servers["main"].connections, 3);
    assert_eq!(config.mail.servers["main"].hello_name, "news.example.org");
    assert_eq!(config.site.title, "5");
    assert!(!config.feeds.full_text);
    assert_eq!(config.posts[0].name, "notes");
    assert_eq!(config.newsletters["weekly"].default_cadence, Cadence::Daily);
    assert!(loaded.origins.place("newsletters.weekly.cadences.weekly").is_none());
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let project = Project::new(WITH_MAIL);
    insta::assert_snapshot!(project.errors(&[
        ("POSTRIDER__MAIL__FORM", "x@example.org"),
        ("POSTRIDER__SERVER__LISTEN", "8080"),
        ("POSTRIDER__FEEDS__ITEMS", "many"),
        ("POSTRIDER__POSTS__7__PATH", "x"),
        ("POSTRIDER__STORE__URL", "sqlite:"),
        ("POSTRIDER__", "x"),
    ]));
}

#[test]
fn a_twin_in_the_environment_replaces_the_one_in_the_file() {
    let text = format!("{SMALL}[store]\nurl_file = \"secrets/store\"\n");
    let project = Project::new(&text);
    let loaded = project.load(&[("POSTRIDER__STORE__URL", "sqlite:other.db")]).unwrap();
    assert!(matches!(&loaded.config.store, StoreUrl::Sqlite(file) if file.ends_with("other.db")));
}

#[test]
fn secrets_come_from_files_that_only_we_can_read() {
    let key = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let text = format!(
        "{SMALL}[destinations.chat]\nkind = \"webhook\"\nurl = \"http://localhost:9\"\nsecret_file = \"secrets/chat\"\n"
    );
    let project = Project::new(&text).with("secrets/chat", &format!("{key}\n\n{key}\r\n"));
    let open = shown(&project.loaded().warnings);
    assert!(
        open.contains("warning[readable-secret] config/postrider.toml:9:15: everybody"),
        "{open}"
    );
    restrict(&project.0.path().join("secrets/chat"));
    let loaded = project.loaded();
    assert_eq!(shown(&loaded.warnings), "");
    let DestinationKind::Webhook(webhook) = &loaded.config.destinations["chat"].kind;
    assert_eq!(webhook.secrets.len(), 2);
    let Endpoint::Http { allow, .. } = &webhook.endpoint else { panic!("outbox") };
    assert_eq!(allow.len(), 2);
    assert_eq!(loaded.config.destinations["chat"].retry.first_delay, SignedDuration::from_secs(5));
}

#[cfg(unix)]
fn restrict(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn sample_subscribers_never_get_real_mail() {
    let text = WITH_MAIL.replace("outbox:var/outbox", "smtp://127.0.0.1:25")
        + "[[sample_subscribers]]\naddress = \"ann@example.org\"\n";
    let errors = Project::new(&text).errors(&[]);
    assert!(errors.contains("would get real mail through `mail.servers.main`"), "{errors}");
}

#[test]
fn mail_to_the_world_needs_pages_that_the_world_can_reach() {
    let text = WITH_MAIL.replace("outbox:var/outbox", "smtp://mail.example.org");
    let warnings = shown(&Project::new(&text).loaded().warnings);
    assert!(warnings.starts_with("warning[unreachable-pages]"), "{warnings}");
}

#[test]
fn a_post_waits_in_one_queue_only() {
    let queue = |name: &str, posts: &str| {
        format!(
            "[[queue]]\nname = \"{name}\"\nschedule = \"@daily\"\ntake = 1\nposts = [{posts}]\n"
        )
    };
    let releases = queue("one", "\"a\", \"a\"") + &queue("two", "\"b\", \"a\"");
    let found = Project::new(SMALL).with("config/releases.toml", &releases).errors(&[]);
    assert!(found.contains("releases.toml:5:15: `a` is listed twice"), "{found}");
    assert!(found.contains("releases.toml:10:15: `a` is in queue `one` already"), "{found}");
}

#[test]
fn releases_are_read_in_the_sites_time_zone() {
    let project = Project::new(WITH_MAIL).with(
        "config/releases.toml",
        r#"
[[release]]
post = "a"
at = 2026-12-01T08:00:00
[[release]]
post = "b"
at = 2026-07-01
channels = ["mail"]
[[release]]
post = "c"
at = "2026-12-01T08:00:00+00:00"
channels = ["feeds", "weekly"]
[[queue]]
name = "archive"
schedule = "@daily"
posts = ["d"]
timezone = "UTC"
"#,
    );
    let releases = project.loaded().config.releases;
    let at: Vec<String> = releases.releases.iter().map(|release| release.at.to_string()).collect();
    assert_eq!(at, ["2026-12-01T07:00:00Z", "2026-06-30T22:00:00Z", "2026-12-01T08:00:00Z"]);
    let weekly = Channel::Newsletter("weekly".to_owned());
    assert_eq!(releases.releases[1].channels, Some(vec![weekly.clone()]));
    assert_eq!(releases.releases[2].channels, Some(vec![Channel::Feeds, weekly]));
    assert_eq!(releases.queues[0].schedule.zone().iana_name(), Some("UTC"));
}

#[test]
fn a_file_that_is_missing_or_no_text_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let found = load(&default_file(folder.path()), &Environment::default()).unwrap_err();
    assert!(shown(&found).contains("config/postrider.toml: there is no such file"));
    let project = Project::new("");
    fs::write(default_file(project.0.path()), b"[site]\ntitle = \"\xff\"\n").unwrap();
    assert!(project.errors(&[]).contains("config/postrider.toml:2:10: this is not UTF-8"));
}

#[test]
fn a_file_elsewhere_brings_its_own_project_folder() {
    let project = Project::new(SMALL).with("site.toml", SMALL);
    let loaded = load(&project.0.path().join("site.toml"), &Environment::default()).unwrap();
    assert_eq!(loaded.config.root, project.0.path());
    assert_eq!(loaded.origins.place("site.url").unwrap().0, "site.toml");
}

#[test]
fn debug_output_holds_no_secrets() {
    let text = format!(
        "{SMALL}[store]\nurl = \"postgres://u:hunter2@h/db\"\n[destinations.chat]\nkind = \"webhook\"\nurl = \"https://example.org\"\nheaders = {{ X-Key = \"hunter2\" }}\n"
    );
    let loaded = Project::new(&text).loaded();
    let environment: Environment = [("A", "hunter2")].into_iter().collect();
    let debug = format!("{loaded:?} {environment:?}");
    assert!(!debug.contains("hunter2"), "{debug}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_makes_loading_panic(cut in 0_usize..4000, junk in "[\\[\\]{}=\"'\n a-z0-9.]{0,12}") {
        let mut text = commented_default().to_owned();
        let cut = text.floor_char_boundary(cut.min(text.len()));
        text.insert_str(cut, &junk);
        if let Err(found) = Project::new(&text).load(&[]) {
            assert!(!found.is_empty());
            shown(&found);
        }
    }
}
