//! With which times feeds are served: the same after a restart, on every node, and later with every change.
//!
//! The database decides. While it is away feeds go out all the same, with what this node knows, and are noted later.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::ServedFeed;
use crate::feed::{self, Document, Shelf};
use crate::store::Store;
use crate::telemetry;

/// Readers of feeds wait no longer for a database that is slow.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

/// Gives the documents of `shelf`, which is about to replace `previous`, the validators to serve them with.
///
/// Asks the database about what is new only, and about what it could not be asked before.
pub async fn settle_validators(
    (config, store): (&Config, &Store),
    mut shelf: Shelf,
    previous: &Shelf,
    now: Timestamp,
) -> Shelf {
    let open: Vec<(String, Arc<Document>)> = shelf
        .documents
        .iter()
        .filter(|(_, document)| !document.is_noted)
        .map(|(path, document)| (path.clone(), Arc::clone(document)))
        .collect();
    if open.is_empty() {
        return shelf;
    }
    let served: Vec<(&str, ServedFeed)> =
        open.iter().map(|(path, document)| (path.as_str(), document.served())).collect();
    let hubs = hubs(config);
    match tokio::time::timeout(DATABASE_WITHIN, store.note_feeds(&served, &hubs, now)).await {
        Ok(Ok(mut noted)) => {
            for (path, document) in &open {
                if let Some(feed) = noted.remove(path) {
                    let document = document.noted(feed.last_modified, feed.versions);
                    shelf.documents.insert(path.clone(), Arc::new(document));
                }
            }
        }
        Ok(Err(error)) => {
            tell(&telemetry::causes(&error));
            alone(&mut shelf, previous, &open);
        }
        Err(_) => {
            tell(&"it takes too long");
            alone(&mut shelf, previous, &open);
        }
    }
    shelf
}

/// The same for one document that was made because somebody asked for it. Without the database it has no date.
pub async fn settle_document(
    (config, store): (&Config, &Store),
    path: &str,
    document: Arc<Document>,
    now: Timestamp,
) -> Arc<Document> {
    if document.is_noted {
        return document;
    }
    let served = [(path, document.served())];
    let hubs = if feed::is_for_all_hubs(path) { hubs(config) } else { Vec::new() };
    match tokio::time::timeout(DATABASE_WITHIN, store.note_feeds(&served, &hubs, now)).await {
        Ok(Ok(mut noted)) => match noted.remove(path) {
            Some(feed) => Arc::new(document.noted(feed.last_modified, feed.versions)),
            None => document,
        },
        Ok(Err(error)) => {
            tell(&telemetry::causes(&error));
            document
        }
        Err(_) => {
            tell(&"it takes too long");
            document
        }
    }
}

/// Those that are to be told of a change.
fn hubs(config: &Config) -> Vec<String> {
    config.feeds.others_hubs().map(ToString::to_string).collect()
}

fn tell(error: &dyn std::fmt::Display) {
    tracing::warn!(
        %error,
        "the database does not say when feeds changed last; they are served with what is known here, and noted later"
    );
}

/// What this node knows by itself.
fn alone(shelf: &mut Shelf, previous: &Shelf, open: &[(String, Arc<Document>)]) {
    for (path, document) in open.iter().filter(|(_, document)| document.versions.is_empty()) {
        let before = previous.documents.get(path).map(AsRef::as_ref);
        let document = document.with_history_of(before);
        shelf.documents.insert(path.clone(), Arc::new(document));
    }
}
