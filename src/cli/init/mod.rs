//! `postrider init`: a commented project in an empty folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::tz::TimeZone;
use url::Url;

use super::arguments::web_url;
use super::console::{self, Page};
use super::project::now;
use super::style::examples;
use crate::config;

const RELEASES: &str = include_str!("releases.toml");
const POST: &str = include_str!("post.md");
const IGNORED: &str = "# What Postrider makes, and what nobody else may see.\n/var/\n/secrets/\n";

/// Make a commented project in an empty folder
///
/// It runs as it is: mail and calls land in an outbox that the browser shows, and nothing leaves this machine.
/// Title and time zone are guessed from the folder and the machine.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider init blog
  postrider init --title 'Field Notes' --url https://notes.example.org"
))]
pub(super) struct InitArgs {
    /// The folder; it is made if need be
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// Title of the site [default: the folder's name]
    #[arg(long)]
    title: Option<String>,
    /// Where the posts live
    #[arg(long, default_value = "https://example.org", value_parser = web_url)]
    url: Url,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    refuse_if_used(folder)?;
    let title = args.title.clone().unwrap_or_else(|| title_of(folder));
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let today = now().to_zoned(zone.clone());
    let config = Values {
        title: &title,
        url: args.url.as_str().trim_end_matches('/'),
        time_zone: zone.iana_name().unwrap_or("UTC"),
    };
    let post = POST.replace("{date}", &today.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
    let files = [
        (
            "config/postrider.toml",
            config.fill(config::commented_default(), &today.date().to_string()),
        ),
        ("config/releases.toml", RELEASES.to_owned()),
        ("posts/hello-world.md", post),
        (".gitignore", IGNORED.to_owned()),
    ];
    let mut page = Page::default();
    for (name, text) in files {
        write_new(&folder.join(name), &text)?;
        page.line(within(folder, name).display());
    }
    console::print(&page.text())?;
    console::note(&next(folder));
    Ok(())
}

/// The path of a file in `folder`, as short as it can be.
fn within(folder: &Path, name: &str) -> PathBuf {
    if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}

/// What a person does now.
fn next(folder: &Path) -> String {
    let enter = if folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", folder.display())
    };
    format!("\nNext: {enter}postrider")
}

/// Version control may be there already; anything else may be somebody's work.
fn refuse_if_used(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("look into `{}`", folder.display()));
        }
    };
    for entry in entries {
        let name = entry?.file_name();
        if name != ".git" {
            bail!(
                "`{}` is not empty: there is `{}`; name an empty or a new folder",
                folder.display(),
                name.to_string_lossy()
            );
        }
    }
    Ok(())
}

/// `field-notes` becomes `Field notes`.
fn title_of(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default().replace(['-', '_'], " ");
    let mut letters = name.trim().chars().filter(|c| !c.is_control());
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "My notes".to_owned(),
    }
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("write `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut file = fs::File::create_new(path).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}

/// What is put into the shipped configuration in place of what stands there.
struct Values<'a> {
    title: &'a str,
    url: &'a str,
    time_zone: &'a str,
}

impl Values<'_> {
    /// The shipped configuration with these values. Comments and columns stay as they are.
    fn fill(&self, shipped: &str, today: &str) -> String {
        let mut section = "";
        let mut text = String::with_capacity(shipped.len());
        for line in shipped.lines() {
            if line.starts_with('[') {
                section = line.split(['#', ' ']).next().unwrap_or_default();
            }
            let key = line.split_once('=').map_or("", |(key, _)| key.trim());
            let value = match (section, key) {
                ("[site]", "title") => Some(quoted(self.title)),
                ("[site]", "url") => Some(quoted(self.url)),
                ("[site]", "timezone") => Some(quoted(self.time_zone)),
                ("[site]", "description") => Some(quoted("")),
                ("[site]", "author") => {
                    text.push_str("# ");
                    None
                }
                ("[mail]", "from") => {
                    Some(quoted(&format!("{} <news@example.org>", plain(self.title))))
                }
                ("[mail]", "address") => {
                    Some(quoted(&format!("{}, 1 Example Lane, 12345 Sampleton", self.title)))
                }
                ("[newsletters.weekly]", "title") => {
                    Some(quoted(&format!("{} weekly", self.title)))
                }
                ("[[posts]]", "baseline") => Some(today.to_owned()),
                _ => None,
            };
            match value {
                Some(value) => text.push_str(&replaced(line, &value)),
                None => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// `line` with another value, and its comment in the column where it was, if there is room.
fn replaced(line: &str, value: &str) -> String {
    let key = line.split('=').next().unwrap_or_default();
    let start = format!("{key}= {value}");
    // No shipped value that is replaced has a `#` in it.
    match line.find(" #") {
        Some(at) => format!("{start:<column$} {}", line[at..].trim_start(), column = at),
        None => start,
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What may stand in front of an address without quotes.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !"\"<>,;:@()[]\\".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_keeps_its_comments() {
        let values = Values {
            title: "Ann's \"notes\"",
            url: "https://ann.example",
            time_zone: "America/Lima",
        };
        let shipped = config::commented_default();
        let text = values.fill(shipped, "2026-10-05");
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["site"]["title"].as_str(), Some("Ann's \"notes\""));
        assert_eq!(table["site"]["url"].as_str(), Some("https://ann.example"));
        assert_eq!(table["site"]["timezone"].as_str(), Some("America/Lima"));
        assert_eq!(table["mail"]["from"].as_str(), Some("Ann's notes <news@example.org>"));
        assert_eq!(text.lines().count(), shipped.lines().count());
        assert_eq!(text.matches("DEMO").count(), shipped.matches("DEMO").count());
    }

    #[test]
    fn a_title_is_guessed_from_the_folder() {
        assert_eq!(title_of(Path::new("/srv/field-notes")), "Field notes");
        assert_eq!(title_of(Path::new("/")), "My notes");
    }
}
