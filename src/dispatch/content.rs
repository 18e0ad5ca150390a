//! What a delivery carries: the frozen content from the store, made ready once for all its recipients.

use std::sync::Arc;

use jiff::Timestamp;

use super::Dispatch;
use super::queue::{Content, MailContent};
use crate::config::{Config, Mailbox};
use crate::domain::Target;
use crate::mail::{Blueprint, BlueprintError, Composed, Envelope, ListHeaders};
use crate::store::StoreError;

/// Why content cannot be had. The delivery stays planned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the content of {0:?} is not in the database")]
    Missing(Target),
    #[error("the frozen mail cannot be read back")]
    Frozen(#[from] serde_json::Error),
    #[error("the mail cannot be built")]
    Build(#[from] BlueprintError),
}

/// Loads what `target` carries.
pub(crate) async fn load(dispatch: &Dispatch, target: Target) -> Result<Content, ContentError> {
    let mut tx = dispatch.store.read().await?;
    match target {
        Target::Edition { edition, .. } => {
            let content =
                tx.edition_content(edition).await?.ok_or(ContentError::Missing(target))?;
            mail(&dispatch.config, &content.newsletter, content.sealed_at, &content.content, true)
        }
        Target::Letter { letter } => {
            let (newsletter, created_at, frozen) =
                tx.letter_content(letter).await?.ok_or(ContentError::Missing(target))?;
            mail(&dispatch.config, &newsletter, created_at, &frozen, false)
        }
        Target::Announcement { announcement } => {
            let body =
                tx.announcement_body(announcement).await?.ok_or(ContentError::Missing(target))?;
            Ok(Content::Call(body.into()))
        }
    }
}

fn mail(
    config: &Config,
    newsletter: &str,
    date: Timestamp,
    frozen: &str,
    is_list_mail: bool,
) -> Result<Content, ContentError> {
    let composed: Composed = serde_json::from_str(frozen)?;
    let blueprint = blueprint((config, newsletter), &composed, date, is_list_mail)?;
    let from = sender(config, newsletter).address.clone();
    Ok(Content::Mail(Arc::new(MailContent { blueprint, from })))
}

/// The mail of `newsletter` that `composed` makes, without its recipient. List mail says how to leave the list.
pub fn blueprint(
    (config, newsletter): (&Config, &str),
    composed: &Composed,
    date: Timestamp,
    is_list_mail: bool,
) -> Result<Blueprint, BlueprintError> {
    let from = sender(config, newsletter);
    let host = config.server.public_url.host_str().unwrap_or("localhost");
    let list_id = format!("{newsletter}.{host}");
    let unsubscribe_base = crate::mail::unsubscribe_base(&config.server.public_url);
    let archive = config.site.url.as_str();
    let list =
        ListHeaders { id: &list_id, unsubscribe_base: &unsubscribe_base, archive: Some(archive) };
    let envelope = Envelope {
        from,
        reply_to: config.mail.reply_to.as_ref(),
        list: is_list_mail.then_some(list),
        date,
    };
    Blueprint::new(composed, &envelope)
}

/// A newsletter that is no longer configured still owes what it planned; it speaks as the house then.
fn sender<'a>(config: &'a Config, newsletter: &str) -> &'a Mailbox {
    let known = config.newsletters.get(newsletter);
    known.and_then(|known| known.from.as_ref()).unwrap_or(&config.mail.from)
}
