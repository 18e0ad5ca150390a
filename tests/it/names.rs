//! Posts that name one another are linked where those live, whatever is written first.

use crate::harness::engine::Engine;
use crate::harness::world::{Setting, World, post};

fn note(title: &str, lines: &str, text: &str) -> String {
    let post = post(title, "2026-03-09").replacen("---\n", &format!("---\n{lines}\n"), 1);
    format!("{post}\n\n{text}\n")
}

/// Where the links in the text of all posts lead that are called `words`.
async fn targets(world: &World, words: &str) -> Vec<String> {
    let feed = world.gets("/feed.json").await.text();
    let feed: serde_json::Value = serde_json::from_str(&feed).expect("JSON");
    let items = feed["items"].as_array().expect("items").iter();
    let texts = items.filter_map(|item| item["content_html"].as_str());
    let end = format!("\">{words}</a>");
    texts
        .filter_map(|html| html.split_once(&end)?.0.rsplit_once("href=\"").map(|(_, url)| url))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_post_that_another_names_is_linked_where_it_lives() {
    let garden =
        note("Garden", "slug: garden", "As in [[River Walk]] and {{< ref \"pond.md\" >}}.");
    let river = |path: &str| note("River", &format!("permalink: {path}"), "It flows.");
    let mut world = Setting::new(Engine::Sqlite)
        .post("a garden.md", garden)
        .post("notes/River Walk.md", river("/walks/river/"))
        .start()
        .await;
    assert_eq!(targets(&world, "River Walk").await, ["https://example.org/walks/river/"]);
    world.author_saves("notes/River Walk.md", river("/trails/river/")).await;
    assert_eq!(targets(&world, "River Walk").await, ["https://example.org/trails/river/"], "moved");
    world.restarts().await;
    assert_eq!(targets(&world, "River Walk").await, ["https://example.org/trails/river/"]);
    world.author_saves("other/River Walk.md", note("Other", "slug: other", "Two of a name.")).await;
    assert_eq!(
        targets(&world, "River Walk").await,
        ["https://example.org/posts/river-walk/"],
        "which of two is meant nobody knows: a guess, as the log says"
    );
    world.author_deletes("other/River Walk.md").await;
    assert_eq!(targets(&world, "River Walk").await, ["https://example.org/trails/river/"]);
}
