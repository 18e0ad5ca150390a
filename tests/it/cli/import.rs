//! Posts from elsewhere: what an export becomes, in a folder that may not be empty.

use std::fs;

use crate::harness::program::Project;

const EXPORT: &str = include_str!("../../fixtures/ghost/export.json");

#[test]
fn a_ghost_export_becomes_posts_that_are_live_and_mailed_to_nobody() {
    let project = Project::new();
    project.write("export.json", EXPORT);
    let before = project.files();
    let line = "import ghost export.json --url https://old.example";
    let dry = project.runs(&format!("{line} --dry-run")).well();
    assert_eq!(project.files(), before);
    assert!(dry.err.contains("2 posts would be made in `posts`."), "{}", dry.err);

    let made = project.runs(line).well();
    assert_eq!(made.out, "posts/2023-09-02-moss-and-stone.md\nposts/2024-01-11-cards.md\n");
    insta::assert_snapshot!(made.err);
    let checked = project.runs("check").well();
    assert!(checked.out.contains("3 posts, 0 drafts, 0 broken files"), "{}", checked.out);
    let plan = project.runs("plan --format json").well();
    assert!(!plan.out.contains("moss-and-stone"), "{}", plan.out);

    project.edit("posts/2024-01-11-cards.md", "Before.", "Mended by hand.");
    let again = project.runs(line).well();
    assert!(again.err.contains("2 files left alone"), "{}", again.err);
    let cards = || fs::read_to_string(project.path("posts/2024-01-11-cards.md")).unwrap();
    assert!(cards().contains("Mended by hand."));
    project.runs(&format!("{line} --force --drafts")).well();
    assert!(cards().contains("Before."));
    let checked = project.runs("check").well();
    assert!(checked.out.contains("3 posts, 4 drafts, 0 broken files"), "{}", checked.out);
}

#[test]
fn what_is_broken_in_an_export_is_told_and_stops_nothing_else() {
    let project = Project::empty();
    project.write("half.json", &EXPORT[..EXPORT.len() / 2]);
    let broken = project.runs("import ghost half.json").with(1);
    assert!(broken.err.contains("half.json:"), "{}", broken.err);
    assert!(!project.path("posts").exists());

    project.write("one.json", &EXPORT.replace("\"2024-01-11 08:00:00\"", "\"the other day\""));
    let one = project.runs("import ghost one.json --out blog").with(1);
    assert_eq!(one.out, "blog/2023-09-02-moss-and-stone.md\n");
    assert!(
        one.err.contains("“Cards of every kind”: `the other day` is not a date"),
        "{}",
        one.err
    );
    assert!(one.err.contains("error: 1 post could not be made"), "{}", one.err);
    project.runs("import ghost none.json").with(1);
}
