//! `postrider posts`: what is held until somebody has looked, and where posts were before.

use std::collections::HashMap;

use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::arguments::Format;
use super::console;
use super::exit::{Code, Stop};
use super::project::{Project, now};
use super::style::examples;
use super::table::Rows;
use super::words;
use crate::content::percent_decoded;
use crate::domain::Hold;
use crate::store::{HeldPost, Tx};

/// See which posts are held, release or dismiss them; see where posts were before
///
/// Posts are held when more new ones appear at once than `guard.new_posts` allows, and when one looks like a post that is
/// gone. They are in the feeds meanwhile. A running daemon takes up a decision within seconds.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider posts held
  postrider posts release hello-world
  postrider posts dismiss --all                   they stay in the feeds and go nowhere else
  postrider posts redirects --format netlify > static/_redirects"
))]
pub(super) struct PostsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What is held, and why
    Held {
        /// For people or for programs
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Let held posts go out, as if they had not been held
    Release(Which),
    /// Make held posts old news: they stay in the feeds, and are never mailed or announced
    Dismiss(Which),
    /// Where posts were before their address changed, and where they are now
    Redirects {
        /// For people, for programs, or for a web server
        #[arg(long, value_enum, default_value_t)]
        format: Redirects,
    },
}

#[derive(Debug, Args)]
#[group(required = true)]
struct Which {
    /// Slugs, source paths or ids
    #[arg(value_name = "POST")]
    posts: Vec<String>,
    /// Everything that is held
    #[arg(long, conflicts_with = "posts")]
    all: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// How redirects are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Redirects {
    #[default]
    Human,
    Json,
    /// A `_redirects` file, as Netlify and Cloudflare Pages read it
    Netlify,
    /// Lines for an nginx `map`
    Nginx,
}

#[derive(Clone, Copy)]
enum Decision {
    Release,
    Dismiss,
}

pub(super) async fn run(project: &Project, args: &PostsArgs) -> anyhow::Result<()> {
    match &args.what {
        What::Held { format } => held(project, *format).await,
        What::Release(which) => decide(project, which, Decision::Release).await,
        What::Dismiss(which) => decide(project, which, Decision::Dismiss).await,
        What::Redirects { format } => redirects(project, *format).await,
    }
}

#[derive(Serialize)]
struct HeldJson<'a> {
    id: &'a str,
    title: &'a str,
    source: &'a str,
    published_at: Timestamp,
    first_seen_at: Timestamp,
    hold: &'a str,
    detail: &'a str,
}

async fn held(project: &Project, format: Format) -> anyhow::Result<()> {
    let look = project.look().await?;
    let held = look.store.read().await?.held_posts().await?;
    look.close().await;
    match format {
        Format::Json => {
            let rows = held.iter().map(|it| HeldJson {
                id: it.id.as_str(),
                title: &it.title,
                source: &it.source,
                published_at: it.published_at,
                first_seen_at: it.first_seen_at,
                hold: it.hold.as_str(),
                detail: &it.detail,
            });
            console::print_json(&rows.collect::<Vec<_>>())?;
        }
        Format::Human if held.is_empty() => console::note("Nothing is held."),
        Format::Human => {
            let mut rows = Rows::under(&["post", "title", "dated", "seen", "why"]);
            let zone = &project.config.site.time_zone;
            for it in &held {
                rows.row(&[
                    &it.source,
                    &words::cut(&it.title, 50),
                    &words::local(it.published_at, zone),
                    &words::local(it.first_seen_at, zone),
                    &why(it),
                ]);
            }
            console::print(&rows.text())?;
            console::note(
                "`postrider posts release POST` lets one go out, `postrider posts dismiss POST` makes it old news.",
            );
        }
    }
    Ok(())
}

fn why(held: &HeldPost) -> String {
    match held.hold {
        Hold::Burst => held.detail.clone(),
        Hold::Likeness => format!("much like `{}`, which is gone", held.detail),
        Hold::Released => String::new(),
    }
}

async fn decide(project: &Project, which: &Which, decision: Decision) -> anyhow::Result<()> {
    let store = project.store().await?;
    let held = store.read().await?.held_posts().await?;
    let chosen = choose(&held, which)?;
    if chosen.is_empty() {
        console::note("Nothing is held.");
        return Ok(());
    }
    let count = words::count(chosen.len(), "post");
    let (question, word) = match decision {
        Decision::Release => (format!("{count} would go out. Type release to go on: "), "release"),
        Decision::Dismiss => {
            (format!("{count} would never go out. Type dismiss to go on: "), "dismiss")
        }
    };
    if which.all && !which.yes && !console::confirm(&question, word)? {
        console::note("Nothing was changed. `--yes` does it without asking.");
        return Err(Stop::silently(Code::Failed).into());
    }
    let mut tx = store.write().await?;
    for post in chosen {
        one(&mut tx, post, decision).await?;
    }
    tx.commit().await?;
    store.close().await;
    console::note(&match decision {
        Decision::Release => format!("{count} released."),
        Decision::Dismiss => format!("{count} dismissed: in the feeds, and nowhere else."),
    });
    Ok(())
}

async fn one(tx: &mut Tx, post: &HeldPost, decision: Decision) -> anyhow::Result<()> {
    match decision {
        Decision::Release => tx.release_post(&post.id, now()).await?,
        Decision::Dismiss => tx.dismiss_post(&post.id, now()).await?,
    };
    Ok(())
}

/// The held posts that are meant. Naming one that is not held is a mistake.
fn choose<'a>(held: &'a [HeldPost], which: &Which) -> anyhow::Result<Vec<&'a HeldPost>> {
    if which.all {
        return Ok(held.iter().collect());
    }
    let find = |name: &String| {
        let found = held
            .iter()
            .find(|it| *name == it.slug || *name == it.source || *name == it.id.as_str());
        if let Some(post) = found {
            return Ok(post);
        }
        match words::nearest(name, held.iter().map(|it| it.slug.as_str())) {
            Some(near) => bail!("`{name}` is not held; did you mean `{near}`?"),
            None => bail!("`{name}` is not held; `postrider posts held` shows what is"),
        }
    };
    which.posts.iter().map(find).collect()
}

async fn redirects(project: &Project, format: Redirects) -> anyhow::Result<()> {
    let look = project.look().await?;
    let moved = look.store.read().await?.former_links().await?;
    look.close().await;
    if moved.is_empty() && format == Redirects::Human {
        console::note("No post has changed its address.");
        return Ok(());
    }
    let text = match format {
        Redirects::Json => {
            let pairs: Vec<_> = moved
                .iter()
                .map(|(from, to)| serde_json::json!({ "from": from, "to": to }))
                .collect();
            console::print_json(&pairs)?;
            return Ok(());
        }
        Redirects::Human => {
            let mut rows = Rows::under(&["before", "now"]);
            for (from, to) in &moved {
                rows.row(&[from, to]);
            }
            rows.text()
        }
        Redirects::Netlify => told(rules(&moved, &NETLIFY)),
        Redirects::Nginx => told(rules(&moved, &NGINX)),
    };
    console::print(&text)?;
    Ok(())
}

/// How a web server is told of an address, and when it takes two for one.
struct Server {
    line: fn(&str, &str) -> Option<String>,
    /// `/a` is `/a/`.
    ignores_slash: bool,
}

const NETLIFY: Server = Server { line: netlify, ignores_slash: true };
const NGINX: Server = Server { line: nginx, ignores_slash: false };

impl Server {
    /// What two paths have in common that are the same to the server. Both compare without regard to case, or may.
    fn key(&self, path: &str) -> String {
        let path = percent_decoded(path).to_lowercase();
        if self.ignores_slash { path.trim_end_matches('/').to_owned() } else { path }
    }
}

/// The lines for a web server, and what it cannot be told: why, and which.
fn rules(moved: &[(String, String)], server: &Server) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut left_out = Vec::new();
    let mut known: HashMap<String, &str> = HashMap::new();
    for (from, to) in moved {
        let mut leave = |why: &str| left_out.push(format!("{from} -> {to}: {why}"));
        let Ok(url) = Url::parse(from) else {
            leave("is no address");
            continue;
        };
        if url.query().is_some() {
            leave("its query is all that tells it from other addresses");
            continue;
        }
        let key = server.key(url.path());
        if Url::parse(to).is_ok_and(|to| to.query().is_none() && server.key(to.path()) == key) {
            leave("would lead in circles where the new address is served");
            continue;
        }
        match known.get(&key) {
            Some(other) if other == to => continue,
            Some(_) => {
                leave("another post was at this path too, and is named");
                continue;
            }
            None => {}
        }
        match (server.line)(url.path(), to) {
            Some(line) => {
                text.push_str(&line);
                known.insert(key, to);
            }
            None => leave("the web server would take it for a pattern or a variable"),
        }
    }
    (text, left_out)
}

/// The lines; a note says what is not in them.
fn told((text, left_out): (String, Vec<String>)) -> String {
    if !left_out.is_empty() {
        console::note(&format!(
            "Left out; write by hand what you need of it:\n  {}",
            left_out.join("\n  ")
        ));
    }
    text
}

/// `*` and `/:name` are patterns, and white space ends an address.
fn netlify(path: &str, to: &str) -> Option<String> {
    let is_plain = |text: &str| !is_pattern(text) && !text.contains(char::is_whitespace);
    (is_plain(path) && is_plain(to)).then(|| format!("{path} {to} 301\n"))
}

/// In quotes, so that `;` and braces are nothing special. What is asked for is compared without percent escapes.
fn nginx(path: &str, to: &str) -> Option<String> {
    let path = percent_decoded(path);
    let is_plain = |text: &str| !is_pattern(text) && !text.contains(['\\', '\u{fffd}']);
    (is_plain(&path) && is_plain(to)).then(|| format!("\"{path}\" \"{to}\";\n"))
}

fn is_pattern(text: &str) -> bool {
    text.contains("/:") || text.contains(|c: char| matches!(c, '"' | '$' | '*') || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_server_gets_addresses_as_it_compares_them() {
        let to = "https://example.org/neu/#ä;{b}";
        assert_eq!(netlify("/caf%C3%A9/", to).unwrap(), format!("/caf%C3%A9/ {to} 301\n"));
        assert_eq!(nginx("/caf%C3%A9/", to).unwrap(), format!("\"/café/\" \"{to}\";\n"));
        assert_eq!(nginx("/a%20b/", to).unwrap(), format!("\"/a b/\" \"{to}\";\n"));
    }

    #[test]
    fn what_a_web_server_would_take_for_something_else_is_left_out() {
        let to = "https://example.org/new/";
        for path in ["/a*/", "/:a/", "/a\"b/", "/$a/", "/a\nb/"] {
            assert_eq!(netlify(path, to), None, "{path}");
            assert_eq!(nginx(path, to), None, "{path}");
        }
        assert_eq!(netlify("/a b/", to), None);
        for path in ["/a%22;%20evil/", "/%24uri/", "/a%5C/", "/a%0Ab/", "/%FF/", "/%2A"] {
            assert_eq!(nginx(path, to), None, "{path}");
        }
        let to = "https://example.org/$1/";
        assert_eq!((netlify("/a/", to), nginx("/a/", to)), (None, None));
    }

    #[test]
    fn a_web_server_is_led_in_no_circles_and_told_nothing_twice() {
        let site = "https://example.org";
        let moved = [
            ("/a*/", "/new/"),
            ("/b/", "/new/"),
            ("/b/?p=42", "/new/"),
            ("/?p=42", "/new/"),
            ("/b/", "/newer/"),
            ("/B/", "/new/"),
            ("/new", "/new/"),
            ("/New/", "/new/"),
            ("/caf%C3%A9/", "/caf%c3%a9/"),
            ("/p/", "/?p=1"),
        ];
        let moved = moved.map(|(from, to)| (format!("{site}{from}"), format!("{site}{to}")));
        let (netlify, left_out) = rules(&moved, &NETLIFY);
        assert_eq!(netlify, "/b/ https://example.org/new/ 301\n/p/ https://example.org/?p=1 301\n");
        insta::assert_snapshot!(left_out.join("\n"), @r"
        https://example.org/a*/ -> https://example.org/new/: the web server would take it for a pattern or a variable
        https://example.org/b/?p=42 -> https://example.org/new/: its query is all that tells it from other addresses
        https://example.org/?p=42 -> https://example.org/new/: its query is all that tells it from other addresses
        https://example.org/b/ -> https://example.org/newer/: another post was at this path too, and is named
        https://example.org/new -> https://example.org/new/: would lead in circles where the new address is served
        https://example.org/New/ -> https://example.org/new/: would lead in circles where the new address is served
        https://example.org/caf%C3%A9/ -> https://example.org/caf%c3%a9/: would lead in circles where the new address is served
        ");
        let (nginx, left_out) = rules(&moved, &NGINX);
        assert_eq!(
            nginx,
            "\"/b/\" \"https://example.org/new/\";\n\"/new\" \"https://example.org/new/\";\n\"/p/\" \"https://example.org/?p=1\";\n"
        );
        assert_eq!(left_out.len(), 6, "{left_out:?}");
    }

    #[test]
    fn whoever_names_what_is_not_held_is_told_what_is() {
        let held = [HeldPost {
            id: crate::domain::PostId::mint(&"https://example.org/a/".parse().unwrap()),
            slug: "hello-world".to_owned(),
            title: "Hello".to_owned(),
            source: "posts/hello-world.md".to_owned(),
            published_at: Timestamp::UNIX_EPOCH,
            first_seen_at: Timestamp::UNIX_EPOCH,
            hold: Hold::Burst,
            detail: String::new(),
        }];
        let which = |name: &str| Which { posts: vec![name.to_owned()], all: false, yes: false };
        assert_eq!(choose(&held, &which("posts/hello-world.md")).unwrap().len(), 1);
        let near = choose(&held, &which("helo-world")).unwrap_err();
        assert!(near.to_string().contains("did you mean `hello-world`?"), "{near}");
        let far = choose(&held, &which("zebra")).unwrap_err();
        assert!(far.to_string().contains("postrider posts held"), "{far}");
    }
}
