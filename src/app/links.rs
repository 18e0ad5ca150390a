//! What the start-up prints: where to look.

use std::fmt::Write as _;

use crate::config::{Config, DestinationKind, Endpoint, Transport};

/// The links of a running daemon, a line each.
pub fn links(config: &Config) -> String {
    let base = &config.server.public_url;
    let mut lines =
        vec![("Feeds", "feed.xml atom.xml feed.json".to_owned()), ("Status", "status".to_owned())];
    if config.archive.enabled {
        lines.push(("Archive", "archive/".to_owned()));
    }
    for name in config.newsletters.keys() {
        lines.push(("Subscribe", format!("subscribe/{name}")));
    }
    if has_outbox(config) {
        lines.push(("Outbox", "outbox".to_owned()));
    }
    let mut text = format!("\nPostrider {} — {}\n\n", env!("CARGO_PKG_VERSION"), config.site.title);
    for (what, paths) in lines {
        let urls: Vec<String> = paths.split(' ').map(|path| format!("{base}{path}")).collect();
        writeln!(text, "  {what:<10} {}", urls.join("  ")).expect("a string takes every character");
    }
    if has_outbox(config) {
        text.push_str("\n  Nothing leaves this machine: mail and calls land in the outbox.\n");
    }
    text.push('\n');
    text
}

/// Whether anything lands in files instead of going out.
fn has_outbox(config: &Config) -> bool {
    let mail =
        config.mail.servers.values().any(|one| matches!(one.transport, Transport::Outbox(_)));
    mail || config.destinations.values().any(|one| {
        let DestinationKind::Webhook(webhook) = &one.kind;
        matches!(webhook.endpoint, Endpoint::Outbox(_))
    })
}
