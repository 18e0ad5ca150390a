//! What a delivery carries: the frozen content from the store, made ready once for all its recipients.

use std::sync::Arc;

use jiff::Timestamp;

use super::Dispatch;
use super::job::{Content, MailContent};
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
            let newsletter = (&*dispatch.config, content.newsletter.as_str());
            mail(newsletter, content.sealed_at, &content.content, Some(content.version))
        }
        Target::Letter { letter } => {
            let (newsletter, created_at, frozen) =
                tx.letter_content(letter).await?.ok_or(ContentError::Missing(target))?;
            mail((&dispatch.config, &newsletter), created_at, &frozen, None)
        }
        Target::Announcement { announcement } => {
            let body =
                tx.announcement_body(announcement).await?.ok_or(ContentError::Missing(target))?;
            Ok(Content::Call(body.into()))
        }
    }
}

/// `version`: of an edition, which is list mail; none for a letter.
fn mail(
    (config, newsletter): (&Config, &str),
    date: Timestamp,
    frozen: &str,
    version: Option<i64>,
) -> Result<Content, ContentError> {
    let composed: Composed = serde_json::from_str(frozen)?;
    let blueprint = blueprint((config, newsletter), &composed, date, version.is_some())?;
    let from = sender(config, newsletter).address.clone();
    Ok(Content::Mail(Arc::new(MailContent { blueprint, from, version })))
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
