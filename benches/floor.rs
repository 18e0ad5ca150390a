//! The least that feeds of a folder can cost: one thread that reads all posts, renders them and writes RSS, Atom and JSON of all.
//!
//! `cargo bench --bench floor -- FOLDER` prints its CPU seconds; `scripts/bench-posts` puts it beside the daemon. The crates are
//! the daemon's own; there is no sanitiser, no check, no store, nothing that is kept.

use std::error::Error;
use std::fmt::Write as _;
use std::{fs, process};

use atom_syndication::{ContentBuilder, EntryBuilder, FeedBuilder, Text};
use pulldown_cmark::{Options, Parser, html};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    // Cargo runs all benches at once without one.
    let Some(folder) = folder else { return Ok(()) };
    let mut posts = Vec::new();
    for file in fs::read_dir(&folder)? {
        posts.push(Post::read(&fs::read_to_string(file?.path())?)?);
    }
    posts.sort_by(|a, b| b.date.cmp(&a.date));
    let bytes = [rss(&posts), atom(&posts)?, json(&posts)].map(|feed| feed.len());
    println!("{} posts, {bytes:?} bytes: {} s CPU", posts.len(), cpu_seconds()?);
    Ok(())
}

struct Post {
    title: String,
    date: String,
    html: String,
}

impl Post {
    fn read(text: &str) -> Result<Self, Box<dyn Error>> {
        let (head, body) = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"))
            .ok_or("a post without front matter")?;
        let field = |name: &str| {
            let value = head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            value.trim().trim_matches('"').to_owned()
        };
        let mut html = String::new();
        html::push_html(&mut html, Parser::new_ext(body, Options::all()));
        Ok(Self { title: field("title:"), date: field("date:"), html })
    }

    fn link(&self) -> String {
        format!("https://example.org/{}/", self.title)
    }
}

fn rss(posts: &[Post]) -> String {
    let items = posts.iter().map(|post| rss::Item {
        title: Some(post.title.clone()),
        link: Some(post.link()),
        pub_date: Some(post.date.clone()),
        content: Some(post.html.clone()),
        ..rss::Item::default()
    });
    rss::Channel { items: items.collect(), ..rss::Channel::default() }.to_string()
}

fn atom(posts: &[Post]) -> Result<String, Box<dyn Error>> {
    let entry = |post: &Post| -> Result<_, Box<dyn Error>> {
        let updated = post.date.parse::<atom_syndication::FixedDateTime>();
        let updated = updated.map_err(|_| "a post whose date is no date")?;
        let mut content = ContentBuilder::default();
        content.content_type("html".to_owned()).value(post.html.clone());
        let entry = EntryBuilder::default()
            .title(Text::plain(post.title.clone()))
            .id(post.link())
            .updated(updated)
            .content(content.build())
            .build();
        Ok(entry)
    };
    let entries = posts.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(FeedBuilder::default().entries(entries).build().to_string())
}

fn json(posts: &[Post]) -> String {
    let items = posts.iter().map(|post| {
        json!({ "id": post.link(), "title": post.title, "date_published": post.date, "content_html": post.html })
    });
    json!({ "version": "https://jsonfeed.org/version/1.1", "items": items.collect::<Vec<_>>() })
        .to_string()
}

/// User and system, of this process.
fn cpu_seconds() -> Result<String, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process::id()))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no fields")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.map(|field| field.parse().unwrap_or(0)).sum();
    let mut seconds = String::new();
    write!(seconds, "{}.{:02}", ticks / 100, ticks % 100)?;
    Ok(seconds)
}
