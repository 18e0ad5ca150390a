//! `postrider preview`: an edition or a post as its readers will get it by mail.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::bench::Bench;
use super::compose::{self, cadence_parser};
use super::console;
use super::project::Project;
use super::style::examples;
use crate::config::{Config, Newsletter};
use crate::dispatch::{MailKind, blueprint};
use crate::domain::Cadence;
use crate::mail::{Composed, Recipient};

/// See an edition or a post as its readers will get it by mail
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider preview edition weekly --open
  postrider preview edition weekly --cadence daily --out next.eml
  postrider preview post hello-world
  postrider preview welcome 2 --open"
))]
pub(super) struct PreviewArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The next edition of a newsletter
    ///
    /// Carries the posts that wait for it; where none does, the newest stand in.
    Edition {
        /// Which newsletter
        newsletter: String,
        /// As subscribers of this cadence get it [default: the newsletter's default]
        #[arg(long, value_parser = cadence_parser())]
        cadence: Option<Cadence>,
        #[command(flatten)]
        output: Output,
    },
    /// The mail that tells of a corrected post (`notify: correction`) those who had it
    Correction {
        /// Its slug, source path or id
        #[arg(value_name = "POST")]
        post: String,
        /// As subscribers of this newsletter get it
        #[arg(long)]
        newsletter: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// A mail to newcomers
    Welcome {
        /// Which newsletter
        #[arg(long)]
        newsletter: Option<String>,
        /// Which of its welcome mails, from 1
        #[arg(default_value_t = 1)]
        number: usize,
        #[command(flatten)]
        output: Output,
    },
    /// One post as a mail of its own
    Post {
        /// Its slug, source path or id
        #[arg(value_name = "POST")]
        post: String,
        /// As subscribers of this newsletter get it
        #[arg(long)]
        newsletter: Option<String>,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
struct Output {
    /// Write to this file: `.eml` is the whole mail, `.html` and `.txt` its parts [default: files in var/preview/]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Open it in the browser
    #[arg(long)]
    open: bool,
}

/// A mail that nobody gets.
struct Preview {
    composed: Composed,
    /// The whole message.
    message: Vec<u8>,
}

pub(super) async fn run(project: &Project, args: &PreviewArgs) -> anyhow::Result<()> {
    let bench = Bench::open(project).await?;
    let (name, preview, output) = match &args.what {
        What::Edition { newsletter, cadence, output } => {
            let newsletter = compose::newsletter(&bench.config, Some(newsletter))?;
            let cadence = compose::cadence(newsletter, *cadence)?;
            let posts = compose::posts_of_edition(&bench, newsletter, cadence).await?;
            let composed = compose::compose(&bench, newsletter, cadence, &posts)?;
            let name = format!("{}-{cadence}", newsletter.name);
            (name, preview(&bench, newsletter, composed)?, output)
        }
        What::Correction { post, newsletter, output } => {
            let newsletter = compose::newsletter(&bench.config, newsletter.as_deref())?;
            let written = compose::post(&bench, post)?;
            let composed = compose::correction(&bench, newsletter, &written)?;
            let name = format!("correction-{}", written.post.slug);
            (name, preview(&bench, newsletter, composed)?, output)
        }
        What::Welcome { newsletter, number, output } => {
            let newsletter = compose::newsletter(&bench.config, newsletter.as_deref())?;
            let composed = compose::welcome(&bench, newsletter, *number)?;
            let name = format!("welcome-{}-{number}", newsletter.name);
            (name, preview(&bench, newsletter, composed)?, output)
        }
        What::Post { post, newsletter, output } => {
            let newsletter = compose::newsletter(&bench.config, newsletter.as_deref())?;
            let written = compose::post(&bench, post)?;
            let composed = compose::alone(&bench, newsletter, &written)?;
            (written.post.slug.clone(), preview(&bench, newsletter, composed)?, output)
        }
    };
    console::note(&format!("Subject: {}", preview.composed.subject));
    let files = preview.write(&bench.config, &name, output)?;
    bench.close().await;
    for file in &files {
        console::print(&format!("{}\n", file.display()))?;
    }
    if output.open {
        let page = files.iter().find(|file| extension(file) == "html").unwrap_or(&files[0]);
        open::that(page).with_context(|| format!("open `{}` in the browser", page.display()))?;
    }
    Ok(())
}

fn preview(bench: &Bench, newsletter: &Newsletter, composed: Composed) -> anyhow::Result<Preview> {
    let config = &bench.config;
    let blueprint =
        blueprint((config, &newsletter.name), &composed, bench.now, MailKind::Edition(None))?;
    let host = config.server.public_url.host_str().unwrap_or("localhost");
    let recipient = Recipient {
        to: &config.mail.from.address,
        message_id: &format!("preview@{host}"),
        unsubscribe_token: None,
        signed_at: Some(bench.now),
        eight_bit: false,
    };
    let message = blueprint.fill(&recipient);
    Ok(Preview { composed, message })
}

impl Preview {
    /// Writes what is asked for and says where it is.
    fn write(&self, config: &Config, name: &str, output: &Output) -> anyhow::Result<Vec<PathBuf>> {
        if let Some(file) = &output.out {
            write(file, &self.part(&extension(file))?)?;
            return Ok(vec![file.clone()]);
        }
        let folder = config.root.join("var").join("preview");
        fs::create_dir_all(&folder).with_context(|| {
            format!("make the folder `{}`; `--out FILE` names another place", folder.display())
        })?;
        let mut files = Vec::new();
        for extension in ["html", "eml"] {
            // A slug is one path segment; its dots are its own.
            let file = folder.join(format!("{}.{extension}", name.replace(['/', '\\'], "-")));
            write(&file, &self.part(extension)?)?;
            files.push(file);
        }
        Ok(files)
    }

    /// The mail, or one of its bodies, by the extension that such a file has.
    fn part(&self, extension: &str) -> anyhow::Result<Vec<u8>> {
        match extension {
            "eml" => Ok(self.message.clone()),
            "html" | "htm" => Ok(self.without_hole(&self.composed.html)),
            "txt" => Ok(self.without_hole(&self.composed.text)),
            _ => bail!("a preview is an `.eml`, an `.html` or a `.txt` file"),
        }
    }

    /// What stands for the recipient's token is long and says nothing.
    fn without_hole(&self, body: &str) -> Vec<u8> {
        match &self.composed.hole {
            Some(hole) => body.replace(hole, "preview").into_bytes(),
            None => body.as_bytes().to_vec(),
        }
    }
}

fn extension(file: &Path) -> String {
    file.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(file, bytes).with_context(|| format!("write `{}`", file.display()))
}
