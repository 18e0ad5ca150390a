//! How arguments are understood, and what helps people to write them.

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
}

#[test]
fn the_manual_has_each_command_in_its_table_and_a_section() {
    let manual = include_str!("../../docs/cli.md");
    let changes = include_str!("../../CHANGELOG.md");
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        if command.is_hide_set() {
            continue;
        }
        assert!(
            manual.contains(&format!("\n| [`{name}`](#{name}) | ")),
            "`{name}` is not in the table"
        );
        assert!(manual.contains(&format!("\n## {name}\n")), "`{name}` has no section");
        let list = changes.lines().find(|line| line.starts_with("- `run`, `check`"));
        let at = changes.find(list.unwrap()).unwrap();
        let list = changes[at..].split("on the command line").next().unwrap();
        assert!(list.contains(&format!("`{name}`")), "`{name}` is not in the list of changes");
    }
}

#[test]
fn without_a_command_the_daemon_runs() {
    assert!(parse("postrider").unwrap().command.is_none());
    let cli = parse("postrider --config other.toml").unwrap();
    assert_eq!(cli.global.config, Some(PathBuf::from("other.toml")));
}

#[test]
fn global_options_stand_before_or_behind_the_command() {
    for line in
        ["postrider --config f plan --color never", "postrider plan --color=never --config f"]
    {
        let cli = parse(line).unwrap();
        assert_eq!(cli.global.config, Some(PathBuf::from("f")), "{line}");
        assert_eq!(cli.global.color, style::When::Never, "{line}");
    }
}

#[test]
fn colours_are_decided_before_the_arguments_are_understood() {
    let wished = |line: &str| {
        let arguments: Vec<_> = line.split_whitespace().map(Into::into).collect();
        style::When::wished(&arguments)
    };
    assert_eq!(wished("postrider --color never --nonsense"), style::When::Never);
    assert_eq!(wished("postrider check --color=always"), style::When::Always);
    assert_eq!(wished("postrider --color sometimes"), style::When::Auto);
    assert_eq!(wished("postrider --color"), style::When::Auto);
}

#[test]
fn wrong_usage_is_told_with_what_would_be_right() {
    for (line, expected) in [
        ("postrider subscribers add nobody", "an email address has exactly one `@`"),
        (
            "postrider subscribers add a@b.example --cadence hourly",
            "instant, daily, weekly, monthly",
        ),
        ("postrider deliveries list --state lost", "planned, sending, accepted"),
        ("postrider deliveries retry", "<ID>..."),
        ("postrider send test a@b.example", "--post <POST>"),
        ("postrider init --url ftp://example.org", "a site is at `https://"),
        ("postrider chek", "check"),
        ("postrider check --format xml", "human, json, github"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(expected), "{line}: {error}");
    }
}

#[test]
fn every_list_says_how_much_of_it_is_shown() {
    for (command, about, most) in [
        ("subscribers", "Subscribers in order of their addresses", 100),
        ("editions", "Editions, newest first, with where their deliveries stand", 20),
        ("deliveries", "Deliveries, newest first", 50),
    ] {
        let help = parse(&format!("postrider {command} list --help")).unwrap_err().to_string();
        assert!(help.starts_with(about), "{help}");
        assert!(help.contains(&format!(" At most so many [default: {most}]\n")), "{help}");
    }
}

#[test]
fn every_help_text_has_one_line_about_the_command_and_examples() {
    fn visit(command: &clap::Command, path: &str) {
        let about = command.get_about().unwrap_or_else(|| panic!("{path} has no help")).to_string();
        assert!(about.len() < 110 && !about.contains('\n'), "{path}: {about}");
        if path.split(' ').count() < 3 {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Examples:"), "{path} has no examples");
        }
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            visit(sub, &format!("{path} {}", sub.get_name()));
        }
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
        }
    }
    let mut command = Cli::command();
    command.build();
    visit(&command, "postrider");
}

#[test]
fn the_help_of_the_program_is_a_map() {
    let help = Cli::command().term_width(100).render_long_help().to_string();
    insta::assert_snapshot!(help);
}
