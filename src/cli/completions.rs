//! `postrider completions`: scripts that let a shell complete commands and options.

use clap::Args;
use clap_complete::Shell;

use super::console;
use super::style::examples;

/// Print a script that completes commands and options in your shell
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "postrider completions bash > ~/.local/share/bash-completion/completions/postrider
  postrider completions zsh > ~/.zfunc/_postrider
  postrider completions fish > ~/.config/fish/completions/postrider.fish"
))]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, command: &mut clap::Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "postrider", &mut script);
    Ok(console::print(&String::from_utf8_lossy(&script))?)
}
