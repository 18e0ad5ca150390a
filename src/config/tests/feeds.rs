//! `[feeds]`.

use super::*;
use crate::domain::FeedTopic;

#[test]
fn feeds_are_what_the_operator_says() {
    let text = format!(
        "{SMALL}[feeds]\nlogo = \"/logo.png\"\nicon = \"https://cdn.example.net/i.png\"\nttl = \"90m\"\n\
         hubs = [\"https://hub.example.net/\", \"https://hub.example.net/\"]\nper = [\"author\", \"tag\", \"author\"]\n\
         items = 30\nkilobytes = 90\n[feeds.selections.slow]\nkilobytes = 0\ntags = [\"tools\"]\nlanguages = [\"en\"]\nfull_text = false\n\
         [feeds.podcast]\ncategory = \"Society & Culture/Documentary\"\nowner = \"Ada <ada@example.org>\"\n\
         guid = \"917393e3-1b1e-5cef-ace4-edaa54e1f810\"\n"
    );
    let feeds = Project::new(&text).loaded().config.feeds;
    assert_eq!(feeds.about.logo.unwrap().as_str(), "https://example.org/blog/logo.png");
    assert_eq!(feeds.about.icon.unwrap().as_str(), "https://cdn.example.net/i.png");
    assert_eq!(feeds.about.ttl.unwrap().as_mins(), 90);
    assert_eq!(feeds.about.hubs.len(), 1);
    assert_eq!(feeds.per, [FeedTopic::Author, FeedTopic::Tag]);
    let slow = &feeds.selections["slow"];
    assert_eq!((slow.window.items, slow.full_text, slow.wanted.len()), (30, false, 2));
    assert_eq!((feeds.window.bytes, slow.window.bytes), (Some(90_000), None));
    let podcast = feeds.podcast.unwrap();
    assert_eq!(podcast.category.1.as_deref(), Some("Documentary"));
    assert_eq!(podcast.owner.unwrap().1, "ada@example.org");
    assert!(podcast.guid.is_some());
}

#[test]
fn without_a_word_tags_categories_and_languages_have_feeds() {
    let feeds = Project::new(SMALL).loaded().config.feeds;
    assert_eq!(feeds.per, [FeedTopic::Tag, FeedTopic::Category, FeedTopic::Language]);
    assert!(feeds.podcast.is_none());
    let none = Project::new(&format!("{SMALL}[feeds]\nper = []\n")).loaded();
    assert!(none.config.feeds.per.is_empty());
}

#[test]
fn mistakes_in_feeds_say_where_they_are() {
    let text = format!(
        "{SMALL}[feeds]\nlogo = \"logo.png\"\nttl = \"5s\"\nhubs = [\"hub.example.net\"]\n\
         [feeds.selections.archive]\ntags = [\"x\"]\n[feeds.selections.all]\ntitle = \"All\"\n\
         [feeds.selections.odd]\nlanguages = [\"no language\"]\n\
         [feeds.podcast]\nguid = \"x\"\nowner = \"nobody\"\n"
    );
    insta::assert_snapshot!(Project::new(&text).errors(&[]));
}

#[test]
fn our_own_hub_is_the_first_that_feeds_name_and_is_not_told() {
    let text = format!(
        "{SMALL}[feeds]\nhubs = [\"https://hub.example.net/\"]\n[feeds.hub]\nenabled = true\nallow = [\"10.0.0.1\"]\n"
    );
    let config = Project::new(&text).loaded().config;
    let own = config.feeds.hub.as_ref().unwrap();
    assert_eq!(own.url, config.server.public_url.join("websub").unwrap());
    let named: Vec<&str> = config.feeds.about.hubs.iter().map(url::Url::as_str).collect();
    assert_eq!(named, [own.url.as_str(), "https://hub.example.net/"]);
    let told: Vec<&str> = config.feeds.others_hubs().map(url::Url::as_str).collect();
    assert_eq!(told, ["https://hub.example.net/"]);
    assert_eq!(own.allow.len(), 1);
    assert!(Project::new(SMALL).loaded().config.feeds.hub.is_none());
}

#[test]
fn search_engines_are_told_with_a_key_that_fits_only() {
    let with = |key: &str| format!("{SMALL}[archive.index_now]\nkey = \"{key}\"\n");
    let index = Project::new(&with("0123-abcDEF")).loaded().config.archive.index_now.unwrap();
    assert_eq!(index.endpoint.as_str(), "https://api.indexnow.org/indexnow");
    assert!(Project::new(SMALL).loaded().config.archive.index_now.is_none());
    for wrong in ["short", "with a space", &"x".repeat(129)] {
        let errors = Project::new(&with(wrong)).errors(&[]);
        assert!(errors.contains("key of IndexNow"), "{wrong}: {errors}");
    }
}
